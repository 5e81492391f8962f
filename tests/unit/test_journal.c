/* SPDX-License-Identifier: Apache-2.0 */
/* The journal: entries in files, read oldest first, and what a kill or a full disk leaves of them.
 */
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "failing_calls.h"
#include "state/segment_list.h"
#include "suites.h"
#include "test.h"

static void close_journal(void *self)
{
    journal_close(self);
}

static journal *open_journal(const char *path)
{
    journal *self = journal_open(path);

    REQUIRE(self != NULL);
    test_at_end(close_journal, self);
    return self;
}

typedef struct entries {
    char text[4096]; /* each with a blank behind it */
    size_t refuse;   /* the entry that the sink says false to, from 1; 0: none */
    size_t count;
} entries;

static bool take_entry(void *arg, text entry)
{
    entries *e = arg;

    if (++e->count == e->refuse)
        return false;
    if (strlen(e->text) + entry.length + 2 < sizeof(e->text)) {
        strncat(e->text, entry.bytes, entry.length);
        strcat(e->text, " ");
    }
    return true;
}

/* Reads and drops all; what was in it. */
static const char *all_of(journal *self)
{
    entries e = {0};

    while (journal_read(self, take_entry, &e) == JOURNAL_READ)
        journal_drop(self);
    return test_string("%s", e.text);
}

static void append(journal *self, const char *entry, journal_append_result expected)
{
    EXPECT_INT(journal_append(self, text_of(entry)), expected);
}

static journal *open_and_append(const char *path, const char *entry)
{
    journal *self = journal_open(path);

    REQUIRE(self != NULL);
    append(self, entry, JOURNAL_WRITTEN);
    return self;
}

static void test_entries_come_in_their_order_and_once(void)
{
    journal *self = open_journal(test_path("j"));

    EXPECT_NOT(journal_has_entries(self));
    append(self, "one", JOURNAL_WRITTEN);
    append(self, "two", JOURNAL_WRITTEN);
    EXPECT(journal_has_entries(self));
    EXPECT_STRING(all_of(self), "one two ");
    EXPECT_NOT(journal_has_entries(self));
    append(self, "three", JOURNAL_WRITTEN);
    EXPECT_STRING(all_of(self), "three ");
}

static void test_what_was_not_dropped_comes_again(void)
{
    journal *self = open_journal(test_path("j"));
    entries e = {0};

    append(self, "one", JOURNAL_WRITTEN);
    EXPECT_INT(journal_read(self, take_entry, &e), JOURNAL_READ);
    EXPECT_STRING(all_of(self), "one ");
}

static void test_a_sink_that_refuses_ends_the_reading_and_nothing_is_dropped(void)
{
    journal *self = open_journal(test_path("j"));
    entries e = {.refuse = 2};

    append(self, "one", JOURNAL_WRITTEN);
    append(self, "two", JOURNAL_WRITTEN);
    EXPECT_INT(journal_read(self, take_entry, &e), JOURNAL_FAILED);
    EXPECT_STRING(all_of(self), "one two ");
}

static void test_entries_outlive_the_journal(void)
{
    journal *first = journal_open(test_path("j"));

    REQUIRE(first != NULL);
    append(first, "one", JOURNAL_WRITTEN);
    journal_close(first);
    EXPECT_STRING(all_of(open_journal(test_path("j"))), "one ");
}

static void test_an_entry_is_in_the_file_when_it_was_appended(void)
{
    struct stat found;

    append(open_journal(test_path("j")), "one", JOURNAL_WRITTEN);
    REQUIRE(stat(test_path("j.1"), &found) == 0);
    EXPECT_INT(found.st_size, 16 + 12 + 3);
    EXPECT_INT(found.st_mode & 0777, 0640);
}

static void test_segments_that_were_left_come_before_new_entries_oldest_first(void)
{
    journal *self;

    for (int i = 0; i < 12; i++) {
        journal *one = journal_open(test_path("j"));

        REQUIRE(one != NULL);
        append(one, test_string("%d", i), JOURNAL_WRITTEN);
        journal_close(one);
    }
    self = open_journal(test_path("j"));
    append(self, "new", JOURNAL_WRITTEN);
    EXPECT_STRING(all_of(self), "0 1 2 3 4 5 6 7 8 9 10 11 new ");
    EXPECT_INT(access(test_path("j.3"), F_OK), -1);
}

/* --- a segment's bytes, cut and damaged --- */

/* As a journal writes them: the header, then each of these entries with its head. */
static void write_segment(buffer *out)
{
    journal_write_header(out);
    REQUIRE(journal_write_entry(out, (text)TEXT("one")));
    REQUIRE(journal_write_entry(out, (text)TEXT("two")));
    REQUIRE(journal_write_entry(out, (text)TEXT("three")));
}

static const size_t entry_ends[] = {16, 16 + 15, 16 + 30, 16 + 47};

static void free_buffer(void *b)
{
    buffer_free(b);
    free(b);
}

static buffer *new_segment(void)
{
    buffer *segment = calloc(1, sizeof(*segment));

    REQUIRE(segment != NULL);
    test_at_end(free_buffer, segment);
    write_segment(segment);
    return segment;
}

/* As it was written. */
static void restore(buffer *segment)
{
    buffer_clear(segment);
    write_segment(segment);
}

/* What is read of these bytes. */
static const char *read_bytes(text content, journal_damage *damage)
{
    entries e = {0};

    EXPECT_INT(journal_read_segment(content, take_entry, &e, damage), SEGMENT_READ);
    return test_string("%s", e.text);
}

static void test_a_segment_that_is_cut_anywhere_has_the_entries_before_the_cut(void)
{
    static const char *const whole[] = {"", "one ", "one two ", "one two three "};
    const buffer *segment = new_segment();
    size_t count = 0;

    for (size_t length = 0; length <= segment->length; length++) {
        journal_damage damage;

        test_case("cut to %zu bytes", length);
        while (count < 3 && length >= entry_ends[count + 1])
            count++;
        EXPECT_STRING(read_bytes((text){segment->bytes, length}, &damage), whole[count]);
        EXPECT_INT(damage.stretches, 0);
    }
    test_case("%s", "");
}

/* The entries whose bytes are what they were. */
static const char *entries_untouched(const buffer *before, const buffer *now)
{
    static const char *const names[] = {"one ", "two ", "three "};
    const char *left = "";

    for (size_t i = 0; i < 3; i++)
        if (memcmp(before->bytes + entry_ends[i], now->bytes + entry_ends[i],
                   entry_ends[i + 1] - entry_ends[i]) == 0)
            left = test_string("%s%s", left, names[i]);
    return left;
}

static void test_a_byte_that_is_wrong_costs_the_entry_that_it_is_in(void)
{
    const buffer *whole = new_segment();
    buffer *segment = new_segment();

    for (size_t at = 0; at < entry_ends[3]; at++)
        for (int mask = 1; mask <= 0xFF; mask = mask < 0x80 ? mask << 1 : mask + 0x7F) {
            journal_damage damage;

            restore(segment);
            test_case("byte %zu xor %#x", at, mask);
            segment->bytes[at] = (char)(segment->bytes[at] ^ mask);
            EXPECT_STRING(read_bytes(buffer_text(segment), &damage),
                          entries_untouched(whole, segment));
            EXPECT_INT(damage.stretches, 1);
        }
    test_case("%s", "");
}

static void test_zeros_or_garbage_anywhere_cost_the_entries_that_they_are_in(void)
{
    const buffer *whole = new_segment();
    buffer *segment = new_segment();

    for (size_t from = 0; from < entry_ends[3]; from++)
        for (size_t to = from + 1; to <= entry_ends[3]; to++)
            for (int fill = 0; fill <= 1; fill++) {
                journal_damage damage;

                restore(segment);
                test_case("bytes %zu to %zu are %s", from, to, fill ? "#" : "zeros");
                memset(segment->bytes + from, fill ? '#' : 0, to - from);
                EXPECT_STRING(read_bytes(buffer_text(segment), &damage),
                              entries_untouched(whole, segment));
            }
    test_case("%s", "");
}

static void test_zeros_behind_the_entries_are_one_damage(void)
{
    buffer *segment = new_segment();
    journal_damage damage;
    char *zeros = calloc(1, 1 << 20);

    REQUIRE(zeros != NULL);
    buffer_append(segment, (text){zeros, 1 << 20});
    free(zeros);
    EXPECT_STRING(read_bytes(buffer_text(segment), &damage), "one two three ");
    EXPECT_INT(damage.stretches, 1);
    EXPECT_INT(damage.from, entry_ends[3]);
    EXPECT_INT(damage.bytes, 1 << 20);
}

static void test_random_damage_makes_no_entry_up(void)
{
    random_source random = random_new(7);
    buffer *segment = new_segment();

    for (int round = 0; round < 2000; round++) {
        journal_damage damage;

        restore(segment);
        for (size_t n = random_below(&random, 8); n < 8; n++)
            segment->bytes[random_below(&random, segment->length)] =
                (char)random_below(&random, 256);
        for (const char *left = read_bytes(buffer_text(segment), &damage); *left != '\0';
             left = strchr(left, ' ') + 1)
            EXPECT(strncmp(left, "one ", 4) == 0 || strncmp(left, "two ", 4) == 0 ||
                   strncmp(left, "three ", 6) == 0);
    }
}

static void test_a_segment_of_a_later_version_is_refused_whole(void)
{
    buffer *segment = new_segment();
    journal_damage damage;
    entries e = {0};
    uint32_t version = 2, check;

    memcpy(segment->bytes + 8, &version, sizeof(version));
    check = (uint32_t)crc32(0, (const unsigned char *)segment->bytes, 12);
    memcpy(segment->bytes + 12, &check, sizeof(check));
    EXPECT_INT(journal_read_segment(buffer_text(segment), take_entry, &e, &damage),
               SEGMENT_OF_OTHER_VERSION);
    EXPECT_INT(e.count, 0);
}

static void append_bare(buffer *out, const char *entry)
{
    uint32_t length = (uint32_t)strlen(entry);

    buffer_append(out, (text){(const char *)&length, sizeof(length)});
    buffer_append_string(out, entry);
}

static void test_a_segment_from_before_there_was_a_header_is_read(void)
{
    buffer bare = {0};

    append_bare(&bare, "one");
    append_bare(&bare, "two");
    for (size_t cut = 0; cut <= 6; cut++) {
        journal_damage damage;

        EXPECT_STRING(read_bytes((text){bare.bytes, bare.length - cut}, &damage),
                      cut == 0 ? "one two " : "one ");
        EXPECT_INT(damage.stretches, 0);
    }
    buffer_append(&bare, (text){"\0\0\0\0\0\0\0\0", 8});
    journal_damage damage;
    EXPECT_STRING(read_bytes(buffer_text(&bare), &damage), "one two ");
    EXPECT_INT(damage.stretches, 1);
    buffer_free(&bare);
}

static void put_bytes(const char *name, text bytes)
{
    FILE *file = fopen(test_path(name), "wb");

    REQUIRE(file != NULL);
    REQUIRE(fwrite(bytes.bytes, 1, bytes.length, file) == bytes.length);
    REQUIRE(fclose(file) == 0);
}

static void test_a_damage_is_told_when_the_segment_is_dropped(void)
{
    buffer *segment = new_segment();
    entries e = {0};
    journal *self;

    segment->bytes[entry_ends[1]] ^= 1;
    put_bytes("j.7", buffer_text(segment));
    self = open_journal(test_path("j"));
    EXPECT_INT(journal_read(self, take_entry, &e), JOURNAL_READ);
    EXPECT_INT(journal_read_trouble(self).count, 0);
    EXPECT_STRING(all_of(self), "one three ");
    EXPECT_INT(journal_read_trouble(self).count, 1);
    EXPECT_STRING(journal_read_trouble(self).last,
                  "segment 7: 15 bytes from byte 31 on were damaged");
}

static void test_a_segment_without_entries_is_dropped(void)
{
    put_bytes("j.1", (text)TEXT(""));
    put_bytes("j.2", (text){new_segment()->bytes, 9});
    EXPECT_STRING(all_of(open_journal(test_path("j"))), "");
    EXPECT_INT(access(test_path("j.1"), F_OK), -1);
    EXPECT_INT(access(test_path("j.2"), F_OK), -1);
}

static void test_many_entries_make_several_segments_of_a_bounded_size(void)
{
    journal *self = open_journal(test_path("j"));
    char *entry = malloc(1 << 20);
    struct stat found;
    entries e = {0};

    REQUIRE(entry != NULL);
    memset(entry, 'x', 1 << 20);
    for (int i = 0; i < 33; i++)
        EXPECT_INT(journal_append(self, (text){entry, 1 << 20}), JOURNAL_WRITTEN);
    free(entry);
    REQUIRE(stat(test_path("j.1"), &found) == 0);
    EXPECT(found.st_size < 18 << 20);
    EXPECT_INT(access(test_path("j.2"), F_OK), 0);
    while (journal_read(self, take_entry, &e) == JOURNAL_READ)
        journal_drop(self);
    EXPECT_INT(e.count, 33);
}

static void test_what_no_file_takes_is_kept_in_memory_and_written_later(void)
{
    const char *directory = test_path("later");
    journal *self = open_journal(test_string("%s/j", directory));

    append(self, "one", JOURNAL_KEPT);
    EXPECT_INT(journal_error(self), ENOENT);
    REQUIRE(mkdir(directory, 0755) == 0);
    append(self, "two", JOURNAL_WRITTEN);
    EXPECT_INT(journal_error(self), 0);
    EXPECT_STRING(all_of(self), "one two ");
    REQUIRE(rmdir(directory) == 0);
}

static void test_what_is_kept_can_be_read_without_a_file(void)
{
    journal *self = open_journal(test_path("nowhere/j"));

    append(self, "one", JOURNAL_KEPT);
    EXPECT_STRING(all_of(self), "one ");
    EXPECT_NOT(journal_has_entries(self));
}

static void test_what_no_file_takes_before_the_end_is_told(void)
{
    const char *directory = test_path("later");
    journal *self = open_journal(test_string("%s/j", directory));

    EXPECT_INT(journal_flush(self), 0);
    append(self, "one", JOURNAL_KEPT);
    EXPECT_INT(journal_flush(self), 3 + 12); /* with the entry's lengths and checks */
    REQUIRE(mkdir(directory, 0755) == 0);
    EXPECT_INT(journal_flush(self), 0);
    EXPECT_STRING(all_of(self), "one ");
    REQUIRE(rmdir(directory) == 0);
}

static bool append_while_reading(void *arg, text entry)
{
    journal *self = arg;

    if (entry.length == 3)
        EXPECT_INT(journal_append(self, (text)TEXT("more")), JOURNAL_WRITTEN);
    return true;
}

static void test_entries_that_come_during_a_reading_are_read_the_next_time(void)
{
    journal *self = open_journal(NULL);

    append(self, "one", JOURNAL_WRITTEN);
    EXPECT_INT(journal_read(self, append_while_reading, self), JOURNAL_READ);
    journal_drop(self);
    EXPECT_STRING(all_of(self), "more ");
}

static void test_memory_is_bounded_while_no_file_takes_entries(void)
{
    journal *self = open_journal(test_path("nowhere/j"));
    char *entry = calloc(1, 1 << 20);
    int kept = 0;

    REQUIRE(entry != NULL);
    while (kept < 100 && journal_append(self, (text){entry, 1 << 20}) == JOURNAL_KEPT)
        kept++;
    EXPECT_INT(kept, 31);
    free(entry);
}

static void test_segments_are_given_to_another_journal_behind_its_own(void)
{
    journal *to = open_journal(test_path("to")), *writing;

    append(to, "own", JOURNAL_WRITTEN);
    journal_close(open_and_append(test_path("from"), "one"));
    journal_close(open_and_append(test_path("from"), "two"));
    writing = open_journal(test_path("from"));
    append(writing, "three", JOURNAL_WRITTEN);
    EXPECT_INT(segments_move(test_path("from"), test_path("to")), 2);
    EXPECT_INT(segments_move(test_path("from"), test_path("to")), 0);
    EXPECT_STRING(all_of(open_journal(test_path("to"))), "one two ");
    EXPECT_STRING(all_of(to), "own ");
    EXPECT_STRING(all_of(writing), "three ");
}

/* A message of 35 MB, say, that a stop left. */
static void test_what_is_longer_than_memory_keeps_goes_into_a_file(void)
{
    enum { LONG = 40 << 20 };
    journal *self = open_journal(test_path("j")), *nowhere = open_journal(test_path("nowhere/j"));
    char *entry = calloc(1, LONG);
    entries e = {0};

    REQUIRE(entry != NULL);
    EXPECT_INT(journal_append(self, (text){entry, LONG}), JOURNAL_WRITTEN);
    append(self, "one", JOURNAL_WRITTEN);
    EXPECT_INT(journal_read(self, take_entry, &e), JOURNAL_READ);
    EXPECT_INT(e.count, 1);
    append(nowhere, "one", JOURNAL_KEPT);
    EXPECT_INT(journal_append(nowhere, (text){entry, LONG}), JOURNAL_LOST);
    append(nowhere, "two", JOURNAL_KEPT);
    EXPECT_STRING(all_of(nowhere), "one two ");
    free(entry);
}

static void test_a_segment_that_another_process_writes_is_left_to_it(void)
{
    journal *one = open_journal(test_path("j")), *other;

    append(one, "one", JOURNAL_WRITTEN);
    other = open_journal(test_path("j"));
    append(other, "other", JOURNAL_WRITTEN);
    EXPECT_STRING(all_of(other), "other ");
    append(one, "two", JOURNAL_WRITTEN);
    EXPECT_STRING(all_of(one), "one two ");
}

static journal *segment_of_another(void)
{
    journal *other = journal_open(test_path("j"));

    REQUIRE(other != NULL);
    append(other, "other's", JOURNAL_WRITTEN);
    return other;
}

static void test_a_segment_that_was_passed_over_is_looked_at_again(void)
{
    journal *other = segment_of_another(), *self = open_journal(test_path("j"));

    append(self, "own", JOURNAL_WRITTEN);
    EXPECT_STRING(all_of(self), "own ");
    EXPECT(journal_has_entries(self));
    EXPECT_INT(journal_backlog(self), 0);
    journal_close(other);
    EXPECT_STRING(all_of(self), "other's ");
    EXPECT_NOT(journal_has_entries(self));
}

/* A child that has the files, and lives until the pipe's other end is closed. */
static pid_t begin_child(int until[static 2])
{
    pid_t child;
    char byte;

    REQUIRE(pipe(until) == 0);
    child = fork();
    if (child == 0) {
        close(until[1]);
        while (read(until[0], &byte, 1) > 0)
            continue;
        _exit(0);
    }
    REQUIRE(child > 0);
    return child;
}

static void test_a_child_that_has_the_file_does_not_keep_a_segment_from_its_reader(void)
{
    journal *self = open_journal(test_path("j"));
    int until[2];
    pid_t child;

    append(self, "one", JOURNAL_WRITTEN);
    child = begin_child(until);
    EXPECT_STRING(all_of(self), "one ");
    close(until[0]);
    close(until[1]);
    waitpid(child, NULL, 0);
}

static void test_files_that_are_no_segments_are_left_alone_and_named(void)
{
    static const char *const names[] = {"it is no regular file", "it is a directory",
                                        "it is a symbolic link", "it is too large"};

    REQUIRE(mkfifo(test_path("a.1"), 0644) == 0);
    REQUIRE(mkdir(test_path("b.1"), 0755) == 0);
    REQUIRE(symlink(test_file("target", "x"), test_path("c.1")) == 0);
    REQUIRE(truncate(test_file("d.1", ""), (off_t)2 << 30) == 0);
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        const char *path = test_path(test_string("%c", (int)('a' + i)));
        journal *self = open_journal(path);

        append(self, "one", JOURNAL_WRITTEN);
        EXPECT_STRING(all_of(self), "one ");
        EXPECT_NOT(journal_has_entries(self));
        EXPECT_INT(journal_read_trouble(self).count, 1);
        EXPECT_STRING(journal_read_trouble(self).last,
                      test_string("segment 1 is left alone: %s", names[i]));
        EXPECT_INT(access(test_string("%s.1", path), F_OK), 0);
    }
}

/* Only root can give a file away; anybody else's directory is his own. */
static void test_what_root_writes_is_its_directorys_owners(void)
{
    const uid_t owner = geteuid() == 0 ? 1 : geteuid();
    const char *directory = test_path("rsyslogds");
    struct stat found;

    REQUIRE(mkdir(directory, 0700) == 0 && chown(directory, owner, (gid_t)-1) == 0);
    append(open_journal(test_path("rsyslogds/j")), "one", JOURNAL_WRITTEN);
    REQUIRE(stat(test_path("rsyslogds/j.1"), &found) == 0);
    EXPECT_INT(found.st_uid, owner);
}

static void test_a_huge_number_does_not_run_the_numbers_out(void)
{
    journal *self;

    put_bytes("j.999999999999999999", buffer_text(new_segment()));
    self = open_journal(test_path("j"));
    append(self, "own", JOURNAL_WRITTEN);
    EXPECT_INT(access(test_path("j.1"), F_OK), 0);
    EXPECT_STRING(all_of(self), "one two three own ");
}

/* --- calls that fail --- */

static int compare_chars(const void *a, const void *b)
{
    return *(const char *)a - *(const char *)b;
}

/* Its characters in their order. */
static const char *sorted(const char *string)
{
    char *copy = strdup(string);
    const char *result;

    REQUIRE(copy != NULL);
    qsort(copy, strlen(copy), 1, compare_chars);
    result = test_string("%s", copy);
    free(copy);
    return result;
}

/*
 * Appends six entries, the last three after a reading: each must come once. What could not be read
 * at its turn comes after the others.
 */
static void live_with_failures(const char *path)
{
    journal *self = journal_open(path);
    const char *first, *second;

    REQUIRE(self != NULL);
    for (int i = 1; i <= 3; i++)
        EXPECT(journal_append(self, text_of(test_string("%d", i))) != JOURNAL_LOST);
    first = all_of(self);
    for (int i = 4; i <= 6; i++)
        EXPECT(journal_append(self, text_of(test_string("%d", i))) != JOURNAL_LOST);
    second = all_of(self);
    fail_no_call();
    EXPECT_STRING(sorted(test_string("%s%s%s", first, second, all_of(self))), "      123456");
    EXPECT_INT(journal_read_trouble(self).count, 0);
    journal_close(self);
}

static void test_each_call_may_fail_and_no_entry_is_lost(void)
{
    enum { MOST_CALLS = 20 }; /* of a life */

    for (failing_call which = 0; which < FAILING_CALLS; which++)
        for (unsigned n = 1; n <= MOST_CALLS; n++)
            for (int is_lasting = 0; is_lasting <= 1; is_lasting++) {
                test_case("call %d, the %uth%s", which, n, is_lasting ? " and all after" : "");
                fail_call(which, n, is_lasting);
                live_with_failures(test_path(test_string("j%d-%u-%d", which, n, is_lasting)));
            }
    test_case("%s", "");
}

static void test_a_piece_that_cannot_be_taken_back_ends_its_segment(void)
{
    journal *self = open_journal(test_path("j"));

    append(self, "one", JOURNAL_WRITTEN);
    fail_call(FAILING_WRITE_HALF, 1, false);
    fail_call(FAILING_TRUNCATE, 1, false);
    append(self, "two", JOURNAL_KEPT);
    append(self, "three", JOURNAL_WRITTEN);
    EXPECT_INT(access(test_path("j.2"), F_OK), 0);
    fail_no_call();
    EXPECT_STRING(all_of(self), "one two three ");
}

static void test_other_files_beside_it_are_none_of_its_segments(void)
{
    test_file("j.x", "x");
    test_file("j.", "x");
    test_file("jj.1", "x");
    test_file("j.7x", "x");
    test_file("j.+7", "x");
    test_file("j.07", "x");
    test_file("j.0", "x");
    test_file("j.18446744073709551616", "x");
    EXPECT_NOT(journal_has_entries(open_journal(test_path("j"))));
}

CU_TestInfo journal_tests[] = {
    TEST(test_entries_come_in_their_order_and_once),
    TEST(test_what_was_not_dropped_comes_again),
    TEST(test_a_sink_that_refuses_ends_the_reading_and_nothing_is_dropped),
    TEST(test_entries_outlive_the_journal),
    TEST(test_an_entry_is_in_the_file_when_it_was_appended),
    TEST(test_segments_that_were_left_come_before_new_entries_oldest_first),
    TEST(test_a_segment_that_is_cut_anywhere_has_the_entries_before_the_cut),
    TEST(test_a_byte_that_is_wrong_costs_the_entry_that_it_is_in),
    TEST(test_zeros_or_garbage_anywhere_cost_the_entries_that_they_are_in),
    TEST(test_zeros_behind_the_entries_are_one_damage),
    TEST(test_random_damage_makes_no_entry_up),
    TEST(test_a_segment_of_a_later_version_is_refused_whole),
    TEST(test_a_segment_from_before_there_was_a_header_is_read),
    TEST(test_a_damage_is_told_when_the_segment_is_dropped),
    TEST(test_a_segment_without_entries_is_dropped),
    TEST(test_many_entries_make_several_segments_of_a_bounded_size),
    TEST(test_what_no_file_takes_is_kept_in_memory_and_written_later),
    TEST(test_what_is_kept_can_be_read_without_a_file),
    TEST(test_what_no_file_takes_before_the_end_is_told),
    TEST(test_entries_that_come_during_a_reading_are_read_the_next_time),
    TEST(test_memory_is_bounded_while_no_file_takes_entries),
    TEST(test_segments_are_given_to_another_journal_behind_its_own),
    TEST(test_what_is_longer_than_memory_keeps_goes_into_a_file),
    TEST(test_a_segment_that_another_process_writes_is_left_to_it),
    TEST(test_a_segment_that_was_passed_over_is_looked_at_again),
    TEST(test_a_child_that_has_the_file_does_not_keep_a_segment_from_its_reader),
    TEST(test_files_that_are_no_segments_are_left_alone_and_named),
    TEST(test_what_root_writes_is_its_directorys_owners),
    TEST(test_a_huge_number_does_not_run_the_numbers_out),
    TEST(test_each_call_may_fail_and_no_entry_is_lost),
    TEST(test_a_piece_that_cannot_be_taken_back_ends_its_segment),
    TEST(test_other_files_beside_it_are_none_of_its_segments),
    TESTS_END,
};
