/* SPDX-License-Identifier: Apache-2.0 */
/* record_piece: quotes, and what stands before and behind them. */
#include "record/record_piece.h"

#include "base/json.h"

/* In JSON in strings the backslash of an escaped blank is two, or four. */
static size_t escaped_blank(text t)
{
    size_t at = 0;

    while (at < t.length && t.bytes[at] == '\\')
        at++;
    return at > 0 && at < t.length && memchr("nrt", t.bytes[at], 3) != NULL ? at + 1 : 0;
}

/* Behind the blanks from `at` on; control characters as transports write them are some. */
static size_t skip_blanks(text t, size_t at)
{
    size_t length;

    do {
        length = json_blanks(text_from(t, at));
        if (length == 0)
            length = escaped_blank(text_from(t, at));
        at += length;
    } while (length > 0);
    return at;
}

static bool is_blank(text t, size_t at, size_t length)
{
    return at >= length && json_blanks((text){t.bytes + at - length, length}) == length;
}

/* The same to the left: to the end of what is no blank. */
static size_t skip_blanks_before(text t, size_t at)
{
    enum { LONGEST = 4 }; /* #012 */

    for (;;) {
        size_t length = 1;

        while (length <= LONGEST && !is_blank(t, at, length))
            length++;
        if (length > LONGEST)
            return at;
        at -= length;
    }
}

static bool is_one_of(text t, size_t at, const char *characters)
{
    return at < t.length && t.bytes[at] != '\0' && strchr(characters, t.bytes[at]) != NULL;
}

/* Is the quote at `at` a key's last? A colon follows, and what a value may begin with. */
static bool ends_key(text t, size_t at)
{
    at = skip_blanks(t, at + 1);
    return is_one_of(t, at, ":") && is_one_of(t, skip_blanks(t, at + 1), "\"\\{[-0123456789tfn");
}

/* Or a value's? What closes around it follows, or the next member, or nothing at all. */
static bool ends_value(text t, size_t at)
{
    at = skip_blanks(t, at + 1);
    if (!is_one_of(t, at, ","))
        return at == t.length || is_one_of(t, at, "}]");
    at = skip_blanks(t, at + 1);
    return at == t.length || is_one_of(t, at, "\"\\{[");
}

/* Or a value's first? Before it stands what JSON has before a value, or the end of a header. */
static bool begins_value(text t, size_t at)
{
    while (at > 0 && t.bytes[at - 1] == '\\')
        at--;
    at = skip_blanks_before(t, at);
    return at == 0 || is_one_of(t, at - 1, ":,[]>-\xBF");
}

/* The quote at or behind `at`, or `end`. */
static size_t next_quote(text t, size_t at, size_t end)
{
    const char *quote = at < end ? memchr(t.bytes + at, '"', end - at) : NULL;

    return quote != NULL ? (size_t)(quote - t.bytes) : end;
}

/* `quote` ends what began at `begin`, at another quote or with the words. */
static bool ends_piece(text t, size_t begin, size_t quote, bool is_first)
{
    return ends_key(t, quote) ||
           (ends_value(t, quote) && (is_first ? !begins_value(t, quote) : begins_value(t, begin)));
}

size_t record_piece_find(text t, size_t begin, size_t end)
{
    size_t opening = begin;
    bool is_first = true;

    for (size_t quote = next_quote(t, begin, end); quote < end;
         quote = next_quote(t, quote + 1, end)) {
        if (ends_piece(t, opening, quote, is_first))
            return opening;
        opening = quote;
        is_first = false;
    }
    return !is_first && end == t.length && begins_value(t, opening) ? opening : end;
}
