/* SPDX-License-Identifier: Apache-2.0 */
/* decoder_zstd: libzstd, frame after frame. */
#include <stdlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "files/decoder.h"

enum { LARGEST_WINDOW = 28 }; /* as a power of two: DECODER_MOST_MEMORY */

typedef struct state {
    ZSTD_DCtx *context;
    bool may_end;
} state;

/* A frame, or one to be skipped, as pzstd puts them in front. */
static bool is_begun_by(text beginning)
{
    const unsigned char *b = (const unsigned char *)beginning.bytes;

    if (beginning.length < 4)
        return false;
    return memcmp(b, "\x28\xB5\x2F\xFD", 4) == 0 ||
           ((b[0] & 0xF0) == 0x50 && memcmp(b + 1, "\x2A\x4D\x18", 3) == 0);
}

static void *begin(void)
{
    state *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->context = ZSTD_createDCtx();
    if (self->context != NULL) {
        ZSTD_DCtx_setParameter(self->context, ZSTD_d_windowLogMax, LARGEST_WINDOW);
        return self;
    }
    free(self);
    return NULL;
}

static void end(void *state_)
{
    state *self = state_;

    ZSTD_freeDCtx(self->context);
    free(self);
}

static size_t run(state *self, decoder_io *io)
{
    ZSTD_inBuffer in = {io->in, io->in_length, 0};
    ZSTD_outBuffer out = {io->out, io->room, 0};
    size_t result = ZSTD_decompressStream(self->context, &out, &in);

    decoder_io_advance(io, in.pos, out.pos);
    return result;
}

static decode_result meaning_of(size_t error)
{
    switch (ZSTD_getErrorCode(error)) {
    case ZSTD_error_prefix_unknown:
        return DECODING_STRANGE_END;
    case ZSTD_error_frameParameter_windowTooLarge:
        return DECODING_TOO_LARGE;
    case ZSTD_error_memory_allocation:
        return DECODING_OUT_OF_MEMORY;
    default:
        return DECODING_CORRUPT;
    }
}

static decode_result step(void *state_, decoder_io *io)
{
    state *self = state_;
    size_t result;

    if (self->may_end && io->in_length == 0) /* a step now would begin another frame */
        return DECODING_MAY_END;
    result = run(self, io);
    if (ZSTD_isError(result))
        return meaning_of(result);
    self->may_end = result == 0;
    return self->may_end ? DECODING_MAY_END : DECODING;
}

const decoder_kind decoder_zstd = {is_begun_by, begin, step, end};
