/* SPDX-License-Identifier: Apache-2.0 */
/* role_list_read: hands out the rows of a role list. */
#include "state/role_list_parts.h"
#include "state/statement.h"

bool role_list_read_head(role_list *self, role_list_head *h)
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

static identity_record read_row(sqlite3_stmt *s)
{
    return (identity_record){
        .account_upn = statement_text(s, 0),
        .account_object_id = statement_text(s, 1),
        .account_display_name = statement_text(s, 2),
        .assigned_roles = statement_text(s, 3),
        .time_generated = sqlite3_column_int64(s, 4),
        .roles_are_older = sqlite3_column_int(s, 5) != 0,
        .eligible_roles = statement_text(s, 6),
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

        sink(arg, &row, sqlite3_column_int64(s, 7));
    }
    return sqlite3_reset(s) == SQLITE_OK && step == SQLITE_DONE;
}

bool role_list_changes(role_list *self, int64_t *change, bool *restarted, role_list_sink *sink,
                       void *arg)
{
    sqlite3_stmt *s = self->statements[READ_CHANGED];
    role_list_head h;

    *restarted = false;
    if (!role_list_read_head(self, &h))
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
    role_list_head h;

    if (!role_list_read_head(self, &h))
        return false;
    *facts = h.facts;
    return true;
}
