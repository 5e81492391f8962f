/* SPDX-License-Identifier: Apache-2.0 */
/* state_watcher_log: what a watcher says in rsyslog's log, and what it counts. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rsyslog/state_watcher_parts.h"

#include "errmsg.h"

#include "base/span.h"
#include "state/open_error.h"

/* --- words --- */

static const char *name_of(const state_watcher *self)
{
    return self->what.action->name;
}

static void count_errors(state_watcher *self, size_t how_many)
{
    audit_statistics_count(self->what.statistics, COUNTER_STATE_ERRORS, how_many);
}

static bool is_told(const state_watcher *self, const char *trouble)
{
    return self->trouble != NULL && trouble != NULL && strcmp(self->trouble, trouble) == 0;
}

static void log_trouble(const state_watcher *self, const char *trouble)
{
    if (trouble != NULL)
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': the state database %s: %s: the role list stays as it was "
                 "last read, naming rules go on matching, what is to be remembered waits",
                 name_of(self), self->what.database, trouble);
    else
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': the state database %s works again", name_of(self),
               self->what.database);
}

void watcher_tell_trouble(state_watcher *self, const char *trouble)
{
    if (is_told(self, trouble) || (trouble == NULL && self->trouble == NULL))
        return;
    log_trouble(self, trouble);
    free(self->trouble);
    self->trouble = trouble != NULL ? strdup(trouble) : NULL;
}

void watcher_fail(state_watcher *self, char *error)
{
    count_errors(self, 1);
    watcher_tell_trouble(self, error != NULL ? error : "out of memory");
    free(error);
}

const store *watcher_store(const state_watcher *self)
{
    return keeper_store(self->what.keeper);
}

/* --- the role list --- */

static timespan age_of(const role_list_facts *identity)
{
    return timestamp_now() - identity->newest;
}

/* Why the list is no good, or NULL; one of two constants. */
static const char *weakness_of(const keeper_facts *facts)
{
    const timespan old = 2 * TICKS_PER_DAY;

    if (!facts->identity.has_rows)
        return "is empty";
    return age_of(&facts->identity) > old ? "is older than 2 days" : NULL;
}

static const char *what_is_missed(const state_watcher *self, const keeper_facts *facts)
{
    if (facts->identity.has_rows)
        return "accounts that became sync accounts since are not known";
    return self->what.judges_names ? "the naming rules alone judge" : "the rule finds nobody in it";
}

/* One line when it becomes weak, and when it is well again. */
static void tell_weakness(state_watcher *self)
{
    keeper_facts facts = keeper_read_facts(self->what.keeper, timestamp_now());
    const char *weakness = weakness_of(&facts);

    if (watcher_store(self) == NULL || !self->what.uses_role_list || weakness == self->weakness)
        return;
    self->weakness = weakness;
    if (weakness == NULL)
        LogMsg(0, RS_RET_OK, LOG_NOTICE,
               "mmsynctap: action '%s': the role list is up to date again: %zu sync account%s",
               name_of(self), facts.sync_accounts, facts.sync_accounts == 1 ? "" : "s");
    else
        LogMsg(0, RS_RET_OK, LOG_WARNING,
               "mmsynctap: action '%s': the role list in %s %s: %s: load it by omidentityinfo or "
               "synctap identity import",
               name_of(self), self->what.database, weakness, what_is_missed(self, &facts));
}

/* Whoever took them away: an import, omidentityinfo, another database. */
static void tell_lost_accounts(state_watcher *self)
{
    buffer words = {0};

    keeper_write_loss(self->what.keeper, &words);
    if (words.length > 0 && buffer_string(&words) != NULL)
        LogMsg(0, RS_RET_OK, LOG_WARNING, "mmsynctap: action '%s': %s", name_of(self),
               buffer_string(&words));
    buffer_free(&words);
}

/* Whom the stream itself made a sync account: nobody else would say so. */
static void tell_learned(state_watcher *self)
{
    size_t learned = keeper_read_facts(self->what.keeper, timestamp_now()).learned_roles;

    if (learned != self->learned)
        LogMsg(
            0, RS_RET_OK, LOG_NOTICE,
            "mmsynctap: action '%s': the stream told who got or lost a sync role: %zu by now, in "
            "the table learned_role of %s",
            name_of(self), learned, self->what.database);
    self->learned = learned;
}

/* --- the start --- */

static void tell_beginning(const state_watcher *self)
{
    keeper_facts facts = keeper_read_facts(self->what.keeper, timestamp_now());
    char age[SPAN_TEXT_SIZE + 32], written[SPAN_TEXT_SIZE];

    if (facts.identity.has_rows)
        snprintf(age, sizeof(age), "its newest row is %s old",
                 span_format(age_of(&facts.identity), written));
    else
        snprintf(age, sizeof(age), "it %s",
                 watcher_store(self) != NULL ? "is empty" : "could not be read");
    LogMsg(0, RS_RET_OK, LOG_NOTICE,
           "mmsynctap: action '%s' begins: %s; state database %s; sync accounts: %zu, of %lld "
           "rows of the role list, %s; records that wait for it: %lld",
           name_of(self), self->what.rule,
           self->what.database != NULL ? self->what.database : "(none)", facts.sync_accounts,
           (long long)facts.identity.rows, age, (long long)facts.stream.pending);
}

/* Is it run by a process that lives? Another rsyslogd may share the database. */
static bool is_alive(const action_state *state)
{
    return state->has_beat && state->beat.stopped == 0 && state->beat.process > 0 &&
           state->beat.process != getpid() &&
           (kill((pid_t)state->beat.process, 0) == 0 || errno == EPERM);
}

/* "" when it is not to be had. */
static void read_program(int64_t process, char program[static 32])
{
    char path[64];
    FILE *file;

    snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)process);
    file = fopen(path, "re");
    if (file == NULL || fgets(program, 32, file) == NULL)
        program[0] = '\0';
    if (file != NULL)
        fclose(file);
}

/* The number of one that was killed may be another program's since. */
static bool is_rsyslogd(const action_state *state)
{
    timespan silence = timestamp_now() - state->written;
    char ours[32], theirs[32];

    read_program(getpid(), ours);
    read_program(state->beat.process, theirs);
    return silence < 2 * HEARTBEAT_PERIOD * TICKS_PER_SECOND && strcmp(ours, theirs) == 0;
}

/* Somebody tries his configuration by hand, say: an alert that the first one's records make late
 * may go where the second one's alerts go. */
static void tell_twin(void *arg, const action_state *state)
{
    const state_watcher *self = arg;

    if (strcmp(state->name, name_of(self)) != 0 || !is_alive(state) || !is_rsyslogd(state))
        return;
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': another rsyslogd, process %lld, runs an action of this name "
             "with the state database %s: late alerts of both come from one of them alone: give "
             "this one another database, or stop one of the two",
             name_of(self), (long long)state->beat.process, self->what.database);
}

static void tell_stranger(void *arg, const action_state *state)
{
    const state_watcher *self = arg;

    if (state->pending + state->seen + state->incidents == 0 || is_alive(state) ||
        self->what.has_action(self->what.arg, state->name))
        return;
    LogMsg(0, RS_RET_OK, LOG_WARNING,
           "mmsynctap: the state database %s holds what an action '%s' remembered (records that "
           "wait: %lld, alerts: %lld, incidents: %lld), and the configuration has no such action: "
           "if it was renamed, stop rsyslogd and run synctap action adopt --database %s '%s' NEW; "
           "else synctap action drop --database %s '%s'",
           self->what.database, state->name, (long long)state->pending, (long long)state->seen,
           (long long)state->incidents, self->what.database, state->name, self->what.database,
           state->name);
}

static void tell_strangers(state_watcher *self)
{
    if (self->what.has_action != NULL)
        keeper_each_action(self->what.keeper, timestamp_now(), tell_stranger, self);
}

void watcher_tell_start(state_watcher *self)
{
    tell_beginning(self);
    keeper_each_action(self->what.keeper, timestamp_now(), tell_twin, self);
    tell_strangers(self);
    tell_weakness(self);
}

/* --- opening --- */

void watcher_tell_opened(state_watcher *self)
{
    const char *news = store_news(watcher_store(self));
    char *why;

    self->deleted_told = false;
    if (news != NULL)
        LogError(0, RS_RET_ERR, "mmsynctap: action '%s': the state database %s: %s", name_of(self),
                 self->what.database, news);
    if (store_is_writable(watcher_store(self))) /* that it works again is seen by the next look */
        return;
    why = open_error_read_only(self->what.database);
    watcher_fail(self, why);
}

/* Never in silence: with another file comes another role list, and other pending records. */
void watcher_tell_replaced(const state_watcher *self)
{
    keeper_facts facts = keeper_read_facts(self->what.keeper, timestamp_now());

    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': another file is in the place of the state database %s: it is "
             "taken (rows of its role list: %lld); what the file before it remembered is gone",
             name_of(self), self->what.database, (long long)facts.identity.rows);
}

/* The directory may be gone, too: then no try succeeds until somebody makes it. */
void watcher_tell_deleted(state_watcher *self)
{
    if (self->deleted_told)
        return;
    self->deleted_told = true;
    count_errors(self, 1);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': the state database %s was deleted: it is written anew from "
             "what is still open of it",
             name_of(self), self->what.database);
}

void watcher_tell_log_deleted(state_watcher *self, const char *error)
{
    count_errors(self, 1);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': the log of the state database, %s-wal, was deleted: %s%s",
             name_of(self), self->what.database,
             error == NULL ? "what was in it is in the database now" : "what was in it is lost: ",
             error != NULL ? error : "");
}

void watcher_tell_damaged(const state_watcher *self, const char *moved_to)
{
    if (moved_to != NULL)
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': the state database %s was damaged: it is now %s, and "
                 "what could be read of it is in a new one; load the role list again",
                 name_of(self), self->what.database, moved_to);
}

void watcher_tell_no_thread(const state_watcher *self, int error)
{
    LogError(error, RS_RET_ERR,
             "mmsynctap: action '%s': no thread to watch the state database: it is read at HUP "
             "only",
             name_of(self));
}

/* --- what was lost --- */

/* Workers could not write down what is to be remembered. */
static void tell_journal_error(state_watcher *self, const stream_facts *now)
{
    if (now->journal_error == self->told.journal_error || now->journal_error == 0)
        return;
    count_errors(self, 1);
    LogError(now->journal_error, RS_RET_ERR,
             "mmsynctap: action '%s': what is to be remembered cannot be written beside the "
             "state database %s: it is kept in memory as far as there is room",
             name_of(self), self->what.database);
}

static void tell_journal_trouble(state_watcher *self, const stream_facts *now)
{
    if (now->journal_trouble.count <= self->told.journal_trouble.count)
        return;
    count_errors(self, now->journal_trouble.count - self->told.journal_trouble.count);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': of what is remembered beside the state database %s, %s: "
             "what was in it may be missing",
             name_of(self), self->what.database, now->journal_trouble.last);
}

static void tell_forgotten(state_watcher *self, const stream_facts *now)
{
    if (now->lost <= self->told.lost)
        return;
    count_errors(self, now->lost - self->told.lost);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': %llu records or alerts could not be remembered: they may "
             "not match later, or alert again",
             name_of(self), (unsigned long long)(now->lost - self->told.lost));
}

/* Too many wait: said once, counted always. */
static void tell_dropped(state_watcher *self, const stream_facts *now)
{
    if (now->dropped <= self->told.dropped)
        return;
    audit_statistics_count(self->what.statistics, COUNTER_PENDING_DROPPED,
                           now->dropped - self->told.dropped);
    if (self->told.dropped == 0)
        LogError(0, RS_RET_ERR,
                 "mmsynctap: action '%s': more than %d records, or 1 GB, wait for the role "
                 "list: the oldest are given up, pending_dropped counts them",
                 name_of(self), STREAM_MOST_PENDING);
}

static void tell_unreadable(state_watcher *self, const stream_facts *now)
{
    if (now->unreadable <= self->told.unreadable)
        return;
    count_errors(self, now->unreadable - self->told.unreadable);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': %llu records that waited for the role list are damaged in "
             "the state database %s, and were removed; one is %s",
             name_of(self), (unsigned long long)(now->unreadable - self->told.unreadable),
             self->what.database, now->last_unreadable);
}

static void tell_lost_entries(state_watcher *self)
{
    stream_facts now = keeper_read_facts(self->what.keeper, timestamp_now()).stream;

    tell_journal_error(self, &now);
    tell_journal_trouble(self, &now);
    tell_forgotten(self, &now);
    tell_dropped(self, &now);
    tell_unreadable(self, &now);
    self->told = now;
}

void watcher_tell_news(state_watcher *self)
{
    tell_lost_entries(self);
    tell_lost_accounts(self);
    tell_weakness(self);
    tell_learned(self);
}

void watcher_tell_end(state_watcher *self, size_t unwritten)
{
    tell_lost_entries(self);
    if (unwritten == 0)
        return;
    count_errors(self, 1);
    LogError(0, RS_RET_ERR,
             "mmsynctap: action '%s': %zu bytes of what is to be remembered are lost with this "
             "end, as nothing beside the state database %s could be written: records may not match "
             "later, rows may alert again",
             name_of(self), unwritten, self->what.database);
}
