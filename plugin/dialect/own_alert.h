/* SPDX-License-Identifier: Apache-2.0 */
/*
 * own_alert: synctap's own alerts, told by the whole of their structure.
 *
 * An alert that passes the detector again must not be judged, but no two
 * keys of it may let a record pass for one: an object is an alert only when
 * it has all of an alert's members, in their order and of their kinds, and
 * no other. So it is with what a dialect makes of an alert.
 */
#ifndef SYNCTAP_OWN_ALERT_H
#define SYNCTAP_OWN_ALERT_H

#include "base/json.h"

bool own_alert_is(json *object);

/*
 * How long the header of syslog is behind which an alert may begin, by its
 * first words; t.length: none does. A cheap look.
 */
size_t own_alert_header_length(text t);

enum { OWN_ALERT_LONGEST_HEADER = 1024 }; /* with structured data */

/*
 * Where in t, from `at` up to `end`, an alert may begin, whatever stands before it; `end`: nowhere.
 * So that a text with many places for a header is not looked through from each of them.
 */
size_t own_alert_next_begin(text t, size_t at, size_t end);

/*
 * The length of an alert that begins the text, without a header, and that is
 * no whole document: a line that is no JSON, or JSON that was cut behind its
 * first three members; up to the line's end. 0 when there is none.
 */
size_t own_alert_line_length(json_parser *parser, text t);

/* Does an alert begin the text, whole or cut? */
bool own_alert_begins(json_parser *parser, text t);

#endif
