/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the sweep over all rooms, or over the runs named on the command line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "failing_malloc.h"
#include "sweep.h"

static const sweep_run *const tables[] = {memory_runs, text_runs,     record_runs,
                                          store_runs,  detector_runs, incident_runs};

/* Of the run at work. */
static long nth;
static bool lasts;
static bool failed;
static const char *broken_expectation;
static buffer first_result; /* of the run in which nothing fails */

void sweep_begin(void)
{
    failing_malloc_begin(nth, lasts);
}

void sweep_end(void)
{
    failed = failing_malloc_end();
}

outcome sweep_expect(bool holds, const char *condition)
{
    if (holds)
        return AS_ALWAYS;
    broken_expectation = condition;
    return WRONG;
}

outcome sweep_compare(text result)
{
    if (nth == 0)
        buffer_append(&first_result, result);
    return sweep_expect(text_equal(result, buffer_text(&first_result)), "the result of a full run");
}

void sweep_require(bool holds, const char *condition)
{
    if (holds)
        return;
    failing_malloc_end();
    fprintf(stderr, "cannot be prepared: %s\n", condition);
    abort();
}

timestamp sweep_now(void)
{
    timestamp now;

    SWEEP_REQUIRE(timestamp_parse((text)TEXT("2026-06-01T13:00:00Z"), &now));
    return now;
}

/* One run; what is wrong with it, or NULL. */
static const char *trouble_of(const sweep_run *r)
{
    long before = failing_malloc_live(), after;
    outcome came;

    broken_expectation = NULL;
    came = r->run();
    after = failing_malloc_live();
    if (came == WRONG)
        return broken_expectation ? broken_expectation : "a wrong result";
    if (came == OUT_OF_MEMORY && !failed)
        return "out of memory, but no allocation failed";
    return after != before ? "not all memory was given back" : NULL;
}

/*
 * Which allocation fails next. A run of the whole store has thousands, alike in their loops: beyond
 * the first ones every 11th does, unless SYNCTAP_SWEEP is set.
 */
static long next_point(long point)
{
    enum { EACH_OF_THEM = 2000, STRIDE = 11 };

    return point + (point < EACH_OF_THEM || getenv("SYNCTAP_SWEEP") != NULL ? 1 : STRIDE);
}

/* False when one of the runs went wrong; *points grows by how many allocations failed in turn. */
static bool sweep(const sweep_run *r, bool from_then_on, long *points)
{
    lasts = from_then_on;
    nth = 0; /* in the first run nothing fails; libraries make what they make once */
    buffer_free(&first_result);
    SWEEP_REQUIRE(r->run() == AS_ALWAYS);
    do {
        const char *trouble;

        nth = next_point(nth);
        *points += 1;
        trouble = trouble_of(r);
        if (trouble != NULL) {
            printf("FAILED: %s: allocation %ld%s: %s\n", r->name, nth,
                   lasts ? " and all after it" : "", trouble);
            return false;
        }
    } while (failed);
    *points -= 1; /* in the last one nothing failed */
    return true;
}

static bool is_wanted(const sweep_run *r, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(r->name, argv[i]) == 0)
            return true;
    return argc == 1;
}

int main(int argc, char **argv)
{
    unsigned passed = 0, broken = 0;

    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
        for (const sweep_run *r = tables[t]; r->name != NULL; r++) {
            long points = 0;

            if (!is_wanted(r, argc, argv))
                continue;
            if (sweep(r, false, &points) && sweep(r, true, &points)) {
                printf("%s: %ld failures\n", r->name, points);
                passed++;
            } else {
                broken++;
            }
            fflush(stdout);
        }
    }
    buffer_free(&first_result);
    printf("%u passed, %u failed\n", passed, broken);
    return broken == 0 && passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
