/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rejudging: one round in which pending records are judged again.
 *
 * Whoever knows why they may match now (late_join, aging, watchlist_join)
 * finds them, and has them judged. At the end those go in which nothing is
 * left that could match.
 */
#ifndef SYNCTAP_REJUDGING_H
#define SYNCTAP_REJUDGING_H

#include "detector/detector.h"
#include "state/pending.h"
#include "state/role_list.h"
#include "state/store.h"
#include "state/stream.h"

/* What late joins work on; the caller's. The stream is attached to the store. */
typedef struct late_join_parts {
    const rule *rule;
    detector_worker *worker; /* the thread's own */
    stream *stream;
    store *store;
    role_list *list;
    const sync_accounts *accounts;
    int64_t change; /* the role list's that `accounts` stands for */
} late_join_parts;

typedef struct rejudging {
    late_join_parts parts;
    pending *pending;
    timestamp now;
    detector_sink *sink;
    void *arg;
    pending_ids found;
    pending_ids done; /* those with nothing left to match */
    bool failed;      /* memory is out, or store_error says why */
    bool refused;     /* an alert could not be handed on: all comes again */
    bool stopped;     /* so does it after a stop */
} rejudging;

rejudging rejudging_begin(const late_join_parts *parts, timestamp now, detector_sink *sink,
                          void *arg);

/* Frees what it found; it can be read on. */
void rejudging_end(rejudging *self);

/* Is the rest for another time? */
bool rejudging_must_end(const rejudging *self);

/* Finds those that wait under the account's UPN or its object id; a failure is noted. */
void rejudging_find_account(rejudging *self, text upn, text object_id);

/*
 * Judges those that were found, each once, in the order in which they came, with these accounts;
 * only those that came before that instant. Once the sink has refused an alert it is offered no
 * other. Then none are found any more.
 */
void rejudging_judge_found(rejudging *self, const sync_accounts *accounts, timestamp before);

/* Removes what is done with. False: store_error says why, or memory is out. */
bool rejudging_remove_done(rejudging *self);

#endif
