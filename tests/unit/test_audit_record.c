/* SPDX-License-Identifier: Apache-2.0 */
/* Records of each shape in one struct, and mv-expand over their targets. */
#include "record/audit_record.h"

#include <stdlib.h>

#include "fixtures.h"
#include "suites.h"
#include "test.h"

static const audit_record *record_from(const char *written)
{
    return record_of(json_of(written));
}

/* A diagnostic record that has nothing but these properties. */
static const audit_record *with_properties(const char *properties)
{
    return record_from(test_string("{'operationName':'x','properties':{%s}}", properties));
}

/* --- shapes --- */

static void check_common_fields(const audit_record *r)
{
    EXPECT_TEXT_IS(r->operation_name, "Admin registered security info");
    EXPECT(r->has_time);
    EXPECT_TIME(r->time_generated, INT64_C(17803152000000000));
    EXPECT_TEXT_IS(r->actor, ACTOR_UPN);
    EXPECT_TEXT_IS(r->actor_id, ACTOR_ID);
    EXPECT_TEXT_IS(r->source_ip, "203.0.113.7");
    EXPECT_TEXT_IS(r->result, "success");
    EXPECT_TEXT_IS(r->result_reason, "Admin registered temporary access pass method for user");
    EXPECT_TEXT_IS(r->record_id, "record-1");
    EXPECT_TEXT_IS(r->correlation_id, "correlation-1");
    EXPECT_TEXT_IS(r->logged_by_service, "Authentication Methods");
    EXPECT_INT(audit_record_target_count(r), 1);
    EXPECT_TEXT_IS(target_of(r, 0).upn, SYNC_UPN);
    EXPECT_TEXT_IS(target_of(r, 0).id, TARGET_ID);
}

static void test_a_diagnostic_record(void)
{
    const audit_record *r = record_from(PLAIN_AUDIT_TEXT(SHAPE_DIAGNOSTIC));

    EXPECT_INT(r->shape, SHAPE_DIAGNOSTIC);
    check_common_fields(r);
    EXPECT_TEXT_IS(r->caller_ip, "198.51.100.9");
    EXPECT_TEXT_IS(r->tenant_id, TENANT_ID);
}

static void test_a_log_analytics_row(void)
{
    const audit_record *r = record_from(PLAIN_AUDIT_TEXT(SHAPE_LOG_ANALYTICS));

    EXPECT_INT(r->shape, SHAPE_LOG_ANALYTICS);
    check_common_fields(r);
    EXPECT_TEXT_IS(r->tenant_id, TENANT_ID);
}

static void test_a_directory_audit(void)
{
    const audit_record *r = record_from(PLAIN_AUDIT_TEXT(SHAPE_DIRECTORY_AUDIT));

    EXPECT_INT(r->shape, SHAPE_DIRECTORY_AUDIT);
    check_common_fields(r);
    EXPECT_TEXT_IS(r->tenant_id, "");
    EXPECT_TEXT_IS(r->caller_ip, "");
}

static void test_a_record_with_nothing_but_an_operation_has_empty_fields(void)
{
    const audit_record *r = record_from("{'operationName':'x'}");

    EXPECT_NOT(r->has_time);
    EXPECT_TEXT_IS(r->actor, "");
    EXPECT_TEXT_IS(r->actor_id, "");
    EXPECT_TEXT_IS(r->source_ip, "");
    EXPECT_TEXT_IS(r->caller_ip, "");
    EXPECT_TEXT_IS(r->result, "");
    EXPECT_TEXT_IS(r->result_reason, "");
    EXPECT_TEXT_IS(r->record_id, "");
    EXPECT_TEXT_IS(r->correlation_id, "");
    EXPECT_TEXT_IS(r->tenant_id, "");
    EXPECT_TEXT_IS(r->logged_by_service, "");
}

static void test_every_shape_has_a_name_of_its_own(void)
{
    for (audit_shape s = 0; s < AUDIT_SHAPES; s++) {
        EXPECT(strlen(audit_shape_name(s)) > 0);
        for (audit_shape other = 0; other < s; other++)
            EXPECT(strcmp(audit_shape_name(s), audit_shape_name(other)) != 0);
    }
}

static void test_an_object_without_an_operation_is_no_record(void)
{
    EXPECT(reading_of(json_of("{}")) != AUDIT_RECORD);
    EXPECT(reading_of(json_of("{'time':'2026-06-01T12:00:00Z','properties':{}}")) != AUDIT_RECORD);
    EXPECT(reading_of(json_of("{'AccountUPN':'Sync_x'}")) != AUDIT_RECORD);
}

static void test_an_activity_record_of_the_same_hub_is_another_kind(void)
{
    json *object = json_of("{'time':'2026-06-01T12:00:00Z','operationName':{'value':"
                           "'Microsoft.Compute/write','localizedValue':'Write'}}");

    EXPECT_INT(reading_of(object), AUDIT_OTHER_KIND);
}

static void test_the_operation_of_a_diagnostic_record_is_the_envelopes(void)
{
    const audit_record *r =
        record_from("{'operationName':'Update user',"
                    "'properties':{'activityDisplayName':'Register security info'}}");

    EXPECT_TEXT_IS(r->operation_name, "Update user");
}

static void test_an_operation_that_is_null_is_empty(void)
{
    EXPECT_TEXT_IS(record_from("{'operationName':null}")->operation_name, "");
}

static void test_a_number_as_result_is_its_text(void)
{
    EXPECT_TEXT_IS(with_properties("'result':0")->result, "0");
    EXPECT_TEXT_IS(with_properties("'result':'SUCCESS'")->result, "SUCCESS");
}

/* --- time --- */

static void test_the_envelopes_time_comes_before_the_activitys(void)
{
    const audit_record *r =
        record_from("{'operationName':'x','time':'2026-06-01T12:00:00Z',"
                    "'properties':{'activityDateTime':'2020-01-01T00:00:00Z'}}");

    EXPECT_TIME(r->time_generated, time_of("2026-06-01T12:00:00Z"));
}

static void test_the_activitys_time_counts_where_the_envelope_has_none(void)
{
    EXPECT_TIME(with_properties("'activityDateTime':'2026-06-01T12:00:00Z'")->time_generated,
                time_of("2026-06-01T12:00:00Z"));
    EXPECT_TIME(record_from("{'OperationName':'x','ActivityDateTime':'2026-06-01T12:00:00Z'}")
                    ->time_generated,
                time_of("2026-06-01T12:00:00Z"));
}

static void test_a_directory_audit_may_have_a_created_time(void)
{
    EXPECT_TIME(record_from("{'activityDisplayName':'x','createdDateTime':'2026-06-01T12:00:00Z'}")
                    ->time_generated,
                time_of("2026-06-01T12:00:00Z"));
}

static void test_an_epoch_number_is_a_time(void)
{
    EXPECT_TIME(record_from("{'operationName':'x','time':1780315200}")->time_generated,
                time_of("2026-06-01T12:00:00Z"));
    EXPECT_TIME(record_from("{'operationName':'x','time':1780315200123}")->time_generated,
                time_of("2026-06-01T12:00:00.123Z"));
}

static void test_a_time_that_cannot_be_read_is_none(void)
{
    EXPECT_NOT(record_from("{'operationName':'x','time':'yesterday'}")->has_time);
    EXPECT_NOT(record_from("{'operationName':'x','time':''}")->has_time);
    EXPECT_NOT(record_from("{'operationName':'x','time':{}}")->has_time);
}

/* --- initiator --- */

static const audit_record *initiated_by(const char *written)
{
    return with_properties(test_string("'initiatedBy':%s", written));
}

/* coalesce(user's UPN, app's name) */
static void test_the_actor_is_the_first_that_is_not_empty(void)
{
    static const struct {
        const char *user, *app, *actor;
    } cases[] = {{"'a'", "'b'", "a"}, {"''", "'a'", "a"},       {"''", "'found'", "found"},
                 {"''", "''", ""},    {"null", "'App'", "App"}, {"'u'", "null", "u"},
                 {"null", "null", ""}};

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const char *written =
            test_string("{'user':{'userPrincipalName':%s},'app':{'displayName':%s}}", cases[i].user,
                        cases[i].app);

        test_case("%s", written);
        EXPECT_TEXT_IS(initiated_by(written)->actor, cases[i].actor);
    }
}

static void test_an_app_is_the_actor_beside_a_null_user(void)
{
    const audit_record *r = initiated_by("{'user':null,'app':{'appId':null,'displayName':"
                                         "'Azure MFA StrongAuthenticationService',"
                                         "'servicePrincipalId':'sp-1'}}");

    EXPECT_TEXT_IS(r->actor, "Azure MFA StrongAuthenticationService");
    EXPECT_TEXT_IS(r->actor_id, "sp-1");
    EXPECT_TEXT_IS(r->source_ip, "");
}

static void test_an_initiator_that_is_no_object_has_no_actor(void)
{
    static const char *const cases[] = {
        "null", "'text'", "[]", "{}", "5", "[{'user':{}}]", "{'user':'text','app':[]}"};

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        test_case("%s", cases[i]);
        EXPECT_TEXT_IS(initiated_by(cases[i])->actor, "");
        EXPECT_TEXT_IS(initiated_by(cases[i])->source_ip, "");
    }
    EXPECT_TEXT_IS(with_properties("")->actor, "");
}

static void test_the_source_address_is_taken_as_it_stands(void)
{
    static const struct {
        const char *written, *expected;
    } cases[] = {
        {"null", ""},
        {"''", ""},
        {"'<null>'", "<null>"},
        {"'&lt;null&gt;'", "&lt;null&gt;"},
        {"'203.0.113.7:54321'", "203.0.113.7:54321"},
        {"'2001:db8:::1'", "2001:db8:::1"},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        test_case("%s", cases[i].written);
        EXPECT_TEXT_IS(
            initiated_by(test_string("{'user':{'ipAddress':%s}}", cases[i].written))->source_ip,
            cases[i].expected);
    }
}

static void test_the_callers_address_is_not_the_source_address(void)
{
    const audit_record *r = record_from("{'operationName':'x','callerIpAddress':'198.51.100.9'}");

    EXPECT_TEXT_IS(r->source_ip, "");
    EXPECT_TEXT_IS(r->caller_ip, "198.51.100.9");
}

static void test_a_path_in_another_case_leads_nowhere(void)
{
    EXPECT_TEXT_IS(initiated_by("{'user':{'UserPrincipalName':'a'}}")->actor, "");
}

/* --- result, tenant --- */

static void test_where_a_diagnostic_record_has_its_reason(void)
{
    EXPECT_TEXT_IS(with_properties("'resultReason':'a'")->result_reason, "a");
    EXPECT_TEXT_IS(with_properties("'resultDescription':'b'")->result_reason, "b");
    EXPECT_TEXT_IS(record_from("{'operationName':'x','resultDescription':'c'}")->result_reason,
                   "c");
    EXPECT_TEXT_IS(record_from("{'operationName':'x','resultDescription':'c',"
                               "'properties':{'resultReason':'a','resultDescription':'b'}}")
                       ->result_reason,
                   "a");
}

static void test_a_log_analytics_row_may_have_a_description_for_its_reason(void)
{
    EXPECT_TEXT_IS(record_from("{'OperationName':'x','ResultDescription':'b'}")->result_reason,
                   "b");
}

static void test_the_tenant_may_stand_in_the_resource(void)
{
    EXPECT_TEXT_IS(record_from("{'operationName':'x','resourceId':'/tenants/" TENANT_ID
                               "/providers/Microsoft.aadiam'}")
                       ->tenant_id,
                   TENANT_ID);
    EXPECT_TEXT_IS(
        record_from("{'operationName':'x','resourceId':'/tenants/" TENANT_ID "'}")->tenant_id,
        TENANT_ID);
}

static void test_the_tenants_own_field_comes_before_the_resource(void)
{
    EXPECT_TEXT_IS(record_from("{'operationName':'x','tenantId':'mine',"
                               "'resourceId':'/tenants/other/providers/x'}")
                       ->tenant_id,
                   "mine");
}

static void test_a_resource_without_a_tenant_names_none(void)
{
    EXPECT_TEXT_IS(record_from("{'operationName':'x','resourceId':'/subscriptions/1'}")->tenant_id,
                   "");
    EXPECT_TEXT_IS(record_from("{'operationName':'x','resourceId':'/tenants/'}")->tenant_id, "");
    EXPECT_TEXT_IS(record_from("{'operationName':'x','resourceId':5}")->tenant_id, "");
}

static void test_the_workspace_is_not_the_tenant(void)
{
    EXPECT_TEXT_IS(record_from("{'OperationName':'x','TenantId':'workspace'}")->tenant_id, "");
}

/* --- who, and from where --- */

static const audit_record *initiated(const char *by, const char *details)
{
    return record_from(test_string("{'operationName':'x','properties':{'initiatedBy':%s,"
                                   "'additionalDetails':%s}}",
                                   by, details));
}

static void test_the_id_is_of_the_one_that_the_actor_names(void)
{
    static const char user[] = "'user':{'id':'u','userPrincipalName':'%s'}";
    static const char app[] = "'app':{'displayName':'App','appId':'a','servicePrincipalId':'s'}";
    const char *named = test_string(user, "eve@x"), *nameless = test_string(user, "");

    EXPECT_TEXT_IS(initiated(test_string("{%s,%s}", named, app), "[]")->actor_id, "u");
    EXPECT_TEXT_IS(initiated(test_string("{%s,%s}", nameless, app), "[]")->actor_id, "s");
    EXPECT_TEXT_IS(initiated(test_string("{%s}", nameless), "[]")->actor_id, "u");
    EXPECT_TEXT_IS(initiated("{'app':{'appId':'a'}}", "[]")->actor_id, "a");
}

static void test_the_callers_address_stands_in_many_places(void)
{
    static const char *const keys[] = {"ipaddr", "ipAddress", "IpAddress"};
    const audit_record *r = initiated("{'app':{'ipAddress':'198.51.100.9'}}", "[]");

    EXPECT_TEXT_IS(r->caller_ip, "198.51.100.9");
    EXPECT_TEXT_IS(r->source_ip, "");
    for (size_t i = 0; i < LENGTH_OF(keys); i++)
        EXPECT_TEXT_IS(initiated("null", test_string("[{'key':'User-Agent','value':'x'},"
                                                     "{'key':'%s','value':'\\'198.51.100.8\\''}]",
                                                     keys[i]))
                           ->caller_ip,
                       "198.51.100.8");
}

static void test_a_diagnostic_record_with_capitals_is_one(void)
{
    const audit_record *r = wide_record_of(
        json_of("{'Time':'2026-06-01T12:00:00Z','OperationName':'x','Properties':{'Id':'1',"
                "'TargetResources':[{'UserPrincipalName':'Sync_x'}]}}"));

    EXPECT_INT(r->shape, SHAPE_DIAGNOSTIC);
    EXPECT_TEXT_IS(r->record_id, "1");
    EXPECT(r->has_time);
    EXPECT_TEXT_IS(target_of(r, 0).upn, "Sync_x");
}

static void test_a_log_analytics_row_without_capitals_is_one(void)
{
    const audit_record *r = wide_record_of(
        json_of("{'timeGenerated':'2026-06-01T12:00:00Z','operationName':'x','id':'1',"
                "'targetResources':[{'userPrincipalName':'Sync_x'}]}"));

    EXPECT_INT(r->shape, SHAPE_LOG_ANALYTICS);
    EXPECT_TEXT_IS(r->record_id, "1");
    EXPECT(r->has_time);
    EXPECT_TEXT_IS(target_of(r, 0).upn, "Sync_x");
}

/* --- targets: mv-expand --- */

static const audit_record *with_targets(const char *written)
{
    return with_properties(test_string("'targetResources':%s", written));
}

static const char *target_written(const audit_target *target)
{
    buffer out = {0};
    const char *copy;

    audit_target_write(target, &out);
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static void test_mv_expand_on_recorded_values(void)
{
    static const struct {
        const char *value;
        const char *rows[3];
    } cases[] = {
        {"[10,20]", {"10", "20"}},
        {"null", {"null"}},
        {"[]", {NULL}},
        {"{}", {NULL}},
        {"{'k':1}", {"{'k':1}"}},
        {"[{'id':1},{'id':2}]", {"{'id':1}", "{'id':2}"}},
        {"[[1,2],[3]]", {"[1,2]", "[3]"}},
        {"'abc'", {"'abc'"}},
        {"5", {"5"}},
        {"[null]", {"null"}},
        {"[null,{'id':2}]", {"null", "{'id':2}"}},
        {"{'userPrincipalName':'Sync_x','id':'1'}",
         {"{'userPrincipalName':'Sync_x'}", "{'id':'1'}"}},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        const audit_record *r = with_targets(cases[i].value);
        size_t rows = 0;

        test_case("%s", cases[i].value);
        for (; rows < 3 && cases[i].rows[rows] != NULL; rows++) {
            audit_target target = target_of(r, rows);

            EXPECT_INT(target.index, rows);
            EXPECT_STRING(target_written(&target), quoted(cases[i].rows[rows]));
        }
        EXPECT_INT(audit_record_target_count(r), rows);
    }
}

static void test_absent_targets_are_one_row_of_null(void)
{
    const audit_record *r = with_properties("");
    audit_target target = target_of(r, 0);

    EXPECT_INT(audit_record_target_count(r), 1);
    EXPECT_STRING(target_written(&target), "null");
    EXPECT_TEXT_IS(target.upn, "");
    EXPECT_TEXT_IS(target.id, "");
}

static void test_each_target_has_its_own_upn_and_id(void)
{
    const audit_record *r = with_targets("[{'userPrincipalName':'a@x','id':'1'},"
                                         "{'userPrincipalName':null,'id':'2'},"
                                         "{'userPrincipalName':'c@x'}]");

    EXPECT_TEXT_IS(target_of(r, 0).upn, "a@x");
    EXPECT_TEXT_IS(target_of(r, 0).id, "1");
    EXPECT_TEXT_IS(target_of(r, 1).upn, "");
    EXPECT_TEXT_IS(target_of(r, 1).id, "2");
    EXPECT_TEXT_IS(target_of(r, 2).upn, "c@x");
    EXPECT_TEXT_IS(target_of(r, 2).id, "");
}

static void test_an_object_of_targets_splits_upn_and_id_over_two_rows(void)
{
    const audit_record *r = with_targets("{'userPrincipalName':'Sync_x','id':'1'}");

    EXPECT_TEXT_IS(target_of(r, 0).upn, "Sync_x");
    EXPECT_TEXT_IS(target_of(r, 0).id, "");
    EXPECT_TEXT_IS(target_of(r, 1).upn, "");
    EXPECT_TEXT_IS(target_of(r, 1).id, "1");
}

static void test_an_object_keyed_by_numbers_has_no_upn(void)
{
    const audit_record *r = with_targets("{'0':{'userPrincipalName':'Sync_x'}}");

    EXPECT_INT(audit_record_target_count(r), 1);
    EXPECT_TEXT_IS(target_of(r, 0).upn, "");
}

static void test_a_target_that_is_no_object_has_no_upn(void)
{
    const audit_record *r = with_targets("['Sync_x',5,null,['Sync_x']]");

    EXPECT_INT(audit_record_target_count(r), 4);
    for (size_t i = 0; i < 4; i++) {
        EXPECT_TEXT_IS(target_of(r, i).upn, "");
        EXPECT_TEXT_IS(target_of(r, i).id, "");
    }
}

static void test_targets_in_a_string_are_one_scalar(void)
{
    json *object = json_of("{'OperationName':'x','TargetResources':"
                           "'[{\\u0022userPrincipalName\\u0022:\\u0022Sync_x\\u0022}]'}");
    const audit_record *r = record_of(object);

    EXPECT_INT(audit_record_target_count(r), 1);
    EXPECT_TEXT_IS(target_of(r, 0).upn, "");
}

static void test_a_target_with_keys_in_another_case_has_no_upn(void)
{
    const audit_record *r = with_targets("[{'UserPrincipalName':'Sync_x','ID':'1'}]");

    EXPECT_TEXT_IS(target_of(r, 0).upn, "");
    EXPECT_TEXT_IS(target_of(r, 0).id, "");
}

static void test_a_targets_id_of_any_kind_is_its_text(void)
{
    EXPECT_TEXT_IS(target_of(with_targets("[{'id':42}]"), 0).id, "42");
    EXPECT_TEXT_IS(target_of(with_targets("[{'id':{'x':1}}]"), 0).id, "{\"x\":1}");
    EXPECT_TEXT_IS(target_of(with_targets("[{'id':['a']}]"), 0).id, "[\"a\"]");
    EXPECT_TEXT_IS(target_of(with_targets("[{'id':true}]"), 0).id, "true");
}

static void test_a_target_is_written_whole(void)
{
    const audit_record *r = with_targets("[{'id':'1','displayName':null,"
                                         "'modifiedProperties':[{'displayName':'a'}]}]");
    audit_target target = target_of(r, 0);

    EXPECT_STRING(target_written(&target),
                  quoted("{'id':'1','displayName':null,'modifiedProperties':"
                         "[{'displayName':'a'}]}"));
}

CU_TestInfo audit_record_tests[] = {
    TEST(test_a_diagnostic_record),
    TEST(test_a_log_analytics_row),
    TEST(test_a_directory_audit),
    TEST(test_a_record_with_nothing_but_an_operation_has_empty_fields),
    TEST(test_every_shape_has_a_name_of_its_own),
    TEST(test_an_object_without_an_operation_is_no_record),
    TEST(test_an_activity_record_of_the_same_hub_is_another_kind),
    TEST(test_the_operation_of_a_diagnostic_record_is_the_envelopes),
    TEST(test_an_operation_that_is_null_is_empty),
    TEST(test_a_number_as_result_is_its_text),
    TEST(test_the_envelopes_time_comes_before_the_activitys),
    TEST(test_the_activitys_time_counts_where_the_envelope_has_none),
    TEST(test_a_directory_audit_may_have_a_created_time),
    TEST(test_an_epoch_number_is_a_time),
    TEST(test_a_time_that_cannot_be_read_is_none),
    TEST(test_the_actor_is_the_first_that_is_not_empty),
    TEST(test_an_app_is_the_actor_beside_a_null_user),
    TEST(test_an_initiator_that_is_no_object_has_no_actor),
    TEST(test_the_source_address_is_taken_as_it_stands),
    TEST(test_the_callers_address_is_not_the_source_address),
    TEST(test_a_path_in_another_case_leads_nowhere),
    TEST(test_where_a_diagnostic_record_has_its_reason),
    TEST(test_a_log_analytics_row_may_have_a_description_for_its_reason),
    TEST(test_the_tenant_may_stand_in_the_resource),
    TEST(test_the_tenants_own_field_comes_before_the_resource),
    TEST(test_a_resource_without_a_tenant_names_none),
    TEST(test_the_workspace_is_not_the_tenant),
    TEST(test_the_id_is_of_the_one_that_the_actor_names),
    TEST(test_the_callers_address_stands_in_many_places),
    TEST(test_a_diagnostic_record_with_capitals_is_one),
    TEST(test_a_log_analytics_row_without_capitals_is_one),
    TEST(test_mv_expand_on_recorded_values),
    TEST(test_absent_targets_are_one_row_of_null),
    TEST(test_each_target_has_its_own_upn_and_id),
    TEST(test_an_object_of_targets_splits_upn_and_id_over_two_rows),
    TEST(test_an_object_keyed_by_numbers_has_no_upn),
    TEST(test_a_target_that_is_no_object_has_no_upn),
    TEST(test_targets_in_a_string_are_one_scalar),
    TEST(test_a_target_with_keys_in_another_case_has_no_upn),
    TEST(test_a_targets_id_of_any_kind_is_its_text),
    TEST(test_a_target_is_written_whole),
    TESTS_END,
};
