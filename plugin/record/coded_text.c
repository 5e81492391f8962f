/* SPDX-License-Identifier: Apache-2.0 */
/* coded_text: bytes by their numbers, and by the names that XML has for them. */
#include "record/coded_text.h"

#include <string.h>

static const struct {
    text code;
    char byte;
} named[] = {
    {TEXT("&quot;"), '"'},  {TEXT("&amp;"), '&'}, {TEXT("&lt;"), '<'}, {TEXT("&gt;"), '>'},
    {TEXT("&apos;"), '\''}, {TEXT("\\\\"), '\\'}, {TEXT("\\\""), '"'}, {TEXT("\\n"), '\n'},
    {TEXT("\\r"), '\r'},    {TEXT("\\t"), '\t'},
};

/* A byte by its number, of so many digits, between what stands before and behind it. */
static const struct {
    text before;
    unsigned base, fewest, most;
    text behind;
} numbered[] = {
    {TEXT("\\x"), 16, 2, 2, TEXT("")},  {TEXT("\\"), 8, 3, 3, TEXT("")},
    {TEXT("&#x"), 16, 2, 4, TEXT(";")}, {TEXT("&#X"), 16, 2, 4, TEXT(";")},
    {TEXT("&#"), 10, 2, 4, TEXT(";")},
};

enum { LENGTH_OF_NAMED = sizeof(named) / sizeof(named[0]) };
enum { LENGTH_OF_NUMBERED = sizeof(numbered) / sizeof(numbered[0]) };

static bool begins_with(text t, text begin)
{
    return t.length >= begin.length && memcmp(t.bytes, begin.bytes, begin.length) == 0;
}

/* What the digit says, or a number that is none. */
static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (unsigned)((c | 0x20) - 'a' + 10) : 16;
}

/* The length of the n-th numbered code at the front of t, and its byte; 0: it is not there. */
static size_t numbered_length(text t, size_t n, char *byte)
{
    size_t at = numbered[n].before.length, digits = 0;
    unsigned value = 0;

    if (!begins_with(t, numbered[n].before))
        return 0;
    while (digits < numbered[n].most && at < t.length &&
           digit_value(t.bytes[at]) < numbered[n].base) {
        value = value * numbered[n].base + digit_value(t.bytes[at++]);
        digits++;
    }
    *byte = (char)value;
    if (digits < numbered[n].fewest || value > 0xFF ||
        !begins_with(text_from(t, at), numbered[n].behind))
        return 0;
    return at + numbered[n].behind.length;
}

/* The length of the code at the front of t, and the byte that it stands for; 0: it is none. */
static size_t code_length(text t, char *byte)
{
    size_t length = 0;

    if (t.length == 0 || (t.bytes[0] != '\\' && t.bytes[0] != '&'))
        return 0;
    for (size_t i = 0; i < LENGTH_OF_NAMED; i++) {
        *byte = named[i].byte;
        if (begins_with(t, named[i].code))
            return named[i].code.length;
    }
    for (size_t i = 0; length == 0 && i < LENGTH_OF_NUMBERED; i++)
        length = numbered_length(t, i, byte);
    return length;
}

/*
 * JSON's own escape of a quote is none of these codes: walk_text undoes it, also where its
 * backslashes are coded, as of JSON in strings, of which three levels are opened.
 */
static bool begins_with_coded_quote(text t)
{
    enum { MOST_BACKSLASHES = 7 };
    char byte = '\0';
    size_t length = code_length(t, &byte);

    for (int i = 0; i < MOST_BACKSLASHES && length > 0 && byte == '\\'; i++) {
        t = text_from(t, length);
        length = code_length(t, &byte);
    }
    return length > 0 && byte == '"' && !begins_with(t, (text)TEXT("\\\""));
}

static bool is_bracket_or_blank(char c)
{
    return c == '{' || c == '[' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* How much of t stands in front of a quote as it is, and of what that one's document begins with.
 */
static size_t length_before_quote(text t)
{
    const char *quote = t.length > 0 ? memchr(t.bytes, '"', t.length) : NULL;
    size_t length = quote != NULL ? (size_t)(quote - t.bytes) : t.length;

    while (quote != NULL && length > 0 && is_bracket_or_blank(t.bytes[length - 1]))
        length--;
    return length;
}

/* Where the first quote of it stands; not far, as each bracket is asked. */
static size_t skip_brackets(text t)
{
    enum { MOST = 64 };
    size_t at = 0;

    while (at < MOST && at < t.length && is_bracket_or_blank(t.bytes[at]))
        at++;
    return at;
}

size_t coded_text_length(text t)
{
    size_t begin = skip_brackets(t);

    return begin > 0 && begins_with_coded_quote(text_from(t, begin)) ? length_before_quote(t) : 0;
}

/* Codes of the first quote's kind: of the other kind they are the text's own. */
void coded_text_undo(text t, buffer *out)
{
    text quote = text_from(t, skip_brackets(t));
    char begin = quote.length > 0 ? quote.bytes[0] : '\0';

    while (t.length > 0) {
        char byte = t.bytes[0];
        size_t length = t.bytes[0] == begin ? code_length(t, &byte) : 0;

        buffer_append_char(out, length > 0 ? byte : t.bytes[0]);
        t = text_from(t, length > 0 ? length : 1);
    }
}
