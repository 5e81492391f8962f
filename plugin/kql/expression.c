/* SPDX-License-Identifier: Apache-2.0 */
/* expression: the value of an expression, for one row. */
#include "kql/expression.h"

text kql_text_of(kql_run *r, kql_value v, kql_type type)
{
    text t = kql_tostring(v, type, r->memory);

    if (t.bytes == NULL) {
        r->out_of_memory = true;
        return (text)TEXT("");
    }
    return t;
}

kql_value kql_open(kql_run *r, kql_value packed)
{
    return r->host != NULL && r->host->open != NULL ? r->host->open(r->arg, packed) : packed;
}

static kql_value step(kql_run *r, kql_value from, const kql_step *s)
{
    size_t count;
    int64_t index = s->index;
    text key;

    if (s->key != NULL)
        return r->host != NULL && r->host->member != NULL ? r->host->member(r->arg, from, s->key)
                                                          : kql_member(from, s->key);
    from = kql_open(r, from);
    count = from.kind == KIND_ARRAY ? from.count : 0;
    if (index < 0)
        index += (int64_t)count;
    return index >= 0 && (uint64_t)index < count ? kql_nth(from, (size_t)index, &key) : kql_null();
}

kql_value kql_walk(kql_run *r, kql_value from, const kql_step *steps, size_t count)
{
    for (size_t i = 0; i < count && from.kind != KIND_UNKNOWN; i++)
        from = step(r, from, &steps[i]);
    return from;
}

static kql_value call(kql_run *r, const kql_expr *e)
{
    kql_value args[KQL_MOST_ARGUMENTS];

    if (e->call->lazy != NULL)
        return e->call->lazy(r, e);
    for (size_t i = 0; i < e->count; i++) {
        args[i] = kql_eval(r, e->args[i]);
        if (args[i].kind == KIND_UNKNOWN)
            return kql_unknown();
    }
    return e->call->strict(r, e, args);
}

static kql_value column(kql_run *r, unsigned slot)
{
    if (r->frame[slot].kind == KIND_UNREAD)
        r->frame[slot] = r->host->column(r->arg, slot);
    return r->frame[slot];
}

kql_value kql_eval(kql_run *r, const kql_expr *e)
{
    switch (e->form) {
    case FORM_LITERAL:
        return e->value;
    case FORM_COLUMN:
        return column(r, e->slot);
    case FORM_PATH:
        return kql_walk(r, kql_eval(r, e->args[0]), e->steps, e->step_count);
    case FORM_CALL:
        break;
    }
    return call(r, e);
}
