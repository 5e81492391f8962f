/* SPDX-License-Identifier: Apache-2.0 */
/* late_join: which pending records are a changed account's, and what they come to. */
#include "detector/late_join.h"

#include <stdlib.h>

#include "base/room.h"
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

/* --- rows that get too old --- */

struct aging {
    const rule *rule;
    timespan windows[KQL_MOST_SETS];
    size_t window_count; /* 0: no row's end matters */
    sync_accounts *accounts;
    timestamp since; /* up to then all ends have been looked at */
    timestamp next;
};

/* A row that got too old at an instant. */
typedef struct end {
    timestamp at;
    text upn, object_id; /* of the accounts */
} end;

typedef struct end_list {
    timespan window;
    end *all;
    size_t count, room;
    bool failed;
} end_list;

aging *aging_new(const rule *r)
{
    aging *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    self->window_count = rule_windows_of_absence(r, self->windows);
    self->next = self->window_count > 0 ? INT64_MIN : INT64_MAX;
    return self;
}

void aging_free(aging *self)
{
    if (self != NULL)
        sync_accounts_unref(self->accounts);
    free(self);
}

timestamp aging_next(const aging *self)
{
    return self->next;
}

static void find_next(aging *self)
{
    self->next = INT64_MAX;
    for (size_t i = 0; i < self->window_count; i++) {
        timespan window = self->windows[i];
        timestamp made = sync_accounts_next_made(self->accounts, self->since - window);

        if (made < INT64_MAX - window && made + window < self->next)
            self->next = made + window;
    }
}

/* A record that waits still, or did until the last time, is no older than that. */
static timestamp first_since(const aging *self, timestamp now)
{
    timespan lookback = rule_get_lookback(self->rule);

    return lookback > 0 ? now - 2 * lookback : INT64_MIN / 2;
}

void aging_take(aging *self, sync_accounts *accounts, timestamp now)
{
    if (self->window_count == 0 || accounts == self->accounts)
        return;
    if (self->accounts == NULL)
        self->since = first_since(self, now);
    else if (self->since < now)
        return; /* they are asked for with the next update */
    sync_accounts_unref(self->accounts);
    self->accounts = sync_accounts_ref(accounts);
    find_next(self);
}

static void add_end(void *arg, timestamp made, text upn, text object_id)
{
    end_list *list = arg;

    if (room_for_one_more(&list->all, sizeof(end), list->count, &list->room))
        list->all[list->count++] = (end){made + list->window, upn, object_id};
    else
        list->failed = true;
}

static int compare_ends(const void *a, const void *b)
{
    const end *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

static end_list ends_until(const aging *self, timestamp now)
{
    end_list list = {0};

    for (size_t i = 0; i < self->window_count; i++) {
        list.window = self->windows[i];
        sync_accounts_each_made(self->accounts, self->since - list.window, now - list.window,
                                add_end, &list);
    }
    if (list.count > 0)
        qsort(list.all, list.count, sizeof(end), compare_ends);
    return list;
}

static void judge_end(late_join *j, const end *e)
{
    j->now = e->at;
    if (pending_find(j->pending, PENDING_UPN, e->upn, &j->found) &&
        pending_find(j->pending, PENDING_OBJECT_ID, e->object_id, &j->found))
        judge_all(j, &j->found, j->parts.accounts, e->at);
    else
        j->failed = true;
    j->found.count = 0;
}

static bool judge_ends(late_join *j, const end_list *list)
{
    j->failed = list->failed;
    for (size_t i = 0; i < list->count && !must_end(j); i++) {
        judge_end(j, &list->all[i]);
        j->stopped = j->stopped || stream_must_stop(j->parts.stream);
    }
    return remove_done(j) && !j->failed;
}

static bool run_ends(aging *self, late_join *j, timestamp now)
{
    end_list list = {0};
    bool judged;

    if (pending_count(j->pending) > 0 && stream_joins_late(j->parts.stream))
        list = ends_until(self, now);
    judged = judge_ends(j, &list);
    free(list.all);
    if (judged && !j->refused && !j->stopped) {
        self->since = now;
        find_next(self);
    }
    return judged;
}

bool aging_run(aging *self, const late_join_parts *parts, timestamp now, detector_sink *sink,
               void *arg)
{
    late_join j = {.parts = *parts,
                   .pending = stream_pending(parts->stream),
                   .now = now,
                   .sink = sink,
                   .arg = arg};
    bool joined;

    if (self->window_count == 0 || self->accounts == NULL || now <= self->since)
        return true;
    if (now < self->next) {
        self->since = now;
        return true;
    }
    j.parts.accounts = self->accounts;
    joined = run_ends(self, &j, now);
    pending_ids_free(&j.found);
    pending_ids_free(&j.done);
    return joined;
}
