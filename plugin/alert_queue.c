/* alert_queue: the message, and the wait at a full queue. */
#include "alert_queue.h"

#include <stdlib.h>
#include <time.h>

#include "errmsg.h"
#include "glbl.h"
#include "obj.h"
#include "queue.h"
#include "ruleset.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
DEFobjCurrIf(obj)
DEFobjCurrIf(glbl)
DEFobjCurrIf(ruleset);
/* clang-format on */

struct alert_queue {
    alert_look look;
    ruleset_t *ruleset;
};

static rsRetVal use_interfaces(void)
{
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    CHKiRet(objUse(ruleset, CORE_COMPONENT));
finalize_it:
    RETiRet;
}

/* Without a queue of its own it would share the main queue, and a full one would wait for itself.
 */
static ruleset_t *find_ruleset(const action_label *action, rsconf_t *conf, const char *name)
{
    ruleset_t *found;

    if (ruleset.GetRuleset(conf, &found, (uchar *)name) != RS_RET_OK) {
        action_reject(action, "ruleset", name,
                      "there is no ruleset of that name: define it with ruleset(name=...)");
        return NULL;
    }
    if (!rulesetHasQueue(found)) {
        action_reject(action, "ruleset", name,
                      "that ruleset has no queue of its own: write "
                      "ruleset(name=... queue.type=\"LinkedList\"), so that a full queue holds "
                      "messages back instead of losing alerts");
        return NULL;
    }
    return found;
}

alert_queue *alert_queue_find(const action_label *action, rsconf_t *conf, const char *name,
                              const alert_look *look)
{
    alert_queue *self;
    ruleset_t *found;

    if (use_interfaces() != RS_RET_OK)
        return NULL;
    found = find_ruleset(action, conf, name);
    if (found == NULL)
        return NULL;
    self = calloc(1, sizeof(*self));
    if (self != NULL)
        *self = (alert_queue){*look, found};
    return self;
}

void alert_queue_free(alert_queue *self)
{
    free(self);
}

/* Nothing of the original's text, tag or variables stays. */
static void dress(const alert_queue *self, smsg_t *m, text alert)
{
    MsgSetRawMsg(m, alert.bytes, alert.length);
    MsgSetAfterPRIOffs(m, 0);
    MsgSetMSGoffs(m, 0);
    setProtocolVersion(m, MSG_RFC5424_PROTOCOL);
    MsgSetTAG(m, (const uchar *)self->look.tag, strlen(self->look.tag));
    MsgSetAPPNAME(m, self->look.tag);
    MsgSetPROCID(m, "-");
    MsgSetMSGID(m, "-");
    MsgSetStructuredData(m, "-");
    msgSetPRI(m, (syslog_pri_t)(self->look.facility << 3 | self->look.severity));
    MsgSetRuleset(m, self->ruleset);
    MsgSetFlowControlType(m, eFLOWCTL_FULL_DELAY);
    msgDelJSON(m, (uchar *)"!");
    msgDelJSON(m, (uchar *)".");
}

static smsg_t *alert_message(const alert_queue *self, smsg_t *original, text alert, json *tree)
{
    smsg_t *m = MsgDup(original);

    if (m == NULL) {
        json_free(tree);
        return NULL;
    }
    dress(self, m, alert);
    msgAddJSON(m, (uchar *)self->look.container, tree, 1, 0);
    return m;
}

static void wait_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

    nanosleep(&pause, NULL);
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * qqueueEnqMsg takes the caller's reference, except when it says FORCE_TERM
 * (queue.c, doEnqSingleObj: the one exit without msgDestruct).
 */
static rsRetVal try_to_put(const alert_queue *self, smsg_t *m)
{
    rsRetVal put =
        qqueueEnqMsg(ruleset.GetRulesetQueue(self->ruleset), eFLOWCTL_FULL_DELAY, MsgAddRef(m));

    if (put == RS_RET_FORCE_TERM) {
        smsg_t *given = m;
        msgDestruct(&given);
    }
    return put;
}

alert_put alert_queue_put(alert_queue *self, smsg_t *original, text alert, json *tree)
{
    enum {
        TRIES_AT_THE_END = 40, /* of 50 ms, once rsyslogd is stopping */
        HELD_BACK = 10, /* milliseconds: rsyslog itself waits at a full queue before it says so */
    };
    smsg_t *m = alert_message(self, original, alert, tree);
    int64_t begin = milliseconds();
    alert_put result = ALERT_PUT;
    int tries_left = TRIES_AT_THE_END;

    if (m == NULL)
        return ALERT_LOST;
    while (try_to_put(self, m) != RS_RET_OK) {
        if (glbl.GetGlobalInputTermState() && tries_left-- == 0) {
            result = ALERT_LOST;
            break;
        }
        wait_a_little();
    }
    msgDestruct(&m);
    if (result == ALERT_PUT && milliseconds() - begin >= HELD_BACK)
        result = ALERT_PUT_HELD_BACK;
    return result;
}
