/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alert_queue: alert messages, handed to a ruleset's own queue.
 *
 * An alert is never dropped while rsyslogd runs: a full queue holds the
 * caller back. Set up while the configuration loads; then any thread may put.
 */
#ifndef SYNCTAP_ALERT_QUEUE_H
#define SYNCTAP_ALERT_QUEUE_H

#include "rsyslog/rsyslog_module.h"

#include "base/json.h"
#include "msg.h"
#include "rsyslog/stop.h"

typedef struct alert_queue alert_queue;

/* What alert messages look like. The strings are the caller's and outlive the queue. */
typedef struct alert_style {
    const char *tag;
    int facility;
    int severity;
    const char *container; /* without the $: "!synctap" */
} alert_style;

/* How alert_queue_put or alert_queue_try went. */
typedef enum alert_put {
    ALERT_PUT,
    ALERT_PUT_HELD_BACK, /* it is in the queue, but the queue was full at first */
    ALERT_REFUSED,       /* a stop, no memory, or no way to wait: it is for the next start */
    ALERT_NOT_NOW,       /* the queue is full or has not begun: alert_queue_try may come again */
} alert_put;

/*
 * Finds the ruleset for an action. NULL when there is none of that name, it
 * has no queue of its own, or memory is out; said in the log, in the way of
 * a wrong parameter. The caller frees it; `action` and `end` outlive it.
 */
alert_queue *alert_queue_find(const action_label *action, rsconf_t *conf, const char *ruleset,
                              const alert_style *style, stop *end);
void alert_queue_free(alert_queue *self);

/*
 * Says, once, that the message came from the queue that alerts go to. A NULL queue is allowed. For
 * a worker's first message: the mistake is told before the first alert, which may be a year away.
 */
void alert_queue_look_at_place(alert_queue *self, const smsg_t *message);

/*
 * Hands on an alert: its text, and the tree for its container, which becomes
 * the queue's whatever happens. Host name and reception time are the
 * original's, which stays as it is. Waits while the queue is full; at a stop
 * half a second more, all calls together, and not at all where the queue may
 * have ended before its caller. Who empties the queue himself does not wait.
 */
alert_put alert_queue_put(alert_queue *self, smsg_t *original, text alert, json *tree);

/*
 * The same for an alert without a message at hand: its host is this one, its
 * reception now. At a full queue it waits no longer than queue.timeoutEnqueue
 * (2 s, if it is not set).
 */
alert_put alert_queue_try(alert_queue *self, text alert, json *tree);

#endif
