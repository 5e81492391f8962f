/* SPDX-License-Identifier: Apache-2.0 */
/* wide_text: NUL bytes, counted in two places and left out. */
#include "record/wide_text.h"

const char WIDE_TEXT[] = "UTF-16 or UTF-32 instead of UTF-8";
const char WIDE_TEXT_REMEDY[] =
    "have it written or sent as UTF-8 (iconv -f UTF-16 -t UTF-8, in PowerShell Out-File -Encoding "
    "utf8)";

enum {
    WINDOW = 80, /* bytes of a place that is looked at */
    FEWEST = 4,  /* NUL bytes in it */
    MOST_SURPLUS = 7,
    MOST_WIDE = 4, /* so many other bytes for each of them: letters that are not Latin have none */
};

/* How a NUL byte is written; a ? is any of the prefixes. */
static const text escapes[] = {TEXT("?000"), TEXT("?x00"), TEXT("?u0000"), TEXT("\\0")};

/* rsyslog's parser.controlCharacterEscapePrefix is # unless somebody has changed it. */
static bool is_prefix(char c)
{
    return c == '#' || c == '\\' || c == '%' || c == '^' || c == '$' || c == '@' || c == '~';
}

static bool begins_with(text t, text escape)
{
    return t.length >= escape.length && (*escape.bytes == '?' || *escape.bytes == *t.bytes) &&
           memcmp(t.bytes + 1, escape.bytes + 1, escape.length - 1) == 0;
}

/* In JSON in strings a backslash is two, or four. */
static size_t count_surplus(text t)
{
    size_t count = 0;

    while (count < MOST_SURPLUS && count + 1 < t.length && t.bytes[count] == '\\' &&
           t.bytes[count + 1] == '\\')
        count++;
    return count;
}

/* The escape of a NUL byte at the front, or 0. */
static size_t escape_length(text t)
{
    size_t surplus = count_surplus(t);

    t = text_from(t, surplus);
    for (size_t i = 0; i < sizeof(escapes) / sizeof(escapes[0]); i++)
        if (begins_with(t, escapes[i]))
            return surplus + escapes[i].length;
    return 0;
}

/* How many bytes at the front stand for one NUL; 0: none. */
static size_t nul_length(text t)
{
    if (t.bytes[0] == '\0')
        return 1;
    return is_prefix(t.bytes[0]) ? escape_length(t) : 0;
}

/* Whatever it is written as, a NUL begins among eight bytes of such a text. */
static bool may_begin_nul(const char *eight)
{
    bool may = false;

    for (size_t i = 0; i < sizeof(uint64_t); i++)
        may |= eight[i] == '\0' || is_prefix(eight[i]);
    return may;
}

static bool is_around(text t, size_t at)
{
    size_t nuls = 0, others = 0;

    t = text_from(t, at > WINDOW / 2 ? at - WINDOW / 2 : 0);
    t.length = t.length < WINDOW ? t.length : WINDOW;
    while (t.length > 0) {
        size_t length = nul_length(t);

        nuls += length > 0;
        others += length == 0;
        t = text_from(t, length > 0 ? length : 1);
    }
    return nuls >= FEWEST && others <= MOST_WIDE * nuls;
}

bool wide_text_is(text t)
{
    size_t end, middle;

    if (!wide_text_may_be(t))
        return false;
    end = t.length - sizeof(uint64_t);
    middle = t.length / 2;
    return (may_begin_nul(t.bytes + end) && is_around(t, end)) ||
           (may_begin_nul(t.bytes + middle) && is_around(t, middle));
}

void wide_text_narrow(text t, buffer *out)
{
    size_t begin = out->length;

    buffer_append(out, t);
    if (buffer_failed(out))
        return;
    out->length = begin;
    while (t.length > 0) {
        size_t length = nul_length(t);

        if (length == 0)
            out->bytes[out->length++] = t.bytes[0];
        t = text_from(t, length > 0 ? length : 1);
    }
}
