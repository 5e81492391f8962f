/*
 * mmsynctap: rsyslog's message-modification module. It runs the rule on each
 * message, tags what matches, and can send an alert message to a ruleset.
 *
 * doAction answers RS_RET_OK whatever happens: any other word suspends the
 * action or ends it for good (rsyslog.md), and messages would go by unseen.
 */
#include "rsyslog_module.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "conf.h"
#include "errmsg.h"
#include "glbl.h"
#include "module-template.h"
#include "msg.h"
#include "obj.h"
#include "rainerscript.h"
#include "srUtils.h"
#include "statsobj.h"
#include "template.h"

#include "alert_queue.h"
#include "detector.h"

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
    REFRESH_PERIOD = 250, /* milliseconds between two looks at the role list */
    REPAIR_PERIOD = 4,    /* such looks between two tries to open a database that failed */
    TREE_DEPTH = JSON_MOST_DEPTH + 8, /* an alert's tree is a little deeper than its record's */
};

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

/* The parameters as they were written; strings are owned, NULL when absent. */
typedef struct settings {
    char *database;
    char *property;
    char *rulebase;
    char *container;
    char *ruleset;
    char *tag;
    int facility;
    int severity;
} settings;

/* The thread that keeps the snapshot of the role list fresh. */
typedef struct watcher {
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool is_running;
    bool must_stop;
    char *trouble; /* what was last said about the database; NULL: it works */
} watcher;

typedef struct _instanceData {
    action_label label;
    settings settings;
    rule *rule;
    detector *detector;
    msgPropDescr_t property; /* filled when settings.property is not the default */
    bool has_property;
    alert_queue *queue;
    watcher watcher;
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

/* --- parameters ------------------------------------------------------------------------ */

/* Takes a parameter's value; NULL, or what would be right. */
typedef const char *setter(instanceData *self, const struct svar *value, size_t which);

static const char OUT_OF_MEMORY[] = "there is no memory for it";

static const char *set_string(instanceData *self, const struct svar *value, size_t offset)
{
    char **string = (char **)((char *)&self->settings + offset);

    *string = parameter_string(value);
    if (*string == NULL)
        return OUT_OF_MEMORY;
    return **string == '\0' ? "give a value" : NULL;
}

static const char *set_container(instanceData *self, const struct svar *value, size_t offset)
{
    const char *wrong = set_string(self, value, offset);
    const char *container = self->settings.container;

    if (wrong != NULL)
        return wrong;
    if (container[0] == '$' && (container[1] == '!' || container[1] == '.') && container[2] != '\0')
        return NULL;
    return "give a message variable such as $!synctap";
}

static const char *set_semantics(instanceData *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    const char *wrong = NULL;

    (void)which;
    if (word != NULL && strcmp(word, "kql") == 0)
        rule_set_semantics(self->rule, SEMANTICS_KQL);
    else if (word != NULL && strcmp(word, "wide") == 0)
        rule_set_semantics(self->rule, SEMANTICS_WIDE);
    else
        wrong = "give kql or wide";
    free(word);
    return wrong;
}

static const char *set_span(instanceData *self, const struct svar *value, size_t which)
{
    char *word = parameter_string(value);
    timespan span;
    bool read = word != NULL && timespan_parse(text_of(word), &span);

    free(word);
    if (!read)
        return "give a timespan such as 90s, 5m, 1h or 1d";
    if (which == 0)
        rule_set_lookback(self->rule, span);
    else
        rule_set_identity_window(self->rule, span);
    return NULL;
}

static const char *set_list(instanceData *self, const struct svar *value, size_t list)
{
    const struct cnfarray *array = value->d.ar;
    text *strings = calloc((size_t)array->nmemb + 1, sizeof(text));
    bool set;

    if (strings == NULL)
        return OUT_OF_MEMORY;
    for (int i = 0; i < array->nmemb; i++)
        strings[i] = (text){(const char *)es_getBufAddr(array->arr[i]), es_strlen(array->arr[i])};
    set = rule_set_list(self->rule, (rule_list)list, strings, (size_t)array->nmemb);
    free(strings);
    return set ? NULL : OUT_OF_MEMORY;
}

/* A number as it stands, or a name from rsyslog's own table, whose value is shifted; -1 for none.
 */
static int decode(const struct svar *value, syslogName_t *names, int shift)
{
    char *word = parameter_string(value);
    int number = word != NULL ? decodeSyslogName((uchar *)word, names) : -1;

    if (number >= 0 && !isdigit((unsigned char)word[0]))
        number >>= shift;
    free(word);
    return number;
}

static const char *set_facility(instanceData *self, const struct svar *value, size_t which)
{
    (void)which;
    self->settings.facility = decode(value, syslogFacNames, 3);
    if (self->settings.facility >= 0 && self->settings.facility < LOG_NFACILITIES)
        return NULL;
    return "give a facility such as authpriv or local0";
}

static const char *set_severity(instanceData *self, const struct svar *value, size_t which)
{
    (void)which;
    self->settings.severity = decode(value, syslogPriNames, 0);
    if (self->settings.severity >= 0 && self->settings.severity <= LOG_DEBUG)
        return NULL;
    return "give a severity such as alert or warning";
}

/* rsyslog's table of parameters, and beside it what takes each; the same order. */
static struct cnfparamdescr actpdescr[] = {
    {"name", eCmdHdlrGetWord, 0},
    {"database", eCmdHdlrString, 0},
    {"property", eCmdHdlrString, 0},
    {"rulebase", eCmdHdlrString, 0},
    {"container", eCmdHdlrString, 0},
    {"ruleset", eCmdHdlrString, 0},
    {"semantics", eCmdHdlrString, 0},
    {"lookback", eCmdHdlrString, 0},
    {"identity.window", eCmdHdlrString, 0},
    {"operations", eCmdHdlrArray, 0},
    {"roles", eCmdHdlrArray, 0},
    {"upn.startswith", eCmdHdlrArray, 0},
    {"upn.contains", eCmdHdlrArray, 0},
    {"upn.has", eCmdHdlrArray, 0},
    {"displayname.has", eCmdHdlrArray, 0},
    {"syslog.tag", eCmdHdlrString, 0},
    {"syslog.facility", eCmdHdlrString, 0},
    {"syslog.severity", eCmdHdlrString, 0},
};

enum { PARAMETERS = sizeof(actpdescr) / sizeof(actpdescr[0]) };

static const struct {
    setter *set;
    size_t which;
} setters[PARAMETERS] = {
    {NULL, 0}, /* the name is taken first, for messages about the others */
    {set_string, offsetof(settings, database)},
    {set_string, offsetof(settings, property)},
    {set_string, offsetof(settings, rulebase)},
    {set_container, offsetof(settings, container)},
    {set_string, offsetof(settings, ruleset)},
    {set_semantics, 0},
    {set_span, 0},
    {set_span, 1},
    {set_list, RULE_OPERATIONS},
    {set_list, RULE_ROLES},
    {set_list, RULE_UPN_STARTSWITH},
    {set_list, RULE_UPN_CONTAINS},
    {set_list, RULE_UPN_HAS},
    {set_list, RULE_DISPLAYNAME_HAS},
    {set_string, offsetof(settings, tag)},
    {set_facility, 0},
    {set_severity, 0},
};

static struct cnfparamblk actpblk = {CNFPARAMBLK_VERSION, PARAMETERS, actpdescr};

static void reject_value(const instanceData *self, int parameter, const struct svar *value,
                         const char *right)
{
    char *word = value->datatype == 'S' ? parameter_string(value) : NULL;

    action_reject(&self->label, actpdescr[parameter].name, word ? word : "", right);
    free(word);
}

/* Takes the parameters; wrong ones are all told before it says no. The first is the name. */
static bool take_parameters(instanceData *self, const struct cnfparamvals *values)
{
    char *name = values[0].bUsed ? parameter_string(&values[0].val) : NULL;
    bool right = action_label_set(&self->label, "mmsynctap", name, loadModConf->count + 1);

    free(name);
    if (!right)
        return false;
    for (int i = 1; i < PARAMETERS; i++) {
        const char *wrong =
            values[i].bUsed ? setters[i].set(self, &values[i].val, setters[i].which) : NULL;

        if (wrong != NULL) {
            reject_value(self, i, &values[i].val, wrong);
            right = false;
        }
    }
    return right;
}

static bool default_string(char **setting, const char *value)
{
    if (*setting == NULL)
        *setting = strdup(value);
    return *setting != NULL;
}

static bool set_defaults(instanceData *self)
{
    return default_string(&self->settings.container, "$!synctap") &&
           default_string(&self->settings.tag, "synctap");
}

/* A property other than the default is looked up once; rawmsg needs no copy and has its own way. */
static bool find_property(instanceData *self)
{
    const char *name = self->settings.property;

    if (name == NULL || strcmp(name, "rawmsg") == 0)
        return true;
    if (msgPropDescrFill(&self->property, (uchar *)name, (int)strlen(name)) != RS_RET_OK) {
        action_reject(&self->label, "property", name,
                      "give a message property such as rawmsg or msg, or a variable such as $!x");
        return false;
    }
    self->has_property = true;
    return true;
}

/* --- statistics ------------------------------------------------------------------------ */

static void count(instanceData *self, enum counter which, size_t how_many)
{
    if (GatherStats && how_many > 0)
        __atomic_add_fetch(&self->counters[which], how_many, __ATOMIC_RELAXED);
}

/* Called by the watcher. impstats reads them in its own thread, as it does all counters. */
static void set_gauges(instanceData *self)
{
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

static rsRetVal add_counters(instanceData *self)
{
    DEFiRet;

    for (int c = 0; c < COUNTERS; c++)
        CHKiRet(statsobj.AddCounter(self->stats, (const uchar *)counter_names[c], ctrType_IntCtr,
                                    CTR_FLAG_RESETTABLE, &self->counters[c]));
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

    CHKiRet(statsobj.Construct(&self->stats));
    CHKiRet(statsobj.SetName(self->stats, (uchar *)self->label.name));
    CHKiRet(statsobj.SetOrigin(self->stats, (uchar *)"mmsynctap"));
    CHKiRet(add_counters(self));
    CHKiRet(statsobj.ConstructFinalize(self->stats));
finalize_it:
    RETiRet;
}

/* --- the state database and its watcher ------------------------------------------------- */

/* One line when a trouble begins, changes or ends; not one for each look. */
static void tell_trouble(instanceData *self, const char *trouble)
{
    watcher *w = &self->watcher;

    if (trouble != NULL && (w->trouble == NULL || strcmp(w->trouble, trouble) != 0))
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': the state database %s: %s: the role list stays as it was "
                 "last read, naming rules go on matching",
                 self->label.name, self->settings.database, trouble);
    if (trouble == NULL && w->trouble != NULL)
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': the state database %s works again", self->label.name,
               self->settings.database);
    if (trouble == NULL || w->trouble == NULL || strcmp(w->trouble, trouble) != 0) {
        free(w->trouble);
        w->trouble = trouble ? strdup(trouble) : NULL;
    }
}

/*
 * A database that was lost is not made anew here: an empty one would take the
 * role list away that is still known. Whoever writes the next row makes it.
 */
static void open_database(instanceData *self)
{
    store_opening how = detector_has_store(self->detector) ? STORE_EXISTING : STORE_CREATE;
    char *error;

    if (self->settings.database == NULL) /* the configuration's check has said so */
        return;
    if (detector_open_store(self->detector, self->settings.database, how, &error)) {
        bool writable = detector_store_is_writable(self->detector);

        count(self, STATE_ERRORS, !writable);
        tell_trouble(self, writable ? NULL : "it can only be read, not written");
        return;
    }
    count(self, STATE_ERRORS, 1);
    tell_trouble(self, error ? error : "out of memory");
    free(error);
}

static void refresh_role_list(instanceData *self)
{
    char *error;

    switch (detector_refresh(self->detector, &error)) {
    case REFRESH_UNCHANGED:
        break;
    case REFRESH_CHANGED:
        if (detector_store_is_writable(self->detector))
            tell_trouble(self, NULL);
        break;
    case REFRESH_FAILED:
        count(self, STATE_ERRORS, 1);
        tell_trouble(self, error ? error : "out of memory");
        free(error);
        break;
    }
}

/* The mutex is held: HUP's turn and the watcher's do not mix. */
static void look_after_database(instanceData *self, unsigned turn)
{
    if (detector_store_is_in_place(self->detector))
        refresh_role_list(self);
    else if (turn % REPAIR_PERIOD == 0)
        open_database(self);
}

static void wait_for_turn(watcher *w)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += REFRESH_PERIOD * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&w->wake, &w->mutex, &until);
}

static void *watch(void *instance)
{
    instanceData *self = instance;
    watcher *w = &self->watcher;
    unsigned turn = 0;

    pthread_mutex_lock(&w->mutex);
    while (!w->must_stop) {
        look_after_database(self, turn++);
        set_gauges(self);
        wait_for_turn(w);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

static void init_watcher(watcher *w)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&w->mutex, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&w->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* Signals are the main thread's. */
static void start_watcher(instanceData *self)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    self->watcher.is_running = pthread_create(&self->watcher.thread, NULL, watch, self) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!self->watcher.is_running)
        LogError(errno, RS_RET_ERR,
                 "mmsynctap: action '%s': no thread to watch the role list: it is read at HUP only",
                 self->label.name);
}

static void stop_watcher(watcher *w)
{
    if (w->is_running) {
        pthread_mutex_lock(&w->mutex);
        w->must_stop = true;
        pthread_cond_signal(&w->wake);
        pthread_mutex_unlock(&w->mutex);
        pthread_join(w->thread, NULL);
    }
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->mutex);
    free(w->trouble);
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
        action_reject(&self->label, "rulebase", path, error ? error : OUT_OF_MEMORY);
    else
        LogMsg(0, RS_RET_OK, LOG_WARNING,
               "mmsynctap: action '%s': the installed rulebase %s: %s: JSON is found without it "
               "in most messages",
               self->label.name, path, error ? error : OUT_OF_MEMORY);
    free(error);
}

static void find_queue(instanceData *self, rsconf_t *conf)
{
    const settings *s = &self->settings;

    if (s->ruleset != NULL)
        self->queue =
            alert_queue_find(&self->label, conf, s->ruleset,
                             &(alert_look){s->tag, s->facility, s->severity, s->container + 1});
}

/* All that can be wrong is told at once. */
static void check_instance(instanceData *self, rsconf_t *conf)
{
    if (action_complete_database(&self->label, &self->settings.database, conf))
        action_check_directory(&self->label, self->settings.database);
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
    pthread_mutex_lock(&self->watcher.mutex);
    open_database(self);
    pthread_mutex_unlock(&self->watcher.mutex);
    start_watcher(self);
}

static void reload_instance(instanceData *self)
{
    const char *path = self->settings.rulebase ? self->settings.rulebase : DEFAULT_RULEBASE;
    char *error;

    if (!detector_open_rulebase(self->detector, path, &error)) {
        LogError(
            0, RS_RET_ERR,
            "mmsynctap: action '%s': HUP: the rulebase %s: %s: the one read before stays in use",
            self->label.name, path, error ? error : OUT_OF_MEMORY);
        free(error);
    }
    pthread_mutex_lock(&self->watcher.mutex);
    open_database(self);
    pthread_mutex_unlock(&self->watcher.mutex);
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
                 data->label.name, data->settings.ruleset, (int)alert.length, alert.bytes);
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
    log_limited(&data->undecodable_limit, &data->label,
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
    msgPropDescr_t *property = &self->pData->property;
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
    value = MsgGetProp(message, NULL, &self->pData->property, &length, &must_free, NULL);
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
    pData->settings.facility = LOG_AUTHPRIV >> 3;
    pData->settings.severity = LOG_ALERT;
    pData->gauges.identity_age_seconds = -1;
    init_watcher(&pData->watcher);
    CHKmalloc(pData->rule = rule_new());
finalize_it:
ENDcreateInstance

BEGINfreeInstance
CODESTARTfreeInstance
    stop_watcher(&pData->watcher);
    if (pData->stats != NULL)
        statsobj.Destruct(&pData->stats);
    alert_queue_free(pData->queue);
    detector_free(pData->detector);
    rule_free(pData->rule);
    if (pData->has_property)
        msgPropDescrDestruct(&pData->property);
    free(pData->label.name);
    free(pData->settings.database);
    free(pData->settings.property);
    free(pData->settings.rulebase);
    free(pData->settings.container);
    free(pData->settings.ruleset);
    free(pData->settings.tag);
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
    struct cnfparamvals *pvals;
CODESTARTnewActInst
    pvals = nvlstGetParams(lst, &actpblk, NULL);
    if (pvals == NULL)
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CODE_STD_STRING_REQUESTnewActInst(1)
    CHKiRet(OMSRsetEntry(*ppOMSR, 0, NULL, OMSR_TPL_AS_MSG));
    CHKiRet(createInstance(&pData));
    if (!take_parameters(pData, pvals) || !find_property(pData))
        ABORT_FINALIZE(RS_RET_PARAM_ERROR);
    CHKmalloc(pData->detector = detector_new(pData->rule));
    if (!set_defaults(pData))
        ABORT_FINALIZE(RS_RET_OUT_OF_MEMORY);
    CHKiRet(make_statistics(pData));
    remember_instance(loadModConf, pData);
CODE_STD_FINALIZERnewActInst
    cnfparamvalsDestruct(pvals, &actpblk);
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
    if (pWrkrData->pData->has_property)
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
