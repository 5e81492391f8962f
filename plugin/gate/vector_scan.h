/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vector_scan: the loop of engine_vectors, for vectors of SCAN_WIDTH bytes.
 *
 * No header of its own: engine_vectors.c includes it once for each width, with
 *
 *   SCAN_WIDTH         bytes in a vector
 *   SCAN_NAME(name)    the name, made another one for each width
 *   SCAN_TARGET        attributes: the instructions that the functions may use
 *   SCAN_ANY(v)        is any bit in that vector set?
 *   SCAN_MASK(v)       a bit for each of its bytes, each of them all ones or none
 *
 * The compiler makes the vector instructions of whatever machine it builds for.
 */

typedef unsigned char SCAN_NAME(vector) __attribute__((vector_size(SCAN_WIDTH), may_alias));

typedef struct SCAN_NAME(lookout) {
    SCAN_NAME(vector) first, second;
} SCAN_NAME(lookout);

#define SCAN_INLINE SCAN_TARGET static inline __attribute__((always_inline))

SCAN_INLINE void SCAN_NAME(load)(SCAN_NAME(vector) * v, const char *from)
{
    memcpy(v, from, sizeof(*v));
    *v |= 0x20;
}

#define SCAN_PAIR(here, next, lookout)                                                             \
    ((SCAN_NAME(vector))(((here) == (lookout).first) & ((next) == (lookout).second)))

/* Bytes that are not 0 where one of the pairs begins. The usual counts need no loop. */
SCAN_INLINE void SCAN_NAME(look)(SCAN_NAME(vector) * found, const SCAN_NAME(lookout) * lookouts,
                                 size_t count, const char *from)
{
    SCAN_NAME(vector) here, next;

    SCAN_NAME(load)(&here, from);
    SCAN_NAME(load)(&next, from + 1);
    *found = SCAN_PAIR(here, next, lookouts[0]);
    if (count > 1)
        *found |= SCAN_PAIR(here, next, lookouts[1]);
    if (count > 2)
        *found |= SCAN_PAIR(here, next, lookouts[2]);
    for (size_t i = 3; i < count; i++)
        *found |= SCAN_PAIR(here, next, lookouts[i]);
}

/* Past the blocks of four vectors from `at` on that show nothing; a byte is left behind it. */
SCAN_INLINE size_t SCAN_NAME(skip)(text t, size_t at, const SCAN_NAME(lookout) * lookouts,
                                   size_t count)
{
    SCAN_NAME(vector) a, b, c, d;

    for (; t.length - at > 4 * SCAN_WIDTH; at += 4 * SCAN_WIDTH) {
        SCAN_NAME(look)(&a, lookouts, count, t.bytes + at);
        SCAN_NAME(look)(&b, lookouts, count, t.bytes + at + SCAN_WIDTH);
        SCAN_NAME(look)(&c, lookouts, count, t.bytes + at + 2 * SCAN_WIDTH);
        SCAN_NAME(look)(&d, lookouts, count, t.bytes + at + 3 * SCAN_WIDTH);
        if (SCAN_ANY((a | b) | (c | d)))
            break;
    }
    return at;
}

/* The first hit that begins in the vector at `at`, or t.length. */
SCAN_INLINE size_t SCAN_NAME(check)(const vectors *self, text t, size_t at,
                                    const SCAN_NAME(lookout) * lookouts, size_t count)
{
    SCAN_NAME(vector) found;

    SCAN_NAME(look)(&found, lookouts, count, t.bytes + at);
    return check_places(self, t, at, SCAN_MASK(found));
}

/* At the end the last vector overlaps the one before, so that nothing behind the text is read. */
SCAN_INLINE size_t SCAN_NAME(scan)(const vectors *self, text t, const SCAN_NAME(lookout) * lookouts,
                                   size_t count)
{
    size_t at = 0;

    if (t.length <= SCAN_WIDTH)
        return check_bytes(self, t);
    for (;;) {
        size_t last = t.length - 1 - SCAN_WIDTH, end, hit = t.length;

        at = SCAN_NAME(skip)(t, at, lookouts, count);
        end = at + 4 * SCAN_WIDTH;
        for (; hit == t.length && at <= last && at < end; at += SCAN_WIDTH)
            hit = SCAN_NAME(check)(self, t, at, lookouts, count);
        if (hit < t.length)
            return hit;
        if (at > last)
            return SCAN_NAME(check)(self, t, last, lookouts, count);
    }
}

/* A loop for each usual number of pairs, so that they stay in registers. */
SCAN_TARGET static size_t SCAN_NAME(find)(const vectors *self, text t)
{
    SCAN_NAME(lookout) lookouts[MOST_PAIRS];

    for (size_t i = 0; i < self->pair_count; i++) {
        lookouts[i].first = (SCAN_NAME(vector)){0} + self->pairs[i].first;
        lookouts[i].second = (SCAN_NAME(vector)){0} + self->pairs[i].second;
    }
    switch (self->pair_count) {
    case 1:
        return SCAN_NAME(scan)(self, t, lookouts, 1);
    case 2:
        return SCAN_NAME(scan)(self, t, lookouts, 2);
    case 3:
        return SCAN_NAME(scan)(self, t, lookouts, 3);
    default:
        return SCAN_NAME(scan)(self, t, lookouts, self->pair_count);
    }
}

#undef SCAN_INLINE
#undef SCAN_PAIR
#undef SCAN_WIDTH
#undef SCAN_NAME
#undef SCAN_TARGET
#undef SCAN_ANY
#undef SCAN_MASK
