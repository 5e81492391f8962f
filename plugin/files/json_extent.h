/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_extent: where a JSON document ends that begins at the front of a text.
 *
 * Goes over the text byte by byte, in as many pieces as it comes in, and
 * stops at the first byte that cannot stand there: so a line that was cut off
 * inside its JSON is told from a document that goes on over several lines.
 * It is no judge of JSON, and lenient: what it lets pass a parser may refuse.
 * It allocates nothing.
 */
#ifndef SYNCTAP_JSON_EXTENT_H
#define SYNCTAP_JSON_EXTENT_H

#include <stdint.h>

#include "base/text.h"

/* Deeper nesting counts as broken; no parser of ours reads it. */
enum { JSON_EXTENT_MOST_DEPTH = 1024 };

typedef struct json_extent {
    size_t length; /* gone over; when it is CLOSED, the document's length */
    unsigned depth;
    unsigned expects;                              /* the steps' own */
    uint64_t objects[JSON_EXTENT_MOST_DEPTH / 64]; /* a bit for each level: object, not array */
} json_extent;

typedef enum json_extent_state { EXTENT_OPEN, EXTENT_CLOSED, EXTENT_BROKEN } json_extent_state;

/* The document has yet to begin, with `{` or `[`. */
json_extent json_extent_new(void);

/*
 * Goes on behind the first self->length bytes, which it knows, to the end of
 * the text. After a result that is not EXTENT_OPEN there is no going on.
 */
json_extent_state json_extent_scan(json_extent *self, text t);

#endif
