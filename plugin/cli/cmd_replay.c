/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_replay: what the stream would have done with the records of files, at the times they came. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/audit_file.h"
#include "cli/audit_session.h"
#include "cli/commands.h"
#include "cli/event_list.h"
#include "cli/event_order.h"
#include "cli/table.h"
#include "cli/words.h"
#include "record/identity_record.h"

static const char USAGE[] =
    "usage: synctap replay [OPTION...] [FILE...]\n"
    "Judges audit records and role-list rows in files (or standard input) as the stream would\n"
    "have when they came, and writes the alerts in the order of their firing: each once, late\n"
    "ones too, with their incidents. Nothing is written to the state database.\n"
    "\n"
    "A record had arrived at its _TimeReceived, or at the time stamp of its syslog line; without\n"
    "either at the latest time that a record so far was generated at, and with --now not\n"
    "before that.\n"
    "\n"
    "  --order file|time     the order of the files, or that of the records' times\n"
    "  --identity FILE       the role list at the beginning; may be repeated\n"
    "  --database DB         the same from a state database\n"
    "  --now TIME            the time of records before any has one (default: the clock), and\n"
    "                        the earliest of those that do not say when they came\n"
    "  --semantics kql|wide  the query's rows exactly, or also those it misses for\n"
    "                        technical reasons\n"
    "  --rule FILE           a rule file of Microsoft Sentinel instead of the built-in rule\n"
    "  --watchlist NAME=FILE  a CSV file for each watchlist that a rule file asks\n"
    "  --watchlist-key NAME=COLUMN  its SearchKey (default: the first column)\n"
    "  --lookback SPAN       how long records can match (default 1d)\n"
    "  --identity-window SPAN  how far back role-list rows count (default 14d)\n"
    "  --learn roles|off     learn from the records who gets and loses a sync role (default off)\n"
    "  --latejoin on|off     judge records again when the role list changes (default on)\n"
    "  --incident-window SPAN  how long an incident takes alerts (default 24h; 0: no incidents)\n"
    "  --incident-matching AnyAlert|AllEntities|Selected  which alerts share one\n"
    "  --incident-maxalerts N  and how many (default 150)\n"
    "  --operations X, --roles X, --upn-startswith X, --upn-contains X, --upn-has X,\n"
    "  --displayname-has X   the rule's lists; each may be repeated and replaces the default;\n"
    "                        off switches one off\n"
    "  --rulebase FILE       liblognorm rulebase that takes messages apart\n"
    "  --date-order dmy|mdy  how dates in CSV files are written, where they do not show it\n"
    "  --fail-on-match       exit status 3 when there is an alert\n"
    "  --threads N           how many read at once (default: one for each core)\n"
    "  --format table|jsonl|securityalert|cef|leef|ecs|ocsf|hec\n"
    "                        (default: table on a terminal, else jsonl)\n";

enum { SAMPLE = 100 }; /* alerts from which a table's columns get their widths */

typedef struct replay {
    audit_session session;
    role_list *list;
    json_parser *parser;
    arena *memory;
    arrival_clock clock;
    timestamp latest_credible; /* of records' own times */
    event_order *order;        /* NULL: events are judged as they come */
    table *table;              /* NULL: alerts are written as lines */
    buffer line;
    json_parser *alert_parser; /* of alerts that become a dialect's, .. */
    buffer rendered;           /* .. and what becomes of one */
    const char *part_name;     /* of the file under reading, .. */
    size_t lines_before;       /* .. and how many of its lines stand before this part */
    detection seen;            /* since the last message that could not be read as a whole */
    const char *trouble;       /* why no more can be done */
    bool failed;
} replay;

static bool fail(replay *r, const char *why)
{
    if (!r->failed)
        r->trouble = why;
    r->failed = true;
    return false;
}

/* --- alerts --- */

/* The alert in the words that were asked for; empty without memory. */
static text render(replay *r, text written)
{
    const dialect *d = r->session.options->dialect;

    if (d == NULL)
        return written;
    buffer_clear(&r->rendered);
    if (!dialect_write_text(d, r->alert_parser, written, &r->rendered))
        return (text){NULL, 0};
    return buffer_text(&r->rendered);
}

static bool write_alert(void *arg, const alert *a)
{
    replay *r = arg;
    text written;

    if (a->duplicate)
        return true;
    r->session.found = true;
    written = render(r, alert_text(a, &r->line));
    if (buffer_failed(&r->line) || written.length == 0)
        return fail(r, "out of memory");
    if (r->table != NULL) {
        table_add(r->table, written);
    } else {
        fwrite(written.bytes, 1, written.length, stdout);
        putchar('\n');
    }
    return true;
}

static bool begin_table(replay *r)
{
    static const char *const columns[] = {"detected_at", "late",       "operation_name",
                                          "actor",       "source_ip",  "target_upn",
                                          "target_id",   "matched_by", NULL};

    if (r->session.options->format == FORMAT_TABLE)
        r->table = table_begin(stdout, columns, SAMPLE);
    return r->table != NULL || r->session.options->format != FORMAT_TABLE;
}

/* --- the role list --- */

/* Lets the keeper see what has changed, and what has expired, by now. */
static void update(replay *r)
{
    char *error;
    keeper_status status = keeper_update(r->session.keeper, r->clock.now, write_alert, r, &error);

    if (status == KEEPER_FAILED || status == KEEPER_BUSY)
        fail(r, "the role list in memory cannot be read");
    free(error);
}

/* A row of the future would stay the newest for ever: it counts as of its reception. */
static bool put_rows(replay *r, identity_rows *rows)
{
    bool put = role_list_begin(r->list);

    for (size_t n = 0; put && n < rows->count; n++) {
        identity_record record;

        if (identity_rows_read(rows, n, r->clock.now, r->memory, &record) == IDENTITY_RECORD) {
            if (record.time_generated > r->clock.now + TICKS_PER_DAY)
                record.time_generated = r->clock.now;
            put = role_list_put(r->list, &record);
        }
        arena_reset(r->memory);
    }
    if (put && role_list_commit(r->list))
        return true;
    role_list_rollback(r->list);
    return fail(r, "the role list in memory cannot be written");
}

static void take_rows(replay *r, identity_rows *rows)
{
    if (!put_rows(r, rows))
        return;
    store_forget_version(r->session.store); /* its own connection wrote */
    update(r);
}

/* --- the clock --- */

static arrival_clock begin_clock(const options *o)
{
    return arrival_clock_begin(o->now, o->now_given ? o->now : INT64_MIN);
}

/* A story may lie ahead; a time like 9999-12-31 is nobody's clock. */
static timestamp latest_credible(const options *o)
{
    const timestamp ten_years = 3652 * TICKS_PER_DAY;
    timestamp now = timestamp_now();

    return (now > o->now ? now : o->now) + ten_years;
}

/* --- an event --- */

/* What of a record could not be read. In order of time its place in the input is not known. */
static void tell_of_record(replay *r, const event *e, const detection *seen)
{
    const char *name = r->order == NULL ? r->part_name : "a record";
    size_t line = r->order == NULL ? r->lines_before + e->line : 0;

    if (seen->undecodable)
        audit_session_tell_of(&r->session, name, line, seen->reason);
    audit_session_tell_unread_time(&r->session, name, line, seen->unread_time);
}

static void judge_record_event(replay *r, const event *e)
{
    detection seen = {0};
    identity_rows rows;
    json *object;
    size_t taken;

    if (json_parse(r->parser, e->text, &object, &taken) != NULL) {
        fail(r, "out of memory");
        return;
    }
    if (identity_rows_find(object, NULL, r->parser, &rows)) {
        take_rows(r, &rows);
        identity_rows_end(&rows);
    } else {
        detector_feed_object(r->session.worker, object, r->clock.now, write_alert, r, &seen);
        r->seen.stale += seen.stale;
        tell_of_record(r, e, &seen);
        if (seen.role_changes > 0)
            update(r);
    }
    json_free(object);
}

static void judge_event(replay *r, const event *e)
{
    if (e->is_first)
        detector_begin_parts(r->session.worker);
    if (e->kind == EVENT_TIME) {
        arrival_clock_note(&r->clock, e->generated);
        return;
    }
    arrival_clock_move(&r->clock, e->arrived, e->generated);
    if (r->clock.now >= keeper_next_end(r->session.keeper))
        update(r); /* what a row's end makes match fires before this */
    if (e->kind == EVENT_RECORD)
        judge_record_event(r, e);
    else
        detector_feed_broken(r->session.worker, e->text, r->clock.now, write_alert, r, &r->seen);
}

/* Its place is its arrival, else its own time, else that of what it follows. */
static void keep_event(replay *r, const event *e)
{
    timestamp now = arrival_clock_move(&r->clock, e->arrived, e->generated);
    event kept = *e;

    kept.arrived.time = now;
    if (!event_order_put(r->order,
                         !e->arrived.is_known && e->generated.is_known ? e->generated.time : now,
                         &kept))
        fail(r, event_order_error(r->order));
}

static bool judge_kept(void *arg, const event *e)
{
    replay *r = arg;

    judge_event(r, e);
    return !r->failed;
}

/* The clock begins anew: in the first pass it only gave places. */
static void judge_in_order(replay *r)
{
    r->clock = begin_clock(r->session.options);
    if (!event_order_each(r->order, judge_kept, r))
        fail(r, event_order_error(r->order));
}

static void tell_unreadable(replay *r, const char *name, size_t line, const event *e)
{
    if (e->is_certain || r->order != NULL || r->seen.undecodable)
        audit_session_tell_of(&r->session, name, line, e->reason);
    r->seen.undecodable = false;
}

/* --- parts: taken apart in any thread, judged in the order of the input --- */

typedef struct replay_thread {
    replay *replay;
    event_reader *reader;
} replay_thread;

static void end_thread(void *tools)
{
    replay_thread *thread = tools;

    event_reader_free(thread->reader);
    free(thread);
}

static void *begin_thread(void *arg)
{
    replay *r = arg;
    replay_thread *thread = calloc(1, sizeof(*thread));

    if (thread == NULL)
        return NULL;
    thread->replay = r;
    thread->reader = event_reader_new(r->session.detector, r->session.options->rule,
                                      r->order != NULL, r->latest_credible);
    if (thread->reader != NULL)
        return thread;
    end_thread(thread);
    return NULL;
}

/*
 * Until a record was seen in a file, each message may be the first. In order of time each counts:
 * a record that had arrived before it was generated moves the clock at a place of its own.
 */
static size_t find_event(void *tools, size_t file, void *part, text t, line_run *lines)
{
    replay_thread *thread = tools;

    if (thread->replay->order != NULL || !audit_session_has_record(&thread->replay->session, file))
        return 0;
    return event_reader_find(thread->reader, t, lines, part);
}

static bool read_message(void *tools, size_t file, void *part, const input_message *message)
{
    replay_thread *thread = tools;
    event_list *list = part;
    unsigned sights = SIGHT_NONE;

    event_reader_read(thread->reader, message, list);
    if (event_reader_has_read_record(thread->reader))
        sights |= SIGHT_RECORD;
    if (event_reader_has_read_trouble(thread->reader))
        sights |= SIGHT_TROUBLE;
    audit_session_note(&thread->replay->session, file, sights);
    return !list->failed;
}

static void drop_part(void *part)
{
    event_list_free(part);
}

static void take_part(void *arg, void *part, const char *name, size_t lines_before)
{
    replay *r = arg;
    event_list *list = part;

    r->part_name = name;
    r->lines_before = lines_before;
    if (list->failed)
        fail(r, "out of memory");
    for (size_t n = 0; n < list->count && !r->failed; n++) {
        event e = event_list_at(list, n);

        if (e.kind == EVENT_UNREADABLE)
            tell_unreadable(r, name, lines_before + e.line, &e);
        else if (r->order != NULL)
            keep_event(r, &e);
        else
            judge_event(r, &e);
    }
    event_list_free(list);
    if (r->order == NULL && !r->failed)
        update(r);
}

static void tell(void *arg, size_t file, const char *name, size_t line, const char *what)
{
    replay *r = arg;

    audit_session_tell_of_file(&r->session, file, name, line, what);
}

static void read_table(void *arg, input_file *file, input_message_sink *take, void *take_arg)
{
    const replay *r = arg;

    audit_file_read_table(file, r->session.options->dates, take, take_arg);
}

static void read_files(replay *r)
{
    const archive_reader reader = {
        .arg = r,
        .begin = begin_thread,
        .end = end_thread,
        .part_size = sizeof(event_list),
        .find = find_event,
        .judge = read_message,
        .is_table = audit_file_is_table,
        .read_table = read_table,
        .take = take_part,
        .drop = drop_part,
        .tell = tell,
    };

    if (!audit_session_read_in_threads(&r->session, &reader))
        fail(r, "out of memory");
}

/* --- the command --- */

static bool begin(replay *r, const options *o)
{
    if (!audit_session_begin_stream(&r->session, o))
        return false;
    r->clock = begin_clock(o);
    r->latest_credible = latest_credible(o);
    r->list = role_list_open(r->session.store);
    r->parser = json_parser_new(JSON_MOST_DEPTH);
    r->alert_parser = json_parser_new(DIALECT_MOST_DEPTH);
    r->memory = arena_new();
    r->order = o->ordered_by_time ? event_order_new() : NULL;
    if (r->list && r->parser && r->alert_parser && r->memory && begin_table(r) &&
        (r->order != NULL || !o->ordered_by_time))
        return true;
    return fail(r, "out of memory");
}

static void end(replay *r, bool begun)
{
    if (r->table != NULL && !table_end(r->table))
        fail(r, "out of memory");
    if (begun && !r->failed && !r->session.found)
        audit_session_tell_nothing(&r->session, "no alert");
    if (r->seen.stale > 0)
        words_say("%zu record%s of the rule's operations came after the lookback", r->seen.stale,
                  words_s(r->seen.stale));
    if (r->failed)
        words_say("%s: alerts are missing", r->trouble);
    event_order_free(r->order);
    role_list_close(r->list);
    json_parser_free(r->parser);
    json_parser_free(r->alert_parser);
    arena_free(r->memory);
    buffer_free(&r->line);
    buffer_free(&r->rendered);
    audit_session_end(&r->session);
}

static int replay_with(const options *o)
{
    replay r = {0};
    bool begun = begin(&r, o);

    if (begun)
        read_files(&r);
    if (begun && r.order != NULL && !r.failed)
        judge_in_order(&r);
    end(&r, begun);
    return audit_session_status(&r.session, !begun || r.failed);
}

int cmd_replay(int argc, char **argv)
{
    return options_run(argc, argv,
                       GROUP_STORE | GROUP_RULE | GROUP_RULE_FILE | GROUP_AUDIT | GROUP_STREAM |
                           GROUP_THREADS | GROUP_DIALECT,
                       USAGE, replay_with);
}
