/* SPDX-License-Identifier: Apache-2.0 */
/* coded: the codings' own libraries, the other way round. */
#include "coded.h"

#include <lzma.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static void code_gzip(text plain, buffer *out)
{
    unsigned char room[512];
    z_stream stream = {.next_in = (Bytef *)plain.bytes, .avail_in = (uInt)plain.length};
    int result;

    REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    do {
        stream.next_out = room;
        stream.avail_out = sizeof(room);
        result = deflate(&stream, Z_FINISH);
        buffer_append(out, (text){(char *)room, sizeof(room) - stream.avail_out});
    } while (result == Z_OK);
    deflateEnd(&stream);
    REQUIRE(result == Z_STREAM_END);
}

static void code_xz(text plain, buffer *out)
{
    size_t room = lzma_stream_buffer_bound(plain.length), length = 0;
    uint8_t *coded = malloc(room);

    REQUIRE(coded != NULL);
    test_at_end(free, coded);
    REQUIRE(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, (const uint8_t *)plain.bytes,
                                    plain.length, coded, &length, room) == LZMA_OK);
    buffer_append(out, (text){(char *)coded, length});
}

static void code_zstd(text plain, buffer *out)
{
    size_t room = ZSTD_compressBound(plain.length), length;
    char *coded = malloc(room);

    REQUIRE(coded != NULL);
    test_at_end(free, coded);
    length = ZSTD_compress(coded, room, plain.bytes, plain.length, 3);
    REQUIRE(!ZSTD_isError(length));
    buffer_append(out, (text){coded, length});
}

static void put_unit(buffer *out, unsigned unit, bool high_first)
{
    buffer_append_char(out, (char)(high_first ? unit >> 8 : unit & 0xFF));
    buffer_append_char(out, (char)(high_first ? unit & 0xFF : unit >> 8));
}

/* The test's own reading of UTF-8, which is good. */
static unsigned next_character(text *t)
{
    unsigned char lead = (unsigned char)t->bytes[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    unsigned c = length == 1 ? lead : lead & (0x7FU >> length);

    for (size_t i = 1; i < length; i++)
        c = c << 6 | ((unsigned char)t->bytes[i] & 0x3F);
    *t = text_from(*t, length);
    return c;
}

static void code_utf16(text plain, buffer *out, bool high_first)
{
    while (plain.length > 0) {
        unsigned c = next_character(&plain);

        if (c >= 0x10000)
            put_unit(out, 0xD800 + ((c - 0x10000) >> 10), high_first);
        put_unit(out, c >= 0x10000 ? 0xDC00 + ((c - 0x10000) & 0x3FF) : c, high_first);
    }
}

void code(coding as, text plain, buffer *out)
{
    switch (as) {
    case CODED_GZIP:
        code_gzip(plain, out);
        break;
    case CODED_XZ:
        code_xz(plain, out);
        break;
    case CODED_ZSTD:
        code_zstd(plain, out);
        break;
    case CODED_UTF16_LOW_FIRST:
    case CODED_UTF16_HIGH_FIRST:
        put_unit(out, 0xFEFF, as == CODED_UTF16_HIGH_FIRST);
        code_utf16(plain, out, as == CODED_UTF16_HIGH_FIRST);
        break;
    case CODED_UTF16_LOW_FIRST_UNMARKED:
    case CODED_UTF16_HIGH_FIRST_UNMARKED:
        code_utf16(plain, out, as == CODED_UTF16_HIGH_FIRST_UNMARKED);
        break;
    default:
        REQUIRE(false);
    }
}
