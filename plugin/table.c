/* table: two passes over the cells, one for the widths, one to write. */
#include "table.h"

#include <stdint.h>
#include <stdlib.h>
#include <unistr.h>
#include <uniwidth.h>

#include "json.h"

enum { WIDEST = 48, GAP = 2 }; /* terminal columns */

typedef struct table {
    const char *const *columns;
    size_t width; /* columns in a row */
    size_t rows;  /* the head is the first */
    text *cells;
    size_t *widths;
    arena *memory;
} table;

/* A copy without anything that a terminal would obey. */
static text harmless(arena *memory, text t)
{
    text copy = arena_copy(memory, t);
    char *bytes = (char *)copy.bytes;

    if (bytes == NULL)
        return copy;
    for (size_t i = 0; i < copy.length; i++)
        if ((unsigned char)bytes[i] < 0x20 || bytes[i] == 0x7F)
            bytes[i] = '?';
    return u8_check((const uint8_t *)bytes, copy.length) == NULL ? copy : (text)TEXT("?");
}

static size_t width_of(text t)
{
    int width = u8_width((const uint8_t *)t.bytes, t.length, "UTF-8");

    return width > 0 ? (size_t)width : 0;
}

static text cut_to_width(arena *memory, text t)
{
    static const char ellipsis[] = "…";
    text cut;
    char *end;

    if (width_of(t) <= WIDEST)
        return t;
    while (t.length > 0 && width_of(t) > WIDEST - 1) {
        do
            t.length--;
        while (t.length > 0 && ((unsigned char)t.bytes[t.length] & 0xC0) == 0x80);
    }
    cut = arena_copy(memory, (text){t.bytes, t.length + sizeof(ellipsis) - 1});
    if (cut.bytes == NULL)
        return t;
    end = (char *)cut.bytes + t.length;
    memcpy(end, ellipsis, sizeof(ellipsis) - 1);
    return cut;
}

/* An array's strings side by side read better than its JSON. */
static text cell_text(json *value, arena *memory)
{
    buffer joined = {0};
    text copy;

    if (json_kind_of(value) != JSON_ARRAY)
        return json_tostring(value, memory);
    for (size_t i = 0; i < json_array_length(value); i++) {
        if (i > 0)
            buffer_append_string(&joined, ", ");
        buffer_append(&joined, json_tostring(json_array_item(value, i), memory));
    }
    copy = buffer_failed(&joined) ? (text){NULL, 0} : arena_copy(memory, buffer_text(&joined));
    buffer_free(&joined);
    return copy;
}

static bool put_cell(table *self, size_t row, size_t column, text value)
{
    text cell = value.bytes ? harmless(self->memory, value) : value;
    size_t width;

    if (cell.bytes == NULL)
        return false;
    cell = cut_to_width(self->memory, cell);
    width = width_of(cell);
    self->cells[row * self->width + column] = cell;
    if (width > self->widths[column])
        self->widths[column] = width;
    return true;
}

static bool put_row(table *self, json_parser *parser, size_t row, text line)
{
    json *object;
    size_t taken;
    bool put = true;

    if (json_parse(parser, line, &object, &taken) != NULL)
        return false;
    for (size_t c = 0; put && c < self->width; c++)
        put =
            put_cell(self, row, c, cell_text(json_member(object, self->columns[c]), self->memory));
    json_free(object);
    return put;
}

static bool fill(table *self, const text *lines)
{
    json_parser *parser = json_parser_new(JSON_MOST_DEPTH);
    bool filled = parser != NULL;

    for (size_t c = 0; filled && c < self->width; c++)
        filled = put_cell(self, 0, c, text_of(self->columns[c]));
    for (size_t r = 1; filled && r < self->rows; r++)
        filled = put_row(self, parser, r, lines[r - 1]);
    json_parser_free(parser);
    return filled;
}

static void write_row(const table *self, size_t row, FILE *out)
{
    for (size_t c = 0; c < self->width; c++) {
        text cell = self->cells[row * self->width + c];
        int padding = c + 1 < self->width ? (int)(self->widths[c] - width_of(cell)) + GAP : 0;

        fprintf(out, "%.*s%*s", (int)cell.length, cell.bytes, padding, "");
    }
    fputc('\n', out);
}

bool table_print(FILE *out, const char *const *columns, const text *lines, size_t count)
{
    table self = {.columns = columns, .rows = count + 1, .memory = arena_new()};
    bool filled;

    while (columns[self.width] != NULL)
        self.width++;
    self.cells = calloc(self.rows * self.width, sizeof(text));
    self.widths = calloc(self.width, sizeof(size_t));
    filled = self.memory && self.cells && self.widths && fill(&self, lines);
    for (size_t r = 0; filled && r < self.rows; r++)
        write_row(&self, r, out);
    free(self.cells);
    free(self.widths);
    arena_free(self.memory);
    return filled;
}
