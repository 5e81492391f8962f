/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account_history: what the role list says of one account, now and of the
 * last day. For the command line; one thread at a time.
 */
#ifndef SYNCTAP_ACCOUNT_HISTORY_H
#define SYNCTAP_ACCOUNT_HISTORY_H

#include <stdint.h>

#include "state/role_list.h"

/* In the place of when a version was superseded: it still stands. */
#define ACCOUNT_STILL_SO INT64_MAX

/*
 * Hands out the versions of the account of that UPN or that object id, in
 * whatever case; the one that was superseded first comes first, the one that
 * stands last. Either may be empty. False: store_error says why.
 */
bool account_history_each(store *s, text upn, text object_id, role_list_version_sink *sink,
                          void *arg);

#endif
