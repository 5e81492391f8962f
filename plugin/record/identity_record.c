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

bool identity_rows_find(json *object, identity_rows *rows)
{
    text names[MOST_NAMES];
    json *members;

    rows->object = object;
    rows->count = 1;
    if (!identity_layout_find(&rows->layout, names, list_names(object, names)))
        return false;
    if (rows->layout.shape != IDENTITY_GRAPH_ROLE)
        return true;
    members = value_at(object, &rows->layout, IDENTITY_MEMBERS);
    rows->count = json_array_length(members);
    return json_kind_of(members) == JSON_ARRAY;
}

/* The texts and what follows from the shape; time and roles are those of the row's source. */
static bool complete(identity_record *record, const identity_layout *layout)
{
    bool has_roles = layout->places[IDENTITY_ROLES] != IDENTITY_NOWHERE;

    record->roles = has_roles ? ROLES_GIVEN : ROLES_ABSENT;
    record->roles_are_older = !has_roles && layout->shape == IDENTITY_LOG_ANALYTICS;
    return record->account_upn.bytes && record->account_object_id.bytes &&
           record->account_display_name.bytes && record->assigned_roles.bytes;
}

static identity_result read_row(json *object, const identity_layout *layout, arena *memory,
                                identity_record *record)
{
    text time = text_at(object, layout, IDENTITY_TIME, memory);

    record->account_upn = text_at(object, layout, IDENTITY_UPN, memory);
    record->account_object_id = text_at(object, layout, IDENTITY_OBJECT_ID, memory);
    record->account_display_name = text_at(object, layout, IDENTITY_DISPLAY_NAME, memory);
    record->assigned_roles = text_at(object, layout, IDENTITY_ROLES, memory);
    if (!complete(record, layout) || time.bytes == NULL)
        return IDENTITY_OUT_OF_MEMORY;
    return timestamp_parse(time, &record->time_generated) ? IDENTITY_RECORD : IDENTITY_WITHOUT_TIME;
}

/* Name and template id, so that a rule may ask for either. */
static text roles_of(const identity_rows *self, arena *memory)
{
    static const identity_column columns[] = {IDENTITY_DISPLAY_NAME, IDENTITY_ROLES};
    buffer out = {0};
    text roles = {NULL, 0};

    buffer_append_char(&out, '[');
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        text name = text_at(self->object, &self->layout, columns[i], memory);

        if (name.length == 0)
            continue;
        json_write_item(&out);
        json_write_string(&out, name);
    }
    buffer_append_char(&out, ']');
    if (!buffer_failed(&out))
        roles = arena_copy(memory, buffer_text(&out));
    buffer_free(&out);
    return roles;
}

static text member_text(json *member, identity_column column, arena *memory)
{
    text names[MOST_NAMES];
    identity_layout layout = identity_layout_of_member(names, list_names(member, names));
    text found = text_at(member, &layout, column, memory);

    if (found.length == 0 && layout.places[IDENTITY_MEMBERS] != IDENTITY_NOWHERE)
        return member_text(value_at(member, &layout, IDENTITY_MEMBERS), column, memory);
    return found;
}

static identity_result read_member(const identity_rows *self, json *member, timestamp received,
                                   arena *memory, identity_record *record)
{
    record->time_generated = received;
    record->account_upn = member_text(member, IDENTITY_UPN, memory);
    record->account_object_id = member_text(member, IDENTITY_OBJECT_ID, memory);
    record->account_display_name = member_text(member, IDENTITY_DISPLAY_NAME, memory);
    record->assigned_roles = roles_of(self, memory);
    if (!complete(record, &self->layout))
        return IDENTITY_OUT_OF_MEMORY;
    record->roles = ROLES_ADDED;
    if (record->account_upn.length == 0)
        record->account_upn = record->account_object_id;
    return record->account_upn.length > 0 ? IDENTITY_RECORD : IDENTITY_OTHER_KIND;
}

identity_result identity_rows_read(const identity_rows *self, size_t n, timestamp received,
                                   arena *memory, identity_record *record)
{
    json *members;

    if (self->layout.shape != IDENTITY_GRAPH_ROLE)
        return read_row(self->object, &self->layout, memory, record);
    members = value_at(self->object, &self->layout, IDENTITY_MEMBERS);
    return read_member(self, json_array_item(members, n), received, memory, record);
}

static text cell_at(const identity_layout *layout, const text *cells, identity_column column)
{
    size_t place = layout->places[column];

    return place == IDENTITY_NOWHERE ? (text)TEXT("") : cells[place];
}

identity_result identity_record_read_cells(const identity_layout *layout, const text *cells,
                                           identity_record *record)
{
    record->account_upn = cell_at(layout, cells, IDENTITY_UPN);
    record->account_object_id = cell_at(layout, cells, IDENTITY_OBJECT_ID);
    record->account_display_name = cell_at(layout, cells, IDENTITY_DISPLAY_NAME);
    record->assigned_roles = cell_at(layout, cells, IDENTITY_ROLES);
    complete(record, layout);
    return timestamp_parse(cell_at(layout, cells, IDENTITY_TIME), &record->time_generated)
               ? IDENTITY_RECORD
               : IDENTITY_WITHOUT_TIME;
}
