/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_report: what was looked at, and how it is. One thread.
 */
#ifndef SYNCTAP_STATUS_REPORT_H
#define SYNCTAP_STATUS_REPORT_H

#include <stdio.h>

#include "base/buffer.h"
#include "base/timestamp.h"
#include "cli/status_limits.h"

/* In the order of Nagios' exit statuses, which they are. */
typedef enum status_state { STATUS_OK, STATUS_WARNING, STATUS_BROKEN } status_state;

typedef struct status_report {
    struct status_finding {
        const char *check; /* a constant */
        status_state state;
        buffer words;
    } * findings;
    size_t count, room;
    bool failed; /* memory ran out */
} status_report;

void status_report_free(status_report *self);

/* Adds a finding, in printf's words. `check` must be a constant. */
void status_report_add(status_report *self, const char *check, status_state state,
                       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Where a value is against limits; a FREE one the other way round. */
status_state status_against(const status_limits *limits, status_limit which, int64_t value);

/* "2 h 5 min" of so many seconds, in a buffer of the caller's. */
const char *status_span(buffer *room, int64_t seconds);

/* "2 h 5 min ago", and "1 d in the future" where a clock was ahead, or is behind now. */
const char *status_ago(buffer *room, timestamp now, timestamp then);

/* The worst of all; without memory it is broken. */
status_state status_report_worst(const status_report *self);

/* "ok", "warning", "broken" */
const char *status_state_name(status_state state);

/* A line that sums up, as monitors show it, and a line for each finding, to the terminal's width.
 */
void status_report_print(const status_report *self, FILE *out);

/* Members of an object: a number; a time, or null for none. */
void status_write_number(buffer *out, const char *key, int64_t number);
void status_write_time(buffer *out, const char *key, timestamp t);

/* "checks": an array, a member of an object that the caller has begun. */
void status_report_write(const status_report *self, buffer *out);

#endif
