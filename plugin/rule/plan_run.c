/* SPDX-License-Identifier: Apache-2.0 */
/* plan_run: a record's way through the query. */
#include "rule/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "kql/operators.h"
#include "kql/sort_text.h"
#include "rule/plan_parts.h"

static kql_value host_column(void *arg, unsigned column)
{
    return audit_row_column(&((plan_run *)arg)->row, column);
}

static kql_value host_member(void *arg, kql_value of, const char *key)
{
    return audit_row_member(&((plan_run *)arg)->row, of, key);
}

static kql_value host_open(void *arg, kql_value packed)
{
    return audit_row_open(&((plan_run *)arg)->row, packed);
}

/* A record may have hundreds of thousands of targets; one of few is judged to its end. */
static bool goes_on(plan_run *self)
{
    enum { ASKED_EVERY = 64 }; /* elements */

    if (self->must_stop != NULL && self->elements % ASKED_EVERY == 0)
        self->stopped = self->stopped || self->must_stop(self->arg);
    return !self->stopped;
}

/* What an element's reading needs is its own; what the record's needed is told of each. */
static bool host_element(void *arg)
{
    plan_run *self = arg;

    if (self->elements++ == 0)
        self->for_record = self->looked_up;
    self->looked_up = self->for_record;
    self->row.view.notes = self->row.record->notes;
    return goes_on(self);
}

static const kql_host host_of_record = {
    .column = host_column,
    .member = host_member,
    .open = host_open,
    .element = host_element,
    .in_set = plan_in_set,
};

/* --- rows --- */

/* A branch under way. */
typedef struct branch_run {
    plan_run *run;
    size_t branch;
    kql_passage passage;
    size_t most;
    plan_trace_sink *trace; /* or NULL */
    void *trace_arg;
} branch_run;

static text write_positions(const branch_run *b, size_t expansions)
{
    char written[KQL_MOST_EXPANSIONS * 21 + 1] = "0";
    int at = 0;

    for (size_t i = 0; i < expansions; i++)
        at += snprintf(written + at, sizeof(written) - (size_t)at, "%s%zu", i > 0 ? "," : "",
                       b->passage.positions[i]);
    return arena_copy(b->run->row.reader->memory, text_of(written));
}

static bool is_target_resources(const kql_pipeline *branch, const kql_expr *e)
{
    return e->form == FORM_COLUMN &&
           kql_slot_before_union(branch, e->slot) == COLUMN_TARGET_RESOURCES;
}

/* The expansion that is one of TargetResources itself; how many there are in all. */
static const kql_op *expansion_of_targets(const kql_pipeline *branch, size_t *expansions)
{
    const kql_op *found = NULL;

    *expansions = 0;
    for (size_t i = 0; i < branch->count; i++) {
        const kql_op *op = &branch->ops[i];

        if (op->kind != OP_EXPAND)
            continue;
        ++*expansions;
        if (found == NULL && is_target_resources(branch, op->value))
            found = op;
    }
    return found;
}

/* TargetResources[n] somewhere in it; false when there is none. */
static bool find_index(const kql_pipeline *branch, const kql_expr *e, size_t *index)
{
    bool is_path = e->form == FORM_PATH && is_target_resources(branch, e->args[0]) &&
                   e->steps[0].key == NULL && e->steps[0].index >= 0;

    if (is_path)
        *index = (size_t)e->steps[0].index;
    for (size_t i = 0; !is_path && i < e->count; i++)
        is_path = find_index(branch, e->args[i], index);
    return is_path;
}

static size_t index_of_target(const kql_pipeline *branch)
{
    size_t index = 0;

    for (size_t i = 0; i < branch->count; i++)
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++)
            if (find_index(branch, branch->ops[i].assignments[a].value, &index))
                return index;
    return index;
}

static void find_terms(branch_run *b, kql_run *r, plan_row *row)
{
    const rule_plan *p = b->run->plan;

    for (size_t i = 0; i < p->term_count; i++)
        if (p->terms[i].branch == b->branch &&
            plan_term_holds(b->run, r, &p->terms[i], NULL, &row->reasons))
            row->terms |= UINT64_C(1) << i;
}

/* What a condition before the terms needs beyond KQL's semantics. */
static unsigned reason_of_condition(branch_run *b, kql_run *r, const kql_expr *condition)
{
    if (plan_holds(b->run, r, condition, NULL, SEMANTICS_KQL))
        return 0;
    r->by_wide_list = false;
    kql_eval(r, condition);
    return reason_bit(r->by_wide_list ? WIDE_OPERATION : WIDE_LETTERS);
}

static unsigned reasons_of_conditions(branch_run *b, kql_run *r)
{
    const kql_pipeline *branch = &b->run->plan->query->branches[b->branch];
    unsigned reasons = 0;

    for (size_t i = 0; i < branch->count; i++) {
        const kql_op *op = &branch->ops[i];

        if (op->kind == OP_EXPAND || (op->kind == OP_WHERE && plan_asks_set(op->condition)))
            break;
        if (op->kind == OP_WHERE)
            reasons |= reason_of_condition(b, r, op->condition);
    }
    return reasons;
}

static kql_value *capture(branch_run *b, kql_run *r)
{
    const kql_columns *columns = &b->run->plan->columns;
    kql_value *values = arena_alloc(r->memory, columns->count * sizeof(kql_value) + 1);
    kql_expr column = {.form = FORM_COLUMN};

    for (size_t i = 0; values != NULL && i < columns->count; i++) {
        column.slot = columns->all[i].slot;
        values[i] = kql_eval(r, &column);
    }
    return values;
}

bool plan_sorts(const rule_plan *self)
{
    for (size_t b = 0; b < self->query->branch_count; b++)
        if (kql_sorting_of(&self->query->branches[b]) != NULL)
            return true;
    return false;
}

/* The row's place among all. */
static text order_of(branch_run *b, kql_run *r)
{
    const kql_op *sorting = kql_sorting_of(&b->run->plan->query->branches[b->branch]);
    buffer written = {0};
    text order = {"", 0};

    for (size_t i = 0; sorting != NULL && i < sorting->key_count; i++)
        kql_write_sort_text(&written, &sorting->keys[i], kql_eval(r, sorting->keys[i].value));
    if (sorting != NULL)
        order = buffer_failed(&written) ? (text){NULL, 0}
                                        : arena_copy(r->memory, buffer_text(&written));
    b->run->out_of_memory |= order.bytes == NULL;
    buffer_free(&written);
    return order;
}

static void tell_row(branch_run *b, kql_run *r, plan_row *row)
{
    plan_run *run = b->run;
    const kql_pipeline *branch = &run->plan->query->branches[b->branch];
    size_t expansions;
    const kql_op *of_targets = expansion_of_targets(branch, &expansions);

    *row = (plan_row){.branch = b->branch, .notes = run->row.view.notes};
    row->positions = write_positions(b, expansions);
    row->has_target = of_targets != NULL;
    row->is_whole = expansions == 0;
    row->target = of_targets ? b->passage.positions[of_targets->place] : index_of_target(branch);
    row->looked_up = run->looked_up;
    if (run->is_open)
        return;
    find_terms(b, r, row);
    if (run->semantics == SEMANTICS_WIDE)
        row->reasons |= reasons_of_conditions(b, r);
    if (!run->wants_values)
        return;
    kql_assign_late(r, branch);
    row->values = capture(b, r);
    row->order = order_of(b, r);
    run->out_of_memory |= row->values == NULL;
}

static bool take_row(void *arg, kql_run *r)
{
    branch_run *b = arg;
    plan_run *run = b->run;
    plan_row *row = arena_alloc(r->memory, sizeof(*row));

    if (row == NULL) {
        run->out_of_memory = true;
        return false;
    }
    tell_row(b, r, row);
    run->out_of_memory |= row->positions.bytes == NULL;
    *run->last = row;
    run->last = &row->next;
    run->count++;
    return !run->out_of_memory && (b->most == 0 || run->count < b->most);
}

static kql_run begin_run(plan_run *self, kql_value *frame)
{
    if (frame != NULL)
        plan_clear_frame(frame, audit_catalog.records->count, self->plan->query->slots);
    self->out_of_memory |= frame == NULL;
    return (kql_run){
        .memory = self->row.reader->memory,
        .semantics = self->semantics,
        .now = self->now,
        .frame = frame,
        .host = &host_of_record,
        .arg = self,
    };
}

static kql_value *new_frame(plan_run *self)
{
    return arena_alloc(self->row.reader->memory,
                       (self->plan->query->slots + 1) * sizeof(kql_value));
}

static void run_branch(plan_run *self, size_t branch, kql_value *frame, size_t most)
{
    const kql_query *q = self->plan->query;
    kql_run run = begin_run(self, frame);
    branch_run b = {.run = self, .branch = branch, .most = most};

    self->looked_up = NULL;
    self->elements = 0;
    b.passage =
        (kql_passage){.run = &run, .pipeline = &q->branches[branch], .sink = take_row, .arg = &b};
    kql_pass(&b.passage, 0, q->branches[branch].count);
    self->out_of_memory |=
        run.out_of_memory || self->row.out_of_memory || self->row.view.out_of_memory;
    self->over_limit |= run.over_limit;
}

static void assign_of_record(const kql_pipeline *branch, kql_run *r)
{
    for (size_t i = 0; i < branch->count; i++) {
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++) {
            const kql_assignment *to = &branch->ops[i].assignments[a];

            if (plan_is_of_record(branch, to->slot))
                r->frame[to->slot] = kql_eval(r, to->value);
        }
    }
}

kql_value *plan_record_values(plan_run *self, size_t branch)
{
    const kql_columns *columns = &self->plan->columns;
    kql_value *values =
        arena_alloc(self->row.reader->memory, columns->count * sizeof(kql_value) + 1);
    kql_value *frame = values != NULL ? new_frame(self) : NULL;
    kql_run run = begin_run(self, frame);
    kql_expr column = {.form = FORM_COLUMN};

    if (frame == NULL)
        return NULL;
    assign_of_record(&self->plan->query->branches[branch], &run);
    for (size_t i = 0; i < columns->count; i++) {
        column.slot = columns->all[i].slot;
        values[i] =
            plan_column_is_of_record(self->plan, branch, i) ? kql_eval(&run, &column) : kql_null();
    }
    return values;
}

void plan_rows(plan_run *self, size_t most)
{
    const kql_query *q = self->plan->query;
    kql_value *frame = new_frame(self);

    self->first = NULL;
    self->last = &self->first;
    self->count = 0;
    self->row.view.notes = self->row.record->notes;
    self->out_of_memory |= frame == NULL;
    for (size_t b = 0; frame != NULL && b < q->branch_count; b++)
        if (most == 0 || self->count < most)
            run_branch(self, b, frame, most);
}

/* --- why --- */

enum { MOST_VERDICTS = 200 };

typedef struct verdict_list {
    plan_verdict *all;
    size_t count;
} verdict_list;

static void add_verdicts(kql_run *r, const kql_expr *e, size_t where, verdict_list *list)
{
    plan_verdict v = {.where = where, .expr = e};

    if (e->form == FORM_CALL && (e->call == &kql_and || e->call == &kql_or)) {
        for (size_t i = 0; i < e->count; i++)
            add_verdicts(r, e->args[i], where, list);
        return;
    }
    if (list->count == MOST_VERDICTS)
        return;
    v.subject = plan_subject_of(e);
    v.word = e->operator!= NULL ? e->operator->word : e->form == FORM_CALL ? e->call->name : "";
    if (e->count > 0)
        v.left = kql_text_of(r, kql_eval(r, e->args[0]), e->args[0]->type);
    v.truths = kql_truths(kql_eval(r, e));
    list->all[list->count++] = v;
}

static bool trace_row(void *arg, kql_run *r)
{
    branch_run *b = arg;
    const kql_pipeline *branch = &b->run->plan->query->branches[b->branch];
    verdict_list list = {arena_alloc(r->memory, MOST_VERDICTS * sizeof(plan_verdict)), 0};
    plan_row row;
    bool matches = true;
    size_t where = 0;

    b->run->out_of_memory |= list.all == NULL;
    if (list.all == NULL)
        return false;
    for (size_t i = 0; i < branch->count; i++) {
        if (branch->ops[i].kind != OP_WHERE)
            continue;
        add_verdicts(r, branch->ops[i].condition, ++where, &list);
        matches &= kql_truths(kql_eval(r, branch->ops[i].condition)) == TRUTH_TRUE;
    }
    tell_row(b, r, &row);
    b->trace(b->trace_arg, &row, list.all, list.count, matches);
    return true;
}

void plan_trace(plan_run *self, plan_trace_sink *sink, void *arg)
{
    kql_value *frame = new_frame(self);

    for (size_t i = 0; frame != NULL && i < self->plan->query->branch_count; i++) {
        kql_run run = begin_run(self, frame);
        branch_run b = {.run = self, .branch = i, .trace = sink, .trace_arg = arg};

        b.passage = (kql_passage){.run = &run,
                                  .pipeline = &self->plan->query->branches[i],
                                  .sink = trace_row,
                                  .arg = &b,
                                  .keeps_all = true};
        kql_pass(&b.passage, 0, self->plan->query->branches[i].count);
        self->out_of_memory |= run.out_of_memory;
    }
}

void plan_write_right(const rule_plan *self, const kql_expr *term, buffer *out)
{
    buffer name = {0};

    if (term->in_set) {
        const kql_set *set = &self->query->sets[term->set];

        buffer_append(&name, set->name);
        buffer_append_char(&name, '.');
        buffer_append(&name, set->rows.columns.all[term->set_column].name);
        json_write_string(out, buffer_text(&name));
        out->failed |= buffer_failed(&name);
        buffer_free(&name);
    } else if (term->list != NULL) {
        buffer_append_char(out, '[');
        for (size_t i = 0; i < term->list_count; i++) {
            json_write_item(out);
            kql_write_json(out, term->list[i]);
        }
        buffer_append_char(out, ']');
    } else if (term->count > 1 && term->args[1]->form == FORM_LITERAL) {
        kql_write_json(out, term->args[1]->value);
    } else if (term->count > 1 && term->operator!= NULL) {
        json_write_string(out, term->args[1]->source);
    } else {
        buffer_append_string(out, "null");
    }
}
