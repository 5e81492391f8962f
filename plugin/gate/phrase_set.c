/* SPDX-License-Identifier: Apache-2.0 */
/* phrase_set: what a phrase may look like in a raw text. */
#include "gate/phrase_set.h"

#include <stdint.h>
#include <stdlib.h>

enum { LONG_S = 0x017F, KELVIN_SIGN = 0x212A };

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static uint32_t hex_value(char c)
{
    return (uint32_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* As a phrase has it: in lower case, and a blank for NUL. */
static char plain(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c | 0x20);
    return c == '\0' ? ' ' : c;
}

/* --- making them --- */

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

static bool add_phrase(phrase_set *self, text phrase)
{
    char *copy;

    if (phrase.length == 0 || needs_short_escape(phrase)) {
        self->pass_all = true;
        return true;
    }
    copy = malloc(phrase.length);
    if (copy == NULL)
        return false;
    for (size_t i = 0; i < phrase.length; i++) {
        copy[i] = plain(phrase.bytes[i]);
        self->in_phrases[(unsigned char)copy[i]] = true;
    }
    self->list[self->count++] = (text){copy, phrase.length};
    return true;
}

static bool add_phrases(phrase_set *self, const text *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!add_phrase(self, list[i]))
            return false;
    return true;
}

phrase_set *phrase_set_new(const text *list, size_t count, semantics s)
{
    phrase_set *self = calloc(1, sizeof(*self) + count * sizeof(text));

    if (self == NULL)
        return NULL;
    self->semantics = s;
    if (add_phrases(self, list, count))
        return self;
    phrase_set_free(self);
    return NULL;
}

void phrase_set_free(phrase_set *self)
{
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        free((char *)self->list[i].bytes);
    free(self);
}

/* --- what stands at a place --- */

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

/* What wide semantics folds to the phrase's s and k; else an empty text. */
static text look_alike_of(const phrase_set *self, char wanted)
{
    if (self->semantics == SEMANTICS_WIDE && wanted == 's')
        return (text)TEXT("\xC5\xBF");
    if (self->semantics == SEMANTICS_WIDE && wanted == 'k')
        return (text)TEXT("\xE2\x84\xAA");
    return (text){0};
}

static bool is_value_of(const phrase_set *self, uint32_t value, char wanted)
{
    if (value < 0x80)
        return plain((char)value) == wanted;
    return self->semantics == SEMANTICS_WIDE && value == (wanted == 's'   ? LONG_S
                                                          : wanted == 'k' ? KELVIN_SIGN
                                                                          : 0);
}

/* One character of a phrase at `at`, but not plain: how many bytes it takes there, or 0. */
static size_t odd_step(const phrase_set *self, text t, size_t at, char wanted)
{
    text look_alike = look_alike_of(self, wanted);
    uint32_t value;
    size_t length;

    if (look_alike.length > 0 && t.length - at >= look_alike.length &&
        memcmp(t.bytes + at, look_alike.bytes, look_alike.length) == 0)
        return look_alike.length;
    length = escape_at(t, at, &value);
    return length > 0 && is_value_of(self, value, wanted) ? length : 0;
}

static bool phrase_at(const phrase_set *self, text t, size_t at, text phrase)
{
    for (size_t i = 0; i < phrase.length; i++) {
        size_t taken = 1;

        if (at >= t.length)
            return false;
        if (plain(t.bytes[at]) != phrase.bytes[i])
            taken = odd_step(self, t, at, phrase.bytes[i]);
        if (taken == 0)
            return false;
        at += taken;
    }
    return true;
}

bool phrase_set_is_anchor_character(const phrase_set *self, char c)
{
    return look_alike_of(self, c).length == 0;
}

/* How many bytes more than characters look-alikes can make of the phrase's beginning. */
static size_t most_surplus(const phrase_set *self, text beginning)
{
    size_t surplus = 0;

    for (size_t i = 0; i < beginning.length; i++) {
        text look_alike = look_alike_of(self, beginning.bytes[i]);

        surplus += look_alike.length > 0 ? look_alike.length - 1 : 0;
    }
    return surplus;
}

phrase_anchor phrase_set_make_anchor(const phrase_set *self, size_t phrase, size_t index)
{
    text beginning = {self->list[phrase].bytes, index};

    return (phrase_anchor){phrase, index, most_surplus(self, beginning)};
}

/* Can what stands before `at` be the end of that character, but not of an escape? */
static bool may_end_at(const phrase_set *self, text t, size_t at, char wanted)
{
    text look_alike = look_alike_of(self, wanted);

    return at > 0 &&
           (plain(t.bytes[at - 1]) == wanted ||
            (look_alike.length > 0 && t.bytes[at - 1] == look_alike.bytes[look_alike.length - 1]));
}

/* As nearly all are written: without escapes and look-alikes. */
static bool is_plainly_at(text t, size_t at, text phrase)
{
    size_t i = 0;

    if (t.length - at < phrase.length)
        return false;
    while (i < phrase.length && plain(t.bytes[at + i]) == phrase.bytes[i])
        i++;
    return i == phrase.length;
}

/* The nearest is looked at first: it mostly says no. */
bool phrase_set_is_around(const phrase_set *self, text t, phrase_anchor anchor, size_t at,
                          size_t *hit)
{
    text phrase = self->list[anchor.phrase];
    size_t most_before = anchor.index + anchor.surplus;

    if (anchor.index > 0 && !may_end_at(self, t, at, phrase.bytes[anchor.index - 1]))
        return false;
    if (at >= anchor.index && is_plainly_at(t, at - anchor.index, phrase)) {
        *hit = at - anchor.index;
        return true;
    }
    if (!phrase_at(self, t, at, text_from(phrase, anchor.index)))
        return false;
    for (size_t before = anchor.index; before <= at && before <= most_before; before++) {
        if (phrase_at(self, t, at - before, phrase)) {
            *hit = at - before;
            return true;
        }
    }
    return false;
}

static bool hides_an_escape(uint32_t value)
{
    return value < 0x80 && (value == '\\' || value == 'u' || is_hex((char)value));
}

static bool may_be_in_phrases(const phrase_set *self, uint32_t value)
{
    if (value < 0x80)
        return self->in_phrases[(unsigned char)plain((char)value)];
    return value == LONG_S || value == KELVIN_SIGN;
}

static bool any_phrase_is_around(const phrase_set *self, text t, uint32_t value, size_t at,
                                 size_t *hit)
{
    for (size_t p = 0; p < self->count; p++) {
        for (size_t i = 0; i < self->list[p].length; i++)
            if (is_value_of(self, value, self->list[p].bytes[i]) &&
                phrase_set_is_around(self, t, phrase_set_make_anchor(self, p, i), at, hit))
                return true;
    }
    return false;
}

bool phrase_set_wants_escape(const phrase_set *self, text t, size_t at, size_t *hit)
{
    uint32_t value;

    if (escape_at(t, at, &value) == 0)
        return false;
    if (!hides_an_escape(value) && !may_be_in_phrases(self, value))
        return false;
    while (at > 0 && t.bytes[at - 1] == '\\')
        at--;
    *hit = at;
    return hides_an_escape(value) || any_phrase_is_around(self, t, value, at, hit);
}

/* --- byte by byte --- */

static bool any_phrase_at(const phrase_set *self, text t, size_t at)
{
    for (size_t i = 0; i < self->count; i++)
        if (phrase_at(self, t, at, self->list[i]))
            return true;
    return false;
}

size_t phrase_set_walk(const phrase_set *self, text t)
{
    size_t hit;

    for (size_t at = 0; at < t.length; at++) {
        if (any_phrase_at(self, t, at) ||
            (t.bytes[at] == '\\' && phrase_set_wants_escape(self, t, at, &hit)))
            return at;
    }
    return t.length;
}
