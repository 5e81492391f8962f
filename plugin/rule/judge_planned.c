/* SPDX-License-Identifier: Apache-2.0 */
/* judge_planned: the rows that a rule file's plan gives, for certain, and if the lists say so. */
#include "rule/judge_parts.h"

/* One record in one reading. */
typedef struct planned {
    judgement *judgement;
    audit_record *record;
    audit_reader reader;
    plan_run run;
} planned;

static void begin_planned(planned *p, judgement *self, audit_record *record)
{
    alert row = judge_begin_row(self, record);

    p->judgement = self;
    p->record = record;
    p->reader = (audit_reader){self->memory, self->parser};
    p->run = (plan_run){
        .plan = rule_get_plan(self->rule),
        .row = audit_row_of(record, &p->reader, row.time_generated, self->received),
        .semantics = record->view,
        .now = self->now,
        .lookback = rule_get_lookback(self->rule),
        .accounts = self->accounts,
        .lists = self->lists,
    };
}

static void end_planned(planned *p)
{
    p->judgement->out_of_memory |= p->run.out_of_memory;
    p->judgement->over_limit |= p->run.over_limit;
}

/* The rows that there are for certain, or, if `open`, that some state of the sets would give. */
static size_t run_planned(planned *p, bool open, size_t most)
{
    p->run.is_open = open;
    plan_rows(&p->run, most);
    end_planned(p);
    return p->run.count;
}

/* The row shows the operation's own name. */
static void show_operation(const planned *p)
{
    const kql_columns *columns = plan_columns(p->run.plan);

    for (plan_row *row = p->run.first; row != NULL; row = row->next)
        for (size_t i = 0; row->values != NULL && i < columns->count; i++)
            if (columns->all[i].slot == COLUMN_OPERATION_NAME)
                row->values[i] = kql_string(p->record->operation_name);
}

/* In wide semantics the activity's name counts, too, where the operation's gives nothing. */
static bool try_activity_name(planned *p, size_t most)
{
    audit_record *r = p->record;
    text operation = r->operation_name;

    if (r->view != SEMANTICS_WIDE || r->activity_name.length == 0 ||
        text_equal(r->activity_name, operation))
        return false;
    r->operation_name = r->activity_name;
    run_planned(p, p->run.is_open, most);
    r->operation_name = operation;
    show_operation(p);
    return p->run.count > 0;
}

static bool same_row(const plan_row *a, const plan_row *b)
{
    return a->branch == b->branch && text_equal(a->positions, b->positions);
}

static const plan_row *find_row(const plan_row *rows, const plan_row *wanted)
{
    while (rows != NULL && !same_row(rows, wanted))
        rows = rows->next;
    return rows;
}

/* Only as far as there are targets: a rule need not expand them. */
static bool read_planned_target(judgement *self, const audit_record *record, const plan_row *row,
                                alert *a)
{
    a->target = (audit_target){.index = row->target, .upn = TEXT(""), .id = TEXT("")};
    if (row->target >= audit_record_target_count(record))
        return true;
    return judge_read_target(self, record, row->target, a);
}

/*
 * What the query has nothing for may be there in wide semantics' reading; but the target stays
 * the query's.
 */
static void fill_up(judgement *self, plan_row *row, planned *wide, const kql_value **of_record)
{
    const rule_plan *p = rule_get_plan(self->rule);
    const kql_columns *columns = plan_columns(p);

    for (size_t i = 0; wide != NULL && row->values != NULL && i < columns->count; i++) {
        kql_value v = row->values[i];
        bool is_nothing = v.kind == KIND_NULL || (v.kind == KIND_STRING && v.string.length == 0);

        if (!is_nothing || !plan_column_is_of_record(p, row->branch, i))
            continue;
        if (*of_record == NULL)
            *of_record = plan_record_values(&wide->run, row->branch);
        if (*of_record == NULL)
            return; /* memory is out, which is noted */
        row->values[i] = (*of_record)[i];
    }
}

static void hand_out_planned(judgement *self, const audit_record *record, const plan_row *row,
                             alert *a)
{
    const plan_names names = {a->target.upn, a->target.id, a->record->actor, a->record->actor_id};

    (void)record;
    a->told = plan_text_new(rule_get_plan(self->rule), row, &names, self->memory);
    self->out_of_memory |= a->told == NULL;
    if (a->told != NULL)
        judge_hand_out_match(self, a);
}

/* What the role list does not know of an account. */
static unsigned reason_of_list(learned_standing learned)
{
    static const unsigned reasons[] = {
        [LEARNED_NOTHING] = 1u << WIDE_ROLE,
        [LEARNED_RECENT] = 1u << WIDE_RECENT,
        [LEARNED_ROLE] = 1u << WIDE_LEARNED,
    };

    return reasons[learned];
}

/* Why terms hold in wide semantics only: as for the built-in rule's clauses. */
static unsigned reasons_of_terms(const rule_plan *p, const plan_row *row)
{
    uint64_t terms = row->wide_terms;
    unsigned reasons = 0;

    for (size_t i = 0; i < plan_term_count(p); i++) {
        const char *name = plan_term_name(p, i);

        if (((terms >> i) & 1) == 0)
            continue;
        if (strcmp(name, "identity_upn") == 0 ||
            (row->learned != LEARNED_NOTHING && strcmp(name, "identity_object_id") == 0))
            reasons |= reason_of_list(row->learned);
        else if (strcmp(name, "identity_object_id") == 0)
            reasons |= 1u << WIDE_ID_CASE;
        else
            reasons |= 1u << WIDE_LETTERS;
    }
    return reasons;
}

/* The target's own tree, by which two readings know it again; NULL without one. */
static json *target_tree(judgement *self, const audit_record *record, const plan_row *row)
{
    alert a = {.record = record};

    return row->target < audit_record_target_count(record) &&
                   judge_read_target(self, record, row->target, &a)
               ? a.target.value
               : NULL;
}

/*
 * Is the row one of KQL's reading already? A split object's is one for all; a record's own row is
 * one, whatever its targets are; and one is that in WIDE's reading is of no target at all.
 */
static bool is_planned_covered(judgement *self, const planned *kql, const planned *wide,
                               const plan_row *row)
{
    const plan_row *same = kql != NULL ? find_row(kql->run.first, row) : NULL;
    const json *target;

    if (kql != NULL && kql->run.first != NULL && kql->run.first->has_target &&
        kql->record->is_split)
        return true;
    if (same == NULL || same->is_whole)
        return same != NULL;
    target = target_tree(self, wide->record, row);
    return target == NULL || target == target_tree(self, kql->record, same);
}

static void hand_out_kql_rows(judgement *self, planned *kql, planned *wide,
                              const audit_record *shown)
{
    alert a = judge_begin_row(self, shown);
    const kql_value *of_record = NULL;
    size_t branch = 0;

    a.kql = true;
    for (plan_row *row = kql->run.first; row != NULL; row = row->next) {
        if (!read_planned_target(self, kql->record, row, &a))
            continue;
        if (row->branch != branch)
            of_record = NULL;
        branch = row->branch;
        fill_up(self, row, wide, &of_record);
        hand_out_planned(self, kql->record, row, &a);
    }
}

static void hand_out_wide_rows(judgement *self, const planned *kql, planned *wide, unsigned reasons)
{
    alert a = judge_begin_row(self, wide->record);

    for (plan_row *row = wide->run.first; row != NULL; row = row->next) {
        if (is_planned_covered(self, kql, wide, row) ||
            !read_planned_target(self, wide->record, row, &a))
            continue;
        a.matched_by = reasons | rule_reasons_of_notes(row->notes | a.target.notes) |
                       reasons_of_terms(wide->run.plan, row);
        if (row->needs_letters)
            a.matched_by |= 1u << WIDE_LETTERS;
        hand_out_planned(self, wide->record, row, &a);
    }
}

/* Rows that some state of the role list would give: in `open`, a run of its own. */
static void run_open(judgement *self, const planned *of, planned *open)
{
    *open = *of;
    open->run.row.reader = &open->reader;
    open->run.looked_up = self->look_up;
    open->run.arg = self->arg;
    if (run_planned(open, true, 0) == 0)
        try_activity_name(open, 0);
}

static void hand_out_open_row(judgement *self, const audit_record *record, const plan_row *row)
{
    const plan_text positions = {.positions = row->positions};
    alert a = judge_begin_row(self, record);

    if (!read_planned_target(self, record, row, &a))
        return;
    a.told = &positions;
    judge_hand_out_unmatched_row(self, &a);
}

/* Those of wide semantics' reading; what of KQL's it does not read, too. */
static void hand_out_open_rows(judgement *self, const planned *kql, const planned *wide)
{
    planned open_kql, open_wide;

    if (wide != NULL) {
        run_open(self, wide, &open_wide);
        for (plan_row *row = open_wide.run.first; row != NULL; row = row->next)
            if (find_row(wide->run.first, row) == NULL && !is_planned_covered(self, kql, wide, row))
                hand_out_open_row(self, wide->record, row);
    }
    if (kql == NULL)
        return;
    run_open(self, kql, &open_kql);
    for (plan_row *row = open_kql.run.first; row != NULL; row = row->next)
        if (find_row(kql->run.first, row) == NULL &&
            (wide == NULL || !is_planned_covered(self, &open_wide, kql, row)))
            hand_out_open_row(self, kql->record, row);
}

/* A record of before the lookback is one that would have given a row. */
static bool is_planned_stale(judgement *self, audit_record *record)
{
    alert row = judge_begin_row(self, record);
    planned p;

    if (row.time_generated > rule_records_since(self->rule, self->now))
        return false;
    begin_planned(&p, self, record);
    p.run.now = row.time_generated + 1;
    self->stale += run_planned(&p, true, 1) > 0;
    return true;
}

/* One of them may be NULL: the query sees no record, or the rule is not wide. */
void judge_planned(judgement *self, audit_record *kql, audit_record *wide)
{
    audit_record *most = wide != NULL ? wide : kql, shown;
    planned in_kql, in_wide;
    unsigned reasons = 0;
    bool joins_late = self->take_unmatched != NULL && rule_has_sets(self->rule);

    if (is_planned_stale(self, most))
        return;
    if (wide != NULL && wide->hides_targets &&
        (wide->is_hidden_above || rule_is_operation(self->rule, wide, SEMANTICS_WIDE, &reasons)))
        judge_keep_hidden(self, wide);
    if (wide != NULL) {
        begin_planned(&in_wide, self, wide);
        if (run_planned(&in_wide, false, 0) == 0 && try_activity_name(&in_wide, 0))
            reasons |= 1u << WIDE_ACTIVITY_NAME;
    }
    if (kql != NULL) {
        begin_planned(&in_kql, self, kql);
        run_planned(&in_kql, false, 0);
    }
    if (!joins_late && (wide == NULL || in_wide.run.count == 0) &&
        (kql == NULL || in_kql.run.count == 0))
        return;
    if (most->unread_time.length > 0) {
        self->unread_times++;
        self->unread_time = most->unread_time;
    }
    judge_read_rest(self, most);
    shown = *most;
    if (kql != NULL && wide != NULL) {
        judge_read_rest(self, kql);
        shown = judge_shown_record(kql, wide);
    }
    if (kql != NULL)
        hand_out_kql_rows(self, &in_kql, wide != NULL ? &in_wide : NULL, &shown);
    if (wide != NULL)
        hand_out_wide_rows(self, kql != NULL ? &in_kql : NULL, &in_wide, reasons);
    if (joins_late)
        hand_out_open_rows(self, kql != NULL ? &in_kql : NULL, wide != NULL ? &in_wide : NULL);
}
