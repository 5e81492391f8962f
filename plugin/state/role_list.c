/* SPDX-License-Identifier: Apache-2.0 */
/* role_list: the statements over the tables `identity` and `role_list`. */
#include "state/role_list.h"

#include <stdlib.h>

#include "state/statement.h"

enum statement {
    PUT,
    ADD,
    READ_HEAD,
    WRITE_HEAD,
    COUNT_CHANGED,
    READ_CHANGED,
    READ_ALL,
    READ_SUPERSEDED,
    FORGET_SUPERSEDED,
    STATEMENTS
};

/* The parameters of PUT and ADD. */
enum parameter { UPN = 1, OBJECT_ID, DISPLAY_NAME, TIME, ROLES, OLDER, CHANGE, IN_SNAPSHOT };

/* ?8: the first row of this account in a snapshot, which knows better than to be without roles. */
#define ROW_IS_NEWER "?4 > time"
#define ROLES_ARE_NEWER                                                                            \
    "(?5 IS NOT NULL AND (roles_time IS NULL OR ?4 > roles_time"                                   \
    " OR (?8 AND roles IN ('', '[]') AND ?5 NOT IN ('', '[]'))))"

/* The known roles as an array: they may be a plain string. */
#define KNOWN_ROLES                                                                                \
    "CASE WHEN roles = '' THEN '[]'"                                                               \
    " WHEN NOT json_valid(roles) THEN json_array(roles)"                                           \
    " WHEN json_type(roles) = 'array' THEN roles ELSE json_array(roles) END"
#define MORE_ROLES                                                                                 \
    "SELECT value FROM json_each(?5) WHERE value NOT IN"                                           \
    " (SELECT value FROM json_each(" KNOWN_ROLES ") WHERE value IS NOT NULL)"
#define ALL_ROLES                                                                                  \
    "(SELECT json_group_array(value) FROM"                                                         \
    " (SELECT value FROM json_each(" KNOWN_ROLES ") UNION ALL " MORE_ROLES "))"
#define ROLES_GROW "iif(?8, roles <> ?5, EXISTS (" MORE_ROLES "))"

/* What hand_out reads. */
#define ROW "upn, object_id, display_name, roles, time, roles_older"

static const char *const sql[STATEMENTS] = {
    /* What is newer than what is known of it: the account's names, and its roles if it says any. */
    [PUT] = ("INSERT INTO identity"
             " (upn, object_id, display_name, time, roles, roles_time, roles_older, change)"
             " VALUES (?1, ?2, ?3, ?4, ifnull(?5, ''), iif(?5 IS NULL, NULL, ?4), ?6, ?7)"
             " ON CONFLICT (upn) DO UPDATE SET"
             " object_id = iif(" ROW_IS_NEWER ", ?2, object_id),"
             " display_name = iif(" ROW_IS_NEWER ", ?3, display_name),"
             " roles_older = iif(" ROW_IS_NEWER ", ?6, roles_older),"
             " time = max(time, ?4),"
             " roles = iif(" ROLES_ARE_NEWER ", ?5, roles),"
             " roles_time = iif(" ROLES_ARE_NEWER ", max(?4, ifnull(roles_time, ?4)), roles_time),"
             " change = ?7 WHERE " ROW_IS_NEWER " OR " ROLES_ARE_NEWER),
    /* One more role, whatever its time: losing one is worse than keeping it. */
    [ADD] = ("INSERT INTO identity"
             " (upn, object_id, display_name, time, roles, roles_time, roles_older, change)"
             " VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?6, ?7)"
             " ON CONFLICT (upn) DO UPDATE SET"
             " object_id = iif(" ROW_IS_NEWER " AND ?2 <> '', ?2, object_id),"
             " display_name = iif(" ROW_IS_NEWER " AND ?3 <> '', ?3, display_name),"
             " roles_older = iif(" ROW_IS_NEWER ", ?6, roles_older),"
             " time = max(time, ?4),"
             " roles = iif(" ROLES_GROW ", iif(?8, ?5, " ALL_ROLES "), roles),"
             " roles_time = max(?4, ifnull(roles_time, ?4)),"
             " change = ?7 WHERE " ROW_IS_NEWER " OR " ROLES_GROW),
    [READ_HEAD] = "SELECT change, rows, newest FROM role_list",
    [WRITE_HEAD] = "UPDATE role_list SET change = ?1, rows = ?2, newest = ?3",
    [COUNT_CHANGED] = "SELECT count(*) FROM identity WHERE change = ?1",
    [READ_CHANGED] = "SELECT " ROW " FROM identity WHERE change > ?1",
    [READ_ALL] = "SELECT " ROW " FROM identity ORDER BY upn",
    [READ_SUPERSEDED] = "SELECT " ROW ", superseded FROM identity_superseded"
                        " WHERE change > ?1 ORDER BY id",
    [FORGET_SUPERSEDED] = "DELETE FROM identity_superseded WHERE id IN"
                          " (SELECT id FROM identity_superseded ORDER BY id LIMIT ?2)"
                          " AND superseded < ?1",
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
    if (!store_prepare_all(s, sql, self->statements, STATEMENTS)) {
        role_list_close(self);
        return NULL;
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

void role_list_expect_many(role_list *self)
{
    sqlite3_exec(self->connection, "PRAGMA cache_size = -32000", NULL, NULL, NULL); /* in KiB */
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

/* Is this the first row of the account in a snapshot? */
static bool remember(role_list *self, text upn, bool *is_first)
{
    *is_first = false;
    if (self->remember == NULL)
        return true;
    statement_bind_text(self->remember, 1, upn);
    if (!statement_run(self->remember))
        return false;
    *is_first = sqlite3_changes(self->connection) > 0;
    return true;
}

static void bind_row(role_list *self, sqlite3_stmt *s, const identity_record *row)
{
    statement_bind_text(s, UPN, row->account_upn);
    statement_bind_text(s, OBJECT_ID, row->account_object_id);
    statement_bind_text(s, DISPLAY_NAME, row->account_display_name);
    sqlite3_bind_int64(s, TIME, row->time_generated);
    if (row->roles == ROLES_ABSENT)
        sqlite3_bind_null(s, ROLES);
    else
        statement_bind_text(s, ROLES, row->assigned_roles);
    sqlite3_bind_int(s, OLDER, row->roles_are_older);
    sqlite3_bind_int64(s, CHANGE, self->head.change + 1);
}

bool role_list_put(role_list *self, const identity_record *row)
{
    sqlite3_stmt *s = self->statements[row->roles == ROLES_ADDED ? ADD : PUT];
    bool is_first;

    if (!remember(self, row->account_upn, &is_first))
        return false;
    bind_row(self, s, row);
    sqlite3_bind_int(s, IN_SNAPSHOT, is_first);
    sqlite3_set_last_insert_rowid(self->connection, 0); /* an insert sets it, an update does not */
    if (!statement_run(s))
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
    return statement_run(s);
}

/* A snapshot's end: who was not put has lost its roles. */
static bool take_roles_of_others(role_list *self)
{
    sqlite3_stmt *s;
    bool taken;

    if (self->remember == NULL)
        return true;
    role_list_spare_others(self);
    s = store_prepare(
        self->store, "UPDATE identity SET roles = '', roles_time = max(?1, ifnull(roles_time, ?1)),"
                     " roles_older = 0, time = max(time, ?1), change = ?2"
                     " WHERE roles NOT IN ('', '[]') AND upn NOT IN (SELECT upn FROM put)");
    if (s == NULL)
        return false;
    sqlite3_bind_int64(s, 1, self->snapshot_time);
    sqlite3_bind_int64(s, 2, self->head.change + 1);
    taken = statement_run(s);
    if (taken && sqlite3_changes(self->connection) > 0) {
        self->changed++;
        note_time(self, self->snapshot_time);
    }
    sqlite3_finalize(s);
    return taken;
}

/* An account may have been put more than once. */
static bool count_changed(role_list *self)
{
    sqlite3_stmt *s = self->statements[COUNT_CHANGED];
    bool read;

    sqlite3_bind_int64(s, 1, self->head.change + 1);
    read = sqlite3_step(s) == SQLITE_ROW;
    if (read)
        self->changed = (size_t)sqlite3_column_int64(s, 0);
    return sqlite3_reset(s) == SQLITE_OK && read;
}

static bool keep_changes(role_list *self)
{
    return self->changed == 0 || (write_head(self) && count_changed(self));
}

bool role_list_commit(role_list *self)
{
    if (take_roles_of_others(self) && keep_changes(self) && store_commit(self->store))
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

static identity_record read_row(sqlite3_stmt *s)
{
    return (identity_record){
        .account_upn = statement_text(s, 0),
        .account_object_id = statement_text(s, 1),
        .account_display_name = statement_text(s, 2),
        .assigned_roles = statement_text(s, 3),
        .time_generated = sqlite3_column_int64(s, 4),
        .roles_are_older = sqlite3_column_int(s, 5) != 0,
    };
}

static bool hand_out(sqlite3_stmt *s, role_list_sink *sink, void *arg)
{
    int step;

    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        identity_record row = read_row(s);

        sink(arg, &row);
    }
    return sqlite3_reset(s) == SQLITE_OK && step == SQLITE_DONE;
}

bool role_list_each_superseded(role_list *self, int64_t change, role_list_version_sink *sink,
                               void *arg)
{
    sqlite3_stmt *s = self->statements[READ_SUPERSEDED];
    int step;

    sqlite3_bind_int64(s, 1, change);
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        identity_record row = read_row(s);

        sink(arg, &row, sqlite3_column_int64(s, 6));
    }
    return sqlite3_reset(s) == SQLITE_OK && step == SQLITE_DONE;
}

bool role_list_forget_superseded(role_list *self, timestamp before, int *removed)
{
    enum { AT_ONCE = 500 }; /* rows: some milliseconds */
    sqlite3_stmt *s = self->statements[FORGET_SUPERSEDED];

    *removed = 0;
    sqlite3_bind_int64(s, 1, before);
    sqlite3_bind_int(s, 2, AT_ONCE);
    if (!statement_run(s))
        return false;
    *removed = sqlite3_changes(self->connection);
    return true;
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
