/* SPDX-License-Identifier: Apache-2.0 */
/* late_join: pending records, judged again when the role list has changed. */
#ifndef SYNCTAP_LATE_JOIN_H
#define SYNCTAP_LATE_JOIN_H

#include "detector/detector.h"
#include "state/role_list.h"
#include "state/store.h"
#include "state/stream.h"

/* What it works on; the caller's. The stream is attached to the store. */
typedef struct late_join_parts {
    const rule *rule;
    detector_worker *worker; /* the thread's own */
    stream *stream;
    store *store;
    role_list *list;
    const sync_accounts *accounts;
    int64_t change; /* the role list's that `accounts` stands for */
} late_join_parts;

/*
 * Judges again what may match since the last time; each alert goes to the
 * sink. What could not be done is done with the next call: all is judged
 * again, and alerts once. False says store_error, or memory is out.
 */
bool late_join_run(const late_join_parts *parts, timestamp now, detector_sink *sink, void *arg);

/* --- rows that get too old --- */

/*
 * A row of the role list leaves a set when it gets older than the set's
 * window, and no message says so. Where that alone can make a record match,
 * an aging holds the accounts as they were known, and up to when it has been
 * seen which of their rows got too old.
 */
typedef struct aging aging;

/* For this rule; NULL when memory is out. The caller frees it. */
aging *aging_new(const rule *r);
void aging_free(aging *self);

/* The instant of the next row's end, or when it must be looked for; INT64_MAX: there is none. */
timestamp aging_next(const aging *self);

/*
 * Judges again what the rows' ends up to now have made match, each as of that
 * instant. Must come before newer accounts are taken. False as above.
 */
bool aging_run(aging *self, const late_join_parts *parts, timestamp now, detector_sink *sink,
               void *arg);

/* These accounts count from now on; not as long as something is left of older ones. */
void aging_take(aging *self, sync_accounts *accounts, timestamp now);

#endif
