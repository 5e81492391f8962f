/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate: what a phrase may look like in a raw text, and which engine looks for it.
 *
 * A phrase's character may stand in the text as itself, as \uXXXX, or, in
 * JSON inside a string, with more backslashes before the u. An escape that
 * hides a part of another escape (\u005cu0053) is not followed: such a text
 * passes. No encoder writes it, so this costs nothing in practice. A NUL byte
 * is a blank here, as unwrap makes one of it to go on reading.
 */
#include "gate/gate.h"

#include <stdint.h>
#include <stdlib.h>

#include "gate/gate_engine.h"

/* Where the portable engine looks for more pairs than that, Hyperscan is the faster one. */
enum { MOST_CHEAP_PAIRS = 7 };

enum { LONG_S = 0x017F, KELVIN_SIGN = 0x212A };

struct gate_scratch {
    gate_hyperscan_scratch *hyperscan; /* NULL: the portable engine, which needs none */
};

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

/* --- making one --- */

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
    for (size_t i = 0; i < phrase.length; i++) {
        copy[i] = plain(phrase.bytes[i]);
        self->in_phrases[(unsigned char)copy[i]] = true;
    }
    self->phrases[self->count++] = (text){copy, phrase.length};
    return true;
}

static bool add_phrases(gate *self, const text *phrases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!add_phrase(self, phrases[i]))
            return false;
    return true;
}

/* Is that engine, or what stands in for it, ready? */
static bool make_engine(gate *self, gate_engine engine)
{
    gate_width width = engine == GATE_NARROW_VECTORS ? GATE_NARROW : GATE_WIDEST;
    bool portable_is_slow;

    self->portable = gate_portable_new(self, width, &self->has_no_anchor);
    if (self->portable == NULL)
        return false;
    portable_is_slow =
        self->has_no_anchor || gate_portable_pairs(self->portable) > MOST_CHEAP_PAIRS;
    if (engine == GATE_HYPERSCAN || (engine == GATE_BEST && portable_is_slow))
        self->hyperscan = gate_hyperscan_new(self);
    return true;
}

gate *gate_new_with(gate_engine engine, const text *phrases, size_t count, semantics s)
{
    gate *self = calloc(1, sizeof(*self) + count * sizeof(text));

    if (self == NULL)
        return NULL;
    self->semantics = s;
    if (add_phrases(self, phrases, count) && make_engine(self, engine))
        return self;
    gate_free(self);
    return NULL;
}

gate *gate_new(const text *phrases, size_t count, semantics s)
{
    return gate_new_with(GATE_BEST, phrases, count, s);
}

void gate_free(gate *self)
{
    if (self == NULL)
        return;
    gate_hyperscan_free(self->hyperscan);
    gate_portable_free(self->portable);
    for (size_t i = 0; i < self->count; i++)
        free((char *)self->phrases[i].bytes);
    free(self);
}

bool gate_has_hyperscan(const gate *self)
{
    return self->hyperscan != NULL;
}

gate_scratch *gate_scratch_new(const gate *self)
{
    gate_scratch *scratch = calloc(1, sizeof(*scratch));

    if (scratch != NULL && self->hyperscan != NULL)
        scratch->hyperscan = gate_hyperscan_scratch_new(self->hyperscan);
    return scratch;
}

void gate_scratch_free(gate_scratch *self)
{
    if (self != NULL)
        gate_hyperscan_scratch_free(self->hyperscan);
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
static text look_alike_of(const gate *self, char wanted)
{
    if (self->semantics == SEMANTICS_WIDE && wanted == 's')
        return (text)TEXT("\xC5\xBF");
    if (self->semantics == SEMANTICS_WIDE && wanted == 'k')
        return (text)TEXT("\xE2\x84\xAA");
    return (text){0};
}

static bool is_value_of(const gate *self, uint32_t value, char wanted)
{
    if (value < 0x80)
        return plain((char)value) == wanted;
    return self->semantics == SEMANTICS_WIDE && value == (wanted == 's'   ? LONG_S
                                                          : wanted == 'k' ? KELVIN_SIGN
                                                                          : 0);
}

/* One character of a phrase at `at`, but not plain: how many bytes it takes there, or 0. */
static size_t odd_step(const gate *self, text t, size_t at, char wanted)
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

static bool phrase_at(const gate *self, text t, size_t at, text phrase)
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

bool gate_is_anchor_character(const gate *self, char c)
{
    return look_alike_of(self, c).length == 0;
}

/* How many bytes more than characters look-alikes can make of the phrase's beginning. */
static size_t most_surplus(const gate *self, text beginning)
{
    size_t surplus = 0;

    for (size_t i = 0; i < beginning.length; i++) {
        text look_alike = look_alike_of(self, beginning.bytes[i]);

        surplus += look_alike.length > 0 ? look_alike.length - 1 : 0;
    }
    return surplus;
}

gate_anchor gate_make_anchor(const gate *self, size_t phrase, size_t index)
{
    text beginning = {self->phrases[phrase].bytes, index};

    return (gate_anchor){phrase, index, most_surplus(self, beginning)};
}

/* What follows is looked at first: it mostly says no. */
bool gate_phrase_is_around(const gate *self, text t, gate_anchor anchor, size_t at, size_t *hit)
{
    text phrase = self->phrases[anchor.phrase];
    size_t most_before = anchor.index + anchor.surplus;

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

static bool may_be_in_phrases(const gate *self, uint32_t value)
{
    if (value < 0x80)
        return self->in_phrases[(unsigned char)plain((char)value)];
    return value == LONG_S || value == KELVIN_SIGN;
}

static bool any_phrase_is_around(const gate *self, text t, uint32_t value, size_t at, size_t *hit)
{
    for (size_t p = 0; p < self->count; p++) {
        for (size_t i = 0; i < self->phrases[p].length; i++)
            if (is_value_of(self, value, self->phrases[p].bytes[i]) &&
                gate_phrase_is_around(self, t, gate_make_anchor(self, p, i), at, hit))
                return true;
    }
    return false;
}

bool gate_escape_is_of_interest(const gate *self, text t, size_t at, size_t *hit)
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

/* --- asking --- */

static bool any_phrase_at(const gate *self, text t, size_t at)
{
    for (size_t i = 0; i < self->count; i++)
        if (phrase_at(self, t, at, self->phrases[i]))
            return true;
    return false;
}

/* Byte by byte, for phrases in which nothing can be looked for. */
static size_t walk(const gate *self, text t)
{
    size_t hit;

    for (size_t at = 0; at < t.length; at++) {
        if (any_phrase_at(self, t, at) ||
            (t.bytes[at] == '\\' && gate_escape_is_of_interest(self, t, at, &hit)))
            return at;
    }
    return t.length;
}

size_t gate_find(const gate *self, gate_scratch *scratch, text t)
{
    if (self->passes_all)
        return 0;
    if (scratch->hyperscan != NULL && t.length <= GATE_HYPERSCAN_MOST_BYTES)
        return gate_hyperscan_find(self, scratch->hyperscan, t);
    return self->has_no_anchor ? walk(self, t) : gate_portable_find(self, t);
}

bool gate_may_hold(const gate *self, gate_scratch *scratch, text t)
{
    return self->passes_all || gate_find(self, scratch, t) < t.length;
}
