/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state_watcher_parts: what the files of the watcher share: what it holds, and
 * what it says in the log (state_watcher_log.c).
 *
 * All that is told is told in the looking thread, or before it starts.
 */
#ifndef SYNCTAP_STATE_WATCHER_PARTS_H
#define SYNCTAP_STATE_WATCHER_PARTS_H

#include "rsyslog/state_watcher.h"

#include <pthread.h>

struct state_watcher {
    watched what;
    pthread_t thread;
    bool is_running;

    pthread_mutex_t mutex; /* guards the wishes */
    pthread_cond_t wake;
    bool must_stop;
    bool must_reopen;
    bool must_run;

    /* The looking thread's. */
    char *trouble; /* what was last said about the database; NULL: it works */
    bool deleted_told;
    unsigned busy_rounds;
    bool has_failed; /* the last look */
    timestamp started;
    timestamp beaten;     /* when it last said in the database that it lives */
    stream_facts told;    /* what was already counted and said */
    const char *weakness; /* of the role list, as it was last said; NULL: none */
    size_t learned;       /* roles, as it was last said */
};

/* NULL without one. */
const store *watcher_store(const state_watcher *self);

/* What the action begins with: its rule, its database, whom that knows; and what is odd there. */
void watcher_tell_start(state_watcher *self);

/* A trouble when it begins or changes, and NULL when it ends: one line, not one for each look. */
void watcher_tell_trouble(state_watcher *self, const char *trouble);

/* Counts an error and tells it as the trouble; NULL: memory is out. Frees it. */
void watcher_fail(state_watcher *self, char *error);

/* The database was opened: what opening it found, and whether it can be written. */
void watcher_tell_opened(state_watcher *self);

/* Another file was in its place, and was taken. */
void watcher_tell_replaced(const state_watcher *self);

/* It is gone, and is about to be written anew; told once, however many tries that takes. */
void watcher_tell_deleted(state_watcher *self);

/* Its log is gone; and why what was in it could not be saved, or NULL. */
void watcher_tell_log_deleted(state_watcher *self, const char *error);

/* It was damaged, and moved there; NULL: another process did that, and tells of it. */
void watcher_tell_damaged(const state_watcher *self, const char *moved_to);

/* No thread could be started: errno's number says why. */
void watcher_tell_no_thread(const state_watcher *self, int error);

/* What is new since this was called last: entries and sync accounts that were lost, roles learned.
 */
void watcher_tell_news(state_watcher *self);

/* The end: what was lost since, and so many bytes that nothing but memory has. */
void watcher_tell_end(state_watcher *self, size_t unwritten);

#endif
