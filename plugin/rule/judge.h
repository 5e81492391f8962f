/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge: one record against the rule, as the query sees it and as wide
 * semantics does.
 */
#ifndef SYNCTAP_JUDGE_H
#define SYNCTAP_JUDGE_H

#include "base/arena.h"
#include "record/role_change.h"
#include "record/unwrap.h"
#include "rule/alert.h"
#include "rule/rule.h"

/* Takes a row; it has no id yet. It and all in it live until the sink returns. */
typedef void judge_sink(void *arg, alert *row);

/* A value that the lists are asked for, by which a row that does not match may one day. */
typedef void judge_key_sink(void *arg, plan_key key, text value);

/* What a record is judged by, and what came of it. One thread. */
typedef struct judgement {
    const rule *rule;
    const sync_accounts *accounts;
    const watchlists *lists; /* of the rule file; NULL: it asks none */
    timestamp now;           /* the instant that the spans count back from */
    timestamp received;      /* the time of a record that has none */
    text collector;          /* the alerts' */
    arena *memory;           /* the caller's to reset */
    json_parser *parser;
    judge_sink *take_match;
    judge_sink *take_unmatched;   /* a row of the rule's operations that does not match; or NULL */
    bool (*must_stop)(void *arg); /* asked now and then, until it says true; or NULL */
    role_change_sink *take_role;  /* what a record tells of who has a sync role; or NULL */
    judge_key_sink *look_up;      /* what such a row is looked up by, before it is taken; or NULL */
    void *arg;

    size_t stale;        /* records of the rule's operations that lie before the lookback */
    size_t unread_times; /* of those that do not, the ones with a time that is not understood, .. */
    text unread_time;    /* .. and that of the last */
    bool has_broken_part; /* of a record that matched, something beside its targets is unreadable */
    text hidden;       /* what the last record has in its targets' place; empty: they can be read */
    bool shows_target; /* the last record named one */
    bool is_bare;      /* the last record has an operation of the rule, but no target where one is
                          known to stand, or none that has a name */
    bool over_limit;   /* a record could not be judged: a pattern or an array met a bound */
    bool out_of_memory;
    bool stopped; /* rows were not handed out */
} judgement;

/* A row of this record that was found in another way than by judge_record; without a target. */
alert judge_begin_row(const judgement *self, const audit_record *record);

/* Reads what else the alert of a row that matched tells. */
void judge_complete_row(judgement *self, alert *row);

/* Is it before the lookback? Then it is counted. */
bool judge_is_stale(judgement *self, const alert *row);

/* Does the record name a target of its own? */
bool judge_shows_target(const audit_record *record, arena *memory);

/* Of wide semantics' reading: what judgement's is_bare says. Without it nothing is told so. */
bool judge_is_bare(const rule *r, const audit_record *record, arena *memory);

/*
 * What an object is to unwrap. `is_one`: it matched, or names a target; else
 * what looks like a record may carry some.
 */
unwrap_kind judge_kind(audit_result reading, bool is_one);

/*
 * Judges an object, if it is a record: hands out its rows. Targets that cannot
 * be read are in self->hidden (audit_record_write_hidden, in the arena).
 */
audit_result judge_record(judgement *self, json *object);

#endif
