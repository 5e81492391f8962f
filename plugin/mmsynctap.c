/*
 * mmsynctap: rsyslog's message-modification module. It runs the rule on each
 * message, tags what matches, and can send an alert message to a ruleset.
 *
 * doAction answers RS_RET_OK whatever happens: any other word suspends the
 * action or ends it for good (seen with 8.2302), and messages would go by unseen.
 */
#include "rsyslog_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "errmsg.h"
#include "glbl.h"
#include "module-template.h"
#include "msg.h"
#include "obj.h"
#include "rainerscript.h"
#include "statsobj.h"
#include "template.h"

#include "alert_queue.h"
#include "detector.h"
#include "role_list_watcher.h"
#include "settings.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
MODULE_TYPE_OUTPUT
MODULE_TYPE_NOKEEP
MODULE_CNFNAME("mmsynctap")

DEF_OMOD_STATIC_DATA
DEFobjCurrIf(glbl)
DEFobjCurrIf(statsobj);
/* clang-format on */

enum {
    TREE_DEPTH = JSON_MOST_DEPTH + 8
}; /* an alert's tree is a little deeper than its record's */

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
};

typedef struct gauges {
    intctr_t sync_accounts;
    intctr_t identity_rows;
    int identity_age_seconds; /* of the newest row; -1 without rows */
    intctr_t pending;
    intctr_t open_incidents;
} gauges;

typedef struct _instanceData {
    settings settings;
    detector *detector;
    alert_queue *queue;
    role_list_watcher *watcher;
    statsobj_t *stats;
    intctr_t counters[COUNTERS];
    gauges gauges;
    log_limit undecodable_limit;
    struct _instanceData *next;
} instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
    detector_worker *worker;
    json_parser *parser;
    buffer alerts; /* the message's alerts, one after the other, with commas */
    struct kept_alert {
        size_t end; /* where its text ends */
        bool is_degraded;
    } * kept;
    size_t count;
    size_t room;
    buffer tag;
    bool out_of_memory;
} wrkrInstanceData_t;

struct modConfData_s {
    rsconf_t *pConf;
    instanceData *instances;
    unsigned count;
};

static modConfData_t *loadModConf = NULL;

/* --- statistics ------------------------------------------------------------------------ */

static void count(instanceData *self, enum counter which, size_t how_many)
{
    count_up(&self->counters[which], how_many);
}

/* Called by the watcher. impstats reads them in its own thread, as it does all counters. */
static void set_gauges(void *instance)
{
    instanceData *self = instance;
    detector_facts facts = detector_read_facts(self->detector);
    timespan age = timestamp_now() - facts.identity.newest;
    gauges *g = &self->gauges;

    __atomic_store_n(&g->sync_accounts, facts.sync_accounts, __ATOMIC_RELAXED);
    __atomic_store_n(&g->identity_rows, (intctr_t)facts.identity.rows, __ATOMIC_RELAXED);
    __atomic_store_n(&g->identity_age_seconds,
                     facts.identity.has_rows ? (int)(age / TICKS_PER_SECOND) : -1,
                     __ATOMIC_RELAXED);
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

/* --- the configuration's check ---------------------------------------------------------- */

/* A rulebase that was asked for must be right; the installed one may be missing. */
static void load_rulebase(instanceData *self)
{
    const char *path = self->settings.rulebase ? self->settings.rulebase : DEFAULT_RULEBASE;
    char *error;

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
        self->queue =
            alert_queue_find(&self->settings.label, conf, s->ruleset,
                             &(alert_look){s->tag, s->facility, s->severity, s->container + 1});
}

/* All that can be wrong is told at once. */
static void check_instance(instanceData *self, rsconf_t *conf)
{
    if (action_complete_database(&self->settings.label, &self->settings.database, conf))
        action_check_directory(&self->settings.label, self->settings.database);
    find_queue(self, conf);
    load_rulebase(self);
}

/* rsyslogd knows its own host name only now, after the configuration has been read. */
static void set_collector(instanceData *self)
{
    const char *name = (const char *)glbl.GetLocalHostName();

    detector_set_collector(self->detector, name ? name : "");
}

static void activate_instance(instanceData *self)
{
    set_collector(self);
    self->watcher = role_list_watcher_start(&(watched){
        .action = &self->settings.label,
        .detector = self->detector,
        .database = self->settings.database,
        .state_errors = &self->counters[STATE_ERRORS],
        .looked = set_gauges,
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
    role_list_watcher_reopen(self->watcher);
}

/* --- a message -------------------------------------------------------------------------- */

static bool make_room_for_alert(wrkrInstanceData_t *self)
{
    size_t room = self->room ? 2 * self->room : 16;
    struct kept_alert *kept;

    if (self->count < self->room)
        return true;
    kept = realloc(self->kept, room * sizeof(*kept));
    if (kept == NULL)
        return false;
    self->kept = kept;
    self->room = room;
    return true;
}

/* The detector's sink: keeps the alert's text until the message is tagged. */
static void take_alert(void *worker, const alert *a)
{
    wrkrInstanceData_t *self = worker;

    if (!make_room_for_alert(self)) {
        self->out_of_memory = true;
        return;
    }
    if (self->count > 0)
        buffer_append_char(&self->alerts, ',');
    alert_write(a, &self->alerts);
    self->kept[self->count++] = (struct kept_alert){self->alerts.length, a->degraded};
}

static text alert_text(const wrkrInstanceData_t *self, size_t index)
{
    size_t begin = index > 0 ? self->kept[index - 1].end + 1 : 0; /* behind the comma */

    return (text){self->alerts.bytes + begin, self->kept[index].end - begin};
}

/* The container's tree for these alerts (JSON, with commas between them). */
static json *tag_tree(wrkrInstanceData_t *self, const char *status, size_t how_many, text first,
                      text all)
{
    char number[24];
    json *tree;
    size_t taken;

    snprintf(number, sizeof(number), "%zu", how_many);
    buffer_clear(&self->tag);
    buffer_append_char(&self->tag, '{');
    json_write_member(&self->tag, "status", text_of(status));
    json_write_key(&self->tag, "count");
    buffer_append_string(&self->tag, number);
    if (how_many > 0) {
        json_write_key(&self->tag, "alert");
        buffer_append(&self->tag, first);
        json_write_key(&self->tag, "alerts");
        buffer_append_char(&self->tag, '[');
        buffer_append(&self->tag, all);
        buffer_append_char(&self->tag, ']');
    }
    buffer_append_char(&self->tag, '}');
    if (buffer_failed(&self->tag) ||
        json_parse(self->parser, buffer_text(&self->tag), &tree, &taken) != NULL)
        return NULL;
    return tree;
}

static void put_tag(wrkrInstanceData_t *self, smsg_t *message, json *tree)
{
    if (tree == NULL) {
        self->out_of_memory = true;
        return;
    }
    msgAddJSON(message, (uchar *)self->pData->settings.container + 1, tree, 1, 0);
}

static void send_alert(wrkrInstanceData_t *self, smsg_t *message, size_t index, const char *status)
{
    instanceData *data = self->pData;
    text alert = alert_text(self, index);
    json *tree = tag_tree(self, status, 1, alert, alert);

    switch (alert_queue_put(data->queue, message, alert, tree)) {
    case ALERT_PUT:
        break;
    case ALERT_PUT_HELD_BACK:
        count(data, HELD_BACK, 1);
        break;
    case ALERT_LOST:
        /* The last resort: the alert stands in the log, whole. */
        LogError(0, RS_RET_QUEUE_FULL,
                 "mmsynctap: action '%s': ruleset '%s' did not take this alert: %.*s",
                 data->settings.label.name, data->settings.ruleset, (int)alert.length, alert.bytes);
        break;
    }
}

static void clear_alerts(wrkrInstanceData_t *self)
{
    buffer_clear(&self->alerts);
    self->count = 0;
    self->out_of_memory = false;
}

/*
 * What could not be read weighs less than a row that was: the message is a
 * match then. Alerts go out before the tag is put, so that the copies carry
 * nothing of it.
 */
static const char *status_of(const wrkrInstanceData_t *self)
{
    for (size_t i = 0; i < self->count; i++)
        if (!self->kept[i].is_degraded)
            return "match";
    return "undecodable";
}

static void handle_alerts(wrkrInstanceData_t *self, smsg_t *message, const detection *found)
{
    instanceData *data = self->pData;

    for (size_t i = 0; data->queue != NULL && i < self->count; i++)
        send_alert(self, message, i, self->kept[i].is_degraded ? "undecodable" : "match");
    put_tag(self, message,
            tag_tree(self, status_of(self), self->count,
                     self->count > 0 ? alert_text(self, 0) : (text){0},
                     buffer_text(&self->alerts)));
    count(data, MATCHED, found->rows > found->degraded);
    count(data, ALERTS, self->count);
    count(data, DEGRADED_ALERTS, found->degraded);
}

static void tell_undecodable(wrkrInstanceData_t *self, const char *reason)
{
    instanceData *data = self->pData;

    count(data, UNDECODABLE, 1);
    log_limited(&data->undecodable_limit, &data->settings.label,
                "a message that may hold a record of the rule could not be read: %s; it is tagged "
                "%s!status=\"undecodable\"",
                reason, data->settings.container);
}

static void handle(wrkrInstanceData_t *self, smsg_t *message, const detection *found)
{
    instanceData *data = self->pData;
    bool is_whole = !self->out_of_memory && !buffer_failed(&self->alerts);

    count(data, CANDIDATES, found->candidate);
    count(data, STALE, found->stale);
    if (!is_whole)
        clear_alerts(self); /* their texts are not whole: the message counts as unread */
    if (found->undecodable || !is_whole)
        tell_undecodable(self, found->reason ? found->reason : "out of memory");
    if (self->count > 0 || found->undecodable || !is_whole)
        handle_alerts(self, message, found);
}

static void judge_text(wrkrInstanceData_t *self, smsg_t *message, text t)
{
    detection found;

    count(self->pData, MESSAGES, 1);
    count(self->pData, BYTES, t.length);
    clear_alerts(self);
    found = detector_feed(self->worker, t, timestamp_now(), take_alert, self);
    if (found.candidate)
        handle(self, message, &found);
}

static void judge_tree(wrkrInstanceData_t *self, smsg_t *message, json *tree)
{
    detection found;

    count(self->pData, MESSAGES, 1);
    clear_alerts(self);
    found = detector_feed_tree(self->worker, tree, timestamp_now(), take_alert, self);
    handle(self, message, &found);
}

static void judge_raw_message(wrkrInstanceData_t *self, smsg_t *message)
{
    uchar *bytes;
    int length;

    getRawMsg(message, &bytes, &length);
    judge_text(self, message, (text){(const char *)bytes, (size_t)length});
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

/* --- rsyslog's entry points ------------------------------------------------------------- */
/* Its macros are statements without semicolons. */
/* clang-format off */
BEGINbeginCnfLoad
CODESTARTbeginCnfLoad
    loadModConf = pModConf;
    pModConf->pConf = pConf;
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
    for (instanceData *i = pModConf->instances; i != NULL; i = i->next)
        check_instance(i, pModConf->pConf);
ENDcheckCnf

BEGINactivateCnf
CODESTARTactivateCnf
    for (instanceData *i = pModConf->instances; i != NULL; i = i->next)
        activate_instance(i);
ENDactivateCnf

BEGINfreeCnf
CODESTARTfreeCnf
ENDfreeCnf

BEGINcreateInstance
CODESTARTcreateInstance
    pData->gauges.identity_age_seconds = -1;
ENDcreateInstance

BEGINfreeInstance
CODESTARTfreeInstance
    role_list_watcher_stop(pData->watcher);
    if (pData->stats != NULL)
        statsobj.Destruct(&pData->stats);
    alert_queue_free(pData->queue);
    detector_free(pData->detector);
    settings_free(&pData->settings);
ENDfreeInstance

BEGINcreateWrkrInstance
CODESTARTcreateWrkrInstance
    CHKmalloc(pWrkrData->worker = detector_worker_new(pData->detector));
    CHKmalloc(pWrkrData->parser = json_parser_new(TREE_DEPTH));
finalize_it:
ENDcreateWrkrInstance

BEGINfreeWrkrInstance
CODESTARTfreeWrkrInstance
    detector_worker_free(pWrkrData->worker);
    json_parser_free(pWrkrData->parser);
    buffer_free(&pWrkrData->alerts);
    buffer_free(&pWrkrData->tag);
    free(pWrkrData->kept);
ENDfreeWrkrInstance

/* Appends to the list, so that actions are numbered and told of in the order of the file. */
static void remember_instance(modConfData_t *conf, instanceData *self)
{
    instanceData **last = &conf->instances;

    while (*last != NULL)
        last = &(*last)->next;
    *last = self;
    conf->count++;
}

BEGINnewActInst
CODESTARTnewActInst
    CODE_STD_STRING_REQUESTnewActInst(1)
    CHKiRet(OMSRsetEntry(*ppOMSR, 0, NULL, OMSR_TPL_AS_MSG));
    CHKiRet(createInstance(&pData));
    if (!settings_take(&pData->settings, lst, loadModConf->count + 1))
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CHKmalloc(pData->detector = detector_new(pData->settings.rule));
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
CODESTARTdoAction
    if (pWrkrData->pData->settings.has_property)
        judge_property(pWrkrData, message);
    else
        judge_raw_message(pWrkrData, message);
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

BEGINmodInit()
CODESTARTmodInit
    *ipIFVersProvided = CURR_MOD_IF_VERSION;
    CODEmodInit_QueryRegCFSLineHdlr
    if (!rsyslog_layout_fits("mmsynctap"))
        ABORT_FINALIZE(RS_RET_MODULE_LOAD_ERR_DLOPEN);
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
ENDmodInit
