/* SPDX-License-Identifier: Apache-2.0 */
/* worker: what a thread needs of its own, and its snapshots. */
#include "detector/worker.h"

#include <stdlib.h>

#include "rule/watchlists.h"

detector_worker *detector_worker_new(detector *d)
{
    detector_worker *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->detector = d;
    self->unwrap = unwrap_new();
    self->memory = arena_new();
    if (self->unwrap != NULL && self->memory != NULL)
        return self;
    detector_worker_free(self);
    return NULL;
}

void detector_worker_free(detector_worker *self)
{
    if (self == NULL)
        return;
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    watchlists_unref(self->lists);
    unwrap_free(self->unwrap);
    arena_free(self->memory);
    stream_scratch_free(&self->stream);
    buffer_free(&self->keys);
    buffer_free(&self->rows);
    buffer_free(&self->record);
    buffer_free(&self->alert);
    buffer_free(&self->told);
    buffer_free(&self->whole);
    buffer_free(&self->flat);
    surplus_free(&self->surplus);
    free(self);
}

void detector_worker_stop_when(detector_worker *self, detector_stop *must_stop, void *arg)
{
    self->must_stop = must_stop;
    self->must_stop_arg = arg;
}

static bool is_up_to_date(const detector_worker *self)
{
    const detector *d = self->detector;

    return atomic_load_explicit(&d->generation, memory_order_acquire) == self->generation;
}

void detector_worker_catch_up(detector_worker *self)
{
    detector *d = self->detector;

    if (is_up_to_date(self))
        return;
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    watchlists_unref(self->lists);
    pthread_mutex_lock(&d->publishing);
    self->rulebase = d->rulebase ? carrier_ref(d->rulebase) : NULL;
    self->accounts = sync_accounts_ref(d->accounts);
    self->change = d->change;
    self->lists = watchlists_ref(d->lists);
    self->generation = atomic_load(&d->generation);
    pthread_mutex_unlock(&d->publishing);
}

void detector_worker_remembered(detector_worker *self)
{
    detector *d = self->detector;

    if (self->lists == NULL || is_up_to_date(self))
        return;
    pthread_mutex_lock(&d->publishing);
    d->asks_again |= d->lists != self->lists;
    pthread_mutex_unlock(&d->publishing);
}
