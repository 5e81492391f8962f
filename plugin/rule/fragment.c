/* SPDX-License-Identifier: Apache-2.0 */
/* fragment: the strings of a broken text, one after the other, with the keys they stand under. */
#include "rule/fragment.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistr.h>

/* Which part of a record a string stands in, told by the last key that opened one. */
typedef enum section { SECTION_RECORD, SECTION_INITIATOR, SECTION_TARGETS } section;

/* A string, or what stands between two of them. */
typedef struct token {
    text text;
    text key;       /* the key that it is the value of; empty: none */
    bool is_closed; /* its end is in the text */
    section section;
} token;

typedef struct reading {
    const rule *rule;
    const sync_accounts *accounts;
    timestamp now;
    fragment *result;
    bool has_operation;
    unsigned by_operation; /* reasons */
    unsigned by_account;
    section matched_in;
} reading;

/* --- escapes --- */

static size_t put_code_point(char *to, uint32_t c)
{
    int length = u8_uctomb((uint8_t *)to, c, 4);

    return length > 0 ? (size_t)length : 0;
}

static bool read_hex(text t, size_t at, uint32_t *value)
{
    char digits[5] = {0};
    char *end;

    if (t.length - at < 4)
        return false;
    memcpy(digits, t.bytes + at, 4);
    *value = (uint32_t)strtoul(digits, &end, 16);
    return end == digits + 4;
}

/*
 * The text without JSON's escapes, at any level of strings in strings: a run
 * of backslashes goes, \uXXXX becomes its character (never longer than its
 * escape), \n and the like a blank.
 */
static text without_escapes(text t, arena *memory)
{
    char *flat = arena_alloc(memory, t.length + 4);
    size_t length = 0, at = 0;
    uint32_t c;

    if (flat == NULL)
        return (text){NULL, 0};
    while (at < t.length) {
        if (t.bytes[at] != '\\') {
            flat[length++] = t.bytes[at++];
            continue;
        }
        while (at < t.length && t.bytes[at] == '\\')
            at++;
        if (at == t.length)
            break;
        if (t.bytes[at] == 'u' && read_hex(t, at + 1, &c)) {
            length += put_code_point(flat + length, c);
            at += 5;
        } else {
            char plain = t.bytes[at++];
            flat[length++] = plain != '\0' && strchr("bfnrt", plain) ? ' ' : plain;
        }
    }
    return (text){flat, length};
}

/* --- synctap's own alerts --- */

/*
 * Told by structure: an object that begins with our two keys, and nothing of
 * a record in front of it. Within a record's strings the quotes would be
 * escaped, so no value of a record can look like this.
 */
static bool is_own_alert(text broken)
{
    static const char begin[] = "{\"alert_id\":\"";
    static const char rule_id[] = "\"rule_id\":\"";
    const char *found = memmem(broken.bytes, broken.length, begin, sizeof(begin) - 1);
    text rest;

    if (found == NULL ||
        memmem(broken.bytes, (size_t)(found - broken.bytes), "\"operation", 10) != NULL)
        return false;
    rest = text_between(found, broken.bytes + broken.length);
    found = memmem(rest.bytes, rest.length, rule_id, sizeof(rule_id) - 1);
    return found != NULL &&
           kql_startswith(text_between(found + sizeof(rule_id) - 1, rest.bytes + rest.length),
                          text_of(RULE_ID), SEMANTICS_KQL);
}

/* --- what a string is --- */

static bool is_key(text key, const char *name)
{
    return kql_equals(key, text_of(name), SEMANTICS_KQL);
}

static section section_after(section before, text key)
{
    static const struct {
        const char *key;
        section section;
    } openers[] = {
        {"initiatedBy", SECTION_INITIATOR},    {"initiated_by", SECTION_INITIATOR},
        {"targetResources", SECTION_TARGETS},  {"target_resources", SECTION_TARGETS},
        {"additionalDetails", SECTION_RECORD}, {"additional_details", SECTION_RECORD},
    };

    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++)
        if (is_key(key, openers[i].key))
            return openers[i].section;
    return before;
}

static void set_once(text *field, text value)
{
    if (field->length == 0)
        *field = value;
}

/* The user's UPN, else a display name: KQL's coalesce, as far as it goes here. */
static void take_initiator(audit_record *record, const token *t)
{
    if (is_key(t->key, "userPrincipalName"))
        record->actor = t->text;
    else if (is_key(t->key, "displayName"))
        set_once(&record->actor, t->text);
    else if (is_key(t->key, "id"))
        set_once(&record->actor_id, t->text);
    else if (is_key(t->key, "ipAddress"))
        set_once(&record->source_ip, t->text);
}

static void take_time(audit_record *record, const token *t)
{
    static const char *const keys[] = {"time", "TimeGenerated", "activityDateTime",
                                       "createdDateTime", "@timestamp"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (!record->has_time && is_key(t->key, keys[i]))
            record->has_time = timestamp_parse(t->text, &record->time_generated);
}

static void take_field(audit_record *record, const token *t)
{
    const struct {
        const char *key;
        text *field;
    } fields[] = {
        {"id", &record->record_id},
        {"correlationId", &record->correlation_id},
        {"tenantId", &record->tenant_id},
        {"AADTenantId", &record->tenant_id},
        {"loggedByService", &record->logged_by_service},
        {"result", &record->result},
        {"resultReason", &record->result_reason},
        {"callerIpAddress", &record->caller_ip},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (is_key(t->key, fields[i].key))
            set_once(fields[i].field, t->text);
    take_time(record, t);
}

/* A string that is not closed may be the first part of another: it is worth less. */
static void take_value(reading *r, const token *t)
{
    audit_record *record = &r->result->record;

    if (!t->is_closed || t->key.length == 0)
        return;
    if (t->section == SECTION_INITIATOR)
        take_initiator(record, t);
    else if (t->section == SECTION_RECORD)
        take_field(record, t);
}

static void look_for_operation(reading *r, const token *t)
{
    audit_record shown = {.operation_name = t->text, .activity_name = t->text};

    if (r->has_operation ||
        !rule_is_operation(r->rule, &shown, rule_get_semantics(r->rule), &r->by_operation))
        return;
    r->has_operation = true;
    r->result->record.operation_name = t->text;
}

/* A target is preferred to an account that stands elsewhere in the record. */
static bool is_better_place(const reading *r, const token *t)
{
    return r->by_account == 0 ||
           (r->matched_in != SECTION_TARGETS && t->section == SECTION_TARGETS);
}

/*
 * The string as a target's UPN and as its id. An id in the record proves
 * nothing by its letters: record ids may begin with Sync_.
 */
static void look_for_account(reading *r, const token *t)
{
    const unsigned id_clause = 1u << CLAUSE_IDENTITY_OBJECT_ID;
    const text none = TEXT("");
    audit_target shown = {.upn = t->text, .id = t->text};
    unsigned matched;

    if (t->text.length == 0 || !is_better_place(r, t))
        return;
    matched = rule_match_target(r->rule, r->accounts, &shown, rule_get_semantics(r->rule), r->now);
    if (is_key(t->key, "id"))
        matched &= id_clause;
    if (matched == 0)
        return;
    r->by_account = matched;
    r->matched_in = t->section;
    r->result->target = (audit_target){
        .upn = matched & ~id_clause ? t->text : none,
        .id = matched & ~id_clause ? none : t->text,
    };
}

static void look_at(reading *r, const token *t)
{
    take_value(r, t);
    look_for_operation(r, t);
    look_for_account(r, t);
}

/* --- strings one after the other --- */

static bool is_colon(text between)
{
    while (between.length > 0 && between.bytes[0] == ' ')
        between = text_from(between, 1);
    return between.length > 0 && between.bytes[0] == ':';
}

/* A colon followed by nothing but blanks leads to the next string; else a value of another kind
 * came. */
static bool leads_to_string(text between)
{
    for (size_t i = 0; i < between.length; i++)
        if (between.bytes[i] != ' ' && between.bytes[i] != ':')
            return false;
    return is_colon(between);
}

/* What stands between two quotes is looked at too: escapes may have hidden which is which. */
static void look_at_all(reading *r, text flat)
{
    token t = {.section = SECTION_RECORD};
    text last = {NULL, 0};

    while (flat.length > 0) {
        const char *quote = memchr(flat.bytes, '"', flat.length);
        text piece = quote ? text_between(flat.bytes, quote) : flat;

        if (is_colon(piece))
            t.section = section_after(t.section, last);
        t.key = leads_to_string(piece) ? last : t.key;
        t.text = piece;
        t.is_closed = quote != NULL;
        if (!leads_to_string(piece)) {
            look_at(r, &t);
            t.key = (text){NULL, 0};
            last = piece;
        }
        flat = text_from(flat, piece.length + (quote != NULL));
    }
}

/* Texts that nothing fills are "", as in a record that was read whole. */
static audit_record empty_record(text content)
{
    const text none = TEXT("");

    return (audit_record){
        .content = content,
        .operation_name = none,
        .activity_name = none,
        .actor = none,
        .actor_id = none,
        .source_ip = none,
        .caller_ip = none,
        .result = none,
        .result_reason = none,
        .record_id = none,
        .correlation_id = none,
        .tenant_id = none,
        .logged_by_service = none,
    };
}

fragment_result fragment_read(text broken, const rule *r, const sync_accounts *accounts,
                              timestamp now, arena *memory, fragment *result)
{
    reading under_way = {.rule = r, .accounts = accounts, .now = now, .result = result};
    text flat;

    *result = (fragment){.record = empty_record(broken)};
    if (is_own_alert(broken))
        return FRAGMENT_IS_OWN_ALERT;
    flat = without_escapes(broken, memory);
    if (flat.bytes == NULL)
        return FRAGMENT_OUT_OF_MEMORY;
    look_at_all(&under_way, flat);
    if (!under_way.has_operation || under_way.by_account == 0)
        return FRAGMENT_SHOWS_NOTHING;
    result->matched_by = under_way.by_operation | under_way.by_account;
    return FRAGMENT_MATCHES;
}
