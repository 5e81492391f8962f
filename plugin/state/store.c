/* SPDX-License-Identifier: Apache-2.0 */
/* store: opening, closing and transactions. */
#include "state/store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "state/schema.h"
#include "state/store_parts.h"

enum {
    OPENING_PATIENCE = 5000,   /* milliseconds, all in all */
    BRIEF_PATIENCE = 1500,     /* shorter than what a stop may take */
    CLOSING_PATIENCE = 100,    /* for the directory: then what SQLite leaves is left */
    LONGEST_VALUE = 256 << 20, /* bytes: no message is so long */
};

struct store {
    sqlite3 *connection;
    sqlite3_stmt *data_version;
    int64_t seen_version; /* of the last store_has_changed; data_version begins at 1 */
    char *kept_error;     /* from before the steps that clean up after it; NULL: none */
    int kept_code;
    char *path; /* NULL: in memory */
    file_identity file;
    file_identity log;  /* inode 0: none was there */
    sqlite3_int64 size; /* the file's, at the last store_begins_whole */
    patience opening;
    char *news;

    /* How long a step waits, when that may end before. */
    int most;
    store_end *end;
    void *end_arg;
    patience waiting; /* of the wait that is under way */
};

static void say(char **error, const char *reason)
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

static void forget_error(store *self)
{
    free(self->kept_error);
    self->kept_error = NULL;
}

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
        run(self, "PRAGMA synchronous = NORMAL");
        return true;
    }
    say(error, self->connection ? store_error(self) : "out of memory");
    return false;
}

/* SQLite's own patience does not cover the change to WAL. */
static bool prepare_schema(store *self, char **error)
{
    const char *refused = NULL;
    schema_result result;

    while ((result = schema_prepare(self->connection, &refused)) != SCHEMA_READY) {
        bool may_pass;

        forget_error(self);
        store_rollback(self);
        may_pass = result == SCHEMA_FAILED && store_is_busy(self);
        if (!may_pass || !patience_pause(self->opening)) {
            say(error, result == SCHEMA_REFUSED ? refused : store_error(self));
            return false;
        }
    }
    forget_error(self);
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
    say(error, strerror(errno));
    return false;
}

/* A file that cannot even be opened is nobody's to rescue: it may be another program's. */
static void add_advice(const store *self, char **error)
{
    char *longer = NULL;

    if (self->connection == NULL || *error == NULL || !store_is_damaged(self) ||
        asprintf(&longer,
                 "%s: it is left alone, as it may be another program's: look at it, and move it "
                 "away: then a new one is made",
                 *error) < 0)
        return;
    free(*error);
    *error = longer;
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
        say(error, errno == ENOENT ? "No such file or directory: name the database that mmsynctap "
                                     "has as database=; synctap identity import makes one"
                                   : strerror(errno));
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
                       : how & STORE_BRIEFLY ? BRIEF_PATIENCE
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

sqlite3 *store_connection(store *self)
{
    return self->connection;
}

const file_identity *store_file(const store *self)
{
    return &self->file;
}

const char *store_news(const store *self)
{
    return self->news;
}

/* SQLite's close would do it, too, and say nothing when it cannot. */
bool store_empty_log(store *self, char **error)
{
    int code =
        sqlite3_wal_checkpoint_v2(self->connection, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

    if (code != SQLITE_OK)
        say(error, sqlite3_errmsg(self->connection));
    return code == SQLITE_OK;
}

bool store_is_in_place(const store *self)
{
    return self->path == NULL || file_is(self->path, &self->file);
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
    say(error, "another file is there");
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
    lock = database_file_lock(self->path, patience_of(BRIEF_PATIENCE), &is_busy, error);
    if (lock < 0)
        return false;
    saved = is_log_saved(self) || (is_log_free(self, error) && store_empty_log(self, error));
    if (saved)
        database_file_disown(self->path);
    database_file_unlock(lock);
    return saved;
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
    forget_error(self);
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
    forget_error(self);
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

    forget_error(self);
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

/* --- the file's first page; sqlite.org/fileformat.html --- */

enum { HEADER_READ = 32 };

static sqlite3_int64 big_endian(const unsigned char *bytes, size_t length)
{
    sqlite3_int64 number = 0;

    for (size_t i = 0; i < length; i++)
        number = number << 8 | bytes[i];
    return number;
}

static sqlite3_int64 size_in_header(const unsigned char *header)
{
    sqlite3_int64 page = big_endian(header + 16, 2);

    return (page == 1 ? 65536 : page) * big_endian(header + 28, 4);
}

/*
 * It became shorter, and shorter than it says. A checkpoint writes the first page before all
 * others, and shortens the file at its end: so one that is under way, or was killed, is no damage.
 */
static bool is_cut(store *self, sqlite3_file *file, const unsigned char *header)
{
    sqlite3_int64 before = self->size;

    if (file->pMethods->xFileSize(file, &self->size) != SQLITE_OK)
        self->size = 0;
    return self->size < before && self->size < size_in_header(header);
}

/* NULL: nothing. What cannot be read is met by the next statement. */
static const char *damage_of(store *self, sqlite3_file *file)
{
    static const char magic[16] = "SQLite format 3"; /* with its NUL */
    unsigned char header[HEADER_READ];
    int code = file->pMethods->xRead(file, header, sizeof(header), 0);

    if (code == SQLITE_IOERR_SHORT_READ)
        return "the file was cut";
    if (code != SQLITE_OK)
        return NULL;
    if (memcmp(header, magic, sizeof(magic)) != 0)
        return "the file's header is damaged";
    return is_cut(self, file, header) ? "the file was cut" : NULL;
}

/* The file is read through SQLite's own descriptor: closing another one would take its locks. */
bool store_begins_whole(store *self)
{
    sqlite3_file *file = NULL;
    const char *damage;

    forget_error(self);
    if (sqlite3_file_control(self->connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) !=
            SQLITE_OK ||
        file == NULL || file->pMethods == NULL)
        return true; /* it is in memory */
    damage = damage_of(self, file);
    if (damage == NULL)
        return true;
    self->kept_code = SQLITE_NOTADB;
    self->kept_error = strdup(damage);
    return false;
}

void store_forget_version(store *self)
{
    self->seen_version = 0;
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
