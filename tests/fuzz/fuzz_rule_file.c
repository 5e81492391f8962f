/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_rule_file: any file is a rule or is refused in words that name it. A
 * rule has a text for the gate, and can be run over a record.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static const char record[] =
    "{\"TimeGenerated\":\"2026-06-01T12:00:00Z\",\"Id\":\"r1\",\"Result\":\"success\","
    "\"OperationName\":\"Update user\",\"ActivityDisplayName\":\"Update user\","
    "\"InitiatedBy\":{\"user\":{\"userPrincipalName\":\"eve@contoso.com\"}},"
    "\"TargetResources\":[{\"id\":\"x\",\"userPrincipalName\":\"Sync_a@contoso.com\","
    "\"modifiedProperties\":[{\"displayName\":\"a\",\"newValue\":\"[\\\"b\\\"]\"}]},null]}";

static bool drop_alert(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

static void run_over_record(const rule *r)
{
    detector *d = detector_new(r);
    detector_worker *worker = d != NULL ? detector_worker_new(d) : NULL;

    if (worker != NULL)
        detector_feed(worker, text_of(record), fuzz_now(), drop_alert, NULL);
    detector_worker_free(worker);
    detector_free(d);
}

static void check_rule(rule_file *file, text input)
{
    const kql_literals *literals = rule_file_literals(file);
    rule *r = rule_new();
    char *error = NULL;

    FUZZ_REQUIRE(literals->count > 0 && literals->shortest >= 4, input);
    FUZZ_REQUIRE(r != NULL, input);
    if (rule_use_file(r, file, &error))
        run_over_record(r);
    else
        FUZZ_REQUIRE(error != NULL, input);
    free(error);
    rule_free(r);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    text input = {bytes, length};
    char *error = NULL;
    rule_file *file = rule_file_read(input, "fuzz.yaml", &error);

    if (file != NULL)
        check_rule(file, input);
    else
        FUZZ_REQUIRE(error != NULL && strncmp(error, "fuzz.yaml", 9) == 0, input);
    free(error);
    return 0;
}
