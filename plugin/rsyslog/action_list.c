/* SPDX-License-Identifier: Apache-2.0 */
/* action_list: a chain, since a configuration has few actions. */
#include "rsyslog/action_list.h"

void action_list_begin(action_list *self, rsconf_t *conf, action_list **loading)
{
    self->conf = conf;
    if (*loading == NULL || (*loading)->conf != conf)
        *loading = self;
}

void action_list_end(action_list *self, action_list **loading)
{
    for (listed_action *i = self->first; i != NULL; i = i->next)
        i->list = NULL;
    if (*loading == self)
        *loading = NULL;
}

void action_list_add(action_list *self, listed_action *action)
{
    listed_action **last = &self->first;

    while (*last != NULL)
        last = &(*last)->next;
    *last = action;
    action->list = self;
    self->count++;
}

void action_list_forget(listed_action *action)
{
    listed_action **at;

    if (action->list == NULL)
        return;
    for (at = &action->list->first; *at != action; at = &(*at)->next)
        continue;
    *at = action->next;
}
