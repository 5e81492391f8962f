/* SPDX-License-Identifier: Apache-2.0 */
/* naive_gate: every phrase is tried at every byte. */
#include "naive_gate.h"

#include <stdint.h>
#include <stdlib.h>

static bool needs_short_escape(text phrase)
{
    for (size_t i = 0; i < phrase.length; i++) {
        unsigned char c = (unsigned char)phrase.bytes[i];

        if (c < 0x20 || c == '"' || c == '\\' || c == '/' || c >= 0x80)
            return true;
    }
    return phrase.length == 0 || memmem(phrase.bytes, phrase.length, "    ", 4) != NULL;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* The length of the \uXXXX at `at`, with all its backslashes, and its value; or 0. */
static size_t escape_at(text t, size_t at, uint32_t *value)
{
    size_t u = at;
    char digits[5] = "";

    while (u < t.length && t.bytes[u] == '\\')
        u++;
    if (u == at || t.length - u < 5 || t.bytes[u] != 'u')
        return 0;
    for (size_t i = 0; i < 4; i++) {
        digits[i] = t.bytes[u + 1 + i];
        if (!is_hex(digits[i]))
            return 0;
    }
    *value = (uint32_t)strtoul(digits, NULL, 16);
    return u + 5 - at;
}

static bool hides_an_escape(text t, size_t at)
{
    uint32_t value;

    if (escape_at(t, at, &value) == 0 || value >= 0x80)
        return false;
    return value == '\\' || value == 'u' || is_hex((char)value);
}

static bool is_wanted(char c, char wanted)
{
    c = c == '\0' ? ' ' : c;
    return c == wanted || ((c | 0x20) == (wanted | 0x20) && (c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

/* One character of a phrase at `at` (< t.length): how many bytes it takes there, or 0. */
static size_t step(text t, size_t at, char wanted, semantics s)
{
    text look_alike = (wanted | 0x20) == 's'   ? (text)TEXT("\xC5\xBF")
                      : (wanted | 0x20) == 'k' ? (text)TEXT("\xE2\x84\xAA")
                                               : (text){0};
    bool has_one = s == SEMANTICS_WIDE && look_alike.length > 0;
    uint32_t value;
    size_t length;

    if (is_wanted(t.bytes[at], wanted))
        return 1;
    if (has_one && t.length - at >= look_alike.length &&
        memcmp(t.bytes + at, look_alike.bytes, look_alike.length) == 0)
        return look_alike.length;
    length = escape_at(t, at, &value);
    if (length > 0 && value < 0x80)
        return is_wanted((char)value, wanted) ? length : 0;
    if (length > 0 && has_one)
        return value == (look_alike.length == 2 ? 0x017F : 0x212A) ? length : 0;
    return 0;
}

static bool phrase_at(text t, size_t at, text phrase, semantics s)
{
    for (size_t i = 0; i < phrase.length; i++) {
        size_t taken = at < t.length ? step(t, at, phrase.bytes[i], s) : 0;

        if (taken == 0)
            return false;
        at += taken;
    }
    return true;
}

bool naive_gate_is_hit(const text *phrases, size_t count, semantics s, text t, size_t at)
{
    if (hides_an_escape(t, at))
        return true;
    for (size_t i = 0; i < count; i++)
        if (needs_short_escape(phrases[i]) || phrase_at(t, at, phrases[i], s))
            return true;
    return false;
}

bool naive_gate_may_hold(const text *phrases, size_t count, semantics s, text t)
{
    for (size_t i = 0; i < count; i++)
        if (needs_short_escape(phrases[i]))
            return true;
    for (size_t at = 0; at < t.length; at++)
        if (naive_gate_is_hit(phrases, count, s, t, at))
            return true;
    return false;
}
