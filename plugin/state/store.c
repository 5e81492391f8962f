/* SPDX-License-Identifier: Apache-2.0 */
/* store: its file, transactions, errors and statements. */
#include "state/store.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "state/database_header.h"
#include "state/store_parts.h"

void store_say(char **error, const char *reason)
{
    free(*error);
    *error = strdup(reason);
}

static bool run(store *self, const char *sql)
{
    return sqlite3_exec(self->connection, sql, NULL, NULL, NULL) == SQLITE_OK;
}

static bool read_number(store *self, const char *sql, int64_t *number)
{
    sqlite3_stmt *statement = store_prepare(self, sql);
    bool read = statement != NULL && sqlite3_step(statement) == SQLITE_ROW;

    if (read)
        *number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return read;
}

sqlite3 *store_connection(store *self)
{
    return self->connection;
}

const char *store_news(const store *self)
{
    return self->news;
}

bool store_is_in_place(const store *self)
{
    return self->path == NULL || file_is(self->path, &self->file);
}

bool store_is_writable(const store *self)
{
    return sqlite3_db_readonly(self->connection, "main") == 0;
}

void store_set_patience(store *self, int milliseconds)
{
    sqlite3_busy_timeout(self->connection, milliseconds);
}

static int wait_until_end(void *waiting, int tries)
{
    store *self = waiting;
    int64_t end = self->end(self->end_arg);

    if (tries == 0)
        self->waiting = patience_of(self->most);
    return (end == 0 || patience_clock() < end) && patience_pause(self->waiting);
}

void store_set_patience_until(store *self, int milliseconds, store_end *end, void *arg)
{
    self->most = milliseconds;
    self->end = end;
    self->end_arg = arg;
    sqlite3_busy_handler(self->connection, wait_until_end, self);
}

/* --- transactions --- */

/* A transaction that could not even be dropped, for want of memory, is dropped now. */
bool store_begin(store *self)
{
    store_rollback(self);
    store_forget_error(self);
    return run(self, "BEGIN IMMEDIATE");
}

bool store_commit(store *self)
{
    return run(self, "COMMIT");
}

void store_keep_error(store *self)
{
    int code = sqlite3_errcode(self->connection);

    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return;
    store_forget_error(self);
    self->kept_code = code;
    self->kept_error = strdup(sqlite3_errmsg(self->connection));
}

/* A full disk, among others, has SQLite roll back by itself: there is nothing left to do then. */
void store_rollback(store *self)
{
    store_keep_error(self);
    if (!sqlite3_get_autocommit(self->connection))
        run(self, "ROLLBACK");
}

bool store_has_changed(store *self)
{
    int64_t version = 0;

    store_forget_error(self);
    if (self->data_version == NULL)
        self->data_version = store_prepare(self, "PRAGMA data_version");
    if (self->data_version != NULL && sqlite3_step(self->data_version) == SQLITE_ROW)
        version = sqlite3_column_int64(self->data_version, 0);
    sqlite3_reset(self->data_version);
    if (version != 0 && version == self->seen_version)
        return false;
    self->seen_version = version;
    return true;
}

void store_forget_version(store *self)
{
    self->seen_version = 0;
}

bool store_begins_whole(store *self)
{
    const char *damage;

    store_forget_error(self);
    damage = database_header_damage(self->connection, &self->size);
    if (damage == NULL)
        return true;
    self->kept_code = SQLITE_NOTADB;
    self->kept_error = strdup(damage);
    return false;
}

/* --- errors --- */

void store_forget_error(store *self)
{
    free(self->kept_error);
    self->kept_error = NULL;
}

/* SQLite's primary result code of the last failure. */
static int error_code(const store *self)
{
    return (self->kept_error != NULL ? self->kept_code : sqlite3_errcode(self->connection)) & 0xFF;
}

/* A step that failed without SQLite's knowing had no memory. */
const char *store_error(const store *self)
{
    if (self->kept_error != NULL)
        return self->kept_error;
    return error_code(self) == SQLITE_OK ? "out of memory" : sqlite3_errmsg(self->connection);
}

/* SQLITE_PROTOCOL: others came first for so long that SQLite gave up. */
bool store_is_busy(const store *self)
{
    int code = error_code(self);

    return code == SQLITE_BUSY || code == SQLITE_LOCKED || code == SQLITE_PROTOCOL;
}

bool store_was_rescued(store *self)
{
    int64_t rows = 0;

    return read_number(self, "SELECT count(*) FROM rescue", &rows) && rows > 0;
}

bool store_is_damaged(const store *self)
{
    return error_code(self) == SQLITE_CORRUPT || error_code(self) == SQLITE_NOTADB;
}

bool store_is_unwritable(const store *self)
{
    return error_code(self) == SQLITE_CANTOPEN || error_code(self) == SQLITE_READONLY;
}

/* The first thing that is wrong will do. */
char *store_check(store *self)
{
    sqlite3_stmt *check = store_prepare(self, "PRAGMA quick_check(1)");
    const char *said;
    char *trouble = NULL;

    if (check != NULL && sqlite3_step(check) == SQLITE_ROW)
        said = (const char *)sqlite3_column_text(check, 0);
    else
        said = store_error(self);
    if (said == NULL || strcmp(said, "ok") != 0)
        trouble = strdup(said != NULL ? said : "out of memory");
    sqlite3_finalize(check);
    return trouble;
}

sqlite3_stmt *store_prepare(store *self, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v3(self->connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    return statement;
}

bool store_prepare_all(store *self, const char *const *sql, sqlite3_stmt **statements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        statements[i] = store_prepare(self, sql[i]);
        if (statements[i] == NULL) {
            store_keep_error(self);
            return false;
        }
    }
    return true;
}
