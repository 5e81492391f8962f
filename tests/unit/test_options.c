/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines read: what is right, what is wrong and what is said of it. */
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "standard_error.h"
#include "suites.h"
#include "test.h"

enum { RAN = 77, ALL_GROUPS = 255, MOST_ARGUMENTS = 16 };

/* The callback gets nothing but the options. */
static void (*check)(const options *o);

static int run(const options *o)
{
    if (check != NULL)
        check(o);
    return RAN;
}

/* The words of a command line, with blanks between them. */
static int run_line(unsigned groups, const char *line)
{
    char *copy = strdup(line);
    char *argv[MOST_ARGUMENTS + 1] = {NULL}, *rest = copy;
    int argc = 0, status;

    REQUIRE(copy != NULL);
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL;)
        argv[argc++] = word;
    status = options_run(argc, argv, groups, "the usage\n", run);
    free(copy);
    return status;
}

static void check_line(const char *line, void (*expectations)(const options *o))
{
    check = expectations;
    EXPECT_INT(run_line(ALL_GROUPS, line), RAN);
    check = NULL;
}

static void expect_defaults(const options *o)
{
    EXPECT_STRING(o->database, "/var/spool/rsyslog/synctap.db");
    EXPECT_NOT(o->database_given);
    EXPECT_NOT(o->rulebase_given);
    EXPECT_INT(o->identity_count, 0);
    EXPECT(o->latejoin);
    EXPECT_INT(o->incidents.most_alerts, 150);
    EXPECT_INT(o->incidents.window, TICKS_PER_DAY);
    EXPECT_NOT(o->fail_on_match || o->is_snapshot || o->is_forced || o->sync_accounts_only ||
               o->all_incidents || o->ordered_by_time);
    EXPECT_INT(o->threads, 0);
    EXPECT(o->role == NULL);
    EXPECT_INT(rule_get_lookback(o->rule), TICKS_PER_DAY);
    EXPECT_INT(rule_get_semantics(o->rule), SEMANTICS_WIDE);
    EXPECT_INT(o->argument_count, 0);
}

static void test_without_options_all_is_as_the_manual_says(void)
{
    check_line("synctap", expect_defaults);
}

static void expect_given(const options *o)
{
    EXPECT_STRING(o->database, "d.db");
    EXPECT(o->database_given);
    EXPECT_INT(o->identity_count, 2);
    EXPECT_STRING(o->identities[0], "a.csv");
    EXPECT_STRING(o->identities[1], "b.csv");
    EXPECT_TIME(o->now, time_of("2026-06-01T12:00:00Z"));
    EXPECT_INT(rule_get_semantics(o->rule), SEMANTICS_KQL);
    EXPECT_INT(rule_get_lookback(o->rule), 3600 * TICKS_PER_SECOND);
    EXPECT_NOT(o->latejoin);
    EXPECT_INT(o->threads, 64);
    EXPECT_INT(o->incidents.most_alerts, 1);
    EXPECT_INT(o->incidents.window, 0);
    EXPECT_INT(o->argument_count, 2);
    EXPECT_STRING(o->arguments[0], "one.log");
    EXPECT_STRING(o->arguments[1], "two.log");
}

static void expect_lists(const options *o)
{
    size_t count;
    const text *roles = rule_get_list(o->rule, RULE_ROLES, &count);

    EXPECT_INT(count, 2);
    EXPECT_TEXT_IS(roles[0], "One");
    EXPECT_TEXT_IS(roles[1], "Two");
    rule_get_list(o->rule, RULE_UPN_CONTAINS, &count);
    EXPECT_INT(count, 0);
}

static void test_lists_replace_the_rules_own(void)
{
    check_line("query --roles One --roles Two --upn-contains off", expect_lists);
}

static void test_options_and_files_in_any_order(void)
{
    static char *const arguments[] = {"replay",
                                      "one.log",
                                      "--database=d.db",
                                      "--identity=a.csv",
                                      "--identity=b.csv",
                                      "--now=2026-06-01T12:00:00Z",
                                      "--semantics=kql",
                                      "--lookback=1h",
                                      "--latejoin=off",
                                      "--threads=64",
                                      "--incident-maxalerts=1",
                                      "--incident-window=0",
                                      "--",
                                      "two.log"};
    char *argv[LENGTH_OF(arguments) + 1] = {NULL};

    memcpy(argv, arguments, sizeof(arguments));
    check = expect_given;
    EXPECT_INT(options_run(LENGTH_OF(arguments), argv, ALL_GROUPS, "", run), RAN);
    check = NULL;
}

static void test_what_is_wrong_is_said_and_nothing_is_run(void)
{
    static const struct {
        const char *line;
        const char *said;
    } wrong[] = {
        {"query --now yesterday", "--now \"yesterday\" is wrong: give a time such as"},
        {"query --semantics both", "--semantics \"both\" is wrong: give kql or wide"},
        {"query --lookback 1", "--lookback \"1\" is wrong: give a timespan"},
        {"query --identity-window 5x", "give a timespan"},
        {"query --format xml", "--format \"xml\" is wrong: give table, jsonl, "},
        {"query --threads 0", "give a number of threads from 1 to 64"},
        {"query --threads 65", "give a number of threads from 1 to 64"},
        {"query --threads 4x", "give a number of threads from 1 to 64"},
        {"replay --latejoin maybe", "give on or off"},
        {"replay --order size", "give file or time"},
        {"replay --incident-window -1h", "or 0 for no incidents"},
        {"replay --incident-matching None", "give AnyAlert, AllEntities or Selected"},
        {"replay --incident-maxalerts 0", "give a number of alerts, 1 or more"},
        {"replay --incident-maxalerts -5", "give a number of alerts, 1 or more"},
        {"replay --incident-maxalerts 99999999999", "give a number of alerts, 1 or more"},
        {"identity --date-order ymd", "give dmy or mdy"},
        {"identity --role=", "give a role's name or template id"},
        {"query --roles=", "--roles is wrong"},
        {"query --nonsense", "nonsense"},
        {"query --now", "requires an argument"},
        {"query --snapshot=yes", "doesn't allow an argument"},
    };

    for (size_t i = 0; i < LENGTH_OF(wrong); i++) {
        const char *path = test_path("said"), *said;

        standard_error_to(path);
        EXPECT_INT(run_line(ALL_GROUPS, wrong[i].line), EXIT_USAGE);
        said = standard_error_in(path);
        test_case("%s: said: %s", wrong[i].line, said);
        EXPECT(strstr(said, wrong[i].said) != NULL);
        EXPECT(strstr(said, "try: ") != NULL);
        test_clean_up();
    }
}

static void test_a_command_has_the_options_of_its_groups_only(void)
{
    standard_error_to(test_path("said"));
    EXPECT_INT(run_line(GROUP_STORE, "status --database d.db"), RAN);
    EXPECT_INT(run_line(GROUP_STORE, "status --lookback 1d"), EXIT_USAGE);
    EXPECT_INT(run_line(GROUP_STORE, "status --threads 2"), EXIT_USAGE);
    EXPECT_INT(run_line(GROUP_STORE, "status --format cef"), EXIT_USAGE);
    EXPECT_INT(run_line(GROUP_STORE | GROUP_DIALECT, "status --format cef"), RAN);
    EXPECT_INT(run_line(GROUP_STORE, "status --format json"), EXIT_USAGE);
    EXPECT_INT(run_line(GROUP_STORE | GROUP_INCIDENT, "status --format json"), RAN);
}

CU_TestInfo options_tests[] = {
    TEST(test_without_options_all_is_as_the_manual_says),
    TEST(test_lists_replace_the_rules_own),
    TEST(test_options_and_files_in_any_order),
    TEST(test_what_is_wrong_is_said_and_nothing_is_run),
    TEST(test_a_command_has_the_options_of_its_groups_only),
    TESTS_END,
};
