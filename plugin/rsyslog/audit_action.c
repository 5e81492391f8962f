/* SPDX-License-Identifier: Apache-2.0 */
/* audit_action: made, checked against the other actions, started; parts of the detector put
 * together. */
#include "rsyslog/audit_action.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"

#include "rsyslog/rulebase_source.h"
#include "state/journal_name.h"
#include "state/segment_list.h"

static const char DEFAULT_RULEBASE[] = SYNCTAP_RULEBASE_DIR "/entra-audit.rulebase";

void audit_action_begin(audit_action *self)
{
    audit_statistics_clear(&self->statistics);
}

rsRetVal audit_action_take(audit_action *self, struct nvlst *parameters, const action_list *actions)
{
    DEFiRet;

    if (!settings_take(&self->settings, parameters, actions->count + 1))
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CHKmalloc(self->detector = detector_new(self->settings.rule));
    detector_set_watchlists(self->detector, self->settings.lists);
    CHKmalloc(self->keeper = keeper_new(self->detector));
    CHKiRet(audit_statistics_begin(&self->statistics, &self->settings.label));
finalize_it:
    RETiRet;
}

void audit_action_end(audit_action *self)
{
    state_watcher_stop(self->watcher);
    audit_statistics_end(&self->statistics);
    tag_maker_free(self->late_tag);
    buffer_free(&self->late_alert);
    alert_queue_free(self->queue);
    keeper_free(self->keeper);
    detector_free(self->detector);
    free(self->journal);
    settings_free(&self->settings);
}

/* --- the rulebase --- */

static bool open_rulebase(void *action, const char *path, char **error)
{
    audit_action *self = action;

    return detector_open_rulebase(self->detector, path, error);
}

static rulebase_source rulebase_of(audit_action *self)
{
    return (rulebase_source){
        .action = &self->settings.label,
        .asked_for = self->settings.rulebase,
        .installed = DEFAULT_RULEBASE,
        .without = "JSON is found without it in most messages",
        .open = open_rulebase,
        .arg = self,
    };
}

static void reload_watchlists(audit_action *self)
{
    const settings *s = &self->settings;
    watchlists *lists;
    char *error;

    if (s->watchlists.count == 0)
        return;
    lists = watchlist_files_read(&s->watchlists, s->rule, &error);
    if (lists != NULL)
        detector_set_watchlists(self->detector, lists);
    else
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': HUP: %s: the watchlists read before stay in use",
                 s->label.name, error ? error : "there is no memory for it");
    watchlists_unref(lists);
    free(error);
}

void audit_action_reload(audit_action *self)
{
    rulebase_source rulebase = rulebase_of(self);

    reload_watchlists(self);
    rulebase_source_reload(&rulebase);
    state_watcher_reopen(self->watcher);
}

/* --- the configuration's check --- */

static void find_queue(audit_action *self, rsconf_t *conf)
{
    const settings *s = &self->settings;

    if (s->ruleset != NULL)
        self->queue = alert_queue_find(
            &self->settings.label, conf, s->ruleset,
            &(alert_style){s->tag, s->facility, s->severity, s->container + 1}, &self->stop);
}

/* What is remembered stands under the action's name: two of one name would share it by chance. */
static void check_name(const audit_action *self, const action_list *actions)
{
    for (const audit_action *i = audit_action_first(actions); i != self; i = audit_action_next(i))
        if (strcmp(i->settings.label.name, self->settings.label.name) == 0)
            action_reject(&self->settings.label, "name", self->settings.label.name,
                          "another mmsynctap action has it too: what an action remembers is kept "
                          "under its name");
}

/* The caller's; NULL without a database or memory. */
static char *journal_path(const audit_action *self)
{
    const settings *s = &self->settings;

    return s->database != NULL ? journal_name(s->database, s->label.name) : NULL;
}

static bool has_journal(const audit_action *self, const char *path)
{
    char *own = journal_path(self);
    bool has = own != NULL && strcmp(own, path) == 0;

    free(own);
    return has;
}

/* The names of two databases may differ by what the names of two actions do. */
static void check_journal(const audit_action *self, const action_list *actions)
{
    enum { LONGEST_NAME = NAME_MAX - 24 }; /* a segment's number comes behind it */
    char *path = journal_path(self);
    const char *wrong = NULL;

    if (path != NULL && strlen(basename(path)) > LONGEST_NAME)
        wrong = "give a shorter name: it is part of a file's name";
    for (const audit_action *i = audit_action_first(actions); path != NULL && i != self;
         i = audit_action_next(i))
        if (has_journal(i, path) && strcmp(i->settings.label.name, self->settings.label.name) != 0)
            wrong = "another mmsynctap action would keep its journal in the same files: give one "
                    "of the two another name";
    if (wrong != NULL)
        action_reject(&self->settings.label, "name", self->settings.label.name, wrong);
    free(path);
}

/* rsyslog shows no warnings while it checks a configuration. */
static void begin_warning(const audit_action *self)
{
    fprintf(stderr, "rsyslogd: mmsynctap: action '%s': warning: ", self->settings.label.name);
}

/* A batch of the Event Hub has up to a megabyte; said by the check alone. */
static void check_longest_message(audit_action *self, rsconf_t *conf)
{
    enum { ENOUGH = 1000000 };

    self->longest_message = longest_message(conf);
    if (!iConfigVerify || self->longest_message >= ENOUGH)
        return;
    begin_warning(self);
    fprintf(stderr,
            "maxMessageSize is %zu bytes: longer records are cut (imfile, imkafka, imrelp) or "
            "split (imtcp), and cannot be read: write global(maxMessageSize=\"4m\")\n",
            self->longest_message);
}

/* A list may be off; but nobody is to think that an action watches that cannot. */
static void check_lists(const audit_action *self)
{
    const char *why = rule_why_none_matches(self->settings.rule);

    if (why == NULL || !iConfigVerify)
        return;
    begin_warning(self);
    fprintf(stderr, "it never alerts: %s\n", why);
}

void audit_action_check(audit_action *self, const action_list *actions)
{
    rulebase_source rulebase = rulebase_of(self);

    check_name(self, actions);
    if (action_complete_database(&self->settings.label, &self->settings.database, actions->conf))
        action_check_database(&self->settings.label, self->settings.database);
    check_longest_message(self, actions->conf);
    check_lists(self);
    find_queue(self, actions->conf);
    rulebase_source_load(&rulebase);
    check_journal(self, actions);
}

/* --- the start --- */

/* The watcher's sink. An alert that the queue does not take now comes again. */
static bool send_late_alert(void *action, const alert *a)
{
    audit_action *self = action;
    text written;
    json *tree;

    written = alert_text(a, &self->late_alert);
    tree = buffer_failed(&self->late_alert) || self->queue == NULL
               ? NULL
               : tag_make(self->late_tag, "match", 1, written);
    if (tree == NULL || alert_queue_try(self->queue, written, tree) != ALERT_PUT)
        return false;
    audit_statistics_count(&self->statistics, COUNTER_ALERTS, 1);
    audit_statistics_count(&self->statistics, COUNTER_LATE_ALERTS, a->late);
    return true;
}

static bool joins_late(const audit_action *self)
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
static void take_up_earlier_journal(const audit_action *self, const action_list *actions)
{
    const settings *s = &self->settings;
    char *before = s->database ? journal_name_before(s->database, s->label.name) : NULL;
    char *now = journal_path(self);
    bool is_taken = before == NULL || now == NULL;
    size_t moved;

    for (const audit_action *i = audit_action_first(actions); i != NULL && !is_taken;
         i = audit_action_next(i))
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

static bool follow(audit_action *self)
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

/* Called by the watcher after each look. */
static void set_gauges(void *action)
{
    audit_action *self = action;

    audit_statistics_set_gauges(&self->statistics, self->keeper, self->journal);
}

/* Its own parameters may leave none of a list in which synctap status, by the defaults, finds some.
 */
static void describe_sync_accounts(const audit_action *self, timestamp now, trouble_count *t)
{
    const audit_gauges *gauges = &self->statistics.gauges;

    if (rule_asks_role_list(self->settings.rule) && gauges->sync_accounts == 0)
        *t = (trouble_count){.count = (int64_t)gauges->identity_rows, .newest = now};
}

/* For the heartbeat; called by the watcher after set_gauges. */
static void describe(void *action, heartbeat *beat)
{
    audit_action *self = action;
    timestamp now = timestamp_now();

    audit_statistics_read_troubles(&self->statistics, now, beat->troubles);
    describe_sync_accounts(self, now, &beat->troubles[TROUBLE_NO_SYNC_ACCOUNTS]);
    beat->last_message = self->statistics.messages.when;
    beat->last_candidate = self->statistics.candidates.when;
    beat->longest_message = (int64_t)self->longest_message; /* rsyslog's own is an int */
    beat->version = SYNCTAP_VERSION;
    beat->built_for = VERSION;
}

/* For the watcher of a database's first action: has the configuration one of that name? */
static bool has_action(void *action, const char *name)
{
    const audit_action *self = action;

    for (const audit_action *i = audit_action_first(self->listed.list); i != NULL;
         i = audit_action_next(i))
        if (strcmp(i->settings.label.name, name) == 0)
            return true;
    return false;
}

static bool is_first_of_database(const audit_action *self)
{
    const char *database = self->settings.database;
    const audit_action *i = audit_action_first(self->listed.list);

    while (i != self && (database == NULL || i->settings.database == NULL ||
                         strcmp(i->settings.database, database) != 0))
        i = audit_action_next(i);
    return i == self;
}

static const char *rule_in_words(const audit_action *self, char *words, size_t room)
{
    const rule_facts *facts = rule_get_facts(self->settings.rule);
    text name = facts->name, version = facts->version;

    snprintf(words, room, "rule \"%.*s\" %.*s%s, semantics %s", (int)name.length, name.bytes,
             (int)version.length, version.bytes,
             rule_is_built_in(self->settings.rule) ? "" : " of its file",
             rule_get_semantics(self->settings.rule) == SEMANTICS_KQL ? "kql" : "wide");
    return words;
}

static void tell_of_lists(const audit_action *self)
{
    const char *why = rule_why_none_matches(self->settings.rule);

    if (why != NULL)
        LogMsg(0, RS_RET_OK, LOG_WARNING, "mmsynctap: action '%s' never alerts: %s",
               self->settings.label.name, why);
}

/* Without memory it is no stream, and each message is judged alone. */
void audit_action_start(audit_action *self)
{
    char rule_words[512]; /* said at once */

    /* rsyslogd knows its own host name only now, after the configuration has been read. */
    detector_set_collector(self->detector, collector_name());
    tell_of_lists(self);
    take_up_earlier_journal(self, self->listed.list);
    if (!follow(self))
        LogError(ENOMEM, RS_RET_OUT_OF_MEMORY,
                 "mmsynctap: action '%s': nothing is remembered from one message to the next",
                 self->settings.label.name);
    self->watcher = state_watcher_start(&(watched){
        .action = &self->settings.label,
        .keeper = self->keeper,
        .database = self->settings.database,
        .statistics = &self->statistics,
        .late = send_late_alert,
        .ran = set_gauges,
        .describe = describe,
        .rule = rule_in_words(self, rule_words, sizeof(rule_words)),
        .uses_role_list = rule_asks_role_list(self->settings.rule),
        .judges_names = rule_judges_names(self->settings.rule),
        .has_action = is_first_of_database(self) ? has_action : NULL,
        .arg = self,
    });
}
