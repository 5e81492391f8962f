/* cmd_query: one run of the rule over files, as the schedule would at --now. */
#include <stdio.h>
#include <stdlib.h>

#include "audit_session.h"
#include "commands.h"
#include "table.h"

static const char USAGE[] =
    "usage: synctap query [OPTION...] [FILE...]\n"
    "Runs the rule once over audit records in files (or standard input), newest row first.\n"
    "\n"
    "  --identity FILE       role list from a file instead of the database; may be repeated\n"
    "  --database DB         state database that holds the role list\n"
    "  --now TIME            the instant of the run (default: the clock)\n"
    "  --semantics kql|wide  the query's rows exactly, or also those it misses for\n"
    "                        technical reasons\n"
    "  --lookback SPAN       how far back records count (default 1d)\n"
    "  --identity-window SPAN  how far back role-list rows count (default 14d)\n"
    "  --operations X, --roles X, --upn-startswith X, --upn-contains X, --upn-has X,\n"
    "  --displayname-has X   the rule's lists; each may be repeated and replaces the default\n"
    "  --rulebase FILE       liblognorm rulebase that takes messages apart\n"
    "  --format table|jsonl  (default: table on a terminal, else jsonl)\n";

/* A matching row, written already; `order` is its place in the input. */
typedef struct result_row {
    timestamp time_generated;
    size_t order;
    text line;
} result_row;

typedef struct query {
    audit_session session;
    result_row *rows;
    size_t count;
    size_t room;
    size_t stale; /* records of the rule's operations that lie before the lookback */
    bool failed;  /* memory ran out */
} query;

static bool make_room(query *q)
{
    size_t room = q->room ? 2 * q->room : 64;
    result_row *rows;

    if (q->count < q->room)
        return true;
    rows = realloc(q->rows, room * sizeof(*rows));
    if (rows == NULL)
        return false;
    q->rows = rows;
    q->room = room;
    return true;
}

static bool take_row(void *arg, const alert *a)
{
    query *q = arg;
    buffer line = {0};

    if (a->degraded) /* a fragment is no row of a table; it is told of as unreadable */
        return true;
    alert_write_row(a, &line);
    if (buffer_failed(&line) || !make_room(q)) {
        buffer_free(&line);
        q->failed = true;
        return false;
    }
    q->rows[q->count] = (result_row){a->time_generated, q->count, buffer_text(&line)};
    q->count++;
    return true;
}

static bool query_message(void *arg, const input_file *file, const input_message *message)
{
    query *q = arg;
    detection found =
        detector_feed(q->session.worker, message->text, q->session.options->now, take_row, q);

    q->stale += found.stale;
    /* Brackets in words around a record are no broken JSON; in a line of JSON they are. */
    if (found.undecodable || (found.broken > 0 && input_message_is_json(message)))
        audit_session_tell(&q->session, file, message->line, found.reason);
    else if (!message->is_whole)
        audit_session_tell(&q->session, file, message->line, "cut off");
    return !q->failed;
}

/* Newest first; rows of one time in the order of the input. */
static int compare_rows(const void *a, const void *b)
{
    const result_row *x = a, *y = b;

    if (x->time_generated != y->time_generated)
        return x->time_generated < y->time_generated ? 1 : -1;
    return x->order < y->order ? -1 : 1;
}

static bool print_table(const query *q)
{
    static const char *const columns[] = {"TimeGenerated", "OperationName", "Actor",
                                          "SourceIP",      "TargetUpn",     "TargetId",
                                          "Result",        "MatchedBy",     NULL};
    text *lines = calloc(q->count + 1, sizeof(text));
    bool printed;

    if (lines == NULL)
        return false;
    for (size_t i = 0; i < q->count; i++)
        lines[i] = q->rows[i].line;
    printed = table_print(stdout, columns, lines, q->count);
    free(lines);
    return printed;
}

static void print_rows(query *q)
{
    if (q->count > 0)
        qsort(q->rows, q->count, sizeof(result_row), compare_rows);
    if (q->session.options->format == FORMAT_TABLE) {
        q->failed |= !print_table(q);
        return;
    }
    for (size_t i = 0; i < q->count; i++) {
        fwrite(q->rows[i].line.bytes, 1, q->rows[i].line.length, stdout);
        fputc('\n', stdout);
    }
}

static void free_rows(query *q)
{
    for (size_t i = 0; i < q->count; i++)
        free((char *)q->rows[i].line.bytes);
    free(q->rows);
}

static int query_with(const options *o)
{
    query q = {0};
    bool begun = audit_session_begin(&q.session, o);

    if (begun) {
        audit_session_read(&q.session, query_message, &q);
        print_rows(&q);
    }
    if (q.stale > 0)
        fprintf(stderr, "synctap: %zu records of the rule's operations lie before the lookback\n",
                q.stale);
    if (q.failed)
        fputs("synctap: out of memory, rows are missing\n", stderr);
    free_rows(&q);
    audit_session_end(&q.session);
    return !begun || q.failed || q.session.unreadable ? EXIT_UNREADABLE : EXIT_DONE;
}

int cmd_query(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_RULE | GROUP_AUDIT, USAGE, query_with);
}
