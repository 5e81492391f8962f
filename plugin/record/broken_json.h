/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broken_json: what still stands in a text that is no JSON, piece by piece.
 *
 * A text that was cut or broken keeps its strings and most of its brackets.
 * They are read at the outermost level of quoting: what a string holds is its
 * value, however much it looks like JSON, unless the reader of the pieces
 * asks for it. A quote that is too many or lost costs a string or two, as
 * each quote is judged by what stands beside it.
 */
#ifndef SYNCTAP_BROKEN_JSON_H
#define SYNCTAP_BROKEN_JSON_H

#include "base/arena.h"
#include "base/text.h"

typedef enum broken_kind {
    BROKEN_OBJECT, /* `{` */
    BROKEN_ARRAY,  /* `[` */
    BROKEN_END,    /* of either; there may be more of them than were opened */
    BROKEN_STRING,
    BROKEN_WORD, /* what stands outside of strings: a number, true, or what was torn apart */
} broken_kind;

/* Its texts live in the text that was read, or in the arena. */
typedef struct broken_piece {
    broken_kind kind;
    text key;       /* that leads to it; empty in an array, and where none is known */
    text value;     /* of a string, with its escapes undone, or of a word */
    bool is_closed; /* its end is in the text */
} broken_piece;

/* Takes a piece. True, for a string: the pieces of the JSON in it come next, under its key. */
typedef bool broken_sink(void *arg, const broken_piece *piece);

/*
 * Hands the pieces to the sink, in order; work is linear in the text's
 * length. Strings are looked into five levels deep. False when memory is
 * out: then pieces are missing.
 */
bool broken_json_read(text t, arena *memory, broken_sink *sink, void *arg);

#endif
