/* SPDX-License-Identifier: Apache-2.0 */
/* event_order: one table, in the order of its times. */
#include "cli/event_order.h"

#include <stdlib.h>

#include "state/statement.h"

struct event_order {
    sqlite3 *connection;
    sqlite3_stmt *put;
    sqlite3_stmt *read;
};

static const char SCHEMA[] =
    "CREATE TABLE event (place INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, arrived INTEGER, generated INTEGER, text BLOB NOT NULL);"
    "BEGIN";

static sqlite3_stmt *prepare(event_order *self, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v2(self->connection, sql, -1, &statement, NULL);
    return statement;
}

static bool open_parts(event_order *self)
{
    if (sqlite3_open_v2("", &self->connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
            SQLITE_OK ||
        sqlite3_exec(self->connection, SCHEMA, NULL, NULL, NULL) != SQLITE_OK)
        return false;
    self->put = prepare(self, "INSERT INTO event (at, kind, arrived, generated, text)"
                              " VALUES (?1, ?2, ?3, ?4, ?5)");
    self->read =
        prepare(self, "SELECT kind, arrived, generated, text FROM event ORDER BY at, place");
    return self->put != NULL && self->read != NULL;
}

event_order *event_order_new(void)
{
    event_order *self = calloc(1, sizeof(*self));

    if (self == NULL || open_parts(self))
        return self;
    event_order_free(self);
    return NULL;
}

void event_order_free(event_order *self)
{
    if (self == NULL)
        return;
    sqlite3_finalize(self->put);
    sqlite3_finalize(self->read);
    sqlite3_close_v2(self->connection);
    free(self);
}

static void bind_arrival(sqlite3_stmt *s, int place, arrival a)
{
    if (a.is_known)
        sqlite3_bind_int64(s, place, a.time);
    else
        sqlite3_bind_null(s, place);
}

static arrival read_arrival(sqlite3_stmt *s, int column)
{
    return (arrival){.is_known = sqlite3_column_type(s, column) != SQLITE_NULL,
                     .time = sqlite3_column_int64(s, column)};
}

bool event_order_put(event_order *self, timestamp at, const event *e)
{
    sqlite3_stmt *s = self->put;

    sqlite3_bind_int64(s, 1, at);
    sqlite3_bind_int(s, 2, (int)e->kind);
    bind_arrival(s, 3, e->arrived);
    bind_arrival(s, 4, e->generated);
    sqlite3_bind_blob64(s, 5, e->text.length > 0 ? e->text.bytes : "", e->text.length,
                        SQLITE_STATIC);
    return statement_run(s);
}

static event read_event(sqlite3_stmt *s)
{
    const char *bytes = sqlite3_column_blob(s, 3);

    return (event){
        .kind = (event_kind)sqlite3_column_int(s, 0),
        .arrived = read_arrival(s, 1),
        .generated = read_arrival(s, 2),
        .text = {bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(s, 3)},
    };
}

bool event_order_each(event_order *self, event_sink *sink, void *arg)
{
    bool goes_on = true;
    int step = SQLITE_DONE;

    while (goes_on && (step = sqlite3_step(self->read)) == SQLITE_ROW) {
        event e = read_event(self->read);

        goes_on = sink(arg, &e);
    }
    return sqlite3_reset(self->read) == SQLITE_OK && (!goes_on || step == SQLITE_DONE);
}

const char *event_order_error(const event_order *self)
{
    return sqlite3_errmsg(self->connection);
}
