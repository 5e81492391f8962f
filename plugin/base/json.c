/* SPDX-License-Identifier: Apache-2.0 */
/* json: thin steps over libfastjson, where its ways differ from KQL's. */
#include "base/json.h"

#include <ctype.h>
#include <libfastjson/json.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

enum { ATTEMPT = 512 }; /* bytes that could be read in the time that the tokener takes to begin */

struct json_parser {
    struct fjson_tokener *tokener;
    size_t cost;        /* bytes that the last json_parse read in vain */
    bool out_of_memory; /* the last value was not parsed for that */
};

/* libfastjson does not look whether it got the tokener's buffer. */
static struct fjson_tokener *tokener_new(int most_depth)
{
    struct fjson_tokener *tokener = fjson_tokener_new_ex(most_depth);

    if (tokener == NULL || tokener->pb != NULL)
        return tokener;
    fjson_tokener_free(tokener);
    return NULL;
}

json_parser *json_parser_new(int most_depth)
{
    json_parser *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->tokener = tokener_new(most_depth);
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
 * byte of which there are many and that is no part of a number or an escape:
 * the tokener would not survive to be cut there (a surrogate pair's halves).
 */
enum { PIECE = 4096 }; /* bytes */

static size_t end_of_piece(text t, size_t begin)
{
    size_t at = begin + PIECE;

    if (t.length - begin <= PIECE)
        return t.length;
    while (at < t.length && (t.bytes[at] == '\0' || strchr(" ,:\"[]{}", t.bytes[at]) == NULL))
        at++;
    return at < t.length ? at + 1 : t.length;
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
        if (end - *taken > PIECE)
            self->cost += end - *taken - PIECE; /* the search for the end */
        *taken += (size_t)self->tokener->char_offset;
        self->cost += (size_t)self->tokener->char_offset;
        if (*root != NULL)
            return NULL;
        if (has_too_many_members(self->tokener))
            return "an object with too many members";
    } while (fjson_tokener_get_error(self->tokener) == fjson_tokener_continue && *taken < t.length);
    return reason_of(fjson_tokener_get_error(self->tokener));
}

bool json_brackets_close(json_brackets *self, text t, size_t until)
{
    while (self->at < until && self->at < t.length) {
        char c = t.bytes[self->at++];

        if (self->in_string && c == '\\')
            self->at++;
        else if (c == '"')
            self->in_string = !self->in_string;
        else if (!self->in_string && (c == '{' || c == '['))
            self->depth++;
        else if (!self->in_string && (c == '}' || c == ']') && --self->depth == 0)
            return true;
    }
    return false;
}

size_t json_document_length(text t)
{
    json_brackets all = {0};

    return json_brackets_close(&all, t, t.length) ? all.at : 0;
}

/* The tokener takes a `/` behind a whole document for a comment, and may go wrong in that. */
static bool stumbled_behind(const json_parser *self)
{
    switch (self->tokener->stack[0].state) {
    case fjson_tokener_state_comment_start:
    case fjson_tokener_state_comment:
    case fjson_tokener_state_comment_eol:
    case fjson_tokener_state_comment_end:
        return self->tokener->depth == 0;
    default:
        return false;
    }
}

/* A slash is rare in JSON, so this costs little; memmem for two bytes costs a tenth of a parse. */
static bool may_hold_comment(text t)
{
    const char *at = t.bytes, *end = t.bytes + t.length;

    while ((at = memchr(at, '/', (size_t)(end - at))) != NULL && ++at < end)
        if (*at == '/' || *at == '*')
            return true;
    return false;
}

/* Does the document end before what was taken? Then that held a comment, and perhaps a record. */
static size_t without_comment_behind(text t, size_t taken)
{
    size_t length;

    if (!may_hold_comment((text){t.bytes, taken}))
        return taken;
    length = json_document_length((text){t.bytes, taken});
    return length > 0 && length < taken ? length : taken;
}

/*
 * Can what follows the opening bracket follow it at all? Spares the tokener
 * most of the brackets that are no JSON; how deep arrays may nest, it knows.
 */
static bool may_be_document(text t)
{
    const char *first = t.bytes[0] == '{' ? "\"'}/" : "[{\"'-0123456789tfnTFNiI]/";
    size_t at = 1;

    while (at < t.length && isspace((unsigned char)t.bytes[at]))
        at++;
    if (at == t.length)
        return true; /* cut off here */
    return t.bytes[at] != '\0' && strchr(first, t.bytes[at]) != NULL;
}

static bool is_too_deep(text t)
{
    return t.length >= JSON_MOST_DEPTH && t.bytes[0] == '[' &&
           memcmp(t.bytes, t.bytes + 1, JSON_MOST_DEPTH - 1) == 0;
}

const char *json_parse(json_parser *self, text t, json **root, size_t *taken)
{
    const char *reason;
    size_t in_vain = 0;

    *root = NULL;
    *taken = 1;
    self->cost = 1;
    if (t.length > INT_MAX)
        return "larger than 2 GB";
    if (!may_be_document(t))
        return "no JSON";
    if (is_too_deep(t))
        return "nested too deep";
    self->cost = ATTEMPT;
    reason = run_tokener(self, t, root, taken);
    if (reason != NULL && stumbled_behind(self)) {
        in_vain = self->cost;
        t.length = json_document_length((text){t.bytes, *taken});
        reason = run_tokener(self, t, root, taken);
    } else if (reason == NULL) {
        in_vain = *taken;
        *taken = without_comment_behind(t, *taken);
        in_vain -= *taken;
    }
    if (reason == NULL)
        self->cost = in_vain;
    return reason;
}

size_t json_parse_cost(const json_parser *self)
{
    return self->cost;
}

void json_free(json *root)
{
    fjson_object_put(root);
}

json *json_ref(json *value)
{
    return fjson_object_get(value);
}

/* The parser takes documents only: an array of one value is made of these texts. */
static json *parse_value(json_parser *self, text before, text t, text behind)
{
    buffer wrapped = {0};
    json *array = NULL, *value = NULL;
    size_t taken;

    buffer_append(&wrapped, before);
    buffer_append(&wrapped, t);
    buffer_append(&wrapped, behind);
    self->out_of_memory = buffer_failed(&wrapped);
    if (!self->out_of_memory && json_parse(self, buffer_text(&wrapped), &array, &taken) == NULL &&
        taken == wrapped.length && json_array_length(array) == 1)
        value = json_ref(json_array_item(array, 0));
    json_free(array);
    buffer_free(&wrapped);
    return value;
}

json *json_parse_string(json_parser *self, json *string)
{
    self->out_of_memory = false;
    if (json_kind_of(string) != JSON_STRING)
        return NULL;
    return parse_value(self, (text)TEXT("["), json_string(string), (text)TEXT("]"));
}

json *json_unescape(json_parser *self, text t)
{
    return parse_value(self, (text)TEXT("[\""), t, (text)TEXT("\"]"));
}

bool json_parser_ran_out(const json_parser *self)
{
    return self->out_of_memory;
}

json *json_new_object(void)
{
    return fjson_object_new_object();
}

/* libfastjson says nothing when it has no memory: the count tells. A copy of the key it would not
 * even check. */
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

static bool find_member(json *object, const char *wanted, json **value)
{
    json_members all = json_members_of(object);
    const char *key;

    while (json_next_member(&all, &key, value))
        if (strcmp(key, wanted) == 0)
            return true;
    *value = NULL;
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

enum { LONGEST_KEY = 63 };

/* Takes the path's first step off it; false when it is longer than any key of ours. */
static bool next_step(const char **path, char key[static LONGEST_KEY + 1])
{
    size_t length = strcspn(*path, ".");

    if (length > LONGEST_KEY)
        return false;
    memcpy(key, *path, length);
    key[length] = '\0';
    *path += length + ((*path)[length] == '.');
    return true;
}

json *json_at(json *value, const char *path)
{
    char key[LONGEST_KEY + 1];

    while (value != NULL && *path != '\0')
        value = next_step(&path, key) ? json_member(value, key) : NULL;
    return value;
}

json *json_at_any_case(json *value, const char *path, bool *other_case)
{
    char key[LONGEST_KEY + 1];

    while (value != NULL && *path != '\0')
        value = next_step(&path, key) ? json_member_any_case(value, key, other_case) : NULL;
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
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    buffer_append_char(out, '{');
    while (json_next_member(&all, &key, &value)) {
        json_write_key(out, key);
        json_write_value(out, value);
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
