/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snapshot_stream: a snapshot of the role list that comes in messages,
 * between a marker that begins it and one that ends it.
 *
 * Its rows are put as they come, as any rows are. What it takes away, it
 * takes at its end, if as many rows came as the end says. Until then it
 * waits in the state database, so that it outlives a restart, and is part of
 * the transaction of the rows. One is open at a time. One thread at a time.
 */
#ifndef SYNCTAP_SNAPSHOT_STREAM_H
#define SYNCTAP_SNAPSHOT_STREAM_H

#include "base/buffer.h"
#include "rule/rule.h"
#include "state/role_list.h"

typedef struct snapshot_stream snapshot_stream;

/* A marker record: {"synctap_snapshot":"begin","id":X}, {..:"end","id":X,"rows":N}. */
typedef struct snapshot_marker {
    bool is_end;
    bool is_forced; /* "force":true at the end: it may take most sync accounts */
    text id;
    int64_t rows; /* -1: the end does not say */
    timestamp received;
} snapshot_marker;

typedef enum snapshot_end {
    SNAPSHOT_TAKEN,
    SNAPSHOT_LEFT,   /* nobody has lost a role; *words says why */
    SNAPSHOT_FAILED, /* store_error says why */
} snapshot_end;

/* NULL: store_error says why. Both, and the rule, must outlive it. */
snapshot_stream *snapshot_stream_open(store *s, role_list *list, const rule *r);
void snapshot_stream_close(snapshot_stream *self);

/*
 * At the beginning of each transaction of the list: the snapshot that is open
 * goes on. One that was begun more than a day ago is forgotten.
 */
bool snapshot_stream_resume(snapshot_stream *self, timestamp now);

/* A marker, within the transaction. What is to be told goes to `words`, which stays empty if
 * nothing is. A snapshot that begins takes the place of one that was not ended. */
snapshot_end snapshot_stream_mark(snapshot_stream *self, const snapshot_marker *marker,
                                  buffer *words);

#endif
