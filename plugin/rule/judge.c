/* SPDX-License-Identifier: Apache-2.0 */
/* judge: the rows of KQL's reading first, then those that wide semantics adds. */
#include "rule/judge_parts.h"

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
void judge_hand_out_match(judgement *self, alert *row)
{
    alert whole = *row;

    judge_complete_row(self, &whole);
    self->take_match(self->arg, &whole);
    memcpy(row->content_hash, whole.content_hash, sizeof(row->content_hash));
}

void judge_hand_out_unmatched_row(judgement *self, alert *row)
{
    if (self->take_unmatched != NULL)
        self->take_unmatched(self->arg, row);
}

bool judge_read_target(judgement *self, const audit_record *record, size_t index, alert *row)
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
        bool matched = judge_read_target(self, record, rows->count, &row) &&
                       matches(self, &row, SEMANTICS_KQL);

        rows->rows[rows->count] = (kql_row){row.target.value, matched};
        rows->split |= matched && row.target.key != NULL;
        if (matched)
            judge_hand_out_match(self, &row);
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
        if (!judge_read_target(self, record, i, &row) || is_covered(rows, &row.target))
            continue;
        if (!matches(self, &row, SEMANTICS_WIDE)) {
            judge_hand_out_unmatched_row(self, &row);
            continue;
        }
        row.matched_by |= reasons;
        judge_hand_out_match(self, &row);
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
        if (rows->rows[i].matched || !judge_read_target(self, record, i, &row))
            continue;
        if (i < targets && judge_read_target(self, wide, i, &other) &&
            other.target.value == row.target.value)
            continue;
        judge_hand_out_unmatched_row(self, &row);
    }
}

static void keep_query_column(text *shown, text column)
{
    if (column.length > 0)
        *shown = column;
}

/* WIDE's reading tells more of a record; but what the query has a word for stays the query's. */
audit_record judge_shown_record(const audit_record *kql, const audit_record *wide)
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
        if (judge_read_target(self, record, i, &row) && matches(self, &row, record->view))
            return true;
    return false;
}

void judge_read_rest(judgement *self, audit_record *record)
{
    const audit_reader reader = {self->memory, self->parser};

    self->out_of_memory |= !audit_record_read_rest(record, &reader);
}

/* Of targets that cannot be read: what there is of them, and what stands around it. */
void judge_keep_hidden(judgement *self, audit_record *record)
{
    buffer written = {0};

    judge_read_rest(self, record);
    audit_record_write_hidden(record, &written);
    if (!buffer_failed(&written))
        self->hidden = arena_copy(self->memory, buffer_text(&written));
    self->out_of_memory |= self->hidden.bytes == NULL;
    buffer_free(&written);
}

static void judge_in_kql(judgement *self, audit_record *kql)
{
    kql_rows rows = {0};
    unsigned reasons = 0;

    if (!rule_is_operation(self->rule, kql, SEMANTICS_KQL, &reasons) || !is_recent(self, kql))
        return;
    if (self->take_unmatched == NULL && !has_match(self, kql))
        return;
    judge_read_rest(self, kql);
    judge_kql(self, kql, kql, &rows);
    hand_out_unmatched(self, kql, &rows, NULL);
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
        judge_keep_hidden(self, wide);
    if (!rule_is_operation(self->rule, wide, SEMANTICS_WIDE, &reasons))
        return;
    if (self->take_unmatched == NULL && !has_match(self, wide) &&
        (kql == NULL || !has_match(self, kql)))
        return;
    judge_read_rest(self, wide);
    shown = *wide;
    if (kql != NULL) {
        judge_read_rest(self, kql);
        shown = judge_shown_record(kql, wide);
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

/* What lies beyond tomorrow counts as of now. */
static void learn_roles(judgement *self, audit_record *record)
{
    const audit_reader reader = {self->memory, self->parser};
    timestamp time = record->has_time ? record->time_generated : self->received;

    if (self->take_role == NULL || !role_change_is_told(record))
        return;
    judge_read_rest(self, record);
    if (time > self->now + TICKS_PER_DAY)
        time = self->now;
    self->out_of_memory |= !role_changes_read(record, &reader, time, self->take_role, self->arg);
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
