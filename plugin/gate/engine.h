/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine: one way to look for phrases, as a table of functions.
 *
 * An engine only looks for places that may be of interest: an anchor (a piece
 * of a phrase that no look-alike can stand for) and the u of a \uXXXX. Whether
 * a phrase is there is decided by phrase_set.c, exactly and the same for all of them.
 */
#ifndef SYNCTAP_ENGINE_H
#define SYNCTAP_ENGINE_H

#include "files/line_scan.h"
#include "gate/phrase_set.h"

typedef struct engine {
    /*
     * Gets ready for these phrases, which must outlive it. NULL when it cannot look for them, is
     * not the right one for them, or memory is out: another one takes its place.
     */
    void *(*make)(const phrase_set *p);
    void (*free)(void *self);

    /* The first hit, or t.length. Allocates nothing. */
    size_t (*find)(const void *self, text t);

    /*
     * For gate_find_in_lines with lines that are not known: in one look at the bytes. False when
     * it cannot; NULL: never.
     */
    bool (*find_in_lines)(const void *self, text t, line_run *lines, size_t *hit);
} engine;

/* Pairs of bytes, many places at once: vectors as wide as the machine has them. */
extern const engine engine_vectors;
extern const engine engine_narrow_vectors; /* of 16 bytes, which every compiler can make */
extern const engine engine_few_vectors;    /* only where few pairs serve all phrases */

/* Tables of three bytes, many places at once; they make nothing where the machine cannot. */
extern const engine engine_buckets;
extern const engine engine_narrow_buckets; /* of 16 bytes, with SSSE3 */
extern const engine engine_wide_buckets;   /* of 32 bytes, with AVX2 */
extern const engine engine_rare_buckets;   /* only where they let little pass in vain */

#endif
