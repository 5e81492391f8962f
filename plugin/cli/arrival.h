/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arrival: when a record that stands in a file had arrived.
 *
 * The clock of a replay: Log Analytics' own column `_TimeReceived`, the time
 * stamp in front of a syslog line, else the latest time that any record so
 * far was generated at. One thread.
 */
#ifndef SYNCTAP_ARRIVAL_H
#define SYNCTAP_ARRIVAL_H

#include "base/json.h"
#include "base/timestamp.h"

/* A time, or none. */
typedef struct arrival {
    bool is_known;
    bool lacks_year; /* it is of a leap year long ago; the clock finds the right one */
    timestamp time;  /* meaningful when is_known */
} arrival;

/* Any time is later than none. */
static inline bool arrival_is_later(arrival a, arrival b)
{
    return a.is_known && (!b.is_known || a.time > b.time);
}

static inline void arrival_raise(arrival *latest, arrival to)
{
    if (arrival_is_later(to, *latest))
        *latest = to;
}

typedef struct arrival_clock {
    arrival latest;     /* that a record was generated at */
    timestamp now;      /* of the last record */
    timestamp earliest; /* of a record that does not say when it came */
} arrival_clock;

/*
 * The stamp in front of a line, if it has one: in the form of RFC 5424, of
 * RFC 3164 (without a year; the time is taken to be UTC), or an ISO 8601
 * time, as rsyslog writes files.
 */
arrival arrival_of_line(text line);

/* The object's own `_TimeReceived`, else the stamp of its line. */
arrival arrival_of_object(json *object, arrival of_line);

/*
 * `reference` is the time of what has none before any other has one; nothing that does not say
 * when it came had come before `earliest`.
 */
arrival_clock arrival_clock_begin(timestamp reference, timestamp earliest);

/*
 * Moves on to a record; `generated` is its own time. A stamp without a year
 * gets the one that brings it nearest to the clock. The clock's now.
 */
timestamp arrival_clock_move(arrival_clock *self, arrival arrived, arrival generated);

/* Takes note of a record that nothing else is to be known of. */
void arrival_clock_note(arrival_clock *self, arrival generated);

#endif
