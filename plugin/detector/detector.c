/* SPDX-License-Identifier: Apache-2.0 */
/* detector: the gate, and snapshots behind a lock that is held for a moment only. */
#include "detector/detector.h"

#include <stdlib.h>
#include <string.h>

#include "detector/worker.h"
#include "gate/gate.h"
#include "rule/plan.h"
#include "rule/watchlists.h"

typedef struct phrase_list {
    const text *all;
    size_t count;
} phrase_list;

static size_t append(text *list, size_t count, const text *more, size_t more_count)
{
    if (more_count > 0)
        memcpy(list + count, more, more_count * sizeof(text));
    return count + more_count;
}

/*
 * The lists of phrases by which the rule's records can be told: of a rule file, the texts of which
 * one stands in each record that gives a row; else the operations in the rule's semantics. And by
 * which those can that tell of roles.
 */
static size_t list_phrases(const rule *r, phrase_list lists[static 4])
{
    size_t count = 0;

    if (!rule_is_built_in(r)) {
        const kql_literals *literals = rule_file_literals(plan_file(rule_get_plan(r)));

        lists[count++] = (phrase_list){literals->all, literals->count};
    } else {
        lists[count].all = rule_get_list(r, RULE_OPERATIONS, &lists[count].count);
        count++;
        lists[count].all = rule_get_wide_list(r, RULE_OPERATIONS, &lists[count].count);
        count++;
    }
    if (rule_learns(r)) {
        lists[count].all = role_change_operations(&lists[count].count);
        count++;
    }
    return count;
}

gate *detector_make_gate(const rule *r, const text *more, size_t more_count)
{
    phrase_list lists[4] = {{NULL, 0}};
    size_t list_count = list_phrases(r, lists), all = more_count, count = 0;
    gate *result = NULL;
    text *phrases;

    lists[list_count++] = (phrase_list){more, more_count};
    for (size_t i = 0; i + 1 < list_count; i++)
        all += lists[i].count;
    phrases = calloc(all + 1, sizeof(text));
    for (size_t i = 0; phrases != NULL && i < list_count; i++)
        count = append(phrases, count, lists[i].all, lists[i].count);
    if (phrases != NULL)
        result = gate_new(phrases, count, rule_get_semantics(r));
    free(phrases);
    return result;
}

static bool make_parts(detector *self)
{
    self->gate = detector_make_gate(self->rule, NULL, 0);
    self->accounts = sync_accounts_new(rule_get_semantics(self->rule));
    return self->gate != NULL && self->accounts != NULL && detector_set_collector(self, "");
}

detector *detector_new(const rule *r)
{
    detector *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    pthread_mutex_init(&self->publishing, NULL);
    atomic_init(&self->generation, 1);
    if (make_parts(self))
        return self;
    detector_free(self);
    return NULL;
}

void detector_free(detector *self)
{
    if (self == NULL)
        return;
    gate_free(self->gate);
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    watchlists_unref(self->lists);
    pthread_mutex_destroy(&self->publishing);
    free(self->collector);
    free(self);
}

const rule *detector_rule(const detector *self)
{
    return self->rule;
}

void detector_follow(detector *self, stream *s)
{
    self->stream = s;
}

bool detector_set_collector(detector *self, const char *host_name)
{
    char *copy = strdup(host_name);

    if (copy == NULL)
        return false;
    free(self->collector);
    self->collector = copy;
    return true;
}

/* --- snapshots --- */

static void begin_publishing(detector *self)
{
    pthread_mutex_lock(&self->publishing);
}

/* Each worker takes what is new before its next message. */
static void end_publishing(detector *self)
{
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
}

bool detector_open_rulebase(detector *self, const char *path, char **error)
{
    carrier *opened = carrier_open(path, error);
    carrier *before;

    if (opened == NULL)
        return false;
    begin_publishing(self);
    before = self->rulebase;
    self->rulebase = opened;
    end_publishing(self);
    carrier_unref(before);
    return true;
}

void detector_set_accounts(detector *self, sync_accounts *accounts, int64_t change)
{
    sync_accounts *before;

    begin_publishing(self);
    before = self->accounts;
    self->accounts = sync_accounts_ref(accounts);
    self->change = change;
    end_publishing(self);
    sync_accounts_unref(before);
}

void detector_set_watchlists(detector *self, watchlists *lists)
{
    watchlists *before;

    begin_publishing(self);
    before = self->lists;
    self->lists = watchlists_ref(lists);
    end_publishing(self);
    watchlists_unref(before);
}

watchlists *detector_ref_watchlists(detector *self, bool *again)
{
    watchlists *lists;

    pthread_mutex_lock(&self->publishing);
    lists = watchlists_ref(self->lists);
    *again = self->asks_again;
    self->asks_again = false;
    pthread_mutex_unlock(&self->publishing);
    return lists;
}
