/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pending: records of the rule's operations that did not match yet, in the
 * state database.
 *
 * Each is found by its keys: the UPNs and ids of its targets, folded, so
 * that a change of the role list costs by the accounts that changed. One
 * thread at a time.
 */
#ifndef SYNCTAP_PENDING_H
#define SYNCTAP_PENDING_H

#include "base/buffer.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "state/store.h"

typedef struct pending pending;

enum { PENDING_NEVER_JUDGED = -1 }; /* is no change of a role list */

/* The texts are views. */
typedef struct pending_record {
    text row_id;        /* its name: of the rows that did not match, by their alert_ids, and when */
    timestamp received; /* when it came */
    timestamp expires;  /* when it leaves the lookback */
    int64_t judged;     /* the role list's change that it was judged by, or PENDING_NEVER_JUDGED */
    bool is_due;        /* that is not the one that the others were judged by: it comes again */
    text keys;          /* as pending_add_key wrote them; not read again */
    text record;        /* its JSON */
} pending_record;

/*
 * So begins the name of a whole message, of which the judgement was stopped. It has no keys, and
 * is no JSON perhaps.
 */
#define PENDING_MESSAGE "message "

bool pending_is_message(const pending_record *record);

/* What a key is of: of an account, or the name of a watchlist that decides. */
typedef enum pending_key {
    PENDING_UPN = 'u',
    PENDING_OBJECT_ID = 'i',
    PENDING_WATCHLIST = 'w'
} pending_key;

/* Appends a key to a record's keys, which are one text. A key may be in it twice. */
void pending_add_key(buffer *keys, pending_key kind, text value);

/* The pending records of an action. NULL: store_error says why. The store must outlive it. */
pending *pending_open(store *s, int64_t action);
void pending_close(pending *self);

/* How many there are. */
int64_t pending_count(const pending *self);

/* Within a transaction: puts a record; one of its name stays as it is. False: store_error. */
bool pending_put(pending *self, const pending_record *record);

/* The transaction was dropped: what was counted since it began does not count. */
bool pending_recount(pending *self);

/* Ids of records, in memory of its own. All zero to begin with. */
typedef struct pending_ids {
    int64_t *ids;
    size_t count;
    size_t room;
} pending_ids;

void pending_ids_free(pending_ids *self);

/* False when memory is out. */
bool pending_ids_add(pending_ids *self, int64_t id);

/*
 * The ids of those that are due; *judged becomes the change of the role list by which one of them
 * was judged, if that is earlier. False: store_error, or memory is out.
 */
bool pending_find_due(pending *self, pending_ids *found, int64_t *judged);

/* Those that are due were judged. */
bool pending_clear_due(pending *self);

/* Adds the ids of those with this key; false: store_error, or memory is out. */
bool pending_find(pending *self, pending_key kind, text value, pending_ids *found);

/*
 * The record of that id, alive until pending_end_read; a damaged one may be empty. False when it
 * is gone, or, then *failed is true, it cannot be read: store_error, or memory is out.
 */
bool pending_read(pending *self, int64_t id, pending_record *record, bool *failed);

/*
 * Must follow a pending_read that was true, when the record is not needed any
 * more: an open read keeps its view of the database, and with an old view
 * nothing can be written once another connection has.
 */
void pending_end_read(pending *self);

bool pending_remove(pending *self, int64_t id);

/*
 * Removes some of those that have expired, as many as a message can wait for; also of actions
 * that are there no more.
 * *removed says how many: 0 when there are none left.
 */
bool pending_prune(pending *self, timestamp now, int *removed);

/* Are there more than `most`, or have their records more bytes than `most_bytes`? */
bool pending_is_over(const pending *self, int64_t most, int64_t most_bytes);

/* The same with the oldest of those. */
bool pending_bound(pending *self, int64_t most, int64_t most_bytes, int *removed);

#endif
