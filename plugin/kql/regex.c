/* SPDX-License-Identifier: Apache-2.0 */
/* regex: a pattern of Rust's regex crate, looked through and handed to PCRE2. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "kql/regex.h"

#include <ctype.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"

/* Steps of one match; more than any sane pattern needs over a record's text. */
enum { MATCH_LIMIT = 1000000, DEPTH_LIMIT = 10000, HEAP_LIMIT = 16384 /* KiB */ };

struct kql_regex {
    pcre2_code *code;
};

/* --- what the two engines read in different ways --- */

typedef struct rewriter {
    text left;
    buffer out;
    const char *refused;
} rewriter;

static char next_char(const rewriter *r, size_t ahead)
{
    return ahead < r->left.length ? r->left.bytes[ahead] : '\0';
}

static void copy(rewriter *r, size_t count)
{
    if (count > r->left.length)
        count = r->left.length;
    buffer_append(&r->out, (text){r->left.bytes, count});
    r->left = text_from(r->left, count);
}

static void replace(rewriter *r, size_t count, const char *by)
{
    buffer_append_string(&r->out, by);
    r->left = text_from(r->left, count);
}

/* What stands between braces `at` so many bytes ahead: its length, or 0 without it. */
static size_t length_in_braces(const rewriter *r, size_t ahead, const char *allowed)
{
    size_t length = 0;

    if (next_char(r, ahead) != '{')
        return 0;
    while (next_char(r, ahead + 1 + length) != '\0' &&
           strchr(allowed, next_char(r, ahead + 1 + length)) != NULL)
        length++;
    return next_char(r, ahead + 1 + length) == '}' ? length : 0;
}

/* \pL, \p{Greek}, \p{Script=Greek} */
static void rewrite_property(rewriter *r)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_ =:";
    size_t length = length_in_braces(r, 2, allowed);

    if (length > 0)
        copy(r, length + 4);
    else if (isalpha((unsigned char)next_char(r, 2)))
        copy(r, 3);
    else
        r->refused = "\\p needs a letter, or a name in {..}";
}

/* \x41 \u0041 \U00000041, each with any number of digits in {..} */
static void rewrite_code_point(rewriter *r, size_t digits)
{
    static const char hex[] = "0123456789ABCDEFabcdef";
    size_t length = length_in_braces(r, 2, hex), begin = length > 0 ? 3 : 2;
    text digits_of = {r->left.bytes + begin, length > 0 ? length : digits};

    for (size_t i = 0; i < digits_of.length; i++)
        if (!isxdigit((unsigned char)next_char(r, begin + i)))
            digits_of.length = 0;
    if (digits_of.length == 0) {
        r->refused = "\\x, \\u and \\U need 2, 4 and 8 hex digits, or {..}";
        return;
    }
    buffer_append_string(&r->out, "\\x{");
    buffer_append(&r->out, digits_of);
    buffer_append_char(&r->out, '}');
    r->left = text_from(r->left, begin + digits_of.length + (length > 0));
}

/* \d \pL \x41 \. : all that means the same to both. */
static void rewrite_escape(rewriter *r)
{
    unsigned char c = (unsigned char)next_char(r, 1);

    if (c == 'v')
        replace(r, 2, "\\x0B");
    else if (c == 'p' || c == 'P')
        rewrite_property(r);
    else if (c == 'x' || c == 'u' || c == 'U')
        rewrite_code_point(r, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    else if (c != '\0' && strchr("dDwWsSbBAzntrfa", c) != NULL)
        copy(r, 2);
    else if (c != '\0' && c < 0x80 && !isalnum(c) && c != '<' && c != '>')
        copy(r, 2);
    else
        r->refused = "an escape that is not taken here";
}

static const struct {
    const char *name;
    const char *characters;
} posix_classes[] = {
    {"[:alnum:]", "0-9A-Za-z"},
    {"[:alpha:]", "A-Za-z"},
    {"[:ascii:]", "\\x00-\\x7F"},
    {"[:blank:]", "\\t "},
    {"[:cntrl:]", "\\x00-\\x1F\\x7F"},
    {"[:digit:]", "0-9"},
    {"[:graph:]", "!-~"},
    {"[:lower:]", "a-z"},
    {"[:print:]", " -~"},
    {"[:punct:]", "!-\\/:-@\\[-`{-~"},
    {"[:space:]", "\\t\\n\\x0B\\f\\r "},
    {"[:upper:]", "A-Z"},
    {"[:word:]", "0-9A-Za-z_"},
    {"[:xdigit:]", "0-9A-Fa-f"},
};

/* To Rust they are ASCII's. */
static void rewrite_posix_class(rewriter *r)
{
    for (size_t i = 0; i < sizeof(posix_classes) / sizeof(posix_classes[0]); i++) {
        size_t length = strlen(posix_classes[i].name);

        if (r->left.length >= length && memcmp(r->left.bytes, posix_classes[i].name, length) == 0) {
            replace(r, length, posix_classes[i].characters);
            return;
        }
    }
    r->refused = "a class inside a class";
}

static bool is_class_operation(const rewriter *r)
{
    char c = next_char(r, 0);

    return (c == '&' || c == '-' || c == '~') && next_char(r, 1) == c;
}

/* From [ to ]; a ] that is the first in it is a character. */
static void rewrite_class(rewriter *r)
{
    copy(r, 1);
    if (next_char(r, 0) == '^')
        copy(r, 1);
    if (next_char(r, 0) == ']')
        replace(r, 1, "\\]");
    while (r->refused == NULL && r->left.length > 0 && next_char(r, 0) != ']') {
        if (next_char(r, 0) == '\\')
            rewrite_escape(r);
        else if (next_char(r, 0) == '[')
            rewrite_posix_class(r);
        else if (is_class_operation(r))
            r->refused = "an operation on classes";
        else
            copy(r, 1);
    }
    if (r->refused == NULL && r->left.length == 0)
        r->refused = "a class without its closing bracket";
    copy(r, 1);
}

/* Behind (?: a name in <..>, or flags. */
static bool is_known_group(const rewriter *r)
{
    size_t i = 2;

    if (next_char(r, 2) == 'P')
        i++;
    if (next_char(r, i) == '<')
        return isalpha((unsigned char)next_char(r, i + 1)) || next_char(r, i + 1) == '_';
    if (i > 2)
        return false;
    while (next_char(r, i) != '\0' && strchr("imsUx-", next_char(r, i)) != NULL)
        i++;
    return next_char(r, i) == ':' || (next_char(r, i) == ')' && i > 2);
}

static void rewrite_group(rewriter *r)
{
    if (next_char(r, 1) == '*')
        r->refused = "a verb";
    else if (next_char(r, 1) == '?' && !is_known_group(r))
        r->refused = "look-around, recursion, an atomic group or a condition";
    copy(r, 1);
}

/* {n}, {n,}, {n,m}: its length, or 0. */
static size_t length_of_count(const rewriter *r)
{
    size_t i = 1;

    while (isdigit((unsigned char)next_char(r, i)))
        i++;
    if (i == 1)
        return 0;
    if (next_char(r, i) == ',')
        i++;
    while (isdigit((unsigned char)next_char(r, i)))
        i++;
    return next_char(r, i) == '}' ? i + 1 : 0;
}

static void rewrite_quantifier(rewriter *r)
{
    size_t length = next_char(r, 0) == '{' ? length_of_count(r) : 1;

    if (length == 0) {
        r->refused = "a { that begins no {n}, {n,} or {n,m}";
        return;
    }
    copy(r, length);
    if (next_char(r, 0) == '+')
        r->refused = "a possessive quantifier";
    else if (next_char(r, 0) == '?')
        copy(r, 1);
}

static void rewrite(rewriter *r)
{
    while (r->left.length > 0 && r->refused == NULL) {
        char c = next_char(r, 0);

        if (c == '\\')
            rewrite_escape(r);
        else if (c == '[')
            rewrite_class(r);
        else if (c == '(')
            rewrite_group(r);
        else if (c == '*' || c == '+' || c == '?' || c == '{')
            rewrite_quantifier(r);
        else
            copy(r, 1);
        if (c == '(' && next_char(r, 0) == '?')
            copy(r, 1); /* it is no quantifier */
    }
}

/* --- PCRE2 --- */

static pcre2_code *compile(text pattern, char *why, size_t room)
{
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_INVALID_UTF |
                             PCRE2_ALT_CIRCUMFLEX;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    pcre2_code *code = NULL;
    int error = PCRE2_ERROR_NOMEMORY;
    size_t place;

    if (context != NULL) {
        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        code = pcre2_compile((PCRE2_SPTR)(pattern.length > 0 ? pattern.bytes : ""), pattern.length,
                             options, &error, &place, context);
    }
    if (code == NULL && pcre2_get_error_message(error, (PCRE2_UCHAR *)why, room) < 0)
        snprintf(why, room, "it cannot be read");
    pcre2_compile_context_free(context);
    return code;
}

kql_regex *kql_regex_new(text pattern, char *why, size_t room)
{
    rewriter r = {.left = pattern};
    kql_regex *self = calloc(1, sizeof(*self));

    rewrite(&r);
    if (self != NULL && r.refused == NULL && !buffer_failed(&r.out))
        self->code = compile(buffer_text(&r.out), why, room);
    else
        snprintf(why, room, "%s", r.refused != NULL ? r.refused : "out of memory");
    buffer_free(&r.out);
    if (self != NULL && self->code != NULL)
        return self;
    kql_regex_free(self);
    return NULL;
}

void kql_regex_free(kql_regex *self)
{
    if (self == NULL)
        return;
    pcre2_code_free(self->code);
    free(self);
}

static void *take_memory(size_t size, void *memory)
{
    return arena_alloc(memory, size);
}

/* The arena takes all back at once. */
static void leave_memory(void *block, void *memory)
{
    (void)block;
    (void)memory;
}

static regex_result result_of(int matched, const pcre2_match_data *data, size_t *begin, size_t *end)
{
    const size_t *places;

    if (matched == PCRE2_ERROR_NOMATCH)
        return REGEX_NO;
    if (matched == PCRE2_ERROR_NOMEMORY)
        return REGEX_NO_MEMORY;
    if (matched < 0)
        return REGEX_OVER_LIMIT;
    places = pcre2_get_ovector_pointer((pcre2_match_data *)(uintptr_t)data);
    *begin = places[0];
    *end = places[1];
    return REGEX_MATCH;
}

/* Anywhere, or where the options hold it to. */
static regex_result match(const kql_regex *self, text t, uint32_t options, arena *memory,
                          size_t *begin, size_t *end)
{
    pcre2_general_context *general =
        pcre2_general_context_create(take_memory, leave_memory, memory);
    pcre2_match_context *context = general ? pcre2_match_context_create(general) : NULL;
    pcre2_match_data *data = context ? pcre2_match_data_create(1, general) : NULL;
    int matched;

    if (data == NULL)
        return REGEX_NO_MEMORY;
    pcre2_set_match_limit(context, MATCH_LIMIT);
    pcre2_set_depth_limit(context, DEPTH_LIMIT);
    pcre2_set_heap_limit(context, HEAP_LIMIT);
    matched = pcre2_match(self->code, (PCRE2_SPTR)(t.length ? t.bytes : ""), t.length, 0, options,
                          data, context);
    return result_of(matched, data, begin, end);
}

regex_result kql_regex_find(const kql_regex *self, text t, arena *memory, size_t *begin,
                            size_t *end)
{
    return match(self, t, 0, memory, begin, end);
}

regex_result kql_regex_trim(const kql_regex *self, text t, arena *memory, text *left)
{
    size_t begin, end;
    regex_result result = match(self, t, PCRE2_ANCHORED, memory, &begin, &end);

    if (result == REGEX_MATCH)
        t = text_from(t, end);
    else if (result != REGEX_NO)
        return result;
    result = match(self, t, PCRE2_ENDANCHORED, memory, &begin, &end);
    if (result == REGEX_MATCH)
        t.length = end == t.length ? begin : t.length; /* it may end at a byte that is no UTF-8 */
    else if (result != REGEX_NO)
        return result;
    *left = t;
    return REGEX_MATCH;
}
