/* SPDX-License-Identifier: Apache-2.0 */
/* audit_column: the tables, as Log Analytics has them. */
#include "record/audit_column.h"

static const kql_column audit_columns[AUDIT_COLUMN_COUNT] = {
#define AUDIT_COLUMN_ROW(id, name_, type_, verbatim)                                               \
    [COLUMN_##id] = {                                                                              \
        .name = TEXT(name_), .type = (type_), .slot = COLUMN_##id, .is_verbatim = (verbatim)},
    AUDIT_COLUMNS(AUDIT_COLUMN_ROW)
#undef AUDIT_COLUMN_ROW
};

#define IDENTITY(slot_, name_, type_)                                                              \
    {                                                                                              \
        .name = TEXT(name_), .type = (type_), .slot = (slot_)                                      \
    }

static const kql_column identity_columns[] = {
    IDENTITY(INFO_TIME_GENERATED, "TimeGenerated", KQL_DATETIME),
    IDENTITY(INFO_ACCOUNT_UPN, "AccountUPN", KQL_STRING),
    IDENTITY(INFO_ACCOUNT_OBJECT_ID, "AccountObjectId", KQL_STRING),
    IDENTITY(INFO_ACCOUNT_DISPLAY_NAME, "AccountDisplayName", KQL_STRING),
    IDENTITY(INFO_ASSIGNED_ROLES, "AssignedRoles", KQL_DYNAMIC),
    IDENTITY(5, "AccountCreationTime", KQL_DATETIME),
    IDENTITY(6, "GroupMembership", KQL_DYNAMIC),
    IDENTITY(7, "IsAccountEnabled", KQL_BOOL),
    IDENTITY(8, "AccountName", KQL_STRING),
    IDENTITY(9, "AccountDomain", KQL_STRING),
    IDENTITY(10, "AccountTenantId", KQL_STRING),
    IDENTITY(11, "MailAddress", KQL_STRING),
    IDENTITY(12, "UserType", KQL_STRING),
};

static const kql_table records = {"AuditLogs", audit_columns, AUDIT_COLUMN_COUNT};
static const kql_table accounts = {"IdentityInfo", identity_columns,
                                   sizeof(identity_columns) / sizeof(identity_columns[0])};

const kql_catalog audit_catalog = {&records, &accounts, "AccountUPN", "TimeGenerated"};

/* --- records --- */

enum { MOST_PATHS = 3, MOST_STRING_LEVELS = 3 };

/* Of columns that a record has under names of its own; the others audit_record has read. */
typedef struct column_paths {
    audit_column column;
    const char *diagnostic[MOST_PATHS];
    const char *log_analytics[MOST_PATHS];
    const char *elastic[MOST_PATHS];
    const char *graph[MOST_PATHS];
    const char *steampipe[MOST_PATHS];
} column_paths;

static const column_paths paths[] = {
    {COLUMN_ACTIVITY_DATE_TIME,
     {"properties.activityDateTime"},
     {"ActivityDateTime"},
     {"azure.auditlogs.properties.activity_datetime", "properties.activity_datetime"},
     {"activityDateTime"},
     {"activity_date_time"}},
    {COLUMN_DURATION_MS, {"durationMs"}, {"DurationMs"}, {"azure.auditlogs.duration_ms"}, {0}, {0}},
    {COLUMN_OPERATION_VERSION,
     {"operationVersion"},
     {"OperationVersion"},
     {"azure.auditlogs.operation_version"},
     {0},
     {0}},
    {COLUMN_CATEGORY,
     {"properties.category", "category"},
     {"Category"},
     {"azure.auditlogs.properties.category", "azure.auditlogs.category"},
     {"category"},
     {"category"}},
    {COLUMN_RESULT_TYPE, {"resultType"}, {"ResultType"}, {"azure.auditlogs.result_type"}, {0}, {0}},
    {COLUMN_RESULT_SIGNATURE,
     {"resultSignature"},
     {"ResultSignature"},
     {"azure.auditlogs.result_signature"},
     {0},
     {0}},
    {COLUMN_RESULT_DESCRIPTION,
     {"resultDescription", "properties.resultDescription"},
     {"ResultDescription"},
     {"azure.auditlogs.result_description"},
     {0},
     {0}},
    {COLUMN_RESOURCE_ID, {"resourceId"}, {"ResourceId"}, {"azure.resource.id"}, {0}, {0}},
    {COLUMN_IDENTITY, {"identity"}, {"Identity"}, {"azure.auditlogs.identity"}, {0}, {0}},
    {COLUMN_LEVEL, {"level", "Level"}, {"Level"}, {"azure.auditlogs.level"}, {0}, {0}},
    {COLUMN_LOCATION, {"location"}, {"Location"}, {"azure.auditlogs.location"}, {0}, {0}},
    {COLUMN_AAD_OPERATION_TYPE,
     {"properties.operationType"},
     {"AADOperationType"},
     {"azure.auditlogs.properties.operation_type"},
     {"operationType"},
     {"operation_type"}},
};

audit_row audit_row_of(audit_record *record, const audit_reader *reader, timestamp time,
                       timestamp received)
{
    return (audit_row){
        .record = record,
        .reader = reader,
        .view = audit_record_view(record, reader),
        .time = time,
        .received = received,
    };
}

static const char *const *paths_of(audit_shape shape, const column_paths *p)
{
    switch (shape) {
    case SHAPE_LOG_ANALYTICS:
        return p->log_analytics;
    case SHAPE_ELASTIC:
        return p->elastic;
    case SHAPE_DIRECTORY_AUDIT:
        return p->graph;
    case SHAPE_STEAMPIPE:
        return p->steampipe;
    default:
        return p->diagnostic;
    }
}

static json *find(audit_row *self, audit_column column)
{
    json *value = NULL;
    size_t i = 0;
    const char *const *all;

    while (i < sizeof(paths) / sizeof(paths[0]) && paths[i].column != column)
        i++;
    if (i == sizeof(paths) / sizeof(paths[0]))
        return NULL;
    all = paths_of(self->record->shape, &paths[i]);
    for (size_t p = 0; value == NULL && p < MOST_PATHS && all[p] != NULL; p++)
        value = json_view_at(&self->view, self->record->object, all[p]);
    return value;
}

static text found_text(audit_row *self, audit_column column)
{
    return json_view_text(&self->view, find(self, column));
}

static kql_value found_time(audit_row *self, audit_column column)
{
    timestamp t;

    return timestamp_parse(found_text(self, column), &t) ? kql_number(KIND_DATETIME, t)
                                                         : kql_null();
}

static kql_value found_number(audit_row *self, audit_column column)
{
    text t = found_text(self, column);
    int64_t number = 0;

    if (t.length == 0 || t.length > 15)
        return kql_null();
    for (size_t i = 0; i < t.length; i++) {
        if (t.bytes[i] < '0' || t.bytes[i] > '9')
            return kql_null();
        number = number * 10 + (t.bytes[i] - '0');
    }
    return kql_number(KIND_LONG, number);
}

/* What the shape has not, the table has: every row of it is one of AuditLogs. */
static kql_value constant(const char *word)
{
    return kql_string(text_of(word));
}

/* --- targets --- */

static kql_item *items_of(audit_row *self, size_t count)
{
    kql_item *items = arena_alloc(self->reader->memory, count * sizeof(kql_item) + 1);

    self->out_of_memory |= items == NULL;
    return items;
}

static kql_value list_of(kql_kind kind, const kql_item *items, size_t count)
{
    if (items == NULL)
        return kql_null();
    return (kql_value){.kind = kind, .tree = NULL, .items = items, .count = count};
}

/* Another field names the target: one that has that name alone. */
static kql_value target_elsewhere(audit_row *self)
{
    kql_item *members = items_of(self, 2), *all = items_of(self, 1);
    audit_target target;

    if (members == NULL || all == NULL ||
        !audit_record_target(self->record, 0, self->reader->memory, &target))
        return kql_null();
    members[0] = (kql_item){TEXT("userPrincipalName"), kql_string(target.upn)};
    members[1] = (kql_item){TEXT("id"), kql_string(target.id)};
    all[0] = (kql_item){TEXT(""), list_of(KIND_BAG, members, 2)};
    return list_of(KIND_ARRAY, all, 1);
}

/* In WIDE's reading the targets were opened one by one. */
static kql_value targets(audit_row *self)
{
    const audit_record *record = self->record;
    kql_item *items;

    if (record->target_elsewhere.length > 0)
        return target_elsewhere(self);
    if (record->view == SEMANTICS_KQL || record->targets.opened == NULL)
        return kql_of_json(record->view == SEMANTICS_KQL || record->targets.array == NULL
                               ? record->target_resources
                               : record->targets.array);
    items = items_of(self, record->targets.count);
    for (size_t i = 0; items != NULL && i < record->targets.count; i++)
        items[i] = (kql_item){TEXT(""), kql_of_json(json_list_item(&record->targets, i))};
    return list_of(KIND_ARRAY, items, record->targets.count);
}

/* --- columns --- */

static text read_text(audit_row *self, audit_column column)
{
    const audit_record *r = self->record;

    if (!self->has_rest) {
        self->has_rest = true;
        self->out_of_memory |= !audit_record_read_rest(self->record, self->reader);
    }
    switch (column) {
    case COLUMN_RESULT:
        return r->result;
    case COLUMN_RESULT_REASON:
        return r->result_reason;
    case COLUMN_ID:
        return r->record_id;
    case COLUMN_CORRELATION_ID:
        return r->correlation_id;
    case COLUMN_LOGGED_BY_SERVICE:
        return r->logged_by_service;
    default:
        return r->tenant_id;
    }
}

/* Graph has one name for both. */
static text activity_name(const audit_record *r)
{
    bool has_one = r->shape == SHAPE_DIRECTORY_AUDIT || r->shape == SHAPE_STEAMPIPE;

    return has_one ? r->operation_name : r->activity_name;
}

kql_value audit_row_column(audit_row *self, unsigned column)
{
    switch ((audit_column)column) {
    case COLUMN_TIME_GENERATED:
        return kql_number(KIND_DATETIME, self->time);
    case COLUMN_TIME_RECEIVED:
        return kql_number(KIND_DATETIME, self->received);
    case COLUMN_TARGET_RESOURCES:
        return targets(self);
    case COLUMN_INITIATED_BY:
        return kql_of_json(audit_record_initiated_by(self->record, &self->view));
    case COLUMN_ADDITIONAL_DETAILS:
        return kql_of_json(audit_record_additional_details(self->record, &self->view));
    case COLUMN_OPERATION_NAME:
        return kql_string(self->record->operation_name);
    case COLUMN_ACTIVITY_DISPLAY_NAME:
        return kql_string(activity_name(self->record));
    case COLUMN_RESULT:
    case COLUMN_RESULT_REASON:
    case COLUMN_ID:
    case COLUMN_CORRELATION_ID:
    case COLUMN_LOGGED_BY_SERVICE:
    case COLUMN_AAD_TENANT_ID:
        return kql_string(read_text(self, (audit_column)column));
    case COLUMN_ACTIVITY_DATE_TIME:
        return found_time(self, (audit_column)column);
    case COLUMN_DURATION_MS:
        return found_number(self, (audit_column)column);
    case COLUMN_SOURCE_SYSTEM:
        return constant("Azure AD");
    case COLUMN_TYPE:
        return constant("AuditLogs");
    case COLUMN_BILLED_SIZE:
        return kql_null();
    default:
        return kql_string(found_text(self, (audit_column)column));
    }
}

/* --- steps --- */

/* userPrincipalName is user_principal_name where a shape renames its keys. */
static bool write_snake(const char *key, char *out, size_t room)
{
    size_t at = 0;

    for (; *key != '\0' && at + 2 < room; key++) {
        if (*key >= 'A' && *key <= 'Z') {
            out[at++] = '_';
            out[at++] = (char)(*key + ('a' - 'A'));
        } else {
            out[at++] = *key;
        }
    }
    out[at] = '\0';
    return *key == '\0';
}

static bool is_wide(const audit_row *self)
{
    return self->view.semantics == SEMANTICS_WIDE;
}

/* A member of what was read into items; in WIDE's reading a key may be in another case. */
static kql_value member_of_items(audit_row *self, kql_value of, const char *key)
{
    kql_value exact = kql_member(of, key);

    if (exact.kind != KIND_NULL || !is_wide(self))
        return exact;
    for (size_t i = of.count; of.kind == KIND_BAG && i > 0; i--) {
        if (kql_equals(of.items[i - 1].key, text_of(key), SEMANTICS_KQL)) {
            self->view.notes |= NOTE_KEY_CASE;
            return of.items[i - 1].value;
        }
    }
    return exact;
}

static kql_value step(audit_row *self, kql_value of, const char *key)
{
    bool other_case = false;
    json *value;

    if (of.kind != KIND_BAG || of.tree == NULL)
        return member_of_items(self, of, key);
    if (!is_wide(self))
        return kql_member(of, key);
    value = json_member_any_case(of.tree, key, &other_case);
    if (other_case && value != NULL)
        self->view.notes |= NOTE_KEY_CASE;
    return kql_of_json(value);
}

static bool is_renamed(audit_shape s)
{
    return s == SHAPE_ELASTIC || s == SHAPE_STEAMPIPE;
}

/* The text in it, as JSON, up to three levels; itself when it holds no array or object. */
static kql_value open_text(audit_row *self, kql_value packed)
{
    kql_value inner = packed;

    for (int level = 0; level < MOST_STRING_LEVELS && inner.kind == KIND_STRING; level++) {
        text t = inner.string;

        if (t.length < 2 || strchr("{[\"", t.bytes[0]) == NULL || t.bytes[0] == '\0')
            return packed;
        switch (kql_read_json(t, self->reader->memory, &inner)) {
        case KQL_READ:
            break;
        case KQL_OUT_OF_MEMORY:
            self->out_of_memory = true;
            return packed;
        case KQL_NO_JSON:
            return packed;
        }
    }
    if (inner.kind != KIND_ARRAY && inner.kind != KIND_BAG)
        return packed;
    self->view.notes |= NOTE_JSON_STRING;
    return inner;
}

kql_value audit_row_member(audit_row *self, kql_value of, const char *key)
{
    char snake[64];
    kql_value found;

    if (is_wide(self) && of.kind == KIND_STRING)
        of = open_text(self, of);
    found = step(self, of, key);
    if (found.kind == KIND_NULL && is_renamed(self->record->shape) &&
        write_snake(key, snake, sizeof(snake)))
        return step(self, of, snake);
    return found;
}

/* `{"value":[..],"Count":n}`, as PowerShell writes an array. */
static kql_value array_beside_count(audit_row *self, kql_value bag)
{
    kql_value array;

    if (bag.count != 2 || step(self, bag, "Count").kind == KIND_NULL)
        return bag;
    array = step(self, bag, "value");
    if (array.kind == KIND_STRING)
        array = open_text(self, array);
    if (array.kind != KIND_ARRAY)
        return bag;
    self->view.notes |= NOTE_TARGET_OBJECT;
    return array;
}

/* An object keyed "0", "1", .., which Elastic makes of an array. */
static kql_value array_of_numbered(audit_row *self, kql_value bag)
{
    kql_item *items;
    text key;

    for (size_t i = 0; i < bag.count; i++) {
        kql_nth(bag, i, &key);
        if (key.length == 0 || key.length != strspn(key.bytes, "0123456789"))
            return bag;
    }
    if (bag.count == 0)
        return bag;
    items = items_of(self, bag.count);
    for (size_t i = 0; items != NULL && i < bag.count; i++)
        items[i] = (kql_item){TEXT(""), kql_nth(bag, i, &key)};
    return list_of(KIND_ARRAY, items, bag.count);
}

kql_value audit_row_open(audit_row *self, kql_value packed)
{
    if (!is_wide(self))
        return packed;
    if (packed.kind == KIND_STRING)
        packed = open_text(self, packed);
    if (packed.kind == KIND_BAG)
        packed = array_beside_count(self, packed);
    return packed.kind == KIND_BAG ? array_of_numbered(self, packed) : packed;
}

/* --- the role list --- */

static kql_value roles_of(text roles, arena *memory)
{
    kql_value v;

    if (roles.length == 0)
        return kql_null();
    return kql_read_json(roles, memory, &v) == KQL_READ ? v : kql_string(roles);
}

kql_value identity_row_column(const identity_record *row, unsigned column, semantics s,
                              arena *memory)
{
    switch (column) {
    case INFO_TIME_GENERATED:
        return kql_number(KIND_DATETIME, row->time_generated);
    case INFO_ACCOUNT_UPN:
        return kql_string(row->account_upn);
    case INFO_ACCOUNT_OBJECT_ID:
        return kql_string(row->account_object_id);
    case INFO_ACCOUNT_DISPLAY_NAME:
        return kql_string(row->account_display_name);
    case INFO_ASSIGNED_ROLES:
        return s == SEMANTICS_KQL && row->roles_are_older ? kql_null()
                                                          : roles_of(row->assigned_roles, memory);
    default:
        return column < accounts.count ? kql_nothing(accounts.columns[column].type) : kql_null();
    }
}
