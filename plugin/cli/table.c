/* SPDX-License-Identifier: Apache-2.0 */
/* table: the first rows are kept until the widths are known, the others pass through. */
#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistr.h>
#include <uniwidth.h>

#include "base/json.h"
#include "base/shown.h"

/* In terminal columns. Texts of SHORT ones are kept whole until the others have LEAST_OF_LONG. */
enum { WIDEST = 48, SHORT = 19, LEAST_OF_LONG = 8, NARROWEST = 2, GAP = 2 };

struct table {
    FILE *out;
    const char *const *columns;
    size_t width;  /* columns in a row */
    size_t sample; /* rows that are kept, with the head */
    size_t kept;
    text *cells; /* of the rows that are kept; then of one */
    size_t *widths;
    size_t terminal; /* how wide it is; 0: there is none */
    arena *memory;   /* of the cells */
    json_parser *parser;
    bool is_flowing; /* the widths are known, the rows that were kept are written */
    bool failed;
};

/* A copy that the arena owns, or no bytes when memory ran out. */
static text keep(arena *memory, buffer *made)
{
    text copy = {NULL, 0};

    if (!buffer_failed(made))
        copy = arena_copy(memory, made->length > 0 ? buffer_text(made) : (text)TEXT(""));
    buffer_free(made);
    return copy;
}

static text as_shown(arena *memory, text t)
{
    buffer shown = {0};

    shown_append(&shown, t);
    return keep(memory, &shown);
}

static size_t width_of(text t)
{
    int width = u8_width((const uint8_t *)t.bytes, t.length, "UTF-8");

    return width > 0 ? (size_t)width : 0;
}

/* How many of the first bytes are at most so wide. */
static size_t length_within(text t, size_t most)
{
    size_t at = 0, width = 0;

    while (at < t.length) {
        ucs4_t c;
        int taken = u8_mbtouc(&c, (const uint8_t *)t.bytes + at, t.length - at);
        int wide = uc_width(c, "UTF-8");

        width += wide > 0 ? (size_t)wide : 0;
        if (width > most)
            break;
        at += (size_t)taken;
    }
    return at;
}

static text cut_to_width(arena *memory, text t, size_t most)
{
    static const text ellipsis = TEXT("…");
    text cut;
    char *end;

    if (length_within(t, most) == t.length)
        return t;
    t.length = length_within(t, most - 1);
    cut = arena_copy(memory, (text){t.bytes, t.length + ellipsis.length}); /* there is more of t */
    if (cut.bytes == NULL)
        return t;
    end = (char *)cut.bytes + t.length;
    memcpy(end, ellipsis.bytes, ellipsis.length);
    return cut;
}

/* An array's strings side by side read better than its JSON. */
static text cell_text(json *value, arena *memory)
{
    buffer joined = {0};

    if (json_kind_of(value) != JSON_ARRAY)
        return json_tostring(value, memory);
    for (size_t i = 0; i < json_array_length(value); i++) {
        if (i > 0)
            buffer_append_string(&joined, ", ");
        buffer_append(&joined, json_tostring(json_array_item(value, i), memory));
    }
    return keep(memory, &joined);
}

static bool put_cell(table *self, size_t row, size_t column, text value)
{
    text cell = value.bytes ? as_shown(self->memory, value) : value;
    size_t width;

    if (cell.bytes == NULL)
        return false;
    cell = cut_to_width(self->memory, cell, WIDEST);
    width = width_of(cell);
    self->cells[row * self->width + column] = cell;
    if (!self->is_flowing && width > self->widths[column])
        self->widths[column] = width;
    return true;
}

static bool put_head(table *self)
{
    for (size_t c = 0; c < self->width; c++)
        if (!put_cell(self, 0, c, text_of(self->columns[c])))
            return false;
    self->kept = 1;
    return true;
}

static bool put_row(table *self, size_t row, text line)
{
    json *object;
    size_t taken;
    bool put = true;

    if (json_parse(self->parser, line, &object, &taken) != NULL)
        return false;
    for (size_t c = 0; put && c < self->width; c++)
        put =
            put_cell(self, row, c, cell_text(json_member(object, self->columns[c]), self->memory));
    json_free(object);
    return put;
}

/* Of those that needed more than `needed`; self->width when there is none. */
static size_t widest_column(const table *self, const size_t *wanted, size_t needed)
{
    size_t widest = self->width;

    for (size_t c = 0; c < self->width; c++)
        if (wanted[c] > needed && (widest == self->width || self->widths[c] > self->widths[widest]))
            widest = c;
    return widest;
}

/* Takes from the widest, as long as it is wider than `least`. */
static void narrow(table *self, const size_t *wanted, size_t needed, size_t least, size_t *taken)
{
    while (*taken > self->terminal) {
        size_t widest = widest_column(self, wanted, needed);

        if (widest == self->width || self->widths[widest] <= least)
            return;
        self->widths[widest]--;
        --*taken;
    }
}

/* Long texts give way first: an id or a time that is cut is worth nothing. */
static bool fit_into_terminal(table *self)
{
    size_t taken = GAP * (self->width - 1);
    size_t *wanted = malloc(self->width * sizeof(*wanted));

    if (wanted == NULL)
        return false;
    memcpy(wanted, self->widths, self->width * sizeof(*wanted));
    for (size_t c = 0; c < self->width; c++)
        taken += self->widths[c];
    if (self->terminal > 0) {
        narrow(self, wanted, SHORT, LEAST_OF_LONG, &taken);
        narrow(self, wanted, 0, NARROWEST, &taken);
    }
    free(wanted);
    return true;
}

/* On a terminal no cell is wider than its column. */
static text cut_to_fit(const table *self, text cell, size_t width)
{
    return self->terminal > 0 ? cut_to_width(self->memory, cell, width) : cell;
}

static void write_row(const table *self, size_t row)
{
    for (size_t c = 0; c < self->width; c++) {
        text cell = cut_to_fit(self, self->cells[row * self->width + c], self->widths[c]);
        size_t width = width_of(cell);
        size_t padding = self->widths[c] > width ? self->widths[c] - width : 0;

        fwrite(cell.bytes, 1, cell.length, self->out);
        if (c + 1 < self->width)
            fprintf(self->out, "%*s", (int)(padding + GAP), "");
    }
    fputc('\n', self->out);
}

static void write_kept(table *self)
{
    self->failed |= !fit_into_terminal(self);
    for (size_t r = 0; r < self->kept; r++)
        write_row(self, r);
    self->is_flowing = true;
    arena_reset(self->memory);
}

static bool make_parts(table *self)
{
    while (self->columns[self->width] != NULL)
        self->width++;
    self->cells = calloc(self->sample * self->width, sizeof(text));
    self->widths = calloc(self->width, sizeof(size_t));
    self->memory = arena_new();
    self->parser = json_parser_new(JSON_MOST_DEPTH);
    return self->cells && self->widths && self->memory && self->parser && put_head(self);
}

size_t table_terminal_width(FILE *out)
{
    struct winsize size;
    int file = fileno(out);

    if (file < 0 || ioctl(file, TIOCGWINSZ, &size) != 0)
        return 0;
    return size.ws_col;
}

table *table_begin(FILE *out, const char *const *columns, size_t sample)
{
    table *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->out = out;
    self->columns = columns;
    self->sample = sample + 1;
    self->terminal = table_terminal_width(out);
    if (make_parts(self))
        return self;
    self->failed = true;
    table_end(self);
    return NULL;
}

static void hold(table *self, text line)
{
    self->failed = !put_row(self, self->kept, line);
    self->kept++;
}

static void pass_on(table *self, text line)
{
    self->failed = !put_row(self, 0, line);
    if (!self->failed)
        write_row(self, 0);
    arena_reset(self->memory);
}

void table_add(table *self, text line)
{
    if (self->failed)
        return;
    if (!self->is_flowing && self->kept == self->sample)
        write_kept(self);
    if (self->is_flowing)
        pass_on(self, line);
    else
        hold(self, line);
}

bool table_end(table *self)
{
    bool whole = !self->failed;

    if (whole && !self->is_flowing)
        write_kept(self);
    free(self->cells);
    free(self->widths);
    arena_free(self->memory);
    json_parser_free(self->parser);
    free(self);
    return whole;
}

bool table_print(FILE *out, const char *const *columns, const text *lines, size_t count)
{
    table *self = table_begin(out, columns, count);

    if (self == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        table_add(self, lines[i]);
    return table_end(self);
}
