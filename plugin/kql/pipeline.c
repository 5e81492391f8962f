/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: the operators, parsed. */
#include "kql/pipeline.h"

#include <stdio.h>

typedef bool op_parser(kql_parser *p, kql_pipeline *out, kql_op *op);

/* --- columns --- */

/* A copy with room for so many more. */
static kql_column *copy_columns(kql_parser *p, size_t more)
{
    kql_column *all = kql_parser_alloc(p, (p->columns.count + more) * sizeof(kql_column));

    if (all != NULL && p->columns.count > 0)
        memcpy(all, p->columns.all, p->columns.count * sizeof(kql_column));
    return all;
}

static size_t place_of(const kql_column *all, size_t count, text name)
{
    size_t i = 0;

    while (i < count && !text_equal(all[i].name, name))
        i++;
    return i;
}

/* Puts a column into its namesake's place, or at the end. */
static bool put_column(kql_parser *p, kql_column column)
{
    kql_column *all = copy_columns(p, 1);
    size_t at;

    if (all == NULL)
        return false;
    at = place_of(all, p->columns.count, column.name);
    all[at] = column;
    p->columns = (kql_columns){all, p->columns.count + (at == p->columns.count)};
    return true;
}

static kql_column column_of(text name, const kql_expr *e, unsigned slot)
{
    return (kql_column){.name = name,
                        .type = e->type,
                        .slot = slot,
                        .is_verbatim = e->is_verbatim,
                        .is_made = true};
}

/* --- names of expressions --- */

/* NAME = is looked at. */
static bool is_assignment(const kql_parser *p)
{
    kql_parser ahead = *p;
    kql_error ignored;
    text name;

    ahead.error = &ignored;
    return (p->token.kind == TOKEN_NAME || kql_is(p, "[")) && kql_take_name(&ahead, &name) &&
           kql_is(&ahead, "=");
}

/* A path is called by its members, joined with _. */
static bool name_of_path(kql_parser *p, const kql_expr *e, text column, text *name)
{
    buffer all = {0};
    char index[32];

    buffer_append(&all, column);
    for (size_t i = 0; i < e->step_count; i++) {
        snprintf(index, sizeof(index), "%lld", (long long)e->steps[i].index);
        buffer_append_char(&all, '_');
        buffer_append_string(&all, e->steps[i].key != NULL ? e->steps[i].key : index);
    }
    *name = arena_copy(p->memory, buffer_text(&all));
    if (buffer_failed(&all) || name->bytes == NULL)
        kql_fail(p, e->source, "out of memory");
    buffer_free(&all);
    return !p->failed;
}

/* The name that an expression has by itself. */
static bool own_name(kql_parser *p, const kql_expr *e, text *name)
{
    if (e->form == FORM_COLUMN) {
        *name = e->name;
        return true;
    }
    if (e->form == FORM_PATH && e->args[0]->form == FORM_COLUMN)
        return name_of_path(p, e, e->args[0]->name, name);
    return kql_fail(p, e->source, "an expression needs a name: NAME = ..");
}

/* A column's name ends in NUL, for those who hand it on. */
static bool keep_name(kql_parser *p, text *name)
{
    *name = arena_copy(p->memory, *name);
    return name->bytes != NULL || kql_fail(p, p->token.word, "out of memory");
}

/* --- extend, project --- */

typedef struct outputs {
    kql_column *columns;
    size_t count;
} outputs;

enum { MOST_ASSIGNMENTS = 512 };

static bool begin_assignments(kql_parser *p, kql_op *op)
{
    op->kind = OP_EXTEND;
    op->assignments = kql_parser_alloc(p, MOST_ASSIGNMENTS * sizeof(kql_assignment));
    return op->assignments != NULL;
}

/* N = E; or, if `allows_own`, E under its own name. A column by itself needs no slot of its own. */
static bool parse_assignment(kql_parser *p, kql_op *op, bool allows_own, kql_column *made)
{
    text name = TEXT("");
    bool is_named = is_assignment(p);
    kql_expr *e;

    if (op->assignment_count == MOST_ASSIGNMENTS)
        return kql_fail(p, p->token.word, "more than %d expressions", MOST_ASSIGNMENTS);
    if (is_named && (!kql_take_name(p, &name) || !kql_expect(p, "=")))
        return false;
    e = kql_parse_expression(p);
    if (e == NULL)
        return false;
    if (!is_named && !allows_own)
        return kql_fail(p, e->source, "an expression needs a name: NAME = ..");
    if (!is_named && !own_name(p, e, &name))
        return false;
    if (!keep_name(p, &name))
        return false;
    *made = column_of(name, e, e->slot);
    if (e->form == FORM_COLUMN)
        return true;
    made->slot = p->slots++;
    op->assignments[op->assignment_count++] = (kql_assignment){made->slot, e, false};
    return true;
}

/* The expressions see the columns as they were before; so the new ones are put at the end. */
static bool parse_extend(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    outputs made = {kql_parser_alloc(p, MOST_ASSIGNMENTS * sizeof(kql_column)), 0};

    (void)out;
    if (made.columns == NULL || !begin_assignments(p, op))
        return false;
    do {
        if (made.count == MOST_ASSIGNMENTS)
            return kql_fail(p, p->token.word, "more than %d columns", MOST_ASSIGNMENTS);
        if (!parse_assignment(p, op, false, &made.columns[made.count++]))
            return false;
    } while (kql_take(p, ","));
    for (size_t i = 0; i < made.count; i++)
        if (!put_column(p, made.columns[i]))
            return false;
    return true;
}

static bool parse_project(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    outputs made = {kql_parser_alloc(p, MOST_ASSIGNMENTS * sizeof(kql_column)), 0};

    if (made.columns == NULL || !begin_assignments(p, op))
        return false;
    do {
        text word = p->token.word;

        if (made.count == MOST_ASSIGNMENTS)
            return kql_fail(p, word, "more than %d columns", MOST_ASSIGNMENTS);
        if (!parse_assignment(p, op, true, &made.columns[made.count]))
            return false;
        if (place_of(made.columns, made.count, made.columns[made.count].name) < made.count)
            return kql_fail(p, word, "two columns of one name");
        made.count++;
    } while (kql_take(p, ","));
    p->columns = (kql_columns){made.columns, made.count};
    out->has_projection = true;
    return true;
}

/* One name of a column that there is, and its place. */
static bool take_column(kql_parser *p, size_t *place)
{
    text word = p->token.word, name;

    if (!kql_take_name(p, &name))
        return false;
    if (kql_is(p, "*"))
        return kql_fail(p, word, "a name with * stands for many: here each column is named");
    *place = place_of(p->columns.all, p->columns.count, name);
    return *place < p->columns.count || kql_fail(p, word, "there is no column of this name here");
}

static bool parse_project_away(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    kql_column *all;
    size_t at;

    (void)out;
    op->kind = OP_EXTEND;
    do {
        all = copy_columns(p, 0);
        if (all == NULL || !take_column(p, &at))
            return false;
        memmove(all + at, all + at + 1, (p->columns.count - at - 1) * sizeof(kql_column));
        p->columns = (kql_columns){all, p->columns.count - 1};
    } while (kql_take(p, ","));
    return true;
}

static bool parse_project_reorder(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    size_t at, put = 0;

    (void)out;
    op->kind = OP_EXTEND;
    do {
        kql_column *all = copy_columns(p, 0), moved;

        if (all == NULL || !take_column(p, &at))
            return false;
        if (at < put)
            return kql_fail(p, p->token.word, "a column that is named twice");
        moved = all[at];
        memmove(all + put + 1, all + put, (at - put) * sizeof(kql_column));
        all[put++] = moved;
        p->columns.all = all;
    } while (kql_take(p, ","));
    return true;
}

/* --- where, parse --- */

static bool parse_where(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    (void)out;
    op->kind = OP_WHERE;
    op->condition = kql_parse_condition(p);
    return op->condition != NULL;
}

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
    return keep_name(p, &column.name) && add_piece(p, op, piece) && put_column(p, column);
}

static bool parse_piece(kql_parser *p, kql_op *op)
{
    if (kql_take(p, "*"))
        return add_piece(p, op, (kql_piece){.is_kept = false});
    return p->token.kind == TOKEN_LITERAL ? parse_literal_piece(p, op) : parse_named_piece(p, op);
}

static bool parse_parse(kql_parser *p, kql_pipeline *out, kql_op *op)
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

/* --- mv-expand, mv-apply --- */

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
    bool is_named = is_assignment(p);

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
    return is_named || own_name(p, op->value, name);
}

/* kind=, bagexpansion=, with_itemindex=: they look like a name. */
static bool is_expansion_option(const kql_parser *p)
{
    return (kql_is(p, "kind") || kql_is(p, "bagexpansion") || kql_is(p, "with_itemindex")) &&
           is_assignment(p);
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
    return keep_name(p, &name) &&
           put_column(p, (kql_column){
                             .name = name,
                             .type = op->cast == KQL_TYPES ? KQL_DYNAMIC : op->cast,
                             .slot = op->slot,
                             /* a time has more than one spelling */
                             .is_verbatim = op->value->is_verbatim && op->cast != KQL_DATETIME,
                             .is_made = true,
                         });
}

static bool parse_expand(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    text name = TEXT("");

    if (!begin_expansion(p, out, op) || !parse_expanded(p, op, &name) ||
        !parse_typeof(p, &op->cast) || !put_element(p, op, name))
        return false;
    return (!kql_is(p, ",") && !kql_is(p, "limit")) || refuse_more(p, op);
}

static bool parse_op(kql_parser *p, kql_pipeline *out, bool is_inner);

/* What the inner operators leave is put over the columns that were there before. */
static bool merge_columns(kql_parser *p, kql_columns outer)
{
    kql_columns inner = p->columns;

    p->columns = outer;
    for (size_t i = 0; i < inner.count; i++)
        if (!put_column(p, inner.all[i]))
            return false;
    return true;
}

static bool parse_apply(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    kql_columns outer = p->columns;
    bool has_projection = out->has_projection;
    text name = TEXT("");

    if (!begin_expansion(p, out, op))
        return false;
    if (!is_assignment(p))
        return kql_fail(p, p->token.word, "mv-apply needs a name: NAME = ..");
    if (!parse_expanded(p, op, &name) || !put_element(p, op, name))
        return false;
    if (kql_is(p, ",") || kql_is(p, "to") || kql_is(p, "limit"))
        return refuse_more(p, op);
    if (!kql_expect(p, "on") || !kql_expect(p, "("))
        return false;
    do {
        if (!parse_op(p, out, true))
            return false;
    } while (kql_take(p, "|"));
    out->has_projection = has_projection;
    return kql_expect(p, ")") && merge_columns(p, outer);
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
    op_parser *parse;
    bool is_inner; /* mv-apply takes it, too */
} ops[] = {
    {"where", parse_where, true},
    {"extend", parse_extend, true},
    {"project", parse_project, true},
    {"project-away", parse_project_away, true},
    {"project-reorder", parse_project_reorder, false},
    {"mv-expand", parse_expand, false},
    {"mv-apply", parse_apply, false},
    {"parse", parse_parse, false},
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
static bool parse_op(kql_parser *p, kql_pipeline *out, bool is_inner)
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
    if (pipeline->ops == NULL || !parse_op(p, pipeline, false))
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
