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
    pcre2_code *anywhere;
    pcre2_code *at_begin; /* for trim: the same between \A and \z */
    pcre2_code *at_end;
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

/* \d \pL \x41 \. : all that means the same to both. */
static void rewrite_escape(rewriter *r)
{
    char c = next_char(r, 1);

    if (c == 'v')
        replace(r, 2, "\\x0B");
    else if (c == 'x' && next_char(r, 2) != '{' &&
             (!isxdigit((unsigned char)next_char(r, 2)) ||
              !isxdigit((unsigned char)next_char(r, 3))))
        r->refused = "\\x needs two hex digits, or {..}";
    else if (c != '\0' && strchr("dDwWsSbBAzntrfaxpP", c) != NULL)
        copy(r, 2);
    else if (ispunct((unsigned char)c) && c != '<' && c != '>')
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

/* The pattern between two pieces, so that it may be held to the text's beginning or end. */
static pcre2_code *compile(text pattern, const char *before, const char *behind, char *why,
                           size_t room)
{
    const uint32_t options = PCRE2_UTF | PCRE2_UCP | PCRE2_DOLLAR_ENDONLY |
                             PCRE2_NEVER_BACKSLASH_C | PCRE2_MATCH_INVALID_UTF |
                             PCRE2_ALT_CIRCUMFLEX;
    pcre2_compile_context *context = pcre2_compile_context_create(NULL);
    buffer whole = {0};
    pcre2_code *code = NULL;
    int error = PCRE2_ERROR_NOMEMORY;
    size_t place;

    buffer_append_string(&whole, before);
    buffer_append(&whole, pattern);
    buffer_append_string(&whole, behind);
    if (context != NULL && !buffer_failed(&whole)) {
        text t = buffer_text(&whole);

        pcre2_set_newline(context, PCRE2_NEWLINE_LF);
        code = pcre2_compile((PCRE2_SPTR)(t.length > 0 ? t.bytes : ""), t.length, options, &error,
                             &place, context);
    }
    if (code == NULL && pcre2_get_error_message(error, (PCRE2_UCHAR *)why, room) < 0)
        snprintf(why, room, "it cannot be read");
    pcre2_compile_context_free(context);
    buffer_free(&whole);
    return code;
}

kql_regex *kql_regex_new(text pattern, char *why, size_t room)
{
    rewriter r = {.left = pattern};
    kql_regex *self = calloc(1, sizeof(*self));

    rewrite(&r);
    if (self != NULL && r.refused == NULL && !buffer_failed(&r.out)) {
        self->anywhere = compile(buffer_text(&r.out), "", "", why, room);
        self->at_begin = compile(buffer_text(&r.out), "\\A(?:", ")", why, room);
        self->at_end = compile(buffer_text(&r.out), "(?:", ")\\z", why, room);
    } else {
        snprintf(why, room, "%s", r.refused != NULL ? r.refused : "out of memory");
    }
    buffer_free(&r.out);
    if (self != NULL && self->anywhere != NULL && self->at_begin != NULL && self->at_end != NULL)
        return self;
    kql_regex_free(self);
    return NULL;
}

void kql_regex_free(kql_regex *self)
{
    if (self == NULL)
        return;
    pcre2_code_free(self->anywhere);
    pcre2_code_free(self->at_begin);
    pcre2_code_free(self->at_end);
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

static regex_result match(const pcre2_code *code, text t, arena *memory, size_t *begin, size_t *end)
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
    matched =
        pcre2_match(code, (PCRE2_SPTR)(t.length ? t.bytes : ""), t.length, 0, 0, data, context);
    return result_of(matched, data, begin, end);
}

regex_result kql_regex_find(const kql_regex *self, text t, arena *memory, size_t *begin,
                            size_t *end)
{
    return match(self->anywhere, t, memory, begin, end);
}

regex_result kql_regex_trim(const kql_regex *self, text t, arena *memory, text *left)
{
    size_t begin, end;
    regex_result result = match(self->at_begin, t, memory, &begin, &end);

    if (result == REGEX_MATCH)
        t = text_from(t, end);
    else if (result != REGEX_NO)
        return result;
    result = match(self->at_end, t, memory, &begin, &end);
    if (result == REGEX_MATCH)
        t.length = begin;
    else if (result != REGEX_NO)
        return result;
    *left = t;
    return REGEX_MATCH;
}
