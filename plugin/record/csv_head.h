/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv_head: what the first lines of a table tell: which character stands
 * between its cells, and whether a line comes before its header.
 *
 * Commas, semicolons and tabs are tried; the right one makes a header of the
 * first line. Excel's `sep=;` and PowerShell's `#TYPE ...` may come before it.
 */
#ifndef SYNCTAP_CSV_HEAD_H
#define SYNCTAP_CSV_HEAD_H

#include "record/csv_rows.h"

/* More columns than that are no header. */
enum { CSV_HEAD_MOST_COLUMNS = 1024 };

typedef struct csv_head {
    char delimiter;    /* NUL: it is no table */
    bool has_preamble; /* the first row is no header */
} csv_head;

/* Are these cells the names of a table's columns? */
typedef bool csv_head_test(const text *cells, size_t count);

/*
 * `beginning` is the first line, and as much of the second as has come. If
 * the first line only says that a table comes (`sep=`, `#TYPE`), the second
 * must be a header; as long as nothing of it has come, the first is believed.
 * *out_of_memory becomes true when nobody can say whether it is a table.
 */
csv_head csv_head_find(text beginning, csv_head_test *is_header, bool *out_of_memory);

/* A column's name without the portal's ` [UTC]`. */
text csv_head_name(text cell);

#endif
