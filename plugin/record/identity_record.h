/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_record: one row of the role list (Sentinel's IdentityInfo table).
 *
 * Rows are read from JSON objects, in any shape that identity_shape knows,
 * and from the cells of a table. The texts of a record are views of what it
 * was read from or of the arena; both must outlive it.
 */
#ifndef SYNCTAP_IDENTITY_RECORD_H
#define SYNCTAP_IDENTITY_RECORD_H

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"
#include "record/identity_shape.h"

/* What assigned_roles is to the roles that are known. */
typedef enum identity_roles {
    ROLES_GIVEN,  /* all of them */
    ROLES_ADDED,  /* a JSON array of one more: a role of Graph only says who has it */
    ROLES_ABSENT, /* nothing was said: those last known stand */
} identity_roles;

typedef struct identity_record {
    timestamp time_generated;
    text account_upn; /* the key; "" is one too */
    text account_object_id;
    text account_display_name;
    text assigned_roles; /* the dynamic's text; "" when there are none. From a role_list: the
                            last known */
    identity_roles roles;
    bool roles_are_older; /* than the row, which is one of Log Analytics and has no AssignedRoles:
                             the query sees null */
} identity_record;

/* What a reading came to. */
typedef enum identity_result {
    IDENTITY_RECORD,
    IDENTITY_OTHER_KIND,    /* not a row of a role list */
    IDENTITY_WITHOUT_TIME,  /* a row, but without a readable time: the query never sees it */
    IDENTITY_OUT_OF_MEMORY, /* unknown: memory ran out */
} identity_result;

/* The rows that one object holds: itself, or the members of a role. A view of the object. */
typedef struct identity_rows {
    json *object;
    identity_layout layout;
    size_t count; /* a role without members has none */
} identity_rows;

/* Recognizes an object; false when it is no part of a role list. */
bool identity_rows_find(json *object, identity_rows *rows);

/*
 * Reads the n-th row (n < count); *record is whole only when the result is
 * IDENTITY_RECORD. `received` is the time of rows that have none of their own: a role's members.
 * A member without a UPN stands under its object id, so that it has a name.
 */
identity_result identity_rows_read(const identity_rows *self, size_t n, timestamp received,
                                   arena *memory, identity_record *record);

/* The same for a table's row: a cell for each of the names that the layout was found in. */
identity_result identity_record_read_cells(const identity_layout *layout, const text *cells,
                                           identity_record *record);

#endif
