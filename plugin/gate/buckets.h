/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buckets: finds the places in a text where a phrase may stand, by tables.
 *
 * Of each phrase one piece of three characters is looked for, a rare one in
 * audit records. Pieces that are alike share a bucket; the first of the eight
 * buckets is for escapes. For each place in a piece a table has a byte's mask:
 * a bit for each bucket of which a piece may have that byte there. A place in
 * a text is worth a closer look if the masks of its three bytes, and-ed, have
 * a bit left. A vector looks up no more than 16 entries: for it the tables go
 * by the low half of a byte, and at one place by the high half, too.
 *
 * Immutable once made: any number of threads may ask.
 */
#ifndef SYNCTAP_BUCKETS_H
#define SYNCTAP_BUCKETS_H

#include <stdint.h>

#include "gate/phrase_set.h"

enum { PIECE_LENGTH = 3, BUCKET_COUNT = 8, ESCAPE_BUCKET = 0 };

/* Where the high half is looked at, too: letters mostly differ in the low one. */
enum { HIGH_PLACE = 1 };

/*
 * A bit for each bucket of which a piece may have that byte at that place, and for those that may
 * have one with that half: halves say yes to more.
 */
typedef struct bucket_masks {
    unsigned char bytes[PIECE_LENGTH][128];
    unsigned char low[PIECE_LENGTH][16], high[16];
} bucket_masks;

typedef struct buckets buckets;

/* NULL when a phrase has no three characters that could be looked for, or memory is out. */
buckets *buckets_new(const phrase_set *phrases);
void buckets_free(buckets *self);

const bucket_masks *buckets_get_masks(const buckets *self);

/* How many places in a thousand of an audit record would be looked at in vain: coarsely. */
double buckets_places_in_vain(const buckets *self);

/* The hit at `at`, where three bytes are, or t.length. */
size_t buckets_check(const buckets *self, text t, size_t at);

#endif
