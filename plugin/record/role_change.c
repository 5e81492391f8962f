/* SPDX-License-Identifier: Apache-2.0 */
/* role_change: three operations, two roles, one right. */
#include "record/role_change.h"

#include "record/modified_property.h"

static const text operations[] = {
    TEXT("Add member to role"),
    TEXT("Remove member from role"),
    TEXT("Add app role assignment to service principal"),
};

enum { OPERATIONS = sizeof(operations) / sizeof(operations[0]) };

/*
 * By their template ids, which no tenant can change (Microsoft's page "Microsoft Entra built-in
 * roles"); and the app role of Microsoft Entra AD Synchronization Service.
 */
static const struct {
    text property;
    text value;
    text role;
} roles[] = {
    {TEXT("Role.TemplateId"), TEXT("d29b2b05-8046-44ba-8758-1e26182fcf32"),
     TEXT("Directory Synchronization Accounts")},
    {TEXT("Role.TemplateId"), TEXT("a92aed5d-d78a-4d16-b381-09adb37eb3b0"),
     TEXT("On Premises Directory Sync Account")},
    {TEXT("AppRole.Value"), TEXT("ADSynchronization.ReadWrite.All"),
     TEXT("ADSynchronization.ReadWrite.All")},
};

enum { APP_ROLE = 2, ROLES };

static bool is_same(text a, text b)
{
    return kql_equals(a, b, SEMANTICS_KQL);
}

const text *role_change_operations(size_t *count)
{
    *count = OPERATIONS;
    return operations;
}

static bool is_operation(text name)
{
    for (size_t i = 0; i < OPERATIONS; i++)
        if (text_equal(name, operations[i]))
            return true;
    return false;
}

bool role_change_is_told(const audit_record *record)
{
    return is_operation(record->operation_name) || is_operation(record->activity_name);
}

/* --- one target's properties --- */

typedef struct role_reading {
    json_view view;
    json_list properties;
    const audit_target *target;
    timestamp time;
    role_change_sink *sink;
    void *arg;
} role_reading;

/* The first property of that name, or NULL. */
static json *find(role_reading *r, text name)
{
    for (size_t i = 0; i < r->properties.count; i++) {
        json *property = json_list_item(&r->properties, i);

        if (is_same(modified_property_name(&r->view, property), name))
            return property;
    }
    return NULL;
}

/* Of an app role the properties are the right's own, and say who gets it. */
static void name_principal(role_reading *r, size_t role, role_change *change)
{
    json *grantee = role == APP_ROLE ? find(r, (text)TEXT("ServicePrincipal.ObjectID")) : NULL;

    change->upn = role == APP_ROLE ? (text)TEXT("") : r->target->upn;
    change->object_id = role == APP_ROLE ? modified_property_new(&r->view, grantee) : r->target->id;
    if (change->object_id.length == 0)
        change->object_id = change->upn;
}

static void read_property(role_reading *r, json *property, size_t role)
{
    text before = modified_property_old(&r->view, property);
    text after = modified_property_new(&r->view, property);
    role_change change = {.role = roles[role].role, .time = r->time};

    change.is_gained = is_same(after, roles[role].value);
    if (!change.is_gained && (after.length > 0 || !is_same(before, roles[role].value)))
        return;
    name_principal(r, role, &change);
    if (change.object_id.length > 0)
        r->sink(r->arg, &change);
}

static void read_properties(role_reading *r)
{
    for (size_t i = 0; i < r->properties.count; i++) {
        json *property = json_list_item(&r->properties, i);
        text name = modified_property_name(&r->view, property);

        for (size_t role = 0; role < ROLES; role++)
            if (is_same(name, roles[role].property))
                read_property(r, property, role);
    }
}

/* Some write Graph's enumeration by its numbers. */
static bool is_success(text result)
{
    return is_same(result, (text)TEXT("success")) || text_equal(result, (text)TEXT("0"));
}

static bool is_done_by_core_directory(const audit_record *record)
{
    return is_same(record->logged_by_service, (text)TEXT("Core Directory")) &&
           is_success(record->result);
}

bool role_changes_read(const audit_record *record, const audit_reader *reader, timestamp time,
                       role_change_sink *sink, void *arg)
{
    role_reading r = {
        .view = audit_record_view(record, reader), .time = time, .sink = sink, .arg = arg};
    size_t targets = is_done_by_core_directory(record) ? audit_record_target_count(record) : 0;

    for (size_t i = 0; i < targets && !r.view.out_of_memory; i++) {
        audit_target target;

        r.view.out_of_memory = !audit_record_target(record, i, reader->memory, &target);
        if (r.view.out_of_memory)
            break;
        r.target = &target;
        r.properties = modified_properties_of(&r.view, record, &target);
        read_properties(&r);
    }
    return !r.view.out_of_memory;
}
