/* SPDX-License-Identifier: Apache-2.0 */
/* byte_stream: all of a file comes, whatever it is packed in and whatever is asked for at once. */
#include "files/byte_stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "coded.h"
#include "files/read_ahead.h"
#include "suites.h"

/* The sizes at which pieces are handed from one part to the next. */
enum { PIECE = 64 * 1024, PIECE_AHEAD = 256 * 1024 };

typedef struct opened {
    int file;
    byte_stream *stream;
} opened;

static opened open_coded(text coded)
{
    const char *path = test_path("coded");
    FILE *file = fopen(path, "w");
    opened o;

    REQUIRE(file != NULL);
    if (coded.length > 0)
        REQUIRE(fwrite(coded.bytes, 1, coded.length, file) == coded.length);
    REQUIRE(fclose(file) == 0);
    o.file = open(path, O_RDONLY | O_CLOEXEC);
    REQUIRE(o.file >= 0);
    o.stream = byte_stream_new(o.file);
    REQUIRE(o.stream != NULL);
    return o;
}

static void close_coded(opened o)
{
    byte_stream_free(o.stream);
    close(o.file);
}

/* With rooms of 1 to `most` bytes. Gives what the stream has to complain of. */
static const char *read_all(text coded, size_t most, buffer *out)
{
    opened o = open_coded(coded);
    const char *trouble;
    size_t got, room = 0;
    char bytes[4096];

    REQUIRE(most <= sizeof(bytes));
    do {
        room = room % most + 1;
        got = byte_stream_read(o.stream, bytes, room);
        buffer_append(out, (text){bytes, got});
    } while (got > 0);
    trouble = byte_stream_trouble(o.stream);
    close_coded(o);
    return trouble;
}

static void check(text coded, text plain, const char *trouble, size_t most)
{
    buffer out = {0};
    const char *got = read_all(coded, most, &out);

    EXPECT_TEXT(out.length > 0 ? buffer_text(&out) : (text)TEXT(""), plain);
    EXPECT_STRING(got ? got : "", trouble);
    buffer_free(&out);
}

static const text PLAIN = TEXT("{\"a\":\"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x94\x91\"}\n");

static void test_small_rooms(void)
{
    for (int c = 0; c < CODINGS; c++)
        for (size_t most = 1; most <= 7; most++) {
            buffer coded = {0};

            code((coding)c, PLAIN, &coded);
            test_case("coding %d, rooms up to %zu", c, most);
            check(buffer_text(&coded), PLAIN, "", most);
            buffer_free(&coded);
        }
}

static void test_codings_in_one_another(void)
{
    for (int inner = 0; inner < CODINGS; inner++)
        for (int outer = CODED_GZIP; outer <= CODED_ZSTD; outer++) {
            buffer once = {0}, twice = {0};

            code((coding)inner, PLAIN, &once);
            code((coding)outer, buffer_text(&once), &twice);
            test_case("coding %d in %d", inner, outer);
            check(buffer_text(&twice), PLAIN, "", 3);
            buffer_free(&once);
            buffer_free(&twice);
        }
}

static void test_plain_and_empty_files(void)
{
    check((text)TEXT(""), (text)TEXT(""), "", 3);
    check((text)TEXT("x"), (text)TEXT("x"), "", 3);
    check(PLAIN, PLAIN, "", 3);
}

/* Of compressed data, a cut is told of; of text, one within a character. */
static void check_cut(coding c, text coded, size_t length)
{
    buffer out = {0};
    const char *trouble = read_all((text){coded.bytes, length}, 5, &out);
    bool may_end = c > CODED_ZSTD && length % 2 == 0;

    test_case("coding %d, cut at %zu", (int)c, length);
    EXPECT(out.length <= PLAIN.length &&
           memcmp(out.length ? out.bytes : "", PLAIN.bytes, out.length) == 0);
    if (!may_end)
        EXPECT_STRING(trouble ? trouble : "", "the compressed data is cut off");
    buffer_free(&out);
}

static void test_a_cut_at_any_byte(void)
{
    for (int c = 0; c < CODINGS; c++) {
        buffer coded = {0};

        code((coding)c, PLAIN, &coded);
        for (size_t length = 6; length < coded.length; length++)
            check_cut((coding)c, buffer_text(&coded), length);
        buffer_free(&coded);
    }
}

/* Text of `before` bytes, then characters of four bytes over the end of a piece. */
static void put_wide_text(buffer *out, size_t before)
{
    for (size_t i = 0; i < before; i++)
        buffer_append_char(out, i % 99 == 98 ? '\n' : 'x');
    for (int i = 0; i < 20; i++)
        buffer_append(out, (text)TEXT("\xF0\x9F\x94\x91"));
    buffer_append(out, (text)TEXT("\nthe last line\n"));
}

static void read_ahead_of(text coded, buffer *out)
{
    opened o = open_coded(coded);
    read_ahead *ahead = read_ahead_begin(o.stream);
    char bytes[4093];
    size_t got;

    REQUIRE(ahead != NULL);
    while ((got = read_ahead_read(ahead, bytes, sizeof(bytes))) > 0)
        buffer_append(out, (text){bytes, got});
    read_ahead_end(ahead);
    EXPECT(byte_stream_trouble(o.stream) == NULL);
    close_coded(o);
}

static void check_over_piece(coding c, size_t before)
{
    buffer plain = {0}, coded = {0}, out = {0};

    put_wide_text(&plain, before);
    code(c, buffer_text(&plain), &coded);
    REQUIRE(!buffer_failed(&coded));
    test_case("coding %d, %zu bytes before", (int)c, before);
    read_ahead_of(buffer_text(&coded), &out);
    EXPECT(text_equal(buffer_text(&out), buffer_text(&plain)));
    check(buffer_text(&coded), buffer_text(&plain), "", 4096);
    buffer_free(&plain);
    buffer_free(&coded);
    buffer_free(&out);
}

static void test_characters_over_the_end_of_a_piece(void)
{
    static const size_t ends[] = {PIECE, PIECE_AHEAD, 2 * PIECE_AHEAD};

    for (int c = 0; c < CODINGS; c++)
        for (size_t i = 0; i < LENGTH_OF(ends); i++)
            for (size_t back = 0; back <= 4; back++)
                check_over_piece((coding)c, ends[i] - back);
}

CU_TestInfo byte_stream_tests[] = {
    TEST(test_small_rooms),
    TEST(test_codings_in_one_another),
    TEST(test_plain_and_empty_files),
    TEST(test_a_cut_at_any_byte),
    TEST(test_characters_over_the_end_of_a_piece),
    TESTS_END,
};
