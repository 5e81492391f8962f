/* SPDX-License-Identifier: Apache-2.0 */
/* state_watcher: one look after the other; what others ask of it is a flag under the mutex. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rsyslog/state_watcher_parts.h"

enum {
    WATCH_PERIOD = 250, /* milliseconds between two looks at the database */
    LEAST_PAUSE = 20,   /* the same when somebody wants a look at once */
    REPAIR_PERIOD = 4,  /* such looks between two tries to open a database that failed */
    WRITE_PERIOD = 60,  /* tries of that kind between two to open one anew that cannot be written,
                         * or fails: another connection may do better */
    BUSY_ROUNDS = 12,   /* such looks in vain, after which another's lock is a trouble: 3 s */
};

/* --- opening --- */

/* In this file nobody has said that the action lives: synctap status would call it dead. */
static void begin_with_file(state_watcher *self)
{
    self->beaten = 0;
    watcher_tell_opened(self);
}

/* It is tried again: no start and no end waits for it. */
static void open_database(state_watcher *self)
{
    bool is_replaced = watcher_store(self) != NULL && !store_is_in_place(watcher_store(self));
    char *error;

    if (self->what.database == NULL) /* the configuration's check has said so */
        return;
    if (keeper_open(self->what.keeper, self->what.database, STORE_CREATE | STORE_AT_ONCE,
                    timestamp_now(), &error)) {
        if (is_replaced)
            watcher_tell_replaced(self);
        begin_with_file(self);
    } else {
        watcher_fail(self, error);
    }
}

static bool is_in_place(const state_watcher *self)
{
    return watcher_store(self) != NULL && store_is_in_place(watcher_store(self));
}

/* What it held goes into the file; then a new one can be begun. */
static void save_log(state_watcher *self)
{
    char *error;
    bool saved = keeper_save_log(self->what.keeper, &error);

    watcher_tell_log_deleted(self, saved ? NULL : error);
    free(error);
}

static bool has_log(const state_watcher *self)
{
    return watcher_store(self) == NULL || store_has_log(watcher_store(self));
}

/* The database was deleted, perhaps with others: an empty one would take the role list away. */
static void restore_database(state_watcher *self)
{
    char *error;

    watcher_tell_deleted(self);
    if (keeper_restore(self->what.keeper, self->what.database, timestamp_now(), &error))
        begin_with_file(self);
    else
        watcher_fail(self, error);
}

static void replace_damaged_database(state_watcher *self)
{
    char *moved_to, *error;

    if (keeper_replace_damaged(self->what.keeper, self->what.database, timestamp_now(), &moved_to,
                               &error)) {
        watcher_tell_damaged(self, moved_to);
        begin_with_file(self);
    } else {
        watcher_fail(self, error);
    }
    free(moved_to);
}

static void bring_back(state_watcher *self)
{
    if (watcher_store(self) != NULL && access(self->what.database, F_OK) != 0)
        restore_database(self);
    else {
        if (is_in_place(self) && !has_log(self))
            save_log(self);
        open_database(self);
    }
}

/* --- a look --- */

static void be_patient(state_watcher *self, char *error)
{
    if (++self->busy_rounds == BUSY_ROUNDS)
        watcher_fail(self, strdup("another program keeps it locked"));
    free(error);
}

static void be_content(state_watcher *self, bool has_changed)
{
    self->busy_rounds = 0;
    if ((has_changed || self->trouble != NULL) && store_is_writable(watcher_store(self)))
        watcher_tell_trouble(self, NULL);
}

static void update(state_watcher *self)
{
    char *error;
    keeper_status status =
        keeper_update(self->what.keeper, timestamp_now(), self->what.late, self->what.arg, &error);

    self->has_failed = status == KEEPER_FAILED;
    switch (status) {
    case KEEPER_UNCHANGED:
    case KEEPER_CHANGED:
        be_content(self, status == KEEPER_CHANGED);
        break;
    case KEEPER_BUSY:
        be_patient(self, error);
        break;
    case KEEPER_FAILED:
        watcher_fail(self, error);
        if (store_is_damaged(watcher_store(self)))
            replace_damaged_database(self);
        break;
    }
}

static void look_after_database(state_watcher *self, unsigned turn)
{
    bool is_whole = is_in_place(self) && has_log(self);

    if (is_whole && turn % (REPAIR_PERIOD * WRITE_PERIOD) == REPAIR_PERIOD &&
        (self->has_failed || !store_is_writable(watcher_store(self))))
        open_database(self);
    else if (is_whole)
        update(self);
    else if (turn % REPAIR_PERIOD == 0)
        bring_back(self);
}

static bool is_time_to_beat(const state_watcher *self, timestamp now)
{
    return now - self->beaten >= HEARTBEAT_PERIOD * TICKS_PER_SECOND || now < self->beaten;
}

/* One that could not be written comes with the next look: why it could not, the looks tell. */
static void beat(state_watcher *self, timestamp now, timestamp stopped)
{
    heartbeat h = {.started = self->started, .stopped = stopped, .process = getpid()};

    if (stopped == 0 && !is_time_to_beat(self, now))
        return;
    self->what.describe(self->what.arg, &h);
    if (keeper_beat(self->what.keeper, &h, now))
        self->beaten = now;
}

/* What the look left over does not wait for the next one's turn. */
static void hurry_with_backlog(state_watcher *self)
{
    if (self->told.has_backlog && self->trouble == NULL)
        state_watcher_wake(self);
}

static void run_once(state_watcher *self, unsigned turn)
{
    look_after_database(self, turn);
    watcher_tell_news(self);
    hurry_with_backlog(self);
    self->what.ran(self->what.arg);
    beat(self, timestamp_now(), 0);
}

/* --- the thread --- */

/* So many milliseconds, or until a wish comes true; the mutex is held. */
static void wait_for(state_watcher *self, const bool *wish, long milliseconds)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += milliseconds * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (!self->must_stop && !self->must_reopen && !*wish &&
           pthread_cond_timedwait(&self->wake, &self->mutex, &until) == 0)
        continue;
}

/* Wishes that come one upon the other share a look. */
static void wait_for_turn(state_watcher *self)
{
    static const bool nothing = false;

    wait_for(self, &self->must_run, WATCH_PERIOD);
    if (self->must_run)
        wait_for(self, &nothing, LEAST_PAUSE);
    self->must_run = false;
}

static bool take_wish(bool *wish)
{
    bool wished = *wish;

    *wish = false;
    return wished;
}

/* What is still to be written down at the end; late alerts come with the next start. */
static bool hand_on_nothing(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return false;
}

static void look_for_the_last_time(state_watcher *self)
{
    timestamp now = timestamp_now();
    char *error;

    keeper_update(self->what.keeper, now, hand_on_nothing, NULL, &error);
    free(error);
    watcher_tell_end(self, keeper_flush(self->what.keeper));
    self->what.ran(self->what.arg);
    beat(self, now, now);
}

static void *watch(void *watcher)
{
    state_watcher *self = watcher;

    pthread_mutex_lock(&self->mutex);
    for (unsigned turn = 0; !self->must_stop; turn++) {
        bool reopens = take_wish(&self->must_reopen);

        pthread_mutex_unlock(&self->mutex);
        if (reopens)
            bring_back(self);
        run_once(self, turn);
        pthread_mutex_lock(&self->mutex);
        wait_for_turn(self);
    }
    pthread_mutex_unlock(&self->mutex);
    look_for_the_last_time(self);
    return NULL;
}

static void init(state_watcher *self)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&self->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Signals are the main thread's. */
static void start_thread(state_watcher *self)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&self->thread, NULL, watch, self);
    self->is_running = error == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!self->is_running)
        watcher_tell_no_thread(self, error);
}

state_watcher *state_watcher_start(const watched *what)
{
    state_watcher *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->what = *what;
    self->started = timestamp_now();
    init(self);
    open_database(self);
    watcher_tell_start(self);
    self->what.rule = NULL;
    start_thread(self);
    return self;
}

void state_watcher_reopen(state_watcher *self)
{
    if (self == NULL)
        return;
    if (!self->is_running) {
        bring_back(self);
        run_once(self, 0);
        return;
    }
    pthread_mutex_lock(&self->mutex);
    self->must_reopen = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->mutex);
}

void state_watcher_wake(state_watcher *self)
{
    if (self == NULL || !self->is_running)
        return;
    pthread_mutex_lock(&self->mutex);
    self->must_run = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->mutex);
}

static void stop_thread(state_watcher *self)
{
    keeper_stop(self->what.keeper);
    pthread_mutex_lock(&self->mutex);
    self->must_stop = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
}

void state_watcher_stop(state_watcher *self)
{
    if (self == NULL)
        return;
    if (self->is_running)
        stop_thread(self);
    pthread_cond_destroy(&self->wake);
    pthread_mutex_destroy(&self->mutex);
    free(self->trouble);
    free(self);
}
