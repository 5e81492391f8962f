/* audit_record: one table of paths, a row for each shape. */
#include "audit_record.h"

enum field {
    OPERATION,
    TIME,
    TARGETS,
    USER_UPN,
    APP_NAME,
    USER_ID,
    APP_ID,
    USER_IP,
    CALLER_IP,
    RESULT,
    RESULT_REASON,
    RECORD_ID,
    CORRELATION_ID,
    TENANT_ID,
    SERVICE,
    FIELDS
};

enum { MOST_PATHS = 3 };

typedef struct shape {
    const char *name;
    /* Where each field stands; of several places the first that is not null counts. */
    const char *paths[FIELDS][MOST_PATHS];
} shape;

static const shape shapes[AUDIT_SHAPES] = {
    [SHAPE_DIAGNOSTIC] =
        {
            .name = "diagnostic record",
            .paths =
                {
                    [OPERATION] = {"operationName"},
                    [TIME] = {"time", "properties.activityDateTime"},
                    [TARGETS] = {"properties.targetResources"},
                    [USER_UPN] = {"properties.initiatedBy.user.userPrincipalName"},
                    [APP_NAME] = {"properties.initiatedBy.app.displayName"},
                    [USER_ID] = {"properties.initiatedBy.user.id"},
                    [APP_ID] = {"properties.initiatedBy.app.appId",
                                "properties.initiatedBy.app.servicePrincipalId"},
                    [USER_IP] = {"properties.initiatedBy.user.ipAddress"},
                    [CALLER_IP] = {"callerIpAddress"},
                    [RESULT] = {"properties.result"},
                    [RESULT_REASON] = {"properties.resultReason", "resultDescription",
                                       "properties.resultDescription"},
                    [RECORD_ID] = {"properties.id"},
                    [CORRELATION_ID] = {"correlationId", "properties.correlationId"},
                    [TENANT_ID] = {"tenantId"},
                    [SERVICE] = {"properties.loggedByService"},
                },
        },
    [SHAPE_LOG_ANALYTICS] =
        {
            .name = "Log Analytics row",
            .paths =
                {
                    [OPERATION] = {"OperationName"},
                    [TIME] = {"TimeGenerated", "ActivityDateTime"},
                    [TARGETS] = {"TargetResources"},
                    [USER_UPN] = {"InitiatedBy.user.userPrincipalName"},
                    [APP_NAME] = {"InitiatedBy.app.displayName"},
                    [USER_ID] = {"InitiatedBy.user.id"},
                    [APP_ID] = {"InitiatedBy.app.appId", "InitiatedBy.app.servicePrincipalId"},
                    [USER_IP] = {"InitiatedBy.user.ipAddress"},
                    [RESULT] = {"Result"},
                    [RESULT_REASON] = {"ResultReason", "ResultDescription"},
                    [RECORD_ID] = {"Id"},
                    [CORRELATION_ID] = {"CorrelationId"},
                    [TENANT_ID] = {"AADTenantId"},
                    [SERVICE] = {"LoggedByService"},
                },
        },
    [SHAPE_DIRECTORY_AUDIT] =
        {
            .name = "Graph directoryAudit",
            .paths =
                {
                    [OPERATION] = {"activityDisplayName"},
                    [TIME] = {"activityDateTime", "createdDateTime"},
                    [TARGETS] = {"targetResources"},
                    [USER_UPN] = {"initiatedBy.user.userPrincipalName"},
                    [APP_NAME] = {"initiatedBy.app.displayName"},
                    [USER_ID] = {"initiatedBy.user.id"},
                    [APP_ID] = {"initiatedBy.app.appId", "initiatedBy.app.servicePrincipalId"},
                    [USER_IP] = {"initiatedBy.user.ipAddress"},
                    [RESULT] = {"result"},
                    [RESULT_REASON] = {"resultReason"},
                    [RECORD_ID] = {"id"},
                    [CORRELATION_ID] = {"correlationId"},
                    [SERVICE] = {"loggedByService"},
                },
        },
};

static json *value_of(const audit_record *record, enum field f)
{
    const char *const *paths = shapes[record->shape].paths[f];

    for (size_t i = 0; i < MOST_PATHS && paths[i] != NULL; i++) {
        json *value = json_at(record->object, paths[i]);
        if (value != NULL)
            return value;
    }
    return NULL;
}

/* An operation that is an object belongs to an Azure Activity record of the same hub. */
static bool tell_shape(json *object, audit_shape *found)
{
    for (audit_shape s = 0; s < AUDIT_SHAPES; s++) {
        const char *key = shapes[s].paths[OPERATION][0];

        if (json_has_member(object, key)) {
            *found = s;
            return json_kind_of(json_member(object, key)) != JSON_OBJECT;
        }
    }
    return false;
}

/* Puts the field's tostring() into *result; false when memory is out. */
static bool read_field(const audit_record *record, enum field f, arena *memory, text *result)
{
    *result = json_tostring(value_of(record, f), memory);
    return result->bytes != NULL;
}

/* KQL's coalesce over two fields: the first that is not empty. */
static bool read_either(const audit_record *record, enum field first, enum field second,
                        arena *memory, text *result)
{
    if (!read_field(record, first, memory, result))
        return false;
    return result->length > 0 || read_field(record, second, memory, result);
}

static bool read_texts(audit_record *r, arena *memory)
{
    const struct {
        enum field field;
        text *text;
    } texts[] = {
        {OPERATION, &r->operation_name},      {USER_IP, &r->source_ip},
        {CALLER_IP, &r->caller_ip},           {RESULT, &r->result},
        {RESULT_REASON, &r->result_reason},   {RECORD_ID, &r->record_id},
        {CORRELATION_ID, &r->correlation_id}, {TENANT_ID, &r->tenant_id},
        {SERVICE, &r->logged_by_service},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (!read_field(r, texts[i].field, memory, texts[i].text))
            return false;
    return read_either(r, USER_UPN, APP_NAME, memory, &r->actor) &&
           read_either(r, USER_ID, APP_ID, memory, &r->actor_id);
}

static bool read_time(audit_record *record, arena *memory)
{
    text written;

    if (!read_field(record, TIME, memory, &written))
        return false;
    record->has_time = timestamp_parse(written, &record->time_generated);
    return true;
}

/* A diagnostic record without tenantId names it in resourceId: /tenants/<guid>/providers/... */
static void read_tenant_of_resource(audit_record *record)
{
    static const text prefix = TEXT("/tenants/");
    text id = json_string(json_member(record->object, "resourceId"));
    const char *end;

    if (record->tenant_id.length > 0 || id.length < prefix.length ||
        memcmp(id.bytes, prefix.bytes, prefix.length) != 0)
        return;
    id = text_from(id, prefix.length);
    end = memchr(id.bytes, '/', id.length);
    record->tenant_id = end ? text_between(id.bytes, end) : id;
}

audit_reading audit_record_read(json *object, arena *memory, audit_record *record)
{
    *record = (audit_record){.object = object};
    if (!tell_shape(object, &record->shape))
        return AUDIT_OTHER_KIND;
    if (!read_texts(record, memory) || !read_time(record, memory))
        return AUDIT_OUT_OF_MEMORY;
    read_tenant_of_resource(record);
    record->target_resources = value_of(record, TARGETS);
    return AUDIT_RECORD;
}

size_t audit_record_target_count(const audit_record *record)
{
    switch (json_kind_of(record->target_resources)) {
    case JSON_ARRAY:
        return json_array_length(record->target_resources);
    case JSON_OBJECT:
        return json_member_count(record->target_resources);
    default:
        return 1;
    }
}

/* The target's property; that of an expanded object is there only in its own row. */
static text target_property(const audit_target *target, const char *name, arena *memory)
{
    json *value;

    if (target->key == NULL)
        value = json_member(target->value, name);
    else
        value = strcmp(target->key, name) == 0 ? target->value : NULL;
    return json_tostring(value, memory);
}

bool audit_record_target(const audit_record *record, size_t index, arena *memory,
                         audit_target *target)
{
    json *all = record->target_resources;

    *target = (audit_target){.index = index, .value = all};
    if (json_kind_of(all) == JSON_ARRAY)
        target->value = json_array_item(all, index);
    else
        json_nth_member(all, index, &target->key, &target->value);
    target->upn = target_property(target, "userPrincipalName", memory);
    target->id = target_property(target, "id", memory);
    return target->upn.bytes != NULL && target->id.bytes != NULL;
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
