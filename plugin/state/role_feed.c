/* SPDX-License-Identifier: Apache-2.0 */
/* role_feed: one row an action, to which each batch adds. */
#include "state/role_feed.h"

#include "state/statement.h"

void role_feed_note(role_feed *self, timestamp now, const char *reason)
{
    if (reason == NULL) {
        self->taken = now;
        self->rejections = 0;
        return;
    }
    self->rejected = now;
    self->rejections++;
    self->reason = reason;
}

static void bind_time(sqlite3_stmt *s, int place, timestamp t)
{
    if (t != 0)
        sqlite3_bind_int64(s, place, t);
}

bool role_feed_write(store *s, const role_feed *batch)
{
    sqlite3_stmt *put = store_prepare(
        s, "INSERT INTO role_feed (action, taken, rejected, rejections, reason)"
           " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (action) DO UPDATE SET"
           " taken = ifnull(excluded.taken, taken), rejected = ifnull(excluded.rejected, rejected),"
           " rejections = excluded.rejections +"
           " " SQL_IF("excluded.taken IS NULL", "rejections",
                      "0") ","
                           " reason = " SQL_IF("excluded.rejected IS NULL", "reason",
                                               "excluded.reason"));
    bool done;

    if (put == NULL)
        return false;
    statement_bind_text(put, 1, text_of(batch->name));
    bind_time(put, 2, batch->taken);
    bind_time(put, 3, batch->rejected);
    sqlite3_bind_int64(put, 4, batch->rejections);
    statement_bind_text(put, 5, text_of(batch->reason));
    done = sqlite3_step(put) == SQLITE_DONE;
    return sqlite3_finalize(put) == SQLITE_OK && done;
}

bool role_feed_drop(store *s, const char *name, bool *found)
{
    sqlite3_stmt *drop = store_prepare(s, "DELETE FROM role_feed WHERE action = ?1");
    bool done;

    *found = false;
    if (drop == NULL)
        return false;
    statement_bind_text(drop, 1, text_of(name));
    done = sqlite3_step(drop) == SQLITE_DONE;
    *found = done && sqlite3_changes(sqlite3_db_handle(drop)) > 0;
    return sqlite3_finalize(drop) == SQLITE_OK && done;
}

static void hand_out(sqlite3_stmt *rows, role_feed_sink *sink, void *arg)
{
    const role_feed feed = {
        .name = statement_text(rows, 0).bytes,
        .taken = sqlite3_column_int64(rows, 1),
        .rejected = sqlite3_column_int64(rows, 2),
        .rejections = sqlite3_column_int64(rows, 3),
        .reason = statement_text(rows, 4).bytes,
    };

    sink(arg, &feed);
}

bool role_feeds_each(store *s, role_feed_sink *sink, void *arg)
{
    sqlite3_stmt *rows = store_prepare(s, "SELECT action, taken, rejected, rejections, reason"
                                          " FROM role_feed ORDER BY action");
    int step = SQLITE_ERROR;

    while (rows != NULL && (step = sqlite3_step(rows)) == SQLITE_ROW)
        hand_out(rows, sink, arg);
    return sqlite3_finalize(rows) == SQLITE_OK && step == SQLITE_DONE;
}
