/* SPDX-License-Identifier: Apache-2.0 */
/* shown: what acts or hides is spelled out, all else stays. */
#include "base/shown.h"

#include "suites.h"
#include "test.h"

static void check(text t, const char *expected)
{
    buffer out = {0};

    test_case("%s", test_show(t));
    shown_append(&out, t);
    EXPECT_TEXT(out.length > 0 ? buffer_text(&out) : (text)TEXT(""), text_of(expected));
    buffer_free(&out);
}

#define CHECK(bytes, expected) check((text)TEXT(bytes), expected)

static void test_letters_stay(void)
{
    CHECK("", "");
    CHECK("eve@contoso.com {\"a\\u001b\"}", "eve@contoso.com {\"a\\u001b\"}");
    CHECK("J\xC3\xB6rg \xE5\xBC\xA0 \xF0\x9F\x94\x91", "J\xC3\xB6rg \xE5\xBC\xA0 \xF0\x9F\x94\x91");
    CHECK("\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D", "\xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D"); /* Hebrew */
}

static void test_what_acts_is_spelled_out(void)
{
    CHECK("a\0b", "a\\u0000b");
    CHECK("\x1B[31m\r\n\t\x7F", "\\u001b[31m\\u000d\\u000a\\u0009\\u007f");
    CHECK("\xC2\x9B"
          "31m",
          "\\u009b31m");
    CHECK("\xE2\x80\xAE\xE2\x81\xA6\xD8\x9C\xE2\x80\x8B", "\\u202e\\u2066\\u061c\\u200b");
    CHECK("\xE2\x80\xA8\xE2\x80\xA9\xEF\xBB\xBF", "\\u2028\\u2029\\ufeff");
    CHECK("\xF3\xA0\x81\x81", "\\U000e0041"); /* a tag */
}

static void test_bytes_that_are_no_characters(void)
{
    CHECK("a\x9B\xFF", "a\\x9b\\xff");
    CHECK("\xE2\x80", "\\xe2\\x80");
    CHECK("\xED\xA0\x80", "\\xed\\xa0\\x80"); /* half a surrogate pair */
}

CU_TestInfo shown_tests[] = {
    TEST(test_letters_stay),
    TEST(test_what_acts_is_spelled_out),
    TEST(test_bytes_that_are_no_characters),
    TESTS_END,
};
