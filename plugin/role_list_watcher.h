/*
 * role_list_watcher: the thread that keeps a detector's role list fresh.
 *
 * It looks at the state database every quarter of a second, opens it again
 * when it was lost, and says in the log when a trouble begins, changes or
 * ends, not at each look.
 */
#ifndef SYNCTAP_ROLE_LIST_WATCHER_H
#define SYNCTAP_ROLE_LIST_WATCHER_H

#include "rsyslog_module.h"

#include "detector.h"

typedef struct role_list_watcher role_list_watcher;

/* What a watcher works for; all of it outlives the watcher. */
typedef struct watched {
    const action_label *action;
    detector *detector;
    const char *database;      /* NULL: there is none to watch */
    intctr_t *state_errors;    /* counts failed looks */
    void (*looked)(void *arg); /* is called after each look, in the watcher's thread */
    void *arg;
} watched;

/* Opens the database and starts the thread; never before activateCnf. NULL when memory is out. */
role_list_watcher *role_list_watcher_start(const watched *what);

/* Opens the database anew, at HUP. Any thread. NULL is allowed. */
void role_list_watcher_reopen(role_list_watcher *self);

/* Stops the thread and frees the watcher; NULL is allowed. */
void role_list_watcher_stop(role_list_watcher *self);

#endif
