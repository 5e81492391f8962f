/* SPDX-License-Identifier: Apache-2.0 */
/* json_reader: JSON texts read into the arena, with no share of libfastjson's trees to give back.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistr.h>

#include "kql/value.h"

enum { MOST_DEPTH = 64, MOST_NUMBER = 64 };

typedef struct reader {
    text left;
    arena *memory;
    unsigned depth;
    bool out_of_memory;
} reader;

static bool read_value(reader *r, kql_value *value);

static void skip_blanks(reader *r)
{
    while (r->left.length > 0 && memchr(" \t\r\n", r->left.bytes[0], 4) != NULL)
        r->left = text_from(r->left, 1);
}

static char next_char(const reader *r)
{
    return r->left.length > 0 ? r->left.bytes[0] : '\0';
}

static bool take(reader *r, char c)
{
    if (r->left.length == 0 || r->left.bytes[0] != c)
        return false;
    r->left = text_from(r->left, 1);
    return true;
}

static bool take_word(reader *r, const char *word, kql_value value, kql_value *result)
{
    size_t length = strlen(word);

    if (r->left.length < length || memcmp(r->left.bytes, word, length) != 0)
        return false;
    r->left = text_from(r->left, length);
    *result = value;
    return true;
}

/* --- strings --- */

static bool read_hex(reader *r, ucs4_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdef";
        char c = next_char(r);
        const char *at =
            c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

        if (at == NULL)
            return false;
        *unit = *unit * 16 + (ucs4_t)(at - digits);
        r->left = text_from(r->left, 1);
    }
    return true;
}

static bool is_half(ucs4_t unit, ucs4_t first)
{
    return unit >= first && unit < first + 0x400;
}

/* \u is taken; a half of a pair that stands alone becomes U+FFFD. */
static bool read_code_point(reader *r, char **out)
{
    ucs4_t unit, second;
    reader ahead;
    int length;

    if (!read_hex(r, &unit))
        return false;
    ahead = *r;
    if (is_half(unit, 0xD800) && take(&ahead, '\\') && take(&ahead, 'u') &&
        read_hex(&ahead, &second) && is_half(second, 0xDC00)) {
        *r = ahead;
        unit = 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
    }
    length = u8_uctomb((uint8_t *)*out, unit, 6);
    if (length < 0)
        length = u8_uctomb((uint8_t *)*out, 0xFFFD, 6);
    *out += length;
    return true;
}

static bool read_escape(reader *r, char **out)
{
    static const char written[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = next_char(r);
    const char *at = c != '\0' ? strchr(written, c) : NULL;

    if (take(r, 'u'))
        return read_code_point(r, out);
    if (at == NULL)
        return false;
    r->left = text_from(r->left, 1);
    *(*out)++ = meant[at - written];
    return true;
}

/* Where the string that has begun ends: its closing quote, or NULL. */
static const char *end_of_string(const reader *r, bool *has_escapes)
{
    *has_escapes = false;
    for (size_t i = 0; i < r->left.length; i++) {
        if (r->left.bytes[i] == '"')
            return r->left.bytes + i;
        if ((unsigned char)r->left.bytes[i] < ' ')
            return NULL;
        if (r->left.bytes[i] == '\\') {
            *has_escapes = true;
            i++;
        }
    }
    return NULL;
}

/* An escape is never shorter than what it means. The opening quote is taken. */
static bool read_string(reader *r, text *result)
{
    bool has_escapes;
    const char *end = end_of_string(r, &has_escapes);
    char *room, *out;

    if (end == NULL)
        return false;
    room = arena_alloc(r->memory, (size_t)(end - r->left.bytes) + 1);
    r->out_of_memory |= room == NULL;
    if (room == NULL)
        return false;
    for (out = room; r->left.bytes < end;) {
        if (!take(r, '\\')) {
            *out++ = r->left.bytes[0];
            r->left = text_from(r->left, 1);
        } else if (!read_escape(r, &out)) {
            return false;
        }
    }
    *out = '\0';
    *result = text_between(room, out);
    return take(r, '"');
}

/* --- numbers --- */

static size_t take_digits(reader *r)
{
    size_t count = 0;

    while (next_char(r) >= '0' && next_char(r) <= '9') {
        r->left = text_from(r->left, 1);
        count++;
    }
    return count;
}

/* RFC 8259's number; *is_whole when it has neither fraction nor exponent. */
static bool take_number(reader *r, bool *is_whole)
{
    *is_whole = true;
    take(r, '-');
    if (!take(r, '0') && take_digits(r) == 0)
        return false;
    if (take(r, '.')) {
        *is_whole = false;
        if (take_digits(r) == 0)
            return false;
    }
    if (take(r, 'e') || take(r, 'E')) {
        *is_whole = false;
        if (!take(r, '+'))
            take(r, '-');
        return take_digits(r) > 0;
    }
    return true;
}

static bool read_number(reader *r, kql_value *value)
{
    const char *begin = r->left.bytes;
    char written[MOST_NUMBER];
    size_t length;
    bool is_whole;

    if (!take_number(r, &is_whole))
        return false;
    length = (size_t)(r->left.bytes - begin);
    if (length >= sizeof(written))
        return false;
    memcpy(written, begin, length);
    written[length] = '\0';
    errno = 0;
    *value = kql_number(KIND_LONG, is_whole ? strtoll(written, NULL, 10) : 0);
    if (!is_whole || errno == ERANGE)
        *value = (kql_value){.kind = KIND_REAL, .real = strtod(written, NULL)};
    return true;
}

/* --- arrays and objects --- */

/* Items of a list under way, whose number is known at its end only. */
typedef struct list {
    kql_item *items;
    size_t count;
    size_t room;
} list;

static bool append(reader *r, list *l, kql_item item)
{
    if (l->count == l->room) {
        size_t room = l->room > 0 ? l->room * 2 : 8;
        kql_item *items = arena_alloc(r->memory, room * sizeof(kql_item));

        r->out_of_memory |= items == NULL;
        if (items == NULL)
            return false;
        if (l->count > 0)
            memcpy(items, l->items, l->count * sizeof(kql_item));
        l->items = items;
        l->room = room;
    }
    l->items[l->count++] = item;
    return true;
}

static bool read_item(reader *r, bool has_keys, list *l)
{
    kql_item item = {.key = TEXT("")};

    skip_blanks(r);
    if (has_keys) {
        if (!take(r, '"') || !read_string(r, &item.key))
            return false;
        skip_blanks(r);
        if (!take(r, ':'))
            return false;
    }
    if (!read_value(r, &item.value))
        return false;
    skip_blanks(r);
    return append(r, l, item);
}

/* The opening bracket is taken. */
static bool read_items(reader *r, kql_kind kind, kql_value *value)
{
    char end = kind == KIND_BAG ? '}' : ']';
    list l = {0};

    skip_blanks(r);
    if (!take(r, end)) {
        do {
            if (!read_item(r, kind == KIND_BAG, &l))
                return false;
        } while (take(r, ','));
        if (!take(r, end))
            return false;
    }
    *value = (kql_value){.kind = kind, .tree = NULL, .items = l.items, .count = l.count};
    return true;
}

static bool read_list(reader *r, kql_value *value)
{
    kql_kind kind = take(r, '{') ? KIND_BAG : KIND_ARRAY;
    bool read;

    if (kind == KIND_ARRAY && !take(r, '['))
        return false;
    if (r->depth == MOST_DEPTH)
        return false;
    r->depth++;
    read = read_items(r, kind, value);
    r->depth--;
    return read;
}

static bool read_value(reader *r, kql_value *value)
{
    text string;

    skip_blanks(r);
    if (take(r, '"')) {
        if (!read_string(r, &string))
            return false;
        *value = kql_string(string);
        return true;
    }
    if (next_char(r) == '-' || (next_char(r) >= '0' && next_char(r) <= '9'))
        return read_number(r, value);
    return take_word(r, "true", kql_bool(true), value) ||
           take_word(r, "false", kql_bool(false), value) ||
           take_word(r, "null", kql_null(), value) || read_list(r, value);
}

kql_reading kql_read_json(text t, arena *memory, kql_value *value)
{
    reader r = {.left = t, .memory = memory};
    bool read = read_value(&r, value);

    skip_blanks(&r);
    if (r.out_of_memory)
        return KQL_OUT_OF_MEMORY;
    return read && r.left.length == 0 ? KQL_READ : KQL_NO_JSON;
}
