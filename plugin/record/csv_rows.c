/* SPDX-License-Identifier: Apache-2.0 */
/* csv_rows: libcsv's fields, collected until their row is whole. */
#include "record/csv_rows.h"

#include <csv.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buffer.h"

enum {
    GROWTH = 16 * 1024, /* bytes; by how much libcsv's room for a field grows */
    MOST_CELLS = 4096,
};

struct csv_rows {
    struct csv_parser parser;
    csv_rows_sink *sink;
    void *arg;
    buffer bytes; /* of the row's cells, one behind the other */
    size_t ends[MOST_CELLS];
    text cells[MOST_CELLS];
    size_t count;
    size_t line;
    size_t row_line;
    bool line_has_text; /* of the line that is being fed */
    bool row_ended;
    bool failed;
};

csv_rows *csv_rows_new(char delimiter, csv_rows_sink *sink, void *arg)
{
    csv_rows *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    if (csv_init(&self->parser, 0) != 0) {
        free(self);
        return NULL;
    }
    csv_set_delim(&self->parser, (unsigned char)delimiter);
    csv_set_blk_size(&self->parser, GROWTH);
    self->sink = sink;
    self->arg = arg;
    self->line = self->row_line = 1;
    return self;
}

void csv_rows_free(csv_rows *self)
{
    if (self == NULL)
        return;
    csv_free(&self->parser);
    buffer_free(&self->bytes);
    free(self);
}

/* Cells behind the last that there is room for are left out. */
static void take_field(void *bytes, size_t length, void *arg)
{
    csv_rows *self = arg;

    if (self->count == MOST_CELLS)
        return;
    buffer_append(&self->bytes, (text){bytes, length});
    self->ends[self->count++] = self->bytes.length;
}

static void take_row(int terminator, void *arg)
{
    csv_rows *self = arg;
    csv_row row = {self->cells, self->count, self->row_line};
    size_t begin = 0;

    (void)terminator;
    for (size_t i = 0; i < self->count; i++) {
        const char *bytes = self->bytes.bytes ? self->bytes.bytes : "";
        self->cells[i] = (text){bytes + begin, self->ends[i] - begin};
        begin = self->ends[i];
    }
    if (!buffer_failed(&self->bytes)) {
        self->sink(self->arg, &row);
        buffer_clear(&self->bytes);
    }
    self->count = 0;
    self->row_ended = true;
}

static const char *out_of_memory(csv_rows *self)
{
    self->failed = true;
    return "out of memory";
}

static const char *trouble(csv_rows *self)
{
    if (buffer_failed(&self->bytes))
        return out_of_memory(self);
    if (self->bytes.length + self->parser.entry_pos > CSV_ROWS_LARGEST)
        return "a row of more than 64 MB";
    return NULL;
}

static bool is_blank(text t)
{
    for (size_t i = 0; i < t.length; i++)
        if (memchr(" \t\r\n", t.bytes[i], 4) == NULL)
            return false;
    return true;
}

/* A row goes on in the next line only when a line break stands inside its quotes. */
static void end_line(csv_rows *self)
{
    bool is_blank_line = self->row_line == self->line && !self->line_has_text;

    self->line++;
    if (self->row_ended || is_blank_line)
        self->row_line = self->line;
    self->row_ended = false;
    self->line_has_text = false;
}

static bool parse(csv_rows *self, text t)
{
    return csv_parse(&self->parser, t.bytes, t.length, take_field, take_row, self) == t.length;
}

/* libcsv counts no lines, so it is fed line by line. */
const char *csv_rows_feed(csv_rows *self, text piece)
{
    const char *reason = NULL;

    while (piece.length > 0 && reason == NULL) {
        const char *end = memchr(piece.bytes, '\n', piece.length);
        text line = {piece.bytes, end ? (size_t)(end - piece.bytes) + 1 : piece.length};

        if (!parse(self, line))
            return out_of_memory(self);
        self->line_has_text |= !is_blank(line);
        if (end != NULL)
            end_line(self);
        reason = trouble(self);
        piece = text_from(piece, line.length);
    }
    return reason;
}

const char *csv_rows_end(csv_rows *self)
{
    csv_set_opts(&self->parser, CSV_STRICT | CSV_STRICT_FINI); /* quotes must be closed */
    if (csv_fini(&self->parser, take_field, take_row, self) == 0)
        return trouble(self);
    return csv_error(&self->parser) == CSV_EPARSE ? "cut off inside quotes" : out_of_memory(self);
}

bool csv_rows_failed(const csv_rows *self)
{
    return self->failed;
}

size_t csv_rows_line(const csv_rows *self)
{
    return self->row_line;
}
