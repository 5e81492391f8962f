/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot_stream: a head in the table `snapshot`, and its rows in a spool. */
#include "state/snapshot_stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "state/role_spool.h"
#include "state/statement.h"
#include "state/sync_census.h"

enum statement { READ, FORGET, WRITE, STATEMENTS };

static const char *const sql[STATEMENTS] = {
    [READ] = "SELECT id = ?1, begun FROM snapshot",
    [FORGET] = "DELETE FROM snapshot",
    [WRITE] = "INSERT INTO snapshot (id, begun) VALUES (?1, ?2)",
};

struct snapshot_stream {
    role_list *list;
    const rule *rule;
    role_spool *rows;
    sqlite3_stmt *statements[STATEMENTS];
};

/* The snapshot that is open. */
typedef struct head {
    bool is_open;
    bool is_it; /* it has the id that was asked for */
    timestamp begun;
} head;

snapshot_stream *snapshot_stream_open(store *s, role_list *list, const rule *r)
{
    snapshot_stream *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->list = list;
    self->rule = r;
    self->rows = role_spool_open(s, ROLE_SPOOL_KEPT);
    if (self->rows != NULL && store_prepare_all(s, sql, self->statements, STATEMENTS))
        return self;
    store_keep_error(s);
    snapshot_stream_close(self);
    return NULL;
}

void snapshot_stream_close(snapshot_stream *self)
{
    if (self == NULL)
        return;
    role_list_copy_to(self->list, NULL);
    role_spool_close(self->rows);
    for (enum statement i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(self->statements[i]);
    free(self);
}

static bool read_head(snapshot_stream *self, text id, head *h)
{
    sqlite3_stmt *s = self->statements[READ];
    int step;

    statement_bind_text(s, 1, id);
    step = sqlite3_step(s);
    *h = (head){.is_open = step == SQLITE_ROW};
    if (h->is_open) {
        h->is_it = sqlite3_column_int(s, 0) != 0;
        h->begun = sqlite3_column_int64(s, 1);
    }
    return sqlite3_reset(s) == SQLITE_OK && (step == SQLITE_ROW || step == SQLITE_DONE);
}

static bool forget(snapshot_stream *self)
{
    role_list_copy_to(self->list, NULL);
    return statement_run(self->statements[FORGET]) && role_spool_clear(self->rows);
}

bool snapshot_stream_resume(snapshot_stream *self, timestamp now)
{
    head h;

    if (!read_head(self, (text)TEXT(""), &h))
        return false;
    if (h.is_open && now - h.begun > TICKS_PER_DAY)
        return forget(self);
    role_list_copy_to(self->list, h.is_open ? self->rows : NULL);
    return true;
}

static bool begin(snapshot_stream *self, const snapshot_marker *marker)
{
    sqlite3_stmt *s = self->statements[WRITE];

    if (!forget(self))
        return false;
    statement_bind_text(s, 1, marker->id);
    sqlite3_bind_int64(s, 2, marker->received);
    role_list_copy_to(self->list, self->rows);
    return statement_run(s);
}

/* --- the end --- */

static bool put(void *list, const identity_record *row)
{
    return role_list_put(list, row);
}

static bool put_as_snapshot(snapshot_stream *self, timestamp begun)
{
    role_list_copy_to(self->list, NULL);
    return role_list_enter_snapshot(self->list, begun) &&
           role_spool_each(self->rows, ROLE_SPOOL_BY_TIME, put, self->list) &&
           role_list_end_snapshot(self->list);
}

static snapshot_end judge_loss(snapshot_stream *self, const sync_census *before,
                               const sync_census *after, bool is_forced, buffer *words)
{
    bool is_left = !is_forced && sync_census_is_suspicious(before, after);

    if (is_left)
        buffer_append_string(words, "refused without \"force\":true, nobody has lost a role: ");
    if (!sync_census_write_loss(before, after, words) || !role_list_end_mark(self->list, !is_left))
        return SNAPSHOT_FAILED;
    return is_left ? SNAPSHOT_LEFT : SNAPSHOT_TAKEN;
}

static snapshot_end take(snapshot_stream *self, const snapshot_marker *marker, timestamp begun,
                         buffer *words)
{
    sync_census *before = sync_census_take(self->list, self->rule, marker->received);
    sync_census *after = NULL;
    snapshot_end end = SNAPSHOT_FAILED;

    if (before != NULL && role_list_mark(self->list) && put_as_snapshot(self, begun))
        after = sync_census_take(self->list, self->rule, marker->received);
    if (after != NULL)
        end = judge_loss(self, before, after, marker->is_forced, words);
    sync_census_free(before);
    sync_census_free(after);
    return end;
}

static snapshot_end leave(const snapshot_marker *marker, const char *why, int64_t rows,
                          buffer *words)
{
    char said[160];

    snprintf(said, sizeof(said), "%s (%" PRId64 " rows came, its end says %" PRId64 ")", why, rows,
             marker->rows);
    buffer_append_string(words, said);
    return SNAPSHOT_LEFT;
}

static snapshot_end end(snapshot_stream *self, const snapshot_marker *marker, buffer *words)
{
    int64_t rows = role_spool_count(self->rows);
    snapshot_end result;
    head h;

    if (rows < 0 || !read_head(self, marker->id, &h))
        return SNAPSHOT_FAILED;
    if (!h.is_open || !h.is_it)
        return leave(marker, "it was not begun, nobody has lost a role", h.is_open ? 0 : rows,
                     words);
    result = rows == marker->rows
                 ? take(self, marker, h.begun, words)
                 : leave(marker, "it is not whole, nobody has lost a role", rows, words);
    return result != SNAPSHOT_FAILED && forget(self) ? result : SNAPSHOT_FAILED;
}

snapshot_end snapshot_stream_mark(snapshot_stream *self, const snapshot_marker *marker,
                                  buffer *words)
{
    if (marker->is_end)
        return end(self, marker, words);
    return begin(self, marker) ? SNAPSHOT_TAKEN : SNAPSHOT_FAILED;
}
