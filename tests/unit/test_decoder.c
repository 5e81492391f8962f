/* SPDX-License-Identifier: Apache-2.0 */
/* decoder: whatever the rooms and wherever the input is cut, what comes is what was coded. */
#include "files/decoder.h"

#include "coded.h"
#include "suites.h"

/* Characters of each length, lines, and what repeats, so that it is packed. */
static const text PLAIN = TEXT("{\"a\":1}\r\nG\xC3\xA4ste \xE2\x82\xAC \xF0\x9F\x94\x91\n"
                               "{\"a\":1}\n{\"a\":1}\n\xF0\x9F\x94\x91\xF0\x9F\x94\x91\n");

static void give_back(void *decoder_)
{
    decoder_free(decoder_);
}

static void free_buffer(void *b)
{
    buffer_free(b);
    free(b);
}

static buffer *new_buffer(void)
{
    buffer *made = calloc(1, sizeof(*made));

    REQUIRE(made != NULL);
    test_at_end(free_buffer, made);
    return made;
}

static decoder *new_decoder(text coded)
{
    const decoder_kind *kind = decoder_kind_of(coded);
    decoder *made;

    REQUIRE(kind != NULL);
    made = decoder_new(kind);
    REQUIRE(made != NULL);
    test_at_end(give_back, made);
    return made;
}

static bool has_failed(decode_result result)
{
    return result != DECODING && result != DECODING_MAY_END;
}

/* Steps until nothing moves any more; gives what is left of the piece. */
static text decode_piece(decoder *d, text piece, bool in_ends, size_t room, buffer *out,
                         decode_result *result)
{
    char bytes[64];

    for (;;) {
        decoder_io io = {piece.bytes, piece.length, in_ends, bytes, room};

        *result = decoder_step(d, &io);
        buffer_append(out, (text){bytes, room - io.room});
        if (has_failed(*result) || (io.in_length == piece.length && io.room == room))
            return (text){io.in, io.in_length};
        piece = (text){io.in, io.in_length};
    }
}

/* The input in two pieces, as if they came from below one after the other. */
static decode_result decode_cut(text coded, size_t cut, bool in_ends, size_t room, buffer *out)
{
    decoder *d = new_decoder(coded);
    decode_result result;
    text left = decode_piece(d, (text){coded.bytes, cut}, false, room, out, &result);

    if (!has_failed(result))
        decode_piece(d, text_from(coded, cut - left.length), in_ends, room, out, &result);
    return result;
}

static void check_whole(coding c, text coded, text plain)
{
    for (size_t room = 1; room <= 9; room++)
        for (size_t cut = 0; cut <= coded.length; cut++) {
            buffer out = {0};

            test_case("coding %d, room %zu, cut at %zu", (int)c, room, cut);
            EXPECT_INT(decode_cut(coded, cut, true, room, &out), DECODING_MAY_END);
            EXPECT_TEXT(buffer_text(&out), plain);
            buffer_free(&out);
            test_clean_up();
        }
}

static text coded_as(coding c, text plain, int times)
{
    buffer *coded = new_buffer();

    while (times-- > 0)
        code(c, plain, coded);
    return buffer_text(coded);
}

static void each_coding(void (*check)(coding c))
{
    for (int c = 0; c < CODINGS; c++)
        check((coding)c);
}

/* The test's clean-up frees between the cases, so the text lies in memory of its own. */
static void check_any_room_and_cut(coding c)
{
    buffer coded = {0};

    code(c, PLAIN, &coded);
    check_whole(c, buffer_text(&coded), PLAIN);
    buffer_free(&coded);
}

static void test_any_room_and_any_cut(void)
{
    each_coding(check_any_room_and_cut);
}

static void test_several_members_in_a_row(void)
{
    static const text two = TEXT("{}\n{}\n");

    for (int c = CODED_GZIP; c <= CODED_ZSTD; c++) {
        buffer coded = {0};

        code((coding)c, (text)TEXT("{}\n"), &coded);
        code((coding)c, (text)TEXT("{}\n"), &coded);
        check_whole((coding)c, buffer_text(&coded), two);
        buffer_free(&coded);
    }
}

/* What was there comes, and only what is whole may end. */
static void check_ends(coding c)
{
    text coded = coded_as(c, PLAIN, 1);
    decode_result whole;

    for (size_t length = DECODER_BEGINNING; length < coded.length; length++)
        for (size_t room = 1; room <= 5; room += 2) {
            buffer *out = new_buffer();

            test_case("coding %d, room %zu, ends at %zu", (int)c, room, length);
            whole = decode_cut((text){coded.bytes, length}, length, true, room, out);
            EXPECT(out->length <= PLAIN.length &&
                   memcmp(out->length ? out->bytes : "", PLAIN.bytes, out->length) == 0);
            if (c <= CODED_ZSTD)
                EXPECT_INT(whole, DECODING);
            else if (length % 2 != 0)
                EXPECT_INT(whole, DECODING);
        }
}

static void test_an_end_at_any_byte(void)
{
    each_coding(check_ends);
}

static void test_any_byte_changed_does_no_harm(void)
{
    for (int c = 0; c < CODINGS; c++) {
        text coded = coded_as((coding)c, PLAIN, 1);

        for (size_t at = DECODER_BEGINNING; at < coded.length; at++) {
            buffer *out = new_buffer();

            ((char *)coded.bytes)[at] ^= 0x41;
            decode_cut(coded, coded.length / 2, true, 7, out);
            ((char *)coded.bytes)[at] ^= 0x41;
        }
    }
}

static void check_utf16(const char *bytes, size_t length, const char *expected)
{
    for (size_t room = 1; room <= 4; room++) {
        buffer *out = new_buffer();

        test_case("\"%s\", room %zu", expected, room);
        decode_cut((text){bytes, length}, length, true, room, out);
        EXPECT_TEXT_IS(buffer_text(out), expected);
    }
}

#define CHECK_UTF16(bytes, expected) check_utf16(bytes, sizeof(bytes) - 1, expected)

static void test_halves_of_surrogate_pairs(void)
{
    CHECK_UTF16("\xFF\xFE\x00\xD8x\0", "\xEF\xBF\xBDx");
    CHECK_UTF16("\xFF\xFE\x00\xDCx\0", "\xEF\xBF\xBDx");
    CHECK_UTF16("\xFE\xFF\xD8\x00\xD8\x01\xDC\x37", "\xEF\xBF\xBD\xF0\x90\x90\xB7");
    CHECK_UTF16("\xFE\xFF\0x\xD8\x01", "x"); /* its second half may have been cut off */
}

static void test_marks_behind_the_first_are_text(void)
{
    CHECK_UTF16("\xFF\xFE\xFF\xFEx\0", "\xEF\xBB\xBFx");
}

static void test_what_begins_a_coding(void)
{
    static const struct {
        text beginning;
        const decoder_kind *kind;
    } cases[] = {
        {TEXT(""), NULL},
        {TEXT("{"), NULL},
        {TEXT("{\"a\":1"), NULL},
        {TEXT("\x1F"), NULL},
        {TEXT("\x1F\x8B"), &decoder_gzip},
        {TEXT("\xFF\xFE"), &decoder_utf16},
        {TEXT("\xFE\xFF"), &decoder_utf16},
        {TEXT("{\0\"\0a\0"), &decoder_utf16},
        {TEXT("\0{\0\"\0a"), &decoder_utf16},
        {TEXT("{\0}\0"), &decoder_utf16},
        {TEXT("{\0"), NULL},
        {TEXT("\0\0\0\0\0\0"), NULL},
        {TEXT("{\0\0\0\"\0"), NULL}, /* four bytes a character */
        {TEXT("{\0\"x\0\0"), NULL},
        {TEXT("\xFD"
              "7zXZ\0"),
         &decoder_xz},
        {TEXT("\x28\xB5\x2F\xFD"), &decoder_zstd},
        {TEXT("\x50\x2A\x4D\x18"), &decoder_zstd},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        test_case("%s", test_show(cases[i].beginning));
        EXPECT(decoder_kind_of(cases[i].beginning) == cases[i].kind);
    }
}

CU_TestInfo decoder_tests[] = {
    TEST(test_any_room_and_any_cut),      TEST(test_several_members_in_a_row),
    TEST(test_an_end_at_any_byte),        TEST(test_any_byte_changed_does_no_harm),
    TEST(test_halves_of_surrogate_pairs), TEST(test_marks_behind_the_first_are_text),
    TEST(test_what_begins_a_coding),      TESTS_END,
};
