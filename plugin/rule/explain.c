/* SPDX-License-Identifier: Apache-2.0 */
/* explain: the members of one explanation. */
#include "rule/explain.h"

#include <stdio.h>

/* What both semantics say of something. */
typedef struct verdicts {
    bool kql;
    bool wide;
} verdicts;

static void write_boolean(buffer *out, const char *key, bool value)
{
    json_write_key(out, key);
    buffer_append_string(out, value ? "true" : "false");
}

static void write_verdicts(buffer *out, verdicts v)
{
    write_boolean(out, "kql", v.kql);
    write_boolean(out, "wide", v.wide);
}

static void write_reasons(buffer *out, const char *key, unsigned reasons)
{
    json_write_key(out, key);
    buffer_append_char(out, '[');
    for (rule_reason r = 0; r < RULE_REASONS; r++) {
        if (reasons & (1u << r)) {
            json_write_item(out);
            json_write_string(out, text_of(reason_name(r)));
        }
    }
    buffer_append_char(out, ']');
}

static bool is_recent(const explanation *self)
{
    return !self->record->has_time ||
           self->record->time_generated > rule_records_since(self->rule, self->now);
}

static void write_time(const explanation *self, buffer *out)
{
    char written[TIMESTAMP_TEXT_SIZE];
    bool has_time = self->record->has_time;

    timestamp_format(has_time ? self->record->time_generated : self->now, written);
    json_write_key(out, "time");
    buffer_append_char(out, '{');
    json_write_member(out, "time_generated", text_of(written));
    write_boolean(out, "is_readable", has_time);
    write_boolean(out, "is_within_lookback", is_recent(self));
    buffer_append_char(out, '}');
}

static verdicts judge_operation(const explanation *self, unsigned *reasons)
{
    unsigned none = 0;

    return (verdicts){
        .kql = self->kql && rule_is_operation(self->rule, self->kql, SEMANTICS_KQL, &none),
        .wide = rule_is_operation(self->rule, self->record, SEMANTICS_WIDE, reasons),
    };
}

static void write_strings(buffer *out, const text *strings, size_t count)
{
    buffer_append_char(out, '[');
    for (size_t i = 0; i < count; i++) {
        json_write_item(out);
        json_write_string(out, strings[i]);
    }
    buffer_append_char(out, ']');
}

static void write_operation(const explanation *self, verdicts v, unsigned reasons, buffer *out)
{
    size_t count;
    const text *operations = rule_get_list(self->rule, RULE_OPERATIONS, &count);

    json_write_key(out, "operation");
    buffer_append_char(out, '{');
    json_write_member(out, "operation_name", self->record->operation_name);
    json_write_member(out, "activity_display_name", self->record->activity_name);
    json_write_member(out, "operator", (text)TEXT("has_any"));
    json_write_key(out, "right");
    write_strings(out, operations, count);
    write_verdicts(out, v);
    write_reasons(out, "needed", reasons);
    buffer_append_char(out, '}');
}

static void write_clause(const rule_plan *plan, const clause_verdict *v, buffer *out)
{
    json_write_item(out);
    buffer_append_char(out, '{');
    json_write_member(out, "clause", text_of(v->name));
    json_write_member(out, "operand", v->operand);
    json_write_member(out, "left", v->left);
    json_write_member(out, "operator", text_of(v->word));
    json_write_key(out, "right");
    if (v->term->in_set)
        json_write_string(out, (text)TEXT("SyncAccounts"));
    else
        plan_write_right(plan, v->term, out);
    write_verdicts(out, (verdicts){v->kql, v->wide});
    buffer_append_char(out, '}');
}

static void write_clauses(const explanation *self, const audit_target *target, buffer *out)
{
    json_write_key(out, "clauses");
    buffer_append_char(out, '[');
    for (rule_reason c = 0; c < RULE_CLAUSES; c++) {
        clause_verdict v = rule_explain_clause(self->rule, c, self->accounts, target, self->now);
        write_clause(rule_get_plan(self->rule), &v, out);
    }
    buffer_append_char(out, ']');
}

static void write_target(const explanation *self, const audit_target *target, const char *reading,
                         unsigned matched, buffer *out)
{
    char index[24];

    snprintf(index, sizeof(index), "%zu", target->index);
    json_write_item(out);
    buffer_append_char(out, '{');
    json_write_key(out, "index");
    buffer_append_string(out, index);
    json_write_member(out, "reading", text_of(reading));
    json_write_member(out, "upn", target->upn);
    json_write_member(out, "id", target->id);
    write_boolean(out, "matches", matched != 0);
    write_reasons(out, "matched_by", matched);
    write_clauses(self, target, out);
    buffer_append_char(out, '}');
}

/* All targets in one reading, judged in its semantics; whether one of them matches. */
static bool write_targets(const explanation *self, const audit_record *record, const char *reading,
                          buffer *out)
{
    size_t count = audit_record_target_count(record);
    bool matches = false;

    for (size_t i = 0; i < count; i++) {
        audit_target target;
        unsigned matched;

        if (!audit_record_target(record, i, self->memory, &target)) {
            out->failed = true;
            return false;
        }
        matched = rule_match_target(self->rule, self->accounts, &target, record->view, self->now);
        matches |= matched != 0;
        write_target(self, &target, reading, matched, out);
    }
    return matches;
}

/* Do both readings see the same targets? Then they are written once. */
static bool readings_agree(const explanation *self)
{
    json *targets = self->record->target_resources;

    return self->kql != NULL && self->kql->target_resources == targets &&
           self->record->notes == 0 && json_kind_of(targets) != JSON_OBJECT;
}

/* The query's verdict on targets that are written in WIDE's reading. */
static bool matches_in_kql(const explanation *self)
{
    size_t count = audit_record_target_count(self->kql);
    bool matches = false;

    for (size_t i = 0; i < count; i++) {
        audit_target target;

        matches |=
            audit_record_target(self->kql, i, self->memory, &target) &&
            rule_match_target(self->rule, self->accounts, &target, SEMANTICS_KQL, self->now) != 0;
    }
    return matches;
}

static verdicts write_all_targets(const explanation *self, buffer *out)
{
    bool agree = readings_agree(self);
    verdicts v = {false, false};

    json_write_key(out, "targets");
    buffer_append_char(out, '[');
    if (self->kql != NULL)
        v.kql = agree ? matches_in_kql(self) : write_targets(self, self->kql, "kql", out);
    v.wide = write_targets(self, self->record, agree ? "both" : "wide", out);
    buffer_append_char(out, ']');
    return v;
}

static void write_note(buffer *out, const char *words)
{
    json_write_item(out);
    json_write_string(out, text_of(words));
}

static void write_unread_time(buffer *out, text unread)
{
    buffer words = {0};

    buffer_append_string(&words, "the time ");
    json_write_string(&words, unread);
    buffer_append_string(&words, " is not understood: judged as if generated now");
    json_write_item(out);
    json_write_string(out, buffer_text(&words));
    out->failed |= buffer_failed(&words);
    buffer_free(&words);
}

static void write_notes(const audit_record *record, buffer *out)
{
    static const struct {
        unsigned note;
        const char *words;
    } notes[] = {
        {NOTE_KEY_CASE, "a key stands in another case than the shape's"},
        {NOTE_JSON_STRING, "a string inside the record holds JSON"},
        {NOTE_TARGET_OBJECT, "TargetResources is an object in the place of an array"},
        {NOTE_TARGET_ELSEWHERE, "TargetResources is empty, another field names the target"},
    };

    json_write_key(out, "notes");
    buffer_append_char(out, '[');
    for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++) {
        if (record->notes & notes[i].note)
            write_note(out, notes[i].words);
    }
    if (record->hides_targets)
        write_note(out, "targets that cannot be read: undecodable");
    if (record->unread_time.length > 0)
        write_unread_time(out, record->unread_time);
    else if (!record->has_time)
        write_note(out, "without a time: counts as generated now");
    buffer_append_char(out, ']');
}

/* --- a rule file --- */

/* One reading's rows under way. */
typedef struct row_writer {
    const explanation *self;
    const audit_record *record;
    const char *reading;
    buffer *out;
    bool matches;
} row_writer;

static void write_term(const row_writer *w, const plan_verdict *v)
{
    char where[24];

    snprintf(where, sizeof(where), "%zu", v->where);
    json_write_item(w->out);
    buffer_append_char(w->out, '{');
    json_write_key(w->out, "where");
    buffer_append_string(w->out, where);
    json_write_member(w->out, "operand", v->subject);
    json_write_member(w->out, "left", v->left);
    json_write_member(w->out, "operator", text_of(v->word));
    json_write_key(w->out, "right");
    plan_write_right(rule_get_plan(w->self->rule), v->expr, w->out);
    write_boolean(w->out, "holds", v->truths == TRUTH_TRUE);
    buffer_append_char(w->out, '}');
}

static void write_row(void *arg, const plan_row *row, const plan_verdict *terms, size_t count,
                      bool matches)
{
    row_writer *w = arg;
    audit_target target = {.upn = TEXT(""), .id = TEXT("")};

    if (row->target < audit_record_target_count(w->record))
        w->out->failed |= !audit_record_target(w->record, row->target, w->self->memory, &target);
    json_write_item(w->out);
    buffer_append_char(w->out, '{');
    json_write_member(w->out, "positions", row->positions);
    json_write_member(w->out, "reading", text_of(w->reading));
    json_write_member(w->out, "upn", target.upn);
    json_write_member(w->out, "id", target.id);
    write_boolean(w->out, "matches", matches);
    json_write_key(w->out, "terms");
    buffer_append_char(w->out, '[');
    for (size_t i = 0; i < count; i++)
        write_term(w, &terms[i]);
    buffer_append_string(w->out, "]}");
    w->matches |= matches;
}

/* All rows of one reading, as if no condition held one back; whether one of them matches. */
static bool write_rows(const explanation *self, const audit_record *record, const char *reading,
                       buffer *out)
{
    const audit_reader reader = {self->memory, self->parser};
    audit_record read = *record;
    row_writer w = {self, record, reading, out, false};
    timestamp time = record->has_time ? record->time_generated : self->now;
    plan_run run = {
        .plan = rule_get_plan(self->rule),
        .row = audit_row_of(&read, &reader, time, self->now),
        .semantics = record->view,
        .now = self->now,
        .lookback = rule_get_lookback(self->rule),
        .accounts = self->accounts,
        .lists = self->lists,
    };

    plan_trace(&run, write_row, &w);
    out->failed |= run.out_of_memory;
    return w.matches;
}

/* Where the operation's name gives nothing, wide semantics tries the activity's. */
static bool write_wide_rows(const explanation *self, buffer *out)
{
    audit_record by_activity = *self->record;

    if (write_rows(self, self->record, "wide", out))
        return true;
    if (by_activity.activity_name.length == 0 ||
        text_equal(by_activity.activity_name, by_activity.operation_name))
        return false;
    by_activity.operation_name = by_activity.activity_name;
    return write_rows(self, &by_activity, "wide, by the activity's name", out);
}

static bool write_plan_members(const explanation *self, buffer *out)
{
    bool recent = is_recent(self), is_read = self->record->unread_time.length == 0;
    verdicts rows = {false, false};

    json_write_member(out, "shape", text_of(audit_shape_name(self->record->shape)));
    json_write_member(out, "record_id", self->record->record_id);
    write_time(self, out);
    json_write_member(out, "operation_name", self->record->operation_name);
    json_write_key(out, "rows");
    buffer_append_char(out, '[');
    if (self->kql != NULL)
        rows.kql = write_rows(self, self->kql, "kql", out);
    rows.wide = write_wide_rows(self, out);
    buffer_append_char(out, ']');
    write_notes(self->record, out);
    write_verdicts(out,
                   (verdicts){is_read && recent && rows.kql, recent && (rows.wide || rows.kql)});
    return !buffer_failed(out);
}

bool explain_write_members(const explanation *self, buffer *out)
{
    unsigned needed = 0;
    verdicts operation = judge_operation(self, &needed);
    bool recent = is_recent(self), is_read = self->record->unread_time.length == 0;
    verdicts targets;

    if (!rule_is_built_in(self->rule))
        return write_plan_members(self, out);
    json_write_member(out, "shape", text_of(audit_shape_name(self->record->shape)));
    json_write_member(out, "record_id", self->record->record_id);
    write_time(self, out);
    write_operation(self, operation, needed, out);
    targets = write_all_targets(self, out);
    write_notes(self->record, out);
    write_verdicts(out, (verdicts){is_read && recent && operation.kql && targets.kql,
                                   recent && operation.wide && (targets.wide || targets.kql)});
    return !buffer_failed(out);
}
