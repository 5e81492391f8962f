/* SPDX-License-Identifier: Apache-2.0 */
/* Messages in, alerts out: shapes, wrappings, time, the role list, and several workers at once. */
#include "detector/keeper.h"

#include <libfastjson/json.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define NOW "2026-06-01T12:00:05Z"
#define BOB "bob@contoso.com"

static const audit_shape shapes[] = {SHAPE_DIAGNOSTIC, SHAPE_LOG_ANALYTICS, SHAPE_DIRECTORY_AUDIT};

/* --- a detector and what it says --- */

static void give_back_detector(void *d)
{
    detector_free(d);
}

static void give_back_worker(void *w)
{
    detector_worker_free(w);
}

static detector *new_detector(const rule *r)
{
    detector *d = detector_new(r);

    REQUIRE(d != NULL);
    test_at_end(give_back_detector, d);
    return d;
}

static detector_worker *new_worker(detector *d)
{
    detector_worker *w = detector_worker_new(d);

    REQUIRE(w != NULL);
    test_at_end(give_back_worker, w);
    return w;
}

/* A worker of a detector without a role list. */
static detector_worker *plain_worker(semantics s)
{
    return new_worker(new_detector(new_rule(s)));
}

/* What came of a message; of the alerts, the first eight. */
typedef struct outcome {
    detection seen;
    const char *upns;    /* of all alerts: "a@x b@x " */
    const char *kql_ids; /* of those that the query returns too */
    size_t kql;          /* how many of them the query returns too */
    unsigned matched_by;
    timestamp time_generated;
    timestamp detected_at;
    const char *alerts[8]; /* as they are written */
    const char *ids[8];
    size_t count;
} outcome;

static bool take_alert(void *arg, const alert *a)
{
    outcome *o = arg;
    buffer out = {0};

    o->upns = test_string("%s%.*s ", o->upns, (int)a->target.upn.length, a->target.upn.bytes);
    if (a->kql)
        o->kql_ids = test_string("%s%s ", o->kql_ids, a->id);
    o->kql += a->kql;
    o->matched_by |= a->matched_by;
    o->time_generated = a->time_generated;
    o->detected_at = a->detected_at;
    alert_write(a, &out);
    if (o->count < LENGTH_OF(o->alerts)) {
        o->alerts[o->count] = test_string("%s", buffer_string(&out));
        o->ids[o->count] = test_string("%s", a->id);
        o->count++;
    }
    buffer_free(&out);
    return true;
}

static outcome feed_at(detector_worker *w, const char *message, timestamp now)
{
    outcome o = {.upns = "", .kql_ids = ""};

    o.seen = detector_feed(w, text_of(message), now, take_alert, &o);
    return o;
}

static outcome feed(detector_worker *w, const char *message)
{
    return feed_at(w, message, time_of(NOW));
}

static outcome judge(semantics s, const char *message)
{
    return feed(plain_worker(s), message);
}

/* Written with ' for ". */
static outcome judge_quoted(semantics s, const char *message)
{
    return judge(s, quoted(message));
}

/* --- shapes and wrappings --- */

/* What stands around a record that was put into a string so many times. */
typedef struct wrapping {
    const char *before, *behind;
    int levels;
} wrapping;

static const wrapping wrappings[] = {
    {"", "", 0},
    {" \r\n", "\r\n", 0},
    {"\357\273\277", "", 0},
    {"[", "]", 0},
    {"{\"records\":[", "]}", 0},
    {"{\"records\":[{\"category\":\"other\"},", "]}", 0},
    {"{\"@odata.context\":\"x\",\"value\":[", "]}", 0},
    {"{\"time\":1780315200,\"sourcetype\":\"s\",\"event\":", "}", 0},
    {"{\"body\":", ",\"x-opt-offset\":\"1\"}", 0},
    {"{\"body\":{\"records\":[", "]},\"x-opt-offset\":\"1\"}", 0},
    {"{\"message\":", "}", 1},
    {"{\"event\":{\"original\":", "}}", 1},
    {"{\"_raw\":", ",\"cribl_pipe\":\"x\"}", 1},
    {"{\"cribl_data\":{\"original_message\":", "}}", 1},
    {"{\"message\":", "}", 2},
    {"{\"message\":", "}", 3},
    {"azure_tag: azure-storage. azure_storage_tag: X. ", "", 0},
    {"@cee:", "", 0},
    {"<134>", "", 0},
    {"<134>Jun  1 12:00:00 azurefunction ", "", 0},
    {"<134>Jun  1 12:00:00 host app[123]: ", "", 0},
    {"<134>1 2026-06-01T12:00:00Z host app 1 ID [a@1 b=\"c\"] ", "", 0},
    {"812 ", "", 0},
    {"LEEF:2.0|a|b|1|100|\tmsg=", "\tcat=audit", 0},
    {"{\"a\":1}\n", "\n{\"b\":2}", 0},
    {"{\"a\":1}", "/tail", 0},
};

static const char *wrap(const wrapping *w, const char *record)
{
    for (int level = 0; level < w->levels; level++)
        record = json_string_of(level ? test_string("{\"message\":%s}", record) : record);
    return test_string("%s%s%s", w->before, record, w->behind);
}

static void name_wrapping(const wrapping *w)
{
    test_case("%s...%s, %d strings deep", w->before, w->behind, w->levels);
}

static void check_shape_in_all_wrappings(audit_shape shape, semantics s)
{
    detector_worker *w = plain_worker(s);

    for (size_t i = 0; i < LENGTH_OF(wrappings); i++) {
        outcome o = feed(w, wrap(&wrappings[i], PLAIN_AUDIT_TEXT(shape)));

        name_wrapping(&wrappings[i]);
        EXPECT(o.seen.candidate);
        EXPECT_INT(o.seen.records, 1);
        EXPECT_INT(o.seen.rows, 1);
        EXPECT_INT(o.kql, 1);
        EXPECT_INT(o.matched_by, 1u << CLAUSE_UPN_STARTSWITH);
        EXPECT_STRING(o.upns, SYNC_UPN " ");
        EXPECT_INT(o.seen.broken, 0);
        EXPECT_NOT(o.seen.undecodable);
    }
}

static void test_a_diagnostic_record_in_each_wrapping(void)
{
    check_shape_in_all_wrappings(SHAPE_DIAGNOSTIC, SEMANTICS_KQL);
    check_shape_in_all_wrappings(SHAPE_DIAGNOSTIC, SEMANTICS_WIDE);
}

static void test_a_log_analytics_row_in_each_wrapping(void)
{
    check_shape_in_all_wrappings(SHAPE_LOG_ANALYTICS, SEMANTICS_KQL);
    check_shape_in_all_wrappings(SHAPE_LOG_ANALYTICS, SEMANTICS_WIDE);
}

static void test_a_directory_audit_in_each_wrapping(void)
{
    check_shape_in_all_wrappings(SHAPE_DIRECTORY_AUDIT, SEMANTICS_KQL);
    check_shape_in_all_wrappings(SHAPE_DIRECTORY_AUDIT, SEMANTICS_WIDE);
}

static void test_several_records_in_one_message(void)
{
    outcome o = judge(SEMANTICS_KQL, test_string("{\"records\":[%s,%s,%s]}",
                                                 AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "Sync_1@x"),
                                                 AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "someone@x"),
                                                 AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "Sync_3@x")));

    EXPECT_INT(o.seen.records, 3);
    EXPECT_INT(o.seen.rows, 2);
    EXPECT_STRING(o.upns, "Sync_1@x Sync_3@x ");
}

static void test_each_matching_target_is_a_row_of_its_own(void)
{
    outcome o = judge_quoted(SEMANTICS_KQL, "{'OperationName':'Register security info','Id':'r',"
                                            "'TargetResources':[{'userPrincipalName':'Sync_1@x'},"
                                            "{'userPrincipalName':'someone@x'},null,"
                                            "{'userPrincipalName':'dirsync@x'}]}");

    EXPECT_INT(o.seen.records, 1);
    EXPECT_STRING(o.upns, "Sync_1@x dirsync@x ");
    EXPECT(strcmp(o.ids[0], o.ids[1]) != 0);
}

static void test_a_phrase_in_escapes_is_found(void)
{
    EXPECT_INT(judge_quoted(SEMANTICS_KQL,
                            "{'OperationName':'Register\\u0020\\u0073ecurity info',"
                            "'TargetResources':[{'userPrincipalName':'\\u0053ync_1@x'}]}")
                   .seen.rows,
               1);
}

static void test_json_in_a_cef_extension(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    const char *directory = getenv("SYNCTAP_RULEBASE_DIR"); /* as `make check` sets it */
    char *error;

    REQUIRE(directory != NULL);
    REQUIRE(detector_open_rulebase(d, test_string("%s/entra-audit.rulebase", directory), &error));
    EXPECT_INT(feed(new_worker(d), "CEF:0|a|b|1|100|Audit|5|src=10.0.0.1 msg={\"OperationName\":"
                                   "\"Register security info\",\"q\":\"a\\=b\",\"TargetResources\":"
                                   "[{\"userPrincipalName\":\"Sync_1@x\"}]}")
                   .seen.rows,
               1);
}

static void test_a_parsed_tree(void)
{
    outcome o = {.upns = "", .kql_ids = ""};
    json *tree = json_of(test_string("{'records':[%s]}", PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)));

    o.seen = detector_feed_tree(plain_worker(SEMANTICS_KQL), tree, time_of(NOW), take_alert, &o);
    EXPECT_INT(o.seen.rows, 1);
    EXPECT_STRING(o.upns, SYNC_UPN " ");
}

static void test_a_tree_of_something_else(void)
{
    outcome o = {.upns = "", .kql_ids = ""};

    o.seen = detector_feed_tree(plain_worker(SEMANTICS_KQL), json_of("{'a':[1,'b']}"), time_of(NOW),
                                take_alert, &o);
    EXPECT_INT(o.seen.rows, 0);
    EXPECT_INT(o.seen.records, 0);
}

/* --- what does not match --- */

static void test_other_operations_are_no_rows(void)
{
    outcome o = judge(SEMANTICS_KQL, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .operation = "Update user"));

    EXPECT_INT(o.seen.rows, 0);
    EXPECT_NOT(o.seen.undecodable);
}

static void test_a_message_without_a_phrase_is_no_candidate(void)
{
    outcome o = judge(SEMANTICS_KQL, "Jun  1 12:00:00 host sshd[1]: Accepted publickey");

    EXPECT_NOT(o.seen.candidate);
    EXPECT_INT(o.seen.records, 0);
    EXPECT_NOT(o.seen.undecodable);
}

static void test_a_phrase_outside_of_the_operation_does_not_count(void)
{
    outcome o = judge_quoted(SEMANTICS_KQL, "{'OperationName':'Update user','ResultReason':"
                                            "'Register security info','TargetResources':"
                                            "[{'userPrincipalName':'Sync_1@x'}]}");

    EXPECT(o.seen.candidate);
    EXPECT_INT(o.seen.records, 1);
    EXPECT_INT(o.seen.rows, 0);
    EXPECT_NOT(o.seen.undecodable);
}

static void test_other_targets_are_no_rows(void)
{
    outcome o = judge(SEMANTICS_KQL, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = BOB));

    EXPECT_INT(o.seen.records, 1);
    EXPECT_INT(o.seen.rows, 0);
}

static void test_an_id_that_looks_like_a_sync_accounts_name_proves_nothing(void)
{
    EXPECT_INT(
        judge(SEMANTICS_KQL, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = BOB, .record_id = "Sync_1 2 3"))
            .seen.rows,
        0);
}

static void test_records_of_another_kind_are_no_error(void)
{
    outcome o = judge_quoted(SEMANTICS_KQL,
                             "{'records':[{'operationName':{'value':'Register security info'}},"
                             "{'category':'SignInLogs','operationName':'Sign-in activity',"
                             "'properties':{}}]}");

    EXPECT_INT(o.seen.rows, 0);
    EXPECT_INT(o.seen.broken, 0);
    EXPECT_NOT(o.seen.undecodable);
}

/* Its properties have the shape of a directoryAudit; the query sees the envelope alone. */
static void test_the_properties_of_another_kind_are_no_record(void)
{
    EXPECT_INT(judge_quoted(SEMANTICS_KQL,
                            "{'operationName':{},'properties':{'activityDisplayName':"
                            "'Register security info','targetResources':[{"
                            "'userPrincipalName':'Sync_1@x'}]}}")
                   .seen.rows,
               0);
}

static void test_another_kind_may_carry_a_record(void)
{
    const char *message = quoted("{'operationName':{},'properties':{'records':[{'operationName':"
                                 "'Register security info','properties':{'targetResources':[{"
                                 "'userPrincipalName':'Sync_1@x'}]}}]}}");

    EXPECT_STRING(judge(SEMANTICS_KQL, message).upns, "Sync_1@x ");
}

static void test_a_record_with_targets_is_one_whatever_its_category(void)
{
    EXPECT_STRING(judge_quoted(SEMANTICS_KQL,
                               "{'category':'SignInLogs','operationName':'Register security info',"
                               "'properties':{'targetResources':[{"
                               "'userPrincipalName':'Sync_1@x'}]}}")
                      .upns,
                  "Sync_1@x ");
}

static void test_words_alone_carry_no_record(void)
{
    outcome o = judge(SEMANTICS_KQL, "Please use Register security info for Sync_1@x");

    EXPECT_INT(o.seen.rows, 0);
    EXPECT_NOT(o.seen.undecodable);
}

/* --- time --- */

static void test_a_record_counts_until_the_lookbacks_edge(void)
{
    detector_worker *w = plain_worker(SEMANTICS_KQL);
    const char *message = AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = "2026-06-01T12:00:00Z");
    const timestamp edge = time_of("2026-06-02T12:00:00Z");
    outcome inside = feed_at(w, message, edge - 1), outside = feed_at(w, message, edge);

    EXPECT_INT(inside.seen.rows, 1);
    EXPECT_INT(inside.seen.stale, 0);
    EXPECT_INT(outside.seen.rows, 0);
    EXPECT_INT(outside.seen.stale, 1);
}

static void test_the_lookback_can_be_set(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    detector_worker *w;

    rule_set_lookback(r, 3600 * TICKS_PER_SECOND);
    w = new_worker(new_detector(r));
    EXPECT_INT(
        feed_at(w, PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC), time_of("2026-06-01T12:59:59.9999999Z"))
            .seen.rows,
        1);
    EXPECT_INT(
        feed_at(w, PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC), time_of("2026-06-01T13:00:00Z")).seen.stale,
        1);
}

static void test_a_lookback_of_zero_lets_every_record_count(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    outcome o;

    rule_set_lookback(r, 0);
    o = feed(new_worker(new_detector(r)),
             AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = "1999-01-01T00:00:00Z"));
    EXPECT_INT(o.seen.rows, 1);
    EXPECT_INT(o.seen.stale, 0);
}

static void test_an_old_record_of_another_operation_is_not_stale(void)
{
    outcome o = feed_at(plain_worker(SEMANTICS_KQL),
                        AUDIT_TEXT(SHAPE_DIAGNOSTIC, .operation = "Update user",
                                   .record_id = "Register security info"),
                        time_of("2027-01-01T00:00:00Z"));

    EXPECT_INT(o.seen.records, 1);
    EXPECT_INT(o.seen.stale, 0);
}

static void test_a_record_of_the_future_counts(void)
{
    EXPECT_INT(judge(SEMANTICS_KQL, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = "2027-01-01T00:00:00Z"))
                   .seen.rows,
               1);
}

static void test_a_record_without_a_readable_time_counts_as_received_now(void)
{
    static const char *const times[] = {"", "yesterday", "2026-13-01T00:00:00Z"};

    for (size_t i = 0; i < LENGTH_OF(times); i++) {
        outcome o = judge(SEMANTICS_KQL, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = times[i]));

        test_case("%s", times[i]);
        EXPECT_INT(o.seen.rows, 1);
        EXPECT_TIME(o.time_generated, time_of(NOW));
    }
}

static void test_an_alert_has_the_records_time_and_the_detections(void)
{
    outcome o = judge(SEMANTICS_KQL,
                      AUDIT_TEXT(SHAPE_DIAGNOSTIC, .time = "2026-06-01T14:00:00.1234567+02:00"));

    EXPECT_TIME(o.time_generated, time_of("2026-06-01T12:00:00.1234567Z"));
    EXPECT_TIME(o.detected_at, time_of(NOW));
}

static void test_the_same_message_alerts_under_the_same_id(void)
{
    outcome once = judge(SEMANTICS_KQL, PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC));
    outcome again = judge(SEMANTICS_WIDE, wrap(&wrappings[4], PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)));

    EXPECT_STRING(once.ids[0], again.ids[0]);
}

static void test_an_alert_names_its_collector(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    const char *message = PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC);
    const char *nameless, *named;

    nameless = feed(new_worker(d), message).alerts[0];
    REQUIRE(detector_set_collector(d, "collector-1"));
    named = feed(new_worker(d), message).alerts[0];
    EXPECT(strstr(nameless, "\"collector\":\"\"") != NULL);
    EXPECT(strstr(named, "\"collector\":\"collector-1\"") != NULL);
}

/* --- what cannot be decoded --- */

/* "never passed as no match": from the phrase on, however little of the record is there. */
static void check_every_cut(audit_shape shape, semantics s)
{
    detector_worker *w = plain_worker(s);
    const char *whole = PLAIN_AUDIT_TEXT(shape);
    const char *phrase = strstr(whole, "Admin registered security info");
    size_t length = (size_t)(phrase - whole) + strlen("Admin registered security info");

    for (; length < strlen(whole); length++) {
        outcome o = feed(w, test_string("%.*s", (int)length, whole));

        test_case("%zu bytes of shape %d, %s", length, (int)shape, s ? "wide" : "kql");
        EXPECT(o.seen.undecodable);
        EXPECT(o.seen.broken > 0);
        EXPECT(o.seen.reason != NULL);
    }
}

static void test_a_cut_record_is_undecodable_wherever_it_was_cut(void)
{
    for (size_t i = 0; i < LENGTH_OF(shapes); i++) {
        check_every_cut(shapes[i], SEMANTICS_KQL);
        check_every_cut(shapes[i], SEMANTICS_WIDE);
    }
}

static void test_a_cut_record_that_shows_a_sync_account_makes_a_degraded_alert(void)
{
    for (size_t i = 0; i < LENGTH_OF(shapes); i++) {
        const char *whole = PLAIN_AUDIT_TEXT(shapes[i]);
        outcome o = judge(SEMANTICS_WIDE, test_string("%.*s", (int)strlen(whole) - 2, whole));

        test_case("shape %d", (int)shapes[i]);
        EXPECT(o.seen.undecodable);
        EXPECT_INT(o.seen.rows, 1);
        EXPECT_INT(o.seen.degraded, 1);
        EXPECT_STRING(o.upns, SYNC_UPN " ");
        EXPECT(strstr(o.alerts[0], "\"confidence\":\"degraded\"") != NULL);
    }
}

static void test_a_cut_record_of_another_account_makes_no_alert(void)
{
    const char *whole = AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = BOB);
    outcome o = judge(SEMANTICS_WIDE, test_string("%.*s", (int)strlen(whole) - 2, whole));

    EXPECT(o.seen.undecodable);
    EXPECT_INT(o.seen.rows, 0);
}

static void test_a_broken_document_without_a_phrase_is_not_undecodable(void)
{
    outcome o =
        judge(SEMANTICS_KQL, test_string("{\"a\":oops}\n%s", PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)));

    EXPECT_INT(o.seen.rows, 1);
    EXPECT_INT(o.seen.broken, 1);
    EXPECT_NOT(o.seen.undecodable);
}

static void test_a_broken_document_beside_a_good_one_is_undecodable(void)
{
    outcome o = judge(SEMANTICS_KQL, test_string("%s\n{\"OperationName\":\"Register security info"
                                                 "\",oops}",
                                                 PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)));

    EXPECT(o.seen.rows >= 1);
    EXPECT(o.seen.undecodable);
}

static void test_a_record_that_is_too_deep_is_undecodable(void)
{
    buffer message = {0};
    outcome o;

    buffer_append_string(&message, "{\"OperationName\":\"Register security info\",\"a\":");
    for (int i = 0; i < 10000; i++)
        buffer_append_char(&message, '[');
    for (int i = 0; i < 10000; i++)
        buffer_append_char(&message, ']');
    buffer_append_char(&message, '}');
    o = judge(SEMANTICS_KQL, buffer_string(&message));
    EXPECT(o.seen.undecodable);
    buffer_free(&message);
}

/* Three strings around a row, and the one that its column is. */
static void test_a_cut_row_in_three_strings_shows_its_account(void)
{
    const char *targets = "[{\"userPrincipalName\":\"Sync_A@x\"}]";
    const char *row = test_string("{\"OperationName\":\"Register security info\",\"TimeGenerated\":"
                                  "\"" NOW "\",\"TargetResources\":%s,\"Result\":\"success\"}",
                                  json_string_of(targets));

    for (int i = 0; i < 3; i++)
        row = test_string("{\"message\":%s}", json_string_of(row));
    EXPECT_INT(judge(SEMANTICS_WIDE, row).seen.rows, 1);
    for (size_t less = 1; less < 30; less++) {
        outcome o = judge(SEMANTICS_WIDE, test_string("%.*s", (int)(strlen(row) - less), row));

        test_case("%zu bytes less", less);
        EXPECT_INT(o.seen.rows, 1);
    }
}

/* --- our own alerts --- */

static void test_our_own_alerts_are_never_judged_again(void)
{
    const char *own = judge(SEMANTICS_WIDE, PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)).alerts[0];
    detector_worker *w = plain_worker(SEMANTICS_WIDE);

    for (size_t i = 0; i < LENGTH_OF(wrappings); i++) {
        outcome o = feed(w, wrap(&wrappings[i], own));

        name_wrapping(&wrappings[i]);
        EXPECT_INT(o.seen.rows, 0);
        EXPECT_NOT(o.seen.undecodable);
    }
}

/* As many as would make another text UTF-16. */
static void test_our_own_alert_may_quote_nul_bytes(void)
{
    char nuls[6 * 400 + 1] = "";
    const char *own;
    detector_worker *w = plain_worker(SEMANTICS_WIDE);

    for (size_t i = 0; i < 400; i++)
        strcat(nuls, "\\u0000");
    own =
        feed(w, test_string("{\"OperationName\":\"Register security info\",\"ResultReason\":\"%s\","
                            "\"TargetResources\":[{\"userPrincipalName\":\"Sync_A@x\"}],"
                            "\"TimeGenerated\":\"" NOW "\"}",
                            nuls))
            .alerts[0];
    REQUIRE(own != NULL);
    for (size_t length = strlen(own) - 40; length <= strlen(own); length++) {
        outcome o = feed(w, test_string("%.*s", (int)length, own));

        test_case("%zu bytes of %zu", length, strlen(own));
        EXPECT_INT(o.seen.rows, 0);
        EXPECT_NOT(o.seen.undecodable);
    }
}

static void test_our_own_alert_cut_anywhere_makes_no_other(void)
{
    const char *own = judge(SEMANTICS_WIDE, PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)).alerts[0];
    detector_worker *w = plain_worker(SEMANTICS_WIDE);

    for (size_t length = 0; length < strlen(own); length++) {
        test_case("%zu bytes", length);
        EXPECT_INT(feed(w, test_string("%.*s", (int)length, own)).seen.rows, 0);
    }
}

static void test_a_record_cannot_pass_for_our_own_alert(void)
{
    const char *own = judge(SEMANTICS_WIDE, PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)).alerts[0];
    const char *record = test_string("{\"OperationName\":\"Register security info\",\"Result\":%s,"
                                     "\"TargetResources\":[{\"displayName\":%s,"
                                     "\"userPrincipalName\":\"Sync_1@x\"}],"
                                     "\"AdditionalDetails\":[{\"key\":%s,\"value\":\"synctap\"}]}",
                                     json_string_of(own), json_string_of(own), json_string_of(own));

    EXPECT_INT(judge(SEMANTICS_KQL, record).seen.rows, 1);
    EXPECT_INT(judge(SEMANTICS_WIDE, record).seen.rows, 1);
}

/* Somebody has the beginning of one for a name, and it stands in front of his record. */
static void test_the_beginning_of_our_own_alert_hides_no_record(void)
{
    static const char *const begins[] = {
        "{\"alert_id\":\"\",\"rule_id\":\"\",\"rule_name\":\"",
        "{\"alert_id\":\"\",\"rule_id\":\"\",\"rule_name\":",
        "{\"alert_id\":\"\",\"rule_id\":\"\",\"rule_name\":\"\",\"rule_version\":\"\",\"severity\":"
        "\"\","
        "\"tactics\":[",
        "{\"ProviderName\":\"synctap\",\"ProductName\":\"synctap\",\"VendorName\":\"synctap\","
        "\"SystemAlertId\":\"",
        "{\"ecs\":{\"version\":\"9.4.0\"},\"event\":{\"module\":\"synctap\",\"dataset\":"
        "\"synctap.alert\",\"id\":\"",
        "{\"metadata\":{\"product\":{\"name\":\"synctap\",\"vendor_name\":\"synctap\",\"version\":"
        "\"",
        "{\"source\":\"synctap\",\"sourcetype\":\"synctap:alert\",\"time\":",
        "{\"source\":\"synctap\",\"sourcetype\":\"synctap:alert\",\"time\":0,\"event\":",
        "CEF:0|synctap|synctap|1|r|n|10|externalId=",
        "CEF:0|synctap|synctap|1|r|n|10|externalId=x type=2 rt=1 act=x suser=",
        "LEEF:1.0|synctap|synctap|1|TAPSyncAccount|devTime=",
    };
    static const char *const betweens[] = {"", " ", ". ", " raw=", "\traw=", "\"}. ", "\n"};
    static const char record[] =
        "{%s\"operationName\":\"Register security info\",\"time\":\"" NOW "\",\"properties\":{"
        "\"id\":\"r1\",\"correlationId\":\"5d0c1f7e-2222-4bbb-8ccc-000000000001\","
        "\"resultReason\":\"Admin registered temporary access pass method for user\","
        "\"loggedByService\":\"Authentication Methods\",\"targetResources\":["
        "{\"userPrincipalName\":\"Sync_A@x\"}]}}";
    const char *forms[] = {test_string(record, ""), test_string(record, "\n ")};
    detector_worker *w = plain_worker(SEMANTICS_WIDE);

    for (size_t i = 0; i < LENGTH_OF(begins); i++)
        for (size_t j = 0; j < LENGTH_OF(betweens); j++)
            for (size_t k = 0; k < LENGTH_OF(forms); k++) {
                outcome o =
                    feed(w, test_string("azure: user: %s%s%s", begins[i], betweens[j], forms[k]));

                test_case("%s, between: '%s', form %zu", begins[i], betweens[j], k);
                EXPECT_INT(o.seen.rows, 1);
                EXPECT_INT(o.seen.degraded, 0);
            }
}

/* --- the role list --- */

static bool ignore_alert(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

static void give_back_keeper(void *k)
{
    keeper_free(k);
}

static keeper *new_keeper(detector *d)
{
    keeper *k = keeper_new(d);

    REQUIRE(k != NULL);
    test_at_end(give_back_keeper, k);
    return k;
}

static void open_keeper(keeper *k, const char *path)
{
    char *error;

    REQUIRE(keeper_open(k, path, STORE_CREATE, time_of(NOW), &error));
}

static keeper_status update(keeper *k)
{
    char *error;
    keeper_status status = keeper_update(k, time_of(NOW), ignore_alert, NULL, &error);

    EXPECT_INT(status == KEEPER_FAILED, error != NULL);
    free(error);
    return status;
}

static identity_record bob(const char *roles, const char *time)
{
    return identity_row(BOB, "id of bob", roles, time);
}

static outcome feed_bob(detector_worker *w)
{
    return feed(w, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "BOB@contoso.com"));
}

static void test_without_a_store_the_naming_rules_alone_judge(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);

    EXPECT(keeper_store(k) == NULL);
    EXPECT_INT(update(k), KEEPER_UNCHANGED);
    EXPECT_INT(keeper_read_facts(k, time_of(NOW)).sync_accounts, 0);
    EXPECT_INT(feed(new_worker(d), PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC)).seen.rows, 1);
}

static void test_the_role_list_in_a_store_is_read_when_it_is_opened(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    detector_worker *w = new_worker(d);

    PUT_ROWS(open_role_list(open_store(test_path("state.db"))), bob(SYNC_ROLE, NOW));
    EXPECT_INT(feed_bob(w).seen.rows, 0);
    open_keeper(k, test_path("state.db"));
    EXPECT(keeper_store(k) != NULL);
    EXPECT(store_is_writable(keeper_store(k)));
    EXPECT_INT(feed_bob(w).matched_by, 1u << CLAUSE_IDENTITY_UPN);
}

static void test_a_role_list_that_comes_through_another_connection_counts_after_a_refresh(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    detector_worker *w = new_worker(d);
    role_list *elsewhere = open_role_list(open_store(test_path("state.db")));

    open_keeper(k, test_path("state.db"));
    EXPECT_INT(feed_bob(w).seen.rows, 0);
    PUT_ROWS(elsewhere, bob(SYNC_ROLE, "2026-06-01T10:00:00Z"));
    EXPECT_INT(update(k), KEEPER_CHANGED);
    EXPECT_INT(feed_bob(w).seen.rows, 1);
    EXPECT_INT(update(k), KEEPER_UNCHANGED);
    PUT_ROWS(elsewhere, bob("[]", "2026-06-01T11:00:00Z"));
    EXPECT_INT(update(k), KEEPER_CHANGED);
    EXPECT_INT(feed_bob(w).seen.rows, 0);
}

static void test_a_target_matches_by_its_id(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);

    PUT_ROWS(open_role_list(open_store(test_path("state.db"))),
             identity_row("other@x", TARGET_ID, SYNC_ROLE, NOW));
    open_keeper(k, test_path("state.db"));
    EXPECT_INT(feed_bob(new_worker(d)).matched_by, 1u << CLAUSE_IDENTITY_OBJECT_ID);
}

static void test_a_role_row_counts_until_the_identity_windows_edge(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    detector_worker *w = new_worker(d);
    const timestamp edge = time_of("2026-06-15T12:00:00Z");
    const char *message = AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = BOB, .time = "2026-06-15T11:00:00Z");

    PUT_ROWS(open_role_list(open_store(test_path("state.db"))),
             bob(SYNC_ROLE, "2026-06-01T12:00:00Z"));
    open_keeper(k, test_path("state.db"));
    EXPECT_INT(feed_at(w, message, edge - 1).seen.rows, 1);
    EXPECT_INT(feed_at(w, message, edge).seen.rows, 0);
    EXPECT_INT(feed_at(w, message, edge - 1).seen.rows, 1);
}

static void test_the_facts_tell_of_the_role_list(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    role_list *elsewhere = open_role_list(open_store(test_path("state.db")));
    keeper_facts facts;

    open_keeper(k, test_path("state.db"));
    EXPECT_NOT(keeper_read_facts(k, time_of(NOW)).identity.has_rows);
    PUT_ROWS(elsewhere, bob(SYNC_ROLE, "2026-06-01T10:00:00Z"),
             identity_row("someone@x", "2", "[]", "2026-06-01T11:00:00Z"),
             identity_row("Sync_1@x", "3", "", "2026-06-01T09:00:00Z"));
    update(k);
    facts = keeper_read_facts(k, time_of(NOW));
    EXPECT_INT(facts.sync_accounts, 2);
    EXPECT_INT(facts.identity.rows, 3);
    EXPECT(facts.identity.has_rows);
    EXPECT_TIME(facts.identity.newest, time_of("2026-06-01T11:00:00Z"));
}

static void test_a_store_that_cannot_be_opened_leaves_what_was(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    char *error = NULL;

    PUT_ROWS(open_role_list(open_store(test_path("state.db"))), bob(SYNC_ROLE, NOW));
    open_keeper(k, test_path("state.db"));
    EXPECT_NOT(keeper_open(k, test_directory(), STORE_CREATE, time_of(NOW), &error));
    EXPECT(error != NULL && strlen(error) > 0);
    free(error);
    EXPECT(keeper_store(k) != NULL);
    EXPECT_INT(feed_bob(new_worker(d)).seen.rows, 1);
    EXPECT_INT(update(k), KEEPER_UNCHANGED);
}

static void test_a_store_whose_file_is_gone_goes_on_serving_and_says_so(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);

    PUT_ROWS(open_role_list(open_store(test_path("state.db"))), bob(SYNC_ROLE, NOW));
    open_keeper(k, test_path("state.db"));
    EXPECT(store_is_in_place(keeper_store(k)));
    REQUIRE(unlink(test_path("state.db")) == 0);
    EXPECT_NOT(store_is_in_place(keeper_store(k)));
    EXPECT_INT(feed_bob(new_worker(d)).seen.rows, 1);
}

static void test_another_store_takes_the_place_of_the_first(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    detector_worker *w = new_worker(d);

    PUT_ROWS(open_role_list(open_store(test_path("one.db"))), bob(SYNC_ROLE, NOW));
    PUT_ROWS(open_role_list(open_store(test_path("two.db"))), bob("[]", NOW));
    open_keeper(k, test_path("one.db"));
    EXPECT_INT(feed_bob(w).seen.rows, 1);
    open_keeper(k, test_path("two.db"));
    EXPECT_INT(feed_bob(w).seen.rows, 0);
    EXPECT_INT(keeper_read_facts(k, time_of(NOW)).sync_accounts, 0);
}

static void test_an_open_store_can_be_adopted(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    char *error;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, &error);
    role_list *list;

    REQUIRE(s != NULL);
    list = role_list_open(s);
    REQUIRE(list != NULL);
    PUT_ROWS(list, bob(SYNC_ROLE, NOW));
    role_list_close(list);
    EXPECT(keeper_adopt(k, s, time_of(NOW), &error));
    EXPECT_INT(feed_bob(new_worker(d)).seen.rows, 1);
}

static void test_a_rulebase_that_cannot_be_opened_leaves_the_one_in_use(void)
{
    const char *rules =
        test_file("test.rulebase", "version=2\nrule=:audit %record:name-value-list%\n");
    const text operation = TEXT("Register");
    rule *r = new_rule(SEMANTICS_KQL);
    detector_worker *w;
    detector *d;
    char *error = NULL;

    REQUIRE(rule_set_list(r, RULE_OPERATIONS, &operation, 1));
    d = new_detector(r);
    w = new_worker(d);
    REQUIRE(detector_open_rulebase(d, rules, &error));
    EXPECT_INT(feed(w, "audit OperationName=Register Id=1").seen.records, 1);
    EXPECT_NOT(detector_open_rulebase(d, test_path("absent.rulebase"), &error));
    EXPECT(error != NULL);
    free(error);
    EXPECT_INT(feed(w, "audit OperationName=Register Id=1").seen.records, 1);
}

static void test_replaced_lists_are_the_detectors_too(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    const text operation = TEXT("Delete user"), prefix = TEXT("svc_");
    detector_worker *w;

    REQUIRE(rule_set_list(r, RULE_OPERATIONS, &operation, 1));
    REQUIRE(rule_set_list(r, RULE_UPN_STARTSWITH, &prefix, 1));
    w = new_worker(new_detector(r));
    EXPECT_INT(feed(w, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .operation = "Delete user", .upn = "svc_1@x"))
                   .seen.rows,
               1);
    EXPECT_INT(feed(w, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "svc_1@x")).seen.rows, 0);
    EXPECT_INT(feed(w, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .operation = "Delete user")).seen.rows, 0);
}

/* --- several workers --- */

enum { WORKERS = 4, LEAST_MESSAGES = 300, CHANGES = 60 };

/* One thread: feeds the same three records over and over while the role list changes. */
typedef struct feeder {
    pthread_t thread;
    detector_worker *worker;
    const char *by_name;  /* matches by its name */
    const char *constant; /* of an account that is in the role list all the time */
    const char *changing; /* of one that comes and goes */
    atomic_bool *done;
    size_t messages;
    size_t wrong;
    size_t matched_changing;
} feeder;

static size_t rows_of(feeder *f, const char *message, timestamp now)
{
    return detector_feed(f->worker, text_of(message), now, ignore_alert, NULL).rows;
}

static void *feed_until_done(void *arg)
{
    const timestamp now = INT64_C(17803152050000000); /* 2026-06-01T12:00:05Z */
    feeder *f = arg;

    while (!atomic_load(f->done) || f->messages < LEAST_MESSAGES) {
        size_t changing = rows_of(f, f->changing, now);

        f->messages++;
        f->wrong += rows_of(f, f->by_name, now) != 1;
        f->wrong += rows_of(f, f->constant, now) != 1;
        f->wrong += changing > 1;
        f->matched_changing += changing;
    }
    return NULL;
}

/* Bob comes and goes CHANGES times; at the end he is there. */
static void change_role_list(keeper *k, role_list *elsewhere)
{
    const timestamp begin = time_of("2026-06-01T10:00:00Z");

    for (int i = 0; i <= CHANGES; i++) {
        identity_record row = bob(i % 2 ? "[]" : SYNC_ROLE, "2026-06-01T10:00:00Z");

        row.time_generated = begin + i;
        PUT_ROWS(elsewhere, row);
        EXPECT_INT(update(k), KEEPER_CHANGED);
        if (i % 10 == 0)
            open_keeper(k, test_path("state.db"));
    }
}

static void test_workers_in_threads_judge_right_while_the_role_list_changes(void)
{
    detector *d = new_detector(new_rule(SEMANTICS_KQL));
    keeper *k = new_keeper(d);
    role_list *elsewhere = open_role_list(open_store(test_path("state.db")));
    atomic_bool done = false;
    feeder feeders[WORKERS];

    PUT_ROWS(elsewhere, identity_row("alice@x", "id of alice", SYNC_ROLE, NOW));
    open_keeper(k, test_path("state.db"));
    for (size_t i = 0; i < WORKERS; i++) {
        feeders[i] = (feeder){
            .worker = new_worker(d),
            .by_name = PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC),
            .constant = AUDIT_TEXT(SHAPE_LOG_ANALYTICS, .upn = "alice@x"),
            .changing = AUDIT_TEXT(SHAPE_DIRECTORY_AUDIT, .upn = BOB),
            .done = &done,
        };
        REQUIRE(pthread_create(&feeders[i].thread, NULL, feed_until_done, &feeders[i]) == 0);
    }
    change_role_list(k, elsewhere);
    atomic_store(&done, true);
    for (size_t i = 0; i < WORKERS; i++) {
        pthread_join(feeders[i].thread, NULL);
        EXPECT_INT(feeders[i].wrong, 0);
        EXPECT(feeders[i].messages >= LEAST_MESSAGES);
        EXPECT_INT(rows_of(&feeders[i], feeders[i].changing, time_of(NOW)), 1);
    }
}

/* --- what wide adds --- */

/* A record that the query misses, told of in wide semantics. */
static void check_added_by_wide_to(detector_worker *kql, detector_worker *wide, const char *message)
{
    outcome missed = feed(kql, quoted(message)), found = feed(wide, quoted(message));

    test_case("%s", message);
    EXPECT_INT(missed.seen.rows, 0);
    EXPECT_INT(found.seen.rows, 1);
    EXPECT_INT(found.kql, 0);
    EXPECT(found.matched_by >= 1u << RULE_CLAUSES);
}

static void check_added_by_wide(const char *message)
{
    check_added_by_wide_to(plain_worker(SEMANTICS_KQL), plain_worker(SEMANTICS_WIDE), message);
}

#define REGISTER "{'OperationName':'Register security info','Id':'r','TargetResources':"

static void test_wide_reads_targets_in_a_string(void)
{
    check_added_by_wide(REGISTER "'[{\\u0022userPrincipalName\\u0022:\\u0022Sync_1@x\\u0022}]'}");
}

static void test_wide_reads_targets_keyed_by_numbers(void)
{
    check_added_by_wide(REGISTER "{'0':{'userPrincipalName':'someone@x'},"
                                 "'1':{'userPrincipalName':'Sync_1@x'}}}");
}

static void test_wide_reads_keys_in_another_case(void)
{
    check_added_by_wide(REGISTER "[{'UserPrincipalName':'Sync_1@x'}]}");
}

static void test_wide_takes_a_foreign_letter_for_a_boundary(void)
{
    check_added_by_wide("{'OperationName':'éRegister security infoж','TargetResources':"
                        "[{'userPrincipalName':'Sync_1@x'}]}");
}

static void test_wide_folds_the_long_s_and_the_kelvin_sign(void)
{
    check_added_by_wide(REGISTER "[{'userPrincipalName':'\305\277ync_1@x'}]}");
    check_added_by_wide("{'OperationName':'Register \\u017fecurity info','TargetResources':"
                        "[{'userPrincipalName':'Sync_1@x'}]}");
}

static void test_wide_reads_the_name_of_a_deleted_user(void)
{
    check_added_by_wide(REGISTER
                        "[{'userPrincipalName':'0123456789abcdef0123456789ABCDEFSync_1@x'}]}");
}

static void test_wide_reads_the_activitys_name(void)
{
    check_added_by_wide("{'operationName':'Update user','properties':{'activityDisplayName':"
                        "'Register security info','targetResources':"
                        "[{'userPrincipalName':'Sync_1@x'}]}}");
}

static void test_wide_knows_one_more_operation(void)
{
    check_added_by_wide("{'OperationName':'User registered all required security info',"
                        "'TargetResources':[{'userPrincipalName':'Sync_1@x'}]}");
}

static void test_wide_reads_a_target_that_another_field_names(void)
{
    check_added_by_wide("{'operationName':'Register security info','category':'Audit',"
                        "'properties':{'targetResources':[],'targetResourceName':"
                        "'Sync_1@x__tenant__puid__id__User'}}");
}

/* Workers of both semantics over the same role list. */
static void check_added_over_role_list(const identity_record *rows, size_t count,
                                       const char *message)
{
    detector_worker *workers[2];

    put_rows(open_role_list(open_store(test_path("state.db"))), rows, count);
    for (semantics s = SEMANTICS_KQL; s <= SEMANTICS_WIDE; s++) {
        detector *d = new_detector(new_rule(s));
        keeper *k = new_keeper(d);

        open_keeper(k, test_path("state.db"));
        workers[s] = new_worker(d);
    }
    check_added_by_wide_to(workers[SEMANTICS_KQL], workers[SEMANTICS_WIDE], message);
}

static void test_wide_compares_ids_in_any_case(void)
{
    const identity_record row = identity_row("a@x", "ABCD-1", SYNC_ROLE, NOW);

    check_added_over_role_list(&row, 1, REGISTER "[{'id':'abcd-1'}]}");
}

static void test_wide_knows_the_roles_template_ids(void)
{
    const identity_record rows[] = {
        identity_row("a@x", "1", "[\"d29b2b05-8046-44ba-8758-1e26182fcf32\"]", NOW),
        identity_row("b@x", "2", "[\"a92aed5d-d78a-4d16-b381-09adb37eb3b0\"]", NOW),
    };

    check_added_over_role_list(rows, 2, REGISTER "[{'userPrincipalName':'a@x'}]}");
    check_added_over_role_list(rows, 2, REGISTER "[{'userPrincipalName':'b@x'}]}");
}

/* One target object: the query sees its properties in rows of their own. */
static void test_wide_returns_the_rows_of_an_expanded_object_as_the_query_does(void)
{
    const char *message = REGISTER "{'userPrincipalName':'Sync_1@x','id':'1'}}";
    outcome kql = judge_quoted(SEMANTICS_KQL, message),
            wide = judge_quoted(SEMANTICS_WIDE, message);

    EXPECT_INT(kql.seen.rows, 1);
    EXPECT_INT(wide.kql, 1);
    EXPECT_STRING(wide.ids[0], kql.ids[0]);
}

/* --- random records --- */

#define ANY(r, list) (list)[random_below((r), LENGTH_OF(list))]

static const char *random_target(random_source *r)
{
    static const char *const forms[] = {
        "{'userPrincipalName':'%s','id':'%s'}",
        "{'UserPrincipalName':'%s','id':'%s'}",
        "{'userPrincipalName':'%s','UserPrincipalName':'Sync_other@x','ID':'%s'}",
        "{'userPrincipalName':null,'displayName':'%s','id':'%s'}",
        "{'displayName':'%s','x':'%s'}",
        "['%s','%s']",
    };
    static const char *const upns[] = {"Sync_1@x",        "a@x",          "A@X", "someone@x", "",
                                       "\305\277ync_1@x", "svc-dirsync@x"};
    static const char *const ids[] = {"id-a", "ID-A", "id-b", ""};
    static const char *const others[] = {"null", "5", "'Sync_1@x'", "{}"};

    const char *form = ANY(r, forms), *upn = ANY(r, upns), *id = ANY(r, ids);

    if (random_below(r, 6) == 0)
        return quoted(ANY(r, others));
    return quoted(test_string(form, upn, id));
}

static const char *random_targets(random_source *r)
{
    const char *a = random_target(r), *b = random_target(r);

    switch (random_below(r, 9)) {
    case 0:
        return a;
    case 1:
        return "[]";
    case 2:
        return "null";
    case 3:
        return json_string_of(test_string("[%s]", a));
    case 4:
        return test_string("{\"0\":%s,\"1\":%s}", a, b);
    case 5:
        return test_string("[%s]", a);
    case 6:
        return test_string("[%s,%s]", a, json_string_of(b));
    default:
        return test_string("[%s,%s]", a, b);
    }
}

static const char *random_record(random_source *r)
{
    static const char *const operations[] = {"Register security info", "éRegister security info",
                                             "Update user",
                                             "User registered all required security info"};
    const char *operation = ANY(r, operations), *activity = ANY(r, operations);
    const char *targets = random_targets(r);

    switch (random_below(r, 3)) {
    case 0:
        return test_string("{\"operationName\":\"%s\",\"properties\":{\"id\":\"r\","
                           "\"activityDisplayName\":\"%s\",\"targetResources\":%s}}",
                           operation, activity, targets);
    case 1:
        return test_string("{\"OperationName\":\"%s\",\"ActivityDisplayName\":\"%s\","
                           "\"Id\":\"r\",\"TargetResources\":%s}",
                           operation, activity, targets);
    default:
        return test_string("{\"activityDisplayName\":\"%s\",\"id\":\"r\","
                           "\"targetResources\":%s}",
                           operation, targets);
    }
}

/* The rows that are told of as the query's are the query's, no more and no fewer. */
static void test_wide_returns_every_row_of_the_query_for_random_records(void)
{
    random_source r = random_new(29);
    detector_worker *workers[2];
    size_t kql_rows = 0, wide_rows = 0;

    PUT_ROWS(open_role_list(open_store(test_path("state.db"))),
             identity_row("a@x", "id-a", SYNC_ROLE, NOW), identity_row("", "id-c", SYNC_ROLE, NOW));
    for (semantics s = SEMANTICS_KQL; s <= SEMANTICS_WIDE; s++) {
        detector *d = new_detector(new_rule(s));
        keeper *k = new_keeper(d);

        open_keeper(k, test_path("state.db"));
        workers[s] = new_worker(d);
    }
    for (int i = 0; i < 3000; i++) {
        const char *record = random_record(&r);
        outcome kql = feed(workers[SEMANTICS_KQL], record),
                wide = feed(workers[SEMANTICS_WIDE], record);

        test_case("%s", record);
        EXPECT_STRING(wide.kql_ids, kql.kql_ids);
        EXPECT_INT(kql.kql, kql.seen.rows);
        EXPECT(wide.seen.rows >= kql.seen.rows);
        kql_rows += kql.seen.rows;
        wide_rows += wide.seen.rows;
    }
    EXPECT(kql_rows > 500 && wide_rows > kql_rows + 500);
}

static void test_a_payload_of_many_records(void)
{
    enum { RECORDS = 1000 };
    buffer message = {0};
    outcome o;

    buffer_append_string(&message, "{\"records\":[");
    for (size_t i = 0; i < RECORDS; i++) {
        if (i > 0)
            buffer_append_char(&message, ',');
        buffer_append_string(&message, AUDIT_TEXT(shapes[i % LENGTH_OF(shapes)],
                                                  .record_id = test_string("%zu", i)));
    }
    buffer_append_string(&message, "]}");
    o = judge(SEMANTICS_WIDE, buffer_string(&message));
    EXPECT_INT(o.seen.records, RECORDS);
    EXPECT_INT(o.seen.rows, RECORDS);
    EXPECT_INT(o.kql, RECORDS);
    buffer_free(&message);
}

static void test_an_initiator_in_a_string_hides_no_row(void)
{
    const char *message = "{'OperationName':'Register security info','InitiatedBy':"
                          "'{\\u0022user\\u0022:{}}','TargetResources':"
                          "[{'userPrincipalName':'Sync_1@x'}]}";

    EXPECT_INT(judge_quoted(SEMANTICS_KQL, message).kql, 1);
    EXPECT_INT(judge_quoted(SEMANTICS_WIDE, message).kql, 1);
    EXPECT_INT(judge_quoted(SEMANTICS_WIDE, message).seen.rows, 1);
}

CU_TestInfo detector_tests[] = {
    TEST(test_a_diagnostic_record_in_each_wrapping),
    TEST(test_a_log_analytics_row_in_each_wrapping),
    TEST(test_a_directory_audit_in_each_wrapping),
    TEST(test_several_records_in_one_message),
    TEST(test_each_matching_target_is_a_row_of_its_own),
    TEST(test_a_phrase_in_escapes_is_found),
    TEST(test_json_in_a_cef_extension),
    TEST(test_a_parsed_tree),
    TEST(test_a_tree_of_something_else),
    TEST(test_other_operations_are_no_rows),
    TEST(test_a_message_without_a_phrase_is_no_candidate),
    TEST(test_a_phrase_outside_of_the_operation_does_not_count),
    TEST(test_other_targets_are_no_rows),
    TEST(test_an_id_that_looks_like_a_sync_accounts_name_proves_nothing),
    TEST(test_records_of_another_kind_are_no_error),
    TEST(test_the_properties_of_another_kind_are_no_record),
    TEST(test_another_kind_may_carry_a_record),
    TEST(test_a_record_with_targets_is_one_whatever_its_category),
    TEST(test_words_alone_carry_no_record),
    TEST(test_a_record_counts_until_the_lookbacks_edge),
    TEST(test_the_lookback_can_be_set),
    TEST(test_a_lookback_of_zero_lets_every_record_count),
    TEST(test_an_old_record_of_another_operation_is_not_stale),
    TEST(test_a_record_of_the_future_counts),
    TEST(test_a_record_without_a_readable_time_counts_as_received_now),
    TEST(test_an_alert_has_the_records_time_and_the_detections),
    TEST(test_the_same_message_alerts_under_the_same_id),
    TEST(test_an_alert_names_its_collector),
    TEST(test_a_cut_record_is_undecodable_wherever_it_was_cut),
    TEST(test_a_cut_record_that_shows_a_sync_account_makes_a_degraded_alert),
    TEST(test_a_cut_record_of_another_account_makes_no_alert),
    TEST(test_a_broken_document_without_a_phrase_is_not_undecodable),
    TEST(test_a_broken_document_beside_a_good_one_is_undecodable),
    TEST(test_a_record_that_is_too_deep_is_undecodable),
    TEST(test_a_cut_row_in_three_strings_shows_its_account),
    TEST(test_our_own_alerts_are_never_judged_again),
    TEST(test_our_own_alert_may_quote_nul_bytes),
    TEST(test_our_own_alert_cut_anywhere_makes_no_other),
    TEST(test_a_record_cannot_pass_for_our_own_alert),
    TEST(test_the_beginning_of_our_own_alert_hides_no_record),
    TEST(test_without_a_store_the_naming_rules_alone_judge),
    TEST(test_the_role_list_in_a_store_is_read_when_it_is_opened),
    TEST(test_a_role_list_that_comes_through_another_connection_counts_after_a_refresh),
    TEST(test_a_target_matches_by_its_id),
    TEST(test_a_role_row_counts_until_the_identity_windows_edge),
    TEST(test_the_facts_tell_of_the_role_list),
    TEST(test_a_store_that_cannot_be_opened_leaves_what_was),
    TEST(test_a_store_whose_file_is_gone_goes_on_serving_and_says_so),
    TEST(test_another_store_takes_the_place_of_the_first),
    TEST(test_an_open_store_can_be_adopted),
    TEST(test_a_rulebase_that_cannot_be_opened_leaves_the_one_in_use),
    TEST(test_replaced_lists_are_the_detectors_too),
    TEST(test_workers_in_threads_judge_right_while_the_role_list_changes),
    TEST(test_wide_reads_targets_in_a_string),
    TEST(test_wide_reads_targets_keyed_by_numbers),
    TEST(test_wide_reads_keys_in_another_case),
    TEST(test_wide_takes_a_foreign_letter_for_a_boundary),
    TEST(test_wide_folds_the_long_s_and_the_kelvin_sign),
    TEST(test_wide_reads_the_name_of_a_deleted_user),
    TEST(test_wide_reads_the_activitys_name),
    TEST(test_wide_knows_one_more_operation),
    TEST(test_wide_reads_a_target_that_another_field_names),
    TEST(test_wide_compares_ids_in_any_case),
    TEST(test_wide_knows_the_roles_template_ids),
    TEST(test_wide_returns_the_rows_of_an_expanded_object_as_the_query_does),
    TEST(test_an_initiator_in_a_string_hides_no_row),
    TEST(test_wide_returns_every_row_of_the_query_for_random_records),
    TEST(test_a_payload_of_many_records),
    TESTS_END,
};
