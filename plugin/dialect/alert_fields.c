/* SPDX-License-Identifier: Apache-2.0 */
/* alert_fields: one walk over the alert, which most often has its members in the order of the
 * table.
 */
#include "dialect/alert_fields.h"

enum { TOP_FIELDS = FIELD_TAP_ID };

static const char *const names[TOP_FIELDS] = {
    [FIELD_ALERT_ID] = "alert_id",
    [FIELD_RULE_ID] = "rule_id",
    [FIELD_RULE_NAME] = "rule_name",
    [FIELD_RULE_VERSION] = "rule_version",
    [FIELD_SEVERITY] = "severity",
    [FIELD_TACTICS] = "tactics",
    [FIELD_TECHNIQUES] = "techniques",
    [FIELD_SUB_TECHNIQUES] = "sub_techniques",
    [FIELD_DISPLAY_NAME] = "display_name",
    [FIELD_DESCRIPTION] = "description",
    [FIELD_TIME_GENERATED] = "time_generated",
    [FIELD_OPERATION_NAME] = "operation_name",
    [FIELD_ACTOR] = "actor",
    [FIELD_SOURCE_IP] = "source_ip",
    [FIELD_TARGET_UPN] = "target_upn",
    [FIELD_RESULT] = "result",
    [FIELD_TARGET_ID] = "target_id",
    [FIELD_ACTOR_ID] = "actor_id",
    [FIELD_RESULT_REASON] = "result_reason",
    [FIELD_METHOD] = "method",
    [FIELD_TAP] = "tap",
    [FIELD_CALLER_IP] = "caller_ip",
    [FIELD_MATCHED_BY] = "matched_by",
    [FIELD_KQL] = "kql",
    [FIELD_CONFIDENCE] = "confidence",
    [FIELD_LATE] = "late",
    [FIELD_RECORD_ID] = "record_id",
    [FIELD_CORRELATION_ID] = "correlation_id",
    [FIELD_TENANT_ID] = "tenant_id",
    [FIELD_LOGGED_BY_SERVICE] = "logged_by_service",
    [FIELD_DETECTED_AT] = "detected_at",
    [FIELD_COLLECTOR] = "collector",
    [FIELD_ENTITIES] = "entities",
    [FIELD_INCIDENT] = "incident",
    [FIELD_SELFTEST] = "selftest",
    [FIELD_CUT] = "cut",
};

static const struct {
    alert_field field;
    alert_field parent;
    const char *name;
} inner[] = {
    {FIELD_TAP_ID, FIELD_TAP, "id"},
    {FIELD_TAP_START, FIELD_TAP, "start"},
    {FIELD_TAP_END, FIELD_TAP, "end"},
    {FIELD_TAP_USAGE, FIELD_TAP, "usage"},
    {FIELD_INCIDENT_ID, FIELD_INCIDENT, "id"},
    {FIELD_INCIDENT_NEW, FIELD_INCIDENT, "new"},
    {FIELD_INCIDENT_ALERT_COUNT, FIELD_INCIDENT, "alert_count"},
    {FIELD_INCIDENT_FIRST_ALERT, FIELD_INCIDENT, "first_alert"},
};

/* Looked for from where the one before it was found. */
static size_t field_of(const char *name, size_t begin)
{
    for (size_t i = 0; i < TOP_FIELDS; i++) {
        size_t field = (begin + i) % TOP_FIELDS;

        if (*name == *names[field] && strcmp(name, names[field]) == 0)
            return field;
    }
    return TOP_FIELDS;
}

alert_fields alert_fields_of(json *alert)
{
    alert_fields self = {0};
    json_members all = json_members_of(alert);
    const char *name;
    json *value;
    size_t next = 0;

    while (json_next_member(&all, &name, &value)) {
        size_t field = field_of(name, next);

        if (field == TOP_FIELDS)
            continue;
        self.values[field] = value;
        next = field + 1;
    }
    for (size_t i = 0; i < sizeof(inner) / sizeof(inner[0]); i++)
        self.values[inner[i].field] = json_member(self.values[inner[i].parent], inner[i].name);
    return self;
}

text alert_fields_text(const alert_fields *self, alert_field field)
{
    return json_string(self->values[field]);
}
