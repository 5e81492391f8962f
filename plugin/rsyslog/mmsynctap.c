/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmsynctap: rsyslog's message-modification module. It runs the rule on each
 * message, tags what matches, and can send an alert message to a ruleset.
 *
 * doAction answers RS_RET_OK whatever happens: any other word suspends the
 * action or ends it for good (seen with 8.2302), and messages would go by unseen.
 */
#include "rsyslog/rsyslog_module.h"

#include "conf.h"
#include "module-template.h"
#include "msg.h"
#include "obj.h"
#include "rainerscript.h"
#include "template.h"

#include "rsyslog/action_list.h"
#include "rsyslog/audit_action.h"
#include "rsyslog/message_judge.h"
#include "rsyslog/rsyslog_probe.h"
#include "rsyslog/stop.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
MODULE_TYPE_OUTPUT
MODULE_TYPE_NOKEEP
MODULE_CNFNAME("mmsynctap")

DEF_OMOD_STATIC_DATA
/* clang-format on */

typedef audit_action instanceData;

typedef struct wrkrInstanceData {
    instanceData *pData;
    message_judge *judge;
} wrkrInstanceData_t;

struct modConfData_s {
    action_list actions;
};

static action_list *loading;

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

/*
 * What is wrong has been logged as an error, and that fails `rsyslogd -N1`. A
 * daemon that starts all the same is better off with the other actions, and
 * with what is right of this one: an error here would take them all away.
 */
BEGINcheckCnf
CODESTARTcheckCnf
    for (audit_action *i = audit_action_first(&pModConf->actions); i != NULL;
         i = audit_action_next(i))
        audit_action_check(i, &pModConf->actions);
ENDcheckCnf

BEGINactivateCnf
CODESTARTactivateCnf
    for (audit_action *i = audit_action_first(&pModConf->actions); i != NULL;
         i = audit_action_next(i))
        audit_action_start(i);
ENDactivateCnf

/* rsyslog frees this first, and the actions after it. */
BEGINfreeCnf
CODESTARTfreeCnf
    action_list_end(&pModConf->actions, &loading);
ENDfreeCnf

BEGINcreateInstance
CODESTARTcreateInstance
    audit_action_begin(pData);
ENDcreateInstance

BEGINfreeInstance
CODESTARTfreeInstance
    action_list_forget(&pData->listed);
    audit_action_end(pData);
ENDfreeInstance

/* rsyslog (8.2302) uses one whose making failed: without memory it has no judge yet. */
BEGINcreateWrkrInstance
CODESTARTcreateWrkrInstance
    int cancellation = switch_cancellation_off();
    pWrkrData->judge = message_judge_new(pData);
    restore_cancellation(cancellation);
ENDcreateWrkrInstance

BEGINfreeWrkrInstance
    int cancellation = switch_cancellation_off();
CODESTARTfreeWrkrInstance
    message_judge_free(pWrkrData->judge);
    restore_cancellation(cancellation);
ENDfreeWrkrInstance

BEGINnewActInst
CODESTARTnewActInst
    CODE_STD_STRING_REQUESTnewActInst(1);
    CHKiRet(OMSRsetEntry(*ppOMSR, 0, NULL, OMSR_TPL_AS_MSG));
    CHKiRet(createInstance(&pData));
    CHKiRet(audit_action_take(pData, lst, loading));
    action_list_add(loading, &pData->listed);
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
    if (pWrkrData->judge == NULL)
        pWrkrData->judge = message_judge_new(pWrkrData->pData);
    if (pWrkrData->judge != NULL)
        message_judge_take(pWrkrData->judge, message);
    else
        message_pass_unjudged(pWrkrData->pData, message);
    restore_cancellation(cancellation);
ENDdoAction

BEGINdoHUP
CODESTARTdoHUP
    audit_action_reload(pData);
ENDdoHUP

NO_LEGACY_CONF_parseSelectorAct

BEGINmodExit
CODESTARTmodExit
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
