/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is shown of an incident, and what actions say of themselves: all of it or nothing.
 */
#include <stdlib.h>

#include "cli/incident_page.h"
#include "cli/incident_text.h"
#include "rule/selftest.h"
#include "state/action_row.h"
#include "state/heartbeat.h"
#include "state/role_feed.h"
#include "state/role_list.h"
#include "sweep.h"

#define INCIDENT "00000000-0000-4000-8000-0000000000aa"

static const char ALERT[] =
    "{\"alert_id\":\"00000000-0000-4000-8000-000000000001\",\"severity\":\"High\","
    "\"time_generated\":\"2026-06-01T12:00:00.0000000Z\",\"operation_name\":\"An operation\","
    "\"actor\":\"eve@x <b>\\u202e\",\"source_ip\":\"192.0.2.1\",\"target_upn\":\"Sync_a@x\","
    "\"target_id\":\"1\",\"method\":\"temporary_access_pass\","
    "\"tap\":{\"id\":\"2\",\"end\":\"2026-06-01T13:00:00.0000000Z\",\"usage\":\"once\"},"
    "\"matched_by\":[\"identity_upn\",\"upn_startswith\"],\"late\":true,"
    "\"detected_at\":\"2026-06-01T12:30:00.0000000Z\"}";

static store *open_store(void)
{
    char *error;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, &error);

    SWEEP_REQUIRE(s != NULL);
    return s;
}

static void put_alert(store *s, int64_t action)
{
    alert_log *log = alert_log_open(s, action);
    const sent_alert sent = {
        .id = "00000000-0000-4000-8000-000000000001",
        .expires = sweep_now() + TICKS_PER_DAY,
        .detected_at = sweep_now(),
        .incident = {.id = INCIDENT,
                     .place = 1,
                     .opened = sweep_now(),
                     .first_alert = "00000000-0000-4000-8000-000000000001"},
        .window = TICKS_PER_DAY,
        .key = TEXT("[\"tenant\"]"),
        .alert = text_of(ALERT),
    };

    SWEEP_REQUIRE(log != NULL && store_begin(s) && alert_log_put(log, &sent) && store_commit(s));
    alert_log_close(log);
}

static void put_role(store *s)
{
    role_list *list = role_list_open(s);
    const identity_record row = {
        .time_generated = sweep_now(),
        .account_upn = TEXT("Sync_a@x"),
        .account_object_id = TEXT("1"),
        .account_display_name = TEXT("a name"),
        .assigned_roles = TEXT("[\"Directory Synchronization Accounts\"]"),
    };

    SWEEP_REQUIRE(list != NULL && role_list_begin(list) && role_list_put(list, &row) &&
                  role_list_commit(list));
    role_list_close(list);
}

/* A store with an incident of one alert. */
static store *store_with_incident(int64_t *action)
{
    store *s = open_store();
    action_row row;

    SWEEP_REQUIRE(action_row_find(s, "tap", &row));
    put_alert(s, row.id);
    put_role(s);
    *action = row.id;
    return s;
}

typedef void append_view(buffer *out, const incident_view *v, timestamp now);

static outcome show(append_view *append)
{
    int64_t action;
    store *s = store_with_incident(&action);
    rule *r = rule_new();
    incident_view v = {0};
    buffer out = {0};
    outcome came = OUT_OF_MEMORY;
    bool shown;

    SWEEP_REQUIRE(r != NULL);
    sweep_begin();
    shown = incident_view_read(&v, s, INCIDENT, sweep_now()) &&
            incident_view_read_roles(&v, s, r, sweep_now());
    if (shown)
        append(&out, &v, sweep_now());
    sweep_end();
    if (shown && !buffer_failed(&out))
        came = sweep_compare(buffer_text(&out));
    incident_view_free(&v);
    buffer_free(&out);
    rule_free(r);
    store_close(s);
    return came;
}

static outcome run_page(void)
{
    return show(incident_page_append);
}

static outcome run_markdown(void)
{
    return show(incident_markdown_append);
}

static void append_lines(buffer *out, const incident_view *v, timestamp now)
{
    (void)now;
    incident_head_append(out, v);
    incident_row_append(out, v, text_of(v->id));
    incident_alert_row_append(out, &v->alerts[0]);
}

static outcome run_lines(void)
{
    return show(append_lines);
}

/* --- heartbeat --- */

static void note_action(void *arg, const action_state *state)
{
    buffer *out = arg;

    buffer_append_string(out, state->name);
    buffer_append_string(out, state->beat.version);
    buffer_append_string(out, state->beat.built_for);
    buffer_append_char(out, (char)('0' + state->incidents));
}

static outcome run_heartbeat(void)
{
    const heartbeat beat = {
        .started = 1, .version = "1", .built_for = "2", .troubles = {{.count = 1, .newest = 1}}};
    int64_t action;
    store *s = store_with_incident(&action);
    buffer out = {0};
    outcome came = OUT_OF_MEMORY;
    bool done;

    sweep_begin();
    done = heartbeat_write(s, action, &beat, sweep_now()) &&
           action_states_each(s, sweep_now(), note_action, &out);
    sweep_end();
    if (done && !buffer_failed(&out))
        came = sweep_compare(buffer_text(&out));
    buffer_free(&out);
    store_close(s);
    return came;
}

static void note_feed(void *arg, const role_feed *feed)
{
    buffer *out = arg;

    buffer_append_string(out, feed->name);
    buffer_append_string(out, feed->reason);
    buffer_append_char(out, (char)('0' + feed->rejections));
}

static outcome run_role_feed(void)
{
    role_feed batch = {.name = "roles", .reason = ""};
    int64_t action;
    store *s = store_with_incident(&action);
    buffer out = {0};
    outcome came = OUT_OF_MEMORY;
    bool done, found = false;

    role_feed_note(&batch, sweep_now(), NULL);
    role_feed_note(&batch, sweep_now(), "no list");
    sweep_begin();
    done = role_feed_write(s, &batch) && role_feed_write(s, &batch) &&
           role_feeds_each(s, note_feed, &out) && role_feed_drop(s, "roles", &found);
    sweep_end();
    if (done && found && !buffer_failed(&out))
        came = sweep_compare(buffer_text(&out));
    buffer_free(&out);
    store_close(s);
    return came;
}

/* --- ids and closing --- */

static void note_id(void *arg, const char *id)
{
    buffer_append_string(arg, id);
}

static outcome run_find_and_close(void)
{
    const incident_closing closing = {sweep_now(), TEXT("why"), TEXT("who")};
    int64_t action;
    store *s = store_with_incident(&action);
    buffer out = {0};
    outcome came = OUT_OF_MEMORY;
    int closed = 0;
    bool done, was_sent = false;

    sweep_begin();
    done = incident_ids_each(s, (text)TEXT("0000"), 2, note_id, &out) &&
           alert_was_sent(s, "00000000-0000-4000-8000-000000000001", &was_sent) &&
           incident_rows_close(s, INCIDENT, &closing, &closed);
    sweep_end();
    if (done && !buffer_failed(&out))
        came = closed == 1 && was_sent ? sweep_compare(buffer_text(&out)) : WRONG;
    buffer_free(&out);
    store_close(s);
    return came;
}

/* --- selftest --- */

static outcome run_selftest(void)
{
    rule *r = rule_new();
    buffer out = {0};
    outcome came = OUT_OF_MEMORY;

    SWEEP_REQUIRE(r != NULL);
    sweep_begin();
    selftest_write(r, "synctap-selftest-1", "host", sweep_now(), &out);
    sweep_end();
    if (!buffer_failed(&out))
        came = sweep_compare(buffer_text(&out));
    buffer_free(&out);
    rule_free(r);
    return came;
}

const sweep_run incident_runs[] = {
    {"incident, page", run_page},   {"incident, markdown", run_markdown},
    {"incident, lines", run_lines}, {"incident, find and close", run_find_and_close},
    {"heartbeat", run_heartbeat},   {"role feed", run_role_feed},
    {"selftest", run_selftest},     RUNS_END,
};
