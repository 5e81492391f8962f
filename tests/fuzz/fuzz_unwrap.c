/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_unwrap: any text is walked to its end, and what is handed out of it can be read. */
#include "fuzz.h"

#include "record/unwrap.h"

static unwrap *walker;
static carrier *rulebase;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    walker = unwrap_new();
    rulebase = fuzz_rulebase("entra-audit.rulebase");
    return 0;
}

/* No object is a record: that is the longest way. */
static unwrap_kind look_inside(void *arg, json *object)
{
    (void)arg;
    (void)object;
    return UNWRAP_UNKNOWN;
}

static unwrap_kind take_all(void *arg, json *object)
{
    size_t *objects = arg;

    (void)object;
    ++*objects;
    return UNWRAP_RECORD;
}

static void read_broken(void *arg, text broken, const char *reason)
{
    static volatile unsigned char sum;

    (void)arg;
    FUZZ_REQUIRE(broken.length > 0 && reason != NULL, broken);
    for (size_t i = 0; i < broken.length; i++)
        sum = (unsigned char)(sum + (unsigned char)broken.bytes[i]);
}

static void unwrap_once(text input)
{
    size_t objects = 0, by_code;
    const unwrap_sink all = {&objects, take_all, NULL, NULL};
    const unwrap_sink nothing = {NULL, look_inside, read_broken, NULL};
    unwrapped found = unwrap_text(walker, NULL, input, &nothing);

    FUZZ_REQUIRE((found.broken > 0) == (found.reason != NULL), input);
    FUZZ_REQUIRE(found.records == 0 && found.other_kinds == 0 && !found.by_rulebase, input);
    found = unwrap_text(walker, NULL, input, &all);
    /* in the cells of a table that is broken some are handed out and not counted */
    FUZZ_REQUIRE(found.records == objects || (found.broken > 0 && found.records < objects), input);
    by_code = objects;
    unwrap_text(walker, rulebase, input, &nothing);
    found = unwrap_text(walker, rulebase, input, &all);
    FUZZ_REQUIRE(found.by_rulebase || objects == 2 * by_code, input);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    fuzz_in_both_key_modes(unwrap_once, (text){bytes, length});
    return 0;
}
