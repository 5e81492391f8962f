/* SPDX-License-Identifier: Apache-2.0 */
/* line_scan: a bit for each of 64 bytes, of the few kinds of bytes that count. */
#include "files/line_scan.h"

#include <stdint.h>

#include "files/json_extent.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#define ALWAYS_INLINE inline __attribute__((always_inline))

enum {
    BLOCK = 64,   /* bytes; as many as a mask has bits */
    AHEAD = 4096, /* so far ahead memory is asked for: the machine itself stops at a page's end */
};

static const text BYTE_ORDER_MARK = TEXT("\xEF\xBB\xBF");

/* Where the bytes of each kind are in a block; the first byte is the lowest bit. */
typedef struct masks {
    uint64_t quotes;
    uint64_t backslashes;
    uint64_t ends; /* of lines */
    uint64_t opens;
    uint64_t closes;
} masks;

typedef struct scan {
    text t;
    line_run known;
    size_t depth;        /* opened less closed in this line; below zero it wraps */
    uint64_t in_string;  /* all ones when the last block ended in a string */
    uint64_t is_escaped; /* 1 when the next block's first byte is */
} scan;

static bool begins_with(text t, text beginning)
{
    return t.length >= beginning.length && memcmp(t.bytes, beginning.bytes, beginning.length) == 0;
}

size_t line_scan_blanks(text t)
{
    size_t length = 0;

    while (length < t.length) {
        if (memchr(" \t\r\n", t.bytes[length], 4) != NULL)
            length++;
        else if (begins_with(text_from(t, length), BYTE_ORDER_MARK))
            length += BYTE_ORDER_MARK.length;
        else
            break;
    }
    return length;
}

size_t line_scan_begin(text t, size_t at)
{
    const char *end = memrchr(t.bytes, '\n', at);

    return end != NULL ? (size_t)(end - t.bytes) + 1 : 0;
}

size_t line_scan_ends(text t)
{
    const char *at = t.bytes, *end = t.bytes + t.length;
    size_t count = 0;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        count++;
        at++;
    }
    return count;
}

/* Does its message go on behind this line? Seldom asked: inline it would cost the loop its
 * registers. */
static __attribute__((noinline)) bool is_left_open(text line)
{
    json_extent extent = json_extent_new();

    line = text_from(line, line_scan_blanks(line));
    if (line.length == 0 || (line.bytes[0] != '{' && line.bytes[0] != '['))
        return false;
    return json_extent_scan(&extent, line) == EXTENT_OPEN;
}

static ALWAYS_INLINE size_t count_bits(uint64_t mask)
{
    return (size_t)__builtin_popcountll(mask);
}

static ALWAYS_INLINE void count_brackets(scan *s, const masks *m, uint64_t where)
{
    s->depth += count_bits(m->opens & where) - count_bits(m->closes & where);
}

/*
 * The bytes behind a backslash that is not behind one itself. Backslashes
 * outside of strings count, too; a line that has some is not left open.
 */
static ALWAYS_INLINE uint64_t escaped_bytes(scan *s, uint64_t backslashes)
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
static ALWAYS_INLINE bool end_lines(scan *s, size_t at, const masks *m, uint64_t inside)
{
    uint64_t rest = ~UINT64_C(0); /* of the block, from the line's beginning */

    for (uint64_t ends = m->ends; ends != 0; ends &= ends - 1) {
        uint64_t end = ends & -ends;
        size_t behind = at + (size_t)__builtin_ctzll(end) + 1;

        count_brackets(s, m, rest & (end - 1) & ~inside);
        if (s->depth != 0 || (inside & end) != 0) {
            if (is_left_open(text_between(s->t.bytes + s->known.length, s->t.bytes + behind - 1)))
                return false;
            inside ^= inside & end ? ~UINT64_C(0) : 0; /* no string goes on behind a line */
        }
        s->depth = 0;
        s->known = (line_run){behind, s->known.lines + 1};
        rest = ~(end | (end - 1));
    }
    count_brackets(s, m, rest & ~inside);
    s->in_string = -(inside >> 63);
    return true;
}

/* For each bit whether those up to it are odd in number. */
static ALWAYS_INLINE uint64_t parities(uint64_t bits)
{
    for (unsigned shift = 1; shift < BLOCK; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

/* One block; false when the scan ends in it. */
static ALWAYS_INLINE bool take_block(scan *s, size_t at, const masks *m,
                                     uint64_t (*parities_of)(uint64_t bits))
{
    uint64_t quotes = m->quotes & ~escaped_bytes(s, m->backslashes);
    uint64_t inside = parities_of(quotes) ^ s->in_string;

    if (__builtin_expect(m->ends != 0, 0))
        return end_lines(s, at, m, inside);
    count_brackets(s, m, ~inside);
    s->in_string = -(inside >> 63);
    return true;
}

/* All blocks, the last one filled up with zeros. */
static ALWAYS_INLINE line_run scan_blocks(text t, masks (*masks_of)(const char *block),
                                          uint64_t (*parities_of)(uint64_t bits))
{
    scan s = {.t = t};
    char last[BLOCK] = {0};
    size_t at = 0;
    bool goes_on = true;
    masks m;

    for (; goes_on && t.length - at >= BLOCK; at += BLOCK) {
        __builtin_prefetch(t.bytes + at + AHEAD);
        m = masks_of(t.bytes + at);
        goes_on = take_block(&s, at, &m, parities_of);
    }
    if (goes_on && at < t.length) {
        memcpy(last, t.bytes + at, t.length - at);
        m = masks_of(last);
        take_block(&s, at, &m, parities_of);
    }
    return s.known;
}

/* --- plain C --- */

/* A bit for each of eight bytes that is this one; the word's lowest byte is the first. */
static ALWAYS_INLINE uint64_t equal_bytes(uint64_t word, char c)
{
    const uint64_t low = UINT64_C(0x0101010101010101), most = UINT64_C(0x7F7F7F7F7F7F7F7F);
    uint64_t other = word ^ low * (unsigned char)c;
    uint64_t equal = ~(((other & most) + most) | other | most); /* the highest bit of each */

    return (equal >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static ALWAYS_INLINE uint64_t word_at(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static ALWAYS_INLINE masks plain_masks(const char *block)
{
    masks m = {0};

    for (unsigned at = 0; at < BLOCK; at += 8) {
        uint64_t word = word_at(block + at);
        uint64_t folded = word | UINT64_C(0x2020202020202020); /* `[` becomes `{` */

        m.quotes |= equal_bytes(word, '"') << at;
        m.backslashes |= equal_bytes(word, '\\') << at;
        m.ends |= equal_bytes(word, '\n') << at;
        m.opens |= equal_bytes(folded, '{') << at;
        m.closes |= equal_bytes(folded, '}') << at;
    }
    return m;
}

static line_run scan_plain(text t)
{
    return scan_blocks(t, plain_masks, parities);
}

/* --- x86 --- */

#ifdef __x86_64__

#define AVX2 __attribute__((target("avx2,bmi,bmi2,pclmul,popcnt")))
#define AVX512 __attribute__((target("avx2,avx512f,avx512bw,bmi,bmi2,pclmul,popcnt")))

AVX2 static ALWAYS_INLINE uint64_t multiplied_parities(uint64_t bits)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8('\xFF'), 0);

    return (uint64_t)_mm_cvtsi128_si64(product);
}

AVX2 static ALWAYS_INLINE uint64_t equal_halves(__m256i low, __m256i high, char c)
{
    const __m256i wanted = _mm256_set1_epi8(c);
    uint32_t in_low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, wanted));
    uint32_t in_high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, wanted));

    return in_low | (uint64_t)in_high << 32;
}

AVX2 static ALWAYS_INLINE masks avx2_masks(const char *block)
{
    const __m256i fold = _mm256_set1_epi8(0x20);
    __m256i low = _mm256_loadu_si256((const __m256i *)block);
    __m256i high = _mm256_loadu_si256((const __m256i *)(block + BLOCK / 2));
    __m256i folded_low = _mm256_or_si256(low, fold), folded_high = _mm256_or_si256(high, fold);

    return (masks){
        .quotes = equal_halves(low, high, '"'),
        .backslashes = equal_halves(low, high, '\\'),
        .ends = equal_halves(low, high, '\n'),
        .opens = equal_halves(folded_low, folded_high, '{'),
        .closes = equal_halves(folded_low, folded_high, '}'),
    };
}

AVX2 static line_run scan_avx2(text t)
{
    return scan_blocks(t, avx2_masks, multiplied_parities);
}

AVX512 static ALWAYS_INLINE masks avx512_masks(const char *block)
{
    __m512i bytes = _mm512_loadu_si512(block);
    __m512i folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));

    return (masks){
        .quotes = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('"')),
        .backslashes = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\\')),
        .ends = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8('\n')),
        .opens = _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8('{')),
        .closes = _mm512_cmpeq_epi8_mask(folded, _mm512_set1_epi8('}')),
    };
}

AVX512 static line_run scan_avx512(text t)
{
    return scan_blocks(t, avx512_masks, multiplied_parities);
}

static bool can_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("pclmul") &&
           __builtin_cpu_supports("popcnt");
}

bool line_scan_can(line_scan_way way)
{
    switch (way) {
    case LINE_SCAN_AVX512:
        return can_avx2() && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw");
    case LINE_SCAN_AVX2:
        return can_avx2();
    default:
        return true;
    }
}

line_run line_scan_by(line_scan_way way, text t)
{
    switch (way) {
    case LINE_SCAN_AVX512:
        return scan_avx512(t);
    case LINE_SCAN_AVX2:
        return scan_avx2(t);
    default:
        return scan_plain(t);
    }
}

#else

bool line_scan_can(line_scan_way way)
{
    return way == LINE_SCAN_PLAIN;
}

line_run line_scan_by(line_scan_way way, text t)
{
    (void)way;
    return scan_plain(t);
}

#endif

line_run line_scan(text t)
{
    line_scan_way way = LINE_SCAN_AVX512;

    while (!line_scan_can(way))
        way--;
    return line_scan_by(way, t);
}
