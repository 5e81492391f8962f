/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchlist_join: pending records, judged again when watchlists were read anew.
 *
 * What a file held before is not kept, so all records count that a watchlist
 * decides over. At a start they are judged once: the files may have changed
 * while nothing ran.
 */
#ifndef SYNCTAP_WATCHLIST_JOIN_H
#define SYNCTAP_WATCHLIST_JOIN_H

#include "detector/rejudging.h"

typedef struct watchlist_join watchlist_join;

/* NULL when memory is out. The caller frees it. */
watchlist_join *watchlist_join_new(void);
void watchlist_join_free(watchlist_join *self);

/* The next run judges again whatever the lists are. */
void watchlist_join_forget(watchlist_join *self);

/*
 * Judges again what may match if these lists (NULL: there are none) are others than the last
 * time. What could not be done is done with the next call. False says store_error, or memory is
 * out.
 */
bool watchlist_join_run(watchlist_join *self, watchlists *lists, const late_join_parts *parts,
                        timestamp now, detector_sink *sink, void *arg);

#endif
