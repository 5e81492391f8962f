/* SPDX-License-Identifier: Apache-2.0 */
/* store: opening, schema and transactions. */
#include "state/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x53544150, /* "STAP", in the file's header: whose database it is */
    SCHEMA_VERSION = 3,
    OPENING_PATIENCE = 5000, /* milliseconds: another process may be making the schema */
};

struct store {
    sqlite3 *connection;
    sqlite3_stmt *data_version;
    int64_t seen_version; /* of the last store_has_changed; data_version begins at 1 */
    char *kept_error;     /* from before the steps that clean up after it; NULL: none */
    int kept_code;
    char *path;
    dev_t device; /* of the file when it was opened */
    ino_t inode;
};

/* The clock, in 100 ns since 1970. */
#define NOW "CAST((julianday('now') - 2440587.5) * 864000000000 AS INTEGER)"

/* Each version's step from the one before it. */
static const char *const migrations[SCHEMA_VERSION] = {
    /* 1: the role list. `change` counts the transactions that wrote to it. */
    "CREATE TABLE identity ("
    " id INTEGER PRIMARY KEY,"
    " upn TEXT NOT NULL UNIQUE,"
    " object_id TEXT NOT NULL,"
    " display_name TEXT NOT NULL,"
    " time INTEGER NOT NULL,"        /* of the newest row, in 100 ns since 1970 */
    " roles TEXT NOT NULL,"          /* last known */
    " roles_time INTEGER,"           /* of the row that said them; NULL: none did */
    " roles_older INTEGER NOT NULL," /* the newest row is one without AssignedRoles: null to KQL */
    " change INTEGER NOT NULL);"
    "CREATE INDEX identity_change ON identity (change);"
    "CREATE TABLE role_list (change INTEGER NOT NULL, rows INTEGER NOT NULL, newest INTEGER);"
    "INSERT INTO role_list VALUES (0, 0, NULL);",
    /*
     * 2: what a stream remembers, each action's for itself. `judged` is the role list's change up
     * to which the action's pending records were judged again.
     */
    "CREATE TABLE rescue (reason TEXT NOT NULL);" /* a row when the file took a damaged one's place
                                                   */
    "CREATE TABLE action (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " judged INTEGER NOT NULL);"
    "CREATE TABLE pending ("
    " id INTEGER PRIMARY KEY," /* in the order in which they came */
    " action INTEGER NOT NULL,"
    " row_id TEXT NOT NULL," /* the alert_id and time of its first row that did not match */
    " received INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " record TEXT NOT NULL,"
    " due INTEGER," /* to be judged again since it was by this change of the role list; NULL: not */
    " UNIQUE (action, row_id));"
    "CREATE INDEX pending_due ON pending (action, due) WHERE due IS NOT NULL;"
    "CREATE INDEX pending_expires ON pending (expires);"
    "CREATE TABLE pending_key (key TEXT NOT NULL, pending INTEGER NOT NULL,"
    " PRIMARY KEY (key, pending)) WITHOUT ROWID;"
    "CREATE INDEX pending_key_pending ON pending_key (pending);"
    "CREATE TRIGGER pending_takes_its_keys AFTER DELETE ON pending BEGIN"
    " DELETE FROM pending_key WHERE pending = old.id; END;"
    "CREATE TABLE seen (action INTEGER NOT NULL, alert_id TEXT NOT NULL,"
    " expires INTEGER NOT NULL, PRIMARY KEY (action, alert_id)) WITHOUT ROWID;"
    "CREATE INDEX seen_expires ON seen (expires);"
    "CREATE TABLE incident ("
    " action INTEGER NOT NULL,"
    " incident_id TEXT NOT NULL,"
    " key TEXT NOT NULL," /* what its alerts have in common: a JSON array, the tenant first */
    " opened INTEGER NOT NULL,"
    " window INTEGER NOT NULL,"
    " last_alert INTEGER NOT NULL,"
    " alert_count INTEGER NOT NULL,"
    " first_alert TEXT NOT NULL,"
    " closed INTEGER," /* when; NULL: it is not */
    " PRIMARY KEY (action, incident_id)) WITHOUT ROWID;"
    "CREATE INDEX incident_last_alert ON incident (last_alert);"
    "CREATE TABLE incident_alert (action INTEGER NOT NULL, incident_id TEXT NOT NULL,"
    " place INTEGER NOT NULL, alert_id TEXT NOT NULL, alert TEXT NOT NULL,"
    " PRIMARY KEY (action, incident_id, place)) WITHOUT ROWID;"
    "CREATE TRIGGER incident_takes_its_alerts AFTER DELETE ON incident BEGIN"
    " DELETE FROM incident_alert WHERE action = old.action AND incident_id = old.incident_id; END;"
    /*
     * What an account was before, when more than its time changed: a reader who looks now and
     * then would not know that it was so. `superseded` is when, on the writer's clock.
     */
    "CREATE TABLE identity_superseded ("
    " id INTEGER PRIMARY KEY,"
    " upn TEXT NOT NULL, object_id TEXT NOT NULL, display_name TEXT NOT NULL,"
    " time INTEGER NOT NULL, roles TEXT NOT NULL, roles_older INTEGER NOT NULL,"
    " change INTEGER NOT NULL,"
    " superseded INTEGER NOT NULL);"
    "CREATE INDEX identity_superseded_change ON identity_superseded (change);"
    "CREATE TRIGGER identity_keeps_versions AFTER UPDATE ON identity"
    " WHEN old.roles <> new.roles OR old.object_id <> new.object_id"
    " OR old.display_name <> new.display_name OR old.roles_older <> new.roles_older BEGIN"
    " INSERT INTO identity_superseded"
    " (upn, object_id, display_name, time, roles, roles_older, change, superseded)"
    " VALUES (old.upn, old.object_id, old.display_name, old.time, old.roles, old.roles_older,"
    " old.change, " NOW "); END;",
    /*
     * 3: eligible roles, apart from the active ones; accounts by object id, for members without a
     * UPN; the snapshot that a stream of messages has open, and the rows that it brought so far.
     * Rows of a far future count as of now: nothing could ever be newer than they are.
     */
    "ALTER TABLE identity ADD COLUMN eligible TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE identity_superseded ADD COLUMN eligible TEXT NOT NULL DEFAULT '';"
    "CREATE INDEX identity_object_id ON identity (object_id);"
    "DROP TRIGGER identity_keeps_versions;"
    "UPDATE identity SET time = min(time, " NOW "), roles_time = min(roles_time, " NOW ")"
    " WHERE max(time, ifnull(roles_time, time)) > " NOW " + 864000000000;"
    "UPDATE role_list SET newest = (SELECT max(time) FROM identity) WHERE newest > " NOW ";"
    "CREATE TRIGGER identity_keeps_versions AFTER UPDATE ON identity"
    " WHEN old.roles <> new.roles OR old.object_id <> new.object_id"
    " OR old.display_name <> new.display_name OR old.roles_older <> new.roles_older"
    " OR old.eligible <> new.eligible BEGIN"
    " INSERT INTO identity_superseded"
    " (upn, object_id, display_name, time, roles, roles_older, eligible, change, superseded)"
    " VALUES (old.upn, old.object_id, old.display_name, old.time, old.roles, old.roles_older,"
    " old.eligible, old.change, " NOW "); END;"
    "CREATE TABLE snapshot (id TEXT NOT NULL, begun INTEGER NOT NULL);"
    "CREATE TABLE snapshot_row (id INTEGER PRIMARY KEY, upn TEXT NOT NULL,"
    " object_id TEXT NOT NULL, display_name TEXT NOT NULL, time INTEGER NOT NULL,"
    " roles TEXT NOT NULL, eligible TEXT, kind INTEGER NOT NULL, roles_older INTEGER NOT NULL);",
};

static void say(char **error, const char *reason)
{
    *error = strdup(reason);
}

/* SQLite would make the file with the umask's mode, and say little of a directory. */
static bool make_file(const char *path, store_open_mode how, char **error)
{
    struct stat found;
    int file;

    if (strcmp(path, STORE_IN_MEMORY) == 0)
        return true;
    if (stat(path, &found) == 0) {
        if (S_ISREG(found.st_mode))
            return true;
        say(error, S_ISDIR(found.st_mode) ? "it is a directory" : "it is no regular file");
        return false;
    }
    if (errno != ENOENT || how == STORE_EXISTING) {
        say(error, strerror(errno));
        return false;
    }
    file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0640);
    if (file < 0 || fchmod(file, 0640) != 0)
        say(error, strerror(errno));
    if (file >= 0)
        close(file);
    return *error == NULL;
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

static bool set_number(store *self, const char *pragma, int number)
{
    char sql[64];

    snprintf(sql, sizeof(sql), "PRAGMA %s = %d", pragma, number);
    return run(self, sql);
}

static bool migrate_from(store *self, int64_t version)
{
    for (; version < SCHEMA_VERSION; version++)
        if (!run(self, migrations[version]))
            return false;
    return set_number(self, "application_id", APPLICATION_ID) &&
           set_number(self, "user_version", SCHEMA_VERSION);
}

/* Asks again inside the transaction: another process may have been first. */
static bool migrate(store *self)
{
    int64_t version;

    return run(self, "PRAGMA journal_mode = WAL") && store_begin(self) &&
           read_number(self, "PRAGMA user_version", &version) && migrate_from(self, version) &&
           store_commit(self);
}

/* What keeps this file from being ours, or NULL. A new file has no tables and no id. */
static const char *reason_to_refuse(store *self, int64_t version)
{
    int64_t id, tables;

    if (!read_number(self, "PRAGMA application_id", &id) ||
        !read_number(self, "SELECT count(*) FROM sqlite_schema", &tables))
        return store_error(self);
    if (id != APPLICATION_ID && (id != 0 || tables > 0))
        return "it is another program's database";
    if (version > SCHEMA_VERSION)
        return "it was made by a newer synctap";
    return NULL;
}

/* One try; NULL, or why not, in words that last until the next step. */
static const char *try_to_prepare_schema(store *self)
{
    int64_t version;
    const char *refused;

    /* In one transaction: another process may be making the schema. */
    if (!run(self, "BEGIN") || !read_number(self, "PRAGMA user_version", &version))
        return store_error(self);
    refused = reason_to_refuse(self, version);
    if (refused == NULL && !store_commit(self))
        refused = store_error(self);
    if (refused == NULL && version < SCHEMA_VERSION && !migrate(self))
        refused = store_error(self);
    return refused;
}

/* SQLite's own patience does not cover the change to WAL. */
static bool prepare_schema(store *self, char **error)
{
    enum { PAUSE = 10 }; /* milliseconds */
    const char *refused;

    for (int waited = 0; (refused = try_to_prepare_schema(self)) != NULL; waited += PAUSE) {
        bool may_pass = store_is_busy(self) && waited < OPENING_PATIENCE;

        if (!may_pass)
            say(error, refused);
        store_rollback(self);
        if (!may_pass)
            return false;
        sqlite3_sleep(PAUSE);
    }
    return true;
}

/* Remembers which file was opened; a database in memory has none. */
static bool remember_file(store *self, const char *path)
{
    struct stat found;

    self->path = strdup(path);
    if (self->path != NULL && stat(path, &found) == 0) {
        self->device = found.st_dev;
        self->inode = found.st_ino;
    }
    return self->path != NULL;
}

bool store_is_in_place(const store *self)
{
    struct stat found;

    if (self->inode == 0)
        return true;
    return stat(self->path, &found) == 0 && found.st_dev == self->device &&
           found.st_ino == self->inode;
}

static bool connect(store *self, const char *path, char **error)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

    if (strcmp(path, STORE_IN_MEMORY) == 0)
        flags |= SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &self->connection, flags, NULL) == SQLITE_OK) {
        store_set_patience(self, OPENING_PATIENCE);
        run(self, "PRAGMA synchronous = NORMAL");
        return true;
    }
    say(error, self->connection ? store_error(self) : "out of memory");
    return false;
}

store *store_open(const char *path, store_open_mode how, char **error)
{
    store *self;

    *error = NULL;
    if (!make_file(path, how, error))
        return NULL;
    self = calloc(1, sizeof(*self));
    if (self == NULL)
        return NULL;
    if (remember_file(self, path) && connect(self, path, error) && prepare_schema(self, error)) {
        store_set_patience(self, 0);
        return self;
    }
    store_close(self);
    return NULL;
}

void store_close(store *self)
{
    if (self == NULL)
        return;
    sqlite3_finalize(self->data_version);
    sqlite3_close_v2(self->connection);
    free(self->kept_error);
    free(self->path);
    free(self);
}

bool store_is_writable(const store *self)
{
    return sqlite3_db_readonly(self->connection, "main") == 0;
}

void store_set_patience(store *self, int milliseconds)
{
    sqlite3_busy_timeout(self->connection, milliseconds);
}

static void forget_error(store *self)
{
    free(self->kept_error);
    self->kept_error = NULL;
}

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

bool store_is_busy(const store *self)
{
    return error_code(self) == SQLITE_BUSY || error_code(self) == SQLITE_LOCKED;
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
