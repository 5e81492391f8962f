/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_incident: a window on the incidents in the state database. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/words.h"
#include "state/alert_log.h"

static const char USAGE[] =
    "usage: synctap incident list  [--database DB] [--all] [--format table|jsonl]\n"
    "       synctap incident show  [--database DB] [--format table|jsonl] ID\n"
    "       synctap incident close [--database DB] ID...\n"
    "Lists the incidents that alerts were grouped into, shows one with its alerts, and closes\n"
    "them. A closed one takes no alert any more and is not reopened: the next alert opens "
    "another.\n"
    "\n"
    "  --database DB         state database\n"
    "  --all                 also those that are closed or whose window has passed\n"
    "  --now TIME            the instant that windows are told by (default: the clock)\n"
    "  --format table|jsonl  (default: table on a terminal, else jsonl)\n";

enum {
    PATIENCE = 5000, /* milliseconds that a step waits for another writer */
    SAMPLE = 100,
};

typedef struct list_run {
    const options *options;
    store *store;
    bool with_alerts; /* of the one incident that is shown */
    table *table;     /* NULL: incidents are written as lines */
    size_t count;
    buffer line;
} list_run;

static const char *status_of(const incident_row *row, timestamp now)
{
    if (row->is_closed)
        return "closed";
    return row->opened + row->window > now ? "open" : "expired";
}

static void write_time(buffer *out, const char *key, timestamp t)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, written);
    json_write_member(out, key, text_of(written));
}

/* The key is an array, the tenant first. */
static text tenant_of(text key)
{
    text rest = key.length > 2 ? text_from(key, 2) : key;
    const char *end = memchr(rest.bytes, '"', rest.length);

    return key.length > 2 && end != NULL ? text_between(rest.bytes, end) : (text){"", 0};
}

static void add_alert(void *arg, text written)
{
    buffer *line = arg;

    json_write_item(line);
    buffer_append(line, written);
}

static void write_alerts(list_run *l, const char *id)
{
    json_write_key(&l->line, "alerts");
    buffer_append_char(&l->line, '[');
    incident_rows_each_alert(l->store, id, add_alert, &l->line);
    buffer_append_char(&l->line, ']');
}

static void write_incident(list_run *l, const incident_row *row)
{
    buffer *line = &l->line;
    char count[24];

    snprintf(count, sizeof(count), "%lld", (long long)row->alert_count);
    buffer_append_char(line, '{');
    json_write_member(line, "incident_id", text_of(row->id));
    json_write_member(line, "action", text_of(row->action));
    json_write_member(line, "status", text_of(status_of(row, l->options->now)));
    json_write_member(line, "tenant_id", tenant_of(row->key));
    json_write_key(line, "key");
    buffer_append(line, row->key);
    write_time(line, "opened_at", row->opened);
    write_time(line, "last_alert_at", row->last_alert);
    json_write_key(line, "alert_count");
    buffer_append_string(line, count);
    json_write_member(line, "first_alert", text_of(row->first_alert));
    json_write_member(line, "title", text_of(RULE_NAME));
    if (l->with_alerts)
        write_alerts(l, row->id);
    buffer_append_char(line, '}');
}

static void take_incident(void *arg, const incident_row *row)
{
    list_run *l = arg;
    bool is_open = !row->is_closed && row->opened + row->window > l->options->now;

    if (buffer_failed(&l->line) || (!is_open && !l->options->all_incidents && !l->with_alerts))
        return;
    buffer_clear(&l->line);
    write_incident(l, row);
    if (buffer_failed(&l->line))
        return;
    l->count++;
    if (l->table != NULL) {
        table_add(l->table, buffer_text(&l->line));
    } else {
        buffer_append_char(&l->line, '\n');
        fwrite(l->line.bytes, 1, l->line.length, stdout);
    }
}

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

static bool begin_table(list_run *l)
{
    static const char *const columns[] = {"incident_id",   "status",      "tenant_id", "opened_at",
                                          "last_alert_at", "alert_count", "action",    NULL};

    if (l->options->format == FORMAT_TABLE)
        l->table = table_begin(stdout, columns, SAMPLE);
    return l->table != NULL || l->options->format != FORMAT_TABLE;
}

static const char *write_rows(list_run *l, const char *id)
{
    const char *trouble = NULL;
    bool written = true;

    if (!begin_table(l))
        return "out of memory";
    if (!incident_rows_each(l->store, id, take_incident, l))
        trouble = store_error(l->store);
    if (l->table != NULL)
        written = table_end(l->table);
    if (trouble == NULL && (buffer_failed(&l->line) || !written))
        trouble = "out of memory";
    return trouble;
}

/* The alerts of the incident that is shown, as a table of their own. */
static void take_alert_row(void *arg, text written)
{
    table_add(arg, written);
}

static void print_alerts(list_run *l, const char *id)
{
    static const char *const columns[] = {"detected_at", "late",       "operation_name", "actor",
                                          "source_ip",   "target_upn", "matched_by",     NULL};
    table *alerts = table_begin(stdout, columns, SAMPLE);

    putchar('\n');
    if (alerts == NULL)
        return;
    incident_rows_each_alert(l->store, id, take_alert_row, alerts);
    table_end(alerts);
}

static int tell_unknown(const char *id)
{
    words_say("there is no incident %s", id);
    return EXIT_UNREADABLE;
}

static int show_or_list(const options *o, const char *id)
{
    list_run l = {.options = o, .store = open_store(o), .with_alerts = id != NULL};
    const char *trouble;
    int status = EXIT_DONE;

    if (l.store == NULL)
        return EXIT_UNREADABLE;
    trouble = write_rows(&l, id);
    if (trouble != NULL) {
        words_say("%s: %s", o->database, trouble);
        status = EXIT_UNREADABLE;
    } else if (id != NULL && l.count == 0) {
        status = tell_unknown(id);
    } else if (id != NULL && l.table != NULL) {
        print_alerts(&l, id);
    }
    buffer_free(&l.line);
    store_close(l.store);
    return status;
}

static void count_row(void *arg, const incident_row *row)
{
    (void)row;
    ++*(size_t *)arg;
}

/* Closing what is closed already is no error: it is what was wanted. */
static int close_one(const options *o, store *s, const char *id)
{
    size_t known = 0;
    int closed = 0;

    if (!incident_rows_each(s, id, count_row, &known) ||
        !incident_rows_close(s, id, o->now, &closed)) {
        words_say("%s: %s", o->database, store_error(s));
        return EXIT_UNREADABLE;
    }
    if (known == 0)
        return tell_unknown(id);
    words_put(stdout, text_of(id));
    printf(" %s\n", closed > 0 ? "closed" : "was closed already");
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

static int wrong_usage(const char *what)
{
    fprintf(stderr, "synctap incident: %s\ntry: synctap incident --help\n", what);
    return EXIT_USAGE;
}

static int run(const options *o)
{
    const char *verb = o->argument_count > 0 ? o->arguments[0] : "";

    if (strcmp(verb, "list") == 0)
        return o->argument_count == 1 ? show_or_list(o, NULL)
                                      : wrong_usage("list takes no id; show does");
    if (strcmp(verb, "show") == 0)
        return o->argument_count == 2 ? show_or_list(o, o->arguments[1])
                                      : wrong_usage("show takes one incident's id");
    if (strcmp(verb, "close") == 0)
        return o->argument_count > 1 ? close_all(o) : wrong_usage("close takes an incident's id");
    return wrong_usage("say list, show or close");
}

int cmd_incident(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_INCIDENT, USAGE, run);
}
