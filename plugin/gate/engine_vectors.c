/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_vectors: looks for pairs of neighbouring bytes, many places at once.
 *
 * Each phrase is looked for by one pair of its characters, chosen so that few
 * pairs serve all phrases and that they are rare in what passes by; an escape
 * by its backslash and u (a backslash alone is everywhere in JSON inside a
 * string). Bytes are compared with the bit 0x20 set, which makes letters of
 * any case alike and a NUL byte a blank. What else it makes alike is sorted
 * out where a place is looked at.
 */
#include <stdint.h>
#include <stdlib.h>

#include "gate/engine.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* With more than a few, buckets are faster if the machine has them; the most that are looked for
 * here. */
enum { FEW_PAIRS = 7, MOST_PAIRS = 64 };

typedef struct pair {
    unsigned char first, second; /* with the bit 0x20 */
    bool may_follow[256];        /* what can stand behind it in one of its phrases */
    size_t anchor_count;         /* those; none: it is the pair of the escapes */
    phrase_anchor *anchors;
} pair;

typedef struct vectors vectors;
typedef size_t finder(const vectors *self, text t);

struct vectors {
    const phrase_set *phrases;
    finder *find;
    size_t pair_count;
    pair pairs[MOST_PAIRS];
};

/* --- choosing the pairs --- */

/* Of 10,000 characters of audit records and of syslog lines, how many are that one: coarsely. */
static unsigned frequency(unsigned char c)
{
    static const unsigned short letters[] = {
        ['a' - 'a'] = 460, ['b' - 'a'] = 150, ['c' - 'a'] = 260, ['d' - 'a'] = 300,
        ['e' - 'a'] = 680, ['f' - 'a'] = 160, ['g' - 'a'] = 100, ['h' - 'a'] = 80,
        ['i' - 'a'] = 390, ['j' - 'a'] = 15,  ['k' - 'a'] = 40,  ['l' - 'a'] = 220,
        ['m' - 'a'] = 150, ['n' - 'a'] = 330, ['o' - 'a'] = 310, ['p' - 'a'] = 180,
        ['q' - 'a'] = 10,  ['r' - 'a'] = 340, ['s' - 'a'] = 310, ['t' - 'a'] = 370,
        ['u' - 'a'] = 160, ['v' - 'a'] = 60,  ['w' - 'a'] = 40,  ['x' - 'a'] = 20,
        ['y' - 'a'] = 90,  ['z' - 'a'] = 20,
    };

    if (c >= 'a' && c <= 'z')
        return letters[c - 'a'];
    return c == ' ' || (c >= '0' && c <= '9') ? 200 : 100;
}

/* A pair costs something wherever it is looked for, and more where it is found. */
static unsigned cost(unsigned char first, unsigned char second)
{
    return 10000 + frequency(first) * frequency(second);
}

static unsigned char with_bit(char c)
{
    return (unsigned char)(c | 0x20);
}

static bool is_anchor(const phrase_set *self, text phrase, size_t index)
{
    return index + 1 < phrase.length && phrase_set_is_anchor_character(self, phrase.bytes[index]) &&
           phrase_set_is_anchor_character(self, phrase.bytes[index + 1]);
}

/* Where the pair stands in the phrase, or its length. */
static size_t index_of(const phrase_set *self, text phrase, const pair *p)
{
    for (size_t i = 0; i + 1 < phrase.length; i++)
        if (is_anchor(self, phrase, i) && with_bit(phrase.bytes[i]) == p->first &&
            with_bit(phrase.bytes[i + 1]) == p->second)
            return i;
    return phrase.length;
}

/* How many of the phrases that have no pair yet would this one serve? */
static size_t serves(const phrase_set *self, const bool *is_served, const pair *p)
{
    size_t count = 0;

    for (size_t i = 0; i < self->count; i++)
        count += !is_served[i] && index_of(self, self->list[i], p) < self->list[i].length;
    return count;
}

typedef struct choice {
    pair pair;
    size_t served;
} choice;

static bool is_better(const choice *a, const choice *b)
{
    return a->served * cost(b->pair.first, b->pair.second) >
           b->served * cost(a->pair.first, a->pair.second);
}

static void choose_from(const phrase_set *self, const bool *is_served, text phrase, choice *best)
{
    for (size_t i = 0; i + 1 < phrase.length; i++) {
        choice c = {
            .pair = {.first = with_bit(phrase.bytes[i]), .second = with_bit(phrase.bytes[i + 1])}};

        if (!is_anchor(self, phrase, i))
            continue;
        c.served = serves(self, is_served, &c.pair);
        if (best->served == 0 || is_better(&c, best))
            *best = c;
    }
}

static void set_all(pair *p)
{
    memset(p->may_follow, true, sizeof(p->may_follow));
}

/* The phrase's next character, in any of its forms. */
static void allow_to_follow(pair *p, text phrase, size_t next)
{
    unsigned char c;

    if (next == phrase.length) {
        set_all(p);
        return;
    }
    c = (unsigned char)phrase.bytes[next];
    p->may_follow[c] = true;
    p->may_follow['\\'] = true;
    if (c == ' ')
        p->may_follow['\0'] = true;
    if (c >= 'a' && c <= 'z')
        p->may_follow[c & ~0x20] = true;
    if (c == 's' || c == 'k') /* wide: U+017F and U+212A */
        p->may_follow[c == 's' ? 0xC5 : 0xE2] = true;
}

static bool take(vectors *self, bool *is_served, const choice *best)
{
    const phrase_set *all = self->phrases;
    pair *p = &self->pairs[self->pair_count];

    *p = best->pair;
    p->anchors = calloc(best->served, sizeof(phrase_anchor));
    if (p->anchors == NULL)
        return false;
    self->pair_count++;
    for (size_t i = 0; i < all->count; i++) {
        size_t index = index_of(all, all->list[i], p);

        if (is_served[i] || index == all->list[i].length)
            continue;
        is_served[i] = true;
        allow_to_follow(p, all->list[i], index + 2);
        p->anchors[p->anchor_count++] = phrase_set_make_anchor(all, i, index);
    }
    return true;
}

/* Serves the phrases, the cheapest way first; false when one has no anchor, or memory is out. */
static bool choose_pairs(vectors *self, bool *is_served)
{
    const phrase_set *all = self->phrases;

    for (;;) {
        choice best = {.served = 0};
        bool all_served = true;

        for (size_t i = 0; i < all->count; i++) {
            all_served &= is_served[i];
            if (!is_served[i])
                choose_from(all, is_served, all->list[i], &best);
        }
        if (all_served)
            return true;
        if (best.served == 0 || self->pair_count == MOST_PAIRS || !take(self, is_served, &best))
            return false;
    }
}

/* --- looking at a place --- */

static bool is_hit(const phrase_set *all, text t, size_t at, const pair *p, size_t *hit)
{
    if (p->anchor_count == 0)
        return phrase_set_wants_escape(all, t, at, hit);
    for (size_t i = 0; i < p->anchor_count; i++)
        if (phrase_set_is_around(all, t, p->anchors[i], at, hit))
            return true;
    return false;
}

/* The hit at `at`, where two bytes are, or t.length. */
static size_t check_place(const vectors *self, text t, size_t at)
{
    unsigned char first = with_bit(t.bytes[at]), second = with_bit(t.bytes[at + 1]);
    bool is_end = at + 2 == t.length;
    size_t hit;

    for (size_t i = 0; i < self->pair_count; i++) {
        const pair *p = &self->pairs[i];

        if (p->first == first && p->second == second &&
            (is_end || p->may_follow[(unsigned char)t.bytes[at + 2]]) &&
            is_hit(self->phrases, t, at, p, &hit))
            return hit;
    }
    return t.length;
}

/* The first hit among the places from `at` on whose bits are set, or t.length. */
static inline size_t check_places(const vectors *self, text t, size_t at, uint32_t places)
{
    for (; places != 0; places &= places - 1) {
        size_t hit = check_place(self, t, at + (size_t)__builtin_ctz(places));

        if (hit < t.length)
            return hit;
    }
    return t.length;
}

/* For a text shorter than a vector. */
static size_t check_bytes(const vectors *self, text t)
{
    for (size_t at = 0; at + 1 < t.length; at++) {
        size_t hit = check_place(self, t, at);

        if (hit < t.length)
            return hit;
    }
    return t.length;
}

/* --- the loops --- */

#define SCAN_WIDTH 16
#define SCAN_NAME(name) narrow_##name
#define SCAN_TARGET
#if defined(__x86_64__)
#define SCAN_MASK(v) ((uint32_t)_mm_movemask_epi8((__m128i)(v)))
#define SCAN_ANY(v) (SCAN_MASK(v) != 0)
#else
#define SCAN_MASK(v) mask_of(v)
#define SCAN_ANY(v) is_any(v)
typedef unsigned char sixteen __attribute__((vector_size(16)));

static inline bool is_any(sixteen v)
{
    uint64_t words[2];

    memcpy(words, &v, sizeof(words));
    return (words[0] | words[1]) != 0;
}

static inline uint32_t mask_of(sixteen v)
{
    uint32_t mask = 0;

    for (size_t i = 0; i < sizeof(v); i++)
        mask |= (uint32_t)(v[i] & 1) << i;
    return mask;
}
#endif
#include "gate/vector_scan.h"

#if defined(__x86_64__)
#define SCAN_WIDTH 32
#define SCAN_NAME(name) wide_##name
#define SCAN_TARGET __attribute__((target("avx2")))
#define SCAN_MASK(v) ((uint32_t)_mm256_movemask_epi8((__m256i)(v)))
#define SCAN_ANY(v) (!_mm256_testz_si256((__m256i)(v), (__m256i)(v)))
#include "gate/vector_scan.h"
#endif

static finder *widest_finder(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return wide_find;
#endif
    return narrow_find;
}

/* --- the engine --- */

static void free_vectors(void *vectors_made)
{
    vectors *self = vectors_made;

    for (size_t i = 0; i < self->pair_count; i++)
        free(self->pairs[i].anchors);
    free(self);
}

static bool make_pairs(vectors *self)
{
    bool *is_served = calloc(self->phrases->count + 1, sizeof(bool));
    bool done = is_served != NULL && choose_pairs(self, is_served);

    free(is_served);
    return done;
}

static vectors *make_with(finder *find, size_t most_pairs, const phrase_set *p)
{
    vectors *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->phrases = p;
    self->find = find;
    self->pairs[self->pair_count++] = (pair){.first = with_bit('\\'), .second = 'u'};
    set_all(&self->pairs[0]);
    if (make_pairs(self) && self->pair_count <= most_pairs)
        return self;
    free_vectors(self);
    return NULL;
}

static void *make(const phrase_set *p)
{
    return make_with(widest_finder(), MOST_PAIRS, p);
}

static void *make_narrow(const phrase_set *p)
{
    return make_with(narrow_find, MOST_PAIRS, p);
}

static void *make_if_few(const phrase_set *p)
{
    return make_with(widest_finder(), FEW_PAIRS, p);
}

static size_t find(const void *vectors_made, text t)
{
    const vectors *self = vectors_made;

    return self->find(self, t);
}

const engine engine_vectors = {.make = make, .free = free_vectors, .find = find};
const engine engine_narrow_vectors = {.make = make_narrow, .free = free_vectors, .find = find};
const engine engine_few_vectors = {.make = make_if_few, .free = free_vectors, .find = find};
