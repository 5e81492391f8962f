/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event_list: what stands in messages, for a replay, in its order.
 *
 * Taking messages apart is a replay's work, and needs no order: threads do
 * it, each with a reader of its own, into lists. Judging needs the order, and
 * few records. So a record that cannot matter leaves its time behind and no more.
 */
#ifndef SYNCTAP_EVENT_LIST_H
#define SYNCTAP_EVENT_LIST_H

#include "base/buffer.h"
#include "cli/arrival.h"
#include "detector/detector.h"
#include "files/input_file.h"

typedef enum event_kind {
    EVENT_TIME,       /* a record that nothing else is to be known of */
    EVENT_RECORD,     /* one of the role list, or one that may match; its JSON is the text */
    EVENT_BROKEN,     /* a stretch that could not be read and may show an operation */
    EVENT_UNREADABLE, /* the end of a message that could not be read as a whole */
} event_kind;

typedef struct event {
    event_kind kind;
    arrival arrived;
    arrival generated;
    text text;
    size_t line;   /* of an EVENT_RECORD and an EVENT_UNREADABLE */
    bool is_first; /* of its message */
    bool is_flat;  /* of no known shape: it comes behind the message's other records */

    /* of EVENT_UNREADABLE */
    const char *reason; /* a constant */
    bool is_certain;    /* false: only if one of its EVENT_BROKEN shows an operation */
} event;

/* All zero to begin with. One thread at a time. */
typedef struct event_list {
    event *events; /* their texts are offsets into `texts`: see event_list_at */
    size_t count;
    size_t room;
    buffer texts;
    arrival latest; /* time that a record was generated at */
    bool failed;    /* memory ran out: events are missing */
} event_list;

void event_list_free(event_list *self);

/* The n-th event (< count), alive as long as the list stays as it is. */
event event_list_at(const event_list *self, size_t n);

/* One for each thread; the detector and the rule outlive it. NULL when memory is out. */
typedef struct event_reader event_reader;

/*
 * keeps_early_times: the times of records that had arrived before they were generated stay events
 * of their own; else times that follow each other are one. A record's own time behind
 * latest_credible tells nothing of when it came.
 */
event_reader *event_reader_new(detector *d, const rule *r, bool keeps_early_times,
                               timestamp latest_credible);
void event_reader_free(event_reader *self);

/*
 * An input_file_finder for messages whose events are more than a time: what holds a phrase of the
 * rule's operations or of a role list's row. The latest time of what is passed over, which is
 * nothing but searched, becomes an event.
 */
size_t event_reader_find(event_reader *self, text t, line_run *lines, event_list *list);

/* Adds the events of a message. */
void event_reader_read(event_reader *self, const input_message *message, event_list *list);

/* Was there a record in it, of audit or of the role list? And something that could not be read? */
bool event_reader_has_read_record(const event_reader *self);
bool event_reader_has_read_trouble(const event_reader *self);

#endif
