/* SPDX-License-Identifier: Apache-2.0 */
/* decoder_utf16: UTF-16 as Windows writes it, with its byte order mark or without, into UTF-8. */
#include <stdint.h>
#include <stdlib.h>

#include "files/decoder.h"

enum {
    UNIT = 2, /* bytes */
    LONGEST_CHARACTER = 4,
    MARK = 0xFEFF,
    REPLACEMENT = 0xFFFD,
};

typedef struct state {
    bool is_begun; /* the byte order is known, and its mark is passed */
    bool high_first;
    char held[LONGEST_CHARACTER]; /* a character that did not find its room */
    size_t held_at;
    size_t held_length;
} state;

static unsigned unit_at(const char *bytes, bool high_first)
{
    unsigned char first = (unsigned char)bytes[0], second = (unsigned char)bytes[1];

    return high_first ? first * 256U + second : second * 256U + first;
}

/* Text without a mark, where every second byte is NUL and no other. */
static bool is_plain_latin(text t, bool high_first)
{
    for (size_t i = 0; i + UNIT <= t.length; i += UNIT)
        if (unit_at(t.bytes + i, high_first) == 0 || unit_at(t.bytes + i, high_first) > 0xFF)
            return false;
    return t.length >= 2 * UNIT;
}

static bool is_begun_by(text beginning)
{
    if (beginning.length < UNIT)
        return false;
    return unit_at(beginning.bytes, false) == MARK || unit_at(beginning.bytes, true) == MARK ||
           is_plain_latin(beginning, false) || is_plain_latin(beginning, true);
}

static void *begin(void)
{
    return calloc(1, sizeof(state));
}

/* False while its first character is not there. */
static bool find_byte_order(state *self, decoder_io *io)
{
    if (io->in_length < UNIT)
        return false;
    self->high_first = unit_at(io->in, true) == MARK || io->in[0] == '\0';
    if (unit_at(io->in, self->high_first) == MARK)
        decoder_io_advance(io, UNIT, 0);
    self->is_begun = true;
    return true;
}

static bool is_high_surrogate(unsigned unit)
{
    return (unit & 0xFC00) == 0xD800;
}

static bool is_low_surrogate(unsigned unit)
{
    return (unit & 0xFC00) == 0xDC00;
}

/* The character at the front and how many bytes it takes; 0 when not all of it is there. */
static size_t read_character(const state *self, const decoder_io *io, unsigned *c)
{
    unsigned first, second;

    if (io->in_length < UNIT)
        return 0;
    first = unit_at(io->in, self->high_first);
    *c = is_high_surrogate(first) || is_low_surrogate(first) ? REPLACEMENT : first;
    if (!is_high_surrogate(first))
        return UNIT;
    if (io->in_length < 2 * UNIT)
        return 0;
    second = unit_at(io->in + UNIT, self->high_first);
    if (!is_low_surrogate(second))
        return UNIT;
    *c = 0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF);
    return 2 * UNIT;
}

static size_t write_utf8(char *out, unsigned c)
{
    size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = length - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3F));
    out[0] = (char)(leads[length] | c);
    return length;
}

/* Any room takes a part of a character, so that no step is without an effect for want of room. */
static bool write_held(state *self, decoder_io *io)
{
    size_t left = self->held_length - self->held_at;
    size_t length = left < io->room ? left : io->room;

    memcpy(io->out, self->held + self->held_at, length);
    decoder_io_advance(io, 0, length);
    self->held_at += length;
    return length == left;
}

static bool take_character(state *self, decoder_io *io)
{
    unsigned c;
    size_t taken = read_character(self, io, &c);

    if (taken == 0)
        return false;
    decoder_io_advance(io, taken, 0);
    self->held_length = write_utf8(self->held, c);
    self->held_at = 0;
    return true;
}

static decode_result step(void *state_, decoder_io *io)
{
    state *self = state_;
    bool goes_on = self->is_begun || find_byte_order(self, io);

    while (goes_on)
        goes_on = write_held(self, io) && take_character(self, io);
    return io->in_length == 0 && self->held_at == self->held_length ? DECODING_MAY_END : DECODING;
}

const decoder_kind decoder_utf16 = {is_begun_by, begin, step, free};
