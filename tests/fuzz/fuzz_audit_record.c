/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_audit_record: a text is judged, explained, and judged beside a good record.
 *
 * What must hold for any text: the gate lets pass what the decoder takes for
 * one of the rule's operations; a good record on a line of its own gives the
 * same alert whatever stands on the lines before and behind it; the rows that
 * wide semantics ascribes to the query are those that the query returns; and
 * synctap's own alerts are whole JSON and never judged again.
 */
#include "fuzz.h"

#include <stdlib.h>

static const char good_record[] =
    "{\"time\":\"2026-06-01T12:00:00Z\",\"operationName\":\"Admin registered security info\","
    "\"category\":\"AuditLogs\",\"tenantId\":\"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\","
    "\"properties\":{\"id\":\"a good record\",\"result\":\"success\","
    "\"resultReason\":\"Admin registered temporary access pass method for user\","
    "\"initiatedBy\":{\"user\":{\"id\":\"1\",\"userPrincipalName\":\"admin@contoso.com\","
    "\"ipAddress\":\"203.0.113.7\"}},\"targetResources\":[{\"id\":\"2\",\"type\":\"User\","
    "\"userPrincipalName\":\"Sync_DC1_0123456789ab@contoso.onmicrosoft.com\"}]}}";

typedef struct side {
    rule *rule;
    detector *detector;
    detector_worker *worker;
} side;

static side kql, wide;
static detector_worker *worker_for_alerts;
static json_parser *parser;
static text good;
static buffer good_alert;

/* --- alerts --- */

static void require_json(const buffer *written)
{
    json *tree;
    size_t taken;

    FUZZ_REQUIRE(!buffer_failed(written), buffer_text(written));
    FUZZ_REQUIRE(json_parse(parser, buffer_text(written), &tree, &taken) == NULL,
                 buffer_text(written));
    FUZZ_REQUIRE(taken == written->length, buffer_text(written));
    json_free(tree);
}

static bool count_alert(void *arg, const alert *a)
{
    size_t *count = arg;

    (void)a;
    ++*count;
    return true;
}

/* synctap's own alert is never judged again, not even when it was cut. */
static void require_not_judged(text written)
{
    size_t alerts = 0;
    detection seen = detector_feed(worker_for_alerts, written, fuzz_now(), count_alert, &alerts);

    FUZZ_REQUIRE(alerts == 0 && !seen.undecodable, written);
    seen = detector_feed(worker_for_alerts, (text){written.bytes, written.length - 1}, fuzz_now(),
                         count_alert, &alerts);
    FUZZ_REQUIRE(alerts == 0 && !seen.undecodable, written);
}

/* Takes the first few alerts of a message: all are made alike. */
static void check_alert(const alert *a, size_t nth)
{
    buffer written = {0}, row = {0};

    if (nth > 2)
        return;
    alert_write(a, &written);
    require_json(&written);
    require_not_judged(buffer_text(&written));
    alert_write_row(a, &row);
    require_json(&row);
    buffer_free(&written);
    buffer_free(&row);
}

/* --- rows of both semantics --- */

enum { MOST_ROWS = 256 };

/* The query's rows of one message, each as a text of what must be the same in both semantics. */
typedef struct rows {
    size_t alerts;
    size_t count;
    buffer rows[MOST_ROWS];
} rows;

static void write_row(const alert *a, buffer *out)
{
    json_write_string(out, a->record->operation_name);
    json_write_string(out, a->target.upn);
    json_write_string(out, a->target.id);
    buffer_append_char(out, (char)('0' + a->target.index % 10));
    audit_target_write(&a->target, out);
}

static bool keep_row(void *arg, const alert *a)
{
    rows *all = arg;

    check_alert(a, all->alerts++);
    if (a->kql && !a->degraded && all->count < MOST_ROWS)
        write_row(a, &all->rows[all->count++]);
    return true;
}

static int compare_rows(const void *a, const void *b)
{
    return text_compare(buffer_text(a), buffer_text(b));
}

static void require_same_rows(rows *a, rows *b, text input)
{
    FUZZ_REQUIRE(a->count == b->count, input);
    if (a->count == MOST_ROWS)
        return;
    qsort(a->rows, a->count, sizeof(buffer), compare_rows);
    qsort(b->rows, b->count, sizeof(buffer), compare_rows);
    for (size_t i = 0; i < a->count; i++)
        FUZZ_REQUIRE(compare_rows(&a->rows[i], &b->rows[i]) == 0, input);
}

static void free_rows(rows *all)
{
    while (all->count > 0)
        buffer_free(&all->rows[--all->count]);
}

/* --- explanations --- */

typedef struct operations {
    bool kql;
    bool wide;
} operations;

static void look_for_operation(void *arg, const explanation *e)
{
    operations *found = arg;
    unsigned reasons = 0;
    buffer written = {0};

    found->wide |= rule_is_operation(e->rule, e->record, SEMANTICS_WIDE, &reasons);
    found->kql |= e->kql && rule_is_operation(e->rule, e->kql, SEMANTICS_KQL, &reasons);
    buffer_append_char(&written, '{');
    explain_write_members(e, &written);
    buffer_append_char(&written, '}');
    require_json(&written);
    buffer_free(&written);
}

/* --- a text --- */

static void require_sense(const detection *seen, size_t alerts, text input)
{
    FUZZ_REQUIRE(seen->rows == alerts && seen->degraded <= seen->rows, input);
    FUZZ_REQUIRE(seen->broken == 0 || seen->reason != NULL, input);
    FUZZ_REQUIRE(!seen->undecodable || seen->reason != NULL, input);
}

static void judge(text input)
{
    static rows by_kql, by_wide;
    operations found = {false, false};
    detection seen;

    by_kql.alerts = by_wide.alerts = 0;
    detector_explain(wide.worker, input, fuzz_now(), look_for_operation, &found);
    seen = detector_feed(wide.worker, input, fuzz_now(), keep_row, &by_wide);
    FUZZ_REQUIRE(seen.candidate || !found.wide, input);
    require_sense(&seen, by_wide.alerts, input);
    seen = detector_feed(kql.worker, input, fuzz_now(), keep_row, &by_kql);
    FUZZ_REQUIRE(seen.candidate || !found.kql, input);
    require_sense(&seen, by_kql.alerts, input);
    require_same_rows(&by_kql, &by_wide, input);
    free_rows(&by_kql);
    free_rows(&by_wide);
}

/* --- beside a good record --- */

static bool look_for_good_alert(void *arg, const alert *a)
{
    bool *found = arg;
    buffer written = {0};

    if (*found || !text_equal(a->record->record_id, (text)TEXT("a good record")))
        return true;
    alert_write(a, &written);
    *found = text_equal(buffer_text(&written), buffer_text(&good_alert));
    buffer_free(&written);
    return true;
}

/* Its alert does not change, down to the last byte, whatever stands on the other line. */
static void judge_lines(text first, text second)
{
    char *both = malloc(first.length + 1 + second.length);
    text message = {both, first.length + 1 + second.length};
    bool found = false;

    memcpy(both, first.bytes, first.length);
    both[first.length] = '\n';
    memcpy(both + first.length + 1, second.bytes, second.length);
    detector_feed(wide.worker, message, fuzz_now(), look_for_good_alert, &found);
    FUZZ_REQUIRE(found, message);
    free(both);
}

static void judge_all(text input)
{
    judge(input);
    judge_lines(input, good);
    judge_lines(good, input);
}

/* --- set-up --- */

static bool write_good_alert(void *arg, const alert *a)
{
    (void)arg;
    alert_write(a, &good_alert);
    return true;
}

static side new_side(semantics s)
{
    side result = {.rule = fuzz_rule(s)};

    result.detector = fuzz_detector(result.rule);
    result.worker = detector_worker_new(result.detector);
    return result;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    good = text_of(good_record);
    kql = new_side(SEMANTICS_KQL);
    wide = new_side(SEMANTICS_WIDE);
    worker_for_alerts = detector_worker_new(wide.detector);
    parser = json_parser_new(2 * JSON_MOST_DEPTH); /* an alert is deeper than its record */
    detector_feed(wide.worker, good, fuzz_now(), write_good_alert, NULL);
    require_json(&good_alert);
    return 0;
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    fuzz_in_both_key_modes(judge_all, (text){bytes, length});
    return 0;
}
