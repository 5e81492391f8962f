/* SPDX-License-Identifier: Apache-2.0 */
/* audit_hidden: what could not be read of a record, as the text of a broken one. */
#include "record/audit_record.h"

#include <string.h>

#include "record/audit_shape.h"

static void write_readable_members(const audit_record *record, buffer *out)
{
    const struct {
        const char *key;
        text value;
    } members[] = {
        {"operationName", record->operation_name},
        {"activityDisplayName", record->activity_name},
        {"id", record->record_id},
        {"tenantId", record->tenant_id},
        {"correlationId", record->correlation_id},
        {"loggedByService", record->logged_by_service},
        {"result", record->result},
        {"resultReason", record->result_reason},
        {"callerIpAddress", record->caller_ip},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        if (members[i].value.length > 0)
            json_write_member(out, members[i].key, members[i].value);
}

static void write_time(const audit_record *record, buffer *out)
{
    char written[TIMESTAMP_TEXT_SIZE];

    if (!record->has_time)
        return;
    timestamp_format(record->time_generated, written);
    json_write_member(out, "time", text_of(written));
}

static void write_initiator(const audit_record *record, buffer *out)
{
    json_write_key(out, "initiatedBy");
    buffer_append_string(out, "{\"user\":{");
    json_write_member(out, "id", record->actor_id);
    json_write_member(out, "userPrincipalName", record->actor);
    json_write_member(out, "ipAddress", record->source_ip);
    buffer_append_string(out, "}}");
}

/* PowerShell's `@{id=1; type=User}` beyond its -Depth, as the object that it was. */
static void write_powershell(buffer *out, text t)
{
    t = text_from(t, 2);
    buffer_append_char(out, '{');
    while (t.length > 0) {
        const char *next = memmem(t.bytes, t.length, "; ", 2);
        text pair = next ? text_between(t.bytes, next) : t;
        const char *equals = memchr(pair.bytes, '=', pair.length);

        t = text_from(t, pair.length + (next != NULL ? 2 : 0));
        if (next == NULL && pair.length > 0 && pair.bytes[pair.length - 1] == '}')
            pair.length--;
        json_write_item(out);
        json_write_string(out, equals ? text_between(pair.bytes, equals) : pair);
        if (equals == NULL)
            continue;
        buffer_append_char(out, ':');
        json_write_string(out, text_between(equals + 1, pair.bytes + pair.length));
    }
    buffer_append_char(out, '}');
}

static void write_hidden_text(buffer *out, text t, int level);

/* JSON in a string that holds another: its quotes were escaped once more. */
static void write_unescaped(buffer *out, text t, int level)
{
    buffer inner = {0};

    for (size_t i = 0; i < t.length; i++) {
        if (t.bytes[i] == '\\' && i + 1 < t.length)
            i++;
        buffer_append_char(&inner, t.bytes[i]);
    }
    write_hidden_text(out, buffer_text(&inner), level + 1);
    out->failed |= buffer_failed(&inner);
    buffer_free(&inner);
}

static void write_hidden_text(buffer *out, text t, int level)
{
    enum { MOST_LEVELS = 3 };

    if (kql_startswith(t, (text)TEXT("@{"), SEMANTICS_KQL))
        write_powershell(out, t);
    else if (t.length > 0 && (t.bytes[0] == '{' || t.bytes[0] == '['))
        buffer_append(out, t);
    else if (t.length > 0 && t.bytes[0] == '"' && level < MOST_LEVELS)
        write_unescaped(out, text_from(t, 1), level);
    else
        json_write_string(out, t);
}

static void write_hidden_value(buffer *out, json *value)
{
    if (json_kind_of(value) == JSON_STRING)
        write_hidden_text(out, json_string(value), 0);
    else
        json_write_value(out, value);
}

static void write_hidden_targets(const audit_record *record, buffer *out)
{
    json_write_key(out, "targetResources");
    buffer_append_char(out, '[');
    for (size_t i = 0; i < record->targets.count; i++) {
        json *target = json_list_item(&record->targets, i);

        if (!audit_is_hidden_target(target))
            continue;
        json_write_item(out);
        write_hidden_value(out, target);
    }
}

/* Nothing is closed at the end: it is the end of a broken text. */
void audit_record_write_hidden(const audit_record *record, buffer *out)
{
    buffer_append_char(out, '{');
    write_time(record, out);
    write_readable_members(record, out);
    write_initiator(record, out);
    if (record->hidden == NULL) {
        write_hidden_targets(record, out);
        return;
    }
    json_write_key(out, record->is_hidden_above ? "properties" : "targetResources");
    write_hidden_value(out, record->hidden);
}
