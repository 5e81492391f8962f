/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing_malloc: an allocation that fails on demand.
 *
 * It stands in the place of malloc and its kin for the whole program, the
 * libraries too, and counts for each thread by itself.
 */
#ifndef SYNCTAP_TESTS_SWEEP_FAILING_MALLOC_H
#define SYNCTAP_TESTS_SWEEP_FAILING_MALLOC_H

#include <stdbool.h>

/* From now on the nth allocation of this thread (from 1) fails; if it lasts, all after it too. */
void failing_malloc_begin(long nth, bool lasts);

/* No more do. True when one did. */
bool failing_malloc_end(void);

/* In between nothing fails and nothing is counted; may be nested. */
void failing_malloc_pause(void);
void failing_malloc_resume(void);

/* How many blocks this thread has taken and not given back. */
long failing_malloc_live(void);

#endif
