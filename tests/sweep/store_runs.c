/* SPDX-License-Identifier: Apache-2.0 */
/* The rooms that keep the role list: SQLite's allocations fail like all others. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "failing_malloc.h"
#include "state/identity_import.h"
#include "state/role_list.h"
#include "sweep.h"

static identity_record row_of(const char *upn, timespan age)
{
    return (identity_record){
        .time_generated = sweep_now() - age,
        .account_upn = text_of(upn),
        .account_object_id = TEXT("1"),
        .account_display_name = TEXT("a name"),
        .assigned_roles = TEXT("[\"Directory Synchronization Accounts\"]"),
    };
}

/* --- store --- */

static outcome open_and_close(const char *path)
{
    outcome came = OUT_OF_MEMORY;
    bool changed = false;
    char *error;
    store *s;

    sweep_begin();
    s = store_open(path, STORE_CREATE, &error);
    if (s != NULL)
        changed = store_has_changed(s);
    sweep_end();
    if (s != NULL)
        came = SWEEP_EXPECT(changed && store_is_writable(s));
    free(error);
    store_close(s);
    return came;
}

static outcome run_store_in_memory(void)
{
    return open_and_close(STORE_IN_MEMORY);
}

static outcome run_store_in_file(void)
{
    char directory[] = "/tmp/synctap-sweep.XXXXXX", path[64];
    static const char *const endings[] = {"", "-wal", "-shm", "-owner", "-new"};
    outcome came;

    SWEEP_REQUIRE(mkdtemp(directory) != NULL);
    snprintf(path, sizeof(path), "%s/db", directory);
    came = open_and_close(path);
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(path, sizeof(path), "%s/db%s", directory, endings[i]);
        unlink(path);
    }
    rmdir(directory);
    return came;
}

static store *open_store(void)
{
    char *error;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, &error);

    SWEEP_REQUIRE(s != NULL);
    return s;
}

/* --- role_list --- */

static role_list *open_list(store *s)
{
    role_list *list = role_list_open(s);

    SWEEP_REQUIRE(list != NULL);
    return list;
}

static void write_row(void *out, const identity_record *row)
{
    failing_malloc_pause();
    json_write_string(out, row->account_upn);
    json_write_string(out, row->account_object_id);
    json_write_string(out, row->account_display_name);
    json_write_string(out, row->assigned_roles);
    failing_malloc_resume();
}

/* All rows of the list, as they are when nothing fails any more. */
static outcome compare_list(role_list *list)
{
    buffer written = {0};
    outcome came;

    SWEEP_REQUIRE(role_list_each(list, write_row, &written));
    came = sweep_compare(buffer_text(&written));
    buffer_free(&written);
    return came;
}

static bool put_two(role_list *list)
{
    const identity_record first = row_of("Sync_a", 2), second = row_of("b", 1);

    return role_list_put(list, &first) && role_list_put(list, &second);
}

static bool put_list(role_list *list, bool as_snapshot)
{
    if (!(as_snapshot ? role_list_begin_snapshot(list, sweep_now()) : role_list_begin(list)))
        return false;
    if (put_two(list))
        return role_list_commit(list);
    role_list_rollback(list);
    return false;
}

/* What was not kept whole is not there at all, and the next transaction goes well. */
static bool is_untouched(role_list *list, int64_t rows_before)
{
    role_list_facts facts;

    return role_list_begin(list) && role_list_read_facts(list, &facts) &&
           facts.rows == rows_before && role_list_commit(list);
}

static outcome put_into(store *s, bool as_snapshot)
{
    const identity_record other = row_of("other", 3);
    role_list *list = open_list(s);
    outcome came;
    bool put;

    SWEEP_REQUIRE(role_list_begin(list) && role_list_put(list, &other) && role_list_commit(list));
    sweep_begin();
    put = put_list(list, as_snapshot);
    sweep_end();
    if (put)
        came = compare_list(list);
    else
        came = SWEEP_EXPECT(is_untouched(list, 1)) == WRONG ? WRONG : OUT_OF_MEMORY;
    role_list_close(list);
    return came;
}

static outcome put_run(bool as_snapshot)
{
    store *s = open_store();
    outcome came = put_into(s, as_snapshot);

    store_close(s);
    return came;
}

static outcome run_role_list_put(void)
{
    return put_run(false);
}

static outcome run_role_list_snapshot(void)
{
    return put_run(true);
}

static outcome read_from(store *s)
{
    role_list *list = open_list(s), *reader;
    buffer written = {0};
    outcome came = OUT_OF_MEMORY;
    role_list_facts facts;
    int64_t change = 0;
    bool restarted, read = false;

    SWEEP_REQUIRE(put_list(list, false));
    sweep_begin();
    reader = role_list_open(s);
    if (reader != NULL)
        read = role_list_read_facts(reader, &facts) &&
               role_list_changes(reader, &change, &restarted, write_row, &written) &&
               role_list_each(reader, write_row, &written);
    role_list_close(reader);
    sweep_end();
    if (read)
        came = sweep_compare(buffer_text(&written));
    buffer_free(&written);
    role_list_close(list);
    return came;
}

static outcome run_role_list_read(void)
{
    store *s = open_store();
    outcome came = read_from(s);

    store_close(s);
    return came;
}

/* --- identity_import --- */

/* The way of omidentityinfo: what has failed is dropped, and its rows must not be missed. */
static bool import_text(role_list *list, text message)
{
    identity_import *importer = identity_import_new();
    identity_imported done = {.failed = true};

    if (importer != NULL && role_list_begin(list)) {
        done = identity_import_feed(importer, list, NULL, message, sweep_now());
        if (done.failed)
            role_list_rollback(list);
        else
            done.failed = !role_list_commit(list);
    }
    identity_import_free(importer);
    return !done.failed && done.broken == 0;
}

static outcome import_into(store *s, const char *message)
{
    role_list *list = open_list(s);
    outcome came = OUT_OF_MEMORY;
    bool imported;

    sweep_begin();
    imported = import_text(list, text_of(message));
    sweep_end();
    if (imported)
        came = compare_list(list);
    role_list_close(list);
    return came;
}

static outcome import_run(const char *message)
{
    store *s = open_store();
    outcome came = import_into(s, message);

    store_close(s);
    return came;
}

static outcome run_import_rows(void)
{
    return import_run("{\"TimeGenerated\":\"2026-06-01\",\"AccountUPN\":\"a\",\"AssignedRoles\":"
                      "[\"Directory Synchronization Accounts\"]}\n{\"message\":\"{"
                      "\\\"TimeGenerated\\\":\\\"2026-06-01\\\",\\\"AccountUPN\\\":\\\"b\\\"}\"}");
}

static outcome run_import_table(void)
{
    return import_run("{\"columns\":[{\"name\":\"TimeGenerated\"},{\"name\":\"AccountUPN\"},"
                      "{\"name\":\"AssignedRoles\"}],\"rows\":[[\"2026-06-01\",\"a\","
                      "\"[\\\"Directory Synchronization Accounts\\\"]\"]]}");
}

static outcome run_import_role(void)
{
    return import_run("{\"value\":[{\"displayName\":\"Directory Synchronization Accounts\","
                      "\"roleTemplateId\":\"d29b2b05-8046-44ba-8758-1e26182fcf32\","
                      "\"members\":[{\"id\":\"1\",\"userPrincipalName\":\"a\"}]}]}");
}

static outcome run_import_csv(void)
{
    return import_run("TimeGenerated,AccountUPN,AssignedRoles\r\n"
                      "2026-06-01,a,\"[\"\"Directory Synchronization Accounts\"\"]\"\r\n");
}

static outcome run_import_csv_as_received(void)
{
    return import_run("TimeGenerated,AccountUPN,AssignedRoles#012"
                      "2026-06-01,a,Directory Synchronization Accounts#012");
}

const sweep_run store_runs[] = {
    {"store in memory", run_store_in_memory},
    {"store in a file", run_store_in_file},
    {"role_list, put", run_role_list_put},
    {"role_list, snapshot", run_role_list_snapshot},
    {"role_list, read", run_role_list_read},
    {"identity_import, rows", run_import_rows},
    {"identity_import, query table", run_import_table},
    {"identity_import, role", run_import_role},
    {"identity_import, csv", run_import_csv},
    {"identity_import, csv as received", run_import_csv_as_received},
    RUNS_END,
};
