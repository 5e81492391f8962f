/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_incident: a window on the incidents in the state database. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/incident_page.h"
#include "cli/incident_text.h"
#include "cli/incident_view.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/words.h"
#include "state/alert_log.h"

static const char USAGE[] =
    "usage: synctap incident list  [--database DB] [--all] [--format table|jsonl]\n"
    "       synctap incident show  [--database DB] [--format FORMAT] ID\n"
    "       synctap incident close [--database DB] [--reason WHY] [--by WHO] ID...\n"
    "Lists the incidents that alerts were grouped into, shows one with its alerts, and closes\n"
    "them. A closed one takes no alert any more and is not reopened: the next alert opens "
    "another.\n"
    "ID may be the beginning of one, if no other begins so.\n"
    "\n"
    "  --database DB         state database\n"
    "  --all                 also those that are closed or whose window has passed\n"
    "  --now TIME            the instant that windows are told by (default: the clock)\n"
    "  --reason WHY, --by WHO\n"
    "                        why it is closed, and who says so; both are shown with it\n"
    "  --format FORMAT       table, jsonl; show also json, html (one file to look at), md, and\n"
    "                        its alerts in a dialect: " DIALECT_NAMES "\n"
    "                        (default: table on a terminal, else jsonl)\n";

enum {
    PATIENCE = 5000, /* milliseconds that a step waits for another writer */
    SAMPLE = 100,
    LEAST_ID = 4,  /* characters of an id */
    MOST_TOLD = 5, /* ids that begin alike */
};

static store *open_store(const options *o)
{
    char *error;
    store *s = store_open(o->database, STORE_EXISTING, &error);

    if (s == NULL)
        words_say("%s: %s", o->database, error ? error : "out of memory");
    else if (store_news(s) != NULL)
        words_say("%s", store_news(s));
    if (s != NULL)
        store_set_patience(s, PATIENCE);
    free(error);
    return s;
}

/* --- ids --- */

/* The whole ids that begin so. */
typedef struct found_ids {
    char ids[MOST_TOLD][UUID_TEXT_SIZE];
    size_t count;
} found_ids;

static void take_id(void *arg, const char *id)
{
    found_ids *found = arg;

    if (found->count < MOST_TOLD)
        snprintf(found->ids[found->count++], UUID_TEXT_SIZE, "%s", id);
}

static int tell_unknown(const char *id)
{
    words_say("there is no incident %s", id);
    return EXIT_UNREADABLE;
}

static int tell_ambiguous(const char *id, const found_ids *found)
{
    buffer all = {0};

    for (size_t i = 0; i < found->count; i++) {
        buffer_append_string(&all, i > 0 ? ", " : "");
        buffer_append_string(&all, found->ids[i]);
    }
    words_say("%s begins more than one incident's id: %s; give more of it", id,
              buffer_failed(&all) ? "out of memory" : buffer_string(&all));
    buffer_free(&all);
    return EXIT_UNREADABLE;
}

/* The one incident that is meant; else it is said why there is none. */
static int find_id(store *s, const options *o, const char *given, char id[static UUID_TEXT_SIZE])
{
    found_ids found = {0};

    if (!incident_ids_each(s, text_of(given), MOST_TOLD, take_id, &found)) {
        words_say("%s: %s", o->database, store_error(s));
        return EXIT_UNREADABLE;
    }
    if (found.count == 0)
        return tell_unknown(given);
    if (strlen(given) < LEAST_ID) {
        words_say("\"%s\" is too short for an incident's id: give at least %d characters", given,
                  LEAST_ID);
        return EXIT_UNREADABLE;
    }
    if (found.count > 1)
        return tell_ambiguous(given, &found);
    memcpy(id, found.ids[0], UUID_TEXT_SIZE);
    return EXIT_DONE;
}

/* As many characters as tell it from all others. */
static text short_id(store *s, const char *id)
{
    text beginning = {id, strlen(id) < VIEW_SHORT_ID ? strlen(id) : VIEW_SHORT_ID};
    found_ids found = {0};

    while (beginning.length < strlen(id) && incident_ids_each(s, beginning, 2, take_id, &found) &&
           found.count > 1) {
        beginning.length++;
        found.count = 0;
    }
    return beginning;
}

/* --- rows of all actions: a list, or one incident for a script --- */

typedef struct list_run {
    const options *options;
    store *store;
    const char *id; /* of the one that is shown with its alerts; NULL: a list */
    table *table;   /* NULL: incidents are written as lines */
    size_t count;
    buffer line;
    bool failed; /* store_error, or memory */
} list_run;

static void add_alert(void *arg, const incident_alert_row *row)
{
    buffer *line = arg;

    json_write_item(line);
    buffer_append(line, row->alert);
}

/* As they were sent, in the order in which they were handed on. */
static void write_alerts(list_run *l, const incident_row *row)
{
    json_write_key(&l->line, "alerts");
    buffer_append_char(&l->line, '[');
    l->failed |= !incident_rows_each_alert(l->store, row->action_id, row->id, add_alert, &l->line);
    buffer_append_char(&l->line, ']');
}

static void write_incident(list_run *l, const incident_view *v, const incident_row *row)
{
    if (l->table != NULL) {
        incident_row_append(&l->line, v, short_id(l->store, row->id));
        return;
    }
    buffer_append_char(&l->line, '{');
    incident_members_append(&l->line, v, row);
    if (l->id != NULL)
        write_alerts(l, row);
    buffer_append_char(&l->line, '}');
}

static void put_line(list_run *l)
{
    if (l->table != NULL) {
        table_add(l->table, buffer_text(&l->line));
    } else {
        buffer_append_char(&l->line, '\n');
        fwrite(l->line.bytes, 1, l->line.length, stdout);
    }
}

static void take_incident(void *arg, const incident_row *row)
{
    list_run *l = arg;
    bool is_open = strcmp(incident_status(row, l->options->now), "open") == 0;
    incident_view v = {0};

    if (l->failed || (!is_open && !l->options->all_incidents && l->id == NULL))
        return;
    buffer_clear(&l->line);
    l->failed |= !incident_view_read_row(&v, l->store, row, l->options->now);
    if (!l->failed)
        write_incident(l, &v, row);
    l->failed |= buffer_failed(&l->line);
    if (!l->failed)
        put_line(l);
    l->count++;
    incident_view_free(&v);
}

static int tell_trouble(const options *o, const store *s)
{
    words_say("%s: %s", o->database, store_error(s));
    return EXIT_UNREADABLE;
}

static bool begin_table(list_run *l)
{
    static const char *const open[] = {"incident", "opened", "who",  "what",
                                       "target",   "alerts", "late", NULL};
    static const char *const all[] = {"incident", "status", "opened", "who",    "what",
                                      "target",   "alerts", "late",   "closed", NULL};

    if (l->options->format == FORMAT_TABLE)
        l->table = table_begin(stdout, l->options->all_incidents ? all : open, SAMPLE);
    return l->table != NULL || l->options->format != FORMAT_TABLE;
}

/* A list, or one incident's lines; the store is open. */
static int write_rows(const options *o, store *s, const char *id)
{
    list_run l = {.options = o, .store = s, .id = id};

    l.failed = id == NULL && !begin_table(&l);
    if (!l.failed)
        l.failed = !incident_rows_each(s, id, take_incident, &l) || l.failed;
    if (l.table != NULL)
        l.failed |= !table_end(l.table);
    buffer_free(&l.line);
    return l.failed ? tell_trouble(o, s) : EXIT_DONE;
}

static int list(const options *o)
{
    store *s = open_store(o);
    int status = s != NULL ? write_rows(o, s, NULL) : EXIT_UNREADABLE;

    store_close(s);
    return status;
}

/* --- one incident for a person --- */

static bool print_alerts(const incident_view *v)
{
    static const char *const columns[] = {"event",  "detected after", "who",   "what",
                                          "target", "from",           "marks", NULL};
    table *alerts = table_begin(stdout, columns, SAMPLE);
    buffer row = {0};
    bool whole = alerts != NULL;

    for (size_t i = 0; alerts != NULL && i < v->count; i++) {
        buffer_clear(&row);
        incident_alert_row_append(&row, &v->alerts[i]);
        whole &= !buffer_failed(&row);
        table_add(alerts, buffer_text(&row));
    }
    whole = (alerts == NULL || table_end(alerts)) && whole;
    buffer_free(&row);
    return whole;
}

/* Each alert is a line. */
static void append_dialect(buffer *out, const incident_view *v, const dialect *d)
{
    for (size_t i = 0; i < v->count; i++) {
        dialect_write(d, v->alerts[i].tree, out);
        buffer_append_char(out, '\n');
    }
}

static bool print_view(const options *o, const incident_view *v)
{
    buffer out = {0};
    bool whole;

    if (o->format == FORMAT_DIALECT)
        append_dialect(&out, v, o->dialect);
    else if (o->format == FORMAT_HTML)
        incident_page_append(&out, v, o->now);
    else if (o->format == FORMAT_MARKDOWN)
        incident_markdown_append(&out, v, o->now);
    else
        incident_head_append(&out, v);
    whole = !buffer_failed(&out);
    if (whole)
        fwrite(out.bytes, 1, out.length, stdout);
    if (whole && o->format == FORMAT_TABLE) {
        putchar('\n');
        whole = print_alerts(v);
    }
    buffer_free(&out);
    return whole;
}

static int show_to_person(const options *o, store *s, const char *id)
{
    incident_view v = {0};
    bool read =
        incident_view_read(&v, s, id, o->now) && incident_view_read_roles(&v, s, o->rule, o->now);
    int status = EXIT_DONE;

    if (!read)
        status = tell_trouble(o, s);
    else if (!print_view(o, &v)) {
        words_say("out of memory");
        status = EXIT_UNREADABLE;
    }
    incident_view_free(&v);
    return status;
}

static int show(const options *o, const char *given)
{
    store *s = open_store(o);
    char id[UUID_TEXT_SIZE];
    int status = s != NULL ? find_id(s, o, given, id) : EXIT_UNREADABLE;

    if (status == EXIT_DONE)
        status = o->format == FORMAT_JSONL || o->format == FORMAT_JSON ? write_rows(o, s, id)
                                                                       : show_to_person(o, s, id);
    store_close(s);
    return status;
}

/* --- closing --- */

/* Closing what is closed already is no error: it is what was wanted. */
static int close_one(const options *o, store *s, const char *given)
{
    const incident_closing closing = {o->now, text_of(o->reason), text_of(o->by)};
    char id[UUID_TEXT_SIZE];
    int closed = 0, status = find_id(s, o, given, id);

    if (status != EXIT_DONE)
        return status;
    if (!incident_rows_close(s, id, &closing, &closed))
        return tell_trouble(o, s);
    printf("%s %s\n", id, closed > 0 ? "closed" : "was closed already");
    return EXIT_DONE;
}

static int close_all(const options *o)
{
    store *s = open_store(o);
    int status = EXIT_DONE;

    if (s == NULL)
        return EXIT_UNREADABLE;
    for (int i = 1; i < o->argument_count; i++) {
        int one = close_one(o, s, o->arguments[i]);

        status = one != EXIT_DONE ? one : status;
    }
    store_close(s);
    return status;
}

/* --- the command --- */

static int wrong_usage(const char *what)
{
    fprintf(stderr, "synctap incident: %s\ntry: synctap incident --help\n", what);
    return EXIT_USAGE;
}

static int run_list(const options *o)
{
    if (o->argument_count != 1)
        return wrong_usage("list takes no id; show does");
    if (o->format != FORMAT_TABLE && o->format != FORMAT_JSONL && o->format != FORMAT_JSON)
        return wrong_usage("list has the formats table, jsonl and json; show has the others");
    return list(o);
}

static int run(const options *o)
{
    const char *verb = o->argument_count > 0 ? o->arguments[0] : "";
    bool closes = strcmp(verb, "close") == 0;

    if (!closes && (o->reason[0] != '\0' || o->by[0] != '\0'))
        return wrong_usage("--reason and --by are for close");
    if (strcmp(verb, "list") == 0)
        return run_list(o);
    if (strcmp(verb, "show") == 0)
        return o->argument_count == 2 ? show(o, o->arguments[1])
                                      : wrong_usage("show takes one incident's id");
    if (closes)
        return o->argument_count > 1 ? close_all(o) : wrong_usage("close takes an incident's id");
    return wrong_usage("say list, show or close");
}

int cmd_incident(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_INCIDENT | GROUP_DIALECT, USAGE, run);
}
