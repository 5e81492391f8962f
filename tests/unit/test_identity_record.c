/* Rows of the role list, as Log Analytics writes them. */
#include "identity_record.h"

#include "fixtures.h"
#include "suites.h"
#include "test.h"

static identity_reading read_row(const char *written, identity_record *row)
{
    return identity_record_read(json_of(written), test_arena(), row);
}

static identity_record row_of(const char *written)
{
    identity_record row = {0};

    REQUIRE(read_row(written, &row) == IDENTITY_RECORD);
    return row;
}

static identity_reading reading_of_row(const char *written)
{
    identity_record row;

    return read_row(written, &row);
}

#define TIME "'TimeGenerated':'2026-06-01T12:00:00.1234567Z'"

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
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':'[\\u0022a\\u0022]'}").assigned_roles,
                   "[\"a\"]");
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':'a, b'}").assigned_roles, "a, b");
}

static void test_roles_of_another_kind_are_their_json_text(void)
{
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':{'Directory Synchronization Accounts':1}}")
                       .assigned_roles,
                   "{\"Directory Synchronization Accounts\":1}");
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':[]}").assigned_roles, "[]");
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':[1,true]}").assigned_roles, "[1,true]");
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

static void test_one_column_is_enough_for_a_row(void)
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
}

static void test_escapes_in_roles_are_decoded_first(void)
{
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':['\\u0044irectory']}").assigned_roles,
                   "[\"Directory\"]");
}

static void test_a_quote_in_a_role_is_escaped_in_the_text(void)
{
    EXPECT_TEXT_IS(row_of("{" TIME ",'AssignedRoles':['a\\u0022b']}").assigned_roles,
                   "[\"a\\\"b\"]");
}

CU_TestInfo identity_record_tests[] = {
    TEST(test_a_row_with_all_its_columns),
    TEST(test_roles_in_a_string_are_that_string),
    TEST(test_roles_of_another_kind_are_their_json_text),
    TEST(test_null_columns_are_empty),
    TEST(test_one_column_is_enough_for_a_row),
    TEST(test_other_columns_do_not_matter),
    TEST(test_a_row_without_a_readable_time_is_told),
    TEST(test_an_object_of_another_kind_is_no_row),
    TEST(test_escapes_in_roles_are_decoded_first),
    TEST(test_a_quote_in_a_role_is_escaped_in_the_text),
    TESTS_END,
};
