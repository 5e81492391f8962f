/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_table: audit records as comma-separated values, as portals export them.
 *
 * Two headers are known: the columns of a record by their own names (the
 * AuditLogs table as Sentinel's portal gives it, or directoryAudits), and
 * those of Entra's portal (`Activity`, `Target1UserPrincipalName`, ...). Each
 * row becomes the record that it was, as JSON: what a column of a record holds
 * as JSON text, and Entra's row as Graph's directoryAudit. Dates are day/month
 * or month/day in all of a table, as they show. One thread.
 */
#ifndef SYNCTAP_AUDIT_TABLE_H
#define SYNCTAP_AUDIT_TABLE_H

#include "base/text.h"
#include "record/date_order.h"

/*
 * Takes a row's record, or (trouble is not NULL; a constant) hears why there
 * is none. Both live until it returns; false ends the reading.
 */
typedef bool audit_table_sink(void *arg, size_t line, text record, const char *trouble);

/* Is it the beginning of such a table? Its first line, and of the second what is known. */
bool audit_table_begins(text beginning, bool *out_of_memory);

/*
 * Hands out the rows of a whole table, whose first line is 1. In an unknown
 * order, a table whose dates show none, or both, has no row but that trouble.
 * False when the sink ended it, or memory ran out, which *out_of_memory tells.
 */
bool audit_table_read(text whole, date_order order, audit_table_sink *sink, void *arg,
                      bool *out_of_memory);

#endif
