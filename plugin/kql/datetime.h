/* SPDX-License-Identifier: Apache-2.0 */
/* datetime: texts that KQL reads as a datetime or a timespan. */
#ifndef SYNCTAP_KQL_DATETIME_H
#define SYNCTAP_KQL_DATETIME_H

#include "base/timestamp.h"

/*
 * ISO 8601 with 0 to 9 fractional digits and an offset, MM-DD-YYYY with - / or
 * a dot, `2 Dec 2022`, `Dec 2, 2022`, RFC 1123, YYYYMMDD. False for anything
 * else. Pure; any thread.
 */
bool kql_read_datetime(text t, timestamp *result);

/*
 * 2d and its like, 1.02:03:04.5 and less of it down to hours and minutes, 2 (days), 15 seconds,
 * each with a minus before it. False for anything else. Pure; any thread.
 */
bool kql_read_timespan(text t, timespan *result);

#endif
