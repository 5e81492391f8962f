/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_log: the alerts that an action handed on, and their incidents, in the
 * state database. One thread at a time.
 */
#ifndef SYNCTAP_ALERT_LOG_H
#define SYNCTAP_ALERT_LOG_H

#include "state/incidents.h"
#include "state/seen.h"
#include "state/store.h"

typedef struct alert_log alert_log;

/* An alert that was handed on; the texts are views. */
typedef struct sent_alert {
    char id[UUID_TEXT_SIZE];
    timestamp expires; /* when its row leaves the lookback */
    timestamp detected_at;
    alert_incident incident;
    timespan window; /* the incident's */
    text key;        /* the incident's */
    text alert;      /* its JSON */
} sent_alert;

/* An incident as it stands in the database; the texts live until the sink returns. */
typedef struct incident_row {
    const char *id;
    int64_t action_id;  /* whose it is */
    const char *action; /* the same by name */
    text key;
    timestamp opened;
    timespan window;
    timestamp last_alert;
    int64_t alert_count;
    const char *first_alert;
    bool is_closed;
    timestamp closed;   /* when, if it is */
    text closed_reason; /* as was said at that time; may be empty, and so may the next */
    text closed_by;
} incident_row;

/* An alert of an incident; its text lives until the sink returns. */
typedef struct incident_alert_row {
    text alert;      /* its JSON */
    int64_t repeats; /* how often its row came again since */
} incident_alert_row;

/* The alerts of an action. NULL: store_error says why. The store must outlive it. */
alert_log *alert_log_open(store *s, int64_t action);
void alert_log_close(alert_log *self);

/*
 * Within a transaction. An alert that is there already changes nothing. One with an incident and
 * without a text is a repeat: its alert in there, if there is one, counts it. False: store_error.
 */
bool alert_log_put(alert_log *self, const sent_alert *sent);

/* Puts what has not expired at `now` where workers look it up. False: store_error or memory. */
bool alert_log_load(alert_log *self, timestamp now, seen *ids, incidents *open);

/* The same for the incidents alone, which others may have closed. */
bool alert_log_load_incidents(alert_log *self, timestamp now, incidents *open);

/*
 * Removes some of the ids that have expired, and of the incidents without an
 * alert for `retention`; *removed says how many, 0 when none are left.
 */
bool alert_log_prune(alert_log *self, timestamp now, timespan retention, int *removed);

/* --- all actions' incidents, for the command line --- */

typedef void incident_sink(void *arg, const incident_row *row);
typedef void incident_alert_sink(void *arg, const incident_alert_row *row);

/* All incidents, or those of that id when it is not NULL; oldest first. False: store_error. */
bool incident_rows_each(store *s, const char *id, incident_sink *sink, void *arg);

/*
 * The alerts of an action's incident, in the order of their places. One that cannot be read is
 * left out. False: store_error, or memory is out.
 */
bool incident_rows_each_alert(store *s, int64_t action_id, const char *id,
                              incident_alert_sink *sink, void *arg);

/* Did an action hand on an alert of that id, and still remembers it? False: store_error. */
bool alert_was_sent(store *s, const char *id, bool *was_sent);

/* How an incident is closed; the texts may be empty. */
typedef struct incident_closing {
    timestamp at;
    text reason;
    text by;
} incident_closing;

/* Closes those of that id that are not; *closed says how many. False: store_error. */
bool incident_rows_close(store *s, const char *id, const incident_closing *closing, int *closed);

typedef void incident_id_sink(void *arg, const char *id);

/*
 * The ids that begin so, each once, at most `most` of them, oldest incident first; letters' case
 * does not matter. False: store_error.
 */
bool incident_ids_each(store *s, text beginning, int most, incident_id_sink *sink, void *arg);

#endif
