/* SPDX-License-Identifier: Apache-2.0 */
/*
 * role_change: what an audit record says of who has a sync role, or the right to call the sync API.
 *
 * "Add member to role" and "Remove member from role" of Core Directory name
 * the role by its template id in the principal's own modified properties.
 * Privileged Identity Management tells of the same once more some seconds
 * later, in a record of its own, which does not count. "Add app role
 * assignment to service principal" names the app role, and in the same
 * properties who gets it.
 */
#ifndef SYNCTAP_ROLE_CHANGE_H
#define SYNCTAP_ROLE_CHANGE_H

#include "record/audit_record.h"

/* The texts are views of the record, or constants. */
typedef struct role_change {
    text object_id; /* of the principal; of one that shows none its UPN */
    text upn;       /* "" when it shows none */
    text role;      /* its name, whatever the record calls it */
    bool is_gained; /* else lost */
    timestamp time; /* when */
} role_change;

/* The operations' names; one of them stands in each record that tells of a change. */
const text *role_change_operations(size_t *count);

/* Is it one of those? By whom, and whether it was done, role_changes_read looks at. */
bool role_change_is_told(const audit_record *record);

typedef void role_change_sink(void *arg, const role_change *change);

/*
 * Hands out the changes that such a record tells of, all made at `time`; audit_record_read_rest
 * was called. False when memory is out.
 */
bool role_changes_read(const audit_record *record, const audit_reader *reader, timestamp time,
                       role_change_sink *sink, void *arg);

#endif
