/*
 * unwrap: finds the records in a message, whatever stands around them.
 *
 * The JSON documents of the text are looked for where they stand; only when
 * none of them holds a record is the rulebase asked for another way in. A
 * document is a record, an array of documents, or a container
 * ({"records":[..]}, {"value":[..]}).
 */
#ifndef SYNCTAP_UNWRAP_H
#define SYNCTAP_UNWRAP_H

#include "carrier.h"
#include "json.h"
#include "text.h"

typedef struct unwrap unwrap;

/*
 * Is offered each object that may be a record; says whether it is one. The
 * object lives until the sink returns.
 */
typedef bool unwrap_sink(void *arg, json *object);

/* What a message held. */
typedef struct unwrapped {
    size_t records;     /* objects that the sink took for records */
    size_t broken;      /* documents that could not be read */
    size_t broken_at;   /* where the first of them begins, in bytes */
    const char *reason; /* why it could not be read; a constant */
} unwrapped;

/* One for each thread; NULL when memory is out. The caller frees it. */
unwrap *unwrap_new(void);
void unwrap_free(unwrap *self);

/* Hands the records of a message's text to the sink, in order. rulebase may be NULL. */
unwrapped unwrap_text(unwrap *self, const carrier *rulebase, text message, unwrap_sink *sink,
                      void *arg);

/* The same for a tree that somebody has parsed already and that stays theirs. */
unwrapped unwrap_tree(json *tree, unwrap_sink *sink, void *arg);

#endif
