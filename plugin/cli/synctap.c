/* SPDX-License-Identifier: Apache-2.0 */
/* synctap: the command line; picks the command. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/words.h"

static const char USAGE[] =
    "usage: synctap COMMAND [OPTION...] [ARGUMENT...]\n"
    "Finds Temporary Access Passes and other security info registered on Entra Connect sync\n"
    "accounts, in audit records.\n"
    "\n"
    "  query     run the rule once over files of audit records\n"
    "  replay    judge files as the stream would have, with alerts in the order of their firing\n"
    "  explain   say why a record matches or not, clause by clause\n"
    "  identity  load the role list, and read it\n"
    "  incident  list the incidents, show and close them\n"
    "  status    say whether detection works now\n"
    "  action    list what the module's actions remember; adopt a renamed one, drop one\n"
    "  selftest  send a record that must alert, and wait for the alert\n"
    "  rule      try the expressions that a rule is made of\n"
    "\n"
    "synctap COMMAND --help tells more; synctap --version the version.\n";

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
    char *full_name; /* for messages, getopt_long's among them */
} commands[] = {
    {"explain", cmd_explain, "synctap explain"},
    {"query", cmd_query, "synctap query"},
    {"replay", cmd_replay, "synctap replay"},
    {"identity", cmd_identity, "synctap identity"},
    {"incident", cmd_incident, "synctap incident"},
    {"status", cmd_status, "synctap status"},
    {"action", cmd_action, "synctap action"},
    {"selftest", cmd_selftest, "synctap selftest"},
    {"rule", cmd_rule, "synctap rule"},
};

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names != NULL && strcmp(name, *names) != 0)
        names++;
    return *names != NULL;
}

/* For the completion of shells. */
static int list_commands(void)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        puts(commands[i].name);
    return EXIT_DONE;
}

static int wrong_command(const char *name)
{
    if (name[0] != '\0')
        words_say("there is no command \"%s\"", name);
    fputs(USAGE, stderr);
    return EXIT_USAGE;
}

static int run(int argc, char **argv)
{
    static const char *const help[] = {"help", "--help", "-h", NULL};
    const char *name = argc > 1 ? argv[1] : "";

    if (strcmp(name, "--version") == 0) {
        puts("synctap " SYNCTAP_VERSION);
        return EXIT_DONE;
    }
    if (is_one_of(name, help)) {
        fputs(USAGE, stdout);
        return EXIT_DONE;
    }
    if (strcmp(name, "--list-commands") == 0)
        return list_commands();
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(name, commands[i].name) == 0) {
            argv[1] = commands[i].full_name;
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    return wrong_command(name);
}

/* Whatever the command did, it is not done if its output is not there. */
int main(int argc, char **argv)
{
    int status = run(argc, argv);

    if (!words_end_output() && status != EXIT_USAGE)
        status = EXIT_UNREADABLE;
    return status;
}
