/* SPDX-License-Identifier: Apache-2.0 */
/* watchlist_join: each record waits under the names of the watchlists that decide over it. */
#include "detector/watchlist_join.h"

#include <stdlib.h>

#include "rule/watchlists.h"

struct watchlist_join {
    watchlists *judged; /* all that waits was judged by these, or by nothing yet */
};

watchlist_join *watchlist_join_new(void)
{
    return calloc(1, sizeof(watchlist_join));
}

void watchlist_join_free(watchlist_join *self)
{
    if (self != NULL)
        watchlists_unref(self->judged);
    free(self);
}

void watchlist_join_forget(watchlist_join *self)
{
    watchlists_unref(self->judged);
    self->judged = NULL;
}

static bool find_waiting(rejudging *j)
{
    const rule_plan *plan = rule_get_plan(j->parts.rule);
    bool found = true;
    text name;

    for (size_t i = 0; found && (name = plan_watchlist(plan, i)).bytes != NULL; i++)
        found = pending_find(j->pending, PENDING_WATCHLIST, name, &j->found);
    return found;
}

static bool judge_waiting(rejudging *j)
{
    if (pending_count(j->pending) == 0 || !stream_joins_late(j->parts.stream))
        return true;
    if (!find_waiting(j))
        return false;
    rejudging_judge_found(j, j->parts.accounts, INT64_MAX);
    return rejudging_remove_done(j) && !j->failed;
}

bool watchlist_join_run(watchlist_join *self, watchlists *lists, const late_join_parts *parts,
                        timestamp now, detector_sink *sink, void *arg)
{
    rejudging j;
    bool judged;

    if (lists == self->judged)
        return true;
    j = rejudging_begin(parts, now, sink, arg);
    judged = judge_waiting(&j);
    rejudging_end(&j);
    if (judged && !rejudging_must_end(&j)) {
        watchlists_unref(self->judged);
        self->judged = watchlists_ref(lists);
    }
    return judged;
}
