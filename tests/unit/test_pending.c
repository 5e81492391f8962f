/* SPDX-License-Identifier: Apache-2.0 */
/* Records that wait: put, found by their keys, read, removed, bounded. */
#include "state/pending.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "fixtures.h"
#include "state/store_parts.h"
#include "suites.h"
#include "test.h"

enum { ACTION = 1, OTHER_ACTION = 2 };

/* A store, and what is pending in it of two actions. */
typedef struct both {
    store *store;
    pending *pending;
    pending *other;
    buffer keys;
} both;

static void give_back_both(void *b)
{
    both *self = b;

    pending_close(self->pending);
    pending_close(self->other);
    buffer_free(&self->keys);
    free(self);
}

static both *new_both(void)
{
    both *self = calloc(1, sizeof(*self));

    REQUIRE(self != NULL);
    self->store = open_store(STORE_IN_MEMORY);
    self->pending = pending_open(self->store, ACTION);
    self->other = pending_open(self->store, OTHER_ACTION);
    REQUIRE(self->pending != NULL && self->other != NULL);
    test_at_end(give_back_both, self);
    return self;
}

/* With `upn` as its only key; it expires at 100. */
static pending_record record_of_upn(both *b, const char *name, const char *upn)
{
    buffer_clear(&b->keys);
    pending_add_key(&b->keys, PENDING_UPN, text_of(upn));
    return (pending_record){.row_id = text_of(name),
                            .received = 10,
                            .expires = 100,
                            .judged = 7,
                            .keys = buffer_text(&b->keys),
                            .record = text_of(test_string("{\"%s\":1}", name))};
}

static void put_in(both *b, pending *where, pending_record record)
{
    REQUIRE(store_begin(b->store));
    EXPECT(pending_put(where, &record));
    REQUIRE(store_commit(b->store));
}

static void put(both *b, const char *name, const char *upn)
{
    put_in(b, b->pending, record_of_upn(b, name, upn));
}

/* The names of the records with these ids: "one two ". */
static const char *names_of(pending *p, const pending_ids *found)
{
    const char *names = "";

    for (size_t i = 0; i < found->count; i++) {
        pending_record record;
        bool failed = false;

        REQUIRE(pending_read(p, found->ids[i], &record, &failed));
        EXPECT_NOT(failed);
        names = test_string("%s%.*s ", names, (int)record.row_id.length, record.row_id.bytes);
        pending_end_read(p);
    }
    return names;
}

static const char *found_in(pending *p, pending_key kind, const char *value)
{
    pending_ids found = {0};
    const char *names;

    EXPECT(pending_find(p, kind, text_of(value), &found));
    names = names_of(p, &found);
    pending_ids_free(&found);
    return names;
}

static const char *found(both *b, const char *upn)
{
    return found_in(b->pending, PENDING_UPN, upn);
}

static void test_a_record_is_found_by_each_of_its_keys(void)
{
    both *b = new_both();
    pending_record record = record_of_upn(b, "one", "a@x");

    pending_add_key(&b->keys, PENDING_UPN, text_of("b@x"));
    pending_add_key(&b->keys, PENDING_OBJECT_ID, text_of("id"));
    pending_add_key(&b->keys, PENDING_UPN, text_of("a@x"));
    record.keys = buffer_text(&b->keys);
    put_in(b, b->pending, record);
    EXPECT_STRING(found(b, "a@x"), "one ");
    EXPECT_STRING(found(b, "b@x"), "one ");
    EXPECT_STRING(found_in(b->pending, PENDING_OBJECT_ID, "id"), "one ");
    EXPECT_STRING(found(b, "id"), "");
    EXPECT_STRING(found_in(b->pending, PENDING_OBJECT_ID, "a@x"), "");
    EXPECT_STRING(found(b, ""), "");
}

/* The next record gets the id behind `id`. */
static void go_to_id(both *b, int64_t id)
{
    sqlite3 *c = store_connection(b->store);

    EXPECT_INT(sqlite3_exec(c,
                            test_string("UPDATE pending SET id = %lld WHERE id ="
                                        " (SELECT max(id) FROM pending);"
                                        "UPDATE pending_key SET pending = %lld WHERE pending ="
                                        " (SELECT max(pending) FROM pending_key)",
                                        (long long)id, (long long)id),
                            NULL, NULL, NULL),
               SQLITE_OK);
}

/* Keys lie in buckets of 65,536 ids. */
static void test_records_are_found_at_each_side_of_a_bucket_s_edge(void)
{
    static const int64_t edges[] = {65534, 131071, 65536LL * 1000 - 2, 1LL << 40};
    const char *expected = "first ";
    both *b = new_both();

    put(b, "first", "a@x");
    for (size_t i = 0; i < LENGTH_OF(edges); i++) {
        put(b, test_string("other%zu", i), "b@x");
        go_to_id(b, edges[i]);
        for (int n = 0; n < 3; n++) {
            const char *name = test_string("%zu.%d", i, n);

            put(b, name, "a@x");
            expected = test_string("%s%s ", expected, name);
        }
    }
    EXPECT_STRING(found(b, "a@x"), expected);
    EXPECT_STRING(found(b, "b@x"), "other0 other1 other2 other3 ");
    EXPECT_STRING(found(b, "c@x"), "");
}

static void test_a_key_is_found_in_any_case_and_with_any_bytes(void)
{
    both *b = new_both();

    put(b, "one", "\303\204nna@X");
    put(b, "two", "%_'\"");
    EXPECT_STRING(found(b, "\303\244NNA@x"), "one ");
    EXPECT_STRING(found(b, "%_'\""), "two ");
    EXPECT_STRING(found(b, "%"), "");
}

static void test_keys_that_are_cut_are_no_keys(void)
{
    both *b = new_both();
    pending_record record = record_of_upn(b, "one", "a@x");
    text whole = record.keys;

    for (size_t length = 0; length < whole.length; length++) {
        const char *name = test_string("cut at %zu", length);

        record.keys = tight((text){whole.bytes, length});
        record.row_id = text_of(name);
        put_in(b, b->pending, record);
    }
    EXPECT_STRING(found(b, "a@x"), "");
    EXPECT_INT(pending_count(b->pending), whole.length);
}

static void test_what_was_put_is_read(void)
{
    both *b = new_both();
    pending_ids ids = {0};
    pending_record record;
    bool failed = false;

    put(b, "one", "a@x");
    REQUIRE(pending_find(b->pending, PENDING_UPN, text_of("a@x"), &ids) && ids.count == 1);
    REQUIRE(pending_read(b->pending, ids.ids[0], &record, &failed));
    EXPECT_TEXT_IS(record.row_id, "one");
    EXPECT_INT(record.received, 10);
    EXPECT_INT(record.expires, 100);
    EXPECT_TEXT_IS(record.record, "{\"one\":1}");
    pending_end_read(b->pending);
    EXPECT_NOT(pending_read(b->pending, ids.ids[0] + 1, &record, &failed));
    EXPECT_NOT(failed);
    pending_ids_free(&ids);
}

static void test_a_record_may_hold_any_bytes(void)
{
    both *b = new_both();
    pending_record record = record_of_upn(b, "one", "a@x"), got;
    pending_ids ids = {0};
    bool failed = false;

    record.record = (text)TEXT("a\0b\377\n");
    put_in(b, b->pending, record);
    REQUIRE(pending_find(b->pending, PENDING_UPN, text_of("a@x"), &ids) && ids.count == 1);
    REQUIRE(pending_read(b->pending, ids.ids[0], &got, &failed));
    EXPECT_TEXT(got.record, ((text)TEXT("a\0b\377\n")));
    pending_end_read(b->pending);
    pending_ids_free(&ids);
}

static void test_one_of_a_name_stays_as_it_is(void)
{
    both *b = new_both();

    put(b, "one", "a@x");
    put(b, "one", "b@x");
    EXPECT_INT(pending_count(b->pending), 1);
    EXPECT_STRING(found(b, "a@x"), "one ");
    EXPECT_STRING(found(b, "b@x"), "");
}

static void test_actions_do_not_see_each_others(void)
{
    both *b = new_both();

    put(b, "one", "a@x");
    put_in(b, b->other, record_of_upn(b, "one", "a@x"));
    put_in(b, b->other, record_of_upn(b, "two", "a@x"));
    EXPECT_INT(pending_count(b->pending), 1);
    EXPECT_INT(pending_count(b->other), 2);
    EXPECT_STRING(found(b, "a@x"), "one ");
    EXPECT_STRING(found_in(b->other, PENDING_UPN, "a@x"), "one two ");
}

static void test_what_is_removed_takes_its_keys(void)
{
    both *b = new_both();
    pending_ids ids = {0};

    put(b, "one", "a@x");
    put(b, "two", "a@x");
    REQUIRE(pending_find(b->pending, PENDING_UPN, text_of("a@x"), &ids) && ids.count == 2);
    EXPECT(pending_remove(b->pending, ids.ids[0]));
    EXPECT_INT(pending_count(b->pending), 1);
    EXPECT_STRING(found(b, "a@x"), "two ");
    pending_ids_free(&ids);
}

static void test_a_transaction_that_was_dropped_does_not_count(void)
{
    both *b = new_both();
    pending_record record = record_of_upn(b, "two", "a@x");

    put(b, "one", "a@x");
    REQUIRE(store_begin(b->store) && pending_put(b->pending, &record));
    EXPECT_INT(pending_count(b->pending), 2);
    store_rollback(b->store);
    EXPECT(pending_recount(b->pending));
    EXPECT_INT(pending_count(b->pending), 1);
}

/* The least change by which one of the due was judged, of those that there are. */
static const char *due_of(both *b, int64_t judged, int64_t expected)
{
    pending_ids ids = {0};
    const char *names;

    EXPECT(pending_find_due(b->pending, &ids, &judged));
    EXPECT_INT(judged, expected);
    names = names_of(b->pending, &ids);
    pending_ids_free(&ids);
    return names;
}

static void put_due(both *b, const char *name, int64_t judged)
{
    pending_record record = record_of_upn(b, name, "a@x");

    record.is_due = true;
    record.judged = judged;
    put_in(b, b->pending, record);
}

static void test_those_that_are_due_tell_by_which_change_they_were_judged(void)
{
    both *b = new_both();

    put(b, "not due", "a@x");
    EXPECT_STRING(due_of(b, 9, 9), "");
    put_due(b, "never", PENDING_NEVER_JUDGED);
    EXPECT_STRING(due_of(b, 9, 9), "never ");
    put_due(b, "early", 3);
    put_due(b, "late", 8);
    EXPECT_STRING(due_of(b, 9, 3), "never early late ");
    EXPECT_STRING(due_of(b, 2, 2), "never early late ");
    EXPECT(pending_clear_due(b->pending));
    EXPECT_STRING(due_of(b, 9, 9), "");
    EXPECT_INT(pending_count(b->pending), 4);
}

static void test_what_has_expired_goes_and_that_of_others_too(void)
{
    both *b = new_both();
    int removed;

    put(b, "one", "a@x");
    put_in(b, b->other, record_of_upn(b, "two", "a@x"));
    EXPECT(pending_prune(b->pending, 99, &removed));
    EXPECT_INT(removed, 0);
    EXPECT(pending_prune(b->pending, 100, &removed));
    EXPECT_INT(removed, 2);
    EXPECT_INT(pending_count(b->pending), 0);
    EXPECT(pending_recount(b->other));
    EXPECT_INT(pending_count(b->other), 0);
}

static void test_much_that_has_expired_goes_by_and_by(void)
{
    both *b = new_both();
    int removed, all = 0;

    for (int i = 0; i < 1200; i++)
        put(b, test_string("%d", i), "a@x");
    do {
        EXPECT(pending_prune(b->pending, 100, &removed));
        EXPECT(removed <= 1000);
        all += removed;
    } while (removed > 0);
    EXPECT_INT(all, 1200);
}

static void test_over_a_bound_the_oldest_go(void)
{
    both *b = new_both();
    int64_t last = packed_length(text_of("{\"three\":1}"));
    int removed;

    put(b, "one", "a@x");
    put(b, "two", "a@x");
    put(b, "three", "a@x");
    EXPECT_NOT(pending_is_over(b->pending, 3, 1000));
    EXPECT(pending_is_over(b->pending, 2, 1000));
    EXPECT(pending_bound(b->pending, 2, 1000, &removed));
    EXPECT_INT(removed, 1);
    EXPECT_STRING(found(b, "a@x"), "two three ");
    EXPECT(pending_is_over(b->pending, 2, last));
    EXPECT(pending_bound(b->pending, 2, last, &removed));
    EXPECT_STRING(found(b, "a@x"), "three ");
    EXPECT(pending_bound(b->pending, 2, last, &removed));
    EXPECT_INT(removed, 0);
}

static sqlite3_stmt *prepared(both *b, const char *sql)
{
    sqlite3_stmt *s = store_prepare(b->store, sql);

    REQUIRE(s != NULL);
    return s;
}

/* Changes the database by one statement. */
static void run(both *b, const char *sql)
{
    sqlite3_stmt *s = prepared(b, sql);

    EXPECT_INT(sqlite3_step(s), SQLITE_DONE);
    sqlite3_finalize(s);
}

/* The record of the first row. */
static const char *first_record(both *b)
{
    pending_record record;
    bool failed = false;
    const char *copy;

    REQUIRE(pending_read(b->pending, 1, &record, &failed));
    EXPECT_NOT(failed);
    copy = test_string("%.*s", (int)record.record.length, record.record.bytes);
    pending_end_read(b->pending);
    return copy;
}

static void test_a_record_comes_back_as_it_was(void)
{
    both *b = new_both();

    put(b, "one", "a@x");
    EXPECT_STRING(first_record(b), "{\"one\":1}");
}

static void test_a_record_of_an_earlier_version_is_as_it_was_written(void)
{
    both *b = new_both();

    put(b, "one", "a@x");
    run(b, "UPDATE pending SET record = '{\"before\":1}'");
    EXPECT_STRING(first_record(b), "{\"before\":1}");
}

static void test_a_damaged_record_is_empty(void)
{
    both *b = new_both();

    put(b, "one", "a@x");
    run(b, "UPDATE pending SET record = x'09000000789c0102'");
    EXPECT_STRING(first_record(b), "");
}

static void test_a_usual_record_is_packed_into_a_third(void)
{
    both *b = new_both();
    pending_record record = record_of_upn(b, "one", "a@x");
    const char *usual = AUDIT_TEXT(SHAPE_DIAGNOSTIC, .upn = "someone@example.com");
    sqlite3_stmt *s;

    record.record = text_of(usual);
    put_in(b, b->pending, record);
    EXPECT_STRING(first_record(b), usual);
    s = prepared(b, "SELECT bytes FROM pending_total");
    REQUIRE(sqlite3_step(s) == SQLITE_ROW);
    EXPECT(sqlite3_column_int64(s, 0) < (int64_t)strlen(usual) / 3);
    sqlite3_finalize(s);
}

static void test_a_messages_name_is_told_from_a_records(void)
{
    static const struct {
        const char *name;
        bool is_message;
    } names[] = {
        {"message 1", true}, {"message ", false},  {"message", false},
        {"", false},         {"Message 1", false}, {"9b1a0008-1008-4108-9108-000000000001", false},
    };

    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        test_case("%s", names[i].name);
        EXPECT_INT(pending_is_message(&(pending_record){.row_id = tight_of(names[i].name)}),
                   names[i].is_message);
    }
}

static void test_what_the_database_refuses_is_told(void)
{
    both *b = new_both();
    pending_record record = record_of_upn(b, "one", "a@x");
    int removed;

    REQUIRE(sqlite3_exec(store_connection(b->store), "PRAGMA query_only = 1", NULL, NULL, NULL) ==
            SQLITE_OK);
    EXPECT_NOT(pending_put(b->pending, &record));
    EXPECT_NOT(pending_clear_due(b->pending));
    EXPECT_NOT(pending_remove(b->pending, 1));
    EXPECT_NOT(pending_prune(b->pending, 100, &removed));
}

CU_TestInfo pending_tests[] = {
    TEST(test_a_record_is_found_by_each_of_its_keys),
    TEST(test_records_are_found_at_each_side_of_a_bucket_s_edge),
    TEST(test_a_key_is_found_in_any_case_and_with_any_bytes),
    TEST(test_keys_that_are_cut_are_no_keys),
    TEST(test_what_was_put_is_read),
    TEST(test_a_record_may_hold_any_bytes),
    TEST(test_one_of_a_name_stays_as_it_is),
    TEST(test_actions_do_not_see_each_others),
    TEST(test_what_is_removed_takes_its_keys),
    TEST(test_a_transaction_that_was_dropped_does_not_count),
    TEST(test_those_that_are_due_tell_by_which_change_they_were_judged),
    TEST(test_what_has_expired_goes_and_that_of_others_too),
    TEST(test_much_that_has_expired_goes_by_and_by),
    TEST(test_over_a_bound_the_oldest_go),
    TEST(test_a_record_comes_back_as_it_was),
    TEST(test_a_record_of_an_earlier_version_is_as_it_was_written),
    TEST(test_a_damaged_record_is_empty),
    TEST(test_a_usual_record_is_packed_into_a_third),
    TEST(test_a_messages_name_is_told_from_a_records),
    TEST(test_what_the_database_refuses_is_told),
    TESTS_END,
};
