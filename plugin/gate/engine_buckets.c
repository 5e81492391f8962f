/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_buckets: looks for pieces of three bytes, many places at once.
 *
 * Tables of buckets.h, looked up by an instruction that does so for all bytes
 * of a vector: x86 has it since SSSE3. It says no on other machines.
 */
#include "gate/engine.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdlib.h>

#include "files/line_blocks.h"
#include "gate/buckets.h"

/* So many places in a thousand may be looked at in vain, where another engine could be had. */
#define MOST_IN_VAIN 5.0

/* With more of them buckets say little. */
enum { MOST_PHRASES = 256 };

typedef struct engine_state engine_state;
typedef size_t finder(const engine_state *self, text t);
typedef size_t line_finder(const engine_state *self, text t, line_run *lines);

struct engine_state {
    buckets *buckets;
    finder *find;
    line_finder *find_in_lines; /* NULL: not with this machine's instructions */
};

/* --- looking at places --- */

/* The first hit among the places from `at` on whose bits are set, or t.length. */
static __attribute__((noinline)) size_t check_places(const engine_state *self, text t, size_t at,
                                                     uint64_t places)
{
    for (; places != 0; places &= places - 1) {
        size_t hit = buckets_check(self->buckets, t, at + (size_t)__builtin_ctzll(places));

        if (hit < t.length)
            return hit;
    }
    return t.length;
}

/* The same of all places, in a text that is too short for the loops. */
static size_t check_bytes(const engine_state *self, text t)
{
    if (t.length < PIECE_LENGTH)
        return t.length;
    return check_places(self, t, 0, ((uint64_t)2 << (t.length - PIECE_LENGTH)) - 1);
}

/* --- the loops --- */

#define LOAD_128(from) _mm_loadu_si128((const __m128i *)(from))
#define LOAD_256(from) _mm256_loadu_si256((const __m256i *)(from))

/* 16 bytes at once. */

typedef struct narrow_tables {
    __m128i low[PIECE_LENGTH], high;
} narrow_tables;

#define NARROW __attribute__((target("ssse3")))

NARROW static inline void narrow_prepare(narrow_tables *tables, const bucket_masks *masks)
{
    for (size_t i = 0; i < PIECE_LENGTH; i++)
        tables->low[i] = LOAD_128(masks->low[i]);
    tables->high = LOAD_128(masks->high);
}

/* A byte that is not ASCII has its highest bit set, for which the first look-up gives 0. */
NARROW static inline __m128i narrow_buckets(const narrow_tables *tables, size_t i, const char *from)
{
    __m128i v = LOAD_128(from), found = _mm_shuffle_epi8(tables->low[i], v);

    if (i == HIGH_PLACE)
        found &= _mm_shuffle_epi8(tables->high, _mm_srli_epi16(v, 4) & _mm_set1_epi8(15));
    return found;
}

NARROW static inline uint64_t narrow_places(__m128i v)
{
    return 0xFFFF & ~_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128()));
}

#define SCAN_WIDTH 16
#define SCAN_BLOCK 32
#define SCAN_NAME(name) narrow_##name
#define SCAN_TARGET NARROW
#define SCAN_VECTOR __m128i
#define SCAN_TABLES narrow_tables
#define SCAN_PREPARE narrow_prepare
#define SCAN_BUCKETS narrow_buckets
#define SCAN_ANY(v) (narrow_places(v) != 0)
#define SCAN_PLACES narrow_places
#define SCAN_SHORT check_bytes
#include "gate/bucket_scan.h"

/* 32 bytes at once. */

typedef struct wide_tables {
    __m256i low[PIECE_LENGTH], high;
} wide_tables;

#define WIDE __attribute__((target("avx2")))

WIDE static inline void wide_prepare(wide_tables *tables, const bucket_masks *masks)
{
    for (size_t i = 0; i < PIECE_LENGTH; i++)
        tables->low[i] = _mm256_broadcastsi128_si256(LOAD_128(masks->low[i]));
    tables->high = _mm256_broadcastsi128_si256(LOAD_128(masks->high));
}

WIDE static inline __m256i wide_buckets(const wide_tables *tables, size_t i, const char *from)
{
    __m256i v = LOAD_256(from), found = _mm256_shuffle_epi8(tables->low[i], v);

    if (i == HIGH_PLACE)
        found &= _mm256_shuffle_epi8(tables->high, _mm256_srli_epi16(v, 4) & _mm256_set1_epi8(15));
    return found;
}

WIDE static inline uint64_t wide_places(__m256i v)
{
    return (uint32_t)~_mm256_movemask_epi8(_mm256_cmpeq_epi8(v, _mm256_setzero_si256()));
}

#define SCAN_WIDTH 32
#define SCAN_BLOCK 64
#define SCAN_NAME(name) wide_##name
#define SCAN_TARGET WIDE
#define SCAN_VECTOR __m256i
#define SCAN_TABLES wide_tables
#define SCAN_PREPARE wide_prepare
#define SCAN_BUCKETS wide_buckets
#define SCAN_ANY(v) (!_mm256_testz_si256(v, v))
#define SCAN_PLACES wide_places
#define SCAN_SHORT narrow_find
#define SCAN_LINE_TARGET LINE_AVX2
#define SCAN_LINE_MASKS line_masks_avx2
#include "gate/bucket_scan.h"

/* 64 bytes at once. */

typedef struct widest_tables {
    __m512i low[PIECE_LENGTH], high;
} widest_tables;

#define WIDEST __attribute__((target("avx512bw")))

WIDEST static inline void widest_prepare(widest_tables *tables, const bucket_masks *masks)
{
    for (size_t i = 0; i < PIECE_LENGTH; i++)
        tables->low[i] = _mm512_broadcast_i32x4(LOAD_128(masks->low[i]));
    tables->high = _mm512_broadcast_i32x4(LOAD_128(masks->high));
}

WIDEST static inline __m512i widest_buckets(const widest_tables *tables, size_t i, const char *from)
{
    __m512i v = _mm512_loadu_si512(from), found = _mm512_shuffle_epi8(tables->low[i], v);

    if (i == HIGH_PLACE)
        found &= _mm512_shuffle_epi8(tables->high, _mm512_srli_epi16(v, 4) & _mm512_set1_epi8(15));
    return found;
}

WIDEST static inline uint64_t widest_places(__m512i v)
{
    return _mm512_test_epi8_mask(v, v);
}

#define SCAN_WIDTH 64
#define SCAN_BLOCK 64
#define SCAN_NAME(name) widest_##name
#define SCAN_TARGET WIDEST
#define SCAN_VECTOR __m512i
#define SCAN_TABLES widest_tables
#define SCAN_PREPARE widest_prepare
#define SCAN_BUCKETS widest_buckets
#define SCAN_ANY(v) (widest_places(v) != 0)
#define SCAN_PLACES widest_places
#define SCAN_SHORT narrow_find
#define SCAN_LINE_TARGET LINE_AVX512
#define SCAN_LINE_MASKS line_masks_avx512
#include "gate/bucket_scan.h"

/* --- the engine --- */

static void free_state(void *made)
{
    engine_state *self = made;

    buckets_free(self->buckets);
    free(self);
}

static engine_state *make_with(finder *find, line_finder *find_in_lines, const phrase_set *p)
{
    engine_state *self = p->count <= MOST_PHRASES ? calloc(1, sizeof(*self)) : NULL;

    if (self == NULL)
        return NULL;
    self->find = find;
    self->find_in_lines = find_in_lines;
    self->buckets = buckets_new(p);
    if (self->buckets != NULL)
        return self;
    free(self);
    return NULL;
}

static void *make_narrow(const phrase_set *p)
{
    return __builtin_cpu_supports("ssse3") ? make_with(narrow_find, NULL, p) : NULL;
}

static void *make_wide(const phrase_set *p)
{
    line_finder *in_lines = line_scan_can(LINE_SCAN_AVX2) ? wide_find_in_lines : NULL;

    return __builtin_cpu_supports("avx2") ? make_with(wide_find, in_lines, p) : make_narrow(p);
}

static void *make(const phrase_set *p)
{
    line_finder *in_lines = line_scan_can(LINE_SCAN_AVX512) ? widest_find_in_lines : NULL;

    return __builtin_cpu_supports("avx512bw") ? make_with(widest_find, in_lines, p) : make_wide(p);
}

static void *make_if_rare(const phrase_set *p)
{
    engine_state *self = make(p);

    if (self == NULL || buckets_places_in_vain(self->buckets) <= MOST_IN_VAIN)
        return self;
    free_state(self);
    return NULL;
}

static size_t find(const void *made, text t)
{
    const engine_state *self = made;

    return self->find(self, t);
}

static bool find_in_lines(const void *made, text t, line_run *lines, size_t *hit)
{
    const engine_state *self = made;

    if (self->find_in_lines == NULL || t.length < LINE_BLOCK + PIECE_LENGTH - 1)
        return false;
    *hit = self->find_in_lines(self, t, lines);
    return true;
}

#define ENGINE(maker)                                                                              \
    {                                                                                              \
        .make = maker, .free = free_state, .find = find, .find_in_lines = find_in_lines            \
    }

const engine engine_buckets = ENGINE(make);
const engine engine_narrow_buckets = ENGINE(make_narrow);
const engine engine_wide_buckets = ENGINE(make_wide);
const engine engine_rare_buckets = ENGINE(make_if_rare);

#else

static void *make(const phrase_set *p)
{
    (void)p;
    return NULL;
}

const engine engine_buckets = {.make = make};
const engine engine_narrow_buckets = {.make = make};
const engine engine_wide_buckets = {.make = make};
const engine engine_rare_buckets = {.make = make};

#endif
