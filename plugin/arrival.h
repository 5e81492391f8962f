/*
 * arrival: when a record that stands in a file had arrived.
 *
 * The clock of a replay: Log Analytics' own column `_TimeReceived`, the time
 * stamp in front of a syslog line, else the latest time that any record so
 * far was generated at. One thread.
 */
#ifndef SYNCTAP_ARRIVAL_H
#define SYNCTAP_ARRIVAL_H

#include "json.h"
#include "timestamp.h"

/* A time, or none. */
typedef struct arrival {
    bool is_known;
    timestamp time; /* meaningful when is_known */
} arrival;

typedef struct arrival_clock {
    arrival latest; /* that a record was generated at */
    arrival stamp;  /* of the line under reading */
    timestamp now;  /* of the last record */
} arrival_clock;

/* `reference` is the time of what has none before any other has one. */
arrival_clock arrival_clock_begin(timestamp reference);

/*
 * A line begins; its stamp, if it has one, is that of its records. The forms
 * of RFC 5424, RFC 3164 (which has no year: it is taken to be the one nearest
 * to the clock, and the time UTC), and an ISO 8601 time, as rsyslog writes files.
 */
void arrival_clock_begin_line(arrival_clock *self, text line);

/* The object's own `_TimeReceived`, else the line's stamp. */
arrival arrival_of(const arrival_clock *self, json *object);

/* Moves on to a record; `generated` is its own time. The clock's now. */
timestamp arrival_clock_move(arrival_clock *self, arrival arrived, arrival generated);

#endif
