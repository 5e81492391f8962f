/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_feed: what each action of omidentityinfo last took, in the state
 * database, for who asks from outside whether the role list still comes.
 */
#ifndef SYNCTAP_ROLE_FEED_H
#define SYNCTAP_ROLE_FEED_H

#include "base/timestamp.h"
#include "state/store.h"

typedef struct role_feed {
    const char *name;   /* the action's */
    timestamp taken;    /* the last message with rows of a role list; 0: none */
    timestamp rejected; /* the last one without; 0: none */
    int64_t rejections; /* how many of those since the last one that was taken */
    const char *reason; /* of the last of them; "" */
} role_feed;

/* A message came: was it taken, and if not (NULL: it was), why? `reason` must live on. */
void role_feed_note(role_feed *self, timestamp now, const char *reason);

/* Adds what a batch noted to the action's row, within the batch's transaction. False: store_error.
 */
bool role_feed_write(store *s, const role_feed *batch);

/* Forgets one; *found: there was one. False: store_error. */
bool role_feed_drop(store *s, const char *name, bool *found);

typedef void role_feed_sink(void *arg, const role_feed *feed);

/* All of them by name, alive until the sink returns. False: store_error. */
bool role_feeds_each(store *s, role_feed_sink *sink, void *arg);

#endif
