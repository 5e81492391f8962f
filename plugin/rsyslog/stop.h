/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stop: has rsyslogd been told to end, and how long may a thread still go on?
 *
 * rsyslog asks its workers to end, and after a second and a half (by default)
 * cancels them. Whoever waits, or works for long, asks here instead: all of an
 * action's threads share one deadline, so that a stop is as long as the
 * longest of them, not as their sum.
 */
#ifndef SYNCTAP_STOP_H
#define SYNCTAP_STOP_H

#include "rsyslog/rsyslog_module.h"

/* One for each action; all zero to begin with. Any thread. */
typedef struct stop {
    _Atomic int64_t end; /* milliseconds of the monotonic clock; 0: rsyslogd is not known to stop */
} stop;

/* Before the first question: gets rsyslog's word for it. */
rsRetVal stop_use(void);

bool stop_is_asked(void);

/*
 * Half a second after somebody saw for the first time that rsyslogd stops, in
 * milliseconds of patience_clock(); 0 while it does not. Cheap.
 */
int64_t stop_deadline(stop *self);

/*
 * For what waits for another program, and is not lost by giving up: half a second later, while
 * rsyslog waits for its workers all the same.
 */
int64_t stop_last_wait(stop *self);

#endif
