/* SPDX-License-Identifier: Apache-2.0 */
/* The buffer: growth, and a failure that is told once at the end. */
#include "base/buffer.h"

#include "suites.h"
#include "test.h"

static void give_back(void *b)
{
    buffer_free(b);
}

/* An empty buffer that goes at the test's end. */
static buffer *new_buffer(void)
{
    static buffer b;

    b = (buffer){0};
    test_at_end(give_back, &b);
    return &b;
}

/* No memory has this many bytes, so the growth fails before one of them is read. */
static void fail(buffer *b)
{
    buffer_append(b, (text){"x", SIZE_MAX - 1});
}

static void test_a_new_buffer_is_empty(void)
{
    buffer *b = new_buffer();

    EXPECT_INT(buffer_text(b).length, 0);
    EXPECT_NOT(buffer_failed(b));
}

static void test_appends_stand_one_behind_the_other(void)
{
    buffer *b = new_buffer();

    buffer_append(b, (text){"Sync_x", 5});
    buffer_append_char(b, '-');
    buffer_append_string(b, "tail");
    EXPECT_TEXT_IS(buffer_text(b), "Sync_-tail");
}

static void test_nul_bytes_are_kept(void)
{
    static const text with_nul = TEXT("a\0b");
    buffer *b = new_buffer();

    buffer_append(b, with_nul);
    buffer_append_char(b, '\0');
    EXPECT_INT(b->length, 4);
    EXPECT(memcmp(b->bytes, "a\0b\0", 4) == 0);
}

static void test_an_append_of_nothing_changes_nothing(void)
{
    buffer *b = new_buffer();

    buffer_append(b, (text){NULL, 0});
    buffer_append_string(b, "");
    EXPECT_INT(b->length, 0);
    EXPECT_NOT(buffer_failed(b));
}

static void test_content_survives_growth(void)
{
    enum { BYTES = 100000 };
    buffer *b = new_buffer();
    bool intact = true;

    for (size_t i = 0; i < BYTES; i++)
        buffer_append_char(b, (char)('a' + i % 26));
    EXPECT_INT(b->length, BYTES);
    for (size_t i = 0; i < b->length; i++)
        intact &= b->bytes[i] == (char)('a' + i % 26);
    EXPECT(intact);
}

static void test_clear_empties_it(void)
{
    buffer *b = new_buffer();

    buffer_append_string(b, "before");
    buffer_clear(b);
    EXPECT_INT(buffer_text(b).length, 0);
    buffer_append_string(b, "after");
    EXPECT_TEXT_IS(buffer_text(b), "after");
}

static void test_the_string_ends_in_nul_and_the_length_stays(void)
{
    buffer *b = new_buffer();

    EXPECT_STRING(buffer_string(b), "");
    for (size_t i = 1; i <= 600; i++) {
        buffer_append_char(b, 'x');
        EXPECT_INT(strlen(buffer_string(b)), i);
        EXPECT_INT(b->length, i);
    }
}

static void test_a_failure_is_remembered(void)
{
    buffer *b = new_buffer();

    buffer_append_string(b, "before");
    fail(b);
    EXPECT(buffer_failed(b));
    EXPECT(buffer_string(b) == NULL);
}

static void test_appends_after_a_failure_do_nothing(void)
{
    buffer *b = new_buffer();

    buffer_append_string(b, "before");
    fail(b);
    buffer_append_string(b, "after");
    EXPECT_TEXT_IS(buffer_text(b), "before");
}

static void test_clear_forgets_a_failure(void)
{
    buffer *b = new_buffer();

    fail(b);
    buffer_clear(b);
    buffer_append_string(b, "after");
    EXPECT_NOT(buffer_failed(b));
    EXPECT_STRING(buffer_string(b), "after");
}

static void test_a_freed_buffer_is_a_new_one(void)
{
    buffer *b = new_buffer();

    buffer_append_string(b, "before");
    buffer_free(b);
    buffer_append_string(b, "after");
    EXPECT_TEXT_IS(buffer_text(b), "after");
}

CU_TestInfo buffer_tests[] = {
    TEST(test_a_new_buffer_is_empty),
    TEST(test_appends_stand_one_behind_the_other),
    TEST(test_nul_bytes_are_kept),
    TEST(test_an_append_of_nothing_changes_nothing),
    TEST(test_content_survives_growth),
    TEST(test_clear_empties_it),
    TEST(test_the_string_ends_in_nul_and_the_length_stays),
    TEST(test_a_failure_is_remembered),
    TEST(test_appends_after_a_failure_do_nothing),
    TEST(test_clear_forgets_a_failure),
    TEST(test_a_freed_buffer_is_a_new_one),
    TESTS_END,
};
