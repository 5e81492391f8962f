/* SPDX-License-Identifier: Apache-2.0 */
/* account_history: by the role list's keys, and only if that finds nothing, row by row. */
#include "state/account_history.h"

#include "state/statement.h"

#define ROW "upn, object_id, display_name, roles, time, eligible"
#define IN_ANY_CASE                                                                                \
    "(?1 <> '' AND upn = ?1 COLLATE NOCASE OR ?2 <> '' AND object_id = ?2 COLLATE NOCASE)"

/* ?3, of the rows that are superseded never: what stands in their place. */
static const char SUPERSEDED[] =
    "SELECT " ROW ", superseded FROM identity_superseded WHERE " IN_ANY_CASE
    " AND ?3 IS NOT NULL ORDER BY superseded, id";
static const char BY_KEY[] =
    "SELECT " ROW ", ?3 FROM identity WHERE upn = ?1 UNION"
    " SELECT " ROW ", ?3 FROM identity WHERE ?2 <> '' AND object_id = ?2 ORDER BY time";
static const char BY_EACH_ROW[] =
    "SELECT " ROW ", ?3 FROM identity WHERE " IN_ANY_CASE " ORDER BY time";

typedef struct reading {
    store *store;
    text upn, object_id;
    role_list_version_sink *sink;
    void *arg;
} reading;

static void hand_out(const reading *r, sqlite3_stmt *rows)
{
    const identity_record row = {
        .account_upn = statement_text(rows, 0),
        .account_object_id = statement_text(rows, 1),
        .account_display_name = statement_text(rows, 2),
        .assigned_roles = statement_text(rows, 3),
        .time_generated = sqlite3_column_int64(rows, 4),
        .eligible_roles = statement_text(rows, 5),
    };

    r->sink(r->arg, &row, sqlite3_column_int64(rows, 6));
}

/* *count grows by the rows. */
static bool read_all(const reading *r, const char *sql, size_t *count)
{
    sqlite3_stmt *rows = store_prepare(r->store, sql);
    int step = SQLITE_ERROR;

    if (rows == NULL)
        return false;
    statement_bind_text(rows, 1, r->upn);
    statement_bind_text(rows, 2, r->object_id);
    sqlite3_bind_int64(rows, 3, ACCOUNT_STILL_SO);
    while ((step = sqlite3_step(rows)) == SQLITE_ROW) {
        hand_out(r, rows);
        ++*count;
    }
    return sqlite3_finalize(rows) == SQLITE_OK && step == SQLITE_DONE;
}

bool account_history_each(store *s, text upn, text object_id, role_list_version_sink *sink,
                          void *arg)
{
    const reading r = {s, upn, object_id, sink, arg};
    size_t before = 0, now = 0;

    return read_all(&r, SUPERSEDED, &before) && read_all(&r, BY_KEY, &now) &&
           (now > 0 || read_all(&r, BY_EACH_ROW, &now));
}
