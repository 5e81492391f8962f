/* SPDX-License-Identifier: Apache-2.0 */
/*
 * time_search: the times of records that are not parsed.
 *
 * A replay's clock follows every record of an archive, but few are judged. Of the others only the
 * time is looked for: the value of a member whose name is that of a record's own time in one of
 * the shapes, wherever it stands in a line, also in JSON inside a string. A line that has
 * different ones is to be read, if it can move the clock: only a reading tells which counts. A
 * name that is itself written with \u escapes is not found; no encoder writes one. One thread.
 */
#ifndef SYNCTAP_TIME_SEARCH_H
#define SYNCTAP_TIME_SEARCH_H

#include "cli/arrival.h"

typedef struct time_search time_search;

/* NULL when memory is out. The caller frees it. */
time_search *time_search_new(void);
void time_search_free(time_search *self);

/*
 * Raises *latest to the latest of the times in a text of whole lines. Where a line has different
 * times, and one later than *latest by then, it goes no further: the offset of that line.
 * Otherwise t.length. Allocates nothing.
 */
size_t time_search_pass(time_search *self, text t, arrival *latest);

#endif
