/* SPDX-License-Identifier: Apache-2.0 */
/* judge: one record in both readings, and what an alert tells of it. */
#include "rule/judge_parts.h"

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

bool judge_read_target(judgement *self, const audit_record *record, size_t index, alert *row)
{
    bool read = audit_record_target(record, index, self->memory, &row->target);

    self->out_of_memory |= !read;
    return read;
}

void judge_read_rest(judgement *self, audit_record *record)
{
    const audit_reader reader = {self->memory, self->parser};

    self->out_of_memory |= !audit_record_read_rest(record, &reader);
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

/* What is JSON in a name's place is none. */
static bool names_target(const audit_record *record, arena *memory)
{
    size_t targets = audit_record_target_count(record);
    audit_target target;

    for (size_t i = 0; i < targets; i++)
        if (audit_record_target(record, i, memory, &target) && target.upn.length > 0 &&
            target.upn.bytes[0] != '[' && target.upn.bytes[0] != '{')
            return true;
    return false;
}

/*
 * The built-in rule's targets are users, who have names; an application that another rule may look
 * for has none.
 */
bool judge_is_bare(const rule *r, const audit_record *record, arena *memory)
{
    unsigned reasons;

    return record->view == SEMANTICS_WIDE &&
           rule_is_operation(r, record, SEMANTICS_WIDE, &reasons) &&
           !(rule_is_built_in(r) ? names_target(record, memory)
                                 : judge_shows_target(record, memory));
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
    self->is_bare = false;
    self->shows_target = as_kql == AUDIT_RECORD && judge_shows_target(&kql, self->memory);
    if (is_wide) {
        result = read_record(self, object, SEMANTICS_WIDE, &wide);
        self->shows_target |= result == AUDIT_RECORD && judge_shows_target(&wide, self->memory);
        if (result == AUDIT_RECORD) {
            judge_rows(self, as_kql == AUDIT_RECORD ? &kql : NULL, &wide);
            learn_roles(self, &wide);
            self->is_bare = judge_is_bare(self->rule, &wide, self->memory);
        }
        audit_record_release(&wide);
    } else if (as_kql == AUDIT_RECORD) {
        judge_rows(self, &kql, NULL);
    }
    audit_record_release(&kql);
    return result;
}
