/* SPDX-License-Identifier: Apache-2.0 */
/* plan_terms: what a row can match by, and the names of it. */
#include "rule/plan_parts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "kql/operators.h"

/* target_upn of TargetUpn; an upper case letter after a lower case one begins a word. */
static void write_snake(buffer *out, text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.bytes[i];
        bool begins =
            isupper((unsigned char)c) && i > 0 && islower((unsigned char)name.bytes[i - 1]);

        if (begins)
            buffer_append_char(out, '_');
        buffer_append_char(out, isalnum((unsigned char)c) ? (char)tolower((unsigned char)c) : '_');
    }
}

text plan_subject_of(const kql_expr *e)
{
    if (e->form == FORM_COLUMN)
        return e->name;
    if (e->form == FORM_PATH && e->step_count > 0 && e->steps[e->step_count - 1].key != NULL)
        return text_of(e->steps[e->step_count - 1].key);
    for (size_t i = 0; i < e->count; i++) {
        text found = plan_subject_of(e->args[i]);

        if (found.length > 0)
            return found;
    }
    return (text)TEXT("");
}

static text without_prefix(text t, const char *prefix)
{
    size_t length = strlen(prefix);

    return t.length > length && memcmp(t.bytes, prefix, length) == 0 ? text_from(t, length) : t;
}

static const char *word_of(const kql_operator *o)
{
    static const struct {
        const char *sign;
        const char *word;
    } words[] = {{"==", "equals"},
                 {"=~", "equals"},
                 {"!=", "differs"},
                 {"<>", "differs"},
                 {"!~", "differs"},
                 {"<", "less"},
                 {"<=", "at_most"},
                 {">", "more"},
                 {">=", "at_least"},
                 {"in~", "in"},
                 {"!in~", "not_in"},
                 {"!in", "not_in"},
                 {"!has", "not_has"},
                 {"!has_cs", "not_has_cs"},
                 {"!contains", "not_contains"},
                 {"!startswith", "not_startswith"},
                 {"!endswith", "not_endswith"},
                 {"matches regex", "matches_regex"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(o->word, words[i].sign) == 0)
            return words[i].word;
    return o->word;
}

/* identity_upn for AccountUPN of the role list, else upn_startswith for TargetUpn startswith. */
static void write_name(const rule_plan *self, const kql_expr *e, buffer *out)
{
    const kql_set *set = e->in_set ? &self->query->sets[e->set] : NULL;

    if (set != NULL && e->operator->is_negated)
        buffer_append_string(out, "not_");
    if (set != NULL) {
        buffer_append_string(out, set->is_watchlist ? "watchlist_" : "identity_");
        write_snake(out,
                    set->is_watchlist
                        ? set->watchlist
                        : without_prefix(set->rows.columns.all[e->set_column].name, "Account"));
        return;
    }
    write_snake(
        out, without_prefix(e->operator!= NULL ? plan_subject_of(e->args[0]) : plan_subject_of(e),
                            "Target"));
    buffer_append_char(out, '_');
    buffer_append_string(out, e->operator!= NULL ? word_of(e->operator) : e->call->name);
}

/* --- terms --- */

/* The role list is asked by UPN or object id, whatever stands on the left. */
static plan_operand operand_of(const rule_plan *self, const kql_expr *e)
{
    const kql_set *set = e->in_set ? &self->query->sets[e->set] : NULL;

    if (set == NULL || set->is_watchlist || e->operator->is_negated)
        return OPERAND_OTHER;
    return plan_source_of(set, e->set_column) == INFO_ACCOUNT_OBJECT_ID ? OPERAND_OBJECT_ID
                                                                        : OPERAND_UPN;
}

static bool add_term(rule_plan *self, const kql_expr *e, size_t branch)
{
    buffer name = {0};
    plan_term *t = &self->terms[self->term_count];
    text copied;

    if (self->term_count == PLAN_MOST_TERMS)
        return true; /* the rest is not told of */
    write_name(self, e, &name);
    copied = arena_copy(self->memory, buffer_text(&name));
    if (buffer_failed(&name) || copied.bytes == NULL) {
        buffer_free(&name);
        return false;
    }
    buffer_free(&name);
    *t = (plan_term){e, branch, (char *)(uintptr_t)copied.bytes, operand_of(self, e)};
    self->term_count++;
    return true;
}

/* The leaves of `and` and `or`. */
static bool add_terms(rule_plan *self, const kql_expr *e, size_t branch)
{
    if (e->form != FORM_CALL)
        return true;
    if (e->call != &kql_and && e->call != &kql_or)
        return add_term(self, e, branch);
    for (size_t i = 0; i < e->count; i++)
        if (!add_terms(self, e->args[i], branch))
            return false;
    return true;
}

bool plan_asks_set(const kql_expr *e)
{
    if (e->in_set)
        return true;
    for (size_t i = 0; i < e->count; i++)
        if (plan_asks_set(e->args[i]))
            return true;
    return false;
}

bool plan_find_terms(rule_plan *self)
{
    for (size_t b = 0; b < self->query->branch_count; b++) {
        const kql_pipeline *branch = &self->query->branches[b];
        bool begun = false;

        for (size_t i = 0; i < branch->count; i++) {
            const kql_op *op = &branch->ops[i];

            begun |=
                op->kind == OP_EXPAND || (op->kind == OP_WHERE && plan_asks_set(op->condition));
            if (begun && op->kind == OP_WHERE && !add_terms(self, op->condition, b))
                return false;
        }
    }
    return true;
}

size_t plan_term_count(const rule_plan *self)
{
    return self->term_count;
}

const char *plan_term_name(const rule_plan *self, size_t term)
{
    return self->terms[term].name;
}

plan_operand plan_term_operand(const rule_plan *self, size_t term)
{
    return self->terms[term].operand;
}

text plan_term_subject(const rule_plan *self, size_t term)
{
    return plan_subject_of(self->terms[term].expr->args[0]);
}

const kql_expr *plan_term_expression(const rule_plan *self, size_t term)
{
    return self->terms[term].expr;
}

unsigned plan_clauses_of(const rule_plan *self, uint64_t terms)
{
    unsigned clauses = 0;

    for (size_t i = 0; i < self->term_count; i++)
        if (((terms >> i) & 1) != 0)
            clauses |= reason_of_clause(self->terms[i].name);
    return clauses;
}
