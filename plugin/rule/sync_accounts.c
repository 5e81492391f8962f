/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_accounts: copies of rows, in three orders.
 *
 * By AccountUPN's bytes (the key), to put changes in; by folded UPN and by
 * object id, to look up. Sync accounts are few even in a large tenant, so an
 * edit copies them all.
 */
#include "rule/sync_accounts.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/room.h"

typedef struct account {
    timestamp time_generated;
    account_standing standing;
    unsigned kql_sets, wide_sets; /* of a rule file, a bit each */
    text upn;
    text object_id;
} account;

struct sync_accounts {
    atomic_uint references;
    semantics semantics;
    size_t count;
    account *by_key;
    const account **by_upn;
    const account **by_object_id;
    char *bytes; /* of all texts */
    learned_accounts *learned;
};

/* A row as it was put: no account is to stay under the key when it is gone. */
typedef struct change {
    account account;
    bool gone;
    char *bytes; /* of the account's texts */
} change;

struct sync_accounts_edit {
    const sync_accounts *old;
    change *changes;
    size_t count;
    size_t room;
    learned_accounts *learned;
    bool failed;
};

static sync_accounts *allocate(semantics s, size_t count, size_t bytes)
{
    sync_accounts *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    atomic_init(&self->references, 1);
    self->semantics = s;
    self->by_key = calloc(count + 1, sizeof(account));
    self->by_upn = calloc(count + 1, sizeof(account *));
    self->by_object_id = calloc(count + 1, sizeof(account *));
    self->bytes = malloc(bytes + 1);
    if (self->by_key && self->by_upn && self->by_object_id && self->bytes)
        return self;
    sync_accounts_unref(self);
    return NULL;
}

sync_accounts *sync_accounts_new(semantics s)
{
    return allocate(s, 0, 0);
}

sync_accounts *sync_accounts_ref(sync_accounts *self)
{
    atomic_fetch_add(&self->references, 1);
    return self;
}

void sync_accounts_unref(sync_accounts *self)
{
    if (self == NULL || atomic_fetch_sub(&self->references, 1) != 1)
        return;
    free(self->by_key);
    free(self->by_upn);
    free(self->by_object_id);
    free(self->bytes);
    learned_accounts_unref(self->learned);
    free(self);
}

learned_accounts *sync_accounts_learned(const sync_accounts *self)
{
    return self->learned;
}

size_t sync_accounts_count(const sync_accounts *self)
{
    return self->count;
}

void sync_accounts_each_lost(const sync_accounts *before, const sync_accounts *after,
                             sync_accounts_sink *sink, void *arg)
{
    size_t a = 0;

    for (size_t b = 0; b < before->count; b++) {
        text upn = before->by_key[b].upn;

        while (a < after->count && text_compare(after->by_key[a].upn, upn) < 0)
            a++;
        if (a == after->count || !text_equal(after->by_key[a].upn, upn))
            sink(arg, upn);
    }
}

void sync_accounts_each_made(const sync_accounts *self, timestamp after, timestamp until,
                             sync_accounts_row_sink *sink, void *arg)
{
    for (size_t i = 0; i < self->count; i++) {
        const account *a = &self->by_key[i];

        if (a->time_generated > after && a->time_generated <= until)
            sink(arg, a->time_generated, a->upn, a->object_id);
    }
}

timestamp sync_accounts_next_made(const sync_accounts *self, timestamp after)
{
    timestamp first = INT64_MAX;

    for (size_t i = 0; i < self->count; i++)
        if (self->by_key[i].time_generated > after && self->by_key[i].time_generated < first)
            first = self->by_key[i].time_generated;
    return first;
}

typedef int account_order(const account *a, text wanted, semantics s);

static int order_by_upn(const account *a, text wanted, semantics s)
{
    return kql_compare(a->upn, wanted, s);
}

static int order_by_object_id(const account *a, text wanted, semantics s)
{
    if (s == SEMANTICS_WIDE)
        return kql_compare(a->object_id, wanted, SEMANTICS_WIDE);
    return text_compare(a->object_id, wanted);
}

static size_t first_not_before(const sync_accounts *self, const account *const *sorted,
                               account_order *order, text wanted)
{
    size_t low = 0, high = self->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (order(sorted[middle], wanted, self->semantics) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/*
 * The best standing of the accounts that equal `wanted` and are newer than
 * `since`. Texts that are equal to KQL are so in wide semantics too, so they lie in that run.
 */
static account_standing find(const sync_accounts *self, const account *const *sorted,
                             account_order *order, text wanted, semantics s, timestamp since)
{
    account_standing best = NO_SYNC_ACCOUNT;

    for (size_t i = first_not_before(self, sorted, order, wanted);
         i < self->count && order(sorted[i], wanted, self->semantics) == 0; i++)
        if (sorted[i]->time_generated > since && sorted[i]->standing > best &&
            order(sorted[i], wanted, s) == 0)
            best = sorted[i]->standing;
    return best;
}

/* Object ids lie in an order that folds them in wide semantics only: else all must be asked. */
static size_t first_that_may_be(const sync_accounts *self, const account_question *q, size_t *end)
{
    *end = self->count;
    if (q->is_id)
        return q->is_folded && self->semantics == SEMANTICS_KQL
                   ? 0
                   : first_not_before(self, self->by_object_id, order_by_object_id, q->value);
    return first_not_before(self, self->by_upn, order_by_upn, q->value);
}

static bool is_value(const account_question *q, const account *a)
{
    text own = q->is_id ? a->object_id : a->upn;

    return q->is_folded ? kql_equals(own, q->value, q->semantics) : text_equal(own, q->value);
}

/* Are those behind it beyond the value, too? */
static bool is_beyond(const sync_accounts *self, const account_question *q, const account *a)
{
    if (q->is_id && q->is_folded && self->semantics == SEMANTICS_KQL)
        return false;
    return (q->is_id ? order_by_object_id : order_by_upn)(a, q->value, self->semantics) > 0;
}

bool sync_accounts_in_set(const sync_accounts *self, const account_question *q)
{
    const account *const *sorted = q->is_id ? self->by_object_id : self->by_upn;
    size_t end;

    for (size_t i = first_that_may_be(self, q, &end); i < end; i++) {
        const account *a = sorted[i];
        unsigned sets = q->semantics == SEMANTICS_WIDE ? a->wide_sets : a->kql_sets;

        if (is_beyond(self, q, a))
            return false;
        if ((sets & q->set) != 0 && a->time_generated > q->since && is_value(q, a))
            return true;
    }
    return false;
}

account_standing sync_accounts_standing_of_upn(const sync_accounts *self, text upn, timestamp since)
{
    return find(self, self->by_upn, order_by_upn, upn, SEMANTICS_WIDE, since);
}

account_standing sync_accounts_standing_of_object_id(const sync_accounts *self, text id,
                                                     timestamp since)
{
    return find(self, self->by_object_id, order_by_object_id, id, SEMANTICS_WIDE, since);
}

static int compare_upns(const void *a, const void *b, void *self)
{
    return order_by_upn(*(const account *const *)a, (*(const account *const *)b)->upn,
                        ((const sync_accounts *)self)->semantics);
}

static int compare_object_ids(const void *a, const void *b, void *self)
{
    return order_by_object_id(*(const account *const *)a, (*(const account *const *)b)->object_id,
                              ((const sync_accounts *)self)->semantics);
}

static void sort_for_looking_up(sync_accounts *self)
{
    for (size_t i = 0; i < self->count; i++)
        self->by_upn[i] = self->by_object_id[i] = &self->by_key[i];
    qsort_r(self->by_upn, self->count, sizeof(account *), compare_upns, self);
    qsort_r(self->by_object_id, self->count, sizeof(account *), compare_object_ids, self);
}

sync_accounts_edit *sync_accounts_edit_begin(const sync_accounts *old)
{
    sync_accounts_edit *self = calloc(1, sizeof(*self));

    if (self != NULL) {
        self->old = old;
        self->learned = learned_accounts_ref(old->learned);
    }
    return self;
}

static int compare_key(const void *key, const void *a)
{
    return text_compare(*(const text *)key, ((const account *)a)->upn);
}

static bool holds_key(const sync_accounts *accounts, text key)
{
    return bsearch(&key, accounts->by_key, accounts->count, sizeof(account), compare_key) != NULL;
}

static text put_text(char **at, text t)
{
    text copy = {*at, t.length};

    if (t.length > 0)
        memcpy(*at, t.bytes, t.length);
    *at += t.length;
    return copy;
}

static bool copy_change(change *c, const identity_record *row, account_standing standing)
{
    char *at = malloc(row->account_upn.length + row->account_object_id.length + 1);

    if (at == NULL)
        return false;
    c->bytes = at;
    c->gone = standing == NO_SYNC_ACCOUNT;
    c->account.time_generated = row->time_generated;
    c->account.standing = standing;
    c->account.upn = put_text(&at, row->account_upn);
    c->account.object_id = put_text(&at, row->account_object_id);
    return true;
}

void sync_accounts_edit_put(sync_accounts_edit *self, const identity_record *row,
                            account_standing standing, unsigned kql_sets, unsigned wide_sets)
{
    if (standing == NO_SYNC_ACCOUNT && !holds_key(self->old, row->account_upn))
        return;
    if (room_for_one_more(&self->changes, sizeof(change), self->count, &self->room) &&
        copy_change(&self->changes[self->count], row, standing)) {
        self->changes[self->count].account.kql_sets = kql_sets;
        self->changes[self->count].account.wide_sets = wide_sets;
        self->count++;
    } else {
        self->failed = true;
    }
}

void sync_accounts_edit_set_learned(sync_accounts_edit *self, learned_accounts *learned)
{
    learned_accounts_unref(self->learned);
    self->learned = learned_accounts_ref(learned);
}

void sync_accounts_edit_fail(sync_accounts_edit *self)
{
    self->failed = true;
}

static int compare_changes(const void *a, const void *b)
{
    return text_compare(((const change *)a)->account.upn, ((const change *)b)->account.upn);
}

static void add_account(sync_accounts *self, char **at, const account *a)
{
    self->by_key[self->count++] = (account){
        .time_generated = a->time_generated,
        .standing = a->standing,
        .kql_sets = a->kql_sets,
        .wide_sets = a->wide_sets,
        .upn = put_text(at, a->upn),
        .object_id = put_text(at, a->object_id),
    };
}

static size_t bytes_of(const account *a)
{
    return a->upn.length + a->object_id.length;
}

/* Merges what was with what changed, both in the order of their keys. */
static void merge(const sync_accounts_edit *edit, sync_accounts *self)
{
    const sync_accounts *old = edit->old;
    char *at = self->bytes;
    size_t o = 0, c = 0;

    while (o < old->count || c < edit->count) {
        int order = o == old->count ? 1
                    : c == edit->count
                        ? -1
                        : text_compare(old->by_key[o].upn, edit->changes[c].account.upn);
        if (order < 0) {
            add_account(self, &at, &old->by_key[o++]);
            continue;
        }
        o += order == 0;
        if (!edit->changes[c].gone)
            add_account(self, &at, &edit->changes[c].account);
        c++;
    }
}

static sync_accounts *apply(sync_accounts_edit *edit)
{
    size_t bytes = 0;
    sync_accounts *self;

    if (edit->failed)
        return NULL;
    for (size_t i = 0; i < edit->old->count; i++)
        bytes += bytes_of(&edit->old->by_key[i]);
    for (size_t i = 0; i < edit->count; i++)
        bytes += bytes_of(&edit->changes[i].account);
    self = allocate(edit->old->semantics, edit->old->count + edit->count, bytes);
    if (self == NULL)
        return NULL;
    if (edit->count > 0)
        qsort(edit->changes, edit->count, sizeof(change), compare_changes);
    merge(edit, self);
    self->learned = learned_accounts_ref(edit->learned);
    sort_for_looking_up(self);
    return self;
}

sync_accounts *sync_accounts_edit_end(sync_accounts_edit *self)
{
    sync_accounts *result = apply(self);

    for (size_t i = 0; i < self->count; i++)
        free(self->changes[i].bytes);
    free(self->changes);
    learned_accounts_unref(self->learned);
    free(self);
    return result;
}
