/* SPDX-License-Identifier: Apache-2.0 */
/* judge: the rows of KQL's reading first, then those that wide semantics adds. */
#include "rule/judge.h"

/* The rows of KQL's reading, so that wide semantics adds only what they lack. */
typedef struct kql_row {
    json *value; /* the target */
    bool matched;
} kql_row;

typedef struct kql_rows {
    kql_row *rows; /* by the target's index */
    size_t count;
    bool split; /* one that matched was a property of an expanded object */
} kql_rows;

alert judge_begin_row(const judgement *self, const audit_record *record)
{
    return (alert){
        .rule = self->rule,
        .record = record,
        .time_generated = record->has_time ? record->time_generated : self->received,
        .detected_at = self->now,
        .collector = self->collector,
    };
}

bool judge_is_stale(judgement *self, const alert *row)
{
    if (row->time_generated > rule_records_since(self->rule, self->now))
        return false;
    self->stale++;
    return true;
}

/* A record may have hundreds of thousands of rows; one of few is judged to its end. */
static bool goes_on(judgement *self, size_t row)
{
    enum { ASKED_EVERY = 64 }; /* rows */

    if (self->must_stop != NULL && row % ASKED_EVERY == ASKED_EVERY - 1)
        self->stopped = self->stopped || self->must_stop(self->arg);
    return !self->stopped;
}

static bool is_recent(judgement *self, const audit_record *record)
{
    alert row = judge_begin_row(self, record);

    if (judge_is_stale(self, &row))
        return false;
    if (record->unread_time.length > 0) {
        self->unread_times++;
        self->unread_time = record->unread_time;
    }
    return true;
}

/* The query knows no time that cannot be read: its row is one that it has not. */
void judge_complete_row(judgement *self, alert *row)
{
    const audit_reader reader = {self->memory, self->parser};

    self->out_of_memory |=
        !registration_read(row->record, &row->target, &reader, &row->registration);
    self->has_broken_part |= row->record->has_broken_part || row->registration.is_broken;
    if (row->record->unread_time.length == 0)
        return;
    row->matched_by |= 1u << WIDE_TIME_UNREAD;
    row->kql = false;
}

/* The hash of a record without an id is made once, for all its rows. */
static void hand_out_match(judgement *self, alert *row)
{
    alert whole = *row;

    judge_complete_row(self, &whole);
    self->take_match(self->arg, &whole);
    memcpy(row->content_hash, whole.content_hash, sizeof(row->content_hash));
}

static void hand_out_unmatched_row(judgement *self, alert *row)
{
    if (self->take_unmatched != NULL)
        self->take_unmatched(self->arg, row);
}

static bool read_target(judgement *self, const audit_record *record, size_t index, alert *row)
{
    bool read = audit_record_target(record, index, self->memory, &row->target);

    self->out_of_memory |= !read;
    return read;
}

/* Judges one row; true, and row->matched_by, when it matches. */
static bool matches(judgement *self, alert *row, semantics s)
{
    row->matched_by = rule_match_target(self->rule, self->accounts, &row->target, s, self->now);
    return row->matched_by != 0;
}

/* `shown` is the record that the alerts tell of, as far as it is not the target's. */
static void judge_kql(judgement *self, const audit_record *record, const audit_record *shown,
                      kql_rows *rows)
{
    size_t targets = audit_record_target_count(record);
    alert row = judge_begin_row(self, shown);

    row.kql = true;
    rows->rows = arena_alloc(self->memory, targets * sizeof(kql_row));
    if (rows->rows == NULL) {
        self->out_of_memory = true;
        return;
    }
    for (; rows->count < targets && goes_on(self, rows->count); rows->count++) {
        bool matched =
            read_target(self, record, rows->count, &row) && matches(self, &row, SEMANTICS_KQL);

        rows->rows[rows->count] = (kql_row){row.target.value, matched};
        rows->split |= matched && row.target.key != NULL;
        if (matched)
            hand_out_match(self, &row);
    }
}

/* KQL's row of the same target, or NULL where wide semantics reads other targets. */
static const kql_row *kql_row_of(const kql_rows *rows, const audit_target *target)
{
    const kql_row *row = target->index < rows->count ? &rows->rows[target->index] : NULL;

    return row != NULL && row->value == target->value ? row : NULL;
}

static bool is_covered(const kql_rows *rows, const audit_target *target)
{
    const kql_row *row = kql_row_of(rows, target);

    return rows->split || (row != NULL && row->matched);
}

static void judge_wide(judgement *self, const audit_record *record, unsigned reasons,
                       const kql_rows *rows)
{
    size_t targets = audit_record_target_count(record);
    alert row = judge_begin_row(self, record);

    for (size_t i = 0; i < targets && goes_on(self, i); i++) {
        if (!read_target(self, record, i, &row) || is_covered(rows, &row.target))
            continue;
        if (!matches(self, &row, SEMANTICS_WIDE)) {
            hand_out_unmatched_row(self, &row);
            continue;
        }
        row.matched_by |= reasons;
        hand_out_match(self, &row);
    }
}

/*
 * The rows of KQL's reading that did not match. Of those that wide semantics
 * reads too, it has its own say.
 */
static void hand_out_unmatched(judgement *self, const audit_record *record, const kql_rows *rows,
                               const audit_record *wide)
{
    size_t targets = wide != NULL ? audit_record_target_count(wide) : 0;
    alert row = judge_begin_row(self, record), other;

    for (size_t i = 0; i < rows->count && goes_on(self, i); i++) {
        if (rows->rows[i].matched || !read_target(self, record, i, &row))
            continue;
        if (i < targets && read_target(self, wide, i, &other) &&
            other.target.value == row.target.value)
            continue;
        hand_out_unmatched_row(self, &row);
    }
}

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

/* Does one of its targets match? */
static bool has_match(judgement *self, const audit_record *record)
{
    size_t targets = audit_record_target_count(record);
    alert row = {.record = record};

    for (size_t i = 0; i < targets && goes_on(self, i); i++)
        if (read_target(self, record, i, &row) && matches(self, &row, record->view))
            return true;
    return false;
}

static void read_rest(judgement *self, audit_record *record)
{
    const audit_reader reader = {self->memory, self->parser};

    self->out_of_memory |= !audit_record_read_rest(record, &reader);
}

/* --- a rule file's rows --- */

static unsigned reasons_of_notes(unsigned notes)
{
    return (notes & NOTE_JSON_STRING ? 1u << WIDE_JSON_STRING : 0) |
           (notes & NOTE_TARGET_OBJECT ? 1u << WIDE_TARGET_OBJECT : 0) |
           (notes & NOTE_KEY_CASE ? 1u << WIDE_KEY_CASE : 0) |
           (notes & NOTE_TARGET_ELSEWHERE ? 1u << WIDE_TARGET_ELSEWHERE : 0);
}

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
    return text_equal(a->positions, b->positions);
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
    return read_target(self, record, row->target, a);
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

        if (v.kind != KIND_STRING || v.string.length > 0 || !plan_column_is_of_record(p, i))
            continue;
        if (*of_record == NULL)
            *of_record = plan_record_values(&wide->run);
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
        hand_out_match(self, a);
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
                   read_target(self, record, row->target, &a)
               ? a.target.value
               : NULL;
}

/* Is the row one of KQL's reading already? A split object's is one for all. */
static bool is_planned_covered(judgement *self, const planned *kql, const planned *wide,
                               const plan_row *row)
{
    const plan_row *same = kql != NULL ? find_row(kql->run.first, row) : NULL;

    if (kql != NULL && kql->run.first != NULL && kql->run.first->has_target &&
        kql->record->is_split)
        return true;
    return same != NULL &&
           target_tree(self, kql->record, same) == target_tree(self, wide->record, row);
}

static void hand_out_kql_rows(judgement *self, planned *kql, planned *wide,
                              const audit_record *shown)
{
    alert a = judge_begin_row(self, shown);
    const kql_value *of_record = NULL;

    a.kql = true;
    for (plan_row *row = kql->run.first; row != NULL; row = row->next) {
        if (!read_planned_target(self, kql->record, row, &a))
            continue;
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
        a.matched_by = reasons | reasons_of_notes(row->notes | a.target.notes) |
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
    hand_out_unmatched_row(self, &a);
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

static void keep_hidden(judgement *self, audit_record *record);

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
static void judge_planned(judgement *self, audit_record *kql, audit_record *wide)
{
    audit_record *most = wide != NULL ? wide : kql, shown;
    planned in_kql, in_wide;
    unsigned reasons = 0;
    bool joins_late = self->take_unmatched != NULL && rule_has_sets(self->rule);

    if (is_planned_stale(self, most))
        return;
    if (wide != NULL && wide->hides_targets &&
        (wide->is_hidden_above || rule_is_operation(self->rule, wide, SEMANTICS_WIDE, &reasons)))
        keep_hidden(self, wide);
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
    read_rest(self, most);
    shown = *most;
    if (kql != NULL && wide != NULL) {
        read_rest(self, kql);
        shown = shown_record(kql, wide);
    }
    if (kql != NULL)
        hand_out_kql_rows(self, &in_kql, wide != NULL ? &in_wide : NULL, &shown);
    if (wide != NULL)
        hand_out_wide_rows(self, kql != NULL ? &in_kql : NULL, &in_wide, reasons);
    if (joins_late)
        hand_out_open_rows(self, kql != NULL ? &in_kql : NULL, wide != NULL ? &in_wide : NULL);
}

static void judge_in_kql(judgement *self, audit_record *kql)
{
    kql_rows rows = {0};
    unsigned reasons = 0;

    if (!rule_is_operation(self->rule, kql, SEMANTICS_KQL, &reasons) || !is_recent(self, kql))
        return;
    if (self->take_unmatched == NULL && !has_match(self, kql))
        return;
    read_rest(self, kql);
    judge_kql(self, kql, kql, &rows);
    hand_out_unmatched(self, kql, &rows, NULL);
}

/* Of targets that cannot be read: what there is of them, and what stands around it. */
static void keep_hidden(judgement *self, audit_record *record)
{
    buffer written = {0};

    read_rest(self, record);
    audit_record_write_hidden(record, &written);
    if (!buffer_failed(&written))
        self->hidden = arena_copy(self->memory, buffer_text(&written));
    self->out_of_memory |= self->hidden.bytes == NULL;
    buffer_free(&written);
}

/* What hides the targets may hide the operation. */
static bool may_be_operation(const judgement *self, const audit_record *wide, unsigned *reasons)
{
    return rule_is_operation(self->rule, wide, SEMANTICS_WIDE, reasons) ||
           (wide->hides_targets && wide->is_hidden_above);
}

/* `kql` is NULL when the query sees no record. */
static void judge_in_both(judgement *self, audit_record *kql, audit_record *wide)
{
    audit_record shown;
    kql_rows rows = {0};
    unsigned reasons = 0;

    if (!may_be_operation(self, wide, &reasons) || !is_recent(self, wide))
        return;
    if (wide->hides_targets)
        keep_hidden(self, wide);
    if (!rule_is_operation(self->rule, wide, SEMANTICS_WIDE, &reasons))
        return;
    if (self->take_unmatched == NULL && !has_match(self, wide) &&
        (kql == NULL || !has_match(self, kql)))
        return;
    read_rest(self, wide);
    shown = *wide;
    if (kql != NULL) {
        read_rest(self, kql);
        shown = shown_record(kql, wide);
    }
    if (kql != NULL && rule_is_operation(self->rule, kql, SEMANTICS_KQL, &reasons))
        judge_kql(self, kql, &shown, &rows);
    judge_wide(self, wide, reasons, &rows);
    if (kql != NULL)
        hand_out_unmatched(self, kql, &rows, wide);
}

static audit_result read_record(judgement *self, json *object, semantics view, audit_record *record)
{
    const audit_reader reader = {self->memory, self->parser};
    audit_result reading = audit_record_read(object, view, &reader, record);

    self->out_of_memory |= reading == AUDIT_OUT_OF_MEMORY;
    return reading;
}

bool judge_shows_target(const audit_record *record, arena *memory)
{
    size_t targets = audit_record_target_count(record);
    audit_target target;

    for (size_t i = 0; i < targets; i++)
        if (audit_record_target(record, i, memory, &target) &&
            target.upn.length + target.id.length > 0)
            return true;
    return false;
}

unwrap_kind judge_kind(audit_result reading, bool is_one)
{
    switch (reading) {
    case AUDIT_OTHER_KIND:
        return UNWRAP_OTHER_KIND;
    case AUDIT_UNKNOWN:
        return UNWRAP_UNKNOWN;
    default:
        return is_one ? UNWRAP_RECORD : UNWRAP_RECORD_WITHOUT_TARGETS;
    }
}

static void learn_roles(judgement *self, audit_record *record)
{
    const audit_reader reader = {self->memory, self->parser};
    const alert row = judge_begin_row(self, record);
    bool is_future = row.time_generated > self->now + TICKS_PER_DAY;

    if (self->take_role == NULL || !role_change_is_told(record))
        return;
    read_rest(self, record);
    self->out_of_memory |= !role_changes_read(
        record, &reader, is_future ? self->now : row.time_generated, self->take_role, self->arg);
}

audit_result judge_record(judgement *self, json *object)
{
    bool is_wide = rule_get_semantics(self->rule) == SEMANTICS_WIDE;
    audit_record kql, wide;
    audit_result as_kql = read_record(self, object, SEMANTICS_KQL, &kql);
    audit_result result = as_kql;

    self->hidden = (text)TEXT("");
    self->shows_target = as_kql == AUDIT_RECORD && judge_shows_target(&kql, self->memory);
    if (rule_get_plan(self->rule) != NULL && !is_wide && as_kql == AUDIT_RECORD) {
        judge_planned(self, &kql, NULL);
    } else if (is_wide) {
        result = read_record(self, object, SEMANTICS_WIDE, &wide);
        self->shows_target |= result == AUDIT_RECORD && judge_shows_target(&wide, self->memory);
        if (result == AUDIT_RECORD && rule_get_plan(self->rule) != NULL)
            judge_planned(self, as_kql == AUDIT_RECORD ? &kql : NULL, &wide);
        else if (result == AUDIT_RECORD)
            judge_in_both(self, as_kql == AUDIT_RECORD ? &kql : NULL, &wide);
        if (result == AUDIT_RECORD)
            learn_roles(self, &wide);
        audit_record_release(&wide);
    } else if (as_kql == AUDIT_RECORD) {
        judge_in_kql(self, &kql);
    }
    audit_record_release(&kql);
    return result;
}
