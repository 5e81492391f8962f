/* SPDX-License-Identifier: Apache-2.0 */
/* alert_queue: the message, and the wait at a full queue. */
#include "rsyslog/alert_queue.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"
#include "obj.h"
#include "queue.h"
#include "ruleset.h"

#include "state/patience.h"

/* rsyslog's macros are statements without semicolons. */
/* clang-format off */
DEFobjCurrIf(obj)
DEFobjCurrIf(glbl)
DEFobjCurrIf(ruleset);
/* clang-format on */

enum { THREAD_NAME = 16 }; /* bytes, as Linux keeps it */

struct alert_queue {
    alert_style style;
    ruleset_t *ruleset;
    const action_label *action;
    char worker[THREAD_NAME]; /* what its workers' names begin with, as far as Linux keeps it */
    atomic_bool has_begun;
    atomic_bool was_own_told;
    stop *stop; /* the action's */
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
                              const alert_style *style, stop *end)
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
    self->style = *style;
    self->ruleset = found;
    self->action = action;
    /* rsyslog calls a queue's workers "rs:NAME:Reg" and more (wtp.c). */
    snprintf(self->worker, sizeof(self->worker), "rs:%s:", name);
    atomic_init(&self->has_begun, false);
    atomic_init(&self->was_own_told, false);
    self->stop = end;
    return self;
}

void alert_queue_free(alert_queue *self)
{
    free(self);
}

/* --- the queue's beginning --- */

static bool is_input(const char *task)
{
    char path[PATH_MAX], name[16] = "";
    FILE *file;

    snprintf(path, sizeof(path), "/proc/self/task/%s/comm", task);
    file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(name, sizeof(name), file) == NULL)
        name[0] = '\0';
    fclose(file);
    return strncmp(name, "in:", 3) == 0;
}

static bool inputs_run(void)
{
    DIR *tasks = opendir("/proc/self/task");
    struct dirent *task;
    bool found = false;

    while (tasks != NULL && !found && (task = readdir(tasks)) != NULL)
        found = is_input(task->d_name);
    if (tasks != NULL)
        closedir(tasks);
    return found;
}

/*
 * rsyslog activates modules before it starts the queues, one ruleset's after
 * the other (rsconf.c, activate), and one that has not begun has not even a
 * mutex: a message left in a disk queue, or a late alert, may be quicker.
 * The main queue begins after all rulesets' queues, and then the core sets
 * its own flag for internal messages. It does not where the main queue is
 * direct ($MainMsgQueueType): then the inputs tell, which run last of all,
 * each in a thread with "in:" in front of its name (threads.c, thrdStarter).
 */
static bool core_is_active(void)
{
    return __atomic_load_n(&bHaveMainQueue, __ATOMIC_ACQUIRE) != 0 || inputs_run();
}

static bool has_begun(alert_queue *self)
{
    if (atomic_load_explicit(&self->has_begun, memory_order_acquire))
        return true;
    if (!core_is_active())
        return false;
    atomic_store(&self->has_begun, true);
    return true;
}

static void wait_a_little(void)
{
    const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};

    nanosleep(&pause, NULL);
}

/* --- the end --- */

/* Does the name of this thread begin so? */
static bool is_worker(const char *begin)
{
    char thread[THREAD_NAME] = "";

    pthread_getname_np(pthread_self(), thread, sizeof(thread));
    return strncmp(thread, begin, strlen(begin)) == 0;
}

/*
 * The action may stand in the ruleset that its alerts go to. Who empties a
 * queue and waits for room in it waits for good, and all of that ruleset with
 * it. No check can refuse that: where an action stands rsyslog tells nobody.
 * The message tells whose queue it came from, and the thread's name that no
 * queue of the action's own lies between.
 */
static bool is_own_worker(alert_queue *self, const smsg_t *original)
{
    if (MsgGetRuleset(original) != self->ruleset || !is_worker(self->worker))
        return false;
    if (!atomic_exchange(&self->was_own_told, true))
        LogError(
            0, RS_RET_CONF_PARAM_INVLD,
            "mmsynctap: action '%s': alerts go to the ruleset that the action itself stands in: "
            "no alert can wait for room in its queue. Give them a ruleset of their own",
            self->action->name);
    return true;
}

void alert_queue_look_at_place(alert_queue *self, const smsg_t *message)
{
    if (self != NULL)
        is_own_worker(self, message);
}

static bool may_wait(alert_queue *self)
{
    int64_t end = stop_deadline(self->stop);

    return end == 0 || patience_clock() < end;
}

/*
 * At a stop the main queue ends first, then the rulesets' queues as they
 * stand in the configuration (rsyslogd.c, deinitAll; ruleset.c,
 * destructAllActions). What another queue's worker puts then may come to a
 * queue that has ended, which takes it without a word and drops it.
 */
static bool queue_may_have_ended(void)
{
    return stop_is_asked() && !is_worker("rs:main Q:");
}

/* --- the message --- */

/* Nothing of the original's text, tag or variables stays. */
static void dress(const alert_queue *self, smsg_t *m, text alert)
{
    MsgSetRawMsg(m, alert.bytes, alert.length);
    MsgSetAfterPRIOffs(m, 0);
    MsgSetMSGoffs(m, 0);
    setProtocolVersion(m, MSG_RFC5424_PROTOCOL);
    MsgSetTAG(m, (const uchar *)self->style.tag, strlen(self->style.tag));
    MsgSetAPPNAME(m, self->style.tag);
    MsgSetPROCID(m, "-");
    MsgSetMSGID(m, "-");
    MsgSetStructuredData(m, "-");
    msgSetPRI(m, (syslog_pri_t)(self->style.facility << 3 | self->style.severity));
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
    msgAddJSON(m, (uchar *)self->style.container, tree, 1, 0);
    return m;
}

/*
 * Takes the caller's reference, whatever comes of it. qqueueEnqMsg does so too, except when it says
 * FORCE_TERM (queue.c, doEnqSingleObj: the one exit without msgDestruct).
 */
static rsRetVal try_to_put(const alert_queue *self, flowControl_t flow, smsg_t *m)
{
    rsRetVal put = qqueueEnqMsg(ruleset.GetRulesetQueue(self->ruleset), flow, m);

    if (put == RS_RET_FORCE_TERM)
        msgDestruct(&m);
    return put;
}

/*
 * A message that may be delayed waits at 97 % of a queue. At one that goes to
 * disk when its memory is full it would wait at half of what sends it there
 * (queue.c, qqueueStart): the disk would stay empty.
 */
static flowControl_t flow_of(const alert_queue *self, bool is_own)
{
    bool is_delayed = !is_own && !ruleset.GetRulesetQueue(self->ruleset)->bIsDA;

    return is_delayed ? eFLOWCTL_FULL_DELAY : eFLOWCTL_NO_DELAY;
}

/* Waits for the beginning, and at a full queue; false when a stop came first. */
static bool put_patiently(alert_queue *self, smsg_t *m, bool is_own)
{
    while (may_wait(self) && !has_begun(self))
        wait_a_little();
    if (!has_begun(self) || queue_may_have_ended())
        return false;
    while (try_to_put(self, flow_of(self, is_own), MsgAddRef(m)) != RS_RET_OK) {
        if (is_own || !may_wait(self))
            return false;
        wait_a_little();
        if (queue_may_have_ended())
            return false;
    }
    return true;
}

alert_put alert_queue_put(alert_queue *self, smsg_t *original, text alert, json *tree)
{
    enum { HELD_BACK = 10 }; /* milliseconds: rsyslog itself waits at a full queue */
    smsg_t *m = alert_message(self, MsgDup(original), alert, tree);
    int64_t begin = patience_clock();
    bool is_put;

    if (m == NULL)
        return ALERT_REFUSED;
    is_put = put_patiently(self, m, is_own_worker(self, original));
    msgDestruct(&m);
    if (!is_put)
        return ALERT_REFUSED;
    return patience_clock() - begin >= HELD_BACK ? ALERT_PUT_HELD_BACK : ALERT_PUT;
}

alert_put alert_queue_try(alert_queue *self, text alert, json *tree)
{
    bool is_open = has_begun(self) && !stop_is_asked();
    smsg_t *m = alert_message(self, is_open ? new_message() : NULL, alert, tree);

    return m != NULL && try_to_put(self, eFLOWCTL_NO_DELAY, m) == RS_RET_OK ? ALERT_PUT
                                                                            : ALERT_NOT_NOW;
}
