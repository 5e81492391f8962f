/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper: what is in the state database comes to the workers as snapshots, and
 * what workers remembered goes into it.
 */
#include "detector/keeper.h"

#include <stdlib.h>

#include "detector/aging.h"
#include "detector/late_join.h"
#include "detector/learned_join.h"
#include "detector/watchlist_join.h"
#include "rule/watchlists.h"
#include "state/learned_roles.h"
#include "state/store_rescue.h"
#include "state/sync_census.h"

enum {
    PATIENCE = 200, /* milliseconds that a step waits for another process's lock */
};

/* An open database, and how far its role list has been read. */
typedef struct database {
    store *store;
    role_list *list;
    learned_roles *learned;
    int64_t change;
} database;

struct keeper {
    detector *detector;
    const rule *rule;
    database database;
    sync_accounts *accounts; /* the detector's */
    role_list_facts facts;
    sync_loss loss; /* not told yet */
    size_t count_before_loss;

    /* Of a stream; else NULL. */
    stream *stream;
    detector_worker *worker; /* judges pending records again */
    aging *aging;
    watchlist_join *watchlist_join;
    watchlists *lists; /* as they were before the last drain */
    learned_join *learned_join;
};

static void close_database(database *d)
{
    role_list_close(d->list);
    learned_roles_close(d->learned);
    store_close(d->store);
    *d = (database){0};
}

keeper *keeper_new(detector *d)
{
    keeper *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->detector = d;
    self->rule = detector_rule(d);
    self->accounts = sync_accounts_new(rule_get_semantics(self->rule));
    if (self->accounts != NULL)
        return self;
    keeper_free(self);
    return NULL;
}

void keeper_free(keeper *self)
{
    if (self == NULL)
        return;
    stream_free(self->stream); /* before the store that it is attached to */
    detector_worker_free(self->worker);
    aging_free(self->aging);
    watchlist_join_free(self->watchlist_join);
    watchlists_unref(self->lists);
    learned_join_free(self->learned_join);
    close_database(&self->database);
    sync_accounts_unref(self->accounts);
    buffer_free(&self->loss.names);
    free(self);
}

static bool must_stop(void *arg)
{
    const keeper *self = arg;

    return stream_must_stop(self->stream);
}

bool keeper_follow(keeper *self, const stream_options *options)
{
    self->stream = stream_new(self->rule, options);
    self->worker = self->stream != NULL ? detector_worker_new(self->detector) : NULL;
    self->aging = aging_new(self->rule);
    self->watchlist_join = watchlist_join_new();
    self->learned_join = learned_join_new();
    if (self->worker == NULL || self->aging == NULL || self->watchlist_join == NULL ||
        self->learned_join == NULL)
        return false;
    detector_worker_stop_when(self->worker, must_stop, self);
    detector_follow(self->detector, self->stream);
    return true;
}

static void *out_of_memory(char **error)
{
    *error = strdup("out of memory");
    return NULL;
}

/* --- the role list --- */

/* The reference becomes the keeper's. */
static void add_lost(void *arg, text upn)
{
    sync_loss_add(arg, upn);
}

static void note_loss(keeper *self, const sync_accounts *accounts)
{
    if (self->loss.count == 0)
        self->count_before_loss = sync_accounts_count(self->accounts);
    sync_accounts_each_lost(self->accounts, accounts, add_lost, &self->loss);
}

static void publish(keeper *self, sync_accounts *accounts)
{
    if (self->accounts != NULL)
        note_loss(self, accounts);
    sync_accounts_unref(self->accounts);
    self->accounts = accounts;
    detector_set_accounts(self->detector, accounts, self->database.change);
}

typedef struct account_changes {
    const rule *rule;
    sync_accounts_edit *edit;
} account_changes;

static void put_row(void *changes, const identity_record *row)
{
    const account_changes *c = changes;

    rule_put_account(c->rule, c->edit, row);
}

typedef struct learning {
    const rule *rule;
    learned_accounts *accounts;
    bool failed;
} learning;

static void add_learned(void *arg, const learned_role *role)
{
    learning *l = arg;

    l->failed |= !learned_accounts_add(l->accounts, role, rule_sets_of_learned(l->rule, role));
}

/* The old snapshot where it is the same. False: store_error says why; without memory the edit
 * fails. */
static bool read_learned(const keeper *self, database *d, const sync_accounts *old,
                         sync_accounts_edit *edit)
{
    learning l = {self->rule, learned_accounts_new(), false};
    bool read = l.accounts == NULL || learned_roles_each(d->learned, add_learned, &l);

    if (l.accounts == NULL || l.failed)
        sync_accounts_edit_fail(edit);
    else if (read && !learned_accounts_are_same(sync_accounts_learned(old), l.accounts))
        sync_accounts_edit_set_learned(edit, l.accounts);
    learned_accounts_unref(l.accounts);
    return read;
}

/* `old` with what changed in the role list since d->change; NULL, and *error, on a failure. */
static sync_accounts *read_changes(const keeper *self, database *d, const sync_accounts *old,
                                   bool *restarted, char **error)
{
    account_changes changes = {self->rule, sync_accounts_edit_begin(old)};
    sync_accounts *result;
    bool read;

    if (changes.edit == NULL)
        return out_of_memory(error);
    read = role_list_changes(d->list, &d->change, restarted, put_row, &changes) &&
           (!rule_learns(self->rule) || read_learned(self, d, old, changes.edit));
    result = sync_accounts_edit_end(changes.edit);
    if (!read) {
        *error = strdup(store_error(d->store));
        sync_accounts_unref(result);
        return NULL;
    }
    return result ? result : out_of_memory(error);
}

/* The accounts of a whole role list, from its first change on, over those that stay known. */
static sync_accounts *read_all(const keeper *self, database *d, sync_accounts *known, char **error)
{
    sync_accounts *base = known != NULL ? sync_accounts_ref(known)
                                        : sync_accounts_new(rule_get_semantics(self->rule));
    sync_accounts *all = NULL;
    bool restarted;

    d->change = 0;
    if (base == NULL)
        return out_of_memory(error);
    all = read_changes(self, d, base, &restarted, error);
    sync_accounts_unref(base);
    return all;
}

static keeper_status fail(store *s, char **error)
{
    if (*error == NULL)
        *error = strdup(store_error(s));
    return store_is_busy(s) ? KEEPER_BUSY : KEEPER_FAILED;
}

static keeper_status update_accounts(keeper *self, char **error)
{
    database *d = &self->database;
    int64_t before = d->change;
    sync_accounts *accounts;
    bool restarted;

    if (!store_has_changed(d->store))
        return KEEPER_UNCHANGED;
    accounts = read_changes(self, d, self->accounts, &restarted, error);
    if (accounts != NULL && restarted) {
        sync_accounts_unref(accounts);
        accounts = read_all(self, d, NULL, error);
    }
    if (accounts == NULL || !role_list_read_facts(d->list, &self->facts)) {
        sync_accounts_unref(accounts);
        d->change = before; /* what was read and not kept is read again */
        store_forget_version(d->store);
        return fail(d->store, error);
    }
    if (d->change == before && !restarted &&
        sync_accounts_learned(accounts) == sync_accounts_learned(self->accounts))
        sync_accounts_unref(accounts); /* something else than the role list changed */
    else
        publish(self, accounts);
    return KEEPER_CHANGED;
}

/* --- opening --- */

/*
 * Takes over an open store: its role list is read before anything is
 * replaced. What a lost database had told stays known beside what a rescued
 * one tells, until it is too old.
 */
static bool replace_database(keeper *self, database *opened, bool is_rescued, timestamp now,
                             char **error)
{
    bool keeps_known = is_rescued || store_was_rescued(opened->store);
    sync_accounts *accounts = NULL;
    role_list_facts facts;

    store_set_patience(opened->store, PATIENCE);
    store_has_changed(opened->store); /* what comes from here on will be seen as a change */
    opened->list = role_list_open(opened->store);
    opened->learned = learned_roles_open(opened->store);
    if (opened->list == NULL || opened->learned == NULL ||
        !role_list_read_facts(opened->list, &facts))
        *error = strdup(store_error(opened->store));
    else
        accounts = read_all(self, opened, keeps_known ? self->accounts : NULL, error);
    if (accounts == NULL)
        return false;
    if (self->stream != NULL)
        stream_detach(self->stream);
    close_database(&self->database);
    self->database = *opened;
    self->facts = facts;
    publish(self, accounts);
    if (self->stream != NULL && store_is_writable(opened->store))
        stream_attach(self->stream, opened->store, now); /* else keeper_update tries again */
    return true;
}

static bool adopt(keeper *self, store *s, bool is_rescued, timestamp now, char **error)
{
    database opened = {.store = s};

    *error = NULL;
    if (replace_database(self, &opened, is_rescued, now, error))
        return true;
    close_database(&opened);
    return false;
}

bool keeper_adopt(keeper *self, store *s, timestamp now, char **error)
{
    return adopt(self, s, false, now, error);
}

bool keeper_open(keeper *self, const char *path, store_open_mode how, timestamp now, char **error)
{
    store *s = store_open(path, how, error);

    return s != NULL && keeper_adopt(self, s, now, error);
}

bool keeper_restore(keeper *self, const char *path, timestamp now, char **error)
{
    store *s = self->database.store;

    *error = NULL;
    if (s != NULL && !store_restore(s, path, error))
        return false;
    s = store_open(path, STORE_CREATE | STORE_AT_ONCE, error);
    return s != NULL && adopt(self, s, true, now, error);
}

bool keeper_save_log(keeper *self, char **error)
{
    return store_save_log(self->database.store, error);
}

bool keeper_replace_damaged(keeper *self, const char *path, timestamp now, char **moved_to,
                            char **error)
{
    store *s = store_replace_damaged(self->database.store, path, moved_to, error);

    return s != NULL && adopt(self, s, true, now, error);
}

const store *keeper_store(const keeper *self)
{
    return self->database.store;
}

keeper_facts keeper_read_facts(const keeper *self, timestamp now)
{
    keeper_facts facts = {
        .sync_accounts = sync_accounts_count(self->accounts),
        .learned_roles = learned_accounts_count(sync_accounts_learned(self->accounts)),
        .identity = self->facts,
    };

    if (self->stream != NULL)
        facts.stream = stream_read_facts(self->stream, now);
    return facts;
}

/* --- updating --- */

/* False says store_error. */
static bool drain(keeper *self, timestamp now)
{
    if (!stream_is_attached(self->stream) &&
        !stream_attach(self->stream, self->database.store, now))
        return false;
    return !stream_is_attached(self->stream) || stream_drain(self->stream, now);
}

static late_join_parts parts_of(const keeper *self)
{
    return (late_join_parts){
        .rule = self->rule,
        .worker = self->worker,
        .stream = self->stream,
        .store = self->database.store,
        .list = self->database.list,
        .accounts = self->accounts,
        .change = self->database.change,
    };
}

static bool join_late(keeper *self, timestamp now, detector_sink *sink, void *arg)
{
    const late_join_parts parts = parts_of(self);

    return late_join_run(&parts, now, sink, arg);
}

/* What got too old by now, while the accounts were the ones that are known. */
static bool join_aged(keeper *self, timestamp now, detector_sink *sink, void *arg)
{
    const late_join_parts parts = parts_of(self);

    aging_take(self->aging, self->accounts, now);
    return aging_run(self->aging, &parts, now, sink, arg);
}

static bool join_learned(keeper *self, timestamp now, detector_sink *sink, void *arg)
{
    const late_join_parts parts = parts_of(self);

    return learned_join_run(self->learned_join, &parts, now, sink, arg);
}

/* Before a drain: what older ones judged is then drained, or asks for another look. */
static void take_watchlists(keeper *self)
{
    bool again;

    watchlists_unref(self->lists);
    self->lists = detector_ref_watchlists(self->detector, &again);
    if (again)
        watchlist_join_forget(self->watchlist_join);
}

static bool join_watchlists(keeper *self, timestamp now, detector_sink *sink, void *arg)
{
    const late_join_parts parts = parts_of(self);

    return watchlist_join_run(self->watchlist_join, self->lists, &parts, now, sink, arg);
}

timestamp keeper_next_end(const keeper *self)
{
    return self->aging != NULL ? aging_next(self->aging) : INT64_MAX;
}

static keeper_status update_stream(keeper *self, timestamp now, detector_sink *late, void *arg,
                                   char **error)
{
    store *s = self->database.store;
    keeper_status status;

    take_watchlists(self);
    if (!drain(self, now))
        return fail(s, error);
    if (!stream_is_attached(self->stream))
        return update_accounts(self, error); /* the journal holds more than a look moves */
    if (!join_aged(self, now, late, arg))
        return fail(s, error);
    status = update_accounts(self, error);
    if (status != KEEPER_UNCHANGED && status != KEEPER_CHANGED)
        return status;
    aging_take(self->aging, self->accounts, now);
    if (status == KEEPER_CHANGED && !stream_refresh(self->stream, now)) {
        store_forget_version(s); /* what was not taken in comes with the next look */
        return fail(s, error);
    }
    if (!join_late(self, now, late, arg) || !join_watchlists(self, now, late, arg) ||
        !join_learned(self, now, late, arg) || !stream_drain(self->stream, now) ||
        !stream_prune(self->stream, now))
        return fail(s, error);
    return status;
}

void keeper_stop(keeper *self)
{
    if (self->stream != NULL)
        stream_stop(self->stream);
}

size_t keeper_flush(keeper *self)
{
    return self->stream != NULL ? stream_flush(self->stream) : 0;
}

bool keeper_beat(keeper *self, const heartbeat *beat, timestamp now)
{
    return self->stream != NULL && self->database.store != NULL &&
           store_is_writable(self->database.store) && stream_beat(self->stream, beat, now);
}

void keeper_write_loss(keeper *self, buffer *out)
{
    if (self->loss.count > 0)
        sync_loss_write(&self->loss, self->count_before_loss, sync_accounts_count(self->accounts),
                        out);
}

bool keeper_each_action(keeper *self, timestamp now, action_state_sink *sink, void *arg)
{
    return self->database.store != NULL && action_states_each(self->database.store, now, sink, arg);
}

keeper_status keeper_update(keeper *self, timestamp now, detector_sink *late, void *arg,
                            char **error)
{
    *error = NULL;
    if (self->database.store == NULL)
        return KEEPER_UNCHANGED;
    if (!store_begins_whole(self->database.store))
        return fail(self->database.store, error);
    if (self->stream == NULL || !store_is_writable(self->database.store))
        return update_accounts(self, error);
    return update_stream(self, now, late, arg, error);
}
