/* SPDX-License-Identifier: Apache-2.0 */
/* The line of progress, with standard error led into a file. */
#include "files/progress.h"

#include <string.h>

#include "standard_error.h"
#include "suites.h"
#include "test.h"

static void check_shown(const progress_state *state, const char *expected)
{
    const char *path = test_path("shown"), *came;
    progress p = {.is_on = true};

    standard_error_to(path);
    progress_show(&p, state);
    came = standard_error_in(path);
    EXPECT_TEXT(((text){came, strlen(expected)}), text_of(expected));
    EXPECT(strstr(came, "B/s") != NULL);
    test_clean_up();
}

static void test_a_share_of_the_size_or_what_was_read(void)
{
    check_shown(&(progress_state){"a.log", 50, 200, 50}, "\rsynctap: a.log: 25 %, ");
    check_shown(&(progress_state){"a.log", 200, 200, 50}, "\rsynctap: a.log: 100 %, ");
    check_shown(&(progress_state){"a.log", 7000000, 0, 50}, "\rsynctap: a.log: 7 MB, ");
}

static void test_of_a_long_name_the_end(void)
{
    check_shown(&(progress_state){"/0123456789/0123456789/0123456789/0123456789/a.log", 0, 1, 0},
                "\rsynctap: 9/0123456789/0123456789/0123456789/a.log: 0 %, ");
}

static void test_a_name_cannot_steer_the_terminal(void)
{
    check_shown(&(progress_state){"a\033[2J\n", 0, 1, 0}, "\rsynctap: a\\u001b[2J\\u000a: 0 %, ");
}

static void test_a_shorter_line_covers_a_longer_one(void)
{
    const char *path = test_path("shown"), *came;
    progress p = {.is_on = true};
    size_t first;

    standard_error_to(path);
    progress_show(&p, &(progress_state){"a name that is long", 1, 0, 0});
    first = strlen(standard_error_in(path));
    progress_show(&p, &(progress_state){"b", 1, 0, 0});
    came = standard_error_in(path);
    EXPECT_INT(strlen(came + first), first);
    EXPECT_INT(p.width, first - 1);
}

static void test_wiping_leaves_an_empty_line(void)
{
    const char *path = test_path("shown"), *came;
    progress p = {.is_on = true};

    standard_error_to(path);
    progress_show(&p, &(progress_state){"a", 1, 0, 0});
    came = standard_error_in(path);
    progress_wipe(&p);
    EXPECT_STRING(standard_error_in(path) + strlen(came),
                  test_string("\r%*s\r", (int)strlen(came) - 1, ""));
    came = standard_error_in(path);
    progress_wipe(&p);
    EXPECT_STRING(standard_error_in(path), came);
}

static void test_nothing_is_due_where_there_is_no_terminal(void)
{
    progress p;

    standard_error_to(test_path("shown"));
    p = progress_begin();
    EXPECT_NOT(p.is_on);
    p.since = 0;
    EXPECT_NOT(progress_is_due(&p));
}

static void test_it_is_due_when_half_a_second_is_over(void)
{
    progress p = progress_begin();

    p.is_on = true;
    p.since += INT64_C(3600) * 1000000000;
    EXPECT_NOT(progress_is_due(&p));
    p.since = 0;
    EXPECT(progress_is_due(&p));
}

CU_TestInfo progress_tests[] = {
    TEST(test_a_share_of_the_size_or_what_was_read),
    TEST(test_of_a_long_name_the_end),
    TEST(test_a_name_cannot_steer_the_terminal),
    TEST(test_a_shorter_line_covers_a_longer_one),
    TEST(test_wiping_leaves_an_empty_line),
    TEST(test_nothing_is_due_where_there_is_no_terminal),
    TEST(test_it_is_due_when_half_a_second_is_over),
    TESTS_END,
};
