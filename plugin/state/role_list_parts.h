/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_list_parts: what the files of the role list share: its statements
 * (role_list_sql.c), what it holds, and the count of its changes.
 */
#ifndef SYNCTAP_ROLE_LIST_PARTS_H
#define SYNCTAP_ROLE_LIST_PARTS_H

#include <sqlite3.h>

#include "state/role_list.h"

enum statement {
    PUT,
    ADD,
    ADD_ELIGIBLE,
    REMOVE,
    FIND_BY_ID,
    READ_HEAD,
    WRITE_HEAD,
    WRITE_SNAPSHOT,
    COUNT_CHANGED,
    READ_CHANGED,
    READ_ALL,
    READ_SUPERSEDED,
    FORGET_SUPERSEDED,
    STATEMENTS
};

/* The parameters of the statements that write a row: UPN is ?1, and so on. */
enum parameter {
    UPN = 1,
    OBJECT_ID,
    DISPLAY_NAME,
    TIME,
    ROLES,
    OLDER,
    CHANGE,
    IN_SNAPSHOT,
    ELIGIBLE,
    LATEST
};

/* The one row of the table `role_list`. */
typedef struct role_list_head {
    int64_t change;
    role_list_facts facts;
} role_list_head;

struct role_list {
    store *store;
    sqlite3 *connection;
    sqlite3_stmt *statements[STATEMENTS];
    role_list_head head; /* of the transaction under way */
    size_t changed;
    role_spool *waiting; /* of a transaction that only reads so far; NULL: none was begun yet */
    bool is_reading;     /* rows that are put wait there */
    role_spool *copies;  /* gets a copy of each row that is put, or NULL */

    /* a snapshot's */
    bool in_snapshot;
    timestamp snapshot_time;
    sqlite3_stmt *remember; /* notes which accounts were put, and whether as eligible */
    bool says_roles;        /* of anybody, active ones */
    bool says_eligible;     /* or eligible ones: without any, nobody's are taken */
};

/* Each statement's text, as store_prepare_all takes it. */
extern const char *const role_list_sql[STATEMENTS];

/* False: store_error says why. */
bool role_list_read_head(role_list *self, role_list_head *h);

#endif
