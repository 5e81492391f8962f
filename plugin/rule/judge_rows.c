/* SPDX-License-Identifier: Apache-2.0 */
/* judge_rows: the rows that the rule's plan gives, for certain, and if the lists say so. */
#include <stdlib.h>

#include "rule/judge_parts.h"

/* One record in one reading. */
typedef struct reading {
    judgement *judgement;
    audit_record *record;
    audit_reader reader;
    plan_run run;
} reading;

static void begin_reading(reading *r, judgement *self, audit_record *record)
{
    alert row = judge_begin_row(self, record);

    r->judgement = self;
    r->record = record;
    r->reader = (audit_reader){self->memory, self->parser};
    r->run = (plan_run){
        .plan = rule_get_plan(self->rule),
        .row = audit_row_of(record, &r->reader, row.time_generated, self->received),
        .semantics = record->view,
        .now = self->now,
        .lookback = rule_get_lookback(self->rule),
        .accounts = self->accounts,
        .lists = self->lists,
        .wants_values = !rule_is_built_in(self->rule),
        .must_stop = self->must_stop,
        .arg = self->arg,
    };
}

/* The rows that there are for certain, or, if `open`, that some state of the sets would give. */
static size_t find_rows(reading *r, bool open, size_t most)
{
    r->run.is_open = open;
    plan_rows(&r->run, most);
    r->judgement->out_of_memory |= r->run.out_of_memory;
    r->judgement->over_limit |= r->run.over_limit;
    r->judgement->stopped |= r->run.stopped;
    return r->run.count;
}

/* The row shows the operation's own name. */
static void show_operation(const reading *r)
{
    const kql_columns *columns = plan_columns(r->run.plan);

    for (plan_row *row = r->run.first; row != NULL; row = row->next)
        for (size_t i = 0; row->values != NULL && i < columns->count; i++)
            if (plan_column_is(r->run.plan, row->branch, i, COLUMN_OPERATION_NAME))
                row->values[i] = kql_string(r->record->operation_name);
}

/* In wide semantics the activity's name counts, too, where the operation's gives nothing. */
static void try_activity_name(reading *r)
{
    audit_record *record = r->record;
    text operation = record->operation_name;

    if (record->view != SEMANTICS_WIDE || record->activity_name.length == 0 ||
        text_equal(record->activity_name, operation))
        return;
    record->operation_name = record->activity_name;
    find_rows(r, r->run.is_open, 0);
    record->operation_name = operation;
    show_operation(r);
    for (plan_row *row = r->run.first; row != NULL; row = row->next)
        row->reasons |= reason_bit(WIDE_ACTIVITY_NAME);
}

static void find_all_rows(reading *r, bool open)
{
    if (find_rows(r, open, 0) == 0)
        try_activity_name(r);
}

/* --- rows of two readings --- */

/* "2,1" lies before "10": number by number. */
static int compare_positions(const char *a, const char *b)
{
    char *behind_a, *behind_b;
    unsigned long long x = strtoull(a, &behind_a, 10), y = strtoull(b, &behind_b, 10);

    if (x != y)
        return x < y ? -1 : 1;
    if (*behind_a == '\0' || *behind_b == '\0')
        return (*behind_a != '\0') - (*behind_b != '\0');
    return compare_positions(behind_a + 1, behind_b + 1); /* no deeper than KQL_MOST_EXPANSIONS */
}

static int compare_rows(const plan_row *a, const plan_row *b)
{
    if (a->branch != b->branch)
        return a->branch < b->branch ? -1 : 1;
    return compare_positions(a->positions.bytes, b->positions.bytes);
}

/*
 * The row of the same place in another list, or NULL. Both are in the order of places, and so are
 * the rows that are looked for one after the other: *at goes on from one to the next.
 */
static const plan_row *find_row(const plan_row **at, const plan_row *wanted)
{
    while (*at != NULL && compare_rows(*at, wanted) < 0)
        *at = (*at)->next;
    return *at != NULL && compare_rows(*at, wanted) == 0 ? *at : NULL;
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
 * Is the row one of the other reading already? `at`: as in find_row. A split object's is one for
 * all; a record's own row is one, whatever its targets are; and one is that in its own reading is
 * of no target at all.
 */
static bool is_row_of(const reading *other, const plan_row **at, const reading *own,
                      const plan_row *row)
{
    const plan_row *same = find_row(at, row);
    const json *target;

    if (other->run.first != NULL && other->run.first->has_target && other->record->is_split)
        return true;
    if (same == NULL || same->is_whole)
        return same != NULL;
    target = target_tree(own->judgement, own->record, row);
    return target == NULL || target == target_tree(own->judgement, other->record, same);
}

/* Are the targets of both readings the same trees? */
static bool same_targets(const reading *a, const reading *b)
{
    return a->record->target_resources == b->record->target_resources &&
           (a->record->notes | b->record->notes) == 0 && !a->record->is_split &&
           !b->record->is_split;
}

/* --- rows that match --- */

/* A record may have hundreds of thousands of rows; one of few is judged to its end. */
static bool goes_on(judgement *self, size_t row)
{
    enum { ASKED_EVERY = 64 }; /* rows */

    if (self->must_stop != NULL && row % ASKED_EVERY == ASKED_EVERY - 1)
        self->stopped = self->stopped || self->must_stop(self->arg);
    return !self->stopped;
}

/* Only as far as there are targets: a rule need not expand them. */
static bool read_target(judgement *self, const audit_record *record, const plan_row *row, alert *a)
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
static void fill_up(judgement *self, plan_row *row, reading *wide, const kql_value **of_record)
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

/* The built-in rule's alert has no text of its own: its facts are in the record. */
static void hand_out_row(judgement *self, const plan_row *row, alert *a)
{
    const rule_plan *plan = rule_get_plan(self->rule);
    const plan_names names = {a->target.upn, a->target.id, a->record->actor, a->record->actor_id};

    if (rule_is_built_in(self->rule)) {
        a->matched_by |= plan_clauses_of(plan, row->terms);
        judge_hand_out_match(self, a);
        return;
    }
    a->told = plan_text_new(plan, row, &names, self->memory);
    self->out_of_memory |= a->told == NULL;
    if (a->told != NULL)
        judge_hand_out_match(self, a);
}

static void hand_out_kql_rows(judgement *self, reading *kql, reading *wide,
                              const audit_record *shown)
{
    bool fills_up = !rule_is_built_in(self->rule);
    alert a = judge_begin_row(self, shown);
    const kql_value *of_record = NULL;
    size_t branch = 0, n = 0;

    a.kql = true;
    for (plan_row *row = kql->run.first; row != NULL && goes_on(self, n++); row = row->next) {
        if (!read_target(self, kql->record, row, &a))
            continue;
        if (row->branch != branch)
            of_record = NULL;
        branch = row->branch;
        if (fills_up)
            fill_up(self, row, wide, &of_record);
        a.matched_by = 0;
        hand_out_row(self, row, &a);
    }
}

static void hand_out_wide_rows(judgement *self, const reading *kql, reading *wide)
{
    const plan_row *at = kql != NULL ? kql->run.first : NULL;
    alert a = judge_begin_row(self, wide->record);
    size_t n = 0;

    for (plan_row *row = wide->run.first; row != NULL && goes_on(self, n++); row = row->next) {
        if ((kql != NULL && is_row_of(kql, &at, wide, row)) ||
            !read_target(self, wide->record, row, &a))
            continue;
        a.matched_by = row->reasons | reasons_of_notes(row->notes | a.target.notes);
        hand_out_row(self, row, &a);
    }
}

/* --- rows that some state of the lists would give --- */

/* Finds them: in `open`, a reading of its own. */
static void open_reading(const reading *of, reading *open)
{
    *open = *of;
    open->run.row.reader = &open->reader;
    find_all_rows(open, true);
}

static void hand_out_open_row(judgement *self, const audit_record *record, const plan_row *row,
                              alert *a)
{
    const plan_text positions = {.positions = row->positions};

    if (!read_target(self, record, row, a))
        return;
    for (const plan_look_up *l = row->looked_up; self->look_up != NULL && l != NULL; l = l->next)
        self->look_up(self->arg, l->key, l->value);
    a->told = &positions;
    if (self->take_unmatched != NULL)
        self->take_unmatched(self->arg, a);
    a->told = NULL;
}

static void hand_out_open_wide_rows(judgement *self, const reading *kql, const reading *wide,
                                    const reading *open)
{
    const plan_row *certain = wide->run.first, *at = kql != NULL ? kql->run.first : NULL;
    alert a = judge_begin_row(self, wide->record);
    size_t n = 0;

    for (plan_row *row = open->run.first; row != NULL && goes_on(self, n++); row = row->next)
        if (find_row(&certain, row) == NULL && (kql == NULL || !is_row_of(kql, &at, wide, row)))
            hand_out_open_row(self, wide->record, row, &a);
}

/* Of KQL's reading, those that wide semantics' has not. `open_wide`: NULL, or its open rows. */
static void hand_out_open_kql_rows(judgement *self, const reading *kql, const reading *open,
                                   const reading *open_wide)
{
    const plan_row *certain = kql->run.first, *at = open_wide ? open_wide->run.first : NULL;
    alert a = judge_begin_row(self, kql->record);
    size_t n = 0;

    for (plan_row *row = open->run.first; row != NULL && goes_on(self, n++); row = row->next)
        if (find_row(&certain, row) == NULL &&
            (open_wide == NULL || !is_row_of(open_wide, &at, kql, row)))
            hand_out_open_row(self, kql->record, row, &a);
}

static void hand_out_open_rows(judgement *self, const reading *kql, const reading *wide)
{
    reading open_kql, open_wide;

    if (wide != NULL) {
        open_reading(wide, &open_wide);
        hand_out_open_wide_rows(self, kql, wide, &open_wide);
    }
    /* the built-in rule has no negations: none of its rows would be the query's alone */
    if (kql == NULL || (wide != NULL && rule_is_built_in(self->rule) && same_targets(kql, wide)))
        return;
    open_reading(kql, &open_kql);
    hand_out_open_kql_rows(self, kql, &open_kql, wide != NULL ? &open_wide : NULL);
}

/* --- the record --- */

static void keep_query_column(text *shown, text column)
{
    if (column.length > 0)
        *shown = column;
}

/* WIDE's reading tells more of a record; but what the query has a word for stays the query's. */
static audit_record shown_record(const audit_record *kql, const audit_record *wide)
{
    audit_record shown = *wide;

    keep_query_column(&shown.operation_name, kql->operation_name);
    keep_query_column(&shown.actor, kql->actor);
    keep_query_column(&shown.source_ip, kql->source_ip);
    keep_query_column(&shown.result, kql->result);
    return shown;
}

/* Of targets that cannot be read: what there is of them, and what stands around it. */
static void keep_hidden(judgement *self, audit_record *record)
{
    buffer written = {0};

    judge_read_rest(self, record);
    audit_record_write_hidden(record, &written);
    if (!buffer_failed(&written))
        self->hidden = arena_copy(self->memory, buffer_text(&written));
    self->out_of_memory |= self->hidden.bytes == NULL;
    buffer_free(&written);
}

/* What hides the targets may hide the operation. */
static bool may_be_operation(const judgement *self, const audit_record *record)
{
    unsigned reasons = 0;

    return rule_is_operation(self->rule, record, record->view, &reasons) ||
           (record->hides_targets && record->is_hidden_above);
}

/* Of before the lookback: would it have given a row? */
static bool would_have_rows(judgement *self, audit_record *record, timestamp time)
{
    reading r;

    begin_reading(&r, self, record);
    r.run.now = time + 1;
    return find_rows(&r, true, 1) > 0;
}

static bool is_stale(judgement *self, audit_record *record)
{
    alert row = judge_begin_row(self, record);

    if (rule_is_built_in(self->rule))
        return judge_is_stale(self, &row);
    if (row.time_generated > rule_records_since(self->rule, self->now))
        return false;
    self->stale += would_have_rows(self, record, row.time_generated);
    return true;
}

static void note_unread_time(judgement *self, const audit_record *record)
{
    if (record->unread_time.length == 0)
        return;
    self->unread_times++;
    self->unread_time = record->unread_time;
}

/* What the alerts tell of: read only now that there are some, or may be. */
static audit_record read_shown(judgement *self, audit_record *kql, audit_record *wide)
{
    audit_record *most = wide != NULL ? wide : kql;

    judge_read_rest(self, most);
    if (kql == NULL || wide == NULL)
        return *most;
    judge_read_rest(self, kql);
    return shown_record(kql, wide);
}

/* Then wide semantics, whose row is one for each target too, has nothing to add. */
static bool is_all_matched(const judgement *self, const reading *kql, const reading *wide)
{
    return rule_is_built_in(self->rule) && kql->run.count > 0 && same_targets(kql, wide) &&
           kql->run.count == audit_record_target_count(wide->record);
}

static void judge_readings(judgement *self, reading *kql, reading *wide)
{
    audit_record *of_kql = kql != NULL ? kql->record : NULL;
    audit_record *of_wide = wide != NULL ? wide->record : NULL, shown;
    bool is_done = kql != NULL && wide != NULL && is_all_matched(self, kql, wide);
    bool joins_late = self->take_unmatched != NULL && rule_has_sets(self->rule) && !is_done;
    bool has_rows = (kql != NULL && kql->run.count > 0) || (wide != NULL && wide->run.count > 0);

    if (has_rows || joins_late || rule_is_built_in(self->rule))
        note_unread_time(self, of_wide != NULL ? of_wide : of_kql);
    if (!has_rows && !joins_late)
        return;
    shown = read_shown(self, of_kql, of_wide);
    if (kql != NULL)
        hand_out_kql_rows(self, kql, wide, &shown);
    if (wide != NULL)
        hand_out_wide_rows(self, kql, wide);
    if (joins_late)
        hand_out_open_rows(self, kql, wide);
}

void judge_rows(judgement *self, audit_record *kql, audit_record *wide)
{
    audit_record *most = wide != NULL ? wide : kql;
    reading in_kql, in_wide;

    if (rule_is_built_in(self->rule) && !may_be_operation(self, most))
        return;
    if (is_stale(self, most))
        return;
    if (wide != NULL && wide->hides_targets && may_be_operation(self, wide))
        keep_hidden(self, wide);
    if (kql != NULL) {
        begin_reading(&in_kql, self, kql);
        find_all_rows(&in_kql, false);
    }
    if (wide != NULL) {
        begin_reading(&in_wide, self, wide);
        if (kql == NULL || !is_all_matched(self, &in_kql, &in_wide))
            find_all_rows(&in_wide, false);
    }
    judge_readings(self, kql != NULL ? &in_kql : NULL, wide != NULL ? &in_wide : NULL);
}
