/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bucket_scan: the loop of engine_buckets, for vectors of SCAN_WIDTH bytes.
 *
 * No header of its own: engine_buckets.c includes it once for each width, with
 *
 *   SCAN_WIDTH           bytes in a vector, 64 at most
 *   SCAN_BLOCK           bytes that are looked at together: one vector or two, 64 at most
 *   SCAN_NAME(name)      the name, made another one for each width
 *   SCAN_TARGET          attributes: the instructions that the functions may use
 *   SCAN_VECTOR          its type
 *   SCAN_TABLES          what bytes are looked up in
 *   SCAN_PREPARE(tables, masks)       fills them
 *   SCAN_BUCKETS(tables, place, from) the buckets of SCAN_WIDTH bytes at that place in a piece
 *   SCAN_ANY(v)          is any bit in that vector set?
 *   SCAN_PLACES(v)       a bit for each of its bytes that is not 0
 *   SCAN_SHORT(self, t)  the find for a text that is shorter than a block and two bytes
 *   SCAN_LINE_TARGET, SCAN_LINE_MASKS  of line_blocks.h for the same machine, if it looks at lines
 *                        as well; a block is a line_block then
 */

#define SCAN_INLINE SCAN_TARGET static inline __attribute__((always_inline))

/* In each byte a bit for each bucket of which a piece may begin there. */
SCAN_INLINE SCAN_VECTOR SCAN_NAME(look)(const SCAN_TABLES *tables, const char *from)
{
    return SCAN_BUCKETS(tables, 0, from) & SCAN_BUCKETS(tables, 1, from + 1) &
           SCAN_BUCKETS(tables, 2, from + 2);
}

/* A bit for each place of a block where a piece may begin. */
SCAN_INLINE uint64_t SCAN_NAME(block)(const SCAN_TABLES *tables, const char *from)
{
    SCAN_VECTOR a = SCAN_NAME(look)(tables, from), b = a;

    if (SCAN_BLOCK > SCAN_WIDTH)
        b = SCAN_NAME(look)(tables, from + SCAN_BLOCK - SCAN_WIDTH);
    if (!SCAN_ANY(a | b))
        return 0;
    return SCAN_PLACES(a) | SCAN_PLACES(b) << (SCAN_BLOCK - SCAN_WIDTH);
}

/* The last block overlaps the one before, so that nothing behind the text is read. */
SCAN_TARGET static size_t SCAN_NAME(find)(const engine_state *self, text t)
{
    SCAN_TABLES tables;
    size_t last = t.length - SCAN_BLOCK - (PIECE_LENGTH - 1);

    if (t.length < SCAN_BLOCK + PIECE_LENGTH - 1)
        return SCAN_SHORT(self, t);
    SCAN_PREPARE(&tables, buckets_get_masks(self->buckets));
    for (size_t at = 0; at < last; at += SCAN_BLOCK) {
        uint64_t places = SCAN_NAME(block)(&tables, t.bytes + at);

        if (__builtin_expect(places != 0, false)) {
            size_t hit = check_places(self, t, at, places);

            if (hit < t.length)
                return hit;
        }
    }
    return check_places(self, t, last, SCAN_NAME(block)(&tables, t.bytes + last));
}

#ifdef SCAN_LINE_TARGET

typedef struct SCAN_NAME(lookout) {
    const engine_state *state;
    SCAN_TABLES tables;
    text t;
    size_t last; /* where a block begins behind which two bytes are left */
    size_t hit;  /* t.length: none yet */
} SCAN_NAME(lookout);

/* Only up to the first hit. */
SCAN_INLINE void SCAN_NAME(look_out)(void *lookout, size_t at)
{
    SCAN_NAME(lookout) *self = lookout;
    uint64_t places;

    if (self->hit < self->t.length || at > self->last)
        return;
    places = SCAN_NAME(block)(&self->tables, self->t.bytes + at);
    if (__builtin_expect(places != 0, false))
        self->hit = check_places(self->state, self->t, at, places);
}

/* The last block overlaps the one before, as above. */
SCAN_LINE_TARGET static size_t SCAN_NAME(find_in_lines)(const engine_state *state, text t,
                                                        line_run *lines)
{
    SCAN_NAME(lookout) l = {state, .t = t, .hit = t.length};

    l.last = t.length - SCAN_BLOCK - (PIECE_LENGTH - 1);
    SCAN_PREPARE(&l.tables, buckets_get_masks(state->buckets));
    *lines =
        line_blocks_scan(t, SCAN_LINE_MASKS, line_parities_multiplied, SCAN_NAME(look_out), &l);
    if (l.hit == t.length)
        l.hit = check_places(state, t, l.last, SCAN_NAME(block)(&l.tables, t.bytes + l.last));
    return l.hit < lines->length ? l.hit : lines->length;
}

#undef SCAN_LINE_TARGET
#undef SCAN_LINE_MASKS
#endif

#undef SCAN_INLINE
#undef SCAN_WIDTH
#undef SCAN_BLOCK
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_VECTOR
#undef SCAN_TABLES
#undef SCAN_PREPARE
#undef SCAN_BUCKETS
#undef SCAN_ANY
#undef SCAN_PLACES
#undef SCAN_SHORT
