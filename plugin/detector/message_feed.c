/* SPDX-License-Identifier: Apache-2.0 */
/* message_feed: objects are judged; what cannot be read as one, as a fragment. */
#include "detector/message_feed.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "detector/message_rows.h"
#include "detector/worker.h"
#include "dialect/own_alert.h"
#include "rule/flat_record.h"
#include "rule/fragment.h"

bool message_feed_must_stop(void *arg)
{
    const message_feed *f = arg;
    const detector_worker *w = f->worker;

    return w->must_stop != NULL && w->must_stop(w->must_stop_arg);
}

message_feed message_feed_begin(detector_worker *self, timestamp now, timestamp received,
                                detector_sink *sink, void *arg)
{
    const detector *d = self->detector;
    bool joins_late = d->stream != NULL && stream_joins_late(d->stream);

    buffer_clear(&self->flat);
    return (message_feed){
        .worker = self,
        .judgement =
            {
                .rule = d->rule,
                .accounts = self->accounts,
                .lists = self->lists,
                .now = now,
                .received = received,
                .collector = text_of(d->collector),
                .memory = self->memory,
                .parser = unwrap_parser(self->unwrap),
                .take_match = message_rows_take_match,
                .take_unmatched = joins_late ? message_rows_take_unmatched : NULL,
                .must_stop = message_feed_must_stop,
                .take_role = d->stream != NULL && rule_learns(d->rule) ? message_rows_learn : NULL,
                .look_up = joins_late ? message_rows_look_up : NULL,
            },
        .sink = sink,
        .arg = arg,
        .repeated_keys = json_parser_repeated_keys(unwrap_parser(self->unwrap)),
    };
}

/* Did the message's objects, or this one that came alone, have a key twice? */
static bool may_repeat_keys(const message_feed *f, json *object)
{
    return json_parser_repeated_keys(f->judgement.parser) > f->repeated_keys ||
           (f->is_part && json_repeats_a_key(object));
}

/* The hash of the text, if the ids of its rows are made of that, is made once. */
typedef struct text_feed {
    message_feed *feed;
    char content_hash[SHA256_TEXT_SIZE];
} text_feed;

static void judge_fragment(void *arg, fragment *found)
{
    text_feed *t = arg;
    message_feed *f = t->feed;
    alert a = judge_begin_row(&f->judgement, &found->record);

    a.target = found->target;
    a.matched_by = found->matched_by;
    a.degraded = true;
    if (message_rows_has_told(f, &a.target) || message_rows_has_whole(f, &found->record, &a.target))
        return;
    memcpy(a.content_hash, t->content_hash, sizeof(a.content_hash));
    if (judge_is_stale(&f->judgement, &a))
        return;
    judge_complete_row(&f->judgement, &a);
    message_rows_take_match(f, &a);
    memcpy(t->content_hash, a.content_hash, sizeof(a.content_hash));
}

/* False when it does not matter: it holds no phrase. */
static bool judge_text(message_feed *f, text broken)
{
    detector_worker *w = f->worker;
    text_feed rows = {.feed = f};

    if (!gate_may_hold(w->detector->gate, broken))
        return false;
    f->out_of_memory |=
        !fragment_read(broken, f->flat_strings.length > 0, w->detector->rule, w->accounts,
                       f->judgement.now, w->memory, judge_fragment, &rows);
    return true;
}

/* The parts of a record that cannot be read are as undecodable as a whole one. */
static void judge_parts(message_feed *f)
{
    bool hides_rows = f->judgement.hidden.length > 0 && judge_text(f, f->judgement.hidden);

    if (f->judgement.over_limit) {
        f->seen.undecodable = true;
        f->seen.reason = "a pattern of the rule, or an array of a record, met its bound";
        f->judgement.over_limit = false;
    }
    if (!hides_rows && !f->judgement.has_broken_part)
        return;
    f->seen.undecodable = true;
    if (f->seen.reason == NULL)
        f->seen.reason = "a part of a record that should hold JSON cannot be read";
}

static void note_unread_time(message_feed *f)
{
    text t = f->judgement.unread_time;

    if (t.length > 0)
        snprintf(
            f->seen.unread_time, sizeof(f->seen.unread_time), "%.*s",
            (int)(t.length < sizeof(f->seen.unread_time) ? t.length : sizeof(f->seen.unread_time)),
            t.bytes);
    f->judgement.unread_time = (text)TEXT("");
    f->seen.unread_times = f->judgement.unread_times;
}

/* What a record's text shows beyond its reading; `reason` is told if that is a row. */
static void judge_record_text(message_feed *f, text record, const char *reason)
{
    size_t rows = f->seen.rows;

    judge_text(f, record);
    arena_reset(f->worker->memory);
    if (f->seen.rows == rows)
        return;
    f->seen.undecodable = true;
    if (f->seen.reason == NULL)
        f->seen.reason = reason;
}

static void judge_as_fragment(message_feed *f, json *object, const char *reason)
{
    buffer *written = &f->worker->record;

    buffer_clear(written);
    json_write_value(written, object);
    f->out_of_memory |= buffer_failed(written);
    judge_record_text(f, buffer_text(written), reason);
}

/* Is it a record as far as one can see, but of no shape that can be read, or with targets of none?
 */
static bool is_flat_record(const message_feed *f, audit_result reading, json *object)
{
    const rule *r = f->worker->detector->rule;

    if (reading == AUDIT_UNKNOWN)
        return flat_record_shows_operation(object, r);
    if (f->judgement.is_bare)
        return true;
    return reading == AUDIT_RECORD && !f->judgement.shows_target &&
           flat_record_shows_target(object) && flat_record_shows_operation(object, r);
}

/* Strings of its own, one of which may be its id; those of records in it are theirs. */
static void write_strings(json *object, buffer *out)
{
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    buffer_append_char(out, '\0');
    while (json_next_member(&all, &key, &value)) {
        if (json_kind_of(value) != JSON_STRING)
            continue;
        buffer_append(out, json_string(value));
        buffer_append_char(out, '\0');
    }
}

/* A text behind its length, which is known when the text is there. */
static void put_length(buffer *out, size_t begin)
{
    size_t length = out->length - begin - sizeof(length);

    if (!buffer_failed(out))
        memcpy(out->bytes + begin, &length, sizeof(length));
}

static size_t begin_text(buffer *out)
{
    size_t begin = out->length, none = 0;

    buffer_append(out, (text){(const char *)&none, sizeof(none)});
    return begin;
}

static text next_text(text *rest)
{
    size_t length;
    text t;

    memcpy(&length, rest->bytes, sizeof(length));
    t = (text){rest->bytes + sizeof(length), length};
    *rest = text_from(*rest, sizeof(length) + length);
    return t;
}

static void judge_flat_record(message_feed *f, text record)
{
    f->object = NULL;
    buffer_clear(&f->worker->told);
    judge_record_text(f, record,
                      "no audit record in it is of a known form, but it shows an operation and a "
                      "sync account");
}

static void judge_flat_records(message_feed *f)
{
    text rest = buffer_text(&f->worker->flat);
    size_t refused = f->seen.refused;

    f->judgement.arg = f;
    while (!f->out_of_memory && rest.length > 0 && !message_feed_must_stop(f)) {
        f->flat_strings = next_text(&rest);
        judge_flat_record(f, next_text(&rest));
    }
    f->flat_strings = (text)TEXT("");
    f->seen.left |= rest.length > 0 || f->seen.refused > refused;
    buffer_clear(&f->worker->flat);
}

/*
 * It waits for the message's end: a whole record of the same rows may follow, or stand in it. In
 * what shows too many there are other worries than a row that is told twice.
 */
static void keep_flat_record(message_feed *f, json *object)
{
    enum { MOST_BYTES = 1 << 24 };
    buffer *flat = &f->worker->flat;
    size_t begin = begin_text(flat);

    write_strings(object, flat);
    put_length(flat, begin);
    begin = begin_text(flat);
    json_write_value(flat, object);
    put_length(flat, begin);
    f->out_of_memory |= buffer_failed(flat);
    if (flat->length > MOST_BYTES)
        judge_flat_records(f);
}

unwrap_kind message_feed_judge(message_feed *f, json *object)
{
    size_t rows = f->seen.rows;
    audit_result reading;

    f->judgement.arg = f;
    f->object = object;
    f->unmatched = 0;
    buffer_clear(&f->worker->keys);
    buffer_clear(&f->worker->told);
    if (own_alert_is(object) || alert_is_part(object))
        return UNWRAP_OWN_ALERT;
    reading = judge_record(&f->judgement, object);
    if (f->unmatched > 0 && !f->is_late && !f->judgement.stopped)
        message_rows_remember(f, object);
    note_unread_time(f);
    if (!f->is_late)
        judge_parts(f);
    arena_reset(f->worker->memory);
    if ((reading == AUDIT_RECORD || reading == AUDIT_OTHER_KIND) && !f->is_late &&
        may_repeat_keys(f, object))
        judge_as_fragment(f, object, "a key stands twice in an object of it");
    else if (f->seen.rows == rows && !f->is_late && is_flat_record(f, reading, object))
        keep_flat_record(f, object);
    return judge_kind(reading, f->seen.rows > rows || f->judgement.shows_target);
}

void message_feed_judge_broken(void *arg, text broken, const char *reason)
{
    message_feed *f = arg;
    size_t refused = f->seen.refused;
    bool matters;

    f->object = NULL;
    buffer_clear(&f->worker->told);
    matters = judge_text(f, broken);
    f->seen.left |= f->seen.refused > refused; /* there is no record to remember */
    arena_reset(f->worker->memory);
    if (matters && !f->seen.undecodable)
        f->seen.reason = reason;
    f->seen.undecodable |= matters;
    f->seen.is_part |= matters && reason == UNWRAP_PART;
}

void message_feed_note_unwrapped(message_feed *f, const unwrapped *found)
{
    judge_flat_records(f);
    message_rows_hand_on_surplus(f);
    f->seen.records = found->records;
    f->seen.broken = found->broken;
    if (f->seen.reason == NULL)
        f->seen.reason = found->reason;
    f->seen.stale = f->judgement.stale;
    f->seen.left |= found->stopped || f->judgement.stopped;
    if (f->out_of_memory || f->judgement.out_of_memory || found->out_of_memory) {
        f->seen.out_of_memory = true;
        f->seen.undecodable = true;
        f->seen.reason = "out of memory";
    }
}

void message_feed_add_seen(message_feed *f, detection *seen)
{
    judge_flat_records(f);
    message_rows_hand_on_surplus(f);
    seen->bounded |= f->seen.bounded;
    seen->candidate |= f->seen.rows > 0 || f->unmatched > 0 || f->seen.undecodable;
    seen->rows += f->seen.rows;
    seen->duplicates += f->seen.duplicates;
    seen->degraded += f->seen.degraded;
    seen->refused += f->seen.refused;
    seen->stale += f->judgement.stale;
    seen->role_changes += f->seen.role_changes;
    seen->undecodable |= f->seen.undecodable;
    if (seen->reason == NULL)
        seen->reason = f->seen.reason;
    seen->unread_times += f->seen.unread_times;
    if (f->seen.unread_time[0] != '\0')
        memcpy(seen->unread_time, f->seen.unread_time, sizeof(seen->unread_time));
    if (f->out_of_memory || f->judgement.out_of_memory) {
        seen->undecodable = true;
        seen->reason = "out of memory";
    }
}
