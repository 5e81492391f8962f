/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync_accounts: the query's SyncAccounts, an immutable snapshot.
 *
 * It holds the role-list rows that are sync accounts, and nothing of the
 * others; and what was learned of sync accounts beside the list. Shared by reference count; any
 * number of threads may look up. Its rows carry their times, and a look-up says as of when, so
 * nothing has to change for a row to grow too old.
 */
#ifndef SYNCTAP_SYNC_ACCOUNTS_H
#define SYNCTAP_SYNC_ACCOUNTS_H

#include "base/kql.h"
#include "record/identity_record.h"
#include "rule/learned_accounts.h"

typedef struct sync_accounts sync_accounts;
typedef struct sync_accounts_edit sync_accounts_edit;

/*
 * No accounts at all, for a rule of these semantics; NULL when memory is out.
 * One reference. A snapshot of wide semantics can be asked in both, one of
 * KQL's only in KQL's.
 */
sync_accounts *sync_accounts_new(semantics s);

sync_accounts *sync_accounts_ref(sync_accounts *self);

/* The last one to give back its reference frees it; NULL is allowed. */
void sync_accounts_unref(sync_accounts *self);

/* NULL: nothing was learned. It lives as long as the snapshot. */
learned_accounts *sync_accounts_learned(const sync_accounts *self);

/* How many accounts it holds, whatever their age. */
size_t sync_accounts_count(const sync_accounts *self);

/* What a row is to the rule. */
typedef enum account_standing {
    NO_SYNC_ACCOUNT,
    SYNC_ACCOUNT_ELIGIBLE, /* in wide semantics, by a role that it may activate */
    SYNC_ACCOUNT_IN_WIDE,  /* in wide semantics only */
    SYNC_ACCOUNT_IN_KQL,   /* by the query itself, and so in wide semantics too */
} account_standing;

/* Is a value in a set of the rule? Sets are bits (1 << its place). */
typedef struct account_question {
    text value;
    bool is_id;     /* an object id; else a UPN */
    bool is_folded; /* equal without regard to case */
    unsigned set;
    semantics semantics; /* whose sets count */
    timestamp since;
} account_question;

bool sync_accounts_in_set(const sync_accounts *self, const account_question *q);

/* What the best of the accounts of this UPN, or of this object id, is in wide semantics. */
account_standing sync_accounts_standing_of_upn(const sync_accounts *self, text upn,
                                               timestamp since);
account_standing sync_accounts_standing_of_object_id(const sync_accounts *self, text id,
                                                     timestamp since);

/* Hears of a row that was made in a stretch of time. */
typedef void sync_accounts_row_sink(void *arg, timestamp made, text upn, text object_id);

/* Hands out the rows that were made after an instant and not after another. */
void sync_accounts_each_made(const sync_accounts *self, timestamp after, timestamp until,
                             sync_accounts_row_sink *sink, void *arg);

/* When the first of the rows was made that were made after that; INT64_MAX when none was. */
timestamp sync_accounts_next_made(const sync_accounts *self, timestamp after);

/* Hears of an account by its UPN, which may be "". */
typedef void sync_accounts_sink(void *arg, text upn);

/* Hands out the accounts of the first snapshot that the second has no more, in the order of their
 * UPNs. */
void sync_accounts_each_lost(const sync_accounts *before, const sync_accounts *after,
                             sync_accounts_sink *sink, void *arg);

/*
 * A new snapshot is made by editing an old one: begin, put each role-list
 * row that changed (the newest of its AccountUPN, no key twice), end. An
 * edit belongs to one thread; `old` must outlive it.
 */

/* NULL when memory is out. Ended, and so freed, by sync_accounts_edit_end. */
sync_accounts_edit *sync_accounts_edit_begin(const sync_accounts *old);

/*
 * Puts a changed row with the sets that it is in: copied if it is a sync account, otherwise its
 * account is gone from the new snapshot. A failure is remembered.
 */
void sync_accounts_edit_put(sync_accounts_edit *self, const identity_record *row,
                            account_standing standing, unsigned kql_sets, unsigned wide_sets);

/* Puts another snapshot of what was learned in the place of the old one's. */
void sync_accounts_edit_set_learned(sync_accounts_edit *self, learned_accounts *learned);

/* As if memory had run out. */
void sync_accounts_edit_fail(sync_accounts_edit *self);

/* The new snapshot, one reference; NULL when memory ran out since the beginning. */
sync_accounts *sync_accounts_edit_end(sync_accounts_edit *self);

#endif
