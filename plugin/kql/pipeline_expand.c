/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: mv-expand, mv-apply. */
#include "kql/pipeline_parts.h"

static bool parse_typeof(kql_parser *p, kql_type *type)
{
    text word;

    if (!kql_take(p, "to"))
        return true;
    if (!kql_expect(p, "typeof") || !kql_expect(p, "("))
        return false;
    word = p->token.word;
    *type = kql_type_of_name(word);
    if (*type == KQL_TYPES)
        return kql_fail(p, word, "there is no type of this name here");
    kql_advance(p);
    return kql_expect(p, ")");
}

/* [N =] E */
static bool parse_expanded(kql_parser *p, kql_op *op, text *name)
{
    bool is_named = kql_is_assignment(p);

    if (is_named && (!kql_take_name(p, name) || !kql_expect(p, "=")))
        return false;
    op->value = kql_parse_expression(p);
    if (op->value == NULL)
        return false;
    if (!is_named && op->value->form != FORM_COLUMN)
        return kql_fail(p, op->value->source, "an expression needs a name: NAME = ..");
    if (op->value->type != KQL_DYNAMIC)
        return kql_fail(p, op->value->source, "mv-expand over a %s: only a dynamic can be",
                        kql_type_name(op->value->type));
    return is_named || kql_own_name(p, op->value, name);
}

/* kind=, bagexpansion=, with_itemindex=: they look like a name. */
static bool is_expansion_option(const kql_parser *p)
{
    return (kql_is(p, "kind") || kql_is(p, "bagexpansion") || kql_is(p, "with_itemindex")) &&
           kql_is_assignment(p);
}

/* Of what Kusto takes beside one [N =] E. */
static bool refuse_more(kql_parser *p, const kql_op *op)
{
    return kql_fail(p, p->token.word, "%.*s takes one [NAME =] E here, and nothing beside it",
                    (int)op->source.length, op->source.bytes);
}

static bool begin_expansion(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    op->kind = OP_EXPAND;
    op->cast = KQL_TYPES;
    op->place = out->expansions;
    op->slot = p->slots++;
    if (out->expansions == KQL_MOST_EXPANSIONS)
        return kql_fail(p, op->source, "more than %d expansions", KQL_MOST_EXPANSIONS);
    out->expansions++;
    return !is_expansion_option(p) || refuse_more(p, op);
}

static bool put_element(kql_parser *p, const kql_op *op, text name)
{
    return kql_keep_name(p, &name) &&
           kql_put_column(p, (kql_column){
                                 .name = name,
                                 .type = op->cast == KQL_TYPES ? KQL_DYNAMIC : op->cast,
                                 .slot = op->slot,
                                 /* a time has more than one spelling */
                                 .is_verbatim = op->value->is_verbatim && op->cast != KQL_DATETIME,
                                 .is_made = true,
                             });
}

bool kql_parse_expand(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    text name = TEXT("");

    if (!begin_expansion(p, out, op) || !parse_expanded(p, op, &name) ||
        !parse_typeof(p, &op->cast) || !put_element(p, op, name))
        return false;
    return (!kql_is(p, ",") && !kql_is(p, "limit")) || refuse_more(p, op);
}

/* What the inner operators leave is put over the columns that were there before. */
static bool merge_columns(kql_parser *p, kql_columns outer)
{
    kql_columns inner = p->columns;

    p->columns = outer;
    for (size_t i = 0; i < inner.count; i++)
        if (!kql_put_column(p, inner.all[i]))
            return false;
    return true;
}

bool kql_parse_apply(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    kql_columns outer = p->columns;
    bool has_projection = out->has_projection;
    text name = TEXT("");

    if (!begin_expansion(p, out, op))
        return false;
    if (!kql_is_assignment(p))
        return kql_fail(p, p->token.word, "mv-apply needs a name: NAME = ..");
    if (!parse_expanded(p, op, &name) || !put_element(p, op, name))
        return false;
    if (kql_is(p, ",") || kql_is(p, "to") || kql_is(p, "limit"))
        return refuse_more(p, op);
    if (!kql_expect(p, "on") || !kql_expect(p, "("))
        return false;
    do {
        if (!kql_parse_one_op(p, out, true))
            return false;
    } while (kql_take(p, "|"));
    out->has_projection = has_projection;
    return kql_expect(p, ")") && merge_columns(p, outer);
}
