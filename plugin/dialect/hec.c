/* SPDX-License-Identifier: Apache-2.0 */
/* hec: Splunk's HTTP Event Collector, with the names of CIM's Alerts data model. */
#include "dialect/dialects.h"

#include "dialect/json_rows.h"

static void make_techniques(const value *self, const alert_fields *alert, buffer *out);

static void make_severity(const value *self, const alert_fields *alert, buffer *out)
{
    text severity = alert_fields_text(alert, self->field);

    for (size_t i = 0; i < severity.length; i++) {
        char c = severity.bytes[i];

        buffer_append_char(out, c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c);
    }
}

/* The first three of the envelope and of the event are what own_alert.c looks for. */
static const json_row rows[] = {
    {"source", AS_STRING, {value_word, 0, "synctap"}},
    {"sourcetype", AS_STRING, {value_word, 0, "synctap:alert"}},
    {"time", AS_JSON, {value_seconds, FIELD_TIME_GENERATED, NULL}},
    {"host", AS_STRING, {value_text, FIELD_COLLECTOR, NULL}},
    {"event.app", AS_STRING, {value_word, 0, "synctap"}},
    {"event.type", AS_STRING, {value_word, 0, "alert"}},
    {"event.id", AS_STRING, {value_text, FIELD_ALERT_ID, NULL}},
    {"event.signature_id", AS_STRING, {value_text, FIELD_RULE_ID, NULL}},
    {"event.signature", AS_STRING, {value_text, FIELD_RULE_NAME, NULL}},
    {"event.rule_version", AS_STRING, {value_text, FIELD_RULE_VERSION, NULL}},
    {"event.severity", AS_STRING, {make_severity, FIELD_SEVERITY, NULL}},
    {"event.message", AS_STRING, {value_text, FIELD_DISPLAY_NAME, NULL}},
    {"event.description", AS_STRING, {value_text, FIELD_DESCRIPTION, NULL}},
    {"event.detected_at", AS_STRING, {value_text, FIELD_DETECTED_AT, NULL}},
    {"event.action", AS_STRING, {value_word, 0, "modified"}},
    {"event.object_attrs", AS_STRING, {value_text, FIELD_OPERATION_NAME, NULL}},
    {"event.src_user", AS_STRING, {value_text, FIELD_ACTOR, NULL}},
    {"event.src_user_id", AS_STRING, {value_text, FIELD_ACTOR_ID, NULL}},
    {"event.src", AS_STRING, {value_text, FIELD_SOURCE_IP, NULL}},
    {"event.user", AS_STRING, {value_text, FIELD_TARGET_UPN, NULL}},
    {"event.user_id", AS_STRING, {value_text, FIELD_TARGET_ID, NULL}},
    {"event.status", AS_STRING, {value_text, FIELD_RESULT, NULL}},
    {"event.reason", AS_STRING, {value_text, FIELD_RESULT_REASON, NULL}},
    {"event.method", AS_STRING, {value_text, FIELD_METHOD, NULL}},
    {"event.tap", AS_JSON, {value_json, FIELD_TAP, NULL}},
    {"event.caller_ip", AS_STRING, {value_text, FIELD_CALLER_IP, NULL}},
    {"event.matched_by", AS_JSON, {value_json, FIELD_MATCHED_BY, NULL}},
    {"event.kql", AS_JSON, {value_json, FIELD_KQL, NULL}},
    {"event.confidence", AS_STRING, {value_text, FIELD_CONFIDENCE, NULL}},
    {"event.late", AS_JSON, {value_json, FIELD_LATE, NULL}},
    {"event.record_id", AS_STRING, {value_text, FIELD_RECORD_ID, NULL}},
    {"event.correlation_id", AS_STRING, {value_text, FIELD_CORRELATION_ID, NULL}},
    {"event.vendor_account", AS_STRING, {value_text, FIELD_TENANT_ID, NULL}},
    {"event.vendor_product", AS_STRING, {value_word, 0, "Microsoft Entra"}},
    {"event.service", AS_STRING, {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"event.mitre_technique_id", AS_JSON, {make_techniques, 0, NULL}},
    {"event.incident_id", AS_STRING, {value_text, FIELD_INCIDENT_ID, NULL}},
    {"event.selftest", AS_JSON, {value_json, FIELD_SELFTEST, NULL}},
    {"event.cut", AS_JSON, {value_json, FIELD_CUT, NULL}},
    {0},
};

static void append_items(json *array, buffer *out)
{
    for (size_t i = 0; i < json_array_length(array); i++) {
        json_write_item(out);
        json_write_string(out, json_string(json_array_item(array, i)));
    }
}

/* Sub-techniques are techniques to CIM. */
static void make_techniques(const value *self, const alert_fields *alert, buffer *out)
{
    (void)self;
    if (json_array_length(alert->values[FIELD_TECHNIQUES]) +
            json_array_length(alert->values[FIELD_SUB_TECHNIQUES]) ==
        0)
        return;
    buffer_append_char(out, '[');
    append_items(alert->values[FIELD_TECHNIQUES], out);
    append_items(alert->values[FIELD_SUB_TECHNIQUES], out);
    buffer_append_char(out, ']');
}

void hec_write(const alert_fields *alert, buffer *out)
{
    json_rows_write(rows, alert, out);
}

/* Splunk hands on the event alone. */
bool hec_is(json *object)
{
    return json_rows_are(rows, "", object) || json_rows_are(rows, "event.", object);
}
