/* SPDX-License-Identifier: Apache-2.0 */
/* The detector, from its making to a message's verdict. */
#include <stdio.h>
#include <stdlib.h>

#include "detector/keeper.h"
#include "failing_malloc.h"
#include "sweep.h"

#define ROLE_UPN "svc-connect@contoso.com"
#define TARGET(upn) "\"targetResources\":[{\"userPrincipalName\":\"" upn "\",\"id\":\"1\"}]"
#define RECORD(operation, upn)                                                                     \
    "{\"time\":\"2026-06-01T12:00:00Z\",\"operationName\":\"" operation "\",\"properties\":{"      \
    "\"id\":\"r\"," TARGET(upn) "}}"

static const char *rulebase_path(void)
{
    static char path[4096];
    const char *directory = getenv("SYNCTAP_RULEBASE_DIR");

    snprintf(path, sizeof(path), "%s/entra-audit.rulebase", directory ? directory : "rulebase");
    return path;
}

static void put_account(store *s)
{
    const identity_record row = {
        .time_generated = sweep_now() - 1,
        .account_upn = TEXT(ROLE_UPN),
        .account_object_id = TEXT("2"),
        .account_display_name = TEXT(""),
        .assigned_roles = TEXT("[\"Directory Synchronization Accounts\"]"),
    };
    role_list *list = role_list_open(s);

    SWEEP_REQUIRE(list != NULL && role_list_begin(list) && role_list_put(list, &row) &&
                  role_list_commit(list));
    role_list_close(list);
}

static store *open_store(void)
{
    char *error;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, &error);

    SWEEP_REQUIRE(s != NULL);
    return s;
}

/* --- its making --- */

static outcome make_detector(const rule *r)
{
    detector_worker *worker = NULL;
    detector *d;
    outcome came = OUT_OF_MEMORY;
    bool named = false;

    sweep_begin();
    d = detector_new(r);
    if (d != NULL) {
        named = detector_set_collector(d, "here");
        worker = detector_worker_new(d);
    }
    sweep_end();
    if (named && worker != NULL)
        came = AS_ALWAYS;
    detector_worker_free(worker);
    detector_free(d);
    return came;
}

static outcome open_rulebase(detector *d)
{
    char *error;
    bool opened;

    sweep_begin();
    opened = detector_open_rulebase(d, rulebase_path(), &error);
    sweep_end();
    free(error);
    return opened ? AS_ALWAYS : OUT_OF_MEMORY;
}

/* A store that could not be adopted leaves the accounts as they were. */
static outcome adopt_store(keeper *k)
{
    store *s = open_store();
    char *error;
    bool adopted;

    put_account(s);
    sweep_begin();
    adopted = keeper_adopt(k, s, sweep_now(), &error);
    sweep_end();
    free(error);
    if (SWEEP_EXPECT(keeper_read_facts(k, sweep_now()).sync_accounts == adopted) == WRONG)
        return WRONG;
    return adopted ? AS_ALWAYS : OUT_OF_MEMORY;
}

/* What a refresh could not take in, the next one does. */
static outcome update(keeper *k)
{
    store *s = open_store();
    keeper_status first;
    char *error;

    SWEEP_REQUIRE(keeper_adopt(k, s, sweep_now(), &error));
    put_account(s);
    store_forget_version(s);
    sweep_begin();
    first = keeper_update(k, sweep_now(), NULL, NULL, &error);
    sweep_end();
    free(error);
    if (first == KEEPER_FAILED) {
        if (SWEEP_EXPECT(keeper_read_facts(k, sweep_now()).sync_accounts == 0) == WRONG)
            return WRONG;
        SWEEP_REQUIRE(keeper_update(k, sweep_now(), NULL, NULL, &error) == KEEPER_CHANGED);
    }
    if (SWEEP_EXPECT(keeper_read_facts(k, sweep_now()).sync_accounts == 1) == WRONG)
        return WRONG;
    return first == KEEPER_FAILED ? OUT_OF_MEMORY : AS_ALWAYS;
}

static outcome with_detector(outcome (*run)(detector *d))
{
    rule *r = rule_new();
    detector *d = detector_new(r);
    outcome came;

    SWEEP_REQUIRE(r != NULL && d != NULL);
    came = run(d);
    detector_free(d);
    rule_free(r);
    return came;
}

static outcome with_keeper(outcome (*run)(keeper *k))
{
    rule *r = rule_new();
    detector *d = detector_new(r);
    keeper *k = keeper_new(d);
    outcome came;

    SWEEP_REQUIRE(r != NULL && d != NULL && k != NULL);
    came = run(k);
    keeper_free(k);
    detector_free(d);
    rule_free(r);
    return came;
}

static outcome run_new(void)
{
    rule *r = rule_new();
    outcome came = make_detector(r);

    rule_free(r);
    return came;
}

static outcome run_rulebase(void)
{
    return with_detector(open_rulebase);
}

static outcome run_adopt(void)
{
    return with_keeper(adopt_store);
}

static outcome run_update(void)
{
    return with_keeper(update);
}

/* --- its verdict --- */

typedef struct seen {
    size_t alerts;
    buffer written;
} seen;

static bool take_alert(void *arg, const alert *a)
{
    seen *s = arg;

    failing_malloc_pause();
    s->alerts++;
    alert_write(a, &s->written);
    failing_malloc_resume();
    return true;
}

/* Either the alerts are those of a full run, or the message is said to be undecodable. */
static outcome judge(const detection *d, const seen *s)
{
    outcome came = sweep_compare(buffer_text(&s->written));

    if (came == AS_ALWAYS)
        return AS_ALWAYS;
    return SWEEP_EXPECT(d->undecodable && d->rows == s->alerts) == WRONG ? WRONG : OUT_OF_MEMORY;
}

static outcome feed_worker(detector_worker *worker, const char *message)
{
    seen s = {0};
    detection d;
    outcome came;

    sweep_begin();
    d = detector_feed(worker, text_of(message), sweep_now(), take_alert, &s);
    sweep_end();
    came = judge(&d, &s);
    buffer_free(&s.written);
    return came;
}

static void begin_feeding(detector *d)
{
    keeper *k = keeper_new(d);
    store *s = open_store();
    char *error;

    put_account(s);
    SWEEP_REQUIRE(k != NULL && keeper_adopt(k, s, sweep_now(), &error));
    keeper_free(k); /* the detector has what it told */
    SWEEP_REQUIRE(detector_open_rulebase(d, rulebase_path(), &error));
}

static outcome feed(semantics in, const char *message)
{
    rule *r = rule_new();
    detector *d;
    detector_worker *worker;
    outcome came;

    rule_set_semantics(r, in);
    d = detector_new(r);
    begin_feeding(d);
    worker = detector_worker_new(d);
    came = feed_worker(worker, message);
    detector_worker_free(worker);
    detector_free(d);
    rule_free(r);
    return came;
}

static outcome run_match(void)
{
    return feed(SEMANTICS_WIDE, RECORD("Register security info", ROLE_UPN));
}

static outcome run_match_in_kql(void)
{
    return feed(SEMANTICS_KQL, RECORD("Register security info", ROLE_UPN));
}

/* Without an id the whole record names it; its targets stand in a string. */
static outcome run_match_in_strings(void)
{
    return feed(SEMANTICS_WIDE, "{\"OperationName\":\"Register security info\",\"TargetResources\":"
                                "\"[{\\\"userPrincipalName\\\":\\\"Sync_a\\\"}]\"}");
}

static outcome run_match_in_table(void)
{
    return feed(SEMANTICS_KQL, "{\"columns\":[{\"name\":\"OperationName\"},{\"name\":"
                               "\"TargetResources\",\"type\":\"dynamic\"}],\"rows\":[["
                               "\"Register security info\","
                               "\"[{\\\"userPrincipalName\\\":\\\"Sync_a\\\"}]\"]]}");
}

static outcome run_match_by_rulebase(void)
{
    return feed(SEMANTICS_WIDE,
                "CEF:0|a|b|1|2|3|4|cs1=a\\=b msg={\"operationName\":"
                "\"Register\\\\u0020security info\",\"properties\":{" TARGET("Sync_a") "}}");
}

static outcome run_no_match(void)
{
    return feed(SEMANTICS_WIDE, RECORD("Register security info", "somebody@contoso.com"));
}

static outcome run_other_operation(void)
{
    return feed(SEMANTICS_WIDE, RECORD("Update user: no Register security info", "b"));
}

static outcome run_degraded(void)
{
    return feed(SEMANTICS_WIDE,
                "{\"operationName\":\"Register security info\",\"userPrincipalName\":\"Sync_a");
}

/* Fewer alerts than in a full run are none at all. */
static outcome run_mixed(void)
{
    return feed(SEMANTICS_WIDE,
                RECORD("Register security info", "Sync_a") "\n{\"records\":[" RECORD(
                    "Register security info", "dirsync") ",{\"a\":\"");
}

/* --- its explanation --- */

static void take_explanation(void *arg, const explanation *e)
{
    seen *s = arg;

    failing_malloc_pause();
    s->alerts++;
    explain_write_members(e, &s->written);
    failing_malloc_resume();
}

static outcome explain(detector *d)
{
    detector_worker *worker;
    seen s = {0};
    detector_explained told;
    outcome came;

    begin_feeding(d);
    worker = detector_worker_new(d);
    sweep_begin();
    told = detector_explain(worker, (text)TEXT(RECORD("Register security info", ROLE_UPN)),
                            sweep_now(), take_explanation, &s);
    sweep_end();
    came = sweep_compare(buffer_text(&s.written));
    if (came == WRONG && told.detection.undecodable)
        came = OUT_OF_MEMORY;
    buffer_free(&s.written);
    detector_worker_free(worker);
    return came;
}

static outcome run_explain(void)
{
    return with_detector(explain);
}

const sweep_run detector_runs[] = {
    {"detector", run_new},
    {"detector, rulebase", run_rulebase},
    {"keeper, store", run_adopt},
    {"keeper, update", run_update},
    {"detector, match", run_match},
    {"detector, match in kql", run_match_in_kql},
    {"detector, match in strings", run_match_in_strings},
    {"detector, match in a table", run_match_in_table},
    {"detector, match by rulebase", run_match_by_rulebase},
    {"detector, no match", run_no_match},
    {"detector, other operation", run_other_operation},
    {"detector, degraded", run_degraded},
    {"detector, mixed", run_mixed},
    {"detector, explanation", run_explain},
    RUNS_END,
};
