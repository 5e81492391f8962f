/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands: synctap's commands. Each takes its part of the command line
 * (argv[0] is the command's name) and gives the exit status: 0 done, 1
 * something could not be read or written, 2 wrong usage, 3 something was found
 * and --fail-on-match asked for that.
 */
#ifndef SYNCTAP_COMMANDS_H
#define SYNCTAP_COMMANDS_H

enum { EXIT_DONE = 0, EXIT_UNREADABLE = 1, EXIT_USAGE = 2, EXIT_FOUND = 3 };

/* Of selftest: the alert did not come. */
enum { EXIT_NOT_COME = 2 };

int cmd_action(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_query(int argc, char **argv);
int cmd_identity(int argc, char **argv);
int cmd_incident(int argc, char **argv);
int cmd_rule(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_status(int argc, char **argv);

#endif
