/* SPDX-License-Identifier: Apache-2.0 */
/*
 * omidentityinfo: rsyslog's output module that keeps the role list. Each
 * message carries IdentityInfo records; the rows of a batch are one
 * transaction.
 *
 * A batch that the database does not take is answered with SUSPENDED:
 * rsyslog tries it again, as the action's resume parameters say.
 */
#include "rsyslog/rsyslog_module.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "errmsg.h"
#include "module-template.h"
#include "obj.h"
#include "rainerscript.h"
#include "rsconf.h"
#include "statsobj.h"
#include "template.h"

#include "base/shown.h"
#include "rsyslog/rsyslog_probe.h"
#include "state/identity_import.h"
#include "state/store_rescue.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
MODULE_TYPE_OUTPUT
MODULE_TYPE_NOKEEP
MODULE_CNFNAME("omidentityinfo")

DEF_OMOD_STATIC_DATA
DEFobjCurrIf(statsobj);
/* clang-format on */

enum { PATIENCE = 2000 }; /* milliseconds that a batch waits for another writer */

static const char DEFAULT_RULEBASE[] = SYNCTAP_RULEBASE_DIR "/identity-info.rulebase";

enum string { MESSAGE, RECEIVED, STRINGS }; /* what rsyslog gives for each message */

enum counter { MESSAGES, ROWS, REJECTED, STATE_ERRORS, COUNTERS };

static const char *const counter_names[COUNTERS] = {
    [MESSAGES] = "messages",
    [ROWS] = "rows",
    [REJECTED] = "rejected",
    [STATE_ERRORS] = "state_errors",
};

typedef struct _instanceData {
    action_label label;
    char *database;
    char *property;
    char *rulebase_path;
    carrier *rulebase; /* guarded by `reloading` when it is taken or replaced */
    pthread_mutex_t reloading;
    statsobj_t *stats;
    intctr_t counters[COUNTERS];
    log_limit rejected_limit;
    log_limit database_limit;
    struct modConfData_s *conf; /* whose list it is in; NULL: in none */
    struct _instanceData *next;
} instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
    identity_import *import;
    rule *rule; /* the built-in one: whom a snapshot must not take in silence */
    store *store;
    role_list *list;
    snapshot_stream *snapshot;
    bool is_damaged; /* the file is no sound database any more */
} wrkrInstanceData_t;

struct modConfData_s {
    rsconf_t *pConf;
    instanceData *instances;
    unsigned count;
};

static modConfData_t *loadModConf = NULL;

/* --- parameters --- */

static struct cnfparamdescr actpdescr[] = {
    {"name", eCmdHdlrGetWord, 0},
    {"database", eCmdHdlrString, 0},
    {"property", eCmdHdlrString, 0},
    {"rulebase", eCmdHdlrString, 0},
};

enum { PARAMETERS = sizeof(actpdescr) / sizeof(actpdescr[0]) };

static struct cnfparamblk actpblk = {CNFPARAMBLK_VERSION, PARAMETERS, actpdescr};

static bool take_parameters(instanceData *self, const struct cnfparamvals *values)
{
    char *name = NULL;
    char **const strings[PARAMETERS] = {&name, &self->database, &self->property,
                                        &self->rulebase_path};
    bool right = true;

    for (int i = 0; i < PARAMETERS; i++)
        if (values[i].bUsed)
            right &= (*strings[i] = parameter_string(&values[i].val)) != NULL;
    right &= action_label_set(&self->label, "omidentityinfo", name, loadModConf->count + 1);
    free(name);
    for (int i = 1; right && i < PARAMETERS; i++) {
        if (*strings[i] != NULL && **strings[i] == '\0') {
            action_reject(&self->label, actpdescr[i].name, "", "give a value");
            right = false;
        }
    }
    return right;
}

/* Is there such a property? rsyslog itself would say it of a template that nobody wrote. */
static bool check_property(const instanceData *self)
{
    const char *name = self->property ? self->property : "rawmsg";
    msgPropDescr_t property;

    if (msgPropDescrFill(&property, (uchar *)name, (int)strlen(name)) == RS_RET_OK) {
        msgPropDescrDestruct(&property);
        return true;
    }
    action_reject(&self->label, "property", name,
                  "give a message property such as rawmsg or msg, or a variable such as $!x");
    return false;
}

/* A template of the module's own that is one property; its name is the caller's to free. */
static char *make_template(const instanceData *self, const char *purpose, const char *property)
{
    char *name = NULL, *line = NULL;
    uchar *rest;

    if (asprintf(&name, " synctap %s %s", self->label.name, purpose) < 0 ||
        asprintf(&line, "\"%%%s%%\"", property) < 0) {
        free(name);
        return NULL;
    }
    rest = (uchar *)line;
    if (tplAddLine(loadModConf->pConf, name, &rest) == NULL) {
        free(name);
        name = NULL;
    }
    free(line);
    return name;
}

/* A transactional module gets strings: the property, and the time of reception. */
static rsRetVal request_strings(const instanceData *self, omodStringRequest_t *strings)
{
    char *message = make_template(self, "message", self->property ? self->property : "rawmsg");
    char *received = make_template(self, "received", "timegenerated:::date-rfc3339");
    DEFiRet;

    if (message == NULL || received == NULL) {
        free(message);
        free(received);
        return RS_RET_OUT_OF_MEMORY;
    }
    CHKiRet(OMSRsetEntry(strings, MESSAGE, (uchar *)message, OMSR_NO_RQD_TPL_OPTS));
    CHKiRet(OMSRsetEntry(strings, RECEIVED, (uchar *)received, OMSR_NO_RQD_TPL_OPTS));
finalize_it:
    RETiRet;
}

/* --- statistics --- */

static void count(instanceData *self, enum counter which, size_t how_many)
{
    count_up(&self->counters[which], how_many);
}

static rsRetVal make_statistics(instanceData *self)
{
    DEFiRet;

    CHKiRet(action_begin_statistics(&self->label, counter_names, self->counters, COUNTERS,
                                    &self->stats));
    CHKiRet(statsobj.ConstructFinalize(self->stats));
finalize_it:
    RETiRet;
}

/* --- the rulebase --- */

static const char *rulebase_path(const instanceData *self)
{
    return self->rulebase_path ? self->rulebase_path : DEFAULT_RULEBASE;
}

static void replace_rulebase(instanceData *self, carrier *opened)
{
    carrier *before;

    pthread_mutex_lock(&self->reloading);
    before = self->rulebase;
    self->rulebase = opened;
    pthread_mutex_unlock(&self->reloading);
    carrier_unref(before);
}

static carrier *take_rulebase(instanceData *self)
{
    carrier *taken;

    pthread_mutex_lock(&self->reloading);
    taken = self->rulebase ? carrier_ref(self->rulebase) : NULL;
    pthread_mutex_unlock(&self->reloading);
    return taken;
}

/* A rulebase that was asked for must be right; the installed one may be missing. */
static void load_rulebase(instanceData *self)
{
    char *error;
    carrier *opened;

    if (self->rulebase_path != NULL &&
        !action_check_path(&self->label, "rulebase", self->rulebase_path))
        return;
    opened = carrier_open(rulebase_path(self), &error);
    if (opened != NULL)
        replace_rulebase(self, opened);
    else if (self->rulebase_path != NULL)
        action_reject(&self->label, "rulebase", self->rulebase_path,
                      error ? error : "there is no memory for it");
    free(error);
}

static void reload_rulebase(instanceData *self)
{
    char *error;
    carrier *opened = carrier_open(rulebase_path(self), &error);

    if (opened != NULL)
        replace_rulebase(self, opened);
    else
        LogError(0, RS_RET_ERR,
                 "omidentityinfo: action '%s': HUP: the rulebase %s: %s: the one read before stays "
                 "in use",
                 self->label.name, rulebase_path(self), error ? error : "out of memory");
    free(error);
}

/* --- a batch --- */

static void close_database(wrkrInstanceData_t *self)
{
    snapshot_stream_close(self->snapshot);
    role_list_close(self->list);
    store_close(self->store);
    self->snapshot = NULL;
    self->list = NULL;
    self->store = NULL;
}

static void tell_database_error(wrkrInstanceData_t *self, const char *error)
{
    instanceData *data = self->pData;

    count(data, STATE_ERRORS, 1);
    log_limited(&data->database_limit, &data->label,
                "the state database %s: %s: this batch of role rows was not kept; rsyslog tries it "
                "again as often as action.resumeRetryCount says (by default not at all)",
                data->database, error ? error : "out of memory");
}

/* A file that was deleted is written anew from what is still open of it, with the role list. */
static void bring_back_deleted(wrkrInstanceData_t *self)
{
    const char *path = self->pData->database;
    char *error;

    if (self->store == NULL || access(path, F_OK) == 0)
        return;
    if (!store_restore(self->store, path, &error))
        tell_database_error(self, error);
    free(error);
}

/* The other store, if there is one: what can be read of a damaged file is in it. */
static store *replace_damaged(wrkrInstanceData_t *self, char **error)
{
    instanceData *data = self->pData;
    char *moved_to;
    store *made = store_replace_damaged(self->store, data->database, &moved_to, error);

    if (moved_to != NULL)
        LogError(0, RS_RET_ERR,
                 "omidentityinfo: action '%s': the state database %s was damaged: it is now %s, "
                 "and what could be read of it is in a new one; load the role list again",
                 data->label.name, data->database, moved_to);
    free(moved_to);
    return made;
}

static void tell_news(const wrkrInstanceData_t *self)
{
    const char *news = store_news(self->store);

    if (news != NULL)
        LogError(0, RS_RET_ERR, "omidentityinfo: action '%s': the state database %s: %s",
                 self->pData->label.name, self->pData->database, news);
}

static store *open_store(wrkrInstanceData_t *self, char **error)
{
    if (self->is_damaged && self->store != NULL)
        return replace_damaged(self, error);
    bring_back_deleted(self);
    return store_open(self->pData->database, STORE_CREATE | STORE_BRIEFLY, error);
}

/* Opened where it is used, after the fork: SQLite's connections do not survive one. */
static bool open_database(wrkrInstanceData_t *self)
{
    char *error;
    store *opened;

    if (self->list != NULL && !self->is_damaged && store_is_in_place(self->store))
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
    store_set_patience(self->store, PATIENCE);
    self->list = role_list_open(self->store);
    if (self->list != NULL)
        self->snapshot = snapshot_stream_open(self->store, self->list, self->rule);
    if (self->snapshot != NULL)
        return true;
    tell_database_error(self, store_error(self->store));
    close_database(self);
    return false;
}

static void tell_rejected(instanceData *data, const identity_imported *got)
{
    count(data, REJECTED, 1);
    log_limited(&data->rejected_limit, &data->label, "a message without an identity record: %s",
                got->reason         ? got->reason
                : got->without_time ? "rows in it have no readable time"
                                    : "no row of a role list in it");
}

/* Who has lost his role by it, or why nobody has, is said of each snapshot. */
static bool take_marker(void *arg, const snapshot_marker *marker)
{
    wrkrInstanceData_t *self = arg;
    buffer words = {0}, id = {0};
    snapshot_end end = snapshot_stream_mark(self->snapshot, marker, &words);

    shown_append(&id, marker->id);
    if (end != SNAPSHOT_FAILED && words.length > 0)
        LogError(0, RS_RET_ERR, "omidentityinfo: action '%s': the snapshot %s: %s",
                 self->pData->label.name, buffer_string(&id), buffer_string(&words));
    if (end == SNAPSHOT_LEFT)
        count(self->pData, REJECTED, 1);
    buffer_free(&words);
    buffer_free(&id);
    return end != SNAPSHOT_FAILED;
}

static text string_of(actWrkrIParams_t *messages, unsigned which, enum string string)
{
    const actWrkrIParams_t *m = &actParam(messages, STRINGS, which, string);

    return (text){(const char *)m->param, m->lenStr};
}

static bool put_message(wrkrInstanceData_t *self, const carrier *rulebase,
                        actWrkrIParams_t *messages, unsigned which, size_t *rows)
{
    timestamp received;
    identity_imported got;

    if (!timestamp_parse(string_of(messages, which, RECEIVED), &received))
        received = timestamp_now();
    got = identity_import_feed(self->import, self->list, rulebase,
                               string_of(messages, which, MESSAGE), received);
    if (got.failed)
        return false;
    if (got.records == 0 || got.broken + got.failed_parts > 0 || got.without_time > 0)
        tell_rejected(self->pData, &got);
    *rows += got.rows;
    return true;
}

/* One transaction; false when the database did not take it and none of it is kept. */
static bool put_batch(wrkrInstanceData_t *self, actWrkrIParams_t *messages, unsigned how_many)
{
    carrier *rulebase;
    size_t rows = 0;
    bool put = true;

    if (!open_database(self))
        return false;
    rulebase = take_rulebase(self->pData);
    put = role_list_begin(self->list) && snapshot_stream_resume(self->snapshot, timestamp_now());
    for (unsigned i = 0; put && i < how_many; i++)
        put = put_message(self, rulebase, messages, i, &rows);
    put = put && role_list_commit(self->list);
    if (!put) {
        tell_database_error(self, store_error(self->store));
        role_list_rollback(self->list);
        self->is_damaged = store_is_damaged(self->store);
        if (!self->is_damaged)
            close_database(self); /* the next try begins anew, perhaps with another file */
    }
    carrier_unref(rulebase);
    count(self->pData, ROWS, put ? rows : 0);
    count(self->pData, MESSAGES, put ? how_many : 0);
    return put;
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

/* What is wrong is logged as an error, and that fails `rsyslogd -N1`. */
BEGINcheckCnf
CODESTARTcheckCnf
    for (instanceData *i = pModConf->instances; i != NULL; i = i->next) {
        if (action_complete_database(&i->label, &i->database, pModConf->pConf))
            action_check_database(&i->label, i->database);
        load_rulebase(i);
    }
ENDcheckCnf

BEGINactivateCnf
CODESTARTactivateCnf
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
    pthread_mutex_init(&pData->reloading, NULL);
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
    if (pData->stats != NULL)
        statsobj.Destruct(&pData->stats);
    carrier_unref(pData->rulebase);
    pthread_mutex_destroy(&pData->reloading);
    free(pData->label.name);
    free(pData->database);
    free(pData->property);
    free(pData->rulebase_path);
ENDfreeInstance

BEGINcreateWrkrInstance
CODESTARTcreateWrkrInstance
    int cancellation = switch_cancellation_off();
    CHKmalloc(pWrkrData->import = identity_import_new());
    CHKmalloc(pWrkrData->rule = rule_new());
    identity_import_set_marker_taker(pWrkrData->import, take_marker, pWrkrData);
finalize_it:
    restore_cancellation(cancellation);
ENDcreateWrkrInstance

BEGINfreeWrkrInstance
    int cancellation = switch_cancellation_off();
CODESTARTfreeWrkrInstance
    close_database(pWrkrData);
    identity_import_free(pWrkrData->import);
    restore_cancellation(cancellation);
ENDfreeWrkrInstance

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
    struct cnfparamvals *pvals;
CODESTARTnewActInst
    pvals = nvlstGetParams(lst, &actpblk, NULL);
    if (pvals == NULL)
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CODE_STD_STRING_REQUESTnewActInst(STRINGS);
    CHKiRet(createInstance(&pData));
    if (!take_parameters(pData, pvals) || !check_property(pData))
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CHKiRet(request_strings(pData, *ppOMSR));
    CHKiRet(make_statistics(pData));
    remember_instance(loadModConf, pData);
CODE_STD_FINALIZERnewActInst
    cnfparamvalsDestruct(pvals, &actpblk);
ENDnewActInst

BEGINdbgPrintInstInfo
CODESTARTdbgPrintInstInfo
ENDdbgPrintInstInfo

BEGINtryResume
    int cancellation = switch_cancellation_off();
CODESTARTtryResume
    if (pWrkrData->pData->database == NULL || !open_database(pWrkrData))
        iRet = RS_RET_SUSPENDED;
    restore_cancellation(cancellation);
ENDtryResume

BEGINisCompatibleWithFeature
CODESTARTisCompatibleWithFeature
ENDisCompatibleWithFeature

BEGINbeginTransaction
CODESTARTbeginTransaction
ENDbeginTransaction

BEGINcommitTransaction
    int cancellation = switch_cancellation_off();
CODESTARTcommitTransaction
    if (pWrkrData->pData->database == NULL || !put_batch(pWrkrData, pParams, nParams))
        iRet = RS_RET_SUSPENDED;
    restore_cancellation(cancellation);
ENDcommitTransaction

BEGINdoHUP
CODESTARTdoHUP
    reload_rulebase(pData);
ENDdoHUP

NO_LEGACY_CONF_parseSelectorAct

BEGINmodExit
CODESTARTmodExit
    objRelease(statsobj, CORE_COMPONENT);
ENDmodExit

BEGINqueryEtryPt
CODESTARTqueryEtryPt
CODEqueryEtryPt_STD_OMODTX_QUERIES
CODEqueryEtryPt_STD_OMOD8_QUERIES
CODEqueryEtryPt_STD_CONF2_OMOD_QUERIES
CODEqueryEtryPt_STD_CONF2_QUERIES
CODEqueryEtryPt_doHUP
ENDqueryEtryPt

BEGINmodInit(AfterProbe)
CODESTARTmodInit;
    *ipIFVersProvided = CURR_MOD_IF_VERSION;
    CODEmodInit_QueryRegCFSLineHdlr;
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
ENDmodInit

/* What rsyslogd calls. Until the probe has said yes, no table of this module is filled. */
rsRetVal modInit(int version_asked, int *version_given, module_query **query, host_query *host,
                 modInfo_t *info)
{
    if (!rsyslog_fits("omidentityinfo"))
        return RS_RET_MODULE_LOAD_ERR_DLOPEN;
    return modInitAfterProbe(version_asked, version_given, query, host, info);
}
