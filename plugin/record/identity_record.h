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
#include "record/date_order.h"
#include "record/identity_shape.h"

/* What assigned_roles is to the roles that are known. */
typedef enum identity_roles {
    ROLES_GIVEN,    /* all of them */
    ROLES_ABSENT,   /* nothing was said: those last known stand */
    ROLES_ADDED,    /* a JSON array of one more: a role of Graph only says who has it */
    ROLES_REMOVED,  /* the same of one that it has no more */
    ROLES_ELIGIBLE, /* the same of one that it may activate: it comes to eligible_roles */
} identity_roles;

typedef struct identity_record {
    timestamp time_generated;
    text account_upn; /* the key; "" is one too */
    text account_object_id;
    text account_display_name;
    text assigned_roles; /* the dynamic's text; "" when there are none. From a role_list: the
                            last known */
    text eligible_roles; /* what it may activate, likewise; NULL bytes: nothing was said of that */
    identity_roles roles;
    bool roles_were_cut;  /* a list that does not close: there may have been more */
    bool roles_are_older; /* than the row, which is one of Log Analytics and has no AssignedRoles:
                             the query sees null */
} identity_record;

/* What a reading came to. */
typedef enum identity_result {
    IDENTITY_RECORD,
    IDENTITY_OTHER_KIND,    /* not a row of a role list */
    IDENTITY_WITHOUT_TIME,  /* a row, but without a readable time: the query never sees it */
    IDENTITY_UNREADABLE,    /* a member that cannot be read, as of an export that was cut */
    IDENTITY_HIDES_ROLES,   /* a row with a type's name in the place of its roles */
    IDENTITY_OUT_OF_MEMORY, /* unknown: memory ran out */
} identity_result;

/* What an object's surroundings say of it. */
typedef struct identity_surroundings {
    text role;         /* members that stand alone have this one, name or template id; "": none */
    bool are_users;    /* users stand alone: rows that say nothing of roles */
    bool are_eligible; /* assignments are eligibilities */
} identity_surroundings;

/* What a page's @odata.context says of the objects in it. A role keeps its place in the text. */
identity_surroundings identity_surroundings_of(text context);

/* Are the objects of such a page the members of a role that is not named? */
bool identity_members_are_nameless(text context);

/* Is this a role that is known by name here? Else it may be an id that no rule knows. */
bool identity_role_is_known(text role);

/* The rows that one object holds: itself, or the members of a role. */
typedef struct identity_rows {
    json *object; /* a view */
    identity_surroundings surroundings;
    identity_layout layout;
    json *members;    /* a list, or one */
    size_t count;     /* a role without members has none */
    bool is_limited;  /* as many members as $expand gives: there may be more */
    bool is_nameless; /* members of a role that nothing names: none of them can be read */
    json_parser *parser;
    json *owned[2]; /* what stood in strings */
} identity_rows;

/*
 * Recognizes an object; false when it is no part of a role list. An array may be
 * `{"value":[..],"Count":n}`, and stand in a string, which the parser opens. Surroundings and
 * parser may be NULL. When it is true, identity_rows_end is due.
 */
bool identity_rows_find(json *object, const identity_surroundings *surroundings,
                        json_parser *parser, identity_rows *rows);
void identity_rows_end(identity_rows *self);

/*
 * Reads the n-th row (n < count); *record is whole only when the result is
 * IDENTITY_RECORD, and lives until the next reading. `received` is the time of rows that have none
 * of their own: a role's members. A member without a UPN stands under its object id, so that it has
 * a name.
 */
identity_result identity_rows_read(identity_rows *self, size_t n, timestamp received, arena *memory,
                                   identity_record *record);

/* The same for a table's row: a cell for each of the names that the layout was found in. */
identity_result identity_record_read_cells(const identity_layout *layout, const text *cells,
                                           date_order order, identity_record *record);

#endif
