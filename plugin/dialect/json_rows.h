/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_rows: a JSON object written from a table, for the dialects that are JSON.
 *
 * A row's path names nested objects: "rule.id", and "evidences[].uid" for an
 * array of one object. Rows of the same object must stand together. An object
 * is there only if one of its rows has a value. Any thread.
 */
#ifndef SYNCTAP_JSON_ROWS_H
#define SYNCTAP_JSON_ROWS_H

#include "dialect/value.h"

typedef enum json_form {
    AS_STRING,
    AS_JSON, /* the value is JSON already: a number, an array, .. */
} json_form;

typedef struct json_row {
    const char *path; /* NULL ends the table */
    json_form form;
    value value;
} json_row;

void json_rows_write(const json_row *rows, const alert_fields *alert, buffer *out);

/*
 * Is the object one that the rows below this path ("" or "event.") write? It
 * has members of theirs alone, in their order, and all their constant words.
 */
bool json_rows_are(const json_row *rows, const char *below, json *object);

#endif
