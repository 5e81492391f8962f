/* SPDX-License-Identifier: Apache-2.0 */
/* learned_accounts: a list that is looked through; it has as many entries as sync roles were given
 * lately. */
#include "rule/learned_accounts.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/kql.h"
#include "base/room.h"

typedef struct entry {
    learned_role role;
    unsigned sets;
} entry;

struct learned_accounts {
    atomic_uint references;
    arena *memory; /* of the texts */
    entry *all;
    size_t count, room;
};

learned_accounts *learned_accounts_new(void)
{
    learned_accounts *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    atomic_init(&self->references, 1);
    self->memory = arena_new();
    if (self->memory != NULL)
        return self;
    learned_accounts_unref(self);
    return NULL;
}

static bool copy_texts(learned_accounts *self, learned_role *role)
{
    role->object_id = arena_copy(self->memory, role->object_id);
    role->upn = arena_copy(self->memory, role->upn);
    role->role = arena_copy(self->memory, role->role);
    return role->object_id.bytes != NULL && role->upn.bytes != NULL && role->role.bytes != NULL;
}

bool learned_accounts_add(learned_accounts *self, const learned_role *role, unsigned sets)
{
    entry added = {*role, sets};

    if (!copy_texts(self, &added.role) ||
        !room_for_one_more(&self->all, sizeof(entry), self->count, &self->room))
        return false;
    self->all[self->count++] = added;
    return true;
}

learned_accounts *learned_accounts_ref(learned_accounts *self)
{
    if (self != NULL)
        atomic_fetch_add(&self->references, 1);
    return self;
}

void learned_accounts_unref(learned_accounts *self)
{
    if (self == NULL || atomic_fetch_sub(&self->references, 1) != 1)
        return;
    free(self->all);
    arena_free(self->memory);
    free(self);
}

size_t learned_accounts_count(const learned_accounts *self)
{
    return self != NULL ? self->count : 0;
}

static bool is_asked(const entry *e, const learned_question *q)
{
    text own = q->is_id ? e->role.object_id : e->role.upn;

    return own.length > 0 && (q->sets == 0 || (e->sets & q->sets) != 0) &&
           kql_equals(own, q->value, SEMANTICS_WIDE);
}

static learned_standing standing_of(const entry *e, const learned_question *q)
{
    if (e->role.gained > e->role.lost)
        return LEARNED_ROLE;
    return e->role.lost > q->recent_since ? LEARNED_RECENT : LEARNED_NOTHING;
}

learned_standing learned_accounts_find(const learned_accounts *self, const learned_question *q)
{
    learned_standing best = LEARNED_NOTHING;

    for (size_t i = 0; i < learned_accounts_count(self); i++) {
        const entry *e = &self->all[i];
        learned_standing here = is_asked(e, q) ? standing_of(e, q) : LEARNED_NOTHING;

        best = here > best ? here : best;
    }
    return best;
}

static bool is_same(const entry *a, const entry *b)
{
    return a->role.gained == b->role.gained && a->role.lost == b->role.lost && a->sets == b->sets &&
           text_equal(a->role.object_id, b->role.object_id) &&
           text_equal(a->role.upn, b->role.upn) && text_equal(a->role.role, b->role.role);
}

static bool has(const learned_accounts *self, const entry *e)
{
    for (size_t i = 0; i < learned_accounts_count(self); i++)
        if (is_same(&self->all[i], e))
            return true;
    return false;
}

bool learned_accounts_are_same(const learned_accounts *a, const learned_accounts *b)
{
    bool same = learned_accounts_count(a) == learned_accounts_count(b);

    for (size_t i = 0; same && i < learned_accounts_count(a); i++)
        same = is_same(&a->all[i], &b->all[i]);
    return same;
}

void learned_accounts_each_new(const learned_accounts *before, const learned_accounts *after,
                               learned_role_sink *sink, void *arg)
{
    for (size_t i = 0; i < learned_accounts_count(after); i++)
        if (!has(before, &after->all[i]))
            sink(arg, &after->all[i].role);
}
