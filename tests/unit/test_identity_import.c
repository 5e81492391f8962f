/* SPDX-License-Identifier: Apache-2.0 */
/* Texts that carry identity rows, put into a role list. */
#include "state/identity_import.h"

#include <stdlib.h>

#include "fixtures.h"
#include "suites.h"
#include "test.h"

static void give_back_import(void *i)
{
    identity_import_free(i);
}

#define RECEIVED "2026-06-10T00:00:00Z"

static identity_import *new_import(void)
{
    identity_import *i = identity_import_new();

    REQUIRE(i != NULL);
    test_at_end(give_back_import, i);
    return i;
}

/* One message in a transaction of its own. */
static identity_imported import(role_list *list, const char *message)
{
    identity_imported done;

    REQUIRE(role_list_begin(list));
    done = identity_import_feed(new_import(), list, NULL, tight_of(quoted(message)),
                                time_of(RECEIVED));
    REQUIRE(role_list_commit(list));
    return done;
}

static role_list *new_role_list(void)
{
    return open_role_list(open_store(STORE_IN_MEMORY));
}

static void note_upn(void *arg, const identity_record *r)
{
    buffer_append(arg, r->account_upn);
    buffer_append_char(arg, ' ');
}

static const char *upns_in(role_list *list)
{
    buffer out = {0};
    const char *copy;

    EXPECT(role_list_each(list, note_upn, &out));
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

#define ROW_1 "{'TimeGenerated':'2026-06-01T12:00:00Z','AccountUPN':'a@x'}"
#define ROW_2 "{'TimeGenerated':'2026-06-01T12:00:00Z','AccountUPN':'b@x'}"
#define TIMELESS "{'AccountUPN':'c@x'}"

static void check_both_rows(const char *message)
{
    role_list *list = new_role_list();
    identity_imported done = import(list, message);

    test_case("%s", message);
    EXPECT_INT(done.rows, 2);
    EXPECT_INT(done.without_time, 0);
    EXPECT_INT(done.broken, 0);
    EXPECT_NOT(done.failed);
    EXPECT_STRING(upns_in(list), "a@x b@x ");
}

static void test_rows_in_each_wrapping(void)
{
    check_both_rows("{'records':[" ROW_1 "," ROW_2 "]}");
    check_both_rows("{'value':[" ROW_1 "," ROW_2 "]}");
    check_both_rows("[" ROW_1 "," ROW_2 "]");
    check_both_rows(ROW_1 "\n" ROW_2 "\n");
    check_both_rows(ROW_1 "\r\n" ROW_2);
    check_both_rows(ROW_1 ROW_2);
    check_both_rows("<134>Jun  1 12:00:00 identity " ROW_1 " " ROW_2);
    check_both_rows("\357\273\277[" ROW_1 ",\n" ROW_2 "]");
}

static void test_a_single_row(void)
{
    role_list *list = new_role_list();

    EXPECT_INT(import(list, ROW_1).rows, 1);
    EXPECT_STRING(upns_in(list), "a@x ");
}

static void test_a_row_that_changes_nothing_is_a_row(void)
{
    role_list *list = new_role_list();

    import(list, ROW_1);
    EXPECT_INT(import(list, ROW_1).rows, 1);
    EXPECT_INT(role_list_changed(list), 0);
}

static void test_rows_without_a_time_are_left_out_and_counted(void)
{
    role_list *list = new_role_list();
    identity_imported done = import(list, "[" TIMELESS "," ROW_1 "," TIMELESS "]");

    EXPECT_INT(done.rows, 1);
    EXPECT_INT(done.without_time, 2);
    EXPECT_NOT(done.failed);
    EXPECT_STRING(upns_in(list), "a@x ");
}

static void test_objects_of_another_kind_are_no_rows(void)
{
    role_list *list = new_role_list();
    identity_imported done = import(list, "[{'OperationName':'x'}," ROW_1 ",{},5,null,'text']");

    EXPECT_INT(done.rows, 1);
    EXPECT_INT(done.without_time, 0);
    EXPECT_INT(done.broken, 0);
}

static void test_a_text_without_json_holds_nothing(void)
{
    role_list *list = new_role_list();
    identity_imported done = import(list, "Jun  1 12:00:00 host app[123]: nothing to see");

    EXPECT_INT(done.rows, 0);
    EXPECT_INT(done.broken, 0);
    EXPECT_NOT(done.failed);
}

static void test_a_broken_document_is_counted_and_the_others_are_read(void)
{
    role_list *list = new_role_list();
    identity_imported done = import(list, ROW_1 "\n{'AccountUPN':\n" ROW_2);

    EXPECT_INT(done.rows, 2);
    EXPECT(done.broken > 0);
    EXPECT(done.reason != NULL);
    EXPECT_STRING(upns_in(list), "a@x b@x ");
}

static void test_the_newest_of_one_message_counts(void)
{
    role_list *list = new_role_list();

    import(list, "[{'TimeGenerated':'2026-06-02T00:00:00Z','AccountUPN':'a@x',"
                 "'AccountObjectId':'new'},"
                 "{'TimeGenerated':'2026-06-01T00:00:00Z','AccountUPN':'a@x',"
                 "'AccountObjectId':'old'}]");
    EXPECT_STRING(upns_in(list), "a@x ");
    EXPECT_INT(role_list_changed(list), 1);
}

static void test_a_store_that_refuses_is_told(void)
{
    store *other = open_store(test_path("state.db"));
    role_list *list = open_role_list(open_store(test_path("state.db")));
    identity_imported done;

    REQUIRE(store_begin(other));
    done =
        identity_import_feed(new_import(), list, NULL, tight_of(quoted(ROW_1)), time_of(RECEIVED));
    EXPECT(done.failed);
    store_rollback(other);
    EXPECT_STRING(upns_in(list), "");
}

static void give_back_carrier(void *c)
{
    carrier_unref(c);
}

static const carrier *open_rulebase(const char *rules)
{
    char *error;
    carrier *c = carrier_open(test_file("test.rulebase", rules), &error);

    REQUIRE(c != NULL);
    test_at_end(give_back_carrier, c);
    return c;
}

static void test_a_rulebase_is_a_way_in(void)
{
    role_list *list = new_role_list();
    const carrier *rulebase = open_rulebase("version=2\nrule=:account %record:name-value-list%\n");
    identity_imported done;

    REQUIRE(role_list_begin(list));
    done = identity_import_feed(
        new_import(), list, rulebase,
        text_of("account TimeGenerated=2026-06-01T12:00:00Z AccountUPN=a@x"), time_of(RECEIVED));
    REQUIRE(role_list_commit(list));
    EXPECT_INT(done.rows, 1);
    EXPECT_STRING(upns_in(list), "a@x ");
}

static void test_one_import_takes_many_messages(void)
{
    role_list *list = new_role_list();
    identity_import *i = new_import();

    REQUIRE(role_list_begin(list));
    for (int n = 0; n < 200; n++) {
        const char *message = test_string("{'TimeGenerated':'2026-06-01T12:00:00Z',"
                                          "'AccountUPN':'u%d@x'}",
                                          n);
        EXPECT_INT(
            identity_import_feed(i, list, NULL, text_of(quoted(message)), time_of(RECEIVED)).rows,
            1);
    }
    REQUIRE(role_list_commit(list));
    EXPECT_INT(role_list_changed(list), 200);
}

static void test_a_role_has_a_row_for_each_member_at_the_time_of_reception(void)
{
    role_list *list = new_role_list();
    role_list_facts facts;
    identity_imported done =
        import(list, "{'value':[{'displayName':'r','roleTemplateId':'t','members':["
                     "{'id':'1','userPrincipalName':'a@x'},{'id':'2','userPrincipalName':'b@x'}]},"
                     "{'displayName':'s','roleTemplateId':'u','members':[]}]}");

    EXPECT_INT(done.records, 2);
    EXPECT_INT(done.rows, 2);
    EXPECT_STRING(upns_in(list), "a@x b@x ");
    EXPECT(role_list_read_facts(list, &facts));
    EXPECT_TIME(facts.newest, time_of(RECEIVED));
}

/* --- tables --- */

#define HEADER "TimeGenerated,AccountUPN,AccountDisplayName\r\n"
#define TABLE                                                                                      \
    HEADER "2026-06-01,a@x,'x\r\n''y'', z'\r\n"                                                    \
           "\r\n"                                                                                  \
           "2026-06-01,b@x\n"                                                                      \
           "soon,c@x,\n"                                                                           \
           "2026-06-01,d@x,"

static void test_a_message_may_be_a_table(void)
{
    role_list *list = new_role_list();
    identity_imported done = import(list, TABLE);

    EXPECT_INT(done.records, 1);
    EXPECT_INT(done.rows, 2);
    EXPECT_INT(done.without_time, 1);
    EXPECT_INT(done.broken, 1);
    EXPECT_STRING(done.reason, "not as many cells as the header has: left out");
    EXPECT_STRING(upns_in(list), "a@x d@x ");
}

static void test_a_syslog_header_may_stand_in_front_of_a_table(void)
{
    role_list *list = new_role_list();

    EXPECT_INT(import(list, "<134>Jun  1 12:00:00 host app: " TABLE).rows, 2);
    EXPECT_STRING(upns_in(list), "a@x d@x ");
}

static void test_a_table_may_have_its_line_breaks_escaped_by_rsyslog(void)
{
    role_list *list = new_role_list();

    EXPECT_INT(import(list, "<134>Jun  1 12:00:00 host app: TimeGenerated,AccountUPN#015#012"
                            "2026-06-01,a@x#015#0122026-06-01,b@x#7#01")
                   .rows,
               2);
    EXPECT_STRING(upns_in(list), "a@x b@x#7#01 ");
}

/* What a teller heard: "line line ". */
static void note_line(void *arg, identity_trouble trouble, size_t line, const char *what)
{
    (void)what;
    buffer_append_string(arg, test_string("%s%zu ", trouble == TROUBLE_BROKEN ? "!" : "?", line));
}

static const char *heard(buffer *out)
{
    const char *copy = test_string("%s", buffer_string(out));

    buffer_free(out);
    return copy;
}

static void check_pieces(text table, size_t piece)
{
    role_list *list = new_role_list();
    identity_import *i = new_import();
    buffer out = {0};

    test_case("pieces of %zu", piece);
    identity_import_set_teller(i, note_line, &out);
    REQUIRE(role_list_begin(list));
    REQUIRE(identity_import_begin_table(i, list, table, time_of(RECEIVED)));
    for (size_t at = 0; at < table.length; at += piece) {
        text rest = text_from(table, at);
        rest.length = rest.length < piece ? rest.length : piece;
        EXPECT(identity_import_feed_table(i, tight(rest)));
    }
    EXPECT_INT(identity_import_end_table(i, false).rows, 2);
    REQUIRE(role_list_commit(list));
    EXPECT_STRING(upns_in(list), "a@x d@x ");
    EXPECT_STRING(heard(&out), "!5 ?6 ");
}

static void test_a_table_may_come_in_any_pieces(void)
{
    text table = text_of(quoted(TABLE));

    for (size_t piece = 1; piece <= table.length; piece++)
        check_pieces(table, piece);
}

static void test_the_last_row_of_a_table_that_was_cut_off_is_left_out(void)
{
    role_list *list = new_role_list();
    identity_import *i = new_import();
    text table = text_of(quoted(TABLE));

    REQUIRE(role_list_begin(list));
    REQUIRE(identity_import_begin_table(i, list, table, time_of(RECEIVED)));
    EXPECT(identity_import_feed_table(i, table));
    EXPECT_INT(identity_import_end_table(i, true).rows, 1);
    REQUIRE(role_list_commit(list));
    EXPECT_STRING(upns_in(list), "a@x ");
}

static void test_troubles_of_a_document_are_told_with_their_lines(void)
{
    role_list *list = new_role_list();
    identity_import *i = new_import();
    buffer out = {0};

    identity_import_set_teller(i, note_line, &out);
    REQUIRE(role_list_begin(list));
    identity_import_feed(i, list, NULL,
                         tight_of(quoted(ROW_1 "\n" ROW_2 "\n{'AccountUPN':\n" TIMELESS)),
                         time_of(RECEIVED));
    REQUIRE(role_list_commit(list));
    EXPECT_STRING(heard(&out), "!3 ?1 ");
}

/* --- names that hold an escape --- */

#define ESCAPED_HEADER "TimeGenerated,AccountUPN,AccountDisplayName,AssignedRoles#012"
#define ESCAPED_ROW(upn, name)                                                                     \
    "2026-06-01T12:00:00Z," upn "," name ",\"[\"\"Directory Synchronization Accounts\"\"]\"#012"

static void note_name(void *arg, const identity_record *row)
{
    buffer_append(arg, row->account_upn);
    buffer_append_char(arg, '=');
    buffer_append(arg, row->account_display_name);
    buffer_append_string(arg, row->assigned_roles.length > 2 ? "+ " : "- ");
}

/* What the list holds after a message, "upn=name+ " for whoever has roles. */
static const char *names_after(role_list *list, const char *message, size_t broken)
{
    buffer out = {0};
    const char *copy;
    identity_imported done;

    REQUIRE(role_list_begin(list));
    done = identity_import_feed(new_import(), list, NULL, text_of(message), time_of(RECEIVED));
    EXPECT_NOT(done.failed);
    EXPECT_INT(done.broken, broken);
    REQUIRE(role_list_commit(list));
    EXPECT(role_list_each(list, note_name, &out));
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static void test_an_escape_in_a_name_ends_no_row(void)
{
    role_list *list = open_role_list(open_store(STORE_IN_MEMORY));

    EXPECT_STRING(names_after(list,
                              ESCAPED_HEADER ESCAPED_ROW("a@x", "x#012y")
                                  ESCAPED_ROW("b@x", "\"x#012,y\"") ESCAPED_ROW("c@x", "z"),
                              0),
                  "a@x=x#012y+ b@x=x#012,y+ c@x=z+ ");
}

static void test_a_name_takes_nobodys_role_away(void)
{
    static const char attack[] =
        ESCAPED_HEADER ESCAPED_ROW("m@x", "x#0122026-06-01T13:00:00Z,a@x,v")
            ESCAPED_ROW("b@x", "z");
    role_list *list = open_role_list(open_store(STORE_IN_MEMORY));

    names_after(list, ESCAPED_HEADER ESCAPED_ROW("a@x", "v"), 0);
    EXPECT_STRING(names_after(list, attack, 1), "a@x=v+ ");
}

static void test_escapes_of_a_table_with_line_breaks_stay(void)
{
    role_list *list = open_role_list(open_store(STORE_IN_MEMORY));

    EXPECT_STRING(names_after(list,
                              "TimeGenerated,AccountUPN,AccountDisplayName,AssignedRoles\n"
                              "2026-06-01T12:00:00Z,a@x,x#012y,r.r\n",
                              0),
                  "a@x=x#012y+ ");
}

CU_TestInfo identity_import_tests[] = {
    TEST(test_rows_in_each_wrapping),
    TEST(test_a_single_row),
    TEST(test_a_row_that_changes_nothing_is_a_row),
    TEST(test_rows_without_a_time_are_left_out_and_counted),
    TEST(test_objects_of_another_kind_are_no_rows),
    TEST(test_a_text_without_json_holds_nothing),
    TEST(test_a_broken_document_is_counted_and_the_others_are_read),
    TEST(test_the_newest_of_one_message_counts),
    TEST(test_a_store_that_refuses_is_told),
    TEST(test_a_rulebase_is_a_way_in),
    TEST(test_one_import_takes_many_messages),
    TEST(test_a_role_has_a_row_for_each_member_at_the_time_of_reception),
    TEST(test_a_message_may_be_a_table),
    TEST(test_a_syslog_header_may_stand_in_front_of_a_table),
    TEST(test_a_table_may_have_its_line_breaks_escaped_by_rsyslog),
    TEST(test_a_table_may_come_in_any_pieces),
    TEST(test_the_last_row_of_a_table_that_was_cut_off_is_left_out),
    TEST(test_troubles_of_a_document_are_told_with_their_lines),
    TEST(test_an_escape_in_a_name_ends_no_row),
    TEST(test_a_name_takes_nobodys_role_away),
    TEST(test_escapes_of_a_table_with_line_breaks_stay),
    TESTS_END,
};
