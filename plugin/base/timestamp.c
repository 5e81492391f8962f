/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp: one cursor over the text; each form is a sequence of its steps. */
#include "base/timestamp.h"

#include <ctype.h>
#include <endian.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static const timestamp LATEST = INT64_C(2534023008000000000) - 1;

enum { MILLISECONDS_FROM_DIGITS = 12, MOST_EPOCH_DIGITS = 14 };

typedef struct moment {
    int year, month, day, hour, minute, second;
    int64_t fraction; /* ticks */
    int offset;       /* minutes east of UTC */
} moment;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static text without_blanks_around(text t)
{
    while (t.length > 0 && (t.bytes[0] == ' ' || t.bytes[0] == '\t'))
        t = text_from(t, 1);
    while (t.length > 0 && (t.bytes[t.length - 1] == ' ' || t.bytes[t.length - 1] == '\t'))
        t.length--;
    return t;
}

/* The steps: each takes its part off the front of *t, or takes nothing and says false. */

/* Of so few, a loop finds one sooner than a call. */
static bool take_char(text *t, const char *one_of)
{
    while (t->length > 0 && *one_of != '\0' && *one_of != t->bytes[0])
        one_of++;
    if (t->length == 0 || *one_of == '\0')
        return false;
    *t = text_from(*t, 1);
    return true;
}

static size_t count_digits(text t)
{
    size_t n = 0;

    while (n < t.length && is_digit(t.bytes[n]))
        n++;
    return n;
}

static bool take_number(text *t, size_t least, size_t most, int *number)
{
    size_t digits = count_digits(*t);

    if (digits < least || digits > most)
        return false;
    *number = 0;
    for (size_t i = 0; i < digits; i++)
        *number = *number * 10 + (t->bytes[i] - '0');
    *t = text_from(*t, digits);
    return true;
}

/* Fractional digits behind a point, as ticks. No point at all is a fraction of 0. */
static bool take_fraction(text *t, const char *points, int64_t *ticks)
{
    static const int64_t units[] = {10000000, 1000000, 100000, 10000, 1000, 100, 10, 1};
    const size_t most = sizeof(units) / sizeof(units[0]) - 1; /* digits of a tick */
    size_t digits, counted;

    _Static_assert(TICKS_PER_SECOND == 10000000, "units of another tick");
    *ticks = 0;
    if (!take_char(t, points))
        return true;
    digits = count_digits(*t);
    counted = digits < most ? digits : most;
    for (size_t i = 0; i < counted; i++)
        *ticks = *ticks * 10 + (t->bytes[i] - '0');
    *ticks *= units[counted];
    *t = text_from(*t, digits);
    return digits > 0 && digits <= 9;
}

static bool take_word(text *t, const char *word)
{
    size_t length = strlen(word);

    if (t->length < length || strncasecmp(t->bytes, word, length) != 0)
        return false;
    *t = text_from(*t, length);
    return true;
}

static void take_blanks(text *t)
{
    while (take_char(t, " "))
        ;
}

static bool take_clock(text *t, moment *m)
{
    return take_number(t, 1, 2, &m->hour) && take_char(t, ":") &&
           take_number(t, 2, 2, &m->minute) &&
           (!take_char(t, ":") ||
            (take_number(t, 2, 2, &m->second) && take_fraction(t, ".,", &m->fraction)));
}

/* `Z`, `GMT`, `UTC`, `+01:00`, `+0100`, `+01`, or nothing. */
static bool take_zone(text *t, moment *m)
{
    int hours, minutes = 0;
    bool west;

    take_blanks(t);
    if (t->length == 0 || take_char(t, "Zz") || take_word(t, "GMT") || take_word(t, "UTC"))
        return true;
    west = t->bytes[0] == '-';
    if (!take_char(t, "+-") || count_digits(*t) < 2)
        return false;
    if (count_digits(*t) == 4) {
        if (!take_number(t, 4, 4, &hours))
            return false;
        minutes = hours % 100;
        hours /= 100;
    } else if (!take_number(t, 2, 2, &hours) ||
               (take_char(t, ":") && !take_number(t, 2, 2, &minutes))) {
        return false;
    }
    m->offset = (west ? -1 : 1) * (hours * 60 + minutes);
    return hours <= 14 && minutes < 60;
}

static bool take_half_of_day(text *t, moment *m)
{
    bool afternoon;

    take_blanks(t);
    if (t->length < 2 || (t->bytes[1] != 'M' && t->bytes[1] != 'm') || t->bytes[0] == 'G' ||
        t->bytes[0] == 'g') /* GMT */
        return true;
    afternoon = t->bytes[0] == 'P' || t->bytes[0] == 'p';
    if (!take_char(t, "AaPp") || m->hour < 1 || m->hour > 12)
        return false;
    m->hour = m->hour % 12 + (afternoon ? 12 : 0);
    return take_char(t, "Mm");
}

/* Behind a date: nothing, or a clock, with what may stand between them. */
static bool take_rest(text *t, moment *m)
{
    bool is_apart = take_char(t, ",");

    is_apart |= take_char(t, "Tt ");
    take_blanks(t);
    if (take_char(t, "@"))
        take_blanks(t);
    if (t->length == 0)
        return !is_apart;
    return is_apart && take_clock(t, m) && take_half_of_day(t, m) && take_zone(t, m) &&
           t->length == 0;
}

/* --- the usual form, eight characters at once: the first is the lowest byte --- */

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t load_eight(const char *bytes)
{
    uint64_t loaded;

    memcpy(&loaded, bytes, sizeof(loaded));
    return le64toh(loaded);
}

/* 0xFF for each byte that is a character '0'. */
static uint64_t zeros_of(uint64_t form)
{
    uint64_t others = form ^ EACH_BYTE('0'); /* 0x7F at most, as all ASCII: nothing is carried */

    return (~(others + EACH_BYTE(0x7F)) >> 7 & EACH_BYTE(1)) * 0xFF;
}

/* Characters as in the form, where 0 is any digit. Gives the digits' values, and 0 for others. */
static bool take_form(const char *bytes, const char *form, uint64_t *values)
{
    uint64_t like = load_eight(form), digits = zeros_of(like), x = load_eight(bytes) ^ like;
    uint64_t beyond_nibble = x & ~(digits & EACH_BYTE(0x0F));
    uint64_t beyond_nine = (x + EACH_BYTE(6)) & digits & EACH_BYTE(0xF0);

    *values = x;
    return (beyond_nibble | beyond_nine) == 0;
}

static int two_digits(uint64_t values, unsigned first)
{
    return (int)((values * 10 + (values >> 8)) >> 8 * first & 0xFF);
}

/* Of all eight digits: by twos, by fours, whole. */
static int64_t eight_digits(uint64_t values)
{
    values = (values * 10 + (values >> 8)) & UINT64_C(0x00FF00FF00FF00FF);
    values = (values * 100 + (values >> 16)) & UINT64_C(0x0000FFFF0000FFFF);
    return (int64_t)((values * 10000 + (values >> 32)) & UINT64_C(0xFFFFFFFF));
}

/* From the point to the Z. */
static bool read_usual_fraction(text t, int64_t *ticks)
{
    static const char form[] = ".0000000";
    uint64_t values;

    t.length--;
    if (t.length != sizeof(form) - 1)
        return take_fraction(&t, ".", ticks) && t.length == 0;
    if (!take_form(t.bytes, form, &values))
        return false;
    *ticks = eight_digits(values);
    return true;
}

/* 2026-06-01T12:00:00.1234567Z, as nearly all are. read_iso says the same, and takes far longer. */
static bool read_usual(text t, moment *m)
{
    enum { DATE = 0, DAY = 3, CLOCK = 11, POINT = 19, LEAST = POINT + 3 };
    uint64_t date, day, clock;

    if (t.length < LEAST || t.bytes[t.length - 1] != 'Z' || t.bytes[POINT] != '.' ||
        !take_form(t.bytes + DATE, "0000-00-", &date) ||
        !take_form(t.bytes + DAY, "0-00-00T", &day) ||
        !take_form(t.bytes + CLOCK, "00:00:00", &clock))
        return false;
    *m = (moment){
        .year = two_digits(date, 0) * 100 + two_digits(date, 2),
        .month = two_digits(date, 5),
        .day = two_digits(day, 5),
        .hour = two_digits(clock, 0),
        .minute = two_digits(clock, 3),
        .second = two_digits(clock, 6),
    };
    return read_usual_fraction(text_from(t, POINT), &m->fraction);
}

/* 2026-06-01, 2026-06-01T12:00, 2026/06/01 12:00:00.1234567+02:00 */
static bool read_iso(text t, moment *m)
{
    char separator[2] = {0};

    if (!take_number(&t, 4, 4, &m->year) || t.length == 0)
        return false;
    separator[0] = t.bytes[0];
    return take_char(&t, "-/") && take_number(&t, 1, 2, &m->month) && take_char(&t, separator) &&
           take_number(&t, 1, 2, &m->day) && take_rest(&t, m);
}

/* 6/1/2026, 6/1/2026 1:05:00 PM, 06/01/2026 13:05:00.123 +00:00 */
static bool read_us(text t, moment *m)
{
    return take_number(&t, 1, 2, &m->month) && take_char(&t, "/") &&
           take_number(&t, 1, 2, &m->day) && take_char(&t, "/") &&
           take_number(&t, 4, 4, &m->year) && take_rest(&t, m);
}

/* The name or its first three letters. */
static bool take_month(text *t, moment *m)
{
    static const char *const names[] = {"January",   "February", "March",    "April",
                                        "May",       "June",     "July",     "August",
                                        "September", "October",  "November", "December"};

    for (int i = 0; i < 12; i++) {
        char brief[4] = {names[i][0], names[i][1], names[i][2], '\0'};

        if (take_word(t, names[i]) || take_word(t, brief)) {
            m->month = i + 1;
            return true;
        }
    }
    return false;
}

/* A date says itself which day of the week it is. */
static void take_weekday(text *t)
{
    const char *comma = memchr(t->bytes, ',', t->length);
    text rest = *t;

    while (rest.length > 0 && isalpha((unsigned char)rest.bytes[0]))
        rest = text_from(rest, 1);
    if (comma == NULL || rest.bytes != comma || rest.length == t->length)
        return;
    *t = text_from(rest, 1);
    take_blanks(t);
}

/* Mon, 01 Jun 2026 12:00:00 GMT, 1 June 2026 */
static bool read_day_first(text t, moment *m)
{
    take_weekday(&t);
    return take_number(&t, 1, 2, &m->day) && take_char(&t, " -") && take_month(&t, m) &&
           take_char(&t, " -") && take_number(&t, 4, 4, &m->year) && take_rest(&t, m);
}

/* Jun 1, 2026 1:05:00 PM, Monday, June 1, 2026 13:05 */
static bool read_month_first(text t, moment *m)
{
    take_weekday(&t);
    if (!take_month(&t, m) || !take_char(&t, " ") || !take_number(&t, 1, 2, &m->day))
        return false;
    take_char(&t, ",");
    return take_char(&t, " ") && take_number(&t, 4, 4, &m->year) && take_rest(&t, m);
}

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool is_real(const moment *m)
{
    return m->year >= 1 && m->month >= 1 && m->month <= 12 && m->day >= 1 &&
           m->day <= days_in_month(m->year, m->month) && m->hour < 24 && m->minute < 60 &&
           m->second < 60;
}

/* From 1970-01-01, in the calendar of ISO 8601. timegm() says the same at ten times the cost. */
static int64_t days_to(const moment *m)
{
    static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    enum { BEFORE_1970 = 719162 }; /* from 0001-01-01 */
    int years = m->year - 1;

    return INT64_C(365) * years + years / 4 - years / 100 + years / 400 - BEFORE_1970 +
           before_month[m->month - 1] + (m->month > 2 && is_leap(m->year)) + m->day - 1;
}

static timestamp from_moment(const moment *m)
{
    int64_t minutes = (days_to(m) * 24 + m->hour) * 60 + m->minute - m->offset;

    return (minutes * 60 + m->second) * TICKS_PER_SECOND + m->fraction;
}

/* KQL's datetime: 0001 to 9999, in UTC. An offset can lead out of it. */
static bool take_in_range(timestamp t, timestamp *result)
{
    const timestamp end = INT64_C(2932897) * TICKS_PER_DAY; /* 10000-01-01 */

    if (t < TIMESTAMP_MIN || t >= end)
        return false;
    *result = t;
    return true;
}

static bool parse_epoch(text t, timestamp *result)
{
    size_t digits = count_digits(t);
    int64_t whole = 0, fraction = 0;

    if (digits < 9 || digits > MOST_EPOCH_DIGITS)
        return false;
    for (size_t i = 0; i < digits; i++)
        whole = whole * 10 + (t.bytes[i] - '0');
    t = text_from(t, digits);
    if (!take_fraction(&t, ".", &fraction) || t.length > 0)
        return false;
    if (digits >= MILLISECONDS_FROM_DIGITS)
        *result = whole * (TICKS_PER_SECOND / 1000) + fraction / 1000;
    else
        *result = whole * TICKS_PER_SECOND + fraction;
    return true;
}

/* /Date(1780315200000+0200)/: milliseconds in UTC; the offset moves nothing. */
static bool parse_dotnet(text t, timestamp *result)
{
    int64_t milliseconds = 0;
    moment ignored = {0};
    size_t digits;
    bool before;

    if (!take_word(&t, "/Date("))
        return false;
    before = take_char(&t, "-");
    digits = count_digits(t);
    if (digits == 0 || digits > MOST_EPOCH_DIGITS)
        return false;
    for (size_t i = 0; i < digits; i++)
        milliseconds = milliseconds * 10 + (t.bytes[i] - '0');
    t = text_from(t, digits);
    if (!take_word(&t, ")/")) {
        const char *end = memchr(t.bytes, ')', t.length);
        text zone = end ? text_between(t.bytes, end) : t;

        t = text_from(t, zone.length);
        if (!take_zone(&zone, &ignored) || zone.length > 0 || !take_word(&t, ")/"))
            return false;
    }
    *result = (before ? -milliseconds : milliseconds) * (TICKS_PER_SECOND / 1000);
    return t.length == 0;
}

static bool parse_calendar(text t, timestamp *result)
{
    static bool (*const forms[])(text, moment *) = {read_usual, read_iso, read_us, read_day_first,
                                                    read_month_first};

    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        moment m = {0};

        if (forms[i](t, &m))
            return is_real(&m) && take_in_range(from_moment(&m), result);
    }
    return false;
}

timestamp_reading timestamp_read(text t, timestamp *result)
{
    timestamp read;

    t = without_blanks_around(t);
    if (t.length == 0)
        return TIMESTAMP_NONE;
    if (!parse_calendar(t, &read) && !parse_dotnet(t, &read) && !parse_epoch(t, &read))
        return TIMESTAMP_NOT_UNDERSTOOD;
    if (read == TIMESTAMP_MIN)
        return TIMESTAMP_NONE;
    *result = read;
    return TIMESTAMP_READ;
}

bool timestamp_parse(text t, timestamp *result)
{
    return timestamp_read(t, result) == TIMESTAMP_READ;
}

/* What days_to took together; days of 0001-01-01 are 0. */
static void take_year(int64_t *days, moment *m)
{
    static const struct {
        int years, days, most;
    } cycles[] = {{400, 146097, 24}, {100, 36524, 3}, {4, 1461, 24}, {1, 365, 3}};

    m->year = 1;
    for (size_t i = 0; i < sizeof(cycles) / sizeof(cycles[0]); i++) {
        int64_t count = *days / cycles[i].days;

        if (count > cycles[i].most)
            count = cycles[i].most; /* its last day is the longer cycle's */
        m->year += (int)count * cycles[i].years;
        *days -= count * cycles[i].days;
    }
}

static void take_month_and_day(int64_t days, moment *m)
{
    for (m->month = 1; days >= days_in_month(m->year, m->month); m->month++)
        days -= days_in_month(m->year, m->month);
    m->day = (int)days + 1;
}

/* gmtime_r() says the same where time_t has 64 bits. */
static moment to_moment(timestamp t)
{
    moment m = {0};
    int64_t days, seconds;

    t = (t < TIMESTAMP_MIN ? TIMESTAMP_MIN : t > LATEST ? LATEST : t) - TIMESTAMP_MIN;
    m.fraction = t % TICKS_PER_SECOND;
    days = t / TICKS_PER_DAY;
    seconds = t % TICKS_PER_DAY / TICKS_PER_SECOND;
    m.hour = (int)(seconds / 3600);
    m.minute = (int)(seconds / 60 % 60);
    m.second = (int)(seconds % 60);
    take_year(&days, &m);
    take_month_and_day(days, &m);
    return m;
}

void timestamp_format(timestamp t, char result[static TIMESTAMP_TEXT_SIZE])
{
    moment m = to_moment(t);
    char seconds[32];

    snprintf(seconds, sizeof(seconds), "%04u-%02u-%02uT%02u:%02u:%02u", (unsigned)m.year % 10000u,
             (unsigned)m.month % 100u, (unsigned)m.day % 100u, (unsigned)m.hour % 100u,
             (unsigned)m.minute % 100u, (unsigned)m.second % 100u);
    snprintf(result, TIMESTAMP_TEXT_SIZE, "%.19s.%07uZ", seconds, (unsigned)m.fraction % 10000000u);
}

struct tm timestamp_utc(timestamp t)
{
    moment m = to_moment(t);

    return (struct tm){.tm_year = m.year - 1900,
                       .tm_mon = m.month - 1,
                       .tm_mday = m.day,
                       .tm_hour = m.hour,
                       .tm_min = m.minute,
                       .tm_sec = m.second};
}

timestamp timestamp_of_utc(const struct tm *utc)
{
    moment m = {.year = utc->tm_year + 1900,
                .month = utc->tm_mon + 1,
                .day = utc->tm_mday,
                .hour = utc->tm_hour,
                .minute = utc->tm_min,
                .second = utc->tm_sec};

    return from_moment(&m);
}

timestamp timestamp_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * TICKS_PER_SECOND + now.tv_nsec / 100;
}

static int64_t ticks_of_unit(text unit)
{
    static const struct {
        text name;
        int64_t ticks;
    } units[] = {
        {TEXT("d"), TICKS_PER_DAY},
        {TEXT("h"), 3600 * TICKS_PER_SECOND},
        {TEXT("m"), 60 * TICKS_PER_SECOND},
        {TEXT("s"), TICKS_PER_SECOND},
        {TEXT("ms"), TICKS_PER_SECOND / 1000},
        {TEXT("microsecond"), 10},
        {TEXT("tick"), 1},
    };

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (text_equal(unit, units[i].name))
            return units[i].ticks;
    return 0;
}

bool timespan_parse(text t, timespan *result)
{
    enum { MOST_DIGITS = 18 };
    int64_t unit, fraction, whole = 0;
    size_t digits;

    t = without_blanks_around(t);
    digits = count_digits(t);
    if (digits == 0 || digits > MOST_DIGITS)
        return false;
    for (size_t i = 0; i < digits; i++)
        whole = whole * 10 + (t.bytes[i] - '0');
    t = text_from(t, digits);
    if (!take_fraction(&t, ".", &fraction))
        return false;
    if (t.length == 0 && whole == 0 && fraction == 0) {
        *result = 0;
        return true;
    }
    unit = ticks_of_unit(t);
    if (unit == 0 || whole > LONGEST_SPAN / unit)
        return false;
    *result = whole * unit + fraction * unit / TICKS_PER_SECOND;
    return true;
}
