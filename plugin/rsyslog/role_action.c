/* SPDX-License-Identifier: Apache-2.0 */
/* role_action: parameters by a table, and a rulebase that is replaced while workers use it. */
#include "rsyslog/role_action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "msg.h"
#include "rainerscript.h"
#include "rsconf.h"
#include "template.h"

#include "rsyslog/rulebase_source.h"

static const char DEFAULT_RULEBASE[] = SYNCTAP_RULEBASE_DIR "/identity-info.rulebase";

static const char *const counter_names[COUNTERS] = {
    [COUNTER_MESSAGES] = "messages",
    [COUNTER_ROWS] = "rows",
    [COUNTER_REJECTED] = "rejected",
    [COUNTER_STATE_ERRORS] = "state_errors",
};

void role_action_begin(role_action *self)
{
    pthread_mutex_init(&self->reloading, NULL);
}

void role_action_end(role_action *self)
{
    action_end_statistics(&self->statistics);
    carrier_unref(self->rulebase);
    pthread_mutex_destroy(&self->reloading);
    free(self->label.name);
    free(self->database);
    free(self->property);
    free(self->rulebase_path);
}

/* --- parameters --- */

static struct cnfparamdescr actpdescr[] = {
    {"name", eCmdHdlrGetWord, 0},
    {"database", eCmdHdlrString, 0},
    {"property", eCmdHdlrString, 0},
    {"rulebase", eCmdHdlrString, 0},
};

enum { PARAMETERS = sizeof(actpdescr) / sizeof(actpdescr[0]) };

static struct cnfparamblk actpblk = {CNFPARAMBLK_VERSION, PARAMETERS, actpdescr};

static bool take_parameters(role_action *self, const struct cnfparamvals *values, unsigned number)
{
    char *name = NULL;
    char **const strings[PARAMETERS] = {&name, &self->database, &self->property,
                                        &self->rulebase_path};
    bool right = true;

    for (int i = 0; i < PARAMETERS; i++)
        if (values[i].bUsed)
            right &= (*strings[i] = parameter_string(&values[i].val)) != NULL;
    right &= action_label_set(&self->label, "omidentityinfo", name, number);
    free(name);
    for (int i = 1; right && i < PARAMETERS; i++) {
        if (*strings[i] != NULL && **strings[i] == '\0') {
            action_reject(&self->label, actpdescr[i].name, "", "give a value");
            right = false;
        }
    }
    return right;
}

/* Is there such a property? rsyslog itself would say it of a template that nobody wrote. */
static bool check_property(const role_action *self)
{
    const char *name = self->property ? self->property : "rawmsg";
    msgPropDescr_t property;

    if (msgPropDescrFill(&property, (uchar *)name, (int)strlen(name)) == RS_RET_OK) {
        msgPropDescrDestruct(&property);
        return true;
    }
    action_reject(&self->label, "property", name,
                  "give a message property such as rawmsg or msg, or a variable such as $!x");
    return false;
}

/* A template of the module's own that is one property; its name is the caller's to free. */
static char *make_template(const role_action *self, rsconf_t *conf, const char *purpose,
                           const char *property)
{
    char *name = NULL, *line = NULL;
    uchar *rest;

    if (asprintf(&name, " synctap %s %s", self->label.name, purpose) < 0 ||
        asprintf(&line, "\"%%%s%%\"", property) < 0) {
        free(name);
        return NULL;
    }
    rest = (uchar *)line;
    if (tplAddLine(conf, name, &rest) == NULL) {
        free(name);
        name = NULL;
    }
    free(line);
    return name;
}

/* A transactional module gets strings: the property, and the time of reception. */
static rsRetVal request_strings(const role_action *self, rsconf_t *conf,
                                omodStringRequest_t *strings)
{
    char *message =
        make_template(self, conf, "message", self->property ? self->property : "rawmsg");
    char *received = make_template(self, conf, "received", "timegenerated:::date-rfc3339");
    DEFiRet;

    if (message == NULL || received == NULL) {
        free(message);
        free(received);
        return RS_RET_OUT_OF_MEMORY;
    }
    CHKiRet(OMSRsetEntry(strings, ROLE_MESSAGE, (uchar *)message, OMSR_NO_RQD_TPL_OPTS));
    CHKiRet(OMSRsetEntry(strings, ROLE_RECEIVED, (uchar *)received, OMSR_NO_RQD_TPL_OPTS));
finalize_it:
    RETiRet;
}

static rsRetVal make_statistics(role_action *self)
{
    DEFiRet;

    CHKiRet(action_begin_statistics(&self->label, counter_names, self->counters, COUNTERS,
                                    &self->statistics));
    CHKiRet(action_show_statistics(self->statistics));
finalize_it:
    RETiRet;
}

rsRetVal role_action_take(role_action *self, struct nvlst *parameters, const action_list *actions,
                          omodStringRequest_t *strings)
{
    struct cnfparamvals *values = nvlstGetParams(parameters, &actpblk, NULL);
    DEFiRet;

    if (values == NULL)
        return RS_RET_PARAM_ERROR;
    if (!take_parameters(self, values, actions->count + 1) || !check_property(self))
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CHKiRet(request_strings(self, actions->conf, strings));
    CHKiRet(make_statistics(self));
finalize_it:
    cnfparamvalsDestruct(values, &actpblk);
    RETiRet;
}

/* --- the rulebase --- */

static void replace_rulebase(role_action *self, carrier *opened)
{
    carrier *before;

    pthread_mutex_lock(&self->reloading);
    before = self->rulebase;
    self->rulebase = opened;
    pthread_mutex_unlock(&self->reloading);
    carrier_unref(before);
}

carrier *role_action_take_rulebase(role_action *self)
{
    carrier *taken;

    pthread_mutex_lock(&self->reloading);
    taken = self->rulebase ? carrier_ref(self->rulebase) : NULL;
    pthread_mutex_unlock(&self->reloading);
    return taken;
}

static bool open_rulebase(void *action, const char *path, char **error)
{
    role_action *self = action;
    carrier *opened = carrier_open(path, error);

    if (opened == NULL)
        return false;
    replace_rulebase(self, opened);
    return true;
}

static rulebase_source rulebase_of(role_action *self)
{
    return (rulebase_source){
        .action = &self->label,
        .asked_for = self->rulebase_path,
        .installed = DEFAULT_RULEBASE,
        .open = open_rulebase,
        .arg = self,
    };
}

void role_action_reload(role_action *self)
{
    rulebase_source rulebase = rulebase_of(self);

    rulebase_source_reload(&rulebase);
}

void role_action_check(role_action *self, rsconf_t *conf)
{
    rulebase_source rulebase = rulebase_of(self);

    if (action_complete_database(&self->label, &self->database, conf))
        action_check_database(&self->label, self->database);
    rulebase_source_load(&rulebase);
}
