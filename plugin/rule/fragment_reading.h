/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fragment_reading: a text that could not be read as JSON, piece by piece: the records in it, and
 * the targets, operations and names that each shows. For fragment.c alone.
 *
 * A record is told by an operation's key, or by being an object in a
 * container; its own parts (`properties`) are it, too. Only keys say what a
 * value is.
 */
#ifndef SYNCTAP_FRAGMENT_READING_H
#define SYNCTAP_FRAGMENT_READING_H

#include "record/broken_json.h"
#include "rule/fragment.h"

enum { NONE = -1, MOST_OPEN = 64 };

/* What an object or array is, by the key that leads to it. */
typedef enum role {
    ROLE_RECORD, /* or a container of some */
    ROLE_PART,   /* of the record around it, with the record's own members */
    ROLE_INITIATOR,
    ROLE_TARGETS,
    ROLE_TARGET,
    ROLE_INSIDE, /* of a record: texts that somebody chose may stand there */
} role;

/* A member of a record that an alert tells of. */
typedef enum member {
    MEMBER_TIME,
    MEMBER_RECORD_ID,
    MEMBER_CORRELATION_ID,
    MEMBER_TENANT_ID,
    MEMBER_SERVICE,
    MEMBER_RESULT,
    MEMBER_RESULT_REASON,
    MEMBER_CALLER_IP,
    MEMBER_ACTOR_UPN,
    MEMBER_ACTOR_NAME,
    MEMBER_ACTOR_ID,
    MEMBER_SOURCE_IP,
    MEMBERS /* none of them */
} member;

typedef struct fact {
    member member;
    text value;
    int next; /* of the same record */
} fact;

typedef struct target {
    text upn;
    text id;
    int next;
} target;

/* Where an account's name or id was seen without a key that says so; less is better. */
typedef struct hit {
    int rank; /* 0: nowhere */
    unsigned matched;
    text word;
} hit;

/* How sure a text is the record's operation. */
typedef enum certainty { CERTAINTY_NONE, CERTAINTY_BY_WORDS, CERTAINTY_BY_KEY } certainty;

typedef struct operation {
    certainty certainty;
    bool matches;
    unsigned reasons;
    text name;
} operation;

typedef struct record {
    operation operation;
    int first_fact, last_fact;
    int first_target, last_target;
    hit hit;
} record;

/* An object or array that is open. */
typedef struct frame {
    role role;
    bool is_array;
    size_t home;    /* the depth of the frame that stands for the record */
    int record;     /* in a home: the record's, once something is known of it */
    int target;     /* that it is; NONE: nothing is known of it yet */
    int id;         /* the fact that its `id` is taken for; NONE: it has none */
    unsigned names; /* of operations that were met: a bit for each key */
} frame;

typedef struct fragment_reading {
    const rule *rule;
    const sync_accounts *accounts;
    timestamp now;

    frame open[MOST_OPEN]; /* the innermost; by depth, round and round */
    size_t depth, lowest;  /* of the innermost, and of the outermost that is still known */

    record *records;
    size_t record_count, record_room;
    fact *facts;
    size_t fact_count, fact_room;
    target *targets;
    size_t target_count, target_room;
    bool out_of_memory;

    text broken;
    bool is_whole; /* an initiator in it is no target */
    fragment_sink *sink;
    void *arg;
    size_t rows;
} fragment_reading;

/* The object or array that the text stands in. */
frame *fragment_innermost(fragment_reading *r);

/* Of what stands around all that is known of the text. */
frame fragment_outermost(size_t depth);

/* The reasons why an account of that name and id is a sync account; 0: it is none. */
unsigned fragment_match(const fragment_reading *r, text upn, text id);

/*
 * The first word of the whole text that is an account's name, whatever it stands in. It must have
 * an @, or LastDirSyncTime were one.
 */
hit fragment_any_word(fragment_reading *r);

/* What a value is as the record's operation, seen so. */
operation fragment_operation_of(const fragment_reading *r, text value, certainty how);

/* Takes the next piece, as a broken_sink; arg is a fragment_reading. True: the string holds JSON,
 * whose pieces are wanted. */
bool fragment_take_piece(void *arg, const broken_piece *p);

#endif
