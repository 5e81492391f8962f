/* SPDX-License-Identifier: Apache-2.0 */
/* status_limits: a table of names. */
#include "cli/status_limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/timestamp.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };

static const struct {
    const char *name;
    bool is_span; /* a timespan; else a number, with k, m or g behind it for bytes */
    bool is_lower;
} names[STATUS_LIMITS] = {
    [LIMIT_DAEMON] = {"daemon", true, false},    [LIMIT_MESSAGES] = {"messages", true, false},
    [LIMIT_LIST] = {"list", true, false},        [LIMIT_JOURNAL] = {"journal", true, false},
    [LIMIT_FEED] = {"feed", true, false},        [LIMIT_TROUBLE] = {"trouble", true, true},
    [LIMIT_WAITING] = {"waiting", false, false}, [LIMIT_FREE] = {"free", false, true},
};

bool status_limit_is_lower(status_limit which)
{
    return names[which].is_lower;
}

const char STATUS_LIMITS_FORM[] =
    "NAME=WARNING,BROKEN, such as messages=1h,6h; the names are daemon, messages, feed, list, "
    "trouble, journal (timespans), waiting (records) and free (bytes, as in 1g,100m); the warning "
    "comes "
    "first";

const status_limits STATUS_DEFAULT_LIMITS = {
    .warning =
        {
            [LIMIT_DAEMON] = 3 * MINUTE,
            [LIMIT_MESSAGES] = HOUR,
            [LIMIT_FEED] = 6 * HOUR,
            [LIMIT_LIST] = DAY,
            [LIMIT_TROUBLE] = DAY,
            [LIMIT_JOURNAL] = MINUTE,
            [LIMIT_WAITING] = 500000,
            [LIMIT_FREE] = 1 << 30,
        },
    .broken =
        {
            [LIMIT_DAEMON] = 5 * MINUTE,
            [LIMIT_MESSAGES] = 6 * HOUR,
            [LIMIT_FEED] = 2 * DAY,
            [LIMIT_LIST] = 14 * DAY,
            [LIMIT_TROUBLE] = 15 * MINUTE,
            [LIMIT_JOURNAL] = 10 * MINUTE,
            [LIMIT_WAITING] = 1000000,
            [LIMIT_FREE] = 100 << 20,
        },
};

static bool read_span(const char *written, size_t length, int64_t *seconds)
{
    timespan span;

    if (!timespan_parse((text){written, length}, &span) || span < 0)
        return false;
    *seconds = span / TICKS_PER_SECOND;
    return true;
}

static bool read_number(const char *written, size_t length, int64_t *number)
{
    static const char units[] = "kmgt";
    char *end;
    long long value = strtoll(written, &end, 10);
    const char *unit;

    if (written[0] < '0' || written[0] > '9' || value > INT64_MAX >> 40)
        return false;
    unit = (size_t)(end - written) < length ? strchr(units, *end) : NULL;
    if (unit != NULL) {
        value <<= 10 * (unit - units + 1);
        end++;
    }
    *number = value;
    return (size_t)(end - written) == length;
}

static bool read_limit(size_t which, const char *written, size_t length, int64_t *limit)
{
    return names[which].is_span ? read_span(written, length, limit)
                                : read_number(written, length, limit);
}

/* A broken thing is at least worth a warning. */
static bool are_in_order(size_t which, int64_t warning, int64_t broken)
{
    return names[which].is_lower ? warning >= broken : warning <= broken;
}

bool status_limits_take(status_limits *self, const char *given)
{
    const char *equals = strchr(given, '='), *comma = equals ? strchr(equals, ',') : NULL;
    int64_t warning, broken;

    for (size_t i = 0; comma != NULL && i < STATUS_LIMITS; i++) {
        if (strlen(names[i].name) != (size_t)(equals - given) ||
            strncmp(given, names[i].name, (size_t)(equals - given)) != 0)
            continue;
        if (!read_limit(i, equals + 1, (size_t)(comma - equals - 1), &warning) ||
            !read_limit(i, comma + 1, strlen(comma + 1), &broken) ||
            !are_in_order(i, warning, broken))
            return false;
        self->warning[i] = warning;
        self->broken[i] = broken;
        return true;
    }
    return false;
}
