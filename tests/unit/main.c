/* SPDX-License-Identifier: Apache-2.0 */
/* Runs the unit tests, of all rooms or of those named on the command line. */
#include <CUnit/CUnit.h>
#include <CUnit/TestRun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suites.h"
#include "test.h"

static const struct {
    const char *name;
    CU_TestInfo *tests;
} suites[] = {
    {"action_row", action_row_tests},
    {"alert", alert_tests},
    {"alert_log", alert_log_tests},
    {"archive", archive_tests},
    {"arena", arena_tests},
    {"audit_record", audit_record_tests},
    {"buffer", buffer_tests},
    {"csv_rows", csv_rows_tests},
    {"byte_stream", byte_stream_tests},
    {"decoder", decoder_tests},
    {"database_file", database_file_tests},
    {"detector", detector_tests},
    {"digest", digest_tests},
    {"earlier", earlier_tests},
    {"gate", gate_tests},
    {"hostile_database", hostile_database_tests},
    {"identity_import", identity_import_tests},
    {"identity_record", identity_record_tests},
    {"heartbeat", heartbeat_tests},
    {"incidents", incidents_tests},
    {"journal", journal_tests},
    {"json", json_tests},
    {"kql", kql_tests},
    {"file_view", file_view_tests},
    {"line_scan", line_scan_tests},
    {"options", options_tests},
    {"own_file", own_file_tests},
    {"pending", pending_tests},
    {"plans", plans_tests},
    {"progress", progress_tests},
    {"role_list", role_list_tests},
    {"snapshot_stream", snapshot_stream_tests},
    {"rule", rule_tests},
    {"seen", seen_tests},
    {"selftest", selftest_tests},
    {"shown", shown_tests},
    {"span", span_tests},
    {"store", store_tests},
    {"stream", stream_tests},
    {"sync_accounts", sync_accounts_tests},
    {"table", table_tests},
    {"time_search", time_search_tests},
    {"timestamp", timestamp_tests},
    {"unwrap", unwrap_tests},
    {"wide_text", wide_text_tests},
};

static void end_test(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
    test_clean_up();
    if (failures == NULL)
        return;
    printf("FAILED: %s: %s\n", suite->pName, test->pName);
    for (CU_pFailureRecord f = failures; f != NULL; f = f->pNext)
        printf("    %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
    fflush(stdout);
}

static bool is_wanted(const char *suite, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(suite, argv[i]) == 0)
            return true;
    return argc == 1;
}

static bool add_suites(int argc, char **argv)
{
    for (size_t i = 0; i < LENGTH_OF(suites); i++) {
        CU_SuiteInfo wanted[] = {{.pName = suites[i].name, .pTests = suites[i].tests},
                                 CU_SUITE_INFO_NULL};

        if (is_wanted(suites[i].name, argc, argv) && CU_register_suites(wanted) != CUE_SUCCESS)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    unsigned run, failed;
    bool whole;

    if (CU_initialize_registry() != CUE_SUCCESS || !add_suites(argc, argv)) {
        fprintf(stderr, "unit_tests: %s\n", CU_get_error_msg());
        return EXIT_FAILURE;
    }
    CU_set_test_complete_handler(end_test);
    whole = CU_run_all_tests() == CUE_SUCCESS;
    run = CU_get_number_of_tests_run();
    failed = CU_get_number_of_tests_failed();
    CU_cleanup_registry();
    printf("%u passed, %u failed\n", run - failed, failed);
    return whole && failed == 0 && run > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
