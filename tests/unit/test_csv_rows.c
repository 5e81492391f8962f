/* SPDX-License-Identifier: Apache-2.0 */
/* Comma-separated values: the same rows, however the text is cut. */
#include "record/csv_rows.h"

#include "base/buffer.h"
#include "suites.h"
#include "test.h"

/* "1:a|b 2:c|d ": each row's line and its cells. */
static void note(void *arg, const csv_row *row)
{
    buffer *out = arg;

    buffer_append_string(out, test_string("%zu:", row->line));
    for (size_t i = 0; i < row->count; i++) {
        buffer_append_string(out, i > 0 ? "|" : "");
        buffer_append(out, row->cells[i]);
    }
    buffer_append_char(out, ' ');
}

/* The rows of a text that comes in pieces of this many bytes. */
static const char *rows_in_pieces(const char *written, size_t length, const char **trouble)
{
    buffer out = {0};
    csv_rows *rows = csv_rows_new(',', note, &out);
    const char *copy;

    REQUIRE(rows != NULL);
    for (text t = text_of(written); t.length > 0;) {
        text piece = {t.bytes, length < t.length ? length : t.length};

        REQUIRE(csv_rows_feed(rows, piece) == NULL);
        t = text_from(t, piece.length);
    }
    *trouble = csv_rows_end(rows);
    EXPECT_NOT(csv_rows_failed(rows));
    csv_rows_free(rows);
    copy = test_string("%s", out.length > 0 ? buffer_string(&out) : "");
    buffer_free(&out);
    return copy;
}

static void test_the_rows_are_the_same_however_the_text_is_cut(void)
{
    static const struct {
        const char *written;
        const char *rows;
    } cases[] = {
        {"", ""},
        {"a,b\nc,d\n", "1:a|b 2:c|d "},
        {"a,b\r\nc,d", "1:a|b 2:c|d "},
        {"\n\na,b\n\nc,d\n", "3:a|b 5:c|d "},
        {"\"a\nb\",c\nd,e\n", "1:a\nb|c 3:d|e "},
        {"\"a \"\"b\"\"\",c\n", "1:a \"b\"|c "},
        {"a\"b,c\n", "1:a\"b|c "},
        {",\n,,\n", "1:| 2:|| "},
        {"\"a,b\",\"\"\n", "1:a,b| "},
        {" a b ,\t\" c \" ,d\n", "1:a b| c |d "},
        {"\"a\" b\",c\n", "1:a\" b|c "},
        {"a\rb\r\rc\r\nd\n", "1:a 1:b 1:c 2:d "},
        {"\xEF\xBB\xBF\"a\",b\nc\n", "1:a|b 2:c "},
        {"\xEF\xBB\xBF", ""},
        {"\xEF\xBB\xE9,b\n", "1:\xEF\xBB\xE9|b "},
        {"\xEF\"a\"\n\xEF\xBB\xBF"
         "b\n",
         "1:\xEF\"a\" 2:\xEF\xBB\xBF"
         "b "},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        for (size_t length = 1; length <= strlen(cases[i].written) + 1; length++) {
            const char *trouble;

            EXPECT_STRING(rows_in_pieces(cases[i].written, length, &trouble), cases[i].rows);
            EXPECT(trouble == NULL);
        }
    }
}

static void test_a_text_that_ends_inside_quotes_is_not_whole(void)
{
    const char *trouble;

    EXPECT_STRING(rows_in_pieces("a,b\n\"c,d\n", 3, &trouble), "1:a|b ");
    REQUIRE(trouble != NULL);
    EXPECT_STRING(trouble, "cut off inside quotes");
}

CU_TestInfo csv_rows_tests[] = {
    TEST(test_the_rows_are_the_same_however_the_text_is_cut),
    TEST(test_a_text_that_ends_inside_quotes_is_not_whole),
    TESTS_END,
};
