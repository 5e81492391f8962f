/* SPDX-License-Identifier: Apache-2.0 */
/*
 * learned_accounts: who got a sync role, or lost one, as the stream itself told, an immutable
 * snapshot.
 *
 * It stands beside the role list, which tells the same hours later: a gain
 * counts until the list knows better, a loss keeps its account watched for a
 * while, so that taking a role off first does not switch the rule off. Wide
 * semantics alone asks for them. They are few. Shared by reference count; any
 * number of threads may look up.
 */
#ifndef SYNCTAP_LEARNED_ACCOUNTS_H
#define SYNCTAP_LEARNED_ACCOUNTS_H

#include "base/text.h"
#include "base/timestamp.h"

typedef struct learned_accounts learned_accounts;

/* An account and a role of it, as they are kept. */
typedef struct learned_role {
    text object_id;
    text upn; /* "" when it is not known */
    text role;
    timestamp gained; /* INT64_MIN: it has not got it, or the role list knows better */
    timestamp lost;   /* INT64_MIN: it has not lost it */
} learned_role;

/* None yet, for who makes a snapshot; NULL when memory is out. One reference. */
learned_accounts *learned_accounts_new(void);

/* Adds a copy, and in which of a rule file's sets it is, a bit each. False when memory is out. */
bool learned_accounts_add(learned_accounts *self, const learned_role *role, unsigned sets);

/* NULL is allowed, and has nobody: here and in what follows. */
learned_accounts *learned_accounts_ref(learned_accounts *self);
void learned_accounts_unref(learned_accounts *self);

size_t learned_accounts_count(const learned_accounts *self);

typedef enum learned_standing {
    LEARNED_NOTHING,
    LEARNED_RECENT, /* it lost the role a short while ago */
    LEARNED_ROLE,   /* it has the role */
} learned_standing;

typedef struct learned_question {
    text value;
    bool is_id;             /* an object id; else a UPN */
    unsigned sets;          /* only those of one of these sets count; 0: all */
    timestamp recent_since; /* a loss of after that counts */
} learned_question;

/* The best of the accounts of that value, without regard to case. */
learned_standing learned_accounts_find(const learned_accounts *self, const learned_question *q);

/* Were the same added, in the same order? */
bool learned_accounts_are_same(const learned_accounts *a, const learned_accounts *b);

typedef void learned_role_sink(void *arg, const learned_role *role);

/* Hands out those of the second that are not in the first, as they are. */
void learned_accounts_each_new(const learned_accounts *before, const learned_accounts *after,
                               learned_role_sink *sink, void *arg);

#endif
