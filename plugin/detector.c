/* detector: what is shared behind a lock that no message waits for, and the way of a message. */
#include "detector.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "gate.h"
#include "sync_accounts.h"
#include "unwrap.h"

/* An open database, and how far its role list has been read. */
typedef struct state {
    store *store;
    role_list *list;
    int64_t change;
} state;

struct detector {
    const rule *rule;
    gate *gate;
    char *collector;

    /* The snapshots. Workers take theirs under the lock when the generation has moved. */
    pthread_mutex_t publishing;
    atomic_ullong generation;
    carrier *rulebase;
    sync_accounts *accounts;

    pthread_mutex_t reading; /* guards the state; never held while a message is judged */
    state state;
    role_list_facts facts;
};

struct detector_worker {
    detector *detector;
    unsigned long long generation;
    carrier *rulebase;
    sync_accounts *accounts;
    unwrap *unwrap;
    arena *memory;
};

/* One message on its way. */
typedef struct feeding {
    detector_worker *worker;
    timestamp now;
    detector_sink *sink;
    void *arg;
    bool out_of_memory;
    detection seen;
} feeding;

static bool make_parts(detector *self)
{
    size_t count;
    const text *operations = rule_get_list(self->rule, RULE_OPERATIONS, &count);

    self->gate = gate_new(operations, count, rule_get_semantics(self->rule));
    self->accounts = sync_accounts_new(rule_get_semantics(self->rule));
    return self->gate != NULL && self->accounts != NULL && detector_set_collector(self, "");
}

detector *detector_new(const rule *r)
{
    detector *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->rule = r;
    pthread_mutex_init(&self->publishing, NULL);
    pthread_mutex_init(&self->reading, NULL);
    atomic_init(&self->generation, 1);
    if (make_parts(self))
        return self;
    detector_free(self);
    return NULL;
}

static void close_state(state *s)
{
    role_list_close(s->list);
    store_close(s->store);
    *s = (state){0};
}

void detector_free(detector *self)
{
    if (self == NULL)
        return;
    close_state(&self->state);
    gate_free(self->gate);
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    pthread_mutex_destroy(&self->publishing);
    pthread_mutex_destroy(&self->reading);
    free(self->collector);
    free(self);
}

bool detector_set_collector(detector *self, const char *host_name)
{
    char *copy = strdup(host_name);

    if (copy == NULL)
        return false;
    free(self->collector);
    self->collector = copy;
    return true;
}

static void *out_of_memory(char **error)
{
    *error = strdup("out of memory");
    return NULL;
}

bool detector_open_rulebase(detector *self, const char *path, char **error)
{
    carrier *opened = carrier_open(path, error);
    carrier *before;

    if (opened == NULL)
        return false;
    pthread_mutex_lock(&self->publishing);
    before = self->rulebase;
    self->rulebase = opened;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    carrier_unref(before);
    return true;
}

static void publish_accounts(detector *self, sync_accounts *accounts)
{
    sync_accounts *before;

    pthread_mutex_lock(&self->publishing);
    before = self->accounts;
    self->accounts = accounts;
    atomic_fetch_add(&self->generation, 1);
    pthread_mutex_unlock(&self->publishing);
    sync_accounts_unref(before);
}

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

/* The accounts of a whole role list, from its first change on. */
static sync_accounts *read_all(const detector *self, state *s, char **error)
{
    sync_accounts *none = sync_accounts_new(rule_get_semantics(self->rule));
    sync_accounts *all = NULL;
    bool restarted;

    s->change = 0;
    if (none == NULL)
        return out_of_memory(error);
    all = read_changes(self, s, none, &restarted, error);
    sync_accounts_unref(none);
    return all;
}

/* Takes over an open store: its role list is read before anything is replaced. */
static bool replace_state(detector *self, state *opened, char **error)
{
    sync_accounts *accounts = NULL;
    role_list_facts facts;

    store_has_changed(opened->store); /* what comes from here on will be seen as a change */
    opened->list = role_list_open(opened->store);
    if (opened->list == NULL || !role_list_read_facts(opened->list, &facts))
        *error = strdup(store_error(opened->store));
    else
        accounts = read_all(self, opened, error);
    if (accounts == NULL)
        return false;
    pthread_mutex_lock(&self->reading);
    close_state(&self->state);
    self->state = *opened;
    self->facts = facts;
    publish_accounts(self, accounts);
    pthread_mutex_unlock(&self->reading);
    return true;
}

bool detector_adopt_store(detector *self, store *s, char **error)
{
    state opened = {.store = s};

    *error = NULL;
    if (replace_state(self, &opened, error))
        return true;
    close_state(&opened);
    return false;
}

bool detector_open_store(detector *self, const char *path, store_opening how, char **error)
{
    store *s = store_open(path, how, error);

    return s != NULL && detector_adopt_store(self, s, error);
}

bool detector_has_store(detector *self)
{
    bool has;

    pthread_mutex_lock(&self->reading);
    has = self->state.store != NULL;
    pthread_mutex_unlock(&self->reading);
    return has;
}

bool detector_store_is_writable(detector *self)
{
    bool writable;

    pthread_mutex_lock(&self->reading);
    writable = self->state.store != NULL && store_is_writable(self->state.store);
    pthread_mutex_unlock(&self->reading);
    return writable;
}

static detector_refreshing refresh(detector *self, char **error)
{
    sync_accounts *accounts;
    bool restarted;

    if (!store_has_changed(self->state.store))
        return REFRESH_UNCHANGED;
    /* Only this function and replace_state publish accounts, both under `reading`. */
    accounts = read_changes(self, &self->state, self->accounts, &restarted, error);
    if (accounts != NULL && restarted) {
        sync_accounts_unref(accounts);
        accounts = read_all(self, &self->state, error);
    }
    if (accounts == NULL || !role_list_read_facts(self->state.list, &self->facts)) {
        sync_accounts_unref(accounts);
        store_forget_version(self->state.store);
        if (*error == NULL)
            *error = strdup(store_error(self->state.store));
        return REFRESH_FAILED;
    }
    publish_accounts(self, accounts);
    return REFRESH_CHANGED;
}

detector_refreshing detector_refresh(detector *self, char **error)
{
    detector_refreshing result = REFRESH_UNCHANGED;

    *error = NULL;
    pthread_mutex_lock(&self->reading);
    if (self->state.store != NULL)
        result = refresh(self, error);
    pthread_mutex_unlock(&self->reading);
    return result;
}

detector_facts detector_read_facts(detector *self)
{
    detector_facts facts;

    pthread_mutex_lock(&self->reading);
    facts = (detector_facts){sync_accounts_count(self->accounts), self->facts};
    pthread_mutex_unlock(&self->reading);
    return facts;
}

detector_worker *detector_worker_new(detector *d)
{
    detector_worker *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->detector = d;
    self->unwrap = unwrap_new();
    self->memory = arena_new();
    if (self->unwrap != NULL && self->memory != NULL)
        return self;
    detector_worker_free(self);
    return NULL;
}

void detector_worker_free(detector_worker *self)
{
    if (self == NULL)
        return;
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    unwrap_free(self->unwrap);
    arena_free(self->memory);
    free(self);
}

/* Takes the newest snapshots if there are newer ones; else this is one load of a word. */
static void catch_up(detector_worker *self)
{
    detector *d = self->detector;

    if (atomic_load_explicit(&d->generation, memory_order_acquire) == self->generation)
        return;
    carrier_unref(self->rulebase);
    sync_accounts_unref(self->accounts);
    pthread_mutex_lock(&d->publishing);
    self->rulebase = d->rulebase ? carrier_ref(d->rulebase) : NULL;
    self->accounts = sync_accounts_ref(d->accounts);
    self->generation = atomic_load(&d->generation);
    pthread_mutex_unlock(&d->publishing);
}

static void judge_target(feeding *f, alert *a, size_t index)
{
    const detector *d = f->worker->detector;

    if (!audit_record_target(a->record, index, f->worker->memory, &a->target)) {
        f->out_of_memory = true;
        return;
    }
    a->matched_by = rule_match_target(d->rule, f->worker->accounts, &a->target, f->now);
    if (a->matched_by == 0)
        return;
    if (!alert_give_id(a)) {
        f->out_of_memory = true;
        return;
    }
    f->seen.rows++;
    f->sink(f->arg, a);
}

static void judge_record(feeding *f, const audit_record *record)
{
    const detector *d = f->worker->detector;
    size_t targets = audit_record_target_count(record);
    alert a = {
        .record = record,
        .kql = true,
        .time_generated = record->has_time ? record->time_generated : f->now,
        .detected_at = f->now,
        .collector = text_of(d->collector),
    };

    if (!rule_is_operation(d->rule, record))
        return;
    if (a.time_generated <= f->now - rule_get_lookback(d->rule)) {
        f->seen.stale++;
        return;
    }
    for (size_t i = 0; i < targets; i++)
        judge_target(f, &a, i);
}

static bool judge_object(void *arg, json *object)
{
    feeding *f = arg;
    audit_record record;
    audit_reading reading = audit_record_read(object, f->worker->memory, &record);

    if (reading == AUDIT_RECORD)
        judge_record(f, &record);
    else if (reading == AUDIT_OUT_OF_MEMORY)
        f->out_of_memory = true;
    arena_reset(f->worker->memory);
    return reading != AUDIT_OTHER_KIND;
}

static void note_unwrapped(feeding *f, const unwrapped *found)
{
    f->seen.candidate = found->records > 0 || found->broken > 0;
    f->seen.records = found->records;
    f->seen.broken = found->broken;
    f->seen.broken_at = found->broken_at;
    f->seen.reason = found->reason;
    if (f->out_of_memory) {
        f->seen.undecodable = true;
        f->seen.reason = "out of memory";
    }
}

detection detector_feed(detector_worker *self, text message, timestamp now, detector_sink *sink,
                        void *arg)
{
    const detector *d = self->detector;
    feeding f = {.worker = self, .now = now, .sink = sink, .arg = arg};
    unwrapped found;

    if (!gate_may_hold(d->gate, message))
        return f.seen;
    catch_up(self);
    found = unwrap_text(self->unwrap, self->rulebase, message, judge_object, &f);
    note_unwrapped(&f, &found);
    f.seen.candidate = true;
    if (found.broken > 0 && gate_may_hold(d->gate, text_from(message, found.broken_at)))
        f.seen.undecodable = true;
    return f.seen;
}

detection detector_feed_tree(detector_worker *self, json *tree, timestamp now, detector_sink *sink,
                             void *arg)
{
    feeding f = {.worker = self, .now = now, .sink = sink, .arg = arg};
    unwrapped found;

    catch_up(self);
    found = unwrap_tree(tree, judge_object, &f);
    note_unwrapped(&f, &found);
    return f.seen;
}
