/* SPDX-License-Identifier: Apache-2.0 */
/*
 * line_scan: which lines are messages by themselves?
 *
 * A line that begins as a JSON document does may be one, or the first of a
 * document that goes on over several. Where the brackets outside of strings
 * are as many as close, and no string is left open, it is one; so the lines
 * of an archive are told 64 bytes at a time, and only the few that look open
 * are gone over as json_extent does. What it says agrees with json_extent,
 * always. It allocates nothing, and keeps nothing between calls.
 */
#ifndef SYNCTAP_LINE_SCAN_H
#define SYNCTAP_LINE_SCAN_H

#include "base/text.h"

/* Whole lines at the front of a text. */
typedef struct line_run {
    size_t length; /* their bytes, the last one's end included */
    size_t lines;
} line_run;

/*
 * The lines at the front of the text, in which a message may begin, that are
 * messages by themselves or blank: up to a line without an end, or one that
 * json_extent leaves open.
 */
line_run line_scan(text t);

/* The ways to do it; line_scan takes the last that this machine can. */
typedef enum line_scan_way { LINE_SCAN_PLAIN, LINE_SCAN_AVX2, LINE_SCAN_AVX512 } line_scan_way;

bool line_scan_can(line_scan_way way);
line_run line_scan_by(line_scan_way way, text t);

/* How many blanks stand in front; a byte order mark is one, also where files were joined. */
size_t line_scan_blanks(text t);

/* Where the line begins that the byte at `at` (at most t.length) is in. */
size_t line_scan_begin(text t, size_t at);

/* How many line ends are in the text. */
size_t line_scan_ends(text t);

#endif
