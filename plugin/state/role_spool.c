/* SPDX-License-Identifier: Apache-2.0 */
/* role_spool: the statements over one table, whichever it is. */
#include "state/role_spool.h"

#include <stdlib.h>

#include "state/statement.h"

enum statement { CLEAR, PUT, COUNT, READ, READ_BY_TIME, STATEMENTS };

struct role_spool {
    sqlite3_stmt *statements[STATEMENTS];
};

#define COLUMNS "upn, object_id, display_name, time, roles, eligible, kind, roles_older"

/* ROLES_GIVEN and ROLES_ABSENT replace what was before them: the first comes last. */
#define STATEMENTS_OVER(table)                                                                     \
    {                                                                                              \
        [CLEAR] = "DELETE FROM " table,                                                            \
        [PUT] = "INSERT INTO " table " (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",     \
        [COUNT] = "SELECT count(*) FROM " table,                                                   \
        [READ] = "SELECT " COLUMNS " FROM " table " ORDER BY id",                                  \
        [READ_BY_TIME] = "SELECT " COLUMNS " FROM " table                                          \
                         " ORDER BY time, CASE WHEN kind IN (0, 1) THEN -id ELSE id END",          \
    }

static const char *const sql[][STATEMENTS] = {
    [ROLE_SPOOL_TEMPORARY] = STATEMENTS_OVER("temp.waiting_row"),
    [ROLE_SPOOL_KEPT] = STATEMENTS_OVER("main.snapshot_row"),
};

static const char MAKE_TEMPORARY[] =
    "CREATE TEMP TABLE IF NOT EXISTS waiting_row (id INTEGER PRIMARY KEY, upn TEXT NOT NULL,"
    " object_id TEXT NOT NULL, display_name TEXT NOT NULL, time INTEGER NOT NULL,"
    " roles TEXT NOT NULL, eligible TEXT, kind INTEGER NOT NULL, roles_older INTEGER NOT NULL)";

_Static_assert(ROLES_GIVEN == 0 && ROLES_ABSENT == 1, "READ_BY_TIME says so");

static bool make_temporary(store *s)
{
    sqlite3_stmt *make = store_prepare(s, MAKE_TEMPORARY);
    bool made = make != NULL && statement_run(make);

    sqlite3_finalize(make);
    return made;
}

role_spool *role_spool_open(store *s, role_spool_place place)
{
    role_spool *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    if ((place != ROLE_SPOOL_TEMPORARY || make_temporary(s)) &&
        store_prepare_all(s, sql[place], self->statements, STATEMENTS))
        return self;
    store_keep_error(s);
    role_spool_close(self);
    return NULL;
}

void role_spool_close(role_spool *self)
{
    if (self == NULL)
        return;
    for (enum statement i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(self->statements[i]);
    free(self);
}

bool role_spool_clear(role_spool *self)
{
    return statement_run(self->statements[CLEAR]);
}

bool role_spool_put(role_spool *self, const identity_record *row)
{
    sqlite3_stmt *s = self->statements[PUT];

    statement_bind_text(s, 1, row->account_upn);
    statement_bind_text(s, 2, row->account_object_id);
    statement_bind_text(s, 3, row->account_display_name);
    sqlite3_bind_int64(s, 4, row->time_generated);
    statement_bind_text(s, 5, row->assigned_roles);
    if (row->eligible_roles.bytes != NULL)
        statement_bind_text(s, 6, row->eligible_roles);
    else
        sqlite3_bind_null(s, 6);
    sqlite3_bind_int(s, 7, (int)row->roles);
    sqlite3_bind_int(s, 8, row->roles_are_older);
    return statement_run(s);
}

int64_t role_spool_count(role_spool *self)
{
    sqlite3_stmt *s = self->statements[COUNT];
    int64_t count = sqlite3_step(s) == SQLITE_ROW ? sqlite3_column_int64(s, 0) : -1;

    return sqlite3_reset(s) == SQLITE_OK ? count : -1;
}

static identity_record read_row(sqlite3_stmt *s)
{
    bool says_eligible = sqlite3_column_type(s, 5) != SQLITE_NULL;

    return (identity_record){
        .account_upn = statement_text(s, 0),
        .account_object_id = statement_text(s, 1),
        .account_display_name = statement_text(s, 2),
        .time_generated = sqlite3_column_int64(s, 3),
        .assigned_roles = statement_text(s, 4),
        .eligible_roles = says_eligible ? statement_text(s, 5) : (text){NULL, 0},
        .roles = (identity_roles)sqlite3_column_int(s, 6),
        .roles_are_older = sqlite3_column_int(s, 7) != 0,
    };
}

bool role_spool_each(role_spool *self, role_spool_order order, role_spool_sink *sink, void *arg)
{
    sqlite3_stmt *s = self->statements[order == ROLE_SPOOL_BY_TIME ? READ_BY_TIME : READ];
    bool goes_on = true;
    int step = SQLITE_DONE;

    while (goes_on && (step = sqlite3_step(s)) == SQLITE_ROW) {
        identity_record row = read_row(s);

        goes_on = sink(arg, &row);
    }
    return sqlite3_reset(s) == SQLITE_OK && step == SQLITE_DONE;
}
