/* SPDX-License-Identifier: Apache-2.0 */
/* audit_record: one table of paths, a row for each shape. */
#include "record/audit_record.h"

#include <ctype.h>
#include <stdlib.h>

enum field {
    OPERATION,
    ACTIVITY,
    TIME,
    TARGETS,
    TARGET_ELSEWHERE,
    INITIATOR,
    IDENTITY,
    CALLER_IP,
    DETAILS,
    RESULT,
    RESULT_REASON,
    RECORD_ID,
    CORRELATION_ID,
    TENANT_ID,
    RESOURCE_ID,
    SERVICE,
    FIELDS
};

enum { MOST_PATHS = 4, MOST_STRING_LEVELS = 3 };

/* The query reads these columns from one place; the other paths are WIDE's. */
static const bool is_query_column[FIELDS] = {
    [OPERATION] = true,
    [TARGETS] = true,
    [INITIATOR] = true,
    [RESULT] = true,
};

typedef struct shape {
    const char *name;
    /* Where each field stands; of several places the first that is not null counts. */
    const char *paths[FIELDS][MOST_PATHS];
    const char *user_upn[MOST_PATHS]; /* below INITIATOR; the first is the query's */
    const char *app_name[MOST_PATHS];
} shape;

#define DIAGNOSTIC_PATHS                                                                           \
    {                                                                                              \
        [OPERATION] = {"operationName"}, [ACTIVITY] = {"properties.activityDisplayName"},          \
        [TIME] = {"time", "properties.activityDateTime"},                                          \
        [TARGETS] = {"properties.targetResources", "targetResources"},                             \
        [TARGET_ELSEWHERE] = {"properties.targetResourceName", "targetResourceName"},              \
        [INITIATOR] = {"properties.initiatedBy", "initiatedBy"}, [IDENTITY] = {"identity"},        \
        [CALLER_IP] = {"callerIpAddress", "properties.callerIpAddress"},                           \
        [DETAILS] = {"properties.additionalDetails"},                                              \
        [RESULT] = {"properties.result", "result", "resultType"},                                  \
        [RESULT_REASON] = {"properties.resultReason", "resultDescription",                         \
                           "properties.resultDescription"},                                        \
        [RECORD_ID] = {"properties.id"},                                                           \
        [CORRELATION_ID] = {"correlationId", "properties.correlationId"},                          \
        [TENANT_ID] = {"tenantId", "properties.tenantId"}, [RESOURCE_ID] = {"resourceId"},         \
        [SERVICE] = {"properties.loggedByService"},                                                \
    }

#define USER_UPN                                                                                   \
    {                                                                                              \
        "user.userPrincipalName"                                                                   \
    }
#define APP_NAME                                                                                   \
    {                                                                                              \
        "app.displayName"                                                                          \
    }

static const shape shapes[AUDIT_SHAPES] = {
    [SHAPE_DIAGNOSTIC_2018] = {.name = "diagnostic record of 2018",
                               .paths = DIAGNOSTIC_PATHS,
                               .user_upn = USER_UPN,
                               .app_name = APP_NAME},
    [SHAPE_DIAGNOSTIC] = {.name = "diagnostic record",
                          .paths = DIAGNOSTIC_PATHS,
                          .user_upn = USER_UPN,
                          .app_name = APP_NAME},
    [SHAPE_LOG_ANALYTICS] =
        {
            .name = "Log Analytics row",
            .paths =
                {
                    [OPERATION] = {"OperationName"},
                    [ACTIVITY] = {"ActivityDisplayName"},
                    [TIME] = {"TimeGenerated", "ActivityDateTime"},
                    [TARGETS] = {"TargetResources"},
                    [TARGET_ELSEWHERE] = {"TargetResourceName"},
                    [INITIATOR] = {"InitiatedBy"},
                    [CALLER_IP] = {"CallerIpAddress"},
                    [DETAILS] = {"AdditionalDetails"},
                    [RESULT] = {"Result", "ResultType"},
                    [RESULT_REASON] = {"ResultReason", "ResultDescription"},
                    [RECORD_ID] = {"Id"},
                    [CORRELATION_ID] = {"CorrelationId"},
                    [TENANT_ID] = {"AADTenantId"},
                    [RESOURCE_ID] = {"ResourceId"},
                    [SERVICE] = {"LoggedByService"},
                },
            .user_upn = USER_UPN,
            .app_name = APP_NAME,
        },
    [SHAPE_ELASTIC] =
        {
            .name = "Elastic azure.auditlogs",
            .paths =
                {
                    [OPERATION] = {"azure.auditlogs.operation_name", "operation_name"},
                    [ACTIVITY] = {"azure.auditlogs.properties.activity_display_name",
                                  "properties.activity_display_name"},
                    [TIME] = {"@timestamp", "azure.auditlogs.properties.activity_datetime",
                              "properties.activity_datetime"},
                    [TARGETS] = {"azure.auditlogs.properties.target_resources",
                                 "properties.target_resources"},
                    [INITIATOR] = {"azure.auditlogs.properties.initiated_by",
                                   "properties.initiated_by"},
                    [CALLER_IP] = {"source.ip", "client.ip"},
                    [DETAILS] = {"azure.auditlogs.properties.additional_details"},
                    [RESULT] = {"event.outcome", "azure.auditlogs.properties.result",
                                "properties.result"},
                    [RESULT_REASON] = {"azure.auditlogs.properties.result_reason",
                                       "properties.result_reason",
                                       "azure.auditlogs.result_description"},
                    [RECORD_ID] = {"azure.auditlogs.properties.id", "properties.id"},
                    [CORRELATION_ID] = {"azure.auditlogs.properties.correlation_id",
                                        "properties.correlation_id", "azure.correlation_id"},
                    [TENANT_ID] = {"azure.tenant_id", "tenant_id"},
                    [RESOURCE_ID] = {"azure.resource.id"},
                    [SERVICE] = {"azure.auditlogs.properties.logged_by_service",
                                 "properties.logged_by_service"},
                },
            .user_upn = {"user.userPrincipalName", "user.user_principal_name"},
            .app_name = {"app.displayName", "app.display_name"},
        },
    [SHAPE_DIRECTORY_AUDIT] =
        {
            .name = "Graph directoryAudit",
            .paths =
                {
                    [OPERATION] = {"activityDisplayName"},
                    [TIME] = {"activityDateTime", "createdDateTime"},
                    [TARGETS] = {"targetResources"},
                    [INITIATOR] = {"initiatedBy"},
                    [DETAILS] = {"additionalDetails"},
                    [RESULT] = {"result"},
                    [RESULT_REASON] = {"resultReason"},
                    [RECORD_ID] = {"id"},
                    [CORRELATION_ID] = {"correlationId"},
                    [TENANT_ID] = {"tenantId"},
                    [SERVICE] = {"loggedByService"},
                },
            .user_upn = USER_UPN,
            .app_name = APP_NAME,
        },
};

/* A record under reading, and what that needs. */
typedef struct reading {
    audit_record *record;
    const audit_reader *reader;
    json *initiator;
    bool out_of_memory;
} reading;

/* --- paths --- */

static json *value_at(audit_record *record, json *from, const char *path)
{
    bool other_case = false;
    json *value;

    if (record->view == SEMANTICS_KQL)
        return json_at(from, path);
    value = json_at_any_case(from, path, &other_case);
    if (other_case && value != NULL)
        record->notes |= NOTE_KEY_CASE;
    return value;
}

/* The first of the paths that leads to something. KQL's reading has one path to a query's column.
 */
static json *first_of(audit_record *record, json *from, const char *const *paths, bool one_path)
{
    size_t most = one_path && record->view == SEMANTICS_KQL ? 1 : MOST_PATHS;
    json *value = NULL;

    for (size_t i = 0; value == NULL && i < most && paths[i] != NULL; i++)
        value = value_at(record, from, paths[i]);
    return value;
}

/* Elastic's record is not what the query sees in any case: no reading of it is stricter. */
static json *value_of(audit_record *record, enum field f)
{
    return first_of(record, record->object, shapes[record->shape].paths[f],
                    is_query_column[f] && record->shape != SHAPE_ELASTIC);
}

/* --- shapes --- */

/* The operation's value, if the object has that shape's operation at all. */
static bool has_operation(audit_record *record, audit_shape s, json **value)
{
    const char *const *paths = shapes[s].paths[OPERATION];

    for (size_t i = 0; i < MOST_PATHS && paths[i] != NULL; i++) {
        *value = value_at(record, record->object, paths[i]);
        if (*value != NULL)
            return true;
    }
    return s != SHAPE_ELASTIC && json_has_member(record->object, paths[0]);
}

/* Does more than the operation's key speak for the shape? Asked where keys tell little. */
static bool fits(audit_record *record, audit_shape s)
{
    json *object = record->object;

    switch (s) {
    case SHAPE_DIAGNOSTIC_2018:
        return value_at(record, object, "properties.targetResourceName") != NULL;
    case SHAPE_DIAGNOSTIC: /* in another case its key is Log Analytics' too */
        return json_has_member(object, "operationName") ||
               (!json_has_member(object, "OperationName") &&
                value_at(record, object, "properties") != NULL);
    case SHAPE_ELASTIC: /* a flat operation_name alone is too little, our own alerts have one */
        return value_at(record, object, "azure.auditlogs") != NULL ||
               value_at(record, object, "properties.target_resources") != NULL ||
               value_at(record, object, "properties.activity_display_name") != NULL;
    default:
        return true;
    }
}

/* The other logs of Entra's diagnostic settings, which travel on the same hub. */
static bool is_another_log(json *object)
{
    static const char *const categories[] = {
        "SignInLogs",
        "NonInteractiveUserSignInLogs",
        "ServicePrincipalSignInLogs",
        "ADFSSignInLogs",
        "ManagedIdentitySignInLogs",
        "MicrosoftGraphActivityLogs",
        "RiskyUsers",
        "UserRiskEvents",
        "RiskyServicePrincipals",
        "ProvisioningLogs",
        "ServicePrincipalRiskEvents",
        "NetworkAccessTrafficLogs",
        "EnrichedOffice365AuditLogs",
    };
    text category = json_string(json_member(object, "category"));

    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
        if (text_equal(category, text_of(categories[i])))
            return true;
    return false;
}

/* An operation that is an object belongs to an Azure Activity record of the same hub. */
static audit_result tell_shape(audit_record *record)
{
    json *operation = NULL;

    for (audit_shape s = 0; s < AUDIT_SHAPES; s++) {
        if (!has_operation(record, s, &operation) || !fits(record, s))
            continue;
        record->shape = s;
        record->notes = 0; /* of looking for shapes that it has not */
        return json_kind_of(operation) == JSON_OBJECT || is_another_log(record->object)
                   ? AUDIT_OTHER_KIND
                   : AUDIT_RECORD;
    }
    return AUDIT_UNKNOWN;
}

/* --- JSON in strings --- */

static bool may_hold_json(text t)
{
    while (t.length > 0 && isspace((unsigned char)t.bytes[0]))
        t = text_from(t, 1);
    return t.length > 1 && (t.bytes[0] == '{' || t.bytes[0] == '[');
}

/* The value itself, or, in WIDE's reading, the tree in a string that holds JSON. */
static json *parsed(reading *r, json *value, unsigned *notes)
{
    audit_record *record = r->record;

    for (int level = 0;
         level < MOST_STRING_LEVELS && record->view == SEMANTICS_WIDE &&
         record->owned_count < AUDIT_OWNED_TREES && may_hold_json(json_string(value));
         level++) {
        json *tree;
        size_t taken;

        if (json_parse(r->reader->parser, json_string(value), &tree, &taken) != NULL)
            break;
        record->owned[record->owned_count++] = tree;
        *notes |= NOTE_JSON_STRING;
        value = tree;
    }
    return value;
}

/* --- fields --- */

static text tostring(reading *r, json *value)
{
    text t = json_tostring(value, r->reader->memory);

    if (t.bytes == NULL) {
        r->out_of_memory = true;
        return (text)TEXT("");
    }
    return t;
}

static text field_text(reading *r, enum field f)
{
    return tostring(r, value_of(r->record, f));
}

static text initiator_text(reading *r, const char *const *paths, bool one_path)
{
    return tostring(r, first_of(r->record, r->initiator, paths, one_path));
}

static void read_names(reading *r)
{
    r->record->operation_name = field_text(r, OPERATION);
    r->record->activity_name = field_text(r, ACTIVITY);
}

static void read_texts(reading *r)
{
    audit_record *record = r->record;
    const struct {
        enum field field;
        text *text;
    } texts[] = {
        {RESULT, &record->result},       {RESULT_REASON, &record->result_reason},
        {RECORD_ID, &record->record_id}, {CORRELATION_ID, &record->correlation_id},
        {TENANT_ID, &record->tenant_id}, {SERVICE, &record->logged_by_service},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        *texts[i].text = field_text(r, texts[i].field);
}

/* KQL's coalesce over what initiated it: the first that is not empty. */
static void read_initiator(reading *r)
{
    static const char *const ids[MOST_PATHS] = {"user.id", "app.appId", "app.servicePrincipalId"};
    static const char *const address[MOST_PATHS] = {"user.ipAddress", "user.ip_address"};
    audit_record *record = r->record;
    const shape *s = &shapes[record->shape];

    r->initiator = parsed(r, value_of(record, INITIATOR), &record->notes);
    record->actor = initiator_text(r, s->user_upn, true);
    if (record->actor.length == 0)
        record->actor = initiator_text(r, s->app_name, true);
    if (record->actor.length == 0 && record->view == SEMANTICS_WIDE &&
        record->shape == SHAPE_DIAGNOSTIC_2018)
        record->actor = field_text(r, IDENTITY);
    record->actor_id = initiator_text(r, ids, false);
    record->source_ip = initiator_text(r, address, true);
}

static bool is_null_word(text t)
{
    static const text words[] = {TEXT("<null>"), TEXT("&lt;null&gt;")};

    return text_equal(t, words[0]) || text_equal(t, words[1]);
}

/* The value of a pair in additionalDetails: [{"key":"ipaddr","value":"203.0.113.7"}]. */
static text detail_text(reading *r, const char *key)
{
    unsigned ignored = 0;
    json *details = parsed(r, value_of(r->record, DETAILS), &ignored);

    for (size_t i = 0; i < json_array_length(details); i++) {
        json *pair = json_array_item(details, i);

        if (text_equal(json_string(json_member(pair, "key")), text_of(key)))
            return tostring(r, json_member(pair, "value"));
    }
    return (text)TEXT("");
}

static void read_caller_ip(reading *r)
{
    text address = field_text(r, CALLER_IP);

    if (address.length == 0 || is_null_word(address))
        address = detail_text(r, "ipaddr");
    r->record->caller_ip = is_null_word(address) ? (text)TEXT("") : address;
}

static void read_time(reading *r)
{
    r->record->has_time = timestamp_parse(field_text(r, TIME), &r->record->time_generated);
}

/* A diagnostic record without tenantId names it in resourceId: /tenants/<guid>/providers/... */
static void read_tenant_of_resource(reading *r)
{
    static const text prefix = TEXT("/tenants/");
    text id = field_text(r, RESOURCE_ID);
    const char *end;

    if (r->record->tenant_id.length > 0 || !kql_startswith(id, prefix, SEMANTICS_KQL))
        return;
    id = text_from(id, prefix.length);
    end = memchr(id.bytes, '/', id.length);
    r->record->tenant_id = end ? text_between(id.bytes, end) : id;
}

/* Elastic keeps an array as an object keyed "0", "1", ...; any other object is one target. */
static bool is_array_by_number(json *object)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    while (json_next_member(&all, &key, &value))
        if (*key == '\0' || key[strspn(key, "0123456789")] != '\0')
            return false;
    return true;
}

/* The query has no row for [] or null; another field may name the target all the same. */
static void read_targets(reading *r)
{
    audit_record *record = r->record;
    json *targets = parsed(r, value_of(record, TARGETS), &record->notes);
    bool is_empty =
        targets == NULL || (json_kind_of(targets) == JSON_ARRAY && json_array_length(targets) == 0);

    record->target_resources = targets;
    record->targets_by_number = is_array_by_number(targets);
    if (record->view == SEMANTICS_KQL || !is_empty)
        return;
    record->target_elsewhere = field_text(r, TARGET_ELSEWHERE);
    if (record->target_elsewhere.length > 0)
        record->notes |= NOTE_TARGET_ELSEWHERE;
}

audit_result audit_record_read(json *object, semantics view, const audit_reader *reader,
                               audit_record *record)
{
    reading r = {.record = record, .reader = reader};
    audit_result told;

    *record = (audit_record){.object = object, .view = view};
    told = tell_shape(record);
    if (told != AUDIT_RECORD)
        return told;
    read_names(&r);
    read_time(&r);
    read_targets(&r);
    return r.out_of_memory ? AUDIT_OUT_OF_MEMORY : AUDIT_RECORD;
}

bool audit_record_read_rest(audit_record *record, const audit_reader *reader)
{
    reading r = {.record = record, .reader = reader};

    read_texts(&r);
    read_initiator(&r);
    read_caller_ip(&r);
    read_tenant_of_resource(&r);
    return !r.out_of_memory;
}

void audit_record_release(audit_record *record)
{
    while (record->owned_count > 0)
        json_free(record->owned[--record->owned_count]);
}

/* --- targets --- */

static const char *const target_upn[MOST_PATHS] = {"userPrincipalName", "user_principal_name"};
static const char *const target_id[MOST_PATHS] = {"id"};

size_t audit_record_target_count(const audit_record *record)
{
    json *all = record->target_resources;

    if (record->target_elsewhere.length > 0)
        return 1;
    switch (json_kind_of(all)) {
    case JSON_ARRAY:
        return json_array_length(all);
    case JSON_OBJECT:
        return record->view == SEMANTICS_WIDE && !record->targets_by_number
                   ? 1
                   : json_member_count(all);
    default:
        return 1;
    }
}

/* The n-th part of a text whose parts `__` separates. */
static text part_of(text t, size_t n)
{
    for (;;) {
        const char *end = memmem(t.bytes, t.length, "__", 2);

        if (n == 0 || end == NULL)
            return n > 0 ? (text)TEXT("") : end ? text_between(t.bytes, end) : t;
        t = text_from(t, (size_t)(end - t.bytes) + 2);
        n--;
    }
}

/* The `Sync_` of a UPN has one underscore, so `__` does not tear it apart. */
static bool read_target_elsewhere(const audit_record *record, audit_target *target)
{
    target->upn = part_of(record->target_elsewhere, 0);
    target->id = part_of(record->target_elsewhere, 3);
    return true;
}

/* KQL's row of an expanded object holds one property alone. */
static bool read_property_row(audit_target *target, arena *memory)
{
    bool is_upn = strcmp(target->key, target_upn[0]) == 0;
    bool is_id = strcmp(target->key, target_id[0]) == 0;

    target->upn = json_tostring(is_upn ? target->value : NULL, memory);
    target->id = json_tostring(is_id ? target->value : NULL, memory);
    return target->upn.bytes != NULL && target->id.bytes != NULL;
}

static bool read_target(const audit_record *record, audit_target *target, arena *memory)
{
    audit_record scratch = {.view = record->view};

    target->upn = json_tostring(first_of(&scratch, target->value, target_upn, true), memory);
    target->id = json_tostring(first_of(&scratch, target->value, target_id, true), memory);
    target->notes |= scratch.notes;
    return target->upn.bytes != NULL && target->id.bytes != NULL;
}

bool audit_record_target(const audit_record *record, size_t index, arena *memory,
                         audit_target *target)
{
    json *all = record->target_resources;

    *target = (audit_target){.index = index, .value = all, .notes = record->notes};
    if (record->target_elsewhere.length > 0)
        return read_target_elsewhere(record, target);
    if (json_kind_of(all) == JSON_ARRAY) {
        target->value = json_array_item(all, index);
    } else if (json_kind_of(all) == JSON_OBJECT && record->view == SEMANTICS_KQL) {
        json_nth_member(all, index, &target->key, &target->value);
        return read_property_row(target, memory);
    } else if (json_kind_of(all) == JSON_OBJECT) {
        const char *number;
        target->notes |= NOTE_TARGET_OBJECT;
        if (record->targets_by_number)
            json_nth_member(all, index, &number, &target->value);
    }
    return read_target(record, target, memory);
}

void audit_target_write(const audit_target *target, buffer *out)
{
    if (target->key == NULL) {
        json_write_value(out, target->value);
        return;
    }
    buffer_append_char(out, '{');
    json_write_key(out, target->key);
    json_write_value(out, target->value);
    buffer_append_char(out, '}');
}

const char *audit_shape_name(audit_shape s)
{
    return shapes[s].name;
}
