/* SPDX-License-Identifier: Apache-2.0 */
/* Which alerts were handed on: claimed, kept, given up, expired. */
#include "state/seen.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "suites.h"
#include "test.h"

#define ID "9b1a0008-1008-4108-9108-000000000001"
#define OTHER_ID "9b1a0008-1008-4108-9108-000000000002"

static void free_seen(void *self)
{
    seen_free(self);
}

static seen *new_seen(void)
{
    seen *self = seen_new();

    REQUIRE(self != NULL);
    test_at_end(free_seen, self);
    return self;
}

static void test_an_id_is_new_once(void)
{
    seen *self = new_seen();

    EXPECT_INT(seen_claim_id(self, ID, 10), SEEN_NEW);
    seen_keep(self, ID, 100);
    EXPECT_INT(seen_claim_id(self, ID, 11), SEEN_BEFORE);
    EXPECT_INT(seen_claim_id(self, OTHER_ID, 11), SEEN_NEW);
    seen_give_up(self, OTHER_ID);
}

static void test_an_id_that_was_given_up_is_new_again(void)
{
    seen *self = new_seen();

    EXPECT_INT(seen_claim_id(self, ID, 10), SEEN_NEW);
    seen_give_up(self, ID);
    EXPECT_INT(seen_claim_id(self, ID, 10), SEEN_NEW);
    seen_give_up(self, ID);
}

static void test_an_id_expires_at_its_time(void)
{
    seen *self = new_seen();

    REQUIRE(seen_put(self, ID, 100));
    EXPECT_INT(seen_claim_id(self, ID, 99), SEEN_BEFORE);
    EXPECT_INT(seen_claim_id(self, ID, 100), SEEN_NEW);
    seen_give_up(self, ID);
}

static void test_what_has_expired_is_forgotten(void)
{
    seen *self = new_seen();

    REQUIRE(seen_put(self, ID, 100));
    REQUIRE(seen_put(self, OTHER_ID, 200));
    seen_expire(self, 150);
    EXPECT_INT(seen_claim_id(self, ID, 50), SEEN_NEW);
    seen_give_up(self, ID);
    EXPECT_INT(seen_claim_id(self, OTHER_ID, 150), SEEN_BEFORE);
}

static void test_many_ids_are_all_known(void)
{
    enum { MANY = 5000 };
    seen *self = new_seen();
    size_t known = 0;

    for (int i = 0; i < MANY; i++)
        REQUIRE(seen_put(self, test_string("%08x-1008-4108-9108-%012x", i, i), 100));
    for (int i = 0; i < MANY; i++)
        known +=
            seen_claim_id(self, test_string("%08x-1008-4108-9108-%012x", i, i), 1) == SEEN_BEFORE;
    EXPECT_INT(known, MANY);
}

typedef struct claimant {
    seen *seen;
    bool keeps;
    seen_claim got;
} claimant;

static void *claim(void *arg)
{
    claimant *c = arg;

    c->got = seen_claim_id(c->seen, ID, 10);
    if (c->got == SEEN_NEW && c->keeps)
        seen_keep(c->seen, ID, 100);
    else if (c->got == SEEN_NEW)
        seen_give_up(c->seen, ID);
    return NULL;
}

/* What a second thread gets that claims the id while the first has it. */
static seen_claim second_claim(bool first_keeps)
{
    claimant second = {.seen = new_seen(), .keeps = true};
    pthread_t thread;

    REQUIRE(seen_claim_id(second.seen, ID, 10) == SEEN_NEW);
    REQUIRE(pthread_create(&thread, NULL, claim, &second) == 0);
    if (first_keeps)
        seen_keep(second.seen, ID, 100);
    else
        seen_give_up(second.seen, ID);
    pthread_join(thread, NULL);
    return second.got;
}

static void test_a_second_thread_waits_until_the_first_has_kept_or_given_up(void)
{
    EXPECT_INT(second_claim(true), SEEN_BEFORE);
    EXPECT_INT(second_claim(false), SEEN_NEW);
}

static void test_one_of_several_threads_gets_an_id(void)
{
    enum { THREADS = 8 };
    claimant claimants[THREADS];
    pthread_t threads[THREADS];
    seen *self = new_seen();
    int fresh = 0;

    for (int i = 0; i < THREADS; i++) {
        claimants[i] = (claimant){.seen = self, .keeps = true};
        REQUIRE(pthread_create(&threads[i], NULL, claim, &claimants[i]) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        fresh += claimants[i].got == SEEN_NEW;
    }
    EXPECT_INT(fresh, 1);
}

CU_TestInfo seen_tests[] = {
    TEST(test_an_id_is_new_once),
    TEST(test_an_id_that_was_given_up_is_new_again),
    TEST(test_an_id_expires_at_its_time),
    TEST(test_what_has_expired_is_forgotten),
    TEST(test_many_ids_are_all_known),
    TEST(test_a_second_thread_waits_until_the_first_has_kept_or_given_up),
    TEST(test_one_of_several_threads_gets_an_id),
    TESTS_END,
};
