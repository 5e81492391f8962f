/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder: makes plain bytes of coded ones, a piece at a time.
 *
 * What a stream is coded in is told by how it begins: gzip, xz and zstd, one
 * or several members or frames in a row, and UTF-16 (with a byte order mark, or
 * every second byte NUL), which becomes UTF-8. Each coding is a table of steps in a file of its
 * own. The libraries of the codings are used, not libarchive, because a stream that is cut off must
 * give what stands before the cut: libarchive throws away the piece that it was at. A decoder
 * belongs to one thread.
 */
#ifndef SYNCTAP_DECODER_H
#define SYNCTAP_DECODER_H

#include "base/text.h"

/* How much of a stream's beginning tells its coding, in bytes. */
enum { DECODER_BEGINNING = 6 };

/*
 * The most memory that a decoder takes because a stream says so, in bytes: the strongest
 * ordinary settings (xz -9, zstd --ultra -22) need 64 MB and 128 MB.
 */
enum { DECODER_MOST_MEMORY = 256 * 1024 * 1024 };

typedef struct decoder decoder;

/* Input and output of a step; the step moves both on. */
typedef struct decoder_io {
    const char *in;
    size_t in_length;
    bool in_ends; /* nothing will follow the input */
    char *out;
    size_t room;
} decoder_io;

/* What a step came to. */
typedef enum decode_result {
    DECODING,             /* in the middle: wants more input, or more room */
    DECODING_MAY_END,     /* all that was begun is whole; more may follow */
    DECODING_CORRUPT,     /* what was put out before is good */
    DECODING_STRANGE_END, /* behind the coded data stands something else */
    DECODING_TOO_LARGE,   /* it would take more than DECODER_MOST_MEMORY */
    DECODING_OUT_OF_MEMORY,
} decode_result;

/* A coding. The state is what begin gave; NULL from it is out of memory. */
typedef struct decoder_kind {
    bool (*is_begun_by)(text beginning);
    void *(*begin)(void);
    decode_result (*step)(void *state, decoder_io *io);
    void (*end)(void *state);
} decoder_kind;

extern const decoder_kind decoder_gzip, decoder_xz, decoder_zstd, decoder_utf16;

/* What a stream that begins like this is coded in; NULL: it is plain. */
const decoder_kind *decoder_kind_of(text beginning);

/* NULL when memory is out; the caller frees it. */
decoder *decoder_new(const decoder_kind *kind);
void decoder_free(decoder *self);

/*
 * Decodes some of the input. There must be room for a byte at least; a step
 * that takes nothing and writes nothing wants more input, never more room, and
 * what it leaves of the input is less than DECODER_BEGINNING bytes. Not to be called again after a
 * result that is neither DECODING nor DECODING_MAY_END.
 */
decode_result decoder_step(decoder *self, decoder_io *io);

/* Moves input and output of a step on. */
void decoder_io_advance(decoder_io *io, size_t taken, size_t written);

#endif
