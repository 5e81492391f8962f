/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence: which texts stand in every record that gives a row.
 *
 * A condition that holds says that one of its literals stands in the text of
 * its left side; where that text stands in the record as it is, so does the
 * literal. `and` holds when each part does, so its best part speaks for it;
 * `or` needs all of its parts to say something. To say less is allowed, to
 * miss a record is not.
 */
#include <ctype.h>
#include <string.h>

#include "kql/operators.h"
#include "kql/query.h"

enum { SHORTEST = 4, MOST_LITERALS = 100000 };

typedef struct gatherer {
    arena *memory;
    bool out_of_memory;
} gatherer;

/* --- one literal --- */

/*
 * Characters that every encoder writes as they are, and that stand in a JSON
 * text inside of one value alone: none of JSON's own signs, of those that some
 * write as \u00XX for the sake of HTML, or beyond ASCII. Blanks: we write none
 * around the signs, so in the text of an array, too, they are a string's own.
 */
static bool is_plain(char c)
{
    static const char others[] = "\"\\/<>&'+`=%{}[]:,";

    return c >= ' ' && c < 0x7F && strchr(others, c) == NULL;
}

static text longest_run(text t)
{
    text best = {t.bytes, 0};

    for (size_t at = 0; at < t.length;) {
        size_t end = at;

        while (end < t.length && is_plain(t.bytes[end]))
            end++;
        if (end - at > best.length)
            best = text_between(t.bytes + at, t.bytes + end);
        at = end + 1;
    }
    return best;
}

/* A number has more than one spelling. */
static bool is_number_like(text t)
{
    for (size_t i = 0; i < t.length; i++)
        if (strchr("0123456789eE.-", t.bytes[i]) == NULL)
            return false;
    return true;
}

/* Lower case, in the arena; empty when it is too short to tell anything. */
static text evidence_of(gatherer *g, text literal)
{
    text run = longest_run(literal), copy;

    if (run.length < SHORTEST || is_number_like(run))
        return (text)TEXT("");
    copy = arena_copy(g->memory, run);
    g->out_of_memory |= copy.bytes == NULL;
    if (copy.bytes == NULL)
        return (text)TEXT("");
    for (size_t i = 0; i < copy.length; i++)
        ((char *)(uintptr_t)copy.bytes)[i] = (char)tolower((unsigned char)copy.bytes[i]);
    return copy;
}

/* --- conditions --- */

static bool add(gatherer *g, kql_literals *to, text literal)
{
    text *all = to->all;

    if (literal.length == 0 || to->count == MOST_LITERALS)
        return false;
    for (size_t i = 0; i < to->count; i++)
        if (text_equal(all[i], literal))
            return true;
    if ((to->count & (to->count - 1)) == 0) { /* at powers of two there is no room left */
        all = arena_alloc(g->memory, 2 * (to->count + 1) * sizeof(text));
        g->out_of_memory |= all == NULL;
        if (all == NULL)
            return false;
        if (to->count > 0)
            memcpy(all, to->all, to->count * sizeof(text));
        to->all = all;
    }
    all[to->count++] = literal;
    if (to->shortest == 0 || literal.length < to->shortest)
        to->shortest = literal.length;
    return true;
}

static bool add_value(gatherer *g, kql_literals *to, kql_value v)
{
    return v.kind == KIND_STRING && add(g, to, evidence_of(g, v.string));
}

/* Every one of the list, or, where all must stand there, the longest of them. */
static bool of_list(gatherer *g, const kql_expr *e, kql_literals *result)
{
    text best = TEXT("");

    for (size_t i = 0; i < e->list_count; i++) {
        text t;

        if (e->operator->evidence == EVIDENCE_ANY) {
            if (!add_value(g, result, e->list[i]))
                return false;
            continue;
        }
        t = evidence_of(g, e->list[i].string);
        best = t.length > best.length ? t : best;
    }
    return e->operator->evidence == EVIDENCE_ANY ? e->list_count > 0 : add(g, result, best);
}

static bool of_operator(gatherer *g, const kql_expr *e, kql_literals *result)
{
    const kql_expr *right;

    if (e->operator->evidence == EVIDENCE_NONE || !e->args[0]->is_verbatim || e->in_set)
        return false;
    if (e->operator->right == RIGHT_LIST || e->operator->right == RIGHT_TEXTS)
        return of_list(g, e, result);
    right = e->args[1];
    return right->form == FORM_LITERAL && add_value(g, result, right->value);
}

static bool of_condition(gatherer *g, const kql_expr *e, kql_literals *result);

static bool of_or(gatherer *g, const kql_expr *e, kql_literals *result)
{
    for (size_t i = 0; i < e->count; i++) {
        kql_literals part = {0};

        if (!of_condition(g, e->args[i], &part))
            return false;
        for (size_t l = 0; l < part.count; l++)
            if (!add(g, result, part.all[l]))
                return false;
    }
    return true;
}

static void keep_better(kql_literals *best, const kql_literals *other)
{
    if (other->shortest > best->shortest ||
        (other->shortest == best->shortest && other->count < best->count))
        *best = *other;
}

static bool of_and(gatherer *g, const kql_expr *e, kql_literals *result)
{
    for (size_t i = 0; i < e->count; i++) {
        kql_literals part = {0};

        if (of_condition(g, e->args[i], &part))
            keep_better(result, &part);
    }
    return result->count > 0;
}

/* As deep as the parser allows. */
static bool of_condition(gatherer *g, const kql_expr *e, kql_literals *result)
{
    if (e->form != FORM_CALL)
        return false;
    if (e->call == &kql_and)
        return of_and(g, e, result);
    if (e->call == &kql_or)
        return of_or(g, e, result);
    return e->operator!= NULL && of_operator(g, e, result);
}

static bool of_branch(gatherer *g, const kql_pipeline *branch, kql_literals *result)
{
    for (size_t i = 0; i < branch->count; i++) {
        kql_literals here = {0};

        if (branch->ops[i].kind == OP_WHERE && of_condition(g, branch->ops[i].condition, &here))
            keep_better(result, &here);
    }
    return result->count > 0;
}

bool kql_query_literals(const kql_query *self, arena *memory, kql_literals *result,
                        bool *out_of_memory)
{
    gatherer g = {.memory = memory};
    bool found = true;

    *result = (kql_literals){0};
    for (size_t b = 0; found && b < self->branch_count; b++) {
        kql_literals part = {0};

        found = of_branch(&g, &self->branches[b], &part);
        for (size_t l = 0; found && l < part.count; l++)
            found = add(&g, result, part.all[l]);
    }
    *out_of_memory = g.out_of_memory;
    return found && !g.out_of_memory;
}

/* --- terms over sets --- */

static void each_term(const kql_expr *e, kql_term_sink *sink, void *arg)
{
    if (e->in_set)
        sink(arg, e);
    for (size_t i = 0; i < e->count; i++)
        each_term(e->args[i], sink, arg);
}

void kql_query_each_set_term(const kql_query *self, kql_term_sink *sink, void *arg)
{
    for (size_t b = 0; b < self->branch_count; b++) {
        const kql_pipeline *branch = &self->branches[b];

        for (size_t i = 0; i < branch->count; i++) {
            if (branch->ops[i].kind == OP_WHERE)
                each_term(branch->ops[i].condition, sink, arg);
            for (size_t a = 0; a < branch->ops[i].assignment_count; a++)
                each_term(branch->ops[i].assignments[a].value, sink, arg);
        }
    }
}
