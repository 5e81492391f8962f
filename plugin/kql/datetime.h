/* SPDX-License-Identifier: Apache-2.0 */
/* datetime: texts that KQL reads as a datetime. */
#ifndef SYNCTAP_KQL_DATETIME_H
#define SYNCTAP_KQL_DATETIME_H

#include "base/timestamp.h"

/*
 * ISO 8601 with 0 to 9 fractional digits and an offset, MM-DD-YYYY with - / or
 * a dot, `2 Dec 2022`, `Dec 2, 2022`, RFC 1123, YYYYMMDD. False for anything
 * else. Pure; any thread.
 */
bool kql_read_datetime(text t, timestamp *result);

#endif
