/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_parser: what is used over and over to read documents, for json's own files.
 */
#ifndef SYNCTAP_JSON_PARSER_H
#define SYNCTAP_JSON_PARSER_H

#include <stdint.h>

#include "base/json.h"

/* A bracket that is open. */
typedef struct json_open {
    size_t at;
    size_t members;
    bool is_object;
} json_open;

struct json_parser {
    int most_depth;
    bool out_of_memory; /* the last value was not parsed for that */
    size_t repeated;    /* keys that were met twice in an object */
    buffer scratch;     /* a string without its escapes */
    uint64_t *hashes;   /* of the keys of each open object, JSON_MOST_MEMBERS for each depth */
    json_open *open;    /* of a look: the innermost brackets, as many as may be */
};

/*
 * Builds the value that t begins with, as deep as the parser's bound at most;
 * *taken is where it ends, or where it is refused, for the reason that is the
 * result. NULL: the caller has *root.
 */
const char *json_build(json_parser *parser, text t, json **root, size_t *taken);

#endif
