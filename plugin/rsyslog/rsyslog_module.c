/* SPDX-License-Identifier: Apache-2.0 */
/* rsyslog_module: messages in one form, and defaults. */
#include "rsyslog/rsyslog_module.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "dirty.h"
#include "errmsg.h"
#include "glbl.h"
#include "msg.h"
#include "obj.h"
#include "rainerscript.h"

#include "state/schema.h"
#include "state/store_trial.h"

enum { LOG_PAUSE = 60 }; /* seconds between two lines of one kind */

bool action_label_set(action_label *self, const char *module, const char *given, unsigned number)
{
    self->module = module;
    if (given != NULL)
        self->name = strdup(given);
    else if (asprintf(&self->name, "%s-%u", module, number) < 0)
        self->name = NULL;
    return self->name != NULL;
}

/* NULL when rsyslog does not give it. */
static const statsobj_if_t *use_statsobj(void)
{
    DEFobjCurrIf(obj);
    DEFobjCurrIf(statsobj);
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(statsobj, CORE_COMPONENT));
finalize_it:
    return iRet == RS_RET_OK ? &statsobj : NULL;
}

rsRetVal action_begin_statistics(const action_label *self, const char *const *names,
                                 intctr_t *counters, size_t how_many, statsobj_t **result)
{
    const statsobj_if_t *statsobj = use_statsobj();
    DEFiRet;

    if (statsobj == NULL)
        ABORT_FINALIZE(RS_RET_ERR);
    CHKiRet(statsobj->Construct(result));
    CHKiRet(statsobj->SetName(*result, (uchar *)self->name));
    CHKiRet(statsobj->SetOrigin(*result, (uchar *)self->module));
    for (size_t i = 0; i < how_many; i++)
        CHKiRet(statsobj->AddCounter(*result, (const uchar *)names[i], ctrType_IntCtr,
                                     CTR_FLAG_RESETTABLE, &counters[i]));
finalize_it:
    RETiRet;
}

rsRetVal action_add_gauge(statsobj_t *statistics, const char *name, statsCtrType_t type,
                          void *value)
{
    const statsobj_if_t *statsobj = use_statsobj();
    DEFiRet;

    if (statsobj == NULL)
        ABORT_FINALIZE(RS_RET_ERR);
    CHKiRet(statsobj->AddCounter(statistics, (const uchar *)name, type, CTR_FLAG_NONE, value));
finalize_it:
    RETiRet;
}

rsRetVal action_show_statistics(statsobj_t *statistics)
{
    const statsobj_if_t *statsobj = use_statsobj();
    DEFiRet;

    if (statsobj == NULL)
        ABORT_FINALIZE(RS_RET_ERR);
    CHKiRet(statsobj->ConstructFinalize(statistics));
finalize_it:
    RETiRet;
}

void action_end_statistics(statsobj_t **statistics)
{
    const statsobj_if_t *statsobj = use_statsobj();

    if (*statistics != NULL && statsobj != NULL)
        statsobj->Destruct(statistics);
}

void action_reject(const action_label *self, const char *parameter, const char *value,
                   const char *right)
{
    LogError(0, RS_RET_PARAM_ERROR, "%s: action '%s': %s=\"%s\" is wrong: %s", self->module,
             self->name, parameter, value, right);
}

/* Before 8.2206 there was one for all configurations (glbl.h). */
#if glblCURR_IF_VERSION < 10
#define WORK_DIRECTORY_OF(conf) ((void)(conf), (const char *)glbl.GetWorkDir())
#define LONGEST_MESSAGE_OF(conf) ((void)(conf), glbl.GetMaxLine())
#else
#define WORK_DIRECTORY_OF(conf) ((const char *)glbl.GetWorkDir(conf))
#define LONGEST_MESSAGE_OF(conf) (glbl.GetMaxLine(conf))
#endif

static const char *work_directory(rsconf_t *conf)
{
    DEFobjCurrIf(obj);
    DEFobjCurrIf(glbl);
    const char *found = NULL;
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    found = WORK_DIRECTORY_OF(conf);
    objRelease(glbl, CORE_COMPONENT);
finalize_it:
    return iRet == RS_RET_OK && found != NULL && found[0] != '\0' ? found : NULL;
}

const char *collector_name(void)
{
    DEFobjCurrIf(obj);
    DEFobjCurrIf(glbl);
    const char *found = NULL;
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    found = (const char *)glbl.GetLocalHostName();
    objRelease(glbl, CORE_COMPONENT);
finalize_it:
    return iRet == RS_RET_OK && found != NULL ? found : "";
}

size_t longest_message(rsconf_t *conf)
{
    DEFobjCurrIf(obj) DEFobjCurrIf(glbl) int longest = 0;
    DEFiRet;

    CHKiRet(objGetObjInterface(&obj));
    CHKiRet(objUse(glbl, CORE_COMPONENT));
    longest = LONGEST_MESSAGE_OF(conf);
    objRelease(glbl, CORE_COMPONENT);
finalize_it:
    return iRet == RS_RET_OK && longest > 0 ? (size_t)longest : SIZE_MAX;
}

bool action_complete_database(const action_label *self, char **path, rsconf_t *conf)
{
    const char *directory;

    if (*path != NULL)
        return true;
    directory = work_directory(conf);
    if (directory == NULL) {
        LogError(0, RS_RET_PARAM_ERROR,
                 "%s: action '%s': there is no workDirectory for the database: write "
                 "global(workDirectory=\"/var/spool/rsyslog\") or database=\"/path/synctap.db\"",
                 self->module, self->name);
        return false;
    }
    if (asprintf(path, "%s/synctap.db", directory) < 0)
        *path = NULL;
    return *path != NULL;
}

bool action_check_path(const action_label *self, const char *parameter, const char *path)
{
    struct stat found;
    const char *right = NULL;

    if (path[0] != '/')
        right = "give the whole path, from / on: rsyslogd changes its directory";
    else if (iConfigVerify && stat(path, &found) == 0 && S_ISDIR(found.st_mode))
        right = "that is a directory: give the path of a file";
    if (right != NULL)
        action_reject(self, parameter, path, right);
    return right == NULL;
}

static bool check_directory(const action_label *self, const char *database)
{
    char copy[4096];
    const char *directory;

    if (strlen(database) >= sizeof(copy)) {
        action_reject(self, "database", database, "the path is too long");
        return false;
    }
    strcpy(copy, database);
    directory = dirname(copy);
    if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) == 0)
        return true;
    LogError(errno, RS_RET_PARAM_ERROR,
             "%s: action '%s': database=\"%s\" is wrong: no file can be made in %s: give a path in "
             "a directory that rsyslogd may write to, such as its workDirectory",
             self->module, self->name, database, directory);
    return false;
}

/* What a start would refuse: there the error tells less of what to do. */
static bool check_kind(const action_label *self, const char *database)
{
    struct stat found;
    const char *right = NULL;

    if (!iConfigVerify || lstat(database, &found) != 0)
        return true;
    if (S_ISLNK(found.st_mode))
        right = "that is a symbolic link, which is not followed: give the path of the file itself";
    else if (!S_ISREG(found.st_mode))
        right = "that is no regular file: give the path of one";
    if (right != NULL)
        action_reject(self, "database", database, right);
    return right == NULL;
}

/* An empty file becomes a database. */
static const char *content_refusal(const char *path)
{
    static const char magic[] = "SQLite format 3";
    unsigned char begin[SCHEMA_HEADER] = "";
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    ssize_t got = file >= 0 ? read(file, begin, sizeof(begin)) : 0;

    if (file >= 0)
        close(file);
    if (got <= 0)
        return NULL;
    if (got < (ssize_t)sizeof(begin) || memcmp(begin, magic, sizeof(magic)) != 0)
        return "that file is no database of synctap's: give another path, or move it away if it "
               "was one and is damaged";
    return schema_header_refusal(begin);
}

/* A start goes on, and says what to do: the file may be a database that was damaged since. */
static bool check_content(const action_label *self, const char *database)
{
    const char *right = iConfigVerify ? content_refusal(database) : NULL;

    if (right != NULL)
        action_reject(self, "database", database, right);
    return right == NULL;
}

static bool check_sqlite(const action_label *self, const char *database)
{
    char *error = NULL;
    bool works = !iConfigVerify || store_try_statements(&error);
    char *right = NULL;

    if (!works &&
        asprintf(&right,
                 "the SQLite library %s that is installed cannot keep it: %s: install the "
                 "distribution's own, or a newer one",
                 sqlite3_libversion(), error ? error : "out of memory") >= 0)
        action_reject(self, "database", database, right);
    free(right);
    free(error);
    return works;
}

bool action_check_database(const action_label *self, const char *database)
{
    return action_check_path(self, "database", database) && check_kind(self, database) &&
           check_directory(self, database) && check_content(self, database) &&
           check_sqlite(self, database);
}

/* Is it this call's turn to log? Threads that come at once agree on one of them. */
static bool is_due(log_limit *limit, unsigned long long *suppressed)
{
    struct timespec now;
    int64_t last = __atomic_load_n(&limit->last, __ATOMIC_RELAXED);

    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((last == 0 || now.tv_sec + 1 - last >= LOG_PAUSE) &&
        __atomic_compare_exchange_n(&limit->last, &last, now.tv_sec + 1, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED)) {
        *suppressed = __atomic_exchange_n(&limit->suppressed, 0, __ATOMIC_RELAXED);
        return true;
    }
    __atomic_add_fetch(&limit->suppressed, 1, __ATOMIC_RELAXED);
    return false;
}

void log_limited(log_limit *limit, const action_label *self, const char *format, ...)
{
    unsigned long long suppressed;
    char words[1024];
    va_list arguments;

    if (!is_due(limit, &suppressed))
        return;
    va_start(arguments, format);
    vsnprintf(words, sizeof(words), format, arguments);
    va_end(arguments);
    if (suppressed > 0)
        LogError(0, RS_RET_ERR, "%s: action '%s': %s (and %llu more like this before)",
                 self->module, self->name, words, suppressed);
    else
        LogError(0, RS_RET_ERR, "%s: action '%s': %s", self->module, self->name, words);
}

char *parameter_string(const struct svar *value)
{
    return es_str2cstr(value->d.estr, NULL);
}
