/* SPDX-License-Identifier: Apache-2.0 */
/* role_list: its transactions, and the rows that are put within them. */
#include <stdlib.h>

#include "state/role_list_parts.h"
#include "state/statement.h"

role_list *role_list_open(store *s)
{
    role_list *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->store = s;
    if (!store_prepare_all(s, role_list_sql, self->statements, STATEMENTS)) {
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
    role_spool_close(self->waiting);
    free(self);
}

void role_list_expect_many(role_list *self)
{
    sqlite3_exec(self->connection, "PRAGMA cache_size = -32000", NULL, NULL, NULL); /* in KiB */
}

static void leave_snapshot(role_list *self)
{
    self->in_snapshot = self->says_roles = self->says_eligible = false;
    sqlite3_finalize(self->remember);
    self->remember = NULL;
}

/* What was left of a transaction before is over. */
static void begin_anew(role_list *self)
{
    self->changed = 0;
    self->is_reading = false;
    leave_snapshot(self);
}

bool role_list_begin(role_list *self)
{
    begin_anew(self);
    if (!store_begin(self->store))
        return false;
    if (role_list_read_head(self, &self->head))
        return true;
    store_rollback(self->store);
    return false;
}

bool role_list_begin_snapshot(role_list *self, timestamp now)
{
    if (!role_list_begin(self))
        return false;
    if (role_list_enter_snapshot(self, now))
        return true;
    role_list_rollback(self);
    return false;
}

bool role_list_enter_snapshot(role_list *self, timestamp now)
{
    leave_snapshot(self);
    self->in_snapshot = true;
    self->snapshot_time = now;
    if (sqlite3_exec(self->connection,
                     "CREATE TEMP TABLE IF NOT EXISTS put"
                     " (upn TEXT, eligible INTEGER, PRIMARY KEY (upn, eligible)) WITHOUT ROWID;"
                     "DELETE FROM put",
                     NULL, NULL, NULL) == SQLITE_OK)
        self->remember = store_prepare(self->store, "INSERT OR IGNORE INTO put VALUES (?1, ?2)");
    return self->remember != NULL;
}

/* --- reading first --- */

bool role_list_begin_reading(role_list *self)
{
    begin_anew(self);
    store_rollback(self->store);
    if (self->waiting == NULL)
        self->waiting = role_spool_open(self->store, ROLE_SPOOL_TEMPORARY);
    self->is_reading = self->waiting != NULL && role_spool_clear(self->waiting) &&
                       sqlite3_exec(self->connection, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
    return self->is_reading;
}

bool role_list_end_reading(role_list *self)
{
    self->is_reading = false;
    return store_commit(self->store);
}

static bool put_waiting(void *self, const identity_record *row)
{
    return role_list_put(self, row);
}

bool role_list_put_waiting(role_list *self)
{
    return role_spool_each(self->waiting,
                           self->in_snapshot ? ROLE_SPOOL_BY_TIME : ROLE_SPOOL_AS_THEY_CAME,
                           put_waiting, self);
}

bool role_list_mark(role_list *self)
{
    return sqlite3_exec(self->connection, "SAVEPOINT mark", NULL, NULL, NULL) == SQLITE_OK;
}

/* A statement that goes on over a temporary table would keep it from going. */
bool role_list_end_mark(role_list *self, bool keep)
{
    leave_snapshot(self);
    return sqlite3_exec(self->connection, keep ? "RELEASE mark" : "ROLLBACK TO mark; RELEASE mark",
                        NULL, NULL, NULL) == SQLITE_OK;
}

void role_list_copy_to(role_list *self, role_spool *copies)
{
    self->copies = copies;
}

/* --- putting --- */

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
static bool remember(role_list *self, text upn, bool is_eligible, bool *is_first)
{
    *is_first = false;
    if (!self->in_snapshot)
        return true;
    statement_bind_text(self->remember, 1, upn);
    sqlite3_bind_int(self->remember, 2, is_eligible);
    if (!statement_run(self->remember))
        return false;
    *is_first = sqlite3_changes(self->connection) > 0;
    return true;
}

/* A row's own roles, and those beside them. */
static bool remember_row(role_list *self, const identity_record *row, bool *is_first)
{
    bool is_eligible = row->roles == ROLES_ELIGIBLE, ignored;

    self->says_roles |= !is_eligible;
    self->says_eligible |= is_eligible || row->eligible_roles.bytes != NULL;
    return remember(self, row->account_upn, is_eligible, is_first) &&
           (row->eligible_roles.bytes == NULL || remember(self, row->account_upn, true, &ignored));
}

static void bind_text_or_null(sqlite3_stmt *s, int place, text t, bool is_said)
{
    if (is_said)
        statement_bind_text(s, place, t);
    else
        sqlite3_bind_null(s, place);
}

static void bind_row(role_list *self, sqlite3_stmt *s, const identity_record *row)
{
    timestamp latest = self->in_snapshot ? self->snapshot_time + TICKS_PER_DAY : INT64_MAX;

    statement_bind_text(s, UPN, row->account_upn);
    statement_bind_text(s, OBJECT_ID, row->account_object_id);
    statement_bind_text(s, DISPLAY_NAME, row->account_display_name);
    sqlite3_bind_int64(s, TIME, row->time_generated);
    bind_text_or_null(s, ROLES, row->assigned_roles, row->roles != ROLES_ABSENT);
    sqlite3_bind_int(s, OLDER, row->roles_are_older);
    sqlite3_bind_int64(s, CHANGE, self->head.change + 1);
    bind_text_or_null(s, ELIGIBLE, row->eligible_roles, row->eligible_roles.bytes != NULL);
    sqlite3_bind_int64(s, LATEST, latest);
}

static bool is_member(const identity_record *row)
{
    return row->roles >= ROLES_ADDED;
}

/* A member that shows no UPN: the account of its id, if that is known. The text lives in *found. */
static bool name_member(role_list *self, identity_record *row, sqlite3_stmt **found)
{
    sqlite3_stmt *s = self->statements[FIND_BY_ID];
    int step;

    *found = NULL;
    if (!is_member(row) || row->account_object_id.length == 0 ||
        !text_equal(row->account_upn, row->account_object_id))
        return true;
    statement_bind_text(s, 1, row->account_object_id);
    step = sqlite3_step(s);
    if (step == SQLITE_ROW)
        row->account_upn = statement_text(s, 0);
    *found = s;
    return step == SQLITE_ROW || step == SQLITE_DONE;
}

static enum statement statement_for(const identity_record *row)
{
    static const enum statement statements[] = {
        [ROLES_GIVEN] = PUT,
        [ROLES_ABSENT] = PUT,
        [ROLES_ADDED] = ADD,
        [ROLES_REMOVED] = REMOVE,
        [ROLES_ELIGIBLE] = ADD_ELIGIBLE,
    };

    return statements[row->roles];
}

static bool put_row(role_list *self, const identity_record *row)
{
    sqlite3_stmt *s = self->statements[statement_for(row)];
    bool is_first;

    if (!remember_row(self, row, &is_first))
        return false;
    bind_row(self, s, row);
    sqlite3_bind_int(s, IN_SNAPSHOT, is_member(row) ? is_first : self->in_snapshot);
    sqlite3_set_last_insert_rowid(self->connection, 0); /* an insert sets it, an update does not */
    if (!statement_run(s))
        return false;
    if (sqlite3_changes(self->connection) > 0)
        note_change(self, row->time_generated);
    return true;
}

bool role_list_put(role_list *self, const identity_record *row)
{
    identity_record named = *row;
    sqlite3_stmt *found;
    bool put;

    if (self->is_reading)
        return role_spool_put(self->waiting, row);
    put = name_member(self, &named, &found) && put_row(self, &named) &&
          (self->copies == NULL || role_spool_put(self->copies, row));
    sqlite3_reset(found);
    return put;
}

static bool write_head(role_list *self)
{
    sqlite3_stmt *s = self->statements[WRITE_HEAD];

    sqlite3_bind_int64(s, 1, self->head.change + 1);
    sqlite3_bind_int64(s, 2, self->head.facts.rows);
    sqlite3_bind_int64(s, 3, self->head.facts.newest);
    return statement_run(s);
}

/* Of all but those who were put in this way. */
static bool take_of_others(role_list *self, const char *update)
{
    sqlite3_stmt *s = store_prepare(self->store, update);
    bool taken;

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

/* What was learned before it counts no more. */
static bool note_snapshot(role_list *self)
{
    sqlite3_stmt *s = self->statements[WRITE_SNAPSHOT];

    sqlite3_bind_int64(s, 1, self->snapshot_time);
    return statement_run(s);
}

bool role_list_end_snapshot(role_list *self)
{
    static const char roles[] =
        "UPDATE identity SET roles = '', roles_time = max(?1, ifnull(roles_time, ?1)),"
        " roles_older = 0, time = max(time, ?1), change = ?2 WHERE roles NOT IN ('', '[]')"
        " AND upn NOT IN (SELECT upn FROM put WHERE NOT eligible)";
    static const char eligible[] =
        "UPDATE identity SET eligible = '', change = ?2 WHERE eligible NOT IN ('', '[]')"
        " AND upn NOT IN (SELECT upn FROM put WHERE eligible) AND ?1 IS NOT NULL";

    if (!self->in_snapshot)
        return true;
    self->in_snapshot = false;
    return ((self->says_eligible && !self->says_roles) ||
            (take_of_others(self, roles) && note_snapshot(self))) &&
           (!self->says_eligible || take_of_others(self, eligible));
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

/*
 * A day is longer than any reader looks away. Whoever writes takes away twice what he may have
 * brought, so that the table stays as large as a day's changes, and no transaction grows by it.
 */
static bool forget_superseded(role_list *self)
{
    sqlite3_stmt *s = self->statements[FORGET_SUPERSEDED];

    sqlite3_bind_int64(s, 1, 2 * (int64_t)self->changed + 100);
    return statement_run(s);
}

static bool keep_changes(role_list *self)
{
    return self->changed == 0 ||
           (write_head(self) && count_changed(self) && forget_superseded(self));
}

bool role_list_commit(role_list *self)
{
    if (role_list_end_snapshot(self) && keep_changes(self) && store_commit(self->store))
        return true;
    role_list_rollback(self);
    return false;
}

void role_list_rollback(role_list *self)
{
    self->is_reading = self->in_snapshot = false;
    store_rollback(self->store);
}

size_t role_list_changed(const role_list *self)
{
    return self->changed;
}
