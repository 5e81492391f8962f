/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress: one line on a terminal that says how far long work is.
 *
 * Where standard error is no terminal, nothing is ever shown. It belongs to
 * whoever writes on standard error at that time: one thread, or a lock.
 */
#ifndef SYNCTAP_PROGRESS_H
#define SYNCTAP_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct progress {
    bool is_on;
    int width; /* of what is shown now, to be wiped */
    int64_t since;
    size_t bytes; /* at that time */
} progress;

/* How far one file is. */
typedef struct progress_state {
    const char *name;
    size_t done;
    size_t size;  /* 0: not known */
    size_t bytes; /* of all files' content, since the beginning */
} progress_state;

progress progress_begin(void);

/* Is it time to show something? At most twice a second; the first time after half a second. */
bool progress_is_due(const progress *self);
void progress_show(progress *self, const progress_state *state);

/* Leaves the line as it was, for other words or for the end. */
void progress_wipe(progress *self);

#endif
