/* SPDX-License-Identifier: Apache-2.0 */
/* detector: the gate, and snapshots behind a lock that is held for a moment only. */
#include "detector/detector.h"

#include <stdlib.h>
#include <string.h>

#include "detector/worker.h"
#include "gate/gate.h"
#include "rule/plan.h"
#include "rule/watchlists.h"

static size_t append(text *list, size_t count, const text *more, size_t more_count)
{
    if (more_count > 0)
        memcpy(list + count, more, more_count * sizeof(text));
    return count + more_count;
}

/* Of a rule file: the texts of which one stands in each record that gives a row. */
static gate *make_plan_gate(const rule *r, const text *more, size_t more_count)
{
    const kql_literals *literals = rule_file_literals(plan_file(rule_get_plan(r)));
    text *phrases = calloc(literals->count + more_count + 1, sizeof(text));
    gate *result = NULL;
    size_t count;

    if (phrases != NULL) {
        count = append(phrases, 0, literals->all, literals->count);
        count = append(phrases, count, more, more_count);
        result = gate_new(phrases, count, rule_get_semantics(r));
    }
    free(phrases);
    return result;
}

/* Of all the phrases by which an operation can be told in the rule's semantics. */
gate *detector_make_gate(const rule *r, const text *more, size_t more_count)
{
    size_t operation_count, wide_count, count = 0;
    const text *operations = rule_get_list(r, RULE_OPERATIONS, &operation_count);
    const text *wide = rule_get_wide_list(r, RULE_OPERATIONS, &wide_count);
    text *phrases = calloc(operation_count + wide_count + more_count + 1, sizeof(text));
    gate *result = NULL;

    if (rule_get_plan(r) != NULL) {
        free(phrases);
        return make_plan_gate(r, more, more_count);
    }
    if (phrases != NULL) {
        count = append(phrases, count, operations, operation_count);
        count = append(phrases, count, wide, wide_count);
        count = append(phrases, count, more, more_count);
        result = gate_new(phrases, count, rule_get_semantics(r));
    }
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

bool detector_open_rulebase(detector *self, const char *path, char **error)
{
    carrier *opened = carrier_open(path, error);
    carrier *before;

    if (opened == NULL)
        return false;
    pthread_mutex_lock(&self->publishing);
    before = self->rulebase;
    self->rulebase = opened;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    carrier_unref(before);
    return true;
}

void detector_set_accounts(detector *self, sync_accounts *accounts, int64_t change)
{
    sync_accounts *before;

    pthread_mutex_lock(&self->publishing);
    before = self->accounts;
    self->accounts = sync_accounts_ref(accounts);
    self->change = change;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    sync_accounts_unref(before);
}

void detector_set_watchlists(detector *self, watchlists *lists)
{
    watchlists *before;

    pthread_mutex_lock(&self->publishing);
    before = self->lists;
    self->lists = watchlists_ref(lists);
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    watchlists_unref(before);
}

watchlists *detector_ref_watchlists(detector *self)
{
    watchlists *lists;

    pthread_mutex_lock(&self->publishing);
    lists = watchlists_ref(self->lists);
    pthread_mutex_unlock(&self->publishing);
    return lists;
}
