/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dialect: an alert in a SIEM's own words.
 *
 * Each dialect is made of the alert's JSON and of nothing else, on one line
 * without a line break. A value that the alert does not have is left out. Any thread.
 */
#ifndef SYNCTAP_DIALECT_H
#define SYNCTAP_DIALECT_H

#include "base/json.h"

typedef struct dialect dialect;

/* securityalert, cef, leef, ecs, ocsf or hec; NULL for any other name. */
const dialect *dialect_find(text name);

/* How many there are. */
enum { DIALECTS = 6 };

/* All of them, number by number; NULL behind the last. */
const dialect *dialect_at(size_t number);

/* Its name; constant. */
const char *dialect_name(const dialect *self);

/* What a person may write. */
#define DIALECT_NAMES "securityalert, cef, leef, ecs, ocsf or hec"

/* The alert goes to the end of the buffer, which says whether memory was out. */
void dialect_write(const dialect *self, json *alert, buffer *out);

/* An alert's tree is a little deeper than its record's: a parser for it takes so much. */
enum { DIALECT_MOST_DEPTH = JSON_MOST_DEPTH + 8 };

/* The same for an alert's text. False when it cannot be read, or memory was out. */
bool dialect_write_text(const dialect *self, json_parser *parser, text alert, buffer *out);

/* --- what was written comes back --- */

/*
 * Is the object what a dialect writes? Told by the whole of its structure,
 * so that no record can pass for one.
 */
bool dialect_is_object(json *object);

/* Does the text, which is not empty, begin as a dialect does? A cheap look. */
bool dialect_begins(text t);

/* Is the line what a dialect that is no JSON writes, or the beginning of it? */
bool dialect_is_line(text line);

#endif
