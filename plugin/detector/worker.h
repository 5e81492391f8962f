/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: a thread's part of a detector, and the detector as its workers see it.
 *
 * For the files of the detector alone; what others may do with both is in
 * detector.h.
 */
#ifndef SYNCTAP_WORKER_H
#define SYNCTAP_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "detector/detector.h"
#include "detector/surplus.h"

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
    int64_t change;    /* the role list's that `accounts` stands for */
    watchlists *lists; /* NULL: the rule asks none */
    bool asks_again;   /* a record waits that older watchlists judged */
};

struct detector_worker {
    detector *detector;
    unsigned long long generation;
    carrier *rulebase;
    sync_accounts *accounts;
    int64_t change;
    watchlists *lists;
    unwrap *unwrap;
    arena *memory;
    stream_scratch stream;
    buffer keys; /* of a record that is to be remembered */
    buffer rows; /* the ids of its rows that did not match, but for the first */
    buffer record;
    buffer alert; /* under way to the sink */
    buffer told;  /* names and ids of the exact rows of the object under judgement */
    buffer whole; /* names of the message's exact rows, and the ids of their records */
    buffer flat;  /* the message's records of no known shape, each behind its length */
    surplus surplus;
    detector_stop *must_stop; /* NULL: never */
    void *must_stop_arg;
};

/* Takes the newest snapshots if there are newer ones; else this is one load of a word. */
void detector_worker_catch_up(detector_worker *self);

/*
 * The worker has remembered a record. If the watchlists were replaced since it judged that record,
 * the keeper may have looked through the waiting records already: this has it look again.
 */
void detector_worker_remembered(detector_worker *self);

#endif
