/* SPDX-License-Identifier: Apache-2.0 */
/* datetime: KQL's forms, brought into those that timestamp_read and timespan_parse know. */
#include "kql/datetime.h"

#include <ctype.h>
#include <stdio.h>

enum { MOST_LENGTH = 64 };

static bool has_shape(const char *t, const char *shape)
{
    for (; *shape != '\0'; t++, shape++)
        if (*shape == '9' ? !isdigit((unsigned char)*t) : *t != *shape)
            return false;
    return true;
}

/* Digits alone, which are no time here, or more of them than a year has: an epoch. */
static bool is_number(const char *t)
{
    size_t digits = strspn(t, "0123456789");

    return digits > 8 || t[digits] == '\0';
}

/* MM-DD-YYYY and MM.DD.YYYY are written with slashes. */
static void write_with_slashes(char *t)
{
    int month, day, year, length = 0;

    if (sscanf(t, "%2d%*1[-.]%2d%*1[-.]%4d%n", &month, &day, &year, &length) == 3 && length > 0)
        for (int i = 0; i < length; i++)
            if (t[i] == '-' || t[i] == '.')
                t[i] = '/';
}

/* A time that was never set is one to KQL, as any other. */
static bool read_time(const char *t, timestamp *result)
{
    switch (timestamp_read(text_of(t), result)) {
    case TIMESTAMP_READ:
        return true;
    case TIMESTAMP_NONE:
        *result = TIMESTAMP_MIN;
        return *t != '\0';
    case TIMESTAMP_NOT_UNDERSTOOD:
        break;
    }
    return false;
}

static bool read_compact(const char *t, timestamp *result)
{
    char iso[sizeof("2026-06-01")];

    snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2s", t, t + 4, t + 6);
    return read_time(iso, result);
}

bool kql_read_datetime(text t, timestamp *result)
{
    char copy[MOST_LENGTH];
    const char *begin = copy;

    if (t.length >= sizeof(copy) || (t.length > 0 && memchr(t.bytes, '\0', t.length) != NULL))
        return false;
    if (t.length > 0)
        memcpy(copy, t.bytes, t.length);
    copy[t.length] = '\0';
    while (isspace((unsigned char)*begin))
        begin++;
    if (has_shape(begin, "99999999") && begin[8] == '\0')
        return read_compact(begin, result);
    if (is_number(begin) || *begin == '/')
        return false;
    write_with_slashes(copy + (begin - copy));
    return read_time(begin, result);
}

/* --- timespans --- */

/* hh:mm, hh:mm:ss, hh:mm:ss.fffffff */
static bool read_clock(const char *t, timespan *result)
{
    int hours, minutes, length = 0;
    char seconds[MOST_LENGTH] = "0";
    timespan rest;

    if (sscanf(t, "%2d:%2d%n", &hours, &minutes, &length) != 2 || hours > 23 || minutes > 59)
        return false;
    t += length;
    if (*t == ':')
        snprintf(seconds, sizeof(seconds), "%s", t + 1);
    else if (*t != '\0')
        return false;
    if (strspn(seconds, "0123456789.") != strlen(seconds))
        return false;
    snprintf(seconds + strlen(seconds), 2, "s");
    if (!timespan_parse(text_of(seconds), &rest) || rest >= 60 * TICKS_PER_SECOND)
        return false;
    *result = (hours * 60 + minutes) * 60 * TICKS_PER_SECOND + rest;
    return true;
}

static bool read_unit(const char *t, size_t digits, const char *unit, timespan *result)
{
    char with_unit[MOST_LENGTH];

    snprintf(with_unit, sizeof(with_unit), "%.*s%s", (int)digits, t, unit);
    return timespan_parse(text_of(with_unit), result);
}

static bool read_positive(const char *t, timespan *result)
{
    size_t digits = strspn(t, "0123456789");
    timespan clock;

    if (digits == 0)
        return false;
    if (t[digits] == '\0')
        return read_unit(t, digits, "d", result);
    if (strcmp(t + digits, " seconds") == 0)
        return read_unit(t, digits, "s", result);
    if (t[digits] != '.' || strchr(t, ':') == NULL)
        return read_clock(t, result) || timespan_parse(text_of(t), result);
    if (!read_unit(t, digits, "d", result) || !read_clock(t + digits + 1, &clock))
        return false;
    *result += clock;
    return true;
}

bool kql_read_timespan(text t, timespan *result)
{
    char copy[MOST_LENGTH - 2]; /* a unit has room behind it */
    bool is_negative = t.length > 0 && t.bytes[0] == '-';

    t = text_from(t, is_negative);
    if (t.length == 0 || t.length >= sizeof(copy) || memchr(t.bytes, '\0', t.length) != NULL)
        return false;
    memcpy(copy, t.bytes, t.length);
    copy[t.length] = '\0';
    if (!read_positive(copy, result))
        return false;
    if (is_negative)
        *result = -*result;
    return true;
}
