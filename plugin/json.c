/* json: thin steps over libfastjson, where its ways differ from KQL's. */
#include "json.h"

#include <libfastjson/json.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

struct json_parser {
    struct fjson_tokener *tokener;
};

json_parser *json_parser_new(int most_depth)
{
    json_parser *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->tokener = fjson_tokener_new_ex(most_depth);
    if (self->tokener == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

void json_parser_free(json_parser *self)
{
    if (self == NULL)
        return;
    fjson_tokener_free(self->tokener);
    free(self);
}

static const char *reason_of(enum fjson_tokener_error error)
{
    switch (error) {
    case fjson_tokener_error_depth:
        return "nested too deep";
    case fjson_tokener_continue:
    case fjson_tokener_error_parse_eof:
        return "cut off";
    default:
        return fjson_tokener_error_desc(error);
    }
}

/*
 * libfastjson looks through all members when it adds one, so an object's cost
 * grows with the square of their number. The text is therefore fed in pieces,
 * and the objects that are open are counted in between. A piece ends behind a
 * comma: no new member comes without one, and no escape or number is cut,
 * which the tokener would not survive (a surrogate pair's halves).
 */
static size_t end_of_piece(text t, size_t begin)
{
    enum { PIECE = 4096 }; /* bytes */
    const char *comma;

    if (t.length - begin <= PIECE)
        return t.length;
    comma = memchr(t.bytes + begin + PIECE, ',', t.length - begin - PIECE);
    return comma ? (size_t)(comma + 1 - t.bytes) : t.length;
}

static bool has_too_many_members(const struct fjson_tokener *tokener)
{
    for (int level = 0; level <= tokener->depth; level++)
        if (json_member_count(tokener->stack[level].current) > JSON_MOST_MEMBERS)
            return true;
    return false;
}

static const char *run_tokener(json_parser *self, text t, json **root, size_t *taken)
{
    fjson_tokener_reset(self->tokener);
    *taken = 0;
    do {
        size_t end = end_of_piece(t, *taken);

        *root = fjson_tokener_parse_ex(self->tokener, t.bytes + *taken, (int)(end - *taken));
        *taken += (size_t)self->tokener->char_offset;
        if (*root != NULL)
            return NULL;
        if (has_too_many_members(self->tokener))
            return "an object with too many members";
    } while (fjson_tokener_get_error(self->tokener) == fjson_tokener_continue && *taken < t.length);
    return reason_of(fjson_tokener_get_error(self->tokener));
}

static size_t skip_string(text t, size_t at)
{
    for (at++; at < t.length && t.bytes[at] != '"'; at++)
        if (t.bytes[at] == '\\')
            at++;
    return at;
}

size_t json_document_length(text t)
{
    size_t depth = 0;

    for (size_t at = 0; at < t.length; at++) {
        char c = t.bytes[at];

        if (c == '"')
            at = skip_string(t, at);
        else if (c == '{' || c == '[')
            depth++;
        else if ((c == '}' || c == ']') && --depth == 0)
            return at + 1;
    }
    return 0;
}

/* The tokener takes a `/` behind a whole document for a comment that goes wrong. */
static bool stumbled_behind(const json_parser *self)
{
    return fjson_tokener_get_error(self->tokener) == fjson_tokener_error_parse_comment &&
           self->tokener->depth == 0;
}

const char *json_parse(json_parser *self, text t, json **root, size_t *taken)
{
    const char *reason;

    *root = NULL;
    *taken = 0;
    if (t.length > INT_MAX)
        return "larger than 2 GB";
    reason = run_tokener(self, t, root, taken);
    if (reason != NULL && stumbled_behind(self))
        reason = run_tokener(self, (text){t.bytes, json_document_length(t)}, root, taken);
    return reason;
}

void json_free(json *root)
{
    fjson_object_put(root);
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

static bool find_member(json *object, const char *key, json **value)
{
    struct fjson_object_iterator at, end;

    if (json_kind_of(object) != JSON_OBJECT)
        return false;
    at = fjson_object_iter_begin(object);
    end = fjson_object_iter_end(object);
    for (; !fjson_object_iter_equal(&at, &end); fjson_object_iter_next(&at)) {
        if (strcmp(fjson_object_iter_peek_name(&at), key) == 0) {
            *value = fjson_object_iter_peek_value(&at);
            return true;
        }
    }
    return false;
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

json *json_at(json *value, const char *path)
{
    enum { LONGEST_KEY = 63 };
    char key[LONGEST_KEY + 1];

    while (value != NULL && *path != '\0') {
        size_t length = strcspn(path, ".");

        if (length > LONGEST_KEY)
            return NULL;
        memcpy(key, path, length);
        key[length] = '\0';
        value = json_member(value, key);
        path += length + (path[length] == '.');
    }
    return value;
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

bool json_nth_member(json *object, size_t n, const char **key, json **value)
{
    struct fjson_object_iterator at;

    if (n >= json_member_count(object))
        return false;
    at = fjson_object_iter_begin(object);
    while (n-- > 0)
        fjson_object_iter_next(&at);
    *key = fjson_object_iter_peek_name(&at);
    *value = fjson_object_iter_peek_value(&at);
    return true;
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

    if (written == NULL)
        out->failed = true;
    else if (isfinite(fjson_object_get_double(value)))
        buffer_append_string(out, written);
    else
        buffer_append_string(out, "null"); /* JSON has no word for them */
}

static void write_array(buffer *out, json *array)
{
    size_t length = json_array_length(array);

    buffer_append_char(out, '[');
    for (size_t i = 0; i < length; i++) {
        json_write_item(out);
        json_write_value(out, json_array_item(array, i));
    }
    buffer_append_char(out, ']');
}

static void write_object(buffer *out, json *object)
{
    struct fjson_object_iterator at = fjson_object_iter_begin(object);
    struct fjson_object_iterator end = fjson_object_iter_end(object);

    buffer_append_char(out, '{');
    for (; !fjson_object_iter_equal(&at, &end); fjson_object_iter_next(&at)) {
        json_write_key(out, fjson_object_iter_peek_name(&at));
        json_write_value(out, fjson_object_iter_peek_value(&at));
    }
    buffer_append_char(out, '}');
}

void json_write_value(buffer *out, json *value)
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
        write_array(out, value);
        break;
    case JSON_OBJECT:
        write_object(out, value);
        break;
    }
}

static bool needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

static void write_escape(buffer *out, unsigned char c)
{
    static const char short_forms[] = "\bb\tt\nn\ff\rr\"\"\\\\";
    char form[8];

    for (const char *pair = short_forms; *pair != '\0'; pair += 2) {
        if ((unsigned char)pair[0] == c) {
            buffer_append_char(out, '\\');
            buffer_append_char(out, pair[1]);
            return;
        }
    }
    snprintf(form, sizeof(form), "\\u%04x", c);
    buffer_append_string(out, form);
}

/* How many bytes from `at` on can be written as they are. */
static size_t plain_run(text t, size_t at)
{
    size_t begin = at;

    while (at < t.length && !needs_escape((unsigned char)t.bytes[at])) {
        int taken = 1;

        if ((unsigned char)t.bytes[at] >= 0x80) {
            ucs4_t c;
            taken = u8_mbtoucr(&c, (const uint8_t *)t.bytes + at, t.length - at);
        }
        if (taken <= 0)
            break;
        at += (size_t)taken;
    }
    return at - begin;
}

void json_write_string(buffer *out, text t)
{
    size_t at = 0;

    buffer_append_char(out, '"');
    while (at < t.length) {
        size_t run = plain_run(t, at);

        buffer_append(out, (text){t.bytes + at, run});
        at += run;
        if (at == t.length)
            break;
        if (needs_escape((unsigned char)t.bytes[at]))
            write_escape(out, (unsigned char)t.bytes[at]);
        else
            buffer_append_string(out, "\xEF\xBF\xBD");
        at++;
    }
    buffer_append_char(out, '"');
}

void json_write_item(buffer *out)
{
    if (out->length > 0 && out->bytes[out->length - 1] != '{' && out->bytes[out->length - 1] != '[')
        buffer_append_char(out, ',');
}

void json_write_key(buffer *out, const char *key)
{
    json_write_item(out);
    json_write_string(out, text_of(key));
    buffer_append_char(out, ':');
}

void json_write_member(buffer *out, const char *key, text value)
{
    json_write_key(out, key);
    json_write_string(out, value);
}
