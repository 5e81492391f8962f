/* SPDX-License-Identifier: Apache-2.0 */
/* learned_join: pending records, judged again when sync roles were learned from the stream. */
#ifndef SYNCTAP_LEARNED_JOIN_H
#define SYNCTAP_LEARNED_JOIN_H

#include "detector/rejudging.h"

typedef struct learned_join learned_join;

/* NULL when memory is out. The caller frees it. */
learned_join *learned_join_new(void);
void learned_join_free(learned_join *self);

/*
 * Judges again what may match by what parts->accounts have learned since the last time; at the
 * first time that is all they have. What could not be done is done with the next call. False says
 * store_error, or memory is out.
 */
bool learned_join_run(learned_join *self, const late_join_parts *parts, timestamp now,
                      detector_sink *sink, void *arg);

#endif
