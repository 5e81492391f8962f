/* SPDX-License-Identifier: Apache-2.0 */
/* Times in every form that records carry, to 100 ns; spans; and how a time is written. */
#include "base/timestamp.h"

#include <time.h>

#include "suites.h"
#include "test.h"

/* 2026-06-01T12:00:00Z, as `date -u +%s` says it. */
#define NOON (INT64_C(1780315200) * TICKS_PER_SECOND)
#define HOUR (3600 * TICKS_PER_SECOND)
#define MINUTE (60 * TICKS_PER_SECOND)

typedef struct time_case {
    const char *written;
    timestamp ticks;
} time_case;

static void check_times(const time_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timestamp got = -1;

        test_case("\"%s\"", cases[i].written);
        EXPECT(timestamp_parse(tight_of(cases[i].written), &got));
        EXPECT_TIME(got, cases[i].ticks);
    }
}

#define CHECK_TIMES(...)                                                                           \
    check_times((time_case[]){__VA_ARGS__}, sizeof((time_case[]){__VA_ARGS__}) / sizeof(time_case))

static void check_no_times(const char *const *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timestamp got = 4711;

        test_case("\"%s\"", cases[i]);
        EXPECT_NOT(timestamp_parse(tight_of(cases[i]), &got));
        EXPECT_INT(got, 4711);
    }
}

#define CHECK_NO_TIMES(...)                                                                        \
    check_no_times((const char *[]){__VA_ARGS__},                                                  \
                   sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *))

/* --- ISO 8601 --- */

static void test_an_iso_time_with_t_or_a_blank(void)
{
    CHECK_TIMES({"2026-06-01T12:00:00Z", NOON}, {"2026-06-01 12:00:00Z", NOON},
                {"2026-06-01t12:00:00z", NOON});
}

static void test_a_time_without_a_zone_is_utc(void)
{
    CHECK_TIMES({"2026-06-01T12:00:00", NOON}, {"2026-06-01 12:00:00.5", NOON + 5000000});
}

static void test_an_offset_is_taken_off(void)
{
    CHECK_TIMES({"2026-06-01T12:00:00+00:00", NOON}, {"2026-06-01T12:00:00-00:00", NOON},
                {"2026-06-01T14:00:00+02:00", NOON}, {"2026-06-01T06:30:00-05:30", NOON},
                {"2026-06-02T02:00:00+14:00", NOON},
                {"2026-06-01T12:00:00.25 +00:00", NOON + 2500000});
}

static void test_an_offset_without_its_colon_or_minutes(void)
{
    CHECK_TIMES({"2026-06-01T14:00:00+0200", NOON}, {"2026-06-01T06:30:00-0530", NOON},
                {"2026-06-01T14:00:00+02", NOON});
}

static void test_a_fraction_of_0_to_9_digits(void)
{
    CHECK_TIMES({"2026-06-01T12:00:00Z", NOON}, {"2026-06-01T12:00:00.1Z", NOON + 1000000},
                {"2026-06-01T12:00:00.12Z", NOON + 1200000},
                {"2026-06-01T12:00:00.123Z", NOON + 1230000},
                {"2026-06-01T12:00:00.1234Z", NOON + 1234000},
                {"2026-06-01T12:00:00.12345Z", NOON + 1234500},
                {"2026-06-01T12:00:00.123456Z", NOON + 1234560},
                {"2026-06-01T12:00:00.1234567Z", NOON + 1234567},
                {"2026-06-01T12:00:00.12345678Z", NOON + 1234567},
                {"2026-06-01T12:00:00.123456789Z", NOON + 1234567});
}

static void test_a_fraction_is_cut_at_100_ns_and_not_rounded(void)
{
    CHECK_TIMES({"2026-06-01T12:00:00.000000099Z", NOON},
                {"2026-06-01T12:00:00.0000001Z", NOON + 1},
                {"2026-06-01T12:00:00.999999999Z", NOON + 9999999});
}

static void test_a_day_alone_is_its_midnight(void)
{
    CHECK_TIMES({"2026-06-01", NOON - 12 * HOUR});
}

static void test_a_time_without_seconds(void)
{
    CHECK_TIMES({"2026-06-01T12:05", NOON + 5 * MINUTE}, {"2026-06-01T12:05Z", NOON + 5 * MINUTE});
}

static void test_leap_days(void)
{
    CHECK_TIMES({"2024-02-29T00:00:00Z", INT64_C(1709164800) * TICKS_PER_SECOND},
                {"2000-02-29T00:00:00Z", INT64_C(951782400) * TICKS_PER_SECOND});
    CHECK_NO_TIMES("2025-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z");
}

/* timegm() counts them as well. A step of 11 days meets every day of the year. */
static void test_days_from_1000_to_9999_are_those_of_timegm(void)
{
    const timestamp step = 11 * TICKS_PER_DAY;
    struct tm first = {.tm_year = 1000 - 1900, .tm_mday = 1},
              last = {.tm_year = 9999 - 1900, .tm_mday = 1};

    for (timestamp t = timegm(&first) * TICKS_PER_SECOND; t < timegm(&last) * TICKS_PER_SECOND;
         t += step) {
        time_t seconds = (time_t)(t / TICKS_PER_SECOND);
        struct tm tm;
        timestamp read = 0;
        char written[sizeof("2026-06-01")];

        gmtime_r(&seconds, &tm);
        strftime(written, sizeof(written), "%Y-%m-%d", &tm);
        REQUIRE(timestamp_parse(text_of(written), &read));
        if (read != t)
            EXPECT_STRING(test_string("%s: %lld", written, (long long)read),
                          test_string("%s: %lld", written, (long long)t));
    }
}

static void test_times_before_1970_are_negative(void)
{
    CHECK_TIMES({"1969-12-31T23:59:59.9999999Z", -1}, {"1969-12-31T23:59:59Z", -TICKS_PER_SECOND},
                {"1970-01-01T00:00:00Z", 0},
                {"1601-01-01T00:00:00Z", INT64_C(-116444736000000000)});
}

static void test_the_first_and_the_last_time_of_kql(void)
{
    CHECK_TIMES({"0001-01-01T00:00:00.0000001Z", INT64_C(-621355968000000000) + 1},
                {"9999-12-31T23:59:59.9999999Z", INT64_C(2534023007999999999)});
}

/* --- US dates --- */

static void test_a_us_date_with_am_or_pm(void)
{
    CHECK_TIMES({"6/1/2026 1:00:00 PM", NOON + HOUR}, {"6/1/2026 11:00:00 AM", NOON - HOUR},
                {"06/01/2026 01:00:00 pm", NOON + HOUR}, {"6/1/2026 1:05 PM", NOON + 65 * MINUTE});
}

static void test_twelve_am_is_midnight_and_twelve_pm_is_noon(void)
{
    CHECK_TIMES({"6/1/2026 12:00:00 AM", NOON - 12 * HOUR}, {"6/1/2026 12:00:00 PM", NOON},
                {"6/1/2026 12:30:00 AM", NOON - 12 * HOUR + 30 * MINUTE},
                {"6/1/2026 12:30:00 PM", NOON + 30 * MINUTE});
}

static void test_a_us_date_without_am_or_pm(void)
{
    CHECK_TIMES({"6/1/2026 13:00:00", NOON + HOUR}, {"06/01/2026 00:00:00", NOON - 12 * HOUR},
                {"6/1/2026", NOON - 12 * HOUR});
}

static void test_a_us_date_with_fraction_and_offset(void)
{
    CHECK_TIMES({"6/1/2026 12:00:00.1234567 PM", NOON + 1234567},
                {"6/1/2026 14:00:00 +02:00", NOON}, {"6/1/2026 2:00:00 PM +02:00", NOON},
                {"6/1/2026 12:00:00 PM Z", NOON});
}

static void test_the_month_comes_first_in_a_us_date(void)
{
    CHECK_TIMES({"12/31/2025 23:59:59", NOON - 151 * TICKS_PER_DAY - 12 * HOUR - TICKS_PER_SECOND});
    CHECK_NO_TIMES("31/12/2025 23:59:59");
}

/* --- other calendars' spellings --- */

static void test_a_comma_before_the_fraction(void)
{
    CHECK_TIMES({"2026-06-01T12:00:00,5Z", NOON + 5000000},
                {"2026-06-01 12:00:00,1234567", NOON + 1234567},
                {"6/1/2026, 12:00:00,25 PM", NOON + 2500000});
}

static void test_slashes_behind_the_year(void)
{
    CHECK_TIMES({"2026/06/01 12:00:00", NOON}, {"2026/6/1T12:00:00Z", NOON},
                {"2026/06/01 1:00:00 PM", NOON + HOUR}, {"2026/06/01", NOON - 12 * HOUR});
    CHECK_NO_TIMES("2026/06-01 12:00:00", "2026/13/01 12:00:00");
}

static void test_rfc_1123(void)
{
    CHECK_TIMES({"Mon, 01 Jun 2026 12:00:00 GMT", NOON}, {"Mon, 1 Jun 2026 12:00:00 +0000", NOON},
                {"01 Jun 2026 14:00:00 +0200", NOON}, {"Monday, 1 June 2026 12:00 UTC", NOON},
                {"1-Jun-2026 12:00:00", NOON});
    CHECK_NO_TIMES("Mon, 31 Jun 2026 12:00:00 GMT", "Mon, 01 Jux 2026 12:00:00 GMT",
                   "Mon 01 Jun 2026 12:00:00 GMT", "Mon, 01 Jun 26 12:00:00 GMT");
}

static void test_the_months_name_first(void)
{
    CHECK_TIMES({"Jun 1, 2026 1:00:00 PM", NOON + HOUR}, {"June 1, 2026, 12:00:00", NOON},
                {"Jun 1, 2026 @ 12:00:00.123", NOON + 1230000}, {"Jun 1 2026", NOON - 12 * HOUR},
                {"Monday, June 1, 2026 1:05:00 PM", NOON + 65 * MINUTE});
    CHECK_NO_TIMES("Jun 31, 2026 1:00:00 PM", "Jun 1, 2026 13:00:00 PM", "Jun, 2026", "Jun 1",
                   "Jun 1, 2026 @");
}

static void test_every_month_has_its_name(void)
{
    static const char *const names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

    for (int i = 0; i < 12; i++) {
        timestamp got = 0, expected = 1;

        EXPECT(timestamp_parse(text_of(test_string("2026-%02d-07", i + 1)), &expected));
        EXPECT(timestamp_parse(text_of(test_string("07 %s 2026", names[i])), &got));
        EXPECT_TIME(got, expected);
    }
}

static void test_dotnets_milliseconds(void)
{
    CHECK_TIMES({"/Date(1780315200000)/", NOON}, {"/Date(1780315200123)/", NOON + 1230000},
                {"/Date(1780315200000+0200)/", NOON}, {"/Date(1780315200000-0730)/", NOON},
                {"/Date(-1)/", -TICKS_PER_SECOND / 1000}, {"/Date(0)/", 0});
    CHECK_NO_TIMES("/Date()/", "/Date(1780315200000)", "/Date(x)/", "Date(1780315200000)",
                   "/Date(1780315200000+2)/", "/Date(1780315200000)/ x",
                   "/Date(178031520000000000)/");
}

/* --- is there a time? --- */

static void test_nothing_and_a_time_that_was_never_set_are_no_time(void)
{
    static const char *const none[] = {"",
                                       "  ",
                                       "0001-01-01T00:00:00Z",
                                       "0001-01-01T00:00:00",
                                       "1/1/0001 12:00:00 AM",
                                       "/Date(-62135596800000)/"};
    timestamp got = 4711;

    for (size_t i = 0; i < LENGTH_OF(none); i++) {
        test_case("\"%s\"", none[i]);
        EXPECT_INT(timestamp_read(tight_of(none[i]), &got), TIMESTAMP_NONE);
    }
    EXPECT_INT(got, 4711);
}

static void test_what_is_there_and_no_time_is_not_understood(void)
{
    static const char *const words[] = {
        "yesterday", "null", "{}", "0", "26.11.2026 01:02:03", "2026-13-45T99:99:99Z"};
    timestamp got = 4711;

    for (size_t i = 0; i < LENGTH_OF(words); i++) {
        test_case("\"%s\"", words[i]);
        EXPECT_INT(timestamp_read(tight_of(words[i]), &got), TIMESTAMP_NOT_UNDERSTOOD);
    }
    EXPECT_INT(got, 4711);
    EXPECT_INT(timestamp_read((text)TEXT("2026-06-01T12:00:00Z"), &got), TIMESTAMP_READ);
}

/* --- epoch --- */

static void test_epoch_seconds(void)
{
    CHECK_TIMES({"1780315200", NOON}, {"1780315200.5", NOON + 5000000},
                {"1780315200.1234567", NOON + 1234567}, {"1780315200.123456789", NOON + 1234567},
                {"999999999", 999999999 * TICKS_PER_SECOND});
}

static void test_epoch_milliseconds(void)
{
    CHECK_TIMES({"1780315200000", NOON}, {"1780315200123", NOON + 1230000});
}

static void test_epoch_from_12_digits_on_is_milliseconds(void)
{
    CHECK_TIMES({"99999999999", INT64_C(99999999999) * TICKS_PER_SECOND},
                {"100000000000", INT64_C(100000000) * TICKS_PER_SECOND});
}

/* --- around and beyond --- */

static void test_blanks_around_a_time_are_ignored(void)
{
    CHECK_TIMES({" 2026-06-01T12:00:00Z ", NOON}, {"  1780315200 ", NOON},
                {"\t6/1/2026 12:00:00 PM  ", NOON});
}

static void test_what_is_no_time_at_all(void)
{
    CHECK_NO_TIMES("", " ", "null", "<null>", "yesterday", "T12:00:00Z", "12:00:00", "Z", "-", "+",
                   "2026", "2026-06", "20260601T120000Z", "Mon Jun  1 12:00:00 2026");
}

static void test_an_unreal_date_is_no_time(void)
{
    CHECK_NO_TIMES("2026-00-01T12:00:00Z", "2026-13-01T12:00:00Z", "2026-06-00T12:00:00Z",
                   "2026-06-31T12:00:00Z", "2026-02-30T12:00:00Z", "0000-06-01T12:00:00Z",
                   "13/1/2026 12:00:00", "6/31/2026 12:00:00", "0/1/2026 12:00:00");
}

static void test_an_unreal_clock_is_no_time(void)
{
    CHECK_NO_TIMES("2026-06-01T24:00:01Z", "2026-06-01T25:00:00Z", "2026-06-01T12:60:00Z",
                   "2026-06-01T12:00:61Z", "6/1/2026 13:00:00 PM", "6/1/2026 0:30:00 AM",
                   "6/1/2026 12:00:00 XM", "2026-06-01T", "2026-06-01T12", "2026-06-01T12:0:00Z");
}

static void test_an_unreal_offset_is_no_time(void)
{
    CHECK_NO_TIMES("2026-06-01T12:00:00+25:00", "2026-06-01T12:00:00+02:60",
                   "2026-06-01T12:00:00+2", "2026-06-01T12:00:00+",
                   "2026-06-01T12:00:00+02:", "2026-06-01T12:00:00X");
}

static void test_an_offset_that_leads_out_of_kqls_years_is_no_time(void)
{
    timestamp t;

    EXPECT_NOT(timestamp_parse(text_of("0001-01-01T00:00:00+14:00"), &t));
    EXPECT(timestamp_parse(text_of("0001-01-01T00:00:00-14:00"), &t));
    EXPECT_NOT(timestamp_parse(text_of("9999-12-31T23:59:59-00:01"), &t));
    EXPECT(timestamp_parse(text_of("9999-12-31T23:59:59+00:01"), &t));
}

static void test_a_wrong_fraction_is_no_time(void)
{
    CHECK_NO_TIMES("2026-06-01T12:00:00.Z", "2026-06-01T12:00:00.1234567890Z",
                   "2026-06-01T12:00:00;5Z", "2026-06-01T12:00:00,Z", "1780315200.",
                   "1780315200.1.1");
}

static void test_anything_behind_a_time_makes_it_none(void)
{
    CHECK_NO_TIMES("2026-06-01T12:00:00Zx", "2026-06-01T12:00:00Z Z", "6/1/2026 12:00:00 PM PM",
                   "1780315200x", "1780315200 1780315200", "2026-06-01x");
}

static void test_a_nul_byte_in_a_time_makes_it_none(void)
{
    timestamp got = 4711;

    EXPECT_NOT(timestamp_parse((text)TEXT("2026-06-01T12:00:00Z\0"), &got));
    EXPECT_NOT(timestamp_parse((text)TEXT("2026-06-01\00012:00:00Z"), &got));
    EXPECT_INT(got, 4711);
}

static void test_more_digits_than_a_time_has_make_it_none(void)
{
    CHECK_NO_TIMES("99999999999999999999999999", "2026000-06-01T12:00:00Z",
                   "2026-06-01T00012:00:00Z");
}

static void test_every_beginning_of_a_time_is_read_without_reading_on(void)
{
    static const char *const whole[] = {
        "2026-06-01T12:00:00.1234567+02:00", "06/01/2026 12:00:00.1234567 PM +02:00",
        "Mon, 01 Jun 2026 12:00:00 GMT",     "Monday, June 1, 2026 @ 12:00:00,123 PM UTC",
        "/Date(1780315200000+0200)/",        "1780315200123.4567"};

    for (size_t i = 0; i < LENGTH_OF(whole); i++) {
        for (size_t length = 0; length < strlen(whole[i]); length++) {
            timestamp got;
            timestamp_parse(tight((text){whole[i], length}), &got);
        }
    }
    EXPECT(true);
}

/* --- writing --- */

static const char *written(timestamp t)
{
    char result[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, result);
    return test_string("%s", result);
}

static void test_a_time_is_written_with_seven_digits_and_z(void)
{
    EXPECT_STRING(written(NOON), "2026-06-01T12:00:00.0000000Z");
    EXPECT_STRING(written(NOON + 1), "2026-06-01T12:00:00.0000001Z");
    EXPECT_STRING(written(NOON + 1234567), "2026-06-01T12:00:00.1234567Z");
    EXPECT_STRING(written(NOON - 1), "2026-06-01T11:59:59.9999999Z");
}

static void test_a_time_before_1970_is_written(void)
{
    EXPECT_STRING(written(0), "1970-01-01T00:00:00.0000000Z");
    EXPECT_STRING(written(-1), "1969-12-31T23:59:59.9999999Z");
    EXPECT_STRING(written(INT64_C(-116444736000000000)), "1601-01-01T00:00:00.0000000Z");
}

static void test_years_outside_of_kqls_are_clamped(void)
{
    EXPECT_STRING(written(INT64_C(-621355968000000000)), "0001-01-01T00:00:00.0000000Z");
    EXPECT_STRING(written(INT64_C(-621355968000000001)), "0001-01-01T00:00:00.0000000Z");
    EXPECT_STRING(written(INT64_MIN), "0001-01-01T00:00:00.0000000Z");
    EXPECT_STRING(written(INT64_C(2534023007999999999)), "9999-12-31T23:59:59.9999999Z");
    EXPECT_STRING(written(INT64_C(2534023008000000000)), "9999-12-31T23:59:59.9999999Z");
    EXPECT_STRING(written(INT64_MAX), "9999-12-31T23:59:59.9999999Z");
}

static void test_what_is_written_is_read_back(void)
{
    const uint64_t range = UINT64_C(2534023008000000000) + UINT64_C(621355968000000000) - 1;
    random_source r = random_new(1);

    for (int i = 0; i < 5000; i++) {
        uint64_t drawn = (uint64_t)random_below(&r, 1u << 31) << 31 | random_below(&r, 1u << 31);
        timestamp t = (timestamp)(drawn % range) - INT64_C(621355968000000000) + 1, got = 0;

        test_case("%s", written(t));
        EXPECT(timestamp_parse(text_of(written(t)), &got));
        EXPECT_TIME(got, t);
    }
}

/* Each byte at each place of the form that is read at once, and the same in one that is not. */
static void test_a_byte_in_the_usual_form_says_what_it_says_in_the_others(void)
{
    static const char usual[] = "2026-06-01T12:34:56.1234567Z", other[] = "+00:00";
    const size_t length = sizeof(usual) - 1;
    char altered[64];

    for (size_t place = 0; place + 1 < length; place++)
        for (int byte = 0; byte < 256; byte++) {
            timestamp got[2] = {0, 0};
            bool is_read[2];

            test_case("place %zu, byte %d", place, byte);
            memcpy(altered, usual, length);
            altered[place] = (char)byte;
            is_read[0] = timestamp_parse((text){altered, length}, &got[0]);
            memcpy(altered + length - 1, other, sizeof(other) - 1);
            is_read[1] = timestamp_parse((text){altered, length + sizeof(other) - 2}, &got[1]);
            EXPECT_INT(is_read[0], is_read[1]);
            EXPECT_TIME(got[0], got[1]);
        }
}

/* Digits in the form that is read at once, good and bad ones, and the same in one that is not. */
static void test_the_usual_form_says_what_the_others_do(void)
{
    static const char *const zones[] = {"Z", "+00:00"};
    random_source r = random_new(4);

    for (int i = 0; i < 5000; i++) {
        size_t year = random_below(&r, 10000), month = random_below(&r, 14);
        size_t day = random_below(&r, 33), hour = random_below(&r, 26);
        size_t minute = random_below(&r, 62), second = random_below(&r, 62);
        size_t fraction = random_below(&r, 1000000000);
        int digits = 9 + i % 2; /* ten are too many */
        timestamp got[2] = {0, 0};
        bool is_read[2];

        for (size_t z = 0; z < LENGTH_OF(zones); z++) {
            const char *t = test_string("%04zu-%02zu-%02zuT%02zu:%02zu:%02zu.%0*zu%s", year, month,
                                        day, hour, minute, second, digits, fraction, zones[z]);

            test_case("%s", t);
            is_read[z] = timestamp_parse(text_of(t), &got[z]);
        }
        EXPECT_INT(is_read[0], is_read[1]);
        EXPECT_TIME(got[0], got[1]);
    }
}

/* The judge is the C library's calendar, as far as the system's time_t goes. */
static void test_the_calendar_is_the_c_librarys(void)
{
    random_source r = random_new(3);

    for (int i = 0; i < 5000; i++) {
        time_t seconds = (time_t)random_below(&r, 1u << 31) - (i % 2 ? 0 : INT32_MAX);
        timestamp t = (timestamp)seconds * TICKS_PER_SECOND;
        struct tm right, got = timestamp_utc(t + (timestamp)random_below(&r, 10000000));

        test_case("%lld", (long long)seconds);
        gmtime_r(&seconds, &right);
        EXPECT_INT(got.tm_year, right.tm_year);
        EXPECT_INT(got.tm_mon, right.tm_mon);
        EXPECT_INT(got.tm_mday, right.tm_mday);
        EXPECT_INT(got.tm_hour * 3600 + got.tm_min * 60 + got.tm_sec,
                   right.tm_hour * 3600 + right.tm_min * 60 + right.tm_sec);
        EXPECT_TIME(timestamp_of_utc(&got), t);
    }
}

static void test_a_leap_day_of_another_year_is_the_next(void)
{
    struct tm utc = timestamp_utc(INT64_C(17092) * TICKS_PER_DAY); /* 2016-10-18 */

    utc.tm_mon = 1;
    utc.tm_mday = 29;
    EXPECT_STRING(written(timestamp_of_utc(&utc)), "2016-02-29T00:00:00.0000000Z");
    utc.tm_year++;
    EXPECT_STRING(written(timestamp_of_utc(&utc)), "2017-03-01T00:00:00.0000000Z");
}

static void test_written_times_sort_as_the_times_do(void)
{
    random_source r = random_new(2);

    for (int i = 0; i < 1000; i++) {
        timestamp a = NOON + (timestamp)random_below(&r, 1u << 31) * 10007;
        timestamp b = a + 1 + (timestamp)random_below(&r, 1000);

        EXPECT(strcmp(written(a), written(b)) < 0);
    }
}

/* --- spans --- */

static void check_spans(const time_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        timespan got = -1;

        test_case("\"%s\"", cases[i].written);
        EXPECT(timespan_parse(tight_of(cases[i].written), &got));
        EXPECT_INT(got, cases[i].ticks);
    }
}

#define CHECK_SPANS(...)                                                                           \
    check_spans((time_case[]){__VA_ARGS__}, sizeof((time_case[]){__VA_ARGS__}) / sizeof(time_case))

static void test_a_span_in_each_unit(void)
{
    CHECK_SPANS({"14d", INT64_C(12096000000000)}, {"1h", INT64_C(36000000000)},
                {"5m", INT64_C(3000000000)}, {"90s", INT64_C(900000000)}, {"1s", 10000000},
                {"100ms", 1000000}, {"10microsecond", 100}, {"7tick", 7});
}

static void test_a_span_with_a_fraction(void)
{
    CHECK_SPANS({"1.5d", INT64_C(1296000000000)}, {"0.5h", INT64_C(18000000000)}, {"0.1s", 1000000},
                {"2.5ms", 25000});
}

static void test_a_span_of_nothing_needs_no_unit(void)
{
    CHECK_SPANS({"0", 0}, {"0d", 0}, {"0s", 0});
}

static void test_what_is_no_span(void)
{
    static const char *const cases[] = {"",    " ",    "d",   "1",    "1.5",  "1x",
                                        "1dd", "1d2h", "1.",  ".5d",  "1,5d", "one d",
                                        "d1",  "1e3s", "1d;", "0x10s"};

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        timespan got = 4711;

        test_case("\"%s\"", cases[i]);
        EXPECT_NOT(timespan_parse(tight_of(cases[i]), &got));
    }
}

static void test_a_span_beyond_64_bits_is_none(void)
{
    static const char *const cases[] = {"99999999999999999999d", "20000000000000d",
                                        "9223372036854775807d"};

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        timespan got = 4711;

        test_case("\"%s\"", cases[i]);
        EXPECT_NOT(timespan_parse(tight_of(cases[i]), &got));
    }
}

CU_TestInfo timestamp_tests[] = {
    TEST(test_an_iso_time_with_t_or_a_blank),
    TEST(test_a_time_without_a_zone_is_utc),
    TEST(test_an_offset_is_taken_off),
    TEST(test_an_offset_without_its_colon_or_minutes),
    TEST(test_a_fraction_of_0_to_9_digits),
    TEST(test_a_fraction_is_cut_at_100_ns_and_not_rounded),
    TEST(test_a_day_alone_is_its_midnight),
    TEST(test_a_time_without_seconds),
    TEST(test_leap_days),
    TEST(test_days_from_1000_to_9999_are_those_of_timegm),
    TEST(test_times_before_1970_are_negative),
    TEST(test_the_first_and_the_last_time_of_kql),
    TEST(test_a_us_date_with_am_or_pm),
    TEST(test_twelve_am_is_midnight_and_twelve_pm_is_noon),
    TEST(test_a_us_date_without_am_or_pm),
    TEST(test_a_us_date_with_fraction_and_offset),
    TEST(test_the_month_comes_first_in_a_us_date),
    TEST(test_a_comma_before_the_fraction),
    TEST(test_slashes_behind_the_year),
    TEST(test_rfc_1123),
    TEST(test_the_months_name_first),
    TEST(test_every_month_has_its_name),
    TEST(test_dotnets_milliseconds),
    TEST(test_nothing_and_a_time_that_was_never_set_are_no_time),
    TEST(test_what_is_there_and_no_time_is_not_understood),
    TEST(test_epoch_seconds),
    TEST(test_epoch_milliseconds),
    TEST(test_epoch_from_12_digits_on_is_milliseconds),
    TEST(test_blanks_around_a_time_are_ignored),
    TEST(test_what_is_no_time_at_all),
    TEST(test_an_unreal_date_is_no_time),
    TEST(test_an_unreal_clock_is_no_time),
    TEST(test_an_unreal_offset_is_no_time),
    TEST(test_an_offset_that_leads_out_of_kqls_years_is_no_time),
    TEST(test_a_wrong_fraction_is_no_time),
    TEST(test_anything_behind_a_time_makes_it_none),
    TEST(test_a_nul_byte_in_a_time_makes_it_none),
    TEST(test_more_digits_than_a_time_has_make_it_none),
    TEST(test_every_beginning_of_a_time_is_read_without_reading_on),
    TEST(test_a_time_is_written_with_seven_digits_and_z),
    TEST(test_a_time_before_1970_is_written),
    TEST(test_years_outside_of_kqls_are_clamped),
    TEST(test_what_is_written_is_read_back),
    TEST(test_a_byte_in_the_usual_form_says_what_it_says_in_the_others),
    TEST(test_the_usual_form_says_what_the_others_do),
    TEST(test_the_calendar_is_the_c_librarys),
    TEST(test_a_leap_day_of_another_year_is_the_next),
    TEST(test_written_times_sort_as_the_times_do),
    TEST(test_a_span_in_each_unit),
    TEST(test_a_span_with_a_fraction),
    TEST(test_a_span_of_nothing_needs_no_unit),
    TEST(test_what_is_no_span),
    TEST(test_a_span_beyond_64_bits_is_none),
    TESTS_END,
};
