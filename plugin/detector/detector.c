/* SPDX-License-Identifier: Apache-2.0 */
/* detector: snapshots behind a lock that is held for a moment only, and the way of a message. */
#include "detector/detector.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "detector/surplus.h"
#include "gate/gate.h"
#include "rule/flat_record.h"
#include "rule/fragment.h"
#include "rule/judge.h"
#include "rule/own_alert.h"

enum {
    MOST_ROWS = 1000,
    MOST_ALERT_BYTES = 8 << 20,
};

struct detector {
    const rule *rule;
    gate *gate;
    char *collector;
    stream *stream; /* the keeper's; NULL: each message is judged alone */

    /* The snapshots. Workers take theirs under the lock when the generation has moved. */
    pthread_mutex_t publishing;
    atomic_ullong generation;
    carrier *rulebase;
    sync_accounts *accounts;
    int64_t change; /* the role list's that `accounts` stands for */
};

struct detector_worker {
    detector *detector;
    unsigned long long generation;
    carrier *rulebase;
    sync_accounts *accounts;
    int64_t change;
    gate_scratch *scratch;
    unwrap *unwrap;
    arena *memory;
    stream_scratch stream;
    buffer keys; /* of a record that is to be remembered */
    buffer rows; /* the ids of its rows that did not match, but for the first */
    buffer record;
    buffer alert; /* under way to the sink */
    buffer told;  /* names and ids of the exact rows of the object under judgement */
    surplus surplus;
    detector_stop *must_stop; /* NULL: never */
    void *must_stop_arg;
};

/* One message on its way, or one pending record that is judged again. */
typedef struct message_feed {
    detector_worker *worker;
    judgement judgement;
    detector_sink *sink;
    void *arg;
    bool is_late;
    json *object;          /* under judgement; NULL for a fragment */
    size_t handed_on;      /* rows, whether they had alerted before or not */
    size_t bytes;          /* of their alerts */
    bool refused;          /* the sink did not hand an alert on */
    size_t unmatched;      /* rows of the record under judgement */
    pending_record record; /* the first of them, as far as it is to be remembered */
    bool out_of_memory;
    bool is_part;         /* it is an object that came without its message */
    size_t repeated_keys; /* that the parser had met before the message */
    detection seen;
} message_feed;

static size_t append(text *list, size_t count, const text *more, size_t more_count)
{
    if (more_count > 0)
        memcpy(list + count, more, more_count * sizeof(text));
    return count + more_count;
}

/* Of a rule file: the texts of which one stands in each record that gives a row. */
static gate *make_plan_gate(const rule *r, const text *more, size_t more_count)
{
    const kql_literals *literals = rule_file_literals(plan_file(rule_get_plan(r)));
    text *phrases = calloc(literals->count + more_count + 1, sizeof(text));
    gate *result = NULL;
    size_t count;

    if (phrases != NULL) {
        count = append(phrases, 0, literals->all, literals->count);
        count = append(phrases, count, more, more_count);
        result = gate_new(phrases, count, rule_get_semantics(r));
    }
    free(phrases);
    return result;
}

/* Of all the phrases by which an operation can be told in the rule's semantics. */
gate *detector_make_gate(const rule *r, const text *more, size_t more_count)
{
    size_t operation_count, wide_count, count = 0;
    const text *operations = rule_get_list(r, RULE_OPERATIONS, &operation_count);
    const text *wide = rule_get_wide_list(r, RULE_OPERATIONS, &wide_count);
    text *phrases = calloc(operation_count + wide_count + more_count + 1, sizeof(text));
    gate *result = NULL;

    if (rule_get_plan(r) != NULL) {
        free(phrases);
        return make_plan_gate(r, more, more_count);
    }
    if (phrases != NULL) {
        count = append(phrases, count, operations, operation_count);
        count = append(phrases, count, wide, wide_count);
        count = append(phrases, count, more, more_count);
        result = gate_new(phrases, count, rule_get_semantics(r));
    }
    free(phrases);
    return result;
}

static bool make_parts(detector *self)
{
    self->gate = detector_make_gate(self->rule, NULL, 0);
    self->accounts = sync_accounts_new(rule_get_semantics(self->rule));
    return self->gate != NULL && self->accounts != NULL && detector_set_collector(self, "");
}

detector *detector_new(const rule *r)
{
    detector *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    pthread_mutex_init(&self->publishing, NULL);
    atomic_init(&self->generation, 1);
    if (make_parts(self))
        return self;
    detector_free(self);
    return NULL;
}

void detector_free(detector *self)
{
    if (self == NULL)
        return;
    gate_free(self->gate);
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    pthread_mutex_destroy(&self->publishing);
    free(self->collector);
    free(self);
}

const rule *detector_rule(const detector *self)
{
    return self->rule;
}

void detector_follow(detector *self, stream *s)
{
    self->stream = s;
}

bool detector_set_collector(detector *self, const char *host_name)
{
    char *copy = strdup(host_name);

    if (copy == NULL)
        return false;
    free(self->collector);
    self->collector = copy;
    return true;
}

bool detector_open_rulebase(detector *self, const char *path, char **error)
{
    carrier *opened = carrier_open(path, error);
    carrier *before;

    if (opened == NULL)
        return false;
    pthread_mutex_lock(&self->publishing);
    before = self->rulebase;
    self->rulebase = opened;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    carrier_unref(before);
    return true;
}

void detector_set_accounts(detector *self, sync_accounts *accounts, int64_t change)
{
    sync_accounts *before;

    pthread_mutex_lock(&self->publishing);
    before = self->accounts;
    self->accounts = sync_accounts_ref(accounts);
    self->change = change;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    sync_accounts_unref(before);
}

detector_worker *detector_worker_new(detector *d)
{
    detector_worker *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->detector = d;
    self->scratch = gate_scratch_new(d->gate);
    self->unwrap = unwrap_new();
    self->memory = arena_new();
    if (self->scratch != NULL && self->unwrap != NULL && self->memory != NULL)
        return self;
    detector_worker_free(self);
    return NULL;
}

void detector_worker_free(detector_worker *self)
{
    if (self == NULL)
        return;
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    gate_scratch_free(self->scratch);
    unwrap_free(self->unwrap);
    arena_free(self->memory);
    stream_scratch_free(&self->stream);
    buffer_free(&self->keys);
    buffer_free(&self->rows);
    buffer_free(&self->record);
    buffer_free(&self->alert);
    buffer_free(&self->told);
    surplus_free(&self->surplus);
    free(self);
}

void detector_worker_stop_when(detector_worker *self, detector_stop *must_stop, void *arg)
{
    self->must_stop = must_stop;
    self->must_stop_arg = arg;
}

/* Takes the newest snapshots if there are newer ones; else this is one load of a word. */
static void catch_up(detector_worker *self)
{
    detector *d = self->detector;

    if (atomic_load_explicit(&d->generation, memory_order_acquire) == self->generation)
        return;
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    pthread_mutex_lock(&d->publishing);
    self->rulebase = d->rulebase ? carrier_ref(d->rulebase) : NULL;
    self->accounts = sync_accounts_ref(d->accounts);
    self->change = d->change;
    self->generation = atomic_load(&d->generation);
    pthread_mutex_unlock(&d->publishing);
}

static void take_unmatched(void *arg, alert *a);
static void look_up(void *arg, plan_key key, text value);

/* --- a row --- */

/* As if it had not matched yet, so that it comes again. */
static void take_refused(message_feed *f, alert *a)
{
    take_unmatched(f, a);
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

/* By its name, or by its id where that is all there is. */
static bool is_told(message_feed *f, const audit_target *target)
{
    buffer *told = &f->worker->told;
    size_t before = told->length;
    text name = add_told(f, target->upn.length > 0 ? target->upn : target->id);
    bool found =
        !buffer_failed(told) && memmem(told->bytes, before, name.bytes, name.length) != NULL;

    told->length = before;
    return found;
}

static void take_match(void *arg, alert *a)
{
    message_feed *f = arg;

    note_told(f, a);

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

/* The keys under which a change of the role list finds the record again. */
static void add_keys(message_feed *f, const audit_target *target)
{
    buffer *keys = &f->worker->keys;
    text rest;

    pending_add_key(keys, PENDING_UPN, target->upn);
    pending_add_key(keys, PENDING_OBJECT_ID, target->id);
    if (rule_upn_before_deletion(target->upn, &rest))
        pending_add_key(keys, PENDING_UPN, rest);
}

/* Its row's id names the record, and its time: it may come again with another, or with none. */
static text row_id_of(message_feed *f, alert *a)
{
    char id[UUID_TEXT_SIZE + 24];

    f->out_of_memory |= !alert_give_id(a);
    snprintf(id, sizeof(id), "%s %" PRId64, a->id, a->time_generated);
    return arena_copy(f->worker->memory, text_of(id));
}

/* A row of a rule file waits for these values. */
static void look_up(void *arg, plan_key key, text value)
{
    message_feed *f = arg;

    if (!f->is_late)
        pending_add_key(&f->worker->keys, key == PLAN_KEY_UPN ? PENDING_UPN : PENDING_OBJECT_ID,
                        value);
}

static void take_unmatched(void *arg, alert *a)
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
        if (rule_get_plan(f->judgement.rule) == NULL)
            buffer_clear(&f->worker->keys);
        buffer_clear(&f->worker->rows);
    } else if (!f->is_late) {
        buffer_append(&f->worker->rows, row_id_of(f, a));
    }
    if (!f->is_late && rule_get_plan(f->judgement.rule) == NULL)
        add_keys(f, &a->target);
}

/*
 * All the rows that wait name what is kept: another record that has some of them only must not
 * stand in for it.
 */
static void name_rows(message_feed *f)
{
    const buffer *rows = &f->worker->rows;
    char id[UUID_TEXT_SIZE];

    f->out_of_memory |= buffer_failed(rows);
    if (rows->length == 0)
        return;
    digest_uuid((text[]){f->record.row_id, buffer_text(rows)}, 2, id);
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
}

/* A record of which some rows did not match: they may when the role list changes. */
static void remember(message_feed *f, json *object)
{
    detector_worker *w = f->worker;

    name_rows(f);
    buffer_clear(&w->record);
    json_write_value(&w->record, object);
    remember_text(f, &w->record);
}

/* At the message's end: one alert for the rows beyond its bounds. */
static void hand_on_surplus(message_feed *f)
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

/* --- a record --- */

/* Also between the rows of a record. */
static bool must_stop(void *arg)
{
    const message_feed *f = arg;
    const detector_worker *w = f->worker;

    return w->must_stop != NULL && w->must_stop(w->must_stop_arg);
}

/* For what came at `received` and is judged at `now`. */
static message_feed begin_feed(detector_worker *self, timestamp now, timestamp received,
                               detector_sink *sink, void *arg)
{
    const detector *d = self->detector;
    bool joins_late = d->stream != NULL && stream_joins_late(d->stream);

    return (message_feed){
        .worker = self,
        .judgement =
            {
                .rule = d->rule,
                .accounts = self->accounts,
                .now = now,
                .received = received,
                .collector = text_of(d->collector),
                .memory = self->memory,
                .parser = unwrap_parser(self->unwrap),
                .take_match = take_match,
                .take_unmatched = joins_late ? take_unmatched : NULL,
                .must_stop = must_stop,
                .look_up = joins_late ? look_up : NULL,
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
    if (is_told(f, &a.target))
        return;
    memcpy(a.content_hash, t->content_hash, sizeof(a.content_hash));
    if (judge_is_stale(&f->judgement, &a))
        return;
    judge_complete_row(&f->judgement, &a);
    take_match(f, &a);
    memcpy(t->content_hash, a.content_hash, sizeof(a.content_hash));
}

/* False when it does not matter: it holds no phrase, or is an alert of synctap's own. */
static bool judge_text(message_feed *f, text broken)
{
    detector_worker *w = f->worker;
    text_feed rows = {.feed = f};

    if (!gate_may_hold(w->detector->gate, w->scratch, broken) ||
        own_alert_begins(f->judgement.parser, broken))
        return false;
    f->out_of_memory |= !fragment_read(broken, w->detector->rule, w->accounts, f->judgement.now,
                                       w->memory, judge_fragment, &rows);
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

static void judge_as_fragment(message_feed *f, json *object, const char *reason)
{
    buffer *written = &f->worker->record;
    size_t rows = f->seen.rows;

    buffer_clear(written);
    json_write_value(written, object);
    f->out_of_memory |= buffer_failed(written);
    judge_text(f, buffer_text(written));
    arena_reset(f->worker->memory);
    if (f->seen.rows == rows)
        return;
    f->seen.undecodable = true;
    if (f->seen.reason == NULL)
        f->seen.reason = reason;
}

/* Is it a record as far as one can see, but of no shape that can be read, or with targets of none?
 */
static bool is_flat_record(const message_feed *f, audit_result reading, json *object)
{
    const rule *r = f->worker->detector->rule;

    if (reading == AUDIT_UNKNOWN)
        return flat_record_shows_operation(object, r);
    return reading == AUDIT_RECORD && !f->judgement.shows_target &&
           flat_record_shows_target(object) && flat_record_shows_operation(object, r);
}

static void judge_flat_record(message_feed *f, json *object)
{
    judge_as_fragment(
        f, object,
        "no audit record in it is of a known form, but it shows an operation and a sync account");
}

/*
 * What it needed of the worker's arena is free again. Of two members of one
 * key the last counts; what the other shows is a row of lower confidence.
 */
static unwrap_kind judge_object(message_feed *f, json *object)
{
    size_t rows = f->seen.rows;
    audit_result reading;

    f->judgement.arg = f;
    f->object = object;
    f->unmatched = 0;
    buffer_clear(&f->worker->keys);
    buffer_clear(&f->worker->told);
    if (own_alert_is(object) || alert_are_columns(object))
        return UNWRAP_OWN_ALERT;
    reading = judge_record(&f->judgement, object);
    if (f->unmatched > 0 && !f->is_late && !f->judgement.stopped)
        remember(f, object);
    note_unread_time(f);
    if (!f->is_late)
        judge_parts(f);
    arena_reset(f->worker->memory);
    if ((reading == AUDIT_RECORD || reading == AUDIT_OTHER_KIND) && !f->is_late &&
        may_repeat_keys(f, object))
        judge_as_fragment(f, object, "a key stands twice in an object of it");
    else if (f->seen.rows == rows && !f->is_late && is_flat_record(f, reading, object))
        judge_flat_record(f, object);
    return judge_kind(reading, f->seen.rows > rows || f->judgement.shows_target);
}

static unwrap_kind take_object(void *arg, json *object)
{
    return judge_object(arg, object);
}

/* --- a stretch that could not be read --- */

static void judge_broken(void *arg, text broken, const char *reason)
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

/* --- a message --- */

static void note_unwrapped(message_feed *f, const unwrapped *found)
{
    hand_on_surplus(f);
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

/* Apart, so that a message that the gate stops pays for none of its frame. */
static __attribute__((noinline)) detection feed_text(detector_worker *self, text message,
                                                     timestamp now, detector_sink *sink, void *arg)
{
    unwrap_sink takers = {NULL, take_object, judge_broken, must_stop};
    unwrapped found;
    message_feed f;

    catch_up(self);
    f = begin_feed(self, now, now, sink, arg);
    takers.arg = &f;
    found = unwrap_text(self->unwrap, self->rulebase, message, &takers);
    note_unwrapped(&f, &found);
    f.seen.candidate = true;
    return f.seen;
}

detection detector_feed(detector_worker *self, text message, timestamp now, detector_sink *sink,
                        void *arg)
{
    if (!gate_may_hold(self->detector->gate, self->scratch, message))
        return (detection){0};
    return feed_text(self, message, now, sink, arg);
}

size_t detector_find_candidate(detector_worker *self, text t)
{
    return gate_find(self->detector->gate, self->scratch, t);
}

detection detector_feed_tree(detector_worker *self, json *tree, timestamp now, detector_sink *sink,
                             void *arg)
{
    unwrap_sink takers = {NULL, take_object, judge_broken, must_stop};
    unwrapped found;
    message_feed f;

    catch_up(self);
    f = begin_feed(self, now, now, sink, arg);
    takers.arg = &f;
    found = unwrap_tree(self->unwrap, tree, &takers);
    note_unwrapped(&f, &found);
    f.seen.candidate = found.records > 0 || found.broken > 0;
    return f.seen;
}

bool detector_keep(detector_worker *self, text message, timestamp received)
{
    stream *s = self->detector->stream;

    return s != NULL && stream_keep_message(s, &self->stream, message, received);
}

/* What a message_feed of a part of a message came to, added to what the others did. */
static void add_seen(message_feed *f, detection *seen)
{
    hand_on_surplus(f);
    seen->bounded |= f->seen.bounded;
    seen->candidate |= f->seen.rows > 0 || f->unmatched > 0 || f->seen.undecodable;
    seen->rows += f->seen.rows;
    seen->duplicates += f->seen.duplicates;
    seen->degraded += f->seen.degraded;
    seen->refused += f->seen.refused;
    seen->stale += f->judgement.stale;
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

unwrapped detector_take_apart(detector_worker *self, text message, const unwrap_sink *sink)
{
    catch_up(self);
    return unwrap_text(self->unwrap, self->rulebase, message, sink);
}

unwrap_kind detector_feed_object(detector_worker *self, json *object, timestamp now,
                                 detector_sink *sink, void *arg, detection *seen)
{
    unwrap_kind kind;
    message_feed f;

    catch_up(self);
    f = begin_feed(self, now, now, sink, arg);
    f.is_part = true;
    kind = judge_object(&f, object);
    seen->records += kind == UNWRAP_RECORD || kind == UNWRAP_RECORD_WITHOUT_TARGETS;
    add_seen(&f, seen);
    return kind;
}

void detector_feed_broken(detector_worker *self, text broken, timestamp now, detector_sink *sink,
                          void *arg, detection *seen)
{
    message_feed f;

    catch_up(self);
    f = begin_feed(self, now, now, sink, arg);
    f.judgement.arg = &f;
    judge_broken(&f, broken, NULL);
    add_seen(&f, seen);
}

/* --- a pending record --- */

judged_again detector_judge_again(detector_worker *self, text record, timestamp received,
                                  const sync_accounts *accounts, timestamp now, detector_sink *sink,
                                  void *arg)
{
    json *object;
    size_t taken;
    message_feed f;

    /* Memory may have been out for a moment: what fails twice cannot be read. */
    if (json_parse(unwrap_parser(self->unwrap), record, &object, &taken) != NULL &&
        json_parse(unwrap_parser(self->unwrap), record, &object, &taken) != NULL)
        return (judged_again){.is_done = true, .is_unreadable = true};
    f = begin_feed(self, now, received, sink, arg);
    f.judgement.accounts = accounts;
    f.is_late = true;
    judge_object(&f, object);
    json_free(object);
    hand_on_surplus(&f);
    return (judged_again){
        .is_done = f.unmatched == 0 && !f.refused && !f.judgement.stopped,
        .refused = f.refused,
        .stopped = f.judgement.stopped,
        .out_of_memory = f.out_of_memory || f.judgement.out_of_memory,
    };
}

/* --- a message explained --- */

typedef struct explain_run {
    message_feed message_feed;
    detector_explainer *sink;
    void *arg;
} explain_run;

static unwrap_kind explain_object(void *arg, json *object)
{
    explain_run *e = arg;
    message_feed *f = &e->message_feed;
    const audit_reader reader = {f->worker->memory, unwrap_parser(f->worker->unwrap)};
    audit_record kql, wide;
    audit_result as_kql, reading;

    if (own_alert_is(object) || alert_are_columns(object))
        return UNWRAP_OWN_ALERT;
    as_kql = audit_record_read(object, SEMANTICS_KQL, &reader, &kql);
    reading = audit_record_read(object, SEMANTICS_WIDE, &reader, &wide);
    f->out_of_memory |= as_kql == AUDIT_OUT_OF_MEMORY || reading == AUDIT_OUT_OF_MEMORY;
    f->out_of_memory |= as_kql == AUDIT_RECORD && !audit_record_read_rest(&kql, &reader);
    f->out_of_memory |= reading == AUDIT_RECORD && !audit_record_read_rest(&wide, &reader);
    if (reading == AUDIT_RECORD)
        e->sink(e->arg, &(explanation){
                            .rule = f->worker->detector->rule,
                            .accounts = f->worker->accounts,
                            .now = f->judgement.now,
                            .record = &wide,
                            .kql = as_kql == AUDIT_RECORD ? &kql : NULL,
                            .memory = f->worker->memory,
                            .parser = unwrap_parser(f->worker->unwrap),
                        });
    audit_record_release(&kql);
    audit_record_release(&wide);
    arena_reset(f->worker->memory);
    return judge_object(f, object); /* for what of it cannot be read */
}

static bool count_row(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

static void explain_broken(void *arg, text broken, const char *reason)
{
    explain_run *e = arg;

    judge_broken(&e->message_feed, broken, reason);
}

detector_explained detector_explain(detector_worker *self, text message, timestamp now,
                                    detector_explainer *sink, void *arg)
{
    explain_run e = {.sink = sink, .arg = arg};
    const unwrap_sink takers = {&e, explain_object, explain_broken, NULL};
    unwrapped found;

    catch_up(self);
    e.message_feed = begin_feed(self, now, now, count_row, NULL);
    e.message_feed.judgement.arg = &e.message_feed;
    found = unwrap_text(self->unwrap, self->rulebase, message, &takers);
    note_unwrapped(&e.message_feed, &found);
    e.message_feed.seen.candidate = gate_may_hold(self->detector->gate, self->scratch, message);
    return (detector_explained){
        .detection = e.message_feed.seen,
        .by_rulebase = found.by_rulebase,
        .other_kinds = found.other_kinds,
        .shows_account = e.message_feed.seen.degraded > 0,
    };
}
