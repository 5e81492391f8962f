/* SPDX-License-Identifier: Apache-2.0 */
/* query: lets, sets, branches, union. */
#include "kql/query.h"

#include <string.h>

#include "kql/operators.h"

typedef struct query_parser {
    kql_parser p;
    kql_query *query;
    const kql_catalog *catalog;
    kql_let lets[2 * KQL_MOST_SETS];
    size_t let_count;
} query_parser;

enum { MOST_LETS = 2 * KQL_MOST_SETS };

/* --- conditions of time --- */

unsigned kql_slot_before_union(const kql_pipeline *branch, unsigned slot)
{
    for (size_t i = 0; i < branch->count; i++)
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++)
            if (branch->ops[i].assignments[a].slot == slot &&
                branch->ops[i].assignments[a].value->form == FORM_COLUMN)
                return branch->ops[i].assignments[a].value->slot;
    return slot;
}

/* column > ago(T) or column >= ago(T) */
static bool is_since(const kql_pipeline *of, const kql_expr *e, unsigned time_slot, timespan *span)
{
    const kql_expr *ago;

    if (e->form != FORM_CALL ||
        e->operator== NULL || e->operator->word[0] != '>' || e->args[0]->form != FORM_COLUMN ||
            kql_slot_before_union(of, e->args[0]->slot) != time_slot)
        return false;
    ago = e->args[1];
    if (ago->form != FORM_CALL || strcmp(ago->call->name, "ago") != 0 ||
        ago->args[0]->form != FORM_LITERAL)
        return false;
    *span = ago->args[0]->value.number;
    return true;
}

/* Is it said in a condition, or in all of what `and` joins? */
static bool find_since(const kql_pipeline *of, const kql_expr *e, unsigned time_slot,
                       timespan *span)
{
    bool found = false;
    timespan here;

    if (is_since(of, e, time_slot, span))
        return true;
    if (e->form != FORM_CALL || e->call != &kql_and)
        return false;
    for (size_t i = 0; i < e->count; i++) {
        if (is_since(of, e->args[i], time_slot, &here) && (!found || here < *span)) {
            *span = here;
            found = true;
        }
    }
    return found;
}

static bool find_lookback(const kql_pipeline *pipeline, unsigned time_slot, timespan *span)
{
    bool found = false;
    timespan here;

    for (size_t i = 0; i < pipeline->count; i++) {
        const kql_op *op = &pipeline->ops[i];

        if (op->kind == OP_WHERE && find_since(pipeline, op->condition, time_slot, &here) &&
            (!found || here < *span)) {
            *span = here;
            found = true;
        }
    }
    return found;
}

/* --- tables --- */

static unsigned slot_of(const kql_table *table, const char *name)
{
    const kql_column *c =
        kql_find_column(&(kql_columns){table->columns, table->count}, text_of(name));

    return c != NULL ? c->slot : 0;
}

static void enter_table(query_parser *q, const kql_table *table)
{
    q->p.columns = (kql_columns){table->columns, table->count};
}

/* --- sets --- */

static bool expect_all(kql_parser *p, const char *const *words)
{
    for (; *words != NULL; words++)
        if (!kql_expect(p, *words))
            return false;
    return true;
}

/* | where TimeGenerated > ago(T), and nothing else. */
static bool parse_window(query_parser *q, kql_set *set)
{
    kql_expr *condition;
    text word;

    if (!kql_take(&q->p, "where"))
        return !q->p.failed;
    word = q->p.token.word;
    condition = kql_parse_condition(&q->p);
    if (condition == NULL)
        return false;
    set->has_window = is_since(&set->rows, condition,
                               slot_of(q->catalog->accounts, q->catalog->time), &set->window);
    return (set->has_window || kql_fail(&q->p, word, "%s > ago(T) alone can stand before summarize",
                                        q->catalog->time)) &&
           kql_expect(&q->p, "|");
}

/* IdentityInfo | where .. | summarize arg_max(TimeGenerated, *) by AccountUPN */
static bool parse_accounts(query_parser *q, kql_set *set)
{
    const char *const words[] = {"summarize", "arg_max", "(",  q->catalog->time, ",",
                                 "*",         ")",       "by", q->catalog->key,  NULL};

    enter_table(q, q->catalog->accounts);
    q->p.slots = (unsigned)q->catalog->accounts->count;
    if (!kql_expect(&q->p, "|") || !parse_window(q, set))
        return false;
    if (!kql_is(&q->p, "summarize"))
        return kql_fail(
            &q->p, q->p.token.word,
            "a set begins with summarize arg_max(%s, *) by %s, or with where %s > ago(T) "
            "and that",
            q->catalog->time, q->catalog->key, q->catalog->time);
    return expect_all(&q->p, words);
}

/* _GetWatchlist('NAME'), its name taken */
static bool parse_watchlist(query_parser *q, kql_set *set)
{
    kql_value name;
    kql_type type;
    text word;

    set->is_watchlist = true;
    q->p.columns = (kql_columns){0};
    q->p.slots = 0;
    q->p.takes_any_column = true;
    q->p.any_columns = (kql_columns){0};
    if (!kql_expect(&q->p, "("))
        return false;
    word = q->p.token.word;
    if (!kql_parse_literal(&q->p, &name, &type))
        return false;
    if (type != KQL_STRING)
        return kql_fail(&q->p, word, "a watchlist's name in quotes should stand here");
    set->watchlist = name.string;
    return kql_expect(&q->p, ")");
}

/* `distinct C`, of a watchlist: as a set it is project C. */
static bool parse_distinct_column(query_parser *q, kql_set *set)
{
    kql_expr *e = kql_parse_expression(&q->p);
    kql_column *column = kql_parser_alloc(&q->p, sizeof(*column));

    if (e == NULL || column == NULL)
        return false;
    if (e->form != FORM_COLUMN)
        return kql_fail(&q->p, e->source, "a column should stand here");
    *column = (kql_column){.name = e->name, .type = e->type, .slot = e->slot};
    set->rows.columns = (kql_columns){column, 1};
    return true;
}

static bool is_before(const kql_parser *p, const char *word)
{
    kql_parser ahead = *p;
    kql_error ignored;

    ahead.error = &ignored;
    kql_advance(&ahead);
    return kql_is(&ahead, word);
}

/* Conditions, then what the set consists of. A watchlist's columns grow as they are named. */
static bool parse_set_ops(query_parser *q, kql_set *set)
{
    kql_parser *p = &q->p;

    while (kql_is(p, "|") && is_before(p, "where")) {
        kql_advance(p);
        if (!kql_parse_op(p, &set->rows))
            return false;
    }
    if (!kql_expect(p, "|"))
        return false;
    if (set->is_watchlist && kql_take(p, "distinct"))
        return parse_distinct_column(q, set);
    if (!kql_is(p, "project"))
        return kql_fail(p, p->token.word, "a set ends with project: a set of which columns?");
    return kql_parse_op(p, &set->rows);
}

static void end_set(query_parser *q, kql_set *set)
{
    set->slots = q->p.slots;
    set->source = q->p.any_columns;
    q->p.takes_any_column = false;
}

/* The columns by which a let is asked: their slots are places in the set. */
static const kql_columns *columns_of_set(query_parser *q, const kql_set *set)
{
    kql_columns *columns = kql_parser_alloc(&q->p, sizeof(*columns));
    kql_column *all = kql_parser_alloc(&q->p, set->rows.columns.count * sizeof(kql_column));

    if (columns == NULL || all == NULL)
        return NULL;
    for (size_t i = 0; i < set->rows.columns.count; i++) {
        all[i] = set->rows.columns.all[i];
        all[i].slot = (unsigned)i;
    }
    *columns = (kql_columns){all, set->rows.columns.count};
    return columns;
}

static bool fail_let(query_parser *q)
{
    return kql_fail(&q->p, q->p.token.word,
                    "let takes a literal, or a set over %s or _GetWatchlist('NAME'), alone",
                    q->catalog->accounts->name);
}

static bool parse_set(query_parser *q, kql_let *let)
{
    kql_set *set = &q->query->sets[q->query->set_count];
    text word = q->p.token.word;
    bool in_parentheses = kql_take(&q->p, "("), is_begun;

    if (q->query->set_count == KQL_MOST_SETS)
        return kql_fail(&q->p, word, "more than %d sets", KQL_MOST_SETS);
    *set = (kql_set){.name = let->name};
    if (kql_take(&q->p, q->catalog->accounts->name))
        is_begun = parse_accounts(q, set);
    else if (kql_take(&q->p, "_GetWatchlist"))
        is_begun = parse_watchlist(q, set);
    else
        return fail_let(q);
    if (!is_begun || !parse_set_ops(q, set))
        return false;
    end_set(q, set);
    let->is_set = true;
    let->set = (unsigned)q->query->set_count++;
    let->set_columns = columns_of_set(q, set);
    return let->set_columns != NULL && (!in_parentheses || kql_expect(&q->p, ")"));
}

/* --- lets --- */

static bool is_set_next(const query_parser *q)
{
    return q->p.token.kind != TOKEN_LITERAL &&
           (kql_is(&q->p, "(") || kql_is(&q->p, q->catalog->accounts->name) ||
            kql_is(&q->p, "_GetWatchlist"));
}

static bool parse_let(query_parser *q)
{
    kql_let *let = &q->lets[q->let_count];
    text word = q->p.token.word;

    if (q->let_count == MOST_LETS)
        return kql_fail(&q->p, word, "more than %d lets", MOST_LETS);
    *let = (kql_let){0};
    if (!kql_take_name(&q->p, &let->name) || !kql_expect(&q->p, "="))
        return false;
    if (is_set_next(q)) {
        if (!parse_set(q, let))
            return false;
    } else if (!kql_is_literal(&q->p)) {
        return fail_let(q);
    } else if (!kql_parse_literal(&q->p, &let->value, &let->type)) {
        return false;
    }
    q->p.lets = q->lets;
    q->p.let_count = ++q->let_count;
    return kql_expect(&q->p, ";");
}

/* --- branches --- */

/* The operators that follow, in that many parentheses or behind them. */
static bool parse_rest(query_parser *q, kql_pipeline *out, size_t parentheses)
{
    for (;; parentheses--) {
        if (kql_take(&q->p, "|") && !kql_parse_ops(&q->p, out))
            return false;
        if (parentheses == 0 || !kql_expect(&q->p, ")"))
            return !q->p.failed;
    }
}

static bool parse_branch(query_parser *q, kql_pipeline *branch, size_t parentheses)
{
    text word = q->p.token.word;

    if (!kql_take(&q->p, q->catalog->records->name))
        return kql_fail(&q->p, word, "the query should begin with %s, the table that is read here",
                        q->catalog->records->name);
    enter_table(q, q->catalog->records);
    branch->columns = q->p.columns;
    return parse_rest(q, branch, parentheses);
}

static bool add_to_union(query_parser *q, kql_column *all, size_t *count, const kql_column *c)
{
    size_t i = 0;

    while (i < *count && !text_equal(all[i].name, c->name))
        i++;
    if (i < *count && all[i].type != c->type)
        return kql_fail(&q->p, q->p.token.word, "the branches' columns %.*s have different types",
                        (int)c->name.length, c->name.bytes);
    if (i < *count) {
        all[i].is_verbatim &= c->is_verbatim;
        all[i].is_made |= c->is_made;
        return true;
    }
    all[i] = *c;
    all[i].slot = q->p.slots++;
    ++*count;
    return true;
}

/* The columns of all branches, each in a slot of its own. */
static bool unite_columns(query_parser *q)
{
    kql_query *query = q->query;
    size_t most = 0, count = 0;
    kql_column *all;

    for (size_t b = 0; b < query->branch_count; b++)
        most += query->branches[b].columns.count;
    all = kql_parser_alloc(&q->p, most * sizeof(kql_column));
    for (size_t b = 0; all != NULL && b < query->branch_count; b++)
        for (size_t i = 0; i < query->branches[b].columns.count; i++)
            if (!add_to_union(q, all, &count, &query->branches[b].columns.all[i]))
                return false;
    q->p.columns = (kql_columns){all, count};
    return all != NULL;
}

/* What a column of the union is in this branch: its own, or nothing. */
static kql_expr *value_in_branch(query_parser *q, const kql_pipeline *branch, const kql_column *c)
{
    const kql_column *own = kql_find_column(&branch->columns, c->name);
    kql_expr *e = kql_parser_alloc(&q->p, sizeof(*e));

    if (e == NULL)
        return NULL;
    e->form = own != NULL ? FORM_COLUMN : FORM_LITERAL;
    e->type = c->type;
    e->value = kql_nothing(c->type);
    e->slot = own != NULL ? own->slot : 0;
    e->is_verbatim = own != NULL && own->is_verbatim;
    return e;
}

static bool append_union(query_parser *q, kql_pipeline *branch, const kql_columns *united)
{
    kql_op *op = &branch->ops[branch->count];

    if (branch->count == KQL_MOST_OPS)
        return kql_fail(&q->p, q->p.token.word, "more than %d operators", KQL_MOST_OPS);
    branch->count++;
    op->kind = OP_EXTEND;
    op->columns = branch->columns;
    op->assignments = kql_parser_alloc(&q->p, united->count * sizeof(kql_assignment));
    if (op->assignments == NULL)
        return false;
    for (size_t i = 0; i < united->count; i++) {
        op->assignments[i] = (kql_assignment){united->all[i].slot,
                                              value_in_branch(q, branch, &united->all[i]), false};
        if (op->assignments[i].value == NULL)
            return false;
    }
    op->assignment_count = united->count;
    return true;
}

/* The operators behind the union, which each branch runs. */
static bool append_tail(query_parser *q, kql_pipeline *branch, const kql_pipeline *tail)
{
    if (branch->count + tail->count > KQL_MOST_OPS)
        return kql_fail(&q->p, q->p.token.word, "more than %d operators", KQL_MOST_OPS);
    if (tail->count > 0)
        memcpy(branch->ops + branch->count, tail->ops, tail->count * sizeof(kql_op));
    branch->count += tail->count;
    branch->columns = tail->columns;
    branch->expansions = tail->expansions;
    branch->has_projection |= tail->has_projection;
    return true;
}

static bool join_branches(query_parser *q, size_t parentheses)
{
    kql_query *query = q->query;
    kql_pipeline tail = {0};
    kql_columns united;

    if (!unite_columns(q))
        return false;
    united = q->p.columns;
    for (size_t b = 0; b < query->branch_count; b++)
        if (query->branches[b].expansions > tail.expansions)
            tail.expansions = query->branches[b].expansions;
    tail.columns = united;
    if (!parse_rest(q, &tail, parentheses))
        return false;
    for (size_t b = 0; b < query->branch_count && !q->p.failed; b++)
        if (!append_union(q, &query->branches[b], &united) ||
            !append_tail(q, &query->branches[b], &tail))
            return false;
    return !q->p.failed;
}

static bool new_branch(query_parser *q, size_t parentheses)
{
    kql_pipeline *branch = &q->query->branches[q->query->branch_count];

    if (q->query->branch_count == KQL_MOST_BRANCHES)
        return kql_fail(&q->p, q->p.token.word, "more than %d branches", KQL_MOST_BRANCHES);
    branch->ops = kql_parser_alloc(&q->p, KQL_MOST_OPS * sizeof(kql_op));
    q->query->branch_count++;
    return branch->ops != NULL && parse_branch(q, branch, parentheses);
}

/* union [isfuzzy=true] (..), .. */
static bool parse_union(query_parser *q, size_t parentheses)
{
    if (kql_take(&q->p, "isfuzzy") && (!kql_expect(&q->p, "=") || !kql_expect(&q->p, "true")))
        return false;
    do {
        if (!kql_expect(&q->p, "(") || !new_branch(q, 0) || !kql_expect(&q->p, ")"))
            return false;
    } while (kql_take(&q->p, ","));
    return join_branches(q, parentheses);
}

/* Parentheses around it change nothing. */
static bool parse_source(query_parser *q)
{
    size_t parentheses = 0;

    while (kql_take(&q->p, "("))
        parentheses++;
    return kql_take(&q->p, "union") ? parse_union(q, parentheses) : new_branch(q, parentheses);
}

/* --- the whole --- */

static void derive(query_parser *q)
{
    kql_query *query = q->query;
    unsigned time_slot = slot_of(q->catalog->records, q->catalog->time);
    timespan span = 0;

    query->columns = query->branches[0].columns;
    query->has_projection = query->branches[0].has_projection;
    query->slots = q->p.slots;
    query->has_lookback = true;
    for (size_t b = 0; b < query->branch_count; b++) {
        if (!find_lookback(&query->branches[b], time_slot, &span))
            query->has_lookback = false;
        else if (span > query->lookback)
            query->lookback = span;
    }
}

static bool parse(query_parser *q)
{
    kql_parser *p = &q->p;

    q->query->sets = kql_parser_alloc(p, KQL_MOST_SETS * sizeof(kql_set));
    q->query->branches = kql_parser_alloc(p, KQL_MOST_BRANCHES * sizeof(kql_pipeline));
    while (kql_take(p, "let"))
        if (!parse_let(q))
            return false;
    p->slots = (unsigned)q->catalog->records->count;
    if (p->failed || !parse_source(q))
        return false;
    kql_take(p, ";");
    if (!p->failed && p->token.kind != TOKEN_END)
        return kql_fail(p, p->token.word,
                        "the query should end here: is a comma or | missing before it?");
    return !p->failed;
}

bool kql_query_parse(kql_query *self, text source, const kql_catalog *catalog, arena *memory,
                     kql_error *error)
{
    query_parser q = {
        .p = kql_parser_begin(source, memory, error), .query = self, .catalog = catalog};
    bool parsed;

    *self = (kql_query){0};
    parsed = parse(&q);
    self->regexes = q.p.regexes;
    if (parsed)
        derive(&q);
    return parsed;
}

void kql_query_free(kql_query *self)
{
    kql_regexes_free(self->regexes);
    self->regexes = NULL;
}
