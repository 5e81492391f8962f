/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_census: which accounts of the role list are sync accounts at an
 * instant, taken before and after a change, so that nobody leaves in silence.
 * One thread at a time.
 */
#ifndef SYNCTAP_SYNC_CENSUS_H
#define SYNCTAP_SYNC_CENSUS_H

#include "base/buffer.h"
#include "rule/rule.h"
#include "state/role_list.h"

typedef struct sync_census sync_census;

/* Those who left, some of them by name; all zero to begin with. */
typedef struct sync_loss {
    buffer names;
    size_t count;
} sync_loss;

void sync_loss_add(sync_loss *self, text upn);

/*
 * "2 accounts are no longer sync accounts: a@x, b@x; 3 -> 1", or nothing; it is empty then. False
 * when memory was out.
 */
bool sync_loss_write(sync_loss *self, size_t before, size_t after, buffer *out);

/* The accounts that the rule takes for sync accounts at `now`. NULL: store_error says why. */
sync_census *sync_census_take(role_list *list, const rule *r, timestamp now);
void sync_census_free(sync_census *self);

size_t sync_census_count(const sync_census *self);

/* sync_loss_write of those who are in the first and not in the second. */
bool sync_census_write_loss(const sync_census *before, const sync_census *after, buffer *out);

/*
 * Is it more than a role list loses in the run of things: all of them, or
 * more than half of at least three? That is how half a download looks.
 */
bool sync_census_is_suspicious(const sync_census *before, const sync_census *after);

#endif
