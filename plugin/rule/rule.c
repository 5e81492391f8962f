/* SPDX-License-Identifier: Apache-2.0 */
/* rule: the rule's own strings, and the clauses over them. */
#include "rule/rule.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>

const char RULE_ID[] = "9b1a0008-1008-4108-9108-aadprov00008";
const char RULE_NAME[] = "TAP Added to Entra Connector Account (Backdoor)";
const char RULE_VERSION[] = "1.0.0";
const char RULE_SEVERITY[] = "High";

enum { MOST_DEFAULTS = 6, MOST_WIDE_DEFAULTS = 2 };

static const struct {
    text defaults[MOST_DEFAULTS];
    text wide_defaults[MOST_WIDE_DEFAULTS]; /* what wide semantics adds to the rule's own strings */
} lists[RULE_LISTS] = {
    [RULE_OPERATIONS] =
        {
            .defaults = {TEXT("Admin registered security info"), TEXT("Register security info"),
                         TEXT("Create temporary access pass"), TEXT("Issue temporary access pass"),
                         TEXT("Admin Issued Temporary Access Pass"),
                         TEXT("User registered security info")},
            .wide_defaults = {TEXT("User registered all required security info")},
        },
    [RULE_ROLES] =
        {
            .defaults = {TEXT("Directory Synchronization Accounts"),
                         TEXT("On Premises Directory Sync Account")},
            .wide_defaults = {TEXT("d29b2b05-8046-44ba-8758-1e26182fcf32"),
                              TEXT("a92aed5d-d78a-4d16-b381-09adb37eb3b0")},
        },
    [RULE_UPN_STARTSWITH] = {.defaults = {TEXT("Sync_")}},
    [RULE_UPN_CONTAINS] = {.defaults = {TEXT("DirSync")}},
    [RULE_UPN_HAS] = {.defaults = {TEXT("On-Premises Directory Synchronization")}},
    [RULE_DISPLAYNAME_HAS] =
        {
            .defaults = {TEXT("On-Premises Directory Synchronization Service Account")},
        },
};

typedef struct string_list {
    text *strings; /* one block: the views, then their bytes */
    size_t count;
    bool is_default; /* so that wide semantics' own strings go with it */
} string_list;

struct rule {
    semantics semantics;
    bool learns;
    timespan lookback;
    timespan identity_window;
    string_list lists[RULE_LISTS];
    rule_file *file; /* NULL: the built-in rule */
    rule_plan *plan; /* the file's */
};

static size_t count_texts(const text *texts, size_t most)
{
    size_t count = 0;

    while (count < most && texts[count].bytes != NULL)
        count++;
    return count;
}

rule *rule_new(void)
{
    rule *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->semantics = SEMANTICS_WIDE;
    self->lookback = TICKS_PER_DAY;
    self->identity_window = 14 * TICKS_PER_DAY;
    for (rule_list l = 0; l < RULE_LISTS; l++) {
        if (!rule_set_list(self, l, lists[l].defaults,
                           count_texts(lists[l].defaults, MOST_DEFAULTS))) {
            rule_free(self);
            return NULL;
        }
        self->lists[l].is_default = true;
    }
    return self;
}

void rule_free(rule *self)
{
    if (self == NULL)
        return;
    for (rule_list l = 0; l < RULE_LISTS; l++)
        free(self->lists[l].strings);
    plan_free(self->plan);
    rule_file_free(self->file);
    free(self);
}

bool rule_use_file(rule *self, rule_file *file, char **error)
{
    timespan lookback = rule_file_lookback(file);

    *error = NULL;
    self->file = file;
    self->plan = plan_new(file, error);
    if (self->plan == NULL)
        return false;
    if (lookback > 0)
        self->lookback = lookback;
    self->identity_window = plan_identity_window(self->plan, self->lookback);
    return true;
}

const rule_facts *rule_get_facts(const rule *self)
{
    return self != NULL && self->file != NULL ? rule_file_facts(self->file) : NULL;
}

const rule_plan *rule_get_plan(const rule *self)
{
    return self->plan;
}

bool rule_has_sets(const rule *self)
{
    return self->plan == NULL || rule_file_query(self->file)->set_count > 0;
}

bool rule_asks_role_list(const rule *self)
{
    return self->plan == NULL || plan_asks_role_list(self->plan);
}

size_t rule_windows_of_absence(const rule *self, timespan windows[KQL_MOST_SETS])
{
    return self->plan != NULL ? plan_windows_of_absence(self->plan, self->lookback, windows) : 0;
}

text rule_id(const rule *self)
{
    const rule_facts *facts = rule_get_facts(self);

    return facts != NULL ? facts->id : text_of(RULE_ID);
}

bool rule_set_list(rule *self, rule_list list, const text *strings, size_t count)
{
    size_t bytes = 0;
    text *copy;
    char *at;

    for (size_t i = 0; i < count; i++)
        bytes += strings[i].length;
    copy = malloc(count * sizeof(text) + bytes + 1);
    if (copy == NULL)
        return false;
    at = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, strings[i].bytes, strings[i].length);
        copy[i] = (text){at, strings[i].length};
        at += strings[i].length;
    }
    free(self->lists[list].strings);
    self->lists[list] = (string_list){copy, count, false};
    return true;
}

const char *rule_take_list(rule *self, rule_list list, const text *strings, size_t count)
{
    bool is_off = count == 1 && text_equal(strings[0], text_of("off"));

    for (size_t i = 0; i < count; i++)
        if (strings[i].length == 0)
            return "an empty text matches everything: give texts, or off alone";
    return rule_set_list(self, list, strings, is_off ? 0 : count) ? NULL
                                                                  : "there is no memory for it";
}

void rule_set_semantics(rule *self, semantics s)
{
    self->semantics = s;
}

void rule_set_lookback(rule *self, timespan lookback)
{
    self->lookback = lookback;
}

void rule_set_learns(rule *self, bool learns)
{
    self->learns = learns;
}

bool rule_learns(const rule *self)
{
    return self->learns;
}

unsigned rule_sets_of_learned(const rule *self, const learned_role *role)
{
    const identity_record row = {
        .time_generated = role->gained > role->lost ? role->gained : role->lost,
        .account_upn = role->upn,
        .account_object_id = role->object_id,
        .account_display_name = TEXT(""),
        .assigned_roles = role->role,
        .eligible_roles = TEXT(""),
    };
    plan_sets sets;

    if (self->plan == NULL)
        return 0;
    /* without memory it is in all: then it is looked at */
    return plan_sets_of(self->plan, &row, SEMANTICS_WIDE, &sets) ? sets.wide : UINT_MAX;
}

void rule_set_identity_window(rule *self, timespan window)
{
    self->identity_window = window;
}

const text *rule_get_list(const rule *self, rule_list list, size_t *count)
{
    *count = self->lists[list].count;
    return self->lists[list].strings;
}

semantics rule_get_semantics(const rule *self)
{
    return self->semantics;
}

timespan rule_get_lookback(const rule *self)
{
    return self->lookback;
}

timespan rule_get_identity_window(const rule *self)
{
    return self->identity_window;
}

static timestamp ago(timespan span, timestamp now)
{
    return span == 0 ? INT64_MIN : now - span;
}

timestamp rule_records_since(const rule *self, timestamp now)
{
    return ago(self->lookback, now);
}

timestamp rule_identities_since(const rule *self, timestamp now)
{
    return ago(self->identity_window, now);
}

const text *rule_get_wide_list(const rule *self, rule_list list, size_t *count)
{
    *count = self->lists[list].is_default && self->semantics == SEMANTICS_WIDE
                 ? count_texts(lists[list].wide_defaults, MOST_WIDE_DEFAULTS)
                 : 0;
    return lists[list].wide_defaults;
}

typedef bool string_operator(text left, text right, semantics s);

static bool any_of(string_operator *holds, text left, const text *right, size_t count, semantics s)
{
    for (size_t i = 0; i < count; i++)
        if (holds(left, right[i], s))
            return true;
    return false;
}

/* left OPERATOR any string of the list. */
static bool any(const rule *self, rule_list list, string_operator *holds, text left, semantics s)
{
    return any_of(holds, left, self->lists[list].strings, self->lists[list].count, s);
}

/* The same over what wide semantics adds to the list. */
static bool any_wide(const rule *self, rule_list list, text left)
{
    size_t count;
    const text *added = rule_get_wide_list(self, list, &count);

    return any_of(kql_has, left, added, count, SEMANTICS_WIDE);
}

/* --- the operation --- */

static unsigned bit(rule_reason reason)
{
    return 1u << reason;
}

/* Is that name one of the rule's operations in wide semantics? Says what it needed. */
static bool is_wide_operation(const rule *self, text name, unsigned *reasons)
{
    if (any(self, RULE_OPERATIONS, kql_has, name, SEMANTICS_KQL))
        return true;
    if (any(self, RULE_OPERATIONS, kql_has, name, SEMANTICS_WIDE)) {
        *reasons |= bit(WIDE_LETTERS);
        return true;
    }
    if (any_wide(self, RULE_OPERATIONS, name)) {
        *reasons |= bit(WIDE_OPERATION);
        return true;
    }
    return false;
}

/* One of the texts without which no record gives a row. */
static bool is_candidate(const rule *self, text name)
{
    const kql_literals *l = rule_file_literals(self->file);

    for (size_t i = 0; i < l->count; i++)
        if (kql_contains(name, l->all[i], self->semantics))
            return true;
    return false;
}

bool rule_is_operation(const rule *self, const audit_record *record, semantics s, unsigned *reasons)
{
    if (self->plan != NULL)
        return is_candidate(self, record->operation_name) ||
               (s == SEMANTICS_WIDE && is_candidate(self, record->activity_name));
    if (s == SEMANTICS_KQL)
        return any(self, RULE_OPERATIONS, kql_has, record->operation_name, SEMANTICS_KQL);
    if (is_wide_operation(self, record->operation_name, reasons))
        return true;
    if (!is_wide_operation(self, record->activity_name, reasons))
        return false;
    *reasons |= bit(WIDE_ACTIVITY_NAME);
    return true;
}

/* --- the role list --- */

/* A Log Analytics row without AssignedRoles has none to the query; wide keeps those last known. */
static bool roles_are_seen(const identity_record *row, semantics s)
{
    return s == SEMANTICS_WIDE || !row->roles_are_older;
}

static bool is_by_eligible_role(const rule *self, const identity_record *row)
{
    return any(self, RULE_ROLES, kql_has, row->eligible_roles, SEMANTICS_WIDE) ||
           any_wide(self, RULE_ROLES, row->eligible_roles);
}

static bool is_sync_account(const rule *self, const identity_record *row, semantics s)
{
    return (roles_are_seen(row, s) && any(self, RULE_ROLES, kql_has, row->assigned_roles, s)) ||
           any(self, RULE_UPN_STARTSWITH, kql_startswith, row->account_upn, s) ||
           any(self, RULE_DISPLAYNAME_HAS, kql_has, row->account_display_name, s) ||
           (s == SEMANTICS_WIDE && any_wide(self, RULE_ROLES, row->assigned_roles));
}

/* Of a rule file: a row that is in one of its sets. Without memory it is: then it is looked at. */
static bool is_in_a_set(const rule *self, const identity_record *row, semantics s)
{
    plan_sets sets;

    if (!plan_sets_of(self->plan, row, s, &sets))
        return true;
    return (s == SEMANTICS_WIDE ? sets.wide : sets.kql) != 0;
}

bool rule_row_matters(const rule *self, const identity_record *row)
{
    return self->plan != NULL || rule_is_sync_account(self, row, self->semantics);
}

bool rule_is_sync_account(const rule *self, const identity_record *row, semantics s)
{
    if (self->plan != NULL)
        return is_in_a_set(self, row, s);
    return is_sync_account(self, row, s) ||
           (s == SEMANTICS_WIDE && row->eligible_roles.length > 0 &&
            is_by_eligible_role(self, row));
}

static account_standing standing_of(const rule *self, const identity_record *row)
{
    if (!rule_is_sync_account(self, row, self->semantics))
        return NO_SYNC_ACCOUNT;
    if (is_sync_account(self, row, SEMANTICS_KQL))
        return SYNC_ACCOUNT_IN_KQL;
    return is_sync_account(self, row, SEMANTICS_WIDE) ? SYNC_ACCOUNT_IN_WIDE
                                                      : SYNC_ACCOUNT_ELIGIBLE;
}

/* An account of a rule file's sets; one that cannot be told for want of memory fails the edit. */
static void put_in_sets(const rule *self, sync_accounts_edit *edit, const identity_record *row)
{
    plan_sets sets;
    account_standing standing;

    if (!plan_sets_of(self->plan, row, self->semantics, &sets)) {
        sync_accounts_edit_fail(edit);
        return;
    }
    standing = sets.kql != 0    ? SYNC_ACCOUNT_IN_KQL
               : sets.wide != 0 ? SYNC_ACCOUNT_IN_WIDE
                                : NO_SYNC_ACCOUNT;
    sync_accounts_edit_put_in(edit, row, standing, sets.kql, sets.wide);
}

void rule_put_account(const rule *self, sync_accounts_edit *edit, const identity_record *row)
{
    if (self->plan != NULL) {
        put_in_sets(self, edit, row);
        return;
    }
    sync_accounts_edit_put(edit, row, standing_of(self, row));
}

/* --- the clauses over a target --- */

/* One clause: a look-up in the role list, or an operator over one of the rule's lists. */
typedef struct clause {
    const char *word;
    bool (*looked_up)(const sync_accounts *, text, semantics, timestamp since);
    account_standing (*standing)(const sync_accounts *, text, timestamp since);
    string_operator *holds;
    rule_list list;
    bool over_id; /* of the target's id; else of its UPN */
} clause;

static const clause clauses[RULE_CLAUSES] = {
    [CLAUSE_IDENTITY_UPN] = {.word = "in~",
                             .looked_up = sync_accounts_has_upn,
                             .standing = sync_accounts_standing_of_upn},
    [CLAUSE_IDENTITY_OBJECT_ID] = {.word = "in",
                                   .looked_up = sync_accounts_has_object_id,
                                   .standing = sync_accounts_standing_of_object_id,
                                   .over_id = true},
    [CLAUSE_UPN_STARTSWITH] = {.word = "startswith",
                               .holds = kql_startswith,
                               .list = RULE_UPN_STARTSWITH},
    [CLAUSE_UPN_CONTAINS] = {.word = "contains", .holds = kql_contains, .list = RULE_UPN_CONTAINS},
    [CLAUSE_UPN_HAS] = {.word = "has", .holds = kql_has, .list = RULE_UPN_HAS},
};

static const char *const reason_names[RULE_REASONS] = {
    [CLAUSE_IDENTITY_UPN] = "identity_upn",
    [CLAUSE_IDENTITY_OBJECT_ID] = "identity_object_id",
    [CLAUSE_UPN_STARTSWITH] = "upn_startswith",
    [CLAUSE_UPN_CONTAINS] = "upn_contains",
    [CLAUSE_UPN_HAS] = "upn_has",
    [WIDE_JSON_STRING] = "json_string",
    [WIDE_TARGET_OBJECT] = "target_object",
    [WIDE_KEY_CASE] = "key_case",
    [WIDE_ID_CASE] = "id_case",
    [WIDE_LETTERS] = "non_ascii_letter",
    [WIDE_DELETED_USER] = "deleted_user",
    [WIDE_ACTIVITY_NAME] = "activity_display_name",
    [WIDE_OPERATION] = "wide_operation",
    [WIDE_ROLE] = "wide_role",
    [WIDE_ELIGIBLE] = "identity_eligible",
    [WIDE_LEARNED] = "role_learned",
    [WIDE_RECENT] = "role_recent",
    [WIDE_TARGET_ELSEWHERE] = "target_elsewhere",
    [WIDE_TIME_UNREAD] = "time_unread",
};

const char *rule_reason_name(rule_reason r)
{
    return reason_names[r];
}

static text operand_of(const clause *c, const audit_target *target)
{
    return c->over_id ? target->id : target->upn;
}

static bool clause_holds(const clause *c, const rule *self, const sync_accounts *accounts,
                         text operand, semantics s, timestamp now)
{
    if (c->looked_up != NULL)
        return c->looked_up(accounts, operand, s, rule_identities_since(self, now));
    return any(self, c->list, c->holds, operand, s);
}

bool rule_upn_before_deletion(text upn, text *rest)
{
    enum { HEX_DIGITS = 32 };

    if (upn.length <= HEX_DIGITS)
        return false;
    for (size_t i = 0; i < HEX_DIGITS; i++)
        if (!isxdigit((unsigned char)upn.bytes[i]))
            return false;
    *rest = text_from(upn, HEX_DIGITS);
    return true;
}

/* What was learned of the account, where the role list does not know it as one; 0: nothing. */
static unsigned reason_of_learned(const clause *c, const rule *self, const sync_accounts *accounts,
                                  text operand, timestamp now)
{
    static const unsigned reasons[] = {
        [LEARNED_NOTHING] = 0,
        [LEARNED_RECENT] = 1u << WIDE_RECENT,
        [LEARNED_ROLE] = 1u << WIDE_LEARNED,
    };
    const learned_question q = {
        .value = operand, .is_id = c->over_id, .recent_since = rule_records_since(self, now)};

    return c->standing != NULL ? reasons[learned_accounts_find(sync_accounts_learned(accounts), &q)]
                               : 0;
}

/* Why a clause holds in wide semantics that does not in KQL's: its operand or its right side. */
static unsigned reasons_of(rule_reason which)
{
    switch (which) {
    case CLAUSE_IDENTITY_UPN:
        return bit(WIDE_ROLE);
    case CLAUSE_IDENTITY_OBJECT_ID:
        return bit(WIDE_ID_CASE);
    default:
        return bit(WIDE_LETTERS);
    }
}

/* What the account itself needed, where the role list was asked. */
static unsigned reason_of_account(const clause *c, const rule *self, const sync_accounts *accounts,
                                  text operand, timestamp now)
{
    timestamp since = rule_identities_since(self, now);

    if (c->standing == NULL || c->standing(accounts, operand, since) != SYNC_ACCOUNT_ELIGIBLE)
        return 0;
    return bit(WIDE_ELIGIBLE);
}

static unsigned match_clause(const rule *self, rule_reason which, const sync_accounts *accounts,
                             const audit_target *target, semantics s, timestamp now)
{
    const clause *c = &clauses[which];
    text operand = operand_of(c, target), rest;
    unsigned learned;

    if (clause_holds(c, self, accounts, operand, SEMANTICS_KQL, now))
        return bit(which);
    if (s == SEMANTICS_KQL)
        return 0;
    if (clause_holds(c, self, accounts, operand, SEMANTICS_WIDE, now))
        return bit(which) |
               (reason_of_account(c, self, accounts, operand, now) ?: reasons_of(which));
    if (!c->over_id && rule_upn_before_deletion(operand, &rest) &&
        clause_holds(c, self, accounts, rest, SEMANTICS_WIDE, now))
        return bit(which) | bit(WIDE_DELETED_USER) |
               reason_of_account(c, self, accounts, rest, now);
    learned = reason_of_learned(c, self, accounts, operand, now);
    return learned != 0 ? bit(which) | learned : 0;
}

unsigned rule_reasons_of_notes(unsigned notes)
{
    return (notes & NOTE_JSON_STRING ? bit(WIDE_JSON_STRING) : 0) |
           (notes & NOTE_TARGET_OBJECT ? bit(WIDE_TARGET_OBJECT) : 0) |
           (notes & NOTE_KEY_CASE ? bit(WIDE_KEY_CASE) : 0) |
           (notes & NOTE_TARGET_ELSEWHERE ? bit(WIDE_TARGET_ELSEWHERE) : 0);
}

unsigned rule_match_target(const rule *self, const sync_accounts *accounts,
                           const audit_target *target, semantics s, timestamp now)
{
    /* what is known of a rule file's accounts by a name alone is that they are in a set */
    rule_reason clauses_of_rule = self->plan != NULL ? CLAUSE_UPN_STARTSWITH : RULE_CLAUSES;
    unsigned matched = 0;

    for (rule_reason c = 0; c < clauses_of_rule; c++)
        matched |= match_clause(self, c, accounts, target, s, now);
    if (matched != 0 && s == SEMANTICS_WIDE)
        matched |= rule_reasons_of_notes(target->notes);
    return matched;
}

clause_verdict rule_explain_clause(const rule *self, rule_reason which,
                                   const sync_accounts *accounts, const audit_target *target,
                                   timestamp now)
{
    const clause *c = &clauses[which];
    clause_verdict v = {
        .name = reason_names[which],
        .operand = c->over_id ? "TargetId" : "TargetUpn",
        .word = c->word,
        .left = operand_of(c, target),
        .kql = match_clause(self, which, accounts, target, SEMANTICS_KQL, now) != 0,
        .wide = match_clause(self, which, accounts, target, SEMANTICS_WIDE, now) != 0,
    };

    if (c->looked_up == NULL)
        v.right = rule_get_list(self, c->list, &v.right_count);
    return v;
}
