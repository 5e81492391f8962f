/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timestamp: points in time and spans, as KQL's datetime and timespan.
 *
 * Both are counted in ticks of 100 ns; a timestamp from 1970-01-01 UTC.
 * All functions are pure but timestamp_now; any thread may call them.
 */
#ifndef SYNCTAP_TIMESTAMP_H
#define SYNCTAP_TIMESTAMP_H

#include <stdint.h>
#include <time.h>

#include "base/text.h"

typedef int64_t timestamp;
typedef int64_t timespan;

#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_DAY (86400 * TICKS_PER_SECOND)
#define LONGEST_SPAN (1000000 * TICKS_PER_DAY)

/* 0001-01-01: KQL's datetime(min), and what .NET writes for a time that was never set. */
#define TIMESTAMP_MIN (INT64_C(-719162) * TICKS_PER_DAY)

enum { TIMESTAMP_TEXT_SIZE = sizeof("2026-06-01T12:00:00.0000000Z") };

/* What timestamp_read made of a text. */
typedef enum timestamp_reading {
    TIMESTAMP_NONE, /* there is no time: the text is empty, or .NET's 0001-01-01, never set */
    TIMESTAMP_READ,
    TIMESTAMP_NOT_UNDERSTOOD,
} timestamp_reading;

/*
 * Reads a time in any form that audit records carry, with T, a blank or
 * `, ` before the clock, 0 to 9 fractional digits (beyond 100 ns they are cut
 * off) behind a `.` or a comma, AM/PM or 24 hours, and `Z`, an offset or no
 * zone (then UTC):
 *
 *   2026-06-01T12:00:00Z, 2026/06/01 12:00:00      year, month, day
 *   6/1/2026, 1:05:00 PM                           a US date
 *   Mon, 01 Jun 2026 12:00:00 GMT, 1 Jun 2026      RFC 1123 and alike
 *   Jun 1, 2026 1:05:00 PM, Jun 1, 2026 @ 13:05    month, day, year
 *   /Date(1780315200000)/, /Date(1780315200000+0200)/   .NET's; the offset says where it was
 *   1780315200, 1780315200000                      epoch seconds; from 12 digits on milliseconds
 *
 * Blanks around it are ignored. *result is untouched unless it is READ.
 */
timestamp_reading timestamp_read(text t, timestamp *result);

/* Is it READ? */
bool timestamp_parse(text t, timestamp *result);

/* Writes `2026-06-01T12:00:00.0000000Z`; years outside 0001 to 9999 are clamped. */
void timestamp_format(timestamp t, char result[static TIMESTAMP_TEXT_SIZE]);

/*
 * A time in UTC's calendar and back, as gmtime_r() and timegm() do it where time_t has 64 bits; the
 * same clamps. A 29 February of another year is its 1 March.
 */
struct tm timestamp_utc(timestamp t);
timestamp timestamp_of_utc(const struct tm *utc);

/* The clock. Only the programs read it; everything below them is told the time. */
timestamp timestamp_now(void);

/*
 * Reads a KQL timespan literal: a number (`1.5` too) with d, h, m, s, ms,
 * microsecond or tick, or plain `0`. False when it is not one, or longer than
 * LONGEST_SPAN, so that a time and a span can be added without a look.
 */
bool timespan_parse(text t, timespan *result);

#endif
