/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz: the things under test, as they stand in a collector. */
#include "fuzz.h"

#include <libfastjson/json.h>
#include <stdio.h>
#include <stdlib.h>

void fuzz_require(bool holds, const char *condition, text shown)
{
    if (holds)
        return;
    fprintf(stderr, "must hold: %s\n%.*s\n", condition, (int)shown.length, shown.bytes);
    abort();
}

void fuzz_in_both_key_modes(void (*step)(text), text input)
{
    for (int case_sensitive = 0; case_sensitive <= 1; case_sensitive++) {
        fjson_global_do_case_sensitive_comparison(case_sensitive);
        step(input);
    }
}

timestamp fuzz_now(void)
{
    static timestamp now;

    if (now == 0)
        timestamp_parse((text)TEXT("2026-06-01T13:00:00Z"), &now);
    return now;
}

static void require_set_up(bool done, const char *error)
{
    fuzz_require(done, "the set-up works", text_of(error ? error : "out of memory"));
}

rule *fuzz_rule(semantics s)
{
    rule *r = rule_new();

    require_set_up(r != NULL, NULL);
    rule_set_semantics(r, s);
    return r;
}

static void put_account(store *s)
{
    const identity_record row = {
        .time_generated = fuzz_now() - TICKS_PER_DAY,
        .account_upn = TEXT(FUZZ_ROLE_UPN),
        .account_object_id = TEXT(FUZZ_ROLE_OBJECT_ID),
        .account_display_name = TEXT("Connect"),
        .assigned_roles = TEXT("[\"Directory Synchronization Accounts\"]"),
    };
    role_list *list = role_list_open(s);

    require_set_up(list != NULL && role_list_begin(list) && role_list_put(list, &row) &&
                       role_list_commit(list),
                   store_error(s));
    role_list_close(list);
}

store *fuzz_store(void)
{
    char *error;
    store *s = store_open(STORE_IN_MEMORY, STORE_CREATE, &error);

    require_set_up(s != NULL, error);
    put_account(s);
    return s;
}

detector *fuzz_detector(const rule *r)
{
    detector *d = detector_new(r);
    keeper *k = d != NULL ? keeper_new(d) : NULL;
    char *error = NULL;

    require_set_up(d != NULL && detector_set_collector(d, "collector.example"), NULL);
    require_set_up(k != NULL && keeper_adopt(k, fuzz_store(), fuzz_now(), &error), error);
    keeper_free(k); /* the detector has what it told */
    require_set_up(detector_open_rulebase(d, FUZZ_RULEBASES "/entra-audit.rulebase", &error),
                   error);
    return d;
}

carrier *fuzz_rulebase(const char *name)
{
    char path[sizeof(FUZZ_RULEBASES) + 64], *error;
    carrier *c;

    snprintf(path, sizeof(path), FUZZ_RULEBASES "/%s", name);
    c = carrier_open(path, &error);
    require_set_up(c != NULL, error);
    return c;
}
