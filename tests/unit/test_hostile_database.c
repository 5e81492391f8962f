/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database that somebody wrote into, in every way that chance finds: bytes, pages, rows, tables.
 *
 * Whoever opens it survives, and what is not as it was made is said, or is read as it stands.
 * SYNCTAP_HOSTILE_DATABASES=5000 makes a long run, SYNCTAP_SEED another one.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detector/keeper.h"
#include "fixtures.h"
#include "suites.h"
#include "test.h"

#define NOW "2026-06-01T12:00:00Z"
#define ALICE "alice@contoso.com"

enum { VARIANTS = 40, ROWS_OF_EACH = 30, MOST_BYTES = 1 << 20, PAGE = 4096 };

/* One variant, and the process that opens it. */
typedef struct variant {
    const char *path;
    bool must_be_refused;
} variant;

static size_t variants(void)
{
    const char *wanted = getenv("SYNCTAP_HOSTILE_DATABASES");

    return wanted != NULL ? strtoul(wanted, NULL, 10) : VARIANTS;
}

static random_source new_random(void)
{
    const char *seed = getenv("SYNCTAP_SEED");

    return random_new(seed != NULL ? strtoul(seed, NULL, 10) : 1);
}

/* --- a good one --- */

static bool take_alert(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

static keeper *new_keeper(detector *d)
{
    keeper *k = keeper_new(d);

    REQUIRE(k != NULL && keeper_follow(k, &(stream_options){
                                              .action = "test",
                                              .latejoin = true,
                                              .incidents = INCIDENTS_AS_IN_SENTINEL,
                                              .most_pending = STREAM_MOST_PENDING,
                                              .most_pending_bytes = STREAM_MOST_PENDING_BYTES,
                                          }));
    return k;
}

static void feed_records(keeper *k, detector *d)
{
    detector_worker *w = detector_worker_new(d);
    timestamp now = time_of(NOW);
    char *error;

    REQUIRE(w != NULL);
    for (int i = 0; i < ROWS_OF_EACH; i++) {
        const char *id = test_string("%d", i);

        detector_feed(w, text_of(AUDIT_TEXT(SHAPE_DIAGNOSTIC, .record_id = id)), now, take_alert,
                      NULL);
        detector_feed(w, text_of(AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = ALICE, .record_id = id)), now,
                      take_alert, NULL);
    }
    keeper_update(k, now, take_alert, NULL, &error);
    free(error);
    detector_worker_free(w);
}

/* Records that wait, alerts, incidents, and a role list; all of it in the file. */
static const char *good_database(void)
{
    const char *path = test_path("good.db");
    detector *d = detector_new(new_rule(SEMANTICS_WIDE));
    keeper *k = new_keeper(d);
    char *error;
    store *s = store_open(path, STORE_CREATE, &error);
    role_list *list = s != NULL ? role_list_open(s) : NULL;

    REQUIRE(list != NULL);
    for (int i = 0; i < ROWS_OF_EACH; i++)
        PUT_ROWS(list,
                 identity_row(test_string("sync%d@x", i), test_string("id %d", i), SYNC_ROLE, NOW));
    role_list_close(list);
    store_close(s);
    REQUIRE(keeper_open(k, path, STORE_CREATE, time_of(NOW), &error));
    feed_records(k, d);
    keeper_free(k);
    detector_free(d);
    return path;
}

/* --- one that somebody wrote into --- */

static text content_of(const char *path)
{
    char *bytes = arena_alloc(test_arena(), MOST_BYTES);
    FILE *file = fopen(path, "rb");
    size_t length;

    REQUIRE(bytes != NULL && file != NULL);
    length = fread(bytes, 1, MOST_BYTES, file);
    fclose(file);
    return (text){bytes, length};
}

static void write_content(const char *path, text content)
{
    FILE *file = fopen(path, "wb");

    REQUIRE(file != NULL && fwrite(content.bytes, 1, content.length, file) == content.length);
    fclose(file);
}

static void change_bytes(char *bytes, size_t length, random_source *r)
{
    for (size_t i = random_below(r, 32) + 1; i > 0; i--)
        bytes[random_below(r, length)] = (char)random_below(r, 256);
}

static void change_page(char *bytes, size_t length, random_source *r)
{
    size_t pages = length / PAGE;
    char *page = bytes + PAGE * random_below(r, pages);

    switch (random_below(r, 3)) {
    case 0:
        memset(page, 0, PAGE);
        break;
    case 1:
        memmove(page, bytes + PAGE * random_below(r, pages), PAGE);
        break;
    default:
        for (size_t i = 0; i < PAGE; i++)
            page[i] = (char)random_below(r, 256);
    }
}

static variant damaged(text good, random_source *r)
{
    variant v = {.path = test_path("hostile.db")};
    char *bytes = malloc(good.length);
    size_t length = good.length;

    REQUIRE(bytes != NULL);
    memcpy(bytes, good.bytes, length);
    switch (random_below(r, 3)) {
    case 0:
        change_bytes(bytes, length, r);
        break;
    case 1:
        change_page(bytes, length, r);
        break;
    default:
        length = random_below(r, length);
    }
    write_content(v.path, (text){bytes, length});
    free(bytes);
    return v;
}

/* A statement that changes rows or tables; what the file's rules forbid is not done. */
static const char *random_statement(random_source *r, bool *changes_tables)
{
    static const char *const columns[][2] = {
        {"identity", "upn"},    {"identity", "roles"},       {"identity", "time"},
        {"identity", "change"}, {"role_list", "change"},     {"role_list", "newest"},
        {"action", "judged"},   {"pending", "record"},       {"pending", "row_id"},
        {"pending", "expires"}, {"pending", "due"},          {"pending_key", "key"},
        {"seen", "alert_id"},   {"seen", "expires"},         {"incident", "key"},
        {"incident", "opened"}, {"incident", "alert_count"}, {"incident", "first_alert"},
        {"incident", "window"}, {"incident_alert", "alert"}, {"pending_total", "bytes"},
    };
    static const char *const values[] = {
        "NULL",           "''",     "-1",    "9223372036854775807",  "randomblob(100)",
        "zeroblob(5000)", "'[[[['", "1e300", "-9223372036854775808", "CAST(x'00ff' AS TEXT)",
    };
    static const char *const tables[] = {
        "DROP TABLE seen",
        "DROP INDEX pending_due",
        "DROP TRIGGER pending_takes_its_keys",
        "ALTER TABLE identity ADD COLUMN more TEXT",
        "ALTER TABLE pending RENAME COLUMN record TO other",
        "CREATE TRIGGER evil AFTER INSERT ON seen BEGIN DELETE FROM identity; END",
        "CREATE VIEW v AS SELECT * FROM identity",
        "CREATE TABLE big (a, b, c)",
    };
    size_t at = random_below(r, LENGTH_OF(columns));

    *changes_tables = random_below(r, 4) == 0;
    if (*changes_tables)
        return tables[random_below(r, LENGTH_OF(tables))];
    return test_string("UPDATE OR REPLACE %s SET %s = %s", columns[at][0], columns[at][1],
                       values[random_below(r, LENGTH_OF(values))]);
}

static variant written_into(text good, random_source *r)
{
    variant v = {.path = test_path("hostile.db")};
    const char *statement = random_statement(r, &v.must_be_refused);
    sqlite3 *c;

    write_content(v.path, good);
    test_case("%s", statement);
    REQUIRE(sqlite3_open(v.path, &c) == SQLITE_OK);
    sqlite3_exec(c, statement, NULL, NULL, NULL);
    if (sqlite3_errcode(c) != SQLITE_OK)
        v.must_be_refused = false;
    sqlite3_close(c);
    return v;
}

/* --- who opens it --- */

static void require_words(bool went_well, const char *words)
{
    if (!went_well && (words == NULL || words[0] == '\0'))
        abort();
}

static void use(keeper *k, const char *path)
{
    timestamp now = time_of(NOW) + TICKS_PER_SECOND;

    for (int look = 0; look < 3; look++) {
        char *error = NULL, *moved_to = NULL;
        keeper_status status = keeper_update(k, now, take_alert, NULL, &error);

        require_words(status != KEEPER_FAILED, error);
        free(error);
        error = NULL;
        if (status == KEEPER_FAILED && store_is_damaged(keeper_store(k)))
            require_words(keeper_replace_damaged(k, path, now, &moved_to, &error), error);
        free(moved_to);
        free(error);
        now += TICKS_PER_DAY;
    }
}

/* In a process of its own: aborts where something is silent. */
static void open_it(void *arg)
{
    const variant *v = arg;
    detector *d = detector_new(new_rule(SEMANTICS_WIDE));
    keeper *k = new_keeper(d);
    char *error = NULL;
    bool opened = keeper_open(k, v->path, STORE_CREATE, time_of(NOW), &error);

    require_words(opened, error);
    if (opened && v->must_be_refused)
        abort();
    if (opened)
        use(k, v->path);
    free(error);
    keeper_free(k);
    detector_free(d);
}

static void check_variants(variant (*make)(text good, random_source *r))
{
    random_source r = new_random();
    char *path = strdup(good_database());
    text good = content_of(path);
    char *copy = malloc(good.length);

    REQUIRE(copy != NULL && good.length > 0);
    memcpy(copy, good.bytes, good.length);
    good.bytes = copy;
    for (size_t i = 0; i < variants(); i++) {
        variant v;

        test_case("variant %zu", i);
        v = make(good, &r);
        EXPECT(test_survives(open_it, &v));
        test_clean_up();
    }
    free(copy);
    free(path);
}

static void test_damaged_bytes_and_pages_crash_nothing(void)
{
    check_variants(damaged);
}

static void test_rows_and_tables_of_any_kind_crash_nothing_and_other_tables_are_refused(void)
{
    check_variants(written_into);
}

CU_TestInfo hostile_database_tests[] = {
    TEST(test_damaged_bytes_and_pages_crash_nothing),
    TEST(test_rows_and_tables_of_any_kind_crash_nothing_and_other_tables_are_refused),
    TESTS_END,
};
