/* SPDX-License-Identifier: Apache-2.0 */
/* lexer: names, literals and signs. */
#include "kql/lexer.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <unistr.h>

static const char NO_END[] = "a text without its closing quote";

static bool is_name_begin(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool is_name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static char at(const kql_lexer *l, size_t ahead)
{
    return l->at + ahead < l->source.length ? l->source.bytes[l->at + ahead] : '\0';
}

static bool has_prefix(const kql_lexer *l, const char *prefix)
{
    size_t length = strlen(prefix);

    return l->source.length - l->at >= length &&
           memcmp(l->source.bytes + l->at, prefix, length) == 0;
}

/* How many bytes the blank takes that stands here, of ASCII or pasted from a page; or 0. */
static size_t length_of_blank(const kql_lexer *l)
{
    static const ucs4_t others[] = {0x00A0, 0x1680, 0x180E, 0x202F, 0x205F, 0x3000, 0xFEFF};
    ucs4_t c;
    int length;

    if ((unsigned char)at(l, 0) < 0x80)
        return l->at < l->source.length && isspace((unsigned char)at(l, 0));
    length = u8_mbtoucr(&c, (const uint8_t *)l->source.bytes + l->at, l->source.length - l->at);
    if (length > 0 && c >= 0x2000 && c <= 0x200B)
        return (size_t)length;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (length > 0 && c == others[i])
            return (size_t)length;
    return 0;
}

static void skip_blanks(kql_lexer *l)
{
    for (;;) {
        size_t length;

        while ((length = length_of_blank(l)) > 0)
            l->at += length;
        if (!has_prefix(l, "//"))
            return;
        while (l->at < l->source.length && l->source.bytes[l->at] != '\n')
            l->at++;
    }
}

static kql_token token_from(const kql_lexer *l, size_t begin, kql_token_kind kind)
{
    return (kql_token){
        .kind = kind, .word = {l->source.bytes + begin, l->at - begin}, .type = KQL_STRING};
}

static kql_token wrong_from(const kql_lexer *l, size_t begin, const char *wrong)
{
    kql_token t = token_from(l, begin, TOKEN_WRONG);

    t.wrong = wrong;
    return t;
}

/* --- texts --- */

static bool take_hex(kql_lexer *l, int digits, ucs4_t *result)
{
    *result = 0;
    for (int i = 0; i < digits; i++, l->at++) {
        char c = at(l, 0);

        if (!isxdigit((unsigned char)c))
            return false;
        *result = *result * 16 +
                  (ucs4_t)(isdigit((unsigned char)c) ? c - '0' : (c | ('a' - 'A')) - 'a' + 10);
    }
    return true;
}

/* \u is taken: its four digits, and those of a pair's second half. */
static bool take_unit(kql_lexer *l, ucs4_t *c)
{
    kql_lexer ahead;
    ucs4_t second;

    if (!take_hex(l, 4, c))
        return false;
    if (*c < 0xD800 || *c >= 0xDC00 || !has_prefix(l, "\\u"))
        return true;
    ahead = *l;
    ahead.at += 2;
    if (take_hex(&ahead, 4, &second) && second >= 0xDC00 && second < 0xE000) {
        *c = 0x10000 + ((*c - 0xD800) << 10) + (second - 0xDC00);
        l->at = ahead.at;
    }
    return true;
}

/* The backslash is taken. */
static bool take_escape(kql_lexer *l, ucs4_t *c)
{
    static const char written[] = "\\\"'ntr/bf", meant[] = "\\\"'\n\t\r/\b\f";
    enum { JSON_ONLY = 6 }; /* from there on */
    char first = at(l, 0);
    const char *found = first != '\0' ? strchr(written, first) : NULL;

    l->at++;
    if (first == 'u')
        return take_unit(l, c);
    if (first == 'x')
        return take_hex(l, 2, c);
    if (found == NULL || (found - written >= JSON_ONLY && !l->takes_json_escapes))
        return false;
    *c = (ucs4_t)(unsigned char)meant[found - written];
    return true;
}

static void put_code_point(ucs4_t c, char **out)
{
    int length = u8_uctomb((uint8_t *)*out, c, 6);

    if (length < 0)
        length = u8_uctomb((uint8_t *)*out, 0xFFFD, 6);
    *out += length;
}

/* The text of a quoted literal, the opening quote taken; NULL, or what is wrong. */
static const char *take_quoted(kql_lexer *l, char quote, bool is_verbatim, char **out)
{
    ucs4_t c;

    for (; l->at < l->source.length; l->at++) {
        char next = at(l, 0);

        if (next == quote && is_verbatim && at(l, 1) == quote) {
            l->at++;
        } else if (next == quote) {
            l->at++;
            return NULL;
        } else if (!is_verbatim && next == '\n') {
            return NO_END;
        } else if (!is_verbatim && next == '\\') {
            l->at++;
            if (!take_escape(l, &c))
                return "an escape that there is not";
            put_code_point(c, out);
            l->at--;
            continue;
        }
        *(*out)++ = next;
    }
    return NO_END;
}

static const char *take_fenced(kql_lexer *l, char **out)
{
    for (; l->at < l->source.length; l->at++) {
        if (has_prefix(l, "```")) {
            l->at += 3;
            return NULL;
        }
        *(*out)++ = at(l, 0);
    }
    return NO_END;
}

/* h and @ before the quote; 0 when there is no literal. */
static size_t prefix_of_text(const kql_lexer *l, bool *is_verbatim)
{
    size_t ahead = at(l, 0) == 'h' || at(l, 0) == 'H';

    *is_verbatim = at(l, ahead) == '@';
    ahead += *is_verbatim;
    return at(l, ahead) == '"' || at(l, ahead) == '\'' ? ahead + 1 : 0;
}

static const char *take_text(kql_lexer *l, char *room, text *result)
{
    bool is_verbatim;
    size_t prefix = prefix_of_text(l, &is_verbatim);
    const char *wrong;
    char *out = room;

    if (has_prefix(l, "```")) {
        l->at += 3;
        wrong = take_fenced(l, &out);
    } else {
        char quote = at(l, prefix - 1);

        l->at += prefix;
        wrong = take_quoted(l, quote, is_verbatim, &out);
    }
    *result = text_between(room, out);
    return wrong;
}

static kql_token text_token(kql_lexer *l)
{
    size_t begin = l->at;
    text string;
    const char *wrong = take_text(l, l->room, &string);
    kql_token t;

    if (wrong != NULL)
        return wrong_from(l, begin, wrong);
    t = token_from(l, begin, TOKEN_LITERAL);
    t.value = kql_string(arena_copy(l->memory, string));
    l->out_of_memory |= t.value.string.bytes == NULL;
    return t;
}

/* --- numbers --- */

static void take_digits(kql_lexer *l)
{
    while (isdigit((unsigned char)at(l, 0)))
        l->at++;
}

/* An exponent, if there is one: e, a sign, digits. */
static void take_exponent(kql_lexer *l)
{
    size_t sign = at(l, 1) == '-' || at(l, 1) == '+';

    if ((at(l, 0) != 'e' && at(l, 0) != 'E') || !isdigit((unsigned char)at(l, 1 + sign)))
        return;
    l->at += 1 + sign;
    take_digits(l);
}

static kql_token timespan_token(kql_lexer *l, size_t begin)
{
    kql_token t;
    timespan span;

    while (is_name_part(at(l, 0)))
        l->at++;
    t = token_from(l, begin, TOKEN_LITERAL);
    if (!timespan_parse(t.word, &span))
        return wrong_from(l, begin, "neither a number nor a timespan (1d 2h 30m 10s 5ms 1tick)");
    t.type = KQL_TIMESPAN;
    t.value = kql_number(KIND_TIMESPAN, span);
    return t;
}

static bool is_hex_prefix(const kql_lexer *l)
{
    return at(l, 0) == '0' && (at(l, 1) == 'x' || at(l, 1) == 'X') &&
           isxdigit((unsigned char)at(l, 2));
}

/*
 * A long; errno says when it has none. The least one is written as the minus of a number that is
 * none by itself: its digits come to it without their sign, and kql_take_number wants one.
 */
static kql_value long_of(text word, int base)
{
    unsigned long long number = strtoull(word.bytes, NULL, base);

    if (number > (unsigned long long)INT64_MAX + (base == 10))
        errno = ERANGE;
    return kql_number(KIND_LONG, number > INT64_MAX ? INT64_MIN : (int64_t)number);
}

static kql_token hex_token(kql_lexer *l)
{
    size_t begin = l->at;
    kql_token t;

    l->at += 2;
    while (isxdigit((unsigned char)at(l, 0)))
        l->at++;
    if (is_name_part(at(l, 0)))
        return timespan_token(l, begin);
    t = token_from(l, begin, TOKEN_LITERAL);
    t.type = KQL_LONG;
    errno = 0;
    t.value = long_of(t.word, 16);
    return errno == ERANGE ? wrong_from(l, begin, "a number out of range") : t;
}

static kql_token number_token(kql_lexer *l)
{
    size_t begin = l->at;
    bool is_real;
    kql_token t;

    if (is_hex_prefix(l))
        return hex_token(l);
    take_digits(l);
    is_real = at(l, 0) == '.' && isdigit((unsigned char)at(l, 1));
    if (is_real) {
        l->at++;
        take_digits(l);
    }
    t = token_from(l, begin, TOKEN_LITERAL);
    take_exponent(l);
    is_real |= l->at - begin > t.word.length;
    if (is_name_begin(at(l, 0)))
        return timespan_token(l, begin);
    t = token_from(l, begin, TOKEN_LITERAL);
    t.type = is_real ? KQL_REAL : KQL_LONG;
    errno = 0; /* the source ends in NUL */
    if (is_real)
        t.value = (kql_value){.kind = KIND_REAL, .real = strtod(t.word.bytes, NULL)};
    else
        t.value = long_of(t.word, 10);
    if (errno == ERANGE && !(is_real && isfinite(t.value.real))) /* too small is near enough 0 */
        return wrong_from(l, begin, "a number out of range");
    return t;
}

/* --- names and signs --- */

static kql_token name_token(kql_lexer *l)
{
    size_t begin = l->at;

    while (is_name_part(at(l, 0)) || (at(l, 0) == '-' && isalpha((unsigned char)at(l, 1))))
        l->at++;
    return token_from(l, begin, TOKEN_NAME);
}

/* `!has`, `!in~`, `in~`: an operator that is a word goes on behind its sign. */
static kql_token sign_token(kql_lexer *l)
{
    static const char *const pairs[] = {"==", "!=", "<>", "<=", ">=", "=~", "!~", ".."};
    size_t begin = l->at;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (has_prefix(l, pairs[i])) {
            l->at += 2;
            return token_from(l, begin, TOKEN_SIGN);
        }
    }
    l->at++;
    if (l->source.bytes[begin] == '!' && is_name_begin(at(l, 0))) {
        while (is_name_part(at(l, 0)))
            l->at++;
        l->at += at(l, 0) == '~';
    }
    while (l->at < l->source.length && ((unsigned char)at(l, 0) & 0xC0) == 0x80)
        l->at++;
    return token_from(l, begin, TOKEN_SIGN);
}

static bool is_in(text word)
{
    return text_equal(word, (text)TEXT("in"));
}

kql_token kql_lexer_next(kql_lexer *self)
{
    bool is_verbatim;
    kql_token t;

    skip_blanks(self);
    if (self->at >= self->source.length)
        return token_from(self, self->at, TOKEN_END);
    if (prefix_of_text(self, &is_verbatim) > 0 || has_prefix(self, "```"))
        return text_token(self);
    if (isdigit((unsigned char)at(self, 0)))
        return number_token(self);
    if (!is_name_begin(at(self, 0)))
        return sign_token(self);
    t = name_token(self);
    if (is_in(t.word) && at(self, 0) == '~') {
        self->at++;
        t.word.length++;
    }
    return t;
}

char kql_lexer_peek(const kql_lexer *self)
{
    kql_lexer ahead = *self;

    skip_blanks(&ahead);
    return at(&ahead, 0);
}

/* No literal means more bytes than it is written in: \xXX makes two of four. */
kql_lexer kql_lexer_begin(text source, arena *memory)
{
    kql_lexer l = {.source = arena_copy(memory, source),
                   .room = arena_alloc(memory, source.length + 8),
                   .memory = memory};

    l.out_of_memory = l.source.bytes == NULL || l.room == NULL;
    if (l.out_of_memory)
        l.source = (text)TEXT("");
    return l;
}

bool kql_lexer_take_raw(kql_lexer *self, text *raw)
{
    size_t begin = self->at;

    while (self->at < self->source.length && self->source.bytes[self->at] != ')')
        self->at++;
    *raw = (text){self->source.bytes + begin, self->at - begin};
    if (self->at == self->source.length)
        return false;
    self->at++;
    return true;
}

void kql_lexer_place(text source, const char *place, size_t *line, size_t *column)
{
    *line = 1;
    *column = 1;
    for (const char *c = source.bytes; c < place; c++) {
        *column += ((unsigned char)*c & 0xC0) != 0x80;
        if (*c == '\n') {
            ++*line;
            *column = 1;
        }
    }
}
