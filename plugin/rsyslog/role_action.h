/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_action: an action of omidentityinfo: its parameters, its rulebase, its counters.
 *
 * The configuration's thread makes, checks and frees it; workers read it and
 * count, and any thread may have its rulebase read anew.
 */
#ifndef SYNCTAP_ROLE_ACTION_H
#define SYNCTAP_ROLE_ACTION_H

#include "rsyslog/rsyslog_module.h"

#include "record/carrier.h"
#include "rsyslog/action_list.h"
#include "rsyslog/stop.h"

/* What rsyslog gives for each message. */
typedef enum role_string { ROLE_MESSAGE, ROLE_RECEIVED, ROLE_STRINGS } role_string;

typedef enum role_counter {
    COUNTER_MESSAGES,
    COUNTER_ROWS,
    COUNTER_REJECTED,
    COUNTER_STATE_ERRORS,
    COUNTERS
} role_counter;

/* Begins all zero, by role_action_begin. */
typedef struct role_action {
    listed_action listed; /* its place in the configuration; first */
    action_label label;
    char *database;
    char *property;
    char *rulebase_path;
    carrier *rulebase; /* guarded by `reloading` when it is taken or replaced */
    pthread_mutex_t reloading;
    statsobj_t *statistics;
    intctr_t counters[COUNTERS];
    log_limit rejected_limit;
    log_limit database_limit;
    stop stop;
} role_action;

/* The first action of a list that holds no other kind; NULL: it is empty. */
static inline role_action *role_action_first(const action_list *actions)
{
    return (role_action *)actions->first;
}

/* The one behind it in its list; NULL at the end. */
static inline role_action *role_action_next(const role_action *self)
{
    return (role_action *)self->listed.next;
}

/* An all-zero one becomes one that can be freed. */
void role_action_begin(role_action *self);

/*
 * Reads the parameters of the next action of the list; what is wrong with
 * them is said in the log. Of `strings` it asks for the message and the time.
 */
rsRetVal role_action_take(role_action *self, struct nvlst *parameters, const action_list *actions,
                          omodStringRequest_t *strings);

/* Frees what it owns; not the struct, which no list may have any more. */
void role_action_end(role_action *self);

/* For the configuration's check: says in the log what is wrong, and is complete as far as it can
 * be. */
void role_action_check(role_action *self, rsconf_t *conf);

/* At HUP: reads the rulebase anew. */
void role_action_reload(role_action *self);

/* The rulebase in use, to be given back by carrier_unref; NULL: there is none. Any thread. */
carrier *role_action_take_rulebase(role_action *self);

/* Adds to a counter. Any thread. */
static inline void role_action_count(role_action *self, role_counter which, size_t how_many)
{
    count_up(&self->counters[which], how_many);
}

#endif
