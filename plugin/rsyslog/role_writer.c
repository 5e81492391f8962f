/* SPDX-License-Identifier: Apache-2.0 */
/* role_writer: a connection that is opened where it is used, and a batch through it. */
#include "rsyslog/role_writer.h"

#include <stdlib.h>
#include <unistd.h>

#include "errmsg.h"

#include "base/shown.h"
#include "rule/rule.h"
#include "state/identity_import.h"
#include "state/open_error.h"
#include "state/role_feed.h"
#include "state/store_rescue.h"

enum { PATIENCE = 2000 }; /* milliseconds that a batch waits for another writer */

struct role_writer {
    role_action *action;
    identity_import *import;
    rule *rule; /* the built-in one: whom a snapshot must not take in silence */
    store *store;
    role_list *list;
    snapshot_stream *snapshot;
    bool is_damaged; /* the file is no sound database any more */
};

static void close_database(role_writer *self)
{
    snapshot_stream_close(self->snapshot);
    role_list_close(self->list);
    store_close(self->store);
    self->snapshot = NULL;
    self->list = NULL;
    self->store = NULL;
}

static void tell_database_error(role_writer *self, const char *error)
{
    role_action *action = self->action;

    role_action_count(action, COUNTER_STATE_ERRORS, 1);
    log_limited(&action->database_limit, &action->label,
                "the state database %s: %s: this batch of role rows was not kept; rsyslog tries it "
                "again as often as action.resumeRetryCount says (by default not at all)",
                action->database, error ? error : "out of memory");
}

/* A file that was deleted is written anew from what is still open of it, with the role list. */
static void bring_back_deleted(role_writer *self)
{
    const char *path = self->action->database;
    char *error;

    if (self->store == NULL || access(path, F_OK) == 0)
        return;
    if (!store_restore(self->store, path, &error))
        tell_database_error(self, error);
    free(error);
}

/* The other store, if there is one: what can be read of a damaged file is in it. */
static store *replace_damaged(role_writer *self, char **error)
{
    role_action *action = self->action;
    char *moved_to;
    store *made = store_replace_damaged(self->store, action->database, &moved_to, error);

    if (moved_to != NULL)
        LogError(0, RS_RET_ERR,
                 "omidentityinfo: action '%s': the state database %s was damaged: it is now %s, "
                 "and what could be read of it is in a new one; load the role list again",
                 action->label.name, action->database, moved_to);
    free(moved_to);
    return made;
}

static void tell_news(const role_writer *self)
{
    const char *news = store_news(self->store);

    if (news != NULL)
        LogError(0, RS_RET_ERR, "omidentityinfo: action '%s': the state database %s: %s",
                 self->action->label.name, self->action->database, news);
}

/* Its log was deleted, and it was not: what it held goes into the file. */
static void save_log(role_writer *self)
{
    char *error;

    if (self->store == NULL || !store_is_in_place(self->store) || store_has_log(self->store))
        return;
    if (!store_save_log(self->store, &error))
        LogError(0, RS_RET_ERR,
                 "omidentityinfo: action '%s': the log of the state database, %s-wal, was deleted: "
                 "what was in it is lost: %s",
                 self->action->label.name, self->action->database, error ? error : "out of memory");
    free(error);
}

/* It, and its log, are those that were opened. */
static bool is_in_place(const role_writer *self)
{
    return store_is_in_place(self->store) && store_has_log(self->store);
}

static store *open_store(role_writer *self, char **error)
{
    store_open_mode patience = stop_is_asked() ? STORE_AT_ONCE : STORE_BRIEFLY;

    if (self->is_damaged && self->store != NULL)
        return replace_damaged(self, error);
    bring_back_deleted(self);
    save_log(self);
    return store_open(self->action->database, STORE_CREATE | patience, error);
}

static int64_t end_of_waiting(void *writer)
{
    role_writer *self = writer;

    return stop_last_wait(&self->action->stop);
}

/* SQLite's own word would be that there was an attempt. */
static bool refuse_read_only(role_writer *self)
{
    char *why;

    if (store_is_writable(self->store))
        return false;
    why = open_error_read_only(self->action->database);
    tell_database_error(self, why);
    free(why);
    close_database(self);
    return true;
}

/* Opened where it is used, after the fork: SQLite's connections do not survive one. */
bool role_writer_open(role_writer *self)
{
    char *error;
    store *opened;

    if (self->store != NULL && is_in_place(self))
        self->is_damaged |= !store_begins_whole(self->store);
    if (self->list != NULL && !self->is_damaged && is_in_place(self))
        return true;
    opened = open_store(self, &error);
    close_database(self);
    self->is_damaged = false;
    self->store = opened;
    if (self->store == NULL) {
        tell_database_error(self, error);
        free(error);
        return false;
    }
    tell_news(self);
    if (refuse_read_only(self))
        return false;
    store_set_patience_until(self->store, PATIENCE, end_of_waiting, self);
    self->list = role_list_open(self->store);
    if (self->list != NULL)
        self->snapshot = snapshot_stream_open(self->store, self->list, self->rule);
    if (self->snapshot != NULL)
        return true;
    tell_database_error(self, store_error(self->store));
    close_database(self);
    return false;
}

/* NULL: it is one. */
static const char *why_rejected(const identity_imported *got)
{
    if (got->records > 0 && got->broken + got->failed_parts == 0 && got->without_time == 0)
        return NULL;
    if (got->reason != NULL)
        return got->reason;
    return got->without_time ? "rows in it have no readable time" : "no row of a role list in it";
}

static void tell_rejected(role_action *action, const char *reason)
{
    role_action_count(action, COUNTER_REJECTED, 1);
    log_limited(&action->rejected_limit, &action->label, "a message without an identity record: %s",
                reason);
}

/* Who has lost his role by it, or why nobody has, is said of each snapshot. */
static bool take_marker(void *arg, const snapshot_marker *marker)
{
    role_writer *self = arg;
    buffer words = {0}, id = {0};
    snapshot_end end = snapshot_stream_mark(self->snapshot, marker, &words);

    shown_append(&id, marker->id);
    if (end != SNAPSHOT_FAILED && words.length > 0)
        LogError(0, RS_RET_ERR, "omidentityinfo: action '%s': the snapshot %s: %s",
                 self->action->label.name, buffer_string(&id), buffer_string(&words));
    if (end == SNAPSHOT_LEFT)
        role_action_count(self->action, COUNTER_REJECTED, 1);
    buffer_free(&words);
    buffer_free(&id);
    return end != SNAPSHOT_FAILED;
}

role_writer *role_writer_new(role_action *action)
{
    role_writer *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->action = action;
    self->import = identity_import_new();
    self->rule = rule_new();
    if (self->import != NULL && self->rule != NULL) {
        identity_import_set_marker_taker(self->import, take_marker, self);
        return self;
    }
    role_writer_free(self);
    return NULL;
}

void role_writer_free(role_writer *self)
{
    if (self == NULL)
        return;
    close_database(self);
    identity_import_free(self->import);
    rule_free(self->rule);
    free(self);
}

static text string_of(actWrkrIParams_t *messages, unsigned which, role_string string)
{
    const actWrkrIParams_t *m = &actParam(messages, ROLE_STRINGS, which, string);

    return (text){(const char *)m->param, m->lenStr};
}

static bool put_message(role_writer *self, const carrier *rulebase, actWrkrIParams_t *messages,
                        unsigned which, size_t *rows, role_feed *feed)
{
    timestamp received;
    identity_imported got;
    const char *rejected;

    if (!timestamp_parse(string_of(messages, which, ROLE_RECEIVED), &received))
        received = timestamp_now();
    got = identity_import_feed(self->import, self->list, rulebase,
                               string_of(messages, which, ROLE_MESSAGE), received);
    if (got.failed)
        return false;
    rejected = why_rejected(&got);
    if (rejected != NULL)
        tell_rejected(self->action, rejected);
    if (rejected == NULL || got.rows > 0)
        role_feed_note(feed, timestamp_now(), NULL);
    else
        role_feed_note(feed, timestamp_now(), rejected);
    *rows += got.rows;
    return true;
}

bool role_writer_put(role_writer *self, actWrkrIParams_t *messages, unsigned how_many)
{
    role_feed feed = {.name = self->action->label.name, .reason = ""};
    carrier *rulebase;
    size_t rows = 0;
    bool put = true;

    if (!role_writer_open(self))
        return false;
    rulebase = role_action_take_rulebase(self->action);
    put = role_list_begin(self->list) && snapshot_stream_resume(self->snapshot, timestamp_now());
    for (unsigned i = 0; put && i < how_many; i++)
        put = put_message(self, rulebase, messages, i, &rows, &feed);
    put = put && role_feed_write(self->store, &feed) && role_list_commit(self->list);
    if (!put) {
        tell_database_error(self, store_error(self->store));
        role_list_rollback(self->list);
        self->is_damaged = store_is_damaged(self->store);
        if (!self->is_damaged)
            close_database(self); /* the next try begins anew, perhaps with another file */
    }
    carrier_unref(rulebase);
    role_action_count(self->action, COUNTER_ROWS, put ? rows : 0);
    role_action_count(self->action, COUNTER_MESSAGES, put ? how_many : 0);
    return put;
}
