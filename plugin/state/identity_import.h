/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_import: texts that carry identity records, put into a role list.
 *
 * The one way in for omidentityinfo, `synctap identity import` and
 * `synctap query --identity`. One thread at a time.
 */
#ifndef SYNCTAP_IDENTITY_IMPORT_H
#define SYNCTAP_IDENTITY_IMPORT_H

#include "record/carrier.h"
#include "state/role_list.h"

typedef struct identity_import identity_import;

/* What a text held. */
typedef struct identity_imported {
    size_t records;      /* objects and tables that belong to a role list, with rows or without */
    size_t rows;         /* put into the role list */
    size_t without_time; /* rows without a readable time, left out */
    size_t broken;       /* JSON documents, or rows of a table, that could not be read */
    const char *reason;  /* why the first of those could not; a constant */
    bool failed;         /* the store or memory refused a row: the transaction must be dropped */
} identity_imported;

typedef enum identity_trouble { TROUBLE_WITHOUT_TIME, TROUBLE_BROKEN } identity_trouble;

/* Hears of what is left out; the line counts from 1 in what was fed, a table's from its beginning.
 */
typedef void identity_import_teller(void *arg, identity_trouble trouble, size_t line,
                                    const char *what);

/* NULL when memory is out. The caller frees it. */
identity_import *identity_import_new(void);
void identity_import_free(identity_import *self);

/* Who is told, from now on; nobody at first. */
void identity_import_set_teller(identity_import *self, identity_import_teller *teller, void *arg);

/*
 * Puts the records of a text, JSON or a whole table, into the list, within a
 * transaction that the caller has begun. rulebase may be NULL. `received`
 * becomes the time of rows that have none of their own by nature.
 */
identity_imported identity_import_feed(identity_import *self, role_list *list,
                                       const carrier *rulebase, text message, timestamp received);

/*
 * A table piece by piece: begin with its first line at least, feed it all
 * from the front, end; what it held is the result of the end. is_cut: there should have been more.
 * The beginning says false when it is no table's.
 */
bool identity_import_begin_table(identity_import *self, role_list *list, text beginning);
bool identity_import_feed_table(identity_import *self, text piece); /* false: it has failed */
identity_imported identity_import_end_table(identity_import *self, bool is_cut);

#endif
