/* SPDX-License-Identifier: Apache-2.0 */
/* store_rescue: SQLite's own copy of an open database, and a copy row by row of a damaged one. */
#include "state/store_rescue.h"

#include <stdlib.h>
#include <string.h>

#include "state/statement.h"
#include "state/store_parts.h"

/* Those whose rows stand for themselves; the role list's head is counted anew. */
static const char *const tables[] = {
    "identity", "identity_superseded", "action",    "pending", "pending_key",  "seen",
    "incident", "incident_alert",      "heartbeat", "trouble", "learned_role", "role_feed"};

enum { TABLES = sizeof(tables) / sizeof(tables[0]) };

/* --- a file that was deleted --- */

static bool copy_all(sqlite3 *to, sqlite3 *from)
{
    sqlite3_backup *copy = sqlite3_backup_init(to, "main", from, "main");
    bool done = copy != NULL && sqlite3_backup_step(copy, -1) == SQLITE_DONE;

    return sqlite3_backup_finish(copy) == SQLITE_OK && done;
}

/* SQLite's own copy: pages, not rows. */
static bool copy_into(store *self, const char *made, char **error)
{
    sqlite3 *to = NULL;
    bool copied = sqlite3_open_v2(made, &to, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
                  copy_all(to, store_connection(self));

    if (!copied)
        store_say(error, to != NULL ? sqlite3_errmsg(to) : "out of memory");
    sqlite3_close_v2(to);
    return copied;
}

/* Whoever put a file there meanwhile is right: nothing of his is touched. */
static bool restore(store *self, const char *path, char **error)
{
    file_identity found;
    char *made;
    bool restored;

    if (file_identify(path, &found))
        return true;
    made = database_file_new_name(path);
    restored = made != NULL && database_file_begin(made, error) && copy_into(self, made, error) &&
               database_file_put_in_place(made, path, error);
    if (made != NULL)
        database_file_discard(made);
    free(made);
    return restored;
}

bool store_restore(store *self, const char *path, char **error)
{
    bool is_busy, restored;
    int lock;

    *error = NULL;
    lock = database_file_lock(path, patience_of(STORE_BRIEF_PATIENCE), &is_busy, error);
    if (lock < 0)
        return false;
    restored = restore(self, path, error);
    database_file_unlock(lock);
    return restored;
}

/* --- a file that is damaged --- */

/*
 * The two statements that carry a table's rows over, of the columns that it has with us: in the
 * damaged file anything may have its name.
 */
static const char STATEMENTS[] =
    "SELECT 'SELECT ' || group_concat(name) || ' FROM main.' || ?1,"
    " 'INSERT OR IGNORE INTO main.' || ?1 || ' (' || group_concat(name) || ')"
    " VALUES (' || group_concat('?' || (cid + 1)) || ')' FROM pragma_table_info(?1)";

static sqlite3_stmt *prepare(sqlite3 *c, const unsigned char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sql != NULL)
        sqlite3_prepare_v2(c, (const char *)sql, -1, &statement, NULL);
    return statement;
}

static bool put_row(sqlite3_stmt *from, sqlite3_stmt *to)
{
    for (int i = 0; i < sqlite3_column_count(from); i++)
        sqlite3_bind_value(to, i + 1, sqlite3_column_value(from, i));
    return statement_run(to);
}

/* Up to the first row that cannot be read; a table that is not there is passed over. */
static void copy_rows(store *to, sqlite3 *damaged, const char *table)
{
    sqlite3_stmt *statements = store_prepare(to, STATEMENTS), *rows = NULL, *put = NULL;

    if (statements != NULL)
        statement_bind_text(statements, 1, text_of(table));
    if (statements != NULL && sqlite3_step(statements) == SQLITE_ROW) {
        rows = prepare(damaged, sqlite3_column_text(statements, 0));
        put = prepare(store_connection(to), sqlite3_column_text(statements, 1));
    }
    while (rows != NULL && put != NULL && sqlite3_step(rows) == SQLITE_ROW && put_row(rows, put))
        continue;
    sqlite3_finalize(statements);
    sqlite3_finalize(rows);
    sqlite3_finalize(put);
}

static void run(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    if (statement != NULL)
        statement_run(statement);
    sqlite3_finalize(statement);
}

static void count_role_list(store *s)
{
    run(s, "UPDATE role_list SET change = (SELECT ifnull(max(change), 0) + 1 FROM identity),"
           " rows = (SELECT count(*) FROM identity), newest = (SELECT max(time) FROM identity)");
}

static sqlite3 *open_damaged(const char *path)
{
    sqlite3 *damaged = NULL;

    sqlite3_open_v2(path, &damaged, SQLITE_OPEN_READWRITE, NULL);
    if (damaged != NULL)
        store_harden(damaged);
    return damaged;
}

static bool carry_over(store *to, const char *path)
{
    sqlite3 *damaged = open_damaged(path);
    bool carried = damaged != NULL && store_begin(to);

    for (int i = 0; carried && i < TABLES; i++)
        copy_rows(to, damaged, tables[i]);
    if (carried) {
        count_role_list(to);
        run(to, "INSERT INTO rescue VALUES ('damaged')");
        carried = store_commit(to);
    }
    sqlite3_close_v2(damaged);
    return carried;
}

/* What can be read of the file at the path, in a new one. */
static bool make_from_damaged(const char *made, const char *path, char **error)
{
    store *fresh =
        database_file_begin(made, error) ? store_connect(made, patience_of(0), error) : NULL;
    bool carried = fresh != NULL && carry_over(fresh, path);

    if (fresh != NULL && !carried)
        store_say(error, store_error(fresh));
    carried = carried && store_empty_log(fresh, error);
    store_disconnect(fresh);
    return carried;
}

static bool replace(store *damaged, const char *path, char **moved_to, char **error)
{
    char *made = database_file_new_name(path);
    bool replaced = made != NULL && make_from_damaged(made, path, error) &&
                    database_file_replace(made, path, &damaged->file, moved_to, error);

    if (made != NULL)
        database_file_discard(made);
    free(made);
    return replaced;
}

store *store_replace_damaged(store *damaged, const char *path, char **moved_to, char **error)
{
    patience until = patience_of(STORE_BRIEF_PATIENCE);
    store *made = NULL;
    bool is_busy;
    int lock;

    *error = NULL;
    *moved_to = NULL;
    lock = database_file_lock(path, until, &is_busy, error);
    if (lock < 0)
        return NULL;
    if (!store_is_in_place(damaged) || replace(damaged, path, moved_to, error))
        made = store_open_locked(path, STORE_CREATE, until, error);
    database_file_unlock(lock);
    return made;
}
