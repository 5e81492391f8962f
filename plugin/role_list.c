/* role_list: the statements over the tables `identity` and `role_list`. */
#include "role_list.h"

#include <sqlite3.h>
#include <stdlib.h>

enum statement { PUT, READ_HEAD, WRITE_HEAD, READ_CHANGED, READ_ALL, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    [PUT] = ("INSERT INTO identity (upn, object_id, display_name, roles, time, change)"
             " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
             " ON CONFLICT (upn) DO UPDATE SET object_id = ?2, display_name = ?3, roles = ?4,"
             " time = ?5, change = ?6 WHERE time < ?5"),
    [READ_HEAD] = "SELECT change, rows, newest FROM role_list",
    [WRITE_HEAD] = "UPDATE role_list SET change = ?1, rows = ?2, newest = ?3",
    [READ_CHANGED] = ("SELECT upn, object_id, display_name, roles, time FROM identity"
                      " WHERE change > ?1"),
    [READ_ALL] = "SELECT upn, object_id, display_name, roles, time FROM identity ORDER BY upn",
};

typedef struct head {
    int64_t change;
    role_list_facts facts;
} head;

struct role_list {
    store *store;
    sqlite3 *connection;
    sqlite3_stmt *statements[STATEMENTS];
    head head; /* of the transaction under way */
    size_t changed;
    sqlite3_stmt *remember; /* a snapshot's: notes which accounts were put */
    timestamp snapshot_time;
};

role_list *role_list_open(store *s)
{
    role_list *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->store = s;
    for (enum statement i = 0; i < STATEMENTS; i++) {
        self->statements[i] = store_prepare(s, sql[i]);
        if (self->statements[i] == NULL) {
            role_list_close(self);
            return NULL;
        }
    }
    self->connection = sqlite3_db_handle(self->statements[PUT]);
    return self;
}

void role_list_close(role_list *self)
{
    if (self == NULL)
        return;
    for (enum statement i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(self->statements[i]);
    sqlite3_finalize(self->remember);
    free(self);
}

static bool read_head(role_list *self, head *h)
{
    sqlite3_stmt *s = self->statements[READ_HEAD];
    bool read = sqlite3_step(s) == SQLITE_ROW;

    if (read) {
        h->change = sqlite3_column_int64(s, 0);
        h->facts.rows = sqlite3_column_int64(s, 1);
        h->facts.has_rows = sqlite3_column_type(s, 2) != SQLITE_NULL;
        h->facts.newest = sqlite3_column_int64(s, 2);
    }
    return sqlite3_reset(s) == SQLITE_OK && read;
}

/* Runs a statement that gives no rows; its bindings must be set. */
static bool execute(sqlite3_stmt *s)
{
    bool done = sqlite3_step(s) == SQLITE_DONE;

    return sqlite3_reset(s) == SQLITE_OK && done;
}

bool role_list_begin(role_list *self)
{
    self->changed = 0;
    if (!store_begin(self->store))
        return false;
    if (read_head(self, &self->head))
        return true;
    store_rollback(self->store);
    return false;
}

bool role_list_begin_snapshot(role_list *self, timestamp now)
{
    if (!role_list_begin(self))
        return false;
    self->snapshot_time = now;
    if (sqlite3_exec(self->connection,
                     "CREATE TEMP TABLE IF NOT EXISTS put (upn TEXT PRIMARY KEY) WITHOUT ROWID;"
                     "DELETE FROM put",
                     NULL, NULL, NULL) == SQLITE_OK)
        self->remember = store_prepare(self->store, "INSERT OR IGNORE INTO put VALUES (?1)");
    if (self->remember != NULL)
        return true;
    role_list_rollback(self);
    return false;
}

void role_list_spare_others(role_list *self)
{
    sqlite3_finalize(self->remember);
    self->remember = NULL;
}

/* A view of NULL would bind SQL's NULL; an empty text is meant. */
static void bind_text(sqlite3_stmt *s, int place, text t)
{
    sqlite3_bind_text64(s, place, t.bytes ? t.bytes : "", t.length, SQLITE_STATIC, SQLITE_UTF8);
}

static void note_time(role_list *self, timestamp time)
{
    role_list_facts *facts = &self->head.facts;

    if (!facts->has_rows || time > facts->newest)
        facts->newest = time;
    facts->has_rows = true;
}

static void note_change(role_list *self, timestamp time)
{
    self->changed++;
    if (sqlite3_last_insert_rowid(self->connection) != 0)
        self->head.facts.rows++;
    note_time(self, time);
}

static bool remember(role_list *self, text upn)
{
    if (self->remember == NULL)
        return true;
    bind_text(self->remember, 1, upn);
    return execute(self->remember);
}

bool role_list_put(role_list *self, const identity_record *row)
{
    sqlite3_stmt *s = self->statements[PUT];

    if (!remember(self, row->account_upn))
        return false;
    bind_text(s, 1, row->account_upn);
    bind_text(s, 2, row->account_object_id);
    bind_text(s, 3, row->account_display_name);
    bind_text(s, 4, row->assigned_roles);
    sqlite3_bind_int64(s, 5, row->time_generated);
    sqlite3_bind_int64(s, 6, self->head.change + 1);
    sqlite3_set_last_insert_rowid(self->connection, 0); /* an insert sets it, an update does not */
    if (!execute(s))
        return false;
    if (sqlite3_changes(self->connection) > 0)
        note_change(self, row->time_generated);
    return true;
}

static bool write_head(role_list *self)
{
    sqlite3_stmt *s = self->statements[WRITE_HEAD];

    sqlite3_bind_int64(s, 1, self->head.change + 1);
    sqlite3_bind_int64(s, 2, self->head.facts.rows);
    sqlite3_bind_int64(s, 3, self->head.facts.newest);
    return execute(s);
}

/* A snapshot's end: who was not put has lost its roles. */
static bool take_roles_of_others(role_list *self)
{
    sqlite3_stmt *s;
    bool taken;

    if (self->remember == NULL)
        return true;
    role_list_spare_others(self);
    s = store_prepare(self->store,
                      "UPDATE identity SET roles = '', time = max(time, ?1), change = ?2"
                      " WHERE roles NOT IN ('', '[]') AND upn NOT IN (SELECT upn FROM put)");
    if (s == NULL)
        return false;
    sqlite3_bind_int64(s, 1, self->snapshot_time);
    sqlite3_bind_int64(s, 2, self->head.change + 1);
    taken = execute(s);
    if (taken && sqlite3_changes(self->connection) > 0) {
        self->changed += (size_t)sqlite3_changes(self->connection);
        note_time(self, self->snapshot_time);
    }
    sqlite3_finalize(s);
    return taken;
}

bool role_list_commit(role_list *self)
{
    if (take_roles_of_others(self) && (self->changed == 0 || write_head(self)) &&
        store_commit(self->store))
        return true;
    role_list_rollback(self);
    return false;
}

void role_list_rollback(role_list *self)
{
    role_list_spare_others(self);
    store_rollback(self->store);
}

size_t role_list_changed(const role_list *self)
{
    return self->changed;
}

static text column_text(sqlite3_stmt *s, int column)
{
    const char *bytes = (const char *)sqlite3_column_text(s, column);

    return (text){bytes ? bytes : "", (size_t)sqlite3_column_bytes(s, column)};
}

static bool hand_out(sqlite3_stmt *s, role_list_sink *sink, void *arg)
{
    int step;

    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        identity_record row = {
            .account_upn = column_text(s, 0),
            .account_object_id = column_text(s, 1),
            .account_display_name = column_text(s, 2),
            .assigned_roles = column_text(s, 3),
            .time_generated = sqlite3_column_int64(s, 4),
        };
        sink(arg, &row);
    }
    return sqlite3_reset(s) == SQLITE_OK && step == SQLITE_DONE;
}

bool role_list_changes(role_list *self, int64_t *change, bool *restarted, role_list_sink *sink,
                       void *arg)
{
    sqlite3_stmt *s = self->statements[READ_CHANGED];
    head h;

    *restarted = false;
    if (!read_head(self, &h))
        return false;
    if (h.change < *change) {
        *change = 0;
        *restarted = true;
        return true;
    }
    /* A row written after the head was read is handed out now and once more next time. */
    sqlite3_bind_int64(s, 1, *change);
    if (h.change > *change && !hand_out(s, sink, arg))
        return false;
    *change = h.change;
    return true;
}

bool role_list_each(role_list *self, role_list_sink *sink, void *arg)
{
    return hand_out(self->statements[READ_ALL], sink, arg);
}

bool role_list_read_facts(role_list *self, role_list_facts *facts)
{
    head h;

    if (!read_head(self, &h))
        return false;
    *facts = h.facts;
    return true;
}
