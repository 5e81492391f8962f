/* SPDX-License-Identifier: Apache-2.0 */
/* selftest: what is written, and what it is told by. */
#include "rule/selftest.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

const text SELFTEST_TENANT = TEXT("73796e63-7461-8070-8000-73656c667465");
const text SELFTEST_DOMAIN = TEXT("@selftest.invalid");
const text SELFTEST_TARGET_ID = TEXT("73796e63-7461-8070-8000-746172676574");
static const text ID = TEXT("synctap-selftest-");
static const char REASON[] = "Admin registered temporary access pass method for user";

void selftest_make_id(timestamp now, uint64_t chance, char id[static SELFTEST_ID_SIZE])
{
    snprintf(id, SELFTEST_ID_SIZE, "%s%" PRIx64 "-%016" PRIx64, ID.bytes, (uint64_t)now, chance);
}

static bool ends_with(text t, text end)
{
    return t.length >= end.length && text_equal(text_from(t, t.length - end.length), end);
}

bool selftest_is(const audit_record *record, const audit_target *target)
{
    return text_equal(record->tenant_id, SELFTEST_TENANT) &&
           text_begins_with(record->record_id, ID.bytes) && ends_with(target->upn, SELFTEST_DOMAIN);
}

/* --- the record --- */

static void append_first(const rule *r, rule_list list, const char *behind, buffer *out)
{
    size_t count;
    const text *strings = rule_get_list(r, list, &count);

    if (count == 0)
        return;
    buffer_append(out, strings[0]);
    buffer_append_string(out, behind);
}

static void write_first(const rule *r, rule_list list, const char *key, buffer *out)
{
    buffer first = {0};

    append_first(r, list, "", &first);
    json_write_member(out, key, buffer_text(&first));
    out->failed |= buffer_failed(&first);
    buffer_free(&first);
}

/* "Sync_DirSync_selftest@selftest.invalid": what each list of names looks for. */
static void write_target(const rule *r, buffer *out)
{
    buffer upn = {0};

    append_first(r, RULE_UPN_STARTSWITH, "", &upn);
    append_first(r, RULE_UPN_CONTAINS, "_", &upn);
    if (upn.length == 0)
        append_first(r, RULE_UPN_HAS, " ", &upn);
    buffer_append_string(&upn, "selftest");
    buffer_append(&upn, SELFTEST_DOMAIN);
    json_write_key(out, "targetResources");
    buffer_append_string(out, "[{");
    json_write_member(out, "id", SELFTEST_TARGET_ID);
    json_write_member(out, "displayName", (text)TEXT("synctap selftest"));
    json_write_member(out, "type", (text)TEXT("User"));
    json_write_member(out, "userPrincipalName", buffer_text(&upn));
    buffer_append_string(out, ",\"modifiedProperties\":[]}]");
    out->failed |= buffer_failed(&upn);
    buffer_free(&upn);
}

static void write_initiator(const char *host, buffer *out)
{
    buffer name = {0};

    buffer_append_string(&name, "synctap selftest on ");
    buffer_append_string(&name, host);
    json_write_key(out, "initiatedBy");
    buffer_append_string(out, "{\"user\":null,\"app\":{");
    json_write_member(out, "displayName", buffer_text(&name));
    buffer_append_string(out, "}}");
    out->failed |= buffer_failed(&name);
    buffer_free(&name);
}

static void write_properties(const rule *r, const char *id, const char *host, const char *time,
                             buffer *out)
{
    json_write_key(out, "properties");
    buffer_append_char(out, '{');
    json_write_member(out, "id", text_of(id));
    json_write_member(out, "category", (text)TEXT("UserManagement"));
    json_write_member(out, "correlationId", text_of(id));
    json_write_member(out, "result", (text)TEXT("success"));
    json_write_member(out, "resultReason", text_of(REASON));
    write_first(r, RULE_OPERATIONS, "activityDisplayName", out);
    json_write_member(out, "activityDateTime", text_of(time));
    json_write_member(out, "loggedByService", (text)TEXT("synctap selftest"));
    write_initiator(host, out);
    write_target(r, out);
    buffer_append_string(out, ",\"additionalDetails\":[]}");
}

void selftest_write(const rule *r, const char *id, const char *host, timestamp now, buffer *out)
{
    char time[TIMESTAMP_TEXT_SIZE];

    timestamp_format(now, time);
    buffer_append_char(out, '{');
    json_write_member(out, "time", text_of(time));
    write_first(r, RULE_OPERATIONS, "operationName", out);
    json_write_member(out, "category", (text)TEXT("AuditLogs"));
    json_write_member(out, "tenantId", SELFTEST_TENANT);
    json_write_member(out, "correlationId", text_of(id));
    write_properties(r, id, host, time, out);
    buffer_append_char(out, '}');
}
