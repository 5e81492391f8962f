/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store: the state database, one SQLite file in WAL mode.
 *
 * It is the only tie between the modules and synctap, so several processes
 * have it open at once. A store is one connection: one thread at a time may
 * use it. The tables in it belong to the rooms that speak of them
 * (role_list); the schema as a whole stands here, with its version.
 */
#ifndef SYNCTAP_STORE_H
#define SYNCTAP_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite3;
struct sqlite3_stmt;

typedef struct store store;

/* How to open it: one of the first two, and how long it may take. */
typedef enum store_open_mode {
    STORE_EXISTING = 0, /* it must be there */
    STORE_CREATE = 1,   /* make it, with mode 0640, when it is absent */
    STORE_AT_ONCE = 2,  /* 0.3 s for other programs; without this, five seconds in all */
    STORE_BRIEFLY = 4,  /* a second and a half */
} store_open_mode;

/* A database of its own in memory, gone with the store. */
#define STORE_IN_MEMORY ":memory:"

/*
 * Opens the database and brings its schema up to date. NULL when that fails;
 * then *error says why (NULL only when memory is out) and is the caller's to
 * free. A file that may only be read is opened all the same if its schema is
 * up to date; store_is_writable tells. What other programs hold up, their
 * locks, is waited for as long as `how` says, all waiting together; so is a
 * file that was deleted while somebody has it open, who may bring it back.
 */
store *store_open(const char *path, store_open_mode how, char **error);
void store_close(store *self);

/* What was put aside at the opening, and where, to be told; NULL: nothing. The store's own. */
const char *store_news(const store *self);

bool store_is_writable(const store *self);

/* Is the file still the one at its path? It may have been deleted, or another put there. */
bool store_is_in_place(const store *self);

/*
 * Is the log that was opened with the file still beside it? If it was deleted, who opens the file
 * next makes another log, and neither knows what is in the other's: then no more is to be read or
 * written, but store_save_log writes what is in ours into the file. False: *error, the caller's to
 * free, says why not; somebody else may have made a log already. True, too, if somebody else has
 * saved it.
 */
bool store_has_log(const store *self);
bool store_save_log(store *self, char **error);

/* How long a step waits for another process's lock, in milliseconds; 0 at first. */
void store_set_patience(store *self, int milliseconds);

/* Asked while a step waits: when waiting ends, in milliseconds of patience_clock(); 0: not yet
 * known. */
typedef int64_t store_end(void *arg);

/* The same, but no wait goes on beyond that end. */
void store_set_patience_until(store *self, int milliseconds, store_end *end, void *arg);

/* Begins, keeps or drops a transaction that writes; false says store_error. */
bool store_begin(store *self);
bool store_commit(store *self);
void store_rollback(store *self);

/*
 * True when another connection has changed the database since the last call,
 * and always the first time. Cheap: it reads one page. On a failure it is
 * true too, so that the caller meets the error in its own statement.
 */
bool store_has_changed(store *self);

/* Makes the next store_has_changed say true: what changed could not be read. */
void store_forget_version(store *self);

/*
 * Does the file begin as SQLite's do, and is it as long as it says? SQLite reads that page once and
 * goes on with its copies and its log, so that nobody would notice until the next start. False:
 * store_is_damaged says so, too. Cheap.
 */
bool store_begins_whole(store *self);

/*
 * Keeps the last step's error, if it failed, through the steps that clean up
 * after it. A roll-back does so by itself; what begins anew forgets it.
 */
void store_keep_error(store *self);

/* Why the last step failed, or what was kept; valid until the next one. */
const char *store_error(const store *self);

/* Was the last failure one that passes by itself, another process's lock? */
bool store_is_busy(const store *self);

/* Did it take the place of a damaged file (store_rescue)? Then it may know less than that did. */
bool store_was_rescued(store *self);

/* Was it that the file is no sound database (any more)? */
bool store_is_damaged(const store *self);

/*
 * Reads all of it. NULL when it is sound; else what is wrong, in SQLite's words, the caller's to
 * free.
 */
char *store_check(store *self);

/* A statement for a room's own table, the room's to finalize; NULL says store_error. */
struct sqlite3_stmt *store_prepare(store *self, const char *sql);

/* The same for all of a room's; false when one failed: then those before it are there. */
bool store_prepare_all(store *self, const char *const *sql, struct sqlite3_stmt **statements,
                       size_t count);

#endif
