/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_file: a file that is a table of audit records, row by row.
 *
 * Each row is handed out as a message whose text is the record, as JSON, and
 * whose line is the row's own. One thread.
 */
#ifndef SYNCTAP_AUDIT_FILE_H
#define SYNCTAP_AUDIT_FILE_H

#include "files/archive.h"
#include "record/date_order.h"

/* Is the file, of which nothing has been read, one? */
bool audit_file_is_table(input_file *file);

/* Reads it to its end, or to the file's trouble; what is no row is a message that tells its own. */
void audit_file_read_table(input_file *file, date_order order, input_message_sink *take, void *arg);

#endif
