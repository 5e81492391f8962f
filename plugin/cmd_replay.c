/* cmd_replay: what the stream would have done with the records of files, at the times they came. */
#include <stdio.h>
#include <stdlib.h>

#include "arrival.h"
#include "audit_session.h"
#include "commands.h"
#include "event_order.h"
#include "identity_record.h"
#include "table.h"

static const char USAGE[] =
    "usage: synctap replay [OPTION...] [FILE...]\n"
    "Judges audit records and role-list rows in files (or standard input) as the stream would\n"
    "have when they came, and writes the alerts in the order of their firing: each once, late\n"
    "ones too, with their incidents. Nothing is written to the state database.\n"
    "\n"
    "A record had arrived at its _TimeReceived, or at the time stamp of its syslog line; without\n"
    "either at the latest time that a record so far was generated at.\n"
    "\n"
    "  --order file|time     the order of the files, or that of the records' times\n"
    "  --identity FILE       the role list at the beginning; may be repeated\n"
    "  --database DB         the same from a state database\n"
    "  --now TIME            the time of records before any has one (default: the clock)\n"
    "  --semantics kql|wide  the query's rows exactly, or also those it misses for\n"
    "                        technical reasons\n"
    "  --lookback SPAN       how long records can match (default 1d)\n"
    "  --identity-window SPAN  how far back role-list rows count (default 14d)\n"
    "  --latejoin on|off     judge records again when the role list changes (default on)\n"
    "  --incident-window SPAN  how long an incident takes alerts (default 24h; 0: no incidents)\n"
    "  --incident-matching AnyAlert|AllEntities|Selected  which alerts share one\n"
    "  --incident-maxalerts N  and how many (default 150)\n"
    "  --operations X, --roles X, --upn-startswith X, --upn-contains X, --upn-has X,\n"
    "  --displayname-has X   the rule's lists; each may be repeated and replaces the default\n"
    "  --rulebase FILE       liblognorm rulebase that takes messages apart\n"
    "  --format table|jsonl  (default: table on a terminal, else jsonl)\n";

enum {
    SAMPLE = 100,         /* alerts from which a table's columns get their widths */
    TENDING_PERIOD = 256, /* messages between two looks at what has expired */
};

typedef struct replay {
    audit_session session;
    role_list *list;
    json_parser *parser; /* of events that were put into order */
    arena *memory;
    arrival_clock clock;
    event_order *order; /* NULL: events are judged as they come */
    table *table;       /* NULL: alerts are written as lines */
    buffer line;
    detection seen; /* of the message under reading */
    size_t stale;   /* records of the rule's operations that had come too late */
    size_t messages;
    const char *trouble; /* why no more can be done; a constant, or store_error's */
    bool failed;
} replay;

static bool fail(replay *r, const char *why)
{
    if (!r->failed)
        r->trouble = why;
    r->failed = true;
    return false;
}

/* --- alerts -------------------------------------------------------------------------------------
 */

static bool write_alert(void *arg, const alert *a)
{
    replay *r = arg;

    if (a->duplicate)
        return true;
    buffer_clear(&r->line);
    alert_write(a, &r->line);
    if (buffer_failed(&r->line))
        return fail(r, "out of memory");
    if (r->table != NULL) {
        table_add(r->table, buffer_text(&r->line));
    } else {
        buffer_append_char(&r->line, '\n');
        fwrite(r->line.bytes, 1, r->line.length, stdout);
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

/* --- an event -----------------------------------------------------------------------------------
 */

static arrival known(bool is_known, timestamp time)
{
    return (arrival){is_known, time};
}

/* Lets the detector see what has changed, and what has expired, by now. */
static void tend(replay *r, timestamp now)
{
    char *error;
    detector_refreshing result = detector_tend(r->session.detector, now, write_alert, r, &error);

    if (result == REFRESH_FAILED || result == REFRESH_BUSY)
        fail(r, "the role list in memory cannot be read");
    free(error);
}

/* The rows of one object; a row whose time is its reception has the clock's. */
static arrival newest_of(const identity_rows *rows, timestamp received, arena *memory)
{
    arrival newest = {0};
    identity_record record;

    for (size_t n = 0; n < rows->count; n++) {
        if (identity_rows_read(rows, n, received, memory, &record) == IDENTITY_RECORD &&
            (!newest.is_known || record.time_generated > newest.time))
            newest = known(true, record.time_generated);
        arena_reset(memory);
    }
    return newest;
}

static bool put_rows(replay *r, const identity_rows *rows, timestamp now)
{
    bool put = role_list_begin(r->list);

    for (size_t n = 0; put && n < rows->count; n++) {
        identity_record record;

        if (identity_rows_read(rows, n, now, r->memory, &record) == IDENTITY_RECORD)
            put = role_list_put(r->list, &record);
        arena_reset(r->memory);
    }
    if (put && role_list_commit(r->list))
        return true;
    role_list_rollback(r->list);
    return fail(r, "the role list in memory cannot be written");
}

static void take_rows(replay *r, const identity_rows *rows, arrival arrived)
{
    arrival generated = rows->layout.shape == IDENTITY_GRAPH_ROLE
                            ? (arrival){0}
                            : newest_of(rows, r->clock.now, r->memory);
    timestamp now = arrival_clock_move(&r->clock, arrived, generated);

    if (!put_rows(r, rows, now))
        return;
    store_forget_version(r->session.store); /* its own connection wrote */
    tend(r, now);
}

/* The record's own time, whatever it records. */
static arrival time_of(replay *r, json *object)
{
    const audit_reader reader = {r->memory, r->parser};
    audit_record record;
    audit_reading reading =
        audit_record_read(object, rule_get_semantics(r->session.options->rule), &reader, &record);
    arrival time = known(reading == AUDIT_RECORD && record.has_time, record.time_generated);

    audit_record_release(&record);
    arena_reset(r->memory);
    return time.is_known ? time : (arrival){0};
}

static unwrap_kind judge_event(replay *r, json *object, arrival arrived)
{
    identity_rows rows;
    timestamp now;

    if (r->failed)
        return UNWRAP_OTHER_KIND;
    if (identity_rows_find(object, &rows)) {
        take_rows(r, &rows, arrived);
        return UNWRAP_RECORD;
    }
    now = arrival_clock_move(&r->clock, arrived, time_of(r, object));
    return detector_feed_object(r->session.worker, object, now, write_alert, r, &r->seen);
}

/* --- the order of time --------------------------------------------------------------------------
 */

/* Where an object stands in time; one of a kind that is unknown is looked into. */
static bool place_of(replay *r, json *object, arrival arrived, timestamp *at)
{
    identity_rows rows;
    bool is_rows = identity_rows_find(object, &rows);
    arrival generated = is_rows ? newest_of(&rows, r->clock.now, r->memory) : time_of(r, object);

    arrival_clock_move(&r->clock, (arrival){0}, generated);
    *at = arrived.is_known ? arrived.time : generated.is_known ? generated.time : r->clock.now;
    return is_rows || generated.is_known;
}

static bool keep_event(replay *r, const event *e)
{
    return event_order_put(r->order, e) || fail(r, event_order_error(r->order));
}

static unwrap_kind keep_object(replay *r, json *object, arrival arrived)
{
    event e = {.arrived = arrived};
    const audit_reader reader = {r->memory, r->parser};
    audit_record record;
    audit_reading reading;

    if (!place_of(r, object, arrived, &e.at)) {
        reading = audit_record_read(object, SEMANTICS_WIDE, &reader, &record);
        audit_record_release(&record);
        arena_reset(r->memory);
        if (reading != AUDIT_RECORD)
            return reading == AUDIT_OTHER_KIND ? UNWRAP_OTHER_KIND : UNWRAP_UNKNOWN;
    }
    buffer_clear(&r->line);
    json_write_value(&r->line, object);
    e.text = buffer_text(&r->line);
    keep_event(r, &e);
    return UNWRAP_RECORD;
}

static bool judge_kept(void *arg, const event *e)
{
    replay *r = arg;
    json *object;
    size_t taken;

    if (e->is_broken) {
        timestamp now = arrival_clock_move(&r->clock, e->arrived, (arrival){0});

        detector_feed_broken(r->session.worker, e->text, now, write_alert, r, &r->seen);
    } else if (json_parse(r->parser, e->text, &object, &taken) == NULL) {
        judge_event(r, object, e->arrived);
        json_free(object);
    } else {
        fail(r, "out of memory");
    }
    r->stale += r->seen.stale;
    r->seen = (detection){0};
    return !r->failed;
}

/* The clock begins anew: in the first pass it only gave places. */
static void judge_in_order(replay *r)
{
    r->clock = arrival_clock_begin(r->session.options->now);
    if (!event_order_each(r->order, judge_kept, r))
        fail(r, event_order_error(r->order));
}

/* --- a message ----------------------------------------------------------------------------------
 */

static unwrap_kind take_object(void *arg, json *object)
{
    replay *r = arg;
    arrival arrived = arrival_of(&r->clock, object);

    return r->order != NULL ? keep_object(r, object, arrived) : judge_event(r, object, arrived);
}

static void take_broken(void *arg, text broken, const char *reason)
{
    replay *r = arg;
    timestamp now = arrival_clock_move(&r->clock, r->clock.stamp, (arrival){0});

    (void)reason;
    if (r->order != NULL)
        keep_event(r, &(event){now, r->clock.stamp, true, broken});
    else
        detector_feed_broken(r->session.worker, broken, now, write_alert, r, &r->seen);
}

static void tell_unreadable(replay *r, const input_file *file, const input_message *message,
                            const unwrapped *found)
{
    if (found->broken > 0 && (r->seen.undecodable || input_message_is_json(message)))
        audit_session_tell(&r->session, file, message->line, found->reason);
    else if (!message->is_whole)
        audit_session_tell(&r->session, file, message->line, "cut off");
    else if (r->seen.undecodable || found->out_of_memory)
        audit_session_tell(&r->session, file, message->line, "out of memory");
}

static bool replay_message(void *arg, const input_file *file, const input_message *message)
{
    replay *r = arg;
    const unwrap_sink sink = {r, take_object, take_broken};
    unwrapped found;

    r->seen = (detection){0};
    arrival_clock_begin_line(&r->clock, message->text);
    found = detector_take_apart(r->session.worker, message->text, &sink);
    r->stale += r->seen.stale;
    tell_unreadable(r, file, message, &found);
    if (r->order == NULL && ++r->messages % TENDING_PERIOD == 0)
        tend(r, r->clock.now);
    return !r->failed;
}

/* --- the command --------------------------------------------------------------------------------
 */

static bool begin(replay *r, const options *o)
{
    if (!audit_session_begin_stream(&r->session, o))
        return false;
    r->clock = arrival_clock_begin(o->now);
    r->list = role_list_open(r->session.store);
    r->parser = json_parser_new(JSON_MOST_DEPTH);
    r->memory = arena_new();
    r->order = o->ordered_by_time ? event_order_new() : NULL;
    if (r->list && r->parser && r->memory && begin_table(r) &&
        (r->order != NULL || !o->ordered_by_time))
        return true;
    return fail(r, "out of memory");
}

static void end(replay *r)
{
    if (r->table != NULL && !table_end(r->table))
        fail(r, "out of memory");
    if (fflush(stdout) != 0 || ferror(stdout))
        fail(r, "standard output cannot be written");
    if (r->stale > 0)
        fprintf(stderr, "synctap: %zu records of the rule's operations came after the lookback\n",
                r->stale);
    if (r->failed)
        fprintf(stderr, "synctap: %s: alerts are missing\n", r->trouble);
    event_order_free(r->order);
    role_list_close(r->list);
    json_parser_free(r->parser);
    arena_free(r->memory);
    buffer_free(&r->line);
    audit_session_end(&r->session);
}

static int replay_with(const options *o)
{
    replay r = {0};
    bool begun = begin(&r, o);

    if (begun)
        audit_session_read(&r.session, replay_message, &r);
    if (begun && r.order != NULL && !r.failed)
        judge_in_order(&r);
    end(&r);
    return !begun || r.failed || r.session.unreadable ? EXIT_UNREADABLE : EXIT_DONE;
}

int cmd_replay(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_RULE | GROUP_AUDIT | GROUP_STREAM, USAGE,
                       replay_with);
}
