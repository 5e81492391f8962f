/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_timestamp: a time that can be read is the same time when it was written and read again. */
#include "fuzz.h"

/* The years that have four digits. */
static bool is_in_range(timestamp t)
{
    timestamp first, last;

    return timestamp_parse((text)TEXT("0001-01-01T00:00:00.0000000Z"), &first) &&
           timestamp_parse((text)TEXT("9999-12-31T23:59:59.9999999Z"), &last) && t >= first &&
           t <= last;
}

static void check_timestamp(text input)
{
    char written[TIMESTAMP_TEXT_SIZE];
    timestamp read, again;

    if (!timestamp_parse(input, &read))
        return;
    timestamp_format(read, written);
    FUZZ_REQUIRE(strlen(written) == TIMESTAMP_TEXT_SIZE - 1, input);
    FUZZ_REQUIRE(timestamp_parse(text_of(written), &again), text_of(written));
    FUZZ_REQUIRE(again == read || !is_in_range(read), input);
}

/* No span is longer than a million days, so sums with times of this age stay inside 64 bits. */
static void check_timespan(text input)
{
    timespan read;

    if (timespan_parse(input, &read))
        FUZZ_REQUIRE(read >= 0 && read <= 1000001 * TICKS_PER_DAY, input);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    check_timestamp((text){bytes, length});
    check_timespan((text){bytes, length});
    return 0;
}
