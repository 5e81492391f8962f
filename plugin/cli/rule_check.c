/* SPDX-License-Identifier: Apache-2.0 */
/* rule_check: one summary a file. */
#include "cli/rule_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/words.h"
#include "kql/operators.h"
#include "rule/rule_file.h"

static void put_label(const char *label)
{
    printf("  %-12s", label);
}

static void put_line(const char *label, text value)
{
    put_label(label);
    words_put(stdout, value);
    putchar('\n');
}

static void put_span(timespan span)
{
    static const struct {
        int64_t ticks;
        const char *unit;
    } units[] = {{TICKS_PER_DAY, "d"},
                 {3600 * TICKS_PER_SECOND, "h"},
                 {60 * TICKS_PER_SECOND, "m"},
                 {TICKS_PER_SECOND, "s"},
                 {1, "tick"}};
    size_t u = 0;

    while (span % units[u].ticks != 0)
        u++;
    printf("%" PRId64 "%s", span / units[u].ticks, units[u].unit);
}

static void put_names(const kql_columns *columns)
{
    for (size_t i = 0; i < columns->count; i++) {
        fputs(i > 0 ? ", " : "", stdout);
        words_put(stdout, columns->all[i].name);
    }
}

static void put_set(const kql_set *set)
{
    put_label("set");
    words_put(stdout, set->name);
    if (set->is_watchlist) {
        fputs(": the watchlist ", stdout);
        words_put(stdout, set->watchlist);
    } else {
        fputs(": IdentityInfo of ", stdout);
        if (set->has_window)
            put_span(set->window);
        else
            fputs("the lookback", stdout);
    }
    fputs(": ", stdout);
    put_names(&set->rows.columns);
    putchar('\n');
}

static void put_literals(const kql_literals *literals)
{
    put_label("gate");
    printf("%zu text%s:", literals->count, words_s(literals->count));
    for (size_t i = 0; i < literals->count; i++) {
        fputs(i > 0 ? ", \"" : " \"", stdout);
        words_put(stdout, literals->all[i]);
        putchar('"');
    }
    putchar('\n');
}

/* A term in which the role list or a watchlist decides. */
static void put_term(void *arg, const kql_expr *term)
{
    const kql_query *q = arg;

    put_label("lateness");
    words_put(stdout, term->args[0]->source);
    printf(" %s ", term->operator->word);
    words_put(stdout, q->sets[term->set].name);
    putchar('.');
    words_put(stdout, q->sets[term->set].rows.columns.all[term->set_column].name);
    putchar('\n');
}

static void put_tables(const kql_query *q)
{
    bool has_accounts = false;

    for (size_t i = 0; i < q->set_count; i++)
        has_accounts |= !q->sets[i].is_watchlist;
    put_line("tables", text_of(has_accounts ? "AuditLogs, IdentityInfo" : "AuditLogs"));
}

static void put_lookback(const rule_file *file)
{
    timespan lookback = rule_file_lookback(file);

    put_label("lookback");
    put_span(lookback > 0 ? lookback : TICKS_PER_DAY);
    putchar('\n');
}

static void put_summary(const char *path, const rule_file *file)
{
    const rule_facts *f = rule_file_facts(file);
    const kql_query *q = rule_file_query(file);
    rule_texts warnings = rule_file_warnings(file);
    bool has_terms = q->set_count > 0;

    words_put(stdout, text_of(path));
    puts(": loads");
    put_line("id", f->id);
    put_line("name", f->name);
    put_line("severity", f->severity);
    put_tables(q);
    for (size_t i = 0; i < q->set_count; i++)
        put_set(&q->sets[i]);
    put_literals(rule_file_literals(file));
    put_lookback(file);
    if (has_terms)
        kql_query_each_set_term(q, put_term, (void *)(uintptr_t)q);
    else
        put_line("lateness", (text)TEXT("nothing: each record decides for itself"));
    put_label("columns");
    put_names(&q->columns);
    putchar('\n');
    for (size_t i = 0; i < warnings.count; i++)
        put_line("warning", warnings.all[i]);
}

int rule_check(char *const *paths, int count)
{
    int status = EXIT_DONE;

    for (int i = 0; i < count; i++) {
        char *error;
        rule_file *file = rule_file_open(paths[i], &error);

        if (file != NULL) {
            put_summary(paths[i], file);
        } else {
            words_say("%s", error != NULL ? error : "out of memory");
            status = EXIT_UNREADABLE;
        }
        rule_file_free(file);
        free(error);
    }
    return status;
}
