/* SPDX-License-Identifier: Apache-2.0 */
/* pending: the statements over the tables `pending` and `pending_key`. */
#include "state/pending.h"

#include <stdlib.h>

#include "base/kql.h"
#include "base/room.h"
#include "state/packed_text.h"
#include "state/statement.h"

enum { PRUNED_AT_ONCE = 500 }; /* rows: some milliseconds */

enum statement {
    COUNT,
    PUT,
    PUT_KEY,
    FIND_DUE,
    CLEAR_DUE,
    FIND,
    READ,
    REMOVE,
    PRUNE,
    PRUNE_OTHERS,
    BOUND,
    STATEMENTS
};

static const char *const sql[STATEMENTS] = {
    [COUNT] = "SELECT records, bytes FROM pending_total WHERE action = ?1",
    [PUT] = "INSERT OR IGNORE INTO pending (action, row_id, received, expires, record,"
            " due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [PUT_KEY] = "INSERT OR IGNORE INTO pending_key (pending, key) VALUES (?1, ?2)",
    [FIND_DUE] = "SELECT id, due FROM pending WHERE action = ?1 AND due IS NOT NULL",
    [CLEAR_DUE] = "UPDATE pending SET due = NULL WHERE action = ?1 AND due IS NOT NULL",
    /* In each bucket that has keys. CROSS: by the key first, not by the action, of which all are */
    [FIND] = "WITH RECURSIVE bucket(n) AS (SELECT -1 UNION ALL SELECT (SELECT pending >> 16"
             " FROM pending_key WHERE pending >> 16 > n ORDER BY pending >> 16 LIMIT 1)"
             " FROM bucket WHERE n IS NOT NULL)"
             " SELECT k.pending FROM bucket CROSS JOIN pending_key k"
             " CROSS JOIN pending p ON p.id = k.pending"
             " WHERE k.pending >> 16 = bucket.n AND k.key = ?2 AND p.action = ?1",
    [READ] = "SELECT row_id, received, expires, record FROM pending WHERE id = ?1",
    [REMOVE] = "DELETE FROM pending WHERE id = ?1",
    [PRUNE] = "DELETE FROM pending WHERE id IN (SELECT id FROM pending INDEXED BY pending_expires"
              " WHERE expires <= ?2 AND action = ?1 LIMIT ?3)",
    [PRUNE_OTHERS] = "DELETE FROM pending WHERE id IN (SELECT id FROM pending"
                     " INDEXED BY pending_expires WHERE expires <= ?2 AND action <> ?1 LIMIT ?3)",
    [BOUND] = "DELETE FROM pending WHERE id IN"
              " (SELECT id FROM pending WHERE action = ?1 ORDER BY id LIMIT ?3)",
};

struct pending {
    store *store;
    sqlite3 *connection;
    int64_t action;
    int64_t count;
    int64_t bytes; /* of their records, packed */
    text_packer *packer;
    text_unpacker *unpacker;
    buffer packed; /* the record that is put */
    buffer record; /* the one that is read */
    buffer key;
    sqlite3_stmt *statements[STATEMENTS];
};

bool pending_is_message(const pending_record *record)
{
    static const text name = TEXT(PENDING_MESSAGE);

    return record->row_id.length > name.length &&
           text_equal((text){record->row_id.bytes, name.length}, name);
}

static void write_key(buffer *out, pending_key kind, text value)
{
    buffer_append_char(out, (char)kind);
    kql_fold(value, SEMANTICS_WIDE, out);
}

void pending_add_key(buffer *keys, pending_key kind, text value)
{
    size_t begin = keys->length;
    uint32_t length = 0;

    buffer_append(keys, (text){(const char *)&length, sizeof(length)});
    write_key(keys, kind, value);
    if (buffer_failed(keys))
        return;
    length = (uint32_t)(keys->length - begin - sizeof(length));
    memcpy(keys->bytes + begin, &length, sizeof(length));
}

/* Takes the next key off the front; false at the end. */
static bool next_key(text *keys, text *key)
{
    uint32_t length;

    if (keys->length < sizeof(length))
        return false;
    memcpy(&length, keys->bytes, sizeof(length));
    *keys = text_from(*keys, sizeof(length));
    if (length > keys->length)
        return false;
    *key = (text){keys->bytes, length};
    *keys = text_from(*keys, length);
    return true;
}

/* A flood of records costs by how often the same pages are read and written. */
static void expect_many(const pending *self)
{
    sqlite3_exec(self->connection, "PRAGMA cache_size = -64000", NULL, NULL, NULL); /* in KiB */
    sqlite3_exec(self->connection, "PRAGMA wal_autocheckpoint = 16000", NULL, NULL, NULL);
}

pending *pending_open(store *s, int64_t action)
{
    pending *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->store = s;
    self->action = action;
    self->packer = text_packer_new();
    self->unpacker = text_unpacker_new();
    if (self->packer == NULL || self->unpacker == NULL ||
        !store_prepare_all(s, sql, self->statements, STATEMENTS)) {
        pending_close(self);
        return NULL;
    }
    self->connection = sqlite3_db_handle(self->statements[PUT]);
    expect_many(self);
    if (pending_recount(self))
        return self;
    store_keep_error(s);
    pending_close(self);
    return NULL;
}

void pending_close(pending *self)
{
    if (self == NULL)
        return;
    for (enum statement i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(self->statements[i]);
    text_packer_free(self->packer);
    text_unpacker_free(self->unpacker);
    buffer_free(&self->packed);
    buffer_free(&self->record);
    buffer_free(&self->key);
    free(self);
}

int64_t pending_count(const pending *self)
{
    return self->count;
}

bool pending_recount(pending *self)
{
    sqlite3_stmt *s = self->statements[COUNT];
    int step;

    sqlite3_bind_int64(s, 1, self->action);
    step = sqlite3_step(s);
    if (step == SQLITE_ROW || step == SQLITE_DONE) { /* without a row there never were any */
        self->count = sqlite3_column_int64(s, 0);
        self->bytes = sqlite3_column_int64(s, 1);
    }
    return sqlite3_reset(s) == SQLITE_OK && (step == SQLITE_ROW || step == SQLITE_DONE);
}

static bool put_keys(pending *self, text keys, int64_t id)
{
    sqlite3_stmt *s = self->statements[PUT_KEY];
    text key;

    while (next_key(&keys, &key)) {
        sqlite3_bind_int64(s, 1, id);
        statement_bind_text(s, 2, key);
        if (!statement_run(s))
            return false;
    }
    return true;
}

bool pending_put(pending *self, const pending_record *record)
{
    sqlite3_stmt *s = self->statements[PUT];

    if (!text_pack(self->packer, record->record, &self->packed))
        return false;
    sqlite3_bind_int64(s, 1, self->action);
    statement_bind_text(s, 2, record->row_id);
    sqlite3_bind_int64(s, 3, record->received);
    sqlite3_bind_int64(s, 4, record->expires);
    sqlite3_bind_blob64(s, 5, self->packed.bytes, self->packed.length, SQLITE_STATIC);
    if (record->is_due)
        sqlite3_bind_int64(s, 6, record->judged);
    else
        sqlite3_bind_null(s, 6);
    if (!statement_run(s))
        return false;
    if (sqlite3_changes(self->connection) == 0)
        return true;
    self->count++;
    self->bytes += (int64_t)self->packed.length;
    return put_keys(self, record->keys, sqlite3_last_insert_rowid(self->connection));
}

void pending_ids_free(pending_ids *self)
{
    free(self->ids);
    *self = (pending_ids){0};
}

bool pending_ids_add(pending_ids *self, int64_t id)
{
    if (!room_for_one_more(&self->ids, sizeof(*self->ids), self->count, &self->room))
        return false;
    self->ids[self->count++] = id;
    return true;
}

bool pending_find_due(pending *self, pending_ids *found, int64_t *judged)
{
    sqlite3_stmt *s = self->statements[FIND_DUE];
    bool whole = true;
    int step = SQLITE_DONE;

    sqlite3_bind_int64(s, 1, self->action);
    while (whole && (step = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t due = sqlite3_column_int64(s, 1);

        whole = pending_ids_add(found, sqlite3_column_int64(s, 0));
        *judged = due >= 0 && due < *judged ? due : *judged;
    }
    return sqlite3_reset(s) == SQLITE_OK && whole && step == SQLITE_DONE;
}

bool pending_clear_due(pending *self)
{
    sqlite3_stmt *s = self->statements[CLEAR_DUE];

    sqlite3_bind_int64(s, 1, self->action);
    return statement_run(s);
}

bool pending_find(pending *self, pending_key kind, text value, pending_ids *found)
{
    sqlite3_stmt *s = self->statements[FIND];
    bool whole = true;
    int step = SQLITE_DONE;

    buffer_clear(&self->key);
    write_key(&self->key, kind, value);
    if (buffer_failed(&self->key))
        return false;
    sqlite3_bind_int64(s, 1, self->action);
    statement_bind_text(s, 2, buffer_text(&self->key));
    while (whole && (step = sqlite3_step(s)) == SQLITE_ROW)
        whole = pending_ids_add(found, sqlite3_column_int64(s, 0));
    return sqlite3_reset(s) == SQLITE_OK && whole && step == SQLITE_DONE;
}

/* What cannot be unpacked is damaged, and empty. */
static text read_record(pending *self, sqlite3_stmt *s)
{
    text record;

    return statement_packed_text(s, 3, self->unpacker, &self->record, &record) ? record
                                                                               : (text)TEXT("");
}

bool pending_read(pending *self, int64_t id, pending_record *record, bool *failed)
{
    sqlite3_stmt *s = self->statements[READ];

    sqlite3_bind_int64(s, 1, id);
    if (sqlite3_step(s) != SQLITE_ROW) {
        *failed |= sqlite3_reset(s) != SQLITE_OK;
        return false;
    }
    *record = (pending_record){
        .row_id = statement_text(s, 0),
        .received = sqlite3_column_int64(s, 1),
        .expires = sqlite3_column_int64(s, 2),
        .record = read_record(self, s),
    };
    if (record->record.length > 0 ||
        (sqlite3_errcode(self->connection) != SQLITE_NOMEM && !buffer_failed(&self->record)))
        return true;
    *failed = true;
    sqlite3_reset(s);
    return false;
}

void pending_end_read(pending *self)
{
    sqlite3_reset(self->statements[READ]);
}

bool pending_remove(pending *self, int64_t id)
{
    sqlite3_stmt *s = self->statements[REMOVE];

    sqlite3_bind_int64(s, 1, id);
    return statement_run(s) && pending_recount(self);
}

static bool remove_some(pending *self, enum statement which, int64_t bound, int most, int *removed)
{
    sqlite3_stmt *s = self->statements[which];

    *removed = 0;
    sqlite3_bind_int64(s, 1, self->action);
    sqlite3_bind_int64(s, 2, bound);
    sqlite3_bind_int(s, 3, most);
    if (!statement_run(s))
        return false;
    *removed = sqlite3_changes(self->connection);
    return true;
}

bool pending_prune(pending *self, timestamp now, int *removed)
{
    int others;

    if (!remove_some(self, PRUNE, now, PRUNED_AT_ONCE, removed) ||
        !remove_some(self, PRUNE_OTHERS, now, PRUNED_AT_ONCE, &others))
        return false;
    *removed += others;
    return pending_recount(self);
}

/* How many rows, by their mean size, are over one of the bounds; some of them at once. */
static int surplus(const pending *self, int64_t most, int64_t most_bytes)
{
    int64_t rows = self->count > most ? self->count - most : 0;

    if (self->bytes > most_bytes && self->count > 0) {
        int64_t mean = self->bytes / self->count + 1;
        int64_t by_bytes = (self->bytes - most_bytes) / mean + 1;

        rows = by_bytes > rows ? by_bytes : rows;
    }
    return rows < PRUNED_AT_ONCE ? (int)rows : PRUNED_AT_ONCE;
}

bool pending_is_over(const pending *self, int64_t most, int64_t most_bytes)
{
    return surplus(self, most, most_bytes) > 0;
}

bool pending_bound(pending *self, int64_t most, int64_t most_bytes, int *removed)
{
    int rows = surplus(self, most, most_bytes);

    *removed = 0;
    return rows == 0 || (remove_some(self, BOUND, 0, rows, removed) && pending_recount(self));
}
