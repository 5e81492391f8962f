/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_rows: the rows of comma-separated values (RFC 4180), however the text is cut into pieces.
 *
 * A byte order mark at the beginning is no part of them. Line breaks may stand
 * inside quotes, and be LF, CRLF or CR; blanks around a cell are none of it; a
 * stray quote is forgiven, and stays. A library for it,
 * libcsv, is not in every distribution, and counts no lines. One thread.
 */
#ifndef SYNCTAP_CSV_ROWS_H
#define SYNCTAP_CSV_ROWS_H

#include "base/text.h"

/* A row larger than this ends the reading, in bytes. */
enum { CSV_ROWS_LARGEST = 64 * 1024 * 1024 };

typedef struct csv_rows csv_rows;

typedef struct csv_row {
    const text *cells; /* alive until the sink returns */
    size_t count;
    size_t line; /* where it begins; the first piece's first line is 1 */
} csv_row;

/* Takes a row; never a blank line. */
typedef void csv_rows_sink(void *arg, const csv_row *row);

/* NULL when memory is out; the caller frees it. */
csv_rows *csv_rows_new(char delimiter, csv_rows_sink *sink, void *arg);
void csv_rows_free(csv_rows *self);

/*
 * Takes the next piece apart. NULL, or why the rows end here: memory is out
 * or a row too large; nothing is to be fed after that.
 */
const char *csv_rows_feed(csv_rows *self, text piece);

/* The end of the text: hands out a last row without a line break. NULL, or why it is not whole. */
const char *csv_rows_end(csv_rows *self);

/* Did memory run out? Rows are missing then. */
bool csv_rows_failed(const csv_rows *self);

/* Where the row begins that is not whole yet, or would begin. */
size_t csv_rows_line(const csv_rows *self);

#endif
