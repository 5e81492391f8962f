/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the role list, in each shape that they come in. */
#include "record/identity_record.h"

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define RECEIVED "2026-06-10T00:00:00Z"

/* The n-th row of an object. */
static identity_result read_row(json *object, size_t n, identity_record *row)
{
    identity_rows rows;

    if (!identity_rows_find(object, NULL, NULL, &rows) || n >= rows.count)
        return IDENTITY_OTHER_KIND;
    return identity_rows_read(&rows, n, time_of(RECEIVED), test_arena(), row);
}

static identity_record nth_row_of(const char *written, size_t n)
{
    identity_record row = {0};

    REQUIRE(read_row(json_of(written), n, &row) == IDENTITY_RECORD);
    return row;
}

static identity_record row_of(const char *written)
{
    return nth_row_of(written, 0);
}

static identity_result reading_of_row(const char *written)
{
    identity_record row;

    return read_row(json_of(written), 0, &row);
}

#define TIME "'TimeGenerated':'2026-06-01T12:00:00.1234567Z'"
#define NAMED TIME ",'AccountUPN':'a'"

/* --- Log Analytics --- */

static void test_a_row_with_all_its_columns(void)
{
    identity_record row = row_of("{" TIME ",'AccountUPN':'Sync_x@contoso.com',"
                                 "'AccountObjectId':'id-1','AccountDisplayName':'Sync Account',"
                                 "'AssignedRoles':['Directory Synchronization Accounts','b']}");

    EXPECT_TIME(row.time_generated, time_of("2026-06-01T12:00:00.1234567Z"));
    EXPECT_TEXT_IS(row.account_upn, "Sync_x@contoso.com");
    EXPECT_TEXT_IS(row.account_object_id, "id-1");
    EXPECT_TEXT_IS(row.account_display_name, "Sync Account");
    EXPECT_TEXT_IS(row.assigned_roles, "[\"Directory Synchronization Accounts\",\"b\"]");
}

static void test_roles_in_a_string_are_that_string(void)
{
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':'[\\u0022a\\u0022]'}").assigned_roles,
                   "[\"a\"]");
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':'a, b'}").assigned_roles, "a, b");
}

static void test_roles_of_another_kind_are_their_json_text(void)
{
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':{'Directory Synchronization Accounts':1}}")
                       .assigned_roles,
                   "{\"Directory Synchronization Accounts\":1}");
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':[]}").assigned_roles, "[]");
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':[1,true]}").assigned_roles, "[1,true]");
}

static void test_null_columns_are_empty(void)
{
    identity_record row = row_of("{" TIME ",'AccountUPN':null,'AccountObjectId':null,"
                                 "'AccountDisplayName':null,'AssignedRoles':null}");

    EXPECT_TEXT_IS(row.account_upn, "");
    EXPECT_TEXT_IS(row.account_object_id, "");
    EXPECT_TEXT_IS(row.account_display_name, "");
    EXPECT_TEXT_IS(row.assigned_roles, "");
}

static void test_a_upn_or_an_object_id_is_enough_for_a_row(void)
{
    EXPECT_TEXT_IS(row_of("{" TIME ",'AccountUPN':'a'}").account_upn, "a");
    EXPECT_TEXT_IS(row_of("{" TIME ",'AccountObjectId':'b'}").account_object_id, "b");
    EXPECT_TEXT_IS(row_of("{" TIME ",'AccountObjectId':'b'}").account_upn, "");
}

static void test_other_columns_do_not_matter(void)
{
    EXPECT_TEXT_IS(row_of("{'TenantId':'t'," TIME ",'AccountUPN':'a','GroupMembership':[],"
                          "'IsAccountEnabled':true,'BlastRadius':'High'}")
                       .account_upn,
                   "a");
}

static void test_a_row_without_a_readable_time_is_told(void)
{
    EXPECT_INT(reading_of_row("{'AccountUPN':'a'}"), IDENTITY_WITHOUT_TIME);
    EXPECT_INT(reading_of_row("{'AccountUPN':'a','TimeGenerated':null}"), IDENTITY_WITHOUT_TIME);
    EXPECT_INT(reading_of_row("{'AccountUPN':'a','TimeGenerated':'soon'}"), IDENTITY_WITHOUT_TIME);
}

static void test_an_object_of_another_kind_is_no_row(void)
{
    EXPECT_INT(reading_of_row("{}"), IDENTITY_OTHER_KIND);
    EXPECT_INT(reading_of_row("{" TIME ",'OperationName':'x'}"), IDENTITY_OTHER_KIND);
    EXPECT_INT(reading_of_row("{" TIME ",'AccountDisplayName':'x','AssignedRoles':[]}"),
               IDENTITY_OTHER_KIND);
    EXPECT_INT(reading_of_row("{" NAMED ",'ActionType':'LogonSuccess'}"), IDENTITY_OTHER_KIND);
}

static void test_escapes_in_roles_are_decoded_first(void)
{
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':['\\u0044irectory']}").assigned_roles,
                   "[\"Directory\"]");
}

static void test_a_quote_in_a_role_is_escaped_in_the_text(void)
{
    EXPECT_TEXT_IS(row_of("{" NAMED ",'AssignedRoles':['a\\u0022b']}").assigned_roles,
                   "[\"a\\\"b\"]");
}

static void check_roles(const char *written, identity_roles roles, bool are_older)
{
    identity_record row = row_of(written);

    test_case("%s", written);
    EXPECT_INT(row.roles, roles);
    EXPECT_INT(row.roles_are_older, are_older);
}

static void test_absent_roles_are_told_from_empty_ones(void)
{
    check_roles("{" NAMED ",'AssignedRoles':['r']}", ROLES_GIVEN, false);
    check_roles("{" NAMED ",'AssignedRoles':[]}", ROLES_GIVEN, false);
    check_roles("{" NAMED ",'AssignedRoles':''}", ROLES_GIVEN, false);
    check_roles("{" NAMED ",'AssignedRoles':null}", ROLES_GIVEN, false);
    check_roles("{" NAMED "}", ROLES_ABSENT, true);
    check_roles("{'Timestamp':'2026-06-01','AccountUpn':'a'}", ROLES_ABSENT, false);
    check_roles("{'Timestamp':'2026-06-01','AccountUpn':'a','AssignedRoles':null}", ROLES_GIVEN,
                false);
}

static void test_keys_in_another_case_count_when_none_is_exact(void)
{
    EXPECT_TEXT_IS(row_of("{'timegenerated':'2026-06-01','ACCOUNTUPN':'a'}").account_upn, "a");
    EXPECT_TEXT_IS(row_of("{" NAMED ",'accountobjectid':'b'}").account_object_id, "");
}

/* --- Defender XDR --- */

static void test_a_row_of_defender(void)
{
    identity_record row = row_of("{'Timestamp':'2026-06-01T12:00:00.1234567Z','AccountUpn':'a',"
                                 "'AccountObjectId':'b','AccountDisplayName':'c',"
                                 "'AssignedRoles':['d']}");

    EXPECT_TIME(row.time_generated, time_of("2026-06-01T12:00:00.1234567Z"));
    EXPECT_TEXT_IS(row.account_upn, "a");
    EXPECT_TEXT_IS(row.account_object_id, "b");
    EXPECT_TEXT_IS(row.account_display_name, "c");
    EXPECT_TEXT_IS(row.assigned_roles, "[\"d\"]");
}

static void test_a_row_of_defender_may_have_the_time_of_log_analytics(void)
{
    EXPECT_TEXT_IS(row_of("{" TIME ",'AccountUpn':'a','AccountObjectId':'b'}").account_upn, "a");
    check_roles("{" TIME ",'AccountUpn':'a'}", ROLES_ABSENT, false);
}

static void test_a_row_without_a_upn_is_defenders_by_its_time(void)
{
    check_roles("{'Timestamp':'2026-06-01','AccountObjectId':'b'}", ROLES_ABSENT, false);
    check_roles("{" TIME ",'AccountObjectId':'b'}", ROLES_ABSENT, true);
}

/* --- Graph --- */

#define ROLE "{'displayName':'name','roleTemplateId':'template','members':"
#define MEMBER_1 "{'id':'1','userPrincipalName':'a','displayName':'A'}"
#define MEMBER_2 "{'id':'2','userPrincipalName':'b','displayName':'B'}"

static void test_each_member_of_a_role_is_a_row(void)
{
    identity_record row = nth_row_of(ROLE "[" MEMBER_1 "," MEMBER_2 "]}", 1);

    EXPECT_TIME(row.time_generated, time_of(RECEIVED));
    EXPECT_TEXT_IS(row.account_upn, "b");
    EXPECT_TEXT_IS(row.account_object_id, "2");
    EXPECT_TEXT_IS(row.account_display_name, "B");
    EXPECT_TEXT_IS(row.assigned_roles, "[\"name\",\"template\"]");
    EXPECT_INT(row.roles, ROLES_ADDED);
    EXPECT_NOT(row.roles_are_older);
}

static void test_a_role_without_members_has_no_rows(void)
{
    identity_rows rows;

    EXPECT(identity_rows_find(json_of(ROLE "[]}"), NULL, NULL, &rows));
    EXPECT_INT(rows.count, 0);
}

static void test_members_must_be_an_array_and_the_role_have_a_template(void)
{
    identity_rows rows;

    EXPECT_NOT(identity_rows_find(json_of(ROLE "{}}"), NULL, NULL, &rows));
    EXPECT_NOT(identity_rows_find(json_of("{'displayName':'n','members':[" MEMBER_1 "]}"), NULL,
                                  NULL, &rows));
}

static void test_a_member_without_a_upn_stands_under_its_id(void)
{
    EXPECT_TEXT_IS(row_of(ROLE "[{'id':'1'}]}").account_upn, "1");
    EXPECT_INT(reading_of_row(ROLE "[{'displayName':'A'}]}"), IDENTITY_OTHER_KIND);
    EXPECT_INT(reading_of_row(ROLE "[null]}"), IDENTITY_OTHER_KIND);
}

static void test_a_role_without_a_name_has_its_template(void)
{
    EXPECT_TEXT_IS(row_of("{'roleTemplateId':'t','members':[" MEMBER_1 "]}").assigned_roles,
                   "[\"t\"]");
}

/* --- tables --- */

static void test_cells_are_read_by_their_header(void)
{
    const text names[] = {TEXT("AccountUPN"), TEXT("x"), TEXT("TimeGenerated"),
                          TEXT("AssignedRoles")};
    const text cells[] = {TEXT("a"), TEXT("y"), TEXT("2026-06-01"), TEXT("[]")};
    identity_layout layout;
    identity_record row;

    REQUIRE(identity_layout_find(&layout, names, LENGTH_OF(names)));
    EXPECT_INT(identity_record_read_cells(&layout, cells, DATE_ORDER_UNKNOWN, &row),
               IDENTITY_RECORD);
    EXPECT_TEXT_IS(row.account_upn, "a");
    EXPECT_TEXT_IS(row.account_object_id, "");
    EXPECT_TEXT_IS(row.assigned_roles, "[]");
    EXPECT_TIME(row.time_generated, time_of("2026-06-01"));
    EXPECT_INT(row.roles, ROLES_GIVEN);
}

CU_TestInfo identity_record_tests[] = {
    TEST(test_a_row_with_all_its_columns),
    TEST(test_roles_in_a_string_are_that_string),
    TEST(test_roles_of_another_kind_are_their_json_text),
    TEST(test_null_columns_are_empty),
    TEST(test_a_upn_or_an_object_id_is_enough_for_a_row),
    TEST(test_other_columns_do_not_matter),
    TEST(test_a_row_without_a_readable_time_is_told),
    TEST(test_an_object_of_another_kind_is_no_row),
    TEST(test_escapes_in_roles_are_decoded_first),
    TEST(test_a_quote_in_a_role_is_escaped_in_the_text),
    TEST(test_absent_roles_are_told_from_empty_ones),
    TEST(test_keys_in_another_case_count_when_none_is_exact),
    TEST(test_a_row_of_defender),
    TEST(test_a_row_of_defender_may_have_the_time_of_log_analytics),
    TEST(test_a_row_without_a_upn_is_defenders_by_its_time),
    TEST(test_each_member_of_a_role_is_a_row),
    TEST(test_a_role_without_members_has_no_rows),
    TEST(test_members_must_be_an_array_and_the_role_have_a_template),
    TEST(test_a_member_without_a_upn_stands_under_its_id),
    TEST(test_a_role_without_a_name_has_its_template),
    TEST(test_cells_are_read_by_their_header),
    TESTS_END,
};
