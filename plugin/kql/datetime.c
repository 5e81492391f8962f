/* SPDX-License-Identifier: Apache-2.0 */
/* datetime: KQL's forms, brought into those that timestamp_read knows. */
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

static bool read_compact(const char *t, timestamp *result)
{
    char iso[sizeof("2026-06-01")];

    snprintf(iso, sizeof(iso), "%.4s-%.2s-%.2s", t, t + 4, t + 6);
    return timestamp_parse(text_of(iso), result);
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
    return timestamp_parse(text_of(begin), result);
}
