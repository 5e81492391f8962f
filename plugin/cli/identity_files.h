/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_files: whole files of identity records, put into a role list.
 */
#ifndef SYNCTAP_IDENTITY_FILES_H
#define SYNCTAP_IDENTITY_FILES_H

#include "rule/rule.h"
#include "state/role_list.h"

/* Who a trouble is told to: a person who imports hears of each row that was left out. */
typedef enum identity_files_tone { TELL_BROKEN_ONLY, TELL_ALL } identity_files_tone;

typedef struct identity_files_options {
    identity_files_tone tone;
    bool is_snapshot; /* the files are the whole role list: see role_list_begin_snapshot */
    bool is_forced;   /* a snapshot may take most sync accounts away */
    const char *role; /* whose members stand alone, or NULL */
    date_order order; /* of dates in tables, or unknown */
    timestamp now;    /* the time of a snapshot, and of rows that have none by nature */
    const rule *rule; /* what a sync account is: nobody shall cease to be one without a word */
} identity_files_options;

typedef struct identity_files_result {
    size_t rows;
    bool unreadable; /* something could not be read; said on standard error */
    bool refused;    /* a snapshot that is not whole, or takes too much: nothing was changed */
    bool failed;     /* the role list refused; said too, and nothing was kept */
} identity_files_result;

/*
 * Puts the records of these files ("-": standard input) into the list. All
 * are read before the list is locked; then they are one transaction. A file
 * is JSON in any form that input_file and unwrap know, or a table as
 * identity_table knows it; plain or compressed.
 */
identity_files_result identity_files_import(role_list *list, store *s, const char *const *paths,
                                            size_t count, const identity_files_options *options);

#endif
