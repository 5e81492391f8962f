/* alert_queue: the message, and the wait at a full queue. */
#include "alert_queue.h"

#include <stdatomic.h>
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
DEFobjCurrIf(statsobj);
/* clang-format on */

struct alert_queue {
    alert_look look;
    ruleset_t *ruleset;
    char *name; /* the ruleset's */
    atomic_bool has_begun;
};

static rsRetVal use_interfaces(void)
{
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    CHKiRet(objUse(ruleset, CORE_COMPONENT));
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
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
    if (self == NULL)
        return NULL;
    self->look = *look;
    self->ruleset = found;
    self->name = strdup(name);
    atomic_init(&self->has_begun, false);
    return self;
}

void alert_queue_free(alert_queue *self)
{
    if (self != NULL)
        free(self->name);
    free(self);
}

/* --- the queue's beginning ----------------------------------------------------------------------
 */

static rsRetVal look_for_queue(void *arg, const char *line)
{
    alert_queue *self = arg;
    char name[256];

    snprintf(name, sizeof(name), "\"%s\"", self->name);
    if (strstr(line, "\"core.queue\"") != NULL && strstr(line, name) != NULL)
        atomic_store(&self->has_begun, true);
    return RS_RET_OK;
}

/*
 * rsyslogd activates modules before it starts the queues, one ruleset's
 * after the other (rsconf.c, activate), and one that has not begun has not
 * even a mutex: a message left in a disk queue, or a late alert, may be
 * quicker. The last thing that a queue's start does (queue.c, qqueueStart) is
 * to show its statistics.
 */
static bool has_begun(alert_queue *self)
{
    if (!atomic_load_explicit(&self->has_begun, memory_order_acquire))
        statsobj.GetAllStatsLines(look_for_queue, self, statsFmt_JSON, 0);
    return atomic_load(&self->has_begun);
}

static void wait_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

    nanosleep(&pause, NULL);
}

/* Rather late than never: should its statistics have another form, the queue has begun by then. */
static void wait_for_beginning(alert_queue *self)
{
    enum { MOST_WAITS = 200 }; /* 10 s */

    for (int waits = 0; waits < MOST_WAITS && !has_begun(self); waits++)
        wait_a_little();
    atomic_store(&self->has_begun, true);
}

/* --- the message -------------------------------------------------------------------------------
 */

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

/* Host and times of a message that begins here and now. */
static smsg_t *new_message(void)
{
    const char *host = (const char *)glbl.GetLocalHostName();
    smsg_t *m;

    if (msgConstruct(&m) != RS_RET_OK)
        return NULL;
    MsgSetHOSTNAME(m, (const uchar *)host, (int)strlen(host));
    return m;
}

/* `m` becomes the alert's; NULL, for want of memory, stays so. */
static smsg_t *alert_message(const alert_queue *self, smsg_t *m, text alert, json *tree)
{
    if (m == NULL) {
        json_free(tree);
        return NULL;
    }
    dress(self, m, alert);
    msgAddJSON(m, (uchar *)self->look.container, tree, 1, 0);
    return m;
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
static rsRetVal try_to_put(const alert_queue *self, flowControl_t flow, smsg_t *m)
{
    rsRetVal put = qqueueEnqMsg(ruleset.GetRulesetQueue(self->ruleset), flow, MsgAddRef(m));

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
    smsg_t *m = alert_message(self, MsgDup(original), alert, tree);
    int64_t begin = milliseconds();
    alert_put result = ALERT_PUT;
    int tries_left = TRIES_AT_THE_END;

    if (m == NULL)
        return ALERT_LOST;
    wait_for_beginning(self);
    while (try_to_put(self, eFLOWCTL_FULL_DELAY, m) != RS_RET_OK) {
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

alert_put alert_queue_try(alert_queue *self, text alert, json *tree)
{
    bool is_open = has_begun(self) && !glbl.GetGlobalInputTermState();
    smsg_t *m = alert_message(self, is_open ? new_message() : NULL, alert, tree);
    rsRetVal put;

    if (m == NULL)
        return ALERT_NOT_NOW;
    put = try_to_put(self, eFLOWCTL_NO_DELAY, m);
    msgDestruct(&m);
    return put == RS_RET_OK ? ALERT_PUT : ALERT_NOT_NOW;
}
