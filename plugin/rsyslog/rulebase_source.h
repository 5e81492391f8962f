/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rulebase_source: which rulebase an action reads, at the check and at HUP,
 * and what is said when it cannot be read.
 *
 * One that was asked for must be right; the installed one may be missing.
 */
#ifndef SYNCTAP_RULEBASE_SOURCE_H
#define SYNCTAP_RULEBASE_SOURCE_H

#include "rsyslog/rsyslog_module.h"

/*
 * Opens the rulebase and puts it in the place of the one in use. On a failure
 * that one stays, and *error (NULL only when memory is out) is the caller's
 * to free.
 */
typedef bool rulebase_opener(void *arg, const char *path, char **error);

typedef struct rulebase_source {
    const action_label *action;
    const char *asked_for; /* the parameter's path; NULL: it is not given */
    const char *installed;
    const char *without; /* what it is like without the installed one; NULL: not worth a warning */
    rulebase_opener *open;
    void *arg; /* of the opener */
} rulebase_source;

/* For the configuration's check. */
void rulebase_source_load(const rulebase_source *self);

/* At HUP. */
void rulebase_source_reload(const rulebase_source *self);

#endif
