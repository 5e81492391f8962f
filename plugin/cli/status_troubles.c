/* SPDX-License-Identifier: Apache-2.0 */
/* status_troubles: a table of what each means. */
#include "cli/status_troubles.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

static const struct {
    const char *check;
    const char *one, *many; /* what was counted */
    const char *words;      /* what became of them, and what to do */
    status_state now;       /* while it goes on */
    status_state later;
} meanings[TROUBLES] = {
    [TROUBLE_STALE] =
        {"too late", "record of the rule's operations came after the lookback",
         "records of the rule's operations came after the lookback",
         "what comes so late does not alert. Is this host's clock right? Was the feed down? Look "
         "for what was missed: synctap query --lookback 0 FILE",
         STATUS_BROKEN, STATUS_WARNING},
    [TROUBLE_UNDECODABLE] = {"unreadable", "message could not be read",
                             "messages could not be read",
                             "what was in it may be missed: rsyslogd's log says why",
                             STATUS_WARNING, STATUS_WARNING},
    [TROUBLE_HELD_BACK] = {"held back", "alert had to wait for room in its queue",
                           "alerts had to wait for room in their queue",
                           "does what is behind the ruleset for alerts take them?", STATUS_WARNING,
                           STATUS_OK},
    [TROUBLE_STATE_ERRORS] = {"state errors", "error of the database or the journal",
                              "errors of the database or the journal",
                              "rsyslogd's log says which, and what was lost", STATUS_WARNING,
                              STATUS_WARNING},
    [TROUBLE_PENDING_DROPPED] = {"given up", "record that waited for the role list was given up",
                                 "records that waited for the role list were given up",
                                 "there were too many: who floods the log?", STATUS_BROKEN,
                                 STATUS_WARNING},
    [TROUBLE_NO_SYNC_ACCOUNTS] = {"sync accounts", "row of the role list makes no sync account",
                                  "rows of the role list make no sync account",
                                  "by its own parameters it knows none: look at identity.window, "
                                  "roles, displayname.has, rule and watchlists",
                                  STATUS_BROKEN, STATUS_OK},
};

/* OK, too, for one that never came, or long ago. */
static status_state state_of(const status_run *run, size_t which, const trouble_count *t)
{
    if (t->count == 0)
        return STATUS_OK;
    switch (status_against(run->limits, LIMIT_TROUBLE,
                           llabs(run->now - t->newest) / TICKS_PER_SECOND)) {
    case STATUS_BROKEN:
        return meanings[which].now;
    case STATUS_WARNING:
        return meanings[which].later;
    default:
        return STATUS_OK;
    }
}

static void tell(status_run *run, const char *action, size_t which, const trouble_count *t)
{
    status_state state = state_of(run, which, t);
    buffer room = {0};

    if (state != STATUS_OK)
        status_report_add(run->report, meanings[which].check, state,
                          "action \"%s\": %" PRId64 " %s, last %s: %s", action, t->count,
                          t->count == 1 ? meanings[which].one : meanings[which].many,
                          status_ago(&room, run->now, t->newest), meanings[which].words);
    buffer_free(&room);
}

void status_check_troubles(status_run *run, const char *action, const heartbeat *beat)
{
    for (size_t i = 0; i < TROUBLES; i++)
        tell(run, action, i, &beat->troubles[i]);
}

void status_write_troubles(buffer *out, const heartbeat *beat)
{
    json_write_key(out, "troubles");
    buffer_append_char(out, '{');
    for (size_t i = 0; i < TROUBLES; i++) {
        const trouble_count *t = &beat->troubles[i];

        json_write_key(out, trouble_name((trouble_kind)i));
        buffer_append_char(out, '{');
        status_write_number(out, "count", t->count);
        status_write_time(out, "newest_at", t->newest);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, '}');
}
