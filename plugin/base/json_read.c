/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read: RFC 8259's grammar over bytes, to look or to build.
 *
 * The same steps do both. Looking allocates nothing: behind a text that was
 * refused the next one is looked at before it is built, so that work stays
 * small on texts that were made to be refused again and again.
 *
 * Beyond the grammar, three things are taken that hide nothing: NUL bytes
 * and control characters as a transport wrote them are blanks between tokens,
 * control characters may stand in strings, and bytes need not be UTF-8.
 */
#include <endian.h>
#include <errno.h>
#include <libfastjson/json.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistr.h>

#include "base/json.h"

struct json_parser {
    int most_depth;
    bool out_of_memory; /* the last value was not parsed for that */
    bool has_refused;   /* the last text */
    size_t repeated;    /* keys that were met twice in an object */
    buffer scratch;     /* a string without its escapes */
    uint64_t *hashes;   /* of the keys of each open object, JSON_MOST_MEMBERS for each depth */
};

/* What stands between a string's quotes. */
typedef struct string_inside {
    text text;
    bool is_plain; /* no escape and no NUL is in it */
} string_inside;

/* A text under reading. */
typedef struct reader {
    json_parser *parser;
    const char *at;
    const char *end;
    int depth; /* objects and arrays that are open */
    bool builds;
    const char *reason; /* why it was refused */
} reader;

json_parser *json_parser_new(int most_depth)
{
    json_parser *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->most_depth = most_depth;
    self->hashes = calloc((size_t)most_depth * JSON_MOST_MEMBERS, sizeof(uint64_t));
    if (self->hashes == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

void json_parser_free(json_parser *self)
{
    if (self == NULL)
        return;
    buffer_free(&self->scratch);
    free(self->hashes);
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

static bool refuse(reader *r, const char *reason)
{
    r->reason = reason;
    return false;
}

static bool refuse_here(reader *r)
{
    return refuse(r, r->at == r->end ? "cut off" : "no JSON");
}

static bool refuse_for_memory(reader *r)
{
    r->parser->out_of_memory = true;
    return refuse(r, "out of memory");
}

/* --- between tokens --- */

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

static void skip_many_blanks(reader *r)
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

/* Most tokens follow each other. */
static inline void skip_blanks(reader *r)
{
    if (r->at < r->end && (*r->at == '"' || ((unsigned char)*r->at > '#' && *r->at != '\\')))
        return;
    skip_many_blanks(r);
}

size_t json_blanks(text t)
{
    reader r = {.at = t.bytes, .end = t.bytes + t.length};

    skip_blanks(&r);
    return (size_t)(r.at - t.bytes);
}

/* Takes the token and the blanks around it, if it is that one. */
static bool next_is(reader *r, char token)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != token)
        return false;
    r->at++;
    skip_blanks(r);
    return true;
}

/* --- strings --- */

static uint32_t hex_value(const char *digits)
{
    uint32_t value = 0;

    for (int i = 0; i < 4; i++)
        value = value << 4 | (uint32_t)((digits[i] & 0xF) + (digits[i] > '9' ? 9 : 0));
    return value;
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

/* Past the bytes of a string that stand for themselves; NUL does not. */
static const char *skip_plain(const char *at, const char *end)
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
    for (at = skip_plain(at, end); at < end && *at != '"'; at = skip_plain(at, end)) {
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

static bool read_string(reader *r, string_inside *inside)
{
    const char *begin = r->at + 1;

    if (r->at == r->end || *r->at != '"')
        return refuse_here(r);
    r->at = skip_plain(begin, r->end);
    inside->is_plain = r->at < r->end && *r->at == '"';
    if (!inside->is_plain)
        r->at = string_end(r->at, r->end);
    if (r->at < r->end && *r->at == '\\' && r->end - r->at < 6)
        return refuse(r, "cut off");
    if (r->at == r->end || *r->at != '"')
        return refuse_here(r);
    inside->text = text_between(begin, r->at++);
    return true;
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
    const char *end = t.bytes + t.length, *at = skip_plain(t.bytes, end);

    while (at < end && *at == '"')
        at = skip_plain(at + 1, end);
    return (size_t)(at - t.bytes);
}

/* Into the scratch buffer: valid escapes undone, NUL bytes as blanks. */
static text decoded(json_parser *parser, const string_inside *string)
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
static json *new_string(json_parser *parser, const string_inside *inside)
{
    text t = decoded(parser, inside);

    return parser->out_of_memory ? NULL : fjson_object_new_string_len(t.bytes, (int)t.length);
}

static bool take_built(reader *r, json *built, json **value)
{
    *value = built;
    return built != NULL || refuse_for_memory(r);
}

static bool read_string_value(reader *r, json **value)
{
    string_inside inside;

    if (!read_string(r, &inside))
        return false;
    return !r->builds || take_built(r, new_string(r->parser, &inside), value);
}

/* --- numbers and words --- */

static bool skip_digits(reader *r)
{
    const char *begin = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return r->at > begin || refuse_here(r);
}

static bool skip_one_of(reader *r, const char *set)
{
    if (r->at == r->end || *r->at == '\0' || strchr(set, *r->at) == NULL)
        return false;
    r->at++;
    return true;
}

static bool skip_number(reader *r, bool *is_whole)
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

static bool read_number(reader *r, json **value)
{
    const char *begin = r->at;
    bool is_whole;

    if (!skip_number(r, &is_whole))
        return false;
    return !r->builds ||
           take_built(r, new_number(r->parser, text_between(begin, r->at), is_whole), value);
}

static bool skip_word(reader *r, const char *word)
{
    while (*word != '\0' && r->at < r->end && *r->at == *word) {
        r->at++;
        word++;
    }
    return *word == '\0' || refuse_here(r);
}

static bool read_boolean(reader *r, bool is_true, json **value)
{
    if (!skip_word(r, is_true ? "true" : "false"))
        return false;
    return !r->builds || take_built(r, fjson_object_new_boolean(is_true), value);
}

/* --- objects and arrays --- */

static bool read_value(reader *r, json **value);

static bool open_container(reader *r)
{
    if (r->depth + 1 >= r->parser->most_depth)
        return refuse(r, "nested too deep");
    r->depth++;
    r->at++;
    skip_blanks(r);
    return true;
}

/* A NUL is what no key of libfastjson's can hold: JSON_NUL stands for it. */
static const char *key_string(json_parser *parser, const string_inside *inside)
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
static void note_key(reader *r, const char *key, size_t nth)
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
static bool put_member(reader *r, json *object, const string_inside *inside, size_t nth,
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

static bool read_member(reader *r, json *object, size_t nth)
{
    json *value = NULL;
    string_inside inside;

    if (nth == JSON_MOST_MEMBERS)
        return refuse(r, "an object with too many members");
    if (!read_string(r, &inside))
        return false;
    if (!next_is(r, ':'))
        return refuse_here(r);
    if (!read_value(r, &value))
        return false;
    return !r->builds || put_member(r, object, &inside, nth, value);
}

static bool read_members(reader *r, json *object)
{
    size_t count = 0;

    if (next_is(r, '}'))
        return true;
    do
        if (!read_member(r, object, count++))
            return false;
    while (next_is(r, ','));
    return next_is(r, '}') || refuse_here(r);
}

static bool read_item(reader *r, json *array)
{
    json *value = NULL;

    if (!read_value(r, &value))
        return false;
    if (!r->builds || fjson_object_array_add(array, value) == 0)
        return true;
    json_free(value);
    return refuse_for_memory(r);
}

static bool read_items(reader *r, json *array)
{
    if (next_is(r, ']'))
        return true;
    do
        if (!read_item(r, array))
            return false;
    while (next_is(r, ','));
    return next_is(r, ']') || refuse_here(r);
}

static bool read_container(reader *r, bool is_object, json **value)
{
    json *built = NULL;
    bool is_read;

    if (!open_container(r))
        return false;
    if (r->builds &&
        !take_built(r, is_object ? fjson_object_new_object() : fjson_object_new_array(), &built))
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
static bool read_value(reader *r, json **value)
{
    if (r->at == r->end)
        return refuse_here(r);
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
        return skip_word(r, "null");
    default:
        return read_number(r, value);
    }
}

/* --- texts --- */

static const char *read_text(reader *r, text t, bool builds, json **value)
{
    *r = (reader){.parser = r->parser, .at = t.bytes, .end = t.bytes + t.length, .builds = builds};
    skip_blanks(r);
    return read_value(r, value) ? NULL : r->reason;
}

const char *json_parse(json_parser *self, text t, json **root, size_t *taken)
{
    reader r = {.parser = self};
    const char *reason = NULL;
    size_t repeated = self->repeated;

    *root = NULL;
    *taken = 1;
    self->out_of_memory = false;
    if (t.length > INT_MAX)
        return "larger than 2 GB";
    if (self->has_refused)
        reason = read_text(&r, t, false, root);
    if (reason == NULL)
        reason = read_text(&r, t, true, root);
    self->has_refused = reason != NULL;
    if (reason == NULL)
        skip_blanks(&r);
    else
        self->repeated = repeated; /* there is no document that has them */
    *taken = (size_t)(r.at - t.bytes);
    if (reason == NULL && json_kind_of(*root) != JSON_OBJECT && json_kind_of(*root) != JSON_ARRAY) {
        json_free(*root);
        *root = NULL;
        return "no JSON";
    }
    return reason;
}

json *json_parse_string(json_parser *self, json *string)
{
    text t = json_string(string);
    reader r = {.parser = self};
    json *value = NULL;

    self->out_of_memory = false;
    if (t.bytes == NULL || t.length > INT_MAX || read_text(&r, t, true, &value) != NULL)
        return NULL;
    skip_blanks(&r);
    if (r.at == r.end)
        return value;
    json_free(value);
    return NULL;
}

json *json_unescape(json_parser *self, text t)
{
    self->out_of_memory = false;
    if (t.length > INT_MAX || json_string_inside(t) < t.length)
        return NULL;
    return new_string(self, &(string_inside){.text = t});
}
