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
#include "record/identity_pages.h"
#include "state/role_list.h"
#include "state/snapshot_stream.h"

typedef struct identity_import identity_import;

/* What a text held. */
typedef struct identity_imported {
    size_t records;      /* objects and tables that belong to a role list, with rows or without */
    size_t rows;         /* put into the role list */
    size_t removed;      /* those of them that say that a role is gone */
    size_t without_time; /* rows without a readable time, left out */
    size_t broken;       /* JSON documents, rows of a table, or members that could not be read */
    size_t failed_parts; /* errors in the place of rows */
    const char *reason;  /* why the first of those could not; a constant */
    bool failed;         /* the store or memory refused a row: the transaction must be dropped */
} identity_imported;

typedef enum identity_trouble {
    TROUBLE_WITHOUT_TIME,
    TROUBLE_BROKEN,
    TROUBLE_FAILED, /* an error in the place of rows */
    TROUBLE_GAP,    /* there may be more than what stands there */
    TROUBLE_DELTA,  /* there is more: only what has changed stands there */
} identity_trouble;

/* Hears of what is left out; the line counts from 1 in what was fed, a table's from its beginning;
 * the words live until it returns. */
typedef void identity_import_teller(void *arg, identity_trouble trouble, size_t line,
                                    const char *what);

/* NULL when memory is out. The caller frees it. */
identity_import *identity_import_new(void);
void identity_import_free(identity_import *self);

/* Who is told, from now on; nobody at first. */
void identity_import_set_teller(identity_import *self, identity_import_teller *teller, void *arg);

/*
 * Takes the markers of snapshots, in their order among the rows; false: it
 * failed. Without a taker they are passed over. The marker lives until it returns.
 */
typedef bool identity_import_marker_taker(void *arg, const snapshot_marker *marker);
void identity_import_set_marker_taker(identity_import *self, identity_import_marker_taker *take,
                                      void *arg);

/* The role whose members stand alone, by name or template id; the text must outlive it. */
void identity_import_set_role(identity_import *self, text role);

/* In which order the dates of tables are, where they are not to show it themselves. */
void identity_import_set_date_order(identity_import *self, date_order order);

/*
 * From now on, pages are looked at whether they are all there, over all that
 * is fed. Say before each text where it stands. False when memory is out.
 */
bool identity_import_expect_pages(identity_import *self);
void identity_import_set_place(identity_import *self, const char *file, size_t line);

/* The pages that were expected; NULL: none. */
const identity_pages *identity_import_pages(const identity_import *self);

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
bool identity_import_begin_table(identity_import *self, role_list *list, text beginning,
                                 timestamp received);
bool identity_import_feed_table(identity_import *self, text piece); /* false: it has failed */
identity_imported identity_import_end_table(identity_import *self, bool is_cut);

#endif
