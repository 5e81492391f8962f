/* SPDX-License-Identifier: Apache-2.0 */
/* The latest time in a text that is not parsed. */
#include "cli/time_search.h"

#include <stdlib.h>

#include "suites.h"
#include "test.h"

#define LATEST_CREDIBLE "2026-06-03T00:00:00Z"

static const char *shown(arrival a)
{
    char formatted[TIMESTAMP_TEXT_SIZE];

    if (!a.is_known)
        return "none";
    timestamp_format(a.time, formatted);
    return test_string("%s", formatted);
}

static arrival search_in(text t, time_reader *read, void *arg, arrival latest)
{
    time_search *search = time_search_new(time_of(LATEST_CREDIBLE));

    REQUIRE(search != NULL);
    time_search_pass(search, t, read, arg, &latest);
    time_search_free(search);
    return latest;
}

static arrival read_nothing(void *arg, text line)
{
    (void)arg;
    EXPECT_TEXT_IS(line, "");
    return (arrival){0};
}

static const char *latest_in(const char *written)
{
    return shown(search_in(text_of(written), read_nothing, NULL, (arrival){0}));
}

static void test_each_name_of_a_records_time_is_known(void)
{
    static const char *const names[] = {"time",          "TimeGenerated",    "activityDateTime",
                                        "@timestamp",    "createdDateTime",  "activity_date_time",
                                        "timegenerated", "ActivityDateTime", "activity_datetime"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        EXPECT_STRING(latest_in(test_string("{\"%s\":\"2026-06-01T12:00:00Z\"}", names[i])),
                      "2026-06-01T12:00:00.0000000Z");
}

static void test_no_other_name_counts(void)
{
    static const char *const names[] = {"endDateTime",     "startDateTime", "LastDirSyncTime",
                                        "_TimeReceived",   "times",         "xtime",
                                        "TimeGenerated_d", "lifetime"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        EXPECT_STRING(latest_in(test_string("{\"%s\":\"2026-06-01T12:00:00Z\"}", names[i])),
                      "none");
}

static void test_the_latest_of_all_counts(void)
{
    static const struct {
        const char *text;
        const char *latest;
    } cases[] = {
        {"", "none"},
        {"{\"time\":\"\"}", "none"},
        {"time", "none"},
        {"\"time\"", "none"},
        {"\"time\":", "none"},
        {"\"time\":\"2026-06-01T12:00:00.5Z\"", "2026-06-01T12:00:00.5000000Z"},
        {"{\"time\":\"2026-06-01T12:00:00Z\"}\n{\"time\":\"2026-06-01T11:00:00Z\"}",
         "2026-06-01T12:00:00.0000000Z"},
        {"{\"time\":\"2026-06-01T12:00:00Z\"}\n{\"time\":\"2026-06-01T12:00:00.25Z\"}",
         "2026-06-01T12:00:00.2500000Z"},
        {"{\"time\":\"2026-06-01T12:00:00.25Z\"}\n{\"time\":\"2026-06-01T12:00:00Z\"}",
         "2026-06-01T12:00:00.2500000Z"},
        {"{\"time\":\"2026-06-01T12:00:00+02:00\"}\n{\"time\":\"2026-06-01T11:00:00Z\"}",
         "2026-06-01T11:00:00.0000000Z"},
        {"{ \"time\" : \"6/1/2026, 1:05:00 PM\" }", "2026-06-01T13:05:00.0000000Z"},
        {"{\"TimeGenerated\":\"\\/Date(1780315200000)\\/\"}", "2026-06-01T12:00:00.0000000Z"},
        {"{\"time\":1780315200}", "2026-06-01T12:00:00.0000000Z"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        EXPECT_STRING(latest_in(cases[i].text), cases[i].latest);
}

static void test_a_record_inside_a_string_has_a_time_too(void)
{
    EXPECT_STRING(latest_in("{\"message\":\"{\\\"time\\\":\\\"2026-06-01T12:00:00Z\\\"}\"}"),
                  "2026-06-01T12:00:00.0000000Z");
    EXPECT_STRING(latest_in("\\\\\\\"time\\\\\\\" : \\\\\\\"2026-06-01T12:00:00Z\\\\\\\""),
                  "2026-06-01T12:00:00.0000000Z");
}

static void test_what_only_looks_like_a_time_hides_no_other(void)
{
    EXPECT_STRING(
        latest_in("{\"time\":\"2026-06-01T12:00:00Z\"}\n{\"time\":\"9999-13-01T00:00:00Z\"}"
                  "\n{\"time\":\"2026-06-02T12:00:00Z\"}"),
        "2026-06-02T12:00:00.0000000Z");
}

static void test_a_time_that_is_not_credible_tells_nothing(void)
{
    EXPECT_STRING(latest_in("{\"time\":\"2026-06-03T00:00:00Z\"}\n"
                            "{\"time\":\"2026-06-03T00:00:00.0000001Z\"}"),
                  "2026-06-03T00:00:00.0000000Z");
}

/* A reader that tells of each line the time at the end of its "is", if it has one. */
typedef struct reading {
    buffer lines; /* that were read, by their names */
} reading;

static arrival read_line(void *arg, text line)
{
    reading *r = arg;
    const char *is = memmem(line.bytes, line.length, "\"is\":\"", 6);
    arrival told = {0};

    buffer_append(&r->lines, (text){line.bytes + strlen("{\"name\":\""), 1});
    if (is != NULL)
        told.is_known =
            timestamp_parse((text){is + 6, sizeof("2026-06-01T12:00:00Z") - 1}, &told.time);
    return told;
}

/* A line of two different times: `is` is what a reading tells, if it is not NULL. */
static const char *line_of(char name, const char *time, const char *other, const char *is)
{
    const char *told = is != NULL ? test_string(",\"is\":\"%s\"", is) : "";

    return test_string("{\"name\":\"%c\",\"time\":\"%s\",\"activityDateTime\":\"%s\"%s}\n", name,
                       time, other, told);
}

static void expect_reading(const char *lines, const char *latest_before, const char *read,
                           const char *latest)
{
    reading r = {0};
    arrival before = {.is_known = true, .time = time_of(latest_before)};
    arrival found = search_in(text_of(lines), read_line, &r, before);

    EXPECT_STRING(buffer_string(&r.lines), read);
    EXPECT_STRING(shown(found), latest);
    buffer_free(&r.lines);
}

#define AT(clock) "2026-06-01T" clock "Z"
#define SHOWN(clock) "2026-06-01T" clock ".0000000Z"

static void test_a_line_of_different_times_is_read_if_one_is_later(void)
{
    const char *line = line_of('a', AT("12:00:00"), AT("10:00:00"), AT("10:00:00"));

    expect_reading(line, AT("09:00:00"), "a", SHOWN("10:00:00"));
    expect_reading(line, AT("11:00:00"), "a", SHOWN("11:00:00"));
    expect_reading(line, AT("12:00:00"), "", SHOWN("12:00:00"));
}

static void test_of_many_lines_the_one_that_can_be_latest_is_read(void)
{
    const char *a = line_of('a', AT("10:00:01"), AT("10:00:00"), AT("10:00:01"));
    const char *b = line_of('b', AT("10:00:03"), AT("10:00:02"), AT("10:00:03"));
    const char *c = line_of('c', AT("10:00:02"), AT("10:00:01"), AT("10:00:02"));

    expect_reading(test_string("%s%s%s", a, b, c), AT("09:00:00"), "b", SHOWN("10:00:03"));
}

static void test_lines_are_read_until_none_can_be_later(void)
{
    const char *a = line_of('a', AT("10:00:02"), AT("10:00:01"), AT("10:00:02"));
    const char *b = line_of('b', AT("10:00:04"), AT("10:00:03"), AT("10:00:03"));
    const char *c = line_of('c', AT("10:00:05"), AT("10:00:00"), NULL);

    expect_reading(test_string("%s%s%s", a, b, c), AT("09:00:00"), "cb", SHOWN("10:00:03"));
}

static void test_a_later_line_of_one_time_makes_readings_needless(void)
{
    const char *a = line_of('a', AT("10:00:02"), AT("10:00:01"), AT("10:00:02"));

    expect_reading(test_string("%s{\"time\":\"%s\"}\n", a, AT("10:00:02")), AT("09:00:00"), "",
                   SHOWN("10:00:02"));
}

static void test_of_different_times_only_credible_ones_can_move_the_clock(void)
{
    expect_reading(line_of('a', "2030-06-01T00:00:00Z", AT("10:00:00"), NULL), AT("10:00:00"), "",
                   SHOWN("10:00:00"));
    expect_reading(line_of('a', "2030-06-01T00:00:00Z", AT("10:00:01"), NULL), AT("10:00:00"), "a",
                   SHOWN("10:00:00"));
}

/* The last line is the earliest: more are in doubt by then than are kept in mind. */
static void test_however_many_lines_are_in_doubt_the_latest_is_found(void)
{
    enum { LINES = 5000 };
    buffer lines = {0};
    reading r = {0};
    arrival found;

    for (int i = 0; i < LINES; i++) {
        int second = LINES - i;
        const char *is =
            test_string("2026-06-01T%02d:%02d:%02dZ", second / 3600, second / 60 % 60, second % 60);

        buffer_append_string(
            &lines, line_of('a', is, test_string("%.19s.5Z", is), i % 100 == 0 ? NULL : is));
    }
    found = search_in(buffer_text(&lines), read_line, &r, (arrival){0});
    EXPECT_STRING(shown(found), "2026-06-01T01:23:19.0000000Z");
    buffer_free(&r.lines);
    buffer_free(&lines);
}

static void test_one_time_written_in_two_ways_is_one(void)
{
    static const char line[] = "{\"time\":\"2026-06-01T12:00:00.1234567Z\","
                               "\"activityDateTime\":\"2026-06-01T12:00:00.1234567+00:00\","
                               "\"createdDateTime\":\"2026-06-01T14:00:00.1234567+02:00\"}";

    EXPECT_STRING(latest_in(line), "2026-06-01T12:00:00.1234567Z");
}

/* Copies of their own size: AddressSanitizer sees a byte that is read behind the end. */
static void test_a_text_that_ends_before_a_value_has_no_time(void)
{
    static const char record[] = "{\"time\": \"2026-06-01T12:00:00.0000000Z\"}";
    const size_t before_value = sizeof("{\"time\": \"") - 1;

    for (size_t length = 1; length < sizeof(record); length++) {
        char *copy = malloc(length);
        arrival found;

        REQUIRE(copy != NULL);
        memcpy(copy, record, length);
        found = search_in((text){copy, length}, read_nothing, NULL, (arrival){0});
        if (length <= before_value)
            EXPECT_NOT(found.is_known);
        free(copy);
    }
}

CU_TestInfo time_search_tests[] = {
    TEST(test_each_name_of_a_records_time_is_known),
    TEST(test_no_other_name_counts),
    TEST(test_the_latest_of_all_counts),
    TEST(test_a_record_inside_a_string_has_a_time_too),
    TEST(test_what_only_looks_like_a_time_hides_no_other),
    TEST(test_a_time_that_is_not_credible_tells_nothing),
    TEST(test_a_line_of_different_times_is_read_if_one_is_later),
    TEST(test_of_many_lines_the_one_that_can_be_latest_is_read),
    TEST(test_lines_are_read_until_none_can_be_later),
    TEST(test_a_later_line_of_one_time_makes_readings_needless),
    TEST(test_of_different_times_only_credible_ones_can_move_the_clock),
    TEST(test_however_many_lines_are_in_doubt_the_latest_is_found),
    TEST(test_one_time_written_in_two_ways_is_one),
    TEST(test_a_text_that_ends_before_a_value_has_no_time),
    TESTS_END,
};
