/* SPDX-License-Identifier: Apache-2.0 */
/* alert: the JSON of an alert and of a query's row, member by member. */
#include "rule/alert.h"

#include <stdio.h>

#include "rule/alert_cut.h"
#include "rule/selftest.h"

/* An alert under way. */
typedef struct writer {
    buffer *out;
    text target_resources; /* as JSON */
    bool cut;              /* a text did not stand there whole */
} writer;

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
    const char *positions = self->told != NULL ? self->told->positions.bytes : NULL;
    char position[32];

    if (record_id.length == 0) {
        if (self->content_hash[0] == '\0' && !hash_content(r, self->content_hash))
            return false;
        record_id = text_of(self->content_hash);
    }
    if (self->more > 0)
        snprintf(position, sizeof(position), "%zu more", self->more);
    else
        snprintf(position, sizeof(position), "%zu", self->target.index);
    digest_uuid((text[]){rule_id(self->rule), r->tenant_id, record_id, self->target.id,
                         self->target.upn,
                         text_of(positions != NULL && self->more == 0 ? positions : position)},
                6, self->id);
    return true;
}

/* --- members that are short --- */

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

/* --- members whose length a record decides --- */

static text cut_text(writer *w, text t, size_t most)
{
    return alert_cut(t, most, &w->cut);
}

static void write_text(writer *w, const char *key, text value)
{
    json_write_member(w->out, key, cut_text(w, value, ALERT_MOST_TEXT));
}

/* What is cut is no JSON any more: then it is a string, the beginning of its JSON. */
static void write_target_resources(writer *w, const char *key)
{
    json_write_key(w->out, key);
    if (w->target_resources.length <= ALERT_MOST_TARGET_RESOURCES)
        buffer_append(w->out, w->target_resources);
    else
        json_write_string(w->out, cut_text(w, w->target_resources, ALERT_MOST_TARGET_RESOURCES));
}

static void write_matched_by(buffer *out, const char *key, const alert *self)
{
    unsigned matched_by = self->matched_by;

    json_write_key(out, key);
    buffer_append_char(out, '[');
    if (self->told != NULL)
        buffer_append(out, self->told->terms);
    for (rule_reason c = 0; c < RULE_REASONS; c++) {
        if (matched_by & (1u << c)) {
            json_write_item(out);
            json_write_string(out, text_of(reason_name(c)));
        }
    }
    buffer_append_char(out, ']');
}

/* What the built-in rule's formats name. */
static text column_of(const alert *self, const kql_column *column)
{
    const struct {
        const char *name;
        text value;
    } columns[] = {{"TargetUpn", self->target.upn},
                   {"OperationName", self->record->operation_name},
                   {"Actor", self->record->actor}};

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        if (text_equal(column->name, text_of(columns[i].name)))
            return columns[i].value;
    return (text)TEXT("");
}

static void write_format(writer *w, const char *key, const alert *self, const rule_format *format)
{
    buffer sentence = {0};

    for (size_t i = 0; i < format->count; i++) {
        const rule_piece *piece = &format->pieces[i];

        buffer_append(&sentence, cut_text(w, piece->words, ALERT_MOST_TEXT));
        if (piece->column != NULL)
            buffer_append(&sentence, cut_text(w, column_of(self, piece->column), ALERT_MOST_TEXT));
    }
    write_text(w, key, buffer_text(&sentence));
    w->out->failed |= buffer_failed(&sentence);
    buffer_free(&sentence);
}

/* One alert for all rows of a message that are too many. */
static void write_titles_of_more(text name, size_t more, buffer *out)
{
    char written[300];

    snprintf(written, sizeof(written), "%.*s: %zu more rows of one message",
             (int)(name.length < 200 ? name.length : 200), name.bytes, more);
    write_string(out, "display_name", written);
    snprintf(
        written, sizeof(written),
        "%zu more rows of one message match. The first of them is told of here; as many as may "
        "be alerts of one message have gone before.",
        more);
    write_string(out, "description", written);
}

static void write_titles(const alert *self, writer *w)
{
    static const text of_the_built_in = TEXT("TAP / security-info change on sync accounts");
    const rule_facts *facts = rule_get_facts(self->rule);

    if (self->more > 0) {
        write_titles_of_more(rule_is_built_in(self->rule) ? of_the_built_in : facts->name,
                             self->more, w->out);
    } else if (rule_is_built_in(self->rule)) {
        write_format(w, "display_name", self, &facts->display_name);
        write_format(w, "description", self, &facts->description_format);
    } else {
        write_text(w, "display_name", self->told ? self->told->display_name : facts->name);
        write_text(w, "description", self->told ? self->told->description : facts->description);
    }
}

static void write_texts(buffer *out, const char *key, rule_texts texts)
{
    json_write_key(out, key);
    buffer_append_char(out, '[');
    for (size_t i = 0; i < texts.count; i++) {
        json_write_item(out);
        json_write_string(out, texts.all[i]);
    }
    buffer_append_char(out, ']');
}

static void write_rule(const alert *self, buffer *out)
{
    const rule_facts *facts = rule_get_facts(self->rule);

    json_write_member(out, "rule_id", facts->id);
    json_write_member(out, "rule_name", facts->name);
    json_write_member(out, "rule_version", facts->version);
    json_write_member(out, "severity", self->told ? self->told->severity : facts->severity);
    if (self->told == NULL) {
        write_texts(out, "tactics", facts->tactics);
    } else {
        json_write_key(out, "tactics");
        buffer_append(out, self->told->tactics);
    }
    write_texts(out, "techniques", facts->techniques);
    write_texts(out, "sub_techniques", facts->sub_techniques);
}

static void write_query_columns(const alert *self, writer *w)
{
    const audit_record *r = self->record;

    write_time(w->out, "time_generated", self->time_generated);
    write_text(w, "operation_name", r->operation_name);
    write_text(w, "actor", r->actor);
    write_text(w, "source_ip", r->source_ip);
    write_text(w, "target_upn", self->target.upn);
    write_target_resources(w, "target_resources");
    write_text(w, "result", r->result);
}

/* A time in our own form if it is one, else as it stands. */
static void write_found_time(writer *w, const char *key, text written)
{
    timestamp t;

    if (timestamp_parse(written, &t))
        write_time(w->out, key, t);
    else
        write_text(w, key, written);
}

static void write_tap(writer *w, const registration *registered)
{
    json_write_key(w->out, "tap");
    buffer_append_char(w->out, '{');
    write_text(w, "id", registered->pass_id);
    write_found_time(w, "start", registered->pass_start);
    if (registered->lifetime_end != 0)
        write_time(w->out, "end", registered->lifetime_end);
    else
        write_found_time(w, "end", registered->pass_end);
    write_text(w, "usage", registered->pass_usage);
    buffer_append_char(w->out, '}');
}

static void write_details(const alert *self, writer *w)
{
    write_text(w, "target_id", self->target.id);
    write_text(w, "actor_id", self->record->actor_id);
    write_text(w, "result_reason", self->record->result_reason);
    write_text(w, "method", self->registration.method);
    write_tap(w, &self->registration);
    write_text(w, "caller_ip", self->record->caller_ip);
    write_matched_by(w->out, "matched_by", self);
    write_boolean(w->out, "kql", self->kql);
    write_string(w->out, "confidence", self->degraded ? "degraded" : "exact");
    write_boolean(w->out, "late", self->late);
}

static void write_origin(const alert *self, writer *w)
{
    write_text(w, "record_id", self->record->record_id);
    write_text(w, "correlation_id", self->record->correlation_id);
    write_text(w, "tenant_id", self->record->tenant_id);
    write_text(w, "logged_by_service", self->record->logged_by_service);
    write_time(w->out, "detected_at", self->detected_at);
    write_text(w, "collector", self->collector);
}

/* Begins an entity; its $id counts from 1. The caller closes the object. */
static void begin_entity(writer *w, unsigned *id, const char *type)
{
    char written[16];

    snprintf(written, sizeof(written), "%u", ++*id);
    json_write_item(w->out);
    buffer_append_char(w->out, '{');
    write_string(w->out, "$id", written);
    write_string(w->out, "Type", type);
}

static void write_account(writer *w, unsigned *id, text full_name, text object_id)
{
    const char *at = full_name.length ? memchr(full_name.bytes, '@', full_name.length) : NULL;
    size_t name_length = at ? (size_t)(at - full_name.bytes) : full_name.length;
    text suffix = text_from(full_name, at ? name_length + 1 : name_length);

    if (full_name.length == 0)
        return;
    begin_entity(w, id, "account");
    write_text(w, "FullName", full_name);
    write_text(w, "Name", (text){full_name.bytes, name_length});
    write_text(w, "UPNSuffix", suffix);
    write_text(w, "AadUserId", object_id);
    buffer_append_char(w->out, '}');
}

static void write_entities(const alert *self, writer *w)
{
    unsigned id = 0;

    json_write_key(w->out, "entities");
    if (self->told != NULL) {
        buffer_append(w->out, self->told->entities);
        return;
    }
    buffer_append_char(w->out, '[');
    write_account(w, &id, self->target.upn, self->target.id);
    write_account(w, &id, self->record->actor, self->record->actor_id);
    if (self->record->source_ip.length > 0) {
        begin_entity(w, &id, "ip");
        write_text(w, "Address", self->record->source_ip);
        buffer_append_char(w->out, '}');
    }
    buffer_append_char(w->out, ']');
}

static void write_custom_details(const alert *self, writer *w)
{
    json_write_key(w->out, "custom_details");
    if (self->told != NULL) {
        buffer_append(w->out, self->told->details);
        return;
    }
    buffer_append_char(w->out, '{');
    write_text(w, "Operation", self->record->operation_name);
    write_text(w, "Actor", self->record->actor);
    write_text(w, "Target", self->target.upn);
    buffer_append_char(w->out, '}');
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

/* The query's projection, under its names and in its order. */
static void write_columns(const alert *self, writer *w)
{
    const audit_record *r = self->record;

    json_write_key(w->out, "columns");
    buffer_append_char(w->out, '{');
    if (!rule_is_built_in(self->rule)) {
        buffer_append(w->out, self->told ? self->told->columns : (text)TEXT(""));
        buffer_append_char(w->out, '}');
        return;
    }
    write_time(w->out, "TimeGenerated", self->time_generated);
    write_text(w, "OperationName", r->operation_name);
    write_text(w, "Actor", r->actor);
    write_text(w, "SourceIP", r->source_ip);
    write_text(w, "TargetUpn", self->target.upn);
    write_target_resources(w, "TargetResources");
    write_text(w, "Result", r->result);
    buffer_append_char(w->out, '}');
}

/* Just these members, in this order? */
static bool has_members(json *object, const char *const *names, size_t count)
{
    json_members all = json_members_of(object);
    const char *name;
    json *value;
    size_t n = 0;

    while (json_next_member(&all, &name, &value))
        if (n == count || strcmp(name, names[n++]) != 0)
            return false;
    return n == count;
}

bool alert_is_part(json *object)
{
    static const char *const columns[] = {"TimeGenerated", "OperationName",   "Actor", "SourceIP",
                                          "TargetUpn",     "TargetResources", "Result"};
    static const char *const details[] = {"Operation", "Actor", "Target"};

    return has_members(object, columns, sizeof(columns) / sizeof(columns[0])) ||
           has_members(object, details, sizeof(details) / sizeof(details[0]));
}

static void write_members(const alert *self, writer *w)
{
    write_string(w->out, "alert_id", self->id);
    write_rule(self, w->out);
    write_titles(self, w);
    write_query_columns(self, w);
    write_details(self, w);
    write_origin(self, w);
    write_entities(self, w);
    write_custom_details(self, w);
    write_incident(&self->incident, w->out);
    write_columns(self, w);
    write_boolean(w->out, "selftest", selftest_is(self->record, &self->target));
    write_boolean(w->out, "cut", w->cut);
}

bool alert_write(const alert *self, buffer *out)
{
    buffer target_resources = {0};
    writer w = {.out = out, .cut = self->told != NULL && self->told->cut};

    audit_target_write(&self->target, &target_resources);
    w.target_resources = buffer_text(&target_resources);
    buffer_append_char(out, '{');
    write_members(self, &w);
    buffer_append_char(out, '}');
    out->failed |= buffer_failed(&target_resources);
    buffer_free(&target_resources);
    return w.cut;
}

text alert_text(const alert *self, buffer *out)
{
    if (self->written.length > 0)
        return self->written;
    buffer_clear(out);
    alert_write(self, out);
    return buffer_text(out);
}

static void write_built_in_row(const alert *self, buffer *out)
{
    const audit_record *r = self->record;

    write_time(out, "TimeGenerated", self->time_generated);
    json_write_member(out, "OperationName", r->operation_name);
    json_write_member(out, "Actor", r->actor);
    json_write_member(out, "SourceIP", r->source_ip);
    json_write_member(out, "TargetUpn", self->target.upn);
    json_write_key(out, "TargetResources");
    audit_target_write(&self->target, out);
    json_write_member(out, "Result", r->result);
}

/* A rule file's own column keeps its name: a key stands once. */
static bool has_column(const alert *self, const char *name)
{
    return self->told != NULL &&
           kql_find_column(plan_columns(rule_get_plan(self->rule)), text_of(name)) != NULL;
}

void alert_write_row(const alert *self, buffer *out)
{
    char index[24];

    snprintf(index, sizeof(index), "%zu", self->target.index);
    buffer_append_char(out, '{');
    if (self->told != NULL)
        buffer_append(out, self->told->row);
    else
        write_built_in_row(self, out);
    if (!has_column(self, "Id"))
        json_write_member(out, "Id", self->record->record_id);
    if (!has_column(self, "TargetId"))
        json_write_member(out, "TargetId", self->target.id);
    if (!has_column(self, "TargetIndex"))
        write_json(out, "TargetIndex", index);
    if (!has_column(self, "MatchedBy"))
        write_matched_by(out, "MatchedBy", self);
    if (!has_column(self, "Kql"))
        write_boolean(out, "Kql", self->kql);
    buffer_append_char(out, '}');
}
