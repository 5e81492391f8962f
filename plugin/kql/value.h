/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value: what an expression of KQL comes to.
 *
 * A value's kind says what is in it; its type is known from the expression
 * that it is of, so that a dynamic that holds a text and a string look alike
 * here. Values are views: their texts, items and trees live in the arena of
 * the run, in the query, or in the record. They belong to one thread.
 */
#ifndef SYNCTAP_KQL_VALUE_H
#define SYNCTAP_KQL_VALUE_H

#include "base/arena.h"
#include "base/json.h"
#include "base/timestamp.h"

typedef enum kql_type {
    KQL_BOOL,
    KQL_LONG,
    KQL_REAL,
    KQL_DATETIME,
    KQL_TIMESPAN,
    KQL_STRING,
    KQL_DYNAMIC,
    KQL_TYPES
} kql_type;

typedef enum kql_kind {
    KIND_UNREAD, /* a column of the record that nobody has asked for yet */
    KIND_NULL,
    KIND_UNKNOWN, /* the role list may say so or so one day */
    KIND_BOOL,
    KIND_LONG,
    KIND_REAL,
    KIND_DATETIME,
    KIND_TIMESPAN,
    KIND_STRING,
    KIND_ARRAY,
    KIND_BAG
} kql_kind;

/* What a condition may come to; a bit each, several for one that is unknown. */
typedef enum kql_truth { TRUTH_FALSE = 1, TRUTH_TRUE = 2, TRUTH_NULL = 4, TRUTH_ANY = 7 } kql_truth;

struct kql_item;

typedef struct kql_value {
    kql_kind kind;
    union {
        bool truth;
        unsigned may;   /* of an unknown condition: its truths */
        int64_t number; /* a long, or the ticks of a datetime or timespan */
        double real;
        text string;
        struct {
            json *tree;                   /* of a record; or, if NULL, .. */
            const struct kql_item *items; /* .. these */
            size_t count;
        };
    };
} kql_value;

/* One of an array's, or of a bag's; then it has a key, that ends in NUL. */
typedef struct kql_item {
    text key;
    kql_value value;
} kql_item;

/* "string", "long", ...; and the type of that name, KQL_TYPES if there is none. */
const char *kql_type_name(kql_type type);
kql_type kql_type_of_name(text name);

/* What has no value: a string's is "". */
kql_value kql_nothing(kql_type type);

static inline kql_value kql_null(void)
{
    return (kql_value){.kind = KIND_NULL};
}

static inline kql_value kql_bool(bool truth)
{
    return (kql_value){.kind = KIND_BOOL, .truth = truth};
}

static inline kql_value kql_string(text t)
{
    return (kql_value){.kind = KIND_STRING, .string = t};
}

static inline kql_value kql_number(kql_kind kind, int64_t number)
{
    return (kql_value){.kind = kind, .number = number};
}

static inline kql_value kql_unknown(void)
{
    return (kql_value){.kind = KIND_UNKNOWN, .may = TRUTH_ANY};
}

/* The truths that a condition's value may come to. */
unsigned kql_truths(kql_value v);

/* The condition that may come to these. */
kql_value kql_of_truths(unsigned may);

/* A record's JSON as a dynamic; its texts live as long as the tree. */
kql_value kql_of_json(json *tree);

/* The items of an array or a bag; 0 of all else. */
size_t kql_count(kql_value v);
kql_value kql_nth(kql_value v, size_t n, text *key);

/* The member of a bag whose key is exactly that, or null. */
kql_value kql_member(kql_value v, const char *key);

/*
 * tostring(): the type tells a bool from one in a dynamic. Its bytes are NULL
 * only when memory is out.
 */
text kql_tostring(kql_value v, kql_type type, arena *memory);

/* Writes it as JSON; times and spans as their texts. */
void kql_write_json(buffer *out, kql_value v);

/* Equal when of one kind and content; a long and a real by their number. Not for nulls. */
bool kql_same(kql_value a, kql_value b);

/* -1, 0 or 1 of two numbers, times, spans, bools or strings; for sorting, a null is the least. */
int kql_order(kql_value a, kql_value b);

/* What a JSON text that is read came to. */
typedef enum kql_reading { KQL_READ, KQL_NO_JSON, KQL_OUT_OF_MEMORY } kql_reading;

/*
 * Reads one JSON value (RFC 8259, no more than 64 deep) that is the whole
 * text, blanks around it allowed, into the arena.
 */
kql_reading kql_read_json(text t, arena *memory, kql_value *value);

#endif
