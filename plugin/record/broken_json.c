/* SPDX-License-Identifier: Apache-2.0 */
/* broken_json: tokens by what stands beside them; no grammar, no depth. */
#include "record/broken_json.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistr.h>

#include "base/json.h"

enum { MOST_STRING_LEVELS = 5 }; /* three around a record, and two of its own parts */

typedef struct reader {
    arena *memory;
    broken_sink *sink;
    void *arg;
    int strings; /* that are looked into, one in the other */
    bool out_of_memory;

    /* the text under reading */
    text text;
    size_t at;
    char last; /* the token before: a bracket, `:`, `,`, `"` a string, `w` a word; '\0': none */
    text key;  /* of the value that comes next */
    text word; /* the last */
    size_t depth;
} reader;

/* --- escapes --- */

static bool read_hex(text t, size_t at, uint32_t *value)
{
    char digits[5] = {0};
    char *end;

    if (at > t.length || t.length - at < 4)
        return false;
    memcpy(digits, t.bytes + at, 4);
    *value = (uint32_t)strtoul(digits, &end, 16);
    return end == digits + 4;
}

static size_t put_code_point(char *to, uint32_t c)
{
    int length = u8_uctomb((uint8_t *)to, c, 4);

    return length > 0 ? (size_t)length : 0;
}

/* Takes the escape at `at`, behind its backslash, and moves on; never longer than what it was. */
static size_t put_escape(char *to, text t, size_t *at)
{
    uint32_t c, low;
    char plain = t.bytes[*at];

    if (plain != 'u' || !read_hex(t, *at + 1, &c)) {
        *to = plain != '\0' && strchr("bfnrt", plain) ? ' ' : plain;
        *at += 1;
        return 1;
    }
    *at += 5;
    if (c >= 0xD800 && c < 0xDC00 && t.length - *at >= 6 && t.bytes[*at] == '\\' &&
        t.bytes[*at + 1] == 'u' && read_hex(t, *at + 2, &low) && low >= 0xDC00 && low < 0xE000) {
        *at += 6;
        c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_code_point(to, c);
}

/* One level of escapes undone, whether they are good ones or not. */
static text undo_escapes(reader *r, text t)
{
    char *plain;
    size_t length = 0, at = 0;

    if (t.length == 0 || memchr(t.bytes, '\\', t.length) == NULL)
        return t;
    plain = arena_alloc(r->memory, t.length + 4);
    if (plain == NULL) {
        r->out_of_memory = true;
        return (text){"", 0};
    }
    while (at < t.length) {
        if (t.bytes[at] != '\\')
            plain[length++] = t.bytes[at++];
        else if (++at < t.length)
            length += put_escape(plain + length, t, &at);
    }
    return (text){plain, length};
}

/* --- strings --- */

/* How deep in strings a quote stands, by the backslashes in front of it: 0, 1, 3, 7. */
static int level_of(size_t backslashes)
{
    int level = 0;

    for (; backslashes > 0; backslashes /= 2)
        level++;
    return level;
}

/* Does a quote end the string of that level? One of an outer level does. */
static bool ends_string(int level, size_t backslashes)
{
    while (level > 0 && backslashes % 2 == 1) {
        backslashes /= 2;
        level--;
    }
    return backslashes % 2 == 0;
}

/* Where the string's inside ends that begins at `at`; its closing quote is at *quote, or the text
 * ends. */
static size_t inside_end(text t, size_t at, int level, size_t *quote)
{
    const size_t own = ((size_t)1 << level) - 1;
    size_t begin = at, backslashes;

    for (; at < t.length; at++) {
        const char *found = memchr(t.bytes + at, '"', t.length - at);

        if (found == NULL)
            break;
        at = (size_t)(found - t.bytes);
        for (backslashes = 0;
             at - backslashes > begin && found[-1 - (ptrdiff_t)backslashes] == '\\';)
            backslashes++;
        if (ends_string(level, backslashes)) {
            *quote = at;
            return at - (backslashes < own ? backslashes : own);
        }
        begin = at + 1;
    }
    return *quote = t.length;
}

static size_t skip_blanks(const reader *r, size_t at)
{
    return at + json_blanks(text_from(r->text, at));
}

/*
 * Does a quote open a string? Not behind a word, nor where it stands right
 * behind a string and what a string is followed by comes next: then it ends
 * one whose beginning is lost.
 */
static bool opens_string(const reader *r, size_t inside)
{
    if (r->last != '"')
        return r->last != 'w';
    inside = skip_blanks(r, inside);
    return inside == r->text.length || strchr(",:}]", r->text.bytes[inside]) == NULL;
}

static void read_text(reader *r, text t, text key);

static void look_into(reader *r, const broken_piece *string)
{
    reader outer = *r;

    if (r->strings == MOST_STRING_LEVELS)
        return;
    r->strings++;
    read_text(r, string->value, string->key);
    outer.out_of_memory = r->out_of_memory;
    *r = outer;
}

static void take_string(reader *r, text value, bool is_closed)
{
    broken_piece piece = {BROKEN_STRING, .value = value, .is_closed = is_closed};

    if (r->last != ':' && r->at < r->text.length && r->text.bytes[r->at] == ':') {
        r->key = value;
    } else {
        piece.key = r->last == ':' ? r->key : (text)TEXT("");
        if (r->sink(r->arg, &piece))
            look_into(r, &piece);
    }
    r->last = '"';
}

/* A quote, with the backslashes in front of it. */
static void read_quote(reader *r, size_t backslashes)
{
    int level = level_of(backslashes);
    size_t begin = r->at + backslashes + 1, end, quote;
    text value;

    if (!opens_string(r, begin)) {
        r->at = skip_blanks(r, begin);
        if (r->last == 'w' && r->at < r->text.length && r->text.bytes[r->at] == ':')
            r->key = r->word; /* its opening quote was lost */
        r->last = '"';
        return;
    }
    end = inside_end(r->text, begin, level, &quote);
    value = text_between(r->text.bytes + begin, r->text.bytes + end);
    for (int i = 0; i <= level; i++)
        value = undo_escapes(r, value);
    r->at = quote < r->text.length ? skip_blanks(r, quote + 1) : quote;
    take_string(r, value, quote < r->text.length);
}

/* --- what is no string --- */

static void read_backslash(reader *r)
{
    size_t count = 0, blanks;

    while (r->at + count < r->text.length && r->text.bytes[r->at + count] == '\\')
        count++;
    if (r->at + count < r->text.length && r->text.bytes[r->at + count] == '"') {
        read_quote(r, count);
        return;
    }
    blanks = json_blanks(text_from(r->text, r->at));
    r->at += blanks > 0 ? blanks : count;
}

static void open_bracket(reader *r, char bracket)
{
    broken_piece piece = {.kind = bracket == '{' ? BROKEN_OBJECT : BROKEN_ARRAY};

    piece.key = r->last == ':' ? r->key : (text)TEXT("");
    r->depth++;
    r->sink(r->arg, &piece);
}

/* In a string no more brackets are closed than were opened in it. */
static void close_bracket(reader *r)
{
    const broken_piece piece = {.kind = BROKEN_END};

    if (r->strings > 0 && r->depth == 0)
        return;
    r->depth -= r->depth > 0;
    r->sink(r->arg, &piece);
}

static void read_word(reader *r)
{
    size_t begin = r->at;
    broken_piece piece = {.kind = BROKEN_WORD};

    while (r->at < r->text.length && r->text.bytes[r->at] != '\0' &&
           strchr("{}[],:\"\\ \t\r\n", r->text.bytes[r->at]) == NULL)
        r->at++;
    piece.key = r->last == ':' ? r->key : (text)TEXT("");
    piece.value = text_between(r->text.bytes + begin, r->text.bytes + r->at);
    piece.is_closed = r->at < r->text.length;
    r->sink(r->arg, &piece);
    r->word = piece.value;
    r->last = 'w';
}

static void read_token(reader *r)
{
    char c = r->text.bytes[r->at];

    switch (c) {
    case '"':
        read_quote(r, 0);
        return;
    case '\\':
        read_backslash(r);
        return;
    case '{':
    case '[':
        open_bracket(r, c);
        break;
    case '}':
    case ']':
        close_bracket(r);
        break;
    case ':':
    case ',':
        break;
    default:
        read_word(r);
        return;
    }
    r->last = c;
    r->at++;
}

/* What is left open in a string ends with it. */
static void end_text(reader *r)
{
    while (r->strings > 0 && r->depth > 0)
        close_bracket(r);
}

static void read_text(reader *r, text t, text key)
{
    r->text = t;
    r->at = 0;
    r->depth = 0;
    r->key = key;
    r->last = r->strings > 0 ? ':' : '\0';
    for (r->at = skip_blanks(r, 0); r->at < t.length; r->at = skip_blanks(r, r->at))
        read_token(r);
    end_text(r);
}

bool broken_json_read(text t, arena *memory, broken_sink *sink, void *arg)
{
    reader r = {.memory = memory, .sink = sink, .arg = arg};

    read_text(&r, t, (text)TEXT(""));
    return !r.out_of_memory;
}
