/* The database's files: deleted, replaced, put back, left behind, and what is no file of ours. */
#include "state/database_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failing_disk.h"
#include "fixtures.h"
#include "state/open_error.h"
#include "state/schema.h"
#include "state/store_rescue.h"
#include "suites.h"
#include "test.h"

static void put(store *s, const char *upn)
{
    role_list *list = role_list_open(s);
    const identity_record row = identity_row(upn, "id", "[]", "2026-06-01T12:00:00Z");

    REQUIRE(list != NULL);
    put_rows(list, &row, 1);
    role_list_close(list);
}

static void note_upn(void *names, const identity_record *row)
{
    buffer_append(names, row->account_upn);
    buffer_append_char(names, ' ');
}

/* Whose rows are in it, in order. */
static const char *names_in(store *s)
{
    role_list *list = role_list_open(s);
    buffer names = {0};
    const char *copy;

    REQUIRE(list != NULL);
    EXPECT(role_list_each(list, note_upn, &names));
    copy = test_string("%s", buffer_string(&names));
    buffer_free(&names);
    role_list_close(list);
    return copy;
}

static const char *text_in(store *s, const char *sql)
{
    sqlite3_stmt *statement = store_prepare(s, sql);
    const char *found = "";

    REQUIRE(statement != NULL);
    if (sqlite3_step(statement) == SQLITE_ROW)
        found = test_string("%s", sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return found;
}

#define EXPECT_SOUND(s) EXPECT_STRING(text_in((s), "PRAGMA integrity_check"), "ok")

static store *opened(const char *path, store_open_mode how)
{
    char *error;
    store *s = store_open(path, how, &error);

    EXPECT_STRING(error ? error : "", "");
    REQUIRE(s != NULL);
    free(error);
    return s;
}

static store *open_at_once(const char *path)
{
    return opened(path, STORE_CREATE | STORE_AT_ONCE);
}

/* Why it is not opened; "" when it is. */
static const char *refusal_of(const char *path)
{
    char *error;
    store *s = store_open(path, STORE_CREATE | STORE_AT_ONCE, &error);
    const char *copy = error ? test_string("%s", error) : "";

    free(error);
    store_close(s);
    return copy;
}

/* A database of its own, closed: one file. */
static const char *made_with(const char *name, const char *upn)
{
    store *s = open_at_once(test_path(name));

    put(s, upn);
    store_close(s);
    return test_path(name);
}

/* The same by a process that is killed: its log stays beside it. */
static void put_and_end(void *path)
{
    char *error;
    store *s = store_open(path, STORE_CREATE | STORE_AT_ONCE, &error);

    if (s == NULL)
        _exit(1);
    put(s, "killed@x");
}

static const char *left_by_a_crash(const char *name)
{
    const char *path = test_path(name);

    REQUIRE(test_survives(put_and_end, (void *)(uintptr_t)path));
    EXPECT(access(test_string("%s-wal", path), F_OK) == 0);
    return path;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names of all that lies in the test's directory, without the times in them. */
static const char *files(void)
{
    DIR *d = opendir(test_directory());
    const char *names[32];
    struct dirent *found;
    size_t count = 0;
    buffer all = {0};
    const char *copy;

    REQUIRE(d != NULL);
    while ((found = readdir(d)) != NULL)
        if (found->d_name[0] != '.' && count < LENGTH_OF(names))
            names[count++] = test_string("%s", found->d_name);
    closedir(d);
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 0; i < count; i++) {
        const char *time = strstr(names[i], "-20");

        buffer_append(&all, time ? text_between(names[i], time) : text_of(names[i]));
        buffer_append_string(&all, time && strlen(time) > 17 ? time + 17 : "");
        buffer_append_char(&all, ' ');
    }
    copy = test_string("%s", buffer_string(&all));
    buffer_free(&all);
    return copy;
}

/* --- one file, no more --- */

static void test_a_closed_database_is_one_file(void)
{
    made_with("state.db", "a@x");
    EXPECT_STRING(files(), "state.db ");
}

static void test_what_was_half_made_is_made_anew(void)
{
    test_file("state.db-new", "half a database");
    test_file("state.db-new-journal", "and its log");
    made_with("state.db", "a@x");
    EXPECT_STRING(files(), "state.db ");
}

/* --- a disk that fails --- */

static void try_to_make(const char *path)
{
    char *error;
    store *s = store_open(path, STORE_CREATE | STORE_AT_ONCE, &error);

    EXPECT_INT(s != NULL, error == NULL);
    free(error);
    store_close(s);
}

static void test_a_database_that_could_not_be_written_whole_is_made_anew(void)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        const char *path = test_path(test_string("state%u.db", n));
        store *s;

        fail_disk_write(n);
        try_to_make(path);
        has_failed = fail_no_disk_write();
        s = open_at_once(path);
        EXPECT_SOUND(s);
        store_close(s);
    }
}

/* Each of the writes that the new one needs; the last round is without a failure. */
static void test_a_damaged_database_stays_until_the_new_one_is_whole(void)
{
    bool has_failed = true;

    for (unsigned n = 1; has_failed; n++) {
        const char *path = made_with(test_string("state%u.db", n), "a@x");
        store *damaged = open_at_once(path), *made;
        char *moved_to, *error;

        fail_disk_write(n);
        made = store_replace_damaged(damaged, path, &moved_to, &error);
        has_failed = fail_no_disk_write();
        EXPECT_INT(made != NULL, error == NULL);
        store_close(made);
        store_close(damaged);
        EXPECT_STRING(names_in(open_store(path)), "a@x ");
        free(moved_to);
        free(error);
    }
}

/* --- deleted --- */

static void test_the_log_of_a_deleted_file_does_not_come_into_a_new_one(void)
{
    const char *path = test_path("state.db");
    store *before = open_at_once(path), *after;

    put(before, "before@x");
    REQUIRE(unlink(path) == 0);
    after = open_at_once(path);
    EXPECT_STRING(names_in(after), "");
    EXPECT(store_news(after) != NULL);
    put(after, "after@x");
    EXPECT_SOUND(after);
    EXPECT_STRING(names_in(before), "before@x ");
    EXPECT_SOUND(before);
    store_close(before);
    EXPECT_STRING(names_in(after), "after@x ");
    store_close(after);
    EXPECT_STRING(names_in(open_store(path)), "after@x ");
}

typedef struct opening {
    pthread_t thread;
    const char *path;
    store *store;
    char *error;
} opening;

static void *open_patiently(void *o)
{
    opening *self = o;

    self->store = store_open(self->path, STORE_CREATE, &self->error);
    return NULL;
}

/* What was deleted is brought back by who has it open; another one waits for that. */
static void test_a_deleted_file_that_is_in_use_is_waited_for(void)
{
    opening o = {.path = test_path("state.db")};
    store *user = open_at_once(o.path);
    char *error;

    put(user, "kept@x");
    REQUIRE(unlink(o.path) == 0);
    REQUIRE(pthread_create(&o.thread, NULL, open_patiently, &o) == 0);
    EXPECT(store_restore(user, o.path, &error));
    pthread_join(o.thread, NULL);
    REQUIRE(o.store != NULL);
    EXPECT_STRING(names_in(o.store), "kept@x ");
    put(o.store, "new@x");
    EXPECT_SOUND(o.store);
    store_close(user);
    store_close(o.store);
    EXPECT_STRING(names_in(open_store(o.path)), "kept@x new@x ");
}

static void test_who_is_not_to_make_it_leaves_the_log_of_a_deleted_file(void)
{
    const char *path = left_by_a_crash("state.db");
    char *error;

    REQUIRE(unlink(path) == 0);
    EXPECT(store_open(path, STORE_EXISTING | STORE_AT_ONCE, &error) == NULL);
    EXPECT_STRING(
        error,
        "No such file or directory: name the database that mmsynctap has as database=; synctap "
        "identity import makes one");
    free(error);
    EXPECT_STRING(files(), "state.db-owner state.db-shm state.db-wal ");
}

/* --- replaced --- */

static void test_a_deleted_log_is_saved_by_who_has_it_open(void)
{
    const char *path = test_path("state.db");
    store *user = open_at_once(path), *next;
    char *error;

    put(user, "a@x");
    EXPECT(store_has_log(user));
    REQUIRE(unlink(test_string("%s-wal", path)) == 0);
    EXPECT_NOT(store_has_log(user));
    EXPECT(store_save_log(user, &error));
    EXPECT_STRING(error ? error : "", "");
    next = open_at_once(path);
    EXPECT_STRING(names_in(next), "a@x ");
    EXPECT(store_has_log(next));
    put(next, "b@x");
    EXPECT_NOT(store_has_log(user));
    EXPECT(store_save_log(user, &error)); /* it was, and the newer one is not touched */
    EXPECT_STRING(error ? error : "", "");
    store_close(user);
    EXPECT_STRING(names_in(next), "a@x b@x ");
    EXPECT_SOUND(next);
    store_close(next);
    EXPECT_STRING(files(), "state.db ");
}

static void test_a_deleted_log_is_not_saved_over_another(void)
{
    const char *path = test_path("state.db"), *log = test_path("state.db-wal");
    store *user = open_at_once(path);
    char *error;

    put(user, "a@x");
    REQUIRE(unlink(log) == 0);
    test_file("state.db-wal", "another's");
    EXPECT_NOT(store_save_log(user, &error));
    EXPECT_STRING(error ? error : "", "another file is there");
    free(error);
    store_close(user);
}

static void test_a_deleted_log_that_is_in_use_is_waited_for(void)
{
    const char *path = test_path("state.db");
    store *user = open_at_once(path);
    opening o = {.path = path};
    char *error;

    put(user, "a@x");
    REQUIRE(unlink(test_string("%s-wal", path)) == 0);
    REQUIRE(pthread_create(&o.thread, NULL, open_patiently, &o) == 0);
    EXPECT(store_save_log(user, &error));
    free(error);
    pthread_join(o.thread, NULL);
    EXPECT_STRING(o.error ? o.error : "", "");
    REQUIRE(o.store != NULL);
    EXPECT_STRING(names_in(o.store), "a@x ");
    free(o.error);
    store_close(o.store);
    store_close(user);
}

static void test_the_log_of_a_replaced_file_does_not_come_into_the_other(void)
{
    const char *path = test_path("state.db"), *other = made_with("other.db", "other@x");
    store *before = open_at_once(path), *after;

    put(before, "before@x");
    REQUIRE(rename(other, path) == 0);
    after = open_at_once(path);
    EXPECT_STRING(names_in(after), "other@x ");
    EXPECT(store_news(after) != NULL);
    put(after, "after@x");
    put(before, "lost@x");
    store_close(before);
    EXPECT_SOUND(after);
    store_close(after);
    EXPECT_STRING(names_in(open_store(path)), "after@x other@x ");
}

static void test_the_log_of_a_crash_comes_into_its_file(void)
{
    store *s = open_at_once(left_by_a_crash("state.db"));

    EXPECT_STRING(names_in(s), "killed@x ");
    EXPECT(store_news(s) == NULL);
    store_close(s);
    EXPECT_STRING(files(), "state.db ");
}

static void test_the_log_of_a_crash_does_not_come_into_another_file(void)
{
    const char *path = left_by_a_crash("state.db");
    store *s;

    REQUIRE(rename(made_with("other.db", "other@x"), path) == 0);
    s = open_at_once(path);
    EXPECT_STRING(names_in(s), "other@x ");
    EXPECT(store_news(s) != NULL);
    EXPECT_SOUND(s);
    store_close(s);
    EXPECT_STRING(files(), "state.db state.db-wal.left ");
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "r"), *out = fopen(to, "w");
    char bytes[4096];
    size_t length;

    REQUIRE(in != NULL && out != NULL);
    while ((length = fread(bytes, 1, sizeof(bytes), in)) > 0)
        REQUIRE(fwrite(bytes, 1, length, out) == length);
    fclose(in);
    REQUIRE(fclose(out) == 0);
}

/* A copy of both, put in the place of both. */
static void test_a_copy_with_its_own_log_keeps_it(void)
{
    const char *path = test_path("state.db"), *log = test_path("state.db-wal");
    const char *copy = left_by_a_crash("copy.db");
    store *s;

    left_by_a_crash("state.db");
    REQUIRE(unlink(path) == 0 && unlink(log) == 0);
    copy_file(copy, path);
    copy_file(test_string("%s-wal", copy), log);
    s = open_at_once(path);
    EXPECT_STRING(names_in(s), "killed@x ");
    EXPECT(store_news(s) == NULL);
    EXPECT_SOUND(s);
    store_close(s);
}

/* --- brought back --- */

static void test_a_copy_that_is_put_back_meanwhile_keeps_its_log(void)
{
    const char *path = test_path("state.db"), *copy = left_by_a_crash("copy.db");
    store *user = open_at_once(path), *after;
    char *error;

    put(user, "deleted@x");
    REQUIRE(unlink(path) == 0 && unlink(test_path("state.db-wal")) == 0);
    REQUIRE(rename(test_string("%s-wal", copy), test_path("state.db-wal")) == 0);
    REQUIRE(rename(copy, path) == 0);
    EXPECT(store_restore(user, path, &error));
    EXPECT(access(test_path("state.db-wal"), F_OK) == 0);
    after = open_at_once(path);
    EXPECT_STRING(names_in(after), "killed@x ");
    store_close(user);
    store_close(after);
}

static void restore_umask(void *mask)
{
    umask(*(mode_t *)mask);
}

static void test_what_is_brought_back_is_nobody_elses_to_read(void)
{
    static mode_t before;
    const char *path = test_path("state.db");
    store *user = open_at_once(path);
    struct stat found = {0};
    char *error;

    before = umask(0);
    test_at_end(restore_umask, &before);
    put(user, "a@x");
    REQUIRE(unlink(path) == 0);
    EXPECT(store_restore(user, path, &error));
    EXPECT_INT(stat(path, &found), 0);
    EXPECT_INT(found.st_mode & 07777, 0640);
    store_close(user);
    EXPECT_STRING(names_in(open_store(path)), "a@x ");
}

static void test_a_damaged_file_is_kept_with_its_log(void)
{
    const char *path = test_path("state.db");
    store *s = open_at_once(path), *made;
    char *moved_to, *error;

    put(s, "a@x");
    made = store_replace_damaged(s, path, &moved_to, &error);
    EXPECT_STRING(error ? error : "", "");
    REQUIRE(made != NULL && moved_to != NULL);
    EXPECT_STRING(names_in(made), "a@x ");
    EXPECT(store_was_rescued(made));
    EXPECT_SOUND(made);
    store_close(s);
    store_close(made);
    EXPECT_STRING(files(), "state.db state.db.damaged state.db.damaged-wal ");
    free(moved_to);
}

/* A table that became wide while it was open: more columns than any of ours has. */
static void test_a_wide_table_is_rescued_in_our_columns(void)
{
    const char *path = test_path("state.db");
    store *s = open_at_once(path), *made;
    char *moved_to, *error;

    put(s, "a@x");
    for (int i = 0; i < 300; i++)
        text_in(s, test_string("ALTER TABLE identity ADD COLUMN extra%d TEXT", i));
    made = store_replace_damaged(s, path, &moved_to, &error);
    REQUIRE(made != NULL);
    EXPECT_STRING(names_in(made), "a@x ");
    free(moved_to);
    store_close(s);
    store_close(made);
}

static size_t count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    size_t count = 0;

    while (d != NULL && readdir(d) != NULL)
        count++;
    if (d != NULL)
        closedir(d);
    return count;
}

static void test_a_hundred_replaced_databases_leave_no_descriptor(void)
{
    const char *path = test_path("state.db");
    store *s = open_at_once(path);
    size_t before = count_descriptors();

    for (int i = 0; i < 100; i++) {
        store *next;

        REQUIRE(rename(made_with("other.db", "a@x"), path) == 0);
        next = open_at_once(path);
        store_close(s);
        s = next;
    }
    EXPECT_INT(count_descriptors(), before);
    store_close(s);
}

/* --- locks --- */

static void test_another_program_at_work_on_the_files_is_told(void)
{
    const char *path = made_with("state.db", "a@x");
    int directory = open(test_directory(), O_RDONLY | O_DIRECTORY);

    REQUIRE(directory >= 0 && flock(directory, LOCK_EX) == 0);
    EXPECT_STRING(refusal_of(path), "another program is making or mending it");
    close(directory);
    EXPECT_STRING(refusal_of(path), "");
}

static void run(sqlite3 *c, const char *sql)
{
    EXPECT_INT(sqlite3_exec(c, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Its owner lets nobody else in: an opening ends in time, whatever SQLite tries how often. */
static void test_a_database_that_another_has_for_itself_is_not_waited_for_long(void)
{
    enum { MUCH_MORE = 20000 };
    const char *path = made_with("state.db", "a@x");
    sqlite3 *other = NULL;
    char *error;
    patience p = patience_of(MUCH_MORE);

    REQUIRE(sqlite3_open(path, &other) == SQLITE_OK);
    run(other, "PRAGMA locking_mode = EXCLUSIVE; UPDATE role_list SET change = change");
    EXPECT_STRING(refusal_of(path), "database is locked");
    EXPECT(store_open(path, STORE_CREATE | STORE_BRIEFLY, &error) == NULL);
    EXPECT_STRING(error, "database is locked");
    EXPECT(patience_clock() < p.until);
    free(error);
    sqlite3_close(other);
    EXPECT_STRING(refusal_of(path), "");
}

/* --- what is no file of ours --- */

static void test_a_link_in_the_databases_place_is_left_alone(void)
{
    REQUIRE(symlink(made_with("real.db", "a@x"), test_path("state.db")) == 0);
    EXPECT_STRING(
        refusal_of(test_path("state.db")),
        "it is a symbolic link: links are not followed: give the path of the file itself");
}

static void make_fifo(const char *path)
{
    REQUIRE(mkfifo(path, 0600) == 0);
}

static void make_directory(const char *path)
{
    REQUIRE(mkdir(path, 0700) == 0);
}

static void make_link(const char *path)
{
    REQUIRE(symlink("elsewhere", path) == 0);
}

static void test_what_is_no_file_is_named_and_left_alone(void)
{
    static const struct {
        void (*make)(const char *path);
        const char *why, *remedy;
    } kinds[] = {
        {make_fifo, "it is no regular file", "give the path of a file"},
        {make_directory, "it is a directory", "give the path of a file"},
        {make_link, "it is a symbolic link",
         "links are not followed: give the path of the file itself"},
    };
    static const char *const places[] = {"", "-wal", "-shm", "-journal"};

    for (size_t k = 0; k < LENGTH_OF(kinds); k++)
        for (size_t p = 0; p < LENGTH_OF(places); p++) {
            const char *path = test_path(test_string("%zu.%zu", k, p));
            const char *thing = test_string("%s%s", path, places[p]);
            struct stat found;

            if (p > 0)
                made_with(test_string("%zu.%zu", k, p), "a@x");
            kinds[k].make(thing);
            EXPECT_STRING(refusal_of(path),
                          p == 0 ? test_string("%s: %s", kinds[k].why, kinds[k].remedy)
                                 : test_string("%s: %s: move it away", thing, kinds[k].why));
            EXPECT_INT(lstat(thing, &found), 0);
        }
}

/* --- what is no database of ours --- */

static void test_what_is_not_our_schema_is_refused(void)
{
    static const char *const foreign[] = {
        "CREATE TRIGGER t AFTER INSERT ON identity BEGIN DELETE FROM pending; END",
        "CREATE VIEW v AS SELECT * FROM identity",
        "CREATE TABLE t (x)",
        "CREATE UNIQUE INDEX i ON pending (received)",
        "DROP INDEX pending_expires",
        "DROP TRIGGER identity_keeps_versions",
        "DROP TABLE seen; CREATE VIEW seen AS SELECT 1 AS action, '' AS alert_id, 2 AS expires",
        "ALTER TABLE identity ADD COLUMN more TEXT",
    };

    for (size_t i = 0; i < LENGTH_OF(foreign); i++) {
        const char *path = made_with(test_string("%zu.db", i), "a@x");
        sqlite3 *other = NULL;

        REQUIRE(sqlite3_open(path, &other) == SQLITE_OK);
        run(other, foreign[i]);
        sqlite3_close(other);
        test_case("%s", foreign[i]);
        EXPECT_STRING(refusal_of(path),
                      "what is in it are not the tables of synctap: it is left alone: give another "
                      "path, or move it away: then a new one is made");
    }
}

static const char *header_refusal(const char *path)
{
    unsigned char header[SCHEMA_HEADER];
    FILE *file = fopen(path, "r");
    size_t got;
    const char *why;

    REQUIRE(file != NULL);
    got = fread(header, 1, sizeof(header), file);
    fclose(file);
    REQUIRE(got == sizeof(header));
    why = schema_header_refusal(header);
    return why != NULL ? why : "";
}

static void test_a_file_tells_whose_it_is_before_it_is_opened(void)
{
    static const struct {
        const char *change, *why;
    } owners[] = {
        {"PRAGMA user_version = 0; PRAGMA application_id = 0", ""},
        {"PRAGMA user_version = 1000",
         "it was made by a newer synctap: upgrade this one, or give another path"},
        {"PRAGMA application_id = 7",
         "it is another program's database: it is left alone: give another path"},
    };

    EXPECT_STRING(header_refusal(made_with("ours.db", "a@x")), "");
    for (size_t i = 0; i < LENGTH_OF(owners); i++) {
        const char *path = made_with(test_string("%zu.db", i), "a@x");
        sqlite3 *other = NULL;

        REQUIRE(sqlite3_open(path, &other) == SQLITE_OK);
        run(other, owners[i].change);
        sqlite3_close(other);
        test_case("%s", owners[i].change);
        EXPECT_STRING(header_refusal(path), owners[i].why);
        if (i > 0)
            EXPECT_STRING(refusal_of(path), owners[i].why);
    }
}

static void test_what_the_system_forbids_is_told_with_a_remedy(void)
{
    char *words = open_error_words(EACCES);

    EXPECT_STRING(words, test_string("Permission denied: see to it by chown or chmod, or in "
                                     "AppArmor or SELinux, that the file and its directory can be "
                                     "written by the user with the id %d",
                                     (int)geteuid()));
    free(words);
    words = open_error_words(EROFS);
    EXPECT_STRING(words, "Read-only file system: mount the file system for writing, or give "
                         "another path");
    free(words);
    words = open_error_words(EMFILE);
    EXPECT_STRING(words, "Too many open files");
    free(words);
    EXPECT_STRING(refusal_of(test_path("none/state.db")),
                  test_string("No such file or directory: give another path, or make the "
                              "directory, for the user with the id %d",
                              (int)geteuid()));
}

static void test_what_analyze_leaves_is_no_harm(void)
{
    const char *path = made_with("state.db", "a@x");
    sqlite3 *other = NULL;

    REQUIRE(sqlite3_open(path, &other) == SQLITE_OK);
    run(other, "ANALYZE");
    sqlite3_close(other);
    EXPECT_STRING(refusal_of(path), "");
}

/* Only root can give a file away; anybody else's directory is his own. */
static void test_what_root_makes_is_its_directorys_owners(void)
{
    const uid_t owner = geteuid() == 0 ? 1 : geteuid();
    const char *directory = test_path("rsyslogds"), *path = test_path("rsyslogds/state.db");
    struct stat found;

    REQUIRE(mkdir(directory, 0700) == 0 && chown(directory, owner, (gid_t)-1) == 0);
    store_close(open_at_once(path));
    REQUIRE(stat(path, &found) == 0);
    EXPECT_INT(found.st_uid, owner);
    EXPECT_INT(found.st_mode & 07777, 0640);
}

CU_TestInfo database_file_tests[] = {
    TEST(test_what_root_makes_is_its_directorys_owners),
    TEST(test_a_closed_database_is_one_file),
    TEST(test_what_was_half_made_is_made_anew),
    TEST(test_a_database_that_could_not_be_written_whole_is_made_anew),
    TEST(test_a_damaged_database_stays_until_the_new_one_is_whole),
    TEST(test_the_log_of_a_deleted_file_does_not_come_into_a_new_one),
    TEST(test_a_deleted_file_that_is_in_use_is_waited_for),
    TEST(test_who_is_not_to_make_it_leaves_the_log_of_a_deleted_file),
    TEST(test_a_deleted_log_is_saved_by_who_has_it_open),
    TEST(test_a_deleted_log_is_not_saved_over_another),
    TEST(test_a_deleted_log_that_is_in_use_is_waited_for),
    TEST(test_the_log_of_a_replaced_file_does_not_come_into_the_other),
    TEST(test_the_log_of_a_crash_comes_into_its_file),
    TEST(test_the_log_of_a_crash_does_not_come_into_another_file),
    TEST(test_a_copy_with_its_own_log_keeps_it),
    TEST(test_a_copy_that_is_put_back_meanwhile_keeps_its_log),
    TEST(test_what_is_brought_back_is_nobody_elses_to_read),
    TEST(test_a_damaged_file_is_kept_with_its_log),
    TEST(test_a_wide_table_is_rescued_in_our_columns),
    TEST(test_a_hundred_replaced_databases_leave_no_descriptor),
    TEST(test_another_program_at_work_on_the_files_is_told),
    TEST(test_a_database_that_another_has_for_itself_is_not_waited_for_long),
    TEST(test_a_link_in_the_databases_place_is_left_alone),
    TEST(test_what_is_no_file_is_named_and_left_alone),
    TEST(test_what_is_not_our_schema_is_refused),
    TEST(test_a_file_tells_whose_it_is_before_it_is_opened),
    TEST(test_what_the_system_forbids_is_told_with_a_remedy),
    TEST(test_what_analyze_leaves_is_no_harm),
    TESTS_END,
};
