/* SPDX-License-Identifier: Apache-2.0 */
/* identity_files: input_file into identity_import, with words for what went wrong. */
#include "cli/identity_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/words.h"
#include "files/input_file.h"
#include "files/progress.h"
#include "state/identity_import.h"
#include "state/sync_census.h"

enum { MOST_TOLD = 100 }; /* troubles of one file; the others are counted */

typedef struct import_run {
    role_list *list;
    store *store;
    identity_import *import;
    const identity_files_options *options;
    identity_files_result result;
    bool has_gaps; /* there may be more rows than those that were read */
    bool removes;  /* a row says that a role is gone */
    progress progress;
    size_t passed; /* bytes of the files before this one */

    /* the file at work */
    input_file *file;
    size_t line; /* where what is being fed begins */
    size_t troubles;
    size_t records;
    bool is_blank; /* nothing is in it */
} import_run;

/* Half a second after the last time, on a terminal alone. */
static void show_progress(import_run *i)
{
    progress_state state = {.name = input_file_name(i->file)};

    if (!progress_is_due(&i->progress))
        return;
    if (!input_file_progress(i->file, &state.done, &state.size))
        state.done = input_file_position(i->file);
    state.bytes = i->passed + input_file_position(i->file);
    progress_show(&i->progress, &state);
}

static void say(import_run *i, size_t line, const char *what)
{
    i->result.unreadable = true;
    progress_wipe(&i->progress);
    words_say("%s:%zu: %s", input_file_name(i->file), line, what);
}

static void tell(import_run *i, size_t line, const char *what)
{
    if (i->troubles++ < MOST_TOLD)
        say(i, line, what);
}

/* A gap is no fault of what was read: only a snapshot must have none. */
static void say_gap(import_run *i, const char *file, size_t line, const char *what)
{
    i->has_gaps = true;
    progress_wipe(&i->progress);
    words_say("%s:%zu: not whole: %s", file, line, what);
}

static void hear(void *arg, identity_trouble trouble, size_t line, const char *what)
{
    import_run *i = arg;

    line += i->line - 1;
    if (trouble == TROUBLE_GAP || (trouble == TROUBLE_DELTA && i->options->is_snapshot))
        say_gap(i, input_file_name(i->file), line, what);
    else if (trouble == TROUBLE_DELTA)
        return;
    else if (trouble != TROUBLE_WITHOUT_TIME || i->options->tone == TELL_ALL)
        tell(i, line, what);
}

static void hear_of_pages(void *arg, const char *file, size_t line, const char *what)
{
    say_gap(arg, file, line, what);
}

static void add_up(import_run *i, const identity_imported *got)
{
    i->result.rows += got->rows;
    i->removes |= got->removed > 0;
    i->records += got->records;
    i->result.failed |= got->failed;
}

static void import_messages(import_run *i)
{
    input_message message;

    while (!i->result.failed && input_file_next(i->file, &message)) {
        identity_imported got;

        i->line = message.line;
        identity_import_set_place(i->import, input_file_name(i->file), message.line);
        got = identity_import_feed(i->import, i->list, NULL, message.text, i->options->now);
        add_up(i, &got);
        show_progress(i);
        if (got.records + got.broken + got.failed_parts == 0 && i->options->tone == TELL_ALL)
            tell(i, message.line, "no identity record in it");
    }
}

static void import_table(import_run *i)
{
    identity_imported got;
    bool goes_on = true;
    text piece;
    size_t line;

    for (bool first = true; goes_on && input_file_next_piece(i->file, &piece, &line);
         first = false) {
        i->line = first ? line : i->line;
        goes_on = identity_import_feed_table(i->import, piece);
        show_progress(i);
    }
    got = identity_import_end_table(i->import, input_file_trouble(i->file, &line) != NULL);
    add_up(i, &got);
}

/* An empty file is how a command that judges is told that there is no sync account. */
static bool is_list_of_nobody(const import_run *i)
{
    return i->options->tone == TELL_BROKEN_ONLY && i->is_blank;
}

/* What was not told, and what kept the file from being read to its end. */
static void end_file(import_run *i)
{
    size_t line;
    const char *trouble = input_file_trouble(i->file, &line);

    progress_wipe(&i->progress);
    if (i->troubles > MOST_TOLD)
        words_say("%s: %zu more like these", input_file_name(i->file), i->troubles - MOST_TOLD);
    if (trouble != NULL)
        say(i, line, trouble);
    else if (i->records == 0 && i->troubles == 0 && !is_list_of_nobody(i))
        say(i, 1, "no identity record in it");
}

static void import_file(import_run *i, const char *path)
{
    char *error;

    i->troubles = i->records = 0;
    i->file = input_file_open(path, &error);
    if (i->file == NULL) {
        words_say("%s: %s", path, error ? error : "out of memory");
        free(error);
        i->result.unreadable = true;
        return;
    }
    i->is_blank = input_file_beginning(i->file).length == 0;
    if (identity_import_begin_table(i->import, i->list, input_file_beginning(i->file),
                                    i->options->now))
        import_table(i);
    else
        import_messages(i);
    end_file(i);
    i->passed += input_file_position(i->file);
    input_file_close(i->file);
}

/* --- into the list --- */

/* Who ceases to be a sync account is said by name. False: the snapshot takes too much. */
static bool tell_loss(const import_run *i, const sync_census *before, const sync_census *after)
{
    bool is_refused = i->options->is_snapshot && !i->options->is_forced &&
                      sync_census_is_suspicious(before, after);
    buffer words = {0};

    if (sync_census_write_loss(before, after, &words) && words.length > 0)
        words_say("%s%s", is_refused ? "refused without --force, nothing was changed: " : "",
                  buffer_string(&words));
    buffer_free(&words);
    return !is_refused;
}

/* Puts all that waits; what a snapshot does not name is part of what changes. */
static bool put_waiting(import_run *i)
{
    return role_list_put_waiting(i->list) && role_list_end_snapshot(i->list);
}

static bool put_with_census(import_run *i)
{
    const identity_files_options *o = i->options;
    sync_census *before = sync_census_take(i->list, o->rule, o->now);
    sync_census *after = NULL;
    bool put = before != NULL && put_waiting(i);

    if (put)
        after = sync_census_take(i->list, o->rule, o->now);
    if (after != NULL)
        i->result.refused = !tell_loss(i, before, after);
    sync_census_free(before);
    sync_census_free(after);
    return after != NULL;
}

static bool begin(import_run *i)
{
    return i->options->is_snapshot ? role_list_begin_snapshot(i->list, i->options->now)
                                   : role_list_begin(i->list);
}

static bool put_all(import_run *i)
{
    if (!role_list_end_reading(i->list) || !begin(i))
        return false;
    if (!(i->options->is_snapshot || i->removes ? put_with_census(i) : put_waiting(i)))
        return false;
    return i->result.refused || role_list_commit(i->list);
}

/* A snapshot takes away what it lacks: it must be known to be whole. */
static bool is_refused(import_run *i)
{
    if (!i->options->is_snapshot || !(i->result.unreadable || i->has_gaps))
        return false;
    words_say("the snapshot is not whole: nothing was changed");
    return true;
}

static void finish(import_run *i)
{
    i->result.failed |=
        !identity_pages_tell_missing(identity_import_pages(i->import), hear_of_pages, i);
    i->result.refused = is_refused(i);
    if (i->result.failed || (!i->result.refused && !put_all(i))) {
        words_say("the role list could not be written: %s", store_error(i->store));
        i->result.failed = true;
    }
    if (i->result.failed || i->result.refused)
        role_list_rollback(i->list);
}

static bool prepare(import_run *i)
{
    i->import = identity_import_new();
    if (i->import == NULL || !identity_import_expect_pages(i->import))
        return false;
    if (i->options->role != NULL)
        identity_import_set_role(i->import, text_of(i->options->role));
    identity_import_set_date_order(i->import, i->options->order);
    identity_import_set_teller(i->import, hear, i);
    role_list_expect_many(i->list);
    return role_list_begin_reading(i->list);
}

identity_files_result identity_files_import(role_list *list, store *s, const char *const *paths,
                                            size_t count, const identity_files_options *options)
{
    import_run i = {.list = list, .store = s, .options = options, .progress = progress_begin()};

    if (!prepare(&i)) {
        words_say("the role list cannot be written: %s", store_error(s));
        i.result.failed = true;
    } else {
        for (size_t f = 0; f < count && !i.result.failed; f++)
            import_file(&i, paths[f]);
        finish(&i);
    }
    identity_import_free(i.import);
    return i.result;
}
