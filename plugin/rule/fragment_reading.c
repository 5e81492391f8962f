/* SPDX-License-Identifier: Apache-2.0 */
/* fragment_reading: what is open, and what the pieces in it say. */
#include "rule/fragment_reading.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/room.h"
#include "record/chosen_text.h"

static bool is_key(text key, const char *name)
{
    return key.length == strlen(name) && strncasecmp(key.bytes, name, key.length) == 0;
}

/* --- what is open --- */

frame *fragment_innermost(fragment_reading *r)
{
    return &r->open[r->depth % MOST_OPEN];
}

static void begin_record(fragment_reading *r, frame *f)
{
    f->role = ROLE_RECORD;
    f->home = r->depth;
    f->record = NONE;
    f->names = 0;
}

frame fragment_outermost(size_t depth)
{
    return (frame){.role = ROLE_RECORD, .home = depth, .record = NONE, .target = NONE, .id = NONE};
}

static const struct {
    const char *key;
    role role;
} known_parts[] = {
    {"properties", ROLE_PART},
    {"azure", ROLE_PART},
    {"auditlogs", ROLE_PART},
    {"initiatedBy", ROLE_INITIATOR},
    {"initiated_by", ROLE_INITIATOR},
    {"targetResources", ROLE_TARGETS},
    {"target_resources", ROLE_TARGETS},
    {"additionalDetails", ROLE_INSIDE},
    {"additional_details", ROLE_INSIDE},
};

/* The role of what stands in `outer` under that key. */
static role role_of(const frame *outer, text key, bool is_array)
{
    for (size_t i = 0; outer->role <= ROLE_PART && i < sizeof(known_parts) / sizeof(known_parts[0]);
         i++)
        if (is_key(key, known_parts[i].key))
            return known_parts[i].role;
    if (outer->role == ROLE_TARGETS)
        return is_array ? ROLE_TARGETS : ROLE_TARGET;
    if (outer->role == ROLE_TARGET)
        return ROLE_INSIDE;
    return outer->role == ROLE_PART ? ROLE_RECORD : outer->role;
}

/* Is it a record beside the one around it? An array is, in an array: a table's row. */
static bool is_record_of_its_own(const frame *f, const frame *outer)
{
    return f->role == ROLE_RECORD && (!f->is_array || outer->is_array);
}

static void open_frame(fragment_reading *r, text key, bool is_array)
{
    const frame outer = *fragment_innermost(r);
    frame *f;

    r->depth++;
    if (r->depth - r->lowest == MOST_OPEN)
        r->lowest++;
    f = fragment_innermost(r);
    *f = (frame){
        .role = role_of(&outer, key, is_array),
        .is_array = is_array,
        .home = outer.home,
        .record = NONE,
        .target = NONE,
        .id = NONE,
    };
    if (is_record_of_its_own(f, &outer) || f->home < r->lowest)
        f->home = r->depth;
}

static void close_frame(fragment_reading *r)
{
    r->depth--;
    if (r->depth >= r->lowest)
        return;
    r->lowest = r->depth;
    *fragment_innermost(r) = fragment_outermost(r->depth);
}

/* --- what is gathered --- */

/* The record that the innermost frame belongs to; NULL when memory is out. */
static record *record_here(fragment_reading *r)
{
    frame *home = &r->open[fragment_innermost(r)->home % MOST_OPEN];

    if (home->record == NONE) {
        if (!room_for_one_more(&r->records, sizeof(record), r->record_count, &r->record_room)) {
            r->out_of_memory = true;
            return NULL;
        }
        home->record = (int)r->record_count++;
        r->records[home->record] = (record){
            .first_fact = NONE,
            .last_fact = NONE,
            .first_target = NONE,
            .last_target = NONE,
        };
    }
    return &r->records[home->record];
}

static void add_fact(fragment_reading *r, member m, text value)
{
    record *here = record_here(r);
    int at = (int)r->fact_count;

    if (here == NULL || !room_for_one_more(&r->facts, sizeof(fact), r->fact_count, &r->fact_room)) {
        r->out_of_memory = true;
        return;
    }
    r->facts[r->fact_count++] = (fact){m, value, NONE};
    if (here->last_fact == NONE)
        here->first_fact = at;
    else
        r->facts[here->last_fact].next = at;
    here->last_fact = at;
}

static target *add_target(fragment_reading *r)
{
    record *here = record_here(r);
    int at = (int)r->target_count;

    if (here == NULL ||
        !room_for_one_more(&r->targets, sizeof(target), r->target_count, &r->target_room)) {
        r->out_of_memory = true;
        return NULL;
    }
    r->targets[r->target_count++] = (target){{"", 0}, {"", 0}, NONE};
    if (here->last_target == NONE)
        here->first_target = at;
    else
        r->targets[here->last_target].next = at;
    here->last_target = at;
    fragment_innermost(r)->target = at;
    return &r->targets[at];
}

/* The target that the innermost frame is; another one when it has that already. */
static target *target_here(fragment_reading *r, bool wants_upn)
{
    int at = fragment_innermost(r)->target;
    const target *here = at == NONE ? NULL : &r->targets[at];

    if (here == NULL || (wants_upn ? here->upn : here->id).length > 0)
        return add_target(r);
    return &r->targets[at];
}

/* --- names --- */

static bool ends_name(char c)
{
    return c == '\0' || strchr("\"'{}[]()<>\\,;:= \t\r\n", c) != NULL;
}

/* A name as far as one can be: no quotes, no braces, no more than a name can be long. */
static text name_in(text t)
{
    size_t length = 0;

    while (length < t.length && length < FRAGMENT_MOST_NAME && !ends_name(t.bytes[length]))
        length++;
    return (text){t.bytes, length};
}

/* UPNs may hold blanks and more in a display name's place: only what tears JSON apart ends them. */
static text name_under_key(text t)
{
    size_t length = 0;

    while (length < t.length && length < FRAGMENT_MOST_NAME && t.bytes[length] != '\0' &&
           strchr("\"{}", t.bytes[length]) == NULL)
        length++;
    while (length < t.length && length > 0 && (t.bytes[length] & 0xC0) == 0x80)
        length--;
    return (text){t.bytes, length};
}

unsigned fragment_match(const fragment_reading *r, text upn, text id)
{
    const audit_target shown = {.upn = upn, .id = id};

    return rule_match_target(r->rule, r->accounts, &shown, rule_get_semantics(r->rule), r->now);
}

/* A UPN or an object id: the role list may hold what stands in any record, a number, say. */
static bool looks_like_an_account(text word)
{
    enum { GUID = 36 };

    return word.length >= GUID || memchr(word.bytes, '@', word.length) != NULL;
}

/*
 * A word as an account's name or id. By a naming rule it is a better one
 * than by the role list; an initiator's is the last to be taken for a target.
 */
static void note_word(fragment_reading *r, hit *best, text word, bool is_id)
{
    const unsigned by_id = 1u << CLAUSE_IDENTITY_OBJECT_ID;
    const unsigned by_role_list = by_id | 1u << CLAUSE_IDENTITY_UPN;
    role place = fragment_innermost(r)->role;
    unsigned matched = word.length > 0 ? fragment_match(r, word, word) : 0;
    bool is_named = (matched & ~by_role_list & ((1u << RULE_CLAUSES) - 1)) != 0;
    int rank;

    if (is_id)
        matched &= by_id;
    if (matched == 0 || (r->is_whole && place == ROLE_INITIATOR) ||
        (r->is_whole && !is_named && !looks_like_an_account(word)))
        return;
    rank = is_named && !is_id ? 1 : 4;
    rank += place == ROLE_TARGETS || place == ROLE_TARGET ? 0 : place == ROLE_INITIATOR ? 2 : 1;
    if (best->rank == 0 || rank < best->rank)
        *best = (hit){rank, matched, word};
}

static hit look_for_account(fragment_reading *r, text value, bool is_id)
{
    text whole = name_under_key(value);
    hit best = {0};

    if (whole.length == value.length)
        note_word(r, &best, whole, is_id);
    while (best.rank == 0 && value.length > 0) {
        text word = name_in(value);

        if (word.length < whole.length)
            note_word(r, &best, word, is_id);
        value = text_from(value, word.length + (word.length < value.length));
    }
    return best;
}

hit fragment_any_word(fragment_reading *r)
{
    text rest = r->broken;
    hit best = {0};

    while (best.rank == 0 && rest.length > 0) {
        text word = name_in(rest);

        if (word.length > 0 && memchr(word.bytes, '@', word.length) != NULL)
            note_word(r, &best, word, false);
        rest = text_from(rest, word.length + (word.length < rest.length));
    }
    return best;
}

/* What somebody is called, or a group or a role is; an initiator's is `identity`. */
static bool is_display_name(text key)
{
    return is_key(key, "displayName") || is_key(key, "display_name") || is_key(key, "identity");
}

/* In a record that is whole only names and ids of accounts tell. */
static void keep_hit(fragment_reading *r, const broken_piece *p)
{
    hit found = {0};
    record *here;

    if (!r->is_whole || !is_display_name(p->key))
        found = look_for_account(r, p->value, is_key(p->key, "id"));
    here = found.rank > 0 ? record_here(r) : NULL;
    if (here != NULL && (here->hit.rank == 0 || found.rank < here->hit.rank))
        here->hit = found;
}

/* --- operations --- */

static const char *const operation_keys[] = {"operationName", "operation_name",
                                             "activityDisplayName", "activity_display_name"};

/* The key's place in that table, as a bit; 0: it is none. */
static unsigned operation_key(text key)
{
    for (size_t i = 0; i < sizeof(operation_keys) / sizeof(operation_keys[0]); i++)
        if (is_key(key, operation_keys[i]))
            return 1u << i;
    return 0;
}

operation fragment_operation_of(const fragment_reading *r, text value, certainty how)
{
    const audit_record shown = {.operation_name = value, .activity_name = value};
    operation o = {.certainty = how, .name = value};

    o.matches = rule_is_operation(r->rule, &shown, rule_get_semantics(r->rule), &o.reasons);
    return o;
}

/* Of a record's two names for its operation one that matches is enough. */
static void note_operation(fragment_reading *r, text value, certainty how)
{
    const frame *home = &r->open[fragment_innermost(r)->home % MOST_OPEN];
    operation o;
    record *here;

    if (home->record != NONE && r->records[home->record].operation.matches)
        return;
    o = fragment_operation_of(r, value, how);
    here = o.matches || how == CERTAINTY_BY_KEY ? record_here(r) : NULL;
    if (here != NULL &&
        (o.certainty > here->operation.certainty || (o.matches && !here->operation.matches)))
        here->operation = o;
}

/* An operation's key makes a record of what seemed to be less, and another one when it comes again.
 */
static void take_operation(fragment_reading *r, unsigned key, text value)
{
    frame *f = fragment_innermost(r);

    if (f->role > ROLE_PART || f->names & key)
        begin_record(r, f);
    f->names |= key;
    note_operation(r, value, CERTAINTY_BY_KEY);
}

/* --- members --- */

static const struct {
    const char *key;
    member member;
} record_members[] = {
    {"time", MEMBER_TIME},
    {"TimeGenerated", MEMBER_TIME},
    {"activityDateTime", MEMBER_TIME},
    {"createdDateTime", MEMBER_TIME},
    {"activity_datetime", MEMBER_TIME},
    {"activity_date_time", MEMBER_TIME},
    {"@timestamp", MEMBER_TIME},
    {"id", MEMBER_RECORD_ID},
    {"correlationId", MEMBER_CORRELATION_ID},
    {"correlation_id", MEMBER_CORRELATION_ID},
    {"tenantId", MEMBER_TENANT_ID},
    {"AADTenantId", MEMBER_TENANT_ID},
    {"tenant_id", MEMBER_TENANT_ID},
    {"loggedByService", MEMBER_SERVICE},
    {"logged_by_service", MEMBER_SERVICE},
    {"result", MEMBER_RESULT},
    {"resultReason", MEMBER_RESULT_REASON},
    {"result_reason", MEMBER_RESULT_REASON},
    {"callerIpAddress", MEMBER_CALLER_IP},
};

static const struct {
    const char *key;
    member member;
} initiator_members[] = {
    {"userPrincipalName", MEMBER_ACTOR_UPN},
    {"user_principal_name", MEMBER_ACTOR_UPN},
    {"displayName", MEMBER_ACTOR_NAME},
    {"display_name", MEMBER_ACTOR_NAME},
    {"id", MEMBER_ACTOR_ID},
    {"ipAddress", MEMBER_SOURCE_IP},
    {"ip_address", MEMBER_SOURCE_IP},
};

/*
 * An `id` beside a UPN is a target's, whose key `targetResources` stood in front of the text. As
 * the record's own it would make one of all records of that account.
 */
static bool is_targets_id(fragment_reading *r, const broken_piece *p)
{
    const frame *f = fragment_innermost(r);

    return f->names == 0 && f->target != NONE && is_key(p->key, "id");
}

static void take_record_member(fragment_reading *r, const broken_piece *p)
{
    for (size_t i = 0; i < sizeof(record_members) / sizeof(record_members[0]); i++) {
        if (!is_key(p->key, record_members[i].key) || is_targets_id(r, p))
            continue;
        if (record_members[i].member == MEMBER_RECORD_ID)
            fragment_innermost(r)->id = (int)r->fact_count;
        add_fact(r, record_members[i].member, p->value);
    }
}

static void take_initiator(fragment_reading *r, const broken_piece *p)
{
    for (size_t i = 0; i < sizeof(initiator_members) / sizeof(initiator_members[0]); i++)
        if (is_key(p->key, initiator_members[i].key))
            add_fact(r, initiator_members[i].member, p->value);
}

static bool is_upn_key(text key)
{
    return is_key(key, "userPrincipalName") || is_key(key, "user_principal_name");
}

/* PowerShell's `@{id=1; userPrincipalName=x}`, of a target that lay beyond its -Depth. */
static void take_powershell(fragment_reading *r, text t)
{
    static const text upn = TEXT("userPrincipalName="), id = TEXT("id=");
    target *one = NULL;

    for (t = text_from(t, 2); t.length > 0;) {
        const char *next = memmem(t.bytes, t.length, "; ", 2);
        text pair = next != NULL ? text_between(t.bytes, next) : t;
        const text *key = kql_startswith(pair, upn, SEMANTICS_KQL)  ? &upn
                          : kql_startswith(pair, id, SEMANTICS_KQL) ? &id
                                                                    : NULL;

        t = text_from(t, pair.length + (next != NULL ? 2 : 0));
        if (key == NULL)
            continue;
        if (one == NULL)
            one = add_target(r);
        if (one != NULL)
            *(key == &upn ? &one->upn : &one->id) = name_under_key(text_from(pair, key->length));
    }
    fragment_innermost(r)->target = NONE;
}

/* A record of 2018 has UPN__tenant__PUID__id__class. */
static void take_target_elsewhere(fragment_reading *r, text value)
{
    const char *end = memmem(value.bytes, value.length, "__", 2);
    target *one = add_target(r);

    if (one != NULL)
        one->upn = name_under_key(end != NULL ? text_between(value.bytes, end) : value);
    fragment_innermost(r)->target = NONE;
}

/* What was taken for the record's id is that target's. */
static void give_id_back(fragment_reading *r, target *one)
{
    frame *f = fragment_innermost(r);

    if (f->names != 0 || f->id == NONE || (size_t)f->id >= r->fact_count)
        return;
    one->id = name_under_key(r->facts[f->id].value);
    r->facts[f->id].member = MEMBERS;
    f->id = NONE;
}

static void take_target_upn(fragment_reading *r, text value)
{
    target *one = target_here(r, true);

    if (one == NULL)
        return;
    one->upn = name_under_key(value);
    if (one->id.length == 0)
        give_id_back(r, one);
}

static void take_target(fragment_reading *r, const broken_piece *p)
{
    role place = fragment_innermost(r)->role;
    target *one;

    if (is_upn_key(p->key)) {
        take_target_upn(r, p->value);
    } else if ((place >= ROLE_TARGETS || is_targets_id(r, p)) && is_key(p->key, "id") &&
               p->is_closed) {
        one = target_here(r, false);
        if (one != NULL)
            one->id = name_under_key(p->value);
    } else if (place <= ROLE_PART && is_key(p->key, "targetResourceName")) {
        take_target_elsewhere(r, p->value);
    } else if (place <= ROLE_TARGETS && kql_startswith(p->value, (text)TEXT("@{"), SEMANTICS_KQL)) {
        take_powershell(r, p->value);
    }
}

/* A string that is not closed may be the first part of another: only a name is shown by it. */
static void take_value(fragment_reading *r, const broken_piece *p)
{
    role place = fragment_innermost(r)->role;
    unsigned key = operation_key(p->key);

    if (key != 0 && place != ROLE_INITIATOR)
        take_operation(r, key, p->value);
    else if (p->kind == BROKEN_STRING)
        note_operation(r, p->value, CERTAINTY_BY_WORDS);
    if (place == ROLE_INITIATOR && p->is_closed)
        take_initiator(r, p);
    else if (place <= ROLE_PART && p->is_closed)
        take_record_member(r, p);
    if (place != ROLE_INITIATOR)
        take_target(r, p);
    keep_hit(r, p);
}

/*
 * Is a string to be looked into? Texts that somebody chose are not, and
 * nothing inside of a record's parts is JSON in a string, but the targets.
 */
static bool is_json_in_string(const frame *f, const broken_piece *p)
{
    text t = p->value;

    if (p->kind != BROKEN_STRING || f->role > ROLE_TARGETS || f->role == ROLE_INITIATOR ||
        chosen_text_is(p->key))
        return false;
    while (t.length > 0 && strchr(" \t\r\n", t.bytes[0]) != NULL)
        t = text_from(t, 1);
    return t.length > 1 && (t.bytes[0] == '{' || t.bytes[0] == '[' || t.bytes[0] == '"');
}

bool fragment_take_piece(void *arg, const broken_piece *p)
{
    fragment_reading *r = arg;

    switch (p->kind) {
    case BROKEN_OBJECT:
    case BROKEN_ARRAY:
        open_frame(r, p->key, p->kind == BROKEN_ARRAY);
        return false;
    case BROKEN_END:
        close_frame(r);
        return false;
    case BROKEN_STRING:
    case BROKEN_WORD:
    default:
        if (is_json_in_string(fragment_innermost(r), p))
            return true;
        take_value(r, p);
        return false;
    }
}
