/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchlist_files: an action's parameters watchlist.NAME and
 * watchlist.NAME.key, one pair for each watchlist that its rule file asks.
 *
 * rsyslog knows no characters in a parameter's name but letters, digits, _ and
 * the point: any other one of a watchlist's name is written _.
 */
#ifndef SYNCTAP_WATCHLIST_FILES_H
#define SYNCTAP_WATCHLIST_FILES_H

#include "rsyslog/rsyslog_module.h"

#include "rule/rule.h"
#include "rule/watchlists.h"

/* All zero to begin with. The rule must outlive it. */
typedef struct watchlist_files {
    watchlist_source *all; /* the names are the rule's */
    size_t count;
} watchlist_files;

/*
 * Takes the parameters of that kind from an action's. False when one is missing, or is none of
 * the rule's; said in the log.
 */
bool watchlist_files_take(watchlist_files *self, const action_label *action, const rule *r,
                          struct nvlst *parameters);
void watchlist_files_free(watchlist_files *self);

/* Reads them, as watchlists_open does. */
watchlists *watchlist_files_read(const watchlist_files *self, const rule *r, char **error);

#endif
