/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option_table: every option, and what takes its value. For options.c alone.
 */
#ifndef SYNCTAP_OPTION_TABLE_H
#define SYNCTAP_OPTION_TABLE_H

#include "cli/options.h"

/* The strings that were given for each of the rule's lists. */
typedef struct given_lists {
    text *strings[RULE_LISTS];
    size_t counts[RULE_LISTS];
} given_lists;

/* A command line under reading: what is put into the rule only when all of it is known. */
typedef struct option_reading {
    options *options;
    unsigned groups; /* of the command */
    const char *rule_file;
    bool has_incidents; /* --incident-.. were given: they count, whatever a rule file says */
    timespan spans[2];  /* --lookback, --identity-window, .. */
    bool has_span[2];   /* .. where they were given */
    given_lists lists;
    char right[128]; /* what a taker said would be right */
} option_reading;

/* Takes an option's value; on a wrong one, says what would be right, else NULL. */
typedef const char *option_taker(option_reading *r, const char *value, int which);

typedef struct option_row {
    const char *name;
    option_taker *take;
    int which;
    unsigned groups;
    bool is_switch;
} option_row;

enum { OPTION_MOST_ROWS = 64 };

/* In the order in which they are listed. */
extern const option_row option_rows[];
extern const int option_row_count; /* no more than OPTION_MOST_ROWS */

/* Prints what a shell may offer for an option's value, to a command of these groups: words; FILE
 * for any file; nothing for what is the user's own. */
void option_print_choices(const option_row *row, unsigned groups);

/* The name of the option that gives a list of the rule's. */
const char *option_name_of_list(rule_list list);

#endif
