/* SPDX-License-Identifier: Apache-2.0 */
/* The latest time in a text that is not parsed. */
#include "cli/time_search.h"

#include <stdlib.h>

#include "suites.h"
#include "test.h"

static const char *latest_in(const char *written)
{
    time_search *search = time_search_new();
    char formatted[TIMESTAMP_TEXT_SIZE];
    arrival found = {0};

    REQUIRE(search != NULL);
    if (time_search_pass(search, text_of(written), &found) < strlen(written))
        found.is_known = false;
    time_search_free(search);
    if (!found.is_known)
        return "none";
    timestamp_format(found.time, formatted);
    return test_string("%s", formatted);
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

/* Where the search ends in these lines, the clock being at the given hour. */
static size_t line_to_read(int hour, const char *lines)
{
    time_search *search = time_search_new();
    arrival latest = {.is_known = true};
    size_t at;

    REQUIRE(search != NULL);
    REQUIRE(timestamp_parse(text_of(test_string("2026-06-01T%02d:00:00Z", hour)), &latest.time));
    at = time_search_pass(search, text_of(lines), &latest);
    time_search_free(search);
    return at;
}

static void test_a_line_of_different_times_is_to_be_read_if_one_is_later(void)
{
    static const char lines[] =
        "{\"time\":\"2026-06-01T11:00:00Z\"}\n"
        "{\"time\":\"2026-06-01T12:00:00Z\",\"activityDateTime\":\"2026-06-01T10:00:00Z\"}\n";
    const size_t second = (size_t)(strchr(lines, '\n') - lines) + 1;

    EXPECT_INT(line_to_read(0, lines), second);
    EXPECT_INT(line_to_read(11, lines), second);
    EXPECT_INT(line_to_read(12, lines), strlen(lines));
}

static void test_one_time_written_in_two_ways_is_one(void)
{
    static const char line[] = "{\"time\":\"2026-06-01T12:00:00.1234567Z\","
                               "\"activityDateTime\":\"2026-06-01T12:00:00.1234567+00:00\","
                               "\"createdDateTime\":\"2026-06-01T14:00:00.1234567+02:00\"}";

    EXPECT_INT(line_to_read(0, line), strlen(line));
}

/* Copies of their own size: AddressSanitizer sees a byte that is read behind the end. */
static void test_a_text_that_ends_before_a_value_has_no_time(void)
{
    static const char record[] = "{\"time\": \"2026-06-01T12:00:00.0000000Z\"}";
    const size_t before_value = sizeof("{\"time\": \"") - 1;

    for (size_t length = 1; length < sizeof(record); length++) {
        time_search *search = time_search_new();
        char *copy = malloc(length);
        arrival found = {0};

        REQUIRE(search != NULL && copy != NULL);
        memcpy(copy, record, length);
        time_search_pass(search, (text){copy, length}, &found);
        if (length <= before_value)
            EXPECT_NOT(found.is_known);
        free(copy);
        time_search_free(search);
    }
}

CU_TestInfo time_search_tests[] = {
    TEST(test_each_name_of_a_records_time_is_known),
    TEST(test_no_other_name_counts),
    TEST(test_the_latest_of_all_counts),
    TEST(test_a_record_inside_a_string_has_a_time_too),
    TEST(test_what_only_looks_like_a_time_hides_no_other),
    TEST(test_a_line_of_different_times_is_to_be_read_if_one_is_later),
    TEST(test_one_time_written_in_two_ways_is_one),
    TEST(test_a_text_that_ends_before_a_value_has_no_time),
    TESTS_END,
};
