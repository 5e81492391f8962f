/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seen: the ids of the alerts that were handed on, so that none goes out twice.
 *
 * An id is first claimed by who is about to hand the alert on; then it is
 * kept, until its row leaves the lookback, or given up. Who claims an id that
 * another thread has claimed waits until that one knows. Any thread; a lock
 * that is held for a look-up alone.
 */
#ifndef SYNCTAP_SEEN_H
#define SYNCTAP_SEEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/digest.h"
#include "base/timestamp.h"

typedef struct seen seen;

typedef enum seen_claim {
    SEEN_NEW,    /* claimed: seen_keep or seen_give_up must follow */
    SEEN_BEFORE, /* the alert was handed on before */
    SEEN_FAILED, /* memory is out: nothing is claimed, and the alert counts as new */
} seen_claim;

/* NULL when memory is out. The caller frees it. */
seen *seen_new(void);
void seen_free(seen *self);

/* Claims an id for the alert that is judged at `now`; an id that has expired is new. */
seen_claim seen_claim_id(seen *self, const char id[static UUID_TEXT_SIZE], timestamp now);

/* The alert was handed on: its id is kept until `expires`. */
void seen_keep(seen *self, const char id[static UUID_TEXT_SIZE], timestamp expires);

/* Keeps an id that is kept until then, if that is longer; false if it is not. */
bool seen_prolong(seen *self, const char id[static UUID_TEXT_SIZE], timestamp expires);

/* It was not. */
void seen_give_up(seen *self, const char id[static UUID_TEXT_SIZE]);

/* Puts an id that was kept in another life; false when memory is out. */
bool seen_put(seen *self, const char id[static UUID_TEXT_SIZE], timestamp expires);

/* Forgets what has expired; costs by what is there, so not for each message. */
void seen_expire(seen *self, timestamp now);

#endif
