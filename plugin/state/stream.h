/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream: what a detector remembers from one message to the next.
 *
 * The schedule looked back a day, every hour; a stream sees each record
 * once. So it remembers which alerts were handed on (none goes out twice),
 * which incidents are open, and which records may match yet. Workers write to
 * a journal, never to the database; one thread, the keeper's, moves the journal
 * there. What workers look up is in memory.
 */
#ifndef SYNCTAP_STREAM_H
#define SYNCTAP_STREAM_H

#include "rule/rule.h"
#include "state/heartbeat.h"
#include "state/incidents.h"
#include "state/journal.h"
#include "state/learned_roles.h"
#include "state/pending.h"
#include "state/store.h"

typedef struct stream stream;

typedef struct stream_options {
    const char *action;  /* the name under which the database keeps what is remembered */
    const char *journal; /* the path of its segments; NULL: what is remembered ends with it */
    bool latejoin;
    bool tag_is_all; /* alerts are handed on by the message's tag alone, after it was judged */
    incident_options incidents;
    int64_t most_pending;       /* records; then the oldest go */
    int64_t most_pending_bytes; /* of them; the same */
} stream_options;

enum { STREAM_MOST_PENDING = 1000000, STREAM_MOST_PENDING_BYTES = 1 << 30 };

/* A worker's own buffers; all zero to begin with. */
typedef struct stream_scratch {
    buffer key;
    buffer alert;
    buffer entry;
} stream_scratch;

/* What there is to say of a stream. */
typedef struct stream_facts {
    int64_t pending;
    size_t open_incidents;
    uint64_t dropped;         /* pending records over a bound, so far */
    uint64_t unreadable;      /* pending records that were damaged, and dropped, so far */
    char last_unreadable[64]; /* the name of one */
    uint64_t lost;            /* entries that neither file nor memory took, so far */
    int journal_error;        /* errno of the journal's last failure; 0: it works */
    journal_trouble journal_trouble;
    bool has_backlog; /* the journal holds more than one update moves: another is due at once */
} stream_facts;

/* NULL when memory is out. The rule must outlive it; strings are copied. The caller frees it. */
stream *stream_new(const rule *r, const stream_options *options);
void stream_free(stream *self);
void stream_scratch_free(stream_scratch *self);

bool stream_joins_late(const stream *self);

/* --- for workers: any thread --- */

/*
 * Is the alert new? Then it has its incident, it is this thread's to hand
 * on, and stream_settle must follow with the same scratch. Otherwise
 * a->duplicate is true, and the incident is the newest that such alerts share, if one is known.
 */
bool stream_claim(stream *self, stream_scratch *scratch, alert *a, timestamp now);

/* Whether the alert was handed on. If so it is remembered, else it is as if it had never been. */
void stream_settle(stream *self, stream_scratch *scratch, const alert *a, bool handed_on);

/* Remembers a record that did not match, or not in all its rows. */
void stream_remember(stream *self, stream_scratch *scratch, const pending_record *record);

/* Remembers that somebody got a sync role, or lost one; comes to the keeper's next update. */
void stream_learn(stream *self, stream_scratch *scratch, const role_change *change);

/*
 * Remembers a message of which the judgement was stopped: it is due. False where no alert can be
 * handed on later.
 */
bool stream_keep_message(stream *self, stream_scratch *scratch, text message, timestamp received);

/* When what was generated at that time leaves the lookback; beyond now + 1 d counts as now. */
timestamp stream_expiry(const stream *self, timestamp generated, timestamp now);

/* --- for the keeper: one thread --- */

/* From now on each step for the tender ends as soon as it may. Any thread. */
void stream_stop(stream *self);
bool stream_must_stop(const stream *self);

/*
 * Takes a database: what was remembered in it is known from now on. What
 * earlier lives left in the journal goes there first; when that is more than
 * a look may move, another call goes on, and stream_is_attached says false
 * until then. False: store_error says why, and the stream has none. The store
 * must outlive it or be detached.
 */
bool stream_attach(stream *self, store *s, timestamp now);
void stream_detach(stream *self);
bool stream_is_attached(const stream *self);

/*
 * Moves the journal into the database, or so much of it as an update may take: what comes later
 * than its role list's change is judged again. False: store_error says why, it stays in the
 * journal.
 */
bool stream_drain(stream *self, timestamp now);

/* Takes in what others did to the incidents. */
bool stream_refresh(stream *self, timestamp now);

/* The pending records; NULL when not attached. */
pending *stream_pending(stream *self);

/* Are there some among them that are due, whatever the role list did? */
bool stream_has_due(const stream *self);

/* The role list's change up to which all that are not due were judged. */
int64_t stream_judged(const stream *self);
/* Within no transaction: all were judged up to that change, those that were due too. */
bool stream_set_judged(stream *self, int64_t change);

/* A pending record was damaged, and goes. */
void stream_note_unreadable(stream *self, text row_id);

/* Forgets what has expired, in small transactions. */
bool stream_prune(stream *self, timestamp now);

/* Says in the database that it lives. False: it is not attached, or store_error. */
bool stream_beat(stream *self, const heartbeat *beat, timestamp now);

/* Bytes of what is to be remembered that no file takes, before the end. */
size_t stream_flush(stream *self);

stream_facts stream_read_facts(stream *self, timestamp now);

#endif
