/* SPDX-License-Identifier: Apache-2.0 */
/* table: columns as wide as what stands in them, up to a bound. */
#include "cli/table.h"

#include <stdlib.h>

#include "suites.h"
#include "test.h"

static const char *const columns[] = {"name", "roles", NULL};

/* The rows are written with ' for ". */
static void check(const char *const *rows, size_t count, size_t sample, const char *expected)
{
    char *written = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&written, &length);
    table *t;

    REQUIRE(out != NULL);
    t = table_begin(out, columns, sample);
    REQUIRE(t != NULL);
    for (size_t i = 0; i < count; i++)
        table_add(t, text_of(quoted(rows[i])));
    EXPECT(table_end(t));
    fclose(out);
    test_at_end(free, written);
    EXPECT_TEXT(((text){written, length}), text_of(expected));
}

static void test_a_head_alone(void)
{
    check(NULL, 0, 10, "name  roles\n");
}

static void test_columns_are_as_wide_as_their_cells(void)
{
    static const char *const rows[] = {"{'name':'a long name','roles':'x'}",
                                       "{'name':'y','other':1}"};

    check(rows, 2, 10,
          "name         roles\n"
          "a long name  x\n"
          "y            \n");
}

static void test_widths_are_counted_in_places_not_bytes(void)
{
    static const char *const rows[] = {"{'name':'\xC3\xA4\xC3\xA4\xC3\xA4','roles':1}",
                                       "{'name':'\xE5\xBC\xA0\xE4\xB8\x89\xE5\xBC\xA0','roles':2}"};

    check(rows, 2, 10,
          "name    roles\n"
          "\xC3\xA4\xC3\xA4\xC3\xA4     1\n"
          "\xE5\xBC\xA0\xE4\xB8\x89\xE5\xBC\xA0  2\n");
}

static void test_arrays_are_lists(void)
{
    static const char *const rows[] = {"{'name':'a','roles':['x','y']}", "{'name':'b','roles':[]}",
                                       "{'name':'c','roles':true}"};

    check(rows, 3, 10, "name  roles\na     x, y\nb     \nc     true\n");
}

static void test_what_is_too_wide_is_cut(void)
{
    static const char *const rows[] = {
        "{'name':'0123456789012345678901234567890123456789012345678','roles':'x'}",
        "{'name':'012345678901234567890123456789012345678901234567','roles':'x'}"};

    check(rows, 2, 10,
          "name                                              roles\n"
          "01234567890123456789012345678901234567890123456\xE2\x80\xA6  x\n"
          "012345678901234567890123456789012345678901234567  x\n");
}

static void test_values_cannot_steer(void)
{
    static const char *const rows[] = {"{'name':'\\u001b[31m\\u202ex','roles':'a\\nb'}"};

    check(rows, 1, 10,
          "name               roles\n"
          "\\u001b[31m\\u202ex  a\\u000ab\n");
}

/* The widths come from the rows that are kept, those behind them are written at once. */
static void test_rows_behind_the_sample(void)
{
    static const char *const rows[] = {"{'name':'a','roles':'x'}", "{'name':'longer','roles':'x'}",
                                       "{'name':'b','roles':'x'}"};

    check(rows, 3, 1, "name  roles\na     x\nlonger  x\nb     x\n");
}

static void test_what_is_no_row_is_a_failure(void)
{
    char *written = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&written, &length);
    table *t;

    REQUIRE(out != NULL);
    t = table_begin(out, columns, 1);
    REQUIRE(t != NULL);
    table_add(t, (text)TEXT("{\"name\":"));
    table_add(t, (text)TEXT("{\"name\":1}"));
    EXPECT(!table_end(t));
    fclose(out);
    free(written);
}

CU_TestInfo table_tests[] = {
    TEST(test_a_head_alone),
    TEST(test_columns_are_as_wide_as_their_cells),
    TEST(test_widths_are_counted_in_places_not_bytes),
    TEST(test_arrays_are_lists),
    TEST(test_what_is_too_wide_is_cut),
    TEST(test_values_cannot_steer),
    TEST(test_rows_behind_the_sample),
    TEST(test_what_is_no_row_is_a_failure),
    TESTS_END,
};
