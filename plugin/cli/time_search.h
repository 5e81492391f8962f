/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_search: the times of records that are not parsed.
 *
 * A replay's clock follows every record of an archive, but few are judged. Of the others only the
 * time is looked for: the value of a member whose name is that of a record's own time in one of
 * the shapes, wherever it stands in a line, also in JSON inside a string. Where a line has
 * different ones, only a reading tells which counts: such a line is read, if it can move the
 * clock. Most cannot, because a later one has moved it as far. A name that is itself written with
 * \u escapes is not found; no encoder writes one. One thread.
 */
#ifndef SYNCTAP_TIME_SEARCH_H
#define SYNCTAP_TIME_SEARCH_H

#include "cli/arrival.h"

typedef struct time_search time_search;

/*
 * A time behind latest_credible tells nothing of when its record came. NULL when memory is out. The
 * caller frees it.
 */
time_search *time_search_new(timestamp latest_credible);
void time_search_free(time_search *self);

/* The latest time of the records in a line, each of them credible. */
typedef arrival time_reader(void *arg, text line);

/*
 * Raises *latest to the latest time of the records in a text of whole lines. `read` is asked of as
 * few lines as tell it. Allocates nothing.
 */
void time_search_pass(time_search *self, text t, time_reader *read, void *arg, arrival *latest);

#endif
