/* SPDX-License-Identifier: Apache-2.0 */
/*
 * example_tree: a record under way, put together from its places.
 *
 * It lives in an arena; its keys and texts are the caller's. One thread.
 */
#ifndef SYNCTAP_EXAMPLE_TREE_H
#define SYNCTAP_EXAMPLE_TREE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "kql/expression.h"

typedef struct example_node example_node;

struct example_node {
    example_node *next;  /* beside it; elements of an array by their places */
    example_node *first; /* in it; then its text does not count */
    const char *key;     /* NULL: an element, */
    int64_t index;       /* .. at this place */
    text value;          /* bytes NULL: it has none */
};

/* The node there, made with all above it that are missing; NULL when memory is out. */
example_node *example_node_at(arena *memory, example_node *root, const kql_step *steps,
                              size_t count);

/* The same for a member of a node. */
example_node *example_member(arena *memory, example_node *node, const char *key);

/* Gives a member of a node a text, unless it has one or holds something. False: no memory. */
bool example_default(arena *memory, example_node *node, const char *key, text value);

/* Writes it as JSON: what nothing was put into is an empty object. */
void example_write(const example_node *self, buffer *out);

#endif
