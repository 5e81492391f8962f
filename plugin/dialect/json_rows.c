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
