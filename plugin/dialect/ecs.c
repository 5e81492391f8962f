/* SPDX-License-Identifier: Apache-2.0 */
/* ecs: Elastic Common Schema 9.4.0. What it has no field for is below `synctap`. */
#include "dialect/dialects.h"

#include "dialect/json_rows.h"
#include "dialect/mitre.h"

static value_maker make_outcome, make_ips, make_users, make_tactics, make_strings, make_references;

/* The first members are what own_alert.c looks for. A dataset of its own: rules over the logs must
 * not take alerts for records. */
static const json_row rows[] = {
    {"ecs.version", AS_STRING, {value_word, 0, "9.4.0"}},
    {"event.module", AS_STRING, {value_word, 0, "synctap"}},
    {"event.dataset", AS_STRING, {value_word, 0, "synctap.alert"}},
    {"event.id", AS_STRING, {value_text, FIELD_ALERT_ID, NULL}},
    {"event.kind", AS_STRING, {value_word, 0, "alert"}},
    {"event.category", AS_JSON, {value_word, 0, "[\"iam\"]"}},
    {"event.type", AS_JSON, {value_word, 0, "[\"user\",\"change\"]"}},
    {"event.code", AS_STRING, {value_text, FIELD_RULE_ID, NULL}},
    {"event.action", AS_STRING, {value_text, FIELD_OPERATION_NAME, NULL}},
    {"event.outcome", AS_STRING, {make_outcome, FIELD_RESULT, NULL}},
    {"event.reason", AS_STRING, {value_text, FIELD_RESULT_REASON, NULL}},
    {"event.provider", AS_STRING, {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"event.severity", AS_JSON, {value_severity, 0, "ecs"}},
    {"event.risk_score", AS_JSON, {value_severity, 0, "ecs"}},
    {"event.start", AS_STRING, {value_text, FIELD_TIME_GENERATED, NULL}},
    {"event.created", AS_STRING, {value_text, FIELD_DETECTED_AT, NULL}},
    {"@timestamp", AS_STRING, {value_text, FIELD_TIME_GENERATED, NULL}},
    {"message", AS_STRING, {value_text, FIELD_DISPLAY_NAME, NULL}},
    {"rule.id", AS_STRING, {value_text, FIELD_RULE_ID, NULL}},
    {"rule.name", AS_STRING, {value_text, FIELD_RULE_NAME, NULL}},
    {"rule.version", AS_STRING, {value_text, FIELD_RULE_VERSION, NULL}},
    {"rule.description", AS_STRING, {value_text, FIELD_DESCRIPTION, NULL}},
    {"rule.author", AS_JSON, {value_word, 0, "[\"synctap\"]"}},
    {"user.name", AS_STRING, {value_text, FIELD_ACTOR, NULL}},
    {"user.email", AS_STRING, {value_with_at, FIELD_ACTOR, NULL}},
    {"user.id", AS_STRING, {value_text, FIELD_ACTOR_ID, NULL}},
    {"user.target.name", AS_STRING, {value_text, FIELD_TARGET_UPN, NULL}},
    {"user.target.email", AS_STRING, {value_with_at, FIELD_TARGET_UPN, NULL}},
    {"user.target.id", AS_STRING, {value_text, FIELD_TARGET_ID, NULL}},
    {"source.ip", AS_STRING, {value_ip, FIELD_SOURCE_IP, NULL}},
    {"source.address", AS_STRING, {value_text, FIELD_SOURCE_IP, NULL}},
    {"related.ip", AS_JSON, {make_ips, FIELD_SOURCE_IP, NULL}},
    {"related.user", AS_JSON, {make_users, 0, NULL}},
    {"cloud.provider", AS_STRING, {value_word, 0, "azure"}},
    {"cloud.account.id", AS_STRING, {value_text, FIELD_TENANT_ID, NULL}},
    {"organization.id", AS_STRING, {value_text, FIELD_TENANT_ID, NULL}},
    {"observer.type", AS_STRING, {value_word, 0, "sensor"}},
    {"observer.product", AS_STRING, {value_word, 0, "synctap"}},
    {"observer.version", AS_STRING, {value_version, 0, NULL}},
    {"observer.hostname", AS_STRING, {value_text, FIELD_COLLECTOR, NULL}},
    {"threat.framework", AS_STRING, {value_word, 0, "MITRE ATT&CK"}},
    {"threat.tactic.id", AS_JSON, {make_tactics, FIELD_TACTICS, "id"}},
    {"threat.tactic.name", AS_JSON, {make_tactics, FIELD_TACTICS, "name"}},
    {"threat.tactic.reference", AS_JSON, {make_tactics, FIELD_TACTICS, "reference"}},
    {"threat.technique.id", AS_JSON, {make_strings, FIELD_TECHNIQUES, NULL}},
    {"threat.technique.reference", AS_JSON, {make_references, FIELD_TECHNIQUES, NULL}},
    {"threat.technique.subtechnique.id", AS_JSON, {make_strings, FIELD_SUB_TECHNIQUES, NULL}},
    {"threat.technique.subtechnique.reference",
     AS_JSON,
     {make_references, FIELD_SUB_TECHNIQUES, NULL}},
    {"labels.matched_by", AS_STRING, {value_list, FIELD_MATCHED_BY, NULL}},
    {"synctap.method", AS_STRING, {value_text, FIELD_METHOD, NULL}},
    {"synctap.tap", AS_JSON, {value_json, FIELD_TAP, NULL}},
    {"synctap.caller_ip", AS_STRING, {value_text, FIELD_CALLER_IP, NULL}},
    {"synctap.kql", AS_JSON, {value_json, FIELD_KQL, NULL}},
    {"synctap.confidence", AS_STRING, {value_text, FIELD_CONFIDENCE, NULL}},
    {"synctap.late", AS_JSON, {value_json, FIELD_LATE, NULL}},
    {"synctap.record_id", AS_STRING, {value_text, FIELD_RECORD_ID, NULL}},
    {"synctap.correlation_id", AS_STRING, {value_text, FIELD_CORRELATION_ID, NULL}},
    {"synctap.incident", AS_JSON, {value_json, FIELD_INCIDENT, NULL}},
    {"synctap.selftest", AS_JSON, {value_json, FIELD_SELFTEST, NULL}},
    {"synctap.cut", AS_JSON, {value_json, FIELD_CUT, NULL}},
    {0},
};

static bool is_word(text t, const char *word)
{
    return t.length == strlen(word) && strncasecmp(t.bytes, word, t.length) == 0;
}

/* The schema allows three; a record may say what it likes. */
static void make_outcome(const value *self, const alert_fields *alert, buffer *out)
{
    text result = alert_fields_text(alert, self->field);

    if (result.length == 0)
        return;
    if (is_word(result, "success") || is_word(result, "failure"))
        buffer_append_string(out, is_word(result, "success") ? "success" : "failure");
    else
        buffer_append_string(out, "unknown");
}

/* An address, as the one item of an array. */
static void make_ips(const value *self, const alert_fields *alert, buffer *out)
{
    buffer address = {0};

    value_ip(self, alert, &address);
    if (address.length > 0) {
        buffer_append_char(out, '[');
        json_write_string(out, buffer_text(&address));
        buffer_append_char(out, ']');
    }
    out->failed |= buffer_failed(&address);
    buffer_free(&address);
}

static void make_users(const value *self, const alert_fields *alert, buffer *out)
{
    text actor = alert_fields_text(alert, FIELD_ACTOR);
    text target = alert_fields_text(alert, FIELD_TARGET_UPN);

    (void)self;
    if (actor.length + target.length == 0)
        return;
    buffer_append_char(out, '[');
    if (actor.length > 0)
        json_write_string(out, actor);
    if (target.length > 0 && !text_equal(actor, target)) {
        json_write_item(out);
        json_write_string(out, target);
    }
    buffer_append_char(out, ']');
}

static void write_reference(buffer *out, const char *folder, text id)
{
    static const char site[] = "https://attack.mitre.org/";
    buffer address = {0};

    buffer_append_string(&address, site);
    buffer_append_string(&address, folder);
    buffer_append(&address, id);
    buffer_append_char(&address, '/');
    for (size_t i = sizeof(site); i < address.length; i++)
        if (address.bytes[i] == '.') /* T1098.001 is a page below T1098 */
            address.bytes[i] = '/';
    json_write_string(out, buffer_text(&address));
    out->failed |= buffer_failed(&address);
    buffer_free(&address);
}

static void write_tactic(const value *self, const mitre_tactic *tactic, buffer *out)
{
    json_write_item(out);
    if (strcmp(self->word, "reference") == 0)
        write_reference(out, "tactics/", text_of(tactic->id));
    else
        json_write_string(out, text_of(strcmp(self->word, "id") == 0 ? tactic->id : tactic->name));
}

/* Parallel arrays: a tactic that has no id is in none of them. */
static void make_tactics(const value *self, const alert_fields *alert, buffer *out)
{
    json *words = alert->values[self->field];

    for (size_t i = 0; i < json_array_length(words); i++) {
        const mitre_tactic *tactic = mitre_find_tactic(json_string(json_array_item(words, i)));

        if (tactic == NULL)
            continue;
        if (out->length == 0)
            buffer_append_char(out, '[');
        write_tactic(self, tactic, out);
    }
    if (out->length > 0)
        buffer_append_char(out, ']');
}

static void make_array(const value *self, const alert_fields *alert, buffer *out,
                       void write(buffer *out, text t))
{
    json *array = alert->values[self->field];

    if (json_array_length(array) == 0)
        return;
    buffer_append_char(out, '[');
    for (size_t i = 0; i < json_array_length(array); i++) {
        json_write_item(out);
        write(out, json_string(json_array_item(array, i)));
    }
    buffer_append_char(out, ']');
}

static void make_strings(const value *self, const alert_fields *alert, buffer *out)
{
    make_array(self, alert, out, json_write_string);
}

static void write_technique_reference(buffer *out, text id)
{
    write_reference(out, "techniques/", id);
}

static void make_references(const value *self, const alert_fields *alert, buffer *out)
{
    make_array(self, alert, out, write_technique_reference);
}

void ecs_write(const alert_fields *alert, buffer *out)
{
    json_rows_write(rows, alert, out);
}

bool ecs_is(json *object)
{
    return json_rows_are(rows, "", object);
}
