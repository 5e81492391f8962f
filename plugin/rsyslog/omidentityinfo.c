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

#include "conf.h"
#include "module-template.h"
#include "obj.h"
#include "rainerscript.h"
#include "template.h"

#include "rsyslog/action_list.h"
#include "rsyslog/role_action.h"
#include "rsyslog/role_writer.h"
#include "rsyslog/rsyslog_probe.h"
#include "rsyslog/stop.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
MODULE_TYPE_OUTPUT
MODULE_TYPE_NOKEEP
MODULE_CNFNAME("omidentityinfo")

DEF_OMOD_STATIC_DATA
/* clang-format on */

typedef role_action instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
    role_writer *writer;
} wrkrInstanceData_t;

struct modConfData_s {
    action_list actions;
};

static action_list *loading;

/* False: rsyslog comes again with the same batch. */
static bool may_write(wrkrInstanceData_t *self)
{
    if (self->pData->database == NULL)
        return false;
    if (self->writer == NULL)
        self->writer = role_writer_new(self->pData);
    if (self->writer == NULL)
        role_action_count(self->pData, COUNTER_STATE_ERRORS, 1);
    return self->writer != NULL;
}

/* --- rsyslog's entry points --- */
/* Its macros are statements without semicolons. */
/* clang-format off */
BEGINbeginCnfLoad
CODESTARTbeginCnfLoad
    action_list_begin(&pModConf->actions, pConf, &loading);
ENDbeginCnfLoad

BEGINendCnfLoad
CODESTARTendCnfLoad
ENDendCnfLoad

/* What is wrong is logged as an error, and that fails `rsyslogd -N1`. */
BEGINcheckCnf
CODESTARTcheckCnf
    for (role_action *i = role_action_first(&pModConf->actions); i != NULL; i = role_action_next(i))
        role_action_check(i, pModConf->actions.conf);
ENDcheckCnf

BEGINactivateCnf
CODESTARTactivateCnf
ENDactivateCnf

/* rsyslog frees this first, and the actions after it. */
BEGINfreeCnf
CODESTARTfreeCnf
    action_list_end(&pModConf->actions, &loading);
ENDfreeCnf

BEGINcreateInstance
CODESTARTcreateInstance
    role_action_begin(pData);
ENDcreateInstance

BEGINfreeInstance
CODESTARTfreeInstance
    action_list_forget(&pData->listed);
    role_action_end(pData);
ENDfreeInstance

/* rsyslog (8.2302) uses one whose making failed: without memory it has no writer yet. */
BEGINcreateWrkrInstance
CODESTARTcreateWrkrInstance
    int cancellation = switch_cancellation_off();
    pWrkrData->writer = role_writer_new(pData);
    restore_cancellation(cancellation);
ENDcreateWrkrInstance

BEGINfreeWrkrInstance
    int cancellation = switch_cancellation_off();
CODESTARTfreeWrkrInstance
    role_writer_free(pWrkrData->writer);
    restore_cancellation(cancellation);
ENDfreeWrkrInstance

BEGINnewActInst
CODESTARTnewActInst
    CODE_STD_STRING_REQUESTnewActInst(ROLE_STRINGS);
    CHKiRet(createInstance(&pData));
    CHKiRet(role_action_take(pData, lst, loading, *ppOMSR));
    action_list_add(loading, &pData->listed);
CODE_STD_FINALIZERnewActInst
ENDnewActInst

BEGINdbgPrintInstInfo
CODESTARTdbgPrintInstInfo
ENDdbgPrintInstInfo

BEGINtryResume
    int cancellation = switch_cancellation_off();
CODESTARTtryResume
    if (!may_write(pWrkrData) || !role_writer_open(pWrkrData->writer))
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
    if (!may_write(pWrkrData) || !role_writer_put(pWrkrData->writer, pParams, nParams))
        iRet = RS_RET_SUSPENDED;
    restore_cancellation(cancellation);
ENDcommitTransaction

BEGINdoHUP
CODESTARTdoHUP
    role_action_reload(pData);
ENDdoHUP

NO_LEGACY_CONF_parseSelectorAct

BEGINmodExit
CODESTARTmodExit
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
    CHKiRet(stop_use());
ENDmodInit

/* What rsyslogd calls. Until the probe has said yes, no table of this module is filled. */
rsRetVal modInit(int version_asked, int *version_given, module_query **query, host_query *host,
                 modInfo_t *info)
{
    if (!rsyslog_fits("omidentityinfo"))
        return RS_RET_MODULE_LOAD_ERR_DLOPEN;
    return modInitAfterProbe(version_asked, version_given, query, host, info);
}
