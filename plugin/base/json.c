/* SPDX-License-Identifier: Apache-2.0 */
/* json: thin steps over libfastjson, where its ways differ from KQL's. */
#include "base/json.h"

#include <libfastjson/json.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

bool json_brackets_close(json_brackets *self, text t, size_t until)
{
    while (self->at < until && self->at < t.length) {
        char c = t.bytes[self->at++];

        if (self->in_string && c == '\\') {
            self->at++;
        } else if (c == '"') {
            self->in_string = !self->in_string;
            self->string_begin = self->at - 1;
        } else if (!self->in_string && (c == '{' || c == '[')) {
            self->depth++;
        } else if (!self->in_string && (c == '}' || c == ']') && --self->depth == 0) {
            return true;
        }
    }
    return false;
}

void json_free(json *root)
{
    fjson_object_put(root);
}

json *json_ref(json *value)
{
    return fjson_object_get(value);
}

json *json_new_object(void)
{
    return fjson_object_new_object();
}

/* libfastjson says nothing when it has no memory: the count tells. A copy of the key it would not
 * even check. */
json *json_new_string(text t)
{
    return fjson_object_new_string_len(t.bytes, (int)t.length);
}

bool json_put_member(json *object, const char *key, json *value)
{
    size_t before = json_member_count(object);

    fjson_object_object_add_ex(object, key, value,
                               FJSON_OBJECT_ADD_KEY_IS_NEW | FJSON_OBJECT_KEY_IS_CONSTANT);
    if (json_member_count(object) > before)
        return true;
    json_free(value);
    return false;
}

json_kind json_kind_of(json *value)
{
    switch (fjson_object_get_type(value)) {
    case fjson_type_boolean:
        return JSON_BOOLEAN;
    case fjson_type_double:
    case fjson_type_int:
        return JSON_NUMBER;
    case fjson_type_string:
        return JSON_STRING;
    case fjson_type_array:
        return JSON_ARRAY;
    case fjson_type_object:
        return JSON_OBJECT;
    case fjson_type_null:
    default:
        return JSON_NULL;
    }
}

text json_string(json *value)
{
    if (json_kind_of(value) != JSON_STRING)
        return (text){NULL, 0};
    return (text){fjson_object_get_string(value), (size_t)fjson_object_get_string_len(value)};
}

bool json_is_true(json *value)
{
    return json_kind_of(value) == JSON_BOOLEAN && fjson_object_get_boolean(value);
}

/* Of two members of one key the last counts, as to the engine. */
static bool find_member(json *object, const char *wanted, json **value)
{
    json_members all = json_members_of(object);
    bool found = false;
    const char *key;
    json *member;

    *value = NULL;
    while (json_next_member(&all, &key, &member)) {
        if (*key == *wanted && strcmp(key, wanted) == 0) {
            *value = member;
            found = true;
        }
    }
    return found;
}

json *json_member(json *object, const char *key)
{
    json *value = NULL;

    find_member(object, key, &value);
    return value;
}

bool json_has_member(json *object, const char *key)
{
    json *value;

    return find_member(object, key, &value);
}

static bool has_repeated_key(json *object)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value, *last;

    while (json_next_member(&all, &key, &value))
        if (json_repeats_a_key(value) || (find_member(object, key, &last) && last != value))
            return true;
    return false;
}

/* As deep as the document, which the parser bounds. */
bool json_repeats_a_key(json *value)
{
    size_t length = json_array_length(value);

    for (size_t i = 0; i < length; i++)
        if (json_repeats_a_key(json_array_item(value, i)))
            return true;
    return json_kind_of(value) == JSON_OBJECT && has_repeated_key(value);
}

json *json_member_any_case(json *object, const char *wanted, bool *other_case)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    if (find_member(object, wanted, &value))
        return value;
    while (json_next_member(&all, &key, &value)) {
        if (strcasecmp(key, wanted) == 0) {
            *other_case = true;
            return value;
        }
    }
    return NULL;
}

size_t json_array_length(json *array)
{
    return json_kind_of(array) == JSON_ARRAY ? (size_t)fjson_object_array_length(array) : 0;
}

json *json_array_item(json *array, size_t index)
{
    return fjson_object_array_get_idx(array, (int)index);
}

size_t json_member_count(json *object)
{
    return json_kind_of(object) == JSON_OBJECT ? (size_t)fjson_object_object_length(object) : 0;
}

json_members json_members_of(json *object)
{
    json_members all = {.left = json_member_count(object)};

    if (all.left > 0)
        all.at = fjson_object_iter_begin(object);
    return all;
}

bool json_next_member(json_members *self, const char **key, json **value)
{
    if (self->left == 0)
        return false;
    self->left--;
    *key = fjson_object_iter_peek_name(&self->at);
    *value = fjson_object_iter_peek_value(&self->at);
    fjson_object_iter_next(&self->at);
    return true;
}

bool json_nth_member(json *object, size_t n, const char **key, json **value)
{
    json_members all = json_members_of(object);

    while (json_next_member(&all, key, value))
        if (n-- == 0)
            return true;
    return false;
}

text json_tostring(json *value, arena *memory)
{
    buffer out = {0};
    text copy = {NULL, 0};

    switch (json_kind_of(value)) {
    case JSON_NULL:
        return (text)TEXT("");
    case JSON_STRING:
        return json_string(value);
    default:
        json_write_value(&out, value);
        if (!buffer_failed(&out))
            copy = arena_copy(memory, buffer_text(&out));
        buffer_free(&out);
        return copy;
    }
}

static void write_number(buffer *out, json *value)
{
    const char *written = fjson_object_to_json_string_ext(value, FJSON_TO_STRING_PLAIN);

    if (written == NULL || *written == '\0') /* what it has no memory for, libfastjson leaves out */
        out->failed = true;
    else if (isfinite(fjson_object_get_double(value)))
        buffer_append_string(out, written);
    else
        buffer_append_string(out, "null"); /* JSON has no word for them */
}

static void write_value(buffer *out, json *value, bool last_only);

static void write_array(buffer *out, json *array, bool last_only)
{
    size_t length = json_array_length(array);

    buffer_append_char(out, '[');
    for (size_t i = 0; i < length; i++) {
        json_write_item(out);
        write_value(out, json_array_item(array, i), last_only);
    }
    buffer_append_char(out, ']');
}

static size_t keys_of(json *object, const char *keys[static JSON_MOST_MEMBERS])
{
    json_members all = json_members_of(object);
    size_t count = 0;
    json *value;

    while (count < JSON_MOST_MEMBERS && json_next_member(&all, &keys[count], &value))
        count++;
    return count;
}

static bool is_among(const char *key, const char *const *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (*keys[i] == *key && strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static void write_object(buffer *out, json *object, bool last_only)
{
    const char *keys[JSON_MOST_MEMBERS], *key;
    size_t count = last_only ? keys_of(object, keys) : 0;
    json_members all = json_members_of(object);
    json *value;

    buffer_append_char(out, '{');
    for (size_t n = 1; json_next_member(&all, &key, &value); n++) {
        if (n < count && is_among(key, keys + n, count - n))
            continue;
        json_write_key(out, key);
        write_value(out, value, last_only);
    }
    buffer_append_char(out, '}');
}

static void write_value(buffer *out, json *value, bool last_only)
{
    switch (json_kind_of(value)) {
    case JSON_NULL:
        buffer_append_string(out, "null");
        break;
    case JSON_BOOLEAN:
        buffer_append_string(out, fjson_object_get_boolean(value) ? "true" : "false");
        break;
    case JSON_NUMBER:
        write_number(out, value);
        break;
    case JSON_STRING:
        json_write_string(out, json_string(value));
        break;
    case JSON_ARRAY:
        write_array(out, value, last_only);
        break;
    case JSON_OBJECT:
        write_object(out, value, last_only);
        break;
    }
}

void json_write_value(buffer *out, json *value)
{
    write_value(out, value, false);
}

void json_write_last(buffer *out, json *value)
{
    write_value(out, value, true);
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

enum { LONGEST_ESCAPE = 6 }; /* bytes */

/* What stands for a byte that needs one, or that is no character; its length. */
static size_t put_escape(char *room, unsigned char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\tt\nn\ff\rr", digits[] = "0123456789abcdef";

    if (!needs_escape(c)) {
        memcpy(room, "\xEF\xBF\xBD", 3);
        return 3;
    }
    for (const char *pair = short_forms; *pair != '\0'; pair += 2) {
        if ((unsigned char)pair[0] == c) {
            room[0] = '\\';
            room[1] = pair[1];
            return 2;
        }
    }
    memcpy(room, "\\u00", 4);
    room[4] = digits[c >> 4];
    room[5] = digits[c & 0xF];
    return LONGEST_ESCAPE;
}

/*
 * Of eight bytes, where the first stands that is beyond ASCII or to be escaped; 8: none is. A top
 * bit marks it: it is set, or comes to be where the byte is made 0 by what it may not be, or is
 * too small. Behind the first mark others may be wrong.
 */
static size_t plain_of_eight(const char *bytes)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones * 0x80;
    uint64_t eight, quotes, backslashes, odd;

    memcpy(&eight, bytes, sizeof(eight));
    eight = le64toh(eight);
    quotes = eight ^ (ones * '"');
    backslashes = eight ^ (ones * '\\');
    odd = (eight | (eight - ones * 0x20) | (quotes - ones) | (backslashes - ones)) & tops;
    return odd == 0 ? 8 : (size_t)__builtin_ctzll(odd) / 8;
}

/* How many bytes at its begin are ASCII without anything to escape. */
static size_t plain_ascii(text t)
{
    size_t at = 0, plain = 8;

    while (plain == 8 && t.length - at >= 8) {
        plain = plain_of_eight(t.bytes + at);
        at += plain;
    }
    if (plain < 8 || at == t.length)
        return at;
    if (t.length >= 8) /* what lies before `at` is known */
        return t.length - 8 + plain_of_eight(t.bytes + t.length - 8);
    while (at < t.length && !needs_escape((unsigned char)t.bytes[at]) &&
           (unsigned char)t.bytes[at] < 0x80)
        at++;
    return at;
}

/* The same with all whole characters beyond ASCII. */
static size_t plain_run(text t)
{
    size_t at = 0;

    while (t.length > 0) { /* else its bytes may be NULL */
        ucs4_t c;
        int taken;

        at += plain_ascii(text_from(t, at));
        if (at == t.length || needs_escape((unsigned char)t.bytes[at]))
            break;
        taken = u8_mbtoucr(&c, (const uint8_t *)t.bytes + at, t.length - at);
        if (taken <= 0)
            break;
        at += (size_t)taken;
    }
    return at;
}

static void write_inside(buffer *out, text t)
{
    while (t.length > 0) {
        size_t run = plain_run(t);
        char *room = buffer_room(out, run + LONGEST_ESCAPE);

        if (room == NULL)
            return;
        memcpy(room, t.bytes, run);
        out->length += run;
        t = text_from(t, run);
        if (t.length == 0)
            return;
        out->length += put_escape(room + run, (unsigned char)t.bytes[0]);
        t = text_from(t, 1);
    }
}

/* Most strings have nothing to escape. */
static void write_plain_string(buffer *out, text t)
{
    char *room = buffer_room(out, t.length + 2);

    if (room == NULL)
        return;
    room[0] = '"';
    if (t.length > 0)
        memcpy(room + 1, t.bytes, t.length);
    room[t.length + 1] = '"';
    out->length += t.length + 2;
}

void json_write_string(buffer *out, text t)
{
    if (plain_run(t) == t.length) {
        write_plain_string(out, t);
        return;
    }
    buffer_append_char(out, '"');
    write_inside(out, t);
    buffer_append_char(out, '"');
}

void json_write_item(buffer *out)
{
    if (out->length > 0 && out->bytes[out->length - 1] != '{' && out->bytes[out->length - 1] != '[')
        buffer_append_char(out, ',');
}

/* A key that holds a NUL; seldom enough to be written piece by piece. */
static void write_key_with_nul(buffer *out, const char *key, const char *nul)
{
    buffer_append_char(out, '"');
    for (; nul != NULL; nul = strstr(key, JSON_NUL)) {
        write_inside(out, text_between(key, nul));
        buffer_append_string(out, "\\u0000");
        key = nul + strlen(JSON_NUL);
    }
    write_inside(out, text_of(key));
    buffer_append_char(out, '"');
}

void json_write_key(buffer *out, const char *key)
{
    const char *nul = strstr(key, JSON_NUL);

    json_write_item(out);
    if (nul == NULL)
        json_write_string(out, text_of(key));
    else
        write_key_with_nul(out, key, nul);
    buffer_append_char(out, ':');
}

void json_write_member(buffer *out, const char *key, text value)
{
    json_write_key(out, key);
    json_write_string(out, value);
}
