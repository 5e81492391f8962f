/* SPDX-License-Identifier: Apache-2.0 */
/* What an action remembers, given to another or forgotten. */
#include "state/action_row.h"

#include <stdio.h>

#include "fixtures.h"
#include "state/statement.h"
#include "suites.h"
#include "test.h"

/* In a case of its own each; 1 and 2 are the actions' rows. */
static const char *const tables[] = {"pending", "seen", "incident", "incident_alert"};

static void run_sql(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    test_case("%s", sql);
    REQUIRE(statement != NULL);
    EXPECT(statement_run(statement));
    sqlite3_finalize(statement);
    test_case("%s", "");
}

/* All rows of a query's only column: "a b ". */
static const char *all_of(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);
    const char *all = "";

    REQUIRE(statement != NULL);
    while (sqlite3_step(statement) == SQLITE_ROW)
        all = test_string("%s%s ", all, (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return all;
}

static void check(store *s, const char *sql, const char *expected)
{
    test_case("%s", sql);
    EXPECT_STRING(all_of(s, sql), expected);
    test_case("%s", "");
}

static action_row make_action(store *s, const char *name, int64_t judged)
{
    action_row row;

    REQUIRE(action_row_find(s, name, &row));
    REQUIRE(action_row_set_judged(s, &row, judged));
    return row;
}

/* An action that remembers `name` in each way, and what it says of itself. */
static void remember(store *s, int64_t action, const char *name)
{
    int a = (int)action;

    run_sql(s, test_string("INSERT INTO pending (action, row_id, received, expires, record)"
                           " VALUES (%d, '%s', 1, 2, '{\"%s\":1}')",
                           a, name, name));
    run_sql(s, test_string("INSERT INTO pending_key SELECT id, 'u%s' FROM pending"
                           " WHERE row_id = '%s' AND action = %d",
                           name, name, a));
    run_sql(s, test_string("INSERT INTO seen VALUES (%d, '%s', 9)", a, name));
    run_sql(s, test_string("INSERT INTO incident (action, incident_id, key, opened, window,"
                           " last_alert, alert_count, first_alert)"
                           " VALUES (%d, '%s', '[]', 1, 5, 1, 1, '%s')",
                           a, name, name));
    run_sql(s, test_string("INSERT INTO incident_alert (action, incident_id, place, alert_id,"
                           " alert) VALUES (%d, '%s', 0, '%s', '{}')",
                           a, name, name));
}

static const char *count_of(store *s, const char *table, int action)
{
    return all_of(s, test_string("SELECT count(*) FROM %s WHERE action = %d", table, action));
}

static void expect_counts(store *s, int action, const char *expected)
{
    for (size_t i = 0; i < LENGTH_OF(tables); i++) {
        test_case("%s of %d", tables[i], action);
        EXPECT_STRING(count_of(s, tables[i], action), expected);
    }
    test_case("%s", "");
}

static void test_a_row_is_made_once(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    action_row first = make_action(s, "tap", 7), again, other;

    EXPECT(action_row_find(s, "tap", &again));
    EXPECT_INT(again.id, first.id);
    EXPECT_INT(again.judged, 7);
    EXPECT(action_row_find(s, "other", &other));
    EXPECT(other.id != first.id);
    EXPECT_INT(other.judged, 0);
}

static void test_a_new_action_is_given_all(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    remember(s, make_action(s, "old", 7).id, "one");
    EXPECT(action_row_adopt(s, "old", "new", &found));
    EXPECT(found);
    check(s, "SELECT name FROM action", "new ");
    check(s, "SELECT judged FROM action", "0 ");
    expect_counts(s, 1, "0 ");
    expect_counts(s, 2, "1 ");
    check(s, "SELECT key FROM pending_key", "uone ");
    check(s, "SELECT records || '/' || bytes FROM pending_total WHERE action = 2", "1/9 ");
    check(s, "SELECT count(*) FROM pending_total", "1 ");
}

static void test_of_two_that_remember_both_is_kept(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    remember(s, make_action(s, "old", 3).id, "one");
    remember(s, make_action(s, "new", 7).id, "two");
    EXPECT(action_row_adopt(s, "old", "new", &found));
    EXPECT(found);
    expect_counts(s, 1, "0 ");
    expect_counts(s, 2, "2 ");
    check(s, "SELECT judged FROM action", "3 ");
    check(s, "SELECT records || '/' || bytes FROM pending_total", "2/18 ");
    check(s, "SELECT key FROM pending_key ORDER BY key", "uone utwo ");
}

static void test_of_what_both_remember_one_is_kept(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    remember(s, make_action(s, "old", 9).id, "same");
    remember(s, make_action(s, "new", 7).id, "same");
    EXPECT(action_row_adopt(s, "old", "new", &found));
    expect_counts(s, 1, "0 ");
    expect_counts(s, 2, "1 ");
    check(s, "SELECT judged FROM action", "7 ");
    check(s, "SELECT records || '/' || bytes FROM pending_total", "1/10 ");
    check(s, "SELECT key FROM pending_key", "usame ");
}

static void test_others_keep_theirs(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    make_action(s, "old", 1);
    make_action(s, "new", 1);
    remember(s, make_action(s, "third", 5).id, "three");
    EXPECT(action_row_adopt(s, "old", "new", &found));
    EXPECT(action_row_drop(s, "new", &found));
    EXPECT(found);
    expect_counts(s, 3, "1 ");
    check(s, "SELECT name || judged FROM action", "third5 ");
}

static void test_all_of_a_dropped_one_is_gone(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    remember(s, make_action(s, "tap", 1).id, "one");
    run_sql(s, "INSERT INTO heartbeat VALUES (1, 2, 1, NULL, 7, NULL, NULL, 8096, '0', '0')");
    run_sql(s, "INSERT INTO trouble VALUES (1, 'stale', 2, 3)");
    EXPECT(action_row_drop(s, "tap", &found));
    EXPECT(found);
    expect_counts(s, 1, "0 ");
    check(s, "SELECT count(*) FROM action", "0 ");
    check(s, "SELECT count(*) FROM pending_key", "0 ");
    check(s, "SELECT count(*) FROM pending_total", "0 ");
    check(s, "SELECT count(*) FROM heartbeat", "0 ");
    check(s, "SELECT count(*) FROM trouble", "0 ");
}

static void test_one_that_is_not_there_changes_nothing(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found = true;

    remember(s, make_action(s, "tap", 4).id, "one");
    EXPECT(action_row_adopt(s, "none", "tap", &found));
    EXPECT_NOT(found);
    found = true;
    EXPECT(action_row_adopt(s, "none", "new", &found));
    EXPECT_NOT(found);
    found = true;
    EXPECT(action_row_drop(s, "none", &found));
    EXPECT_NOT(found);
    check(s, "SELECT name || judged FROM action", "tap4 ");
    expect_counts(s, 1, "1 ");
}

static void test_one_that_is_given_to_itself_keeps_all(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    remember(s, make_action(s, "tap", 4).id, "one");
    EXPECT(action_row_adopt(s, "tap", "tap", &found));
    EXPECT(found);
    check(s, "SELECT name || judged FROM action", "tap4 ");
    expect_counts(s, 1, "1 ");
}

/* A step that fails leaves what was there before all of them. */
static void test_what_fails_changes_nothing(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    bool found;

    remember(s, make_action(s, "old", 3).id, "one");
    remember(s, make_action(s, "tap", 7).id, "two");
    run_sql(s, "CREATE TRIGGER refuse BEFORE DELETE ON action"
               " BEGIN SELECT RAISE(ABORT, 'refused'); END");
    EXPECT_NOT(action_row_adopt(s, "old", "tap", &found));
    EXPECT(strstr(store_error(s), "refused") != NULL);
    EXPECT_NOT(action_row_adopt(s, "old", "new", &found));
    EXPECT_NOT(action_row_drop(s, "old", &found));
    check(s, "SELECT name || judged FROM action", "old3 tap7 ");
    expect_counts(s, 1, "1 ");
    expect_counts(s, 2, "1 ");
    check(s, "SELECT records || '/' || bytes FROM pending_total", "1/9 1/9 ");
}

CU_TestInfo action_row_tests[] = {
    TEST(test_a_row_is_made_once),
    TEST(test_a_new_action_is_given_all),
    TEST(test_of_two_that_remember_both_is_kept),
    TEST(test_of_what_both_remember_one_is_kept),
    TEST(test_others_keep_theirs),
    TEST(test_all_of_a_dropped_one_is_gone),
    TEST(test_one_that_is_not_there_changes_nothing),
    TEST(test_one_that_is_given_to_itself_keeps_all),
    TEST(test_what_fails_changes_nothing),
    TESTS_END,
};
