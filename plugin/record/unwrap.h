/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unwrap: finds the records in a message, whatever stands around them.
 *
 * Where other text stands in front, the rulebase is asked first: a carrier
 * may change the JSON in it. Else, and when no rule leads to a record, the
 * JSON documents are looked for where they stand. Records are found in them
 * in arrays, in members of any name, in strings that hold JSON (three levels
 * of them), behind quotes that are coded, and in the rows of the query API's tables.
 */
#ifndef SYNCTAP_UNWRAP_H
#define SYNCTAP_UNWRAP_H

#include "base/json.h"
#include "base/text.h"
#include "record/carrier.h"

typedef struct unwrap unwrap;

/* What an object is to the one who reads the records. */
typedef enum unwrap_kind {
    UNWRAP_RECORD,                 /* a record: read */
    UNWRAP_RECORD_WITHOUT_TARGETS, /* one that may carry another */
    UNWRAP_OTHER_KIND,             /* known not to be one; it may carry some */
    UNWRAP_OWN_ALERT,              /* nothing in it is judged */
    UNWRAP_UNKNOWN,                /* it may carry records */
} unwrap_kind;

typedef struct unwrap_sink {
    void *arg;

    /* Is offered each object that may be a record; it lives until this returns. */
    unwrap_kind (*take_object)(void *arg, json *object);

    /*
     * Is told of each stretch of text that begins as JSON does and could not
     * be read; `reason` is a constant. Records in it that could be read have
     * been taken and are not part of it. May be NULL.
     */
    void (*take_broken)(void *arg, text broken, const char *reason);

    /*
     * Asked again and again, between the objects and where documents are looked for: once it
     * says true, nothing more is handed out. May be NULL.
     */
    bool (*must_stop)(void *arg);
} unwrap_sink;

/* The reason of a stretch that begins inside a record: its beginning came in another message, or
 * not at all. */
extern const char UNWRAP_PART[];

/* What its sender can do about a stretch's reason; a constant, NULL: nothing special. */
const char *unwrap_remedy(const char *reason);

/* What a message held. */
typedef struct unwrapped {
    size_t records;     /* objects that were taken for records, not in a broken table's cell */
    size_t other_kinds; /* objects that are known to be something else */
    size_t broken;      /* stretches that could not be read; but not in texts of what is known */
    const char *reason; /* why the first of them could not; a constant */
    bool by_rulebase;   /* the records were reached through the rulebase */
    bool out_of_memory; /* records may have been missed */
    bool stopped;       /* what came behind was not looked at */
} unwrapped;

/* One for each thread; NULL when memory is out. The caller frees it. */
unwrap *unwrap_new(void);
void unwrap_free(unwrap *self);

/* The thread's parser, for those who read on in what is handed to them. */
json_parser *unwrap_parser(unwrap *self);

/* Hands the records of a message's text to the sink, in order. rulebase may be NULL. */
unwrapped unwrap_text(unwrap *self, const carrier *rulebase, text message, const unwrap_sink *sink);

/* The same for a tree that somebody has parsed already and that stays theirs. */
unwrapped unwrap_tree(unwrap *self, json *tree, const unwrap_sink *sink);

#endif
