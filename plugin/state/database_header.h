/* SPDX-License-Identifier: Apache-2.0 */
/*
 * database_header: the first page of a database that is open, as it lies on the disk.
 *
 * SQLite reads that page once and goes on with its copies and its log, so that nobody would notice
 * damage in it until the next start.
 */
#ifndef SYNCTAP_DATABASE_HEADER_H
#define SYNCTAP_DATABASE_HEADER_H

#include <stdint.h>

struct sqlite3;

/*
 * What is wrong with it, in words that live for ever; NULL: it begins as SQLite's files do, and was
 * not cut since the last call. That also of a database in memory, and of a file that cannot be
 * read: the next statement meets that. *size is the file's in bytes, 0 before the first call.
 * Cheap; for the thread that has the connection.
 */
const char *database_header_damage(struct sqlite3 *connection, int64_t *size);

#endif
