/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_table: identity rows in comma-separated values, a header first.
 *
 * The header names the columns as identity_shape knows them, in any order
 * and among others. Exports of the Azure portal put ` [UTC]` behind the name
 * of a time; a message may have a syslog header in front of its first line.
 * Semicolons and tabs are taken for commas when the header has them. A line
 * `sep=;` (Excel) or `#TYPE ...` (PowerShell) may come before it. Dates are
 * day/month or month/day in all of a table, as they show, or as `order` says.
 * One thread.
 */
#ifndef SYNCTAP_IDENTITY_TABLE_H
#define SYNCTAP_IDENTITY_TABLE_H

#include "record/identity_record.h"

typedef struct identity_table identity_table;

/* Takes what a row came to: never of another kind, nor out of memory. The record lives until it
 * returns. */
typedef void identity_table_sink(void *arg, size_t line, identity_result reading,
                                 const identity_record *record);

/* Hears of a row that is left out since it does not fit its header. */
typedef void identity_table_teller(void *arg, size_t line, const char *what);

/* A table that begins like this; NULL when it does not, or memory is out, which *out_of_memory
 * tells. The caller frees it. */
identity_table *identity_table_new(text beginning, date_order order, identity_table_sink *sink,
                                   identity_table_teller *teller, void *arg, bool *out_of_memory);

/*
 * The table's line ends were escapes once (#012), and a name may hold such
 * characters of its own: a row that is too short goes on in the next; when
 * that gives no whole row, nothing behind it can be trusted, and it is left out.
 */
void identity_table_distrust(identity_table *self);

/* Do its dates show no order, or both? Then none of its rows may be kept; it was told. */
bool identity_table_is_refused(const identity_table *self);
void identity_table_free(identity_table *self);

/* Hands out the rows of the table's next piece; its lines count from the first piece on. */
void identity_table_feed(identity_table *self, text piece);

/* The end. When the text was cut off there, a last row without a line break is not handed out. */
void identity_table_end(identity_table *self, bool is_cut);

/* Memory ran out: rows may be missing. */
bool identity_table_failed(const identity_table *self);

#endif
