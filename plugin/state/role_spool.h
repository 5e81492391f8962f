/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_spool: rows of the role list that wait to be put, in a table of SQLite's.
 *
 * An import reads all of its input before it locks the database: what it has
 * read waits in a temporary table, which is a file where it is large. The
 * rows of a snapshot that comes in messages wait in the state database, for
 * they must outlive a restart. One thread at a time.
 */
#ifndef SYNCTAP_ROLE_SPOOL_H
#define SYNCTAP_ROLE_SPOOL_H

#include "record/identity_record.h"
#include "state/store.h"

typedef struct role_spool role_spool;

/* Where the rows wait. */
typedef enum role_spool_place {
    ROLE_SPOOL_TEMPORARY, /* nobody else sees them, and no lock is taken for them */
    ROLE_SPOOL_KEPT,      /* in the state database */
} role_spool_place;

/* NULL: store_error says why. The store must outlive it. */
role_spool *role_spool_open(store *s, role_spool_place place);
void role_spool_close(role_spool *self);

/* Within a transaction; false: store_error says why. */
bool role_spool_clear(role_spool *self);
bool role_spool_put(role_spool *self, const identity_record *row);

/* How many rows wait, or -1. */
int64_t role_spool_count(role_spool *self);

/* Takes a row, which lives until it returns; false ends the handing out. */
typedef bool role_spool_sink(void *arg, const identity_record *row);

/*
 * In the order of their times, whoever lets each row take the place of the
 * one before it ends with an account's newest, and among equal ones with the
 * one that came first. Added roles keep the order in which they came.
 */
typedef enum role_spool_order { ROLE_SPOOL_AS_THEY_CAME, ROLE_SPOOL_BY_TIME } role_spool_order;

/* Hands out the rows that wait. False: store_error says why, or the sink ended it. */
bool role_spool_each(role_spool *self, role_spool_order order, role_spool_sink *sink, void *arg);

#endif
