/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detector: the rule run over messages; what mmsynctap and the command line call.
 *
 * A detector is shared: its rule never changes, its rulebase and its
 * SyncAccounts are snapshots that are replaced as a whole while workers use
 * the ones they have. It judges each message alone, or, with a keeper that
 * says so, as a stream. Each thread that feeds has a worker of its own. The
 * clock is the caller's: `now` is when a message was received.
 */
#ifndef SYNCTAP_DETECTOR_H
#define SYNCTAP_DETECTOR_H

#include "base/json.h"
#include "gate/gate.h"
#include "record/unwrap.h"
#include "rule/alert.h"
#include "rule/explain.h"
#include "rule/rule.h"
#include "rule/sync_accounts.h"
#include "state/stream.h"

typedef struct detector detector;
typedef struct detector_worker detector_worker;

/* What a stream's message may come to; beyond it, less is told. A bit each. */
typedef enum detection_bound {
    BOUND_TEXT = 1,  /* texts in an alert: alert.h says how long */
    BOUND_ROWS = 2,  /* rows of a message that are alerts of their own: 1,000 */
    BOUND_BYTES = 4, /* bytes of a message's alerts: 8 MB */
} detection_bound;

/* What the detector made of one message. */
typedef struct detection {
    bool candidate;       /* the text can hold an operation's phrase; else nothing was looked at */
    size_t records;       /* audit records in it */
    size_t rows;          /* rows that matched, each handed to the sink */
    size_t duplicates;    /* of these rows, those that had alerted before */
    size_t degraded;      /* of the rows that are no duplicates, those made from fragments */
    size_t refused;       /* of the same, those that the sink did not hand on */
    unsigned bounded;     /* the bounds that it reached: rows beyond share one degraded alert */
    size_t stale;         /* records of the rule's operations that lie before the lookback */
    size_t unread_times;  /* records of the rule's operations whose time is not understood */
    char unread_time[64]; /* that of the last, cut */
    size_t role_changes;  /* that it told of, of sync roles; 0 unless the rule learns */
    size_t broken;        /* stretches of the text that could not be read */
    const char *reason;   /* why the first of them could not; a constant */
    bool left;            /* not all of it was judged, or a refused row cannot be remembered alone:
                             detector_keep keeps the message for later */
    bool out_of_memory;
    bool is_part;     /* such a stretch begins inside a record, which came in pieces */
    bool undecodable; /* an operation's phrase stands in such a stretch, or in a record that has
                         a part which cannot be read */
} detection;

/*
 * A detector for this rule, which must outlive it. It has no rulebase and no
 * role list: the naming rules alone judge. NULL when memory is out. The
 * caller frees it, after its workers.
 */
detector *detector_new(const rule *r);
void detector_free(detector *self);

/*
 * Names the machine that detects, for alerts; "" at first. False when memory
 * is out. Before the first message is fed.
 */
bool detector_set_collector(detector *self, const char *host_name);

/*
 * Opens a rulebase and puts it in the place of the one in use. On a failure
 * that one stays, and *error (NULL only when memory is out) is the caller's
 * to free. Any thread.
 */
bool detector_open_rulebase(detector *self, const char *path, char **error);

/*
 * Puts a snapshot of the watchlists that the rule file asks in the place of the one in use, and
 * takes a reference of its own. Before the first message of such a rule; then at any time, in any
 * thread.
 */
void detector_set_watchlists(detector *self, watchlists *lists);

const rule *detector_rule(const detector *self);

/* --- for the keeper --- */

/*
 * Makes its messages a stream, which must outlive the last of them. Before
 * the first message is fed.
 */
void detector_follow(detector *self, stream *s);

/*
 * Puts a snapshot of the accounts in the place of the one in use, and takes a
 * reference of its own; it stands for the role list up to that change. Any thread.
 */
void detector_set_accounts(detector *self, sync_accounts *accounts, int64_t change);

/*
 * The watchlists in use, with a reference for the caller; NULL: there are none. *again, once: a
 * record was remembered since that older ones judged. So take them before what is remembered.
 */
watchlists *detector_ref_watchlists(detector *self, bool *again);

/* --- for messages --- */

/* Takes each row that matched; the alert and all in it live until it returns. False: it was not
 * handed on. */
typedef bool detector_sink(void *arg, const alert *a);

/* A worker for one thread; NULL when memory is out. The caller frees it. */
detector_worker *detector_worker_new(detector *d);
void detector_worker_free(detector_worker *self);

/* True as soon as a message under judgement must be left where it is. */
typedef bool detector_stop(void *arg);

/*
 * From now on the worker asks that at each record, and within large ones: in its own thread, so
 * that it must be cheap.
 */
void detector_worker_stop_when(detector_worker *self, detector_stop *must_stop, void *arg);

/*
 * Keeps a message that came at `received` and of which something is left: the keeper has it
 * judged anew, as of then, and rows that were handed on are not handed on twice. False when
 * nothing can be handed on later.
 */
bool detector_keep(detector_worker *self, text message, timestamp received);

/* Judges a message by its text. The sink is called in this thread, before it returns. */
detection detector_feed(detector_worker *self, text message, timestamp now, detector_sink *sink,
                        void *arg);

/* False: detector_feed has nothing to do with the message, and none of its time is needed. */
bool detector_is_candidate(detector_worker *self, text message);

/*
 * For archives: gate_find_in_lines for the places that detector_feed would look into. Lines without
 * such a place can be passed over, however many messages they are.
 */
size_t detector_find_candidate(detector_worker *self, text t, line_run *lines);

/*
 * The gate of a detector for this rule, but one that lets these phrases pass as well: for who looks
 * for more in an archive. NULL when memory is out. The caller frees it.
 */
gate *detector_make_gate(const rule *r, const text *more, size_t more_count);

/* Judges a message that somebody has parsed already; the tree stays theirs. */
detection detector_feed_tree(detector_worker *self, json *tree, timestamp now, detector_sink *sink,
                             void *arg);

/* The objects and stretches of another message come now, those of no known shape last. */
void detector_begin_parts(detector_worker *self);

/* Takes a message apart, as detector_feed does, for who feeds its objects one by one. */
unwrapped detector_take_apart(detector_worker *self, text message, const unwrap_sink *sink);

/* Judges one object; adds to *seen. */
unwrap_kind detector_feed_object(detector_worker *self, json *object, timestamp now,
                                 detector_sink *sink, void *arg, detection *seen);

/* Judges a stretch of a message that could not be read; adds to *seen. */
void detector_feed_broken(detector_worker *self, text broken, timestamp now, detector_sink *sink,
                          void *arg, detection *seen);

/* What judging a pending record again came to. */
typedef struct judged_again {
    bool is_done; /* nothing in it is left that may match another time */
    bool refused; /* the sink did not hand an alert on */
    bool stopped; /* not all of it was judged */
    bool is_unreadable;
    bool out_of_memory;
} judged_again;

/* Judges a pending record again, with these accounts in the place of the detector's. */
judged_again detector_judge_again(detector_worker *self, text record, timestamp received,
                                  const sync_accounts *accounts, timestamp now, detector_sink *sink,
                                  void *arg);

/* Takes the explanation of each record; it and all in it live until it returns. */
typedef void detector_explainer(void *arg, const explanation *e);

/* How a message's records were reached, beside what detection says. */
typedef struct detector_explained {
    detection detection; /* as if it had been judged */
    bool by_rulebase;
    size_t other_kinds;
    bool shows_account; /* a stretch that could not be read would have made a degraded alert */
} detector_explained;

/*
 * Explains a message instead of judging it; each record is explained, also
 * where the gate would have stopped the message. The detector's rule must be
 * of wide semantics.
 */
detector_explained detector_explain(detector_worker *self, text message, timestamp now,
                                    detector_explainer *sink, void *arg);

#endif
