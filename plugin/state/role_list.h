/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_list: the IdentityInfo rows in the state database, the newest of each
 * AccountUPN.
 *
 * Writers put rows inside a transaction; each transaction that changes
 * something gets the next change number, so that a reader asks for what
 * changed since the last it saw, whichever process wrote it. Rows of equal
 * times: the first that came stays (KQL's arg_max). The roles have a time of
 * their own, that of the newest row that says them: a row that says nothing
 * of roles leaves them. One thread at a time.
 */
#ifndef SYNCTAP_ROLE_LIST_H
#define SYNCTAP_ROLE_LIST_H

#include "record/identity_record.h"
#include "state/role_spool.h"
#include "state/store.h"

typedef struct role_list role_list;

typedef struct role_list_facts {
    int64_t rows;
    bool has_rows;
    timestamp newest; /* the newest row's time; meaningful when has_rows */
} role_list_facts;

/* The role list of this store, which must outlive it. NULL: store_error says why. */
role_list *role_list_open(store *s);
void role_list_close(role_list *self);

/*
 * A million rows may come: gives the connection room for the pages that they
 * touch, 32 MB, for as long as it is open. Else SQLite reads and writes each
 * of them over and over, since the accounts come in no order.
 */
void role_list_expect_many(role_list *self);

/* Begins a transaction of puts. False: store_error says why, nothing is begun. */
bool role_list_begin(role_list *self);

/*
 * Begins a transaction whose puts are the whole role list, as of `now`: what
 * it says wins over all that was said before of the accounts that it names,
 * and at its end (at the latest with its commit) each account that was not
 * put loses its roles. Eligible roles are a list of their own: a snapshot
 * that says only such takes only such away, and one without any takes none. An account's rows must
 * come in the order of their times. Its first ROLES_ADDED replaces its roles, the next ones add to
 * them.
 */
bool role_list_begin_snapshot(role_list *self, timestamp now);
bool role_list_end_snapshot(role_list *self);

/* The same for the rest of a transaction that was begun already. */
bool role_list_enter_snapshot(role_list *self, timestamp now);

/*
 * Puts a row: its names if it is newer than what is known of its account,
 * its roles (ROLES_GIVEN) if it is newer than the row that said them; added
 * and removed roles come and go at any time. A member whose UPN is its
 * object id is the known account of that id. False: see store_error.
 */
bool role_list_put(role_list *self, const identity_record *row);

/*
 * Reading first: after role_list_begin_reading, rows that are put wait in a
 * temporary table, and the database is not locked. End the reading, begin as
 * above, and role_list_put_waiting puts them, a snapshot's in the order of their times.
 */
bool role_list_begin_reading(role_list *self);
bool role_list_end_reading(role_list *self);
bool role_list_put_waiting(role_list *self);

/* Within any of these: a mark, and its end; not to keep is as if nothing had been put since, and
 * ends a snapshot that was entered. */
bool role_list_mark(role_list *self);
bool role_list_end_mark(role_list *self, bool keep);

/* From now on each row that is put goes to that spool, too; NULL ends it. */
void role_list_copy_to(role_list *self, role_spool *copies);

/* Keeps the transaction, or drops it. A failed commit has dropped it. */
bool role_list_commit(role_list *self);
void role_list_rollback(role_list *self);

/* How many accounts the transaction that was committed last changed. */
size_t role_list_changed(const role_list *self);

/* Takes a row with the roles last known; it lives until the sink returns. */
typedef void role_list_sink(void *arg, const identity_record *row);

/*
 * Hands out each row that changed after *change, in no order, and moves
 * *change on. From 0 it is all rows. When the database's count is below
 * *change (it is another database), *change becomes 0 and *restarted true,
 * and nothing is handed out. False: store_error says why; rows may have been
 * handed out, *change stays.
 */
bool role_list_changes(role_list *self, int64_t *change, bool *restarted, role_list_sink *sink,
                       void *arg);

/* Takes a version of an account, and when another took its place on the writer's clock. */
typedef void role_list_version_sink(void *arg, const identity_record *row, timestamp superseded);

/*
 * Hands out the versions of accounts, of a day, that were written after `change` and
 * that others have superseded since, in the order in which that happened: whoever looks now and
 * then has not seen them. False: store_error says why.
 */
bool role_list_each_superseded(role_list *self, int64_t change, role_list_version_sink *sink,
                               void *arg);

/* All rows in the order of AccountUPN. */
bool role_list_each(role_list *self, role_list_sink *sink, void *arg);

bool role_list_read_facts(role_list *self, role_list_facts *facts);

#endif
