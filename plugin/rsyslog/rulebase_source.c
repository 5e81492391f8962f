/* SPDX-License-Identifier: Apache-2.0 */
/* rulebase_source: an opener, and words around it. */
#include "rsyslog/rulebase_source.h"

#include <stdlib.h>

#include "errmsg.h"

static const char OUT_OF_MEMORY[] = "there is no memory for it";

static const char *path_of(const rulebase_source *self)
{
    return self->asked_for ? self->asked_for : self->installed;
}

static void tell_missing(const rulebase_source *self, const char *error)
{
    if (self->asked_for != NULL)
        action_reject(self->action, "rulebase", self->asked_for, error);
    else if (self->without != NULL)
        LogMsg(0, RS_RET_OK, LOG_WARNING, "%s: action '%s': the installed rulebase %s: %s: %s",
               self->action->module, self->action->name, self->installed, error, self->without);
}

void rulebase_source_load(const rulebase_source *self)
{
    char *error;

    if (self->asked_for != NULL && !action_check_path(self->action, "rulebase", self->asked_for))
        return;
    if (self->open(self->arg, path_of(self), &error))
        return;
    tell_missing(self, error ? error : OUT_OF_MEMORY);
    free(error);
}

void rulebase_source_reload(const rulebase_source *self)
{
    char *error;

    if (self->open(self->arg, path_of(self), &error))
        return;
    LogError(0, RS_RET_ERR,
             "%s: action '%s': HUP: the rulebase %s: %s: what was read before stays in use",
             self->action->module, self->action->name, path_of(self),
             error ? error : OUT_OF_MEMORY);
    free(error);
}
