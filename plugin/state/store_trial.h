/* SPDX-License-Identifier: Apache-2.0 */
/* store_trial: can the SQLite that is installed do what will be asked of it? */
#ifndef SYNCTAP_STORE_TRIAL_H
#define SYNCTAP_STORE_TRIAL_H

#include <stdbool.h>

/*
 * Makes a database in memory and prepares the statements of all rooms in it:
 * another SQLite may lack something, or be told to. False: *error says why
 * (NULL when memory is out), the caller's to free.
 */
bool store_try_statements(char **error);

#endif
