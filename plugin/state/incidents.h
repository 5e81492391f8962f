/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incidents: which alerts belong together, as Sentinel groups them.
 *
 * An incident takes alerts of one key until its window, which its first
 * alert opens, has passed, it is full, or somebody closed it; then the next
 * alert opens another. In memory; the database's copy is alert_log's. Any
 * thread; a lock that is held for a look-up alone.
 */
#ifndef SYNCTAP_INCIDENTS_H
#define SYNCTAP_INCIDENTS_H

#include "rule/alert.h"

typedef struct incidents incidents;

/* Which alerts share an incident; always of one tenant. */
typedef enum incident_matching {
    MATCHING_ANY_ALERT,    /* all */
    MATCHING_ALL_ENTITIES, /* those with the same target, actor and address */
    MATCHING_SELECTED,     /* those with the same target */
    INCIDENT_MATCHINGS
} incident_matching;

typedef struct incident_options {
    timespan window; /* 0: no incidents at all */
    incident_matching matching;
    unsigned most_alerts; /* of one incident */
} incident_options;

/* Sentinel's own: 24 h, AnyAlert, 150 alerts. */
extern const incident_options INCIDENTS_AS_IN_SENTINEL;

/* What a rule file says of its incidents; a file that says nothing leaves all as it is. */
void incidents_configure(incident_options *options, const rule_facts *facts);

/* "AnyAlert", "AllEntities" or "Selected", in any case; false when it is none. */
bool incident_matching_read(text word, incident_matching *matching);

/* An incident as it is known from elsewhere; the texts are views. */
typedef struct incident_facts {
    const char *id;
    text key;
    timestamp opened;
    unsigned alert_count;
    unsigned last_place; /* that one of its alerts has */
    const char *first_alert;
    bool is_closed;
} incident_facts;

/* NULL when memory is out. The caller frees it. */
incidents *incidents_new(const incident_options *options);
void incidents_free(incidents *self);

/*
 * Finds the alert its incident, or opens one, and tells the alert of it.
 * *key, which belongs to the caller's buffer, is what its alerts have in
 * common. Without memory the alert has no incident. The alert has its id.
 */
void incidents_join(incidents *self, alert *a, buffer *key);

/* The alert was not handed on after all: it does not count, and if it was the new one, the next is.
 */
void incidents_leave(incidents *self, const alert *a);

/* Tells an alert that was handed on before of its incident, if that still takes alerts. */
void incidents_look_up(incidents *self, alert *a, buffer *key);

/* Takes in an incident that was opened in another life, or closed elsewhere. */
bool incidents_put(incidents *self, const incident_facts *facts);

/* Forgets those that can take no alert any more. */
void incidents_expire(incidents *self, timestamp now);

/* How many take alerts at `now`, or are full within their window. */
size_t incidents_count_open(incidents *self, timestamp now);

#endif
