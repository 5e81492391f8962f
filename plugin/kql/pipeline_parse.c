/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: parse. */
#include "kql/pipeline_parts.h"

enum { MOST_PIECES = 64 };

static bool add_piece(kql_parser *p, kql_op *op, kql_piece piece)
{
    if (op->pieces == NULL)
        op->pieces = kql_parser_alloc(p, MOST_PIECES * sizeof(kql_piece));
    if (op->pieces == NULL)
        return false;
    if (op->piece_count == MOST_PIECES)
        return kql_fail(p, p->token.word, "more than %d pieces", MOST_PIECES);
    if (op->piece_count > 0 && !op->pieces[op->piece_count - 1].is_literal && !piece.is_literal)
        return kql_fail(p, p->token.word, "a literal should stand between them");
    op->pieces[op->piece_count++] = piece;
    return true;
}

static bool parse_literal_piece(kql_parser *p, kql_op *op)
{
    text word = p->token.word;
    kql_piece piece = {.is_literal = true};
    kql_value value;
    kql_type type;

    if (!kql_parse_literal(p, &value, &type))
        return false;
    piece.literal = value.kind == KIND_STRING ? value.string : (text)TEXT("");
    if (piece.literal.length == 0)
        return kql_fail(p, word, "a text that is not empty should stand here");
    return add_piece(p, op, piece);
}

static bool parse_named_piece(kql_parser *p, kql_op *op)
{
    kql_piece piece = {.is_kept = true, .slot = p->slots++};
    kql_column column = {.type = KQL_STRING, .slot = piece.slot, .is_made = true};

    if (!kql_take_name(p, &column.name) || (kql_take(p, ":") && !kql_expect(p, "string")))
        return false;
    return kql_keep_name(p, &column.name) && add_piece(p, op, piece) && kql_put_column(p, column);
}

static bool parse_piece(kql_parser *p, kql_op *op)
{
    if (kql_take(p, "*"))
        return add_piece(p, op, (kql_piece){.is_kept = false});
    return p->token.kind == TOKEN_LITERAL ? parse_literal_piece(p, op) : parse_named_piece(p, op);
}

bool kql_parse_parse(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    (void)out;
    op->kind = OP_PARSE;
    if (kql_is(p, "kind"))
        return kql_fail(p, p->token.word, "parse in its simple mode alone is taken");
    op->value = kql_parse_expression(p);
    if (op->value == NULL || !kql_expect(p, "with"))
        return false;
    if (op->value->type != KQL_STRING && op->value->type != KQL_DYNAMIC)
        return kql_fail(p, op->value->source, "parse over a %s", kql_type_name(op->value->type));
    do {
        if (!parse_piece(p, op))
            return false;
    } while (!p->failed && (p->token.kind == TOKEN_LITERAL || p->token.kind == TOKEN_NAME ||
                            kql_is(p, "*") || kql_is(p, "[")));
    return !p->failed;
}
