/* SPDX-License-Identifier: Apache-2.0 */
/* watchlist_files: rsyslog's list of parameters, searched for names that are known from the rule.
 */
#include "rsyslog/watchlist_files.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rainerscript.h"

static const char PREFIX[] = "watchlist.";

/* watchlist.NAME, or watchlist.NAME.key, in lower case; the caller's, NULL without memory. */
static char *parameter_of(text name, const char *suffix)
{
    char *parameter;

    if (asprintf(&parameter, "%s%.*s%s", PREFIX, (int)name.length, name.bytes, suffix) < 0)
        return NULL;
    for (size_t i = strlen(PREFIX); i < strlen(PREFIX) + name.length; i++)
        if (!isalnum((unsigned char)parameter[i]))
            parameter[i] = '_';
    return parameter;
}

static bool is_named(struct nvlst *parameter, const char *name)
{
    text is = {(const char *)es_getBufAddr(parameter->name), es_strlen(parameter->name)};

    return is.length == strlen(name) && strncasecmp(is.bytes, name, is.length) == 0;
}

/* Its value, the caller's; NULL when it is not there or no text. */
static char *take_value(struct nvlst *parameters, text name, const char *suffix)
{
    char *wanted = parameter_of(name, suffix), *value = NULL;

    for (struct nvlst *p = parameters; wanted != NULL && p != NULL; p = p->next) {
        if (!is_named(p, wanted))
            continue;
        p->bUsed = 1;
        if (value == NULL && p->val.datatype == 'S')
            value = parameter_string(&p->val);
    }
    free(wanted);
    return value;
}

/* Frees both words; without memory it says nothing. */
static bool reject(const action_label *action, char *parameter, char *value, const char *right)
{
    if (parameter != NULL && value != NULL)
        action_reject(action, parameter, value, right);
    free(parameter);
    free(value);
    return false;
}

/* What the others took is used. */
static bool reject_strangers(const action_label *action, struct nvlst *parameters)
{
    bool right = true;

    for (struct nvlst *p = parameters; p != NULL; p = p->next) {
        text name = {(const char *)es_getBufAddr(p->name), es_strlen(p->name)};

        if (p->bUsed || name.length <= strlen(PREFIX) ||
            strncasecmp(name.bytes, PREFIX, strlen(PREFIX)) != 0)
            continue;
        p->bUsed = 1;
        right = reject(action, strndup(name.bytes, name.length),
                       p->val.datatype == 'S' ? parameter_string(&p->val) : strdup(""),
                       "the rule asks no watchlist of that name: synctap rule check names those "
                       "that it asks");
    }
    return right;
}

static bool make_room(watchlist_files *self, const rule_plan *plan)
{
    size_t count = 0;

    while (plan_watchlist(plan, count).bytes != NULL)
        count++;
    self->all = calloc(count + 1, sizeof(*self->all));
    self->count = self->all != NULL ? count : 0;
    return self->all != NULL;
}

bool watchlist_files_take(watchlist_files *self, const action_label *action, const rule *r,
                          struct nvlst *parameters)
{
    const rule_plan *plan = rule_get_plan(r);
    bool right = make_room(self, plan);

    for (size_t i = 0; i < self->count; i++) {
        watchlist_source *w = &self->all[i];

        w->name = plan_watchlist(plan, i);
        w->path = take_value(parameters, w->name, "");
        w->key = take_value(parameters, w->name, ".key");
        if (w->path == NULL)
            right = reject(action, parameter_of(w->name, ""), strdup(""),
                           "the rule asks this watchlist: give the path of its CSV file");
        else
            right = action_check_path(action, "watchlist", w->path) && right;
    }
    return reject_strangers(action, parameters) && right;
}

void watchlist_files_free(watchlist_files *self)
{
    for (size_t i = 0; i < self->count; i++) {
        free((char *)(uintptr_t)self->all[i].path);
        free((char *)(uintptr_t)self->all[i].key);
    }
    free(self->all);
}

watchlists *watchlist_files_read(const watchlist_files *self, const rule *r, char **error)
{
    return watchlists_open(rule_get_plan(r), rule_get_semantics(r), self->all, self->count, error);
}
