/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_action: what the module's actions remember, by their names. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/table.h"
#include "cli/words.h"
#include "state/action_row.h"
#include "state/heartbeat.h"
#include "state/journal_name.h"
#include "state/role_feed.h"
#include "state/segment_list.h"

static const char USAGE[] =
    "usage: synctap action list [OPTION...]\n"
    "       synctap action adopt OLD NEW [OPTION...]\n"
    "       synctap action drop NAME [OPTION...]\n"
    "Lists the mmsynctap actions that remember something in the state database: records that\n"
    "wait for the role list, alerts that were sent, incidents. An action is known by its name.\n"
    "When it was renamed, adopt gives what it remembers to the new name, while rsyslogd does not\n"
    "run; when it is gone for good, drop forgets it, also one of omidentityinfo.\n"
    "\n"
    "  --database DB         the state database\n"
    "  --format table|jsonl  of list (default: table on a terminal, else jsonl)\n";

enum { PATIENCE = 5000, /* milliseconds that a step waits for another writer */ SAMPLE = 100 };

/* A search for an action that runs. */
typedef struct search {
    const char *name;
    bool runs;
} search;

typedef struct listing {
    table *table; /* NULL: lines */
    buffer line;
    bool failed;
} listing;

static store *open_store(const options *o)
{
    char *error;
    store *s = store_open(o->database, STORE_EXISTING, &error);

    if (s == NULL)
        words_say("%s: %s", o->database, error ? error : "out of memory");
    else
        store_set_patience(s, PATIENCE);
    free(error);
    return s;
}

/* By what it said last, and by its process: a killed one said nothing of its end. */
static bool runs(const action_state *state)
{
    return state->has_beat && state->beat.stopped == 0 && state->beat.process > 0 &&
           (kill((pid_t)state->beat.process, 0) == 0 || errno == EPERM);
}

/* --- list --- */

static void write_count(buffer *out, const char *key, int64_t number)
{
    char written[24];

    snprintf(written, sizeof(written), "%lld", (long long)number);
    json_write_key(out, key);
    buffer_append_string(out, written);
}

static void list_one(void *arg, const action_state *state)
{
    listing *l = arg;

    buffer_clear(&l->line);
    buffer_append_char(&l->line, '{');
    json_write_member(&l->line, "action", text_of(state->name));
    write_count(&l->line, "waiting", state->pending);
    write_count(&l->line, "alerts", state->seen);
    write_count(&l->line, "incidents", state->incidents);
    write_count(&l->line, "open_incidents", state->open_incidents);
    json_write_key(&l->line, "runs");
    buffer_append_string(&l->line, runs(state) ? "true}" : "false}");
    l->failed |= buffer_failed(&l->line);
    if (l->failed)
        return;
    if (l->table != NULL)
        table_add(l->table, buffer_text(&l->line));
    else
        printf("%s\n", buffer_string(&l->line));
}

static bool end_listing(listing *l)
{
    if (l->table != NULL && !table_end(l->table))
        l->failed = true;
    buffer_free(&l->line);
    if (l->failed)
        words_say("out of memory, actions are missing");
    return !l->failed;
}

static int list(const options *o, store *s)
{
    static const char *const columns[] = {"action",         "waiting", "alerts", "incidents",
                                          "open_incidents", "runs",    NULL};
    listing l = {.table = o->format == FORMAT_TABLE ? table_begin(stdout, columns, SAMPLE) : NULL};
    bool listed = action_states_each(s, o->now, list_one, &l);

    if (!listed)
        words_say("%s: %s", o->database, store_error(s));
    return end_listing(&l) && listed ? EXIT_DONE : EXIT_UNREADABLE;
}

static int wrong_usage(const char *what)
{
    fprintf(stderr, "synctap action: %s\ntry: synctap action --help\n", what);
    return EXIT_USAGE;
}

/* --- adopt and drop --- */

static void look_for(void *arg, const action_state *state)
{
    search *wanted = arg;

    wanted->runs |= strcmp(state->name, wanted->name) == 0 && runs(state);
}

/* What a running action remembers lies in its memory, too. */
static bool is_at_rest(const options *o, store *s, const char *name)
{
    search wanted = {.name = name};

    if (!action_states_each(s, o->now, look_for, &wanted)) {
        words_say("%s: %s", o->database, store_error(s));
        return false;
    }
    if (wanted.runs)
        words_say("the action \"%s\" runs: stop rsyslogd first, nothing was changed", name);
    return !wanted.runs;
}

static int tell(const options *o, store *s, bool done, bool found, const char *name)
{
    if (!done)
        words_say("%s: %s", o->database, store_error(s));
    else if (!found)
        words_say("%s remembers nothing of an action \"%s\": synctap action list names them",
                  o->database, name);
    return done && found ? EXIT_DONE : EXIT_UNREADABLE;
}

static bool has_segments(const char *journal)
{
    segment_list found = {0};
    bool has = !segment_list_find(&found, journal) || found.count > 0;

    segment_list_free(&found);
    return has;
}

static void remove_segments(const char *journal)
{
    segment_list found = {0};
    char path[PATH_MAX];

    segment_list_find(&found, journal);
    for (size_t i = 0; i < found.count; i++) {
        segment_path(journal, found.numbers[i], path, sizeof(path));
        unlink(path);
    }
    segment_list_free(&found);
}

/* Of the files beside the database; `to` is NULL when they are to go. False, and words, on a
 * failure. */
static bool take_journal(const options *o, const char *from, const char *to)
{
    char *old = journal_name(o->database, from);
    char *new = to != NULL ? journal_name(o->database, to) : NULL;
    bool taken = old != NULL && (to == NULL || new != NULL);

    errno = taken ? 0 : ENOMEM;
    if (taken && to != NULL)
        segments_move(old, new);
    else if (taken)
        remove_segments(old);
    taken = taken && !has_segments(old);
    if (!taken)
        words_say("%s.*: the files of its journal cannot be %s%s%s", old != NULL ? old : from,
                  to != NULL ? "renamed" : "removed", errno != 0 ? ": " : "",
                  errno != 0 ? strerror(errno) : "");
    free(old);
    free(new);
    return taken;
}

/* The files first: should the database then refuse, they are read under the new name all the same.
 */
static int adopt(const options *o, store *s)
{
    const char *from = o->arguments[1], *to = o->arguments[2];
    bool found = false, done;

    if (strcmp(from, to) == 0)
        return wrong_usage("adopt takes two names");
    if (!is_at_rest(o, s, from) || !is_at_rest(o, s, to) || !take_journal(o, from, to))
        return EXIT_UNREADABLE;
    done = action_row_adopt(s, from, to, &found);
    if (done && found)
        printf("%s is now %s\n", from, to);
    return tell(o, s, done, found, from);
}

static int drop(const options *o, store *s)
{
    const char *name = o->arguments[1];
    bool found = false, was_fed = false, done;

    if (!is_at_rest(o, s, name))
        return EXIT_UNREADABLE;
    done = action_row_drop(s, name, &found) && role_feed_drop(s, name, &was_fed);
    found |= was_fed;
    if (done && found && !take_journal(o, name, NULL))
        return EXIT_UNREADABLE;
    if (done && found)
        printf("%s is forgotten\n", name);
    return tell(o, s, done, found, name);
}

/* --- the command --- */

static const struct verb {
    const char *name;
    int arguments;
    int (*run)(const options *o, store *s);
    const char *usage;
} verbs[] = {
    {"list", 0, list, "list takes no name"},
    {"adopt", 2, adopt, "adopt takes the old name, and the new one"},
    {"drop", 1, drop, "drop takes an action's name"},
};

static int run_verb(const options *o, const struct verb *v)
{
    store *s = open_store(o);
    int status = s != NULL ? v->run(o, s) : EXIT_UNREADABLE;

    store_close(s);
    return status;
}

static int run(const options *o)
{
    const char *name = o->argument_count > 0 ? o->arguments[0] : "";

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(name, verbs[i].name) == 0)
            return o->argument_count - 1 == verbs[i].arguments ? run_verb(o, &verbs[i])
                                                               : wrong_usage(verbs[i].usage);
    return wrong_usage("say list, adopt or drop");
}

int cmd_action(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE, USAGE, run);
}
