/*
 * gate: one pass over the bytes; a phrase is tried where a byte could begin it.
 *
 * A phrase's character may stand in the text as itself, as \uXXXX, or, in
 * JSON inside a string, with more backslashes before the u. An escape that
 * hides a part of another escape (\u005cu0053) is not followed: such a text
 * passes. No encoder writes it, so this costs nothing in practice. A NUL byte
 * is a blank here, as unwrap makes one of it to go on reading.
 */
#include "gate.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct pattern {
    text phrase; /* a copy of its own */
} pattern;

struct gate {
    semantics semantics;
    bool passes_all;     /* a phrase that is in every text, or that escapes could hide */
    bool may_begin[256]; /* bytes at which a phrase or an escape may begin */
    size_t count;
    pattern patterns[];
};

struct gate_scratch {
    const gate *gate;
};

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint32_t hex_value(char c)
{
    return (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/*
 * Short escapes (\" \\ \n) are not followed; a phrase that needs one lets all
 * texts pass. So does one with four blanks, which unwrap makes of a "#012".
 */
static bool needs_short_escape(text phrase)
{
    if (memmem(phrase.bytes, phrase.length, "    ", 4) != NULL)
        return true;
    for (size_t i = 0; i < phrase.length; i++) {
        unsigned char c = (unsigned char)phrase.bytes[i];
        if (c < 0x20 || c == '"' || c == '\\' || c == '/' || c >= 0x80)
            return true;
    }
    return false;
}

static void note_first_byte(gate *self, unsigned char c)
{
    bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

    self->may_begin[c] = true;
    if (c == ' ')
        self->may_begin['\0'] = true;
    if (!letter)
        return;
    self->may_begin[c | 0x20] = true;
    self->may_begin[c & ~0x20] = true;
    if ((c | 0x20) == 's')
        self->may_begin[0xC5] = true; /* U+017F, which wide folds to s */
    if ((c | 0x20) == 'k')
        self->may_begin[0xE2] = true; /* U+212A, which wide folds to k */
}

static bool add_phrase(gate *self, text phrase)
{
    char *copy;

    if (phrase.length == 0 || needs_short_escape(phrase)) {
        self->passes_all = true;
        return true;
    }
    copy = malloc(phrase.length);
    if (copy == NULL)
        return false;
    memcpy(copy, phrase.bytes, phrase.length);
    self->patterns[self->count++].phrase = (text){copy, phrase.length};
    note_first_byte(self, (unsigned char)copy[0]);
    return true;
}

gate *gate_new(const text *phrases, size_t count, semantics s)
{
    gate *self = calloc(1, sizeof(*self) + count * sizeof(pattern));

    if (self == NULL)
        return NULL;
    self->semantics = s;
    self->may_begin['\\'] = true;
    for (size_t i = 0; i < count; i++) {
        if (!add_phrase(self, phrases[i])) {
            gate_free(self);
            return NULL;
        }
    }
    return self;
}

void gate_free(gate *self)
{
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        free((char *)self->patterns[i].phrase.bytes);
    free(self);
}

gate_scratch *gate_scratch_new(const gate *self)
{
    gate_scratch *scratch = calloc(1, sizeof(*scratch));

    if (scratch != NULL)
        scratch->gate = self;
    return scratch;
}

void gate_scratch_free(gate_scratch *self)
{
    free(self);
}

/* If a \uXXXX stands at `at`, with one or more backslashes, its length and value; else 0. */
static size_t escape_at(text t, size_t at, uint32_t *value)
{
    size_t begin = at;

    while (at < t.length && t.bytes[at] == '\\')
        at++;
    if (at == begin || t.length - at < 5 || t.bytes[at] != 'u')
        return 0;
    *value = 0;
    for (size_t i = 1; i <= 4; i++) {
        if (!is_hex(t.bytes[at + i]))
            return 0;
        *value = *value << 4 | hex_value(t.bytes[at + i]);
    }
    return at + 5 - begin;
}

static bool hides_an_escape(text t, size_t at)
{
    uint32_t value;

    if (escape_at(t, at, &value) == 0 || value >= 0x80)
        return false;
    return value == '\\' || value == 'u' || is_hex((char)value);
}

static bool is_wanted(const gate *self, char c, char wanted)
{
    if (c == '\0')
        c = ' ';
    return kql_equals((text){&c, 1}, (text){&wanted, 1}, self->semantics);
}

/* One character of the phrase at `at`, plain or escaped: how many bytes it takes there, or 0. */
static size_t step(const gate *self, text t, size_t at, char wanted)
{
    static const text long_s = TEXT("\xC5\xBF"), kelvin = TEXT("\xE2\x84\xAA");
    text look_alike = (wanted | 0x20) == 's' ? long_s : (wanted | 0x20) == 'k' ? kelvin : (text){0};
    text rest = text_from(t, at);
    uint32_t value;
    size_t length;

    if (rest.length == 0)
        return 0;
    if (is_wanted(self, rest.bytes[0], wanted))
        return 1;
    if (self->semantics == SEMANTICS_WIDE && look_alike.length > 0 &&
        rest.length >= look_alike.length &&
        memcmp(rest.bytes, look_alike.bytes, look_alike.length) == 0)
        return look_alike.length;
    length = escape_at(t, at, &value);
    if (length == 0)
        return 0;
    if (value < 0x80)
        return is_wanted(self, (char)value, wanted) ? length : 0;
    if (self->semantics == SEMANTICS_WIDE && look_alike.length > 0)
        return value == (look_alike.length == 2 ? 0x017F : 0x212A) ? length : 0;
    return 0;
}

static bool phrase_at(const gate *self, text t, size_t at, text phrase)
{
    for (size_t i = 0; i < phrase.length; i++) {
        size_t taken = step(self, t, at, phrase.bytes[i]);

        if (taken == 0)
            return false;
        at += taken;
    }
    return true;
}

static bool any_phrase_at(const gate *self, text t, size_t at)
{
    for (size_t i = 0; i < self->count; i++)
        if (phrase_at(self, t, at, self->patterns[i].phrase))
            return true;
    return false;
}

static bool is_hit(const gate *self, text t, size_t at)
{
    if (!self->may_begin[(unsigned char)t.bytes[at]])
        return false;
    if (t.bytes[at] == '\\') {
        if (at > 0 && t.bytes[at - 1] == '\\')
            return false; /* the run was tried as a whole where it began */
        if (hides_an_escape(t, at))
            return true;
    }
    return any_phrase_at(self, t, at);
}

size_t gate_find(const gate *self, gate_scratch *scratch, text t)
{
    size_t at = 0;

    (void)scratch;
    if (self->passes_all)
        return 0;
    while (at < t.length && !is_hit(self, t, at))
        at++;
    return at;
}

bool gate_may_hold(const gate *self, gate_scratch *scratch, text t)
{
    return self->passes_all || gate_find(self, scratch, t) < t.length;
}
