/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml_tree: a YAML document, to be walked by key.
 *
 * A thin face over libyaml's document: nodes are views that live as long as
 * the tree. One thread at a time.
 */
#ifndef SYNCTAP_YAML_TREE_H
#define SYNCTAP_YAML_TREE_H

#include "base/text.h"

typedef struct yaml_tree yaml_tree;
typedef struct yaml_node_s yaml_node;

typedef struct yaml_place {
    size_t line, column; /* from 1 */
} yaml_place;

typedef enum yaml_kind { YAML_NOTHING, YAML_TEXT, YAML_LIST, YAML_MAP } yaml_kind;

/*
 * The text's one document. NULL when it is none: *wrong, in words that need
 * not be freed, and *place say why; *wrong is NULL when memory is out. The
 * caller frees the tree; the text must outlive it.
 */
yaml_tree *yaml_tree_read(text content, const char **wrong, yaml_place *place);
void yaml_tree_free(yaml_tree *self);

/* The word that stands at a place of the text, a view; "" at its end. */
text yaml_word_at(text content, yaml_place place);

/* The whole document; NULL for an empty one. */
yaml_node *yaml_tree_root(yaml_tree *self);

/* Of NULL it is YAML_NOTHING. */
yaml_kind yaml_kind_of(const yaml_node *node);

/* A scalar's text; "" of all else. */
text yaml_text(const yaml_node *node);

/* How many items a list has, or pairs a map. */
size_t yaml_count(const yaml_node *node);
yaml_node *yaml_item(yaml_tree *self, const yaml_node *list, size_t n);
yaml_node *yaml_pair(yaml_tree *self, const yaml_node *map, size_t n, text *key);

/* The value of that key, or NULL; *twice, which may be NULL, when the map has it twice. */
yaml_node *yaml_member(yaml_tree *self, const yaml_node *map, const char *key, bool *twice);

yaml_place yaml_place_of(const yaml_node *node);

/* Is it none, or written as null? */
bool yaml_is_null(const yaml_node *node);

/* Is it a block whose lines are those of its text (`|`)? */
bool yaml_is_literal(const yaml_node *node);

#endif
