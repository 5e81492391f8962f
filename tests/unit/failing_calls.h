/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing_calls: the system calls of the journal, one of which fails.
 *
 * The unit tests are linked with --wrap for each of them: what the plugin's
 * rooms call comes here first. For the thread that runs the tests.
 */
#ifndef SYNCTAP_TESTS_UNIT_FAILING_CALLS_H
#define SYNCTAP_TESTS_UNIT_FAILING_CALLS_H

#include <stdbool.h>

typedef enum failing_call {
    FAILING_OPEN,
    FAILING_WRITE,
    FAILING_WRITE_HALF, /* half of the bytes are written, as on a full disk */
    FAILING_TRUNCATE,
    FAILING_UNLINK,
    FAILING_LOCK,
    FAILING_CALLS
} failing_call;

/* From now on the n-th of these calls fails, from 1, and with is_lasting all after it, too. */
void fail_call(failing_call which, unsigned n, bool is_lasting);

/* No call fails any more. */
void fail_no_call(void);

#endif
