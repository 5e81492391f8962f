/* Durations, as a person reads them. */
#include "base/span.h"

#include "suites.h"
#include "test.h"

static const char *span_text(timespan span)
{
    char written[SPAN_TEXT_SIZE];

    return test_string("%s", span_format(span, written));
}

static void test_a_span_has_its_two_largest_units(void)
{
    EXPECT_STRING(span_text(TICKS_PER_DAY), "1 d");
    EXPECT_STRING(span_text(TICKS_PER_DAY + 3 * 3600 * TICKS_PER_SECOND), "1 d 3 h");
    EXPECT_STRING(span_text(TICKS_PER_DAY + 59 * TICKS_PER_SECOND), "1 d");
    EXPECT_STRING(span_text(320 * TICKS_PER_SECOND), "5 min 20 s");
    EXPECT_STRING(span_text(TICKS_PER_SECOND), "1 s");
}

static void test_a_span_below_a_second_is_no_zero(void)
{
    EXPECT_STRING(span_text(TICKS_PER_SECOND / 5), "0.2 s");
    EXPECT_STRING(span_text(TICKS_PER_SECOND / 50), "20 ms");
    EXPECT_STRING(span_text(1), "0.0001 ms");
    EXPECT_STRING(span_text(0), "0 s");
}

static void test_the_longest_spans_fit(void)
{
    EXPECT_STRING(span_text(INT64_MAX), "10675199 d 2 h");
    EXPECT_STRING(span_text(INT64_MIN), "-10675199 d 2 h");
    EXPECT_STRING(span_text(-TICKS_PER_SECOND), "-1 s");
}

CU_TestInfo span_tests[] = {
    TEST(test_a_span_has_its_two_largest_units),
    TEST(test_a_span_below_a_second_is_no_zero),
    TEST(test_the_longest_spans_fit),
    TESTS_END,
};
