/* SPDX-License-Identifier: Apache-2.0 */
/*
 * detector_tend: the state database. What is in it comes to the workers as
 * snapshots; what workers remembered goes into it; and what may match since
 * the role list changed is judged again.
 */
#include <stdlib.h>

#include "detector/detector_parts.h"
#include "state/store_rescue.h"

enum {
    SUPERSEDED_KEPT = 1, /* days: longer than any reader looks away */
    PATIENCE = 200,      /* milliseconds that a step waits for another process's lock */
};

static void *out_of_memory(char **error)
{
    *error = strdup("out of memory");
    return NULL;
}

static void publish_accounts(detector *self, sync_accounts *accounts, int64_t change)
{
    sync_accounts *before;

    pthread_mutex_lock(&self->publishing);
    before = self->accounts;
    self->accounts = accounts;
    self->change = change;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    sync_accounts_unref(before);
}

/* --- the role list --- */

static void put_row(void *edit, const identity_record *row)
{
    sync_accounts_edit_put(edit, row);
}

/* `old` with what changed in the role list since s->change; NULL, and *error, on a failure. */
static sync_accounts *read_changes(const detector *self, state *s, const sync_accounts *old,
                                   bool *restarted, char **error)
{
    sync_accounts_edit *edit = sync_accounts_edit_begin(old, self->rule);
    sync_accounts *result;
    bool read;

    if (edit == NULL)
        return out_of_memory(error);
    read = role_list_changes(s->list, &s->change, restarted, put_row, edit);
    result = sync_accounts_edit_end(edit);
    if (!read) {
        *error = strdup(store_error(s->store));
        sync_accounts_unref(result);
        return NULL;
    }
    return result ? result : out_of_memory(error);
}

/* The accounts of a whole role list, from its first change on, over those that stay known. */
static sync_accounts *read_all(const detector *self, state *s, sync_accounts *known, char **error)
{
    sync_accounts *base = known != NULL ? sync_accounts_ref(known)
                                        : sync_accounts_new(rule_get_semantics(self->rule));
    sync_accounts *all = NULL;
    bool restarted;

    s->change = 0;
    if (base == NULL)
        return out_of_memory(error);
    all = read_changes(self, s, base, &restarted, error);
    sync_accounts_unref(base);
    return all;
}

static detector_refresh_result fail(store *s, char **error)
{
    if (*error == NULL)
        *error = strdup(store_error(s));
    return store_is_busy(s) ? REFRESH_BUSY : REFRESH_FAILED;
}

static detector_refresh_result refresh(detector *self, char **error)
{
    int64_t before = self->state.change;
    sync_accounts *accounts;
    bool restarted;

    if (!store_has_changed(self->state.store))
        return REFRESH_UNCHANGED;
    /* Only this function and replace_state publish accounts, both under `reading`. */
    accounts = read_changes(self, &self->state, self->accounts, &restarted, error);
    if (accounts != NULL && restarted) {
        sync_accounts_unref(accounts);
        accounts = read_all(self, &self->state, NULL, error);
    }
    if (accounts == NULL || !role_list_read_facts(self->state.list, &self->facts)) {
        sync_accounts_unref(accounts);
        self->state.change = before; /* what was read and not kept is read again */
        store_forget_version(self->state.store);
        return fail(self->state.store, error);
    }
    if (self->state.change == before && !restarted)
        sync_accounts_unref(accounts); /* something else than the role list changed */
    else
        publish_accounts(self, accounts, self->state.change);
    return REFRESH_CHANGED;
}

detector_refresh_result detector_refresh(detector *self, char **error)
{
    detector_refresh_result result = REFRESH_UNCHANGED;

    *error = NULL;
    pthread_mutex_lock(&self->reading);
    if (self->state.store != NULL)
        result = refresh(self, error);
    pthread_mutex_unlock(&self->reading);
    return result;
}

/* --- opening --- */

static void close_state(state *s)
{
    role_list_close(s->list);
    store_close(s->store);
    *s = (state){0};
}

/*
 * Takes over an open store: its role list is read before anything is
 * replaced. What a lost database had told stays known beside what a rescued
 * one tells, until it is too old.
 */
static bool replace_state(detector *self, state *opened, bool is_rescued, timestamp now,
                          char **error)
{
    bool keeps_known = is_rescued || store_was_rescued(opened->store);
    sync_accounts *accounts = NULL;
    role_list_facts facts;

    store_set_patience(opened->store, PATIENCE);
    store_has_changed(opened->store); /* what comes from here on will be seen as a change */
    opened->list = role_list_open(opened->store);
    if (opened->list == NULL || !role_list_read_facts(opened->list, &facts))
        *error = strdup(store_error(opened->store));
    else
        accounts = read_all(self, opened, keeps_known ? self->accounts : NULL, error);
    if (accounts == NULL)
        return false;
    pthread_mutex_lock(&self->reading);
    if (self->stream != NULL)
        stream_detach(self->stream);
    close_state(&self->state);
    self->state = *opened;
    self->facts = facts;
    publish_accounts(self, accounts, opened->change);
    if (self->stream != NULL && store_is_writable(opened->store))
        stream_attach(self->stream, opened->store, now); /* else detector_tend tries again */
    pthread_mutex_unlock(&self->reading);
    return true;
}

static bool adopt(detector *self, store *s, bool is_rescued, timestamp now, char **error)
{
    state opened = {.store = s};

    *error = NULL;
    if (replace_state(self, &opened, is_rescued, now, error))
        return true;
    close_state(&opened);
    return false;
}

bool detector_adopt_store(detector *self, store *s, timestamp now, char **error)
{
    return adopt(self, s, false, now, error);
}

bool detector_open_store(detector *self, const char *path, store_open_mode how, timestamp now,
                         char **error)
{
    store *s = store_open(path, how, error);

    return s != NULL && detector_adopt_store(self, s, now, error);
}

bool detector_restore_store(detector *self, const char *path, timestamp now, char **error)
{
    bool restored;
    store *s;

    *error = NULL;
    pthread_mutex_lock(&self->reading);
    restored = self->state.store == NULL || store_restore(self->state.store, path, error);
    pthread_mutex_unlock(&self->reading);
    if (!restored)
        return false;
    s = store_open(path, STORE_CREATE, error);
    return s != NULL && adopt(self, s, true, now, error);
}

bool detector_replace_damaged_store(detector *self, const char *path, timestamp now,
                                    char **moved_to, char **error)
{
    store *s;

    pthread_mutex_lock(&self->reading);
    s = store_replace_damaged(self->state.store, path, moved_to, error);
    pthread_mutex_unlock(&self->reading);
    return s != NULL && adopt(self, s, true, now, error);
}

typedef bool store_property(const store *s);

/* False, too, when there is no store. */
static bool store_is(detector *self, store_property *holds)
{
    bool result;

    pthread_mutex_lock(&self->reading);
    result = self->state.store != NULL && holds(self->state.store);
    pthread_mutex_unlock(&self->reading);
    return result;
}

static bool is_there(const store *s)
{
    return s != NULL;
}

bool detector_has_store(detector *self)
{
    return store_is(self, is_there);
}

bool detector_store_is_writable(detector *self)
{
    return store_is(self, store_is_writable);
}

bool detector_store_is_in_place(detector *self)
{
    return store_is(self, store_is_in_place);
}

bool detector_store_is_damaged(detector *self)
{
    return store_is(self, store_is_damaged);
}

detector_facts detector_read_facts(detector *self, timestamp now)
{
    detector_facts facts = {0};

    pthread_mutex_lock(&self->reading);
    facts.sync_accounts = sync_accounts_count(self->accounts);
    facts.identity = self->facts;
    if (self->stream != NULL)
        facts.stream = stream_read_facts(self->stream, now);
    pthread_mutex_unlock(&self->reading);
    return facts;
}

/* --- pending records, judged again --- */

/* One round of it. */
typedef struct late_join {
    detector *detector;
    timestamp now;
    detector_sink *sink;
    void *arg;
    pending_ids found;
    pending_ids done; /* those with nothing left to match */
    bool failed;      /* memory is out, or store_error says why */
    bool refused;     /* an alert could not be handed on: all comes again */
} late_join;

static void judge_record_again(late_join *j, int64_t id, const pending_record *record,
                               const sync_accounts *accounts)
{
    detector_worker *w = j->detector->tender;
    json *object;
    size_t taken;
    message_feed f;

    if (json_parse(unwrap_parser(w->unwrap), record->record, &object, &taken) != NULL) {
        j->failed |= record->record.length == 0; /* SQLite had no memory for it */
        return;
    }
    f = detector_begin_feed(w, j->now, record->received, j->sink, j->arg);
    f.judgement.accounts = accounts;
    f.is_late = true;
    detector_judge_object(&f, object);
    json_free(object);
    j->refused |= f.refused;
    j->failed |= f.out_of_memory || f.judgement.out_of_memory;
    if (f.unmatched == 0 && !f.refused && !j->failed)
        j->failed = !pending_ids_add(&j->done, id);
}

static void judge_again(late_join *j, int64_t id, const sync_accounts *accounts, timestamp before)
{
    pending *p = stream_pending(j->detector->stream);
    pending_record record;

    if (!pending_read(p, id, &record, &j->failed))
        return;
    if (record.expires > j->now && record.received < before)
        judge_record_again(j, id, &record, accounts);
    pending_end_read(p);
}

static int compare_ids(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Each of them once, in the order in which they came; the queue that took one not takes no other.
 */
static void judge_all(late_join *j, pending_ids *ids, const sync_accounts *accounts,
                      timestamp before)
{
    if (ids->count > 0)
        qsort(ids->ids, ids->count, sizeof(*ids->ids), compare_ids);
    for (size_t i = 0; i < ids->count && !j->failed && !j->refused; i++)
        if (i == 0 || ids->ids[i] != ids->ids[i - 1])
            judge_again(j, ids->ids[i], accounts, before);
}

/* A sync account as it is now: which pending records may be its own? */
static void find_row(void *arg, const identity_record *row)
{
    late_join *j = arg;
    const rule *r = j->detector->rule;
    pending *p = stream_pending(j->detector->stream);

    if (!rule_is_sync_account(r, row, rule_get_semantics(r)))
        return;
    if (!pending_find(p, PENDING_UPN, row->account_upn, &j->found) ||
        !pending_find(p, PENDING_OBJECT_ID, row->account_object_id, &j->found))
        j->failed = true;
}

/* A version that came and went since the last look: judged as if it still stood. */
static void judge_version(void *arg, const identity_record *row, timestamp superseded)
{
    late_join *j = arg;
    sync_accounts_edit *edit;
    sync_accounts *then;

    find_row(j, row);
    if (j->found.count == 0 || j->failed)
        return;
    edit = sync_accounts_edit_begin(j->detector->accounts, j->detector->rule);
    if (edit != NULL)
        sync_accounts_edit_put(edit, row);
    then = edit != NULL ? sync_accounts_edit_end(edit) : NULL;
    if (then != NULL)
        judge_all(j, &j->found, then, superseded);
    else
        j->failed = true;
    j->found.count = 0;
    sync_accounts_unref(then);
}

/* Those whose accounts changed after that change. */
static bool judge_changes(late_join *j, int64_t change)
{
    const state *s = &j->detector->state;
    bool restarted;

    if (!role_list_each_superseded(s->list, change, judge_version, j) ||
        !role_list_changes(s->list, &change, &restarted, find_row, j) || j->failed)
        return false;
    judge_all(j, &j->found, j->detector->accounts, INT64_MAX);
    return !j->failed;
}

static bool remove_done(late_join *j)
{
    pending *p = stream_pending(j->detector->stream);
    store *s = j->detector->state.store;
    bool removed = true;

    if (j->done.count == 0)
        return true;
    if (!store_begin(s))
        return false;
    for (size_t i = 0; removed && i < j->done.count; i++)
        removed = pending_remove(p, j->done.ids[i]);
    if (removed && store_commit(s))
        return true;
    store_rollback(s);
    pending_recount(p);
    return false;
}

/* What is due was judged by an older role list: all that changed since then counts. */
static bool judge_due(late_join *j, int64_t *judged)
{
    stream *s = j->detector->stream;

    if (!stream_has_due(s))
        return true;
    if (!pending_find_due(stream_pending(s), &j->found, judged))
        return false;
    judge_all(j, &j->found, j->detector->accounts, INT64_MAX);
    j->found.count = 0;
    return !j->failed;
}

static bool judge_pending(late_join *j)
{
    int64_t judged = stream_judged(j->detector->stream);

    if (!judge_due(j, &judged))
        return false;
    return !stream_joins_late(j->detector->stream) || judged == j->detector->state.change ||
           judge_changes(j, judged);
}

/* What could not be done is done with the next call: all is judged again, and alerts once. */
static bool join_late(detector *self, late_join *j)
{
    stream *s = self->stream;
    bool has_work = stream_judged(s) != self->state.change || stream_has_due(s);
    bool judged = true;

    if (has_work && pending_count(stream_pending(s)) > 0)
        judged = judge_pending(j);
    if (!remove_done(j) || !judged || j->failed)
        return false;
    return j->refused || !has_work || stream_set_judged(s, self->state.change);
}

static bool join_and_free(detector *self, timestamp now, detector_sink *sink, void *arg)
{
    late_join j = {.detector = self, .now = now, .sink = sink, .arg = arg};
    bool joined = join_late(self, &j);

    pending_ids_free(&j.found);
    pending_ids_free(&j.done);
    return joined;
}

/* --- tending --- */

static bool forget_superseded(detector *self, timestamp now)
{
    store *s = self->state.store;
    int removed;

    if (!store_begin(s))
        return false;
    if (role_list_forget_superseded(self->state.list, now - SUPERSEDED_KEPT * TICKS_PER_DAY,
                                    &removed) &&
        store_commit(s))
        return true;
    store_rollback(s);
    return false;
}

/* False says store_error. */
static bool drain(detector *self, timestamp now)
{
    if (!stream_is_attached(self->stream) && !stream_attach(self->stream, self->state.store, now))
        return false;
    return stream_drain(self->stream, now);
}

static detector_refresh_result tend(detector *self, timestamp now, detector_sink *late, void *arg,
                                    char **error)
{
    store *s = self->state.store;
    detector_refresh_result result;

    if (self->stream == NULL || !store_is_writable(s))
        return refresh(self, error);
    if (!drain(self, now))
        return fail(s, error);
    result = refresh(self, error);
    if (result != REFRESH_UNCHANGED && result != REFRESH_CHANGED)
        return result;
    if (result == REFRESH_CHANGED &&
        (!stream_refresh(self->stream, now) || !forget_superseded(self, now)))
        return fail(s, error);
    if (!join_and_free(self, now, late, arg) || !stream_drain(self->stream, now) ||
        !stream_prune(self->stream, now))
        return fail(s, error);
    return result;
}

detector_refresh_result detector_tend(detector *self, timestamp now, detector_sink *late, void *arg,
                                      char **error)
{
    detector_refresh_result result = REFRESH_UNCHANGED;

    *error = NULL;
    pthread_mutex_lock(&self->reading);
    if (self->state.store != NULL)
        result = tend(self, now, late, arg, error);
    pthread_mutex_unlock(&self->reading);
    return result;
}
