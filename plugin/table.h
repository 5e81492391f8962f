/*
 * table: JSON objects, a line each, shown as columns to a person.
 *
 * One thread.
 */
#ifndef SYNCTAP_TABLE_H
#define SYNCTAP_TABLE_H

#include <stdio.h>

#include "text.h"

/*
 * Writes a head and a row for each line, a JSON object, with the members
 * that the columns name (the last name is NULL). Control characters show as
 * `?`, so that no value can steer a terminal; long values are cut with `…`.
 * False when memory ran out.
 */
bool table_print(FILE *out, const char *const *columns, const text *lines, size_t count);

#endif
