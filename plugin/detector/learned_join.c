/* SPDX-License-Identifier: Apache-2.0 */
/* learned_join: the records that wait under the names of those who got a role, or lost one. */
#include "detector/learned_join.h"

#include <stdlib.h>

struct learned_join {
    learned_accounts *judged; /* all that waits was judged by these; NULL: by none yet */
};

learned_join *learned_join_new(void)
{
    return calloc(1, sizeof(learned_join));
}

void learned_join_free(learned_join *self)
{
    if (self != NULL)
        learned_accounts_unref(self->judged);
    free(self);
}

static void find_waiting(void *arg, const learned_role *role)
{
    rejudging_find_account(arg, role->upn, role->object_id);
}

static bool judge_waiting(rejudging *j, const learned_accounts *before,
                          const learned_accounts *after)
{
    if (pending_count(j->pending) == 0 || !stream_joins_late(j->parts.stream))
        return true;
    learned_accounts_each_new(before, after, find_waiting, j);
    rejudging_judge_found(j, j->parts.accounts, INT64_MAX);
    return rejudging_remove_done(j) && !j->failed;
}

bool learned_join_run(learned_join *self, const late_join_parts *parts, timestamp now,
                      detector_sink *sink, void *arg)
{
    learned_accounts *learned = sync_accounts_learned(parts->accounts);
    rejudging j;
    bool judged;

    if (learned == self->judged)
        return true;
    j = rejudging_begin(parts, now, sink, arg);
    judged = judge_waiting(&j, self->judged, learned);
    rejudging_end(&j);
    if (judged && !rejudging_must_end(&j)) {
        learned_accounts_unref(self->judged);
        self->judged = learned_accounts_ref(learned);
    }
    return judged;
}
