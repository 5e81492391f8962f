/* SPDX-License-Identifier: Apache-2.0 */
/* decoder_gzip: zlib, member after member. */
#include <stdlib.h>
#include <zlib.h>

#include "files/decoder.h"

enum { LARGEST_STEP = 1024 * 1024 * 1024 }; /* bytes; zlib counts them in 32 bits */

typedef struct state {
    z_stream stream;
    bool in_member;
} state;

static bool is_begun_by(text beginning)
{
    return beginning.length >= 2 && memcmp(beginning.bytes, "\x1F\x8B", 2) == 0;
}

static void *begin(void)
{
    state *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    if (inflateInit2(&self->stream, 15 + 16) == Z_OK) { /* the largest window; gzip's header */
        self->in_member = true;
        return self;
    }
    free(self);
    return NULL;
}

static void end(void *state_)
{
    state *self = state_;

    inflateEnd(&self->stream);
    free(self);
}

static unsigned bounded(size_t length)
{
    return length < LARGEST_STEP ? (unsigned)length : LARGEST_STEP;
}

static int run(state *self, decoder_io *io)
{
    z_stream *s = &self->stream;
    unsigned in = bounded(io->in_length), room = bounded(io->room);
    int result;

    s->next_in = (Bytef *)io->in;
    s->avail_in = in;
    s->next_out = (Bytef *)io->out;
    s->avail_out = room;
    result = inflate(s, Z_NO_FLUSH);
    decoder_io_advance(io, in - s->avail_in, room - s->avail_out);
    return result;
}

/* Tapes and block devices fill up with zeros. */
static void skip_padding(decoder_io *io)
{
    while (io->in_length > 0 && *io->in == '\0')
        decoder_io_advance(io, 1, 0);
}

static decode_result step(void *state_, decoder_io *io)
{
    state *self = state_;

    if (!self->in_member) {
        skip_padding(io);
        if (io->in_length == 0)
            return DECODING_MAY_END;
        if (*io->in != '\x1F')
            return DECODING_STRANGE_END;
        inflateReset(&self->stream);
        self->in_member = true;
    }
    switch (run(self, io)) {
    case Z_STREAM_END:
        self->in_member = false;
        return DECODING_MAY_END;
    case Z_OK:
    case Z_BUF_ERROR: /* no input or no room: no error */
        return DECODING;
    case Z_MEM_ERROR:
        return DECODING_OUT_OF_MEMORY;
    default:
        return DECODING_CORRUPT;
    }
}

const decoder_kind decoder_gzip = {is_begun_by, begin, step, end};
