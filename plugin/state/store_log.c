/* SPDX-License-Identifier: Apache-2.0 */
/* store_log: SQLite's log beside the file, also when it was deleted. */
#include "state/store_parts.h"

/* SQLite's close would do it, too, and say nothing when it cannot. */
bool store_empty_log(store *self, char **error)
{
    int code =
        sqlite3_wal_checkpoint_v2(self->connection, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    if (code != SQLITE_OK)
        store_say(error, sqlite3_errmsg(self->connection));
    return code == SQLITE_OK;
}

bool store_has_log(const store *self)
{
    return self->path == NULL || self->log.inode == 0 ||
           database_file_has_log(self->path, &self->log);
}

/* The index, which all share, tells of the newest log: it is not to be applied to an older one. */
static bool is_log_free(const store *self, char **error)
{
    file_identity found;

    if (store_is_in_place(self) && !database_file_log(self->path, &found))
        return true;
    store_say(error, "another file is there");
    return false;
}

/* Who saved it, cut it: all who opened it before it was deleted see that. */
static bool is_log_saved(store *self)
{
    sqlite3_file *log = NULL;
    sqlite3_int64 size;

    return sqlite3_file_control(self->connection, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) ==
               SQLITE_OK &&
           log != NULL && log->pMethods != NULL &&
           log->pMethods->xFileSize(log, &size) == SQLITE_OK && size == 0;
}

bool store_save_log(store *self, char **error)
{
    bool is_busy, saved;
    int lock;

    *error = NULL;
    lock = database_file_lock(self->path, patience_of(STORE_BRIEF_PATIENCE), &is_busy, error);
    if (lock < 0)
        return false;
    saved = is_log_saved(self) || (is_log_free(self, error) && store_empty_log(self, error));
    if (saved)
        database_file_disown(self->path);
    database_file_unlock(lock);
    return saved;
}
