/* SPDX-License-Identifier: Apache-2.0 */
/* rule_check: `synctap rule check`, what rule files mean, or why they are refused. */
#ifndef SYNCTAP_RULE_CHECK_H
#define SYNCTAP_RULE_CHECK_H

/* Gives the command's exit status: 1 when one of the files is refused. */
int rule_check(char *const *paths, int count);

#endif
