/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: extend, project, project-away, project-reorder. */
#include "kql/pipeline_parts.h"

typedef struct outputs {
    kql_column *columns;
    size_t count;
} outputs;

enum { MOST_ASSIGNMENTS = 512 };

static kql_column column_of(text name, const kql_expr *e, unsigned slot)
{
    return (kql_column){.name = name,
                        .type = e->type,
                        .slot = slot,
                        .is_verbatim = e->is_verbatim,
                        .is_made = true};
}

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
    bool is_named = kql_is_assignment(p);
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
    if (!is_named && !kql_own_name(p, e, &name))
        return false;
    if (!kql_keep_name(p, &name))
        return false;
    *made = column_of(name, e, e->slot);
    if (e->form == FORM_COLUMN)
        return true;
    made->slot = p->slots++;
    op->assignments[op->assignment_count++] = (kql_assignment){made->slot, e, false};
    return true;
}

/* The expressions see the columns as they were before; so the new ones are put at the end. */
bool kql_parse_extend(kql_parser *p, kql_pipeline *out, kql_op *op)
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
        if (!kql_put_column(p, made.columns[i]))
            return false;
    return true;
}

bool kql_parse_project(kql_parser *p, kql_pipeline *out, kql_op *op)
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
        if (kql_column_place(made.columns, made.count, made.columns[made.count].name) < made.count)
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
    *place = kql_column_place(p->columns.all, p->columns.count, name);
    return *place < p->columns.count || kql_fail(p, word, "there is no column of this name here");
}

bool kql_parse_project_away(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    kql_column *all;
    size_t at;

    (void)out;
    op->kind = OP_EXTEND;
    do {
        all = kql_copy_columns(p, 0);
        if (all == NULL || !take_column(p, &at))
            return false;
        memmove(all + at, all + at + 1, (p->columns.count - at - 1) * sizeof(kql_column));
        p->columns = (kql_columns){all, p->columns.count - 1};
    } while (kql_take(p, ","));
    return true;
}

bool kql_parse_project_reorder(kql_parser *p, kql_pipeline *out, kql_op *op)
{
    size_t at, put = 0;

    (void)out;
    op->kind = OP_EXTEND;
    do {
        kql_column *all = kql_copy_columns(p, 0), moved;

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
