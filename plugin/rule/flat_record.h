/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flat_record: a record of no shape that is known here, whose paths became
 * keys: `Vendor.properties.activityDisplayName`,
 * `properties_targetResources_0_userPrincipalName`; or whose keys are another product's.
 *
 * Nobody can say what such keys mean in each tool's spelling. That the object
 * is a record is seen all the same: a key that ends as an operation's does
 * holds one of the rule's. Pure functions; any thread.
 */
#ifndef SYNCTAP_FLAT_RECORD_H
#define SYNCTAP_FLAT_RECORD_H

#include "base/json.h"
#include "rule/rule.h"

/*
 * Does a member of the object itself, under an operation's key, hold an operation of the rule? Of
 * another product's keys those in its `api`, its `event` and OpenTelemetry's attributes count, too;
 * but nothing of them does where the object carries another that shows it: that is judged.
 */
bool flat_record_shows_operation(json *object, const rule *r);

/* Does the object itself have a key of a target's that is no path of a record? */
bool flat_record_shows_target(json *object);

#endif
