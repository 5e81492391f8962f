/* SPDX-License-Identifier: Apache-2.0 */
/* rule_file_parts: a rule file while it is read, as its own files see it. */
#ifndef SYNCTAP_RULE_FILE_PARTS_H
#define SYNCTAP_RULE_FILE_PARTS_H

#include "rule/rule_file.h"
#include "rule/yaml_tree.h"

enum { RULE_FILE_MOST_WARNINGS = 200 };

struct rule_file {
    arena *memory;
    rule_facts facts;
    kql_query query;
    kql_literals literals;
    text warnings[RULE_FILE_MOST_WARNINGS];
    size_t warning_count;
};

typedef struct rule_file_reader {
    rule_file *file;
    yaml_tree *tree;
    text content;
    const char *name; /* of the file, for errors */
    char *error;
    bool failed; /* with error NULL: memory is out */
} rule_file_reader;

/* What of a text is shown in a message: for %.*s. */
#define SHOWN(t) (int)((t).length < 100 ? (t).length : 100), (t).bytes

/* The first that is wrong is kept: its place, its word and why. False. */
bool rule_file_fail(rule_file_reader *r, yaml_place at, text word, const char *message);
bool rule_file_out_of_memory(rule_file_reader *r);

/* Adds a warning; those beyond RULE_FILE_MOST_WARNINGS are not kept. */
__attribute__((format(printf, 2, 3))) void rule_file_warn(rule_file_reader *r, const char *format,
                                                          ...);

/* A member that is one of these words, as they are written here; of another it warns. */
text rule_file_word(rule_file_reader *r, const yaml_node *map, const char *key,
                    const char *const known[], size_t count);

/* In the file's arena: zeroed room, and a copy. NULL, or "", when memory is out, which is noted. */
void *rule_file_alloc(rule_file_reader *r, size_t size);
text rule_file_copy(rule_file_reader *r, text t);

text rule_file_without_blanks(text t); /* at its ends */

/* A map's member, NULL if it has none; one that stands twice fails the reading. */
yaml_node *rule_file_member(rule_file_reader *r, const yaml_node *map, const char *key);

/* The same of that kind, or a list's item; NULL, too, for null. One of another kind fails. */
yaml_node *rule_file_part(rule_file_reader *r, const yaml_node *map, const char *key,
                          yaml_kind kind);
yaml_node *rule_file_item(rule_file_reader *r, const yaml_node *list, size_t n, yaml_kind kind,
                          const char *key);
text rule_file_text(rule_file_reader *r, const yaml_node *map, const char *key);
rule_texts rule_file_list(rule_file_reader *r, const yaml_node *map, const char *key);

/* The query, and the texts of its gate. False: it is refused, or memory is out. */
bool rule_file_read_query(rule_file_reader *r, const yaml_node *root);

/* What the file says by the query's columns: entities, details, formats. */
void rule_file_read_mappings(rule_file_reader *r, const yaml_node *root);

/* queryPeriod, and how alerts become incidents. */
void rule_file_read_period(rule_file_reader *r, const yaml_node *root);
void rule_file_read_incidents(rule_file_reader *r, const yaml_node *root);

#endif
