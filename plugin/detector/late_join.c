/* SPDX-License-Identifier: Apache-2.0 */
/* late_join: which pending records are a changed account's. */
#include "detector/late_join.h"

/* A sync account as it is now: which pending records may be its own? */
static void find_row(void *arg, const identity_record *row)
{
    rejudging *j = arg;
    const rule *r = j->parts.rule;

    j->stopped = j->stopped || stream_must_stop(j->parts.stream);
    if (rejudging_must_end(j) || !rule_row_matters(r, row))
        return;
    rejudging_find_account(j, row->account_upn, row->account_object_id);
}

/* The accounts as they were with that row; NULL when memory is out. */
static sync_accounts *accounts_with(const rejudging *j, const identity_record *row)
{
    sync_accounts_edit *edit = sync_accounts_edit_begin(j->parts.accounts);

    if (edit == NULL)
        return NULL;
    rule_put_account(j->parts.rule, edit, row);
    return sync_accounts_edit_end(edit);
}

/* A version that came and went since the last time: judged as if it still stood. */
static void judge_version(void *arg, const identity_record *row, timestamp superseded)
{
    rejudging *j = arg;
    sync_accounts *then;

    find_row(j, row);
    if (j->found.count == 0 || rejudging_must_end(j))
        return;
    then = accounts_with(j, row);
    if (then != NULL)
        rejudging_judge_found(j, then, superseded);
    else
        j->failed = true;
    sync_accounts_unref(then);
}

/* Those whose accounts changed after that change. */
static bool judge_changes(rejudging *j, int64_t change)
{
    bool restarted;

    if (!role_list_each_superseded(j->parts.list, change, judge_version, j) ||
        !role_list_changes(j->parts.list, &change, &restarted, find_row, j) || j->failed)
        return false;
    rejudging_judge_found(j, j->parts.accounts, INT64_MAX);
    return !j->failed;
}

/* What is due was judged by an older role list: all that changed since then counts. */
static bool judge_due(rejudging *j, int64_t *judged)
{
    if (!stream_has_due(j->parts.stream))
        return true;
    if (!pending_find_due(j->pending, &j->found, judged))
        return false;
    rejudging_judge_found(j, j->parts.accounts, INT64_MAX);
    return !j->failed;
}

static bool judge_pending(rejudging *j)
{
    const stream *s = j->parts.stream;
    int64_t judged = stream_judged(s);

    if (!judge_due(j, &judged))
        return false;
    return !stream_joins_late(s) || judged == j->parts.change || judge_changes(j, judged);
}

static bool run(rejudging *j)
{
    stream *s = j->parts.stream;
    bool has_work = stream_judged(s) != j->parts.change || stream_has_due(s);
    bool judged = true;

    if (has_work && pending_count(j->pending) > 0)
        judged = judge_pending(j);
    if (!rejudging_remove_done(j) || !judged || j->failed)
        return false;
    return j->refused || j->stopped || !has_work || stream_set_judged(s, j->parts.change);
}

bool late_join_run(const late_join_parts *parts, timestamp now, detector_sink *sink, void *arg)
{
    rejudging j = rejudging_begin(parts, now, sink, arg);
    bool joined = run(&j);

    rejudging_end(&j);
    return joined;
}
