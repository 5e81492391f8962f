/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_read: RFC 8259's grammar over bytes, to look or to build.
 *
 * A document is built at once, until a text refuses one. From there on each
 * is looked at first: looking allocates nothing, and one look refuses all
 * that is open where it fails. So work stays linear on texts that were made
 * to be refused again and again.
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
    size_t repeated;    /* keys that were met twice in an object */
    buffer scratch;     /* a string without its escapes */
    uint64_t *hashes;   /* of the keys of each open object, JSON_MOST_MEMBERS for each depth */
    struct open *open;  /* of a look: the innermost brackets, as many as may be */
};

/* What stands between a string's quotes. */
typedef struct string_inside {
    text text;
    bool is_plain; /* no escape and no NUL is in it */
} string_inside;

/* A bracket that is open. */
typedef struct open {
    size_t at;
    size_t members;
    bool is_object;
} open;

/* A text under reading. */
typedef struct reader {
    json_parser *parser;
    const char *at;
    const char *end;
    int depth;          /* objects and arrays that are open */
    const char *reason; /* why it was refused */
} reader;

json_parser *json_parser_new(int most_depth)
{
    json_parser *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->most_depth = most_depth;
    self->hashes = calloc((size_t)most_depth * JSON_MOST_MEMBERS, sizeof(uint64_t));
    self->open = calloc((size_t)most_depth, sizeof(open));
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
    return take_built(r, new_string(r->parser, &inside), value);
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
    return take_built(r, new_number(r->parser, text_between(begin, r->at), is_whole), value);
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
    return take_built(r, fjson_object_new_boolean(is_true), value);
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
    return put_member(r, object, &inside, nth, value);
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
    if (fjson_object_array_add(array, value) == 0)
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

/* --- looking --- */

/* What a look finds on its way from bracket to bracket. */
typedef struct look {
    reader reader;
    json_search *search;
    size_t first;  /* of those that are open and still known, counted from the outermost */
    size_t opened; /* how many are, counted so */
} look;

static bool is_refused(const json_search *s, size_t at)
{
    return s->refused.length > 0 && (s->refused.bytes[at / 8] >> at % 8 & 1) != 0;
}

/* Without memory it is looked at once more. */
static void refuse_bracket(json_search *s, size_t at)
{
    size_t bytes = s->text.length / 8 + 1;
    char *bits = s->refused.length == 0 ? buffer_room(&s->refused, bytes) : s->refused.bytes;

    if (bits == NULL)
        return;
    if (s->refused.length == 0)
        memset(bits, 0, bytes);
    s->refused.length = bytes;
    bits[at / 8] = (char)(bits[at / 8] | 1 << at % 8);
}

static size_t most_open(const look *l)
{
    return (size_t)l->reader.parser->most_depth - 1;
}

static open *innermost(look *l)
{
    return &l->reader.parser->open[(l->opened - 1) % most_open(l)];
}

/* The outermost stands around more than it may when there is no room for another. */
static void open_bracket(look *l)
{
    if (l->opened - l->first == most_open(l)) {
        refuse_bracket(l->search, l->reader.parser->open[l->first % most_open(l)].at);
        l->first++;
        refuse(&l->reader, "nested too deep");
    }
    l->opened++;
    *innermost(l) = (open){
        .at = (size_t)(l->reader.at - l->search->text.bytes),
        .is_object = *l->reader.at == '{',
    };
    l->reader.at++;
}

static bool look_at_scalar(reader *r)
{
    string_inside inside;
    bool is_whole;

    if (r->at == r->end)
        return refuse_here(r);
    switch (*r->at) {
    case '"':
        return read_string(r, &inside);
    case 't':
        return skip_word(r, "true");
    case 'f':
        return skip_word(r, "false");
    case 'n':
        return skip_word(r, "null");
    default:
        return skip_number(r, &is_whole);
    }
}

/* What leads to the next value in the innermost bracket: in an object its key. */
static bool look_at_key(look *l)
{
    reader *r = &l->reader;
    string_inside inside;

    if (!innermost(l)->is_object)
        return true;
    if (innermost(l)->members++ == JSON_MOST_MEMBERS)
        return refuse(r, "an object with too many members");
    return read_string(r, &inside) && (next_is(r, ':') || refuse_here(r));
}

/* Behind a value: all brackets that close here, and the way to the next value. */
static bool look_behind(look *l)
{
    reader *r = &l->reader;

    while (l->opened > l->first) {
        if (next_is(r, ','))
            return look_at_key(l);
        if (!next_is(r, innermost(l)->is_object ? '}' : ']'))
            return refuse_here(r);
        l->opened--;
    }
    return true;
}

/* A value, or as far as its first bracket leads. */
static bool look_at_value(look *l)
{
    reader *r = &l->reader;

    if (r->at == r->end || (*r->at != '{' && *r->at != '['))
        return look_at_scalar(r) && look_behind(l);
    open_bracket(l);
    skip_blanks(r);
    if (r->at < r->end && *r->at == (innermost(l)->is_object ? '}' : ']'))
        return look_behind(l);
    return look_at_key(l);
}

/*
 * Why no document begins at `at`; NULL: one does. All that is open where the
 * look ends in vain is refused for the same reason.
 */
static const char *look_at(json_parser *parser, json_search *s, size_t at)
{
    look l = {
        .reader = {.parser = parser,
                   .at = s->text.bytes + at,
                   .end = s->text.bytes + s->text.length},
        .search = s,
    };
    const char *too_deep = NULL;
    bool goes_on;

    do {
        goes_on = look_at_value(&l);
        if (too_deep == NULL)
            too_deep = l.first > 0 ? "nested too deep" : NULL;
    } while (goes_on && l.opened > l.first);
    for (size_t i = l.first; !goes_on && i < l.opened; i++)
        refuse_bracket(s, parser->open[i % most_open(&l)].at);
    return too_deep != NULL ? too_deep : goes_on ? NULL : l.reader.reason;
}

/* --- texts --- */

static const char *build(json_parser *parser, text t, json **root, size_t *taken)
{
    reader r = {.parser = parser, .at = t.bytes, .end = t.bytes + t.length};
    const char *reason = NULL;
    size_t repeated = parser->repeated;

    skip_blanks(&r);
    if (read_value(&r, root)) {
        skip_blanks(&r);
    } else {
        reason = r.reason;
        parser->repeated = repeated; /* there is no document that has them */
    }
    *taken = (size_t)(r.at - t.bytes);
    return reason;
}

json_search json_search_begin(text t)
{
    return (json_search){.text = t};
}

void json_search_end(json_search *self)
{
    buffer_free(&self->refused);
}

const char *json_search_at(json_parser *parser, json_search *self, size_t at, json **root,
                           size_t *taken)
{
    const char *reason;
    size_t begin = at;

    *root = NULL;
    *taken = 0;
    parser->out_of_memory = false;
    if (self->text.length > INT_MAX)
        return "larger than 2 GB";
    at += json_blanks(text_from(self->text, at));
    if (at == self->text.length)
        return "cut off";
    if (self->text.bytes[at] != '{' && self->text.bytes[at] != '[')
        return "no JSON";
    if (self->reason != NULL && is_refused(self, at))
        return self->reason;
    reason = self->reason != NULL ? look_at(parser, self, at) : NULL;
    if (reason == NULL)
        reason = build(parser, text_from(self->text, at), root, taken);
    if (reason == NULL)
        *taken += at - begin;
    else if (self->reason == NULL && !parser->out_of_memory)
        reason = look_at(parser, self, at);
    if (reason != NULL && !parser->out_of_memory)
        self->reason = reason;
    return reason;
}

const char *json_parse(json_parser *self, text t, json **root, size_t *taken)
{
    json_search search = json_search_begin(t);
    const char *reason = json_search_at(self, &search, 0, root, taken);

    json_search_end(&search);
    return reason;
}

json *json_parse_string(json_parser *self, json *string)
{
    text t = json_string(string);
    size_t taken;
    json *value = NULL;

    self->out_of_memory = false;
    if (t.bytes == NULL || t.length > INT_MAX || build(self, t, &value, &taken) != NULL)
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
    return new_string(self, &(string_inside){.text = t});
}
