/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_query: one run of the rule over files, as the schedule would at --now. */
#include <stdio.h>
#include <stdlib.h>

#include "base/room.h"
#include "cli/audit_file.h"
#include "cli/audit_session.h"
#include "cli/commands.h"
#include "cli/record_probe.h"
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
    "  --rule FILE           a rule file of Microsoft Sentinel instead of the built-in rule\n"
    "  --watchlist NAME=FILE  a CSV file for each watchlist that a rule file asks\n"
    "  --watchlist-key NAME=COLUMN  its SearchKey (default: the first column)\n"
    "  --lookback SPAN       how far back records count (default 1d)\n"
    "  --identity-window SPAN  how far back role-list rows count (default 14d)\n"
    "  --operations X, --roles X, --upn-startswith X, --upn-contains X, --upn-has X,\n"
    "  --displayname-has X   the rule's lists; each may be repeated and replaces the default;\n"
    "                        off switches one off\n"
    "  --rulebase FILE       liblognorm rulebase that takes messages apart\n"
    "  --date-order dmy|mdy  how dates in CSV files are written, where they do not show it\n"
    "  --fail-on-match       exit status 3 when there is a row\n"
    "  --threads N           how many read at once (default: one for each core)\n"
    "  --format table|jsonl|securityalert|cef|leef|ecs|ocsf|hec\n"
    "                        (default: table on a terminal, else jsonl); the dialects tell of\n"
    "                        each row as an alert\n";

/* A matching row, written already; `order` is its place in the input. */
typedef struct result_row {
    timestamp time_generated;
    size_t order;
    text line;
    text key; /* its place under the rule's own order by; "": it has none */
} result_row;

typedef struct result_rows {
    result_row *rows;
    size_t count;
    size_t room;
} result_rows;

/* A line that could not be read. */
typedef struct unreadable_line {
    size_t line;
    const char *reason;   /* a constant; NULL: it is a time alone that is not understood */
    char unread_time[64]; /* that; "": none */
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
    query *query;
    detector_worker *worker;
    record_probe *probe;
    json_parser *parser; /* of alerts that become a dialect's, and their text */
    buffer alert;
    query_part *part; /* under way */
} query_thread;

static void free_row(result_row row)
{
    free((char *)row.line.bytes);
    free((char *)row.key.bytes);
}

/* The row's texts go over; false without memory. */
static bool add_row(result_rows *self, result_row row)
{
    if (!room_for_one_more(&self->rows, sizeof(result_row), self->count, &self->room)) {
        free_row(row);
        return false;
    }
    row.order = self->count;
    self->rows[self->count++] = row;
    return true;
}

/* By the rule's own order; false without memory. */
static bool key_of(const alert *a, text *key)
{
    text order = a->told != NULL ? a->told->order : (text)TEXT("");
    buffer copied = {0};

    buffer_append(&copied, order);
    *key = buffer_text(&copied);
    return !buffer_failed(&copied);
}

static bool add_unreadable(unreadable_lines *self, size_t line, const char *reason,
                           const detection *found)
{
    unreadable_line *added;

    if (!room_for_one_more(&self->lines, sizeof(unreadable_line), self->count, &self->room))
        return false;
    added = &self->lines[self->count++];
    *added = (unreadable_line){.line = line, .reason = reason};
    memcpy(added->unread_time, found->unread_time, sizeof(added->unread_time));
    return true;
}

/* False without memory. */
static bool write_row(query_thread *thread, const alert *a, buffer *line)
{
    const dialect *d = thread->query->session.options->dialect;

    if (d != NULL)
        return dialect_write_text(d, thread->parser, alert_text(a, &thread->alert), line);
    alert_write_row(a, line);
    return !buffer_failed(line);
}

static bool take_row(void *arg, const alert *a)
{
    query_thread *thread = arg;
    query_part *part = thread->part;
    buffer line = {0};
    text key;

    if (a->degraded) /* a fragment is no row of a table; it is told of as unreadable */
        return true;
    if (!key_of(a, &key) || !write_row(thread, a, &line)) {
        free((char *)key.bytes);
        buffer_free(&line);
        part->failed = true;
        return false;
    }
    part->failed |= !add_row(
        &part->rows,
        (result_row){.time_generated = a->time_generated, .line = buffer_text(&line), .key = key});
    return !part->failed;
}

/* Until a file has shown a record, each message of it is asked for one. */
static void note_message(query_thread *thread, size_t file, const detection *found,
                         const input_message *message, const char *trouble)
{
    audit_session *session = &thread->query->session;
    unsigned sights = SIGHT_NONE;

    if (trouble != NULL)
        sights |= SIGHT_TROUBLE;
    if (found->records > 0 || (!audit_session_has_record(session, file) &&
                               record_probe_finds(thread->probe, message->text)))
        sights |= SIGHT_RECORD;
    audit_session_note(session, file, sights);
}

static bool judge_message(void *tools, size_t file, void *part_, const input_message *message)
{
    query_thread *thread = tools;
    query_part *part = part_;
    timestamp now = thread->query->session.options->now;
    const char *reason = message->trouble;
    detection found;

    thread->part = part;
    found = detector_feed(thread->worker, message->text, now, take_row, thread);
    part->stale += found.stale;
    /* Brackets in words around a record are no broken JSON; in a line of JSON they are. */
    if (found.undecodable || (found.broken > 0 && input_message_is_json(message)))
        reason = found.reason;
    else if (!message->is_whole)
        reason = "cut off";
    note_message(thread, file, &found, message, reason);
    if (reason != NULL || found.unread_times > 0)
        part->failed |= !add_unreadable(&part->unreadable, message->line, reason, &found);
    return !part->failed;
}

static size_t find_candidate(void *tools, size_t file, void *part, text t, line_run *lines)
{
    query_thread *thread = tools;

    (void)part;
    if (!audit_session_has_record(&thread->query->session, file))
        return 0;
    return detector_find_candidate(thread->worker, t, lines);
}

static void end_thread(void *tools)
{
    query_thread *thread = tools;

    record_probe_free(thread->probe);
    json_parser_free(thread->parser);
    buffer_free(&thread->alert);
    detector_worker_free(thread->worker);
    free(thread);
}

static void *begin_thread(void *arg)
{
    query *q = arg;
    query_thread *thread = calloc(1, sizeof(*thread));

    if (thread == NULL)
        return NULL;
    *thread = (query_thread){
        .query = q,
        .worker = detector_worker_new(q->session.detector),
        .parser = json_parser_new(DIALECT_MOST_DEPTH),
    };
    if (thread->worker != NULL)
        thread->probe = record_probe_new(thread->worker);
    if (thread->probe != NULL && thread->parser != NULL)
        return thread;
    end_thread(thread);
    return NULL;
}

/* Rows that are not moved elsewhere go. */
static void free_rows(result_rows *self)
{
    for (size_t i = 0; i < self->count; i++)
        free_row(self->rows[i]);
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

static void tell_unreadable(query *q, const char *name, size_t lines_before,
                            const unreadable_line *l)
{
    if (l->reason != NULL)
        audit_session_tell_of(&q->session, name, lines_before + l->line, l->reason);
    audit_session_tell_unread_time(&q->session, name, lines_before + l->line, l->unread_time);
}

static void take_part(void *arg, void *part_, const char *name, size_t lines_before)
{
    query *q = arg;
    query_part *part = part_;

    for (size_t i = 0; i < part->unreadable.count; i++)
        tell_unreadable(q, name, lines_before, &part->unreadable.lines[i]);
    for (size_t i = 0; i < part->rows.count; i++)
        q->failed |= !add_row(&q->rows, part->rows.rows[i]);
    part->rows.count = 0;
    q->stale += part->stale;
    q->failed |= part->failed;
    drop_part(part);
}

static void tell(void *arg, size_t file, const char *name, size_t line, const char *what)
{
    query *q = arg;

    audit_session_tell_of_file(&q->session, file, name, line, what);
}

static void read_table(void *arg, input_file *file, input_message_sink *take, void *take_arg)
{
    const query *q = arg;

    audit_file_read_table(file, q->session.options->dates, take, take_arg);
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
        .is_table = audit_file_is_table,
        .read_table = read_table,
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

enum { MOST_COLUMNS = 12 };

/* Of a rule file, the columns that its query gives, as many as a terminal can show. */
static void choose_columns(const rule *r, const char **columns)
{
    static const char *const built_in[] = {"TimeGenerated", "OperationName", "Actor",  "SourceIP",
                                           "TargetUpn",     "TargetId",      "Result", "MatchedBy"};
    size_t count = 0;

    if (rule_is_built_in(r)) {
        memcpy(columns, built_in, sizeof(built_in));
        return;
    }
    for (size_t i = 0; count < MOST_COLUMNS - 2 && i < plan_columns(rule_get_plan(r))->count; i++)
        if (plan_columns(rule_get_plan(r))->all[i].type != KQL_DYNAMIC)
            columns[count++] = plan_columns(rule_get_plan(r))->all[i].name.bytes;
    columns[count] = "MatchedBy";
}

/* As the rule says; rows that it sees as equal in the order of the input. */
static int compare_by_rule(const void *a, const void *b)
{
    const result_row *x = a, *y = b;
    int order = text_compare(x->key, y->key);

    if (order != 0)
        return order;
    return x->order < y->order ? -1 : 1;
}

static void sort_rows(const query *q)
{
    const result_rows *rows = &q->rows;
    const rule *r = q->session.options->rule;
    bool is_sorted = !rule_is_built_in(r) && plan_sorts(rule_get_plan(r));

    if (rows->count > 0)
        qsort(rows->rows, rows->count, sizeof(result_row),
              is_sorted ? compare_by_rule : compare_rows);
}

static bool print_table(const query *q)
{
    const char *columns[MOST_COLUMNS] = {NULL};
    const result_rows *rows = &q->rows;
    text *lines = calloc(rows->count + 1, sizeof(text));
    bool printed;

    if (lines == NULL)
        return false;
    choose_columns(q->session.options->rule, columns);
    for (size_t i = 0; i < rows->count; i++)
        lines[i] = rows->rows[i].line;
    printed = table_print(stdout, columns, lines, rows->count);
    free(lines);
    return printed;
}

static void print_rows(query *q)
{
    const result_rows *rows = &q->rows;

    q->session.found = rows->count > 0;
    sort_rows(q);
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
    int status;

    if (begun) {
        read_files(&q);
        print_rows(&q);
    }
    if (begun && !q.failed && q.rows.count == 0)
        audit_session_tell_nothing(&q.session, "no row matches");
    if (q.stale > 0)
        words_say("%zu record%s of the rule's operations lie%s before the lookback", q.stale,
                  words_s(q.stale), q.stale == 1 ? "s" : "");
    if (q.failed)
        words_say("out of memory, rows are missing");
    status = audit_session_status(&q.session, !begun || q.failed);
    free_rows(&q.rows);
    audit_session_end(&q.session);
    return status;
}

int cmd_query(int argc, char **argv)
{
    return options_run(argc, argv,
                       GROUP_STORE | GROUP_RULE | GROUP_RULE_FILE | GROUP_AUDIT | GROUP_THREADS |
                           GROUP_DIALECT,
                       USAGE, query_with);
}
