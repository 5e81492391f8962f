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
 * Is the text the beginning of an alert, cut anywhere behind its first three
 * members? Nothing else stands in it then.
 */
bool own_alert_begins(json_parser *parser, text t);

#endif
