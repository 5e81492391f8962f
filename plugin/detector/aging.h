/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aging: pending records, judged again when rows of the role list got too old.
 *
 * A row leaves a set when it gets older than the set's window, and no message
 * says so. Where that alone can make a record match, an aging holds the
 * accounts as they were known, and up to when it has been seen which of their
 * rows got too old.
 */
#ifndef SYNCTAP_AGING_H
#define SYNCTAP_AGING_H

#include "detector/rejudging.h"

typedef struct aging aging;

/* For this rule; NULL when memory is out. The caller frees it. */
aging *aging_new(const rule *r);
void aging_free(aging *self);

/* The instant of the next row's end, or when it must be looked for; INT64_MAX: there is none. */
timestamp aging_next(const aging *self);

/*
 * Judges again what the rows' ends up to now have made match, each as of that
 * instant. Must come before newer accounts are taken. False says store_error, or memory is
 * out.
 */
bool aging_run(aging *self, const late_join_parts *parts, timestamp now, detector_sink *sink,
               void *arg);

/* These accounts count from now on; not as long as something is left of older ones. */
void aging_take(aging *self, sync_accounts *accounts, timestamp now);

#endif
