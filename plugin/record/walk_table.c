/* SPDX-License-Identifier: Apache-2.0 */
/* walk_table: rows that stand apart from their columns' names. */
#include "record/walk.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/timestamp.h"

/* Log Analytics' `columns` and `rows`, Kusto's `Columns` and `Rows`. */
static json *member_in_any_case(json *object, const char *key)
{
    bool other_case;

    return json_member_any_case(object, key, &other_case);
}

/* What the first of these keys holds, if that is a string. */
static text first_string(json *object, const char *const *keys, size_t count)
{
    text found = {NULL, 0};

    for (size_t i = 0; i < count && found.bytes == NULL; i++)
        found = json_string(member_in_any_case(object, keys[i]));
    return found;
}

static text column_name(json *column)
{
    static const char *const keys[] = {"name", "ColumnName"};
    text name = json_string(column);

    if (name.bytes == NULL)
        name = first_string(column, keys, sizeof(keys) / sizeof(keys[0]));
    return name.bytes != NULL && strlen(name.bytes) == name.length ? name : (text)TEXT("");
}

static bool has_names(json *columns)
{
    for (size_t i = 0; i < json_array_length(columns); i++)
        if (column_name(json_array_item(columns, i)).length > 0)
            return true;
    return false;
}

bool walk_is_table(json *object)
{
    return json_kind_of(member_in_any_case(object, "rows")) == JSON_ARRAY &&
           has_names(member_in_any_case(object, "columns"));
}

/* A dynamic column's value stands in a string; without a type its name tells. */
static bool is_dynamic(json *column)
{
    static const char *const keys[] = {"type", "ColumnType", "DataType"};
    static const text names[] = {TEXT("TargetResources"), TEXT("InitiatedBy"),
                                 TEXT("AdditionalDetails"), TEXT("AssignedRoles")};
    text type = first_string(column, keys, sizeof(keys) / sizeof(keys[0]));
    text name = column_name(column);

    if (text_equal(type, (text)TEXT("dynamic")) || text_equal(type, (text)TEXT("Object")))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (text_equal(name, names[i]))
            return type.length == 0;
    return false;
}

typedef struct column {
    const char *name;
    bool is_dynamic;
    bool is_repeated; /* a column before it has that name */
} column;

static bool is_among(const char *name, const column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return true;
    return false;
}

static column *read_columns(json *columns, size_t count)
{
    column *all = calloc(count + 1, sizeof(column));

    for (size_t i = 0; all != NULL && i < count; i++) {
        json *described = json_array_item(columns, i);
        const char *name = column_name(described).bytes;

        all[i] = (column){name, is_dynamic(described), is_among(name, all, i)};
    }
    return all;
}

static bool put_cell(walk *w, json *object, const column *c, json *cell)
{
    json_parser *parser = w->unwrap->parser;
    json *tree = c->is_dynamic ? json_parse_string(parser, cell) : NULL;

    if (c->is_dynamic && json_parser_ran_out(parser))
        return false;
    if (c->is_repeated)
        json_parser_note_repeated_key(parser);
    return json_put_member(object, c->name, tree ? tree : json_ref(cell));
}

static void walk_cells(walk *w, const column *columns, size_t count, json *row)
{
    json *object = json_new_object();
    bool is_whole = object != NULL;

    for (size_t i = 0; is_whole && i < count && i < json_array_length(row); i++)
        is_whole = put_cell(w, object, &columns[i], json_array_item(row, i));
    w->found.out_of_memory |= !is_whole;
    walk_value(w, object);
    json_free(object);
}

/* A row that is no array may be a record as it is. */
static void walk_row(walk *w, const column *columns, size_t count, json *row)
{
    if (json_kind_of(row) == JSON_ARRAY)
        walk_cells(w, columns, count, row);
    else
        walk_value(w, row);
}

/* What it says of targets: an object, an array, or one of them as text. */
static bool is_container(json *cell)
{
    text t = json_string(cell);

    if (json_kind_of(cell) != JSON_STRING)
        return json_kind_of(cell) == JSON_OBJECT || json_kind_of(cell) == JSON_ARRAY;
    t = text_from(t, json_blanks(t));
    return t.length > 0 && (t.bytes[0] == '{' || t.bytes[0] == '[');
}

static bool is_time(json *cell)
{
    timestamp ignored;

    return json_kind_of(cell) == JSON_STRING &&
           timestamp_read(json_string(cell), &ignored) == TIMESTAMP_READ;
}

/* A record's row has a time, its targets, and words. */
static bool is_bare_row(json *array)
{
    size_t times = 0, containers = 0, words = 0;

    for (size_t i = 0; i < json_array_length(array); i++) {
        json *cell = json_array_item(array, i);

        if (is_container(cell))
            containers++;
        else if (is_time(cell))
            times++;
        else
            words += json_kind_of(cell) == JSON_STRING;
    }
    return times > 0 && containers > 0 && words > 0;
}

void walk_keep_bare_row(walk *w, json *array)
{
    buffer written = {0};

    if (!is_bare_row(array))
        return;
    json_write_value(&written, array);
    w->found.out_of_memory |= buffer_failed(&written);
    walk_count_broken(w, UNWRAP_PART);
    walk_keep_broken(w, buffer_text(&written), UNWRAP_PART);
    buffer_free(&written);
}

/* An object has no more members either: what is read of it might not be the record. */
static void refuse_table(walk *w, json *table)
{
    static const char reason[] = "a table with too many columns";
    buffer written = {0};

    json_write_value(&written, table);
    w->found.out_of_memory |= buffer_failed(&written);
    walk_count_broken(w, reason);
    walk_keep_broken(w, buffer_text(&written), reason);
    buffer_free(&written);
}

void walk_rows(walk *w, json *table, json *described)
{
    json *rows = member_in_any_case(table, "rows");
    size_t count = json_array_length(described);
    column *columns;

    if (count > JSON_MOST_MEMBERS) {
        refuse_table(w, table);
        return;
    }
    columns = read_columns(described, count);
    w->found.out_of_memory |= columns == NULL;
    for (size_t i = 0; columns != NULL && i < json_array_length(rows) && !walk_must_stop(w); i++)
        walk_row(w, columns, count, json_array_item(rows, i));
    free(columns);
}

void walk_table(walk *w, json *table)
{
    walk_rows(w, table, member_in_any_case(table, "columns"));
}

bool walk_is_frame(json *object, const char *type)
{
    return text_equal(json_string(json_member(object, "FrameType")), text_of(type));
}
