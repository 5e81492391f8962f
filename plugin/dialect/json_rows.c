/* SPDX-License-Identifier: Apache-2.0 */
/* json_rows: opens and closes objects as the paths of the rows go. */
#include "dialect/json_rows.h"

enum { MOST_DEPTH = 8 };

/* The objects that are open, outermost first. */
typedef struct nest {
    buffer *out;
    text open[MOST_DEPTH];
    size_t depth;
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

static void write_key(buffer *out, text step)
{
    json_write_item(out);
    json_write_string(out, (text){step.bytes, step.length - (is_array(step) ? 2 : 0)});
    buffer_append_char(out, ':');
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

/* Goes to where the path's last step belongs, and writes its key. */
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
    write_key(n->out, step);
}

static void write_row(nest *n, const json_row *row, text v)
{
    go_to(n, text_of(row->path));
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
        buffer_clear(&made);
        rows->value.make(&rows->value, alert, &made);
        if (made.length > 0)
            write_row(&n, rows, buffer_text(&made));
        out->failed |= buffer_failed(&made);
    }
    close_until(&n, 0);
    buffer_append_char(out, '}');
    buffer_free(&made);
}
