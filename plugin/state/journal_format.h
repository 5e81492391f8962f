/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal_format: the bytes of a journal's segment.
 *
 * A segment begins with a header of 16 bytes: 8 of magic, the version, and a
 * check of both. Each entry is 12 bytes of head, and itself: its length, the
 * CRC-32 of its bytes, and the CRC-32 of those two numbers. Numbers have 4
 * bytes, in the order of the machine that wrote them and will read them.
 * A head of zeros is none, since the CRC-32 of zeros is not zero.
 *
 * What a reader finds, and what it makes of it:
 *
 *   nothing, or a header that is cut   killed as the segment began: it has no entries
 *   a header of another version        refused; no entry is handed out
 *   an entry that the end cuts         killed, or the disk was full, while it was written: it was
 *                                      never said to be there, and nothing is missing
 *   zeros, anything else at the end    the host lost power: bytes are missing, a damage
 *   a bad check, garbage between       a damage, up to the next whole entry, which is searched for
 *                                      byte by byte: one bad byte costs one entry
 *   a header with a bad check          a damage; the entries behind it are found all the same
 *   no header, lengths and entries     what a journal wrote before it had a format: read as such
 *
 * Pure functions.
 */
#ifndef SYNCTAP_JOURNAL_FORMAT_H
#define SYNCTAP_JOURNAL_FORMAT_H

#include "base/buffer.h"
#include "base/text.h"

enum { JOURNAL_HEADER_SIZE = 16, JOURNAL_HEAD_SIZE = 12 };

/* Appends a segment's header; buffer_failed tells. */
void journal_write_header(buffer *out);

/* Appends an entry of less than 4 GB with its head; all of it, or nothing and false. */
bool journal_write_entry(buffer *out, text entry);

/* Takes an entry, which lives until it returns; false ends the reading. */
typedef bool journal_sink(void *arg, text entry);

/* Stretches of bytes that were meant to be entries and are not. */
typedef struct journal_damage {
    size_t stretches;
    size_t from;  /* where the last of them begins */
    size_t bytes; /* of all */
} journal_damage;

typedef enum journal_reading {
    SEGMENT_READ,
    SEGMENT_STOPPED,          /* the sink said false */
    SEGMENT_OF_OTHER_VERSION, /* nothing was handed out */
} journal_reading;

/* Hands out a segment's whole entries, in order, and says what is not among them. */
journal_reading journal_read_segment(text content, journal_sink *sink, void *arg,
                                     journal_damage *damage);

#endif
