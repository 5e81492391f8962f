/* SPDX-License-Identifier: Apache-2.0 */
/* rule_file_query: the query of a rule file, and where in the file it is wrong. */
#include "record/audit_column.h"
#include "rule/rule_file_parts.h"

/* --- the query --- */

/* The n-th occurrence of a word from a line on; the line's beginning when there is none. */
static yaml_place find_in_file(const rule_file_reader *r, yaml_place from, text word, size_t n)
{
    const char *at = r->content.bytes, *end = at + r->content.length;
    size_t line, column;

    for (size_t l = 1; l < from.line && at != NULL; l++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || word.length == 0)
        return from;
    for (;; at++, n--) {
        at = memmem(at, (size_t)(end - at), word.bytes, word.length);
        if (at == NULL)
            return from;
        if (n == 0)
            break;
    }
    kql_lexer_place(r->content, at, &line, &column);
    return (yaml_place){line, column};
}

/* How often the word stands in the query before that place. */
static size_t count_before(text query, const kql_error *e)
{
    text word = text_of(e->word);
    size_t count = 0, line, column;
    const char *at = query.bytes, *end = at + query.length;

    for (; word.length > 0; at++, count++) {
        at = memmem(at, (size_t)(end - at), word.bytes, word.length);
        if (at == NULL)
            return 0;
        kql_lexer_place(query, at, &line, &column);
        if (line > e->line || (line == e->line && column >= e->column))
            return count;
    }
    return 0;
}

/* How far the first line is moved in that is not blank. */
static size_t blanks_before(text lines)
{
    size_t blanks = 0;

    for (size_t i = 0; i < lines.length && strchr(" \n\r", lines.bytes[i]) != NULL; i++)
        blanks = lines.bytes[i] == ' ' ? blanks + 1 : 0;
    return blanks;
}

/* Of a block that is taken line by line, how far the file moves its lines in. */
static size_t indent_of(const rule_file_reader *r, const yaml_node *node)
{
    size_t line = yaml_place_of(node).line + 1;
    const char *at = r->content.bytes, *end = at + r->content.length;

    for (size_t l = 1; l < line && at != NULL; l++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? blanks_before(text_between(at, end)) - blanks_before(yaml_text(node)) : 0;
}

/* Where a place in the query stands in the file. */
static yaml_place place_in_file(const rule_file_reader *r, const yaml_node *node,
                                const kql_error *e)
{
    yaml_place begin = yaml_place_of(node);

    if (yaml_is_literal(node))
        return (yaml_place){begin.line + e->line, e->column + indent_of(r, node)};
    return find_in_file(r, begin, text_of(e->word), count_before(yaml_text(node), e));
}

static bool refuse_without_literal(rule_file_reader *r, const yaml_node *node)
{
    return rule_file_fail(
        r, yaml_place_of(node), (text)TEXT("query"),
        "no condition holds every row to a text of at least 4 characters in its record: "
        "each message would have to be parsed");
}

/* Columns of the role list that are never filled here. */
static void warn_of_columns(void *arg, const kql_expr *e)
{
    rule_file_reader *r = arg;

    if (e->form == FORM_COLUMN && e->slot >= KEPT_COLUMN_COUNT &&
        e->slot < audit_catalog.accounts->count)
        rule_file_warn(r, "IdentityInfo.%.*s is not kept here: it is \"\" or null", SHOWN(e->name));
    for (size_t i = 0; i < e->count; i++)
        warn_of_columns(arg, e->args[i]);
}

static void warn_of_sets(rule_file_reader *r)
{
    const kql_query *q = &r->file->query;

    for (size_t s = 0; s < q->set_count; s++) {
        const kql_pipeline *rows = &q->sets[s].rows;

        for (size_t i = 0; !q->sets[s].is_watchlist && i < rows->count; i++) {
            if (rows->ops[i].kind == OP_WHERE)
                warn_of_columns(r, rows->ops[i].condition);
            for (size_t a = 0; a < rows->ops[i].assignment_count; a++)
                warn_of_columns(r, rows->ops[i].assignments[a].value);
        }
    }
}

bool rule_file_read_query(rule_file_reader *r, const yaml_node *root)
{
    rule_file *f = r->file;
    const yaml_node *node = rule_file_member(r, root, "query");
    bool ran_out;
    kql_error e;

    if (r->failed)
        return false;
    if (yaml_kind_of(node) != YAML_TEXT)
        return rule_file_fail(r, yaml_place_of(root), (text)TEXT("query"),
                              "a rule needs one, a text");
    if (!kql_query_parse(&f->query, yaml_text(node), &audit_catalog, f->memory, &e))
        return rule_file_fail(r, place_in_file(r, node, &e), text_of(e.word), e.message);
    warn_of_sets(r);
    if (kql_query_literals(&f->query, f->memory, &f->literals, &ran_out))
        return true;
    return ran_out ? rule_file_out_of_memory(r) : refuse_without_literal(r, node);
}
