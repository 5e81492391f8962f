/* SPDX-License-Identifier: Apache-2.0 */
/* ocsf: a Detection Finding (2004) of OCSF 1.8.0. What it has no attribute for is `unmapped`. */
#include "dialect/dialects.h"

#include "dialect/json_rows.h"
#include "dialect/mitre.h"

static value_maker make_attacks, make_observables, make_data, make_user_type;

/* The first members are what own_alert.c looks for. */
static const json_row rows[] = {
    {"metadata.product.name", AS_STRING, {value_word, 0, "synctap"}},
    {"metadata.product.vendor_name", AS_STRING, {value_word, 0, "synctap"}},
    {"metadata.product.version", AS_STRING, {value_version, 0, NULL}},
    {"metadata.uid", AS_STRING, {value_text, FIELD_ALERT_ID, NULL}},
    {"metadata.version", AS_STRING, {value_word, 0, "1.8.0"}},
    {"metadata.profiles", AS_JSON, {value_word, 0, "[\"cloud\"]"}},
    {"metadata.event_code", AS_STRING, {value_text, FIELD_RULE_ID, NULL}},
    {"metadata.original_time", AS_STRING, {value_text, FIELD_TIME_GENERATED, NULL}},
    {"metadata.original_event_uid", AS_STRING, {value_text, FIELD_RECORD_ID, NULL}},
    {"metadata.correlation_uid", AS_STRING, {value_text, FIELD_CORRELATION_ID, NULL}},
    {"metadata.tenant_uid", AS_STRING, {value_text, FIELD_TENANT_ID, NULL}},
    {"metadata.log_provider", AS_STRING, {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"metadata.loggers[].name", AS_STRING, {value_text, FIELD_COLLECTOR, NULL}},
    {"activity_id", AS_JSON, {value_word, 0, "1"}},
    {"category_uid", AS_JSON, {value_word, 0, "2"}},
    {"class_uid", AS_JSON, {value_word, 0, "2004"}},
    {"type_uid", AS_JSON, {value_word, 0, "200401"}},
    {"status_id", AS_JSON, {value_word, 0, "1"}},
    {"is_alert", AS_JSON, {value_word, 0, "true"}},
    {"severity_id", AS_JSON, {value_severity, 0, "ocsf"}},
    {"severity", AS_STRING, {value_text, FIELD_SEVERITY, NULL}},
    {"confidence_id", AS_JSON, {value_confidence, 0, "3 1"}},
    {"confidence", AS_STRING, {value_confidence, 0, "High Low"}},
    {"time", AS_JSON, {value_epoch, FIELD_DETECTED_AT, NULL}},
    {"start_time", AS_JSON, {value_epoch, FIELD_TIME_GENERATED, NULL}},
    {"end_time", AS_JSON, {value_epoch, FIELD_TIME_GENERATED, NULL}},
    {"message", AS_STRING, {value_text, FIELD_DISPLAY_NAME, NULL}},
    {"cloud.provider", AS_STRING, {value_word, 0, "Azure"}},
    {"finding_info.uid", AS_STRING, {value_text, FIELD_ALERT_ID, NULL}},
    {"finding_info.title", AS_STRING, {value_text, FIELD_DISPLAY_NAME, NULL}},
    {"finding_info.desc", AS_STRING, {value_text, FIELD_DESCRIPTION, NULL}},
    {"finding_info.created_time", AS_JSON, {value_epoch, FIELD_DETECTED_AT, NULL}},
    {"finding_info.analytic.uid", AS_STRING, {value_text, FIELD_RULE_ID, NULL}},
    {"finding_info.analytic.name", AS_STRING, {value_text, FIELD_RULE_NAME, NULL}},
    {"finding_info.analytic.version", AS_STRING, {value_text, FIELD_RULE_VERSION, NULL}},
    {"finding_info.analytic.type_id", AS_JSON, {value_word, 0, "1"}},
    {"finding_info.analytic.type", AS_STRING, {value_word, 0, "Rule"}},
    {"finding_info.attacks", AS_JSON, {make_attacks, 0, NULL}},
    {"finding_info.types", AS_JSON, {value_array_of_one, FIELD_METHOD, NULL}},
    {"evidences[].uid", AS_STRING, {value_text, FIELD_RECORD_ID, NULL}},
    {"evidences[].api.operation", AS_STRING, {value_text, FIELD_OPERATION_NAME, NULL}},
    {"evidences[].api.service.name", AS_STRING, {value_text, FIELD_LOGGED_BY_SERVICE, NULL}},
    {"evidences[].api.response.message", AS_STRING, {value_text, FIELD_RESULT_REASON, NULL}},
    {"evidences[].actor.user.name", AS_STRING, {value_text, FIELD_ACTOR, NULL}},
    {"evidences[].actor.user.uid", AS_STRING, {value_text, FIELD_ACTOR_ID, NULL}},
    {"evidences[].actor.user.email_addr", AS_STRING, {value_email, FIELD_ACTOR, NULL}},
    {"evidences[].src_endpoint.ip", AS_STRING, {value_ip, FIELD_SOURCE_IP, NULL}},
    {"evidences[].src_endpoint.name", AS_STRING, {value_not_ip, FIELD_SOURCE_IP, NULL}},
    {"evidences[].user.name", AS_STRING, {value_text, FIELD_TARGET_UPN, NULL}},
    {"evidences[].user.uid", AS_STRING, {value_text, FIELD_TARGET_ID, NULL}},
    {"evidences[].user.email_addr", AS_STRING, {value_email, FIELD_TARGET_UPN, NULL}},
    {"evidences[].data", AS_JSON, {make_data, 0, NULL}},
    {"resources[].type", AS_STRING, {make_user_type, 0, NULL}},
    {"resources[].name", AS_STRING, {value_text, FIELD_TARGET_UPN, NULL}},
    {"resources[].uid", AS_STRING, {value_text, FIELD_TARGET_ID, NULL}},
    {"observables", AS_JSON, {make_observables, 0, NULL}},
    {"unmapped.matched_by", AS_JSON, {value_json, FIELD_MATCHED_BY, NULL}},
    {"unmapped.kql", AS_JSON, {value_json, FIELD_KQL, NULL}},
    {"unmapped.confidence", AS_STRING, {value_text, FIELD_CONFIDENCE, NULL}},
    {"unmapped.late", AS_JSON, {value_json, FIELD_LATE, NULL}},
    {"unmapped.tap", AS_JSON, {value_json, FIELD_TAP, NULL}},
    {"unmapped.caller_ip", AS_STRING, {value_text, FIELD_CALLER_IP, NULL}},
    {"unmapped.incident", AS_JSON, {value_json, FIELD_INCIDENT, NULL}},
    {"unmapped.selftest", AS_JSON, {value_json, FIELD_SELFTEST, NULL}},
    {"unmapped.cut", AS_JSON, {value_json, FIELD_CUT, NULL}},
    {0},
};

/* Opens an array's next object. */
static void begin_object(buffer *out)
{
    if (out->length == 0)
        buffer_append_char(out, '[');
    json_write_item(out);
    buffer_append_char(out, '{');
}

static void end_array(buffer *out)
{
    if (out->length > 0)
        buffer_append_char(out, ']');
}

/* "key":{"uid":...} */
static void write_uid(buffer *out, const char *key, text uid)
{
    json_write_key(out, key);
    buffer_append_char(out, '{');
    json_write_member(out, "uid", uid);
    buffer_append_char(out, '}');
}

static void append_tactics(json *words, buffer *out)
{
    for (size_t i = 0; i < json_array_length(words); i++) {
        text word = json_string(json_array_item(words, i));
        const mitre_tactic *tactic = mitre_find_tactic(word);

        if (word.length == 0)
            continue;
        begin_object(out);
        json_write_key(out, "tactic");
        buffer_append_char(out, '{');
        json_write_member(out, "name", tactic ? text_of(tactic->name) : word);
        if (tactic != NULL)
            json_write_member(out, "uid", text_of(tactic->id));
        buffer_append_string(out, "}}");
    }
}

static bool has_part(json *sub_techniques, text technique)
{
    for (size_t i = 0; i < json_array_length(sub_techniques); i++)
        if (text_equal(mitre_parent(json_string(json_array_item(sub_techniques, i))), technique))
            return true;
    return false;
}

/* A technique of which a part is named stands with that. */
static void append_techniques(json *techniques, json *sub_techniques, buffer *out)
{
    for (size_t i = 0; i < json_array_length(techniques); i++) {
        text technique = json_string(json_array_item(techniques, i));

        if (technique.length == 0 || has_part(sub_techniques, technique))
            continue;
        begin_object(out);
        write_uid(out, "technique", technique);
        buffer_append_char(out, '}');
    }
}

static void append_sub_techniques(json *sub_techniques, buffer *out)
{
    for (size_t i = 0; i < json_array_length(sub_techniques); i++) {
        text part = json_string(json_array_item(sub_techniques, i));

        if (part.length == 0)
            continue;
        begin_object(out);
        write_uid(out, "technique", mitre_parent(part));
        write_uid(out, "sub_technique", part);
        buffer_append_char(out, '}');
    }
}

static void make_attacks(const value *self, const alert_fields *alert, buffer *out)
{
    json *sub_techniques = alert->values[FIELD_SUB_TECHNIQUES];

    (void)self;
    append_tactics(alert->values[FIELD_TACTICS], out);
    append_techniques(alert->values[FIELD_TECHNIQUES], sub_techniques, out);
    append_sub_techniques(sub_techniques, out);
    end_array(out);
}

/* What stands in several attributes, and what an observable says of it. */
static const struct {
    value value;
    const char *members;
} observables[] = {
    {{value_text, FIELD_ACTOR, NULL},
     "\"name\":\"evidences.actor.user.name\",\"type\":\"User Name\",\"type_id\":4"},
    {{value_text, FIELD_ACTOR_ID, NULL},
     "\"name\":\"evidences.actor.user.uid\",\"type\":\"User Unique ID\",\"type_id\":31"},
    {{value_ip, FIELD_SOURCE_IP, NULL},
     "\"name\":\"evidences.src_endpoint.ip\",\"type\":\"IP Address\",\"type_id\":2"},
    {{value_text, FIELD_TARGET_UPN, NULL},
     "\"name\":\"evidences.user.name\",\"type\":\"User Name\",\"type_id\":4"},
    {{value_text, FIELD_TARGET_ID, NULL},
     "\"name\":\"evidences.user.uid\",\"type\":\"User Unique ID\",\"type_id\":31"},
};

static void append_observable(const char *members, text t, buffer *out)
{
    begin_object(out);
    buffer_append_string(out, members);
    json_write_member(out, "value", t);
    buffer_append_char(out, '}');
}

static void make_observables(const value *self, const alert_fields *alert, buffer *out)
{
    buffer made = {0};

    (void)self;
    for (size_t i = 0; i < sizeof(observables) / sizeof(observables[0]); i++) {
        buffer_clear(&made);
        observables[i].value.make(&observables[i].value, alert, &made);
        out->failed |= buffer_failed(&made);
        if (made.length > 0)
            append_observable(observables[i].members, buffer_text(&made), out);
    }
    end_array(out);
    buffer_free(&made);
}

static void make_data(const value *self, const alert_fields *alert, buffer *out)
{
    static const json_row data[] = {
        {"result", AS_STRING, {value_text, FIELD_RESULT, NULL}},
        {"result_reason", AS_STRING, {value_text, FIELD_RESULT_REASON, NULL}},
        {0},
    };
    size_t begin = out->length;

    (void)self;
    json_rows_write(data, alert, out);
    if (text_equal(text_from(buffer_text(out), begin), (text)TEXT("{}")))
        out->length = begin;
}

static void make_user_type(const value *self, const alert_fields *alert, buffer *out)
{
    (void)self;
    if (alert_fields_text(alert, FIELD_TARGET_UPN).length +
            alert_fields_text(alert, FIELD_TARGET_ID).length >
        0)
        buffer_append_string(out, "User");
}

void ocsf_write(const alert_fields *alert, buffer *out)
{
    json_rows_write(rows, alert, out);
}

bool ocsf_is(json *object)
{
    return json_rows_are(rows, "", object);
}
