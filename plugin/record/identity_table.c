/* SPDX-License-Identifier: Apache-2.0 */
/* identity_table: the header's layout, laid over each row. */
#include "record/identity_table.h"

#include <stdlib.h>

#include "record/csv_rows.h"

enum { LONGEST_HEADER = 64 * 1024 /* bytes */, MOST_COLUMNS = 1024 };

static const char DELIMITERS[] = ",;\t";

typedef struct header {
    identity_layout layout;
    size_t count; /* of columns */
    bool found;
    bool failed; /* it may be one: memory is out */
} header;

struct identity_table {
    csv_rows *rows;
    header header;
    identity_table_sink *sink;
    identity_table_teller *teller;
    void *arg;
    const char *trouble; /* why no more can be read */
};

static text first_line(text t)
{
    const char *end = t.length > 0 ? memchr(t.bytes, '\n', t.length) : NULL;

    return end ? text_between(t.bytes, end) : t;
}

static text without_end(text t, text end)
{
    if (t.length >= end.length &&
        memcmp(t.bytes + t.length - end.length, end.bytes, end.length) == 0)
        t.length -= end.length;
    return t;
}

/* What stands behind the last blank or byte order mark: no column's name has one. */
static text last_word(text t)
{
    size_t at = t.length;

    while (at > 0 && memchr(" \t\xBF", t.bytes[at - 1], 3) == NULL)
        at--;
    return text_from(t, at);
}

static text column_name(text cell)
{
    static const text zone = TEXT(" [UTC]");

    return last_word(without_end(cell, zone));
}

static void read_header(void *arg, const csv_row *row)
{
    header *h = arg;
    text names[MOST_COLUMNS];

    if (row->count > MOST_COLUMNS)
        return;
    for (size_t i = 0; i < row->count; i++)
        names[i] = column_name(row->cells[i]);
    h->count = row->count;
    h->found = identity_layout_find(&h->layout, names, row->count) &&
               h->layout.shape < IDENTITY_GRAPH_ROLE;
}

static header find_header(text line, char delimiter)
{
    header h = {.found = false};
    csv_rows *rows = csv_rows_new(delimiter, read_header, &h);

    if (rows == NULL)
        return (header){.failed = true};
    csv_rows_feed(rows, line);
    csv_rows_end(rows);
    h.failed = csv_rows_failed(rows);
    csv_rows_free(rows);
    return h;
}

/* The delimiter with which the first line is a header, or NUL. */
static char delimiter_of(text beginning, bool *out_of_memory)
{
    text line = first_line(beginning);

    *out_of_memory = false;
    if (line.length > LONGEST_HEADER || line.length == 0 || memchr(line.bytes, '{', line.length))
        return '\0';
    for (const char *d = DELIMITERS; *d != '\0'; d++) {
        header h = find_header(line, *d);

        if (h.found)
            return *d;
        *out_of_memory |= h.failed;
    }
    return '\0';
}

/* Files that were joined have a header in the middle. */
static bool is_header(identity_table *self, const csv_row *row)
{
    header h = {.found = false};

    read_header(&h, row);
    if (h.found)
        self->header = h;
    return h.found;
}

static void take_row(void *arg, const csv_row *row)
{
    identity_table *self = arg;
    identity_record record;
    identity_result reading = IDENTITY_WITHOUT_TIME;

    if (row->count == self->header.count)
        reading = identity_record_read_cells(&self->header.layout, row->cells, &record);
    if (reading == IDENTITY_WITHOUT_TIME && is_header(self, row))
        return;
    if (row->count != self->header.count)
        self->teller(self->arg, row->line, "not as many cells as the header has: left out");
    else
        self->sink(self->arg, row->line, reading, &record);
}

identity_table *identity_table_new(text beginning, identity_table_sink *sink,
                                   identity_table_teller *teller, void *arg, bool *out_of_memory)
{
    char delimiter = delimiter_of(beginning, out_of_memory);
    identity_table *self;

    if (delimiter == '\0')
        return NULL;
    self = calloc(1, sizeof(*self));
    if (self != NULL) {
        *self = (identity_table){.sink = sink, .teller = teller, .arg = arg};
        self->rows = csv_rows_new(delimiter, take_row, self);
        if (self->rows != NULL)
            return self;
    }
    free(self);
    *out_of_memory = true;
    return NULL;
}

void identity_table_free(identity_table *self)
{
    if (self == NULL)
        return;
    csv_rows_free(self->rows);
    free(self);
}

static void note_trouble(identity_table *self, const char *trouble)
{
    self->trouble = trouble;
    if (trouble != NULL)
        self->teller(self->arg, csv_rows_line(self->rows), trouble);
}

void identity_table_feed(identity_table *self, text piece)
{
    if (self->trouble == NULL)
        note_trouble(self, csv_rows_feed(self->rows, piece));
}

void identity_table_end(identity_table *self, bool is_cut)
{
    if (self->trouble == NULL && !is_cut)
        note_trouble(self, csv_rows_end(self->rows));
}

bool identity_table_failed(const identity_table *self)
{
    return csv_rows_failed(self->rows);
}
