/*
 * identity_import: texts that carry identity records, put into a role list.
 *
 * The one way in for omidentityinfo, `synctap identity import` and
 * `synctap query --identity`. One thread at a time.
 */
#ifndef SYNCTAP_IDENTITY_IMPORT_H
#define SYNCTAP_IDENTITY_IMPORT_H

#include "carrier.h"
#include "role_list.h"

typedef struct identity_import identity_import;

/* What a text held. */
typedef struct identity_imported {
    size_t rows;         /* identity records, put into the role list */
    size_t without_time; /* identity records without a readable time, left out */
    size_t broken;       /* JSON documents that could not be read */
    const char *reason;  /* why the first of those could not; a constant */
    bool failed;         /* the store or memory refused a row: the transaction must be dropped */
} identity_imported;

/* NULL when memory is out. The caller frees it. */
identity_import *identity_import_new(void);
void identity_import_free(identity_import *self);

/*
 * Puts the records of a text into the list, within a transaction that the
 * caller has begun. rulebase may be NULL.
 */
identity_imported identity_import_feed(identity_import *self, role_list *list,
                                       const carrier *rulebase, text message);

#endif
