/* SPDX-License-Identifier: Apache-2.0 */
/* audit_statistics: counters by name, and gauges that are asked for of the keeper and the files. */
#include "rsyslog/audit_statistics.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

#include "obj.h"
#include "statsobj.h"

static const char *const counter_names[COUNTERS] = {
    [COUNTER_MESSAGES] = "messages",
    [COUNTER_BYTES] = "bytes",
    [COUNTER_CANDIDATES] = "candidates",
    [COUNTER_MATCHED] = "matched",
    [COUNTER_ALERTS] = "alerts",
    [COUNTER_LATE_ALERTS] = "late_alerts",
    [COUNTER_DUPLICATES] = "duplicates",
    [COUNTER_UNDECODABLE] = "undecodable",
    [COUNTER_DEGRADED_ALERTS] = "degraded_alerts",
    [COUNTER_STALE] = "stale",
    [COUNTER_HELD_BACK] = "held_back",
    [COUNTER_STATE_ERRORS] = "state_errors",
    [COUNTER_PENDING_DROPPED] = "pending_dropped",
    [COUNTER_CUT] = "cut",
    [COUNTER_PARTS_OF_RECORDS] = "parts_of_records",
    [COUNTER_UNREAD_TIMES] = "unread_times",
    [COUNTER_BOUNDED] = "bounded",
};

void audit_statistics_clear(audit_statistics *self)
{
    self->gauges.identity_age_seconds = -1;
    self->gauges.last_message_seconds = -1;
    self->gauges.last_candidate_seconds = -1;
}

/* Seconds since it last happened; -1 before the first time. */
static int seconds_since(activity *a, timestamp now)
{
    struct timespec clock;

    clock_gettime(CLOCK_MONOTONIC, &clock);
    if (__atomic_exchange_n(&a->flag, false, __ATOMIC_RELAXED)) {
        a->when = now;
        a->since = clock.tv_sec;
    }
    return a->when == 0 ? -1 : (int)(clock.tv_sec - a->since);
}

/* What lies in the journal's segments. */
static intctr_t bytes_of_journal(const char *journal)
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    struct stat segment;
    intctr_t bytes = 0;

    snprintf(pattern, sizeof(pattern), "%s.[0-9]*", journal ? journal : "");
    if (journal != NULL && glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            bytes += stat(found.gl_pathv[i], &segment) == 0 ? (intctr_t)segment.st_size : 0;
    globfree(&found);
    return bytes;
}

/* -1 without rows; a time of nobody's, year 1, is an age that the gauge can hold. */
static int age_in_seconds(const role_list_facts *identity, timestamp now)
{
    timespan seconds = (now - identity->newest) / TICKS_PER_SECOND;

    if (!identity->has_rows)
        return -1;
    return seconds > INT_MAX ? INT_MAX : seconds < INT_MIN ? INT_MIN : (int)seconds;
}

void audit_statistics_set_gauges(audit_statistics *self, keeper *k, const char *journal)
{
    timestamp now = timestamp_now();
    keeper_facts facts = keeper_read_facts(k, now);
    audit_gauges *g = &self->gauges;

    __atomic_store_n(&g->sync_accounts, facts.sync_accounts, __ATOMIC_RELAXED);
    __atomic_store_n(&g->identity_rows, (intctr_t)facts.identity.rows, __ATOMIC_RELAXED);
    __atomic_store_n(&g->identity_age_seconds, age_in_seconds(&facts.identity, now),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&g->pending, (intctr_t)facts.stream.pending, __ATOMIC_RELAXED);
    __atomic_store_n(&g->open_incidents, facts.stream.open_incidents, __ATOMIC_RELAXED);
    __atomic_store_n(&g->journal_bytes, bytes_of_journal(journal), __ATOMIC_RELAXED);
    __atomic_store_n(&g->last_message_seconds, seconds_since(&self->messages, now),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&g->last_candidate_seconds, seconds_since(&self->candidates, now),
                     __ATOMIC_RELAXED);
}

void audit_statistics_read_troubles(audit_statistics *self, timestamp now,
                                    trouble_count troubles[static TROUBLES])
{
    for (size_t i = 0; i < TROUBLES; i++) {
        int64_t count = (int64_t)__atomic_load_n(&self->troubles[i], __ATOMIC_RELAXED);

        if (count != self->told_troubles[i].count)
            self->told_troubles[i] = (trouble_count){.count = count, .newest = now};
        troubles[i] = self->told_troubles[i];
    }
}

rsRetVal audit_statistics_begin(audit_statistics *self, const action_label *action)
{
    const struct {
        const char *name;
        statsCtrType_t type;
        void *value;
    } gauges[] = {
        {"sync_accounts", ctrType_IntCtr, &self->gauges.sync_accounts},
        {"identity_rows", ctrType_IntCtr, &self->gauges.identity_rows},
        {"identity_age_seconds", ctrType_Int, &self->gauges.identity_age_seconds},
        {"pending", ctrType_IntCtr, &self->gauges.pending},
        {"open_incidents", ctrType_IntCtr, &self->gauges.open_incidents},
        {"journal_bytes", ctrType_IntCtr, &self->gauges.journal_bytes},
        {"last_message_seconds", ctrType_Int, &self->gauges.last_message_seconds},
        {"last_candidate_seconds", ctrType_Int, &self->gauges.last_candidate_seconds},
    };
    DEFiRet;

    CHKiRet(
        action_begin_statistics(action, counter_names, self->counters, COUNTERS, &self->object));
    for (size_t i = 0; i < sizeof(gauges) / sizeof(gauges[0]); i++)
        CHKiRet(action_add_gauge(self->object, gauges[i].name, gauges[i].type, gauges[i].value));
    CHKiRet(action_show_statistics(self->object));
finalize_it:
    RETiRet;
}

void audit_statistics_end(audit_statistics *self)
{
    action_end_statistics(&self->object);
}
