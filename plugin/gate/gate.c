/* SPDX-License-Identifier: Apache-2.0 */
/* gate: the phrases, and the engine that looks for them. */
#include "gate/gate.h"

#include <stdlib.h>

#include "gate/engine.h"
#include "gate/phrase_set.h"

struct gate {
    phrase_set *phrases;
    const engine *engine; /* NULL: there is none for these phrases */
    void *state;          /* the engine's */
};

/* The best one that can be had; without one, phrase_set_walk looks, slowly but as surely. */
static void choose_engine(gate *self, const engine *preferred)
{
    const engine *const order[] = {preferred, &engine_rare_buckets, &engine_few_vectors,
                                   &engine_buckets, &engine_vectors};

    for (size_t i = 0; self->state == NULL && i < sizeof(order) / sizeof(order[0]); i++) {
        self->engine = order[i];
        self->state = order[i] != NULL ? order[i]->make(self->phrases) : NULL;
    }
    if (self->state == NULL)
        self->engine = NULL;
}

gate *gate_new_with(const engine *preferred, const text *list, size_t count, semantics s)
{
    gate *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->phrases = phrase_set_new(list, count, s);
    if (self->phrases == NULL) {
        free(self);
        return NULL;
    }
    choose_engine(self, preferred);
    return self;
}

gate *gate_new(const text *list, size_t count, semantics s)
{
    return gate_new_with(NULL, list, count, s);
}

void gate_free(gate *self)
{
    if (self == NULL)
        return;
    if (self->engine != NULL)
        self->engine->free(self->state);
    phrase_set_free(self->phrases);
    free(self);
}

size_t gate_find(const gate *self, text t)
{
    if (self->phrases->pass_all)
        return 0;
    if (self->engine == NULL)
        return phrase_set_walk(self->phrases, t);
    return self->engine->find(self->state, t);
}

size_t gate_find_in_lines(const gate *self, text t, line_run *lines)
{
    size_t hit;

    if (lines->length == 0 && !self->phrases->pass_all && self->engine != NULL &&
        self->engine->find_in_lines != NULL &&
        self->engine->find_in_lines(self->state, t, lines, &hit))
        return hit;
    if (lines->length == 0)
        *lines = line_scan(t);
    return gate_find(self, (text){t.bytes, lines->length});
}

bool gate_may_hold(const gate *self, text t)
{
    return self->phrases->pass_all || gate_find(self, t) < t.length;
}
