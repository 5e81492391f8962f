/* SPDX-License-Identifier: Apache-2.0 */
/* audit_record: one table of paths, a row for each shape. */
#include "record/audit_record.h"

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

enum { MOST_PATHS = 4 };

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

/* A record under reading. */
typedef struct audit_reading {
    audit_record *record;
    json_view eyes;
} audit_reading;

/* --- paths --- */

/* The first of the paths that leads to something. KQL's reading has one path to a query's column.
 */
static json *first_of(json_view *r, json *from, const char *const *paths, bool one_path)
{
    size_t most = one_path && r->semantics == SEMANTICS_KQL ? 1 : MOST_PATHS;
    json *value = NULL;

    for (size_t i = 0; value == NULL && i < most && paths[i] != NULL; i++)
        value = json_view_at(r, from, paths[i]);
    return value;
}

/* Is it not what the query sees in any case? Then no reading of it is stricter. */
static bool is_renamed(audit_shape s)
{
    return s == SHAPE_ELASTIC || s == SHAPE_STEAMPIPE;
}

static json *value_of(audit_reading *r, enum field f)
{
    const audit_record *record = r->record;

    return first_of(&r->eyes, record->object, shapes[record->shape].paths[f],
                    is_query_column[f] && !is_renamed(record->shape));
}

/* --- shapes --- */

/* The operation's value, if the object has that shape's operation at all. */
static bool has_operation(audit_reading *r, audit_shape s, json **value)
{
    const char *const *paths = shapes[s].paths[OPERATION];

    *value = first_of(&r->eyes, r->record->object, paths, false);
    return *value != NULL || (!is_renamed(s) && json_has_member(r->record->object, paths[0]));
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
            return value_of(r, TARGETS) == NULL;
    return false;
}

/* An operation that is an object belongs to an Azure Activity record of the same hub. */
static audit_result tell_shape(audit_reading *r)
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

/* --- fields --- */

static json *opened_value(const audit_record *record, json_view *view, enum field f)
{
    bool one_path = is_query_column[f] && !is_renamed(record->shape);

    return json_view_open(view,
                          first_of(view, record->object, shapes[record->shape].paths[f], one_path));
}

json *audit_record_initiated_by(const audit_record *record, json_view *view)
{
    return opened_value(record, view, INITIATOR);
}

json *audit_record_additional_details(const audit_record *record, json_view *view)
{
    return opened_value(record, view, DETAILS);
}

static text field_text(audit_reading *r, enum field f)
{
    return json_view_text(&r->eyes, value_of(r, f));
}

static void read_names(audit_reading *r)
{
    r->record->operation_name = field_text(r, OPERATION);
    r->record->activity_name = field_text(r, ACTIVITY);
}

static void read_texts(audit_reading *r)
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

static void read_time(audit_reading *r)
{
    audit_record *record = r->record;
    text t = field_text(r, TIME);
    timestamp_reading told = timestamp_read(t, &record->time_generated);

    record->has_time = told == TIMESTAMP_READ;
    record->unread_time = told == TIMESTAMP_NOT_UNDERSTOOD ? t : (text)TEXT("");
}

/* A diagnostic record without tenantId names it in resourceId: /tenants/<guid>/providers/... */
static void read_tenant_of_resource(audit_reading *r)
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

/* --- parts that cannot be read --- */

/*
 * Words may stand where JSON is due, "None" in the details of 2018. But these
 * begin JSON that was cut, or what PowerShell writes beyond its -Depth.
 */
static bool should_be_json(text t)
{
    static const text begins[] = {TEXT("{"),  TEXT("["),       TEXT("\""),
                                  TEXT("@{"), TEXT("System."), TEXT("Microsoft.")};

    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
        if (kql_startswith(t, begins[i], SEMANTICS_KQL))
            return true;
    return false;
}

bool audit_reading_met_broken_json(const json_view *r)
{
    return r->unreadable != NULL && should_be_json(json_string(r->unreadable));
}

/* --- the initiator --- */

static text initiator_text(audit_reading *r, json *initiator, const char *const *paths,
                           bool one_path)
{
    return json_view_text(&r->eyes, first_of(&r->eyes, initiator, paths, one_path));
}

/* Of the user and of the app: the id of the one that the actor is named after comes first. */
static text actor_id(audit_reading *r, json *initiator, bool is_app)
{
    static const char *const user[MOST_PATHS] = {"user.id"};
    static const char *const app[MOST_PATHS] = {"app.id", "app.servicePrincipalId",
                                                "app.service_principal_id", "app.appId"};
    text id = initiator_text(r, initiator, is_app ? app : user, false);

    return id.length > 0 || r->record->actor.length > 0 ? id
                                                        : initiator_text(r, initiator, app, false);
}

/* KQL's coalesce over what initiated it: the first that is not empty. */
static void read_actor(audit_reading *r, json *initiator)
{
    audit_record *record = r->record;
    const shape *s = &shapes[record->shape];
    bool is_app = false;

    record->actor = initiator_text(r, initiator, s->user_upn, true);
    if (record->actor.length == 0) {
        record->actor = initiator_text(r, initiator, s->app_name, true);
        is_app = record->actor.length > 0;
    }
    if (record->actor.length == 0 && record->view == SEMANTICS_WIDE &&
        record->shape == SHAPE_DIAGNOSTIC_2018)
        record->actor = field_text(r, IDENTITY);
    record->actor_id = actor_id(r, initiator, is_app);
}

static bool is_null_word(text t)
{
    static const text words[] = {TEXT("<null>"), TEXT("&lt;null&gt;")};

    return text_equal(t, words[0]) || text_equal(t, words[1]);
}

static text address_or_nothing(text t)
{
    return is_null_word(t) ? (text)TEXT("") : t;
}

/* The address in additionalDetails: [{"key":"ipaddr","value":"203.0.113.7"}]. */
static text address_in_details(audit_reading *r)
{
    static const text keys[] = {TEXT("ipaddr"), TEXT("ipAddress")};
    json_list details = json_view_list(&r->eyes, json_view_open(&r->eyes, value_of(r, DETAILS)));

    for (size_t i = 0; i < details.count; i++) {
        json *pair = json_list_item(&details, i);
        text key = json_string(json_view_at(&r->eyes, pair, "key"));

        if (kql_equals(key, keys[0], SEMANTICS_KQL) || kql_equals(key, keys[1], SEMANTICS_KQL))
            return json_view_plain_text(&r->eyes, json_view_at(&r->eyes, pair, "value"));
    }
    return (text)TEXT("");
}

/* The request's address; source_ip is the query's, the initiating user's. */
static void read_caller_ip(audit_reading *r, json *initiator)
{
    static const char *const of_app[MOST_PATHS] = {"app.ipAddress", "app.ip_address"};
    text address = address_or_nothing(field_text(r, CALLER_IP));

    if (address.length == 0)
        address = address_or_nothing(initiator_text(r, initiator, of_app, false));
    if (address.length == 0)
        address = address_or_nothing(address_in_details(r));
    r->record->caller_ip = address;
}

static void read_initiator(audit_reading *r)
{
    static const char *const address[MOST_PATHS] = {"user.ipAddress", "user.ip_address"};
    json *initiator = json_view_open(&r->eyes, value_of(r, INITIATOR));

    read_actor(r, initiator);
    r->record->source_ip = initiator_text(r, initiator, address, true);
    r->record->has_broken_part |= audit_reading_met_broken_json(&r->eyes);
    r->eyes.unreadable = NULL;
    read_caller_ip(r, initiator);
    r->record->has_broken_part |= audit_reading_met_broken_json(&r->eyes);
}

/* --- targets --- */

static bool is_hidden_target(json *target)
{
    switch (json_kind_of(target)) {
    case JSON_NULL:
    case JSON_OBJECT:
        return false;
    case JSON_STRING:
        return !json_view_says_nothing(json_string(target));
    default:
        return true;
    }
}

static bool has_hidden_target(const json_list *targets)
{
    for (size_t i = 0; i < targets->count; i++)
        if (is_hidden_target(json_list_item(targets, i)))
            return true;
    return false;
}

/* A single value, or none at all, is one row. */
static json_list list_of_one(audit_reading *r, json *value)
{
    json_list all = {.opened = arena_alloc(r->eyes.memory, sizeof(json *)), .count = 1};

    if (all.opened == NULL) {
        r->eyes.out_of_memory = true;
        return (json_list){0};
    }
    all.opened[0] = value;
    return all;
}

/* What mv-expand makes of the value. */
static json_list expand(audit_reading *r, json *value)
{
    if (json_kind_of(value) == JSON_ARRAY ||
        (json_kind_of(value) == JSON_OBJECT && json_view_is_keyed_by_number(value)))
        return json_view_list(&r->eyes, value);
    return list_of_one(r, value);
}

static void read_kql_targets(audit_reading *r)
{
    audit_record *record = r->record;
    json *value = value_of(r, TARGETS);

    record->target_resources = value;
    record->is_split = json_kind_of(value) == JSON_OBJECT;
    if (!record->is_split)
        record->targets = expand(r, value);
}

/* The query has no row for [] or null; another field may name the target all the same. */
static void read_target_elsewhere(audit_reading *r)
{
    audit_record *record = r->record;
    json *targets = record->target_resources;

    if (targets != NULL && (json_kind_of(targets) != JSON_ARRAY || json_array_length(targets) > 0))
        return;
    record->target_elsewhere = field_text(r, TARGET_ELSEWHERE);
    if (record->target_elsewhere.length > 0)
        r->eyes.notes |= NOTE_TARGET_ELSEWHERE;
}

static void read_wide_targets(audit_reading *r)
{
    audit_record *record = r->record;
    json *value = value_of(r, TARGETS), *opened;

    r->eyes.unpacked_count = false;
    opened = json_view_open(&r->eyes, value);
    if (opened == NULL)
        record->hidden = r->eyes.unreadable;
    else if (is_hidden_target(opened) && json_kind_of(opened) != JSON_ARRAY)
        record->hidden = opened;
    record->is_hidden_above = value == NULL;
    record->target_resources = opened;
    record->targets = expand(r, opened);
    record->hides_targets = record->hidden != NULL || has_hidden_target(&record->targets);
    if (r->eyes.unpacked_count || json_kind_of(opened) == JSON_OBJECT)
        r->eyes.notes |= NOTE_TARGET_OBJECT;
    read_target_elsewhere(r);
}

json_view audit_record_view(const audit_record *record, const audit_reader *reader)
{
    return (json_view){
        .semantics = record->view,
        .memory = reader->memory,
        .parser = reader->parser,
        .trees = record->trees,
    };
}

static audit_reading begin_reading(audit_record *record, const audit_reader *reader)
{
    return (audit_reading){.record = record, .eyes = audit_record_view(record, reader)};
}

audit_result audit_record_read(json *object, semantics view, const audit_reader *reader,
                               audit_record *record)
{
    audit_result told;
    audit_reading r;

    *record = (audit_record){.object = object, .view = view};
    record->trees = opened_trees_new(reader->memory);
    if (record->trees == NULL)
        return AUDIT_OUT_OF_MEMORY;
    r = begin_reading(record, reader);
    told = tell_shape(&r);
    if (told != AUDIT_RECORD)
        return r.eyes.out_of_memory ? AUDIT_OUT_OF_MEMORY : told;
    read_names(&r);
    read_time(&r);
    r.eyes.unreadable = NULL; /* what stands on the way to the targets is asked for again */
    if (view == SEMANTICS_WIDE)
        read_wide_targets(&r);
    else
        read_kql_targets(&r);
    record->notes = r.eyes.notes;
    return r.eyes.out_of_memory ? AUDIT_OUT_OF_MEMORY : AUDIT_RECORD;
}

bool audit_record_read_rest(audit_record *record, const audit_reader *reader)
{
    audit_reading r = begin_reading(record, reader);

    read_texts(&r);
    r.eyes.unreadable = NULL;
    read_initiator(&r);
    read_tenant_of_resource(&r);
    record->notes |= r.eyes.notes;
    return !r.eyes.out_of_memory;
}

void audit_record_release(audit_record *record)
{
    opened_trees_release(record->trees);
}

/* --- rows --- */

static const char *const target_upn[MOST_PATHS] = {"userPrincipalName", "user_principal_name"};
static const char *const target_id[MOST_PATHS] = {"id"};

size_t audit_record_target_count(const audit_record *record)
{
    if (record->target_elsewhere.length > 0)
        return 1;
    return record->is_split ? json_member_count(record->target_resources) : record->targets.count;
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
static bool read_row_elsewhere(const audit_record *record, audit_target *target)
{
    target->value = record->target_resources;
    target->upn = part_of(record->target_elsewhere, 0);
    target->id = part_of(record->target_elsewhere, 3);
    return true;
}

/* KQL's row of an expanded object holds one property alone. */
static bool read_property_row(const audit_record *record, audit_target *target, arena *memory)
{
    bool is_upn, is_id;

    json_nth_member(record->target_resources, target->index, &target->key, &target->value);
    is_upn = strcmp(target->key, target_upn[0]) == 0;
    is_id = strcmp(target->key, target_id[0]) == 0;
    target->upn = json_tostring(is_upn ? target->value : NULL, memory);
    target->id = json_tostring(is_id ? target->value : NULL, memory);
    return target->upn.bytes != NULL && target->id.bytes != NULL;
}

/* A target has been opened already: its own members are keys and their values alone. */
static bool read_row(const audit_record *record, audit_target *target, arena *memory)
{
    json_view r = {.semantics = record->view, .memory = memory};

    target->value = json_list_item(&record->targets, target->index);
    target->upn = json_view_text(&r, first_of(&r, target->value, target_upn, true));
    target->id = json_view_text(&r, first_of(&r, target->value, target_id, true));
    target->notes |= r.notes;
    return !r.out_of_memory;
}

bool audit_record_target(const audit_record *record, size_t index, arena *memory,
                         audit_target *target)
{
    *target = (audit_target){.index = index, .notes = record->notes};
    if (record->target_elsewhere.length > 0)
        return read_row_elsewhere(record, target);
    if (record->is_split)
        return read_property_row(record, target, memory);
    return read_row(record, target, memory);
}

void audit_target_write(const audit_target *target, buffer *out)
{
    if (target->key == NULL) {
        json_write_last(out, target->value);
        return;
    }
    buffer_append_char(out, '{');
    json_write_key(out, target->key);
    json_write_last(out, target->value);
    buffer_append_char(out, '}');
}

/* --- what is hidden, as the text of a broken record --- */

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

        if (!is_hidden_target(target))
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

const char *audit_shape_name(audit_shape s)
{
    return shapes[s].name;
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

    _Static_assert(AUDIT_SHAPES * MOST_PATHS <= AUDIT_MOST_TIME_NAMES, "too many names");
    for (audit_shape s = 0; s < AUDIT_SHAPES; s++) {
        const char *const *paths = shapes[s].paths[TIME];

        for (size_t p = 0; p < MOST_PATHS && paths[p] != NULL; p++)
            if (!is_among(names, count, last_name_of(paths[p])))
                names[count++] = last_name_of(paths[p]);
    }
    return count;
}
