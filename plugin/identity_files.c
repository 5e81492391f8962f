/* identity_files: input_file into identity_import, with words for what went wrong. */
#include "identity_files.h"

#include <stdio.h>
#include <stdlib.h>

#include "identity_import.h"
#include "input_file.h"

typedef struct importing {
    role_list *list;
    identity_import *import;
    const identity_files_manner *manner;
    identity_files_result result;
} importing;

static void tell(const input_file *file, const input_message *message, const char *what)
{
    fprintf(stderr, "synctap: %s:%zu: %s\n", input_file_name(file), message->line, what);
}

static void import_message(importing *i, const input_file *file, const input_message *message)
{
    identity_imported got = identity_import_feed(i->import, i->list, NULL, message->text);

    i->result.rows += got.rows;
    i->result.left_out += got.without_time;
    i->result.failed |= got.failed;
    if (got.broken > 0) {
        tell(file, message, got.reason);
        i->result.unreadable = true;
    } else if (got.rows + got.without_time == 0 && i->manner->tone == TELL_ALL) {
        tell(file, message, "no identity record in it");
        i->result.unreadable = true;
    }
    if (got.without_time > 0 && i->manner->tone == TELL_ALL) {
        tell(file, message, "without a readable TimeGenerated: left out");
        i->result.unreadable = true;
    }
}

static void import_file(importing *i, const char *path)
{
    char *error;
    input_file *file = input_file_open(path, &error);
    input_message message;

    if (file == NULL) {
        fprintf(stderr, "synctap: %s: %s\n", path, error ? error : "out of memory");
        free(error);
        i->result.unreadable = true;
        return;
    }
    while (!i->result.failed && input_file_next(file, &message))
        import_message(i, file, &message);
    input_file_close(file);
}

/* An account that a snapshot lacks only because it could not be read must keep its roles. */
static void spare_what_may_be_missing(importing *i)
{
    if (!i->manner->is_snapshot || (!i->result.unreadable && i->result.rows > 0))
        return;
    fputs("synctap: the snapshot is not whole: accounts that it lacks keep their roles\n", stderr);
    role_list_spare_others(i->list);
    i->result.spared = true;
}

static void finish(importing *i, store *s)
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

static bool begin(role_list *list, const identity_files_manner *manner)
{
    return manner->is_snapshot ? role_list_begin_snapshot(list, manner->now)
                               : role_list_begin(list);
}

identity_files_result identity_files_import(role_list *list, store *s, const char *const *paths,
                                            size_t count, const identity_files_manner *manner)
{
    importing i = {.list = list, .manner = manner, .import = identity_import_new()};

    if (i.import == NULL || !begin(list, manner)) {
        fprintf(stderr, "synctap: the role list cannot be written: %s\n", store_error(s));
        i.result.failed = true;
    } else {
        for (size_t f = 0; f < count && !i.result.failed; f++)
            import_file(&i, paths[f]);
        finish(&i, s);
    }
    identity_import_free(i.import);
    return i.result;
}
