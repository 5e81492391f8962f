/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_rescue: a state database that was deleted or damaged while programs
 * had it open. One thread at a time for a store; several processes may try
 * at once, then one of them does it.
 */
#ifndef SYNCTAP_STORE_RESCUE_H
#define SYNCTAP_STORE_RESCUE_H

#include "state/store.h"

/*
 * Writes a file that was deleted anew from what this store still has open,
 * if there is none at its path. The store goes on with the deleted one:
 * open the new one. False when that fails; *error is the caller's to free.
 */
bool store_restore(store *self, const char *path, char **error);

/*
 * Moves a damaged file aside, to PATH.damaged-TIME, makes a new one and
 * carries over what can be read of it. The new store, or NULL when that
 * fails; *error is the caller's to free. *moved_to, the caller's too, is
 * NULL when another process had done it already.
 */
store *store_replace_damaged(store *damaged, const char *path, char **moved_to, char **error);

#endif
