/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_watcher: the thread that drives a keeper.
 *
 * It looks at the state database every quarter of a second: moves there what
 * was remembered, takes in what changed, sends the alerts of records that
 * match only now. It opens the database again when it was lost, and says in
 * the log when a trouble begins, changes or ends, not at each look.
 */
#ifndef SYNCTAP_STATE_WATCHER_H
#define SYNCTAP_STATE_WATCHER_H

#include "rsyslog/audit_statistics.h"

#include "detector/keeper.h"

typedef struct state_watcher state_watcher;

/* What a watcher works for; all of it outlives the watcher. */
typedef struct watched {
    const action_label *action;
    keeper *keeper;
    const char *database; /* NULL: there is none to watch */
    /* Counts failed looks and entries that were lost, and pending records over the bound. */
    audit_statistics *statistics;
    detector_sink *late;    /* takes late alerts, in the watcher's thread; never waits long */
    void (*ran)(void *arg); /* is called after each look, in the watcher's thread */
    void (*describe)(void *arg, heartbeat *beat); /* says what the action last did; likewise */
    const char *rule;    /* what it is called, and its semantics; until the start has returned */
    bool uses_role_list; /* the rule asks it */
    bool judges_names;   /* and can do without, by a target's name */
    /* Has the configuration an action of that name? NULL: another watcher tells of strangers. */
    bool (*has_action)(void *arg, const char *name);
    void *arg; /* of all of them */
} watched;

/* Opens the database and starts the thread; never before activateCnf. NULL when memory is out. */
state_watcher *state_watcher_start(const watched *what);

/* Has it look soon: there is something that others want to see in the database. Any thread. */
void state_watcher_wake(state_watcher *self);

/* Has the database opened anew, at HUP; does not wait for it. Any thread. NULL is allowed. */
void state_watcher_reopen(state_watcher *self);

/* Stops the thread and frees the watcher; NULL is allowed. */
void state_watcher_stop(state_watcher *self);

#endif
