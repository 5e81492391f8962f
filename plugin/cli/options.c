/* SPDX-License-Identifier: Apache-2.0 */
/* options: getopt_long over the table, and the rule as it comes of it. */
#include "cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/option_table.h"
#include "cli/words.h"

/* Where Debian's rsyslogd works, and so where the modules keep their database by default. */
static const char DEFAULT_DATABASE[] = "/var/spool/rsyslog/synctap.db";
static const char DEFAULT_RULEBASE[] = SYNCTAP_RULEBASE_DIR "/entra-audit.rulebase";

static const char OUT_OF_MEMORY[] = "there is no memory for it";

/* What was made of a command line. */
typedef enum options_status {
    OPTIONS_READ,
    OPTIONS_HELP,  /* --help was among them */
    OPTIONS_LIST,  /* --list-options was: for the completion of shells */
    OPTIONS_WRONG, /* said on standard error already */
} options_status;

/* A line for each option: --switch, or --option= and what its value may be. */
static void print_options(unsigned groups)
{
    for (int i = 0; i < option_row_count; i++) {
        if ((option_rows[i].groups & groups) == 0)
            continue;
        printf("--%s%s", option_rows[i].name, option_rows[i].is_switch ? "" : "=");
        option_print_choices(&option_rows[i], groups);
        putchar('\n');
    }
    puts("--help");
}

enum { HELP = OPTION_MOST_ROWS, LIST };

static void list_long_options(struct option *result, unsigned groups)
{
    for (int i = 0; i < option_row_count; i++)
        if (option_rows[i].groups & groups)
            *result++ = (struct option){option_rows[i].name,
                                        option_rows[i].is_switch ? no_argument : required_argument,
                                        NULL, i};
    *result++ = (struct option){"help", no_argument, NULL, HELP};
    *result++ = (struct option){"list-options", no_argument, NULL, LIST};
    *result = (struct option){0};
}

/* As the words begin with "synctap: ", the command's name needs no more than its own word. */
static const char *short_name(const char *command)
{
    const char *blank = strrchr(command, ' ');

    return blank != NULL ? blank + 1 : command;
}

static options_status take(option_reading *r, const char *command, int row, const char *value)
{
    const char *right = option_rows[row].take(r, value, option_rows[row].which);

    if (right == NULL)
        return OPTIONS_READ;
    words_say("%s: --%s \"%s\" is wrong: give %s", command, option_rows[row].name, value, right);
    return OPTIONS_WRONG;
}

static options_status read_all(option_reading *r, int argc, char **argv, unsigned groups)
{
    struct option long_options[OPTION_MOST_ROWS + 3];
    int row;

    list_long_options(long_options, groups);
    optind = 0; /* GNU: begin anew */
    while ((row = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (row == HELP || row == 'h')
            return OPTIONS_HELP;
        if (row == LIST)
            return OPTIONS_LIST;
        if (row == '?')
            return OPTIONS_WRONG; /* getopt_long has said why */
        if (take(r, short_name(argv[0]), row, optarg) == OPTIONS_WRONG)
            return OPTIONS_WRONG;
    }
    r->options->arguments = argv + optind;
    r->options->argument_count = argc - optind;
    return OPTIONS_READ;
}

/* Lists that were given replace the rule's own. */
static bool put_list(option_reading *r, int list)
{
    const char *trouble = rule_take_list(r->options->rule, (rule_list)list, r->lists.strings[list],
                                         r->lists.counts[list]);

    if (trouble != NULL)
        words_say("--%s is wrong: %s", option_name_of_list((rule_list)list), trouble);
    return trouble == NULL;
}

static bool put_lists(option_reading *r)
{
    bool put = true;

    for (int l = 0; put && l < RULE_LISTS; l++)
        put = r->lists.counts[l] == 0 || put_list(r, l);
    return put;
}

/* A rule file is the whole rule: lists that replace the built-in one's have no place in it. */
static bool use_rule_file(option_reading *r)
{
    char *error = NULL;
    rule_file *file;
    bool used;

    for (int l = 0; l < RULE_LISTS; l++) {
        if (r->lists.counts[l] > 0) {
            words_say("--%s belongs to the built-in rule: with --rule, edit the file",
                      option_name_of_list((rule_list)l));
            return false;
        }
    }
    file = rule_file_open(r->rule_file, &error);
    used = file != NULL && rule_use_file(r->options->rule, file, &error);
    if (used && !r->has_incidents)
        incidents_configure(&r->options->incidents, rule_get_facts(r->options->rule));
    if (!used && file != NULL)
        words_say("%s: %s", r->rule_file, error != NULL ? error : OUT_OF_MEMORY);
    else if (!used)
        words_say("%s", error != NULL ? error : OUT_OF_MEMORY);
    free(error);
    return used;
}

static bool put_rule(option_reading *r)
{
    if (!put_lists(r) || (r->rule_file != NULL && !use_rule_file(r)))
        return false;
    if (r->has_span[0])
        rule_set_lookback(r->options->rule, r->spans[0]);
    if (r->has_span[1])
        rule_set_identity_window(r->options->rule, r->spans[1]);
    return true;
}

static options_status options_read(options *self, int argc, char **argv, unsigned groups)
{
    option_reading r = {.options = self, .groups = groups};
    options_status result;

    *self = (options){
        .rule = rule_new(),
        .database = DEFAULT_DATABASE,
        .rulebase = DEFAULT_RULEBASE,
        .now = timestamp_now(),
        .latejoin = true,
        .incidents = INCIDENTS_AS_IN_SENTINEL,
        .rsyslogd = "rsyslogd",
        .limits = STATUS_DEFAULT_LIMITS,
        .timeout = 30 * TICKS_PER_SECOND,
        .reason = "",
        .by = "",
        .format = isatty(STDOUT_FILENO) ? FORMAT_TABLE : FORMAT_JSONL,
    };
    if (self->rule == NULL)
        return OPTIONS_WRONG;
    result = read_all(&r, argc, argv, groups);
    if (result == OPTIONS_READ && !put_rule(&r))
        result = OPTIONS_WRONG;
    for (int l = 0; l < RULE_LISTS; l++)
        free(r.lists.strings[l]);
    return result;
}

static void options_free(options *self)
{
    rule_free(self->rule);
    free(self->identities);
    free(self->watchlists);
}

int options_run(int argc, char **argv, unsigned groups, const char *usage,
                int (*run)(const options *o))
{
    options o;
    int status = EXIT_USAGE;

    switch (options_read(&o, argc, argv, groups)) {
    case OPTIONS_READ:
        status = run(&o);
        break;
    case OPTIONS_HELP:
        fputs(usage, stdout);
        status = EXIT_DONE;
        break;
    case OPTIONS_LIST:
        print_options(groups);
        status = EXIT_DONE;
        break;
    case OPTIONS_WRONG:
        fprintf(stderr, "try: %s --help\n", argv[0]);
        break;
    }
    options_free(&o);
    return status;
}
