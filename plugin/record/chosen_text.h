/* SPDX-License-Identifier: Apache-2.0 */
/*
 * chosen_text: members of audit records whose texts somebody chose.
 *
 * Names, user agents and the values of properties are what a user typed. JSON
 * in them is a text, no part of a record that is read around it.
 */
#ifndef SYNCTAP_CHOSEN_TEXT_H
#define SYNCTAP_CHOSEN_TEXT_H

#include "base/text.h"

/* Does a member of that key hold such a text? In any case, with underscores or without. */
bool chosen_text_is(text key);

#endif
