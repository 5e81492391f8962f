/* SPDX-License-Identifier: Apache-2.0 */
/*
 * learned_roles: who got a sync role, or lost one, as the stream told, in the state database.
 *
 * For each principal and role the last gain and the last loss are kept, so
 * that it does not matter in which order the records come, or how often. The
 * role list's rows and snapshots say when a gain does not count any more:
 * that is asked when they are read. One thread at a time.
 */
#ifndef SYNCTAP_LEARNED_ROLES_H
#define SYNCTAP_LEARNED_ROLES_H

#include "record/role_change.h"
#include "rule/learned_accounts.h"
#include "state/store.h"

typedef struct learned_roles learned_roles;

/* NULL: store_error says why. The store must outlive it. */
learned_roles *learned_roles_open(store *s);
void learned_roles_close(learned_roles *self);

/* Within a transaction; what is new is a change of the role list. False: store_error says why. */
bool learned_roles_put(learned_roles *self, const role_change *change);

enum { LEARNED_ROLES_MOST = 10000 };

/*
 * Hands out what is kept, in the same order each time; of more than LEARNED_ROLES_MOST the last.
 * A gain is INT64_MIN where the role list knows better: by a row of the account that is stamped
 * more than 2 h later, which is as long as Sentinel needs to know of it, or by a snapshot. False:
 * store_error says why.
 */
bool learned_roles_each(learned_roles *self, learned_role_sink *sink, void *arg);

#endif
