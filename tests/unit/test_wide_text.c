/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-16 and UTF-32 told from other texts, and what is read of them. */
#include "record/wide_text.h"

#include "suites.h"
#include "test.h"

#define HEADER "<13>Jun  1 12:00:00 edge7 app: "
#define PLAIN "{\"activityDisplayName\": \"Admin registered security info\", \"id\": \"10\"}"

/* What stands around each byte: before it NULs, behind it NULs, and how one is written. */
typedef struct coding {
    int before, behind;
    text nul;
} coding;

static const coding codings[] = {
    {0, 1, {"", 1}},           {1, 0, {"", 1}},
    {0, 3, {"", 1}},           {3, 0, {"", 1}},
    {0, 1, TEXT("#000")},      {1, 0, TEXT("#000")},
    {3, 0, TEXT("#000")},      {0, 1, TEXT("\\000")},
    {1, 0, TEXT("\\0")},       {0, 1, TEXT("#x00")},
    {0, 1, TEXT("\\x00")},     {0, 1, TEXT("\\u0000")},
    {1, 0, TEXT("\\\\u0000")}, {1, 0, TEXT("\\\\\\\\u0000")},
    {0, 1, TEXT("%000")},      {1, 0, TEXT("^000")},
};

static void give_back(void *b)
{
    buffer_free(b);
}

static void add_nuls(buffer *out, const coding *c, int count)
{
    for (int i = 0; i < count; i++)
        buffer_append(out, c->nul);
}

static void widen(const coding *c, const char *t, buffer *out)
{
    for (; *t != '\0'; t++) {
        add_nuls(out, c, c->before);
        buffer_append_char(out, *t);
        add_nuls(out, c, c->behind);
    }
}

static void check(const coding *c, const char *header, const char *behind)
{
    buffer wide = {0}, narrow = {0};

    buffer_append_string(&wide, header);
    widen(c, PLAIN, &wide);
    buffer_append_string(&wide, behind);
    test_case("%d+%d of %s behind %s", c->before, c->behind, test_show(c->nul), header);
    EXPECT(wide_text_is(buffer_text(&wide)));
    wide_text_narrow(buffer_text(&wide), &narrow);
    EXPECT_TEXT_IS(buffer_text(&narrow), test_string("%s" PLAIN "%s", header, behind));
    give_back(&wide);
    give_back(&narrow);
}

static void test_each_coding_is_told_and_made_narrow(void)
{
    for (size_t i = 0; i < LENGTH_OF(codings); i++) {
        check(&codings[i], "", "");
        check(&codings[i], HEADER, "");
        check(&codings[i], "{\"host\": \"edge7\", \"message\": \"", "\", \"offset\": 12345678}");
    }
}

static void test_every_piece_of_one_is_told(void)
{
    enum { SHORTEST = 24 };
    buffer wide = {0};

    widen(&codings[0], PLAIN, &wide);
    for (size_t at = 0; at + SHORTEST < wide.length; at++) {
        EXPECT(wide_text_is(text_from(buffer_text(&wide), at)));
        EXPECT(wide_text_is((text){wide.bytes, wide.length - at}));
    }
    give_back(&wide);
}

static void test_letters_of_other_scripts_among_others(void)
{
    buffer wide = {0};

    buffer_append(&wide, (text)TEXT("\377\376"));
    widen(&codings[0], "{\"displayName\": \"", &wide);
    buffer_append_string(&wide, "\120\137\100\116\071\127\100\116\120\137\100\116\071\127\100\116");
    widen(&codings[0], "\"}", &wide);
    EXPECT(wide_text_is(buffer_text(&wide)));
    give_back(&wide);
}

static void test_other_texts_are_none(void)
{
    static const text others[] = {
        TEXT(""),
        TEXT("\0"),
        TEXT("\0\0\0\0\0\0\0\0"),
        TEXT(PLAIN),
        TEXT(PLAIN "\n"),
        TEXT(PLAIN "\0"),
        TEXT("{\"time\": \"2026-06-01T00:00:00.0000000Z\"}"),
        TEXT("{\"id\": \"00000000-0000-0000-0000-000000000000\"}"),
        TEXT("{#012    \"a\": \"#000\",#012        \"b\": 00000000#012}#012"),
        TEXT("{\\n    \"a\": 0,\\n        \"b\": 10\\n    \"c\": 0,\\n        \"d\": 10\\n}"),
        TEXT("GET /a%20b%20c%20d%20e%20f%20g%20h%20i%20j%20k%20l%20m%20n HTTP/1.0"),
    };

    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        test_case("%s", test_show(others[i]));
        EXPECT_NOT(wide_text_is(others[i]));
    }
}

/* Backslashes without an end are looked at once, or nearly. */
static void test_many_backslashes_come_to_an_end(void)
{
    enum { MANY = 1 << 22 };
    buffer many = {0}, narrow = {0};

    while (many.length < MANY)
        buffer_append_string(&many, "\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\");
    wide_text_narrow(buffer_text(&many), &narrow);
    EXPECT_INT(narrow.length, many.length);
    give_back(&many);
    give_back(&narrow);
}

CU_TestInfo wide_text_tests[] = {
    TEST(test_each_coding_is_told_and_made_narrow),   TEST(test_every_piece_of_one_is_told),
    TEST(test_letters_of_other_scripts_among_others), TEST(test_other_texts_are_none),
    TEST(test_many_backslashes_come_to_an_end),       TESTS_END,
};
