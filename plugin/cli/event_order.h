/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_order: records put into the order of time, however many.
 *
 * A temporary database of SQLite's, which goes to disk when it grows. One
 * thread.
 */
#ifndef SYNCTAP_EVENT_ORDER_H
#define SYNCTAP_EVENT_ORDER_H

#include "cli/event_list.h"

typedef struct event_order event_order;

/* NULL when memory is out. The caller frees it. */
event_order *event_order_new(void);
void event_order_free(event_order *self);

/* Keeps an event, which takes its place at that time. False: event_order_error. */
bool event_order_put(event_order *self, timestamp at, const event *e);

/* Takes an event, which lives until it returns; false ends the reading. */
typedef bool event_sink(void *arg, const event *e);

/* Hands out all in the order of time; those of one time as they were put. Their generated is not
 * kept of those with a text. */
bool event_order_each(event_order *self, event_sink *sink, void *arg);

const char *event_order_error(const event_order *self);

#endif
