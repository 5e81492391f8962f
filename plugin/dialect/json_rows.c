/* SPDX-License-Identifier: Apache-2.0 */
/* json_rows: opens and closes objects as the paths of the rows go. */
#include "dialect/json_rows.h"

enum { MOST_DEPTH = 8 };

/* The objects that are open, outermost first. */
typedef struct nest {
    buffer *out;
    text open[MOST_DEPTH];
    size_t depth;
    text parent; /* the path that leads to the innermost */
} nest;

static bool is_array(text step)
{
    return step.length > 2 && step.bytes[step.length - 1] == ']';
}

/* The path's first step; *rest is what follows its dot, or empty. */
static text first_step(text path, text *rest)
{
    const char *dot = memchr(path.bytes, '.', path.length);

    *rest = dot ? text_from(path, (size_t)(dot + 1 - path.bytes)) : (text){path.bytes, 0};
    return dot ? text_between(path.bytes, dot) : path;
}

/* A step is a constant without anything to escape. */
static void write_key(buffer *out, text step)
{
    size_t length = step.length - (is_array(step) ? 2 : 0);
    char *room;

    json_write_item(out);
    room = buffer_room(out, length + 3);
    if (room == NULL)
        return;
    room[0] = '"';
    memcpy(room + 1, step.bytes, length);
    memcpy(room + 1 + length, "\":", 2);
    out->length += length + 3;
}

static void open_object(nest *n, text step)
{
    write_key(n->out, step);
    buffer_append_string(n->out, is_array(step) ? "[{" : "{");
    n->open[n->depth++] = step;
}

static void close_until(nest *n, size_t depth)
{
    while (n->depth > depth)
        buffer_append_string(n->out, is_array(n->open[--n->depth]) ? "}]" : "}");
}

/* From the object that is open to the one where the path leads. */
static void go_to(nest *n, text path)
{
    size_t depth = 0;
    text rest, step = first_step(path, &rest);

    while (rest.length > 0 && depth < n->depth && text_equal(step, n->open[depth])) {
        depth++;
        step = first_step(rest, &rest);
    }
    close_until(n, depth);
    while (rest.length > 0 && n->depth < MOST_DEPTH) {
        open_object(n, step);
        step = first_step(rest, &rest);
    }
}

/* Most often it is in the object of the row before. */
static void write_path(nest *n, text path)
{
    const char *dot = memrchr(path.bytes, '.', path.length);
    size_t length = dot ? (size_t)(dot + 1 - path.bytes) : 0;
    text parent = {path.bytes, length};

    if (!text_equal(parent, n->parent))
        go_to(n, path);
    n->parent = parent;
    write_key(n->out, text_from(path, length));
}

/* Strings and words need not be made. */
static text value_of(const json_row *row, const alert_fields *alert, buffer *made)
{
    if (row->value.make == value_text)
        return alert_fields_text(alert, row->value.field);
    if (row->value.make == value_word)
        return text_of(row->value.word);
    buffer_clear(made);
    row->value.make(&row->value, alert, made);
    return buffer_text(made);
}

static void write_row(nest *n, const json_row *row, text v)
{
    write_path(n, text_of(row->path));
    if (row->form == AS_JSON)
        buffer_append(n->out, v);
    else
        json_write_string(n->out, v);
}

void json_rows_write(const json_row *rows, const alert_fields *alert, buffer *out)
{
    nest n = {.out = out};
    buffer made = {0};

    buffer_append_char(out, '{');
    for (; rows->path != NULL; rows++) {
        text v = value_of(rows, alert, &made);

        if (v.length > 0)
            write_row(&n, rows, v);
        out->failed |= buffer_failed(&made);
    }
    close_until(&n, 0);
    buffer_append_char(out, '}');
    buffer_free(&made);
}

/* --- read back --- */

/* What is compared with the rows; `row` is the next one that may come. */
typedef struct reading {
    const json_row *row;
} reading;

static bool is_below(const json_row *row, text parent)
{
    return row->path != NULL && strncmp(row->path, parent.bytes, parent.length) == 0;
}

static bool are_members(reading *r, text parent, json *object);

static bool is_value(const json_row *row, json *v)
{
    if (row->form == AS_JSON)
        return json_kind_of(v) != JSON_NULL;
    return json_kind_of(v) == JSON_STRING &&
           (row->value.make != value_word || text_equal(json_string(v), text_of(row->value.word)));
}

/* The row's step below the parent is this member's key. */
static bool is_member(reading *r, text parent, text step, text rest, json *v)
{
    text inner = {parent.bytes, parent.length + step.length + 1};

    if (rest.length == 0)
        return is_value(r->row++, v);
    inner.bytes = r->row->path;
    if (is_array(step))
        return json_array_length(v) == 1 && are_members(r, inner, json_array_item(v, 0));
    return are_members(r, inner, v);
}

static bool is_step(text step, const char *key)
{
    return text_equal((text){step.bytes, step.length - (is_array(step) ? 2 : 0)}, text_of(key));
}

/* Goes on to the row of that key, over those that may be missing; its step, or nothing. */
static text find_step(reading *r, text parent, const char *key, text *rest)
{
    while (is_below(r->row, parent)) {
        text step = first_step(text_from(text_of(r->row->path), parent.length), rest);

        if (is_step(step, key))
            return step;
        if (r->row->value.make == value_word)
            break;
        r->row++;
    }
    return (text){"", 0};
}

static bool are_members(reading *r, text parent, json *object)
{
    json_members all = json_members_of(object);
    const char *key;
    json *v;

    if (json_kind_of(object) != JSON_OBJECT)
        return false;
    while (json_next_member(&all, &key, &v)) {
        text rest, step = find_step(r, parent, key, &rest);

        if (step.length == 0 || !is_member(r, parent, step, rest, v))
            return false;
    }
    while (is_below(r->row, parent) && r->row->value.make != value_word)
        r->row++;
    return !is_below(r->row, parent);
}

bool json_rows_are(const json_row *rows, const char *below, json *object)
{
    reading r = {rows};
    text parent = text_of(below);

    while (r.row->path != NULL && !is_below(r.row, parent))
        r.row++;
    return are_members(&r, parent, object);
}
