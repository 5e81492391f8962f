/* SPDX-License-Identifier: Apache-2.0 */
/* The rule's own strings, and its clauses one by one and together. */
#include "rule/rule.h"

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define NOW "2026-06-01T12:00:00Z"

/* --- what the operations and clauses say, as the query does --- */

static bool is_operation(const rule *r, const char *operation)
{
    const char *written = AUDIT_TEXT(SHAPE_LOG_ANALYTICS, .operation = operation);
    unsigned reasons = 0;

    return rule_is_operation(r, record_of(json_of(written)), SEMANTICS_KQL, &reasons);
}

static bool is_sync_account(const rule *r, const identity_record *row)
{
    return rule_is_sync_account(r, row, SEMANTICS_KQL);
}

static unsigned match(const rule *r, const sync_accounts *accounts, const char *upn, const char *id)
{
    const audit_target target = {.upn = text_of(upn), .id = text_of(id)};

    return rule_match_target(r, accounts, &target, SEMANTICS_KQL, time_of(NOW));
}

static unsigned match_alone(const rule *r, const char *upn)
{
    return match(r, accounts_of(r, NULL, NULL, 0), upn, "");
}

/* --- facts --- */

static void test_the_facts_of_the_rule(void)
{
    EXPECT_STRING(RULE_ID, "9b1a0008-1008-4108-9108-aadprov00008");
    EXPECT_STRING(RULE_NAME, "TAP Added to Entra Connector Account (Backdoor)");
    EXPECT_STRING(RULE_VERSION, "1.0.0");
    EXPECT_STRING(RULE_SEVERITY, "High");
}

static void test_the_file_that_ships_says_the_same(void)
{
    const rule_facts *facts = rule_get_facts(new_rule(SEMANTICS_KQL));

    EXPECT_TEXT_IS(facts->id, RULE_ID);
    EXPECT_TEXT_IS(facts->name, RULE_NAME);
    EXPECT_TEXT_IS(facts->version, RULE_VERSION);
    EXPECT_TEXT_IS(facts->severity, RULE_SEVERITY);
}

static void test_the_spans_of_the_query(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT_INT(rule_get_lookback(r), TICKS_PER_DAY);
    EXPECT_INT(rule_get_identity_window(r), 14 * TICKS_PER_DAY);
}

static void test_the_strings_of_the_query(void)
{
    static const char *const lists[RULE_LISTS][7] = {
        [RULE_OPERATIONS] = {"Admin registered security info", "Register security info",
                             "Create temporary access pass", "Issue temporary access pass",
                             "Admin Issued Temporary Access Pass", "User registered security info"},
        [RULE_ROLES] = {"Directory Synchronization Accounts", "On Premises Directory Sync Account"},
        [RULE_UPN_STARTSWITH] = {"Sync_"},
        [RULE_UPN_CONTAINS] = {"DirSync"},
        [RULE_UPN_HAS] = {"On-Premises Directory Synchronization"},
        [RULE_DISPLAYNAME_HAS] = {"On-Premises Directory Synchronization Service Account"},
    };
    const rule *r = new_rule(SEMANTICS_KQL);

    for (rule_list l = 0; l < RULE_LISTS; l++) {
        size_t count, i = 0;
        const text *strings = rule_get_list(r, l, &count);

        test_case("list %d", (int)l);
        for (; lists[l][i] != NULL && i < count; i++)
            EXPECT_TEXT_IS(strings[i], lists[l][i]);
        EXPECT_INT(count, i);
        EXPECT(lists[l][i] == NULL);
    }
}

static void test_the_clauses_have_the_names_of_matched_by(void)
{
    EXPECT_STRING(reason_name(CLAUSE_IDENTITY_UPN), "identity_upn");
    EXPECT_STRING(reason_name(CLAUSE_IDENTITY_OBJECT_ID), "identity_object_id");
    EXPECT_STRING(reason_name(CLAUSE_UPN_STARTSWITH), "upn_startswith");
    EXPECT_STRING(reason_name(CLAUSE_UPN_CONTAINS), "upn_contains");
    EXPECT_STRING(reason_name(CLAUSE_UPN_HAS), "upn_has");
}

/* --- operations --- */

static void test_the_operations_of_the_query(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT(is_operation(r, "Admin registered security info"));
    EXPECT(is_operation(r, "admin REGISTERED security INFO"));
    EXPECT(is_operation(r, "(Preview) Create temporary access pass for user"));
    EXPECT(is_operation(r, "Admin issued temporary access pass"));
    EXPECT(is_operation(r, "Issue temporary access pass; Admin"));
    EXPECT_NOT(is_operation(r, "Admin registered security information"));
    EXPECT_NOT(is_operation(r, "User registered all required security info"));
    EXPECT_NOT(is_operation(r, "Recreate temporary access pass"));
    EXPECT_NOT(is_operation(r, "Create-temporary-access-pass"));
    EXPECT_NOT(is_operation(r, "User deleted security info"));
    EXPECT_NOT(is_operation(r, ""));
}

static void test_an_operation_with_a_dot_or_a_dash_behind_it_counts(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT(is_operation(r, "User registered security info."));
    EXPECT(is_operation(r, "User registered security info "));
    EXPECT(is_operation(r, "User registered security info – Email"));
}

/* --- sync accounts --- */

static identity_record named(const char *upn, const char *display_name, const char *roles)
{
    identity_record row = identity_row(upn, "id", roles, NOW);

    row.account_display_name = text_of(display_name);
    return row;
}

static bool has_sync_role(const char *roles)
{
    const identity_record row = named("someone@contoso.com", "Someone", roles);

    return is_sync_account(new_rule(SEMANTICS_KQL), &row);
}

static void test_an_account_with_a_role_of_the_list_is_a_sync_account(void)
{
    EXPECT(has_sync_role("[\"Directory Synchronization Accounts\"]"));
    EXPECT(has_sync_role("[\"Global Reader\",\"Directory Synchronization Accounts\"]"));
    EXPECT(has_sync_role("[\"On Premises Directory Sync Account\"]"));
    EXPECT(has_sync_role("directory synchronization accounts"));
}

static void test_roles_are_looked_through_as_text(void)
{
    EXPECT(has_sync_role("[\"Custom Directory Synchronization Accounts Reader\"]"));
    EXPECT(has_sync_role("{\"Directory Synchronization Accounts\":1}"));
    EXPECT(has_sync_role("[\"a\\\"Directory Synchronization Accounts\\\"\"]"));
}

static void test_an_account_with_other_roles_is_none(void)
{
    EXPECT_NOT(has_sync_role("[\"Directory Synchronization Account\"]"));
    EXPECT_NOT(has_sync_role("[\"On-Premises Directory Sync Account\"]"));
    EXPECT_NOT(has_sync_role("[1,true]"));
    EXPECT_NOT(has_sync_role("[]"));
    EXPECT_NOT(has_sync_role("{}"));
    EXPECT_NOT(has_sync_role("null"));
    EXPECT_NOT(has_sync_role(""));
}

static void test_an_account_whose_upn_starts_with_the_prefix_is_a_sync_account(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const identity_record yes = named("sync_dc1@contoso.com", "", ""),
                          no = named("xSync_dc1@contoso.com", "", "");

    EXPECT(is_sync_account(r, &yes));
    EXPECT_NOT(is_sync_account(r, &no));
}

static void test_an_account_of_the_service_accounts_name_is_a_sync_account(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const identity_record yes = named("a@x",
                                      "ON-PREMISES Directory Synchronization Service Account", ""),
                          no = named("a@x", "On Premises Directory Synchronization Service Account",
                                     ""),
                          cut = named("a@x", "On-Premises Directory Synchronization", "");

    EXPECT(is_sync_account(r, &yes));
    EXPECT_NOT(is_sync_account(r, &no));
    EXPECT_NOT(is_sync_account(r, &cut));
}

static void test_the_targets_own_tests_make_no_sync_account(void)
{
    const identity_record row = named("dirsync@contoso.com", "", "");

    EXPECT_NOT(is_sync_account(new_rule(SEMANTICS_KQL), &row));
}

/* --- the final where --- */

static void test_a_upn_that_starts_with_the_prefix_matches(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT_INT(match_alone(r, "SYNC_dc1@x"), 1u << CLAUSE_UPN_STARTSWITH);
    EXPECT_INT(match_alone(r, "xSync_dc1@x"), 0);
}

static void test_a_upn_that_contains_the_word_matches(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT_INT(match_alone(r, "svcDIRSYNC01@x"), 1u << CLAUSE_UPN_CONTAINS);
    EXPECT_INT(match_alone(r, "dir-sync@x"), 0);
}

static void test_a_upn_that_has_the_phrase_matches(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT_INT(match_alone(r, "On-Premises Directory Synchronization Service Account"),
               1u << CLAUSE_UPN_HAS);
    EXPECT_INT(match_alone(r, "On-Premises Directory Synchronizations"), 0);
}

static void test_several_clauses_may_hold(void)
{
    EXPECT_INT(match_alone(new_rule(SEMANTICS_KQL), "Sync_DirSync@x"),
               1u << CLAUSE_UPN_STARTSWITH | 1u << CLAUSE_UPN_CONTAINS);
}

static void test_a_target_that_nothing_names_does_not_match(void)
{
    EXPECT_INT(match_alone(new_rule(SEMANTICS_KQL), "someone@contoso.com"), 0);
    EXPECT_INT(match_alone(new_rule(SEMANTICS_KQL), ""), 0);
}

static void test_a_upn_of_the_role_list_matches_in_any_case(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = identity_row("bob@x", "1", SYNC_ROLE, NOW);
    const sync_accounts *accounts = accounts_of(r, NULL, &row, 1);

    EXPECT_INT(match(r, accounts, "BOB@X", "9"), 1u << CLAUSE_IDENTITY_UPN);
    EXPECT_INT(match(r, accounts, "", "9"), 0);
    EXPECT_INT(match(r, accounts, "bob@x.org", "9"), 0);
}

static void test_an_id_of_the_role_list_matches_as_it_stands(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = identity_row("bob@x", "abcd-1", SYNC_ROLE, NOW);
    const sync_accounts *accounts = accounts_of(r, NULL, &row, 1);

    EXPECT_INT(match(r, accounts, "other@x", "abcd-1"), 1u << CLAUSE_IDENTITY_OBJECT_ID);
    EXPECT_INT(match(r, accounts, "other@x", "ABCD-1"), 0);
    EXPECT_INT(match(r, accounts, "bob@x", "abcd-1"),
               1u << CLAUSE_IDENTITY_UPN | 1u << CLAUSE_IDENTITY_OBJECT_ID);
}

static void test_an_empty_upn_in_the_role_list_matches_every_target_without_one(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = identity_row("", "1", SYNC_ROLE, NOW);
    const sync_accounts *accounts = accounts_of(r, NULL, &row, 1);

    EXPECT_INT(match(r, accounts, "", "9"), 1u << CLAUSE_IDENTITY_UPN);
    EXPECT_INT(match(r, accounts, "a@x", "9"), 0);
}

static void test_an_empty_id_in_the_role_list_matches_every_target_without_one(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = identity_row("a", "", SYNC_ROLE, NOW);
    const sync_accounts *accounts = accounts_of(r, NULL, &row, 1);

    EXPECT_INT(match(r, accounts, "", ""), 1u << CLAUSE_IDENTITY_OBJECT_ID);
    EXPECT_INT(match(r, accounts, "", "9"), 0);
}

static void test_a_role_row_counts_until_the_windows_edge(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    identity_record row = identity_row("bob@x", "1", SYNC_ROLE, NOW);

    row.time_generated -= rule_get_identity_window(r);
    EXPECT_INT(match(r, accounts_of(r, NULL, &row, 1), "bob@x", "9"), 0);
    row.time_generated += 1;
    EXPECT_INT(match(r, accounts_of(r, NULL, &row, 1), "bob@x", "9"), 1u << CLAUSE_IDENTITY_UPN);
}

static void test_the_identity_window_can_be_set(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = identity_row("bob@x", "1", SYNC_ROLE, "2026-05-31T12:00:00Z");

    rule_set_identity_window(r, TICKS_PER_DAY);
    EXPECT_INT(match(r, accounts_of(r, NULL, &row, 1), "bob@x", "9"), 0);
    rule_set_identity_window(r, TICKS_PER_DAY + 1);
    EXPECT_INT(match(r, accounts_of(r, NULL, &row, 1), "bob@x", "9"), 1u << CLAUSE_IDENTITY_UPN);
}

static void test_a_window_of_zero_lets_every_role_row_count(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = identity_row("bob@x", "1", SYNC_ROLE, "1999-01-01T00:00:00Z");

    rule_set_identity_window(r, 0);
    EXPECT_INT(match(r, accounts_of(r, NULL, &row, 1), "bob@x", "9"), 1u << CLAUSE_IDENTITY_UPN);
}

/* ago(): what is newer counts. */
static void test_since_when_records_and_role_rows_count(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);

    EXPECT_TIME(rule_records_since(r, time_of(NOW)), time_of("2026-05-31T12:00:00Z"));
    EXPECT_TIME(rule_identities_since(r, time_of(NOW)), time_of("2026-05-18T12:00:00Z"));
}

/* --- replaced lists --- */

static void set_list(rule *r, rule_list list, const char *string)
{
    const text t = text_of(string);

    REQUIRE(rule_set_list(r, list, &t, 1));
}

static void test_a_list_replaces_the_rules_own(void)
{
    rule *r = new_rule(SEMANTICS_KQL);

    set_list(r, RULE_OPERATIONS, "Delete user");
    EXPECT(is_operation(r, "Delete user"));
    EXPECT_NOT(is_operation(r, "Register security info"));
}

static void test_the_prefix_is_the_role_lists_and_the_targets(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    const identity_record row = named("svc_1@x", "", ""), old = named("Sync_1@x", "", "");

    set_list(r, RULE_UPN_STARTSWITH, "svc_");
    EXPECT(is_sync_account(r, &row));
    EXPECT_INT(match_alone(r, "SVC_2@x"), 1u << CLAUSE_UPN_STARTSWITH);
    EXPECT_NOT(is_sync_account(r, &old));
    EXPECT_INT(match_alone(r, "Sync_2@x"), 0);
}

static void test_an_empty_list_holds_for_nothing(void)
{
    rule *r = new_rule(SEMANTICS_KQL);

    REQUIRE(rule_set_list(r, RULE_UPN_STARTSWITH, NULL, 0));
    EXPECT_INT(match_alone(r, "Sync_1@x"), 0);
    EXPECT_INT(match_alone(r, ""), 0);
}

static void test_what_a_user_gives_as_a_list(void)
{
    const text off = text_of("off"), loud_off = text_of("OFF"), phrase = text_of("Delete user"),
               empty = text_of("");
    const text mixed[] = {phrase, empty}, both[] = {phrase, off};

    for (rule_list list = 0; list < RULE_LISTS; list++) {
        rule *r = new_rule(SEMANTICS_KQL);

        EXPECT(rule_take_list(r, list, &empty, 1) != NULL);
        EXPECT(rule_take_list(r, list, mixed, 2) != NULL);
        EXPECT(rule_take_list(r, list, both, 2) != NULL);
        EXPECT(rule_take_list(r, list, &off, 1) == NULL);
        EXPECT(rule_take_list(r, list, &phrase, 1) == NULL);
        EXPECT(rule_take_list(r, list, &loud_off, 1) == NULL);
        if (list == RULE_OPERATIONS)
            EXPECT_NOT(is_operation(r, "Delete user"));
    }
}

static void switch_off(rule *r, const rule_list *lists, size_t count)
{
    for (size_t i = 0; i < count; i++)
        REQUIRE(rule_set_list(r, lists[i], NULL, 0));
}

static void test_a_rule_without_operations_matches_nothing(void)
{
    static const rule_list off[] = {RULE_OPERATIONS};
    rule *r = new_rule(SEMANTICS_WIDE);

    EXPECT(rule_why_none_matches(r) == NULL);
    switch_off(r, off, 1);
    EXPECT_STRING(rule_why_none_matches(r), "operations is off: no operation counts");
}

static void test_a_rule_matches_nothing_when_the_last_list_of_accounts_is_off(void)
{
    static const rule_list off[] = {RULE_ROLES, RULE_DISPLAYNAME_HAS, RULE_UPN_STARTSWITH,
                                    RULE_UPN_CONTAINS, RULE_UPN_HAS};
    rule *r = new_rule(SEMANTICS_WIDE);

    for (size_t i = 0; i < 5; i++) {
        EXPECT(rule_why_none_matches(r) == NULL);
        switch_off(r, off + i, 1);
    }
    EXPECT_STRING(rule_why_none_matches(r),
                  "all lists that tell sync accounts are off: no account is one");
    rule_set_learns(r, true);
    EXPECT(rule_why_none_matches(r) == NULL);
}

/* Of these three lists the last one to go off takes the one away, and leaves the other. */
static void check_last_of_three(const rule_list off[static 3], bool (*one)(const rule *),
                                bool (*other)(const rule *))
{
    rule *r = new_rule(SEMANTICS_WIDE);

    switch_off(r, off, 2);
    EXPECT(one(r));
    switch_off(r, off + 2, 1);
    EXPECT_NOT(one(r));
    EXPECT(other(r));
}

static void test_the_role_list_is_not_asked_when_all_lists_for_it_are_off(void)
{
    static const rule_list off[] = {RULE_ROLES, RULE_DISPLAYNAME_HAS, RULE_UPN_STARTSWITH};

    check_last_of_three(off, rule_asks_role_list, rule_judges_names);
}

static void test_names_are_not_judged_when_all_lists_for_them_are_off(void)
{
    static const rule_list off[] = {RULE_UPN_CONTAINS, RULE_UPN_HAS, RULE_UPN_STARTSWITH};

    check_last_of_three(off, rule_judges_names, rule_asks_role_list);
}

static void test_an_empty_string_in_a_list_holds_for_all(void)
{
    rule *r = new_rule(SEMANTICS_KQL);

    set_list(r, RULE_UPN_CONTAINS, "");
    EXPECT_INT(match_alone(r, "anyone@x"), 1u << CLAUSE_UPN_CONTAINS);
    EXPECT_INT(match_alone(r, ""), 1u << CLAUSE_UPN_CONTAINS);
}

static void test_a_lists_strings_are_copied(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    char prefix[] = "svc_";
    size_t count;

    set_list(r, RULE_UPN_STARTSWITH, prefix);
    memset(prefix, 'x', strlen(prefix));
    EXPECT_TEXT_IS(rule_get_list(r, RULE_UPN_STARTSWITH, &count)[0], "svc_");
    EXPECT_INT(count, 1);
}

static void test_a_list_may_be_set_from_itself(void)
{
    rule *r = new_rule(SEMANTICS_KQL);
    size_t count;
    const text *operations = rule_get_list(r, RULE_OPERATIONS, &count);

    REQUIRE(rule_set_list(r, RULE_OPERATIONS, operations + 1, count - 1));
    EXPECT_NOT(is_operation(r, "Admin registered security info"));
    EXPECT(is_operation(r, "User registered security info"));
}

/* --- wide operators --- */

static void test_semantics_can_be_chosen(void)
{
    rule *r = new_rule(SEMANTICS_KQL);

    EXPECT_INT(rule_get_semantics(r), SEMANTICS_KQL);
    rule_set_semantics(r, SEMANTICS_WIDE);
    EXPECT_INT(rule_get_semantics(r), SEMANTICS_WIDE);
}

CU_TestInfo rule_tests[] = {
    TEST(test_the_facts_of_the_rule),
    TEST(test_the_file_that_ships_says_the_same),
    TEST(test_the_spans_of_the_query),
    TEST(test_the_strings_of_the_query),
    TEST(test_the_clauses_have_the_names_of_matched_by),
    TEST(test_the_operations_of_the_query),
    TEST(test_an_operation_with_a_dot_or_a_dash_behind_it_counts),
    TEST(test_an_account_with_a_role_of_the_list_is_a_sync_account),
    TEST(test_roles_are_looked_through_as_text),
    TEST(test_an_account_with_other_roles_is_none),
    TEST(test_an_account_whose_upn_starts_with_the_prefix_is_a_sync_account),
    TEST(test_an_account_of_the_service_accounts_name_is_a_sync_account),
    TEST(test_the_targets_own_tests_make_no_sync_account),
    TEST(test_a_upn_that_starts_with_the_prefix_matches),
    TEST(test_a_upn_that_contains_the_word_matches),
    TEST(test_a_upn_that_has_the_phrase_matches),
    TEST(test_several_clauses_may_hold),
    TEST(test_a_target_that_nothing_names_does_not_match),
    TEST(test_a_upn_of_the_role_list_matches_in_any_case),
    TEST(test_an_id_of_the_role_list_matches_as_it_stands),
    TEST(test_an_empty_upn_in_the_role_list_matches_every_target_without_one),
    TEST(test_an_empty_id_in_the_role_list_matches_every_target_without_one),
    TEST(test_a_role_row_counts_until_the_windows_edge),
    TEST(test_the_identity_window_can_be_set),
    TEST(test_a_window_of_zero_lets_every_role_row_count),
    TEST(test_since_when_records_and_role_rows_count),
    TEST(test_a_list_replaces_the_rules_own),
    TEST(test_the_prefix_is_the_role_lists_and_the_targets),
    TEST(test_an_empty_list_holds_for_nothing),
    TEST(test_what_a_user_gives_as_a_list),
    TEST(test_a_rule_without_operations_matches_nothing),
    TEST(test_a_rule_matches_nothing_when_the_last_list_of_accounts_is_off),
    TEST(test_the_role_list_is_not_asked_when_all_lists_for_it_are_off),
    TEST(test_names_are_not_judged_when_all_lists_for_them_are_off),
    TEST(test_an_empty_string_in_a_list_holds_for_all),
    TEST(test_a_lists_strings_are_copied),
    TEST(test_a_list_may_be_set_from_itself),
    TEST(test_semantics_can_be_chosen),
    TESTS_END,
};
