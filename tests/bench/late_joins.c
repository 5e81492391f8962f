/* SPDX-License-Identifier: Apache-2.0 */
/*
 * late_joins: how long a change of the role list takes while many records wait, and a stop
 * meanwhile.
 *
 *   late_joins DIRECTORY [PENDING [ACCOUNTS]]
 *
 * A million records are made to wait, by default; then a thousand accounts become sync accounts at
 * once, each with one of the records. Then one account does that has a tenth of them, and a stop
 * comes in the middle. Prints a figure a line; exits with 1 if the first takes more than 2 s, or
 * the stop more than 1 s.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "detector/keeper.h"
#include "state/action_row.h"

enum { AT_ONCE = 50000 /* records in a transaction */, SHARE = 10 /* one account's: 1 of them */ };

#define NOW "2026-06-01T12:00:00Z"
#define RECORD                                                                                     \
    "{\"time\":\"" NOW "\",\"category\":\"AuditLogs\",\"operationName\":"                          \
    "\"Admin registered security info\",\"properties\":{\"id\":\"%ld\",\"targetResources\":"       \
    "[{\"id\":\"id of %s\",\"userPrincipalName\":\"%s\",\"displayName\":null,\"type\":\"User\","   \
    "\"modifiedProperties\":[]}]}}"
#define ACTION "bench"
#define CROWDED "crowded@contoso.com"

typedef struct run {
    long pending, accounts;
    timestamp now;
    store *store;
    keeper *keeper;
    size_t alerts;
    pthread_t stopper;
    double stopped; /* when the stop was asked for */
} run;

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "late_joins: %s\n", what);
    exit(2);
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* --- what waits --- */

static void name_account(const run *r, long number, char upn[static 64])
{
    if (number >= r->accounts && number % SHARE == 0)
        snprintf(upn, 64, CROWDED);
    else
        snprintf(upn, 64, "user%ld@contoso.com", number);
}

static void put(const run *r, pending *p, long number, buffer *keys)
{
    char upn[64], id[96], name[32], record[1024];

    name_account(r, number, upn);
    snprintf(id, sizeof(id), "id of %s", upn);
    snprintf(name, sizeof(name), "record %ld", number);
    snprintf(record, sizeof(record), RECORD, number, upn, upn);
    buffer_clear(keys);
    pending_add_key(keys, PENDING_UPN, text_of(upn));
    pending_add_key(keys, PENDING_OBJECT_ID, text_of(id));
    require(pending_put(p,
                        &(pending_record){
                            .row_id = text_of(name),
                            .received = r->now,
                            .expires = r->now + TICKS_PER_DAY,
                            .keys = buffer_text(keys),
                            .record = text_of(record),
                        }),
            "cannot put a record");
}

static void fill(run *r)
{
    buffer keys = {0};
    action_row action;
    pending *p;

    require(action_row_find(r->store, ACTION, &action), "cannot make the action");
    p = pending_open(r->store, action.id);
    require(p != NULL && store_begin(r->store), "cannot open what is pending");
    for (long i = 0; i < r->pending; i++) {
        put(r, p, i, &keys);
        if (i % AT_ONCE == AT_ONCE - 1)
            require(store_commit(r->store) && store_begin(r->store), "cannot commit");
    }
    require(store_commit(r->store), "cannot commit");
    pending_close(p);
    buffer_free(&keys);
}

/* --- what changes --- */

static void give_role(role_list *list, const run *r, const char *upn)
{
    const identity_record row = {
        .time_generated = r->now - 1,
        .account_upn = text_of(upn),
        .account_object_id = TEXT("nobody's"),
        .account_display_name = TEXT(""),
        .assigned_roles = TEXT("[\"Directory Synchronization Accounts\"]"),
    };

    require(role_list_put(list, &row), "cannot give a role");
}

static void give_roles(const run *r, role_list *list)
{
    char upn[64];

    require(role_list_begin(list), "cannot begin");
    for (long i = 0; i < r->accounts; i++) {
        name_account(r, i, upn);
        give_role(list, r, upn);
    }
    require(role_list_commit(list), "cannot commit");
}

static void give_crowded_role(const run *r, role_list *list)
{
    require(role_list_begin(list), "cannot begin");
    give_role(list, r, CROWDED);
    require(role_list_commit(list), "cannot commit");
}

/* --- the keeper --- */

static bool take_alert(void *arg, const alert *a)
{
    run *r = arg;

    (void)a;
    r->alerts++;
    return true;
}

static void *stop_soon(void *arg)
{
    run *r = arg;
    const struct timespec moment = {.tv_nsec = 200 * 1000 * 1000};

    nanosleep(&moment, NULL);
    r->stopped = seconds();
    keeper_stop(r->keeper);
    return NULL;
}

static double update(run *r)
{
    double begin = seconds();
    char *error;
    keeper_status status = keeper_update(r->keeper, r->now, take_alert, r, &error);

    require(status == KEEPER_CHANGED || status == KEEPER_UNCHANGED, "an update failed");
    return seconds() - begin;
}

static int measure(run *r, role_list *list)
{
    double joined, stop;

    update(r);
    give_roles(r, list);
    joined = update(r);
    printf("%ld pending, %ld changed accounts: %zu late alerts in %.2f s\n", r->pending,
           r->accounts, r->alerts, joined);
    require(r->alerts == (size_t)r->accounts, "some alerts are missing");
    give_crowded_role(r, list);
    require(pthread_create(&r->stopper, NULL, stop_soon, r) == 0, "cannot make a thread");
    update(r);
    pthread_join(r->stopper, NULL);
    stop = seconds() - r->stopped;
    printf("one account with %ld of them: a stop after %zu alerts took %.2f s\n",
           (r->pending - r->accounts) / SHARE, r->alerts - (size_t)r->accounts, stop);
    return joined > 2 || stop > 1;
}

static store *open_store(const char *path)
{
    char *error;
    store *s = store_open(path, STORE_CREATE, &error);

    require(s != NULL, error ? error : "cannot open the database");
    return s;
}

int main(int argc, char **argv)
{
    rule *rules = rule_new();
    detector *d = rules ? detector_new(rules) : NULL;
    run r = {.pending = 1000000, .accounts = 1000};
    char path[4096], segments[4200];
    role_list *list;
    char *error;
    int status;

    require(argc >= 2 && argc <= 4, "usage: late_joins DIRECTORY [PENDING [ACCOUNTS]]");
    r.pending = argc > 2 ? atol(argv[2]) : r.pending;
    r.accounts = argc > 3 ? atol(argv[3]) : r.accounts;
    snprintf(path, sizeof(path), "%s/late_joins.db", argv[1]);
    snprintf(segments, sizeof(segments), "%s-bench.stream", path);
    require(d != NULL && (r.keeper = keeper_new(d)) != NULL, "out of memory");
    require(timestamp_parse(text_of(NOW), &r.now), "no time");
    r.store = open_store(path);
    fill(&r);
    list = role_list_open(r.store);
    require(list != NULL, "cannot open the role list");
    require(keeper_follow(r.keeper, &(stream_options){.action = ACTION,
                                                      .journal = segments,
                                                      .latejoin = true,
                                                      .most_pending = 2 * r.pending,
                                                      .most_pending_bytes = INT64_MAX}) &&
                keeper_open(r.keeper, path, STORE_EXISTING, r.now, &error),
            "cannot open the keeper's database");
    status = measure(&r, list);
    role_list_close(list);
    keeper_free(r.keeper);
    store_close(r.store);
    detector_free(d);
    rule_free(rules);
    return status;
}
