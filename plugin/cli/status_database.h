/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_database: what the state database tells of the role list and of
 * the actions that write to it.
 */
#ifndef SYNCTAP_STATUS_DATABASE_H
#define SYNCTAP_STATUS_DATABASE_H

#include "cli/status_report.h"
#include "rule/rule.h"
#include "state/heartbeat.h"

/* What is known of all actions, for the checks that come after. */
typedef struct status_facts {
    int64_t sync_accounts;
    int64_t identity_rows;
    int64_t identity_age; /* seconds; -1 without rows */
    int64_t process;      /* of the action that was heard last; 0: none */
    int64_t longest_message;
    char built_for[32];
    buffer actions; /* JSON objects, with commas */
    buffer feeds;   /* likewise */
} status_facts;

typedef struct status_run {
    status_report *report;
    const status_limits *limits;
    const rule *rule;
    const char *database;
    timestamp now;
    status_facts facts;
} status_run;

/* Opens it; NULL, and that is a finding, when it cannot be had. */
store *status_open_database(status_run *run);

void status_check_role_list(status_run *run, store *s);

/* Whether they live, get messages, keep up, and are in a configuration at all. */
void status_check_actions(status_run *run, store *s);

#endif
