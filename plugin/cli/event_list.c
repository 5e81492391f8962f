/* SPDX-License-Identifier: Apache-2.0 */
/* event_list: objects on their way from a message into a list. */
#include "cli/event_list.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/room.h"
#include "cli/time_search.h"
#include "dialect/own_alert.h"
#include "files/line_scan.h"
#include "record/audit_record.h"
#include "record/identity_record.h"
#include "record/identity_shape.h"
#include "rule/flat_record.h"
#include "rule/judge.h"

struct event_reader {
    detector_worker *worker;
    gate *gate; /* of operations and of the role list */
    time_search *times;
    const rule *rule;
    bool keeps_early_times;
    timestamp latest_credible; /* a time behind it tells nothing of when a record came */
    json_parser *parser;
    arena *memory;
    buffer line_read; /* a copy */

    /* the message under reading */
    event_list *list;
    arrival stamp;
    size_t line;
    bool may_match;
    const char *reason; /* of the first stretch that shows an operation and could not be read */
    bool is_bare;       /* the last record: judge.h */
    bool has_record;
    bool has_trouble;
};

void event_list_free(event_list *self)
{
    free(self->events);
    buffer_free(&self->texts);
    *self = (event_list){0};
}

event event_list_at(const event_list *self, size_t n)
{
    event e = self->events[n];

    e.text.bytes = self->texts.bytes + (size_t)e.text.bytes;
    return e;
}

/* The event's text is what stands in `texts` behind `begin`. */
static void add(event_list *self, event e, size_t begin)
{
    self->failed |= buffer_failed(&self->texts) ||
                    !room_for_one_more(&self->events, sizeof(event), self->count, &self->room);
    if (self->failed)
        return;
    e.text = (text){(const char *)begin, self->texts.length - begin};
    self->events[self->count++] = e;
}

static bool make_search(event_reader *self)
{
    text names[IDENTITY_MOST_TELLING];

    self->gate = detector_make_gate(self->rule, names, identity_telling_names(names));
    self->times = time_search_new(self->latest_credible);
    return self->gate != NULL && self->times != NULL;
}

event_reader *event_reader_new(detector *d, const rule *r, bool keeps_early_times,
                               timestamp latest_credible)
{
    event_reader *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    *self = (event_reader){
        .worker = detector_worker_new(d),
        .rule = r,
        .keeps_early_times = keeps_early_times,
        .latest_credible = latest_credible,
        .parser = json_parser_new(JSON_MOST_DEPTH),
        .memory = arena_new(),
    };
    if (self->worker != NULL && self->parser != NULL && self->memory != NULL && make_search(self))
        return self;
    event_reader_free(self);
    return NULL;
}

void event_reader_free(event_reader *self)
{
    if (self == NULL)
        return;
    time_search_free(self->times);
    gate_free(self->gate);
    detector_worker_free(self->worker);
    json_parser_free(self->parser);
    arena_free(self->memory);
    buffer_free(&self->line_read);
    free(self);
}

/* --- objects --- */

static void add_record(event_reader *self, json *object, arrival arrived, arrival generated,
                       bool is_flat)
{
    buffer *texts = &self->list->texts;
    size_t begin = texts->length;

    json_write_value(texts, object);
    arrival_raise(&self->list->latest, generated);
    add(self->list,
        (event){EVENT_RECORD, .arrived = arrived, .generated = generated, .line = self->line,
                .is_flat = is_flat},
        begin);
}

/* Times between two records come to their latest. */
static void add_time(event_reader *self, arrival arrived, arrival generated)
{
    event_list *list = self->list;
    event *last = list->count > 0 ? &list->events[list->count - 1] : NULL;
    bool is_early = self->keeps_early_times && arrived.is_known && !arrived.lacks_year &&
                    generated.time > arrived.time;

    if (!generated.is_known || (self->keeps_early_times && !is_early))
        return;
    arrival_raise(&list->latest, generated);
    if (!is_early && last != NULL && last->kind == EVENT_TIME) {
        last->generated = generated.time > last->generated.time ? generated : last->generated;
        return;
    }
    add(list, (event){EVENT_TIME, .arrived = arrived, .generated = generated}, list->texts.length);
}

/* A record's own time, as far as it tells when the record came. */
static arrival time_told(const event_reader *self, timestamp time)
{
    return time <= self->latest_credible ? (arrival){.is_known = true, .time = time}
                                         : (arrival){.is_known = false};
}

/* The newest of the rows' own times; a role of Graph has its members' reception alone. */
static arrival newest_of(event_reader *self, identity_rows *rows)
{
    arrival newest = {0}, told;
    identity_record record;

    if (rows->layout.shape >= IDENTITY_GRAPH_ROLE)
        return newest;
    for (size_t n = 0; n < rows->count; n++) {
        if (identity_rows_read(rows, n, 0, self->memory, &record) == IDENTITY_RECORD) {
            told = time_told(self, record.time_generated);
            if (told.is_known && (!newest.is_known || told.time > newest.time))
                newest = told;
        }
        arena_reset(self->memory);
    }
    return newest;
}

/* What kind of object it is, and a record's own time. */
static unwrap_kind look_at(event_reader *self, json *object, arrival *generated)
{
    const audit_reader reader = {self->memory, self->parser};
    audit_record record;
    audit_result reading =
        audit_record_read(object, rule_get_semantics(self->rule), &reader, &record);
    bool is_one = reading == AUDIT_RECORD && judge_shows_target(&record, self->memory);

    self->is_bare = reading == AUDIT_RECORD && judge_is_bare(self->rule, &record, self->memory);
    if (reading == AUDIT_RECORD && record.has_time)
        *generated = time_told(self, record.time_generated);
    self->list->failed |= reading == AUDIT_OUT_OF_MEMORY;
    audit_record_release(&record);
    arena_reset(self->memory);
    return judge_kind(reading, is_one);
}

static bool is_record(unwrap_kind kind)
{
    return kind == UNWRAP_RECORD || kind == UNWRAP_RECORD_WITHOUT_TARGETS;
}

/* What an overwritten member holds is judged too, in whatever kind of record. */
static bool may_be_judged(const event_reader *self, unwrap_kind kind, json *object)
{
    switch (kind) {
    case UNWRAP_OTHER_KIND:
        return json_repeats_a_key(object);
    case UNWRAP_UNKNOWN:
        return flat_record_shows_operation(object, self->rule);
    default:
        return is_record(kind);
    }
}

/* As the detector has it: what a whole record of the message may tell better. */
static bool is_flat(const event_reader *self, unwrap_kind kind, json *object)
{
    if (kind != UNWRAP_RECORD_WITHOUT_TARGETS)
        return kind == UNWRAP_UNKNOWN;
    return self->is_bare ||
           (flat_record_shows_target(object) && flat_record_shows_operation(object, self->rule));
}

static unwrap_kind take_object(void *arg, json *object)
{
    event_reader *self = arg;
    arrival arrived = arrival_of_object(object, self->stamp), generated = {0};
    identity_rows rows;
    unwrap_kind kind;

    if (own_alert_is(object))
        return UNWRAP_OWN_ALERT;
    if (identity_rows_find(object, NULL, self->parser, &rows)) {
        self->has_record = true;
        add_record(self, object, arrived, newest_of(self, &rows), false);
        identity_rows_end(&rows);
        return UNWRAP_RECORD;
    }
    kind = look_at(self, object, &generated);
    self->has_record |= is_record(kind);
    if (self->may_match && may_be_judged(self, kind, object))
        add_record(self, object, arrived, generated, is_flat(self, kind, object));
    else if (is_record(kind))
        add_time(self, arrived, generated);
    return kind;
}

static bool may_match(event_reader *self, text t)
{
    return detector_is_candidate(self->worker, t);
}

static void take_broken(void *arg, text broken, const char *reason)
{
    event_reader *self = arg;
    buffer *texts = &self->list->texts;
    size_t begin = texts->length;

    if (!may_match(self, broken))
        return;
    if (self->reason == NULL)
        self->reason = reason;
    buffer_append(texts, broken);
    add(self->list, (event){EVENT_BROKEN, .arrived = self->stamp}, begin);
}

/* --- messages --- */

/* Takes the events for which is_flat is `wanted` from `from` to `to`; gives how many. */
static size_t pick(const event *from, size_t count, bool wanted, event *to)
{
    size_t picked = 0;

    for (size_t n = 0; n < count; n++)
        if (from[n].is_flat == wanted)
            to[picked++] = from[n];
    return picked;
}

/* A message's events, from `begin` on: what has no known shape goes behind what has one. */
static void put_flat_last(event_list *list, size_t begin)
{
    size_t count = list->count - begin;
    event *all, *flat;
    size_t shaped, last;

    if (list->failed || count == 0)
        return;
    all = list->events + begin;
    flat = malloc(count * sizeof(event));
    list->failed = flat == NULL;
    if (flat == NULL)
        return;
    last = pick(all, count, true, flat);
    shaped = pick(all, count, false, all);
    memcpy(all + shaped, flat, last * sizeof(event));
    all[0].is_first = true;
    free(flat);
}

/* Brackets in words around a record are no broken JSON; in a line of JSON they are. */
static void add_end(event_reader *self, const input_message *message, const unwrapped *found)
{
    bool is_json = message->text.bytes[0] == '{' || message->text.bytes[0] == '[';
    event e = {EVENT_UNREADABLE, .line = message->line};

    e.reason = message->trouble;
    e.is_certain = message->trouble != NULL;
    if (self->reason != NULL || (found->broken > 0 && is_json)) {
        e.reason = self->reason ? self->reason : found->reason;
        e.is_certain = is_json;
    } else if (!message->is_whole) {
        e.reason = "cut off";
        e.is_certain = true;
    }
    self->has_trouble = e.reason != NULL;
    if (e.reason != NULL)
        add(self->list, e, self->list->texts.length);
}

/* The events of its objects come into the list. */
static unwrapped take_apart(event_reader *self, text message, bool may_match, event_list *list)
{
    const unwrap_sink sink = {self, take_object, take_broken, NULL};
    unwrapped found;

    self->list = list;
    self->stamp = arrival_of_line(message);
    self->may_match = may_match;
    self->reason = NULL;
    self->has_record = false;
    found = detector_take_apart(self->worker, message, &sink);
    list->failed |= found.out_of_memory;
    return found;
}

void event_reader_read(event_reader *self, const input_message *message, event_list *list)
{
    size_t begin = list->count;
    unwrapped found;

    self->line = message->line;
    found = take_apart(self, message->text, may_match(self, message->text), list);
    put_flat_last(list, begin);
    add_end(self, message, &found);
}

/*
 * A time_reader. In such a line the gate has found nothing that is more than a time. It is copied:
 * in a view of a file it may change under the reader's eyes (file_view.h).
 */
static arrival read_times(void *arg, text line)
{
    event_reader *self = arg;
    event_list *list = self->list, alone = {0};
    arrival latest;

    buffer_clear(&self->line_read);
    buffer_append(&self->line_read, line);
    take_apart(self, buffer_text(&self->line_read), false, &alone);
    latest = alone.latest;
    self->list = list;
    list->failed |= alone.failed || buffer_failed(&self->line_read);
    event_list_free(&alone);
    return latest;
}

size_t event_reader_find(event_reader *self, text t, line_run *lines, event_list *list)
{
    size_t found = gate_find_in_lines(self->gate, t, lines);
    text passed = {t.bytes, found < lines->length ? line_scan_begin(t, found) : found};
    arrival latest = list->latest;

    self->list = list;
    time_search_pass(self->times, passed, read_times, self, &latest);
    if (arrival_is_later(latest, list->latest))
        add_time(self, (arrival){0}, latest);
    return found;
}

bool event_reader_has_read_record(const event_reader *self)
{
    return self->has_record;
}

bool event_reader_has_read_trouble(const event_reader *self)
{
    return self->has_trouble;
}
