/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_fields: the members of an alert's JSON, found once for all that write them.
 *
 * A view of the tree, alive as long as that, in its thread.
 */
#ifndef SYNCTAP_ALERT_FIELDS_H
#define SYNCTAP_ALERT_FIELDS_H

#include "base/json.h"

/* The members that dialects tell of, in the alert's own order. */
typedef enum alert_field {
    FIELD_ALERT_ID,
    FIELD_RULE_ID,
    FIELD_RULE_NAME,
    FIELD_RULE_VERSION,
    FIELD_SEVERITY,
    FIELD_TACTICS,
    FIELD_TECHNIQUES,
    FIELD_SUB_TECHNIQUES,
    FIELD_DISPLAY_NAME,
    FIELD_DESCRIPTION,
    FIELD_TIME_GENERATED,
    FIELD_OPERATION_NAME,
    FIELD_ACTOR,
    FIELD_SOURCE_IP,
    FIELD_TARGET_UPN,
    FIELD_RESULT,
    FIELD_TARGET_ID,
    FIELD_ACTOR_ID,
    FIELD_RESULT_REASON,
    FIELD_METHOD,
    FIELD_TAP,
    FIELD_CALLER_IP,
    FIELD_MATCHED_BY,
    FIELD_KQL,
    FIELD_CONFIDENCE,
    FIELD_LATE,
    FIELD_RECORD_ID,
    FIELD_CORRELATION_ID,
    FIELD_TENANT_ID,
    FIELD_LOGGED_BY_SERVICE,
    FIELD_DETECTED_AT,
    FIELD_COLLECTOR,
    FIELD_ENTITIES,
    FIELD_INCIDENT,
    FIELD_SELFTEST,
    FIELD_CUT,

    /* members of members */
    FIELD_TAP_ID,
    FIELD_TAP_START,
    FIELD_TAP_END,
    FIELD_TAP_USAGE,
    FIELD_INCIDENT_ID,
    FIELD_INCIDENT_NEW,
    FIELD_INCIDENT_ALERT_COUNT,
    FIELD_INCIDENT_FIRST_ALERT,
    ALERT_FIELDS
} alert_field;

typedef struct alert_fields {
    json *values[ALERT_FIELDS]; /* NULL: it has none */
} alert_fields;

/* Whatever the tree is: an alert, a part of one, or something else. */
alert_fields alert_fields_of(json *alert);

/* A string's bytes; empty for all else. */
text alert_fields_text(const alert_fields *self, alert_field field);

#endif
