/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sweep: runs of the rooms in which one allocation after the other fails.
 *
 * A run is made again and again; in the nth of them the nth allocation fails.
 * It must give back all that it took, and never take the failure for a
 * result: what came is either what always comes, or says that memory is out.
 */
#ifndef SYNCTAP_TESTS_SWEEP_SWEEP_H
#define SYNCTAP_TESTS_SWEEP_SWEEP_H

#include <stdbool.h>

#include "base/text.h"
#include "base/timestamp.h"

/* How a run went. */
typedef enum outcome { AS_ALWAYS, OUT_OF_MEMORY, WRONG } outcome;

typedef struct sweep_run {
    const char *name;
    outcome (*run)(void);
} sweep_run;

#define RUNS_END                                                                                   \
    {                                                                                              \
        NULL, NULL                                                                                 \
    }

/* The tables of runs, one for each file of them. */
extern const sweep_run memory_runs[];
extern const sweep_run text_runs[];
extern const sweep_run record_runs[];
extern const sweep_run store_runs[];
extern const sweep_run detector_runs[];
extern const sweep_run incident_runs[];

/* Inside of a run: between these two allocations fail; what is around them prepares and looks. */
void sweep_begin(void);
void sweep_end(void);

/* Is the result of this run that of the first one, in which nothing fails? */
outcome sweep_compare(text result);

/* WRONG unless the condition holds; says what did not. */
#define SWEEP_EXPECT(condition) sweep_expect((condition), #condition)
outcome sweep_expect(bool holds, const char *condition);

/* Ends the program: a run could not be prepared. */
#define SWEEP_REQUIRE(condition) sweep_require((condition), #condition)
void sweep_require(bool holds, const char *condition);

/* The ticks of 2026-06-01T13:00:00Z, when all messages are received. */
timestamp sweep_now(void);

#endif
