/* SPDX-License-Identifier: Apache-2.0 */
/* status_database: questions to the tables, and what their answers mean. */
#include "cli/status_database.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "cli/status_troubles.h"
#include "state/open_error.h"
#include "state/role_list.h"
#include "state/sync_census.h"

enum {
    ENOUGH = 1000000,         /* bytes of a message: a batch of the Event Hub */
    MOST_CHECKED = 256 << 20, /* bytes of a database that is read whole */
    PATIENCE = 2000,          /* milliseconds for another program's lock */
};

static int64_t seconds(timespan span)
{
    return span / TICKS_PER_SECOND;
}

/* --- the database itself --- */

/* A file system that nobody can write is no matter of the user who asks. */
static void tell_read_only(status_run *run)
{
    bool is_mounted_so = eaccess(run->database, W_OK) != 0 && errno == EROFS;
    char *why = open_error_words(EROFS);

    if (is_mounted_so)
        status_report_add(run->report, "database", STATUS_BROKEN,
                          "%s is sound, but nothing can be written: %s", run->database,
                          why ? why : "out of memory");
    else
        status_report_add(run->report, "database", STATUS_WARNING,
                          "%s is sound; this user can only read it", run->database);
    free(why);
}

static void check_content(status_run *run, store *s)
{
    struct stat found;
    char *trouble;

    if (stat(run->database, &found) == 0 && found.st_size > MOST_CHECKED) {
        status_report_add(run->report, "database", STATUS_OK,
                          "%s is open; with %" PRId64 " MB it is too large to be read whole",
                          run->database, (int64_t)found.st_size >> 20);
        return;
    }
    trouble = store_check(s);
    if (trouble != NULL)
        status_report_add(run->report, "database", STATUS_BROKEN,
                          "%s is damaged: %s. A running rsyslogd puts it aside and makes another",
                          run->database, trouble);
    else if (!store_is_writable(s))
        tell_read_only(run);
    else
        status_report_add(run->report, "database", STATUS_OK, "%s is sound", run->database);
    free(trouble);
}

store *status_open_database(status_run *run)
{
    char *error;
    store *s = store_open(run->database, STORE_EXISTING | STORE_BRIEFLY, &error);

    if (s == NULL) {
        status_report_add(run->report, "database", STATUS_BROKEN, "%s: %s", run->database,
                          error ? error : "out of memory");
        free(error);
        return NULL;
    }
    store_set_patience(s, PATIENCE);
    check_content(run, s);
    return s;
}

/* --- the role list --- */

static void tell_store_error(status_run *run, const char *check, store *s)
{
    status_report_add(run->report, check, STATUS_BROKEN, "%s: %s", run->database, store_error(s));
}

static bool read_role_list(status_run *run, role_list *list)
{
    role_list_facts facts;
    sync_census *census;

    if (!role_list_read_facts(list, &facts))
        return false;
    census = sync_census_take(list, run->rule, run->now);
    if (census == NULL)
        return false;
    run->facts.identity_rows = facts.rows;
    run->facts.identity_age = facts.has_rows ? seconds(run->now - facts.newest) : -1;
    run->facts.sync_accounts = (int64_t)sync_census_count(census);
    sync_census_free(census);
    return true;
}

static void tell_role_list(status_run *run)
{
    const status_facts *f = &run->facts;
    status_state age = status_against(run->limits, LIMIT_LIST, f->identity_age);
    buffer room = {0};

    if (f->identity_rows == 0)
        status_report_add(run->report, "role list", STATUS_BROKEN,
                          "it is empty: only accounts with a telling name are found. Load it: "
                          "synctap identity import, or omidentityinfo");
    else if (f->sync_accounts == 0)
        status_report_add(run->report, "role list", STATUS_BROKEN,
                          "none of its %" PRId64 " accounts may synchronize, or not any more; the "
                          "newest row is %s old: does the export still run?",
                          f->identity_rows, status_span(&room, f->identity_age));
    else
        status_report_add(run->report, "role list", age,
                          "%" PRId64 " of %" PRId64
                          " accounts may synchronize; the newest row is %s old%s",
                          f->sync_accounts, f->identity_rows, status_span(&room, f->identity_age),
                          age == STATUS_OK ? "" : ": does the export still run?");
    buffer_free(&room);
}

void status_check_role_list(status_run *run, store *s)
{
    role_list *list = role_list_open(s);

    if (list == NULL || !read_role_list(run, list))
        tell_store_error(run, "role list", s);
    else
        tell_role_list(run);
    role_list_close(list);
}

/* --- the actions --- */

/* One action, kept while all are looked at. */
typedef struct known_action {
    char *name;
    action_state state; /* its own texts are not alive any more */
    char version[32], built_for[32];
} known_action;

typedef struct known_actions {
    known_action *actions;
    size_t count;
    timestamp heard;   /* when one of them was heard last; 0: never */
    timestamp started; /* the newest start of one */
    bool failed;
} known_actions;

static void take_action(void *arg, const action_state *state)
{
    known_actions *all = arg;
    known_action *made = realloc(all->actions, (all->count + 1) * sizeof(*made));

    if (made == NULL) {
        all->failed = true;
        return;
    }
    all->actions = made;
    made = &all->actions[all->count++];
    *made = (known_action){.name = strdup(state->name), .state = *state};
    all->failed |= made->name == NULL;
    if (!state->has_beat)
        return;
    snprintf(made->version, sizeof(made->version), "%s", state->beat.version);
    snprintf(made->built_for, sizeof(made->built_for), "%s", state->beat.built_for);
    all->heard = state->written > all->heard ? state->written : all->heard;
    all->started = state->beat.started > all->started ? state->beat.started : all->started;
}

static void free_actions(known_actions *all)
{
    for (size_t i = 0; i < all->count; i++)
        free(all->actions[i].name);
    free(all->actions);
}

/* Silent while another is heard: it is in no configuration. */
static bool is_left_over(const status_run *run, const known_actions *all, const known_action *a)
{
    int64_t limit = run->limits->broken[LIMIT_DAEMON];

    return !a->state.has_beat || seconds(all->heard - a->state.written) > limit ||
           (a->state.beat.stopped != 0 && a->state.written < all->started);
}

static void tell_left_over(status_run *run, const known_action *a)
{
    const action_state *s = &a->state;

    status_report_add(run->report, "actions", STATUS_WARNING,
                      "\"%s\" is in no configuration any more: %" PRId64
                      " waiting records, %" PRId64 " ids of alerts and %" PRId64
                      " incidents stay unused. Was it renamed? See synctap action",
                      a->name, s->pending, s->seen, s->incidents);
}

static void tell_silent(status_run *run, const known_action *a)
{
    const heartbeat *b = &a->state.beat;
    int64_t age = seconds(run->now - a->state.written);
    status_state state = status_against(run->limits, LIMIT_DAEMON, llabs(age));
    buffer room = {0};

    if (b->stopped != 0)
        status_report_add(run->report, "daemon", STATUS_BROKEN,
                          "rsyslogd was stopped %s: nothing is detected",
                          status_ago(&room, run->now, a->state.written));
    else
        status_report_add(
            run->report, "daemon", state, "action \"%s\" was heard %s, as process %" PRId64 "%s",
            a->name, status_ago(&room, run->now, a->state.written), b->process,
            state == STATUS_OK ? ""
            : age < 0
                ? ": was a clock set back? rsyslogd may be down since"
                : ": rsyslogd is down, runs without the module, or cannot write the database");
    buffer_free(&room);
}

static void tell_messages(status_run *run, const known_action *a)
{
    const heartbeat *b = &a->state.beat;
    int64_t age = llabs(seconds(run->now - (b->last_message != 0 ? b->last_message : b->started)));
    status_state state = status_against(run->limits, LIMIT_MESSAGES, age);
    const char *question = state == STATUS_OK ? "" : ": is the feed dead?";
    buffer message = {0}, candidate = {0};

    if (b->last_message == 0)
        status_report_add(run->report, "messages", state,
                          "action \"%s\" got none since it started, %s%s", a->name,
                          status_ago(&message, run->now, b->started), question);
    else
        status_report_add(run->report, "messages", state,
                          "action \"%s\" got the last one %s; the last with a phrase of the "
                          "rule %s%s",
                          a->name, status_ago(&message, run->now, b->last_message),
                          b->last_candidate != 0
                              ? status_ago(&candidate, run->now, b->last_candidate)
                              : "has not come since it started",
                          question);
    buffer_free(&message);
    buffer_free(&candidate);
}

static void tell_memory(status_run *run, const known_action *a)
{
    const action_state *s = &a->state;

    status_report_add(
        run->report, "waiting", status_against(run->limits, LIMIT_WAITING, s->pending),
        "action \"%s\": %" PRId64 " record%s, %" PRId64 " KB, for the role list", a->name,
        s->pending, s->pending == 1 ? "" : "s", (s->pending_bytes + 1023) >> 10);
    status_report_add(run->report, "incidents", STATUS_OK,
                      "action \"%s\": %" PRId64 " open, %" PRId64 " kept; %" PRId64
                      " ids of alerts",
                      a->name, s->open_incidents, s->incidents, s->seen);
}

static void tell_settings(status_run *run, const known_action *a)
{
    const heartbeat *b = &a->state.beat;

    if (b->longest_message < ENOUGH)
        status_report_add(run->report, "maxMessageSize", STATUS_WARNING,
                          "it is %" PRId64 " bytes: longer records are cut, and cannot be read: "
                          "write global(maxMessageSize=\"4m\")",
                          b->longest_message);
    else
        status_report_add(run->report, "maxMessageSize", STATUS_OK, "it is %" PRId64 " bytes",
                          b->longest_message);
    if (strcmp(a->version, SYNCTAP_VERSION) != 0)
        status_report_add(run->report, "version", STATUS_WARNING,
                          "rsyslogd runs mmsynctap %s, this synctap is " SYNCTAP_VERSION
                          ": was it not restarted after an upgrade?",
                          a->version);
}

/* --- the same for a script --- */

static void write_action(buffer *out, const known_action *a)
{
    const action_state *s = &a->state;

    json_write_item(out);
    buffer_append_char(out, '{');
    json_write_member(out, "name", text_of(a->name));
    status_write_number(out, "pending", s->pending);
    status_write_number(out, "pending_bytes", s->pending_bytes);
    status_write_number(out, "seen", s->seen);
    status_write_number(out, "incidents", s->incidents);
    status_write_number(out, "open_incidents", s->open_incidents);
    status_write_time(out, "heard_at", s->has_beat ? s->written : 0);
    status_write_time(out, "started_at", s->beat.started);
    status_write_time(out, "stopped_at", s->beat.stopped);
    status_write_time(out, "last_message_at", s->beat.last_message);
    status_write_time(out, "last_candidate_at", s->beat.last_candidate);
    status_write_number(out, "process", s->beat.process);
    status_write_number(out, "max_message_size", s->beat.longest_message);
    status_write_troubles(out, &s->beat);
    json_write_member(out, "version", text_of(a->version));
    json_write_member(out, "built_for", text_of(a->built_for));
    buffer_append_char(out, '}');
}

/* --- all of them --- */

static void check_action(status_run *run, const known_actions *all, const known_action *a)
{
    write_action(&run->facts.actions, a);
    if (is_left_over(run, all, a)) {
        tell_left_over(run, a);
        return;
    }
    tell_silent(run, a);
    tell_messages(run, a);
    status_check_troubles(run, a->name, &a->state.beat);
    tell_memory(run, a);
    tell_settings(run, a);
    if (a->state.written != all->heard)
        return;
    run->facts.process = a->state.beat.stopped == 0 ? a->state.beat.process : 0;
    run->facts.longest_message = a->state.beat.longest_message;
    snprintf(run->facts.built_for, sizeof(run->facts.built_for), "%s", a->built_for);
}

void status_check_actions(status_run *run, store *s)
{
    known_actions all = {0};

    if (!action_states_each(s, run->now, take_action, &all)) {
        tell_store_error(run, "actions", s);
    } else if (all.heard == 0) {
        status_report_add(run->report, "daemon", STATUS_BROKEN,
                          "no action of mmsynctap was ever heard here: rsyslogd does not run it, "
                          "or with another database, or cannot write this one: its log says why");
    }
    for (size_t i = 0; !all.failed && all.heard != 0 && i < all.count; i++)
        check_action(run, &all, &all.actions[i]);
    run->report->failed |= all.failed || buffer_failed(&run->facts.actions);
    free_actions(&all);
}
