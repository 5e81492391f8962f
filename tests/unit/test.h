/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test: assertions over CUnit that say what was expected and what came, and
 * things that go away by themselves when a test ends.
 *
 * All of it belongs to the thread that runs the tests.
 */
#ifndef SYNCTAP_TESTS_UNIT_TEST_H
#define SYNCTAP_TESTS_UNIT_TEST_H

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/timestamp.h"

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

/* A row of a suite's table of tests, and the table's last one. */
#define TEST(function)                                                                             \
    {                                                                                              \
#function, function                                                                        \
    }
#define TESTS_END                                                                                  \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

/* --- assertions: a failed one is noted and the test goes on, but for REQUIRE --- */

#define EXPECT(condition) test_expect_true((condition), #condition, __FILE__, __LINE__, false)
#define EXPECT_NOT(condition)                                                                      \
    test_expect_true(!(condition), "not " #condition, __FILE__, __LINE__, false)
#define REQUIRE(condition) test_expect_true((condition), #condition, __FILE__, __LINE__, true)

#define EXPECT_TEXT(got, expected) test_expect_text((got), (expected), #got, __FILE__, __LINE__)
#define EXPECT_STRING(got, expected)                                                               \
    test_expect_text(text_of(got), text_of(expected), #got, __FILE__, __LINE__)
#define EXPECT_TEXT_IS(got, expected)                                                              \
    test_expect_text((got), text_of(expected), #got, __FILE__, __LINE__)

/* Of any integer type; of timestamps and timespans. */
#define EXPECT_INT(got, expected)                                                                  \
    test_expect_int((int64_t)(got), (int64_t)(expected), #got, __FILE__, __LINE__)
#define EXPECT_TIME(got, expected) test_expect_time((got), (expected), #got, __FILE__, __LINE__)

void test_expect_true(bool holds, const char *condition, const char *file, unsigned line,
                      bool fatal);
void test_expect_text(text got, text expected, const char *what, const char *file, unsigned line);
void test_expect_int(int64_t got, int64_t expected, const char *what, const char *file,
                     unsigned line);
void test_expect_time(timestamp got, timestamp expected, const char *what, const char *file,
                      unsigned line);

/* Stands in front of the failures that follow in this test: the row of a table that is at work. */
void test_case(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- what lives until the test ends --- */

/* Hands the thing to give_back when the test ends, the last one first. */
void test_at_end(void (*give_back)(void *), void *thing);

/* For main: the test has ended. */
void test_clean_up(void);

arena *test_arena(void);

/* The text in quotes, so that it can be printed. */
const char *test_show(text t);

/* A string like printf's. */
const char *test_string(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The string with a `"` for each `'`: JSON that can be read in C. */
const char *quoted(const char *string);

/* The text as a JSON string, with its quotes. */
const char *json_string_of(const char *t);

/* The tree of this JSON text, written with ' for "; it must be good. */
json *json_of(const char *written);

/* A copy in memory of exactly its size, so that a sanitizer sees a read behind it. */
text tight(text t);
text tight_of(const char *string);

/* A copy that ends where memory ends: a read behind it is a crash in any build. */
text guarded_of(const char *string);

/* Does a process of its own get to the end of this? For what would take the other tests along. */
bool test_survives(void (*step)(void *), void *arg);

/* A directory of the test's own, and the path of a file in it. */
const char *test_directory(void);
const char *test_path(const char *name);

/* Writes a file into the test's directory; its path. */
const char *test_file(const char *name, const char *content);

/* --- random, and the same in each run --- */

typedef struct random_source {
    uint64_t state;
} random_source;

random_source random_new(uint64_t seed);
size_t random_below(random_source *self, size_t bound);

/* --- time --- */

/* The ticks of this time, which must be a good one. */
timestamp time_of(const char *written);

#endif
