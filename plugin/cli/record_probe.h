/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record_probe: does a message hold an audit record, whatever it says?
 *
 * The rule looks at few messages; a file in which it found nothing may be
 * one of another kind altogether, which must be said. One thread.
 */
#ifndef SYNCTAP_RECORD_PROBE_H
#define SYNCTAP_RECORD_PROBE_H

#include "detector/detector.h"

typedef struct record_probe record_probe;

/* The worker, which is the caller's, outlives it. NULL when memory is out. */
record_probe *record_probe_new(detector_worker *worker);
void record_probe_free(record_probe *self);

/* In wide's reading. */
bool record_probe_finds(record_probe *self, text message);

#endif
