/* SPDX-License-Identifier: Apache-2.0 */
/* plan: a rule file's query, made ready: its terms, its columns, its sets. */
#include "rule/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "kql/operators.h"
#include "rule/plan_parts.h"

static bool is_format_of(const rule_format *f, const kql_column *c)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->pieces[i].column == c)
            return true;
    return false;
}

static bool is_named(const rule_facts *f, const kql_column *c)
{
    for (size_t e = 0; e < f->entity_count; e++)
        for (size_t i = 0; i < f->entities[e].field_count; i++)
            if (f->entities[e].fields[i].found == c)
                return true;
    for (size_t i = 0; i < f->detail_count; i++)
        if (f->details[i].found == c)
            return true;
    return is_format_of(&f->display_name, c) || is_format_of(&f->description_format, c) ||
           f->severity_column == c || f->tactics_column == c;
}

static bool choose_columns(rule_plan *self)
{
    const kql_columns *all = &self->query->columns;
    kql_column *chosen;
    size_t count = 0;

    self->columns = *all;
    if (self->query->has_projection)
        return true;
    chosen = arena_alloc(self->memory, all->count * sizeof(kql_column) + 1);
    for (size_t i = 0; chosen != NULL && i < all->count; i++)
        if (all->all[i].is_made || is_named(rule_file_facts(self->file), &all->all[i]))
            chosen[count++] = all->all[i];
    self->columns = (kql_columns){chosen, count};
    return chosen != NULL;
}

const kql_columns *plan_columns(const rule_plan *self)
{
    return &self->columns;
}

static bool reads_record(const kql_pipeline *branch, const kql_expr *e)
{
    if (e->form == FORM_COLUMN)
        return plan_is_of_record(branch, e->slot);
    for (size_t i = 0; i < e->count; i++)
        if (!reads_record(branch, e->args[i]))
            return false;
    return true;
}

static bool expands(const kql_pipeline *branch)
{
    for (size_t i = 0; i < branch->count; i++)
        if (branch->ops[i].kind == OP_EXPAND)
            return true;
    return false;
}

bool plan_is_of_record(const kql_pipeline *branch, unsigned slot)
{
    if (slot < audit_catalog.records->count)
        return slot != COLUMN_TARGET_RESOURCES || !expands(branch);
    for (size_t i = 0; i < branch->count; i++)
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++)
            if (branch->ops[i].assignments[a].slot == slot)
                return reads_record(branch, branch->ops[i].assignments[a].value);
    return false; /* an element, or a part of a text */
}

bool plan_column_is_of_record(const rule_plan *self, size_t branch, size_t column)
{
    return plan_is_of_record(&self->query->branches[branch], self->columns.all[column].slot);
}

bool plan_column_is(const rule_plan *self, size_t branch, size_t column, unsigned of)
{
    return kql_slot_before_union(&self->query->branches[branch], self->columns.all[column].slot) ==
           of;
}

const rule_file *plan_file(const rule_plan *self)
{
    return self->file;
}

unsigned plan_source_of(const kql_set *set, unsigned column)
{
    unsigned slot = set->rows.columns.all[column].slot;

    for (size_t i = 0; i < set->rows.count; i++)
        for (size_t a = 0; a < set->rows.ops[i].assignment_count; a++)
            if (set->rows.ops[i].assignments[a].slot == slot)
                return AUDIT_COLUMN_COUNT; /* it is computed */
    return slot;
}

typedef struct term_check {
    const kql_query *query;
    const kql_expr *wrong;
} term_check;

static void check_term(void *arg, const kql_expr *term)
{
    term_check *c = arg;
    const kql_set *set = &c->query->sets[term->set];
    unsigned source = plan_source_of(set, term->set_column);

    if (!set->is_watchlist && source != INFO_ACCOUNT_UPN && source != INFO_ACCOUNT_OBJECT_ID)
        c->wrong = term;
}

/* Values are looked up by UPN and object id, which the role list is kept by. */
static bool sets_can_be_asked(const rule_plan *self, char **error)
{
    term_check c = {self->query, NULL};

    kql_query_each_set_term(self->query, check_term, &c);
    if (c.wrong == NULL)
        return true;
    if (asprintf(error,
                 "\"%.*s\" is looked up in a column that is not kept here: AccountUPN and "
                 "AccountObjectId of IdentityInfo can be",
                 (int)c.wrong->args[0]->source.length, c.wrong->args[0]->source.bytes) < 0)
        *error = NULL;
    return false;
}

static const kql_set *next_set(const rule_plan *self, size_t *i, bool is_watchlist)
{
    const kql_query *q = self->query;

    while (*i < q->set_count && q->sets[*i].is_watchlist != is_watchlist)
        ++*i;
    return *i < q->set_count ? &q->sets[(*i)++] : NULL;
}

bool plan_asks_role_list(const rule_plan *self)
{
    size_t i = 0;

    return next_set(self, &i, false) != NULL;
}

/* Is it the first set of that watchlist? */
static bool is_new_watchlist(const rule_plan *self, const kql_set *set)
{
    size_t i = 0;
    const kql_set *first = next_set(self, &i, true);

    while (!text_equal(first->watchlist, set->watchlist))
        first = next_set(self, &i, true);
    return first == set;
}

text plan_watchlist(const rule_plan *self, size_t number)
{
    const kql_set *set;
    size_t i = 0;

    while ((set = next_set(self, &i, true)) != NULL)
        if (is_new_watchlist(self, set) && number-- == 0)
            return set->watchlist;
    return (text){NULL, 0};
}

typedef struct info_row {
    const identity_record *row;
    semantics semantics;
    arena *memory;
} info_row;

static kql_value host_info(void *arg, unsigned column)
{
    info_row *self = arg;

    return identity_row_column(self->row, column, self->semantics, self->memory);
}

static bool note_row(void *arg, kql_run *r)
{
    (void)r;
    *(bool *)arg = true;
    return false;
}

void plan_clear_frame(kql_value *frame, size_t columns, size_t slots)
{
    for (size_t i = 0; i < slots; i++)
        frame[i].kind = i < columns ? KIND_UNREAD : KIND_NULL;
}

static bool is_in_set(const kql_set *set, const identity_record *row, semantics s, arena *memory,
                      bool *out_of_memory)
{
    static const kql_host host = {.column = host_info};
    info_row source = {row, s, memory};
    bool is_in = false;
    kql_run run = {.memory = memory, .semantics = s, .host = &host, .arg = &source};
    kql_passage p = {.run = &run, .pipeline = &set->rows, .sink = note_row, .arg = &is_in};

    run.frame = arena_alloc(memory, (set->slots + 1) * sizeof(kql_value));
    *out_of_memory |= run.frame == NULL;
    if (run.frame == NULL)
        return false;
    plan_clear_frame(run.frame, audit_catalog.accounts->count, set->slots);
    kql_pass(&p, 0, set->rows.count);
    *out_of_memory |= run.out_of_memory;
    return is_in;
}

/* Does it look for a part of a text? Of roles that only wide semantics sees there are more. */
static bool looks_for_part(const kql_operator *o)
{
    return o != NULL && o->evidence != EVIDENCE_NONE &&
           (o->right == RIGHT_TEXTS || (o->is_tight && !o->is_equality));
}

/* Can wide semantics only make it true? */
static bool widens(const kql_expr *e)
{
    if (e->form != FORM_CALL || (e->call != &kql_and && e->call != &kql_or))
        return looks_for_part(e->operator);
    for (size_t i = 0; i < e->count; i++)
        if (!widens(e->args[i]))
            return false;
    return true;
}

static void find_widening_sets(rule_plan *self)
{
    for (size_t s = 0; s < self->query->set_count; s++) {
        const kql_pipeline *rows = &self->query->sets[s].rows;
        bool all = true;

        for (size_t i = 0; i < rows->count; i++)
            all &= rows->ops[i].kind == OP_WHERE ? widens(rows->ops[i].condition)
                                                 : rows->ops[i].kind == OP_EXTEND;
        self->widening_sets |= all ? 1u << s : 0;
    }
}

bool plan_sets_of(const rule_plan *self, const identity_record *row, semantics s, plan_sets *sets)
{
    arena *memory = arena_new();
    bool out_of_memory = memory == NULL;

    *sets = (plan_sets){0};
    for (unsigned i = 0; !out_of_memory && i < self->query->set_count; i++) {
        const kql_set *set = &self->query->sets[i];
        bool wide = s == SEMANTICS_WIDE && !set->is_watchlist &&
                    is_in_set(set, row, SEMANTICS_WIDE, memory, &out_of_memory);
        bool may_be = wide || s == SEMANTICS_KQL || ((self->widening_sets >> i) & 1) == 0;
        bool kql = may_be && !set->is_watchlist &&
                   is_in_set(set, row, SEMANTICS_KQL, memory, &out_of_memory);

        sets->kql |= kql ? 1u << i : 0;
        sets->wide |= wide || kql ? 1u << i : 0;
    }
    arena_free(memory);
    return !out_of_memory;
}

timespan plan_window_of(const kql_set *set, timespan lookback)
{
    return set->has_window ? set->window : lookback;
}

timespan plan_identity_window(const rule_plan *self, timespan lookback)
{
    const kql_set *set;
    timespan longest = 0;
    size_t i = 0;

    while ((set = next_set(self, &i, false)) != NULL) {
        timespan window = plan_window_of(set, lookback);

        if (window == 0)
            return 0;
        longest = window > longest ? window : longest;
    }
    return longest > 0 ? longest : 14 * TICKS_PER_DAY;
}

/* Can a set's loss not make it true? */
static bool asks_for_presence(const kql_expr *e)
{
    if (e == NULL || !plan_asks_set(e))
        return true;
    if (e->in_set)
        return !e->operator->is_negated && !plan_asks_set(e->args[0]);
    if (e->form != FORM_CALL || (e->call != &kql_and && e->call != &kql_or))
        return false;
    for (size_t i = 0; i < e->count; i++)
        if (!asks_for_presence(e->args[i]))
            return false;
    return true;
}

static bool op_asks_for_presence(const kql_op *op)
{
    for (size_t a = 0; a < op->assignment_count; a++)
        if (plan_asks_set(op->assignments[a].value))
            return false;
    return asks_for_presence(op->condition) && (op->value == NULL || !plan_asks_set(op->value));
}

static bool asks_for_absence(const kql_query *q)
{
    for (size_t b = 0; b < q->branch_count; b++)
        for (size_t i = 0; i < q->branches[b].count; i++)
            if (!op_asks_for_presence(&q->branches[b].ops[i]))
                return true;
    return false;
}

size_t plan_windows_of_absence(const rule_plan *self, timespan lookback,
                               timespan windows[KQL_MOST_SETS])
{
    const kql_query *q = self->query;
    size_t count = 0;

    for (size_t i = 0; asks_for_absence(q) && i < q->set_count; i++) {
        timespan window = plan_window_of(&q->sets[i], lookback);
        size_t seen = 0;

        while (seen < count && windows[seen] != window)
            seen++;
        if (seen == count && window > 0 && !q->sets[i].is_watchlist)
            windows[count++] = window;
    }
    return count;
}

static bool defer_columns(const kql_query *q)
{
    for (size_t b = 0; b < q->branch_count; b++)
        if (!kql_defer(&q->branches[b], q->slots))
            return false;
    return true;
}

rule_plan *plan_new(const rule_file *file, char **error)
{
    rule_plan *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self == NULL)
        return NULL;
    self->file = file;
    self->query = rule_file_query(file);
    self->memory = arena_new();
    if (self->memory != NULL && sets_can_be_asked(self, error) && choose_columns(self) &&
        plan_find_terms(self) && defer_columns(self->query)) {
        find_widening_sets(self);
        return self;
    }
    plan_free(self);
    return NULL;
}

void plan_free(rule_plan *self)
{
    if (self == NULL)
        return;
    arena_free(self->memory);
    free(self);
}
