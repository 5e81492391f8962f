/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_explain: for each record each clause, its operands and its verdict. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/audit_session.h"
#include "cli/because.h"
#include "cli/commands.h"
#include "cli/words.h"
#include "record/unwrap.h"

static const char USAGE[] =
    "usage: synctap explain [OPTION...] [FILE...]\n"
    "Says of each audit record in files (or standard input) why the rule matches it or not:\n"
    "how it was reached, its shape, its operation, each target with each clause, in both\n"
    "semantics.\n"
    "\n"
    "  --identity FILE, --database DB, --now TIME, --lookback SPAN, --identity-window SPAN,\n"
    "  --rulebase FILE, --rule FILE, --watchlist NAME=FILE, --watchlist-key NAME=COLUMN,\n"
    "  and the rule's lists: as for synctap query\n"
    "  --date-order dmy|mdy  how dates in CSV files are written, where they do not show it\n"
    "  --fail-on-match       exit status 3 when a record matches\n"
    "  --format table|jsonl  words for a person, or one JSON object per record\n"
    "                        (default: words on a terminal, else jsonl)\n";

/* One message under explanation. */
typedef struct explain_run {
    audit_session session;
    semantics semantics; /* that the verdict is given in */
    json_parser *parser;
    const input_file *file;
    const input_message *message;
    const char *carrier;
    buffer lines; /* an object for each of the message's records, a line each, without its head */
    bool failed;  /* memory ran out */
} explain_run;

/* --- words --- */

static const char *yes_or_no(json *object, const char *key)
{
    return json_is_true(json_member(object, key)) ? "yes" : "no";
}

/* A string as JSON writes it: quoted. */
static void print_quoted(json *value)
{
    buffer out = {0};

    json_write_value(&out, value);
    words_put(stdout, buffer_failed(&out) ? (text)TEXT("?") : buffer_text(&out));
    buffer_free(&out);
}

static void print_member(const char *before, json *object, const char *key)
{
    fputs(before, stdout);
    print_quoted(json_member(object, key));
}

static void print_list(const char *head, json *list)
{
    if (json_array_length(list) == 0)
        return;
    fputs(head, stdout);
    for (size_t i = 0; i < json_array_length(list); i++) {
        fputs(i > 0 ? ", " : " ", stdout);
        print_quoted(json_array_item(list, i));
    }
    putchar('\n');
}

static void print_clause(json *clause)
{
    text name = json_string(json_member(clause, "clause"));
    json *right = json_member(clause, "right");

    printf("    %-20.*s kql %-3s  wide %-3s ", (int)name.length, name.bytes,
           yes_or_no(clause, "kql"), yes_or_no(clause, "wide"));
    print_member(" ", clause, "left");
    printf(" %s ", json_string(json_member(clause, "operator")).bytes);
    if (json_kind_of(right) == JSON_STRING)
        words_put(stdout, json_string(right));
    else
        print_quoted(right);
    putchar('\n');
}

static void print_target(json *target)
{
    json *clauses = json_member(target, "clauses");

    print_member("  target ", target, "index");
    printf(" (%s reading)", json_string(json_member(target, "reading")).bytes);
    print_member(" upn ", target, "upn");
    print_member(" id ", target, "id");
    printf(": %s\n", json_is_true(json_member(target, "matches")) ? "matches" : "does not match");
    for (size_t i = 0; i < json_array_length(clauses); i++)
        print_clause(json_array_item(clauses, i));
    print_list("    matched by", json_member(target, "matched_by"));
}

static void print_time(json *time)
{
    print_member("  time ", time, "time_generated");
    printf(", within the lookback: %s\n", yes_or_no(time, "is_within_lookback"));
}

static void print_operation(json *operation)
{
    print_member("  operation ", operation, "operation_name");
    print_member(", activity ", operation, "activity_display_name");
    printf(": kql %s, wide %s\n", yes_or_no(operation, "kql"), yes_or_no(operation, "wide"));
    print_list("    needed", json_member(operation, "needed"));
}

static void print_record(json *record)
{
    json *targets = json_member(record, "targets");

    print_time(json_member(record, "time"));
    print_operation(json_member(record, "operation"));
    for (size_t i = 0; i < json_array_length(targets); i++)
        print_target(json_array_item(targets, i));
    print_list("  notes", json_member(record, "notes"));
    printf("  verdict: kql %s, wide %s\n", yes_or_no(record, "kql"), yes_or_no(record, "wide"));
}

/* A term of a rule file's condition. */
static void print_term(json *term)
{
    json *right = json_member(term, "right");

    printf("    %-3s where ", yes_or_no(term, "holds"));
    print_quoted(json_member(term, "where"));
    print_member(": ", term, "operand");
    print_member(" ", term, "left");
    printf(" %s ", json_string(json_member(term, "operator")).bytes);
    print_quoted(right);
    putchar('\n');
}

static void print_row(json *row)
{
    json *terms = json_member(row, "terms");

    print_member("  row ", row, "positions");
    printf(" (%s reading)", json_string(json_member(row, "reading")).bytes);
    print_member(" upn ", row, "upn");
    print_member(" id ", row, "id");
    printf(": %s\n", json_is_true(json_member(row, "matches")) ? "matches" : "does not match");
    for (size_t i = 0; i < json_array_length(terms); i++)
        print_term(json_array_item(terms, i));
}

static void print_rows(json *record)
{
    json *rows = json_member(record, "rows");

    print_time(json_member(record, "time"));
    print_member("  operation ", record, "operation_name");
    putchar('\n');
    for (size_t i = 0; i < json_array_length(rows); i++)
        print_row(json_array_item(rows, i));
    print_list("  notes", json_member(record, "notes"));
    printf("  verdict: kql %s, wide %s\n", yes_or_no(record, "kql"), yes_or_no(record, "wide"));
}

static void print_words(json *object)
{
    print_member("", object, "file");
    print_member(":", object, "line");
    print_member(" ", object, "verdict");
    if (json_has_member(object, "because"))
        print_member(", because ", object, "because");
    print_member(", carrier ", object, "carrier");
    print_member(", shape ", object, "shape");
    if (json_has_member(object, "record_id"))
        print_member(", id ", object, "record_id");
    if (json_has_member(object, "reason"))
        print_member(": ", object, "reason");
    if (json_has_member(object, "remedy"))
        print_member("\n  remedy ", object, "remedy");
    putchar('\n');
    if (json_has_member(object, "rows"))
        print_rows(object);
    if (json_has_member(object, "targets"))
        print_record(object);
}

/* --- objects --- */

static const char *carrier_of(const input_message *message, bool by_rulebase)
{
    if (message->is_row)
        return "CSV";
    if (by_rulebase)
        return "rulebase";
    return input_message_is_json(message) ? "JSON" : "JSON in text";
}

/* Begins an object with where it came from; the caller goes on and closes it. */
static void begin_object(const explain_run *e, buffer *out)
{
    char line[24];

    snprintf(line, sizeof(line), "%zu", e->message->line);
    buffer_append_char(out, '{');
    json_write_member(out, "file", text_of(input_file_name(e->file)));
    json_write_key(out, "line");
    buffer_append_string(out, line);
    json_write_member(out, "carrier", text_of(e->carrier));
}

static void print_object(explain_run *e, buffer *object)
{
    bool as_words = e->session.options->format == FORMAT_TABLE;
    json *tree;
    size_t taken;

    if (buffer_failed(object)) {
        e->failed = true;
    } else if (!as_words) {
        fwrite(object->bytes, 1, object->length, stdout);
        putchar('\n');
    } else if (json_parse(e->parser, buffer_text(object), &tree, &taken) == NULL) {
        print_words(tree);
        json_free(tree);
    } else {
        e->failed = true;
    }
}

/* Keeps a record's members until the message is read and its carrier is known. */
static void take_explanation(void *arg, const explanation *x)
{
    explain_run *e = arg;

    buffer_append_char(&e->lines, '{');
    if (!explain_write_members(x, &e->lines))
        e->failed = true;
    buffer_append_string(&e->lines, "}\n");
}

static text verdict_of(const explain_run *e, text members)
{
    static const char *const matches[] = {
        [SEMANTICS_KQL] = "\"kql\":true,\"wide\":true}",
        [SEMANTICS_WIDE] = "\"wide\":true}",
    };
    const char *wanted = matches[e->semantics];
    size_t length = strlen(wanted);

    if (members.length >= length &&
        memcmp(members.bytes + members.length - length, wanted, length) == 0)
        return (text)TEXT("match");
    return (text)TEXT("no match");
}

/* False without memory. */
static bool write_because(const explain_run *e, text members, buffer *object)
{
    buffer because = {0};
    json *record;
    size_t taken;
    bool written;

    if (json_parse(e->parser, members, &record, &taken) != NULL)
        return false;
    because_append(record, e->semantics, &because);
    json_free(record);
    written = !buffer_failed(&because);
    if (written)
        json_write_member(object, "because", buffer_text(&because));
    buffer_free(&because);
    return written;
}

static void print_explained(explain_run *e, text members)
{
    buffer object = {0};
    text verdict = verdict_of(e, members);

    e->session.found |= text_equal(verdict, (text)TEXT("match"));
    begin_object(e, &object);
    json_write_member(&object, "verdict", verdict);
    e->failed |= !write_because(e, members, &object);
    buffer_append_char(&object, ',');
    buffer_append(&object, text_from(members, 1)); /* without its opening bracket */
    print_object(e, &object);
    buffer_free(&object);
}

static void print_all_explained(explain_run *e)
{
    text rest = buffer_text(&e->lines);

    while (rest.length > 0) {
        const char *end = memchr(rest.bytes, '\n', rest.length);
        text line = text_between(rest.bytes, end);

        print_explained(e, line);
        rest = text_from(rest, line.length + 1);
    }
}

/* What there is to say of a message besides its records. */
static void print_remark(explain_run *e, const char *verdict, const char *reason)
{
    buffer object = {0};

    begin_object(e, &object);
    json_write_member(&object, "verdict", text_of(verdict));
    json_write_member(&object, "shape", (text)TEXT(""));
    if (reason != NULL)
        json_write_member(&object, "reason", text_of(reason));
    if (unwrap_remedy(reason) != NULL)
        json_write_member(&object, "remedy", text_of(unwrap_remedy(reason)));
    buffer_append_char(&object, '}');
    print_object(e, &object);
    buffer_free(&object);
}

/* Gives what was seen. */
static unsigned remark(explain_run *e, const detector_explained *found)
{
    const detection *d = &found->detection;
    unsigned sights = d->records > 0 ? SIGHT_RECORD : SIGHT_NONE;

    if (e->message->trouble != NULL) {
        print_remark(e, "no record", e->message->trouble);
        audit_session_tell(&e->session, e->file, e->message->line, e->message->trouble);
        sights |= SIGHT_TROUBLE;
    } else if (d->undecodable || !e->message->is_whole ||
               (d->broken > 0 && input_message_is_json(e->message))) {
        const char *reason = d->reason ? d->reason : "cut off";

        print_remark(e,
                     found->shows_account ? "undecodable, shows a sync account: degraded alert"
                     : d->undecodable     ? "undecodable, shows an operation"
                                          : "undecodable",
                     reason);
        audit_session_tell(&e->session, e->file, e->message->line, reason);
        sights |= SIGHT_TROUBLE;
    } else if (d->records == 0) {
        print_remark(e, found->other_kinds > 0 ? "another kind of record" : "no record", NULL);
    }
    return sights;
}

static bool explain_message(void *arg, const input_file *file, const input_message *message,
                            unsigned *sights)
{
    explain_run *e = arg;
    detector_explained found;

    e->file = file;
    e->message = message;
    buffer_clear(&e->lines);
    found = detector_explain(e->session.worker, message->text, e->session.options->now,
                             take_explanation, e);
    e->carrier = carrier_of(message, found.by_rulebase);
    e->failed |= buffer_failed(&e->lines);
    if (e->failed)
        return false;
    print_all_explained(e);
    *sights = remark(e, &found);
    audit_session_tell_unread_time(&e->session, input_file_name(file), message->line,
                                   found.detection.unread_time);
    return true;
}

static int explain_with(const options *o)
{
    enum { OBJECT_DEPTH = 16 }; /* of what is printed here */
    explain_run e = {.semantics = rule_get_semantics(o->rule)};
    bool begun;
    int status;

    rule_set_semantics(o->rule, SEMANTICS_WIDE); /* both are told, whichever was asked for */
    e.parser = json_parser_new(OBJECT_DEPTH);
    begun = audit_session_begin(&e.session, o) && e.parser != NULL;
    if (isatty(STDOUT_FILENO))
        e.session.progress.is_on = false; /* each record shows how far it is */
    if (begun)
        audit_session_read(&e.session, explain_message, &e);
    if (e.failed)
        words_say("out of memory, explanations are missing");
    buffer_free(&e.lines);
    json_parser_free(e.parser);
    status = audit_session_status(&e.session, !begun || e.failed);
    audit_session_end(&e.session);
    return status;
}

int cmd_explain(int argc, char **argv)
{
    return options_run(argc, argv, GROUP_STORE | GROUP_RULE | GROUP_RULE_FILE | GROUP_AUDIT, USAGE,
                       explain_with);
}
