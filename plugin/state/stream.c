/* SPDX-License-Identifier: Apache-2.0 */
/* stream: memory for the workers, a journal behind it, the database behind that. */
#include "state/stream.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/digest.h"
#include "state/action_row.h"
#include "state/alert_log.h"
#include "state/seen.h"
#include "state/stream_entry.h"

enum {
    DRAIN_STEPS = 4,          /* segments of one look: a second's work or two */
    LEAST_DRAIN_STEPS = 1,    /* at a start, which messages wait for, and at a stop */
    EXPIRY_PERIOD = 60,       /* seconds between two clean-ups of what is in memory */
    PRUNE_PERIOD = 5,         /* seconds between two looks for what the database may forget */
    PRUNE_STEPS = 20,         /* transactions of one such look */
    HAND_OVER_TIME = 10,      /* seconds after which a tagged message has surely been passed on */
    DAYS_WITHOUT_END = 14,    /* what is remembered when the lookback has no end */
    DAYS_OF_AN_INCIDENT = 30, /* it is kept so long after its last alert */
};

struct stream {
    const rule *rule;
    stream_options options;
    char *action;
    journal *journal;
    journal *unconfirmed; /* alerts of tags that may not have been passed on yet; in memory */
    seen *seen;
    incidents *incidents;
    atomic_ullong lost;
    atomic_bool must_stop;

    /* The keeper's. */
    store *store;
    bool is_loaded; /* what the store knows is in memory */
    action_row row;
    pending *pending;
    alert_log *log;
    learned_roles *learned;
    bool has_due;      /* among the pending; true when in doubt */
    timestamp expired; /* when what is in memory was looked through */
    timestamp pruned;
    uint64_t dropped;
    uint64_t unreadable;
    char last_unreadable[64];
};

static bool make_parts(stream *self)
{
    self->action = strdup(self->options.action);
    self->journal = journal_open(self->options.journal);
    self->unconfirmed = journal_open(NULL);
    self->seen = seen_new();
    self->incidents = incidents_new(&self->options.incidents);
    return self->action && self->journal && self->unconfirmed && self->seen && self->incidents;
}

stream *stream_new(const rule *r, const stream_options *options)
{
    stream *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    self->options = *options;
    atomic_init(&self->lost, 0);
    atomic_init(&self->must_stop, false);
    if (make_parts(self))
        return self;
    stream_free(self);
    return NULL;
}

static void write_unconfirmed(stream *self, timestamp now);

void stream_free(stream *self)
{
    if (self == NULL)
        return;
    if (self->unconfirmed != NULL && self->journal != NULL)
        write_unconfirmed(self, INT64_MAX);
    stream_detach(self);
    journal_close(self->journal);
    journal_close(self->unconfirmed);
    seen_free(self->seen);
    incidents_free(self->incidents);
    free(self->action);
    free(self);
}

void stream_scratch_free(stream_scratch *self)
{
    buffer_free(&self->key);
    buffer_free(&self->alert);
    buffer_free(&self->entry);
}

bool stream_joins_late(const stream *self)
{
    return self->options.latejoin;
}

timestamp stream_expiry(const stream *self, timestamp generated, timestamp now)
{
    timespan lookback = rule_get_lookback(self->rule);

    if (generated > now + TICKS_PER_DAY)
        generated = now;
    return lookback > 0 ? generated + lookback : now + DAYS_WITHOUT_END * TICKS_PER_DAY;
}

/* --- for workers --- */

static void append(stream *self, journal *where, const buffer *entry)
{
    if (buffer_failed(entry) || journal_append(where, buffer_text(entry)) == JOURNAL_LOST)
        atomic_fetch_add(&self->lost, 1);
}

/* The mark of a tag's alert is unconfirmed until its message has surely been passed on. */
static void append_sent(stream *self, stream_scratch *scratch, const sent_alert *sent)
{
    stream_entry_write_sent(&scratch->entry, sent);
    append(self, self->options.tag_is_all ? self->unconfirmed : self->journal, &scratch->entry);
}

/*
 * A record without a time is generated anew each time it comes, so its rows
 * stay inside the lookback for longer than those that alerted. 0: it does not.
 */
static timestamp prolong(stream *self, const alert *a)
{
    timestamp expires = stream_expiry(self, a->time_generated, a->detected_at);

    if (rule_get_lookback(self->rule) <= 0 || !seen_prolong(self->seen, a->id, expires))
        return 0; /* without a lookback nothing leaves it: then it is the first alert that counts */
    return expires;
}

/* Its incident counts it; not when it is only looked at again for the sake of its other rows. */
static void note_repeat(stream *self, stream_scratch *scratch, const alert *a)
{
    sent_alert sent = {.expires = prolong(self, a), .detected_at = a->detected_at};

    if (!a->late)
        sent.incident = a->incident;
    if (sent.expires == 0 && sent.incident.id[0] == '\0')
        return;
    memcpy(sent.id, a->id, sizeof(sent.id));
    append_sent(self, scratch, &sent);
}

bool stream_claim(stream *self, stream_scratch *scratch, alert *a, timestamp now)
{
    a->incident = (alert_incident){0};
    a->duplicate = seen_claim_id(self->seen, a->id, now) == SEEN_BEFORE;
    if (a->duplicate) {
        incidents_look_up(self->incidents, a, &scratch->key);
        note_repeat(self, scratch, a);
    } else {
        incidents_join(self->incidents, a, &scratch->key);
    }
    return !a->duplicate;
}

static void write_sent(stream *self, stream_scratch *scratch, const alert *a, timestamp expires)
{
    sent_alert sent = {
        .expires = expires,
        .detected_at = a->detected_at,
        .incident = a->incident,
        .window = self->options.incidents.window,
        .key = buffer_text(&scratch->key),
    };

    memcpy(sent.id, a->id, sizeof(sent.id));
    if (a->incident.id[0] != '\0')
        sent.alert = alert_text(a, &scratch->alert);
    append_sent(self, scratch, &sent);
}

void stream_settle(stream *self, stream_scratch *scratch, const alert *a, bool handed_on)
{
    timestamp expires = stream_expiry(self, a->time_generated, a->detected_at);

    if (!handed_on) {
        incidents_leave(self->incidents, a);
        seen_give_up(self->seen, a->id);
        return;
    }
    write_sent(self, scratch, a, expires);
    seen_keep(self->seen, a->id, expires);
}

void stream_remember(stream *self, stream_scratch *scratch, const pending_record *record)
{
    stream_entry_write_pending(&scratch->entry, record);
    append(self, self->journal, &scratch->entry);
}

void stream_learn(stream *self, stream_scratch *scratch, const role_change *change)
{
    stream_entry_write_role(&scratch->entry, change);
    append(self, self->journal, &scratch->entry);
}

bool stream_keep_message(stream *self, stream_scratch *scratch, text message, timestamp received)
{
    char id[UUID_TEXT_SIZE], name[sizeof(PENDING_MESSAGE) + sizeof(id)];

    if (self->options.tag_is_all)
        return false;
    digest_uuid((text[]){message, {(const char *)&received, sizeof(received)}}, 2, id);
    snprintf(name, sizeof(name), PENDING_MESSAGE "%s", id);
    stream_remember(self, scratch,
                    &(pending_record){
                        .row_id = text_of(name),
                        .received = received,
                        .expires = received + DAYS_WITHOUT_END * TICKS_PER_DAY,
                        .judged = PENDING_NEVER_JUDGED,
                        .record = message,
                    });
    return true;
}

/* --- alerts that a tag hands on --- */

typedef struct unconfirmed_reader {
    stream *stream;
    timestamp now;
} unconfirmed_reader;

/* Those that are not due go back behind the others. */
static bool write_unconfirmed_entry(void *arg, text bytes)
{
    unconfirmed_reader *r = arg;
    stream_entry entry = stream_entry_read(bytes);
    timespan age = r->now - entry.sent.detected_at;
    bool is_due = age >= HAND_OVER_TIME * TICKS_PER_SECOND || age < 0;

    if (journal_append(is_due ? r->stream->journal : r->stream->unconfirmed, bytes) == JOURNAL_LOST)
        atomic_fetch_add(&r->stream->lost, 1);
    return true;
}

static void write_unconfirmed(stream *self, timestamp now)
{
    unconfirmed_reader r = {self, now};

    if (journal_read(self->unconfirmed, write_unconfirmed_entry, &r) == JOURNAL_READ)
        journal_drop(self->unconfirmed);
}

/* --- for the keeper --- */

static bool open_tables(stream *self, store *s)
{
    if (!action_row_find(s, self->action, &self->row))
        return false;
    self->pending = pending_open(s, self->row.id);
    self->log = alert_log_open(s, self->row.id);
    self->learned = learned_roles_open(s);
    return self->pending != NULL && self->log != NULL && self->learned != NULL;
}

void stream_detach(stream *self)
{
    pending_close(self->pending);
    alert_log_close(self->log);
    learned_roles_close(self->learned);
    self->pending = NULL;
    self->log = NULL;
    self->learned = NULL;
    self->store = NULL;
    self->is_loaded = false;
    self->has_due = true;
}

bool stream_is_attached(const stream *self)
{
    return self->is_loaded;
}

void stream_stop(stream *self)
{
    atomic_store(&self->must_stop, true);
}

bool stream_must_stop(const stream *self)
{
    return atomic_load(&self->must_stop);
}

/* A worker may have judged by an older role list than the others of its time were. */
static bool put_pending(stream *self, pending_record *record)
{
    record->is_due = record->judged != self->row.judged;
    self->has_due |= record->is_due;
    return pending_put(self->pending, record);
}

/* What is no entry is passed over: it would stand in the way of all others for good. */
static bool put_entry(void *arg, text bytes)
{
    stream *self = arg;
    stream_entry entry = stream_entry_read(bytes);

    switch (entry.kind) {
    case ENTRY_PENDING:
        return put_pending(self, &entry.pending);
    case ENTRY_SENT:
    case ENTRY_SENT_BEFORE:
        return alert_log_put(self->log, &entry.sent);
    case ENTRY_ROLE:
        store_forget_version(self->store); /* so that this is seen as a change */
        return learned_roles_put(self->learned, &entry.role);
    case ENTRY_UNKNOWN:
        break;
    }
    atomic_fetch_add(&self->lost, 1);
    return true;
}

/* One segment is one transaction. */
static journal_read_result drain_segment(stream *self)
{
    journal_read_result reading;

    if (!store_begin(self->store))
        return JOURNAL_FAILED;
    reading = journal_read(self->journal, put_entry, self);
    if (reading == JOURNAL_READ && store_commit(self->store)) {
        journal_drop(self->journal);
        return JOURNAL_READ;
    }
    if (reading == JOURNAL_READ)
        reading = JOURNAL_FAILED;
    store_rollback(self->store);
    pending_recount(self->pending);
    return reading;
}

/* At a stop, what is left is in its files for the next start. */
static bool drain(stream *self, int most_steps)
{
    journal_read_result reading = JOURNAL_READ;

    for (int step = 0; step < most_steps && reading == JOURNAL_READ; step++)
        reading = journal_has_entries(self->journal) ? drain_segment(self) : JOURNAL_EMPTY;
    return reading != JOURNAL_FAILED;
}

bool stream_drain(stream *self, timestamp now)
{
    write_unconfirmed(self, now);
    return drain(self, stream_must_stop(self) ? LEAST_DRAIN_STEPS : DRAIN_STEPS);
}

static bool open_store(stream *self, store *s)
{
    stream_detach(self);
    self->store = s;
    return open_tables(self, s);
}

/* All that earlier lives left must be in the database before it is loaded. */
static bool load(stream *self, timestamp now)
{
    if (!drain(self, LEAST_DRAIN_STEPS))
        return false;
    if (journal_backlog(self->journal) > 0)
        return true; /* with the next call */
    self->is_loaded = alert_log_load(self->log, now, self->seen, self->incidents);
    return self->is_loaded;
}

bool stream_attach(stream *self, store *s, timestamp now)
{
    if ((self->store == s || open_store(self, s)) && load(self, now))
        return true;
    store_keep_error(s);
    stream_detach(self);
    return false;
}

bool stream_refresh(stream *self, timestamp now)
{
    return alert_log_load_incidents(self->log, now, self->incidents);
}

pending *stream_pending(stream *self)
{
    return self->pending;
}

bool stream_has_due(const stream *self)
{
    return self->has_due;
}

int64_t stream_judged(const stream *self)
{
    return self->row.judged;
}

/* Twice the same does no harm: what was due may be judged again. */
bool stream_set_judged(stream *self, int64_t change)
{
    if (self->has_due && !pending_clear_due(self->pending))
        return false;
    self->has_due = false;
    return change == self->row.judged || action_row_set_judged(self->store, &self->row, change);
}

/* --- forgetting --- */

static void expire_memory(stream *self, timestamp now)
{
    if (now - self->expired < EXPIRY_PERIOD * TICKS_PER_SECOND && now >= self->expired)
        return;
    self->expired = now;
    seen_expire(self->seen, now);
    incidents_expire(self->incidents, now);
}

static bool remove_some(stream *self, timestamp now, int *removed)
{
    int expired, dropped, logged;

    if (!pending_prune(self->pending, now, &expired) ||
        !pending_bound(self->pending, self->options.most_pending, self->options.most_pending_bytes,
                       &dropped) ||
        !alert_log_prune(self->log, now, DAYS_OF_AN_INCIDENT * TICKS_PER_DAY, &logged))
        return false;
    self->dropped += (uint64_t)dropped;
    *removed = expired + dropped + logged;
    return true;
}

/* One small transaction; *removed is 0 when nothing was left to remove. */
static bool prune_step(stream *self, timestamp now, int *removed)
{
    *removed = 0;
    if (!store_begin(self->store))
        return false;
    if (remove_some(self, now, removed) && store_commit(self->store))
        return true;
    store_rollback(self->store);
    pending_recount(self->pending);
    return false;
}

static bool is_over_bound(const stream *self)
{
    return pending_is_over(self->pending, self->options.most_pending,
                           self->options.most_pending_bytes);
}

bool stream_prune(stream *self, timestamp now)
{
    int removed = 1;

    expire_memory(self, now);
    if (now - self->pruned < PRUNE_PERIOD * TICKS_PER_SECOND && now >= self->pruned &&
        !is_over_bound(self))
        return true;
    for (int step = 0; step < PRUNE_STEPS && removed > 0 && !stream_must_stop(self); step++)
        if (!prune_step(self, now, &removed))
            return false;
    if (removed == 0)
        self->pruned = now;
    return true;
}

bool stream_beat(stream *self, const heartbeat *beat, timestamp now)
{
    return self->is_loaded && heartbeat_write(self->store, self->row.id, beat, now);
}

void stream_note_unreadable(stream *self, text row_id)
{
    self->unreadable++;
    snprintf(self->last_unreadable, sizeof(self->last_unreadable), "%.*s", (int)row_id.length,
             row_id.bytes);
}

size_t stream_flush(stream *self)
{
    return journal_flush(self->journal);
}

stream_facts stream_read_facts(stream *self, timestamp now)
{
    stream_facts facts = {
        .pending = self->pending != NULL ? pending_count(self->pending) : 0,
        .open_incidents = incidents_count_open(self->incidents, now),
        .dropped = self->dropped,
        .lost = atomic_load(&self->lost),
        .journal_error = journal_error(self->journal),
        .journal_trouble = journal_read_trouble(self->journal),
        .has_backlog = journal_backlog(self->journal) > 1,
        .unreadable = self->unreadable,
    };

    memcpy(facts.last_unreadable, self->last_unreadable, sizeof(facts.last_unreadable));
    return facts;
}
