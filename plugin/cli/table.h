/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table: JSON objects, a line each, shown as columns to a person.
 *
 * One thread.
 */
#ifndef SYNCTAP_TABLE_H
#define SYNCTAP_TABLE_H

#include <stdio.h>

#include "base/text.h"

/*
 * Writes a head and a row for each line, a JSON object, with the members
 * that the columns name (the last name is NULL). Values are made fit to be
 * shown (see base/shown.h); long ones are cut with `…`, and so are those for
 * which a terminal is too narrow. False when memory ran out.
 */
bool table_print(FILE *out, const char *const *columns, const text *lines, size_t count);

/* How many columns the terminal has; 0: there is none. */
size_t table_terminal_width(FILE *out);

/*
 * The same for more rows than memory should hold: the columns become as wide
 * as the head and the first `sample` rows need, and those behind them are
 * written at once. `columns` must outlive the table.
 */
typedef struct table table;

/* NULL when memory is out. Ended, and so freed, by table_end. */
table *table_begin(FILE *out, const char *const *columns, size_t sample);

/* A failure is remembered; the lines after it are not written. */
void table_add(table *self, text line);

/* Writes what is left. False when memory ran out since the beginning. */
bool table_end(table *self);

#endif
