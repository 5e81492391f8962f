/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words: what the commands say to a person, on standard error.
 *
 * Words quote paths, names and arguments; whatever stands in those, the
 * terminal gets nothing that it would obey.
 */
#ifndef SYNCTAP_WORDS_H
#define SYNCTAP_WORDS_H

#include <stdio.h>

#include "base/text.h"

/* Says one line, "synctap: " and what printf would make of the rest. */
void words_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a text that is not ours, fit to be shown. */
void words_put(FILE *out, text t);

/* Is it a terminal, and does nobody ask for text without colours (NO_COLOR)? */
bool words_may_colour(FILE *out);

/* "s", unless there is one of it: for `%zu row%s`. */
static inline const char *words_s(size_t count)
{
    return count == 1 ? "" : "s";
}

/*
 * Ends a command: what was written to standard output is there, or it is said
 * on standard error that it is not. False when it is not.
 */
bool words_end_output(void);

#endif
