/* SPDX-License-Identifier: Apache-2.0 */
/* decoder_xz: liblzma, which goes through several streams and their padding by itself. */
#include <lzma.h>
#include <stdlib.h>

#include "files/decoder.h"

static bool is_begun_by(text beginning)
{
    static const char magic[] = "\xFD"
                                "7zXZ";

    return beginning.length >= sizeof(magic) &&
           memcmp(beginning.bytes, magic, sizeof(magic)) == 0; /* the NUL too */
}

static void *begin(void)
{
    lzma_stream *self = calloc(1, sizeof(*self));

    if (self != NULL &&
        lzma_stream_decoder(self, DECODER_MOST_MEMORY, LZMA_CONCATENATED) == LZMA_OK)
        return self;
    free(self);
    return NULL;
}

static void end(void *state)
{
    lzma_end(state);
    free(state);
}

static lzma_ret run(lzma_stream *self, decoder_io *io)
{
    lzma_ret result;

    self->next_in = (const uint8_t *)io->in;
    self->avail_in = io->in_length;
    self->next_out = (uint8_t *)io->out;
    self->avail_out = io->room;
    result = lzma_code(self, io->in_ends ? LZMA_FINISH : LZMA_RUN);
    decoder_io_advance(io, io->in_length - self->avail_in, io->room - self->avail_out);
    return result;
}

static decode_result step(void *state, decoder_io *io)
{
    switch (run(state, io)) {
    case LZMA_STREAM_END:
        return DECODING_MAY_END;
    case LZMA_OK:
    case LZMA_BUF_ERROR: /* no input or no room: no error */
        return DECODING;
    case LZMA_MEMLIMIT_ERROR:
        return DECODING_TOO_LARGE;
    case LZMA_MEM_ERROR:
        return DECODING_OUT_OF_MEMORY;
    default:
        return DECODING_CORRUPT;
    }
}

const decoder_kind decoder_xz = {is_begun_by, begin, step, end};
