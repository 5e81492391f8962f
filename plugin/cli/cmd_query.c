/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_query: one run of the rule over files, as the schedule would at --now. */
#include <stdio.h>
#include <stdlib.h>

#include "base/room.h"
#include "cli/audit_session.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "cli/words.h"

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
    "  --threads N           how many read at once (default: one for each core)\n"
    "  --format table|jsonl  (default: table on a terminal, else jsonl)\n";

/* A matching row, written already; `order` is its place in the input. */
typedef struct result_row {
    timestamp time_generated;
    size_t order;
    text line;
} result_row;

typedef struct result_rows {
    result_row *rows;
    size_t count;
    size_t room;
} result_rows;

/* A line that could not be read. */
typedef struct unreadable_line {
    size_t line;
    const char *reason; /* a constant */
} unreadable_line;

typedef struct unreadable_lines {
    unreadable_line *lines;
    size_t count;
    size_t room;
} unreadable_lines;

/* What one thread found in a part of the input. */
typedef struct query_part {
    result_rows rows;
    unreadable_lines unreadable;
    size_t stale; /* records of the rule's operations that lie before the lookback */
    bool failed;  /* memory ran out */
} query_part;

typedef struct query {
    audit_session session;
    result_rows rows;
    size_t stale;
    bool failed;
} query;

/* A thread's own; what it judges just now goes into the part. */
typedef struct query_thread {
    const query *query;
    detector_worker *worker;
} query_thread;

/* The line goes over; false without memory. */
static bool add_row(result_rows *self, timestamp time_generated, text line)
{
    if (!room_for_one_more(&self->rows, sizeof(result_row), self->count, &self->room)) {
        free((char *)line.bytes);
        return false;
    }
    self->rows[self->count] = (result_row){time_generated, self->count, line};
    self->count++;
    return true;
}

static bool add_unreadable(unreadable_lines *self, size_t line, const char *reason)
{
    if (!room_for_one_more(&self->lines, sizeof(unreadable_line), self->count, &self->room))
        return false;
    self->lines[self->count++] = (unreadable_line){line, reason};
    return true;
}

static bool take_row(void *arg, const alert *a)
{
    query_part *part = arg;
    buffer line = {0};

    if (a->degraded) /* a fragment is no row of a table; it is told of as unreadable */
        return true;
    alert_write_row(a, &line);
    if (buffer_failed(&line)) {
        buffer_free(&line);
        part->failed = true;
        return false;
    }
    part->failed |= !add_row(&part->rows, a->time_generated, buffer_text(&line));
    return !part->failed;
}

static bool judge_message(void *tools, void *part_, const input_message *message)
{
    query_thread *thread = tools;
    query_part *part = part_;
    timestamp now = thread->query->session.options->now;
    detection found = detector_feed(thread->worker, message->text, now, take_row, part);
    const char *reason = NULL;

    part->stale += found.stale;
    /* Brackets in words around a record are no broken JSON; in a line of JSON they are. */
    if (found.undecodable || (found.broken > 0 && input_message_is_json(message)))
        reason = found.reason;
    else if (!message->is_whole)
        reason = "cut off";
    if (reason != NULL)
        part->failed |= !add_unreadable(&part->unreadable, message->line, reason);
    return !part->failed;
}

static size_t find_candidate(void *tools, text t)
{
    return detector_find_candidate(((query_thread *)tools)->worker, t);
}

static void end_thread(void *tools)
{
    query_thread *thread = tools;

    detector_worker_free(thread->worker);
    free(thread);
}

static void *begin_thread(void *arg)
{
    query *q = arg;
    query_thread *thread = calloc(1, sizeof(*thread));

    if (thread == NULL)
        return NULL;
    *thread = (query_thread){q, detector_worker_new(q->session.detector)};
    if (thread->worker != NULL)
        return thread;
    end_thread(thread);
    return NULL;
}

/* Rows that are not moved elsewhere go. */
static void free_rows(result_rows *self)
{
    for (size_t i = 0; i < self->count; i++)
        free((char *)self->rows[i].line.bytes);
    free(self->rows);
    *self = (result_rows){0};
}

static void drop_part(void *part_)
{
    query_part *part = part_;

    free_rows(&part->rows);
    free(part->unreadable.lines);
    *part = (query_part){0};
}

static void take_part(void *arg, void *part_, const char *name, size_t lines_before)
{
    query *q = arg;
    query_part *part = part_;

    for (size_t i = 0; i < part->unreadable.count; i++)
        audit_session_tell_of(&q->session, name, lines_before + part->unreadable.lines[i].line,
                              part->unreadable.lines[i].reason);
    for (size_t i = 0; i < part->rows.count; i++)
        q->failed |= !add_row(&q->rows, part->rows.rows[i].time_generated, part->rows.rows[i].line);
    part->rows.count = 0;
    q->stale += part->stale;
    q->failed |= part->failed;
    drop_part(part);
}

static void tell(void *arg, const char *name, size_t line, const char *what)
{
    query *q = arg;

    audit_session_tell_of(&q->session, name, line, what);
}

static void read_files(query *q)
{
    const archive_reader reader = {
        .arg = q,
        .begin = begin_thread,
        .end = end_thread,
        .part_size = sizeof(query_part),
        .find = find_candidate,
        .judge = judge_message,
        .take = take_part,
        .drop = drop_part,
        .tell = tell,
    };

    q->failed |= !audit_session_read_in_threads(&q->session, &reader);
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
    const result_rows *rows = &q->rows;
    text *lines = calloc(rows->count + 1, sizeof(text));
    bool printed;

    if (lines == NULL)
        return false;
    for (size_t i = 0; i < rows->count; i++)
        lines[i] = rows->rows[i].line;
    printed = table_print(stdout, columns, lines, rows->count);
    free(lines);
    return printed;
}

static void print_rows(query *q)
{
    const result_rows *rows = &q->rows;

    if (rows->count > 0)
        qsort(rows->rows, rows->count, sizeof(result_row), compare_rows);
    if (q->session.options->format == FORMAT_TABLE) {
        q->failed |= !print_table(q);
        return;
    }
    for (size_t i = 0; i < rows->count; i++) {
        fwrite(rows->rows[i].line.bytes, 1, rows->rows[i].line.length, stdout);
        fputc('\n', stdout);
    }
}

static int query_with(const options *o)
{
    query q = {0};
    bool begun = audit_session_begin(&q.session, o);

    if (begun) {
        read_files(&q);
        print_rows(&q);
    }
    if (q.stale > 0)
        words_say("%zu record%s of the rule's operations lie%s before the lookback", q.stale,
                  words_s(q.stale), q.stale == 1 ? "s" : "");
    if (q.failed)
        words_say("out of memory, rows are missing");
    free_rows(&q.rows);
    audit_session_end(&q.session);
    return !begun || q.failed || q.session.unreadable ? EXIT_UNREADABLE : EXIT_DONE;
}

int cmd_query(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_RULE | GROUP_AUDIT | GROUP_THREADS, USAGE,
                       query_with);
}
