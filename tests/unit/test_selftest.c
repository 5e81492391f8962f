/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a self-test, its alert, and what does not pass for one. */
#include "rule/selftest.h"

#include <stdio.h>
#include <stdlib.h>

#include "detector/keeper.h"
#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define NOW "2026-06-01T12:00:00Z"

/* Each alert: target, mark, whether it has an incident. */
static bool take_alert(void *arg, const alert *a)
{
    char *all = arg;
    buffer written = {0};
    bool says;

    alert_write(a, &written);
    says = strstr(buffer_string(&written), "\"selftest\":true") != NULL;
    sprintf(all + strlen(all), "%.*s %s %s; ", (int)a->target.upn.length, a->target.upn.bytes,
            says ? "selftest" : "real", a->incident.id[0] != '\0' ? "incident" : "none");
    buffer_free(&written);
    return true;
}

/* What a stream's alerts of that message say. */
static const char *alerts_of(const rule *r, const char *message)
{
    detector *d = detector_new(r);
    keeper *k = keeper_new(d);
    char all[1024] = "", *error;
    detector_worker *w;

    REQUIRE(k != NULL && keeper_follow(k, &(stream_options){
                                              .action = "test",
                                              .incidents = INCIDENTS_AS_IN_SENTINEL,
                                              .most_pending = 9,
                                              .most_pending_bytes = 9999,
                                          }));
    REQUIRE(keeper_open(k, STORE_IN_MEMORY, STORE_CREATE, time_of(NOW), &error));
    w = detector_worker_new(d);
    detector_feed(w, text_of(message), time_of(NOW), take_alert, all);
    detector_worker_free(w);
    keeper_free(k);
    detector_free(d);
    return test_string("%s", all);
}

static const char *record_of_rule(const rule *r)
{
    char id[SELFTEST_ID_SIZE];
    buffer out = {0};
    const char *copy;

    selftest_make_id(time_of(NOW), 7, id);
    selftest_write(r, id, "host", time_of(NOW), &out);
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

/* The text with each `from` as `to`. */
static const char *with(const char *message, const char *from, const char *to)
{
    const char *at = strstr(message, from), *rest;

    REQUIRE(at != NULL);
    rest = strstr(at + strlen(from), from) != NULL ? with(at + strlen(from), from, to)
                                                   : at + strlen(from);
    return test_string("%.*s%s%s", (int)(at - message), message, to, rest);
}

static void test_its_record_alerts_marked_and_without_an_incident(void)
{
    const rule *kql = new_rule(SEMANTICS_KQL), *wide = new_rule(SEMANTICS_WIDE);

    EXPECT_STRING(alerts_of(wide, record_of_rule(wide)),
                  "Sync_DirSync_selftest@selftest.invalid selftest none; ");
    EXPECT_STRING(alerts_of(kql, record_of_rule(kql)),
                  "Sync_DirSync_selftest@selftest.invalid selftest none; ");
}

static void test_ids_differ(void)
{
    char one[SELFTEST_ID_SIZE], two[SELFTEST_ID_SIZE], three[SELFTEST_ID_SIZE];

    selftest_make_id(1, 1, one);
    selftest_make_id(1, 2, two);
    selftest_make_id(2, 1, three);
    EXPECT(strcmp(one, two) != 0 && strcmp(one, three) != 0 && strcmp(two, three) != 0);
}

static void test_the_record_is_made_of_the_rules_own_lists(void)
{
    rule *r = new_rule(SEMANTICS_WIDE);

    REQUIRE(rule_set_list(r, RULE_OPERATIONS, &(text)TEXT("Ours"), 1));
    REQUIRE(rule_set_list(r, RULE_UPN_STARTSWITH, NULL, 0));
    REQUIRE(rule_set_list(r, RULE_UPN_CONTAINS, NULL, 0));
    EXPECT_STRING(
        alerts_of(r, record_of_rule(r)),
        "On-Premises Directory Synchronization selftest@selftest.invalid selftest none; ");
}

static void test_without_a_list_of_names_nothing_matches(void)
{
    rule *r = new_rule(SEMANTICS_WIDE);

    REQUIRE(rule_set_list(r, RULE_UPN_STARTSWITH, NULL, 0));
    REQUIRE(rule_set_list(r, RULE_UPN_CONTAINS, NULL, 0));
    REQUIRE(rule_set_list(r, RULE_UPN_HAS, NULL, 0));
    EXPECT_STRING(alerts_of(r, record_of_rule(r)), "");
}

static void test_a_real_target_is_real_whatever_else_the_record_says(void)
{
    const rule *r = new_rule(SEMANTICS_WIDE);
    const char *record = record_of_rule(r);

    EXPECT_STRING(alerts_of(r, with(record, "Sync_DirSync_selftest@selftest.invalid", SYNC_UPN)),
                  SYNC_UPN " real incident; ");
    EXPECT_STRING(
        alerts_of(r, with(record, "\"targetResources\":[",
                          "\"targetResources\":[{\"id\":\"x\",\"userPrincipalName\":\"" SYNC_UPN
                          "\"},")),
        SYNC_UPN " real incident; Sync_DirSync_selftest@selftest.invalid selftest none; ");
}

static void test_tenant_or_id_alone_make_no_selftest(void)
{
    const rule *r = new_rule(SEMANTICS_WIDE);
    const char *record = record_of_rule(r);

    EXPECT_STRING(alerts_of(r, with(record, "synctap-selftest-", "Directory-")),
                  "Sync_DirSync_selftest@selftest.invalid real incident; ");
    EXPECT_STRING(alerts_of(r, with(record, "73796e63-7461-8070-8000-73656c667465", TENANT_ID)),
                  "Sync_DirSync_selftest@selftest.invalid real incident; ");
}

static void test_a_member_that_says_selftest_is_no_mark(void)
{
    const rule *r = new_rule(SEMANTICS_WIDE);

    EXPECT_STRING(alerts_of(r, with(PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC), "{\"time\"",
                                    "{\"selftest\":true,\"time\"")),
                  SYNC_UPN " real incident; ");
}

CU_TestInfo selftest_tests[] = {
    TEST(test_its_record_alerts_marked_and_without_an_incident),
    TEST(test_ids_differ),
    TEST(test_the_record_is_made_of_the_rules_own_lists),
    TEST(test_without_a_list_of_names_nothing_matches),
    TEST(test_a_real_target_is_real_whatever_else_the_record_says),
    TEST(test_tenant_or_id_alone_make_no_selftest),
    TEST(test_a_member_that_says_selftest_is_no_mark),
    TESTS_END,
};
