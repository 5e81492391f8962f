/* SPDX-License-Identifier: Apache-2.0 */
/* state_watcher: one look after the other; what others ask of it is a flag under the mutex. */
#include "rsyslog/state_watcher.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "errmsg.h"

enum {
    WATCH_PERIOD = 250, /* milliseconds between two looks at the database */
    LEAST_PAUSE = 20,   /* the same when somebody wants a look at once */
    REPAIR_PERIOD = 4,  /* such looks between two tries to open a database that failed */
    WRITE_PERIOD = 60,  /* tries of that kind between two to open one that could not be written */
    BUSY_ROUNDS = 12,   /* such looks in vain, after which another's lock is a trouble: 3 s */
};

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
    unsigned busy_rounds;
    timestamp started;
    timestamp beaten;     /* when it last said in the database that it lives */
    stream_facts told;    /* what was already counted and said */
    const char *weakness; /* of the role list, as it was last said; NULL: none */
    size_t learned;       /* roles, as it was last said */
};

/* --- words --- */

static const char *name_of(const state_watcher *self)
{
    return self->what.action->name;
}

static void count_errors(state_watcher *self, size_t how_many)
{
    count_up(self->what.state_errors, how_many);
}

static bool is_told(const state_watcher *self, const char *trouble)
{
    return self->trouble != NULL && trouble != NULL && strcmp(self->trouble, trouble) == 0;
}

static void log_trouble(const state_watcher *self, const char *trouble)
{
    if (trouble != NULL)
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': the state database %s: %s: the role list stays as it was "
                 "last read, naming rules go on matching, what is to be remembered waits",
                 name_of(self), self->what.database, trouble);
    else
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': the state database %s works again", name_of(self),
               self->what.database);
}

/* One line when a trouble begins, changes or ends; not one for each look. */
static void tell_trouble(state_watcher *self, const char *trouble)
{
    if (is_told(self, trouble) || (trouble == NULL && self->trouble == NULL))
        return;
    log_trouble(self, trouble);
    free(self->trouble);
    self->trouble = trouble != NULL ? strdup(trouble) : NULL;
}

static void fail(state_watcher *self, char *error)
{
    count_errors(self, 1);
    tell_trouble(self, error != NULL ? error : "out of memory");
    free(error);
}

/* NULL without one. */
static const store *store_of(const state_watcher *self)
{
    return keeper_store(self->what.keeper);
}

/* --- the role list --- */

static timespan age_of(const role_list_facts *identity)
{
    return timestamp_now() - identity->newest;
}

/* Why the list is no good, or NULL; one of two constants. */
static const char *weakness_of(const keeper_facts *facts)
{
    const timespan old = 2 * TICKS_PER_DAY;

    if (!facts->identity.has_rows)
        return "is empty";
    return age_of(&facts->identity) > old ? "is older than 2 days" : NULL;
}

/* One line when it becomes weak, and when it is well again. */
static void tell_weakness(state_watcher *self)
{
    keeper_facts facts = keeper_read_facts(self->what.keeper, timestamp_now());
    const char *weakness = weakness_of(&facts);

    if (store_of(self) == NULL || !self->what.uses_role_list || weakness == self->weakness)
        return;
    self->weakness = weakness;
    if (weakness == NULL)
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': the role list is up to date again: %zu sync account%s",
               name_of(self), facts.sync_accounts, facts.sync_accounts == 1 ? "" : "s");
    else
        LogMsg(0, RS_RET_OK, LOG_WARNING,
               "mmsynctap: action '%s': the role list in %s %s: %s: load it by omidentityinfo or "
               "synctap identity import",
               name_of(self), self->what.database, weakness,
               facts.identity.has_rows ? "accounts that became sync accounts since are not known"
                                       : "the naming rules alone judge");
}

/* Whoever took them away: an import, omidentityinfo, another database. */
static void tell_loss(state_watcher *self)
{
    buffer words = {0};

    keeper_write_loss(self->what.keeper, &words);
    if (words.length > 0 && buffer_string(&words) != NULL)
        LogMsg(0, RS_RET_OK, LOG_WARNING, "mmsynctap: action '%s': %s", name_of(self),
               buffer_string(&words));
    buffer_free(&words);
}

/* Whom the stream itself made a sync account: nobody else would say so. */
static void tell_learned(state_watcher *self)
{
    size_t learned = keeper_read_facts(self->what.keeper, timestamp_now()).learned_roles;

    if (learned != self->learned)
        LogMsg(
            0, RS_RET_OK, LOG_NOTICE,
            "mmsynctap: action '%s': the stream told who got or lost a sync role: %zu by now, in "
            "the table learned_role of %s",
            name_of(self), learned, self->what.database);
    self->learned = learned;
}

/* --- the start --- */

static void tell_start(const state_watcher *self)
{
    keeper_facts facts = keeper_read_facts(self->what.keeper, timestamp_now());
    char age[64] = "it is empty";

    if (facts.identity.has_rows)
        snprintf(age, sizeof(age), "its newest row is %.1f hours old",
                 (double)age_of(&facts.identity) / (3600.0 * (double)TICKS_PER_SECOND));
    LogMsg(0, RS_RET_OK, LOG_NOTICE,
           "mmsynctap: action '%s' begins: %s; state database %s; sync accounts: %zu, of %lld "
           "rows of the role list, %s; records that wait for it: %lld",
           name_of(self), self->what.rule,
           self->what.database != NULL ? self->what.database : "(none)", facts.sync_accounts,
           (long long)facts.identity.rows, age, (long long)facts.stream.pending);
}

/* Is it run by a process that lives? Another rsyslogd may share the database. */
static bool is_alive(const action_state *state)
{
    return state->has_beat && state->beat.stopped == 0 && state->beat.process > 0 &&
           state->beat.process != getpid() && kill((pid_t)state->beat.process, 0) == 0;
}

static void tell_stranger(void *arg, const action_state *state)
{
    const state_watcher *self = arg;

    if (state->pending + state->seen + state->incidents == 0 || is_alive(state) ||
        self->what.has_action(self->what.arg, state->name))
        return;
    LogMsg(0, RS_RET_OK, LOG_WARNING,
           "mmsynctap: the state database %s holds what an action '%s' remembered (records that "
           "wait: %lld, alerts: %lld, incidents: %lld), and the configuration has no such action: "
           "if it was renamed, stop rsyslogd and run synctap action adopt --database %s '%s' NEW; "
           "else synctap action drop --database %s '%s'",
           self->what.database, state->name, (long long)state->pending, (long long)state->seen,
           (long long)state->incidents, self->what.database, state->name, self->what.database,
           state->name);
}

static void tell_strangers(state_watcher *self)
{
    if (self->what.has_action != NULL)
        keeper_each_action(self->what.keeper, timestamp_now(), tell_stranger, self);
}

/* --- opening --- */

static void tell_how_it_opened(state_watcher *self)
{
    bool writable = store_is_writable(store_of(self));
    const char *news = store_news(store_of(self));

    if (news != NULL)
        LogError(0, RS_RET_ERR, "mmsynctap: action '%s': the state database %s: %s", name_of(self),
                 self->what.database, news);
    count_errors(self, !writable);
    tell_trouble(self, writable ? NULL : "it can only be read, not written");
}

/* Never in silence: with another file comes another role list, and other pending records. */
static void tell_replaced(const state_watcher *self)
{
    keeper_facts facts = keeper_read_facts(self->what.keeper, timestamp_now());

    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': another file is in the place of the state database %s: it is "
             "taken (rows of its role list: %lld); what the file before it remembered is gone",
             name_of(self), self->what.database, (long long)facts.identity.rows);
}

/* It is tried again: no start and no end waits for it. */
static void open_database(state_watcher *self)
{
    bool is_replaced = store_of(self) != NULL && !store_is_in_place(store_of(self));
    char *error;

    if (self->what.database == NULL) /* the configuration's check has said so */
        return;
    if (keeper_open(self->what.keeper, self->what.database, STORE_CREATE | STORE_AT_ONCE,
                    timestamp_now(), &error)) {
        if (is_replaced)
            tell_replaced(self);
        tell_how_it_opened(self);
    } else {
        fail(self, error);
    }
}

/* The database was deleted, perhaps with others: an empty one would take the role list away. */
static void restore_database(state_watcher *self)
{
    char *error;

    count_errors(self, 1);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': the state database %s was deleted: it is written anew from "
             "what is still open of it",
             name_of(self), self->what.database);
    if (keeper_restore(self->what.keeper, self->what.database, timestamp_now(), &error))
        tell_how_it_opened(self);
    else
        fail(self, error);
}

static void replace_damaged_database(state_watcher *self)
{
    char *moved_to, *error;

    if (keeper_replace_damaged(self->what.keeper, self->what.database, timestamp_now(), &moved_to,
                               &error)) {
        if (moved_to != NULL)
            LogError(0, RS_RET_ERR,
                     "mmsynctap: action '%s': the state database %s was damaged: it is now %s, and "
                     "what could be read of it is in a new one; load the role list again",
                     name_of(self), self->what.database, moved_to);
        tell_how_it_opened(self);
    } else {
        fail(self, error);
    }
    free(moved_to);
}

static void bring_back(state_watcher *self)
{
    if (store_of(self) != NULL && access(self->what.database, F_OK) != 0)
        restore_database(self);
    else
        open_database(self);
}

/* --- a look --- */

static void be_patient(state_watcher *self, char *error)
{
    if (++self->busy_rounds == BUSY_ROUNDS)
        fail(self, strdup("another program keeps it locked"));
    free(error);
}

static void be_content(state_watcher *self, bool has_changed)
{
    self->busy_rounds = 0;
    if ((has_changed || self->trouble != NULL) && store_is_writable(store_of(self)))
        tell_trouble(self, NULL);
}

static void update(state_watcher *self)
{
    char *error;
    keeper_status status =
        keeper_update(self->what.keeper, timestamp_now(), self->what.late, self->what.arg, &error);

    switch (status) {
    case KEEPER_UNCHANGED:
    case KEEPER_CHANGED:
        be_content(self, status == KEEPER_CHANGED);
        break;
    case KEEPER_BUSY:
        be_patient(self, error);
        break;
    case KEEPER_FAILED:
        fail(self, error);
        if (store_is_damaged(store_of(self)))
            replace_damaged_database(self);
        break;
    }
}

static void look_after_database(state_watcher *self, unsigned turn)
{
    bool is_in_place = store_of(self) != NULL && store_is_in_place(store_of(self));

    if (is_in_place && turn % (REPAIR_PERIOD * WRITE_PERIOD) == REPAIR_PERIOD &&
        !store_is_writable(store_of(self)))
        open_database(self);
    else if (is_in_place)
        update(self);
    else if (turn % REPAIR_PERIOD == 0)
        bring_back(self);
}

/* What workers could not write down, and what is too much to be remembered. */
static void tell_losses(state_watcher *self)
{
    stream_facts now = keeper_read_facts(self->what.keeper, timestamp_now()).stream;

    if (now.journal_error != self->told.journal_error && now.journal_error != 0) {
        count_errors(self, 1);
        LogError(now.journal_error, RS_RET_ERR,
                 "mmsynctap: action '%s': what is to be remembered cannot be written beside the "
                 "state database %s: it is kept in memory as far as there is room",
                 name_of(self), self->what.database);
    }
    if (now.journal_trouble.count > self->told.journal_trouble.count) {
        count_errors(self, now.journal_trouble.count - self->told.journal_trouble.count);
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': of what is remembered beside the state database %s, %s: "
                 "what was in it may be missing",
                 name_of(self), self->what.database, now.journal_trouble.last);
    }
    if (now.lost > self->told.lost) {
        count_errors(self, now.lost - self->told.lost);
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': %llu records or alerts could not be remembered: they may "
                 "not match later, or alert again",
                 name_of(self), (unsigned long long)(now.lost - self->told.lost));
    }
    if (now.dropped > self->told.dropped) {
        count_up(self->what.pending_dropped, now.dropped - self->told.dropped);
        if (self->told.dropped == 0)
            LogError(0, RS_RET_ERR,
                     "mmsynctap: action '%s': more than %d records, or 1 GB, wait for the role "
                     "list: the oldest are given up, pending_dropped counts them",
                     name_of(self), STREAM_MOST_PENDING);
    }
    if (now.unreadable > self->told.unreadable) {
        count_errors(self, now.unreadable - self->told.unreadable);
        LogError(
            0, RS_RET_ERR,
            "mmsynctap: action '%s': %llu records that waited for the role list are damaged in "
            "the state database %s, and were removed; one is %s",
            name_of(self), (unsigned long long)(now.unreadable - self->told.unreadable),
            self->what.database, now.last_unreadable);
    }
    self->told = now;
    if (now.has_backlog && self->trouble == NULL)
        state_watcher_wake(self);
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

static void run_once(state_watcher *self, unsigned turn)
{
    look_after_database(self, turn);
    tell_losses(self);
    tell_loss(self);
    tell_weakness(self);
    tell_learned(self);
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
        LogError(error, RS_RET_ERR,
                 "mmsynctap: action '%s': no thread to watch the state database: it is read at HUP "
                 "only",
                 name_of(self));
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
    tell_start(self);
    self->what.rule = NULL;
    tell_strangers(self);
    tell_weakness(self);
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
