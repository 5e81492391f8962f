/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rsyslog_module: what both modules need of rsyslogd in the same way.
 *
 * Only accessor functions of rsyslog are called and no field of its structs
 * is read, but in rsyslog_probe.c: layouts change between versions.
 */
#ifndef SYNCTAP_RSYSLOG_MODULE_H
#define SYNCTAP_RSYSLOG_MODULE_H

#include "config.h" /* rsyslog's, generated beside its headers */

#include "rsyslog.h"

#include <pthread.h>
#include <stdbool.h>

#include "obj.h"
#include "statsobj.h"

#include "base/buffer.h"
#include "base/text.h"

/*
 * rsyslog cancels a worker that outlasts its timeouts at a stop, wherever it
 * is: with a mutex locked nobody would unlock it any more. So nothing may be
 * cancelled within the entry points that workers call, and what waits there
 * looks itself whether rsyslogd stops. The first gives what the second takes.
 */
static inline int switch_cancellation_off(void)
{
    int before;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

static inline void restore_cancellation(int before)
{
    pthread_setcancelstate(before, NULL);
}

/* An action, for messages about it: module, and the name it has in the configuration. */
typedef struct action_label {
    const char *module;
    char *name; /* owned by the instance */
} action_label;

/* Names the action that has no name= after its module and number: mmsynctap-1. False: no memory. */
bool action_label_set(action_label *self, const char *module, const char *given, unsigned number);

/*
 * Begins the action's object for impstats, named after it, with these
 * counters, which must be zero and outlive it. Gauges may be added to it;
 * then it is to be shown, and ended in any case.
 */
rsRetVal action_begin_statistics(const action_label *self, const char *const *names,
                                 intctr_t *counters, size_t how_many, statsobj_t **result);

/* Adds a number that impstats never sets back; the value outlives the object. */
rsRetVal action_add_gauge(statsobj_t *statistics, const char *name, statsCtrType_t type,
                          void *value);

/* From now on impstats shows it. */
rsRetVal action_show_statistics(statsobj_t *statistics);

/* Takes it from impstats and frees it; NULL is allowed. */
void action_end_statistics(statsobj_t **statistics);

/* Adds to a counter; counts only while impstats is loaded, as rsyslog's own do. Any thread. */
static inline void count_up(intctr_t *counter, size_t how_many)
{
    if (GatherStats && how_many > 0)
        __atomic_add_fetch(counter, how_many, __ATOMIC_RELAXED);
}

/* Logs a wrong parameter: which action, which parameter, the value, and what would be right. */
void action_reject(const action_label *self, const char *parameter, const char *value,
                   const char *right);

/*
 * Puts the default, <workDirectory>/synctap.db, in the place of an absent
 * path. For checkCnf: the work directory may be set late. False when there
 * is none or memory is out; said in the log.
 */
bool action_complete_database(const action_label *self, char **path, rsconf_t *conf);

/* This machine's own name, known when the configuration has been read; "": it is not. rsyslog's. */
const char *collector_name(void);

/* maxMessageSize, in bytes: longer messages are cut, or split; SIZE_MAX when it is not known. */
size_t longest_message(rsconf_t *conf);

/*
 * Is it a whole path, and for `rsyslogd -N1` no directory's? Else says in the
 * log what to write instead.
 */
bool action_check_path(const action_label *self, const char *parameter, const char *path);

/*
 * The same for a database that is there or can be made. `rsyslogd -N1` also
 * refuses a file that is another program's, and an SQLite that cannot do what
 * will be asked of it.
 */
bool action_check_database(const action_label *self, const char *database);

/*
 * A line in the log at most once a minute for one kind of trouble; what came
 * in between is told with the next line. For any thread; starts as {0}.
 */
typedef struct log_limit {
    int64_t last; /* seconds; 0: never yet */
    unsigned long long suppressed;
} log_limit;

void log_limited(log_limit *limit, const action_label *self, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The printable form of a parameter's string; the caller frees it, NULL when memory is out. */
char *parameter_string(const struct svar *value);

#endif
