/* SPDX-License-Identifier: Apache-2.0 */
/* fixtures: templates of records, and objects with their clean-up. */
#include "fixtures.h"

#include "state/packed_text.h"
#include "test.h"

/* --- audit records --- */

static const char initiated_by[] =
    "{'user':{'id':'" ACTOR_ID "','displayName':null,'userPrincipalName':'" ACTOR_UPN
    "','ipAddress':'203.0.113.7'}}";

static const char reason[] = "Admin registered temporary access pass method for user";

static const char *target_resources(const audit_parts *p)
{
    return test_string("[{'id':'%s','displayName':'On-Prem Sync','type':'User',"
                       "'userPrincipalName':'%s','modifiedProperties':[]}]",
                       p->target_id, p->upn);
}

static const char *diagnostic_text(const audit_parts *p)
{
    return test_string("{'time':'%s','operationName':'%s','category':'AuditLogs',"
                       "'tenantId':'" TENANT_ID "','callerIpAddress':'198.51.100.9',"
                       "'correlationId':'correlation-1','level':4,'properties':{'id':'%s',"
                       "'activityDisplayName':'%s','activityDateTime':'%s','result':'success',"
                       "'resultReason':'%s','loggedByService':'Authentication Methods',"
                       "'initiatedBy':%s,'targetResources':%s}}",
                       p->time, p->operation, p->record_id, p->operation, p->time, reason,
                       initiated_by, target_resources(p));
}

static const char *log_analytics_text(const audit_parts *p)
{
    return test_string("{'TenantId':'workspace','TimeGenerated':'%s','OperationName':'%s',"
                       "'AADTenantId':'" TENANT_ID "','CorrelationId':'correlation-1',"
                       "'Id':'%s','ActivityDisplayName':'%s','ActivityDateTime':'%s',"
                       "'Result':'success','ResultReason':'%s',"
                       "'LoggedByService':'Authentication Methods',"
                       "'InitiatedBy':%s,'TargetResources':%s,'Type':'AuditLogs'}",
                       p->time, p->operation, p->record_id, p->operation, p->time, reason,
                       initiated_by, target_resources(p));
}

static const char *directory_audit_text(const audit_parts *p)
{
    return test_string("{'id':'%s','category':'UserManagement','correlationId':'correlation-1',"
                       "'result':'success','resultReason':'%s','activityDisplayName':'%s',"
                       "'activityDateTime':'%s','loggedByService':'Authentication Methods',"
                       "'initiatedBy':%s,'targetResources':%s,'additionalDetails':[]}",
                       p->record_id, reason, p->operation, p->time, initiated_by,
                       target_resources(p));
}

static const char *or_else(const char *given, const char *otherwise)
{
    return given != NULL ? given : otherwise;
}

const char *audit_text(audit_shape shape, audit_parts parts)
{
    const audit_parts p = {
        .operation = or_else(parts.operation, "Admin registered security info"),
        .time = or_else(parts.time, "2026-06-01T12:00:00Z"),
        .upn = or_else(parts.upn, SYNC_UPN),
        .target_id = or_else(parts.target_id, TARGET_ID),
        .record_id = or_else(parts.record_id, "record-1"),
    };

    switch (shape) {
    case SHAPE_DIAGNOSTIC:
        return quoted(diagnostic_text(&p));
    case SHAPE_LOG_ANALYTICS:
        return quoted(log_analytics_text(&p));
    default:
        return quoted(directory_audit_text(&p));
    }
}

static void give_back_parser(void *p)
{
    json_parser_free(p);
}

static void give_back_record(void *r)
{
    audit_record_release(r);
}

static audit_result read_object(json *object, semantics view, audit_record *record)
{
    audit_reader reader = {test_arena(), json_parser_new(JSON_MOST_DEPTH)};
    audit_result reading;

    REQUIRE(reader.parser != NULL);
    test_at_end(give_back_parser, reader.parser);
    reading = audit_record_read(object, view, &reader, record);
    if (reading != AUDIT_RECORD)
        return reading;
    return audit_record_read_rest(record, &reader) ? AUDIT_RECORD : AUDIT_OUT_OF_MEMORY;
}

static const audit_record *record_as(json *object, semantics view)
{
    audit_record *record = arena_alloc(test_arena(), sizeof(*record));

    REQUIRE(record != NULL && read_object(object, view, record) == AUDIT_RECORD);
    test_at_end(give_back_record, record);
    return record;
}

const audit_record *record_of(json *object)
{
    return record_as(object, SEMANTICS_KQL);
}

const audit_record *wide_record_of(json *object)
{
    return record_as(object, SEMANTICS_WIDE);
}

audit_result reading_of(json *object)
{
    audit_record record;
    audit_result reading = read_object(object, SEMANTICS_KQL, &record);

    audit_record_release(&record);
    return reading;
}

registration registration_of(const audit_record *record, const audit_target *target)
{
    audit_reader reader = {test_arena(), json_parser_new(JSON_MOST_DEPTH)};
    registration told;

    REQUIRE(reader.parser != NULL);
    test_at_end(give_back_parser, reader.parser);
    REQUIRE(registration_read(record, target, &reader, &told));
    return told;
}

audit_target target_of(const audit_record *record, size_t index)
{
    audit_target target;

    REQUIRE(index < audit_record_target_count(record));
    REQUIRE(audit_record_target(record, index, test_arena(), &target));
    return target;
}

/* --- the rule --- */

static void give_back_rule(void *r)
{
    rule_free(r);
}

rule *new_rule(semantics s)
{
    rule *r = rule_new();

    REQUIRE(r != NULL);
    test_at_end(give_back_rule, r);
    rule_set_semantics(r, s);
    return r;
}

/* --- role lists --- */

identity_record identity_row(const char *upn, const char *object_id, const char *roles,
                             const char *time)
{
    return (identity_record){
        .time_generated = time_of(time),
        .account_upn = text_of(upn),
        .account_object_id = text_of(object_id),
        .account_display_name = text_of(""),
        .assigned_roles = text_of(roles),
    };
}

static void give_back_accounts(void *a)
{
    sync_accounts_unref(a);
}

static sync_accounts *kept(sync_accounts *accounts)
{
    REQUIRE(accounts != NULL);
    test_at_end(give_back_accounts, accounts);
    return accounts;
}

sync_accounts *accounts_of(const rule *r, const sync_accounts *old, const identity_record *rows,
                           size_t count)
{
    sync_accounts_edit *edit;

    if (old == NULL)
        old = kept(sync_accounts_new(rule_get_semantics(r)));
    edit = sync_accounts_edit_begin(old);
    REQUIRE(edit != NULL);
    for (size_t i = 0; i < count; i++)
        rule_put_account(r, edit, &rows[i]);
    return kept(sync_accounts_edit_end(edit));
}

static void give_back_store(void *s)
{
    store_close(s);
}

int64_t packed_length(text t)
{
    text_packer *packer = text_packer_new();
    buffer packed = {0};
    int64_t length;

    REQUIRE(packer != NULL);
    REQUIRE(text_pack(packer, t, &packed));
    length = (int64_t)packed.length;
    text_packer_free(packer);
    buffer_free(&packed);
    return length;
}

store *open_store(const char *path)
{
    char *error;
    store *s = store_open(path, STORE_CREATE, &error);

    test_case("%s", error ? error : "");
    REQUIRE(s != NULL);
    test_case("%s", "");
    test_at_end(give_back_store, s);
    return s;
}

static void give_back_role_list(void *list)
{
    role_list_close(list);
}

role_list *open_role_list(store *s)
{
    role_list *list = role_list_open(s);

    REQUIRE(list != NULL);
    test_at_end(give_back_role_list, list);
    return list;
}

void put_rows(role_list *list, const identity_record *rows, size_t count)
{
    REQUIRE(role_list_begin(list));
    for (size_t i = 0; i < count; i++)
        REQUIRE(role_list_put(list, &rows[i]));
    REQUIRE(role_list_commit(list));
}
