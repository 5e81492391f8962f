/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heartbeat: what each running action last said of itself, in the state
 * database, for who asks from outside whether it works. One thread at a time.
 */
#ifndef SYNCTAP_HEARTBEAT_H
#define SYNCTAP_HEARTBEAT_H

#include "base/timestamp.h"
#include "state/store.h"

/* Seconds between two of them. */
enum { HEARTBEAT_PERIOD = 60 };

/* What makes detection weaker than it looks, and is over, or not seen, a moment later. */
typedef enum trouble_kind {
    TROUBLE_STALE,            /* records that came after the lookback */
    TROUBLE_UNDECODABLE,      /* messages */
    TROUBLE_HELD_BACK,        /* alerts that had to wait for room in their queue */
    TROUBLE_STATE_ERRORS,     /* of the state database and the journal */
    TROUBLE_PENDING_DROPPED,  /* records that waited for the role list, over the bound */
    TROUBLE_NO_SYNC_ACCOUNTS, /* rows of a role list in which the action finds none */
    TROUBLES
} trouble_kind;

/* As impstats has it, where it has it. */
const char *trouble_name(trouble_kind which);

typedef struct trouble_count {
    int64_t count;    /* since the action started; of rows: now */
    timestamp newest; /* 0: it never happened */
} trouble_count;

typedef struct heartbeat {
    timestamp started;
    timestamp stopped;      /* at a regular end; 0: it runs */
    timestamp last_message; /* 0: none since it started */
    timestamp last_candidate;
    int64_t process;
    int64_t longest_message; /* maxMessageSize in bytes, INT64_MAX when it is not known */
    const char *version;     /* synctap's */
    const char *built_for;   /* rsyslog's, whose headers the module was built with */
    trouble_count troubles[TROUBLES];
} heartbeat;

/*
 * Puts it in the place of the action's last one; a trouble that has not come since the start leaves
 * what an earlier one left. Within no transaction. False: store_error.
 */
bool heartbeat_write(store *s, int64_t action, const heartbeat *beat, timestamp now);

/* An action, what it remembers, and its last heartbeat. Alive until the sink returns. */
typedef struct action_state {
    const char *name;
    int64_t pending, pending_bytes;
    int64_t seen;           /* ids of alerts inside the lookback */
    int64_t incidents;      /* all that are kept */
    int64_t open_incidents; /* of them, not closed and inside their window */
    bool has_beat;          /* else the rest means nothing: an older synctap made the row */
    timestamp written;
    heartbeat beat;
} action_state;

typedef void action_state_sink(void *arg, const action_state *state);

/* All actions by name, as of `now`. False: store_error. */
bool action_states_each(store *s, timestamp now, action_state_sink *sink, void *arg);

#endif
