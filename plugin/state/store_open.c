/* SPDX-License-Identifier: Apache-2.0 */
/* store_open: the connection, the file that it is of, and its close. */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/open_error.h"
#include "state/schema.h"
#include "state/store_parts.h"

enum {
    OPENING_PATIENCE = 5000,   /* milliseconds, all in all */
    CLOSING_PATIENCE = 100,    /* for the directory: then what SQLite leaves is left */
    LONGEST_VALUE = 256 << 20, /* bytes: no message is so long */
};

/* --- the connection --- */

/* While it is being opened, one patience serves all steps; SQLite's own begins anew with each. */
static int wait_while_opening(void *opened, int tries)
{
    const store *self = opened;

    (void)tries;
    return patience_pause(self->opening);
}

/* Somebody else may have written the file. A SQLite that does not know an option goes on. */
void store_harden(sqlite3 *connection)
{
#ifdef SQLITE_DBCONFIG_DEFENSIVE
    sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
#endif
#ifdef SQLITE_DBCONFIG_TRUSTED_SCHEMA
    sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
#endif
#ifdef SQLITE_DBCONFIG_WRITABLE_SCHEMA
    sqlite3_db_config(connection, SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0, NULL);
#endif
    sqlite3_limit(connection, SQLITE_LIMIT_LENGTH, LONGEST_VALUE);
    sqlite3_exec(connection, "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0", NULL, NULL, NULL);
}

static bool connect(store *self, char **error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    const char *path = self->path != NULL ? self->path : STORE_IN_MEMORY;

    if (self->path == NULL)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &self->connection, flags, NULL) == SQLITE_OK) {
        sqlite3_busy_handler(self->connection, wait_while_opening, self);
        store_harden(self->connection);
        sqlite3_exec(self->connection, "PRAGMA synchronous = NORMAL", NULL, NULL, NULL);
        return true;
    }
    store_say(error, self->connection ? store_error(self) : "out of memory");
    return false;
}

/* SQLite's own patience does not cover the change to WAL. */
static bool prepare_schema(store *self, char **error)
{
    const char *refused = NULL;
    schema_result result;

    while ((result = schema_prepare(self->connection, &refused)) != SCHEMA_READY) {
        bool may_pass;

        store_forget_error(self);
        store_rollback(self);
        may_pass = result == SCHEMA_FAILED && store_is_busy(self);
        if (!may_pass || !patience_pause(self->opening)) {
            store_say(error, result == SCHEMA_REFUSED ? refused : store_error(self));
            return false;
        }
    }
    store_forget_error(self);
    return true;
}

void store_disconnect(store *self)
{
    if (self == NULL)
        return;
    sqlite3_finalize(self->data_version);
    sqlite3_close_v2(self->connection);
    free(self->kept_error);
    free(self->path);
    free(self->news);
    free(self);
}

/* Which file it is, is asked before it is opened: one that comes later is another one. */
static bool remember_file(store *self, const char *path)
{
    if (path == NULL)
        return true;
    self->path = strdup(path);
    file_identify(path, &self->file);
    return self->path != NULL;
}

/* SQLite's word would be that it is "unable to open" it. */
static bool may_be_read(const char *path, char **error)
{
    if (path == NULL || eaccess(path, R_OK) == 0 || errno != EACCES)
        return true;
    *error = open_error_words(errno);
    return false;
}

/* SQLite makes files beside it, also to read: it says no more than that it is "unable". */
static char *why_unable(const char *path)
{
    char *copy = strdup(path), *why = NULL;

    if (copy != NULL && (eaccess(path, W_OK) != 0 || eaccess(dirname(copy), W_OK) != 0))
        why = open_error_words(errno);
    free(copy);
    return why;
}

/* A file that cannot even be opened is nobody's to rescue: it may be another program's. */
static char *advice_for(const store *self)
{
    if (self->connection == NULL || self->path == NULL)
        return NULL;
    if (store_is_unwritable(self))
        return why_unable(self->path);
    return store_is_damaged(self) ? strdup("it is left alone, as it may be another program's: look "
                                           "at it, and move it away: then a new one is made")
                                  : NULL;
}

static void add_advice(const store *self, char **error)
{
    char *advice = *error != NULL ? advice_for(self) : NULL, *longer = NULL;

    if (advice != NULL && asprintf(&longer, "%s: %s", *error, advice) >= 0) {
        free(*error);
        *error = longer;
    }
    free(advice);
}

store *store_connect(const char *path, patience until, char **error)
{
    store *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->opening = until;
    if (remember_file(self, path) && may_be_read(path, error) && connect(self, error) &&
        prepare_schema(self, error)) {
        store_set_patience(self, 0);
        return self;
    }
    add_advice(self, error);
    store_disconnect(self);
    return NULL;
}

/* --- the file; the directory is locked --- */

static bool make_empty(const char *path, char **error)
{
    char *made = database_file_new_name(path);
    bool is_made = made != NULL && database_file_begin(made, error);
    store *fresh = is_made ? store_connect(made, patience_of(0), error) : NULL;

    is_made = fresh != NULL && store_empty_log(fresh, error);
    store_disconnect(fresh);
    is_made = is_made && database_file_put_in_place(made, path, error);
    if (made != NULL)
        database_file_discard(made);
    free(made);
    return is_made;
}

static bool find_or_make(const char *path, store_open_mode how, char **news, char **error)
{
    file_identity found;

    if (!file_identify(path, &found) && (how & STORE_CREATE) == 0) {
        if (errno != ENOENT)
            *error = open_error_words(errno);
        else
            store_say(error, "No such file or directory: name the database that mmsynctap "
                             "has as database=; synctap identity import makes one");
        return false;
    }
    return database_file_settle(path, news, error) &&
           (file_identify(path, &found) || make_empty(path, error));
}

store *store_open_locked(const char *path, store_open_mode how, patience until, char **error)
{
    char *news = NULL;
    store *self = NULL;

    if (find_or_make(path, how, &news, error))
        self = store_connect(path, until, error);
    if (self == NULL) {
        free(news);
        return NULL;
    }
    self->news = news;
    database_file_log(path, &self->log);
    database_file_own(path, &self->file);
    return self;
}

/* --- opening --- */

static patience patience_for(store_open_mode how)
{
    return patience_of(how & STORE_AT_ONCE ? 300 /* milliseconds: another opening takes no longer */
                       : how & STORE_BRIEFLY ? STORE_BRIEF_PATIENCE
                                             : OPENING_PATIENCE);
}

/* Whoever has a deleted file open may bring it back, with all that is in it. */
static int lock_directory(const char *path, patience until, char **error)
{
    bool ignored;
    int lock = database_file_lock(path, until, &ignored, error);

    while (lock >= 0 && database_file_may_come_back(path)) {
        bool waits;

        database_file_unlock(lock);
        waits = patience_pause(until);
        lock = database_file_lock(path, until, &ignored, error);
        if (!waits)
            break;
    }
    return lock;
}

store *store_open(const char *path, store_open_mode how, char **error)
{
    patience until = patience_for(how);
    store *self;
    int lock;

    *error = NULL;
    if (strcmp(path, STORE_IN_MEMORY) == 0)
        return store_connect(NULL, until, error);
    lock = lock_directory(path, until, error);
    if (lock < 0)
        return NULL;
    self = store_open_locked(path, how, until, error);
    database_file_unlock(lock);
    return self;
}

/*
 * The last one who closes a database has SQLite empty and remove the log, by its name: not when
 * another file has that name meanwhile, and not while one is being put there.
 */
static void close_file(store *self)
{
    char *ignored = NULL, *path = strdup(self->path);
    bool is_busy;
    int lock = database_file_lock(self->path, patience_of(CLOSING_PATIENCE), &is_busy, &ignored);

    if (lock < 0 || !store_is_in_place(self))
        sqlite3_db_config(self->connection, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    store_disconnect(self);
    if (lock >= 0 && path != NULL)
        database_file_disown(path);
    database_file_unlock(lock);
    free(path);
    free(ignored);
}

void store_close(store *self)
{
    if (self != NULL && self->path != NULL)
        close_file(self);
    else
        store_disconnect(self);
}
