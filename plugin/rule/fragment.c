/* SPDX-License-Identifier: Apache-2.0 */
/* fragment: records and facts are gathered first, and judged then: rows are made of them here. */
#include "rule/fragment.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rule/fragment_reading.h"

/* Texts that nothing fills are "", as in a record that was read whole. */
static audit_record empty_record(text content)
{
    const text none = TEXT("");

    return (audit_record){
        .content = content,
        .operation_name = none,
        .activity_name = none,
        .unread_time = none,
        .actor = none,
        .actor_id = none,
        .source_ip = none,
        .caller_ip = none,
        .result = none,
        .result_reason = none,
        .record_id = none,
        .correlation_id = none,
        .tenant_id = none,
        .logged_by_service = none,
    };
}

/* Of several times the latest: none makes a record older than another makes it. */
static void put_time(audit_record *shown, text value)
{
    timestamp time;

    switch (timestamp_read(value, &time)) {
    case TIMESTAMP_READ:
        if (!shown->has_time || time > shown->time_generated)
            shown->time_generated = time;
        shown->has_time = true;
        break;
    case TIMESTAMP_NOT_UNDERSTOOD:
        shown->unread_time = value;
        break;
    case TIMESTAMP_NONE:
        break;
    }
}

static void put_fact(audit_record *shown, const fact *f)
{
    text *const fields[MEMBERS] = {
        [MEMBER_RECORD_ID] = &shown->record_id,
        [MEMBER_CORRELATION_ID] = &shown->correlation_id,
        [MEMBER_TENANT_ID] = &shown->tenant_id,
        [MEMBER_SERVICE] = &shown->logged_by_service,
        [MEMBER_RESULT] = &shown->result,
        [MEMBER_RESULT_REASON] = &shown->result_reason,
        [MEMBER_CALLER_IP] = &shown->caller_ip,
        [MEMBER_ACTOR_UPN] = &shown->actor,
        [MEMBER_ACTOR_NAME] = &shown->activity_name, /* until it is known whether there is a UPN */
        [MEMBER_ACTOR_ID] = &shown->actor_id,
        [MEMBER_SOURCE_IP] = &shown->source_ip,
    };

    if (f->member == MEMBERS)
        return;
    if (f->member == MEMBER_TIME)
        put_time(shown, f->value);
    else if (fields[f->member]->length == 0)
        *fields[f->member] = f->value;
}

/* `o`: the record's own operation, or that of the record it seems to be a part of. */
static audit_record shown_record(const fragment_reading *r, const record *from, const operation *o)
{
    audit_record shown = empty_record(r->broken);

    for (int at = from->first_fact; at != NONE; at = r->facts[at].next)
        put_fact(&shown, &r->facts[at]);
    if (shown.actor.length == 0)
        shown.actor = shown.activity_name;
    shown.activity_name = (text)TEXT("");
    shown.operation_name = o->name;
    if (shown.has_time)
        shown.unread_time = (text)TEXT("");
    if (o == &from->operation)
        return shown;
    shown.has_time = false; /* a guess; it must not make the record stale */
    shown.unread_time = (text)TEXT("");
    return shown;
}

static void hand_out(fragment_reading *r, const audit_record *shown, audit_target t,
                     unsigned matched, const operation *o)
{
    fragment found = {.record = *shown, .target = t, .matched_by = matched | o->reasons};

    r->rows++;
    r->sink(r->arg, &found);
}

/* The clauses that hold for what is known of the target: an empty name is not the role list's. */
static unsigned match_target(const fragment_reading *r, const target *one)
{
    unsigned matched = fragment_match(r, one->upn, one->id);

    if (one->upn.length == 0)
        matched &= ~(1u << CLAUSE_IDENTITY_UPN);
    if (one->id.length == 0)
        matched &= ~(1u << CLAUSE_IDENTITY_OBJECT_ID);
    return matched & ((1u << RULE_CLAUSES) - 1) ? matched : 0;
}

/* Those of its targets that match. Without an id of its own a record is told by its place. */
static void hand_out_targets(fragment_reading *r, const record *from, const operation *o)
{
    audit_record shown = shown_record(r, from, o);
    size_t index = shown.record_id.length > 0 ? 0 : r->rows;

    for (int at = from->first_target; at != NONE; at = r->targets[at].next, index++) {
        const target *one = &r->targets[at];
        unsigned matched = match_target(r, one);

        if (matched != 0)
            hand_out(r, &shown, (audit_target){.index = index, .upn = one->upn, .id = one->id},
                     matched, o);
    }
}

static void hand_out_hit(fragment_reading *r, const record *from, const operation *o)
{
    const unsigned by_id = 1u << CLAUSE_IDENTITY_OBJECT_ID;
    const hit *h = &from->hit;
    const text none = TEXT("");
    bool is_name = (h->matched & ~by_id) != 0;
    audit_record shown = shown_record(r, from, o);

    hand_out(r, &shown,
             (audit_target){
                 .index = shown.record_id.length > 0 ? 0 : r->rows,
                 .upn = is_name ? h->word : none,
                 .id = is_name ? none : h->word,
             },
             h->matched, o);
}

/* Targets by their key, else what looks like an account. */
static void hand_out_record(fragment_reading *r, const record *from, const operation *o)
{
    size_t before = r->rows;

    hand_out_targets(r, from, o);
    if (r->rows == before && from->hit.rank > 0)
        hand_out_hit(r, from, o);
}

static const operation *first_operation(const fragment_reading *r)
{
    for (size_t i = 0; i < r->record_count; i++)
        if (r->records[i].operation.matches)
            return &r->records[i].operation;
    return NULL;
}

/* What has no operation may be the rest of the record before it. */
static void hand_out_records(fragment_reading *r)
{
    const operation *last = first_operation(r);

    for (size_t i = 0; last != NULL && i < r->record_count; i++) {
        const record *one = &r->records[i];

        if (one->operation.matches)
            last = &one->operation;
        if (one->operation.matches)
            hand_out_record(r, one, last);
        else if (one->operation.certainty == CERTAINTY_NONE)
            hand_out_targets(r, one, last);
    }
}

/* The operation's phrase may stand in what is torn apart: then the text as a whole shows it. */
static bool find_phrase(const fragment_reading *r, operation *o)
{
    const text *lists[2];
    size_t counts[2];

    lists[0] = rule_get_list(r->rule, RULE_OPERATIONS, &counts[0]);
    lists[1] = rule_get_wide_list(r->rule, RULE_OPERATIONS, &counts[1]);
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < counts[l]; i++)
            if (kql_has(r->broken, lists[l][i], rule_get_semantics(r->rule))) {
                *o = fragment_operation_of(r, lists[l][i], CERTAINTY_BY_WORDS);
                return o->matches;
            }
    return false;
}

static const record *best_hit(const fragment_reading *r)
{
    const record *best = NULL;

    for (size_t i = 0; i < r->record_count; i++) {
        const record *one = &r->records[i];

        if (one->hit.rank > 0 && (best == NULL || one->hit.rank < best->hit.rank))
            best = one;
    }
    return best;
}

/* Where quotes were lost the account may stand in no string: any name in the text may be it. */
static record any_word(fragment_reading *r)
{
    return (record){
        .first_fact = NONE,
        .first_target = NONE,
        .hit = fragment_any_word(r),
    };
}

/* No record shows both: then the text does, if it does. */
static void hand_out_whole_text(fragment_reading *r)
{
    const operation *found = first_operation(r);
    const record *best = best_hit(r);
    operation o = {0};
    record words;

    if (found == NULL && !find_phrase(r, &o))
        return;
    for (size_t i = 0; i < r->record_count; i++)
        hand_out_targets(r, &r->records[i], found ? found : &o);
    if (r->rows > 0 || (r->is_whole && best == NULL))
        return;
    words = best == NULL ? any_word(r) : *best;
    if (words.hit.rank > 0)
        hand_out_hit(r, &words, found ? found : &o);
}

bool fragment_read(text broken, bool is_whole, const rule *r, const sync_accounts *accounts,
                   timestamp now, arena *memory, fragment_sink *sink, void *arg)
{
    fragment_reading under_way = {
        .rule = r,
        .accounts = accounts,
        .now = now,
        .depth = SIZE_MAX / 2,
        .lowest = SIZE_MAX / 2,
        .broken = broken,
        .is_whole = is_whole,
        .sink = sink,
        .arg = arg,
    };
    bool is_read;

    *fragment_innermost(&under_way) = fragment_outermost(under_way.depth);
    is_read = broken_json_read(broken, memory, fragment_take_piece, &under_way);
    hand_out_records(&under_way);
    if (under_way.rows == 0)
        hand_out_whole_text(&under_way);
    free(under_way.records);
    free(under_way.facts);
    free(under_way.targets);
    return is_read && !under_way.out_of_memory;
}
