/* What is kept of alerts that were handed on: once each, in their incident, in little room. */
#include "state/alert_log.h"

#include <stdio.h>
#include <stdlib.h>

#include "fixtures.h"
#include "state/action_row.h"
#include "state/packed_text.h"
#include "state/statement.h"
#include "suites.h"
#include "test.h"

#define INCIDENT "00000000-0000-4000-8000-0000000000aa"

static void close_log(void *self)
{
    alert_log_close(self);
}

typedef struct room {
    store *store;
    alert_log *log;
    int64_t action;
} room;

static room open_room(void)
{
    room r = {.store = open_store(test_path("state.db"))};
    action_row row;

    REQUIRE(action_row_find(r.store, "test", &row));
    r.action = row.id;
    r.log = alert_log_open(r.store, row.id);
    REQUIRE(r.log != NULL);
    test_at_end(close_log, r.log);
    return r;
}

/* The n-th alert, at that place of the incident; it says `alert`. */
static sent_alert sent_at(unsigned n, unsigned place, const char *alert_json)
{
    sent_alert sent = {
        .expires = 100,
        .detected_at = (timestamp)n,
        .incident = {.id = INCIDENT, .alert_count = place, .place = place, .opened = 1},
        .window = 1000,
        .key = TEXT("[\"tenant\"]"),
        .alert = text_of(alert_json),
    };

    snprintf(sent.id, sizeof(sent.id), "00000000-0000-4000-8000-%012u", n);
    memcpy(sent.incident.first_alert, sent.id, sizeof(sent.id));
    return sent;
}

static void put(const room *r, sent_alert sent)
{
    REQUIRE(store_begin(r->store));
    EXPECT(alert_log_put(r->log, &sent));
    REQUIRE(store_commit(r->store));
}

static void add_text(void *arg, const incident_alert_row *row)
{
    char *all = arg;

    strncat(all, row->alert.bytes, row->alert.length);
    for (int64_t i = 0; i < row->repeats; i++)
        strcat(all, "+");
    strcat(all, " ");
}

static const char *alerts_of(const room *r)
{
    char all[1024] = "";

    EXPECT(incident_rows_each_alert(r->store, r->action, INCIDENT, add_text, all));
    return test_string("%s", all);
}

static void read_count(void *arg, const incident_row *row)
{
    *(int64_t *)arg = row->alert_count;
}

static int64_t count_of(const room *r)
{
    int64_t count = -1;

    EXPECT(incident_rows_each(r->store, INCIDENT, read_count, &count));
    return count;
}

static void run_sql(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    REQUIRE(statement != NULL);
    EXPECT(statement_run(statement));
    sqlite3_finalize(statement);
}

static void test_an_alert_is_there_once_however_often_it_is_put(void)
{
    room r = open_room();

    put(&r, sent_at(1, 1, "one"));
    put(&r, sent_at(2, 2, "two"));
    put(&r, sent_at(1, 1, "one"));
    EXPECT_STRING(alerts_of(&r), "one two ");
    EXPECT_INT(count_of(&r), 2);
}

static void test_an_incident_counts_what_is_in_it(void)
{
    room r = open_room();

    put(&r, sent_at(1, 1, "one"));
    put(&r, sent_at(3, 3, "three")); /* the second left */
    EXPECT_INT(count_of(&r), 2);
}

static void test_a_row_that_comes_again_is_counted_at_its_alert(void)
{
    room r = open_room();

    put(&r, sent_at(1, 1, "one"));
    put(&r, sent_at(2, 2, "two"));
    put(&r, sent_at(2, 2, ""));
    put(&r, sent_at(2, 2, ""));
    put(&r, sent_at(3, 3, "")); /* its alert is not there (any more) */
    EXPECT_STRING(alerts_of(&r), "one two++ ");
    EXPECT_INT(count_of(&r), 2);
}

static void copy_row(void *arg, const incident_row *row)
{
    char *all = arg;

    sprintf(all, "%s %d %.*s %.*s", row->is_closed ? "closed" : "open", (int)row->closed,
            (int)row->closed_reason.length, row->closed_reason.bytes, (int)row->closed_by.length,
            row->closed_by.bytes);
}

static void test_a_closed_incident_says_when_why_and_by_whom(void)
{
    const incident_closing first = {7, TEXT("it's us"), TEXT("eve")}, second = {8, TEXT("no"), {0}};
    room r = open_room();
    char all[80] = "";
    int closed;

    put(&r, sent_at(1, 1, "one"));
    EXPECT(incident_rows_close(r.store, INCIDENT, &first, &closed));
    EXPECT_INT(closed, 1);
    EXPECT(incident_rows_close(r.store, INCIDENT, &second, &closed));
    EXPECT_INT(closed, 0);
    EXPECT(incident_rows_each(r.store, INCIDENT, copy_row, all));
    EXPECT_STRING(all, "closed 7 it's us eve");
}

static void add_id(void *arg, const char *id)
{
    strcat(strcat(arg, id), " ");
}

static const char *ids_that_begin(const room *r, const char *beginning, int most)
{
    char all[256] = "";

    EXPECT(incident_ids_each(r->store, text_of(beginning), most, add_id, all));
    return test_string("%s", all);
}

static void test_an_incident_is_found_by_the_beginning_of_its_id(void)
{
    static const char OTHER[] = "00000000-0000-4000-8000-0000000000ab";
    room r = open_room();
    sent_alert other = sent_at(2, 1, "two");

    put(&r, sent_at(1, 1, "one"));
    memcpy(other.incident.id, OTHER, sizeof(OTHER));
    other.incident.opened = 2;
    put(&r, other);
    EXPECT_STRING(ids_that_begin(&r, OTHER, 9), "00000000-0000-4000-8000-0000000000ab ");
    EXPECT_STRING(ids_that_begin(&r, "00000000-0000-4000-8000-0000000000AB", 9),
                  "00000000-0000-4000-8000-0000000000ab ");
    EXPECT_STRING(ids_that_begin(&r, "00000000-0000-4000-8000-0000000000a", 9),
                  INCIDENT " 00000000-0000-4000-8000-0000000000ab ");
    EXPECT_STRING(ids_that_begin(&r, "0000", 1), INCIDENT " ");
    EXPECT_STRING(ids_that_begin(&r, "0000%", 9), "");
    EXPECT_STRING(ids_that_begin(&r, "1", 9), "");
}

static void test_an_alert_never_takes_anothers_place(void)
{
    room r = open_room();

    put(&r, sent_at(1, 1, "one"));
    put(&r, sent_at(2, 1, "two"));
    put(&r, sent_at(2, 1, "two"));
    EXPECT_STRING(alerts_of(&r), "one two ");
    EXPECT_INT(count_of(&r), 2);
}

static void test_an_alert_that_was_kept_as_it_is_written_is_read(void)
{
    room r = open_room();

    put(&r, sent_at(1, 1, "one"));
    run_sql(r.store, "UPDATE incident_alert SET alert = 'as it was'");
    EXPECT_STRING(alerts_of(&r), "as it was ");
}

static void test_an_alert_that_cannot_be_read_is_left_out(void)
{
    room r = open_room();

    put(&r, sent_at(1, 1, "one"));
    put(&r, sent_at(2, 2, "two"));
    run_sql(r.store, "UPDATE incident_alert SET alert = x'ffffff7f00' WHERE place = 1");
    EXPECT_STRING(alerts_of(&r), "two ");
}

static void test_what_is_loaded_is_what_was_put(void)
{
    room r = open_room();
    incidents *open = incidents_new(&INCIDENTS_AS_IN_SENTINEL);
    seen *ids = seen_new();
    sent_alert one = sent_at(1, 1, "one");

    REQUIRE(open != NULL && ids != NULL);
    put(&r, one);
    EXPECT(alert_log_load(r.log, 50, ids, open));
    EXPECT_INT(seen_claim_id(ids, one.id, 99), SEEN_BEFORE);
    EXPECT_INT(incidents_count_open(open, 50), 1);
    incidents_free(open);
    seen_free(ids);
}

static void test_what_has_expired_goes_with_its_alerts(void)
{
    room r = open_room();
    int removed;

    put(&r, sent_at(1, 1, "one"));
    REQUIRE(store_begin(r.store));
    EXPECT(alert_log_prune(r.log, 1000, 500, &removed));
    REQUIRE(store_commit(r.store));
    EXPECT_INT(removed, 2);
    EXPECT_STRING(alerts_of(&r), "");
}

/* --- packed --- */

static void expect_back(text t)
{
    text_packer *packer = text_packer_new();
    text_unpacker *unpacker = text_unpacker_new();
    buffer packed = {0}, back = {0};

    REQUIRE(packer != NULL && unpacker != NULL);
    EXPECT(text_pack(packer, t, &packed));
    EXPECT(text_unpack(unpacker, buffer_text(&packed), &back));
    EXPECT(text_equal(buffer_text(&back), t));
    text_packer_free(packer);
    text_unpacker_free(unpacker);
    buffer_free(&packed);
    buffer_free(&back);
}

static void test_a_packed_text_comes_back(void)
{
    random_source random = random_new(3);
    char *bytes = malloc(100000);

    REQUIRE(bytes != NULL);
    expect_back((text)TEXT(""));
    for (size_t length = 1; length < 100000; length = length * 3 + 1) {
        for (size_t i = 0; i < length; i++)
            bytes[i] = (char)random_below(&random, 256);
        expect_back((text){bytes, length});
        memset(bytes, 'x', length);
        expect_back((text){bytes, length});
    }
    free(bytes);
}

/* As schema version 8 and earlier kept it: the length, and zlib's stream. */
static void test_a_text_that_an_earlier_version_packed_comes_back(void)
{
    static const char packed[] = "\x07\0\0\0"
                                 "\x78\x9C\xCB\xCF\x4B\x55\xC8\xCF\x4B\x05\x00\x0A\xAB\x02\xA5";
    text_unpacker *unpacker = text_unpacker_new();
    buffer back = {0};

    REQUIRE(unpacker != NULL);
    EXPECT(text_unpack(unpacker, (text){packed, sizeof(packed) - 1}, &back));
    EXPECT_TEXT_IS(buffer_text(&back), "one one");
    EXPECT_NOT(text_unpack(unpacker, (text){packed, sizeof(packed) - 2}, &back));
    text_unpacker_free(unpacker);
    buffer_free(&back);
}

static void test_bytes_that_are_no_packed_text_are_refused(void)
{
    text_packer *packer = text_packer_new();
    text_unpacker *unpacker = text_unpacker_new();
    buffer packed = {0}, back = {0};

    REQUIRE(packer != NULL && unpacker != NULL);
    REQUIRE(text_pack(packer, (text)TEXT("one one one one one one one"), &packed));
    for (size_t length = 0; length < packed.length; length++)
        EXPECT_NOT(text_unpack(unpacker, tight((text){packed.bytes, length}), &back));
    for (size_t at = 0; at < packed.length; at++) {
        packed.bytes[at] ^= 0x40;
        if (text_unpack(unpacker, tight(buffer_text(&packed)), &back))
            EXPECT_TEXT_IS(buffer_text(&back), "one one one one one one one");
        packed.bytes[at] ^= 0x40;
    }
    text_packer_free(packer);
    text_unpacker_free(unpacker);
    buffer_free(&packed);
    buffer_free(&back);
}

static int64_t size_of(store *s)
{
    sqlite3_stmt *pages =
        store_prepare(s, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
    int64_t size;

    REQUIRE(pages != NULL && sqlite3_step(pages) == SQLITE_ROW);
    size = sqlite3_column_int64(pages, 0);
    sqlite3_finalize(pages);
    return size;
}

/* Letters that zlib can do no more with than 6 bits of 8: packed they have 1.5 KB, as a real alert.
 */
static void test_an_alert_costs_little_more_than_what_is_packed_of_it(void)
{
    enum { ALERTS = 200, LETTERS = 2000, MOST_BYTES = 2600 };
    room r = open_room();
    random_source source = random_new(1);
    int64_t before = size_of(r.store);
    char letters[LETTERS + 1] = "";

    for (unsigned n = 1; n <= ALERTS; n++) {
        for (size_t i = 0; i < LETTERS; i++)
            letters[i] = (char)('0' + random_below(&source, 64));
        put(&r, sent_at(n, n, letters));
    }
    EXPECT(size_of(r.store) - before < ALERTS * MOST_BYTES);
}

CU_TestInfo alert_log_tests[] = {
    TEST(test_an_alert_is_there_once_however_often_it_is_put),
    TEST(test_an_incident_counts_what_is_in_it),
    TEST(test_a_row_that_comes_again_is_counted_at_its_alert),
    TEST(test_a_closed_incident_says_when_why_and_by_whom),
    TEST(test_an_incident_is_found_by_the_beginning_of_its_id),
    TEST(test_an_alert_never_takes_anothers_place),
    TEST(test_an_alert_that_was_kept_as_it_is_written_is_read),
    TEST(test_an_alert_that_cannot_be_read_is_left_out),
    TEST(test_what_is_loaded_is_what_was_put),
    TEST(test_what_has_expired_goes_with_its_alerts),
    TEST(test_an_alert_costs_little_more_than_what_is_packed_of_it),
    TEST(test_a_packed_text_comes_back),
    TEST(test_a_text_that_an_earlier_version_packed_comes_back),
    TEST(test_bytes_that_are_no_packed_text_are_refused),
    TESTS_END,
};
