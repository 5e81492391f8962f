/* SPDX-License-Identifier: Apache-2.0 */
/*
 * incident_view: an incident as a person looks at it: its alerts by the
 * event's time, who did what to whom from where, and the targets' roles then
 * and now.
 *
 * Nothing in it was written by us but the times: whoever shows it makes the
 * texts fit for where they go. One thread.
 */
#ifndef SYNCTAP_INCIDENT_VIEW_H
#define SYNCTAP_INCIDENT_VIEW_H

#include "base/arena.h"
#include "base/json.h"
#include "rule/rule.h"
#include "state/alert_log.h"

enum { VIEW_SHORT_ID = 8 }; /* characters of an id that a person is shown, if they tell */

/* One alert. The texts are the tree's. */
typedef struct view_alert {
    json *tree;
    timestamp event;    /* time_generated */
    timestamp detected; /* detected_at */
    text id, operation, method, actor, actor_id, target, target_id, source;
    size_t actor_at, target_at, source_at; /* in the view's names */
    int64_t repeats; /* how often the same row came again, or to another action */
    bool is_late, is_degraded, is_cut;
    bool is_built_in; /* of the built-in rule, which is about security info */
} view_alert;

/* A name, and in how many of the alerts it stands. */
typedef struct view_name {
    text name;
    text id;         /* an account's, "" if no alert says it */
    bool stands_for; /* our words, where there is no name */
    size_t count;
    size_t first; /* the first alert that has it */
} view_name;

typedef struct view_names {
    view_name *names; /* in the order of the events */
    size_t count, room;
} view_names;

/* What the role list said of a target; the texts are the view's. */
typedef struct view_account {
    bool is_known; /* there is a row; else the rest means nothing */
    text upn, display_name;
    text roles, eligible; /* side by side, with commas; "": none */
    bool is_sync_account; /* by this row, whatever its age */
    timestamp time;       /* of the row */
} view_account;

typedef struct view_roles {
    view_account then, now;
    bool then_is_kept; /* what changed since the event is still known: a day's changes are kept */
} view_roles;

typedef struct incident_view {
    char id[UUID_TEXT_SIZE];
    const char *status; /* "open", "expired", "closed" */
    timestamp opened, last_alert, closed;
    timespan window;
    text key, first_alert, closed_reason, closed_by;
    text tenant;
    view_names actions; /* that have it */
    view_alert *alerts; /* by the event's time */
    size_t count, room;
    size_t unreadable; /* alerts that could not be read, and are missing */
    size_t late, degraded, repeats;
    text rule_id, rule_name, rule_version,
        severity; /* the first alert's, else the built-in rule's */
    view_names actors, targets, sources, operations;
    view_names reasons; /* of matched_by */
    view_roles *roles;  /* of each target, in the order of `targets`; NULL until they are read */

    arena *memory;
    json_parser *parser;
    bool failed; /* memory ran out, or the store did: store_error */
} incident_view;

/* "open", "expired" or "closed" at that instant. */
const char *incident_status(const incident_row *row, timestamp now);

/*
 * Reads the incident of that whole id, of all actions that have it, into an
 * empty (all zero) view. False: memory, or store_error. incident_view_free
 * must follow. A view without actions: there is no such incident.
 */
bool incident_view_read(incident_view *self, store *s, const char *id, timestamp now);

/* The same of one action's, whose row was read. */
bool incident_view_read_row(incident_view *self, store *s, const incident_row *row, timestamp now);

/* What the role list says of the targets. */
bool incident_view_read_roles(incident_view *self, store *s, const rule *r, timestamp now);

void incident_view_free(incident_view *self);

/* A name, else the id, else our own words: how an account is shown. */
text view_name_or_id(text name, text id);

/* The pass that an alert tells of. */
text view_pass(const view_alert *a, const char *member);

#endif
