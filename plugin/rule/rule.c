/* SPDX-License-Identifier: Apache-2.0 */
/* rule: settings over a plan, and what of the built-in rule's can be asked without a record. */
#include "rule/rule.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "kql/operators.h"

typedef struct string_list {
    text *strings; /* one block: the views, the same as values of KQL, then their bytes */
    kql_value *values;
    size_t count;
    kql_value wide[BUILT_IN_MOST_WIDE];
    bool is_default; /* so that wide semantics' own strings go with it */
} string_list;

struct rule {
    semantics semantics;
    bool learns;
    bool is_built_in;
    timespan lookback;
    timespan identity_window;
    string_list lists[RULE_LISTS]; /* of the built-in rule */
    rule_file *file;
    rule_plan *plan; /* the file's */
};

/* --- a rule's life --- */

/* Puts strings and, while they are the query's own, those of wide semantics into the query. */
static void put_list(rule *self, rule_list which)
{
    string_list *list = &self->lists[which];
    size_t wide_count;
    const text *wide = built_in_rule_wide_strings(which, &wide_count);

    for (size_t i = 0; i < wide_count; i++)
        list->wide[i] = kql_string(wide[i]);
    built_in_rule_replace(self->plan, which, list->values, list->count, list->wide,
                          list->is_default ? wide_count : 0);
}

static bool copy_strings(string_list *list, const text *strings, size_t count)
{
    size_t bytes = 0;
    string_list copy = {.count = count};
    char *at;

    for (size_t i = 0; i < count; i++)
        bytes += strings[i].length;
    copy.strings = malloc(count * (sizeof(text) + sizeof(kql_value)) + bytes + 1);
    if (copy.strings == NULL)
        return false;
    copy.values = (kql_value *)(copy.strings + count);
    at = (char *)(copy.values + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(at, strings[i].bytes, strings[i].length);
        copy.strings[i] = (text){at, strings[i].length};
        copy.values[i] = kql_string(copy.strings[i]);
        at += strings[i].length;
    }
    free(list->strings);
    *list = copy;
    return true;
}

bool rule_set_list(rule *self, rule_list which, const text *strings, size_t count)
{
    if (!copy_strings(&self->lists[which], strings, count))
        return false;
    if (self->is_built_in)
        put_list(self, which);
    return true;
}

/* The query's own strings. */
static bool take_list(rule *self, rule_list which)
{
    text strings[BUILT_IN_MOST_STRINGS];
    size_t count = built_in_rule_strings(self->plan, which, strings);

    if (!copy_strings(&self->lists[which], strings, count))
        return false;
    self->lists[which].is_default = true;
    put_list(self, which);
    return true;
}

static bool become_built_in(rule *self)
{
    char *error = NULL;

    self->is_built_in = true;
    self->file = built_in_rule_read();
    self->plan = self->file != NULL ? plan_new(self->file, &error) : NULL;
    free(error);
    if (self->plan == NULL)
        return false;
    self->lookback = rule_file_lookback(self->file);
    self->identity_window = plan_identity_window(self->plan, self->lookback);
    built_in_rule_take_any_time(self->plan);
    for (rule_list l = 0; l < RULE_LISTS; l++)
        if (!take_list(self, l))
            return false;
    return true;
}

rule *rule_new(void)
{
    rule *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->semantics = SEMANTICS_WIDE;
    if (become_built_in(self))
        return self;
    rule_free(self);
    return NULL;
}

static void free_plan(rule *self)
{
    plan_free(self->plan);
    rule_file_free(self->file);
}

void rule_free(rule *self)
{
    if (self == NULL)
        return;
    for (rule_list l = 0; l < RULE_LISTS; l++)
        free(self->lists[l].strings);
    free_plan(self);
    free(self);
}

bool rule_use_file(rule *self, rule_file *file, char **error)
{
    timespan lookback = rule_file_lookback(file);
    rule_plan *plan = plan_new(file, error);

    if (plan == NULL) {
        rule_file_free(file);
        return false;
    }
    free_plan(self);
    self->file = file;
    self->plan = plan;
    self->is_built_in = false;
    if (lookback > 0)
        self->lookback = lookback;
    self->identity_window = plan_identity_window(self->plan, self->lookback);
    return true;
}

/* --- what it is --- */

bool rule_is_built_in(const rule *self)
{
    return self->is_built_in;
}

const rule_facts *rule_get_facts(const rule *self)
{
    return rule_file_facts(self->file);
}

const rule_plan *rule_get_plan(const rule *self)
{
    return self->plan;
}

bool rule_has_sets(const rule *self)
{
    return rule_file_query(self->file)->set_count > 0;
}

/* Has the built-in rule a string in one of these lists? */
static bool has_one_of(const rule *self, const rule_list *lists, size_t count)
{
    size_t strings = 0;

    for (size_t i = 0; i < count; i++)
        strings += self->lists[lists[i]].count;
    return self->is_built_in && strings > 0;
}

bool rule_asks_role_list(const rule *self)
{
    static const rule_list in_it[] = {RULE_ROLES, RULE_UPN_STARTSWITH, RULE_DISPLAYNAME_HAS};

    return plan_asks_role_list(self->plan) && (!self->is_built_in || has_one_of(self, in_it, 3));
}

bool rule_judges_names(const rule *self)
{
    static const rule_list of_names[] = {RULE_UPN_STARTSWITH, RULE_UPN_CONTAINS, RULE_UPN_HAS};

    return has_one_of(self, of_names, 3);
}

const char *rule_why_none_matches(const rule *self)
{
    if (!self->is_built_in)
        return NULL;
    if (self->lists[RULE_OPERATIONS].count == 0)
        return "operations is off: no operation counts";
    if (!self->learns && !rule_asks_role_list(self) && !rule_judges_names(self))
        return "all lists that tell sync accounts are off: no account is one";
    return NULL;
}

size_t rule_windows_of_absence(const rule *self, timespan windows[KQL_MOST_SETS])
{
    return plan_windows_of_absence(self->plan, self->lookback, windows);
}

text rule_id(const rule *self)
{
    return rule_get_facts(self)->id;
}

/* --- settings --- */

static bool says_off(text t)
{
    return t.length == strlen("off") && text_begins_in_any_case(t, "off");
}

const char *rule_take_list(rule *self, rule_list list, const text *strings, size_t count)
{
    bool is_off = count == 1 && says_off(strings[0]);

    for (size_t i = 0; i < count; i++) {
        if (strings[i].length == 0)
            return "an empty text matches everything: give texts, or off alone";
        if (count > 1 && says_off(strings[i]))
            return "off switches the list off, and is no text: give texts, or off alone";
    }
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

    if (self->is_built_in)
        return UINT_MAX;
    /* without memory it is in all: then it is looked at */
    return plan_sets_of(self->plan, &row, SEMANTICS_WIDE, &sets) ? sets.wide : UINT_MAX;
}

void rule_set_identity_window(rule *self, timespan window)
{
    self->identity_window = window;
    if (self->is_built_in)
        built_in_rule_set_window(self->plan, window);
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
    const text *wide = built_in_rule_wide_strings(list, count);

    if (!self->lists[list].is_default || self->semantics != SEMANTICS_WIDE)
        *count = 0;
    return wide;
}

/* --- the operation --- */

/* left has any string of the list. */
static bool has_any(text left, const text *strings, size_t count, semantics s)
{
    for (size_t i = 0; i < count; i++)
        if (kql_has(left, strings[i], s))
            return true;
    return false;
}

/* Is that name one of the rule's operations in wide semantics? Says what it needed. */
static bool is_wide_operation(const rule *self, text name, unsigned *reasons)
{
    const string_list *own = &self->lists[RULE_OPERATIONS];
    size_t count;
    const text *wide = rule_get_wide_list(self, RULE_OPERATIONS, &count);

    if (has_any(name, own->strings, own->count, SEMANTICS_KQL))
        return true;
    if (has_any(name, own->strings, own->count, SEMANTICS_WIDE)) {
        *reasons |= reason_bit(WIDE_LETTERS);
        return true;
    }
    if (!has_any(name, wide, count, SEMANTICS_WIDE))
        return false;
    *reasons |= reason_bit(WIDE_OPERATION);
    return true;
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
    const string_list *own = &self->lists[RULE_OPERATIONS];

    if (!self->is_built_in)
        return is_candidate(self, record->operation_name) ||
               (s == SEMANTICS_WIDE && is_candidate(self, record->activity_name));
    if (s == SEMANTICS_KQL)
        return has_any(record->operation_name, own->strings, own->count, SEMANTICS_KQL);
    if (is_wide_operation(self, record->operation_name, reasons))
        return true;
    if (!is_wide_operation(self, record->activity_name, reasons))
        return false;
    *reasons |= reason_bit(WIDE_ACTIVITY_NAME);
    return true;
}

/* --- the role list --- */

/*
 * The built-in rule's wide semantics takes a role that an account may activate for one it has.
 * False when memory is out.
 */
static bool sets_if_activated(const rule *self, const identity_record *row, semantics s,
                              plan_sets *sets)
{
    identity_record activated = *row;

    *sets = (plan_sets){0};
    if (!self->is_built_in || s != SEMANTICS_WIDE || row->eligible_roles.length == 0)
        return true;
    activated.assigned_roles = row->eligible_roles;
    return plan_sets_of(self->plan, &activated, s, sets);
}

/* What a row is, and in which sets; false when memory is out. */
static bool find_standing(const rule *self, const identity_record *row, semantics s,
                          account_standing *standing, plan_sets *sets)
{
    *standing = NO_SYNC_ACCOUNT;
    if (!plan_sets_of(self->plan, row, s, sets))
        return false;
    if (sets->kql != 0)
        *standing = SYNC_ACCOUNT_IN_KQL;
    else if (sets->wide != 0)
        *standing = SYNC_ACCOUNT_IN_WIDE;
    if (*standing != NO_SYNC_ACCOUNT)
        return true;
    if (!sets_if_activated(self, row, s, sets))
        return false;
    sets->kql = 0;
    *standing = sets->wide != 0 ? SYNC_ACCOUNT_ELIGIBLE : NO_SYNC_ACCOUNT;
    return true;
}

bool rule_row_matters(const rule *self, const identity_record *row)
{
    return !self->is_built_in || rule_is_sync_account(self, row, self->semantics);
}

/* Without memory it is one: then it is looked at. */
bool rule_is_sync_account(const rule *self, const identity_record *row, semantics s)
{
    account_standing standing;
    plan_sets sets;

    return !find_standing(self, row, s, &standing, &sets) || standing != NO_SYNC_ACCOUNT;
}

/* An account that cannot be told for want of memory fails the edit. */
void rule_put_account(const rule *self, sync_accounts_edit *edit, const identity_record *row)
{
    account_standing standing;
    plan_sets sets;

    if (find_standing(self, row, self->semantics, &standing, &sets))
        sync_accounts_edit_put(edit, row, standing, sets.kql, sets.wide);
    else
        sync_accounts_edit_fail(edit);
}

/* --- a target's name and id --- */

static uint64_t terms_of_target(const rule *self, const sync_accounts *accounts,
                                const audit_target *target, semantics s, timestamp now,
                                unsigned *reasons)
{
    return plan_match_account(self->plan,
                              &(plan_account){.accounts = accounts,
                                              .upn = target->upn,
                                              .object_id = target->id,
                                              .semantics = s,
                                              .now = now,
                                              .lookback = self->lookback},
                              reasons);
}

unsigned rule_match_target(const rule *self, const sync_accounts *accounts,
                           const audit_target *target, semantics s, timestamp now)
{
    unsigned reasons;
    uint64_t terms = terms_of_target(self, accounts, target, s, now, &reasons);

    if (terms != 0 && s == SEMANTICS_WIDE)
        reasons |= reasons_of_notes(target->notes);
    return plan_clauses_of(self->plan, terms) | reasons;
}

static size_t term_of_clause(const rule *self, rule_reason clause)
{
    size_t i = 0;

    while (plan_clauses_of(self->plan, UINT64_C(1) << i) != reason_bit(clause))
        i++;
    return i;
}

clause_verdict rule_explain_clause(const rule *self, rule_reason clause,
                                   const sync_accounts *accounts, const audit_target *target,
                                   timestamp now)
{
    size_t i = term_of_clause(self, clause);
    const kql_expr *term = plan_term_expression(self->plan, i);
    unsigned reasons;

    return (clause_verdict){
        .name = reason_name(clause),
        .operand = plan_term_subject(self->plan, i),
        .word = term->operator->word,
        .left = plan_term_operand(self->plan, i) == OPERAND_OBJECT_ID ? target->id : target->upn,
        .term = term,
        .kql = (terms_of_target(self, accounts, target, SEMANTICS_KQL, now, &reasons) >> i) & 1,
        .wide = (terms_of_target(self, accounts, target, SEMANTICS_WIDE, now, &reasons) >> i) & 1,
    };
}
