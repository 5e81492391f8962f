/* SPDX-License-Identifier: Apache-2.0 */
/*
 * built_in_rule: the rule that runs when none is given, as Sentinel's YAML file.
 *
 * The build makes the source file of rules/tap-on-sync-account.yaml.
 */
#ifndef SYNCTAP_BUILT_IN_RULE_H
#define SYNCTAP_BUILT_IN_RULE_H

#include <stddef.h>

extern const unsigned char BUILT_IN_RULE[]; /* without a NUL at its end */
extern const size_t BUILT_IN_RULE_LENGTH;

#endif
