/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_statistics: what impstats shows of an action of mmsynctap.
 *
 * Counters are raised by any thread. The gauges are set by the watcher alone,
 * after each of its looks; impstats reads them in its own thread, as it does
 * all counters.
 */
#ifndef SYNCTAP_AUDIT_STATISTICS_H
#define SYNCTAP_AUDIT_STATISTICS_H

#include "rsyslog/rsyslog_module.h"

#include <time.h>

#include "detector/keeper.h"

/* What impstats shows, in this order. */
typedef enum audit_counter {
    COUNTER_MESSAGES,
    COUNTER_BYTES,
    COUNTER_CANDIDATES,
    COUNTER_MATCHED,
    COUNTER_ALERTS,
    COUNTER_LATE_ALERTS,
    COUNTER_DUPLICATES,
    COUNTER_UNDECODABLE,
    COUNTER_DEGRADED_ALERTS,
    COUNTER_STALE,
    COUNTER_HELD_BACK,
    COUNTER_STATE_ERRORS,
    COUNTER_PENDING_DROPPED,
    COUNTER_CUT,
    COUNTER_PARTS_OF_RECORDS,
    COUNTER_UNREAD_TIMES,
    COUNTER_BOUNDED,
    COUNTERS
} audit_counter;

typedef struct audit_gauges {
    intctr_t sync_accounts;
    intctr_t identity_rows;
    int identity_age_seconds; /* of the newest row; -1 without rows */
    intctr_t pending;
    intctr_t open_incidents;
    intctr_t journal_bytes;
    int last_message_seconds; /* ago; -1 before the first, as for the next */
    int last_candidate_seconds;
} audit_gauges;

/*
 * When something last happened. Workers raise the flag, the watcher lowers it and looks at the
 * clock: no message has to. Unlike a counter it needs no impstats.
 */
typedef struct activity {
    bool flag;
    timestamp when; /* 0: never */
    time_t since;   /* of the monotonic clock */
} activity;

/* Begins all zero, but for what audit_statistics_clear sets. */
typedef struct audit_statistics {
    statsobj_t *object; /* NULL: it was not made */
    intctr_t counters[COUNTERS];
    audit_gauges gauges;
    activity messages, candidates;
    uint64_t troubles[TROUBLES];           /* for the heartbeat: by workers and the watcher */
    trouble_count told_troubles[TROUBLES]; /* the watcher's */
} audit_statistics;

/* Nothing has happened yet. */
void audit_statistics_clear(audit_statistics *self);

/* Has impstats show them, under the action's name, until audit_statistics_end. */
rsRetVal audit_statistics_begin(audit_statistics *self, const action_label *action);

/* NULL objects are allowed. */
void audit_statistics_end(audit_statistics *self);

/* The trouble that a counter counts; TROUBLES: none. */
static inline trouble_kind trouble_of(audit_counter which)
{
    switch (which) {
    case COUNTER_STALE:
        return TROUBLE_STALE;
    case COUNTER_UNDECODABLE:
        return TROUBLE_UNDECODABLE;
    case COUNTER_HELD_BACK:
        return TROUBLE_HELD_BACK;
    case COUNTER_STATE_ERRORS:
        return TROUBLE_STATE_ERRORS;
    case COUNTER_PENDING_DROPPED:
        return TROUBLE_PENDING_DROPPED;
    default:
        return TROUBLES;
    }
}

/* Adds to a counter. Any thread. impstats may be absent, or reset what it shows: troubles stay. */
static inline void audit_statistics_count(audit_statistics *self, audit_counter which,
                                          size_t how_many)
{
    trouble_kind t = trouble_of(which);

    count_up(&self->counters[which], how_many);
    if (t < TROUBLES && how_many > 0)
        __atomic_add_fetch(&self->troubles[t], how_many, __ATOMIC_RELAXED);
}

/* It happens now. Reads first: workers share the flag, and it is up most of the time. */
static inline void activity_note(activity *a)
{
    if (!__atomic_load_n(&a->flag, __ATOMIC_RELAXED))
        __atomic_store_n(&a->flag, true, __ATOMIC_RELAXED);
}

/* For the watcher: what the keeper says, and the bytes of the journal's segments (a path; NULL). */
void audit_statistics_set_gauges(audit_statistics *self, keeper *k, const char *journal);

/* For the watcher: how often each trouble came, and when last, as its looks saw it. */
void audit_statistics_read_troubles(audit_statistics *self, timestamp now,
                                    trouble_count troubles[static TROUBLES]);

#endif
