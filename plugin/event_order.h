/*
 * event_order: records put into the order of time, however many.
 *
 * A temporary database of SQLite's, which goes to disk when it grows. One
 * thread.
 */
#ifndef SYNCTAP_EVENT_ORDER_H
#define SYNCTAP_EVENT_ORDER_H

#include "arrival.h"

typedef struct event_order event_order;

/* A record, or a stretch of a message that could not be read; the text is a view. */
typedef struct event {
    timestamp at;    /* its place in time */
    arrival arrived; /* the stamp of the line in which it stood */
    bool is_broken;
    text text; /* a record's JSON, or the stretch */
} event;

/* NULL when memory is out. The caller frees it. */
event_order *event_order_new(void);
void event_order_free(event_order *self);

/* False, and event_order_error, when it cannot be kept. */
bool event_order_put(event_order *self, const event *e);

/* Takes an event, which lives until it returns; false ends the reading. */
typedef bool event_sink(void *arg, const event *e);

/* Hands out all in the order of time; those of one time as they were put. */
bool event_order_each(event_order *self, event_sink *sink, void *arg);

const char *event_order_error(const event_order *self);

#endif
