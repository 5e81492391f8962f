/* SPDX-License-Identifier: Apache-2.0 */
/* store_trial: each room opened once, and closed. */
#include "state/store_trial.h"

#include <stdlib.h>
#include <string.h>

#include "rule/rule.h"
#include "state/action_row.h"
#include "state/alert_log.h"
#include "state/heartbeat.h"
#include "state/pending.h"
#include "state/role_feed.h"
#include "state/role_list.h"
#include "state/snapshot_stream.h"
#include "state/store.h"

static void pass_over(void *arg, const action_state *state)
{
    (void)arg;
    (void)state;
}

static bool try_heartbeat(store *s, int64_t action)
{
    const heartbeat beat = {.version = "", .built_for = ""};

    return heartbeat_write(s, action, &beat, 0) && action_states_each(s, 0, pass_over, NULL);
}

static void pass_over_feed(void *arg, const role_feed *feed)
{
    (void)arg;
    (void)feed;
}

static bool try_feed(store *s)
{
    const role_feed feed = {.name = "trial", .reason = ""};

    return role_feed_write(s, &feed) && role_feeds_each(s, pass_over_feed, NULL);
}

/* The first that fails ends it: store_error says why. */
static bool try_role_list(store *s)
{
    rule *r = rule_new();
    role_list *list = r != NULL ? role_list_open(s) : NULL;
    snapshot_stream *snapshot = list != NULL ? snapshot_stream_open(s, list, r) : NULL;
    bool opened = snapshot != NULL && try_feed(s);

    if (!opened)
        store_keep_error(s);
    snapshot_stream_close(snapshot);
    role_list_close(list);
    rule_free(r);
    return opened;
}

static bool try_stream(store *s)
{
    action_row row;
    pending *waiting = action_row_find(s, "trial", &row) ? pending_open(s, row.id) : NULL;
    alert_log *log = waiting != NULL ? alert_log_open(s, row.id) : NULL;
    bool opened = log != NULL && try_heartbeat(s, row.id);

    if (!opened)
        store_keep_error(s);
    alert_log_close(log);
    pending_close(waiting);
    return opened;
}

bool store_try_statements(char **error)
{
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, error);
    bool done;

    if (s == NULL)
        return false;
    done = try_role_list(s) && try_stream(s);
    *error = done ? NULL : strdup(store_error(s));
    store_close(s);
    return done;
}
