/* SPDX-License-Identifier: Apache-2.0 */
/* learned_roles: the statements over the table `learned_role`. */
#include "state/learned_roles.h"

#include <stdlib.h>

#include "state/statement.h"

enum statement { PUT, COUNT_CHANGE, PRUNE, READ, STATEMENTS };

#define TWO_HOURS "72000000000"     /* in 100 ns */
#define LONG_AGO "3153600000000000" /* ten years: what was lost before that is in no lookback */

static const char *const sql[STATEMENTS] = {
    [PUT] = "INSERT INTO learned_role (principal, upn, role, gained, lost)"
            " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (principal, role) DO UPDATE SET"
            " upn = " SQL_IF(
                "excluded.upn <> ''", "excluded.upn",
                "upn") ","
                       " gained = max(gained, excluded.gained), lost = max(lost, excluded.lost)"
                       " WHERE excluded.gained > gained OR excluded.lost > lost",
    /* so that what was judged before it is told from what comes after */
    [COUNT_CHANGE] = "UPDATE role_list SET change = change + 1",
    [PRUNE] = "DELETE FROM learned_role WHERE gained <= lost AND lost < ?1 - " LONG_AGO,
    [READ] = "SELECT principal, upn, role, lost,"
             " gained <= (SELECT snapshot FROM role_list)"
             " OR EXISTS (SELECT 1 FROM identity WHERE object_id = principal"
             "  AND roles_time > gained + " TWO_HOURS ")"
             " OR EXISTS (SELECT 1 FROM identity WHERE identity.upn = learned_role.upn"
             "  AND learned_role.upn <> '' AND roles_time > gained + " TWO_HOURS "),"
             " gained FROM (SELECT * FROM learned_role ORDER BY max(gained, lost) DESC LIMIT ?1)"
             " AS learned_role ORDER BY principal, role",
};

struct learned_roles {
    sqlite3_stmt *statements[STATEMENTS];
};

learned_roles *learned_roles_open(store *s)
{
    learned_roles *self = calloc(1, sizeof(*self));

    if (self == NULL || store_prepare_all(s, sql, self->statements, STATEMENTS))
        return self;
    learned_roles_close(self);
    return NULL;
}

void learned_roles_close(learned_roles *self)
{
    if (self == NULL)
        return;
    for (enum statement i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(self->statements[i]);
    free(self);
}

bool learned_roles_put(learned_roles *self, const role_change *change)
{
    sqlite3_stmt *s = self->statements[PUT];

    statement_bind_text(s, 1, change->object_id);
    statement_bind_text(s, 2, change->upn);
    statement_bind_text(s, 3, change->role);
    sqlite3_bind_int64(s, 4, change->is_gained ? change->time : INT64_MIN);
    sqlite3_bind_int64(s, 5, change->is_gained ? INT64_MIN : change->time);
    sqlite3_bind_int64(self->statements[PRUNE], 1, change->time);
    if (!statement_run(s))
        return false;
    return sqlite3_changes(sqlite3_db_handle(s)) == 0 ||
           (statement_run(self->statements[COUNT_CHANGE]) &&
            statement_run(self->statements[PRUNE]));
}

bool learned_roles_each(learned_roles *self, learned_role_sink *sink, void *arg)
{
    sqlite3_stmt *s = self->statements[READ];
    int step;

    sqlite3_bind_int(s, 1, LEARNED_ROLES_MOST);
    while ((step = sqlite3_step(s)) == SQLITE_ROW) {
        learned_role role = {
            .object_id = statement_text(s, 0),
            .upn = statement_text(s, 1),
            .role = statement_text(s, 2),
            .lost = sqlite3_column_int64(s, 3),
            .gained = sqlite3_column_int(s, 4) ? INT64_MIN : sqlite3_column_int64(s, 5),
        };

        sink(arg, &role);
    }
    return sqlite3_reset(s) == SQLITE_OK && step == SQLITE_DONE;
}
