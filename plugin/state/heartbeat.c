/* SPDX-License-Identifier: Apache-2.0 */
/* heartbeat: one row an action, and one for each of its troubles, written anew each time. */
#include "state/heartbeat.h"

#include <string.h>

#include "state/statement.h"

static const char *const trouble_names[TROUBLES] = {
    [TROUBLE_STALE] = "stale",
    [TROUBLE_UNDECODABLE] = "undecodable",
    [TROUBLE_HELD_BACK] = "held_back",
    [TROUBLE_STATE_ERRORS] = "state_errors",
    [TROUBLE_PENDING_DROPPED] = "pending_dropped",
    [TROUBLE_NO_SYNC_ACCOUNTS] = "no_sync_accounts",
};

const char *trouble_name(trouble_kind which)
{
    return trouble_names[which];
}

/* --- writing --- */

/* 0 stands for a time that there is not. */
static void bind_time(sqlite3_stmt *s, int place, timestamp t)
{
    if (t != 0)
        sqlite3_bind_int64(s, place, t);
}

static bool write_beat(store *s, int64_t action, const heartbeat *beat, timestamp now)
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

static bool write_trouble(store *s, int64_t action, const char *name, const trouble_count *t)
{
    sqlite3_stmt *put = store_prepare(s, "INSERT OR REPLACE INTO trouble (action, name, count,"
                                         " newest) VALUES (?1, ?2, ?3, ?4)");
    bool done;

    if (put == NULL)
        return false;
    sqlite3_bind_int64(put, 1, action);
    statement_bind_text(put, 2, text_of(name));
    sqlite3_bind_int64(put, 3, t->count);
    sqlite3_bind_int64(put, 4, t->newest);
    done = sqlite3_step(put) == SQLITE_DONE;
    return sqlite3_finalize(put) == SQLITE_OK && done;
}

static bool write_troubles(store *s, int64_t action, const heartbeat *beat)
{
    bool done = true;

    for (size_t i = 0; done && i < TROUBLES; i++)
        if (beat->troubles[i].count > 0)
            done = write_trouble(s, action, trouble_names[i], &beat->troubles[i]);
    return done;
}

bool heartbeat_write(store *s, int64_t action, const heartbeat *beat, timestamp now)
{
    if (!store_begin(s))
        return false;
    if (write_beat(s, action, beat, now) && write_troubles(s, action, beat) && store_commit(s))
        return true;
    store_rollback(s);
    return false;
}

/* --- reading --- */

/* A kind that a newer synctap knows is passed over. */
static void take_trouble(heartbeat *beat, sqlite3_stmt *row)
{
    text name = statement_text(row, 0);

    for (size_t i = 0; i < TROUBLES; i++)
        if (text_equal(name, text_of(trouble_names[i])))
            beat->troubles[i] = (trouble_count){.count = sqlite3_column_int64(row, 1),
                                                .newest = sqlite3_column_int64(row, 2)};
}

static bool read_troubles(sqlite3_stmt *troubles, int64_t action, heartbeat *beat)
{
    int step;

    sqlite3_bind_int64(troubles, 1, action);
    while ((step = sqlite3_step(troubles)) == SQLITE_ROW)
        take_trouble(beat, troubles);
    return sqlite3_reset(troubles) == SQLITE_OK && step == SQLITE_DONE;
}

static bool hand_out(sqlite3_stmt *rows, sqlite3_stmt *troubles, action_state_sink *sink, void *arg)
{
    action_state state = {
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

    if (!read_troubles(troubles, sqlite3_column_int64(rows, 15), &state.beat))
        return false;
    sink(arg, &state);
    return true;
}

static bool hand_out_all(sqlite3_stmt *rows, store *s, action_state_sink *sink, void *arg)
{
    sqlite3_stmt *troubles =
        store_prepare(s, "SELECT name, count, newest FROM trouble WHERE action = ?1");
    bool read = troubles != NULL;
    int step = SQLITE_ERROR;

    while (read && (step = sqlite3_step(rows)) == SQLITE_ROW)
        read = hand_out(rows, troubles, sink, arg);
    sqlite3_finalize(troubles);
    return read && step == SQLITE_DONE;
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
           " version, built_for, id"
           " FROM action LEFT JOIN heartbeat ON heartbeat.action = id ORDER BY name");
    bool read;

    if (rows == NULL)
        return false;
    sqlite3_bind_int64(rows, 1, now);
    read = hand_out_all(rows, s, sink, arg);
    return sqlite3_finalize(rows) == SQLITE_OK && read;
}
