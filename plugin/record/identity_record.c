/* SPDX-License-Identifier: Apache-2.0 */
/* identity_record: a layout, and what stands at its places. */
#include "record/identity_record.h"

/* More keys than any shape has; those behind them are not seen. */
enum { MOST_NAMES = 256 };

static size_t list_names(json *object, text names[static MOST_NAMES])
{
    json_members all = json_members_of(object);
    size_t count = 0;
    const char *key;
    json *value;

    while (count < MOST_NAMES && json_next_member(&all, &key, &value))
        names[count++] = text_of(key);
    return count;
}

static json *value_at(json *object, const identity_layout *layout, identity_column column)
{
    const char *key;
    json *value;

    if (layout->places[column] == IDENTITY_NOWHERE ||
        !json_nth_member(object, layout->places[column], &key, &value))
        return NULL;
    return value;
}

static text text_at(json *object, const identity_layout *layout, identity_column column,
                    arena *memory)
{
    return json_tostring(value_at(object, layout, column), memory);
}

/* --- roles that have two names --- */

typedef struct known_role {
    text name;
    text template_id;
} known_role;

/* The roles of sync accounts: a list of assignments may give either. */
static const known_role known_roles[] = {
    {TEXT("Directory Synchronization Accounts"), TEXT("d29b2b05-8046-44ba-8758-1e26182fcf32")},
    {TEXT("On Premises Directory Sync Account"), TEXT("a92aed5d-d78a-4d16-b381-09adb37eb3b0")},
};

static bool is_same(text a, text b)
{
    return a.length == b.length && strncasecmp(a.bytes, b.bytes, a.length) == 0;
}

static const known_role *find_role(text name)
{
    for (size_t i = 0; i < sizeof(known_roles) / sizeof(known_roles[0]); i++)
        if (name.length > 0 &&
            (is_same(name, known_roles[i].name) || is_same(name, known_roles[i].template_id)))
            return &known_roles[i];
    return NULL;
}

bool identity_role_is_known(text role)
{
    return find_role(role) != NULL;
}

static void write_role(buffer *out, text name)
{
    if (name.length == 0)
        return;
    json_write_item(out);
    json_write_string(out, name);
}

/* Name and template id, so that a rule may ask for either. */
static text write_roles(text name, text id, arena *memory)
{
    const known_role *known = find_role(name.length > 0 ? name : id);
    buffer out = {0};
    text roles = {NULL, 0};

    if (known != NULL && (name.length == 0 || id.length == 0)) {
        name = known->name;
        id = known->template_id;
    }
    buffer_append_char(&out, '[');
    write_role(&out, name);
    write_role(&out, id);
    buffer_append_char(&out, ']');
    if (!buffer_failed(&out))
        roles = arena_copy(memory, buffer_text(&out));
    buffer_free(&out);
    return roles;
}

/* --- surroundings --- */

/* What stands behind the `#` of a page's context. */
static text resource_of(text context)
{
    const char *mark = context.length > 0 ? memchr(context.bytes, '#', context.length) : NULL;

    return mark ? text_from(context, (size_t)(mark - context.bytes) + 1) : (text)TEXT("");
}

/* Is it a collection of that name, whatever is said of its columns? */
static bool is_collection(text resource, const char *name)
{
    size_t length = strlen(name);

    return text_begins_in_any_case(resource, name) &&
           (resource.length == length || memchr("(/", resource.bytes[length], 2) != NULL);
}

/* directoryRoles('ID')/members, directoryRoles(roleTemplateId='ID')/members */
static text role_of_members(text resource)
{
    const char *open, *end;

    if (!text_begins_in_any_case(resource, "directoryRoles(") ||
        memmem(resource.bytes, resource.length, "/members", 8) == NULL)
        return (text)TEXT("");
    open = memchr(resource.bytes, '\'', resource.length);
    end =
        open ? memchr(open + 1, '\'', resource.length - (size_t)(open + 1 - resource.bytes)) : NULL;
    return end ? text_between(open + 1, end) : (text)TEXT("");
}

identity_surroundings identity_surroundings_of(text context)
{
    text resource = resource_of(context);

    return (identity_surroundings){
        .role = role_of_members(resource),
        .are_users = is_collection(resource, "users"),
        .are_eligible =
            text_begins_in_any_case(resource, "roleManagement/directory/roleEligibility"),
    };
}

bool identity_members_are_nameless(text context)
{
    return is_collection(resource_of(context), "directoryObjects");
}

/* --- what PowerShell and others make of arrays --- */

/* The value that a string holds, if it holds one; it lives in *owned. */
static json *opened(json_parser *parser, json *value, json **owned)
{
    json *inside = NULL;

    if (parser != NULL && json_kind_of(value) == JSON_STRING)
        inside = json_parse_string(parser, value);
    if (inside == NULL)
        return value;
    json_free(*owned);
    *owned = inside;
    return inside;
}

static json *unfolded(json *value)
{
    bool ignored;
    json *inner = json_member_any_case(value, "value", &ignored);

    return json_kind_of(inner) == JSON_ARRAY ? inner : value;
}

static size_t count_members(json *members)
{
    switch (json_kind_of(members)) {
    case JSON_ARRAY:
        return json_array_length(members);
    case JSON_OBJECT:
        return json_member_count(members) > 0;
    case JSON_STRING:
        return json_string(members).length > 0;
    default:
        return 0;
    }
}

/* --- rows --- */

static bool finds_members(identity_rows *rows)
{
    enum { EXPANDED = 20 }; /* $expand gives no more, and does not say so */
    json *value = value_at(rows->object, &rows->layout, IDENTITY_MEMBERS);

    rows->members = unfolded(opened(rows->parser, value, &rows->owned[0]));
    rows->count = count_members(rows->members);
    rows->is_limited = rows->layout.shape == IDENTITY_GRAPH_ROLE && rows->count == EXPANDED;
    rows->is_nameless = rows->layout.places[IDENTITY_ROLES] == IDENTITY_NOWHERE &&
                        rows->layout.places[IDENTITY_DISPLAY_NAME] == IDENTITY_NOWHERE &&
                        rows->surroundings.role.length == 0;
    return rows->count > 0 || json_kind_of(rows->members) == JSON_ARRAY;
}

static bool has_column(const identity_layout *layout, identity_column column)
{
    return layout->places[column] != IDENTITY_NOWHERE;
}

/* Whoever stands alone must look like a user, a group or a service principal. */
static bool finds_member(identity_rows *rows, const text *names, size_t count)
{
    const identity_layout *layout = &rows->layout;

    if (rows->surroundings.role.length == 0 && !rows->surroundings.are_users)
        return false;
    rows->layout = identity_layout_of_member(names, count);
    return has_column(layout, IDENTITY_OBJECT_ID) &&
           (has_column(layout, IDENTITY_UPN) || has_column(layout, IDENTITY_DISPLAY_NAME) ||
            has_column(layout, IDENTITY_MEMBERS) || has_column(layout, IDENTITY_KIND));
}

bool identity_rows_find(json *object, const identity_surroundings *surroundings,
                        json_parser *parser, identity_rows *rows)
{
    text names[MOST_NAMES];
    size_t count = list_names(object, names);

    *rows = (identity_rows){.object = object, .count = 1, .parser = parser};
    if (surroundings != NULL)
        rows->surroundings = *surroundings;
    if (!identity_layout_find(&rows->layout, names, count))
        return finds_member(rows, names, count);
    if (rows->layout.shape != IDENTITY_GRAPH_ROLE && rows->layout.shape != IDENTITY_GRAPH_DELTA)
        return true;
    if (finds_members(rows))
        return true;
    identity_rows_end(rows);
    return false;
}

void identity_rows_end(identity_rows *self)
{
    json_free(self->owned[0]);
    json_free(self->owned[1]);
    self->owned[0] = self->owned[1] = NULL;
}

/* PowerShell's Export-Csv, and its ConvertTo-Json beyond -Depth, write "System.Object[]". */
static bool is_type_name(text roles)
{
    return text_begins_in_any_case(roles, "System.") ||
           text_begins_in_any_case(roles, "Microsoft.");
}

static bool hides_roles(const identity_record *record)
{
    return is_type_name(record->assigned_roles) ||
           (record->eligible_roles.bytes != NULL && is_type_name(record->eligible_roles));
}

static bool was_list_cut(text roles)
{
    while (roles.length > 0 && memchr(" \t\r\n", roles.bytes[roles.length - 1], 4) != NULL)
        roles.length--;
    return roles.length > 0 && roles.bytes[0] == '[' && roles.bytes[roles.length - 1] != ']';
}

/* The texts and what follows from the shape; time and roles are those of the row's source. */
static bool complete(identity_record *record, const identity_layout *layout)
{
    bool has_roles = has_column(layout, IDENTITY_ROLES);

    record->roles = has_roles ? ROLES_GIVEN : ROLES_ABSENT;
    record->roles_were_cut = was_list_cut(record->assigned_roles);
    record->roles_are_older = !has_roles && layout->shape == IDENTITY_LOG_ANALYTICS;
    return record->account_upn.bytes && record->account_object_id.bytes &&
           record->account_display_name.bytes && record->assigned_roles.bytes;
}

static text list_at(json *object, const identity_layout *layout, identity_column column,
                    arena *memory)
{
    return json_tostring(unfolded(value_at(object, layout, column)), memory);
}

static identity_result read_row(json *object, const identity_layout *layout, arena *memory,
                                identity_record *record)
{
    text time = text_at(object, layout, IDENTITY_TIME, memory);
    bool says_eligible = has_column(layout, IDENTITY_ELIGIBLE);

    record->account_upn = text_at(object, layout, IDENTITY_UPN, memory);
    record->account_object_id = text_at(object, layout, IDENTITY_OBJECT_ID, memory);
    record->account_display_name = text_at(object, layout, IDENTITY_DISPLAY_NAME, memory);
    record->assigned_roles = list_at(object, layout, IDENTITY_ROLES, memory);
    record->eligible_roles = (text){NULL, 0};
    if (says_eligible)
        record->eligible_roles = list_at(object, layout, IDENTITY_ELIGIBLE, memory);
    if (!complete(record, layout) || time.bytes == NULL ||
        (says_eligible && record->eligible_roles.bytes == NULL))
        return IDENTITY_OUT_OF_MEMORY;
    if (hides_roles(record))
        return IDENTITY_HIDES_ROLES;
    return timestamp_parse(time, &record->time_generated) ? IDENTITY_RECORD : IDENTITY_WITHOUT_TIME;
}

/* --- members --- */

/* The names of the role that this object, a role's definition, has. */
static text roles_of_definition(json *definition, text id, arena *memory)
{
    text names[MOST_NAMES], name, template_id;
    identity_layout layout = identity_layout_of_member(names, list_names(definition, names));

    name = text_at(definition, &layout, IDENTITY_DISPLAY_NAME, memory);
    template_id = text_at(definition, &layout, IDENTITY_ROLES, memory);
    if (name.bytes == NULL || template_id.bytes == NULL || id.bytes == NULL)
        return (text){NULL, 0};
    return write_roles(name, template_id.length > 0 ? template_id : id, memory);
}

static text roles_of(identity_rows *self, arena *memory)
{
    static const text none = TEXT("");
    const identity_layout *layout = &self->layout;
    text id = text_at(self->object, layout, IDENTITY_ROLES, memory);
    text name;

    if (layout->shape == IDENTITY_GRAPH_MEMBER)
        return self->surroundings.are_users ? none
                                            : write_roles(self->surroundings.role, none, memory);
    if (layout->shape == IDENTITY_GRAPH_ASSIGNMENT)
        return roles_of_definition(opened(self->parser,
                                          value_at(self->object, layout, IDENTITY_DEFINITION),
                                          &self->owned[0]),
                                   id, memory);
    name = text_at(self->object, layout, IDENTITY_DISPLAY_NAME, memory);
    if (name.bytes == NULL || id.bytes == NULL)
        return (text){NULL, 0};
    return name.length + id.length > 0 ? write_roles(name, id, memory)
                                       : write_roles(self->surroundings.role, none, memory);
}

static text member_text(json *member, identity_column column, arena *memory)
{
    text names[MOST_NAMES];
    identity_layout layout = identity_layout_of_member(names, list_names(member, names));
    text found = text_at(member, &layout, column, memory);

    if (found.length == 0 && has_column(&layout, IDENTITY_MEMBERS))
        return member_text(value_at(member, &layout, IDENTITY_MEMBERS), column, memory);
    return found;
}

static identity_roles kind_of(const identity_rows *self, json *member)
{
    bool ignored, was_removed = json_has_member(member, "@removed") ||
                                json_member_any_case(member, "@removed", &ignored) != NULL;

    if (self->surroundings.are_users && self->layout.shape == IDENTITY_GRAPH_MEMBER)
        return ROLES_ABSENT;
    if (was_removed)
        return ROLES_REMOVED;
    if (self->layout.shape == IDENTITY_GRAPH_ASSIGNMENT &&
        (self->surroundings.are_eligible || has_column(&self->layout, IDENTITY_ELIGIBLE)))
        return ROLES_ELIGIBLE;
    return ROLES_ADDED;
}

/* The member itself, and for an assignment what it says of its principal. */
static json *member_at(identity_rows *self, size_t n)
{
    json *member = self->object;

    if (self->layout.shape == IDENTITY_GRAPH_ASSIGNMENT)
        member = value_at(self->object, &self->layout, IDENTITY_MEMBERS);
    else if (self->layout.shape != IDENTITY_GRAPH_MEMBER)
        member = json_kind_of(self->members) == JSON_ARRAY ? json_array_item(self->members, n)
                                                           : self->members;
    return opened(self->parser, member, &self->owned[1]);
}

/* PowerShell writes the name of a type in the place of what is too deep for it. */
static bool was_cut(json *member)
{
    return json_kind_of(member) == JSON_STRING && json_string(member).length > 0;
}

static bool complete_member(const identity_rows *self, arena *memory, identity_record *record)
{
    if (self->layout.shape == IDENTITY_GRAPH_ASSIGNMENT && record->account_object_id.length == 0)
        record->account_object_id =
            text_at(self->object, &self->layout, IDENTITY_OBJECT_ID, memory);
    if (record->account_upn.length == 0)
        record->account_upn = record->account_object_id;
    return record->account_upn.bytes && record->account_object_id.bytes &&
           record->account_display_name.bytes && record->assigned_roles.bytes;
}

static identity_result read_member(identity_rows *self, size_t n, timestamp received, arena *memory,
                                   identity_record *record)
{
    json *member = member_at(self, n);

    *record = (identity_record){.time_generated = received, .roles = kind_of(self, member)};
    record->account_upn = member_text(member, IDENTITY_UPN, memory);
    record->account_object_id = member_text(member, IDENTITY_OBJECT_ID, memory);
    record->account_display_name = member_text(member, IDENTITY_DISPLAY_NAME, memory);
    record->assigned_roles = roles_of(self, memory);
    if (!complete_member(self, memory, record))
        return IDENTITY_OUT_OF_MEMORY;
    if (record->account_upn.length == 0)
        return was_cut(member) ? IDENTITY_UNREADABLE : IDENTITY_OTHER_KIND;
    return self->is_nameless ? IDENTITY_UNREADABLE : IDENTITY_RECORD;
}

identity_result identity_rows_read(identity_rows *self, size_t n, timestamp received, arena *memory,
                                   identity_record *record)
{
    if (self->layout.shape < IDENTITY_GRAPH_ROLE)
        return read_row(self->object, &self->layout, memory, record);
    return read_member(self, n, received, memory, record);
}

static text cell_at(const identity_layout *layout, const text *cells, identity_column column)
{
    size_t place = layout->places[column];

    return place == IDENTITY_NOWHERE ? (text)TEXT("") : cells[place];
}

identity_result identity_record_read_cells(const identity_layout *layout, const text *cells,
                                           date_order order, identity_record *record)
{
    record->account_upn = cell_at(layout, cells, IDENTITY_UPN);
    record->account_object_id = cell_at(layout, cells, IDENTITY_OBJECT_ID);
    record->account_display_name = cell_at(layout, cells, IDENTITY_DISPLAY_NAME);
    record->assigned_roles = cell_at(layout, cells, IDENTITY_ROLES);
    record->eligible_roles = layout->places[IDENTITY_ELIGIBLE] == IDENTITY_NOWHERE
                                 ? (text){NULL, 0}
                                 : cell_at(layout, cells, IDENTITY_ELIGIBLE);
    complete(record, layout);
    if (hides_roles(record))
        return IDENTITY_HIDES_ROLES;
    return date_order_parse(cell_at(layout, cells, IDENTITY_TIME), order, &record->time_generated)
               ? IDENTITY_RECORD
               : IDENTITY_WITHOUT_TIME;
}
