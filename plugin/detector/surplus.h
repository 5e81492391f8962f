/* SPDX-License-Identifier: Apache-2.0 */
/*
 * surplus: rows of a message beyond its bounds, which share one alert.
 *
 * The first of them is kept to the message's end, when it is known how many
 * they are. One thread.
 */
#ifndef SYNCTAP_SURPLUS_H
#define SYNCTAP_SURPLUS_H

#include "base/arena.h"
#include "rule/alert.h"

/* All zero to begin with. */
typedef struct surplus {
    size_t count;
    alert first; /* its texts are copies; it has no tree */
    audit_record record;
    buffer object; /* the JSON of that record; empty for a fragment */
    arena *memory;
} surplus;

void surplus_free(surplus *self);

/* Counts a row, and keeps the first. `object` is its record, or NULL. False when memory is out. */
bool surplus_add(surplus *self, const alert *row, json *object);

/* The alert of all of them, without an id; it lives until surplus_clear. */
alert surplus_alert(const surplus *self);

void surplus_clear(surplus *self);

#endif
