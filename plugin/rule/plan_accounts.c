/* SPDX-License-Identifier: Apache-2.0 */
/* plan_accounts: terms over accounts, by the role list, by what was learned, and by names. */
#include <ctype.h>

#include "kql/operators.h"
#include "rule/plan_parts.h"
#include "rule/watchlists.h"

/* --- sets --- */

/* A deleted user's UPN begins with its object id in 32 hex digits; the rest is as it was. */
static bool upn_before_deletion(text upn, text *rest)
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

static bool was_deleted(const plan_run *self, text upn, text *before)
{
    return self->plan->reads_deleted_users && self->semantics == SEMANTICS_WIDE &&
           upn_before_deletion(upn, before);
}

static void note(plan_run *self, plan_key key, text value)
{
    plan_look_up *l = arena_alloc(self->row.reader->memory, sizeof(*l));

    self->out_of_memory |= l == NULL;
    if (l == NULL)
        return;
    *l = (plan_look_up){self->looked_up, key, value};
    self->looked_up = l;
}

static kql_value in_watchlist(plan_run *self, const kql_set *set, const watchlist_question *q)
{
    if (!self->is_open)
        return kql_bool(watchlists_have(self->lists, q));
    note(self, PLAN_KEY_WATCHLIST, set->watchlist);
    return kql_unknown();
}

static kql_value in_some_state(plan_run *self, const account_question *q)
{
    plan_key key = q->is_id ? PLAN_KEY_OBJECT_ID : PLAN_KEY_UPN;
    text before;

    note(self, key, q->value);
    if (!q->is_id && was_deleted(self, q->value, &before))
        note(self, key, before);
    return kql_unknown();
}

/* In the role list; in wide semantics perhaps by a role that it may activate. */
static bool is_in_role_list(plan_run *self, const account_question *q)
{
    if (!sync_accounts_in_set(self->accounts, q))
        return false;
    if (q->semantics == SEMANTICS_WIDE &&
        (q->is_id ? sync_accounts_standing_of_object_id : sync_accounts_standing_of_upn)(
            self->accounts, q->value, q->since) == SYNC_ACCOUNT_ELIGIBLE)
        self->reasons |= reason_bit(WIDE_ELIGIBLE);
    return true;
}

static bool was_in_role_list(plan_run *self, account_question q)
{
    if (q.is_id || !was_deleted(self, q.value, &q.value) || !is_in_role_list(self, &q))
        return false;
    self->reasons |= reason_bit(WIDE_DELETED_USER);
    return true;
}

/* In wide semantics what was learned counts beside the role list. */
static bool is_learned(plan_run *self, const learned_question *q)
{
    static const unsigned reasons[] = {
        [LEARNED_NOTHING] = 0,
        [LEARNED_RECENT] = 1u << WIDE_RECENT,
        [LEARNED_ROLE] = 1u << WIDE_LEARNED,
    };
    learned_standing standing =
        self->semantics == SEMANTICS_WIDE
            ? learned_accounts_find(sync_accounts_learned(self->accounts), q)
            : LEARNED_NOTHING;

    self->reasons |= reasons[standing];
    return standing != LEARNED_NOTHING;
}

static timestamp since(timestamp now, timespan span)
{
    return span > 0 ? now - span : INT64_MIN;
}

static kql_value in_role_list(plan_run *self, const account_question *q)
{
    const learned_question learned = {q->value, q->is_id, q->set, since(self->now, self->lookback)};

    if (self->is_open)
        return in_some_state(self, q);
    return kql_bool(is_in_role_list(self, q) || was_in_role_list(self, *q) ||
                    is_learned(self, &learned));
}

kql_value plan_in_set(void *arg, unsigned set, unsigned column, text value, bool folded)
{
    plan_run *self = arg;
    const kql_set *s = &self->plan->query->sets[set];
    bool is_id = plan_source_of(s, column) == INFO_ACCOUNT_OBJECT_ID;

    if (s->is_watchlist)
        return in_watchlist(self, s,
                            &(watchlist_question){set, column, value, folded, self->semantics});
    return in_role_list(self,
                        &(account_question){
                            .value = value,
                            .is_id = is_id,
                            .is_folded = folded || (is_id && self->semantics == SEMANTICS_WIDE),
                            .set = 1u << set,
                            .semantics = self->semantics,
                            .since = since(self->now, plan_window_of(s, self->lookback)),
                        });
}

/* --- names --- */

/* left OPERATOR any text; in wide semantics also of the UPN that a deleted account had. */
static kql_value test_name(kql_run *r, const kql_expr *e, const kql_value *args)
{
    plan_run *self = r->arg;
    kql_value holds = kql_any_text.strict(r, e, args);
    text before;

    if (holds.truth || !was_deleted(self, kql_text_of(r, args[0], e->args[0]->type), &before))
        return holds;
    holds = kql_any_text.strict(r, e, &(kql_value){.kind = KIND_STRING, .string = before});
    self->reasons |= holds.truth ? reason_bit(WIDE_DELETED_USER) : 0;
    return holds;
}

void plan_replace_names(rule_plan *self, kql_expr *term, const kql_value *texts, size_t count)
{
    static const kql_function call = {.result = KQL_BOOL, .strict = test_name};

    kql_replace_texts(term, texts, count);
    term->call = &call;
    self->reads_deleted_users = true;
    for (size_t i = 0; i < self->term_count; i++)
        if (self->terms[i].expr == term)
            self->terms[i].operand = OPERAND_UPN;
}

/* --- terms --- */

bool plan_holds(plan_run *run, kql_run *r, const kql_expr *e, const kql_value *left, semantics s)
{
    semantics of_operators = r->semantics, of_sets = run->semantics;
    bool holds;

    r->semantics = s;
    run->semantics = s;
    holds = kql_truths(left != NULL ? e->call->strict(r, e, left) : kql_eval(r, e)) == TRUTH_TRUE;
    r->semantics = of_operators;
    run->semantics = of_sets;
    return holds;
}

/* Why a term holds in wide semantics that does not in KQL's, where nothing else was noted. */
static unsigned reason_of(const plan_term *t)
{
    switch (t->operand) {
    case OPERAND_UPN:
        return reason_bit(t->expr->in_set ? WIDE_ROLE : WIDE_LETTERS);
    case OPERAND_OBJECT_ID:
        return reason_bit(WIDE_ID_CASE);
    default:
        return reason_bit(WIDE_LETTERS);
    }
}

bool plan_term_holds(plan_run *run, kql_run *r, const plan_term *t, const kql_value *left,
                     unsigned *reasons)
{
    run->reasons = 0;
    if (!plan_holds(run, r, t->expr, left, run->semantics))
        return false;
    if (run->semantics == SEMANTICS_WIDE && !plan_holds(run, r, t->expr, left, SEMANTICS_KQL))
        *reasons |= run->reasons != 0 ? run->reasons : reason_of(t);
    return true;
}

/* --- without a record --- */

uint64_t plan_match_account(const rule_plan *self, const plan_account *account, unsigned *reasons)
{
    static const kql_host host = {.in_set = plan_in_set};
    plan_run run = {.plan = self,
                    .semantics = account->semantics,
                    .now = account->now,
                    .lookback = account->lookback,
                    .accounts = account->accounts};
    kql_run r = {.semantics = account->semantics, .host = &host, .arg = &run};
    const kql_value values[] = {[OPERAND_UPN] = kql_string(account->upn),
                                [OPERAND_OBJECT_ID] = kql_string(account->object_id)};
    uint64_t terms = 0;

    *reasons = 0;
    for (size_t i = 0; i < self->term_count; i++) {
        const plan_term *t = &self->terms[i];

        if (t->operand != OPERAND_OTHER &&
            plan_term_holds(&run, &r, t, &values[t->operand], reasons))
            terms |= UINT64_C(1) << i;
    }
    return terms;
}
