/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment: the pieces of a broken text, gathered by the record that they stand in.
 *
 * A record is told by an operation's key, or by being an object in a
 * container; its own parts (`properties`) are it, too. Only keys say what a
 * value is. Records and facts are gathered first, and judged then.
 */
#include "rule/fragment.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/room.h"
#include "record/broken_json.h"
#include "record/chosen_text.h"

enum { NONE = -1, MOST_OPEN = 64 };

/* What an object or array is, by the key that leads to it. */
typedef enum role {
    ROLE_RECORD, /* or a container of some */
    ROLE_PART,   /* of the record around it, with the record's own members */
    ROLE_INITIATOR,
    ROLE_TARGETS,
    ROLE_TARGET,
    ROLE_INSIDE, /* of a record: texts that somebody chose may stand there */
} role;

/* A member of a record that an alert tells of. */
typedef enum member {
    MEMBER_TIME,
    MEMBER_RECORD_ID,
    MEMBER_CORRELATION_ID,
    MEMBER_TENANT_ID,
    MEMBER_SERVICE,
    MEMBER_RESULT,
    MEMBER_RESULT_REASON,
    MEMBER_CALLER_IP,
    MEMBER_ACTOR_UPN,
    MEMBER_ACTOR_NAME,
    MEMBER_ACTOR_ID,
    MEMBER_SOURCE_IP,
    MEMBERS
} member;

typedef struct fact {
    member member;
    text value;
    int next; /* of the same record */
} fact;

typedef struct target {
    text upn;
    text id;
    int next;
} target;

/* Where an account's name or id was seen without a key that says so; less is better. */
typedef struct hit {
    int rank; /* 0: nowhere */
    unsigned matched;
    text word;
} hit;

/* How sure a text is the record's operation. */
typedef enum certainty { CERTAINTY_NONE, CERTAINTY_BY_WORDS, CERTAINTY_BY_KEY } certainty;

typedef struct operation {
    certainty certainty;
    bool matches;
    unsigned reasons;
    text name;
} operation;

typedef struct record {
    operation operation;
    int first_fact, last_fact;
    int first_target, last_target;
    hit hit;
} record;

/* An object or array that is open. */
typedef struct frame {
    role role;
    bool is_array;
    size_t home;    /* the depth of the frame that stands for the record */
    int record;     /* in a home: the record's, once something is known of it */
    int target;     /* that it is; NONE: nothing is known of it yet */
    unsigned names; /* of operations that were met: a bit for each key */
} frame;

typedef struct reading {
    const rule *rule;
    const sync_accounts *accounts;
    timestamp now;

    frame open[MOST_OPEN]; /* the innermost; by depth, round and round */
    size_t depth, lowest;  /* of the innermost, and of the outermost that is still known */

    record *records;
    size_t record_count, record_room;
    fact *facts;
    size_t fact_count, fact_room;
    target *targets;
    size_t target_count, target_room;
    bool out_of_memory;

    text broken;
    fragment_sink *sink;
    void *arg;
    size_t rows;
} reading;

static bool is_key(text key, const char *name)
{
    return key.length == strlen(name) && strncasecmp(key.bytes, name, key.length) == 0;
}

/* --- what is open --- */

static frame *innermost(reading *r)
{
    return &r->open[r->depth % MOST_OPEN];
}

static void begin_record(reading *r, frame *f)
{
    f->role = ROLE_RECORD;
    f->home = r->depth;
    f->record = NONE;
    f->names = 0;
}

/* Of what stands around all that is known of the text. */
static frame outermost(size_t depth)
{
    return (frame){.role = ROLE_RECORD, .home = depth, .record = NONE, .target = NONE};
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

static void open_frame(reading *r, text key, bool is_array)
{
    const frame outer = *innermost(r);
    frame *f;

    r->depth++;
    if (r->depth - r->lowest == MOST_OPEN)
        r->lowest++;
    f = innermost(r);
    *f = (frame){
        .role = role_of(&outer, key, is_array),
        .is_array = is_array,
        .home = outer.home,
        .record = NONE,
        .target = NONE,
    };
    if (is_record_of_its_own(f, &outer) || f->home < r->lowest)
        f->home = r->depth;
}

static void close_frame(reading *r)
{
    r->depth--;
    if (r->depth >= r->lowest)
        return;
    r->lowest = r->depth;
    *innermost(r) = outermost(r->depth);
}

/* --- what is gathered --- */

/* The record that the innermost frame belongs to; NULL when memory is out. */
static record *record_here(reading *r)
{
    frame *home = &r->open[innermost(r)->home % MOST_OPEN];

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

static void add_fact(reading *r, member m, text value)
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

static target *add_target(reading *r)
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
    innermost(r)->target = at;
    return &r->targets[at];
}

/* The target that the innermost frame is; another one when it has that already. */
static target *target_here(reading *r, bool wants_upn)
{
    int at = innermost(r)->target;
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

static unsigned match(const reading *r, text upn, text id)
{
    const audit_target shown = {.upn = upn, .id = id};

    return rule_match_target(r->rule, r->accounts, &shown, rule_get_semantics(r->rule), r->now);
}

/*
 * A word as an account's name or id. By a naming rule it is a better one
 * than by the role list; an initiator's is the last to be taken for a target.
 */
static void note_word(reading *r, hit *best, text word, bool is_id)
{
    const unsigned by_id = 1u << CLAUSE_IDENTITY_OBJECT_ID;
    const unsigned by_role_list = by_id | 1u << CLAUSE_IDENTITY_UPN;
    role place = innermost(r)->role;
    unsigned matched = word.length > 0 ? match(r, word, word) : 0;
    int rank;

    if (is_id)
        matched &= by_id;
    if (matched == 0)
        return;
    rank = matched & ~by_role_list & ((1u << RULE_CLAUSES) - 1) ? 1 : 4;
    rank += place == ROLE_TARGETS || place == ROLE_TARGET ? 0 : place == ROLE_INITIATOR ? 2 : 1;
    if (best->rank == 0 || rank < best->rank)
        *best = (hit){rank, matched, word};
}

static hit look_for_account(reading *r, text value, bool is_id)
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

static void keep_hit(reading *r, text value, bool is_id)
{
    hit found = look_for_account(r, value, is_id);
    record *here = found.rank > 0 ? record_here(r) : NULL;

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

static operation operation_of(const reading *r, text value, certainty how)
{
    const audit_record shown = {.operation_name = value, .activity_name = value};
    operation o = {.certainty = how, .name = value};

    o.matches = rule_is_operation(r->rule, &shown, rule_get_semantics(r->rule), &o.reasons);
    return o;
}

/* Of a record's two names for its operation one that matches is enough. */
static void note_operation(reading *r, text value, certainty how)
{
    const frame *home = &r->open[innermost(r)->home % MOST_OPEN];
    operation o;
    record *here;

    if (home->record != NONE && r->records[home->record].operation.matches)
        return;
    o = operation_of(r, value, how);
    here = o.matches || how == CERTAINTY_BY_KEY ? record_here(r) : NULL;
    if (here != NULL &&
        (o.certainty > here->operation.certainty || (o.matches && !here->operation.matches)))
        here->operation = o;
}

/* An operation's key makes a record of what seemed to be less, and another one when it comes again.
 */
static void take_operation(reading *r, unsigned key, text value)
{
    frame *f = innermost(r);

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

static void take_record_member(reading *r, const broken_piece *p)
{
    for (size_t i = 0; i < sizeof(record_members) / sizeof(record_members[0]); i++)
        if (is_key(p->key, record_members[i].key))
            add_fact(r, record_members[i].member, p->value);
}

static void take_initiator(reading *r, const broken_piece *p)
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
static void take_powershell(reading *r, text t)
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
    innermost(r)->target = NONE;
}

/* A record of 2018 has UPN__tenant__PUID__id__class. */
static void take_target_elsewhere(reading *r, text value)
{
    const char *end = memmem(value.bytes, value.length, "__", 2);
    target *one = add_target(r);

    if (one != NULL)
        one->upn = name_under_key(end != NULL ? text_between(value.bytes, end) : value);
    innermost(r)->target = NONE;
}

static void take_target(reading *r, const broken_piece *p)
{
    role place = innermost(r)->role;
    target *one;

    if (is_upn_key(p->key)) {
        one = target_here(r, true);
        if (one != NULL)
            one->upn = name_under_key(p->value);
    } else if (place >= ROLE_TARGETS && is_key(p->key, "id") && p->is_closed) {
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
static void take_value(reading *r, const broken_piece *p)
{
    role place = innermost(r)->role;
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
    keep_hit(r, p->value, is_key(p->key, "id"));
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

static bool take_piece(void *arg, const broken_piece *p)
{
    reading *r = arg;

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
        if (is_json_in_string(innermost(r), p))
            return true;
        take_value(r, p);
        return false;
    }
}

/* --- rows --- */

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

    if (f->member == MEMBER_TIME)
        put_time(shown, f->value);
    else if (fields[f->member]->length == 0)
        *fields[f->member] = f->value;
}

/* `o`: the record's own operation, or that of the record it seems to be a part of. */
static audit_record shown_record(const reading *r, const record *from, const operation *o)
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

static void hand_out(reading *r, const audit_record *shown, audit_target t, unsigned matched,
                     const operation *o)
{
    fragment found = {.record = *shown, .target = t, .matched_by = matched | o->reasons};

    r->rows++;
    r->sink(r->arg, &found);
}

/* The clauses that hold for what is known of the target: an empty name is not the role list's. */
static unsigned match_target(const reading *r, const target *one)
{
    unsigned matched = match(r, one->upn, one->id);

    if (one->upn.length == 0)
        matched &= ~(1u << CLAUSE_IDENTITY_UPN);
    if (one->id.length == 0)
        matched &= ~(1u << CLAUSE_IDENTITY_OBJECT_ID);
    return matched & ((1u << RULE_CLAUSES) - 1) ? matched : 0;
}

/* Those of its targets that match. Without an id of its own a record is told by its place. */
static void hand_out_targets(reading *r, const record *from, const operation *o)
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

static void hand_out_hit(reading *r, const record *from, const operation *o)
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
static void hand_out_record(reading *r, const record *from, const operation *o)
{
    size_t before = r->rows;

    hand_out_targets(r, from, o);
    if (r->rows == before && from->hit.rank > 0)
        hand_out_hit(r, from, o);
}

static const operation *first_operation(const reading *r)
{
    for (size_t i = 0; i < r->record_count; i++)
        if (r->records[i].operation.matches)
            return &r->records[i].operation;
    return NULL;
}

/* What has no operation may be the rest of the record before it. */
static void hand_out_records(reading *r)
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
static bool find_phrase(const reading *r, operation *o)
{
    const text *lists[2];
    size_t counts[2];

    lists[0] = rule_get_list(r->rule, RULE_OPERATIONS, &counts[0]);
    lists[1] = rule_get_wide_list(r->rule, RULE_OPERATIONS, &counts[1]);
    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < counts[l]; i++)
            if (kql_has(r->broken, lists[l][i], rule_get_semantics(r->rule))) {
                *o = operation_of(r, lists[l][i], CERTAINTY_BY_WORDS);
                return o->matches;
            }
    return false;
}

static const record *best_hit(const reading *r)
{
    const record *best = NULL;

    for (size_t i = 0; i < r->record_count; i++) {
        const record *one = &r->records[i];

        if (one->hit.rank > 0 && (best == NULL || one->hit.rank < best->hit.rank))
            best = one;
    }
    return best;
}

/* No record shows both: then the text does, if it does. */
static void hand_out_whole_text(reading *r)
{
    const operation *found = first_operation(r);
    const record *best = best_hit(r);
    operation o = {0};

    if (found == NULL && !find_phrase(r, &o))
        return;
    for (size_t i = 0; i < r->record_count; i++)
        hand_out_targets(r, &r->records[i], found ? found : &o);
    if (r->rows == 0 && best != NULL)
        hand_out_hit(r, best, found ? found : &o);
}

bool fragment_read(text broken, const rule *r, const sync_accounts *accounts, timestamp now,
                   arena *memory, fragment_sink *sink, void *arg)
{
    reading under_way = {
        .rule = r,
        .accounts = accounts,
        .now = now,
        .depth = SIZE_MAX / 2,
        .lowest = SIZE_MAX / 2,
        .broken = broken,
        .sink = sink,
        .arg = arg,
    };
    bool is_read;

    *innermost(&under_way) = outermost(under_way.depth);
    is_read = broken_json_read(broken, memory, take_piece, &under_way);
    hand_out_records(&under_way);
    if (under_way.rows == 0)
        hand_out_whole_text(&under_way);
    free(under_way.records);
    free(under_way.facts);
    free(under_way.targets);
    return is_read && !under_way.out_of_memory;
}
