/* What an action says of itself, and what is read of all of them. */
#include "state/heartbeat.h"

#include <stdio.h>
#include <stdlib.h>

#include "fixtures.h"
#include "state/action_row.h"
#include "state/role_feed.h"
#include "state/statement.h"
#include "suites.h"
#include "test.h"

static int64_t action_of(store *s, const char *name)
{
    action_row row;

    REQUIRE(action_row_find(s, name, &row));
    return row.id;
}

static void write_state(void *arg, const action_state *state)
{
    char *all = arg;
    char one[256];

    if (state->has_beat)
        snprintf(one, sizeof(one), "%s at %d since %d until %d: %d %d %d %d %s %s; ", state->name,
                 (int)state->written, (int)state->beat.started, (int)state->beat.stopped,
                 (int)state->beat.last_message, (int)state->beat.last_candidate,
                 (int)state->beat.process, (int)state->beat.longest_message, state->beat.version,
                 state->beat.built_for);
    else
        snprintf(one, sizeof(one), "%s never; ", state->name);
    strcat(all, one);
}

static const char *told_of(store *s, action_state_sink *write)
{
    char all[1024] = "";

    EXPECT(action_states_each(s, 100, write, all));
    return test_string("%s", all);
}

static const char *states_of(store *s)
{
    return told_of(s, write_state);
}

static heartbeat beat_of_test(void)
{
    return (heartbeat){.started = 1,
                       .process = 7,
                       .longest_message = 8096,
                       .version = "0.1",
                       .built_for = "8.2302.0"};
}

static void test_what_was_said_last_is_read(void)
{
    store *s = open_store(test_path("state.db"));
    heartbeat beat = beat_of_test();
    int64_t action = action_of(s, "tap");

    EXPECT(heartbeat_write(s, action, &beat, 2));
    beat.last_message = 3;
    beat.last_candidate = 2;
    EXPECT(heartbeat_write(s, action, &beat, 4));
    EXPECT_STRING(states_of(s), "tap at 4 since 1 until 0: 3 2 7 8096 0.1 8.2302.0; ");
    beat.stopped = 5;
    EXPECT(heartbeat_write(s, action, &beat, 5));
    EXPECT_STRING(states_of(s), "tap at 5 since 1 until 5: 3 2 7 8096 0.1 8.2302.0; ");
}

static void test_an_action_that_never_said_anything_is_there_too(void)
{
    store *s = open_store(test_path("state.db"));
    heartbeat beat = beat_of_test();

    action_of(s, "old");
    EXPECT(heartbeat_write(s, action_of(s, "new"), &beat, 2));
    EXPECT_STRING(states_of(s), "new at 2 since 1 until 0: 0 0 7 8096 0.1 8.2302.0; old never; ");
}

static void write_troubles(void *arg, const action_state *state)
{
    char one[64];

    for (size_t i = 0; i < TROUBLES; i++) {
        const trouble_count *t = &state->beat.troubles[i];

        if (t->count == 0)
            continue;
        snprintf(one, sizeof(one), "%s: %s %d at %d; ", state->name, trouble_name((trouble_kind)i),
                 (int)t->count, (int)t->newest);
        strcat(arg, one);
    }
}

static const char *troubles_of(store *s)
{
    return told_of(s, write_troubles);
}

static void test_troubles_are_each_actions_own(void)
{
    store *s = open_store(test_path("state.db"));
    heartbeat beat = beat_of_test();

    beat.troubles[TROUBLE_STALE] = (trouble_count){.count = 3, .newest = 2};
    EXPECT(heartbeat_write(s, action_of(s, "one"), &beat, 2));
    beat.troubles[TROUBLE_STALE] = (trouble_count){0};
    beat.troubles[TROUBLE_HELD_BACK] = (trouble_count){.count = 1, .newest = 4};
    EXPECT(heartbeat_write(s, action_of(s, "two"), &beat, 4));
    EXPECT_STRING(troubles_of(s), "one: stale 3 at 2; two: held_back 1 at 4; ");
}

static void test_a_start_leaves_the_troubles_of_before(void)
{
    store *s = open_store(test_path("state.db"));
    heartbeat beat = beat_of_test();

    beat.troubles[TROUBLE_STALE] = (trouble_count){.count = 3, .newest = 2};
    EXPECT(heartbeat_write(s, action_of(s, "tap"), &beat, 2));
    beat = beat_of_test();
    EXPECT(heartbeat_write(s, action_of(s, "tap"), &beat, 5));
    EXPECT_STRING(troubles_of(s), "tap: stale 3 at 2; ");
    beat.troubles[TROUBLE_STALE] = (trouble_count){.count = 1, .newest = 6};
    EXPECT(heartbeat_write(s, action_of(s, "tap"), &beat, 6));
    EXPECT_STRING(troubles_of(s), "tap: stale 1 at 6; ");
}

static void run_sql(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);

    REQUIRE(statement != NULL);
    EXPECT(statement_run(statement));
    sqlite3_finalize(statement);
}

static void copy_counts(void *arg, const action_state *state)
{
    sprintf(arg, "%d %d %d %d %d", (int)state->pending, (int)state->pending_bytes, (int)state->seen,
            (int)state->incidents, (int)state->open_incidents);
}

static void test_what_an_action_remembers_is_counted(void)
{
    store *s = open_store(test_path("state.db"));
    char counts[80] = "";

    action_of(s, "tap");
    run_sql(s, "INSERT INTO pending (action, row_id, received, expires, record)"
               " VALUES (1, 'a', 1, 2, '{}'), (1, 'b', 1, 2, '{   }')");
    run_sql(s, "INSERT INTO seen VALUES (1, 'a', 9)");
    run_sql(
        s,
        "INSERT INTO incident (action, incident_id, key, opened, window, last_alert,"
        " alert_count, first_alert, closed) VALUES (1, 'open', '', 60, 50, 60, 1, 'a', NULL),"
        " (1, 'expired', '', 40, 50, 60, 1, 'a', NULL), (1, 'closed', '', 60, 50, 60, 1, 'a', 70)");
    EXPECT(action_states_each(s, 100, copy_counts, counts));
    EXPECT_STRING(counts, "2 7 1 3 1");
}

static void write_feed(void *arg, const role_feed *feed)
{
    char one[128];

    snprintf(one, sizeof(one), "%s took %d, rejected %d of %d: %s; ", feed->name, (int)feed->taken,
             (int)feed->rejections, (int)feed->rejected, feed->reason);
    strcat(arg, one);
}

static const char *feeds_of(store *s)
{
    char all[512] = "";

    EXPECT(role_feeds_each(s, write_feed, all));
    return test_string("%s", all);
}

/* A batch of messages, one after the other: a letter each, r for one that is rejected. */
static void take_batch(store *s, const char *name, const char *messages, timestamp now)
{
    role_feed batch = {.name = name, .reason = ""};

    for (; *messages != '\0'; messages++)
        role_feed_note(&batch, now, *messages == 'r' ? "no list" : NULL);
    EXPECT(role_feed_write(s, &batch));
}

static void test_a_feed_counts_what_was_rejected_since_a_message_was_taken(void)
{
    store *s = open_store(test_path("state.db"));

    EXPECT_STRING(feeds_of(s), "");
    take_batch(s, "roles", "rr", 2);
    EXPECT_STRING(feeds_of(s), "roles took 0, rejected 2 of 2: no list; ");
    take_batch(s, "roles", "r", 3);
    EXPECT_STRING(feeds_of(s), "roles took 0, rejected 3 of 3: no list; ");
    take_batch(s, "roles", "rtr", 4);
    EXPECT_STRING(feeds_of(s), "roles took 4, rejected 1 of 4: no list; ");
    take_batch(s, "roles", "rt", 5);
    EXPECT_STRING(feeds_of(s), "roles took 5, rejected 0 of 5: no list; ");
    take_batch(s, "again", "t", 6);
    EXPECT_STRING(feeds_of(s), "again took 6, rejected 0 of 0: ; "
                               "roles took 5, rejected 0 of 5: no list; ");
}

static void test_a_feed_is_forgotten_by_its_name(void)
{
    store *s = open_store(test_path("state.db"));
    bool found;

    take_batch(s, "roles", "t", 2);
    EXPECT(role_feed_drop(s, "others", &found));
    EXPECT_NOT(found);
    EXPECT(role_feed_drop(s, "roles", &found));
    EXPECT(found);
    EXPECT_STRING(feeds_of(s), "");
}

CU_TestInfo heartbeat_tests[] = {
    TEST(test_what_was_said_last_is_read),
    TEST(test_an_action_that_never_said_anything_is_there_too),
    TEST(test_troubles_are_each_actions_own),
    TEST(test_a_start_leaves_the_troubles_of_before),
    TEST(test_what_an_action_remembers_is_counted),
    TEST(test_a_feed_counts_what_was_rejected_since_a_message_was_taken),
    TEST(test_a_feed_is_forgotten_by_its_name),
    TESTS_END,
};
