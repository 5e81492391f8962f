/* SPDX-License-Identifier: Apache-2.0 */
/* late_join: which pending records are a changed account's, and what they come to. */
#include "detector/late_join.h"

#include <stdlib.h>

#include "state/pending.h"

/* One round of it. */
typedef struct late_join {
    late_join_parts parts;
    pending *pending;
    timestamp now;
    detector_sink *sink;
    void *arg;
    pending_ids found;
    pending_ids done; /* those with nothing left to match */
    bool failed;      /* memory is out, or store_error says why */
    bool refused;     /* an alert could not be handed on: all comes again */
    bool stopped;     /* so does it after a stop */
} late_join;

static void judge_record_again(late_join *j, int64_t id, const pending_record *record,
                               const sync_accounts *accounts)
{
    const judged_again seen = detector_judge_again(
        j->parts.worker, record->record, record->received, accounts, j->now, j->sink, j->arg);

    j->refused |= seen.refused;
    j->stopped |= seen.stopped;
    j->failed |= seen.out_of_memory;
    if (seen.is_unreadable)
        stream_note_unreadable(j->parts.stream, record->row_id);
    if (seen.is_done && !j->failed)
        j->failed = !pending_ids_add(&j->done, id);
}

/* Of a message some rows may have been handed on before the stop. Those that are refused now are
 * kept as records of their own. */
static bool hand_on_new(void *arg, const alert *a)
{
    late_join *j = arg;

    if (!a->duplicate)
        j->refused = j->refused || !j->sink(j->arg, a);
    return a->duplicate || !j->refused;
}

/* A message whose judgement was stopped: as of when it came. */
static void judge_message(late_join *j, int64_t id, const pending_record *message)
{
    const detection seen =
        detector_feed(j->parts.worker, message->record, message->received, hand_on_new, j);

    j->stopped |= seen.left;
    j->failed |= seen.out_of_memory;
    if (!seen.left && !j->failed)
        j->failed = !pending_ids_add(&j->done, id);
}

static void judge_again(late_join *j, int64_t id, const sync_accounts *accounts, timestamp before)
{
    pending_record record;

    if (!pending_read(j->pending, id, &record, &j->failed))
        return;
    if (pending_is_message(&record))
        judge_message(j, id, &record);
    else if (record.expires > j->now && record.received < before)
        judge_record_again(j, id, &record, accounts);
    pending_end_read(j->pending);
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static bool must_end(const late_join *j)
{
    return j->failed || j->refused || j->stopped;
}

/* Each once, in the order in which they came; the queue that did not take one takes no other. */
static void judge_all(late_join *j, pending_ids *ids, const sync_accounts *accounts,
                      timestamp before)
{
    if (ids->count > 0)
        qsort(ids->ids, ids->count, sizeof(*ids->ids), compare_ids);
    for (size_t i = 0; i < ids->count && !must_end(j); i++) {
        if (i == 0 || ids->ids[i] != ids->ids[i - 1])
            judge_again(j, ids->ids[i], accounts, before);
        j->stopped |= stream_must_stop(j->parts.stream);
    }
}

/* A sync account as it is now: which pending records may be its own? */
static void find_row(void *arg, const identity_record *row)
{
    late_join *j = arg;
    const rule *r = j->parts.rule;

    j->stopped = j->stopped || stream_must_stop(j->parts.stream);
    if (must_end(j) || !rule_row_matters(r, row))
        return;
    if (!pending_find(j->pending, PENDING_UPN, row->account_upn, &j->found) ||
        !pending_find(j->pending, PENDING_OBJECT_ID, row->account_object_id, &j->found))
        j->failed = true;
}

/* The accounts as they were with that row; NULL when memory is out. */
static sync_accounts *accounts_with(const late_join *j, const identity_record *row)
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
    late_join *j = arg;
    sync_accounts *then;

    find_row(j, row);
    if (j->found.count == 0 || must_end(j))
        return;
    then = accounts_with(j, row);
    if (then != NULL)
        judge_all(j, &j->found, then, superseded);
    else
        j->failed = true;
    j->found.count = 0;
    sync_accounts_unref(then);
}

/* Those whose accounts changed after that change. */
static bool judge_changes(late_join *j, int64_t change)
{
    bool restarted;

    if (!role_list_each_superseded(j->parts.list, change, judge_version, j) ||
        !role_list_changes(j->parts.list, &change, &restarted, find_row, j) || j->failed)
        return false;
    judge_all(j, &j->found, j->parts.accounts, INT64_MAX);
    return !j->failed;
}

static bool remove_done(late_join *j)
{
    store *s = j->parts.store;
    bool removed = true;

    if (j->done.count == 0)
        return true;
    if (!store_begin(s))
        return false;
    for (size_t i = 0; removed && i < j->done.count; i++)
        removed = pending_remove(j->pending, j->done.ids[i]);
    if (removed && store_commit(s))
        return true;
    store_rollback(s);
    pending_recount(j->pending);
    return false;
}

/* What is due was judged by an older role list: all that changed since then counts. */
static bool judge_due(late_join *j, int64_t *judged)
{
    if (!stream_has_due(j->parts.stream))
        return true;
    if (!pending_find_due(j->pending, &j->found, judged))
        return false;
    judge_all(j, &j->found, j->parts.accounts, INT64_MAX);
    j->found.count = 0;
    return !j->failed;
}

static bool judge_pending(late_join *j)
{
    const stream *s = j->parts.stream;
    int64_t judged = stream_judged(s);

    if (!judge_due(j, &judged))
        return false;
    return !stream_joins_late(s) || judged == j->parts.change || judge_changes(j, judged);
}

static bool run(late_join *j)
{
    stream *s = j->parts.stream;
    bool has_work = stream_judged(s) != j->parts.change || stream_has_due(s);
    bool judged = true;

    if (has_work && pending_count(j->pending) > 0)
        judged = judge_pending(j);
    if (!remove_done(j) || !judged || j->failed)
        return false;
    return j->refused || j->stopped || !has_work || stream_set_judged(s, j->parts.change);
}

bool late_join_run(const late_join_parts *parts, timestamp now, detector_sink *sink, void *arg)
{
    late_join j = {
        .parts = *parts,
        .pending = stream_pending(parts->stream),
        .now = now,
        .sink = sink,
        .arg = arg,
    };
    bool joined = run(&j);

    pending_ids_free(&j.found);
    pending_ids_free(&j.done);
    return joined;
}
