/* SPDX-License-Identifier: Apache-2.0 */
/* span: the largest unit that it has, and the one below. */
#include "base/span.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    timespan length;
    const char *name;
} units[] = {
    {TICKS_PER_DAY, "d"},
    {3600 * TICKS_PER_SECOND, "h"},
    {60 * TICKS_PER_SECOND, "min"},
    {TICKS_PER_SECOND, "s"},
};

enum { UNITS = sizeof(units) / sizeof(units[0]) };

/* Below a second; tenths of it where they say enough. */
static void format_part(timespan span, const char *sign, char result[static SPAN_TEXT_SIZE])
{
    const timespan tenth = TICKS_PER_SECOND / 10;

    if (span == 0)
        snprintf(result, SPAN_TEXT_SIZE, "0 s");
    else if (span >= tenth)
        snprintf(result, SPAN_TEXT_SIZE, "%s%.1f s", sign, (double)span / (double)TICKS_PER_SECOND);
    else
        snprintf(result, SPAN_TEXT_SIZE, "%s%g ms", sign,
                 (double)span * 1000 / (double)TICKS_PER_SECOND);
}

static void format_units(timespan span, size_t unit, const char *sign,
                         char result[static SPAN_TEXT_SIZE])
{
    timespan whole = span / units[unit].length, rest = span % units[unit].length;

    if (unit + 1 == UNITS || rest / units[unit + 1].length == 0)
        snprintf(result, SPAN_TEXT_SIZE, "%s%" PRId64 " %s", sign, whole, units[unit].name);
    else
        snprintf(result, SPAN_TEXT_SIZE, "%s%" PRId64 " %s %" PRId64 " %s", sign, whole,
                 units[unit].name, rest / units[unit + 1].length, units[unit + 1].name);
}

const char *span_format(timespan span, char result[static SPAN_TEXT_SIZE])
{
    const char *sign = span < 0 ? "-" : "";
    size_t unit = 0;

    if (span < 0)
        span = span == INT64_MIN ? INT64_MAX : -span;
    while (unit < UNITS && span < units[unit].length)
        unit++;
    if (unit < UNITS)
        format_units(span, unit, sign, result);
    else
        format_part(span, sign, result);
    return result;
}
