/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wide_text: UTF-16 or UTF-32 where UTF-8 should be, told by the NUL bytes between its characters.
 *
 * Inputs hand them on as they are (imfile), or as escapes of a transport
 * (#000, \000, \0, #x00, \x00, \u0000). Such a text is no JSON, and a phrase that
 * stands in it is found by no gate.
 */
#ifndef SYNCTAP_WIDE_TEXT_H
#define SYNCTAP_WIDE_TEXT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/text.h"

/* Why such a text cannot be read, and what its sender can do. */
extern const char WIDE_TEXT[];
extern const char WIDE_TEXT_REMEDY[];

/* Not 0 when two of the eight bytes there are NUL, or zeros, or blanks. */
static inline uint64_t wide_text_sign(const char *eight)
{
    const uint64_t tops = UINT64_C(0x8080808080808080);
    uint64_t word, marks;

    memcpy(&word, eight, sizeof(word));
    word &= ~UINT64_C(0x3030303030303030);
    marks = ~(((word & ~tops) + ~tops) | word | ~tops);
    return marks & (marks - 1);
}

/*
 * Can the text be one? Asked of every message, so that it looks at the middle and the end alone,
 * and says yes to many another. A header of another coding may stand in front.
 */
static inline bool wide_text_may_be(text t)
{
    return t.length >= 2 * sizeof(uint64_t) &&
           (wide_text_sign(t.bytes + t.length - sizeof(uint64_t)) |
            wide_text_sign(t.bytes + t.length / 2)) != 0;
}

/* Is it one? As cheap for a text of any length. */
bool wide_text_is(text t);

/* Appends the text without its NUL bytes: all there is to read of it, if its letters are Latin. */
void wide_text_narrow(text t, buffer *out);

#endif
