/* SPDX-License-Identifier: Apache-2.0 */
/* kql: code points compared one by one, each folded by itself. */
#include "base/kql.h"

#include <stdint.h>
#include <unicase.h>
#include <unictype.h>
#include <unistr.h>

enum { LONG_S = 0x017F, KELVIN_SIGN = 0x212A };

static bool is_ascii(ucs4_t c)
{
    return c < 0x80;
}

static ucs4_t fold_ascii(ucs4_t c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

/*
 * Simple case folding: upper case first, so that all lower forms of one
 * letter (final sigma) meet. The engine keeps letters that are not ASCII out
 * of ASCII: neither U+017F, U+212A nor U+0130 and U+0131 become s, k or i.
 */
static ucs4_t fold(ucs4_t c, semantics s)
{
    ucs4_t folded;

    if (is_ascii(c))
        return fold_ascii(c);
    if (s == SEMANTICS_WIDE && c == LONG_S)
        return 's';
    if (s == SEMANTICS_WIDE && c == KELVIN_SIGN)
        return 'k';
    folded = uc_toupper(c);
    folded = uc_tolower(is_ascii(folded) ? c : folded);
    return is_ascii(folded) ? c : folded;
}

/* The code point at `at` (< t.length) and how many bytes it takes. */
static size_t code_point_at(text t, size_t at, ucs4_t *c)
{
    unsigned char first = (unsigned char)t.bytes[at];
    int taken;

    if (first < 0x80) {
        *c = first;
        return 1;
    }
    taken = u8_mbtoucr(c, (const uint8_t *)t.bytes + at, t.length - at);
    if (taken > 0)
        return (size_t)taken;
    *c = 0xFFFD;
    return 1;
}

static bool is_alphanumeric(ucs4_t c)
{
    if (is_ascii(c))
        return (c >= '0' && c <= '9') || (fold_ascii(c) >= 'a' && fold_ascii(c) <= 'z');
    return uc_is_general_category_withtable(c, UC_CATEGORY_MASK_L | UC_CATEGORY_MASK_Nd);
}

/* Does a neighbour of this kind keep an occurrence from being a word of its own? */
static bool joins(ucs4_t c, semantics s)
{
    return is_alphanumeric(c) && (s == SEMANTICS_KQL || is_ascii(c));
}

static ucs4_t first_code_point(text t)
{
    ucs4_t c;

    code_point_at(t, 0, &c);
    return c;
}

/* The code point that ends right before `end` (> 0). */
static ucs4_t last_code_point(text t, size_t end)
{
    ucs4_t c = 0xFFFD;

    if ((unsigned char)t.bytes[end - 1] < 0x80)
        return (unsigned char)t.bytes[end - 1];
    u8_prev(&c, (const uint8_t *)t.bytes + end, (const uint8_t *)t.bytes);
    return c;
}

/* If right stands in left at `at`, the offset behind it; else 0. right is not empty. */
static size_t match_at(text left, size_t at, text right, semantics s)
{
    size_t r = 0;

    while (r < right.length) {
        ucs4_t a, b;

        if (at >= left.length)
            return 0;
        a = (unsigned char)left.bytes[at];
        b = (unsigned char)right.bytes[r];
        if (is_ascii(a | b)) { /* nearly always */
            at++;
            r++;
        } else {
            at += code_point_at(left, at, &a);
            r += code_point_at(right, r, &b);
        }
        if (a != b && fold(a, s) != fold(b, s))
            return 0;
    }
    return at;
}

/*
 * Where right may stand in left from `at` on: an ASCII letter that right does
 * not begin with is passed over. Letters beyond ASCII may fold to its first.
 */
static size_t next_place(text left, size_t at, text right)
{
    ucs4_t first = (unsigned char)right.bytes[0];

    while (is_ascii(first) && at < left.length) {
        ucs4_t c = (unsigned char)left.bytes[at];

        if (!is_ascii(c) || c == first || fold_ascii(c) == fold_ascii(first))
            break;
        at++;
    }
    return at;
}

/* An edge is free when right's own character there is a separator or the neighbour is. */
static bool edges_are_free(text left, size_t begin, size_t end, text right, semantics s)
{
    if (begin > 0 && is_alphanumeric(first_code_point(right)) &&
        joins(last_code_point(left, begin), s))
        return false;
    return end == left.length || !is_alphanumeric(last_code_point(right, right.length)) ||
           !joins(first_code_point(text_from(left, end)), s);
}

static bool occurs(text left, text right, bool as_words, semantics s)
{
    size_t at;
    ucs4_t c;

    if (right.length == 0)
        return true;
    for (at = next_place(left, 0, right); at < left.length; at = next_place(left, at, right)) {
        size_t end = match_at(left, at, right, s);

        if (end > 0 && (!as_words || edges_are_free(left, at, end, right, s)))
            return true;
        at += code_point_at(left, at, &c);
    }
    return false;
}

bool kql_has(text left, text right, semantics s)
{
    return occurs(left, right, true, s);
}

bool kql_contains(text left, text right, semantics s)
{
    return occurs(left, right, false, s);
}

/* The first place from `at` on where right stands byte by byte, or left.length + 1. */
static size_t find_exactly(text left, size_t at, text right)
{
    const char *found = at + right.length <= left.length
                            ? memmem(left.bytes + at, left.length - at, right.bytes, right.length)
                            : NULL;

    return found != NULL ? (size_t)(found - left.bytes) : left.length + 1;
}

bool kql_has_cs(text left, text right, semantics s)
{
    size_t at;

    if (right.length == 0)
        return true;
    for (at = find_exactly(left, 0, right); at <= left.length;
         at = find_exactly(left, at + 1, right))
        if (edges_are_free(left, at, at + right.length, right, s))
            return true;
    return false;
}

/* Folding may change a letter's length in bytes, so every place that right may begin at is tried.
 */
bool kql_endswith(text left, text right, semantics s)
{
    size_t at = left.length;
    ucs4_t c;

    if (right.length == 0)
        return true;
    while (at > 0) {
        const uint8_t *before =
            u8_prev(&c, (const uint8_t *)left.bytes + at, (const uint8_t *)left.bytes);

        at = before != NULL ? (size_t)(before - (const uint8_t *)left.bytes) : at - 1;
        if (match_at(left, at, right, s) == left.length)
            return true;
        if (left.length - at > right.length * 4)
            return false;
    }
    return false;
}

bool kql_startswith(text left, text right, semantics s)
{
    return right.length == 0 || match_at(left, 0, right, s) > 0;
}

bool kql_equals(text left, text right, semantics s)
{
    return kql_compare(left, right, s) == 0;
}

int kql_compare(text left, text right, semantics s)
{
    size_t l = 0, r = 0;

    while (l < left.length && r < right.length) {
        ucs4_t a, b;

        l += code_point_at(left, l, &a);
        r += code_point_at(right, r, &b);
        a = fold(a, s);
        b = fold(b, s);
        if (a != b)
            return a < b ? -1 : 1;
    }
    return (l < left.length) - (r < right.length);
}

void kql_fold(text t, semantics s, buffer *out)
{
    for (size_t at = 0; at < t.length;) {
        uint8_t bytes[6];
        ucs4_t c;
        int length;

        at += code_point_at(t, at, &c);
        length = u8_uctomb(bytes, fold(c, s), sizeof(bytes));
        buffer_append(out, (text){(const char *)bytes, length > 0 ? (size_t)length : 0});
    }
}
