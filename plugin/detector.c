/* detector: what is shared behind a lock that no message waits for, and the way of a message. */
#include "detector.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "fragment.h"
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
    gate_scratch *scratch;
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

/* Of all the phrases by which an operation can be told in the rule's semantics. */
static gate *make_gate(const rule *r)
{
    size_t count, wide_count;
    const text *operations = rule_get_list(r, RULE_OPERATIONS, &count);
    const text *wide = rule_get_wide_list(r, RULE_OPERATIONS, &wide_count);
    text *phrases = calloc(count + wide_count + 1, sizeof(text));
    gate *result = NULL;

    if (phrases != NULL) {
        if (count > 0)
            memcpy(phrases, operations, count * sizeof(text));
        if (wide_count > 0)
            memcpy(phrases + count, wide, wide_count * sizeof(text));
        result = gate_new(phrases, count + wide_count, rule_get_semantics(r));
    }
    free(phrases);
    return result;
}

static bool make_parts(detector *self)
{
    self->gate = make_gate(self->rule);
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

bool detector_store_is_in_place(detector *self)
{
    bool in_place;

    pthread_mutex_lock(&self->reading);
    in_place = self->state.store != NULL && store_is_in_place(self->state.store);
    pthread_mutex_unlock(&self->reading);
    return in_place;
}

static detector_refreshing refresh(detector *self, char **error)
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
        accounts = read_all(self, &self->state, error);
    }
    if (accounts == NULL || !role_list_read_facts(self->state.list, &self->facts)) {
        sync_accounts_unref(accounts);
        self->state.change = before; /* what was read and not kept is read again */
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
    self->scratch = gate_scratch_new(d->gate);
    self->unwrap = unwrap_new();
    self->memory = arena_new();
    if (self->scratch != NULL && self->unwrap != NULL && self->memory != NULL)
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
    gate_scratch_free(self->scratch);
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

static void hand_out(feeding *f, alert *a)
{
    if (!alert_give_id(a)) {
        f->out_of_memory = true;
        return;
    }
    f->seen.rows++;
    f->seen.degraded += a->degraded;
    f->sink(f->arg, a);
}

static alert begin_alert(const feeding *f, const audit_record *record)
{
    return (alert){
        .record = record,
        .time_generated = record->has_time ? record->time_generated : f->now,
        .detected_at = f->now,
        .collector = text_of(f->worker->detector->collector),
    };
}

static bool is_stale(const feeding *f, const alert *a)
{
    return a->time_generated <= rule_records_since(f->worker->detector->rule, f->now);
}

/* --- a record, as the query sees it and as wide semantics does ---------------------------------
 */

/* The rows of KQL's reading that matched, so that wide semantics adds only what they lack. */
typedef struct kql_row {
    json *value; /* the target */
    bool matched;
} kql_row;

typedef struct kql_rows {
    kql_row *rows; /* by the target's index */
    size_t count;
    bool split; /* one that matched was a property of an expanded object */
} kql_rows;

static bool is_covered(const kql_rows *rows, const audit_target *target)
{
    return rows->split || (target->index < rows->count && rows->rows[target->index].matched &&
                           rows->rows[target->index].value == target->value);
}

/* Judges one row; true, and a->matched_by, when it matches. */
static bool judge_target(feeding *f, alert *a, const audit_record *record, size_t index,
                         semantics s)
{
    const detector *d = f->worker->detector;

    if (!audit_record_target(record, index, f->worker->memory, &a->target)) {
        f->out_of_memory = true;
        return false;
    }
    a->matched_by = rule_match_target(d->rule, f->worker->accounts, &a->target, s, f->now);
    return a->matched_by != 0;
}

/* `shown` is the record that the alerts tell of, as far as it is not the target's. */
static void judge_kql(feeding *f, const audit_record *record, const audit_record *shown,
                      kql_rows *rows)
{
    size_t targets = audit_record_target_count(record);
    alert a = begin_alert(f, shown);

    a.kql = true;
    rows->rows = arena_alloc(f->worker->memory, targets * sizeof(kql_row));
    if (rows->rows == NULL) {
        f->out_of_memory = true;
        return;
    }
    for (rows->count = 0; rows->count < targets; rows->count++) {
        bool matched = judge_target(f, &a, record, rows->count, SEMANTICS_KQL);

        rows->rows[rows->count] = (kql_row){a.target.value, matched};
        if (!matched)
            continue;
        rows->split |= a.target.key != NULL;
        hand_out(f, &a);
    }
}

static void judge_wide(feeding *f, const audit_record *record, unsigned reasons,
                       const kql_rows *rows)
{
    size_t targets = audit_record_target_count(record);
    alert a = begin_alert(f, record);

    for (size_t i = 0; i < targets; i++) {
        if (!judge_target(f, &a, record, i, SEMANTICS_WIDE) || is_covered(rows, &a.target))
            continue;
        a.matched_by |= reasons;
        hand_out(f, &a);
    }
}

static void keep_query_column(text *shown, text column)
{
    if (column.length > 0)
        *shown = column;
}

/* WIDE's reading tells more of a record; but what the query has a word for stays the query's. */
static audit_record shown_record(const audit_record *kql, const audit_record *wide)
{
    audit_record shown = *wide;

    keep_query_column(&shown.operation_name, kql->operation_name);
    keep_query_column(&shown.actor, kql->actor);
    keep_query_column(&shown.source_ip, kql->source_ip);
    keep_query_column(&shown.result, kql->result);
    return shown;
}

static bool is_candidate(feeding *f, const audit_record *record, semantics s, unsigned *reasons)
{
    return rule_is_operation(f->worker->detector->rule, record, s, reasons);
}

/* The query's where over the time; false, and counted, when the record lies before it. */
static bool is_recent(feeding *f, const audit_record *record)
{
    alert a = begin_alert(f, record);

    if (!is_stale(f, &a))
        return true;
    f->seen.stale++;
    return false;
}

static void judge_in_kql(feeding *f, const audit_record *kql)
{
    kql_rows rows = {0};
    unsigned reasons = 0;

    if (is_candidate(f, kql, SEMANTICS_KQL, &reasons) && is_recent(f, kql))
        judge_kql(f, kql, kql, &rows);
}

static void judge_in_both(feeding *f, const audit_record *kql, bool is_kql,
                          const audit_record *wide)
{
    audit_record shown = is_kql ? shown_record(kql, wide) : *wide;
    kql_rows rows = {0};
    unsigned reasons = 0;

    if (!is_candidate(f, wide, SEMANTICS_WIDE, &reasons) || !is_recent(f, wide))
        return;
    if (is_kql && is_candidate(f, kql, SEMANTICS_KQL, &reasons))
        judge_kql(f, kql, &shown, &rows);
    judge_wide(f, wide, reasons, &rows);
}

static audit_reading read_record(feeding *f, json *object, semantics view, audit_record *record)
{
    const audit_reader reader = {f->worker->memory, unwrap_parser(f->worker->unwrap)};
    audit_reading reading = audit_record_read(object, view, &reader, record);

    f->out_of_memory |= reading == AUDIT_OUT_OF_MEMORY;
    return reading;
}

static audit_reading judge_readings(feeding *f, json *object)
{
    bool is_wide = rule_get_semantics(f->worker->detector->rule) == SEMANTICS_WIDE;
    audit_record kql, wide;
    audit_reading as_kql = read_record(f, object, SEMANTICS_KQL, &kql);
    audit_reading result = as_kql;

    if (is_wide) {
        result = read_record(f, object, SEMANTICS_WIDE, &wide);
        if (result == AUDIT_RECORD)
            judge_in_both(f, &kql, as_kql == AUDIT_RECORD, &wide);
        audit_record_release(&wide);
    } else if (as_kql == AUDIT_RECORD) {
        judge_in_kql(f, &kql);
    }
    audit_record_release(&kql);
    return result;
}

/* synctap's own alert: an object that begins as alert_write's does. */
static bool is_own_alert(json *object)
{
    return json_has_member(object, "alert_id") &&
           text_equal(json_string(json_member(object, "rule_id")), text_of(RULE_ID));
}

static unwrap_kind kind_of(audit_reading reading)
{
    static const unwrap_kind kinds[] = {
        [AUDIT_RECORD] = UNWRAP_RECORD,
        [AUDIT_OTHER_KIND] = UNWRAP_OTHER_KIND,
        [AUDIT_UNKNOWN] = UNWRAP_UNKNOWN,
        [AUDIT_OUT_OF_MEMORY] = UNWRAP_RECORD,
    };

    return kinds[reading];
}

static unwrap_kind judge_object(void *arg, json *object)
{
    feeding *f = arg;
    audit_reading reading;

    if (is_own_alert(object))
        return UNWRAP_OTHER_KIND;
    reading = judge_readings(f, object);
    arena_reset(f->worker->memory);
    return kind_of(reading);
}

/* --- a stretch that could not be read ------------------------------------------------------------
 */

static void judge_fragment(feeding *f, fragment *found)
{
    alert a = begin_alert(f, &found->record);

    a.target = found->target;
    a.matched_by = found->matched_by;
    a.degraded = true;
    if (is_stale(f, &a))
        f->seen.stale++;
    else
        hand_out(f, &a);
}

static void judge_broken(void *arg, text broken, const char *reason)
{
    feeding *f = arg;
    detector_worker *w = f->worker;
    fragment found;
    fragment_reading reading;

    (void)reason;
    if (!gate_may_hold(w->detector->gate, w->scratch, broken))
        return;
    reading = fragment_read(broken, w->detector->rule, w->accounts, f->now, w->memory, &found);
    if (reading == FRAGMENT_MATCHES)
        judge_fragment(f, &found);
    f->out_of_memory |= reading == FRAGMENT_OUT_OF_MEMORY;
    f->seen.undecodable |= reading != FRAGMENT_IS_OWN_ALERT;
    arena_reset(w->memory);
}

/* --- a message ---------------------------------------------------------------------------------
 */

static void note_unwrapped(feeding *f, const unwrapped *found)
{
    f->seen.records = found->records;
    f->seen.broken = found->broken;
    f->seen.reason = found->reason;
    if (f->out_of_memory || found->out_of_memory) {
        f->seen.undecodable = true;
        f->seen.reason = "out of memory";
    }
}

detection detector_feed(detector_worker *self, text message, timestamp now, detector_sink *sink,
                        void *arg)
{
    feeding f = {.worker = self, .now = now, .sink = sink, .arg = arg};
    const unwrap_sink takers = {&f, judge_object, judge_broken};
    unwrapped found;

    if (!gate_may_hold(self->detector->gate, self->scratch, message))
        return f.seen;
    catch_up(self);
    found = unwrap_text(self->unwrap, self->rulebase, message, &takers);
    note_unwrapped(&f, &found);
    f.seen.candidate = true;
    return f.seen;
}

size_t detector_find_candidate(detector_worker *self, text t)
{
    return gate_find(self->detector->gate, self->scratch, t);
}

detection detector_feed_tree(detector_worker *self, json *tree, timestamp now, detector_sink *sink,
                             void *arg)
{
    feeding f = {.worker = self, .now = now, .sink = sink, .arg = arg};
    const unwrap_sink takers = {&f, judge_object, judge_broken};
    unwrapped found;

    catch_up(self);
    found = unwrap_tree(self->unwrap, tree, &takers);
    note_unwrapped(&f, &found);
    f.seen.candidate = found.records > 0 || found.broken > 0;
    return f.seen;
}

/* --- a message explained -------------------------------------------------------------------------
 */

typedef struct explaining {
    feeding feeding;
    detector_explainer *sink;
    void *arg;
} explaining;

static unwrap_kind explain_object(void *arg, json *object)
{
    explaining *e = arg;
    feeding *f = &e->feeding;
    audit_record kql, wide;
    audit_reading as_kql, reading;

    if (is_own_alert(object))
        return UNWRAP_OTHER_KIND;
    as_kql = read_record(f, object, SEMANTICS_KQL, &kql);
    reading = read_record(f, object, SEMANTICS_WIDE, &wide);
    if (reading == AUDIT_RECORD)
        e->sink(e->arg, &(explanation){
                            .rule = f->worker->detector->rule,
                            .accounts = f->worker->accounts,
                            .now = f->now,
                            .record = &wide,
                            .kql = as_kql == AUDIT_RECORD ? &kql : NULL,
                            .memory = f->worker->memory,
                        });
    audit_record_release(&kql);
    audit_record_release(&wide);
    arena_reset(f->worker->memory);
    return kind_of(reading);
}

static void count_row(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
}

static void explain_broken(void *arg, text broken, const char *reason)
{
    explaining *e = arg;

    judge_broken(&e->feeding, broken, reason);
}

detector_explained detector_explain(detector_worker *self, text message, timestamp now,
                                    detector_explainer *sink, void *arg)
{
    explaining e = {
        .feeding = {.worker = self, .now = now, .sink = count_row},
        .sink = sink,
        .arg = arg,
    };
    const unwrap_sink takers = {&e, explain_object, explain_broken};
    unwrapped found;

    catch_up(self);
    found = unwrap_text(self->unwrap, self->rulebase, message, &takers);
    note_unwrapped(&e.feeding, &found);
    e.feeding.seen.candidate = gate_may_hold(self->detector->gate, self->scratch, message);
    return (detector_explained){
        .detection = e.feeding.seen,
        .by_rulebase = found.by_rulebase,
        .other_kinds = found.other_kinds,
        .shows_account = e.feeding.seen.degraded > 0,
    };
}
