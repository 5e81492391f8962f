/* SPDX-License-Identifier: Apache-2.0 */
/* identity_table: the header's layout, laid over each row. */
#include "record/identity_table.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "record/csv_head.h"

enum { MOST_COLUMNS = CSV_HEAD_MOST_COLUMNS };

typedef struct header {
    identity_layout layout;
    size_t count; /* of columns */
    bool found;
} header;

struct identity_table {
    csv_rows *rows;
    header header;
    identity_table_sink *sink;
    identity_table_teller *teller;
    void *arg;
    const char *trouble; /* why no more can be read */
    char delimiter;
    bool has_preamble; /* the first row is none */
    bool is_begun;

    /* the order of its dates */
    date_order order;
    bool is_given;    /* and nothing that the dates show changes it */
    bool saw_slashes; /* of a date whose order matters */
    bool is_settled;  /* the order is known, or of no matter */
    bool is_refused;
    buffer held; /* the text, until it is settled */

    /* of one whose line ends were escapes */
    bool distrusts;
    bool is_lost; /* no more rows can be told apart */
    arena *memory;
    text parts[MOST_COLUMNS]; /* of a row that goes on */
    size_t part_count;
};

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
    return last_word(csv_head_name(cell));
}

static void read_header(header *h, const csv_row *row)
{
    text names[MOST_COLUMNS];

    if (row->count > MOST_COLUMNS)
        return;
    for (size_t i = 0; i < row->count; i++)
        names[i] = column_name(row->cells[i]);
    h->count = row->count;
    h->found = identity_layout_find(&h->layout, names, row->count) &&
               h->layout.shape < IDENTITY_GRAPH_ROLE;
}

static bool is_any_header(const text *cells, size_t count)
{
    header h = {.found = false};

    read_header(&h, &(csv_row){cells, count, 0});
    return h.found;
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

/* --- the order of the dates --- */

static void refuse(identity_table *self, size_t line, const char *why)
{
    self->is_refused = true;
    self->teller(self->arg, line, why);
}

static const char NO_ORDER[] =
    "its dates may be day/month or month/day: say which by --date-order dmy|mdy; left out";
static const char BOTH_ORDERS[] =
    "its dates are both day/month and month/day: say which by --date-order dmy|mdy; left out";

/* Notes what a row's date shows; false when the order is of no matter to it. */
static bool look_at_date(identity_table *self, const csv_row *row, date_order *shown)
{
    size_t place = self->header.layout.places[IDENTITY_TIME];

    return self->header.found && row->count == self->header.count && place != IDENTITY_NOWHERE &&
           date_order_look(row->cells[place], shown);
}

/* --- rows --- */

static void leave_out(identity_table *self, size_t line)
{
    self->teller(self->arg, line, "not as many cells as the header has: left out");
}

static void read_cells(identity_table *self, const csv_row *row)
{
    identity_record record;
    identity_result reading =
        identity_record_read_cells(&self->header.layout, row->cells, self->order, &record);

    if (reading != IDENTITY_WITHOUT_TIME || !is_header(self, row))
        self->sink(self->arg, row->line, reading, &record);
}

/* The row's own `#012` stood between its last cell so far and the first of what follows. */
static void go_on_with(identity_table *self, const csv_row *row)
{
    buffer joined = {0};

    if (self->part_count > 0) {
        buffer_append(&joined, self->parts[--self->part_count]);
        buffer_append_string(&joined, "#012");
    }
    for (size_t i = 0; i < row->count; i++) {
        if (i == 0)
            buffer_append(&joined, row->cells[0]);
        self->parts[self->part_count++] =
            arena_copy(self->memory, i == 0 ? buffer_text(&joined) : row->cells[i]);
    }
    buffer_free(&joined);
}

static void lose(identity_table *self, size_t line)
{
    self->is_lost = true;
    self->part_count = 0;
    self->teller(self->arg, line,
                 "not as many cells as the header has: left out, with what follows");
}

/* A row, or a part of one, of a table whose line ends were escapes. */
static void take_part(identity_table *self, const csv_row *row)
{
    if (self->part_count + row->count - (self->part_count > 0) > self->header.count) {
        lose(self, row->line);
        return;
    }
    go_on_with(self, row);
    if (self->part_count < self->header.count)
        return;
    read_cells(self, &(csv_row){self->parts, self->part_count, row->line});
    self->part_count = 0;
    arena_reset(self->memory);
}

static void take_whole(identity_table *self, const csv_row *row)
{
    if (self->is_lost)
        return;
    if (self->distrusts && self->header.found &&
        (self->part_count > 0 || row->count != self->header.count))
        take_part(self, row);
    else if (row->count == self->header.count)
        read_cells(self, row);
    else if (!is_header(self, row))
        leave_out(self, row->line);
}

static void take_row(void *arg, const csv_row *row)
{
    identity_table *self = arg;
    date_order shown = DATE_ORDER_UNKNOWN;

    if (self->has_preamble) {
        self->has_preamble = false;
        return;
    }
    if (self->is_refused)
        return;
    if (!self->is_given && look_at_date(self, row, &shown) && self->order != DATE_ORDER_UNKNOWN &&
        (shown == DATE_ORDER_BOTH || (shown & ~self->order) != 0))
        refuse(self, row->line, BOTH_ORDERS);
    else
        take_whole(self, row);
}

/* The same over the text that is held, for what its dates show. */
static void look_at_row(void *arg, const csv_row *row)
{
    identity_table *self = arg;
    date_order shown;

    if (self->is_settled || is_header(self, row) || !self->header.found)
        return;
    if (!look_at_date(self, row, &shown))
        self->is_settled = row->count == self->header.count;
    else
        self->saw_slashes = true;
    self->order = (date_order)(self->order | shown);
    self->is_settled |= self->order != DATE_ORDER_UNKNOWN;
}

identity_table *identity_table_new(text beginning, date_order order, identity_table_sink *sink,
                                   identity_table_teller *teller, void *arg, bool *out_of_memory)
{
    csv_head head = csv_head_find(beginning, is_any_header, out_of_memory);
    identity_table *self;

    if (head.delimiter == '\0')
        return NULL;
    self = calloc(1, sizeof(*self));
    if (self != NULL) {
        *self = (identity_table){.sink = sink, .teller = teller, .arg = arg};
        self->delimiter = head.delimiter;
        self->has_preamble = head.has_preamble;
        self->order = order;
        self->is_given = order != DATE_ORDER_UNKNOWN;
        self->is_settled = self->is_given;
        self->memory = arena_new();
        self->rows = csv_rows_new(head.delimiter, take_row, self);
        if (self->rows != NULL && self->memory != NULL)
            return self;
    }
    identity_table_free(self);
    *out_of_memory = true;
    return NULL;
}

void identity_table_free(identity_table *self)
{
    if (self == NULL)
        return;
    csv_rows_free(self->rows);
    arena_free(self->memory);
    buffer_free(&self->held);
    free(self);
}

void identity_table_distrust(identity_table *self)
{
    self->distrusts = true;
}

bool identity_table_is_refused(const identity_table *self)
{
    return self->is_refused;
}

static void note_trouble(identity_table *self, const char *trouble)
{
    self->trouble = trouble;
    if (trouble != NULL)
        self->teller(self->arg, csv_rows_line(self->rows), trouble);
}

static void feed(identity_table *self, text piece)
{
    if (self->trouble == NULL)
        note_trouble(self, csv_rows_feed(self->rows, piece));
}

/* Looks at what is held; the header that it meets is met again. */
static void settle(identity_table *self, bool is_end)
{
    csv_rows *rows = csv_rows_new(self->delimiter, look_at_row, self);

    if (rows != NULL) {
        csv_rows_feed(rows, buffer_text(&self->held));
        if (is_end)
            csv_rows_end(rows);
    }
    if (rows == NULL || csv_rows_failed(rows))
        note_trouble(self, "out of memory");
    csv_rows_free(rows);
    self->header = (header){.found = false};
}

static void feed_held(identity_table *self)
{
    buffer held = self->held;

    self->held = (buffer){0};
    self->is_settled = true;
    if (buffer_failed(&held))
        note_trouble(self, "out of memory");
    feed(self, buffer_text(&held));
    buffer_free(&held);
}

/* As much text as is held back for one date that shows the order of all. */
enum { MOST_HELD = 64 * 1024 * 1024 /* bytes */ };

static bool is_undecided(const identity_table *self)
{
    return !self->is_settled && self->order == DATE_ORDER_UNKNOWN;
}

/* The header behind a line that names no delimiter may be seen only now. */
static void look_at_delimiter(identity_table *self, text piece)
{
    bool out_of_memory = false;
    csv_head head = csv_head_find(piece, is_any_header, &out_of_memory);
    csv_rows *rows;

    self->is_begun = true;
    if (!self->has_preamble || head.delimiter == '\0' || head.delimiter == self->delimiter)
        return;
    rows = csv_rows_new(head.delimiter, take_row, self);
    if (rows == NULL) {
        note_trouble(self, "out of memory");
        return;
    }
    csv_rows_free(self->rows);
    self->rows = rows;
    self->delimiter = head.delimiter;
}

void identity_table_feed(identity_table *self, text piece)
{
    if (!self->is_begun)
        look_at_delimiter(self, piece);
    if (self->is_settled) {
        feed(self, piece);
        return;
    }
    buffer_append(&self->held, piece);
    settle(self, false);
    if (self->is_settled)
        feed_held(self);
    else if (self->held.length > MOST_HELD)
        refuse(self, 1, NO_ORDER);
}

/* Of a table that has dates with slashes, and none that shows their order. */
static void settle_at_end(identity_table *self)
{
    settle(self, true);
    if (is_undecided(self) && self->saw_slashes)
        refuse(self, 1, NO_ORDER);
    feed_held(self);
}

void identity_table_end(identity_table *self, bool is_cut)
{
    if (!self->is_settled && !self->is_refused)
        settle_at_end(self);
    if (self->trouble == NULL && !is_cut)
        note_trouble(self, csv_rows_end(self->rows));
    if (self->part_count > 0)
        leave_out(self, csv_rows_line(self->rows));
    if (!self->header.found)
        self->teller(self->arg, 1, "no header of a role list");
}

bool identity_table_failed(const identity_table *self)
{
    return csv_rows_failed(self->rows);
}
