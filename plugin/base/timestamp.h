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

#include "base/text.h"

typedef int64_t timestamp;
typedef int64_t timespan;

#define TICKS_PER_SECOND INT64_C(10000000)
#define TICKS_PER_DAY (86400 * TICKS_PER_SECOND)

enum { TIMESTAMP_TEXT_SIZE = sizeof("2026-06-01T12:00:00.0000000Z") };

/*
 * Reads a time in any form that audit records carry: ISO 8601 with `T` or a
 * blank, 0 to 9 fractional digits (beyond 100 ns they are cut off), `Z`, an
 * offset or no zone (then UTC); a US date with or without AM/PM; epoch
 * seconds or, from 12 digits on, milliseconds. Blanks around it are ignored.
 * False, and *result untouched, when it is none of these or not a real date.
 */
bool timestamp_parse(text t, timestamp *result);

/* Writes `2026-06-01T12:00:00.0000000Z`; years outside 0001 to 9999 are clamped. */
void timestamp_format(timestamp t, char result[static TIMESTAMP_TEXT_SIZE]);

/* The clock. Only the programs read it; everything below them is told the time. */
timestamp timestamp_now(void);

/*
 * Reads a KQL timespan literal: a number (`1.5` too) with d, h, m, s, ms,
 * microsecond or tick, or plain `0`. False when it is not one.
 */
bool timespan_parse(text t, timespan *result);

#endif
