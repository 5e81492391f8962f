/* SPDX-License-Identifier: Apache-2.0 */
/* status_feed: a dead feed shows itself here, before the list gets old. */
#include "cli/status_feed.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "state/role_feed.h"

static int64_t age_of(const status_run *run, timestamp t)
{
    return (run->now - t) / TICKS_PER_SECOND;
}

/* Rows that are newer by this came by another way: then nobody misses this one. */
enum { ANOTHER_WAY = 3600 /* seconds */ };

static void tell_taken(status_run *run, const role_feed *feed)
{
    int64_t age = llabs(age_of(run, feed->taken)), list = run->facts.identity_age;
    bool is_missed = list < 0 || list + ANOTHER_WAY > age;
    status_state state = is_missed ? status_against(run->limits, LIMIT_FEED, age) : STATUS_OK;
    bool is_told = state != STATUS_OK;
    buffer room = {0};

    status_report_add(run->report, "role feed", state,
                      "action \"%s\" took the last message %s%s%s%s", feed->name,
                      status_ago(&room, run->now, feed->taken),
                      is_told     ? ": is it dead? If nothing feeds it any more: "
                      : is_missed ? ""
                                  : "; the list has come by another way since",
                      is_told ? "synctap action drop " : "", is_told ? feed->name : "");
    buffer_free(&room);
}

/* What came last was no role list. */
static void tell_rejected(status_run *run, const role_feed *feed)
{
    status_state state = feed->taken == 0 ? STATUS_BROKEN : STATUS_WARNING;
    buffer newest = {0}, good = {0};

    status_report_add(run->report, "role feed", state,
                      "action \"%s\" got %" PRId64 " message%s without a role list, the newest "
                      "%s: %s; the last one with it %s",
                      feed->name, feed->rejections, feed->rejections == 1 ? "" : "s",
                      status_ago(&newest, run->now, feed->rejected), feed->reason,
                      feed->taken == 0 ? "has not come yet"
                                       : status_ago(&good, run->now, feed->taken));
    buffer_free(&newest);
    buffer_free(&good);
}

static void write_feed(buffer *out, const role_feed *feed)
{
    json_write_item(out);
    buffer_append_char(out, '{');
    json_write_member(out, "name", text_of(feed->name));
    status_write_time(out, "last_message_at", feed->taken);
    status_write_time(out, "last_rejected_at", feed->rejected);
    status_write_number(out, "rejected_since", feed->rejections);
    json_write_member(out, "reason", text_of(feed->reason));
    buffer_append_char(out, '}');
}

static void check_feed(void *arg, const role_feed *feed)
{
    status_run *run = arg;

    write_feed(&run->facts.feeds, feed);
    if (feed->rejections > 0)
        tell_rejected(run, feed);
    if (feed->taken != 0)
        tell_taken(run, feed);
}

void status_check_feeds(status_run *run, store *s)
{
    if (!role_feeds_each(s, check_feed, run))
        status_report_add(run->report, "role feed", STATUS_BROKEN, "%s: %s", run->database,
                          store_error(s));
    run->report->failed |= buffer_failed(&run->facts.feeds);
}
