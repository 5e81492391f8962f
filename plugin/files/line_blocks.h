/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_blocks: line_scan's loop, for who looks for something else in the same bytes.
 *
 * Memory gives a byte once for both: a look of its own would take as long again. All of it is
 * inline, so that each loop is made for the instructions that its function may use.
 */
#ifndef SYNCTAP_LINE_BLOCKS_H
#define SYNCTAP_LINE_BLOCKS_H

#include <stdint.h>

#include "files/line_scan.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define LINE_INLINE inline __attribute__((always_inline))

enum {
    LINE_BLOCK = 64, /* bytes; as many as a mask has bits */
    LINE_AHEAD =
        4096, /* so far ahead memory is asked for: the machine itself stops at a page's end */
};

/* Where the bytes of each kind are in a block; the first byte is the lowest bit. */
typedef struct line_masks {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t ends; /* of lines */
    uint64_t opens;
    uint64_t closes;
} line_masks;

/* The instructions of one machine. */
typedef line_masks line_masks_of(const char *block);
typedef uint64_t line_parities_of(uint64_t bits); /* for each bit, whether those up to it are odd */

/* What else is looked for, in the whole block at `at`. */
typedef void line_look(void *arg, size_t at);

typedef struct line_blocks {
    text t;
    line_run known;
    size_t depth;        /* opened less closed in this line; below zero it wraps */
    uint64_t in_string;  /* all ones when the last block ended in a string */
    uint64_t is_escaped; /* 1 when the next block's first byte is */
} line_blocks;

/* Does the message of this line go on behind it? Seldom asked: inline it would cost the loop its
 * registers. */
bool line_blocks_leave_open(text line);

static LINE_INLINE size_t line_count_bits(uint64_t mask)
{
    return (size_t)__builtin_popcountll(mask);
}

static LINE_INLINE void line_blocks_count(line_blocks *s, const line_masks *m, uint64_t where)
{
    s->depth += line_count_bits(m->opens & where) - line_count_bits(m->closes & where);
}

/*
 * The bytes behind a backslash that is not behind one itself. Backslashes
 * outside of strings count, too; a line that has some is not left open.
 */
static LINE_INLINE uint64_t line_blocks_escaped(line_blocks *s, uint64_t backslashes)
{
    const uint64_t even = UINT64_C(0x5555555555555555);
    uint64_t behind, begin_odd, carried;

    if ((backslashes | s->is_escaped) == 0)
        return 0;
    backslashes &= ~s->is_escaped;
    behind = backslashes << 1 | s->is_escaped;
    begin_odd = backslashes & ~even & ~behind;
    carried = begin_odd + backslashes; /* runs that begin at an odd place end one further on */
    s->is_escaped = carried < backslashes;
    return (even ^ carried << 1) & behind;
}

/*
 * The lines that end in this block, with the bytes that are inside strings.
 * False when one of them is left open: the known lines end before it.
 */
static LINE_INLINE bool line_blocks_end_lines(line_blocks *s, size_t at, const line_masks *m,
                                              uint64_t inside)
{
    uint64_t rest = ~UINT64_C(0); /* of the block, from the line's beginning */

    for (uint64_t ends = m->ends; ends != 0; ends &= ends - 1) {
        uint64_t end = ends & -ends;
        size_t behind = at + (size_t)__builtin_ctzll(end) + 1;

        line_blocks_count(s, m, rest & (end - 1) & ~inside);
        if (s->depth != 0 || (inside & end) != 0) {
            if (line_blocks_leave_open(
                    text_between(s->t.bytes + s->known.length, s->t.bytes + behind - 1)))
                return false;
            inside ^= inside & end ? ~UINT64_C(0) : 0; /* no string goes on behind a line */
        }
        s->depth = 0;
        s->known = (line_run){behind, s->known.lines + 1};
        rest = ~(end | (end - 1));
    }
    line_blocks_count(s, m, rest & ~inside);
    s->in_string = -(inside >> 63);
    return true;
}

/* One block; false when the scan ends in it. */
static LINE_INLINE bool line_blocks_take(line_blocks *s, size_t at, const line_masks *m,
                                         line_parities_of *parities_of)
{
    uint64_t quotes = m->quotes & ~line_blocks_escaped(s, m->backslashes);
    uint64_t inside = parities_of(quotes) ^ s->in_string;

    if (__builtin_expect(m->ends != 0, 0))
        return line_blocks_end_lines(s, at, m, inside);
    line_blocks_count(s, m, ~inside);
    s->in_string = -(inside >> 63);
    return true;
}

/*
 * All blocks, the last one filled up with zeros. `look` is asked of each whole one, from the first
 * to the one in which the scan ends.
 */
static LINE_INLINE line_run line_blocks_scan(text t, line_masks_of *masks_of,
                                             line_parities_of *parities_of, line_look *look,
                                             void *arg)
{
    line_blocks s = {.t = t};
    char last[LINE_BLOCK] = {0};
    size_t at = 0;
    bool goes_on = true;
    line_masks m;

    for (; goes_on && t.length - at >= LINE_BLOCK; at += LINE_BLOCK) {
        __builtin_prefetch(t.bytes + at + LINE_AHEAD);
        look(arg, at);
        m = masks_of(t.bytes + at);
        goes_on = line_blocks_take(&s, at, &m, parities_of);
    }
    if (goes_on && at < t.length) {
        memcpy(last, t.bytes + at, t.length - at);
        m = masks_of(last);
        line_blocks_take(&s, at, &m, parities_of);
    }
    return s.known;
}

static LINE_INLINE void line_look_for_nothing(void *arg, size_t at)
{
    (void)arg;
    (void)at;
}

#ifdef __x86_64__

#define LINE_AVX2 __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt")))
#define LINE_AVX512 __attribute__((target("avx2,avx512f,avx512bw,bmi,bmi2,pclmul,popcnt")))

LINE_AVX2 static LINE_INLINE uint64_t line_parities_multiplied(uint64_t bits)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8('\xFF'), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

LINE_AVX2 static LINE_INLINE uint64_t line_equal_halves(__m256i low, __m256i high, char c)
{
    const __m256i wanted = _mm256_set1_epi8(c);
    uint32_t in_low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    uint32_t in_high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));

    return in_low | (uint64_t)in_high << 32;
}

LINE_AVX2 static LINE_INLINE line_masks line_masks_avx2(const char *block)
{
    const __m256i fold = _mm256_set1_epi8(0x20);
    __m256i low = _mm256_loadu_si256((const __m256i *)block);
    __m256i high = _mm256_loadu_si256((const __m256i *)(block + LINE_BLOCK / 2));
    __m256i folded_low = _mm256_or_si256(low, fold), folded_high = _mm256_or_si256(high, fold);

    return (line_masks){
        .quotes = line_equal_halves(low, high, '"'),
        .backslashes = line_equal_halves(low, high, '\\'),
        .ends = line_equal_halves(low, high, '\n'),
        .opens = line_equal_halves(folded_low, folded_high, '{'),
        .closes = line_equal_halves(folded_low, folded_high, '}'),
    };
}

LINE_AVX512 static LINE_INLINE line_masks line_masks_avx512(const char *block)
{
    __m512i bytes = _mm512_loadu_si512(block);
    __m512i folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));

    return (line_masks){
        .quotes = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')),
        .backslashes = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')),
        .ends = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n')),
        .opens = _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8('{')),
        .closes = _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8('}')),
    };
}

#endif

#endif
