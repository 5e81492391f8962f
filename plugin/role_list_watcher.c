/* role_list_watcher: one look after the other, each under the mutex that HUP takes too. */
#include "role_list_watcher.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "errmsg.h"

enum {
    REFRESH_PERIOD = 250, /* milliseconds between two looks at the role list */
    REPAIR_PERIOD = 4,    /* such looks between two tries to open a database that failed */
};

struct role_list_watcher {
    watched what;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_running;
    bool must_stop;
    char *trouble; /* what was last said about the database; NULL: it works */
};

static void count_error(role_list_watcher *self)
{
    count_up(self->what.state_errors, 1);
}

/* One line when a trouble begins, changes or ends; not one for each look. */
static void tell_trouble(role_list_watcher *self, const char *trouble)
{
    if (trouble != NULL && (self->trouble == NULL || strcmp(self->trouble, trouble) != 0))
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': the state database %s: %s: the role list stays as it was "
                 "last read, naming rules go on matching",
                 self->what.action->name, self->what.database, trouble);
    if (trouble == NULL && self->trouble != NULL)
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': the state database %s works again", self->what.action->name,
               self->what.database);
    if (trouble == NULL || self->trouble == NULL || strcmp(self->trouble, trouble) != 0) {
        free(self->trouble);
        self->trouble = trouble ? strdup(trouble) : NULL;
    }
}

/*
 * A database that was lost is not made anew here: an empty one would take the
 * role list away that is still known. Whoever writes the next row makes it.
 */
static void open_database(role_list_watcher *self)
{
    store_opening how = detector_has_store(self->what.detector) ? STORE_EXISTING : STORE_CREATE;
    char *error;

    if (self->what.database == NULL) /* the configuration's check has said so */
        return;
    if (detector_open_store(self->what.detector, self->what.database, how, &error)) {
        bool writable = detector_store_is_writable(self->what.detector);

        if (!writable)
            count_error(self);
        tell_trouble(self, writable ? NULL : "it can only be read, not written");
        return;
    }
    count_error(self);
    tell_trouble(self, error ? error : "out of memory");
    free(error);
}

static void refresh_role_list(role_list_watcher *self)
{
    char *error;

    switch (detector_refresh(self->what.detector, &error)) {
    case REFRESH_UNCHANGED:
        break;
    case REFRESH_CHANGED:
        if (detector_store_is_writable(self->what.detector))
            tell_trouble(self, NULL);
        break;
    case REFRESH_FAILED:
        count_error(self);
        tell_trouble(self, error ? error : "out of memory");
        free(error);
        break;
    }
}

/* The mutex is held: HUP's turn and the watcher's do not mix. */
static void look_after_database(role_list_watcher *self, unsigned turn)
{
    if (detector_store_is_in_place(self->what.detector))
        refresh_role_list(self);
    else if (turn % REPAIR_PERIOD == 0)
        open_database(self);
}

static void wait_for_turn(role_list_watcher *self)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += REFRESH_PERIOD * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&self->wake, &self->mutex, &until);
}

static void *watch(void *watcher)
{
    role_list_watcher *self = watcher;
    unsigned turn = 0;

    pthread_mutex_lock(&self->mutex);
    while (!self->must_stop) {
        look_after_database(self, turn++);
        self->what.looked(self->what.arg);
        wait_for_turn(self);
    }
    pthread_mutex_unlock(&self->mutex);
    return NULL;
}

static void init(role_list_watcher *self)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&self->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&self->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Signals are the main thread's. */
static void start_thread(role_list_watcher *self)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->is_running = pthread_create(&self->thread, NULL, watch, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!self->is_running)
        LogError(errno, RS_RET_ERR,
                 "mmsynctap: action '%s': no thread to watch the role list: it is read at HUP only",
                 self->what.action->name);
}

role_list_watcher *role_list_watcher_start(const watched *what)
{
    role_list_watcher *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->what = *what;
    init(self);
    role_list_watcher_reopen(self);
    start_thread(self);
    return self;
}

void role_list_watcher_reopen(role_list_watcher *self)
{
    if (self == NULL)
        return;
    pthread_mutex_lock(&self->mutex);
    open_database(self);
    pthread_mutex_unlock(&self->mutex);
}

static void stop_thread(role_list_watcher *self)
{
    pthread_mutex_lock(&self->mutex);
    self->must_stop = true;
    pthread_cond_signal(&self->wake);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
}

void role_list_watcher_stop(role_list_watcher *self)
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
