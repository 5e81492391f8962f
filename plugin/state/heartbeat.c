/* SPDX-License-Identifier: Apache-2.0 */
/* heartbeat: one row an action, written anew each time. */
#include "state/heartbeat.h"

#include "state/statement.h"

/* 0 stands for a time that there is not. */
static void bind_time(sqlite3_stmt *s, int place, timestamp t)
{
    if (t != 0)
        sqlite3_bind_int64(s, place, t);
}

bool heartbeat_write(store *s, int64_t action, const heartbeat *beat, timestamp now)
{
    sqlite3_stmt *put = store_prepare(
        s, "INSERT OR REPLACE INTO heartbeat (action, written, started, stopped, process,"
           " last_message, last_candidate, longest_message, version, built_for)"
           " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
    bool done;

    if (put == NULL)
        return false;
    sqlite3_bind_int64(put, 1, action);
    sqlite3_bind_int64(put, 2, now);
    sqlite3_bind_int64(put, 3, beat->started);
    bind_time(put, 4, beat->stopped);
    sqlite3_bind_int64(put, 5, beat->process);
    bind_time(put, 6, beat->last_message);
    bind_time(put, 7, beat->last_candidate);
    sqlite3_bind_int64(put, 8, beat->longest_message);
    statement_bind_text(put, 9, text_of(beat->version));
    statement_bind_text(put, 10, text_of(beat->built_for));
    done = sqlite3_step(put) == SQLITE_DONE;
    return sqlite3_finalize(put) == SQLITE_OK && done;
}

static void hand_out(sqlite3_stmt *rows, action_state_sink *sink, void *arg)
{
    const action_state state = {
        .name = statement_text(rows, 0).bytes,
        .pending = sqlite3_column_int64(rows, 1),
        .pending_bytes = sqlite3_column_int64(rows, 2),
        .seen = sqlite3_column_int64(rows, 3),
        .incidents = sqlite3_column_int64(rows, 4),
        .open_incidents = sqlite3_column_int64(rows, 5),
        .has_beat = sqlite3_column_type(rows, 6) != SQLITE_NULL,
        .written = sqlite3_column_int64(rows, 6),
        .beat =
            {
                .started = sqlite3_column_int64(rows, 7),
                .stopped = sqlite3_column_int64(rows, 8),
                .process = sqlite3_column_int64(rows, 9),
                .last_message = sqlite3_column_int64(rows, 10),
                .last_candidate = sqlite3_column_int64(rows, 11),
                .longest_message = sqlite3_column_int64(rows, 12),
                .version = statement_text(rows, 13).bytes,
                .built_for = statement_text(rows, 14).bytes,
            },
    };

    sink(arg, &state);
}

bool action_states_each(store *s, timestamp now, action_state_sink *sink, void *arg)
{
    sqlite3_stmt *rows = store_prepare(
        s, "SELECT name, (SELECT records FROM pending_total p WHERE p.action = id),"
           " (SELECT bytes FROM pending_total p WHERE p.action = id),"
           " (SELECT count(*) FROM seen s WHERE s.action = id),"
           " (SELECT count(*) FROM incident i WHERE i.action = id),"
           " (SELECT count(*) FROM incident i WHERE i.action = id AND closed IS NULL"
           " AND opened + window > ?1),"
           " written, started, stopped, process, last_message, last_candidate, longest_message,"
           " version, built_for"
           " FROM action LEFT JOIN heartbeat ON heartbeat.action = id ORDER BY name");
    int step = SQLITE_ERROR;

    if (rows == NULL)
        return false;
    sqlite3_bind_int64(rows, 1, now);
    while ((step = sqlite3_step(rows)) == SQLITE_ROW)
        hand_out(rows, sink, arg);
    return sqlite3_finalize(rows) == SQLITE_OK && step == SQLITE_DONE;
}
