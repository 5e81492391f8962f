/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message_feed: one message on its way through a detector, or one pending record that is
 * judged again.
 *
 * For the files of the detector alone. One thread: its worker's.
 */
#ifndef SYNCTAP_MESSAGE_FEED_H
#define SYNCTAP_MESSAGE_FEED_H

#include "detector/detector.h"
#include "rule/judge.h"
#include "state/pending.h"

typedef struct message_feed {
    detector_worker *worker;
    judgement judgement;
    detector_sink *sink;
    void *arg;
    bool is_late;
    json *object;          /* under judgement; NULL for a fragment */
    text flat_strings;     /* of a flat record under judgement, a NUL byte around each */
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

/* For what came at `received` and is judged at `now`; the worker has caught up. */
message_feed message_feed_begin(detector_worker *self, timestamp now, timestamp received,
                                detector_sink *sink, void *arg);

/* Must the message be left where it is? Takes a message_feed; also asked between the rows of a
 * record. */
bool message_feed_must_stop(void *arg);

/*
 * Judges an object. What it needed of the worker's arena is free again. Of two
 * members of one key the last counts; what the other shows is a row of lower
 * confidence.
 */
unwrap_kind message_feed_judge(message_feed *f, json *object);

/* Judges a stretch that could not be read, for that reason. Takes a message_feed. */
void message_feed_judge_broken(void *arg, text broken, const char *reason);

/* At the end of a whole message: what unwrapping it came to. */
void message_feed_note_unwrapped(message_feed *f, const unwrapped *found);

/* At the end of a part of a message: what it came to, added to what the others did. */
void message_feed_add_seen(message_feed *f, detection *seen);

#endif
