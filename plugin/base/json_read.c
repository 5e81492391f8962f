/* SPDX-License-Identifier: Apache-2.0 */
/* json_read: values built of tokens, in libfastjson's trees. */
#include <errno.h>
#include <libfastjson/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

#include "base/json_parser.h"
#include "base/json_scan.h"

json_parser *json_parser_new(int most_depth)
{
    json_parser *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->most_depth = most_depth;
    self->hashes = calloc((size_t)most_depth * JSON_MOST_MEMBERS, sizeof(uint64_t));
    self->open = calloc((size_t)most_depth, sizeof(json_open));
    if (self->hashes != NULL && self->open != NULL)
        return self;
    json_parser_free(self);
    return NULL;
}

void json_parser_free(json_parser *self)
{
    if (self == NULL)
        return;
    buffer_free(&self->scratch);
    free(self->hashes);
    free(self->open);
    free(self);
}

bool json_parser_ran_out(const json_parser *self)
{
    return self->out_of_memory;
}

size_t json_parser_repeated_keys(const json_parser *self)
{
    return self->repeated;
}

void json_parser_note_repeated_key(json_parser *self)
{
    self->repeated++;
}

static bool refuse_for_memory(json_scan *r)
{
    r->parser->out_of_memory = true;
    return json_scan_refuse(r, "out of memory");
}

static uint32_t hex_value(const char *digits)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)((digits[i] & 0xF) + (digits[i] > '9' ? 9 : 0));
    return value;
}

static void put_code_point(buffer *out, uint32_t c)
{
    uint8_t bytes[4];
    int length = u8_uctomb(bytes, c, sizeof(bytes));

    if (length > 0)
        buffer_append(out, (text){(const char *)bytes, (size_t)length});
    else
        buffer_append_string(out, "\xEF\xBF\xBD"); /* half of a surrogate pair */
}

/* A \u escape, and the one behind it if both make one character. */
static size_t put_unicode(buffer *out, text t)
{
    uint32_t c = hex_value(t.bytes + 2), low;

    if (c >= 0xD800 && c < 0xDC00 && t.length >= 12 && t.bytes[6] == '\\' && t.bytes[7] == 'u') {
        low = hex_value(t.bytes + 8);
        if (low >= 0xDC00 && low < 0xE000) {
            put_code_point(out, 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00));
            return 12;
        }
    }
    put_code_point(out, c);
    return 6;
}

static size_t put_escape(buffer *out, text t)
{
    static const char plain[] = "\"\"\\\\//b\bf\fn\nr\rt\t";

    if (t.bytes[1] == 'u')
        return put_unicode(out, t);
    for (const char *pair = plain; *pair != '\0'; pair += 2)
        if (pair[0] == t.bytes[1])
            buffer_append_char(out, pair[1]);
    return 2;
}

/* A NUL byte is a blank here too. The bytes that were taken. */
static size_t put_special(buffer *out, text t)
{
    if (t.bytes[0] == '\\')
        return put_escape(out, t);
    buffer_append_char(out, ' ');
    return 1;
}

/* What can be taken as it stands. The inside of a string has a quote in an escape alone. */
static size_t plain_length(text t)
{
    const char *end = t.bytes + t.length, *at = json_skip_plain(t.bytes, end);

    while (at < end && *at == '"')
        at = json_skip_plain(at + 1, end);
    return (size_t)(at - t.bytes);
}

/* Into the scratch buffer: valid escapes undone, NUL bytes as blanks. */
static text decoded(json_parser *parser, const json_inside *string)
{
    buffer *out = &parser->scratch;
    text inside = string->text;

    if (string->is_plain)
        return inside;
    buffer_clear(out);
    while (inside.length > 0) {
        size_t plain = plain_length(inside);

        buffer_append(out, (text){inside.bytes, plain});
        inside = text_from(inside, plain);
        if (inside.length > 0)
            inside = text_from(inside, put_special(out, inside));
    }
    parser->out_of_memory |= buffer_failed(out);
    return buffer_text(out);
}

/* NULL when memory is out. */
static json *new_string(json_parser *parser, const json_inside *inside)
{
    text t = decoded(parser, inside);

    return parser->out_of_memory ? NULL : fjson_object_new_string_len(t.bytes, (int)t.length);
}

static bool take_built(json_scan *r, json *built, json **value)
{
    *value = built;
    return built != NULL || refuse_for_memory(r);
}

static bool read_string_value(json_scan *r, json **value)
{
    json_inside inside;

    if (!json_scan_string(r, &inside))
        return false;
    return take_built(r, new_string(r->parser, &inside), value);
}

/* A whole number that libfastjson has no room for keeps its digits as a text. */
static json *new_number(json_parser *parser, text digits, bool is_whole)
{
    const char *string;
    long long whole;

    buffer_clear(&parser->scratch);
    buffer_append(&parser->scratch, digits);
    string = buffer_string(&parser->scratch);
    if (string == NULL)
        return NULL;
    errno = 0;
    whole = strtoll(string, NULL, 10);
    if (is_whole && errno == 0)
        return fjson_object_new_int64(whole);
    return fjson_object_new_double_s(strtod(string, NULL), string);
}

static bool read_number(json_scan *r, json **value)
{
    const char *begin = r->at;
    bool is_whole;

    if (!json_scan_number(r, &is_whole))
        return false;
    return take_built(r, new_number(r->parser, text_between(begin, r->at), is_whole), value);
}

static bool read_boolean(json_scan *r, bool is_true, json **value)
{
    if (!json_scan_word(r, is_true ? "true" : "false"))
        return false;
    return take_built(r, fjson_object_new_boolean(is_true), value);
}

/* --- objects and arrays --- */

static bool read_value(json_scan *r, json **value);

static bool open_container(json_scan *r)
{
    if (r->depth + 1 >= r->parser->most_depth)
        return json_scan_refuse(r, "nested too deep");
    r->depth++;
    r->at++;
    json_scan_blanks(r);
    return true;
}

/* A NUL is what no key of libfastjson's can hold: JSON_NUL stands for it. */
static const char *key_string(json_parser *parser, const json_inside *inside)
{
    text t = decoded(parser, inside);
    buffer copy = {0};

    if (memchr(t.bytes, '\0', t.length) == NULL) {
        if (inside->is_plain) {
            buffer_clear(&parser->scratch);
            buffer_append(&parser->scratch, t);
        }
        return buffer_string(&parser->scratch);
    }
    for (size_t i = 0; i < t.length; i++) {
        if (t.bytes[i] == '\0')
            buffer_append_string(&copy, JSON_NUL);
        else
            buffer_append_char(&copy, t.bytes[i]);
    }
    buffer_free(&parser->scratch);
    parser->scratch = copy;
    return buffer_string(&parser->scratch);
}

/* Two keys of one hash count as the same: that makes more to be looked at, not less. */
static void note_key(json_scan *r, const char *key, size_t nth)
{
    uint64_t *hashes = r->parser->hashes + (size_t)(r->depth - 1) * JSON_MOST_MEMBERS;
    uint64_t hash = 14695981039346656037u;
    bool known = false;

    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * 1099511628211u;
    for (size_t i = 0; i < nth; i++)
        known |= hashes[i] == hash;
    hashes[nth] = hash;
    r->parser->repeated += known;
}

/* libfastjson says nothing when it has no memory: the count tells. */
static bool put_member(json_scan *r, json *object, const json_inside *inside, size_t nth,
                       json *value)
{
    const char *key = key_string(r->parser, inside);
    size_t before = json_member_count(object);

    if (key != NULL) {
        note_key(r, key, nth);
        fjson_object_object_add_ex(object, key, value, FJSON_OBJECT_ADD_KEY_IS_NEW);
    }
    if (json_member_count(object) > before)
        return true;
    json_free(value);
    return refuse_for_memory(r);
}

static bool read_member(json_scan *r, json *object, size_t nth)
{
    json *value = NULL;
    json_inside inside;

    if (nth == JSON_MOST_MEMBERS)
        return json_scan_refuse(r, "an object with too many members");
    if (!json_scan_string(r, &inside))
        return false;
    if (!json_scan_next_is(r, ':'))
        return json_scan_refuse_here(r);
    if (!read_value(r, &value))
        return false;
    return put_member(r, object, &inside, nth, value);
}

static bool read_members(json_scan *r, json *object)
{
    size_t count = 0;

    if (json_scan_next_is(r, '}'))
        return true;
    do
        if (!read_member(r, object, count++))
            return false;
    while (json_scan_next_is(r, ','));
    return json_scan_next_is(r, '}') || json_scan_refuse_here(r);
}

static bool read_item(json_scan *r, json *array)
{
    json *value = NULL;

    if (!read_value(r, &value))
        return false;
    if (fjson_object_array_add(array, value) == 0)
        return true;
    json_free(value);
    return refuse_for_memory(r);
}

static bool read_items(json_scan *r, json *array)
{
    if (json_scan_next_is(r, ']'))
        return true;
    do
        if (!read_item(r, array))
            return false;
    while (json_scan_next_is(r, ','));
    return json_scan_next_is(r, ']') || json_scan_refuse_here(r);
}

static bool read_container(json_scan *r, bool is_object, json **value)
{
    json *built = NULL;
    bool is_read;

    if (!open_container(r))
        return false;
    if (!take_built(r, is_object ? fjson_object_new_object() : fjson_object_new_array(), &built))
        return false;
    is_read = is_object ? read_members(r, built) : read_items(r, built);
    r->depth--;
    if (is_read)
        *value = built;
    else
        json_free(built);
    return is_read;
}

/* As deep as the parser's bound at most. */
static bool read_value(json_scan *r, json **value)
{
    if (r->at == r->end)
        return json_scan_refuse_here(r);
    switch (*r->at) {
    case '{':
    case '[':
        return read_container(r, *r->at == '{', value);
    case '"':
        return read_string_value(r, value);
    case 't':
    case 'f':
        return read_boolean(r, *r->at == 't', value);
    case 'n':
        return json_scan_word(r, "null");
    default:
        return read_number(r, value);
    }
}

const char *json_build(json_parser *parser, text t, json **root, size_t *taken)
{
    json_scan r = {.parser = parser, .at = t.bytes, .end = t.bytes + t.length};
    const char *reason = NULL;
    size_t repeated = parser->repeated;

    json_scan_blanks(&r);
    if (read_value(&r, root)) {
        json_scan_blanks(&r);
    } else {
        reason = r.reason;
        parser->repeated = repeated; /* there is no document that has them */
    }
    *taken = (size_t)(r.at - t.bytes);
    return reason;
}

json *json_parse_string(json_parser *self, json *string)
{
    text t = json_string(string);
    size_t taken;
    json *value = NULL;

    self->out_of_memory = false;
    if (t.bytes == NULL || t.length > INT_MAX || json_build(self, t, &value, &taken) != NULL)
        return NULL;
    if (taken == t.length)
        return value;
    json_free(value);
    return NULL;
}

json *json_unescape(json_parser *self, text t)
{
    self->out_of_memory = false;
    if (t.length > INT_MAX || json_string_inside(t) < t.length)
        return NULL;
    return new_string(self, &(json_inside){.text = t});
}
