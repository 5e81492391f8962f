/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_parts: what the files of the store share: what it holds, and opening under a lock that is
 * held already. store.c has its transactions, statements and errors, store_open.c its opening and
 * closing, store_log.c the log beside its file, store_rescue.c a file that was deleted or damaged.
 */
#ifndef SYNCTAP_STORE_PARTS_H
#define SYNCTAP_STORE_PARTS_H

#include <sqlite3.h>

#include "state/database_file.h"
#include "state/store.h"

enum { STORE_BRIEF_PATIENCE = 1500 /* milliseconds: shorter than what a stop may take */ };

struct store {
    sqlite3 *connection;
    sqlite3_stmt *data_version;
    int64_t seen_version; /* of the last store_has_changed; data_version begins at 1 */
    char *kept_error;     /* from before the steps that clean up after it; NULL: none */
    int kept_code;
    char *path; /* NULL: in memory */
    file_identity file;
    file_identity log; /* inode 0: none was there */
    int64_t size;      /* the file's, at the last store_begins_whole */
    patience opening;
    char *news;

    /* How long a step waits, when that may end before. */
    int most;
    store_end *end;
    void *end_arg;
    patience waiting; /* of the wait that is under way */
};

/* Gives *error, which is freed, a copy of the reason, the caller's to free; NULL: memory is out. */
void store_say(char **error, const char *reason);

/* Was the last failure that a file could not be made or written? */
bool store_is_unwritable(const store *self);

/* Forgets what store_keep_error kept. */
void store_forget_error(store *self);

/* An open file that is there, or, path NULL, one in memory; as store_open says. No lock is taken.
 */
store *store_connect(const char *path, patience until, char **error);
void store_disconnect(store *self);

/*
 * Has all that is in the log written into the file: for a new one, which is put in its place
 * without its log. False, and *error says why: it is not whole.
 */
bool store_empty_log(store *self, char **error);

/* The directory is locked: settles what lies there, makes the file if it must, and opens it. */
store *store_open_locked(const char *path, store_open_mode how, patience until, char **error);

/* Makes SQLite wary of what is in the file. */
void store_harden(sqlite3 *connection);

sqlite3 *store_connection(store *self);

#endif
