/* SPDX-License-Identifier: Apache-2.0 */
/* byte_stream: layers, the file at the bottom and a decoder in each of the others. */
#include "files/byte_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "files/decoder.h"

enum {
    MOST_LAYERS = 4, /* the file and what it is packed in */
    PIECE = 64 * 1024,
    PEEK = 64, /* bytes; more than DECODER_BEGINNING by what one step of a decoder needs */
};

typedef struct layer {
    struct layer *below; /* NULL: the file itself */
    int file;
    size_t next; /* of a piece: where it goes on, where it ends, and the file; size 0: it is none */
    size_t end;
    size_t size;
    decoder *decoder;
    char *piece; /* what came from below and is not decoded yet */
    size_t piece_at;
    size_t piece_length;
    bool below_ended;
    bool ended;
    const char *trouble;
    char peeked[PEEK]; /* was read to tell the coding; comes first */
    size_t peeked_at;
    size_t peeked_length;
} layer;

struct byte_stream {
    layer layers[MOST_LAYERS];
    size_t count;
};

static size_t layer_read(layer *self, char *out, size_t room);

static void end(layer *self, const char *trouble)
{
    self->ended = true;
    self->trouble = trouble;
}

static size_t read_file(layer *self, char *out, size_t room)
{
    ssize_t got;

    do
        got = read(self->file, out, room);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        end(self, got < 0 ? strerror(errno) : NULL);
    return got > 0 ? (size_t)got : 0;
}

static size_t read_piece(layer *self, char *out, size_t room)
{
    size_t left = (self->next < self->end ? self->end : self->size) - self->next;
    ssize_t got;

    if (left == 0) {
        end(self, NULL);
        return 0;
    }
    do
        got = pread(self->file, out, left < room ? left : room, (off_t)self->next);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        end(self, got < 0 ? strerror(errno) : "the file became shorter while it was read");
    self->next += got > 0 ? (size_t)got : 0;
    return got > 0 ? (size_t)got : 0;
}

/* A decoder may have left the first bytes of a character: they stay, in front of much room. */
static void refill(layer *self)
{
    size_t got;

    memmove(self->piece, self->piece + self->piece_at, self->piece_length);
    self->piece_at = 0;
    got = layer_read(self->below, self->piece + self->piece_length, PIECE - self->piece_length);
    self->piece_length += got;
    self->below_ended = got == 0;
}

static const char *trouble_of(decode_result result)
{
    switch (result) {
    case DECODING_CORRUPT:
        return "the compressed data is corrupt";
    case DECODING_STRANGE_END:
        return "behind the compressed data stands something else";
    case DECODING_TOO_LARGE:
        return "to decompress it takes more than 256 MB of memory";
    case DECODING_OUT_OF_MEMORY:
        return "out of memory";
    default:
        return NULL;
    }
}

/* The trouble below is the reason for what is missing here, so it is the one to name. */
static const char *trouble_at_end(const layer *self, decode_result result)
{
    if (self->below->trouble != NULL)
        return self->below->trouble;
    return result == DECODING_MAY_END ? NULL : "the compressed data is cut off";
}

/* One step; ends the layer when it was the last. */
static size_t decode(layer *self, char *out, size_t room)
{
    decoder_io io = {self->piece + self->piece_at, self->piece_length, self->below_ended, out,
                     room};
    decode_result result = decoder_step(self->decoder, &io);
    bool stuck = io.in_length == self->piece_length && io.room == room;

    self->piece_at += self->piece_length - io.in_length;
    self->piece_length = io.in_length;
    if (trouble_of(result) != NULL)
        end(self, trouble_of(result));
    else if (self->below_ended && stuck)
        end(self, trouble_at_end(self, result));
    else if (stuck)
        refill(self);
    return room - io.room;
}

static size_t read_decoded(layer *self, char *out, size_t room)
{
    size_t got = 0;

    while (got == 0 && !self->ended)
        got = decode(self, out, room);
    return got;
}

static size_t take_peeked(layer *self, char *out, size_t room)
{
    size_t length = self->peeked_length < room ? self->peeked_length : room;

    memcpy(out, self->peeked + self->peeked_at, length);
    self->peeked_at += length;
    self->peeked_length -= length;
    return length;
}

static size_t layer_read(layer *self, char *out, size_t room)
{
    if (self->peeked_length > 0)
        return take_peeked(self, out, room);
    if (self->ended)
        return 0;
    if (self->below != NULL)
        return read_decoded(self, out, room);
    return self->size > 0 ? read_piece(self, out, room) : read_file(self, out, room);
}

/* How it begins; what is left of the layer is read behind that. */
static text peek(layer *self)
{
    size_t length = 0, got;

    do {
        got = layer_read(self, self->peeked + length, PEEK - length);
        length += got;
    } while (got > 0 && length < DECODER_BEGINNING);
    self->peeked_length = length;
    return (text){self->peeked, length};
}

static bool add_decoder(byte_stream *self, const decoder_kind *kind)
{
    layer *added = &self->layers[self->count];

    added->below = added - 1;
    added->decoder = decoder_new(kind);
    added->piece = malloc(PIECE);
    self->count++;
    return added->decoder != NULL && added->piece != NULL;
}

byte_stream *byte_stream_new(int file)
{
    byte_stream *self = calloc(1, sizeof(*self));
    bool made = self != NULL;

    if (!made)
        return NULL;
    self->layers[0].file = file;
    self->count = 1;
    while (made && self->count < MOST_LAYERS) {
        const decoder_kind *kind = decoder_kind_of(peek(&self->layers[self->count - 1]));
        if (kind == NULL)
            return self;
        made = add_decoder(self, kind);
    }
    if (made)
        return self;
    byte_stream_free(self);
    return NULL;
}

byte_stream *byte_stream_new_piece(int file, size_t begin, size_t end, size_t size)
{
    byte_stream *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->layers[0] = (layer){.file = file, .next = begin, .end = end, .size = size};
    self->count = 1;
    return self;
}

void byte_stream_free(byte_stream *self)
{
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++) {
        decoder_free(self->layers[i].decoder);
        free(self->layers[i].piece);
    }
    free(self);
}

void byte_stream_skip(byte_stream *self, size_t length)
{
    self->layers[0].next += length;
}

size_t byte_stream_read(byte_stream *self, char *out, size_t room)
{
    return layer_read(&self->layers[self->count - 1], out, room);
}

const char *byte_stream_trouble(const byte_stream *self)
{
    return self->layers[self->count - 1].trouble;
}
