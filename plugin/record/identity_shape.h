/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_shape: the names under which the columns of a role list's row stand.
 *
 * One table of names per shape: rows of Log Analytics and of Defender XDR,
 * and of Graph the directory role, its member, and the assignment. A layout says where
 * among given names (an object's keys, a CSV file's header) the columns of
 * the shape that fits are. Pure functions; any thread.
 */
#ifndef SYNCTAP_IDENTITY_SHAPE_H
#define SYNCTAP_IDENTITY_SHAPE_H

#include <stdint.h>

#include "base/text.h"

typedef enum identity_column {
    IDENTITY_TIME,
    IDENTITY_UPN,
    IDENTITY_OBJECT_ID,
    IDENTITY_DISPLAY_NAME,
    IDENTITY_ROLES,
    IDENTITY_MEMBERS,
    IDENTITY_ELIGIBLE,   /* eligible roles; of Graph: what only an eligibility has */
    IDENTITY_DEFINITION, /* a role, where it is an object of its own */
    IDENTITY_KIND,       /* @odata.type; what a thing of Graph's says of itself */
    IDENTITY_COLUMNS
} identity_column;

typedef enum identity_shape {
    IDENTITY_LOG_ANALYTICS,
    IDENTITY_DEFENDER,
    IDENTITY_GRAPH_ROLE,       /* the accounts are its members; ROLES is its own template id */
    IDENTITY_GRAPH_DELTA,      /* the same of the members that came and went */
    IDENTITY_GRAPH_ASSIGNMENT, /* of a role to one principal, who stands under MEMBERS */
    IDENTITY_GRAPH_MEMBER,     /* only to be looked for where members are expected */
    IDENTITY_SHAPES
} identity_shape;

#define IDENTITY_NOWHERE SIZE_MAX

typedef struct identity_layout {
    identity_shape shape;
    size_t places[IDENTITY_COLUMNS]; /* indices into the names, or IDENTITY_NOWHERE */
} identity_layout;

/*
 * The layout of the row or role that has these names, or false. A row must
 * have an account's UPN or object id, so that no other object becomes one
 * without a name. Names in another case count when none fits exactly.
 */
bool identity_layout_find(identity_layout *self, const text *names, size_t count);

/*
 * Names, in any case, of which each row and role that stands by itself has at least one: what a
 * gate for the role list looks for. Their count, at most IDENTITY_MOST_TELLING.
 */
enum { IDENTITY_MOST_TELLING = 16 };
size_t identity_telling_names(text names[static IDENTITY_MOST_TELLING]);

/* The same for a role's member, which need not have any of them, and for a role's definition. */
identity_layout identity_layout_of_member(const text *names, size_t count);

#endif
