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

#endif
