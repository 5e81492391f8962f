/*
 * sweep: the n-th allocation fails, for every n, on one run of each room.
 *
 * The linker puts failing stand-ins (-Wl,--wrap) in the place of malloc and
 * its kin where the project's own objects call them; the libraries keep
 * theirs, as libfastjson (json_object.c, fjson_object_object_add_ex) and
 * liblognorm do not survive all failures of their own. A run either does its
 * work or says that it could not; it never leaks, crashes, or says "no match"
 * of a record that matches. Built with AddressSanitizer it sees leaks too.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "detector.h"
#include "identity_import.h"

/* --- allocations that fail ------------------------------------------------------------------ */

static size_t calls;
static size_t failing_call; /* 0: none fails */

static bool fails(void)
{
    return ++calls == failing_call;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
char *__wrap_strndup(const char *string, size_t length);
char *__wrap_strdup(const char *string);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

char *__wrap_strndup(const char *string, size_t length)
{
    size_t most = strnlen(string, length);
    char *copy = fails() ? NULL : __real_malloc(most + 1);

    if (copy == NULL)
        return NULL;
    memcpy(copy, string, most);
    copy[most] = '\0';
    return copy;
}

char *__wrap_strdup(const char *string)
{
    return __wrap_strndup(string, strlen(string));
}

/* --- one run through the rooms ---------------------------------------------------------------- */

static const char NOW[] = "2026-06-01T12:00:00Z";

static const char ROLE_LIST[] =
    "{\"TimeGenerated\":\"2026-05-31T00:00:00Z\",\"AccountUPN\":\"connect@contoso.example\","
    "\"AccountObjectId\":\"oid-1\",\"AssignedRoles\":[\"Directory Synchronization Accounts\"]}\n"
    "{\"value\":[{\"displayName\":\"Directory Synchronization Accounts\",\"roleTemplateId\":\"x\","
    "\"members\":[{\"id\":\"oid-2\",\"userPrincipalName\":\"b@contoso.example\"}]}]}\n";

#define RECORD(target)                                                                             \
    "{\"time\":\"2026-06-01T11:00:00Z\",\"operationName\":\"Admin registered security info\","     \
    "\"properties\":{\"result\":\"success\",\"targetResources\":[{\"id\":\"oid-1\","               \
    "\"userPrincipalName\":\"" target "\"}]}}"

/* What each message must give: a row, or word that it could not be judged. */
static const struct message {
    const char *name;
    const char *text;
} messages[] = {
    {"a role-list match", RECORD("someone@contoso.example")},
    {"a naming rule's match", RECORD("Sync_HOST@contoso.example")},
    {"JSON in strings",
     "{\"message\":\"{\\\"operationName\\\":\\\"Create temporary access "
     "pass\\\",\\\"properties\\\":"
     "{\\\"targetResources\\\":\\\"[{\\\\\\\"userPrincipalName\\\\\\\":\\\\\\\"Sync_x\\\\\\\"}]"
     "\\\"}}\"}"},
    {"a table", "{\"tables\":[{\"columns\":[{\"name\":\"OperationName\"},{\"name\":"
                "\"TargetResources\"}],\"rows\":[[\"Register security info\","
                "\"[{\\\"userPrincipalName\\\":\\\"Sync_x\\\"}]\"]]}]}"},
    {"a record that is cut",
     "{\"operationName\":\"Register security info\",\"properties\":{\"targetResources\":"
     "[{\"userPrincipalName\":\"Sync_HOST"},
    {"CEF", "CEF:0|a|b|c|d|e|5|msg={\"operationName\":\"Register security info\",\"properties\":{"
            "\"x\":\"a\\=b\",\"targetResources\":[{\"userPrincipalName\":\"Sync_x\"}]}}"},
};

enum { MESSAGES = sizeof(messages) / sizeof(messages[0]) };

typedef struct run {
    const struct message *message;
    const char *rulebase;
    rule *rule;
    store *store;
    role_list *list;
    identity_import *import;
    detector *detector;
    detector_worker *worker;
    buffer written;
    bool explained;
    bool is_silent; /* neither a row nor word that there was trouble */
} run;

static timestamp now(void)
{
    timestamp t = 0;

    timestamp_parse(text_of(NOW), &t);
    return t;
}

static bool fill_role_list(run *r)
{
    identity_imported got;

    r->list = role_list_open(r->store);
    r->import = r->list ? identity_import_new() : NULL;
    if (r->import == NULL || !role_list_begin(r->list))
        return false;
    got = identity_import_feed(r->import, r->list, NULL, text_of(ROLE_LIST), now());
    return role_list_commit(r->list) && !got.failed && got.rows == 2;
}

/* False as soon as something says that it cannot. */
static bool set_up(run *r)
{
    char *error = NULL;
    bool done;

    r->rule = rule_new();
    r->store = r->rule ? store_open(STORE_IN_MEMORY, STORE_CREATE, &error) : NULL;
    done = r->store != NULL && fill_role_list(r);
    free(error);
    if (!done)
        return false;
    r->detector = detector_new(r->rule);
    done = r->detector && detector_set_collector(r->detector, "host");
    if (done) {
        done = detector_open_rulebase(r->detector, r->rulebase, &error);
        free(done ? NULL : error);
    }
    if (done) {
        role_list_close(r->list);
        r->list = NULL;
        done = detector_adopt_store(r->detector, r->store, &error);
        r->store = NULL;
        free(done ? NULL : error);
    }
    r->worker = done ? detector_worker_new(r->detector) : NULL;
    return r->worker != NULL;
}

static void write_alert(void *arg, const alert *a)
{
    run *r = arg;

    alert_write(a, &r->written);
    alert_write_row(a, &r->written);
}

static void write_explanation(void *arg, const explanation *x)
{
    run *r = arg;

    r->explained = explain_write_members(x, &r->written);
}

static void judge(run *r)
{
    detection found = detector_feed(r->worker, text_of(r->message->text), now(), write_alert, r);

    r->is_silent = found.rows == 0 && !found.undecodable;
    detector_explain(r->worker, text_of(r->message->text), now(), write_explanation, r);
}

static void tear_down(run *r)
{
    detector_worker_free(r->worker);
    detector_free(r->detector);
    identity_import_free(r->import);
    role_list_close(r->list);
    store_close(r->store);
    rule_free(r->rule);
    buffer_free(&r->written);
}

/* --- every n
 * -------------------------------------------------------------------------------------- */

/* Runs with the n-th allocation failing; true when there were n. */
static bool run_failing(const struct message *message, const char *rulebase, size_t n,
                        bool *is_silent)
{
    run r = {.message = message, .rulebase = rulebase};

    calls = 0;
    failing_call = n;
    if (set_up(&r))
        judge(&r);
    failing_call = 0;
    *is_silent = r.is_silent;
    tear_down(&r);
    return calls >= n;
}

static bool sweep(const struct message *message, const char *rulebase)
{
    bool is_silent;
    size_t n = 1;

    if (run_failing(message, rulebase, (size_t)-1, &is_silent), is_silent) {
        printf("%s: not found even with all memory\n", message->name);
        return false;
    }
    while (run_failing(message, rulebase, n, &is_silent)) {
        if (is_silent) {
            printf("%s: allocation %zu fails: expected a row or word of it, got neither\n",
                   message->name, n);
            return false;
        }
        n++;
    }
    printf("%s: each of %zu allocations failed once\n", message->name, n - 1);
    return true;
}

int main(void)
{
    const char *directory = getenv("SYNCTAP_RULEBASE_DIR");
    char rulebase[4096];
    int passed = 0;

    snprintf(rulebase, sizeof(rulebase), "%s/entra-audit.rulebase", directory ? directory : ".");
    for (int i = 0; i < MESSAGES; i++)
        passed += sweep(&messages[i], rulebase);
    printf("%d passed, %d failed\n", passed, MESSAGES - passed);
    return passed == MESSAGES ? EXIT_SUCCESS : EXIT_FAILURE;
}
