/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detector_parts: what detector.c (messages) and detector_tend.c (the state
 * database) share, and nobody else.
 */
#ifndef SYNCTAP_DETECTOR_PARTS_H
#define SYNCTAP_DETECTOR_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "detector/detector.h"
#include "gate/gate.h"
#include "record/unwrap.h"
#include "rule/judge.h"
#include "rule/sync_accounts.h"

/* An open database, and how far its role list has been read. */
typedef struct state {
    store *store;
    role_list *list;
    int64_t change;
} state;

struct detector {
    const rule *rule;
    gate *gate;
    char *collector;
    stream *stream; /* NULL: each message is judged alone */

    /* The snapshots. Workers take theirs under the lock when the generation has moved. */
    pthread_mutex_t publishing;
    atomic_ullong generation;
    carrier *rulebase;
    sync_accounts *accounts;
    int64_t change; /* the role list's that `accounts` stands for */

    pthread_mutex_t reading; /* guards what follows; never held while a message is judged */
    state state;
    role_list_facts facts;
    detector_worker *tender; /* judges pending records again */
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
    buffer record;
};

/* One message on its way, or one pending record that is judged again. */
typedef struct message_feed {
    detector_worker *worker;
    judgement judgement;
    detector_sink *sink;
    void *arg;
    bool is_late;
    bool refused;          /* the sink did not hand an alert on */
    size_t unmatched;      /* rows of the record under judgement */
    pending_record record; /* the first of them, as far as it is to be remembered */
    bool out_of_memory;
    detection seen;
} message_feed;

/* A message_feed for what came at `received` and is judged at `now`. */
message_feed detector_begin_feed(detector_worker *self, timestamp now, timestamp received,
                                 detector_sink *sink, void *arg);

/* Judges one object; what it needed of the worker's arena is free again. */
unwrap_kind detector_judge_object(message_feed *f, json *object);

#endif
