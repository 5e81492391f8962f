/* SPDX-License-Identifier: Apache-2.0 */
/* The state database: whose file is opened, and what one connection sees of another. */
#include "state/store.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixtures.h"
#include "state/store_trial.h"
#include "suites.h"
#include "test.h"

/* Why the path cannot be opened; "" when it can. */
static const char *refusal_of(const char *path, store_open_mode how)
{
    char *error;
    store *s = store_open(path, how, &error);
    const char *copy = "";

    EXPECT_INT(s == NULL, error != NULL);
    if (error != NULL)
        copy = test_string("%s", error);
    free(error);
    store_close(s);
    return copy;
}

static void run_in_file(const char *path, const char *sql)
{
    sqlite3 *connection = NULL;

    REQUIRE(sqlite3_open(path, &connection) == SQLITE_OK);
    EXPECT_INT(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
}

static int64_t number_in(const char *path, const char *sql)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;

    REQUIRE(sqlite3_open(path, &connection) == SQLITE_OK);
    sqlite3_prepare_v2(connection, sql, -1, &statement, NULL);
    if (sqlite3_step(statement) == SQLITE_ROW)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return number;
}

static void write_row(store *s, const char *upn)
{
    role_list *list = role_list_open(s);
    const identity_record row = identity_row(upn, "id", "[]", "2026-06-01T12:00:00Z");

    REQUIRE(list != NULL);
    put_rows(list, &row, 1);
    role_list_close(list);
}

static int64_t rows_in(store *s)
{
    role_list *list = role_list_open(s);
    role_list_facts facts = {.rows = -1};

    REQUIRE(list != NULL);
    EXPECT(role_list_read_facts(list, &facts));
    role_list_close(list);
    return facts.rows;
}

/* --- opening --- */

static void restore_umask(void *mask)
{
    umask(*(mode_t *)mask);
}

static void test_a_new_file_has_mode_0640_whatever_the_umask(void)
{
    static const mode_t masks[] = {0, 022, 077};
    static mode_t before;
    struct stat found = {0};

    before = umask(0);
    test_at_end(restore_umask, &before);
    for (size_t i = 0; i < LENGTH_OF(masks); i++) {
        const char *path = test_path(test_string("state%zu.db", i));

        umask(masks[i]);
        open_store(path);
        EXPECT_INT(stat(path, &found), 0);
        EXPECT_INT(found.st_mode & 07777, 0640);
    }
}

static void test_a_file_that_must_be_there_is_not_made(void)
{
    const char *path = test_path("state.db");

    EXPECT(strlen(refusal_of(path, STORE_EXISTING)) > 0);
    EXPECT(access(path, F_OK) != 0);
}

static void test_a_file_that_is_there_is_opened(void)
{
    const char *path = test_path("state.db");

    write_row(open_store(path), "a@x");
    EXPECT_STRING(refusal_of(path, STORE_EXISTING), "");
    EXPECT_INT(rows_in(open_store(path)), 1);
}

static void test_an_empty_file_becomes_a_database(void)
{
    const char *path = test_file("state.db", "");

    EXPECT_STRING(refusal_of(path, STORE_EXISTING), "");
    EXPECT_INT(rows_in(open_store(path)), 0);
}

static void test_an_absent_directory_is_told(void)
{
    EXPECT(strlen(refusal_of(test_path("absent/state.db"), STORE_CREATE)) > 0);
}

static void test_a_directory_is_no_database(void)
{
    EXPECT(strlen(refusal_of(test_directory(), STORE_CREATE)) > 0);
}

static void test_a_file_of_something_else_is_refused_and_stays(void)
{
    static const char content[] = "These are someone's notes and no database at all.\n";
    const char *path = test_file("notes.txt", content);
    char read[sizeof(content)] = "";
    FILE *file;

    EXPECT(strlen(refusal_of(path, STORE_CREATE)) > 0);
    file = fopen(path, "r");
    REQUIRE(file != NULL);
    EXPECT_INT(fread(read, 1, sizeof(read), file), strlen(content));
    fclose(file);
    EXPECT_STRING(read, content);
}

static void test_another_programs_database_is_refused(void)
{
    const char *with_tables = test_path("tables.db"), *with_id = test_path("id.db");

    run_in_file(with_tables, "CREATE TABLE accounts (name TEXT)");
    run_in_file(with_id, "PRAGMA application_id = 12345");
    EXPECT(strlen(refusal_of(with_tables, STORE_CREATE)) > 0);
    EXPECT(strlen(refusal_of(with_id, STORE_CREATE)) > 0);
}

static void test_a_newer_versions_database_is_refused(void)
{
    const char *path = test_path("state.db");

    EXPECT_STRING(refusal_of(path, STORE_CREATE), "");
    run_in_file(path, "PRAGMA user_version = 1000000");
    EXPECT(strlen(refusal_of(path, STORE_CREATE)) > 0);
}

static void test_a_database_in_memory_is_one_of_its_own(void)
{
    store *a = open_store(STORE_IN_MEMORY), *b = open_store(STORE_IN_MEMORY);

    write_row(a, "a@x");
    EXPECT_INT(rows_in(a), 1);
    EXPECT_INT(rows_in(b), 0);
    EXPECT(access(STORE_IN_MEMORY, F_OK) != 0);
}

static void test_a_new_store_is_writable(void)
{
    EXPECT(store_is_writable(open_store(test_path("state.db"))));
    EXPECT(store_is_writable(open_store(STORE_IN_MEMORY)));
}

static void test_a_file_that_is_deleted_is_no_longer_in_place(void)
{
    const char *path = test_path("state.db");
    store *s = open_store(path);

    EXPECT(store_is_in_place(s));
    REQUIRE(unlink(path) == 0);
    EXPECT_NOT(store_is_in_place(s));
}

static void test_a_file_that_another_took_the_place_of_is_no_longer_in_place(void)
{
    const char *path = test_path("state.db");
    store *s = open_store(path), *other = open_store(test_path("other.db"));

    REQUIRE(rename(test_path("other.db"), path) == 0);
    EXPECT_NOT(store_is_in_place(s));
    EXPECT_NOT(store_is_in_place(other));
}

static void test_null_can_be_closed(void)
{
    store_close(NULL);
    EXPECT(true);
}

enum { OPENERS = 6, ROUNDS = 30 };

typedef struct opener {
    pthread_t thread;
    const char *path;
    pthread_barrier_t *start;
    char *error;
} opener;

static void *open_at_once(void *arg)
{
    opener *o = arg;

    pthread_barrier_wait(o->start);
    store_close(store_open(o->path, STORE_CREATE, &o->error));
    return NULL;
}

static void open_together(const char *path)
{
    pthread_barrier_t start;
    opener openers[OPENERS];

    pthread_barrier_init(&start, NULL, OPENERS);
    for (size_t i = 0; i < OPENERS; i++) {
        openers[i] = (opener){.path = path, .start = &start};
        REQUIRE(pthread_create(&openers[i].thread, NULL, open_at_once, &openers[i]) == 0);
    }
    for (size_t i = 0; i < OPENERS; i++) {
        pthread_join(openers[i].thread, NULL);
        EXPECT_STRING(openers[i].error ? openers[i].error : "", "");
        free(openers[i].error);
    }
    pthread_barrier_destroy(&start);
}

static void test_several_may_make_the_same_database_at_once(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        const char *path = test_path(test_string("state%d.db", round));

        open_together(path);
        EXPECT_INT(rows_in(open_store(path)), 0);
    }
}

static void test_several_may_open_the_same_database_at_once(void)
{
    const char *path = test_path("state.db");

    write_row(open_store(path), "a@x");
    for (int round = 0; round < ROUNDS; round++)
        open_together(path);
    EXPECT_INT(rows_in(open_store(path)), 1);
}

/* --- transactions --- */

/* Puts one more row into the table, in a transaction that is under way. */
static void insert(store *s, const char *upn)
{
    struct sqlite3_stmt *statement =
        store_prepare(s, "INSERT INTO identity VALUES (NULL, ?1, '', '', 0, '', NULL, 0, 1, '')");

    REQUIRE(statement != NULL);
    sqlite3_bind_text(statement, 1, upn, -1, SQLITE_STATIC);
    EXPECT_INT(sqlite3_step(statement), SQLITE_DONE);
    sqlite3_finalize(statement);
}

static int64_t count_identities(store *s)
{
    struct sqlite3_stmt *statement = store_prepare(s, "SELECT count(*) FROM identity");
    int64_t count = -1;

    REQUIRE(statement != NULL);
    if (sqlite3_step(statement) == SQLITE_ROW)
        count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return count;
}

static void test_a_committed_transaction_is_kept(void)
{
    store *s = open_store(test_path("state.db"));

    EXPECT(store_begin(s));
    insert(s, "a@x");
    EXPECT(store_commit(s));
    EXPECT_INT(count_identities(open_store(test_path("state.db"))), 1);
}

static void test_a_transaction_is_seen_by_others_only_when_committed(void)
{
    store *a = open_store(test_path("state.db")), *b = open_store(test_path("state.db"));

    EXPECT(store_begin(a));
    insert(a, "a@x");
    EXPECT_INT(count_identities(a), 1);
    EXPECT_INT(count_identities(b), 0);
    EXPECT(store_commit(a));
    EXPECT_INT(count_identities(b), 1);
}

static void test_a_transaction_that_is_rolled_back_leaves_nothing(void)
{
    store *s = open_store(test_path("state.db"));

    EXPECT(store_begin(s));
    insert(s, "a@x");
    store_rollback(s);
    EXPECT_INT(count_identities(s), 0);
    EXPECT(store_begin(s));
    EXPECT(store_commit(s));
}

static void test_a_rollback_without_a_transaction_does_nothing(void)
{
    store *s = open_store(STORE_IN_MEMORY);

    store_rollback(s);
    EXPECT(store_begin(s));
    store_rollback(s);
}

static void test_a_transaction_that_was_not_committed_is_dropped_at_closing(void)
{
    char *error;
    store *s = store_open(test_path("state.db"), STORE_CREATE, &error);

    REQUIRE(s != NULL);
    EXPECT(store_begin(s));
    insert(s, "a@x");
    store_close(s);
    EXPECT_INT(count_identities(open_store(test_path("state.db"))), 0);
}

static void test_a_second_writer_is_told_that_it_is_busy(void)
{
    store *a = open_store(test_path("state.db")), *b = open_store(test_path("state.db"));

    EXPECT(store_begin(a));
    EXPECT_NOT(store_begin(b));
    EXPECT(store_is_busy(b));
    EXPECT(strlen(store_error(b)) > 0);
    EXPECT(store_commit(a));
    EXPECT(store_begin(b));
    EXPECT_NOT(store_is_busy(b));
    store_rollback(b);
}

static void test_a_failure_of_another_kind_is_not_busy(void)
{
    store *s = open_store(STORE_IN_MEMORY);

    EXPECT(store_prepare(s, "SELECT * FROM no_such_table") == NULL);
    EXPECT_NOT(store_is_busy(s));
    EXPECT(strlen(store_error(s)) > 0);
}

static void test_a_reader_does_not_hold_a_writer_up(void)
{
    store *reader = open_store(test_path("state.db")), *writer = open_store(test_path("state.db"));
    struct sqlite3_stmt *reading = store_prepare(reader, "SELECT change FROM role_list");

    REQUIRE(reading != NULL);
    EXPECT_INT(sqlite3_step(reading), SQLITE_ROW);
    write_row(writer, "a@x");
    sqlite3_finalize(reading);
    EXPECT_INT(rows_in(reader), 1);
}

typedef struct waiting {
    store *store;
    bool begun;
} waiting;

static void *begin_with_patience(void *arg)
{
    waiting *w = arg;

    w->begun = store_begin(w->store);
    store_rollback(w->store);
    return NULL;
}

/* The wait ends when the other lets go, however soon or late the thread comes to it. */
static void test_a_patient_writer_waits_for_the_other(void)
{
    enum { A_MINUTE = 60000 };
    store *a = open_store(test_path("state.db"));
    waiting w = {.store = open_store(test_path("state.db"))};
    pthread_t thread;

    store_set_patience(w.store, A_MINUTE);
    EXPECT(store_begin(a));
    REQUIRE(pthread_create(&thread, NULL, begin_with_patience, &w) == 0);
    EXPECT(store_commit(a));
    pthread_join(thread, NULL);
    EXPECT(w.begun);
}

/* --- what others did --- */

static void test_the_first_question_for_changes_says_yes(void)
{
    store *s = open_store(test_path("state.db"));

    EXPECT(store_has_changed(s));
    EXPECT_NOT(store_has_changed(s));
}

static void test_a_change_by_another_connection_is_told_once(void)
{
    store *a = open_store(test_path("state.db")), *b = open_store(test_path("state.db"));

    store_has_changed(a);
    write_row(b, "a@x");
    EXPECT(store_has_changed(a));
    EXPECT_NOT(store_has_changed(a));
}

static void test_a_connections_own_change_is_none(void)
{
    store *s = open_store(test_path("state.db"));

    store_has_changed(s);
    write_row(s, "a@x");
    EXPECT_NOT(store_has_changed(s));
}

/* As another program would: by a descriptor of its own. */
static void overwrite(const char *path, const void *bytes, size_t length)
{
    FILE *file = fopen(path, "r+");

    REQUIRE(file != NULL);
    EXPECT_INT(fwrite(bytes, length, 1, file), 1);
    EXPECT_INT(fclose(file), 0);
}

static void test_a_header_that_is_overwritten_is_damage_at_once(void)
{
    const char *path = test_path("state.db");
    store *s = open_store(path);

    EXPECT(store_begins_whole(s));
    EXPECT_NOT(store_is_damaged(s));
    overwrite(path, "SQLite format 3", 15); /* the same as before */
    EXPECT(store_begins_whole(s));
    overwrite(path, "SQLite format 4", 15);
    EXPECT_NOT(store_begins_whole(s));
    EXPECT(store_is_damaged(s));
    EXPECT_STRING(store_error(s), "the file's header is damaged");
}

/* Its log would hide it from this process, and from no other. */
static void test_a_file_that_is_cut_is_damage_at_once(void)
{
    static const off_t sizes[] = {8192, 20, 0};

    for (size_t i = 0; i < LENGTH_OF(sizes); i++) {
        const char *path = test_path(test_string("state%zu.db", i));
        store *s = open_store(path);

        EXPECT(store_begins_whole(s));
        EXPECT_INT(truncate(path, sizes[i]), 0);
        EXPECT_NOT(store_begins_whole(s));
        EXPECT(store_is_damaged(s));
        EXPECT_STRING(store_error(s), "the file was cut");
    }
}

static void run_sql(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    REQUIRE(statement != NULL);
    while (sqlite3_step(statement) == SQLITE_ROW)
        continue;
    EXPECT_INT(sqlite3_finalize(statement), SQLITE_OK);
}

static void test_a_file_that_sqlite_makes_longer_or_shorter_is_whole(void)
{
    store *s = open_store(test_path("state.db"));

    EXPECT(store_begins_whole(s));
    run_sql(s, "INSERT INTO rescue VALUES (zeroblob(100000))");
    EXPECT(store_begins_whole(s));
    run_sql(s, "PRAGMA wal_checkpoint(TRUNCATE)");
    EXPECT(store_begins_whole(s));
    run_sql(s, "DELETE FROM rescue");
    run_sql(s, "VACUUM");
    EXPECT(store_begins_whole(s));
    run_sql(s, "PRAGMA wal_checkpoint(TRUNCATE)");
    EXPECT(store_begins_whole(s));
}

static void test_a_database_in_memory_has_no_header_to_lose(void)
{
    EXPECT(store_begins_whole(open_store(STORE_IN_MEMORY)));
}

static int64_t end_at_once(void *asked)
{
    ++*(int *)asked;
    return 1;
}

static int64_t end_later(void *asked)
{
    return ++*(int *)asked < 3 ? 0 : 1;
}

static void test_a_wait_for_a_lock_ends_when_it_is_told_to(void)
{
    const char *path = test_path("state.db");
    store *holder = open_store(path), *s = open_store(path);
    int asked = 0;

    REQUIRE(store_begin(holder));
    store_set_patience_until(s, 3600000, end_at_once, &asked);
    EXPECT_NOT(store_begin(s));
    EXPECT_INT(asked, 1);
    EXPECT(store_is_busy(s));
    store_set_patience_until(s, 3600000, end_later, &asked);
    asked = 0;
    EXPECT_NOT(store_begin(s));
    EXPECT_INT(asked, 3);
    store_rollback(holder);
    EXPECT(store_begin(s));
    store_rollback(s);
}

static void test_a_change_that_was_rolled_back_is_none(void)
{
    store *a = open_store(test_path("state.db")), *b = open_store(test_path("state.db"));

    store_has_changed(a);
    EXPECT(store_begin(b));
    insert(b, "a@x");
    store_rollback(b);
    EXPECT_NOT(store_has_changed(a));
}

static void test_a_forgotten_version_is_a_change_again(void)
{
    store *s = open_store(test_path("state.db"));

    store_has_changed(s);
    store_forget_version(s);
    EXPECT(store_has_changed(s));
    EXPECT_NOT(store_has_changed(s));
}

/* --- earlier schemas --- */

/* What a database of version 1 held: the role list alone. */
static const char VERSION_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE identity (id INTEGER PRIMARY KEY, upn TEXT NOT NULL UNIQUE,"
    " object_id TEXT NOT NULL, display_name TEXT NOT NULL, time INTEGER NOT NULL,"
    " roles TEXT NOT NULL, roles_time INTEGER, roles_older INTEGER NOT NULL,"
    " change INTEGER NOT NULL);"
    "CREATE INDEX identity_change ON identity (change);"
    "CREATE TABLE role_list (change INTEGER NOT NULL, rows INTEGER NOT NULL, newest INTEGER);"
    "INSERT INTO role_list VALUES (7, 1, 100);"
    "INSERT INTO identity VALUES (1, 'old@x', 'id', 'name', 100, '[]', 100, 0, 7);"
    "PRAGMA application_id = 1398030672;" /* STAP */
    "PRAGMA user_version = 1";

static void test_a_database_of_version_1_is_brought_up_to_date_with_its_rows(void)
{
    store *s;

    run_in_file(test_path("old.db"), VERSION_1);
    s = open_store(test_path("old.db"));
    EXPECT_INT(rows_in(s), 1);
    EXPECT_INT(number_in(test_path("old.db"), "PRAGMA user_version"), 11);
    EXPECT_INT(number_in(test_path("old.db"), "SELECT count(*) FROM pending"), 0);
    write_row(s, "new@x");
    EXPECT_INT(rows_in(s), 2);
}

/* --- another SQLite --- */

/* As one that was built so: it takes no statement with a second parameter. */
static int allow_one_parameter(sqlite3 *c, char **error, const struct sqlite3_api_routines *api)
{
    (void)error;
    (void)api;
    sqlite3_limit(c, SQLITE_LIMIT_VARIABLE_NUMBER, 1);
    return SQLITE_OK;
}

static void forget_extension(void *extension)
{
    (void)extension;
    sqlite3_reset_auto_extension();
}

static void test_an_sqlite_that_cannot_prepare_a_statement_is_told(void)
{
    char *error;

    EXPECT(store_try_statements(&error));
    EXPECT(error == NULL);
    REQUIRE(sqlite3_auto_extension((void (*)(void))allow_one_parameter) == SQLITE_OK);
    test_at_end(forget_extension, NULL);
    EXPECT_NOT(store_try_statements(&error));
    EXPECT(strstr(error, "variable number must be between ?1 and ?1") != NULL);
    free(error);
}

CU_TestInfo store_tests[] = {
    TEST(test_a_new_file_has_mode_0640_whatever_the_umask),
    TEST(test_a_file_that_must_be_there_is_not_made),
    TEST(test_a_file_that_is_there_is_opened),
    TEST(test_an_empty_file_becomes_a_database),
    TEST(test_an_absent_directory_is_told),
    TEST(test_a_directory_is_no_database),
    TEST(test_a_file_of_something_else_is_refused_and_stays),
    TEST(test_another_programs_database_is_refused),
    TEST(test_a_newer_versions_database_is_refused),
    TEST(test_a_database_in_memory_is_one_of_its_own),
    TEST(test_a_new_store_is_writable),
    TEST(test_a_file_that_is_deleted_is_no_longer_in_place),
    TEST(test_a_file_that_another_took_the_place_of_is_no_longer_in_place),
    TEST(test_null_can_be_closed),
    TEST(test_several_may_make_the_same_database_at_once),
    TEST(test_several_may_open_the_same_database_at_once),
    TEST(test_a_committed_transaction_is_kept),
    TEST(test_a_transaction_is_seen_by_others_only_when_committed),
    TEST(test_a_transaction_that_is_rolled_back_leaves_nothing),
    TEST(test_a_rollback_without_a_transaction_does_nothing),
    TEST(test_a_transaction_that_was_not_committed_is_dropped_at_closing),
    TEST(test_a_second_writer_is_told_that_it_is_busy),
    TEST(test_a_failure_of_another_kind_is_not_busy),
    TEST(test_a_reader_does_not_hold_a_writer_up),
    TEST(test_a_patient_writer_waits_for_the_other),
    TEST(test_the_first_question_for_changes_says_yes),
    TEST(test_a_change_by_another_connection_is_told_once),
    TEST(test_a_connections_own_change_is_none),
    TEST(test_a_header_that_is_overwritten_is_damage_at_once),
    TEST(test_a_file_that_is_cut_is_damage_at_once),
    TEST(test_a_file_that_sqlite_makes_longer_or_shorter_is_whole),
    TEST(test_a_database_in_memory_has_no_header_to_lose),
    TEST(test_a_wait_for_a_lock_ends_when_it_is_told_to),
    TEST(test_a_change_that_was_rolled_back_is_none),
    TEST(test_a_forgotten_version_is_a_change_again),
    TEST(test_an_sqlite_that_cannot_prepare_a_statement_is_told),
    TEST(test_a_database_of_version_1_is_brought_up_to_date_with_its_rows),
    TESTS_END,
};
