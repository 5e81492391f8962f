/* SPDX-License-Identifier: Apache-2.0 */
/* decoder_utf16: UTF-16 with its byte order mark, as Windows writes it, into UTF-8. */
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "files/decoder.h"

static const text REPLACEMENT = TEXT("\xEF\xBF\xBD"); /* U+FFFD */

static bool is_begun_by(text beginning)
{
    return beginning.length >= 2 && (memcmp(beginning.bytes, "\xFF\xFE", 2) == 0 ||
                                     memcmp(beginning.bytes, "\xFE\xFF", 2) == 0);
}

static void *begin(void)
{
    iconv_t *self = malloc(sizeof(*self));

    if (self == NULL)
        return NULL;
    *self = iconv_open("UTF-8", "UTF-16"); /* the mark says which */
    if (*self != (iconv_t)-1)
        return self;
    free(self);
    return NULL;
}

static void end(void *state)
{
    iconv_t *self = state;

    iconv_close(*self);
    free(self);
}

/* Half a surrogate pair. */
static decode_result replace(decoder_io *io)
{
    if (io->room < REPLACEMENT.length)
        return DECODING;
    memcpy(io->out, REPLACEMENT.bytes, REPLACEMENT.length);
    decoder_io_advance(io, 2, REPLACEMENT.length);
    return DECODING;
}

static decode_result step(void *state, decoder_io *io)
{
    iconv_t *self = state;
    char *in = (char *)io->in, *out = io->out;
    size_t in_left = io->in_length, out_left = io->room;
    size_t result = iconv(*self, &in, &in_left, &out, &out_left);

    decoder_io_advance(io, io->in_length - in_left, io->room - out_left);
    if (result == (size_t)-1 && errno == EILSEQ && io->in_length >= 2)
        return replace(io);
    return io->in_length == 0 ? DECODING_MAY_END : DECODING;
}

const decoder_kind decoder_utf16 = {is_begun_by, begin, step, end};
