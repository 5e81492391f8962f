/* SPDX-License-Identifier: Apache-2.0 */
/* late_join: pending records, judged again when the role list has changed. */
#ifndef SYNCTAP_LATE_JOIN_H
#define SYNCTAP_LATE_JOIN_H

#include "detector/rejudging.h"

/*
 * Judges again what may match since the last time; each alert goes to the
 * sink. What could not be done is done with the next call: all is judged
 * again, and alerts once. False says store_error, or memory is out.
 */
bool late_join_run(const late_join_parts *parts, timestamp now, detector_sink *sink, void *arg);

#endif
