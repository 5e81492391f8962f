/* SPDX-License-Identifier: Apache-2.0 */
/* alert_log: the statements over `seen`, `incident` and `incident_alert`. */
#include "state/alert_log.h"

#include <stdlib.h>

#include "state/packed_text.h"
#include "state/statement.h"

enum { PRUNED_AT_ONCE = 500 }; /* rows: some milliseconds */

enum statement {
    PUT_SEEN,
    PUT_INCIDENT,
    PUT_ALERT,
    PUT_ALERT_BEHIND,
    COUNT_ALERT,
    COUNT_REPEAT,
    READ_SEEN,
    READ_OPEN,
    OF_AN_ACTION, /* the first parameter of those before is the action */
    PRUNE_SEEN = OF_AN_ACTION,
    PRUNE_INCIDENTS,
    STATEMENTS
};

static const char *const sql[STATEMENTS] = {
    [PUT_SEEN] =
        "INSERT INTO seen (action, alert_id, expires) VALUES (?1, ?2, ?3)"
        " ON CONFLICT (action, alert_id) DO UPDATE SET expires = max(expires, excluded.expires)",
    [PUT_INCIDENT] =
        "INSERT INTO incident (action, incident_id, key, opened, window, last_alert, alert_count,"
        " first_alert) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7)"
        " ON CONFLICT (action, incident_id) DO UPDATE SET last_alert = max(last_alert, "
        "excluded.last_alert)",
    [PUT_ALERT] = "INSERT OR IGNORE INTO incident_alert"
                  " (action, incident_id, place, alert_id, alert) VALUES (?1, ?2, ?3, ?4, ?5)",
    /* its place is another's, in a database that was put back or damaged */
    [PUT_ALERT_BEHIND] = "INSERT INTO incident_alert (action, incident_id, place, alert_id, alert)"
                         " SELECT ?1, ?2, free, ?4, ?5 FROM (SELECT "
                         "max(place) + 1 AS free,"
                         " max(alert_id = ?4) AS is_there FROM incident_alert WHERE action = ?1 AND"
                         " incident_id = ?2) WHERE NOT is_there",
    [COUNT_ALERT] = "UPDATE incident SET alert_count = alert_count + 1"
                    " WHERE action = ?1 AND incident_id = ?2",
    [COUNT_REPEAT] = "UPDATE incident_alert SET repeats = repeats + 1"
                     " WHERE action = ?1 AND incident_id = ?2 AND alert_id = ?3",
    [READ_SEEN] = "SELECT alert_id, expires FROM seen WHERE action = ?1 AND expires > ?2",
    [READ_OPEN] = "SELECT incident_id, key, opened, alert_count, first_alert, closed IS NOT NULL,"
                  " (SELECT max(place) FROM incident_alert a WHERE a.action = incident.action AND"
                  " a.incident_id = incident.incident_id)"
                  " FROM incident WHERE action = ?1 AND opened + window > ?2",
    /* also those of actions that are there no more */
    [PRUNE_SEEN] = "DELETE FROM seen WHERE (action, alert_id) IN (SELECT action, alert_id FROM seen"
                   " INDEXED BY seen_expires WHERE expires <= ?1 LIMIT ?2)",
    [PRUNE_INCIDENTS] = "DELETE FROM incident WHERE (action, incident_id) IN"
                        " (SELECT action, incident_id FROM incident INDEXED BY incident_last_alert"
                        " WHERE last_alert <= ?1 LIMIT ?2)",
};

struct alert_log {
    sqlite3 *connection;
    int64_t action;
    text_packer *packer;
    buffer packed; /* the alert that is put */
    sqlite3_stmt *statements[STATEMENTS];
};

alert_log *alert_log_open(store *s, int64_t action)
{
    alert_log *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->action = action;
    self->packer = text_packer_new();
    if (self->packer == NULL || !store_prepare_all(s, sql, self->statements, STATEMENTS)) {
        alert_log_close(self);
        return NULL;
    }
    for (enum statement i = 0; i < OF_AN_ACTION; i++)
        sqlite3_bind_int64(self->statements[i], 1, action);
    self->connection = sqlite3_db_handle(self->statements[PUT_SEEN]);
    return self;
}

void alert_log_close(alert_log *self)
{
    if (self == NULL)
        return;
    for (enum statement i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(self->statements[i]);
    text_packer_free(self->packer);
    buffer_free(&self->packed);
    free(self);
}

/* An id as it is written everywhere; NULL when it has another length. */
static const char *column_id(sqlite3_stmt *s, int column)
{
    text id = statement_text(s, column);

    return id.length == UUID_TEXT_SIZE - 1 ? id.bytes : NULL;
}

static bool put_seen(alert_log *self, const sent_alert *sent)
{
    sqlite3_stmt *s = self->statements[PUT_SEEN];

    statement_bind_text(s, 2, text_of(sent->id));
    sqlite3_bind_int64(s, 3, sent->expires);
    return statement_run(s);
}

static bool put_incident(alert_log *self, const sent_alert *sent)
{
    sqlite3_stmt *s = self->statements[PUT_INCIDENT];

    statement_bind_text(s, 2, text_of(sent->incident.id));
    statement_bind_text(s, 3, sent->key);
    sqlite3_bind_int64(s, 4, sent->incident.opened);
    sqlite3_bind_int64(s, 5, sent->window);
    sqlite3_bind_int64(s, 6, sent->detected_at);
    statement_bind_text(s, 7, text_of(sent->incident.first_alert));
    return statement_run(s);
}

/* *is_new: it was not there. */
static bool try_place(alert_log *self, enum statement which, const sent_alert *sent, bool *is_new)
{
    sqlite3_stmt *s = self->statements[which];

    statement_bind_text(s, 2, text_of(sent->incident.id));
    if (which == PUT_ALERT)
        sqlite3_bind_int64(s, 3, sent->incident.place);
    statement_bind_text(s, 4, text_of(sent->id));
    sqlite3_bind_blob64(s, 5, self->packed.bytes, self->packed.length, SQLITE_STATIC);
    if (!statement_run(s))
        return false;
    *is_new = sqlite3_changes(self->connection) > 0;
    return true;
}

static bool count_alert(alert_log *self, const sent_alert *sent)
{
    sqlite3_stmt *s = self->statements[COUNT_ALERT];

    statement_bind_text(s, 2, text_of(sent->incident.id));
    return statement_run(s);
}

static bool put_alert(alert_log *self, const sent_alert *sent)
{
    bool is_new;

    if (!text_pack(self->packer, sent->alert, &self->packed) ||
        !try_place(self, PUT_ALERT, sent, &is_new) ||
        (!is_new && !try_place(self, PUT_ALERT_BEHIND, sent, &is_new)))
        return false;
    return !is_new || count_alert(self, sent);
}

static bool count_repeat(alert_log *self, const sent_alert *sent)
{
    sqlite3_stmt *s = self->statements[COUNT_REPEAT];

    statement_bind_text(s, 2, text_of(sent->incident.id));
    statement_bind_text(s, 3, text_of(sent->id));
    return statement_run(s);
}

bool alert_log_put(alert_log *self, const sent_alert *sent)
{
    if (!put_seen(self, sent))
        return false;
    if (sent->incident.id[0] == '\0')
        return true;
    if (sent->alert.length == 0)
        return count_repeat(self, sent);
    return put_incident(self, sent) && put_alert(self, sent);
}

static bool load_seen(alert_log *self, timestamp now, seen *ids)
{
    sqlite3_stmt *s = self->statements[READ_SEEN];
    bool put = true;
    int step = SQLITE_DONE;

    sqlite3_bind_int64(s, 2, now);
    while (put && (step = sqlite3_step(s)) == SQLITE_ROW) {
        const char *id = column_id(s, 0);

        put = id == NULL || seen_put(ids, id, sqlite3_column_int64(s, 1));
    }
    return sqlite3_reset(s) == SQLITE_OK && put && step == SQLITE_DONE;
}

bool alert_log_load_incidents(alert_log *self, timestamp now, incidents *open)
{
    sqlite3_stmt *s = self->statements[READ_OPEN];
    bool put = true;
    int step = SQLITE_DONE;

    sqlite3_bind_int64(s, 2, now);
    while (put && (step = sqlite3_step(s)) == SQLITE_ROW) {
        incident_facts facts = {
            .id = column_id(s, 0),
            .key = statement_text(s, 1),
            .opened = sqlite3_column_int64(s, 2),
            .alert_count = (unsigned)sqlite3_column_int64(s, 3),
            .first_alert = column_id(s, 4),
            .is_closed = sqlite3_column_int(s, 5) != 0,
            .last_place = (unsigned)sqlite3_column_int64(s, 6),
        };
        put = facts.id == NULL || facts.first_alert == NULL || incidents_put(open, &facts);
    }
    return sqlite3_reset(s) == SQLITE_OK && put && step == SQLITE_DONE;
}

bool alert_log_load(alert_log *self, timestamp now, seen *ids, incidents *open)
{
    return load_seen(self, now, ids) && alert_log_load_incidents(self, now, open);
}

static bool prune(alert_log *self, enum statement which, timestamp until, int *removed)
{
    sqlite3_stmt *s = self->statements[which];

    sqlite3_bind_int64(s, 1, until);
    sqlite3_bind_int(s, 2, PRUNED_AT_ONCE);
    if (!statement_run(s))
        return false;
    *removed += sqlite3_changes(self->connection);
    return true;
}

bool alert_log_prune(alert_log *self, timestamp now, timespan retention, int *removed)
{
    *removed = 0;
    return prune(self, PRUNE_SEEN, now, removed) &&
           prune(self, PRUNE_INCIDENTS, now - retention, removed);
}

/* --- all actions' incidents --- */

#define OF_ID " WHERE (?1 IS NULL OR incident_id = ?1)"

static sqlite3_stmt *prepare_for_id(store *s, const char *statement, const char *id)
{
    sqlite3_stmt *prepared = store_prepare(s, statement);

    if (prepared != NULL && id != NULL)
        sqlite3_bind_text(prepared, 1, id, -1, SQLITE_STATIC);
    return prepared;
}

bool incident_rows_each(store *s, const char *id, incident_sink *sink, void *arg)
{
    sqlite3_stmt *rows = prepare_for_id(
        s,
        "SELECT incident_id, (SELECT name FROM action WHERE action.id = incident.action), key,"
        " opened, window, last_alert, alert_count, first_alert, closed, closed_reason, closed_by,"
        " action"
        " FROM incident" OF_ID " ORDER BY opened, incident_id, action",
        id);
    int step = SQLITE_ERROR;

    while (rows != NULL && (step = sqlite3_step(rows)) == SQLITE_ROW)
        sink(arg, &(incident_row){
                      .id = statement_text(rows, 0).bytes,
                      .action = statement_text(rows, 1).bytes,
                      .key = statement_text(rows, 2),
                      .opened = sqlite3_column_int64(rows, 3),
                      .window = sqlite3_column_int64(rows, 4),
                      .last_alert = sqlite3_column_int64(rows, 5),
                      .alert_count = sqlite3_column_int64(rows, 6),
                      .first_alert = statement_text(rows, 7).bytes,
                      .is_closed = sqlite3_column_type(rows, 8) != SQLITE_NULL,
                      .closed = sqlite3_column_int64(rows, 8),
                      .closed_reason = statement_text(rows, 9),
                      .closed_by = statement_text(rows, 10),
                      .action_id = sqlite3_column_int64(rows, 11),
                  });
    return sqlite3_finalize(rows) == SQLITE_OK && step == SQLITE_DONE;
}

bool incident_rows_each_alert(store *s, int64_t action_id, const char *id,
                              incident_alert_sink *sink, void *arg)
{
    sqlite3_stmt *rows = prepare_for_id(s,
                                        "SELECT alert, repeats FROM incident_alert"
                                        " WHERE incident_id = ?1 AND action = ?2 ORDER BY place",
                                        id);
    text_unpacker *unpacker = text_unpacker_new();
    buffer unpacked = {0};
    int step = SQLITE_ERROR;
    bool failed = unpacker == NULL;
    text written;

    if (rows != NULL)
        sqlite3_bind_int64(rows, 2, action_id);
    while (rows != NULL && !failed && (step = sqlite3_step(rows)) == SQLITE_ROW) {
        if (statement_packed_text(rows, 0, unpacker, &unpacked, &written))
            sink(arg, &(incident_alert_row){written, sqlite3_column_int64(rows, 1)});
        failed = buffer_failed(&unpacked);
    }
    buffer_free(&unpacked);
    text_unpacker_free(unpacker);
    return sqlite3_finalize(rows) == SQLITE_OK && !failed && step == SQLITE_DONE;
}

static void bind_text_or_null(sqlite3_stmt *s, int place, text t)
{
    if (t.length > 0)
        statement_bind_text(s, place, t);
}

bool incident_rows_close(store *s, const char *id, const incident_closing *closing, int *closed)
{
    sqlite3_stmt *update =
        prepare_for_id(s,
                       "UPDATE incident SET closed = ?2, closed_reason = ?3, closed_by = ?4"
                       " WHERE incident_id = ?1 AND closed IS NULL",
                       id);
    bool done;

    if (update == NULL)
        return false;
    sqlite3_bind_int64(update, 2, closing->at);
    bind_text_or_null(update, 3, closing->reason);
    bind_text_or_null(update, 4, closing->by);
    done = sqlite3_step(update) == SQLITE_DONE;
    *closed = done ? sqlite3_changes(sqlite3_db_handle(update)) : 0;
    return sqlite3_finalize(update) == SQLITE_OK && done;
}

bool incident_ids_each(store *s, text beginning, int most, incident_id_sink *sink, void *arg)
{
    sqlite3_stmt *ids =
        store_prepare(s, "SELECT incident_id FROM incident"
                         " WHERE substr(incident_id, 1, length(?1)) = lower(?1)"
                         " GROUP BY incident_id ORDER BY min(opened), incident_id LIMIT ?2");
    int step = SQLITE_ERROR;

    if (ids == NULL)
        return false;
    statement_bind_text(ids, 1, beginning);
    sqlite3_bind_int(ids, 2, most);
    while ((step = sqlite3_step(ids)) == SQLITE_ROW)
        sink(arg, statement_text(ids, 0).bytes);
    return sqlite3_finalize(ids) == SQLITE_OK && step == SQLITE_DONE;
}

bool alert_was_sent(store *s, const char *id, bool *was_sent)
{
    sqlite3_stmt *rows = prepare_for_id(
        s, "SELECT 1 FROM action JOIN seen ON seen.action = action.id AND alert_id = ?1", id);
    int step = rows != NULL ? sqlite3_step(rows) : SQLITE_ERROR;

    *was_sent = step == SQLITE_ROW;
    return sqlite3_finalize(rows) == SQLITE_OK && (*was_sent || step == SQLITE_DONE);
}
