/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_action: an action of mmsynctap, from the configuration's check to its end.
 *
 * It owns the detector that its workers share, the keeper of what they
 * remember, the watcher that drives that, and the queue that takes alerts. The
 * configuration's thread makes, checks, starts and frees it; between start and
 * end workers read it, and the watcher's thread has parts of its own.
 */
#ifndef SYNCTAP_AUDIT_ACTION_H
#define SYNCTAP_AUDIT_ACTION_H

#include "rsyslog/rsyslog_module.h"

#include "detector/detector.h"
#include "detector/keeper.h"
#include "rsyslog/action_list.h"
#include "rsyslog/alert_queue.h"
#include "rsyslog/audit_statistics.h"
#include "rsyslog/settings.h"
#include "rsyslog/state_watcher.h"
#include "rsyslog/stop.h"
#include "rsyslog/tag.h"

/* Begins all zero, by audit_action_begin. */
typedef struct audit_action {
    listed_action listed; /* its place in the configuration; first */
    settings settings;
    detector *detector;
    keeper *keeper;     /* the watcher's thread alone uses it, when it has begun */
    alert_queue *queue; /* NULL: alerts go nowhere but into tags */
    state_watcher *watcher;
    stop stop;
    tag_maker *late_tag; /* the watcher's thread alone uses it, and the next */
    buffer late_alert;
    audit_statistics statistics;
    char *journal;          /* path; NULL without one */
    size_t longest_message; /* bytes, as the configuration says */
    log_limit undecodable_limit;
    log_limit part_limit;
    log_limit wide_limit; /* of UTF-16 */
    log_limit bounded_limit;
    log_limit stale_limit;
} audit_action;

/* The first action of a list that holds no other kind; NULL: it is empty. */
static inline audit_action *audit_action_first(const action_list *actions)
{
    return (audit_action *)actions->first;
}

/* The one behind it in its list; NULL at the end. */
static inline audit_action *audit_action_next(const audit_action *self)
{
    return (audit_action *)self->listed.next;
}

/* An all-zero one becomes one that can be freed. */
void audit_action_begin(audit_action *self);

/*
 * Reads the parameters of the next action of the list, and makes what they
 * ask for. What is wrong with them is said in the log.
 */
rsRetVal audit_action_take(audit_action *self, struct nvlst *parameters,
                           const action_list *actions);

/* Frees what it owns, after its watcher has ended; not the struct, which no list may have any more.
 */
void audit_action_end(audit_action *self);

/*
 * For the configuration's check, when all its actions are read: says in the
 * log all that is wrong at once, and is complete as far as it can be.
 */
void audit_action_check(audit_action *self, const action_list *actions);

/* Starts to remember and to watch; for activateCnf, never before. */
void audit_action_start(audit_action *self);

/* At HUP: reads the rulebase anew, and has the database opened anew. */
void audit_action_reload(audit_action *self);

#endif
