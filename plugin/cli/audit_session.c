/* SPDX-License-Identifier: Apache-2.0 */
/* audit_session: what the commands that read audit records share. */
#include "cli/audit_session.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/audit_file.h"
#include "cli/commands.h"
#include "cli/identity_files.h"
#include "cli/words.h"

static size_t count_files(const options *o)
{
    return o->argument_count > 0 ? (size_t)o->argument_count : 1;
}

static char *const *files_of(const options *o)
{
    static char standard_input[] = "-";
    static char *const nothing_named[] = {standard_input, NULL};

    return o->argument_count > 0 ? o->arguments : nothing_named;
}

/* The role list of the --identity files, in a database of its own in memory. */
static store *store_of_files(audit_session *self, char **error)
{
    const options *o = self->options;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, error);
    role_list *list = s ? role_list_open(s) : NULL;
    identity_files_result result;

    if (list == NULL) {
        store_close(s);
        return NULL;
    }
    result = identity_files_import(
        list, s, o->identities, o->identity_count,
        &(identity_files_options){
            .tone = TELL_BROKEN_ONLY, .order = o->dates, .now = o->now, .rule = o->rule});
    self->unreadable |= result.unreadable || result.failed;
    role_list_close(list);
    return s;
}

static bool open_identity_files(audit_session *self, char **error)
{
    store *s = store_of_files(self, error);

    return s != NULL && keeper_adopt(self->keeper, s, self->options->now, error);
}

/* Whoever switches lists off is told what that leaves: nothing found is no good news then. */
static void tell_of_lists(const options *o)
{
    const char *why = rule_why_none_matches(o->rule);

    if (why != NULL)
        words_say("nothing can match: %s", why);
}

/* No database is no error unless one was asked for: the naming rules judge alone. */
static bool open_role_list(audit_session *self)
{
    const options *o = self->options;
    bool of_files = o->identity_count > 0;
    char *error = NULL;

    if (!of_files && !o->database_given && access(o->database, F_OK) != 0 && errno == ENOENT) {
        words_say("no role list (%s is not there): only naming rules apply", o->database);
        return true;
    }
    if (of_files ? open_identity_files(self, &error)
                 : keeper_open(self->keeper, o->database, STORE_EXISTING, o->now, &error))
        return true;
    words_say("%s: %s", of_files ? "the role list" : o->database, error ? error : "out of memory");
    free(error);
    return false;
}

/* The installed rulebase may be missing: nearly all messages are read without one. */
static bool open_rulebase(audit_session *self)
{
    const options *o = self->options;
    char *error;

    if (detector_open_rulebase(self->detector, o->rulebase, &error))
        return true;
    if (o->rulebase_given)
        words_say("%s: %s", o->rulebase, error ? error : "out of memory");
    free(error);
    return !o->rulebase_given;
}

bool audit_session_open_watchlists(detector *d, const options *o)
{
    const rule_plan *plan = rule_get_plan(o->rule);
    watchlists *lists;
    char *error;

    if (o->watchlist_count == 0 && plan_watchlist(plan, 0).bytes == NULL)
        return true;
    lists = watchlists_open(plan, rule_get_semantics(o->rule), o->watchlists, o->watchlist_count,
                            &error);
    if (lists == NULL)
        words_say("--watchlist: %s", error ? error : "out of memory");
    else
        detector_set_watchlists(d, lists);
    watchlists_unref(lists);
    free(error);
    return lists != NULL;
}

static void set_collector(audit_session *self)
{
    char name[HOST_NAME_MAX + 1] = "";

    gethostname(name, sizeof(name) - 1);
    detector_set_collector(self->detector, name);
}

static bool make_detector(audit_session *self, const options *o)
{
    *self = (audit_session){
        .options = o, .detector = detector_new(o->rule), .progress = progress_begin()};
    self->keeper = self->detector ? keeper_new(self->detector) : NULL;
    self->worker = self->keeper ? detector_worker_new(self->detector) : NULL;
    self->seen = calloc(count_files(o), sizeof(*self->seen));
    if (self->worker == NULL || self->seen == NULL) {
        words_say("out of memory");
        return false;
    }
    set_collector(self);
    tell_of_lists(o);
    return open_rulebase(self) && audit_session_open_watchlists(self->detector, o);
}

bool audit_session_begin(audit_session *self, const options *o)
{
    return make_detector(self, o) && open_role_list(self);
}

static void put_copy(void *list, const identity_record *row)
{
    role_list_put(list, row);
}

/* The rows of a database that stays as it is. */
static bool copy_role_list(store *to, const char *path, char **error)
{
    store *from = store_open(path, STORE_EXISTING, error);
    role_list *read = from ? role_list_open(from) : NULL;
    role_list *written = read ? role_list_open(to) : NULL;
    bool copied = written && role_list_begin(written) && role_list_each(read, put_copy, written) &&
                  role_list_commit(written);

    if (!copied && from != NULL && *error == NULL)
        *error = strdup(store_error(from));
    role_list_close(written);
    role_list_close(read);
    store_close(from);
    return copied;
}

/* A store in memory with the role list that the options name; NULL, and *error, on a failure. */
static store *copy_of_role_list(audit_session *self, char **error)
{
    const options *o = self->options;
    store *s = store_of_files(self, error);

    if (s == NULL || o->identity_count > 0 || !o->database_given ||
        copy_role_list(s, o->database, error))
        return s;
    store_close(s);
    return NULL;
}

static bool begin_role_list(audit_session *self)
{
    const options *o = self->options;
    char *error = NULL;

    self->store = copy_of_role_list(self, &error);
    if (self->store != NULL && keeper_adopt(self->keeper, self->store, o->now, &error))
        return true;
    words_say("%s: %s", o->database_given ? o->database : "the role list",
              error ? error : "out of memory");
    free(error);
    return false;
}

bool audit_session_begin_stream(audit_session *self, const options *o)
{
    const stream_options following = {
        .action = "replay",
        .latejoin = o->latejoin,
        .incidents = o->incidents,
        .most_pending = STREAM_MOST_PENDING,
        .most_pending_bytes = STREAM_MOST_PENDING_BYTES,
    };

    if (!make_detector(self, o))
        return false;
    return keeper_follow(self->keeper, &following) && begin_role_list(self);
}

void audit_session_end(audit_session *self)
{
    free(self->seen);
    detector_worker_free(self->worker);
    keeper_free(self->keeper);
    detector_free(self->detector);
}

/* --- what was seen of a file --- */

void audit_session_note(audit_session *self, size_t file, unsigned sights)
{
    if (sights & ~atomic_load_explicit(&self->seen[file], memory_order_relaxed))
        atomic_fetch_or_explicit(&self->seen[file], sights, memory_order_relaxed);
}

bool audit_session_has_record(const audit_session *self, size_t file)
{
    return atomic_load_explicit(&self->seen[file], memory_order_relaxed) & SIGHT_RECORD;
}

static void tell_where_no_record_is(audit_session *self)
{
    char *const *files = files_of(self->options);

    for (size_t i = 0; i < count_files(self->options); i++)
        if (self->seen[i] == SIGHT_NONE)
            audit_session_tell_of(self, strcmp(files[i], "-") == 0 ? "standard input" : files[i], 0,
                                  "no audit record in it");
}

void audit_session_tell_nothing(const audit_session *self, const char *what)
{
    bool any = false;

    for (size_t i = 0; i < count_files(self->options); i++)
        any |= audit_session_has_record(self, i);
    if (any)
        words_say("%s", what);
}

int audit_session_status(const audit_session *self, bool failed)
{
    if (failed || self->unreadable)
        return EXIT_UNREADABLE;
    return self->found && self->options->fail_on_match ? EXIT_FOUND : EXIT_DONE;
}

/* --- reading --- */

/* A file under way, for one who takes its messages. */
typedef struct file_reading {
    audit_session *session;
    input_file *file;
    size_t number;
    audit_session_sink *sink;
    void *arg;
    bool goes_on;
} file_reading;

/* Half a second after the last time, on a terminal alone. */
static void show_progress(const file_reading *r)
{
    audit_session *self = r->session;
    progress_state state = {.name = input_file_name(r->file)};
    size_t position = input_file_position(r->file);

    if (!progress_is_due(&self->progress))
        return;
    if (!input_file_progress(r->file, &state.done, &state.size))
        state.done = position;
    state.bytes = self->passed + position;
    progress_show(&self->progress, &state);
}

static bool take_message(void *arg, const input_message *message)
{
    file_reading *r = arg;
    unsigned sights = SIGHT_NONE;

    show_progress(r);

    r->goes_on = r->sink(r->arg, r->file, message, &sights);
    audit_session_note(r->session, r->number, sights);
    return r->goes_on;
}

static bool read_messages(file_reading *r)
{
    input_message message;

    if (audit_file_is_table(r->file))
        audit_file_read_table(r->file, r->session->options->dates, take_message, r);
    else
        while (r->goes_on && input_file_next(r->file, &message))
            take_message(r, &message);
    return r->goes_on;
}

/* False when the sink wants no more. */
static bool read_file(audit_session *self, size_t number, audit_session_sink *sink, void *arg)
{
    const char *path = files_of(self->options)[number];
    char *error;
    input_file *file = input_file_open(path, &error);
    const char *trouble;
    bool goes_on;
    size_t line;

    if (file == NULL) {
        audit_session_tell_of_file(self, number, path, 0, error ? error : "out of memory");
        free(error);
        return true;
    }
    goes_on = read_messages(&(file_reading){self, file, number, sink, arg, true});
    trouble = goes_on ? input_file_trouble(file, &line) : NULL;
    if (trouble != NULL)
        audit_session_tell_of_file(self, number, input_file_name(file), line, trouble);
    self->passed += input_file_position(file);
    input_file_close(file);
    return goes_on;
}

void audit_session_read(audit_session *self, audit_session_sink *sink, void *arg)
{
    bool goes_on = true;

    for (size_t i = 0; goes_on && i < count_files(self->options); i++)
        goes_on = read_file(self, i, sink, arg);
    progress_wipe(&self->progress);
    if (goes_on)
        tell_where_no_record_is(self);
}

static size_t count_threads(const options *o)
{
    long cores = o->threads > 0 ? (long)o->threads : sysconf(_SC_NPROCESSORS_ONLN);

    return cores < 1 ? 1 : cores > OPTIONS_MOST_THREADS ? OPTIONS_MOST_THREADS : (size_t)cores;
}

bool audit_session_read_in_threads(audit_session *self, const archive_reader *reader)
{
    const options *o = self->options;
    const archive_options reading = {count_threads(o), ARCHIVE_PIECE, &self->progress};
    bool all = archive_read(reader, files_of(o), count_files(o), &reading);

    progress_wipe(&self->progress);
    if (all)
        tell_where_no_record_is(self);
    return all;
}

void audit_session_tell(audit_session *self, const input_file *file, size_t line, const char *what)
{
    audit_session_tell_of(self, input_file_name(file), line, what);
}

void audit_session_tell_of(audit_session *self, const char *name, size_t line, const char *what)
{
    progress_wipe(&self->progress);
    if (line > 0)
        words_say("%s:%zu: %s", name, line, what);
    else
        words_say("%s: %s", name, what);
    self->unreadable = true;
}

void audit_session_tell_of_file(audit_session *self, size_t file, const char *name, size_t line,
                                const char *what)
{
    audit_session_note(self, file, SIGHT_TROUBLE);
    audit_session_tell_of(self, name, line, what);
}

void audit_session_tell_unread_time(audit_session *self, const char *name, size_t line,
                                    const char *time)
{
    enum { WORDS = 160 };
    char what[WORDS];

    if (*time == '\0')
        return;
    snprintf(what, sizeof(what),
             "the time \"%.64s\" is not understood: the record is judged as if made when received",
             time);
    audit_session_tell_of(self, name, line, what);
}
