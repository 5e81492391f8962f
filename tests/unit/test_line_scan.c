/* SPDX-License-Identifier: Apache-2.0 */
/* line_scan says the same as json_extent, line by line, in each of its ways. */
#include "files/line_scan.h"

#include <stdlib.h>
#include <string.h>

#include "files/json_extent.h"
#include "suites.h"
#include "test.h"

/* What json_extent makes of the lines, one after the other. */
static line_run by_json_extent(text t)
{
    line_run known = {0};
    const char *end;

    while ((end = memchr(t.bytes + known.length, '\n', t.length - known.length)) != NULL) {
        text line = text_between(t.bytes + known.length, end);
        text message = text_from(line, line_scan_blanks(line));
        json_extent extent = json_extent_new();
        bool may_be_open =
            message.length > 0 && (message.bytes[0] == '{' || message.bytes[0] == '[');

        if (may_be_open && json_extent_scan(&extent, message) == EXTENT_OPEN)
            break;
        known.length += line.length + 1;
        known.lines++;
    }
    return known;
}

static void check(text t)
{
    line_run expected = by_json_extent(t);
    text copy = tight(t);
    const char *shown = test_show(t);

    for (int way = LINE_SCAN_PLAIN; way <= LINE_SCAN_AVX512; way++) {
        line_run got;

        if (!line_scan_can((line_scan_way)way))
            continue;
        test_case("way %d of %s", way, shown);
        got = line_scan_by((line_scan_way)way, copy);
        EXPECT_INT(got.length, expected.length);
        EXPECT_INT(got.lines, expected.lines);
    }
}

static void check_known(const char *lines, size_t length)
{
    text t = text_of(quoted(lines));

    check(t);
    EXPECT_INT(line_scan(t).length, length);
}

static void test_lines_that_close_are_known(void)
{
    check_known("{}\n", 3);
    check_known("{'a':[{'b':1}]}\n[]\n", 19);
    check_known("{'a':'}'}\n{'b':'{['}\n", 21);
}

static void test_a_line_without_an_end_is_not_known(void)
{
    check_known("", 0);
    check_known("{}", 0);
    check_known("{}\n{}", 3);
}

static void test_an_open_line_ends_what_is_known(void)
{
    check_known("{}\n{'a':\n1}\n", 3);
    check_known("{}\n{\n", 3);
    check_known("{}\n{'a':'b\n", 3);
    check_known("{}\n  [1\n", 3);
    check_known("{}\n\xEF\xBB\xBF[1\n", 3);
    check_known("{}\n{'a':'}\n", 3);
    check_known("{}\n{'a':'b\\'}\n", 3);
}

static void test_a_broken_line_is_known(void)
{
    check_known("{'a':{]\n{}\n", 11);
    check_known("{{{\n", 4);
    check_known("{'a':'b'c'}\n{}\n", 15);
}

static void test_a_line_that_is_no_json_is_known(void)
{
    check_known("<13>Jun  1 host app: {'a':{\n{}\n", 31);
    check_known("it's {\n{}\n", 10);
    check_known("\n \n\r\n", 5);
    check_known("}\n]\n'\n\\\n", 8);
}

static void test_what_stands_behind_a_document_does_not_matter(void)
{
    check_known("{} {\n{}\n", 8);
    check_known("{}{'a':'\n", 9);
}

static void test_escapes_hide_quotes(void)
{
    check_known("{'a':'\\\\'}\n", 11);
    check_known("{'a':'\\\\\\'{'}\n", 14);
    check_known("{'a':'\\\\\\\\'}\n", 13);
    check_known("{'a':'\\\n{}\n", 0);
}

/* Of bytes that mean something, so that many texts are nearly good. */
static text random_text(random_source *random, char *out, size_t length)
{
    static const char *const pieces[] = {"{",
                                         "}",
                                         "[",
                                         "]",
                                         "\"",
                                         "\\",
                                         "\n",
                                         ",",
                                         ":",
                                         "\"a\":",
                                         "1",
                                         "{}",
                                         " ",
                                         "\r\n",
                                         "\xEF\xBB\xBF",
                                         "\"b\"",
                                         "\\\"",
                                         "\\\\",
                                         "x",
                                         "{\"a\":",
                                         "}\n",
                                         "{\n",
                                         "\"}\n",
                                         "[{\"a\":[\"]}\"]}]\n",
                                         "{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\":\"b\"}\n"};
    size_t at = 0;

    while (at < length) {
        const char *piece = pieces[random_below(random, LENGTH_OF(pieces))];
        size_t most = length - at < strlen(piece) ? length - at : strlen(piece);

        memcpy(out + at, piece, most);
        at += most;
    }
    return (text){out, length};
}

static void test_random_lines(void)
{
    random_source random = random_new(1);
    char bytes[400];

    for (int i = 0; i < 20000; i++)
        check(random_text(&random, bytes, random_below(&random, sizeof(bytes))));
}

/* Lines as archives have them, and a byte of one changed: anywhere, to anything that counts. */
static void test_a_good_line_with_a_changed_byte(void)
{
    static const char line[] =
        "{\"time\":\"2026\",\"a\":[{\"k\":\"a \\\"quoted\\\" "
        "{word}\",\"p\":\"C:\\\\\"},{}],\"n\":null}\n"
        "{\"time\":\"2026\",\"properties\":{\"id\":\"x\",\"list\":[1,2,[3]],\"s\":\"\\\\\\\"\"}}\n";
    static const char bytes[] = "{}[]\"\\\n, x\r";
    char changed[sizeof(line)];

    for (size_t at = 0; at < sizeof(line) - 1; at++) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            memcpy(changed, line, sizeof(line));
            changed[at] = bytes[i];
            check((text){changed, sizeof(line) - 1});
        }
    }
}

static void test_runs_of_backslashes_over_the_edges_of_blocks(void)
{
    char line[200];

    for (size_t before = 50; before < 70; before++) {
        for (size_t run = 0; run < 70; run++) {
            size_t length = before + run;

            memset(line, 'x', before);
            memcpy(line, "{\"a\":\"", 6);
            memset(line + before, '\\', run);
            memcpy(line + length, "\"}\n{}\n", 6);
            check((text){line, length + 6});
        }
    }
}

CU_TestInfo line_scan_tests[] = {
    TEST(test_lines_that_close_are_known),
    TEST(test_a_line_without_an_end_is_not_known),
    TEST(test_an_open_line_ends_what_is_known),
    TEST(test_a_broken_line_is_known),
    TEST(test_a_line_that_is_no_json_is_known),
    TEST(test_what_stands_behind_a_document_does_not_matter),
    TEST(test_escapes_hide_quotes),
    TEST(test_random_lines),
    TEST(test_a_good_line_with_a_changed_byte),
    TEST(test_runs_of_backslashes_over_the_edges_of_blocks),
    TESTS_END,
};
