/* SPDX-License-Identifier: Apache-2.0 */
/* store_parts: what the files of the store share: opening under a lock that is held already. */
#ifndef SYNCTAP_STORE_PARTS_H
#define SYNCTAP_STORE_PARTS_H

#include "state/database_file.h"
#include "state/store.h"

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
void store_harden(struct sqlite3 *connection);

struct sqlite3 *store_connection(store *self);
const file_identity *store_file(const store *self);

#endif
