/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span: a duration as a person reads it. Pure; any thread.
 */
#ifndef SYNCTAP_SPAN_H
#define SYNCTAP_SPAN_H

#include "base/timestamp.h"

enum { SPAN_TEXT_SIZE = 48 };

/* "2 d 3 h", "5 min 20 s", "3 s", "0.2 s", "20 ms"; of two units the smaller one is cut off at its
 * whole number. Gives the result. */
const char *span_format(timespan span, char result[static SPAN_TEXT_SIZE]);

#endif
