/* SPDX-License-Identifier: Apache-2.0 */
/* alert: the JSON of an alert and of a query's row, member by member. */
#include "rule/alert.h"

#include <stdio.h>

/* The rule's facts that only alerts tell; each a JSON text. */
static const char TACTICS[] = "[\"Persistence\",\"PrivilegeEscalation\"]";
static const char TECHNIQUES[] = "[\"T1098\",\"T1556\"]";
static const char SUB_TECHNIQUES[] = "[\"T1098.001\",\"T1078.004\"]";

/* Position and content make an id for a record that has none. */
static bool hash_content(const audit_record *record, char hash[static SHA256_TEXT_SIZE])
{
    buffer content = {0};
    bool whole;

    if (record->object != NULL)
        json_write_value(&content, record->object);
    else
        buffer_append(&content, record->content);
    whole = !buffer_failed(&content);
    if (whole)
        digest_sha256(buffer_text(&content), hash);
    buffer_free(&content);
    return whole;
}

bool alert_give_id(alert *self)
{
    const audit_record *r = self->record;
    text record_id = r->record_id;
    char position[24];

    if (record_id.length == 0) {
        if (self->content_hash[0] == '\0' && !hash_content(r, self->content_hash))
            return false;
        record_id = text_of(self->content_hash);
    }
    snprintf(position, sizeof(position), "%zu", self->target.index);
    digest_uuid((text[]){text_of(RULE_ID), r->tenant_id, record_id, self->target.id,
                         self->target.upn, text_of(position)},
                6, self->id);
    return true;
}

static void write_string(buffer *out, const char *key, const char *value)
{
    json_write_member(out, key, text_of(value));
}

static void write_json(buffer *out, const char *key, const char *value)
{
    json_write_key(out, key);
    buffer_append_string(out, value);
}

static void write_boolean(buffer *out, const char *key, bool value)
{
    write_json(out, key, value ? "true" : "false");
}

static void write_time(buffer *out, const char *key, timestamp t)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, written);
    write_string(out, key, written);
}

static void write_target_resources(buffer *out, const char *key, const audit_target *target)
{
    json_write_key(out, key);
    audit_target_write(target, out);
}

static void write_matched_by(buffer *out, const char *key, unsigned matched_by)
{
    json_write_key(out, key);
    buffer_append_char(out, '[');
    for (rule_reason c = 0; c < RULE_REASONS; c++) {
        if (matched_by & (1u << c)) {
            json_write_item(out);
            json_write_string(out, text_of(rule_reason_name(c)));
        }
    }
    buffer_append_char(out, ']');
}

/* A sentence of constant parts and of values from the record, as one JSON string. */
static void write_sentence(buffer *out, const char *key, const text *parts, size_t count)
{
    buffer sentence = {0};

    for (size_t i = 0; i < count; i++)
        buffer_append(&sentence, parts[i]);
    json_write_member(out, key, buffer_text(&sentence));
    out->failed |= buffer_failed(&sentence);
    buffer_free(&sentence);
}

static void write_titles(const alert *self, buffer *out)
{
    write_sentence(out, "display_name",
                   (text[]){TEXT("TAP / security-info change on sync account "), self->target.upn},
                   2);
    write_sentence(out, "description",
                   (text[]){self->record->operation_name, TEXT(" performed by "),
                            self->record->actor, TEXT(" against Entra Connector account "),
                            self->target.upn,
                            TEXT(". TAP on sync accounts is the documented stealth backdoor.")},
                   6);
}

static void write_rule(buffer *out)
{
    write_string(out, "rule_id", RULE_ID);
    write_string(out, "rule_name", RULE_NAME);
    write_string(out, "rule_version", RULE_VERSION);
    write_string(out, "severity", RULE_SEVERITY);
    write_json(out, "tactics", TACTICS);
    write_json(out, "techniques", TECHNIQUES);
    write_json(out, "sub_techniques", SUB_TECHNIQUES);
}

static void write_query_columns(const alert *self, buffer *out)
{
    const audit_record *r = self->record;

    write_time(out, "time_generated", self->time_generated);
    json_write_member(out, "operation_name", r->operation_name);
    json_write_member(out, "actor", r->actor);
    json_write_member(out, "source_ip", r->source_ip);
    json_write_member(out, "target_upn", self->target.upn);
    write_target_resources(out, "target_resources", &self->target);
    json_write_member(out, "result", r->result);
}

/*
 * What was registered, from words in the reason or the operation. The first
 * that fits counts: "passwordless phone sign-in" is the authenticator app's.
 */
static const char *method_in(text words)
{
    static const struct {
        text word;
        const char *method;
    } methods[] = {
        {TEXT("temporary access pass"), "temporary_access_pass"},
        {TEXT("temporaryaccesspass"), "temporary_access_pass"},
        {TEXT("passwordless"), "authenticator"},
        {TEXT("authenticator"), "authenticator"},
        {TEXT("fido2"), "fido2"},
        {TEXT("passkey"), "fido2"},
        {TEXT("security key"), "fido2"},
        {TEXT("oath"), "oath"},
        {TEXT("software token"), "oath"},
        {TEXT("hardware token"), "oath"},
        {TEXT("email"), "email"},
        {TEXT("mobile app"), "authenticator"},
        {TEXT("phone"), "phone"},
        {TEXT("mobile"), "phone"},
        {TEXT("password"), "password"},
    };

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (kql_contains(words, methods[i].word, SEMANTICS_KQL))
            return methods[i].method;
    return NULL;
}

static text property_name(json *property)
{
    return json_string(json_member(property, "displayName"));
}

/* The target's first modified property that names a method. */
static const char *method_of_properties(json *properties)
{
    const char *method = NULL;

    for (size_t i = 0; method == NULL && i < json_array_length(properties); i++)
        method = method_in(property_name(json_array_item(properties, i)));
    return method;
}

static const char *method_of(const alert *self, json *properties)
{
    const char *method = method_in(self->record->result_reason);

    if (method == NULL)
        method = method_of_properties(properties);
    if (method == NULL)
        method = method_in(self->record->operation_name);
    if (method == NULL)
        method = self->record->result_reason.length > 0 ? "other" : "";
    return method;
}

/* newValue is JSON inside a string: "\"Multiple\"" means Multiple. */
static text without_quotes(text t)
{
    if (t.length >= 2 && t.bytes[0] == '"' && t.bytes[t.length - 1] == '"')
        return (text){t.bytes + 1, t.length - 2};
    return t;
}

static bool ends_with(text t, text end)
{
    return t.length >= end.length && text_equal(text_from(t, t.length - end.length), end);
}

/* TemporaryAccessPass.Id; newer records: TemporaryAccessPass.TemporaryAccessPass.Id. */
static text tap_property(json *properties, text last_step)
{
    static const text prefix = TEXT("TemporaryAccessPass.");

    for (size_t i = 0; i < json_array_length(properties); i++) {
        json *property = json_array_item(properties, i);
        text name = property_name(property);

        if (kql_startswith(name, prefix, SEMANTICS_KQL) && ends_with(name, last_step))
            return without_quotes(json_string(json_member(property, "newValue")));
    }
    return (text)TEXT("");
}

/* A time in our own form if it is one, else as it stands. */
static void write_found_time(buffer *out, const char *key, text written)
{
    timestamp t;

    if (timestamp_parse(written, &t))
        write_time(out, key, t);
    else
        json_write_member(out, key, written);
}

static void write_tap(buffer *out, json *properties)
{
    json_write_key(out, "tap");
    buffer_append_char(out, '{');
    json_write_member(out, "id", tap_property(properties, (text)TEXT(".Id")));
    write_found_time(out, "start", tap_property(properties, (text)TEXT(".StartDateTime")));
    write_found_time(out, "end", tap_property(properties, (text)TEXT(".EndDateTime")));
    json_write_member(out, "usage", tap_property(properties, (text)TEXT(".AccessPassUsage")));
    buffer_append_char(out, '}');
}

static void write_details(const alert *self, buffer *out)
{
    json *properties = json_member(self->target.value, "modifiedProperties");

    json_write_member(out, "target_id", self->target.id);
    json_write_member(out, "actor_id", self->record->actor_id);
    json_write_member(out, "result_reason", self->record->result_reason);
    write_string(out, "method", method_of(self, properties));
    write_tap(out, properties);
    json_write_member(out, "caller_ip", self->record->caller_ip);
    write_matched_by(out, "matched_by", self->matched_by);
    write_boolean(out, "kql", self->kql);
    write_string(out, "confidence", self->degraded ? "degraded" : "exact");
    write_boolean(out, "late", self->late);
}

static void write_origin(const alert *self, buffer *out)
{
    json_write_member(out, "record_id", self->record->record_id);
    json_write_member(out, "correlation_id", self->record->correlation_id);
    json_write_member(out, "tenant_id", self->record->tenant_id);
    json_write_member(out, "logged_by_service", self->record->logged_by_service);
    write_time(out, "detected_at", self->detected_at);
    json_write_member(out, "collector", self->collector);
}

/* Begins an entity; its $id counts from 1. The caller closes the object. */
static void begin_entity(buffer *out, unsigned *id, const char *type)
{
    char written[16];

    snprintf(written, sizeof(written), "%u", ++*id);
    json_write_item(out);
    buffer_append_char(out, '{');
    write_string(out, "$id", written);
    write_string(out, "Type", type);
}

static void write_account(buffer *out, unsigned *id, text full_name, text object_id)
{
    const char *at = full_name.length ? memchr(full_name.bytes, '@', full_name.length) : NULL;
    size_t name_length = at ? (size_t)(at - full_name.bytes) : full_name.length;
    text suffix = text_from(full_name, at ? name_length + 1 : name_length);

    if (full_name.length == 0)
        return;
    begin_entity(out, id, "account");
    json_write_member(out, "FullName", full_name);
    json_write_member(out, "Name", (text){full_name.bytes, name_length});
    json_write_member(out, "UPNSuffix", suffix);
    json_write_member(out, "AadUserId", object_id);
    buffer_append_char(out, '}');
}

static void write_entities(const alert *self, buffer *out)
{
    unsigned id = 0;

    json_write_key(out, "entities");
    buffer_append_char(out, '[');
    write_account(out, &id, self->target.upn, self->target.id);
    write_account(out, &id, self->record->actor, self->record->actor_id);
    if (self->record->source_ip.length > 0) {
        begin_entity(out, &id, "ip");
        json_write_member(out, "Address", self->record->source_ip);
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}

static void write_custom_details(const alert *self, buffer *out)
{
    json_write_key(out, "custom_details");
    buffer_append_char(out, '{');
    json_write_member(out, "Operation", self->record->operation_name);
    json_write_member(out, "Actor", self->record->actor);
    json_write_member(out, "Target", self->target.upn);
    buffer_append_char(out, '}');
}

static void write_incident(const alert_incident *incident, buffer *out)
{
    char count[16];

    json_write_key(out, "incident");
    if (incident->id[0] == '\0') {
        buffer_append_string(out, "null");
        return;
    }
    snprintf(count, sizeof(count), "%u", incident->alert_count);
    buffer_append_char(out, '{');
    write_string(out, "id", incident->id);
    write_boolean(out, "new", incident->is_new);
    write_json(out, "alert_count", count);
    write_string(out, "first_alert", incident->first_alert);
    buffer_append_char(out, '}');
}

void alert_write(const alert *self, buffer *out)
{
    buffer_append_char(out, '{');
    write_string(out, "alert_id", self->id);
    write_rule(out);
    write_titles(self, out);
    write_query_columns(self, out);
    write_details(self, out);
    write_origin(self, out);
    write_entities(self, out);
    write_custom_details(self, out);
    write_incident(&self->incident, out);
    buffer_append_char(out, '}');
}

void alert_write_row(const alert *self, buffer *out)
{
    const audit_record *r = self->record;
    char index[24];

    snprintf(index, sizeof(index), "%zu", self->target.index);
    buffer_append_char(out, '{');
    write_time(out, "TimeGenerated", self->time_generated);
    json_write_member(out, "OperationName", r->operation_name);
    json_write_member(out, "Actor", r->actor);
    json_write_member(out, "SourceIP", r->source_ip);
    json_write_member(out, "TargetUpn", self->target.upn);
    write_target_resources(out, "TargetResources", &self->target);
    json_write_member(out, "Result", r->result);
    json_write_member(out, "Id", r->record_id);
    json_write_member(out, "TargetId", self->target.id);
    write_json(out, "TargetIndex", index);
    write_matched_by(out, "MatchedBy", self->matched_by);
    write_boolean(out, "Kql", self->kql);
    buffer_append_char(out, '}');
}
