/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: the operators, parsed: their table, and those that are short. */
#include "kql/pipeline.h"

#include "kql/pipeline_parts.h"

/* --- where --- */

static bool parse_where(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    (void)out;
    op->kind = OP_WHERE;
    op->condition = kql_parse_condition(p);
    return op->condition != NULL;
}

/* --- order by, take, distinct --- */

enum { MOST_KEYS = 32 };

/* asc, desc, nulls first, nulls last */
static bool parse_order(kql_parser *p, kql_sort_key *key)
{
    key->is_descending = !kql_take(p, "asc");
    if (key->is_descending)
        kql_take(p, "desc");
    key->nulls_first = !key->is_descending;
    if (!kql_take(p, "nulls"))
        return !p->failed;
    key->nulls_first = kql_take(p, "first");
    return key->nulls_first || kql_expect(p, "last");
}

static bool parse_sort(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    (void)out;
    op->kind = OP_SORT;
    op->keys = kql_parser_alloc(p, MOST_KEYS * sizeof(kql_sort_key));
    if (op->keys == NULL || !kql_expect(p, "by"))
        return false;
    do {
        kql_sort_key *key = &op->keys[op->key_count];

        if (++op->key_count == MOST_KEYS)
            return kql_fail(p, p->token.word, "more than %d keys", MOST_KEYS - 1);
        key->value = kql_parse_expression(p);
        if (key->value == NULL || !parse_order(p, key))
            return false;
    } while (kql_take(p, ","));
    return !p->failed;
}

static bool parse_take(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    text word = p->token.word;
    kql_value most;
    kql_type type;

    (void)out;
    op->kind = OP_TAKE;
    if (!kql_parse_literal(p, &most, &type))
        return false;
    if (type != KQL_LONG || most.kind != KIND_LONG || most.number < 0)
        return kql_fail(p, word, "a number of rows should stand here");
    op->most = most.number;
    return true;
}

static bool parse_distinct(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    (void)out;
    op->kind = OP_DISTINCT;
    return kql_take(p, "*") || kql_fail(p, p->token.word, "only distinct * is taken here");
}

/* --- the table --- */

static const struct {
    const char *word;
    kql_op_parser *parse;
    bool is_inner; /* mv-apply takes it, too */
} ops[] = {
    {"where", parse_where, true},
    {"extend", kql_parse_extend, true},
    {"project", kql_parse_project, true},
    {"project-away", kql_parse_project_away, true},
    {"project-reorder", kql_parse_project_reorder, false},
    {"mv-expand", kql_parse_expand, false},
    {"mv-apply", kql_parse_apply, false},
    {"parse", kql_parse_parse, false},
    {"order", parse_sort, false},
    {"sort", parse_sort, false},
    {"take", parse_take, false},
    {"limit", parse_take, false},
    {"distinct", parse_distinct, false},
};

enum { OPS = sizeof(ops) / sizeof(ops[0]) };

static size_t find_op(text word)
{
    size_t i = 0;

    while (i < OPS && !text_equal(word, text_of(ops[i].word)))
        i++;
    return i;
}

bool kql_is_op(text word)
{
    return find_op(word) < OPS;
}

/* mv-apply's own operator stands before its inner ones: its place is taken first. */
bool kql_parse_one_op(kql_parser *p, kql_pipeline *out, bool is_inner)
{
    text word = p->token.word;
    size_t found = p->token.kind == TOKEN_NAME ? find_op(word) : OPS;
    kql_op *op;

    if (p->failed)
        return false;
    if (p->token.kind == TOKEN_END)
        return kql_fail(p, word, "the query ends where an operator should stand");
    if (kql_is(p, "|"))
        return kql_fail(p, word, "no operator before it; one of two conditions is written with or");
    if (found == OPS)
        return kql_fail(p, word, "no operator of a row-wise query");
    if (is_inner && !ops[found].is_inner)
        return kql_fail(p, word, "not inside mv-apply");
    if (out->count == KQL_MOST_OPS)
        return kql_fail(p, word, "more than %d operators", KQL_MOST_OPS);
    op = &out->ops[out->count++];
    op->source = word;
    op->columns = p->columns;
    kql_advance(p);
    return ops[found].parse(p, out, op) && !p->failed;
}

bool kql_parse_op(kql_parser *p, kql_pipeline *pipeline)
{
    if (pipeline->ops == NULL)
        pipeline->ops = kql_parser_alloc(p, KQL_MOST_OPS * sizeof(kql_op));
    if (pipeline->ops == NULL || !kql_parse_one_op(p, pipeline, false))
        return false;
    pipeline->columns = p->columns;
    return true;
}

bool kql_parse_ops(kql_parser *p, kql_pipeline *pipeline)
{
    do {
        if (!kql_parse_op(p, pipeline))
            return false;
    } while (kql_take(p, "|"));
    return !p->failed;
}
