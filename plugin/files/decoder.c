/* SPDX-License-Identifier: Apache-2.0 */
/* decoder: the codings there are, and the steps common to them. */
#include "files/decoder.h"

#include <stdlib.h>

static const decoder_kind *const kinds[] = {&decoder_gzip, &decoder_xz, &decoder_zstd,
                                            &decoder_utf16};

struct decoder {
    const decoder_kind *kind;
    void *state;
};

const decoder_kind *decoder_kind_of(text beginning)
{
    if (beginning.length > DECODER_BEGINNING) /* who has more tells the same */
        beginning.length = DECODER_BEGINNING;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i]->is_begun_by(beginning))
            return kinds[i];
    return NULL;
}

decoder *decoder_new(const decoder_kind *kind)
{
    decoder *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->kind = kind;
    self->state = kind->begin();
    if (self->state != NULL)
        return self;
    free(self);
    return NULL;
}

void decoder_free(decoder *self)
{
    if (self == NULL)
        return;
    self->kind->end(self->state);
    free(self);
}

decode_result decoder_step(decoder *self, decoder_io *io)
{
    return self->kind->step(self->state, io);
}

void decoder_io_advance(decoder_io *io, size_t taken, size_t written)
{
    io->in += taken;
    io->in_length -= taken;
    io->out += written;
    io->room -= written;
}
