/* SPDX-License-Identifier: Apache-2.0 */
/*
 * walk: what is under way while a message is unwrapped, for the files of unwrap alone.
 *
 * A walk goes from value to value; a text in a string begins one of its own kind.
 */
#ifndef SYNCTAP_WALK_H
#define SYNCTAP_WALK_H

#include "record/unwrap.h"

struct unwrap {
    json_parser *parser;
};

/* A stretch that could not be read; a copy, as it may have stood in a tree that is gone. */
typedef struct stretch {
    struct stretch *next;
    const char *reason;
    size_t length;
    char bytes[];
} stretch;

typedef struct walk {
    unwrap *unwrap;
    const unwrap_sink *sink;
    int level;          /* of strings in strings */
    bool lacks_targets; /* a record was found that has none */
    bool is_in_stretch; /* one that cannot be read: chosen texts in it are not searched */
    int cells;          /* strings of arrays that it stands in, one in the other */
    int stretch_cells;  /* how many of them that stretch stands in */
    bool is_inside;     /* of an object that is known for what it is: its texts may be anything */
    unwrapped found;
    stretch *broken; /* in the order in which they stood */
    stretch **last_broken;
} walk;

/* Once it has stopped, it has for good. */
bool walk_must_stop(walk *w);

/* Counts a stretch that could not be read, unless it stands in a text of what is known. */
void walk_count_broken(walk *w, const char *reason);

/*
 * Without memory for a copy it is told of at once, and the result is NULL:
 * once too often is better than never. In a text of what is known a bracket
 * may be a name's: without a member behind it that is no record's, and not kept.
 */
stretch *walk_keep_broken(walk *w, text t, const char *reason);

/* Forgets the stretches that came after `mark`. */
void walk_forget_broken(walk *w, stretch **mark, size_t broken);

/* The records of a value, whatever it is. */
void walk_value(walk *w, json *value);

/* Is it a table as the query API gives them: columns beside rows? */
bool walk_is_table(json *object);

/* Hands out its rows as objects. */
void walk_table(walk *w, json *table);

/* Hands out rows that have columns. */
void walk_rows(walk *w, json *table, json *described);

/* A row whose columns' names are not there is told as a part of a record. */
void walk_keep_bare_row(walk *w, json *array);

/* Is it a frame of that type, of a query's answer in frames? */
bool walk_is_frame(json *object, const char *type);

/* The records of a text: documents, and what of them can be read. */
void walk_text(walk *w, text all);

#endif
