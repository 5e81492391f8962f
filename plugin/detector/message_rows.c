/* SPDX-License-Identifier: Apache-2.0 */
/* message_rows: each alert once, within bounds, and keys for what is to come again. */
#include "detector/message_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "detector/worker.h"
#include "state/pending.h"

enum {
    MOST_ROWS = 1000,
    MOST_ALERT_BYTES = 8 << 20,
};

/* As if it had not matched yet, so that it comes again. */
static void take_refused(message_feed *f, alert *a)
{
    message_rows_take_unmatched(f, a);
    f->record.judged = PENDING_NEVER_JUDGED;
}

/* Its incident is known: it is written once, for all who want it. */
static bool write_alert(message_feed *f, alert *a)
{
    buffer *out = &f->worker->alert;

    buffer_clear(out);
    if (alert_write(a, out))
        f->seen.bounded |= BOUND_TEXT;
    a->written = buffer_text(out);
    f->handed_on++;
    f->bytes += a->written.length;
    f->out_of_memory |= buffer_failed(out);
    return !buffer_failed(out);
}

/* To the sink, once; what was handed on before comes along for the message's tag alone. */
static void hand_on(message_feed *f, alert *a)
{
    stream *s = f->worker->detector->stream;
    bool is_new = stream_claim(s, &f->worker->stream, a, f->judgement.now);
    bool handed_on = write_alert(f, a);

    if (!is_new) {
        f->seen.rows += !f->is_late;
        f->seen.duplicates += !f->is_late;
        if (!f->is_late && handed_on)
            f->sink(f->arg, a);
        return;
    }
    handed_on = handed_on && f->sink(f->arg, a);
    stream_settle(s, &f->worker->stream, a, handed_on);
    if (!handed_on)
        take_refused(f, a);
    f->seen.rows++;
    f->seen.degraded += a->degraded;
    f->seen.refused += !handed_on;
    f->refused |= !handed_on;
}

static bool is_over_bounds(message_feed *f)
{
    f->seen.bounded |= f->handed_on >= MOST_ROWS ? BOUND_ROWS : 0;
    f->seen.bounded |= f->bytes >= MOST_ALERT_BYTES ? BOUND_BYTES : 0;
    return (f->seen.bounded & (BOUND_ROWS | BOUND_BYTES)) != 0;
}

static text add_told(message_feed *f, text name)
{
    buffer *told = &f->worker->told;
    size_t begin = told->length;

    buffer_append_char(told, '\0');
    buffer_append(told, name);
    buffer_append_char(told, '\0');
    return text_from(buffer_text(told), begin);
}

/* So that a row which an overwritten member shows once more is not one more. */
static void note_told(message_feed *f, const alert *a)
{
    enum { MOST_BYTES = 1 << 14 };

    if (a->degraded || f->worker->told.length >= MOST_BYTES)
        return;
    add_told(f, a->target.upn);
    add_told(f, a->target.id);
}

/* Between two NUL bytes each: the target, and behind it its record. */
static void note_whole(message_feed *f, const alert *a)
{
    enum { MOST_BYTES = 1 << 16 };
    buffer *whole = &f->worker->whole;

    if (a->degraded || a->record->record_id.length == 0 || whole->length >= MOST_BYTES)
        return;
    for (int i = 0; i < 2; i++) {
        buffer_append_char(whole, '\0');
        buffer_append(whole, i == 0 ? a->target.upn : a->target.id);
        buffer_append_char(whole, '\0');
        buffer_append(whole, a->record->record_id);
        buffer_append_char(whole, '\0');
    }
}

/* The next item of `whole`. */
static text next_item(text *rest)
{
    const char *end = memchr(rest->bytes, '\0', rest->length);
    text item = text_between(rest->bytes, end != NULL ? end : rest->bytes + rest->length);

    *rest = text_from(*rest, item.length + (end != NULL));
    return item;
}

/* `id` stands between two NUL bytes, as each of the strings does. */
static bool shows_id(const message_feed *f, const audit_record *fragment, text id)
{
    if (fragment->record_id.length > 0)
        return text_equal(fragment->record_id, id);
    return f->flat_strings.length > 0 &&
           memmem(f->flat_strings.bytes, f->flat_strings.length, id.bytes - 1, id.length + 2);
}

bool message_rows_has_whole(message_feed *f, const audit_record *fragment,
                            const audit_target *target)
{
    text name = target->upn.length > 0 ? target->upn : target->id;
    text rest = buffer_text(&f->worker->whole);

    while (!buffer_failed(&f->worker->whole) && rest.length > 0) {
        text other, id;

        next_item(&rest);
        other = next_item(&rest);
        id = next_item(&rest);
        if (text_equal(other, name) && shows_id(f, fragment, id))
            return true;
    }
    return false;
}

bool message_rows_has_told(message_feed *f, const audit_target *target)
{
    buffer *told = &f->worker->told;
    size_t before = told->length;
    text name = add_told(f, target->upn.length > 0 ? target->upn : target->id);
    bool found =
        !buffer_failed(told) && memmem(told->bytes, before, name.bytes, name.length) != NULL;

    told->length = before;
    return found;
}

void message_rows_take_match(void *arg, alert *a)
{
    message_feed *f = arg;

    note_told(f, a);
    note_whole(f, a);
    if (!alert_give_id(a)) {
        f->out_of_memory = true;
        return;
    }
    a->late = f->is_late;
    if (f->worker->detector->stream != NULL) {
        if (is_over_bounds(f))
            f->out_of_memory |= !surplus_add(&f->worker->surplus, a, f->object);
        else
            hand_on(f, a);
        return;
    }
    f->seen.rows++;
    f->seen.degraded += a->degraded;
    f->seen.refused += !f->sink(f->arg, a);
}

enum { ROW_ID_SIZE = 24 + UUID_TEXT_SIZE };

/*
 * Its row's id names the record, and its time: it may come again with another, or with none. The
 * time stands first, so that names that come together stand together in the database's index.
 */
static text row_id_of(message_feed *f, alert *a)
{
    char id[ROW_ID_SIZE];

    f->out_of_memory |= !alert_give_id(a);
    snprintf(id, sizeof(id), "%" PRId64 " %s", a->time_generated, a->id);
    return arena_copy(f->worker->memory, text_of(id));
}

void message_rows_look_up(void *arg, plan_key key, text value)
{
    static const pending_key kinds[] = {
        [PLAN_KEY_UPN] = PENDING_UPN,
        [PLAN_KEY_OBJECT_ID] = PENDING_OBJECT_ID,
        [PLAN_KEY_WATCHLIST] = PENDING_WATCHLIST,
    };
    message_feed *f = arg;

    if (!f->is_late)
        pending_add_key(&f->worker->keys, kinds[key], value);
}

void message_rows_learn(void *arg, const role_change *change)
{
    message_feed *f = arg;

    if (f->is_late)
        return;
    stream_learn(f->worker->detector->stream, &f->worker->stream, change);
    f->seen.role_changes++;
}

void message_rows_take_unmatched(void *arg, alert *a)
{
    message_feed *f = arg;
    const stream *s = f->worker->detector->stream;

    if (f->unmatched++ == 0 && !f->is_late) {
        f->record = (pending_record){
            .row_id = row_id_of(f, a),
            .received = f->judgement.received,
            .expires = stream_expiry(s, a->time_generated, f->judgement.now),
            .judged = f->refused ? PENDING_NEVER_JUDGED : f->worker->change,
        };
        buffer_clear(&f->worker->rows);
    } else if (!f->is_late) {
        buffer_append(&f->worker->rows, row_id_of(f, a));
    }
}

/*
 * All the rows that wait name what is kept: another record that has some of them only must not
 * stand in for it.
 */
static void name_rows(message_feed *f)
{
    const buffer *rows = &f->worker->rows;
    text first = f->record.row_id;
    char digest[UUID_TEXT_SIZE], id[ROW_ID_SIZE];

    f->out_of_memory |= buffer_failed(rows) || first.bytes == NULL;
    if (rows->length == 0 || first.bytes == NULL)
        return;
    digest_uuid((text[]){first, buffer_text(rows)}, 2, digest);
    snprintf(id, sizeof(id), "%.*s%s", (int)(first.length - strlen(digest)), first.bytes, digest);
    f->record.row_id = arena_copy(f->worker->memory, text_of(id));
}

static void remember_text(message_feed *f, const buffer *record)
{
    detector_worker *w = f->worker;

    if (buffer_failed(&w->keys) || buffer_failed(record) || f->record.row_id.bytes == NULL) {
        f->out_of_memory = true;
        return;
    }
    f->record.keys = buffer_text(&w->keys);
    f->record.record = buffer_text(record);
    stream_remember(w->detector->stream, &w->stream, &f->record);
    detector_worker_remembered(w);
}

void message_rows_remember(message_feed *f, json *object)
{
    detector_worker *w = f->worker;

    name_rows(f);
    buffer_clear(&w->record);
    json_write_value(&w->record, object);
    remember_text(f, &w->record);
}

void message_rows_hand_on_surplus(message_feed *f)
{
    surplus *s = &f->worker->surplus;
    size_t unmatched = f->unmatched; /* of the last record */
    alert all;

    if (s->count == 0)
        return;
    all = surplus_alert(s);
    f->unmatched = 0;
    if (!f->out_of_memory && alert_give_id(&all))
        hand_on(f, &all);
    else
        f->out_of_memory = true;
    if (f->unmatched > 0 && !f->is_late && s->object.length > 0)
        remember_text(f, &s->object);
    f->seen.left |= f->unmatched > 0 && s->object.length == 0;
    f->unmatched = unmatched;
    surplus_clear(s);
    arena_reset(f->worker->memory);
}
