/* SPDX-License-Identifier: Apache-2.0 */
/* suites: the tests of each room; every table ends with TESTS_END. */
#ifndef SYNCTAP_TESTS_UNIT_SUITES_H
#define SYNCTAP_TESTS_UNIT_SUITES_H

#include <CUnit/CUnit.h>

extern CU_TestInfo action_row_tests[];
extern CU_TestInfo alert_tests[];
extern CU_TestInfo alert_log_tests[];
extern CU_TestInfo archive_tests[];
extern CU_TestInfo arena_tests[];
extern CU_TestInfo audit_record_tests[];
extern CU_TestInfo buffer_tests[];
extern CU_TestInfo csv_rows_tests[];
extern CU_TestInfo byte_stream_tests[];
extern CU_TestInfo decoder_tests[];
extern CU_TestInfo database_file_tests[];
extern CU_TestInfo detector_tests[];
extern CU_TestInfo digest_tests[];
extern CU_TestInfo earlier_tests[];
extern CU_TestInfo gate_tests[];
extern CU_TestInfo hostile_database_tests[];
extern CU_TestInfo identity_import_tests[];
extern CU_TestInfo identity_record_tests[];
extern CU_TestInfo heartbeat_tests[];
extern CU_TestInfo incidents_tests[];
extern CU_TestInfo journal_tests[];
extern CU_TestInfo json_tests[];
extern CU_TestInfo kql_tests[];
extern CU_TestInfo file_view_tests[];
extern CU_TestInfo line_scan_tests[];
extern CU_TestInfo options_tests[];
extern CU_TestInfo own_file_tests[];
extern CU_TestInfo pending_tests[];
extern CU_TestInfo plans_tests[];
extern CU_TestInfo progress_tests[];
extern CU_TestInfo role_list_tests[];
extern CU_TestInfo snapshot_stream_tests[];
extern CU_TestInfo rule_tests[];
extern CU_TestInfo seen_tests[];
extern CU_TestInfo selftest_tests[];
extern CU_TestInfo shown_tests[];
extern CU_TestInfo span_tests[];
extern CU_TestInfo store_tests[];
extern CU_TestInfo stream_tests[];
extern CU_TestInfo sync_accounts_tests[];
extern CU_TestInfo table_tests[];
extern CU_TestInfo time_search_tests[];
extern CU_TestInfo timestamp_tests[];
extern CU_TestInfo unwrap_tests[];
extern CU_TestInfo wide_text_tests[];

#endif
