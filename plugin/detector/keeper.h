/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper: what a detector remembers and knows beyond one message.
 *
 * It owns the state database's store, the role list in it, and the stream's
 * memory; it gives the detector its accounts, and judges again what may match
 * since they changed. A keeper belongs to one thread at a time, which calls
 * keeper_update again and again: it has no lock for a message to wait for.
 */
#ifndef SYNCTAP_KEEPER_H
#define SYNCTAP_KEEPER_H

#include "detector/detector.h"
#include "state/role_list.h"
#include "state/store.h"
#include "state/stream.h"

typedef struct keeper keeper;

/* What there is to say of what is kept. */
typedef struct keeper_facts {
    size_t sync_accounts;
    size_t learned_roles; /* of principals of which the stream told, whatever they count now */
    role_list_facts identity;
    stream_facts stream; /* all 0 without one */
} keeper_facts;

/* What an update found. */
typedef enum keeper_status {
    KEEPER_UNCHANGED,
    KEEPER_CHANGED,
    KEEPER_BUSY,   /* another process has locked the database: the next time will tell */
    KEEPER_FAILED, /* the error says why; what was known stays known */
} keeper_status;

/*
 * A keeper for this detector, which must outlive it; it has no store, and
 * remembers nothing. NULL when memory is out. The caller frees it when no
 * message is judged any more.
 */
keeper *keeper_new(detector *d);
void keeper_free(keeper *self);

/*
 * Makes the detector's messages a stream: what they say is remembered, as
 * stream.h tells. False when memory is out. Before the first message is
 * judged and a store is opened.
 */
bool keeper_follow(keeper *self, const stream_options *options);

/*
 * Opens a state database and reads its role list, in the place of the ones
 * in use. On a failure those stay, and *error (NULL only when memory is out)
 * is the caller's to free.
 */
bool keeper_open(keeper *self, const char *path, store_open_mode how, timestamp now, char **error);

/* The same with a store that is open already; it becomes the keeper's, whatever comes of it. */
bool keeper_adopt(keeper *self, store *s, timestamp now, char **error);

/*
 * For a database that was deleted: writes it anew from what is still open,
 * if no other file is there, and takes what is there now. What was known
 * stays known beside it.
 */
bool keeper_restore(keeper *self, const char *path, timestamp now, char **error);

/* For one whose log was deleted, as store_save_log says. It is to be opened anew then. */
bool keeper_save_log(keeper *self, char **error);

/*
 * For one that is damaged: moves it aside, to *moved_to (the caller's to
 * free; NULL when another process had done it), and takes a new one with
 * what could be read of it. What was known stays known. There must be a store.
 */
bool keeper_replace_damaged(keeper *self, const char *path, timestamp now, char **moved_to,
                            char **error);

/*
 * When an update is due though nothing has changed: a row of the role list gets too old, and that
 * can make a record match. INT64_MAX: there is no such instant.
 */
timestamp keeper_next_end(const keeper *self);

/* The store in use, to be asked how it is; NULL without one. It stays the keeper's. */
const store *keeper_store(const keeper *self);

/* From now on an update ends as soon as it may; what it leaves is for the next start. Any thread.
 */
void keeper_stop(keeper *self);

/*
 * Takes in what other connections did to the role list. For a stream, too:
 * moves what was remembered into the database, hands the alerts of records
 * that match only now to the sink, and forgets what has expired. An alert
 * that the sink did not hand on comes again with the next call. Cheap when
 * nothing changed. On a failure *error is the caller's to free.
 */
keeper_status keeper_update(keeper *self, timestamp now, detector_sink *late, void *arg,
                            char **error);

/*
 * Says in the database that its stream lives. False: it could not be said
 * now; what stands in the way is told by the updates.
 */
bool keeper_beat(keeper *self, const heartbeat *beat, timestamp now);

/*
 * Before the end: writes what the stream has in memory alone. How many bytes no file takes: they
 * are lost with it.
 */
size_t keeper_flush(keeper *self);

/* All actions that the database knows. False: nobody can say now. */
bool keeper_each_action(keeper *self, timestamp now, action_state_sink *sink, void *arg);

/*
 * Writes who has ceased to be a sync account since it was last asked, as sync_loss_write does, or
 * nothing. To be asked after each update.
 */
void keeper_write_loss(keeper *self, buffer *out);

keeper_facts keeper_read_facts(const keeper *self, timestamp now);

#endif
