/* SPDX-License-Identifier: Apache-2.0 */
/* json_scan: bytes are skipped by eights in strings, and one by one between tokens. */
#include "base/json_scan.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

bool json_scan_refuse_here(json_scan *r)
{
    return json_scan_refuse(r, r->at == r->end ? "cut off" : "no JSON");
}

static bool is_octal(char c)
{
    return c >= '0' && c <= '7';
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* How many digits t begins with of a control character's number: 3 octal ones below 040. */
static size_t octal_control(const char *at, const char *end)
{
    return end - at >= 3 && at[0] == '0' && at[1] >= '0' && at[1] <= '3' && is_octal(at[2]) ? 3 : 0;
}

/* An x or a u, and that number in hexadecimal. */
static size_t hex_control(const char *at, const char *end)
{
    size_t zeros = at < end && *at == 'u' ? 3 : 1;

    if ((size_t)(end - at) < zeros + 2 || (*at != 'x' && *at != 'u'))
        return 0;
    for (size_t i = 1; i < zeros; i++)
        if (at[i] != '0')
            return 0;
    return (at[zeros] == '0' || at[zeros] == '1') && is_hex(at[zeros + 1]) ? zeros + 2 : 0;
}

/*
 * A control character as a transport wrote it: "#012" (rsyslog), "#x0a",
 * and in C's way "\n", "\012", "\x0a", "\u000a", each transport doubling the
 * backslashes. 0: there is none.
 */
static size_t escape_length(const char *begin, const char *end)
{
    const char *at = begin;
    size_t digits;

    while (at < end && *at == '\\')
        at++;
    if (at == begin && *at == '#')
        at++;
    if (at == begin || at == end)
        return 0;
    digits = octal_control(at, end);
    digits = digits > 0 ? digits : hex_control(at, end);
    if (digits == 0 && *begin == '\\' && *at != '\0' && strchr("abefnrtv0", *at) != NULL)
        digits = 1;
    return digits > 0 ? (size_t)(at - begin) + digits : 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\0';
}

void json_scan_many_blanks(json_scan *r)
{
    size_t escape;

    do {
        while (r->at < r->end && is_blank(*r->at))
            r->at++;
        escape =
            r->at < r->end && (*r->at == '#' || *r->at == '\\') ? escape_length(r->at, r->end) : 0;
        r->at += escape;
    } while (escape > 0);
}

size_t json_blanks(text t)
{
    json_scan r = {.at = t.bytes, .end = t.bytes + t.length};

    json_scan_blanks(&r);
    return (size_t)(r.at - t.bytes);
}

/* How long the escape is that begins here; 0: it is none. */
static size_t string_escape_length(const char *at, const char *end)
{
    if (end - at < 2 || at[1] == '\0')
        return 0;
    if (at[1] != 'u')
        return strchr("\"\\/bfnrt", at[1]) != NULL ? 2 : 0;
    if (end - at < 6)
        return 0;
    for (int i = 2; i < 6; i++)
        if (!is_hex(at[i]))
            return 0;
    return 6;
}

/* Which of eight bytes are that one? The highest bit of each; those behind the first may lie. */
static inline uint64_t equal_bytes(uint64_t word, char c)
{
    const uint64_t low = UINT64_C(0x0101010101010101), high = UINT64_C(0x8080808080808080);
    uint64_t other = word ^ low * (unsigned char)c;

    return (other - low) & ~other & high;
}

static bool is_plain(char c)
{
    return c != '"' && c != '\\' && c != '\0';
}

const char *json_skip_plain(const char *at, const char *end)
{
    for (uint64_t word; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        uint64_t found;

        memcpy(&word, at, sizeof(word));
        word = le64toh(word);
        found = equal_bytes(word, '"') | equal_bytes(word, '\\') | equal_bytes(word, '\0');
        if (found != 0)
            return at + __builtin_ctzll(found) / 8;
    }
    while (at < end && is_plain(*at))
        at++;
    return at;
}

/* The quote that ends the string whose inside begins here, the escape that is none, or the end. */
static const char *string_end(const char *at, const char *end)
{
    for (at = json_skip_plain(at, end); at < end && *at != '"'; at = json_skip_plain(at, end)) {
        size_t escape = *at == '\\' ? string_escape_length(at, end) : 1;

        if (escape == 0)
            return at;
        at += escape;
    }
    return at;
}

size_t json_string_inside(text t)
{
    return (size_t)(string_end(t.bytes, t.bytes + t.length) - t.bytes);
}

bool json_scan_string(json_scan *r, json_inside *inside)
{
    const char *begin = r->at + 1;

    if (r->at == r->end || *r->at != '"')
        return json_scan_refuse_here(r);
    r->at = json_skip_plain(begin, r->end);
    inside->is_plain = r->at < r->end && *r->at == '"';
    if (!inside->is_plain)
        r->at = string_end(r->at, r->end);
    if (r->at < r->end && *r->at == '\\' && r->end - r->at < 6)
        return json_scan_refuse(r, "cut off");
    if (r->at == r->end || *r->at != '"')
        return json_scan_refuse_here(r);
    inside->text = text_between(begin, r->at++);
    return true;
}

static bool skip_digits(json_scan *r)
{
    const char *begin = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > begin || json_scan_refuse_here(r);
}

static bool skip_one_of(json_scan *r, const char *set)
{
    if (r->at == r->end || *r->at == '\0' || strchr(set, *r->at) == NULL)
        return false;
    r->at++;
    return true;
}

bool json_scan_number(json_scan *r, bool *is_whole)
{
    skip_one_of(r, "-");
    if (!skip_one_of(r, "0") && !skip_digits(r))
        return false;
    *is_whole = true;
    if (skip_one_of(r, ".")) {
        *is_whole = false;
        if (!skip_digits(r))
            return false;
    }
    if (skip_one_of(r, "eE")) {
        *is_whole = false;
        skip_one_of(r, "+-");
        return skip_digits(r);
    }
    return true;
}

bool json_scan_word(json_scan *r, const char *word)
{
    while (*word != '\0' && r->at < r->end && *r->at == *word) {
        r->at++;
        word++;
    }
    return *word == '\0' || json_scan_refuse_here(r);
}
