/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_file: a Sentinel analytic rule, as its YAML file says it.
 *
 * What a rule file holds beyond that is read and not used, or named as
 * ignored. Immutable once it is read: any number of threads may look at it.
 */
#ifndef SYNCTAP_RULE_FILE_H
#define SYNCTAP_RULE_FILE_H

#include "kql/query.h"

typedef struct rule_file rule_file;

/* Texts in their order. */
typedef struct rule_texts {
    const text *all;
    size_t count;
} rule_texts;

/* An entity's identifier, or a custom detail: a name, and the column that it is of. */
typedef struct rule_field {
    text name;
    text column;
    const kql_column *found; /* NULL: the query has no such column */
} rule_field;

typedef struct rule_entity {
    text type; /* "Account", "IP", .. */
    rule_field *fields;
    size_t field_count;
} rule_entity;

/* Piece of a format: words, or, behind them, a column in {{ }}. */
typedef struct rule_piece {
    text words;
    const kql_column *column; /* NULL: none */
} rule_piece;

typedef struct rule_format {
    rule_piece *pieces;
    size_t count; /* 0: the file has no such format */
} rule_format;

typedef struct rule_facts {
    text id;
    text name;
    text version;
    text description;
    text severity;
    rule_texts tactics;
    rule_texts techniques;     /* T1098 */
    rule_texts sub_techniques; /* T1098.001, of the techniques and of the description */
    timespan query_period;     /* 0: it has none that is a timespan */
    rule_entity *entities;
    size_t entity_count;
    rule_field *details;
    size_t detail_count;
    rule_format display_name;
    rule_format description_format;
    const kql_column *severity_column; /* NULL: none */
    const kql_column *tactics_column;
    bool says_incidents; /* there is an incidentConfiguration */
    bool creates_incident;
    bool groups_incidents;
    text matching; /* AnyAlert, AllEntities, Selected; "" */
    timespan grouping_window;
} rule_facts;

/*
 * Reads a rule file. NULL, and *error (NULL only when memory is out; the
 * caller's to free): it is refused. The error names file, line, column and
 * word. The caller frees the rule file.
 */
rule_file *rule_file_open(const char *path, char **error);

/* The same of a text; `name` stands for the path in errors. */
rule_file *rule_file_read(text content, const char *name, char **error);
void rule_file_free(rule_file *self);

const rule_facts *rule_file_facts(const rule_file *self);
const kql_query *rule_file_query(const rule_file *self);

/* Of which one at least stands in each record that gives a row. Never none. */
const kql_literals *rule_file_literals(const rule_file *self);

/* What the query and queryPeriod say of how far back records count; 0: neither does. */
timespan rule_file_lookback(const rule_file *self);

/* What is odd, one text each; a rule that loads may have some. */
rule_texts rule_file_warnings(const rule_file *self);

#endif
