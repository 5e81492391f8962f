/* SPDX-License-Identifier: Apache-2.0 */
/* action_row: a few statements, each for a rare step. */
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

/* --- what it remembers --- */

/* ?1 is the action, ?2 the one that it is given to. */
static bool run_with(store *s, const char *sql, int64_t action, int64_t other)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    if (statement == NULL)
        return false;
    sqlite3_bind_int64(statement, 1, action);
    if (sqlite3_bind_parameter_count(statement) > 1)
        sqlite3_bind_int64(statement, 2, other);
    return run(statement);
}

static bool run_all(store *s, const char *const *steps, int64_t action, int64_t other)
{
    for (; *steps != NULL; steps++)
        if (!run_with(s, *steps, action, other))
            return false;
    return true;
}

/* An incident takes its alerts with it. */
static bool forget(store *s, int64_t action)
{
    static const char *const steps[] = {
        "DELETE FROM pending WHERE action = ?1",   "DELETE FROM seen WHERE action = ?1",
        "DELETE FROM incident WHERE action = ?1",  "DELETE FROM pending_total WHERE action = ?1",
        "DELETE FROM heartbeat WHERE action = ?1", "DELETE FROM trouble WHERE action = ?1",
        "DELETE FROM action WHERE id = ?1",        NULL,
    };

    return run_all(s, steps, action, 0);
}

/* What the other was judged up to counts no more: what comes to it may be older. */
static bool give(store *s, int64_t action, int64_t other)
{
    static const char *const steps[] = {
        "UPDATE action SET judged = min(judged, (SELECT judged FROM action WHERE id = ?1))"
        " WHERE id = ?2",
        "UPDATE OR IGNORE pending SET action = ?2 WHERE action = ?1",
        "UPDATE OR IGNORE seen SET action = ?2 WHERE action = ?1",
        "UPDATE OR IGNORE incident_alert SET action = ?2 WHERE action = ?1",
        "UPDATE OR IGNORE incident SET action = ?2 WHERE action = ?1",
        "INSERT OR REPLACE INTO pending_total SELECT ?2, count(*),"
        " ifnull(sum(length(CAST(record AS BLOB))), 0) FROM pending WHERE action = ?2",
        NULL,
    };

    return run_all(s, steps, action, other) && forget(s, action);
}

static bool end(store *s, bool done)
{
    if (done && store_commit(s))
        return true;
    store_rollback(s);
    return false;
}

bool action_row_adopt(store *s, const char *from, const char *to, bool *found)
{
    action_row old, new;
    bool done;

    *found = false;
    if (!store_begin(s))
        return false;
    done = read_row(s, from, &old, found);
    if (done && *found)
        done = action_row_find(s, to, &new) && (new.id == old.id || give(s, old.id, new.id));
    return end(s, done);
}

bool action_row_drop(store *s, const char *name, bool *found)
{
    action_row row;
    bool done;

    *found = false;
    if (!store_begin(s))
        return false;
    done = read_row(s, name, &row, found);
    if (done && *found)
        done = forget(s, row.id);
    return end(s, done);
}
