/* SPDX-License-Identifier: Apache-2.0 */
/* audit_shape: one table of paths, a row for each shape. */
#include "record/audit_shape.h"

#include <string.h>

/* The query reads these columns from one place; the other paths are WIDE's. */
const bool audit_is_query_column[FIELDS] = {
    [OPERATION] = true,
    [TARGETS] = true,
    [INITIATOR] = true,
    [RESULT] = true,
};

/* What stands in `properties` stands beside it when a transport has hoisted that. */
#define DIAGNOSTIC_PATHS                                                                           \
    {                                                                                              \
        [OPERATION] = {"operationName"},                                                           \
        [ACTIVITY] = {"properties.activityDisplayName", "activityDisplayName"},                    \
        [TIME] = {"time", "properties.activityDateTime", "activityDateTime"},                      \
        [TARGETS] = {"properties.targetResources", "targetResources"},                             \
        [TARGET_ELSEWHERE] = {"properties.targetResourceName", "targetResourceName"},              \
        [INITIATOR] = {"properties.initiatedBy", "initiatedBy"}, [IDENTITY] = {"identity"},        \
        [CALLER_IP] = {"callerIpAddress", "properties.callerIpAddress"},                           \
        [DETAILS] = {"properties.additionalDetails", "additionalDetails"},                         \
        [RESULT] = {"properties.result", "result", "resultType"},                                  \
        [RESULT_REASON] = {"properties.resultReason", "resultDescription",                         \
                           "properties.resultDescription", "resultReason"},                        \
        [RECORD_ID] = {"properties.id", "id"},                                                     \
        [CORRELATION_ID] = {"correlationId", "properties.correlationId"},                          \
        [TENANT_ID] = {"tenantId", "properties.tenantId"}, [RESOURCE_ID] = {"resourceId"},         \
        [SERVICE] = {"properties.loggedByService", "loggedByService"},                             \
    }

#define USER_UPN                                                                                   \
    {                                                                                              \
        "user.userPrincipalName"                                                                   \
    }
#define APP_NAME                                                                                   \
    {                                                                                              \
        "app.displayName"                                                                          \
    }

const audit_shape_row audit_shapes[AUDIT_SHAPES] = {
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
    [SHAPE_STEAMPIPE] =
        {
            .name = "Steampipe row",
            .paths =
                {
                    [OPERATION] = {"activity_display_name"},
                    [TIME] = {"activity_date_time"},
                    [TARGETS] = {"target_resources"},
                    [INITIATOR] = {"initiated_by"},
                    [DETAILS] = {"additional_details"},
                    [RESULT] = {"result"},
                    [RESULT_REASON] = {"result_reason"},
                    [RECORD_ID] = {"id"},
                    [CORRELATION_ID] = {"correlation_id"},
                    [TENANT_ID] = {"tenant_id"},
                    [SERVICE] = {"logged_by_service"},
                },
            .user_upn = USER_UPN,
            .app_name = APP_NAME,
        },
};

json *audit_first_of(json_view *r, json *from, const char *const *paths, bool one_path)
{
    size_t most = one_path && r->semantics == SEMANTICS_KQL ? 1 : AUDIT_MOST_PATHS;
    json *value = NULL;

    for (size_t i = 0; value == NULL && i < most && paths[i] != NULL; i++)
        value = json_view_at(r, from, paths[i]);
    return value;
}

bool audit_shape_is_renamed(audit_shape s)
{
    return s == SHAPE_ELASTIC || s == SHAPE_STEAMPIPE;
}

json *audit_value_of(audit_reading *r, audit_field f)
{
    const audit_record *record = r->record;

    return audit_first_of(&r->eyes, record->object, audit_shapes[record->shape].paths[f],
                          audit_is_query_column[f] && !audit_shape_is_renamed(record->shape));
}

/* The operation's value, if the object has that shape's operation at all. */
static bool has_operation(audit_reading *r, audit_shape s, json **value)
{
    const char *const *paths = audit_shapes[s].paths[OPERATION];

    *value = audit_first_of(&r->eyes, r->record->object, paths, false);
    return *value != NULL ||
           (!audit_shape_is_renamed(s) && json_has_member(r->record->object, paths[0]));
}

static bool leads_somewhere(audit_reading *r, const char *path)
{
    return json_view_at(&r->eyes, r->record->object, path) != NULL;
}

/* In another case its operation's key is Log Analytics' too, and the other way round. */
static bool is_diagnostic(audit_reading *r)
{
    json *object = r->record->object;

    if (json_has_member(object, "operationName"))
        return leads_somewhere(r, "properties") || !leads_somewhere(r, "TimeGenerated");
    return leads_somewhere(r, "properties.targetResources") ||
           (leads_somewhere(r, "properties") && !json_has_member(object, "OperationName"));
}

/* Does more than the operation's key speak for the shape? Asked where keys tell little. */
static bool fits(audit_reading *r, audit_shape s)
{
    switch (s) {
    case SHAPE_DIAGNOSTIC_2018:
        return leads_somewhere(r, "properties.targetResourceName");
    case SHAPE_DIAGNOSTIC:
        return is_diagnostic(r);
    case SHAPE_ELASTIC: /* a flat operation_name alone is too little, our own alerts have one */
        return leads_somewhere(r, "azure.auditlogs") ||
               leads_somewhere(r, "properties.target_resources") ||
               leads_somewhere(r, "properties.activity_display_name");
    case SHAPE_STEAMPIPE:
        return leads_somewhere(r, "target_resources") || leads_somewhere(r, "initiated_by");
    default:
        return true;
    }
}

/*
 * The other logs of Entra's diagnostic settings, which travel on the same
 * hub. None has targets; what has some is an audit record, whatever it says.
 */
static bool is_another_log(audit_reading *r)
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
    text category = json_string(json_member(r->record->object, "category"));

    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++)
        if (text_equal(category, text_of(categories[i])))
            return audit_value_of(r, TARGETS) == NULL;
    return false;
}

audit_result audit_tell_shape(audit_reading *r)
{
    audit_record *record = r->record;
    json *operation = NULL;
    audit_result told;

    for (audit_shape s = 0; s < AUDIT_SHAPES; s++) {
        if (!has_operation(r, s, &operation) || !fits(r, s))
            continue;
        record->shape = s;
        told = json_kind_of(operation) == JSON_OBJECT || is_another_log(r) ? AUDIT_OTHER_KIND
                                                                           : AUDIT_RECORD;
        r->eyes.notes = 0; /* of looking for shapes that it has not */
        return told;
    }
    return AUDIT_UNKNOWN;
}

const char *audit_shape_name(audit_shape s)
{
    return audit_shapes[s].name;
}

static text last_name_of(const char *path)
{
    const char *dot = strrchr(path, '.');

    return text_of(dot != NULL ? dot + 1 : path);
}

static bool is_among(const text *names, size_t count, text name)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(names[i], name))
            return true;
    return false;
}

size_t audit_time_names(text names[static AUDIT_MOST_TIME_NAMES])
{
    size_t count = 0;

    _Static_assert(AUDIT_SHAPES * AUDIT_MOST_PATHS <= AUDIT_MOST_TIME_NAMES, "too many names");
    for (audit_shape s = 0; s < AUDIT_SHAPES; s++) {
        const char *const *paths = audit_shapes[s].paths[TIME];

        for (size_t p = 0; p < AUDIT_MOST_PATHS && paths[p] != NULL; p++)
            if (!is_among(names, count, last_name_of(paths[p])))
                names[count++] = last_name_of(paths[p]);
    }
    return count;
}
