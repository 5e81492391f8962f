/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_limits: from where on `synctap status` warns, and from where on it
 * says that something is broken.
 */
#ifndef SYNCTAP_STATUS_LIMITS_H
#define SYNCTAP_STATUS_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

/* What has limits. Spans are in seconds; FREE and TROUBLE are lower ones, the others upper. */
typedef enum status_limit {
    LIMIT_DAEMON,   /* since an action last said that it lives */
    LIMIT_MESSAGES, /* since the last message */
    LIMIT_FEED,     /* since omidentityinfo took the last message of a role list */
    LIMIT_LIST,     /* since the role list's newest row */
    LIMIT_TROUBLE,  /* since something went wrong last */
    LIMIT_JOURNAL,  /* since the oldest segment that waits was written */
    LIMIT_WAITING,  /* records of an action that wait for the role list */
    LIMIT_FREE,     /* bytes that are free where the database lies */
    STATUS_LIMITS
} status_limit;

typedef struct status_limits {
    int64_t warning[STATUS_LIMITS];
    int64_t broken[STATUS_LIMITS];
} status_limits;

extern const status_limits STATUS_DEFAULT_LIMITS;

/* Is less of it worse? */
bool status_limit_is_lower(status_limit which);

/* Takes "messages=1h,6h"; false, and nothing changed, when it is not that. */
bool status_limits_take(status_limits *self, const char *given);

/* What that would be, for a person; constant. */
extern const char STATUS_LIMITS_FORM[];

#endif
