/* SPDX-License-Identifier: Apache-2.0 */
/* rejudging: a record after the other, and what comes of each. */
#include "detector/rejudging.h"

#include <stdlib.h>

rejudging rejudging_begin(const late_join_parts *parts, timestamp now, detector_sink *sink,
                          void *arg)
{
    return (rejudging){
        .parts = *parts,
        .pending = stream_pending(parts->stream),
        .now = now,
        .sink = sink,
        .arg = arg,
    };
}

void rejudging_end(rejudging *self)
{
    pending_ids_free(&self->found);
    pending_ids_free(&self->done);
}

void rejudging_find_account(rejudging *self, text upn, text object_id)
{
    if (!pending_find(self->pending, PENDING_UPN, upn, &self->found) ||
        !pending_find(self->pending, PENDING_OBJECT_ID, object_id, &self->found))
        self->failed = true;
}

bool rejudging_must_end(const rejudging *self)
{
    return self->failed || self->refused || self->stopped;
}

static void judge_record_again(rejudging *j, int64_t id, const pending_record *record,
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
    rejudging *j = arg;

    if (!a->duplicate)
        j->refused = j->refused || !j->sink(j->arg, a);
    return a->duplicate || !j->refused;
}

/* A message whose judgement was stopped: as of when it came. */
static void judge_message(rejudging *j, int64_t id, const pending_record *message)
{
    const detection seen =
        detector_feed(j->parts.worker, message->record, message->received, hand_on_new, j);

    j->stopped |= seen.left;
    j->failed |= seen.out_of_memory;
    if (!seen.left && !j->failed)
        j->failed = !pending_ids_add(&j->done, id);
}

static void judge_again(rejudging *j, int64_t id, const sync_accounts *accounts, timestamp before)
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

void rejudging_judge_found(rejudging *self, const sync_accounts *accounts, timestamp before)
{
    pending_ids *found = &self->found;

    if (found->count > 0)
        qsort(found->ids, found->count, sizeof(*found->ids), compare_ids);
    for (size_t i = 0; i < found->count && !rejudging_must_end(self); i++) {
        if (i == 0 || found->ids[i] != found->ids[i - 1])
            judge_again(self, found->ids[i], accounts, before);
        self->stopped |= stream_must_stop(self->parts.stream);
    }
    found->count = 0;
}

bool rejudging_remove_done(rejudging *self)
{
    store *s = self->parts.store;
    bool removed = true;

    if (self->done.count == 0)
        return true;
    if (!store_begin(s))
        return false;
    for (size_t i = 0; removed && i < self->done.count; i++)
        removed = pending_remove(self->pending, self->done.ids[i]);
    if (removed && store_commit(s))
        return true;
    store_rollback(s);
    pending_recount(self->pending);
    return false;
}
