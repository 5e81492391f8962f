/* SPDX-License-Identifier: Apache-2.0 */
/* coded: text in each coding that synctap reads, for the tests of the readers. */
#ifndef SYNCTAP_TESTS_UNIT_CODED_H
#define SYNCTAP_TESTS_UNIT_CODED_H

#include "base/buffer.h"
#include "test.h"

typedef enum coding {
    CODED_GZIP,
    CODED_XZ,
    CODED_ZSTD,
    CODED_UTF16_LOW_FIRST,
    CODED_UTF16_HIGH_FIRST,
    CODED_UTF16_LOW_FIRST_UNMARKED,
    CODED_UTF16_HIGH_FIRST_UNMARKED,
    CODINGS,
} coding;

/* Appends the text, which is good UTF-8, in this coding. */
void code(coding as, text plain, buffer *out);

#endif
