/* SPDX-License-Identifier: Apache-2.0 */
/* date_order: two numbers, and what stands behind the year. */
#include "record/date_order.h"

#include <stdio.h>
#include <strings.h>

/* A date with slashes: a/b/year, then the rest. */
typedef struct slashed {
    int first;
    int second;
    int year;
    text rest;
} slashed;

static bool take_number(text *t, size_t most, int *number)
{
    size_t digits = 0;

    *number = 0;
    while (digits < t->length && digits < most && t->bytes[digits] >= '0' &&
           t->bytes[digits] <= '9')
        *number = 10 * *number + t->bytes[digits++] - '0';
    *t = text_from(*t, digits);
    return digits > 0;
}

static bool take_slash(text *t)
{
    if (t->length == 0 || t->bytes[0] != '/')
        return false;
    *t = text_from(*t, 1);
    return true;
}

static text without_blanks(text t)
{
    while (t.length > 0 && (t.bytes[0] == ' ' || t.bytes[0] == '\t'))
        t = text_from(t, 1);
    return t;
}

static bool read_slashed(text t, slashed *date)
{
    t = without_blanks(t);
    if (!take_number(&t, 2, &date->first) || !take_slash(&t) ||
        !take_number(&t, 2, &date->second) || !take_slash(&t) || !take_number(&t, 4, &date->year))
        return false;
    date->rest = t;
    return date->year >= 1000;
}

static bool has_half_of_day(text rest)
{
    for (size_t i = 0; i + 1 < rest.length; i++)
        if (strncasecmp(rest.bytes + i, "am", 2) == 0 || strncasecmp(rest.bytes + i, "pm", 2) == 0)
            return true;
    return false;
}

static date_order shown_by_clock(text rest)
{
    if (has_half_of_day(rest))
        return DATE_ORDER_MDY;
    return rest.length > 2 && rest.bytes[0] == ',' ? DATE_ORDER_DMY : DATE_ORDER_UNKNOWN;
}

bool date_order_look(text t, date_order *shown)
{
    slashed date;

    *shown = DATE_ORDER_UNKNOWN;
    if (!read_slashed(t, &date))
        return false;
    *shown = (date_order)(shown_by_clock(date.rest) | (date.first > 12 ? DATE_ORDER_DMY : 0) |
                          (date.second > 12 ? DATE_ORDER_MDY : 0));
    return true;
}

/* Without the comma behind the date. */
static bool parse_in_order(const slashed *date, int month, int day, timestamp *result)
{
    enum { LONGEST = 64 /* bytes of a clock */ };
    char written[LONGEST + 16];
    text rest = date->rest;

    if (rest.length > 0 && rest.bytes[0] == ',')
        rest = text_from(rest, 1);
    if (rest.length > LONGEST)
        return false;
    snprintf(written, sizeof(written), "%d/%d/%04d%.*s", month, day, date->year, (int)rest.length,
             rest.bytes);
    return timestamp_parse(text_of(written), result);
}

bool date_order_parse(text t, date_order order, timestamp *result)
{
    date_order shown;
    slashed date;

    if (!date_order_look(t, &shown))
        return timestamp_parse(t, result);
    read_slashed(t, &date);
    switch (order == DATE_ORDER_UNKNOWN ? shown : order) {
    case DATE_ORDER_MDY:
        return parse_in_order(&date, date.first, date.second, result);
    case DATE_ORDER_DMY:
        return parse_in_order(&date, date.second, date.first, result);
    default:
        return false;
    }
}

bool date_order_read(const char *word, date_order *order)
{
    *order = strcmp(word, "dmy") == 0   ? DATE_ORDER_DMY
             : strcmp(word, "mdy") == 0 ? DATE_ORDER_MDY
                                        : DATE_ORDER_UNKNOWN;
    return *order != DATE_ORDER_UNKNOWN;
}
