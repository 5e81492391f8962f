/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text: a run of bytes with its length, the string type of all rooms.
 *
 * A text is a view: it owns nothing, need not end in NUL, and may hold NUL
 * bytes and invalid UTF-8. Whoever hands one out says how long it lives.
 */
#ifndef SYNCTAP_TEXT_H
#define SYNCTAP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct text {
    const char *bytes;
    size_t length;
} text;

/* A text over a string literal, usable in static tables. */
#define TEXT(literal)                                                                              \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static inline text text_of(const char *string)
{
    return (text){string, string ? strlen(string) : 0};
}

static inline text text_between(const char *begin, const char *end)
{
    return (text){begin, (size_t)(end - begin)};
}

/* What is left of t after its first `count` bytes; count <= t.length. */
static inline text text_from(text t, size_t count)
{
    return (text){t.bytes + count, t.length - count};
}

/* The first `most` bytes, or a few less: whole characters, as far as it has them. */
static inline text text_cut(text t, size_t most)
{
    size_t length = most;

    if (t.length <= most)
        return t;
    while (length > 0 && length + 4 > most && ((unsigned char)t.bytes[length] & 0xC0) == 0x80)
        length--;
    return (text){t.bytes, length};
}

static inline bool text_begins_with(text t, const char *begin)
{
    size_t length = strlen(begin);

    return t.length >= length && memcmp(t.bytes, begin, length) == 0;
}

/* The same without regard to the case of A to Z. */
static inline bool text_begins_in_any_case(text t, const char *begin)
{
    size_t length = strlen(begin);

    return t.length >= length && strncasecmp(t.bytes, begin, length) == 0;
}

static inline bool text_equal(text a, text b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

/* Order by bytes, a prefix before what it begins; -1, 0 or 1. */
static inline int text_compare(text a, text b)
{
    size_t shorter = a.length < b.length ? a.length : b.length;
    int order = shorter ? memcmp(a.bytes, b.bytes, shorter) : 0;

    if (order != 0)
        return order < 0 ? -1 : 1;
    return (a.length > b.length) - (a.length < b.length);
}

#endif
