/* SPDX-License-Identifier: Apache-2.0 */
/* identity_files: input_file into identity_import, with words for what went wrong. */
#include "cli/identity_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "files/input_file.h"
#include "record/identity_table.h"
#include "state/identity_import.h"

enum { MOST_TOLD = 100 }; /* troubles of one file; the others are counted */

typedef struct import_run {
    role_list *list;
    identity_import *import;
    const identity_files_options *options;
    identity_files_result result;

    /* the file at work */
    input_file *file;
    size_t line; /* where what is being fed begins */
    size_t troubles;
} import_run;

static void say(import_run *i, size_t line, const char *what)
{
    i->result.unreadable = true;
    fprintf(stderr, "synctap: %s:%zu: %s\n", input_file_name(i->file), line, what);
}

static void tell(import_run *i, size_t line, const char *what)
{
    if (i->troubles++ < MOST_TOLD)
        say(i, line, what);
}

static void hear(void *arg, identity_trouble trouble, size_t line, const char *what)
{
    import_run *i = arg;

    if (trouble == TROUBLE_BROKEN || i->options->tone == TELL_ALL)
        tell(i, i->line + line - 1, what);
}

static void add_up(import_run *i, const identity_imported *got)
{
    i->result.rows += got->rows;
    i->result.left_out += got->without_time;
    i->result.failed |= got->failed;
}

static void import_messages(import_run *i)
{
    input_message message;

    while (!i->result.failed && input_file_next(i->file, &message)) {
        identity_imported got;

        i->line = message.line;
        got = identity_import_feed(i->import, i->list, NULL, message.text, i->options->now);
        add_up(i, &got);
        if (got.records == 0 && got.broken == 0 && i->options->tone == TELL_ALL)
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
    }
    got = identity_import_end_table(i->import, input_file_trouble(i->file, &line) != NULL);
    add_up(i, &got);
}

/* What was not told, and what kept the file from being read to its end. */
static void end_file(import_run *i)
{
    size_t line;
    const char *trouble = input_file_trouble(i->file, &line);

    if (i->troubles > MOST_TOLD)
        fprintf(stderr, "synctap: %s: %zu more like these\n", input_file_name(i->file),
                i->troubles - MOST_TOLD);
    if (trouble != NULL)
        say(i, line, trouble);
}

static void import_file(import_run *i, const char *path)
{
    char *error;

    i->troubles = 0;
    i->file = input_file_open(path, &error);
    if (i->file == NULL) {
        fprintf(stderr, "synctap: %s: %s\n", path, error ? error : "out of memory");
        free(error);
        i->result.unreadable = true;
        return;
    }
    if (identity_import_begin_table(i->import, i->list, input_file_beginning(i->file)))
        import_table(i);
    else
        import_messages(i);
    end_file(i);
    input_file_close(i->file);
}

/* An account that a snapshot lacks only because it could not be read must keep its roles. */
static void spare_what_may_be_missing(import_run *i)
{
    if (!i->options->is_snapshot || (!i->result.unreadable && i->result.rows > 0))
        return;
    fputs("synctap: the snapshot is not whole: accounts that it lacks keep their roles\n", stderr);
    role_list_spare_others(i->list);
    i->result.spared = true;
}

static void finish(import_run *i, store *s)
{
    spare_what_may_be_missing(i);
    if (i->result.failed) {
        fprintf(stderr, "synctap: the role list could not be written: %s\n", store_error(s));
        role_list_rollback(i->list);
    } else if (!role_list_commit(i->list)) {
        fprintf(stderr, "synctap: the role list could not be kept: %s\n", store_error(s));
        i->result.failed = true;
    }
}

static bool begin(role_list *list, const identity_files_options *options)
{
    role_list_expect_many(list);
    return options->is_snapshot ? role_list_begin_snapshot(list, options->now)
                                : role_list_begin(list);
}

identity_files_result identity_files_import(role_list *list, store *s, const char *const *paths,
                                            size_t count, const identity_files_options *options)
{
    import_run i = {.list = list, .options = options, .import = identity_import_new()};

    if (i.import == NULL || !begin(list, options)) {
        fprintf(stderr, "synctap: the role list cannot be written: %s\n", store_error(s));
        i.result.failed = true;
    } else {
        identity_import_set_teller(i.import, hear, &i);
        for (size_t f = 0; f < count && !i.result.failed; f++)
            import_file(&i, paths[f]);
        finish(&i, s);
    }
    identity_import_free(i.import);
    return i.result;
}
