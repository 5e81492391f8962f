/* SPDX-License-Identifier: Apache-2.0 */
/* passage: one row through a pipeline. */
#include "kql/pipeline.h"

/*
 * Elements of expansions in an expansion: hostile nested arrays must not take all day. Those of the
 * first one stand in the record, each for itself, and all count.
 */
enum { MOST_ELEMENTS = 100000 };

typedef struct kql_seen_row {
    struct kql_seen_row *next;
    const char *op; /* by its source: a union has copies of its operators */
    text row;
} kql_seen_row;

static void assign(kql_run *r, const kql_op *op)
{
    for (size_t i = 0; i < op->assignment_count; i++)
        if (!op->assignments[i].is_late)
            r->frame[op->assignments[i].slot] = kql_eval(r, op->assignments[i].value);
}

/* --- parse --- */

static void clear_pieces(kql_run *r, const kql_op *op)
{
    for (size_t i = 0; i < op->piece_count; i++)
        if (op->pieces[i].is_kept)
            r->frame[op->pieces[i].slot] = kql_string((text)TEXT(""));
}

/* Where the literal behind a piece stands in t from `at` on; the end without one; or t.length + 1.
 */
static size_t end_of_piece(const kql_op *op, size_t piece, text t, size_t at)
{
    const char *found;

    if (piece + 1 == op->piece_count)
        return t.length;
    found = memmem(t.bytes + at, t.length - at, op->pieces[piece + 1].literal.bytes,
                   op->pieces[piece + 1].literal.length);
    return found != NULL ? (size_t)(found - t.bytes) : t.length + 1;
}

/* Where the literal ends that stands next, or t.length + 1. */
static size_t end_of_literal(const kql_piece *piece, text t, size_t at)
{
    const char *found =
        memmem(t.bytes + at, t.length - at, piece->literal.bytes, piece->literal.length);

    return found != NULL ? (size_t)(found - t.bytes) + piece->literal.length : t.length + 1;
}

static bool match_pieces(kql_run *r, const kql_op *op, text t)
{
    size_t at = 0;

    for (size_t i = 0; i < op->piece_count; i++) {
        const kql_piece *piece = &op->pieces[i];
        size_t end = piece->is_literal ? end_of_literal(piece, t, at) : end_of_piece(op, i, t, at);

        if (end > t.length)
            return false;
        if (piece->is_kept)
            r->frame[piece->slot] = kql_string(text_between(t.bytes + at, t.bytes + end));
        at = end;
    }
    return true;
}

static void parse(kql_run *r, const kql_op *op)
{
    kql_value v = kql_eval(r, op->value);
    text t = kql_text_of(r, v, op->value->type);

    clear_pieces(r, op);
    if (v.kind == KIND_UNKNOWN) {
        for (size_t i = 0; i < op->piece_count; i++)
            if (op->pieces[i].is_kept)
                r->frame[op->pieces[i].slot] = v;
    } else if (!match_pieces(r, op, t)) {
        clear_pieces(r, op);
    }
}

/* --- distinct --- */

static text text_of_row(kql_run *r, const kql_columns *columns)
{
    buffer out = {0};
    text result = {NULL, 0};

    for (size_t i = 0; i < columns->count; i++) {
        kql_expr column = {.form = FORM_COLUMN, .slot = columns->all[i].slot};

        kql_write_json(&out, kql_eval(r, &column));
        buffer_append_char(&out, ',');
    }
    if (!buffer_failed(&out))
        result = arena_copy(r->memory, buffer_text(&out));
    buffer_free(&out);
    r->out_of_memory |= result.bytes == NULL;
    return result;
}

static bool is_new_row(kql_passage *p, const kql_op *op)
{
    text row = text_of_row(p->run, &op->columns);
    kql_seen_row *seen;

    for (seen = p->seen; seen != NULL; seen = seen->next)
        if (seen->op == op->source.bytes && text_equal(seen->row, row))
            return false;
    seen = arena_alloc(p->run->memory, sizeof(*seen));
    p->run->out_of_memory |= seen == NULL;
    if (seen != NULL) {
        *seen = (kql_seen_row){p->seen, op->source.bytes, row};
        p->seen = seen;
    }
    return true;
}

/* --- mv-expand --- */

/* What an element becomes when it is cast: null when it is of another kind. */
static kql_value cast(kql_run *r, kql_value v, kql_type type)
{
    static const kql_kind kinds[KQL_TYPES] = {
        [KQL_BOOL] = KIND_BOOL,         [KQL_LONG] = KIND_LONG,         [KQL_REAL] = KIND_REAL,
        [KQL_DATETIME] = KIND_DATETIME, [KQL_TIMESPAN] = KIND_TIMESPAN, [KQL_STRING] = KIND_STRING,
    };

    if (type == KQL_TYPES || type == KQL_DYNAMIC || v.kind == KIND_UNKNOWN)
        return v;
    if (type == KQL_STRING)
        return kql_string(kql_text_of(r, v, KQL_DYNAMIC));
    if (type == KQL_REAL && v.kind == KIND_LONG)
        return (kql_value){.kind = KIND_REAL, .real = (double)v.number};
    if (type == KQL_DATETIME && v.kind == KIND_STRING) {
        const kql_function *todatetime = kql_function_find((text)TEXT("todatetime"));
        kql_expr of_string = {.type = KQL_DYNAMIC};

        return todatetime->strict(r, &of_string, &v);
    }
    return v.kind == kinds[type] ? v : kql_null();
}

/* The n-th of the rows that mv-expand makes of a value: of a bag, one of that member alone. */
static kql_value element(kql_run *r, kql_value of, size_t n)
{
    kql_item *item;
    text key;
    kql_value value;

    if (of.kind != KIND_ARRAY && of.kind != KIND_BAG)
        return of;
    value = kql_nth(of, n, &key);
    if (of.kind == KIND_ARRAY)
        return value;
    item = arena_alloc(r->memory, sizeof(*item));
    r->out_of_memory |= item == NULL;
    if (item == NULL)
        return kql_null();
    *item = (kql_item){key, value};
    return (kql_value){.kind = KIND_BAG, .tree = NULL, .items = item, .count = 1};
}

/* One level for each expansion of the pipeline, so no deeper than KQL_MOST_EXPANSIONS. */
static void expand(kql_passage *p, size_t at, size_t end)
{
    const kql_op *op = &p->pipeline->ops[at];
    kql_value of = kql_open(p->run, kql_eval(p->run, op->value));
    size_t count = of.kind == KIND_ARRAY || of.kind == KIND_BAG ? of.count : 1;

    for (size_t i = 0; i < count && !p->ended; i++) {
        if (op->place > 0 && ++p->elements > MOST_ELEMENTS) {
            p->run->over_limit = true;
            p->ended = true;
            return;
        }
        if (op->place == 0 && p->run->host != NULL && p->run->host->element != NULL &&
            !p->run->host->element(p->run->arg)) {
            p->ended = true;
            return;
        }
        p->run->frame[op->slot] = cast(p->run, element(p->run, of, i), op->cast);
        p->positions[op->place] = i;
        kql_pass(p, at + 1, end);
    }
}

void kql_pass(kql_passage *self, size_t first, size_t end)
{
    kql_run *r = self->run;

    for (size_t i = first; i < end && !self->ended; i++) {
        const kql_op *op = &self->pipeline->ops[i];

        if (op->kind == OP_EXPAND) {
            expand(self, i, end);
            return;
        }
        if (op->kind == OP_WHERE && !self->keeps_all &&
            (kql_truths(kql_eval(r, op->condition)) & TRUTH_TRUE) == 0)
            return;
        if (op->kind == OP_DISTINCT && !is_new_row(self, op))
            return;
        if (op->kind == OP_EXTEND)
            assign(r, op);
        else if (op->kind == OP_PARSE)
            parse(r, op);
    }
    if (!self->ended)
        self->ended = !self->sink(self->arg, r);
}
