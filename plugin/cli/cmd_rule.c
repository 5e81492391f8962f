/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_rule: synctap rule, which tells of rule files and tries expressions. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/rule_check.h"
#include "cli/rule_eval.h"
#include "cli/words.h"
#include "rule/built_in_rule.h"

static const char USAGE[] =
    "usage: synctap rule show\n"
    "       synctap rule check FILE...\n"
    "       synctap rule eval [--types JSON] [--now TIME] EXPRESSION|PIPELINE [FILE]\n"
    "Tells what rule files mean, and tries what a rule's query is made of.\n"
    "\n"
    "  show   the built-in rule, as the YAML file that Sentinel takes\n"
    "  check  Sentinel's YAML files: their tables, sets, the texts by which messages are\n"
    "         passed over, and what decides late; or why one is refused\n"
    "  eval  the value of an expression for each JSON row of FILE (standard input), or the rows\n"
    "        that a pipeline (where .. | extend ..) leaves: one JSON value or row a line\n"
    "\n"
    "  --types JSON  the columns' types, as {\"s\":\"string\",\"d\":\"dynamic\"}; else the rows "
    "tell\n"
    "  --now TIME    what ago() counts back from\n";

static int wrong_usage(const char *right)
{
    fprintf(stderr, "synctap rule: %s\ntry: synctap rule --help\n", right);
    return EXIT_USAGE;
}

static int help(void)
{
    fputs(USAGE, stdout);
    return EXIT_DONE;
}

static int eval(int argc, char **argv)
{
    static const struct option options[] = {
        {"types", required_argument, NULL, 't'},
        {"now", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    const char *types = NULL;
    timestamp now = timestamp_now();
    int c;

    while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
        if (c == 'h')
            return help();
        if (c == 't')
            types = optarg;
        else if (c == 'n' && !timestamp_parse(text_of(optarg), &now))
            words_say("--now \"%s\" is no time: give one like 2026-06-01T12:00:00Z", optarg);
        if (c == '?' || (c == 'n' && !timestamp_parse(text_of(optarg), &now)))
            return EXIT_USAGE;
    }
    if (argc - optind < 1 || argc - optind > 2)
        return wrong_usage("eval takes an expression or a pipeline, and at most one file");
    return rule_eval(argv[optind], types, argv[optind + 1], now);
}

static int check(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help();
    return argc < 2 ? wrong_usage("check takes a rule file, or more")
                    : rule_check(argv + 1, argc - 1);
}

static int show(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return help();
    if (argc != 1)
        return wrong_usage("show takes no argument; check tells of files");
    fwrite(BUILT_IN_RULE, 1, BUILT_IN_RULE_LENGTH, stdout);
    return EXIT_DONE;
}

int cmd_rule(int argc, char **argv)
{
    static const struct {
        const char *name;
        int (*run)(int argc, char **argv);
        char *full_name;
    } parts[] = {{"show", show, "synctap rule show"},
                 {"check", check, "synctap rule check"},
                 {"eval", eval, "synctap rule eval"}};
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--help") == 0)
        return help();
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (strcmp(name, parts[i].name) == 0) {
            argv[1] = parts[i].full_name;
            return parts[i].run(argc - 1, argv + 1);
        }
    }
    return wrong_usage("say show, check or eval");
}
