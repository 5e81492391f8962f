/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings: mmsynctap's parameters, read from an action's configuration.
 */
#ifndef SYNCTAP_SETTINGS_H
#define SYNCTAP_SETTINGS_H

#include "rsyslog/rsyslog_module.h"

#include "msg.h"

#include "dialect/dialect.h"
#include "rsyslog/watchlist_files.h"
#include "rule/rule.h"
#include "state/incidents.h"

/* The strings are owned; those without a default are NULL when absent. */
typedef struct settings {
    action_label label;
    bool latejoin;
    incident_options incidents;
    rule *rule;         /* with what the parameters say put in */
    char *rule_trouble; /* why its file was refused; NULL */
    watchlist_files watchlists;
    watchlists *lists; /* as they were first read; NULL where the rule asks none */
    char *database;
    char *property_name;
    msgPropDescr_t property; /* filled when has_property */
    bool has_property;       /* a property other than the default, rawmsg */
    char *rulebase;
    char *container;
    char *ruleset;
    char *tag;
    const dialect *formats[DIALECTS + 1]; /* each once, up to a NULL */
    int facility;
    int severity;
} settings;

/*
 * Reads the parameters of the number-th action into an all-zero struct. Of
 * wrong ones each is told in the log before it says false. settings_free
 * frees what was read in any case.
 */
bool settings_take(settings *self, struct nvlst *list, unsigned number);
void settings_free(settings *self);

#endif
