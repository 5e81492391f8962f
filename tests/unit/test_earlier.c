/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an earlier synctap left, taken up: a database of version 2, and segments of its journal.
 *
 * Both are written here as that version wrote them: the segments without header and checks, one
 * of the entries without its alert's place.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "detector/keeper.h"
#include "fixtures.h"
#include "state/segment_list.h"
#include "suites.h"
#include "test.h"

#define NOW "2026-06-01T12:00:00Z"
#define BEFORE "2026-06-01T11:00:00Z"
#define TOMORROW "2026-06-02T11:00:00Z"
#define ALICE "alice@contoso.com"
#define BOB "bob@contoso.com"
#define INCIDENT "9b1a0008-1008-4108-9108-000000000003"
#define ALERT "9b1a0008-1008-4108-9108-000000000004"

static const char VERSION_2[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE identity ("
    " id INTEGER PRIMARY KEY,"
    " upn TEXT NOT NULL UNIQUE,"
    " object_id TEXT NOT NULL,"
    " display_name TEXT NOT NULL,"
    " time INTEGER NOT NULL,"
    " roles TEXT NOT NULL,"
    " roles_time INTEGER,"
    " roles_older INTEGER NOT NULL,"
    " change INTEGER NOT NULL);"
    "CREATE INDEX identity_change ON identity (change);"
    "CREATE TABLE role_list (change INTEGER NOT NULL, rows INTEGER NOT NULL, newest INTEGER);"
    "INSERT INTO role_list VALUES (0, 0, NULL);"
    "CREATE TABLE rescue (reason TEXT NOT NULL);"
    "CREATE TABLE action (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " judged INTEGER NOT NULL);"
    "CREATE TABLE pending ("
    " id INTEGER PRIMARY KEY,"
    " action INTEGER NOT NULL,"
    " row_id TEXT NOT NULL,"
    " received INTEGER NOT NULL,"
    " expires INTEGER NOT NULL,"
    " record TEXT NOT NULL,"
    " due INTEGER,"
    " UNIQUE (action, row_id));"
    "CREATE INDEX pending_due ON pending (action, due) WHERE due IS NOT NULL;"
    "CREATE INDEX pending_expires ON pending (expires);"
    "CREATE TABLE pending_key (key TEXT NOT NULL, pending INTEGER NOT NULL,"
    " PRIMARY KEY (key, pending)) WITHOUT ROWID;"
    "CREATE INDEX pending_key_pending ON pending_key (pending);"
    "CREATE TRIGGER pending_takes_its_keys AFTER DELETE ON pending BEGIN"
    " DELETE FROM pending_key WHERE pending = old.id; END;"
    "CREATE TABLE seen (action INTEGER NOT NULL, alert_id TEXT NOT NULL,"
    " expires INTEGER NOT NULL, PRIMARY KEY (action, alert_id)) WITHOUT ROWID;"
    "CREATE INDEX seen_expires ON seen (expires);"
    "CREATE TABLE incident ("
    " action INTEGER NOT NULL,"
    " incident_id TEXT NOT NULL,"
    " key TEXT NOT NULL,"
    " opened INTEGER NOT NULL,"
    " window INTEGER NOT NULL,"
    " last_alert INTEGER NOT NULL,"
    " alert_count INTEGER NOT NULL,"
    " first_alert TEXT NOT NULL,"
    " closed INTEGER,"
    " PRIMARY KEY (action, incident_id)) WITHOUT ROWID;"
    "CREATE INDEX incident_last_alert ON incident (last_alert);"
    "CREATE TABLE incident_alert (action INTEGER NOT NULL, incident_id TEXT NOT NULL,"
    " place INTEGER NOT NULL, alert_id TEXT NOT NULL, alert TEXT NOT NULL,"
    " PRIMARY KEY (action, incident_id, place)) WITHOUT ROWID;"
    "CREATE TRIGGER incident_takes_its_alerts AFTER DELETE ON incident BEGIN"
    " DELETE FROM incident_alert WHERE action = old.action AND incident_id = old.incident_id; END;"
    "CREATE TABLE identity_superseded ("
    " id INTEGER PRIMARY KEY,"
    " upn TEXT NOT NULL, object_id TEXT NOT NULL, display_name TEXT NOT NULL,"
    " time INTEGER NOT NULL, roles TEXT NOT NULL, roles_older INTEGER NOT NULL,"
    " change INTEGER NOT NULL,"
    " superseded INTEGER NOT NULL);"
    "CREATE INDEX identity_superseded_change ON identity_superseded (change);"
    "CREATE TRIGGER identity_keeps_versions AFTER UPDATE ON identity"
    " WHEN old.roles <> new.roles OR old.object_id <> new.object_id"
    " OR old.display_name <> new.display_name OR old.roles_older <> new.roles_older BEGIN"
    " INSERT INTO identity_superseded"
    " (upn, object_id, display_name, time, roles, roles_older, change, superseded)"
    " VALUES (old.upn, old.object_id, old.display_name, old.time, old.roles, old.roles_older,"
    " old.change, CAST((julianday('now') - 2440587.5) * 864000000000 AS INTEGER)); END;"
    "PRAGMA application_id = 1398030672;" /* STAP */
    "PRAGMA user_version = 2;";

static void run_sql(const char *sql)
{
    sqlite3 *c;

    REQUIRE(sqlite3_open(test_path("old.db"), &c) == SQLITE_OK);
    EXPECT_INT(sqlite3_exec(c, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(c);
}

static int64_t number_of(const char *sql)
{
    sqlite3 *c;
    sqlite3_stmt *s;
    int64_t number;

    REQUIRE(sqlite3_open(test_path("old.db"), &c) == SQLITE_OK);
    REQUIRE(sqlite3_prepare_v2(c, sql, -1, &s, NULL) == SQLITE_OK);
    REQUIRE(sqlite3_step(s) == SQLITE_ROW);
    number = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    sqlite3_close(c);
    return number;
}

static void make_database(void)
{
    int64_t before = time_of(BEFORE), tomorrow = time_of(TOMORROW);

    run_sql(VERSION_2);
    run_sql(test_string("UPDATE role_list SET change = 7, rows = 1, newest = %lld;"
                        "INSERT INTO identity VALUES (1, '" BOB "', 'id of bob', 'Bob', %lld,"
                        " '[]', %lld, 0, 7);"
                        "INSERT INTO action VALUES (1, 'test', 7);",
                        (long long)before, (long long)before, (long long)before));
    run_sql(test_string("INSERT INTO pending VALUES (1, 1, 'in the database', %lld, %lld, '%s',"
                        " NULL);"
                        "INSERT INTO pending_key VALUES ('u" ALICE "', 1);"
                        "INSERT INTO seen VALUES (1, '9b1a0008-1008-4108-9108-000000000001',"
                        " %lld);",
                        (long long)before, (long long)tomorrow,
                        AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .record_id = "stored"),
                        (long long)tomorrow));
    run_sql(
        test_string("INSERT INTO incident VALUES (1, '" INCIDENT "', '[\"" TENANT_ID "\"]', %lld,"
                    " 864000000000, %lld, 1, '" ALERT "', NULL);"
                    "INSERT INTO incident_alert VALUES (1, '" INCIDENT "', 1, '" ALERT "', '{}');",
                    (long long)before, (long long)before));
}

/* --- segments --- */

static void put_number(buffer *out, int64_t number)
{
    buffer_append(out, (text){(const char *)&number, sizeof(number)});
}

static void put_text(buffer *out, const char *t)
{
    put_number(out, (int64_t)strlen(t));
    buffer_append_string(out, t);
}

/* An entry of a record of ALICE's that waits. */
static void write_pending(buffer *out, const char *id)
{
    buffer keys = {0};

    pending_add_key(&keys, PENDING_UPN, text_of(ALICE));
    buffer_append_char(out, 'p');
    put_number(out, time_of(BEFORE));
    put_number(out, time_of(TOMORROW));
    put_number(out, 7);
    put_text(out, id);
    put_number(out, (int64_t)keys.length);
    buffer_append(out, buffer_text(&keys));
    put_text(out, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .record_id = id));
    buffer_free(&keys);
}

static void write_sent(buffer *out, const char *alert_id)
{
    buffer_append_char(out, 's');
    put_number(out, time_of(TOMORROW));
    put_number(out, time_of(BEFORE));
    put_number(out, TICKS_PER_DAY);
    put_number(out, time_of(BEFORE));
    put_number(out, 2);
    put_text(out, alert_id);
    put_text(out, "");
    put_text(out, "");
    put_text(out, "");
    put_text(out, "");
}

/* A length of four bytes in front of it, and nothing else. */
static void write_segment(const char *name, void (*write)(buffer *, const char *), const char *what)
{
    FILE *file = fopen(test_path(name), "wb");
    buffer entry = {0};
    uint32_t length;

    write(&entry, what);
    length = (uint32_t)entry.length;
    REQUIRE(file != NULL && fwrite(&length, sizeof(length), 1, file) == 1 &&
            fwrite(entry.bytes, 1, entry.length, file) == entry.length && fclose(file) == 0);
    buffer_free(&entry);
}

/* --- a life on it --- */

typedef struct life {
    detector *detector;
    keeper *keeper;
    char alerts[256];
} life;

static void end_life(void *l)
{
    life *self = l;

    keeper_free(self->keeper);
    detector_free(self->detector);
    free(self);
}

static bool take_alert(void *arg, const alert *a)
{
    life *l = arg;

    snprintf(l->alerts + strlen(l->alerts), sizeof(l->alerts) - strlen(l->alerts), "%.*s%s ",
             (int)a->record->record_id.length, a->record->record_id.bytes, a->late ? "(late)" : "");
    return true;
}

static life *begin_life(void)
{
    const stream_options options = {
        .action = "test",
        .journal = test_path("old.db-test.stream"),
        .latejoin = true,
        .incidents = INCIDENTS_AS_IN_SENTINEL,
        .most_pending = STREAM_MOST_PENDING,
        .most_pending_bytes = STREAM_MOST_PENDING_BYTES,
    };
    life *l = calloc(1, sizeof(*l));
    char *error = NULL;

    REQUIRE(l != NULL && (l->detector = detector_new(new_rule(SEMANTICS_WIDE))) != NULL);
    test_at_end(end_life, l);
    l->keeper = keeper_new(l->detector);
    REQUIRE(l->keeper != NULL && keeper_follow(l->keeper, &options));
    if (!keeper_open(l->keeper, test_path("old.db"), STORE_CREATE, time_of(NOW), &error))
        test_case("%s", error);
    REQUIRE(error == NULL);
    return l;
}

static const char *update(life *l)
{
    char *error;

    l->alerts[0] = '\0';
    EXPECT(keeper_update(l->keeper, time_of(NOW), take_alert, l, &error) <= KEEPER_CHANGED);
    return test_string("%s", l->alerts);
}

static void give_alice_the_role(void)
{
    PUT_ROWS(open_role_list(open_store(test_path("old.db"))),
             identity_row(ALICE, "id of alice", SYNC_ROLE, NOW));
}

static void test_a_database_of_version_2_keeps_what_is_in_it(void)
{
    life *l;
    keeper_facts facts;

    make_database();
    l = begin_life();
    facts = keeper_read_facts(l->keeper, time_of(NOW));
    EXPECT_INT(facts.identity.rows, 1);
    EXPECT_INT(facts.stream.pending, 1);
    EXPECT_INT(facts.stream.open_incidents, 1);
    EXPECT_INT(number_of("SELECT count(*) FROM seen"), 1);
    EXPECT_INT(number_of("SELECT count(*) FROM incident_alert"), 1);
    EXPECT_INT(number_of("SELECT change FROM role_list"), 7);
    EXPECT_STRING(update(l), "");
    give_alice_the_role();
    EXPECT_STRING(update(l), "stored(late) ");
    EXPECT_INT(keeper_read_facts(l->keeper, time_of(NOW)).stream.pending, 0);
}

static void feed(life *l, const char *message)
{
    detector_worker *w = detector_worker_new(l->detector);

    REQUIRE(w != NULL);
    detector_feed(w, text_of(message), time_of(NOW), take_alert, l);
    detector_worker_free(w);
}

/* Its name in the database was another then. */
static void test_a_record_that_waited_and_comes_again_alerts_once(void)
{
    life *l;

    make_database();
    l = begin_life();
    feed(l, AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .record_id = "stored"));
    EXPECT_STRING(update(l), "");
    give_alice_the_role();
    EXPECT_STRING(update(l), "stored(late) ");
    EXPECT_INT(keeper_read_facts(l->keeper, time_of(NOW)).stream.pending, 0);
}

static void test_segments_without_checks_are_taken_up(void)
{
    static const char id[] = "9b1a0008-1008-4108-9108-000000000002";
    life *l;

    make_database();
    write_segment("old.db-test.stream.1", write_pending, "in a segment");
    write_segment("old.db-test.stream.2", write_sent, id);
    write_segment("old.db-test.stream.3", write_pending, "in another");
    l = begin_life();
    while (keeper_read_facts(l->keeper, time_of(NOW)).stream.pending < 3)
        update(l);
    EXPECT_INT(number_of(test_string("SELECT count(*) FROM seen WHERE alert_id = '%s'", id)), 1);
    EXPECT_INT(access(test_path("old.db-test.stream.3"), F_OK), -1);
    give_alice_the_role();
    EXPECT_STRING(update(l), "stored(late) in a segment(late) in another(late) ");
}

/* An action's name with odd characters was once written with `_` for them. */
static void test_segments_of_an_odd_name_become_those_of_the_new_one(void)
{
    life *l;

    make_database();
    write_segment("old.db-te_t.stream.4", write_pending, "four");
    write_segment("old.db-te_t.stream.12", write_pending, "twelve");
    EXPECT_INT(segments_move(test_path("old.db-te_t.stream"), test_path("old.db-test.stream")), 2);
    EXPECT_INT(access(test_path("old.db-te_t.stream.4"), F_OK), -1);
    EXPECT_INT(access(test_path("old.db-te_t.stream.12"), F_OK), -1);
    EXPECT_INT(access(test_path("old.db-test.stream.1"), F_OK), 0);
    EXPECT_INT(access(test_path("old.db-test.stream.2"), F_OK), 0);
    l = begin_life();
    while (keeper_read_facts(l->keeper, time_of(NOW)).stream.pending < 3)
        update(l);
    give_alice_the_role();
    EXPECT_STRING(update(l), "stored(late) four(late) twelve(late) ");
}

CU_TestInfo earlier_tests[] = {
    TEST(test_a_database_of_version_2_keeps_what_is_in_it),
    TEST(test_a_record_that_waited_and_comes_again_alerts_once),
    TEST(test_segments_without_checks_are_taken_up),
    TEST(test_segments_of_an_odd_name_become_those_of_the_new_one),
    TESTS_END,
};
