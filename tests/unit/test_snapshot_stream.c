/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots that come in messages: only one that is whole takes anything away. */
#include "state/snapshot_stream.h"

#include "fixtures.h"
#include "state/identity_import.h"
#include "suites.h"
#include "test.h"

#define NOON "2026-06-01T12:00:00Z"
#define LATER "2026-06-01T13:00:00Z"
#define BEGIN "{'synctap_snapshot':'begin','id':'s'}"
#define ROW(upn, roles)                                                                            \
    "{'TimeGenerated':'2026-06-01T11:00:00Z','AccountUPN':'" upn "','AccountObjectId':'id of " upn \
    "','AccountDisplayName':'','AssignedRoles':" roles "}"
#define SYNC "['Directory Synchronization Accounts']"
#define A ROW("a@x", SYNC)
#define B ROW("b@x", SYNC)
#define C ROW("c@x", SYNC)

/* What a module's worker holds. */
typedef struct worker {
    store *store;
    role_list *list;
    snapshot_stream *snapshot;
    identity_import *import;
    rule *rule;
    buffer words;
} worker;

static bool take_marker(void *arg, const snapshot_marker *marker)
{
    worker *w = arg;

    return snapshot_stream_mark(w->snapshot, marker, &w->words) != SNAPSHOT_FAILED;
}

static void open_worker(worker *w)
{
    char *error;

    *w = (worker){.store = store_open(test_path("state.db"), STORE_CREATE, &error)};
    REQUIRE(w->store != NULL);
    w->rule = rule_new();
    w->list = role_list_open(w->store);
    w->snapshot = snapshot_stream_open(w->store, w->list, w->rule);
    REQUIRE(w->snapshot != NULL);
    w->import = identity_import_new();
    identity_import_set_marker_taker(w->import, take_marker, w);
}

static void close_worker(worker *w)
{
    snapshot_stream_close(w->snapshot);
    role_list_close(w->list);
    store_close(w->store);
    identity_import_free(w->import);
    rule_free(w->rule);
    buffer_free(&w->words);
}

/* One message is one transaction, in which another that is dropped came before. */
static void feed(worker *w, const char *message, const char *now)
{
    for (int round = 0; round < 2; round++) {
        buffer_clear(&w->words);
        REQUIRE(role_list_begin(w->list) && snapshot_stream_resume(w->snapshot, time_of(now)));
        EXPECT_NOT(
            identity_import_feed(w->import, w->list, NULL, text_of(quoted(message)), time_of(now))
                .failed);
        if (round == 0)
            role_list_rollback(w->list);
    }
    EXPECT(role_list_commit(w->list));
}

static void note(void *arg, const identity_record *row)
{
    if (row->assigned_roles.length <= 2)
        return;
    buffer_append(arg, row->account_upn);
    buffer_append_char(arg, ' ');
}

/* Who has roles: "a@x b@x ". */
static const char *holders(worker *w)
{
    buffer out = {0};
    const char *copy;

    EXPECT(role_list_each(w->list, note, &out));
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

static const char *end_of(size_t rows)
{
    return test_string("{'synctap_snapshot':'end','id':'s','rows':%zu}", rows);
}

/* Three sync accounts, as of noon. */
static void begin_with_three(worker *w)
{
    open_worker(w);
    feed(w, A B C, NOON);
}

static void test_who_is_not_named_has_lost_his_roles(void)
{
    worker w;

    begin_with_three(&w);
    feed(&w, BEGIN, LATER);
    feed(&w, A, LATER);
    feed(&w, B, LATER);
    EXPECT_STRING(holders(&w), "a@x b@x c@x ");
    feed(&w, end_of(2), LATER);
    EXPECT_STRING(holders(&w), "a@x b@x ");
    EXPECT_STRING(buffer_string(&w.words), "1 account is no longer a sync account: c@x; 3 -> 2");
    close_worker(&w);
}

static void test_a_snapshot_in_one_message(void)
{
    worker w;

    begin_with_three(&w);
    feed(&w, test_string("%s%s", BEGIN A B, end_of(2)), LATER);
    EXPECT_STRING(holders(&w), "a@x b@x ");
    close_worker(&w);
}

static void test_it_goes_on_after_a_restart_at_any_place(void)
{
    const char *const messages[] = {BEGIN, A, B, end_of(2)};

    for (size_t restart = 0; restart <= LENGTH_OF(messages); restart++) {
        worker w;

        remove(test_path("state.db"));
        begin_with_three(&w);
        for (size_t i = 0; i < LENGTH_OF(messages); i++) {
            if (i == restart) {
                close_worker(&w);
                open_worker(&w);
            }
            feed(&w, messages[i], LATER);
        }
        EXPECT_STRING(holders(&w), "a@x b@x ");
        close_worker(&w);
    }
}

/* Without any one of its messages, and with any one twice, nobody loses anything. */
static void test_a_message_that_is_missing_or_comes_twice_takes_nothing(void)
{
    const char *const messages[] = {BEGIN, A, B, end_of(2)};

    for (size_t bad = 0; bad < LENGTH_OF(messages); bad++) {
        for (size_t times = 0; times <= 2; times += 2) {
            worker w;

            if (times == 2 && bad != 1 && bad != 2)
                continue; /* a marker may come twice */
            remove(test_path("state.db"));
            begin_with_three(&w);
            for (size_t i = 0; i < LENGTH_OF(messages); i++)
                for (size_t n = 0; n < (i == bad ? times : 1); n++)
                    feed(&w, messages[i], LATER);
            EXPECT_STRING(holders(&w), "a@x b@x c@x ");
            close_worker(&w);
        }
    }
}

static void test_an_end_of_another_snapshot_ends_nothing(void)
{
    worker w;

    begin_with_three(&w);
    feed(&w, BEGIN A B, LATER);
    feed(&w, "{'synctap_snapshot':'end','id':'other','rows':2}", LATER);
    EXPECT_STRING(holders(&w), "a@x b@x c@x ");
    EXPECT(strstr(buffer_string(&w.words), "it was not begun") != NULL);
    feed(&w, end_of(2), LATER);
    EXPECT_STRING(holders(&w), "a@x b@x ");
    close_worker(&w);
}

static void test_an_end_that_says_no_number_takes_nothing(void)
{
    static const char *const ends[] = {"",
                                       ",'rows':null",
                                       ",'rows':-2",
                                       ",'rows':'two'",
                                       ",'rows':2.5",
                                       ",'rows':99999999999999999999"};

    for (size_t i = 0; i < LENGTH_OF(ends); i++) {
        worker w;

        remove(test_path("state.db"));
        begin_with_three(&w);
        feed(&w, BEGIN A B, LATER);
        feed(&w, test_string("{'synctap_snapshot':'end','id':'s'%s}", ends[i]), LATER);
        EXPECT_STRING(holders(&w), "a@x b@x c@x ");
        close_worker(&w);
    }
}

static void test_one_that_takes_most_is_refused_unless_forced(void)
{
    worker w;

    begin_with_three(&w);
    feed(&w, test_string("%s%s", BEGIN A, end_of(1)), LATER);
    EXPECT_STRING(holders(&w), "a@x b@x c@x ");
    EXPECT(strstr(buffer_string(&w.words), "b@x, c@x; 3 -> 1") != NULL);
    feed(&w, BEGIN "{'synctap_snapshot':'end','id':'s','rows':0}", LATER);
    EXPECT_STRING(holders(&w), "a@x b@x c@x ");
    feed(&w, BEGIN A "{'synctap_snapshot':'end','id':'s','rows':1,'force':true}", LATER);
    EXPECT_STRING(holders(&w), "a@x ");
    close_worker(&w);
}

static void test_one_that_was_begun_long_ago_is_forgotten(void)
{
    worker w;

    begin_with_three(&w);
    feed(&w, BEGIN A B, LATER);
    feed(&w, end_of(2), "2026-06-02T13:00:01Z");
    EXPECT_STRING(holders(&w), "a@x b@x c@x ");
    close_worker(&w);
}

static void test_rows_behind_the_end_are_rows(void)
{
    worker w;

    begin_with_three(&w);
    feed(&w, test_string("%s%s%s", BEGIN A B, end_of(2), ROW("d@x", SYNC)), LATER);
    EXPECT_STRING(holders(&w), "a@x b@x d@x ");
    close_worker(&w);
}

static void test_it_wins_over_a_row_that_is_newer_than_its_own(void)
{
    worker w;

    open_worker(&w);
    feed(&w, "{'TimeGenerated':'2026-06-01T12:00:00Z','AccountUPN':'a@x','AssignedRoles':[]}" B,
         NOON);
    feed(&w, test_string("%s%s", BEGIN A B, end_of(2)), LATER);
    EXPECT_STRING(holders(&w), "a@x b@x ");
    close_worker(&w);
}

CU_TestInfo snapshot_stream_tests[] = {
    TEST(test_who_is_not_named_has_lost_his_roles),
    TEST(test_a_snapshot_in_one_message),
    TEST(test_it_goes_on_after_a_restart_at_any_place),
    TEST(test_a_message_that_is_missing_or_comes_twice_takes_nothing),
    TEST(test_an_end_of_another_snapshot_ends_nothing),
    TEST(test_an_end_that_says_no_number_takes_nothing),
    TEST(test_one_that_takes_most_is_refused_unless_forced),
    TEST(test_one_that_was_begun_long_ago_is_forgotten),
    TEST(test_rows_behind_the_end_are_rows),
    TEST(test_it_wins_over_a_row_that_is_newer_than_its_own),
    TESTS_END,
};
