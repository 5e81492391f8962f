/* SPDX-License-Identifier: Apache-2.0 */
/*
 * date_order: 6/1/2026 is the first of June or the sixth of January. A file
 * has one order for all of its dates, and some of them show which.
 *
 * A 24-hour clock behind `d/m/yyyy, ` is how portals write in a day/month
 * locale; AM/PM goes with month/day; a number above 12 is a day. Pure
 * functions; any thread.
 */
#ifndef SYNCTAP_DATE_ORDER_H
#define SYNCTAP_DATE_ORDER_H

#include "base/timestamp.h"

/* What is known, as bits. */
typedef enum date_order {
    DATE_ORDER_UNKNOWN = 0,
    DATE_ORDER_MDY = 1,
    DATE_ORDER_DMY = 2,
    DATE_ORDER_BOTH = 3, /* the dates of a file contradict each other */
} date_order;

/* Is this a date whose order matters, with slashes and the year last? Then *shown is what it shows
 * by itself. */
bool date_order_look(text t, date_order *shown);

/* timestamp_parse, but such a date is read in that order; in an unknown one only if it shows its
 * own. */
bool date_order_parse(text t, date_order order, timestamp *result);

/* "dmy" or "mdy"; false: neither. */
bool date_order_read(const char *word, date_order *order);

#endif
