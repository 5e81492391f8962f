/*
 * How SQLite goes about each statement: by a key, but for those that must see all rows. What one
 * of them costs with a million rows is known here, not first at somebody's site.
 */
#include <sqlite3.h>
#include <stdlib.h>

#include "fixtures.h"
#include "state/action_row.h"
#include "state/alert_log.h"
#include "state/incidents.h"
#include "state/pending.h"
#include "state/role_feed.h"
#include "state/role_spool.h"
#include "state/statement.h"
#include "state/store_parts.h"
#include "suites.h"
#include "test.h"

enum { MOST = 256 };

/* The statements of a connection, each once. */
typedef struct statements {
    const char *texts[MOST];
    size_t count;
} statements;

/* A trigger's steps are traced as comments. */
static void note(statements *all, const char *sql)
{
    if (sql == NULL || strncmp(sql, "--", 2) == 0)
        return;
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->texts[i], sql) == 0)
            return;
    REQUIRE(all->count < MOST);
    all->texts[all->count++] = test_string("%s", sql);
}

static int trace(unsigned kind, void *all, void *statement, void *written)
{
    (void)kind;
    if (strncmp(written, "--", 2) != 0)
        note(all, sqlite3_sql(statement));
    return 0;
}

/* Also those that no step of the test runs: whatever is prepared. */
static void note_prepared(statements *all, sqlite3 *c)
{
    for (sqlite3_stmt *s = sqlite3_next_stmt(c, NULL); s != NULL; s = sqlite3_next_stmt(c, s))
        note(all, sqlite3_sql(s));
}

/* --- what runs them --- */

static void ignore_row(void *arg, const incident_row *row)
{
    (void)arg;
    (void)row;
}

static void ignore_alert(void *arg, const incident_alert_row *row)
{
    (void)arg;
    (void)row;
}

static void ignore_id(void *arg, const char *id)
{
    (void)arg;
    (void)id;
}

static void ignore_feed(void *arg, const role_feed *feed)
{
    (void)arg;
    (void)feed;
}

static void use_incidents(store *s)
{
    int closed;

    EXPECT(incident_rows_each(s, NULL, ignore_row, NULL));
    EXPECT(incident_rows_each(s, "id", ignore_row, NULL));
    EXPECT(incident_rows_each_alert(s, 1, "id", ignore_alert, NULL));
    EXPECT(incident_ids_each(s, (text)TEXT("id"), 2, ignore_id, NULL));
    EXPECT(incident_rows_close(s, "id", &(incident_closing){0}, &closed));
}

static void use_role_list(store *s, statements *all)
{
    role_list *list = open_role_list(s);
    const identity_record row = identity_row("a@x", "id", "[\"r\"]", "2026-06-01T12:00:00Z");

    put_rows(list, &row, 1);
    EXPECT(role_list_begin_snapshot(list, 1));
    note_prepared(all, store_connection(s));
    EXPECT(role_list_put(list, &row));
    EXPECT(role_list_end_snapshot(list));
    EXPECT(role_list_commit(list));
    EXPECT(role_list_begin_reading(list));
    EXPECT(role_list_put(list, &row));
    EXPECT(role_list_end_reading(list));
    EXPECT(role_list_begin_snapshot(list, 1));
    EXPECT(role_list_put_waiting(list));
    EXPECT(role_list_commit(list));
    note_prepared(all, store_connection(s));
}

static void use_stream(store *s, statements *all)
{
    action_row action;
    alert_log *alerts;
    pending *waiting;
    role_spool *spool;
    bool found;

    REQUIRE(action_row_find(s, "tap", &action));
    EXPECT(action_row_set_judged(s, &action, 1));
    alerts = alert_log_open(s, action.id);
    waiting = pending_open(s, action.id);
    EXPECT(role_feed_write(s, &(role_feed){.name = "roles", .reason = ""}));
    EXPECT(role_feed_drop(s, "roles", &found));
    EXPECT(role_feeds_each(s, ignore_feed, NULL));
    spool = role_spool_open(s, ROLE_SPOOL_KEPT);
    REQUIRE(alerts != NULL && waiting != NULL && spool != NULL);
    note_prepared(all, store_connection(s));
    role_spool_close(spool);
    pending_close(waiting);
    alert_log_close(alerts);
}

/* The steps of the triggers, with parameters for what SQLite puts there. */
static void note_triggers(statements *all)
{
    note(all, "DELETE FROM pending_key WHERE pending = ?1");
    note(all, "DELETE FROM incident_alert WHERE action = ?1 AND incident_id = ?2");
}

/* --- their plans --- */

/* What goes over all rows of something, and may: the statement's beginning, and what of. */
static const struct {
    const char *sql, *scan, *why;
} meant[] = {
    {"", "SCAN role_list", "it is one row"},
    {"", "SCAN rescue", "it is a row or none"},
    {"", "SCAN json_each", "an account's roles"},
    {"WITH RECURSIVE bucket(n)", "SCAN CONSTANT ROW", "where the list of buckets begins"},
    {"WITH RECURSIVE bucket(n)", "SCAN bucket", "one row for 65,536 records"},
    {"", "SCAN (subquery", "what was found by a key"},
    {"", "SCAN SUBQUERY", "the same, as SQLite wrote it before 3.36"},
    {"SELECT upn, object_id, display_name, roles, time, roles_older, eligible FROM identity ORDER",
     "SCAN identity", "all are listed, in the order of the index"},
    {"DELETE FROM identity_superseded WHERE id IN (SELECT id FROM identity_superseded ORDER BY id"
     " LIMIT",
     "SCAN identity_superseded", "the first ones, as many as the limit says"},
    {"UPDATE identity SET roles = ''", "SCAN identity", "a snapshot's end is about all others"},
    {"UPDATE identity SET roles = ''", "SCAN put", "it is read into the set that is searched"},
    {"UPDATE identity SET eligible = ''", "SCAN identity", "a snapshot's end"},
    {"UPDATE identity SET eligible = ''", "SCAN put", "a snapshot's end"},
    {"SELECT count(*) FROM temp.waiting_row", "SCAN waiting_row", "all that waits"},
    {"SELECT upn, object_id, display_name, time, roles, eligible, kind, roles_older FROM temp",
     "SCAN temp.waiting_row", "all that waits"},
    {"SELECT upn, object_id, display_name, time, roles, eligible, kind, roles_older FROM temp",
     "SCAN waiting_row", "the same, before 3.36"},
    {"SELECT count(*) FROM main.snapshot_row", "SCAN snapshot_row", "all that waits"},
    {"SELECT upn, object_id, display_name, time, roles, eligible, kind, roles_older FROM main",
     "SCAN main.snapshot_row", "all that waits"},
    {"SELECT upn, object_id, display_name, time, roles, eligible, kind, roles_older FROM main",
     "SCAN snapshot_row", "the same, before 3.36"},
    {"SELECT action, taken", "SCAN role_feed", "the command's list"},
    {"SELECT incident_id, (SELECT name FROM action", "SCAN incident", "the command's list"},
    {"SELECT incident_id FROM incident WHERE substr", "SCAN incident", "the command's list"},
    {"UPDATE incident SET closed", "SCAN incident", "the command closes one, by hand"},
};

static bool is_meant(const char *sql, const char *detail)
{
    for (size_t i = 0; i < LENGTH_OF(meant); i++)
        if (strncmp(sql, meant[i].sql, strlen(meant[i].sql)) == 0 &&
            strncmp(detail, meant[i].scan, strlen(meant[i].scan)) == 0)
            return true;
    return false;
}

/* A step of a plan without the word TABLE, which SQLite wrote before 3.36. */
static const char *plain(const unsigned char *detail)
{
    const char *written = (const char *)detail, *word = strchr(written, ' ');

    if (word == NULL || strncmp(word, " TABLE ", strlen(" TABLE ")) != 0)
        return test_string("%s", written);
    return test_string("%.*s %s", (int)(word - written), written, word + strlen(" TABLE "));
}

static sqlite3_stmt *explain(sqlite3 *c, const char *sql)
{
    sqlite3_stmt *plan = NULL;

    test_case("%s", sql);
    sqlite3_prepare_v2(c, test_string("EXPLAIN QUERY PLAN %s", sql), -1, &plan, NULL);
    REQUIRE(plan != NULL);
    return plan;
}

static void check_plan(sqlite3 *c, const char *sql)
{
    sqlite3_stmt *plan = explain(c, sql);

    while (sqlite3_step(plan) == SQLITE_ROW) {
        const char *detail = plain(sqlite3_column_text(plan, 3));

        if (strncmp(detail, "SCAN", 4) == 0 && !is_meant(sql, detail))
            EXPECT_STRING(detail, "a search by a key");
    }
    sqlite3_finalize(plan);
}

static void test_each_statement_goes_by_a_key_but_for_those_named(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    sqlite3 *c = store_connection(s);
    statements all = {.count = 0};

    sqlite3_trace_v2(c, SQLITE_TRACE_STMT, trace, &all);
    use_stream(s, &all);
    use_role_list(s, &all);
    use_incidents(s);
    EXPECT(!store_was_rescued(s));
    note_triggers(&all);
    sqlite3_trace_v2(c, 0, NULL, NULL);
    EXPECT(all.count > 50);
    for (size_t i = 0; i < all.count; i++)
        check_plan(c, all.texts[i]);
}

/* --- what a change of the role list costs --- */

enum { RECORDS = 2000, ACCOUNTS = 50, STEPS_EACH = 120 };

static sqlite3_stmt *statement_like(sqlite3 *c, const char *part)
{
    sqlite3_stmt *s = sqlite3_next_stmt(c, NULL);

    while (s != NULL && strstr(sqlite3_sql(s), part) == NULL)
        s = sqlite3_next_stmt(c, s);
    REQUIRE(s != NULL);
    return s;
}

static void put_pending(store *s, pending *waiting, size_t which)
{
    buffer keys = {0};

    pending_add_key(&keys, PENDING_UPN, text_of(test_string("user%zu@x", which)));
    pending_add_key(&keys, PENDING_OBJECT_ID, text_of(test_string("id%zu", which)));
    REQUIRE(pending_put(waiting, &(pending_record){.row_id = text_of(test_string("row%zu", which)),
                                                   .expires = INT64_MAX,
                                                   .keys = buffer_text(&keys),
                                                   .record = TEXT("{}")}));
    buffer_free(&keys);
    (void)s;
}

static void test_an_account_costs_no_more_with_many_pending_records(void)
{
    store *s = open_store(STORE_IN_MEMORY);
    action_row action;
    pending *waiting;
    pending_ids found = {0};
    sqlite3_stmt *find;

    REQUIRE(action_row_find(s, "tap", &action));
    waiting = pending_open(s, action.id);
    REQUIRE(waiting != NULL && store_begin(s));
    for (size_t i = 0; i < RECORDS; i++)
        put_pending(s, waiting, i);
    REQUIRE(store_commit(s));
    find = statement_like(store_connection(s), "JOIN pending_key k");
    sqlite3_stmt_status(find, SQLITE_STMTSTATUS_VM_STEP, true);
    for (size_t i = 0; i < ACCOUNTS; i++)
        EXPECT(pending_find(waiting, PENDING_UPN, text_of(test_string("user%zu@x", i)), &found));
    EXPECT_INT(found.count, ACCOUNTS);
    EXPECT(sqlite3_stmt_status(find, SQLITE_STMTSTATUS_VM_STEP, false) < ACCOUNTS * STEPS_EACH);
    pending_ids_free(&found);
    pending_close(waiting);
}

CU_TestInfo plans_tests[] = {
    TEST(test_each_statement_goes_by_a_key_but_for_those_named),
    TEST(test_an_account_costs_no_more_with_many_pending_records),
    TESTS_END,
};
