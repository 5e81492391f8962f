/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registration: what was registered on a target, beside what the query tells.
 *
 * The method, from the words that Entra writes for a reason; and of a
 * Temporary Access Pass its details, from the target's modified properties,
 * under any name that Entra and Graph have for them.
 */
#ifndef SYNCTAP_REGISTRATION_H
#define SYNCTAP_REGISTRATION_H

#include "record/audit_record.h"

/* Texts live as long as the record and its arena; what is not known is "". */
typedef struct registration {
    text method; /* "temporary_access_pass", "phone", ... as the alert says it */
    text pass_id;
    text pass_start; /* as it stands in the record */
    text pass_end;
    timestamp lifetime_end; /* when pass_end is "" and start and lifetime are known; else 0 */
    text pass_usage;        /* "Once", "Multiple", or as it stands in the record */
    bool is_broken;         /* the modified properties cannot be read */
} registration;

/* Reads what a row of the record tells of it; false when memory is out. */
bool registration_read(const audit_record *record, const audit_target *target,
                       const audit_reader *reader, registration *result);

#endif
