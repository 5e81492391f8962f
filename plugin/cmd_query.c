/* cmd_query: one run of the rule over files, as the schedule would at --now. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "commands.h"
#include "detector.h"
#include "identity_files.h"
#include "input_file.h"
#include "options.h"
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
    const options *options;
    detector *detector;
    detector_worker *worker;
    result_row *rows;
    size_t count;
    size_t room;
    bool failed;     /* memory ran out */
    bool unreadable; /* something could not be read; said on standard error */
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

static void take_row(void *arg, const alert *a)
{
    query *q = arg;
    buffer line = {0};

    if (a->degraded) /* a fragment is no row of a table; it is told of as unreadable */
        return;
    alert_write_row(a, &line);
    if (buffer_failed(&line) || !make_room(q)) {
        buffer_free(&line);
        q->failed = true;
        return;
    }
    q->rows[q->count] = (result_row){a->time_generated, q->count, buffer_text(&line)};
    q->count++;
}

static void tell(query *q, const input_file *file, size_t line, const char *what)
{
    fprintf(stderr, "synctap: %s:%zu: %s\n", input_file_name(file), line, what);
    q->unreadable = true;
}

static void query_message(query *q, const input_file *file, const input_message *message)
{
    detection found = detector_feed(q->worker, message->text, q->options->now, take_row, q);

    if (found.undecodable)
        tell(q, file, message->line, found.reason);
    else if (!message->is_whole)
        tell(q, file, message->line, "cut off");
}

static void query_file(query *q, const char *path)
{
    char *error;
    input_file *file = input_file_open(path, &error);
    input_message message;

    if (file == NULL) {
        fprintf(stderr, "synctap: %s: %s\n", path, error ? error : "out of memory");
        free(error);
        q->unreadable = true;
        return;
    }
    while (!q->failed && input_file_next(file, &message))
        query_message(q, file, &message);
    input_file_close(file);
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
    if (q->options->format == FORMAT_TABLE) {
        q->failed |= !print_table(q);
        return;
    }
    for (size_t i = 0; i < q->count; i++) {
        fwrite(q->rows[i].line.bytes, 1, q->rows[i].line.length, stdout);
        fputc('\n', stdout);
    }
}

/* The role list of the --identity files, in a database of its own in memory. */
static store *store_of_files(query *q, char **error)
{
    const options *o = q->options;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, error);
    role_list *list = s ? role_list_open(s) : NULL;
    identity_files_result result;

    if (list == NULL) {
        store_close(s);
        return NULL;
    }
    result = identity_files_import(list, s, o->identities, o->identity_count,
                                   &(identity_files_manner){.tone = TELL_BROKEN_ONLY});
    q->unreadable |= result.unreadable;
    q->failed |= result.failed;
    role_list_close(list);
    return s;
}

/* No database is no error unless one was asked for: the naming rules judge alone. */
static bool open_role_list(query *q)
{
    const options *o = q->options;
    char *error = NULL;
    store *s;

    if (o->identity_count > 0) {
        s = store_of_files(q, &error);
        if (s != NULL && detector_adopt_store(q->detector, s, &error))
            return true;
        fprintf(stderr, "synctap: no role list: %s\n", error ? error : "out of memory");
    } else if (access(o->database, F_OK) != 0 && !o->database_given) {
        fprintf(stderr, "synctap: no role list (%s is not there): only naming rules apply\n",
                o->database);
        return true;
    } else if (detector_open_store(q->detector, o->database, STORE_EXISTING, &error)) {
        return true;
    } else {
        fprintf(stderr, "synctap: %s: %s\n", o->database, error ? error : "out of memory");
    }
    free(error);
    return false;
}

static bool open_rulebase(query *q)
{
    char *error;

    if (detector_open_rulebase(q->detector, q->options->rulebase, &error))
        return true;
    fprintf(stderr, "synctap: %s: %s\n", q->options->rulebase, error ? error : "out of memory");
    free(error);
    return false;
}

static bool begin(query *q)
{
    q->detector = detector_new(q->options->rule);
    q->worker = q->detector ? detector_worker_new(q->detector) : NULL;
    if (q->worker == NULL) {
        fputs("synctap: out of memory\n", stderr);
        return false;
    }
    return open_rulebase(q) && open_role_list(q);
}

static void run(query *q)
{
    const options *o = q->options;

    if (o->argument_count == 0)
        query_file(q, "-");
    for (int i = 0; i < o->argument_count; i++)
        query_file(q, o->arguments[i]);
    print_rows(q);
    if (q->failed)
        fputs("synctap: out of memory, rows are missing\n", stderr);
}

static void end(query *q)
{
    for (size_t i = 0; i < q->count; i++)
        free((char *)q->rows[i].line.bytes);
    free(q->rows);
    detector_worker_free(q->worker);
    detector_free(q->detector);
}

static int query_with(const options *o)
{
    query q = {.options = o};
    bool begun = begin(&q);

    if (begun)
        run(&q);
    end(&q);
    return !begun || q.failed || q.unreadable ? EXIT_UNREADABLE : EXIT_DONE;
}

int cmd_query(int argc, char **argv)
{
    options o;
    int status = EXIT_USAGE;

    switch (options_read(&o, argc, argv, GROUP_STORE | GROUP_RULE | GROUP_AUDIT)) {
    case OPTIONS_READ:
        status = query_with(&o);
        break;
    case OPTIONS_HELP:
        fputs(USAGE, stdout);
        status = EXIT_DONE;
        break;
    case OPTIONS_WRONG:
        fputs("try: synctap query --help\n", stderr);
        break;
    }
    options_free(&o);
    return status;
}
