/* SPDX-License-Identifier: Apache-2.0 */
/*
 * securityalert: the columns of Sentinel's table SecurityAlert.
 *
 * Entities, ExtendedProperties, Techniques and SubTechniques are strings that hold JSON.
 */
#include "dialect/dialects.h"

#include <stdlib.h>

#include "dialect/json_rows.h"

static void make_short(const value *self, const alert_fields *alert, buffer *out);
static void make_properties(const value *self, const alert_fields *alert, buffer *out);

/* The first four are what own_alert.c looks for. */
static const json_row rows[] = {
    {"ProviderName", AS_STRING, {value_word, 0, "synctap"}},
    {"ProductName", AS_STRING, {value_word, 0, "synctap"}},
    {"VendorName", AS_STRING, {value_word, 0, "synctap"}},
    {"SystemAlertId", AS_STRING, {value_text, FIELD_ALERT_ID, NULL}},
    {"TimeGenerated", AS_STRING, {value_text, FIELD_DETECTED_AT, NULL}},
    {"AlertType", AS_STRING, {value_text, FIELD_RULE_ID, NULL}},
    {"AlertName", AS_STRING, {value_text, FIELD_RULE_NAME, NULL}},
    {"AlertSeverity", AS_STRING, {value_text, FIELD_SEVERITY, NULL}},
    {"DisplayName", AS_STRING, {make_short, FIELD_DISPLAY_NAME, "256"}},
    {"Description", AS_STRING, {make_short, FIELD_DESCRIPTION, "5000"}},
    {"StartTime", AS_STRING, {value_text, FIELD_TIME_GENERATED, NULL}},
    {"EndTime", AS_STRING, {value_text, FIELD_TIME_GENERATED, NULL}},
    {"ProcessingEndTime", AS_STRING, {value_text, FIELD_DETECTED_AT, NULL}},
    {"Status", AS_STRING, {value_word, 0, "New"}},
    {"IsIncident", AS_JSON, {value_word, 0, "false"}},
    {"ConfidenceLevel", AS_STRING, {value_confidence, 0, "High Low"}},
    {"CompromisedEntity", AS_STRING, {value_text, FIELD_TARGET_UPN, NULL}},
    {"VendorOriginalId", AS_STRING, {value_text, FIELD_RECORD_ID, NULL}},
    {"Tactics", AS_STRING, {value_list, FIELD_TACTICS, NULL}},
    {"Techniques", AS_STRING, {value_json, FIELD_TECHNIQUES, NULL}},
    {"SubTechniques", AS_STRING, {value_json, FIELD_SUB_TECHNIQUES, NULL}},
    {"Entities", AS_STRING, {value_json, FIELD_ENTITIES, NULL}},
    {"ExtendedProperties", AS_STRING, {make_properties, 0, NULL}},
    {"Type", AS_STRING, {value_word, 0, "SecurityAlert"}},
    {0},
};

static const json_row properties[] = {
    {"RuleVersion", AS_STRING, {value_text, FIELD_RULE_VERSION, NULL}},
    {"Operation", AS_STRING, {value_text, FIELD_OPERATION_NAME, NULL}},
    {"Actor", AS_STRING, {value_text, FIELD_ACTOR, NULL}},
    {"ActorId", AS_STRING, {value_text, FIELD_ACTOR_ID, NULL}},
    {"CallerIP", AS_STRING, {value_text, FIELD_CALLER_IP, NULL}},
    {"TargetId", AS_STRING, {value_text, FIELD_TARGET_ID, NULL}},
    {"Result", AS_STRING, {value_text, FIELD_RESULT, NULL}},
    {"ResultReason", AS_STRING, {value_text, FIELD_RESULT_REASON, NULL}},
    {"Method", AS_STRING, {value_text, FIELD_METHOD, NULL}},
    {"TapId", AS_STRING, {value_text, FIELD_TAP_ID, NULL}},
    {"TapStart", AS_STRING, {value_text, FIELD_TAP_START, NULL}},
    {"TapEnd", AS_STRING, {value_text, FIELD_TAP_END, NULL}},
    {"TapUsage", AS_STRING, {value_text, FIELD_TAP_USAGE, NULL}},
    {"MatchedBy", AS_STRING, {value_list, FIELD_MATCHED_BY, NULL}},
    {"Kql", AS_STRING, {value_json, FIELD_KQL, NULL}},
    {"Confidence", AS_STRING, {value_text, FIELD_CONFIDENCE, NULL}},
    {"Late", AS_STRING, {value_json, FIELD_LATE, NULL}},
    {"CorrelationId", AS_STRING, {value_text, FIELD_CORRELATION_ID, NULL}},
    {"TenantId", AS_STRING, {value_text, FIELD_TENANT_ID, NULL}},
    {"LoggedByService", AS_STRING, {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"Collector", AS_STRING, {value_text, FIELD_COLLECTOR, NULL}},
    {"Selftest", AS_STRING, {value_if_true, FIELD_SELFTEST, NULL}},
    {"Cut", AS_STRING, {value_if_true, FIELD_CUT, NULL}},
    {0},
};

/* In characters of UTF-16, as .NET counts: one of four bytes is two. */
static size_t units_of(char c)
{
    unsigned char byte = (unsigned char)c;

    return (byte & 0xC0) == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1;
}

/* The word says how many characters the column takes. */
static void make_short(const value *self, const alert_fields *alert, buffer *out)
{
    text t = alert_fields_text(alert, self->field);
    size_t left = strtoul(self->word, NULL, 10), length = 0;

    if (t.length <= left) /* a character has no less bytes than it has units */
        length = t.length;
    while (length < t.length && units_of(t.bytes[length]) <= left)
        left -= units_of(t.bytes[length++]);
    buffer_append(out, (text){t.bytes, length});
}

static void make_properties(const value *self, const alert_fields *alert, buffer *out)
{
    (void)self;
    json_rows_write(properties, alert, out);
}

void securityalert_write(const alert_fields *alert, buffer *out)
{
    json_rows_write(rows, alert, out);
}

bool securityalert_is(json *object)
{
    return json_rows_are(rows, "", object);
}
