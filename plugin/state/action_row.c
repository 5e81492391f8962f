/* SPDX-License-Identifier: Apache-2.0 */
/* action_row: three statements, each for a rare step. */
#include "state/action_row.h"

#include "state/statement.h"

static bool run(sqlite3_stmt *statement)
{
    bool done = statement != NULL && sqlite3_step(statement) == SQLITE_DONE;

    return sqlite3_finalize(statement) == SQLITE_OK && done;
}

static bool make(store *s, const char *name)
{
    sqlite3_stmt *statement = store_prepare(s, "INSERT OR IGNORE INTO action (name, judged)"
                                               " SELECT ?1, change FROM role_list");

    if (statement != NULL)
        statement_bind_text(statement, 1, text_of(name));
    return run(statement);
}

/* False, too, when there is none; then *is_there tells. */
static bool read_row(store *s, const char *name, action_row *row, bool *is_there)
{
    sqlite3_stmt *statement = store_prepare(s, "SELECT id, judged FROM action WHERE name = ?1");
    int step;

    if (statement == NULL)
        return false;
    statement_bind_text(statement, 1, text_of(name));
    step = sqlite3_step(statement);
    *is_there = step == SQLITE_ROW;
    if (*is_there) {
        row->id = sqlite3_column_int64(statement, 0);
        row->judged = sqlite3_column_int64(statement, 1);
    }
    return sqlite3_finalize(statement) == SQLITE_OK && (*is_there || step == SQLITE_DONE);
}

bool action_row_find(store *s, const char *name, action_row *row)
{
    bool is_there;

    if (!read_row(s, name, row, &is_there))
        return false;
    return is_there || (make(s, name) && read_row(s, name, row, &is_there) && is_there);
}

bool action_row_set_judged(store *s, action_row *row, int64_t judged)
{
    sqlite3_stmt *statement = store_prepare(s, "UPDATE action SET judged = ?2 WHERE id = ?1");

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, row->id);
    sqlite3_bind_int64(statement, 2, judged);
    if (!run(statement))
        return false;
    row->judged = judged;
    return true;
}
