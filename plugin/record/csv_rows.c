/* SPDX-License-Identifier: Apache-2.0 */
/* csv_rows: a step for each place in a row, and runs of bytes that belong to a cell as they are. */
#include "record/csv_rows.h"

#include <stdlib.h>

#include "base/buffer.h"

enum { MOST_CELLS = 4096 };

typedef enum place {
    BEFORE_TEXT, /* a byte order mark may stand there */
    BETWEEN_ROWS,
    BEFORE_CELL,
    IN_BARE_CELL,
    IN_QUOTES,
    BEHIND_QUOTE, /* it may have closed the cell, or be the first of two */
    PLACES,
} place;

struct csv_rows {
    char delimiter;
    csv_rows_sink *sink;
    void *arg;
    place place;
    size_t marked; /* BEFORE_TEXT: the bytes of the mark that were there */
    buffer bytes;  /* of the row's cells, one behind the other */
    size_t quote;  /* BEHIND_QUOTE: the bytes in front of that quote */
    size_t ends[MOST_CELLS];
    text cells[MOST_CELLS];
    size_t count;
    size_t line;
    size_t row_line;
    bool failed;
};

csv_rows *csv_rows_new(char delimiter, csv_rows_sink *sink, void *arg)
{
    csv_rows *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->delimiter = delimiter;
    self->sink = sink;
    self->arg = arg;
    self->line = 1;
    return self;
}

void csv_rows_free(csv_rows *self)
{
    if (self == NULL)
        return;
    buffer_free(&self->bytes);
    free(self);
}

static bool is_line_break(char c)
{
    return c == '\n' || c == '\r';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Where the bytes of the cell begin that is not whole yet. */
static size_t cell_begin(const csv_rows *self)
{
    return self->count > 0 ? self->ends[self->count - 1] : 0;
}

/* Blanks around a cell are none of it, those inside quotes are. */
static size_t cell_end(const csv_rows *self)
{
    size_t end = self->bytes.length;

    if (self->place == BEHIND_QUOTE)
        return self->quote;
    while (end > cell_begin(self) && is_blank(self->bytes.bytes[end - 1]))
        end--;
    return end;
}

/* Cells behind the last that there is room for are left out. */
static void end_cell(csv_rows *self)
{
    bool has_room = self->count < MOST_CELLS;

    if (!buffer_failed(&self->bytes))
        self->bytes.length = has_room ? cell_end(self) : cell_begin(self);
    if (has_room)
        self->ends[self->count++] = self->bytes.length;
    self->place = BEFORE_CELL;
}

static void end_row(csv_rows *self)
{
    const char *bytes = self->bytes.bytes ? self->bytes.bytes : "";
    csv_row row = {self->cells, self->count, self->row_line};
    size_t begin = 0;

    if (!buffer_failed(&self->bytes)) {
        for (size_t i = 0; i < self->count; i++) {
            self->cells[i] = (text){bytes + begin, self->ends[i] - begin};
            begin = self->ends[i];
        }
        self->sink(self->arg, &row);
        buffer_clear(&self->bytes);
    }
    self->count = 0;
    self->place = BETWEEN_ROWS;
}

/* Does it end the cell? Then it has. */
static bool end_at(csv_rows *self, char c)
{
    if (c != self->delimiter && !is_line_break(c))
        return false;
    end_cell(self);
    if (c != self->delimiter)
        end_row(self);
    return true;
}

static void step_before_cell(csv_rows *self, char c)
{
    if (end_at(self, c) || is_blank(c))
        return;
    self->place = c == '"' ? IN_QUOTES : IN_BARE_CELL;
    if (c != '"')
        buffer_append_char(&self->bytes, c);
}

/* Blank lines are no rows. */
static void step_between_rows(csv_rows *self, char c)
{
    if (is_line_break(c) || (is_blank(c) && c != self->delimiter))
        return;
    self->row_line = self->line;
    self->place = BEFORE_CELL;
    step_before_cell(self, c);
}

/* A stray quote is a byte as others are. */
static void step_in_bare_cell(csv_rows *self, char c)
{
    if (!end_at(self, c))
        buffer_append_char(&self->bytes, c);
}

static void step_in_quotes(csv_rows *self, char c)
{
    if (c == '"') {
        self->quote = self->bytes.length;
        self->place = BEHIND_QUOTE;
    }
    buffer_append_char(&self->bytes, c);
}

/* Two quotes stand for one, which is there already; what follows a closing quote reopens the cell.
 */
static void step_behind_quote(csv_rows *self, char c)
{
    bool is_next = self->bytes.length == self->quote + 1;

    if (end_at(self, c))
        return;
    if (c == '"' && is_next) {
        self->place = IN_QUOTES;
        return;
    }
    if (c == '"')
        self->quote = self->bytes.length;
    else if (!is_blank(c))
        self->place = IN_QUOTES;
    buffer_append_char(&self->bytes, c);
}

static void step_before_text(csv_rows *self, char c);

static void (*const steps[PLACES])(csv_rows *, char) = {
    [BEFORE_TEXT] = step_before_text, [BETWEEN_ROWS] = step_between_rows,
    [BEFORE_CELL] = step_before_cell, [IN_BARE_CELL] = step_in_bare_cell,
    [IN_QUOTES] = step_in_quotes,     [BEHIND_QUOTE] = step_behind_quote,
};

/* Bytes that begin as the mark does, but are none, are the first cell's. */
static void step_before_text(csv_rows *self, char c)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (c == mark[self->marked]) {
        if (++self->marked == sizeof(mark) - 1)
            self->place = BETWEEN_ROWS;
        return;
    }
    self->place = BETWEEN_ROWS;
    for (size_t i = 0; i < self->marked; i++)
        steps[self->place](self, mark[i]);
    steps[self->place](self, c);
}

/* How many bytes from here on belong to the cell, whatever they are. */
static size_t run_length(const csv_rows *self, text t)
{
    size_t length = 0;

    if (self->place == IN_QUOTES) {
        const char *quote = memchr(t.bytes, '"', t.length);
        return quote ? (size_t)(quote - t.bytes) : t.length;
    }
    if (self->place == IN_BARE_CELL)
        while (length < t.length && t.bytes[length] != self->delimiter &&
               !is_line_break(t.bytes[length]))
            length++;
    return length;
}

static size_t line_breaks_in(text t)
{
    size_t count = 0;

    for (size_t i = 0; i < t.length; i++)
        count += t.bytes[i] == '\n';
    return count;
}

/* Takes bytes from the front of it, and says how many. */
static size_t take_some(csv_rows *self, text t)
{
    text taken = {t.bytes, run_length(self, t)};

    if (taken.length > 0) {
        buffer_append(&self->bytes, taken);
    } else {
        taken.length = 1;
        steps[self->place](self, t.bytes[0]);
    }
    self->line += line_breaks_in(taken);
    return taken.length;
}

static const char *trouble(csv_rows *self)
{
    self->failed |= buffer_failed(&self->bytes);
    if (self->failed)
        return "out of memory";
    return self->bytes.length > CSV_ROWS_LARGEST ? "a row of more than 64 MB" : NULL;
}

const char *csv_rows_feed(csv_rows *self, text piece)
{
    const char *reason = NULL;

    while (piece.length > 0 && reason == NULL) {
        piece = text_from(piece, take_some(self, piece));
        reason = trouble(self);
    }
    return reason;
}

const char *csv_rows_end(csv_rows *self)
{
    if (self->place == IN_QUOTES)
        return "cut off inside quotes";
    if (self->place > BETWEEN_ROWS) {
        end_cell(self);
        end_row(self);
    }
    return trouble(self);
}

bool csv_rows_failed(const csv_rows *self)
{
    return self->failed;
}

size_t csv_rows_line(const csv_rows *self)
{
    return self->place <= BETWEEN_ROWS ? self->line : self->row_line;
}
