/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement: steps that each room with a table takes with SQLite's prepared statements.
 */
#ifndef SYNCTAP_STATEMENT_H
#define SYNCTAP_STATEMENT_H

#include <sqlite3.h>

#include "base/text.h"
#include "state/packed_text.h"

/* SQL's if, of SQL's texts: iif() is younger than the oldest SQLite that will do. */
#define SQL_IF(condition, then, otherwise)                                                         \
    "CASE WHEN " condition " THEN " then " ELSE " otherwise " END"

/* Binds a view, which must live until the statement was run. An empty text is no NULL. */
static inline void statement_bind_text(sqlite3_stmt *s, int place, text t)
{
    sqlite3_bind_text64(s, place, t.bytes ? t.bytes : "", t.length, SQLITE_STATIC, SQLITE_UTF8);
}

/* A column of the row that was read, alive until the next step. */
static inline text statement_text(sqlite3_stmt *s, int column)
{
    const char *bytes = (const char *)sqlite3_column_text(s, column);

    return (text){bytes ? bytes : "", (size_t)sqlite3_column_bytes(s, column)};
}

/*
 * The same of a column that is kept packed; earlier versions kept some as they are. What was packed
 * is unpacked into the buffer. False when it is damaged, or memory is out: buffer_failed tells.
 */
static inline bool statement_packed_text(sqlite3_stmt *s, int column, text_unpacker *unpacker,
                                         buffer *unpacked, text *t)
{
    if (sqlite3_column_type(s, column) != SQLITE_BLOB) {
        *t = statement_text(s, column);
        return true;
    }
    *t = (text){sqlite3_column_blob(s, column), (size_t)sqlite3_column_bytes(s, column)};
    if (!text_unpack(unpacker, *t, unpacked))
        return false;
    *t = buffer_text(unpacked);
    return true;
}

/* Runs a statement that gives no rows; its bindings must be set. False: store_error says why. */
static inline bool statement_run(sqlite3_stmt *s)
{
    bool done = sqlite3_step(s) == SQLITE_DONE;

    return sqlite3_reset(s) == SQLITE_OK && done;
}

#endif
