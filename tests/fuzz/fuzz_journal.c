/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_journal: a segment of the journal, into the database, into a late join.
 *
 * The input is a segment's bytes. When it has no header, it is the record of a
 * good entry that is due. Whatever it is, the stream takes up the segment, the
 * keeper's update does not fail, and what cannot be read stands in nothing's way.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "state/stream_entry.h"

static rule *wide_rule;
static char journal_path[64];
static char segment_path[72];

static void remove_directory(void)
{
    unlink(segment_path);
    *strrchr(journal_path, '/') = '\0';
    rmdir(journal_path);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char directory[] = "/tmp/fuzz_journal-XXXXXX";

    (void)argc;
    (void)argv;
    wide_rule = fuzz_rule(SEMANTICS_WIDE);
    FUZZ_REQUIRE(mkdtemp(directory) != NULL, (text)TEXT(""));
    snprintf(journal_path, sizeof(journal_path), "%s/j", directory);
    snprintf(segment_path, sizeof(segment_path), "%s.1", journal_path);
    atexit(remove_directory);
    return 0;
}

/* The record as an entry that is to be judged again, in a whole segment. */
static void write_record(text record, buffer *segment)
{
    buffer keys = {0}, entry = {0};

    pending_add_key(&keys, PENDING_UPN, text_of(FUZZ_ROLE_UPN));
    stream_entry_write_pending(&entry, &(pending_record){
                                           .row_id = TEXT("row"),
                                           .received = fuzz_now(),
                                           .expires = fuzz_now() + TICKS_PER_DAY,
                                           .judged = -1,
                                           .keys = buffer_text(&keys),
                                           .record = record,
                                       });
    journal_write_header(segment);
    FUZZ_REQUIRE(journal_write_entry(segment, buffer_text(&entry)), record);
    buffer_free(&keys);
    buffer_free(&entry);
}

static void write_segment(text input)
{
    buffer segment = {0}, header = {0};
    FILE *file = fopen(segment_path, "wb");

    journal_write_header(&header);
    if (input.length >= header.length && memcmp(input.bytes, header.bytes, 8) == 0)
        buffer_append(&segment, input);
    else
        write_record(input, &segment);
    FUZZ_REQUIRE(file != NULL, input);
    fwrite(segment.bytes, 1, segment.length, file);
    fclose(file);
    buffer_free(&segment);
    buffer_free(&header);
}

static bool take_alert(void *arg, const alert *a)
{
    (void)arg;
    (void)a;
    return true;
}

static void live(text input)
{
    detector *d = detector_new(wide_rule);
    keeper *k = keeper_new(d);
    char *error;

    FUZZ_REQUIRE(keeper_follow(k,
                               &(stream_options){
                                   .action = "fuzz",
                                   .journal = journal_path,
                                   .latejoin = true,
                                   .incidents = INCIDENTS_AS_IN_SENTINEL,
                                   .most_pending = STREAM_MOST_PENDING,
                                   .most_pending_bytes = STREAM_MOST_PENDING_BYTES,
                               }),
                 input);
    FUZZ_REQUIRE(keeper_adopt(k, fuzz_store(), fuzz_now(), &error), input);
    FUZZ_REQUIRE(keeper_update(k, fuzz_now(), take_alert, NULL, &error) != KEEPER_FAILED, input);
    FUZZ_REQUIRE(access(segment_path, F_OK) != 0, input);
    keeper_free(k);
    detector_free(d);
}

int LLVMFuzzerTestOneInput(const char *bytes, size_t length)
{
    const text input = {bytes, length};

    write_segment(input);
    live(input);
    return 0;
}
