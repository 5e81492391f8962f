/* SPDX-License-Identifier: Apache-2.0 */
/* deferral: which columns have to be made before it is known that there is a row. */
#include <stdlib.h>

#include "kql/pipeline.h"

/* A slot's column is needed, and so are those that it is made of: they stand further up. */
static void need(bool *needed, const kql_expr *e)
{
    if (e == NULL)
        return;
    if (e->form == FORM_COLUMN)
        needed[e->slot] = true;
    for (size_t i = 0; i < e->count; i++)
        need(needed, e->args[i]);
}

static void need_columns(bool *needed, const kql_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++)
        needed[columns->all[i].slot] = true;
}

bool kql_defer(kql_pipeline *self, unsigned slots)
{
    bool *needed = calloc(slots + 1, sizeof(bool));

    for (size_t i = self->count; needed != NULL && i-- > 0;) {
        kql_op *op = &self->ops[i];

        need(needed, op->condition);
        need(needed, op->value);
        if (op->kind == OP_DISTINCT)
            need_columns(needed, &op->columns);
        for (size_t a = 0; a < op->assignment_count; a++) {
            op->assignments[a].is_late = !needed[op->assignments[a].slot];
            if (!op->assignments[a].is_late)
                need(needed, op->assignments[a].value);
        }
    }
    free(needed);
    return needed != NULL;
}

void kql_assign_late(kql_run *r, const kql_pipeline *pipeline)
{
    for (size_t i = 0; i < pipeline->count; i++) {
        const kql_op *op = &pipeline->ops[i];

        for (size_t a = 0; a < op->assignment_count; a++)
            if (op->assignments[a].is_late)
                r->frame[op->assignments[a].slot] = kql_eval(r, op->assignments[a].value);
    }
}
