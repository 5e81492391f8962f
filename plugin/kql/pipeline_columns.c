/* SPDX-License-Identifier: Apache-2.0 */
/* pipeline: its columns, and the names that they get. */
#include <stdio.h>

#include "kql/pipeline_parts.h"

kql_column *kql_copy_columns(kql_parser *p, size_t more)
{
    kql_column *all = kql_parser_alloc(p, (p->columns.count + more) * sizeof(kql_column));

    if (all != NULL && p->columns.count > 0)
        memcpy(all, p->columns.all, p->columns.count * sizeof(kql_column));
    return all;
}

size_t kql_column_place(const kql_column *all, size_t count, text name)
{
    size_t i = 0;

    while (i < count && !text_equal(all[i].name, name))
        i++;
    return i;
}

bool kql_put_column(kql_parser *p, kql_column column)
{
    kql_column *all = kql_copy_columns(p, 1);
    size_t at;

    if (all == NULL)
        return false;
    at = kql_column_place(all, p->columns.count, column.name);
    all[at] = column;
    p->columns = (kql_columns){all, p->columns.count + (at == p->columns.count)};
    return true;
}

/* --- names of expressions --- */

bool kql_is_assignment(const kql_parser *p)
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

bool kql_own_name(kql_parser *p, const kql_expr *e, text *name)
{
    if (e->form == FORM_COLUMN) {
        *name = e->name;
        return true;
    }
    if (e->form == FORM_PATH && e->args[0]->form == FORM_COLUMN)
        return name_of_path(p, e, e->args[0]->name, name);
    return kql_fail(p, e->source, "an expression needs a name: NAME = ..");
}

bool kql_keep_name(kql_parser *p, text *name)
{
    *name = arena_copy(p->memory, *name);
    return name->bytes != NULL || kql_fail(p, p->token.word, "out of memory");
}
