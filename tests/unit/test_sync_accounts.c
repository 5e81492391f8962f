/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of the sync accounts: look-ups, and edits that leave the old one alone. */
#include "rule/sync_accounts.h"

#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define LONG_AGO INT64_MIN
#define DAY_1 "2026-06-01T00:00:00Z"
#define DAY_2 "2026-06-02T00:00:00Z"

#define ACCOUNTS_OF(r, old, ...)                                                                   \
    accounts_of((r), (old), (identity_record[]){__VA_ARGS__},                                      \
                sizeof((identity_record[]){__VA_ARGS__}) / sizeof(identity_record))

/* In the built-in rule's set, in KQL's semantics. */
static bool is_in_set(const sync_accounts *accounts, account_question q)
{
    q.set = 1;
    q.semantics = SEMANTICS_KQL;
    return sync_accounts_in_set(accounts, &q);
}

static bool has_upn_since(const sync_accounts *accounts, const char *upn, timestamp since)
{
    return is_in_set(accounts,
                     (account_question){.value = text_of(upn), .is_folded = true, .since = since});
}

static bool has_id_since(const sync_accounts *accounts, const char *id, timestamp since)
{
    return is_in_set(accounts,
                     (account_question){.value = text_of(id), .is_id = true, .since = since});
}

static bool has_upn(const sync_accounts *accounts, const char *upn)
{
    return has_upn_since(accounts, upn, LONG_AGO);
}

static bool has_id(const sync_accounts *accounts, const char *id)
{
    return has_id_since(accounts, id, LONG_AGO);
}

static identity_record sync_row(const char *upn, const char *id)
{
    return identity_row(upn, id, SYNC_ROLE, DAY_1);
}

static identity_record other_row(const char *upn, const char *id)
{
    return identity_row(upn, id, "[]", DAY_2);
}

/* --- looking up --- */

static void test_no_accounts_hold_nothing(void)
{
    const sync_accounts *none = accounts_of(new_rule(SEMANTICS_KQL), NULL, NULL, 0);

    EXPECT_INT(sync_accounts_count(none), 0);
    EXPECT_NOT(has_upn(none, ""));
    EXPECT_NOT(has_id(none, ""));
    EXPECT_NOT(has_upn(none, "Sync_x"));
}

static void test_a_sync_account_is_found_by_upn_and_by_id(void)
{
    const sync_accounts *a = ACCOUNTS_OF(new_rule(SEMANTICS_KQL), NULL, sync_row("bob@x", "id-1"));

    EXPECT_INT(sync_accounts_count(a), 1);
    EXPECT(has_upn(a, "bob@x"));
    EXPECT(has_id(a, "id-1"));
    EXPECT_NOT(has_upn(a, "id-1"));
    EXPECT_NOT(has_id(a, "bob@x"));
}

static void test_a_row_that_is_no_sync_account_is_not_taken(void)
{
    const sync_accounts *a = ACCOUNTS_OF(new_rule(SEMANTICS_KQL), NULL, other_row("bob@x", "id-1"));

    EXPECT_INT(sync_accounts_count(a), 0);
    EXPECT_NOT(has_upn(a, "bob@x"));
    EXPECT_NOT(has_id(a, "id-1"));
}

static void test_upns_are_looked_up_in_any_case(void)
{
    const sync_accounts *a =
        ACCOUNTS_OF(new_rule(SEMANTICS_KQL), NULL, sync_row("Bob@X", "1"), sync_row("CAFÉ@x", "2"));

    EXPECT(has_upn(a, "bOB@x"));
    EXPECT(has_upn(a, "café@X"));
    EXPECT_NOT(has_upn(a, "cafe@x"));
}

static void test_ids_are_looked_up_as_they_stand_in_kql(void)
{
    const sync_accounts *a = ACCOUNTS_OF(new_rule(SEMANTICS_KQL), NULL, sync_row("bob@x", "abCD"));

    EXPECT(has_id(a, "abCD"));
    EXPECT_NOT(has_id(a, "abcd"));
    EXPECT_NOT(has_id(a, "ABCD"));
}

static void test_an_empty_upn_is_one(void)
{
    const sync_accounts *a = ACCOUNTS_OF(new_rule(SEMANTICS_KQL), NULL, sync_row("", "id-1"));

    EXPECT(has_upn(a, ""));
    EXPECT(has_id(a, "id-1"));
    EXPECT_NOT(has_id(a, ""));
}

static void test_many_accounts_are_all_found(void)
{
    enum { ACCOUNTS = 500 };
    static identity_record rows[ACCOUNTS];
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a;

    for (size_t i = 0; i < ACCOUNTS; i++)
        rows[i] = sync_row(test_string("Account%zu@x", i * 7919 % ACCOUNTS),
                           test_string("%zu", i * 104729 % ACCOUNTS));
    a = accounts_of(r, NULL, rows, ACCOUNTS);
    EXPECT_INT(sync_accounts_count(a), ACCOUNTS);
    for (size_t i = 0; i < ACCOUNTS; i++) {
        test_case("%zu", i);
        EXPECT(has_upn(a, test_string("ACCOUNT%zu@X", i)));
        EXPECT(has_id(a, test_string("%zu", i)));
    }
    EXPECT_NOT(has_upn(a, "Account500@x"));
    EXPECT_NOT(has_id(a, "500"));
}

static void test_several_accounts_may_have_the_same_id(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *both =
        ACCOUNTS_OF(r, NULL, sync_row("a@x", "same"), sync_row("b@x", "same"));

    EXPECT(has_id(both, "same"));
    EXPECT(has_id(ACCOUNTS_OF(r, both, other_row("a@x", "same")), "same"));
}

/* --- age --- */

static void test_only_rows_newer_than_the_asked_time_count(void)
{
    const sync_accounts *a = ACCOUNTS_OF(new_rule(SEMANTICS_KQL), NULL, sync_row("bob@x", "1"));
    const timestamp written = time_of(DAY_1);

    EXPECT(has_upn_since(a, "bob@x", written - 1));
    EXPECT_NOT(has_upn_since(a, "bob@x", written));
    EXPECT(has_id_since(a, "1", written - 1));
    EXPECT_NOT(has_id_since(a, "1", written));
}

static void test_one_new_row_among_equal_upns_is_enough(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const timestamp between = time_of(DAY_1) + 1;

    EXPECT(has_upn_since(
        ACCOUNTS_OF(r, NULL, sync_row("BOB@x", "1"), identity_row("bob@x", "2", SYNC_ROLE, DAY_2)),
        "Bob@x", between));
    EXPECT(has_upn_since(
        ACCOUNTS_OF(r, NULL, identity_row("BOB@x", "2", SYNC_ROLE, DAY_2), sync_row("bob@x", "1")),
        "Bob@x", between));
}

/* --- editing --- */

static void test_an_edit_keeps_the_accounts_that_did_not_change(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row("b@x", "2"), sync_row("d@x", "4"));
    const sync_accounts *b =
        ACCOUNTS_OF(r, a, sync_row("c@x", "3"), sync_row("a@x", "1"), sync_row("e@x", "5"));

    EXPECT_INT(sync_accounts_count(b), 5);
    for (char c = 'a'; c <= 'e'; c++)
        EXPECT(has_upn(b, test_string("%c@x", c)));
    for (char c = '1'; c <= '5'; c++)
        EXPECT(has_id(b, test_string("%c", c)));
}

static void test_an_edit_leaves_the_old_snapshot_alone(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row("a@x", "1"));

    ACCOUNTS_OF(r, a, sync_row("b@x", "2"), other_row("a@x", "1"));
    EXPECT_INT(sync_accounts_count(a), 1);
    EXPECT(has_upn(a, "a@x"));
    EXPECT_NOT(has_upn(a, "b@x"));
}

static void test_an_account_that_lost_its_role_is_gone(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row("a@x", "1"), sync_row("b@x", "2"));
    const sync_accounts *b = ACCOUNTS_OF(r, a, other_row("a@x", "1"));

    EXPECT_INT(sync_accounts_count(b), 1);
    EXPECT_NOT(has_upn(b, "a@x"));
    EXPECT_NOT(has_id(b, "1"));
    EXPECT(has_upn(b, "b@x"));
}

static void test_an_account_that_changed_is_replaced(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row("a@x", "old"));
    const sync_accounts *b = ACCOUNTS_OF(r, a, identity_row("a@x", "new", SYNC_ROLE, DAY_2));

    EXPECT_INT(sync_accounts_count(b), 1);
    EXPECT(has_id(b, "new"));
    EXPECT_NOT(has_id(b, "old"));
    EXPECT(has_upn_since(b, "a@x", time_of(DAY_1)));
}

static void test_keys_that_differ_in_case_are_two_accounts(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row("a@x", "1"), sync_row("A@x", "2"));
    const sync_accounts *b = ACCOUNTS_OF(r, a, other_row("A@x", "2"));

    EXPECT_INT(sync_accounts_count(a), 2);
    EXPECT_INT(sync_accounts_count(b), 1);
    EXPECT(has_upn(b, "A@X"));
    EXPECT(has_id(b, "1"));
    EXPECT_NOT(has_id(b, "2"));
}

static void test_an_edit_of_nothing_is_the_same_accounts(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row("a@x", "1"));
    const sync_accounts *b = accounts_of(r, a, NULL, 0);

    EXPECT_INT(sync_accounts_count(b), 1);
    EXPECT(has_upn(b, "a@x"));
}

static void test_rows_are_copied(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    char upn[] = "a@x", id[] = "1";
    const sync_accounts *a = ACCOUNTS_OF(r, NULL, sync_row(upn, id));

    memset(upn, 'z', strlen(upn));
    memset(id, 'z', strlen(id));
    EXPECT(has_upn(a, "a@x"));
    EXPECT(has_id(a, "1"));
}

static void test_a_snapshot_lives_as_long_as_one_reference(void)
{
    sync_accounts *a = sync_accounts_new(SEMANTICS_KQL);

    REQUIRE(a != NULL);
    EXPECT(sync_accounts_ref(a) == a);
    sync_accounts_unref(a);
    EXPECT_INT(sync_accounts_count(a), 0);
    sync_accounts_unref(a);
    sync_accounts_unref(NULL);
}

/* --- random edits --- */

enum { KEYS = 24, EDITS = 300 };

static const char *key_name(size_t key)
{
    return test_string("k%zu@x", key);
}

static void check_against(const sync_accounts *accounts, const bool *expected)
{
    size_t count = 0;

    for (size_t key = 0; key < KEYS; key++) {
        count += expected[key];
        EXPECT_INT(has_upn(accounts, key_name(key)), expected[key]);
        EXPECT_INT(has_id(accounts, test_string("%zu", key)), expected[key]);
    }
    EXPECT_INT(sync_accounts_count(accounts), count);
}

static void test_random_edits_end_where_a_plain_table_does(void)
{
    const rule *r = new_rule(SEMANTICS_KQL);
    const sync_accounts *accounts = NULL;
    bool expected[KEYS] = {false};
    random_source random = random_new(23);

    for (size_t e = 0; e < EDITS; e++) {
        identity_record rows[KEYS];
        size_t count = 0;

        for (size_t key = 0; key < KEYS; key++) {
            if (random_below(&random, 4) > 0)
                continue;
            expected[key] = random_below(&random, 2) == 0;
            rows[count] = expected[key] ? sync_row(key_name(key), test_string("%zu", key))
                                        : other_row(key_name(key), test_string("%zu", key));
            count++;
        }
        accounts = accounts_of(r, accounts, rows, count);
        test_case("edit %zu", e);
        check_against(accounts, expected);
    }
}

CU_TestInfo sync_accounts_tests[] = {
    TEST(test_no_accounts_hold_nothing),
    TEST(test_a_sync_account_is_found_by_upn_and_by_id),
    TEST(test_a_row_that_is_no_sync_account_is_not_taken),
    TEST(test_upns_are_looked_up_in_any_case),
    TEST(test_ids_are_looked_up_as_they_stand_in_kql),
    TEST(test_an_empty_upn_is_one),
    TEST(test_many_accounts_are_all_found),
    TEST(test_several_accounts_may_have_the_same_id),
    TEST(test_only_rows_newer_than_the_asked_time_count),
    TEST(test_one_new_row_among_equal_upns_is_enough),
    TEST(test_an_edit_keeps_the_accounts_that_did_not_change),
    TEST(test_an_edit_leaves_the_old_snapshot_alone),
    TEST(test_an_account_that_lost_its_role_is_gone),
    TEST(test_an_account_that_changed_is_replaced),
    TEST(test_keys_that_differ_in_case_are_two_accounts),
    TEST(test_an_edit_of_nothing_is_the_same_accounts),
    TEST(test_rows_are_copied),
    TEST(test_a_snapshot_lives_as_long_as_one_reference),
    TEST(test_random_edits_end_where_a_plain_table_does),
    TESTS_END,
};
