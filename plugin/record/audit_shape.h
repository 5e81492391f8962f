/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_shape: where the fields of an audit record stand, shape by shape. For audit_record's files
 * alone.
 */
#ifndef SYNCTAP_AUDIT_SHAPE_H
#define SYNCTAP_AUDIT_SHAPE_H

#include "record/audit_record.h"

typedef enum audit_field {
    OPERATION,
    ACTIVITY,
    TIME,
    TARGETS,
    TARGET_ELSEWHERE,
    INITIATOR,
    IDENTITY,
    CALLER_IP,
    DETAILS,
    RESULT,
    RESULT_REASON,
    RECORD_ID,
    CORRELATION_ID,
    TENANT_ID,
    RESOURCE_ID,
    SERVICE,
    FIELDS
} audit_field;

enum { AUDIT_MOST_PATHS = 4 };

typedef struct audit_shape_row {
    const char *name;
    /* Where each field stands; of several places the first that is not null counts. */
    const char *paths[FIELDS][AUDIT_MOST_PATHS];
    const char *user_upn[AUDIT_MOST_PATHS]; /* below INITIATOR; the first is the query's */
    const char *app_name[AUDIT_MOST_PATHS];
} audit_shape_row;

/* A record under reading. */
typedef struct audit_reading {
    audit_record *record;
    json_view eyes;
} audit_reading;

/* By audit_shape. */
extern const audit_shape_row audit_shapes[AUDIT_SHAPES];

/* The query reads these columns from one place; the other paths are WIDE's. */
extern const bool audit_is_query_column[FIELDS];

/* The first value of these paths that is not null; in KQL's semantics, with one_path, only the
 * first path counts. */
json *audit_first_of(json_view *r, json *from, const char *const *paths, bool one_path);

/* Are the members' names another program's? */
bool audit_shape_is_renamed(audit_shape s);

/* A field of the record, whose shape is told; NULL: it has none. */
json *audit_value_of(audit_reading *r, audit_field f);

/* Finds the shape, which becomes the record's: is it a record? */
audit_result audit_tell_shape(audit_reading *r);

/* Can a target that stands there not be read as one, but says something? */
bool audit_is_hidden_target(json *target);

#endif
