/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz: what the fuzz targets share.
 *
 * A target's LLVMFuzzerTestOneInput gets one input after the other, in one
 * thread. What must never be ends the process: libFuzzer then keeps the input.
 */
#ifndef SYNCTAP_TESTS_FUZZ_FUZZ_H
#define SYNCTAP_TESTS_FUZZ_FUZZ_H

#include "base/text.h"
#include "base/timestamp.h"
#include "detector/keeper.h"
#include "record/carrier.h"
#include "rule/rule.h"
#include "state/role_list.h"

/* libFuzzer's own names. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const char *bytes, size_t length);

/* Ends the process, and shows the text, unless the condition holds. */
#define FUZZ_REQUIRE(condition, shown) fuzz_require((condition), #condition, (shown))
void fuzz_require(bool holds, const char *condition, text shown);

/*
 * Calls it twice: libfastjson looks keys up by their exact bytes, as in a
 * program of its own, and without regard to case, as in rsyslogd.
 */
void fuzz_in_both_key_modes(void (*step)(text), text input);

/* When all messages are received: 2026-06-01T13:00:00Z. */
timestamp fuzz_now(void);

rule *fuzz_rule(semantics s);

/* An account that is a sync account by its role alone. */
#define FUZZ_ROLE_UPN "svc-connect@contoso.com"
#define FUZZ_ROLE_OBJECT_ID "11111111-2222-4333-8444-555555555555"

/* A database in memory with that account in its role list. */
store *fuzz_store(void);

/* A detector with that role list, and with the rulebase for audit records. */
detector *fuzz_detector(const rule *r);

carrier *fuzz_rulebase(const char *name);

#endif
