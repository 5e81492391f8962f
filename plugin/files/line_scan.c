/* SPDX-License-Identifier: Apache-2.0 */
/* line_scan: a bit for each of 64 bytes, of the few kinds of bytes that count. */
#include "files/line_scan.h"

#include "files/json_extent.h"
#include "files/line_blocks.h"

static const text BYTE_ORDER_MARK = TEXT("\xEF\xBB\xBF");

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

bool line_blocks_leave_open(text line)
{
    json_extent extent = json_extent_new();

    line = text_from(line, line_scan_blanks(line));
    if (line.length == 0 || (line.bytes[0] != '{' && line.bytes[0] != '['))
        return false;
    return json_extent_scan(&extent, line) == EXTENT_OPEN;
}

/* For each bit whether those up to it are odd in number. */
static LINE_INLINE uint64_t parities(uint64_t bits)
{
    for (unsigned shift = 1; shift < LINE_BLOCK; shift *= 2)
        bits ^= bits << shift;
    return bits;
}

/* --- plain C --- */

/* A bit for each of eight bytes that is this one; the word's lowest byte is the first. */
static LINE_INLINE uint64_t equal_bytes(uint64_t word, char c)
{
    const uint64_t low = UINT64_C(0x0101010101010101), most = UINT64_C(0x7F7F7F7F7F7F7F7F);
    uint64_t other = word ^ low * (unsigned char)c;
    uint64_t equal = ~(((other & most) + most) | other | most); /* the highest bit of each */

    return (equal >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static LINE_INLINE uint64_t word_at(const char *bytes)
{
    uint64_t word;

    memcpy(&word, bytes, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static LINE_INLINE line_masks plain_masks(const char *block)
{
    line_masks m = {0};

    for (unsigned at = 0; at < LINE_BLOCK; at += 8) {
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
    return line_blocks_scan(t, plain_masks, parities, line_look_for_nothing, NULL);
}

/* --- x86 --- */

#ifdef __x86_64__

LINE_AVX2 static line_run scan_avx2(text t)
{
    return line_blocks_scan(t, line_masks_avx2, line_parities_multiplied, line_look_for_nothing,
                            NULL);
}

LINE_AVX512 static line_run scan_avx512(text t)
{
    return line_blocks_scan(t, line_masks_avx512, line_parities_multiplied, line_look_for_nothing,
                            NULL);
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
