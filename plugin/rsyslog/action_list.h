/* SPDX-License-Identifier: Apache-2.0 */
/*
 * action_list: the actions of one module in one configuration, in the order of its file.
 *
 * rsyslog reads a configuration (`rsyslogd -N1` too), checks it, activates
 * it, and at the end frees it before the actions in it. All in one thread.
 */
#ifndef SYNCTAP_ACTION_LIST_H
#define SYNCTAP_ACTION_LIST_H

#include "rsyslog/rsyslog_module.h"

typedef struct action_list action_list;

/* The first member of a module's struct for an action; all zero: in no list. */
typedef struct listed_action {
    action_list *list;
    struct listed_action *next; /* in the order of the file; NULL at the end */
} listed_action;

struct action_list {
    rsconf_t *conf;
    listed_action *first; /* NULL: there are none */
    unsigned count;       /* that were ever added */
};

/*
 * Begins the all-zero list of a configuration. *loading is the list that
 * actions go into while a configuration is read: it becomes this one, unless
 * it is one of the same configuration already. That is so at a second module()
 * line, which rsyslog refuses and whose list it never checks.
 */
void action_list_begin(action_list *self, rsconf_t *conf, action_list **loading);

/* Before it is freed: its actions, which outlive it, are in no list any more. */
void action_list_end(action_list *self, action_list **loading);

/* Appends, so that actions are numbered and told of in the order of the file. */
void action_list_add(action_list *self, listed_action *action);

/* Takes it out, if it is in one: an action of a ruleset that is refused is freed before the check.
 */
void action_list_forget(listed_action *action);

#endif
