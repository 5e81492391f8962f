/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmsynctap: rsyslog's message-modification module. It runs the rule on each
 * message, tags what matches, and can send an alert message to a ruleset.
 *
 * doAction answers RS_RET_OK whatever happens: any other word suspends the
 * action or ends it for good (seen with 8.2302), and messages would go by unseen.
 */
#include "rsyslog/rsyslog_module.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "conf.h"
#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"
#include "module-template.h"
#include "msg.h"
#include "obj.h"
#include "rainerscript.h"
#include "statsobj.h"
#include "template.h"

#include "detector/keeper.h"
#include "record/unwrap.h"
#include "rsyslog/alert_queue.h"
#include "rsyslog/cut.h"
#include "rsyslog/rsyslog_probe.h"
#include "rsyslog/settings.h"
#include "rsyslog/state_watcher.h"
#include "rsyslog/stop.h"
#include "rsyslog/tag.h"
#include "state/journal_name.h"
#include "state/patience.h"
#include "state/segment_list.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
MODULE_TYPE_OUTPUT
MODULE_TYPE_NOKEEP
MODULE_CNFNAME("mmsynctap")

DEF_OMOD_STATIC_DATA
DEFobjCurrIf(glbl)
DEFobjCurrIf(statsobj);
/* clang-format on */

static const char DEFAULT_RULEBASE[] = SYNCTAP_RULEBASE_DIR "/entra-audit.rulebase";

/* What impstats shows, in this order. */
enum counter {
    MESSAGES,
    BYTES,
    CANDIDATES,
    MATCHED,
    ALERTS,
    LATE_ALERTS,
    DUPLICATES,
    UNDECODABLE,
    DEGRADED_ALERTS,
    STALE,
    HELD_BACK,
    STATE_ERRORS,
    PENDING_DROPPED,
    CUT,
    PARTS_OF_RECORDS,
    UNREAD_TIMES,
    BOUNDED,
    COUNTERS
};

static const char *const counter_names[COUNTERS] = {
    [MESSAGES] = "messages",
    [BYTES] = "bytes",
    [CANDIDATES] = "candidates",
    [MATCHED] = "matched",
    [ALERTS] = "alerts",
    [LATE_ALERTS] = "late_alerts",
    [DUPLICATES] = "duplicates",
    [UNDECODABLE] = "undecodable",
    [DEGRADED_ALERTS] = "degraded_alerts",
    [STALE] = "stale",
    [HELD_BACK] = "held_back",
    [STATE_ERRORS] = "state_errors",
    [PENDING_DROPPED] = "pending_dropped",
    [CUT] = "cut",
    [PARTS_OF_RECORDS] = "parts_of_records",
    [UNREAD_TIMES] = "unread_times",
    [BOUNDED] = "bounded",
};

typedef struct gauges {
    intctr_t sync_accounts;
    intctr_t identity_rows;
    int identity_age_seconds; /* of the newest row; -1 without rows */
    intctr_t pending;
    intctr_t open_incidents;
    intctr_t journal_bytes;
    int last_message_seconds; /* ago; -1 before the first, as for the next */
    int last_candidate_seconds;
} gauges;

/*
 * When something last happened. Workers raise the flag, the watcher lowers it and looks at the
 * clock: no message has to. Unlike a counter it needs no impstats.
 */
typedef struct activity {
    bool flag;
    timestamp when; /* 0: never */
    time_t since;   /* of the monotonic clock */
} activity;

typedef struct _instanceData {
    settings settings;
    detector *detector;
    keeper *keeper; /* the watcher's thread alone uses it, when it has begun */
    alert_queue *queue;
    state_watcher *watcher;
    stop stop;
    tag_maker *late_tag; /* the watcher's thread alone uses it, and the next */
    buffer late_alert;
    statsobj_t *stats;
    intctr_t counters[COUNTERS];
    gauges gauges;
    activity messages, candidates;
    char *journal;          /* path; NULL without one */
    size_t longest_message; /* bytes, as the configuration says */
    log_limit undecodable_limit;
    log_limit part_limit;
    log_limit bounded_limit;
    struct modConfData_s *conf; /* whose list it is in; NULL: in none */
    struct _instanceData *next;
} instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
    detector_worker *worker;
    tag_maker *tag;
    smsg_t *message; /* under judgement */
    buffer alerts;   /* the message's alerts, one after the other, with commas */
    size_t first_length;
    size_t count;
    bool is_match; /* one of them is new, and exact */
    bool is_tagged;
    int64_t end; /* of its judgement, in milliseconds; 0: rsyslogd was not seen to stop */
    bool out_of_memory;
} wrkrInstanceData_t;

struct modConfData_s {
    rsconf_t *pConf;
    instanceData *instances;
    unsigned count;
};

static modConfData_t *loadModConf = NULL;

/* --- statistics --- */

static void count(instanceData *self, enum counter which, size_t how_many)
{
    count_up(&self->counters[which], how_many);
}

/* Reads first: workers share the flag, and it is up most of the time. */
static void note_activity(activity *a)
{
    if (!__atomic_load_n(&a->flag, __ATOMIC_RELAXED))
        __atomic_store_n(&a->flag, true, __ATOMIC_RELAXED);
}

/* Seconds since it last happened; -1 before the first time. */
static int seconds_since(activity *a, timestamp now)
{
    struct timespec clock;

    clock_gettime(CLOCK_MONOTONIC, &clock);
    if (__atomic_exchange_n(&a->flag, false, __ATOMIC_RELAXED)) {
        a->when = now;
        a->since = clock.tv_sec;
    }
    return a->when == 0 ? -1 : (int)(clock.tv_sec - a->since);
}

/* What lies in the journal's segments. */
static intctr_t bytes_of_journal(const instanceData *self)
{
    char pattern[PATH_MAX];
    glob_t found = {0};
    struct stat segment;
    intctr_t bytes = 0;

    snprintf(pattern, sizeof(pattern), "%s.[0-9]*", self->journal ? self->journal : "");
    if (self->journal != NULL && glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc; i++)
            bytes += stat(found.gl_pathv[i], &segment) == 0 ? (intctr_t)segment.st_size : 0;
    globfree(&found);
    return bytes;
}

/* -1 without rows; a time of nobody's, year 1, is an age that the gauge can hold. */
static int age_in_seconds(const role_list_facts *identity, timestamp now)
{
    timespan seconds = (now - identity->newest) / TICKS_PER_SECOND;

    if (!identity->has_rows)
        return -1;
    return seconds > INT_MAX ? INT_MAX : seconds < INT_MIN ? INT_MIN : (int)seconds;
}

/* Called by the watcher. impstats reads them in its own thread, as it does all counters. */
static void set_gauges(void *instance)
{
    instanceData *self = instance;
    timestamp now = timestamp_now();
    keeper_facts facts = keeper_read_facts(self->keeper, now);
    gauges *g = &self->gauges;

    __atomic_store_n(&g->sync_accounts, facts.sync_accounts, __ATOMIC_RELAXED);
    __atomic_store_n(&g->identity_rows, (intctr_t)facts.identity.rows, __ATOMIC_RELAXED);
    __atomic_store_n(&g->identity_age_seconds, age_in_seconds(&facts.identity, now),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&g->pending, (intctr_t)facts.stream.pending, __ATOMIC_RELAXED);
    __atomic_store_n(&g->open_incidents, facts.stream.open_incidents, __ATOMIC_RELAXED);
    __atomic_store_n(&g->journal_bytes, bytes_of_journal(self), __ATOMIC_RELAXED);
    __atomic_store_n(&g->last_message_seconds, seconds_since(&self->messages, now),
                     __ATOMIC_RELAXED);
    __atomic_store_n(&g->last_candidate_seconds, seconds_since(&self->candidates, now),
                     __ATOMIC_RELAXED);
}

/* For the heartbeat; called by the watcher after set_gauges. */
static void describe(void *instance, heartbeat *beat)
{
    const instanceData *self = instance;

    beat->last_message = self->messages.when;
    beat->last_candidate = self->candidates.when;
    beat->longest_message = (int64_t)self->longest_message; /* rsyslog's own is an int */
    beat->version = SYNCTAP_VERSION;
    beat->built_for = VERSION;
}

/* AddCounter copies the name. */
#define GAUGE(name) ((const uchar *)(name))

static rsRetVal add_gauges(instanceData *self)
{
    DEFiRet;

    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("sync_accounts"), ctrType_IntCtr, CTR_FLAG_NONE,
                                &self->gauges.sync_accounts));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("identity_rows"), ctrType_IntCtr, CTR_FLAG_NONE,
                                &self->gauges.identity_rows));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("identity_age_seconds"), ctrType_Int,
                                CTR_FLAG_NONE, &self->gauges.identity_age_seconds));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("pending"), ctrType_IntCtr, CTR_FLAG_NONE,
                                &self->gauges.pending));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("open_incidents"), ctrType_IntCtr, CTR_FLAG_NONE,
                                &self->gauges.open_incidents));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("journal_bytes"), ctrType_IntCtr, CTR_FLAG_NONE,
                                &self->gauges.journal_bytes));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("last_message_seconds"), ctrType_Int,
                                CTR_FLAG_NONE, &self->gauges.last_message_seconds));
    CHKiRet(statsobj.AddCounter(self->stats, GAUGE("last_candidate_seconds"), ctrType_Int,
                                CTR_FLAG_NONE, &self->gauges.last_candidate_seconds));
finalize_it:
    RETiRet;
}

static rsRetVal make_statistics(instanceData *self)
{
    DEFiRet;

    CHKiRet(action_begin_statistics(&self->settings.label, counter_names, self->counters, COUNTERS,
                                    &self->stats));
    CHKiRet(add_gauges(self));
    CHKiRet(statsobj.ConstructFinalize(self->stats));
finalize_it:
    RETiRet;
}

/* --- the configuration's check --- */

/* A rulebase that was asked for must be right; the installed one may be missing. */
static void load_rulebase(instanceData *self)
{
    const char *path = self->settings.rulebase ? self->settings.rulebase : DEFAULT_RULEBASE;
    char *error;

    if (self->settings.rulebase != NULL &&
        !action_check_path(&self->settings.label, "rulebase", path))
        return;
    if (detector_open_rulebase(self->detector, path, &error))
        return;
    if (self->settings.rulebase != NULL)
        action_reject(&self->settings.label, "rulebase", path, error ? error : "out of memory");
    else
        LogMsg(0, RS_RET_OK, LOG_WARNING,
               "mmsynctap: action '%s': the installed rulebase %s: %s: JSON is found without it "
               "in most messages",
               self->settings.label.name, path, error ? error : "out of memory");
    free(error);
}

static void find_queue(instanceData *self, rsconf_t *conf)
{
    const settings *s = &self->settings;

    if (s->ruleset != NULL)
        self->queue = alert_queue_find(
            &self->settings.label, conf, s->ruleset,
            &(alert_style){s->tag, s->facility, s->severity, s->container + 1}, &self->stop);
}

/* What is remembered stands under the action's name: two of one name would share it by chance. */
static void check_name(const instanceData *self, const instanceData *all)
{
    for (const instanceData *i = all; i != self; i = i->next)
        if (strcmp(i->settings.label.name, self->settings.label.name) == 0)
            action_reject(&self->settings.label, "name", self->settings.label.name,
                          "another mmsynctap action has it too: what an action remembers is kept "
                          "under its name");
}

/* The caller's; NULL without a database or memory. */
static char *journal_path(const instanceData *self)
{
    const settings *s = &self->settings;

    return s->database != NULL ? journal_name(s->database, s->label.name) : NULL;
}

static bool has_journal(const instanceData *self, const char *path)
{
    char *own = journal_path(self);
    bool has = own != NULL && strcmp(own, path) == 0;

    free(own);
    return has;
}

/* The names of two databases may differ by what the names of two actions do. */
static void check_journal(const instanceData *self, const instanceData *all)
{
    enum { LONGEST_NAME = NAME_MAX - 24 }; /* a segment's number comes behind it */
    char *path = journal_path(self);
    const char *wrong = NULL;

    if (path != NULL && strlen(basename(path)) > LONGEST_NAME)
        wrong = "give a shorter name: it is part of a file's name";
    for (const instanceData *i = all; path != NULL && i != self; i = i->next)
        if (has_journal(i, path) && strcmp(i->settings.label.name, self->settings.label.name) != 0)
            wrong = "another mmsynctap action would keep its journal in the same files: give one "
                    "of the two another name";
    if (wrong != NULL)
        action_reject(&self->settings.label, "name", self->settings.label.name, wrong);
    free(path);
}

/* A batch of the Event Hub has up to a megabyte; said by the check alone. rsyslog shows no warnings
 * then. */
static void check_longest_message(instanceData *self, rsconf_t *conf)
{
    enum { ENOUGH = 1000000 };

    self->longest_message = longest_message(conf);
    if (iConfigVerify && self->longest_message < ENOUGH)
        fprintf(stderr,
                "rsyslogd: mmsynctap: action '%s': warning: maxMessageSize is %zu bytes: longer "
                "records are cut (imfile, imkafka, imrelp) or split (imtcp), and cannot be read: "
                "write global(maxMessageSize=\"4m\")\n",
                self->settings.label.name, self->longest_message);
}

/* All that can be wrong is told at once. */
static void check_instance(instanceData *self, rsconf_t *conf)
{
    if (action_complete_database(&self->settings.label, &self->settings.database, conf))
        action_check_database(&self->settings.label, self->settings.database);
    check_longest_message(self, conf);
    find_queue(self, conf);
    load_rulebase(self);
}

/* rsyslogd knows its own host name only now, after the configuration has been read. */
static void set_collector(instanceData *self)
{
    const char *name = (const char *)glbl.GetLocalHostName();

    detector_set_collector(self->detector, name ? name : "");
}

/* The watcher's sink. An alert that the queue does not take now comes again. */
static bool send_late_alert(void *instance, const alert *a)
{
    instanceData *self = instance;
    text written;
    json *tree;

    written = alert_text(a, &self->late_alert);
    tree = buffer_failed(&self->late_alert) || self->queue == NULL
               ? NULL
               : tag_make(self->late_tag, "match", 1, written, written);
    if (tree == NULL || alert_queue_try(self->queue, written, tree) != ALERT_PUT)
        return false;
    count(self, ALERTS, 1);
    count(self, LATE_ALERTS, a->late);
    return true;
}

static bool joins_late(const instanceData *self)
{
    if (!self->settings.latejoin || self->queue != NULL)
        return self->settings.latejoin;
    LogMsg(
        0, RS_RET_OK, LOG_NOTICE,
        "mmsynctap: action '%s': latejoin is off: there is no ruleset for alerts that come after "
        "their message",
        self->settings.label.name);
    return false;
}

/* What an earlier version left under another name, unless that is the name of another action's. */
static void take_up_earlier_journal(const instanceData *self, const instanceData *all)
{
    const settings *s = &self->settings;
    char *before = s->database ? journal_name_before(s->database, s->label.name) : NULL;
    char *now = journal_path(self);
    bool is_taken = before == NULL || now == NULL;
    size_t moved;

    for (const instanceData *i = all; i != NULL && !is_taken; i = i->next)
        is_taken = has_journal(i, before);
    moved = is_taken ? 0 : segments_move(before, now);
    if (moved > 0)
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': takes up what an earlier version named %s.* (files: "
               "%zu)",
               s->label.name, before, moved);
    free(before);
    free(now);
}

static bool follow(instanceData *self)
{
    bool follows = (self->journal = journal_path(self)) != NULL &&
                   keeper_follow(self->keeper, &(stream_options){
                                                   .action = self->settings.label.name,
                                                   .journal = self->journal,
                                                   .latejoin = joins_late(self),
                                                   .tag_is_all = self->settings.ruleset == NULL,
                                                   .incidents = self->settings.incidents,
                                                   .most_pending = STREAM_MOST_PENDING,
                                                   .most_pending_bytes = STREAM_MOST_PENDING_BYTES,
                                               });

    self->late_tag = tag_maker_new(self->settings.formats);
    return follows && self->late_tag != NULL;
}

/* For the watcher of a database's first action: has the configuration one of that name? */
static bool has_action(void *instance, const char *name)
{
    const instanceData *self = instance;

    for (const instanceData *i = self->conf->instances; i != NULL; i = i->next)
        if (strcmp(i->settings.label.name, name) == 0)
            return true;
    return false;
}

static bool is_first_of_database(const instanceData *self)
{
    const char *database = self->settings.database;
    const instanceData *i = self->conf->instances;

    while (i != self && (database == NULL || i->settings.database == NULL ||
                         strcmp(i->settings.database, database) != 0))
        i = i->next;
    return i == self;
}

static const char *rule_in_words(const instanceData *self, char *words, size_t room)
{
    const rule_facts *facts = rule_get_facts(self->settings.rule);
    text name = facts != NULL ? facts->name : text_of(RULE_NAME);
    text version = facts != NULL ? facts->version : text_of(RULE_VERSION);

    snprintf(words, room, "rule \"%.*s\" %.*s%s, semantics %s", (int)name.length, name.bytes,
             (int)version.length, version.bytes, facts != NULL ? " of its file" : "",
             rule_get_semantics(self->settings.rule) == SEMANTICS_KQL ? "kql" : "wide");
    return words;
}

/* Without memory it is no stream, and each message is judged alone. */
static void activate_instance(instanceData *self, const instanceData *all)
{
    char rule_words[512]; /* said at once */

    set_collector(self);
    take_up_earlier_journal(self, all);
    if (!follow(self))
        LogError(ENOMEM, RS_RET_OUT_OF_MEMORY,
                 "mmsynctap: action '%s': nothing is remembered from one message to the next",
                 self->settings.label.name);
    self->watcher = state_watcher_start(&(watched){
        .action = &self->settings.label,
        .keeper = self->keeper,
        .database = self->settings.database,
        .state_errors = &self->counters[STATE_ERRORS],
        .pending_dropped = &self->counters[PENDING_DROPPED],
        .late = send_late_alert,
        .ran = set_gauges,
        .describe = describe,
        .rule = rule_in_words(self, rule_words, sizeof(rule_words)),
        .uses_role_list = rule_has_sets(self->settings.rule),
        .has_action = is_first_of_database(self) ? has_action : NULL,
        .arg = self,
    });
}

static void reload_instance(instanceData *self)
{
    const char *path = self->settings.rulebase ? self->settings.rulebase : DEFAULT_RULEBASE;
    char *error;

    if (!detector_open_rulebase(self->detector, path, &error)) {
        LogError(
            0, RS_RET_ERR,
            "mmsynctap: action '%s': HUP: the rulebase %s: %s: the one read before stays in use",
            self->settings.label.name, path, error ? error : "out of memory");
        free(error);
    }
    state_watcher_reopen(self->watcher);
}

/* --- a message --- */

/* The detector's question. What comes after the stop has a moment all the same: nearly all messages
 * need no more. */
static bool must_stop(void *worker)
{
    enum { MOMENT = 100 }; /* milliseconds */
    wrkrInstanceData_t *self = worker;
    int64_t end = stop_deadline(&self->pData->stop), now;

    if (end == 0)
        return false;
    now = patience_clock();
    if (self->end == 0)
        self->end = now + MOMENT > end ? now + MOMENT : end;
    return now >= self->end;
}

static void clear_alerts(wrkrInstanceData_t *self)
{
    self->end = 0;
    buffer_clear(&self->alerts);
    self->count = 0;
    self->is_match = false;
    self->out_of_memory = false;
}

/* Alerts go out before the tag is put, so that the copies carry nothing of it. */
static bool send_alert(wrkrInstanceData_t *self, text alert, bool is_degraded)
{
    instanceData *data = self->pData;
    json *tree = tag_make(self->tag, is_degraded ? "undecodable" : "match", 1, alert, alert);

    switch (alert_queue_put(data->queue, self->message, alert, tree)) {
    case ALERT_PUT_HELD_BACK:
        count(data, HELD_BACK, 1);
        return true;
    case ALERT_PUT:
        return true;
    case ALERT_REFUSED:
    case ALERT_NOT_NOW:
        break;
    }
    /* It is remembered for the next start; if there is none, it stands here, whole. */
    LogError(0, RS_RET_QUEUE_FULL,
             "mmsynctap: action '%s': ruleset '%s' did not take this alert; it comes again after "
             "the next start: %.*s",
             data->settings.label.name, data->settings.ruleset, (int)alert.length, alert.bytes);
    return false;
}

/* The alert's text, behind those of the message's other alerts. */
static text write_alert(wrkrInstanceData_t *self, const alert *a)
{
    size_t begin;

    if (self->count > 0)
        buffer_append_char(&self->alerts, ',');
    begin = self->alerts.length;
    if (a->written.length > 0)
        buffer_append(&self->alerts, a->written);
    else
        alert_write(a, &self->alerts);
    if (self->count == 0)
        self->first_length = self->alerts.length;
    return text_from(buffer_text(&self->alerts), begin);
}

/* The detector's sink: sends the alert if it is new, and keeps its text for the message's tag. */
static bool take_alert(void *worker, const alert *a)
{
    wrkrInstanceData_t *self = worker;
    text written = write_alert(self, a);

    if (buffer_failed(&self->alerts)) {
        self->out_of_memory = true;
        return false;
    }
    self->count++;
    self->is_match |= !a->duplicate && !a->degraded;
    return a->duplicate || self->pData->queue == NULL || send_alert(self, written, a->degraded);
}

static void put_tag(wrkrInstanceData_t *self, const char *status)
{
    text all = buffer_text(&self->alerts);
    json *tree = tag_make(self->tag, status, self->count,
                          self->count > 0 ? (text){all.bytes, self->first_length} : all, all);

    if (tree == NULL)
        self->out_of_memory = true;
    else
        self->is_tagged = msgAddJSON(self->message, (uchar *)self->pData->settings.container + 1,
                                     tree, 1, 0) == RS_RET_OK;
}

/*
 * Whoever writes messages that are parsed as JSON can plant a tag. It goes,
 * unless our own has taken its place. After the judgement, as a record may
 * stand in it; a message without any tree costs a lock and a look.
 */
static void take_planted_tag_off(const wrkrInstanceData_t *self, smsg_t *message)
{
    if (!self->is_tagged)
        msgDelJSON(message, (uchar *)self->pData->settings.container + 1);
}

static int length_of(smsg_t *message)
{
    uchar *bytes;
    int length;

    getRawMsg(message, &bytes, &length);
    return length;
}

/* A record came in pieces: nothing was cut, so that other advice is due. */
static void tell_part(wrkrInstanceData_t *self)
{
    instanceData *data = self->pData;

    count(data, UNDECODABLE, 1);
    count(data, PARTS_OF_RECORDS, 1);
    log_limited(&data->part_limit, &data->settings.label,
                "a message that holds %s could not be read; it is tagged "
                "%s!status=\"undecodable\"; it came from %s, with %d bytes: %s",
                UNWRAP_PART, data->settings.container, getHOSTNAME(self->message),
                length_of(self->message), UNWRAP_PART_REMEDY);
}

static void tell_undecodable(wrkrInstanceData_t *self, const char *reason)
{
    instanceData *data = self->pData;

    count(data, UNDECODABLE, 1);
    log_limited(&data->undecodable_limit, &data->settings.label,
                "a message that may hold a record of the rule could not be read: %s; it is tagged "
                "%s!status=\"undecodable\"; it came from %s, with %d bytes: if it was cut, raise "
                "maxMessageSize (here %zu) and what bounds messages at its sender",
                reason, data->settings.container, getHOSTNAME(self->message),
                length_of(self->message), data->longest_message);
}

/* What could not be read weighs less than a row that was: the message is a match then. */
static const char *status_of(const wrkrInstanceData_t *self, const detection *found)
{
    if (self->is_match)
        return "match";
    return found->undecodable || self->out_of_memory || found->degraded > 0 ? "undecodable"
                                                                            : "duplicate";
}

static void count_rows(instanceData *self, const detection *found)
{
    size_t fresh = found->rows - found->duplicates;

    count(self, MATCHED, fresh > found->degraded);
    count(self, ALERTS, fresh - found->refused);
    count(self, DEGRADED_ALERTS, found->degraded);
    count(self, DUPLICATES, found->duplicates);
}

/* What an alert does not show, or no alert shows, since there is a bound to it. */
static void tell_bounds(instanceData *self, unsigned bounded)
{
    static const struct {
        detection_bound bound;
        const char *words;
    } bounds[] = {
        {BOUND_TEXT, "a text is too long: its alert shows the beginning, and has cut=true"},
        {BOUND_ROWS, "more than 1,000 rows match: one alert says how many more there are"},
        {BOUND_BYTES, "its alerts are over 8 MB: one more alert says how many more rows match"},
    };

    for (size_t i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
        if ((bounded & bounds[i].bound) == 0)
            continue;
        count(self, BOUNDED, 1);
        log_limited(&self->bounded_limit, &self->settings.label, "a message reached a bound: %s",
                    bounds[i].words);
    }
}

/* A stop came. What its alerts were so far is tagged; the rest is for the next start. */
static void keep_message(wrkrInstanceData_t *self, text message, timestamp received,
                         detection *found)
{
    static const char kept[] = "rsyslogd stops: what is left of it is judged after the next start";
    static const char lost[] = "rsyslogd stops: what is left of it is not judged";

    found->undecodable = true;
    found->reason = detector_keep(self->worker, message, received) ? kept : lost;
}

static void handle(wrkrInstanceData_t *self, const detection *found)
{
    instanceData *data = self->pData;

    count(data, CANDIDATES, found->candidate);
    if (found->candidate)
        note_activity(&data->candidates);
    count(data, STALE, found->stale);
    count(data, UNREAD_TIMES, found->unread_times);
    count_rows(data, found);
    tell_bounds(data, found->bounded);
    if (found->rows > found->duplicates)
        state_watcher_wake(data->watcher);
    if (self->out_of_memory) {
        clear_alerts(self); /* their texts are not whole: the message counts as unread */
        self->out_of_memory = true;
    }
    if (found->is_part && found->reason == UNWRAP_PART && !self->out_of_memory)
        tell_part(self);
    else if (found->undecodable || self->out_of_memory)
        tell_undecodable(self, found->reason ? found->reason : "out of memory");
    if (self->count > 0 || found->undecodable || self->out_of_memory)
        put_tag(self, status_of(self, found));
}

/* True when it was told as undecodable. */
static bool judge_text(wrkrInstanceData_t *self, smsg_t *message, text t)
{
    timestamp now;
    detection found;

    note_activity(&self->pData->messages);
    count(self->pData, MESSAGES, 1);
    count(self->pData, BYTES, t.length);
    if (detector_find_candidate(self->worker, t) == t.length)
        return false; /* not ours: not even the clock is asked */
    self->message = message;
    clear_alerts(self);
    now = timestamp_now();
    found = detector_feed(self->worker, t, now, take_alert, self);
    if (found.left)
        keep_message(self, t, now, &found);
    if (found.candidate)
        handle(self, &found);
    return found.undecodable || self->out_of_memory;
}

static void keep_tree(wrkrInstanceData_t *self, json *tree, timestamp received, detection *found)
{
    buffer written = {0};

    json_write_value(&written, tree);
    self->out_of_memory |= buffer_failed(&written);
    keep_message(self, buffer_text(&written), received, found);
    buffer_free(&written);
}

static void judge_tree(wrkrInstanceData_t *self, smsg_t *message, json *tree)
{
    timestamp now = timestamp_now();
    detection found;

    note_activity(&self->pData->messages);
    count(self->pData, MESSAGES, 1);
    self->message = message;
    clear_alerts(self);
    found = detector_feed_tree(self->worker, tree, now, take_alert, self);
    if (found.left)
        keep_tree(self, tree, now, &found);
    handle(self, &found);
}

/* What was cut off may have matched, whatever was found in the rest. */
static void judge_longest(wrkrInstanceData_t *self, smsg_t *message, text t)
{
    bool is_told;

    self->message = message;
    clear_alerts(self);
    is_told = judge_text(self, message, t);
    if (!cut_looks_so(t))
        return;
    count(self->pData, CUT, 1);
    if (is_told)
        return;
    tell_undecodable(self, "it is as long as maxMessageSize allows, and its JSON does not end");
    if (self->count == 0)
        put_tag(self, "undecodable");
}

static void judge_raw_message(wrkrInstanceData_t *self, smsg_t *message)
{
    uchar *bytes;
    int length;
    text t;

    getRawMsg(message, &bytes, &length);
    t = (text){(const char *)bytes, (size_t)length};
    if (t.length >= self->pData->longest_message)
        judge_longest(self, message, t);
    else
        judge_text(self, message, t);
}

/* A variable may hold a tree that another module parsed; it is judged as it is. */
static bool judge_variable(wrkrInstanceData_t *self, smsg_t *message)
{
    msgPropDescr_t *property = &self->pData->settings.property;
    json *tree = NULL;
    bool is_tree;

    if (property->id != PROP_CEE && property->id != PROP_LOCAL_VAR &&
        property->id != PROP_GLOBAL_VAR)
        return false;
    if (msgGetJSONPropJSON(message, property, (struct json_object **)&tree) != RS_RET_OK)
        tree = NULL;
    is_tree = json_kind_of(tree) == JSON_OBJECT || json_kind_of(tree) == JSON_ARRAY;
    if (is_tree)
        judge_tree(self, message, tree);
    json_free(tree);
    return is_tree;
}

static void judge_property(wrkrInstanceData_t *self, smsg_t *message)
{
    unsigned short must_free = 0;
    rs_size_t length = 0;
    uchar *value;

    if (judge_variable(self, message))
        return;
    value = MsgGetProp(message, NULL, &self->pData->settings.property, &length, &must_free, NULL);
    if (value != NULL)
        judge_text(self, message, (text){(const char *)value, (size_t)length});
    if (must_free)
        free(value);
}

/* --- rsyslog's entry points --- */
/* Its macros are statements without semicolons. */
/* clang-format off */
BEGINbeginCnfLoad
CODESTARTbeginCnfLoad
    pModConf->pConf = pConf;
    /* A second module() line is refused, and the place it was given is never checked. */
    if (loadModConf == NULL || loadModConf->pConf != pConf)
        loadModConf = pModConf;
ENDbeginCnfLoad

BEGINendCnfLoad
CODESTARTendCnfLoad
ENDendCnfLoad

/*
 * What is wrong has been logged as an error, and that fails `rsyslogd -N1`. A
 * daemon that starts all the same is better off with the other actions, and
 * with what is right of this one: an error here would take them all away.
 */
BEGINcheckCnf
CODESTARTcheckCnf
    for (instanceData *i = pModConf->instances; i != NULL; i = i->next) {
        check_name(i, pModConf->instances);
        check_instance(i, pModConf->pConf);
        check_journal(i, pModConf->instances);
    }
ENDcheckCnf

BEGINactivateCnf
CODESTARTactivateCnf
    for (instanceData *i = pModConf->instances; i != NULL; i = i->next)
        activate_instance(i, pModConf->instances);
ENDactivateCnf

/* rsyslog frees this first, and the actions after it. */
BEGINfreeCnf
CODESTARTfreeCnf
    for (instanceData *i = pModConf->instances; i != NULL; i = i->next)
        i->conf = NULL;
    if (loadModConf == pModConf)
        loadModConf = NULL;
ENDfreeCnf

BEGINcreateInstance
CODESTARTcreateInstance
    pData->gauges.identity_age_seconds = -1;
    pData->gauges.last_message_seconds = -1;
    pData->gauges.last_candidate_seconds = -1;
ENDcreateInstance

/* An action of a ruleset that is refused is freed before the check. */
static void forget_instance(instanceData *self)
{
    instanceData **at;

    if (self->conf == NULL)
        return;
    for (at = &self->conf->instances; *at != self; at = &(*at)->next)
        continue;
    *at = self->next;
}

BEGINfreeInstance
CODESTARTfreeInstance
    forget_instance(pData);
    state_watcher_stop(pData->watcher);
    if (pData->stats != NULL)
        statsobj.Destruct(&pData->stats);
    tag_maker_free(pData->late_tag);
    buffer_free(&pData->late_alert);
    alert_queue_free(pData->queue);
    keeper_free(pData->keeper);
    detector_free(pData->detector);
    free(pData->journal);
    settings_free(&pData->settings);
ENDfreeInstance

BEGINcreateWrkrInstance
CODESTARTcreateWrkrInstance
    int cancellation = switch_cancellation_off();
    CHKmalloc(pWrkrData->worker = detector_worker_new(pData->detector));
    CHKmalloc(pWrkrData->tag = tag_maker_new(pData->settings.formats));
    detector_worker_stop_when(pWrkrData->worker, must_stop, pWrkrData);
finalize_it:
    restore_cancellation(cancellation);
ENDcreateWrkrInstance

BEGINfreeWrkrInstance
    int cancellation = switch_cancellation_off();
CODESTARTfreeWrkrInstance
    detector_worker_free(pWrkrData->worker);
    tag_maker_free(pWrkrData->tag);
    buffer_free(&pWrkrData->alerts);
    restore_cancellation(cancellation);
ENDfreeWrkrInstance

/* Appends to the list, so that actions are numbered and told of in the order of the file. */
static void remember_instance(modConfData_t *conf, instanceData *self)
{
    instanceData **last = &conf->instances;

    while (*last != NULL)
        last = &(*last)->next;
    *last = self;
    self->conf = conf;
    conf->count++;
}

BEGINnewActInst
CODESTARTnewActInst
    CODE_STD_STRING_REQUESTnewActInst(1);
    CHKiRet(OMSRsetEntry(*ppOMSR, 0, NULL, OMSR_TPL_AS_MSG));
    CHKiRet(createInstance(&pData));
    if (!settings_take(&pData->settings, lst, loadModConf->count + 1))
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CHKmalloc(pData->detector = detector_new(pData->settings.rule));
    CHKmalloc(pData->keeper = keeper_new(pData->detector));
    CHKiRet(make_statistics(pData));
    remember_instance(loadModConf, pData);
CODE_STD_FINALIZERnewActInst
ENDnewActInst

BEGINdbgPrintInstInfo
CODESTARTdbgPrintInstInfo
ENDdbgPrintInstInfo

BEGINtryResume
CODESTARTtryResume
ENDtryResume

BEGINisCompatibleWithFeature
CODESTARTisCompatibleWithFeature
ENDisCompatibleWithFeature

BEGINdoAction_NoStrings
    smsg_t *message = ((smsg_t **)pMsgData)[0];
    int cancellation = switch_cancellation_off();
CODESTARTdoAction
    pWrkrData->is_tagged = false;
    if (pWrkrData->pData->settings.has_property)
        judge_property(pWrkrData, message);
    else
        judge_raw_message(pWrkrData, message);
    take_planted_tag_off(pWrkrData, message);
    restore_cancellation(cancellation);
ENDdoAction

BEGINdoHUP
CODESTARTdoHUP
    reload_instance(pData);
ENDdoHUP

NO_LEGACY_CONF_parseSelectorAct

BEGINmodExit
CODESTARTmodExit
    objRelease(statsobj, CORE_COMPONENT);
    objRelease(glbl, CORE_COMPONENT);
ENDmodExit

BEGINqueryEtryPt
CODESTARTqueryEtryPt
CODEqueryEtryPt_STD_OMOD_QUERIES
CODEqueryEtryPt_STD_OMOD8_QUERIES
CODEqueryEtryPt_STD_CONF2_OMOD_QUERIES
CODEqueryEtryPt_STD_CONF2_QUERIES
CODEqueryEtryPt_doHUP
ENDqueryEtryPt

BEGINmodInit(AfterProbe)
CODESTARTmodInit;
    *ipIFVersProvided = CURR_MOD_IF_VERSION;
    CODEmodInit_QueryRegCFSLineHdlr;
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
    CHKiRet(stop_use());
ENDmodInit

/* What rsyslogd calls. Until the probe has said yes, no table of this module is filled. */
rsRetVal modInit(int version_asked, int *version_given, module_query **query, host_query *host,
                 modInfo_t *info)
{
    if (!rsyslog_fits("mmsynctap"))
        return RS_RET_MODULE_LOAD_ERR_DLOPEN;
    return modInitAfterProbe(version_asked, version_given, query, host, info);
}
