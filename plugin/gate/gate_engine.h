/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate_engine: what gate.c shares with the engines behind it.
 *
 * An engine only looks for places that may be of interest: an anchor (a piece
 * of a phrase that no look-alike can stand for) and the u of a \uXXXX. Whether
 * a phrase is there is decided by gate.c, exactly and the same for all of them.
 */
#ifndef SYNCTAP_GATE_ENGINE_H
#define SYNCTAP_GATE_ENGINE_H

#include "gate/gate.h"

typedef struct gate_portable gate_portable;
typedef struct gate_hyperscan gate_hyperscan;
typedef struct gate_hyperscan_scratch gate_hyperscan_scratch;

struct gate {
    semantics semantics;
    bool passes_all;      /* a phrase that is in every text, or that escapes could hide */
    bool has_no_anchor;   /* a phrase that only gate.c can look for, at every byte */
    bool in_phrases[128]; /* characters, in lower case */
    gate_portable *portable;
    gate_hyperscan *hyperscan; /* NULL where the portable engine is the faster one, or the only */
    size_t count;
    text phrases[]; /* copies in lower case */
};

/* A place in a phrase where an engine has found something. */
typedef struct gate_anchor {
    size_t phrase;
    size_t index;   /* of the piece's first character */
    size_t surplus; /* so many bytes more may stand before it, in look-alikes */
} gate_anchor;

gate_anchor gate_make_anchor(const gate *self, size_t phrase, size_t index);

/* Can no look-alike stand for that character of a phrase? */
bool gate_is_anchor_character(const gate *self, char c);

/*
 * The anchor's piece stands at `at`. Is the phrase around it, with no escape
 * before the piece? Then *hit is its offset.
 */
bool gate_phrase_is_around(const gate *self, text t, gate_anchor anchor, size_t at, size_t *hit);

/*
 * A backslash and a u stand at `at`. Is that the first escape in a phrase, or
 * one that could hide another? Then *hit is an offset in it.
 */
bool gate_escape_is_of_interest(const gate *self, text t, size_t at, size_t *hit);

/* --- the engines: each finds the first hit, or t.length --- */

/* Vectors as wide as the machine has them, or of 16 bytes, which every compiler can make. */
typedef enum gate_width { GATE_WIDEST, GATE_NARROW } gate_width;

/* Notes in *has_no_anchor if a phrase has none. NULL when memory is out. */
gate_portable *gate_portable_new(const gate *self, gate_width width, bool *has_no_anchor);
void gate_portable_free(gate_portable *self);
size_t gate_portable_find(const gate *self, text t);

/* How many pairs of bytes it looks for at once: its cost. */
size_t gate_portable_pairs(const gate_portable *self);

/* What the library's scan takes at once. */
#define GATE_HYPERSCAN_MOST_BYTES ((size_t)1 << 30)

/* NULL when the library is not there, cannot do it, or memory is out. */
gate_hyperscan *gate_hyperscan_new(const gate *self);
void gate_hyperscan_free(gate_hyperscan *self);
gate_hyperscan_scratch *gate_hyperscan_scratch_new(const gate_hyperscan *self);
void gate_hyperscan_scratch_free(gate_hyperscan_scratch *self);
size_t gate_hyperscan_find(const gate *self, gate_hyperscan_scratch *scratch, text t);

#endif
