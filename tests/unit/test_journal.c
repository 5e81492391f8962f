/* The journal: entries in files, read oldest first, and what a kill or a full disk leaves of them.
 */
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
    EXPECT_INT(found.st_size, 4 + 3);
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

static void test_an_entry_that_was_cut_by_a_kill_ends_its_segment(void)
{
    journal *first = journal_open(test_path("j"));

    REQUIRE(first != NULL);
    append(first, "one", JOURNAL_WRITTEN);
    append(first, "two", JOURNAL_WRITTEN);
    journal_close(first);
    for (int length = 4 + 3 + 4 + 2; length >= 4 + 3; length--) {
        journal *self;
        entries e = {0};

        REQUIRE(truncate(test_path("j.1"), length) == 0);
        self = journal_open(test_path("j"));
        REQUIRE(self != NULL);
        EXPECT_INT(journal_read(self, take_entry, &e), JOURNAL_READ);
        EXPECT_STRING(e.text, "one ");
        journal_close(self);
    }
}

static void test_many_entries_make_several_segments_of_a_bounded_size(void)
{
    journal *self = open_journal(test_path("j"));
    char *entry = malloc(1 << 20);
    struct stat found;
    entries e = {0};

    REQUIRE(entry != NULL);
    memset(entry, 'x', 1 << 20);
    for (int i = 0; i < 9; i++)
        EXPECT_INT(journal_append(self, (text){entry, 1 << 20}), JOURNAL_WRITTEN);
    free(entry);
    REQUIRE(stat(test_path("j.1"), &found) == 0);
    EXPECT(found.st_size < 6 << 20);
    EXPECT_INT(access(test_path("j.2"), F_OK), 0);
    while (journal_read(self, take_entry, &e) == JOURNAL_READ)
        journal_drop(self);
    EXPECT_INT(e.count, 9);
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

static void test_other_files_beside_it_are_none_of_its_segments(void)
{
    test_file("j.x", "x");
    test_file("j.", "x");
    test_file("jj.1", "x");
    test_file("j.7x", "x");
    EXPECT_NOT(journal_has_entries(open_journal(test_path("j"))));
}

CU_TestInfo journal_tests[] = {
    TEST(test_entries_come_in_their_order_and_once),
    TEST(test_what_was_not_dropped_comes_again),
    TEST(test_a_sink_that_refuses_ends_the_reading_and_nothing_is_dropped),
    TEST(test_entries_outlive_the_journal),
    TEST(test_an_entry_is_in_the_file_when_it_was_appended),
    TEST(test_segments_that_were_left_come_before_new_entries_oldest_first),
    TEST(test_an_entry_that_was_cut_by_a_kill_ends_its_segment),
    TEST(test_many_entries_make_several_segments_of_a_bounded_size),
    TEST(test_what_no_file_takes_is_kept_in_memory_and_written_later),
    TEST(test_what_is_kept_can_be_read_without_a_file),
    TEST(test_entries_that_come_during_a_reading_are_read_the_next_time),
    TEST(test_memory_is_bounded_while_no_file_takes_entries),
    TEST(test_a_segment_that_another_process_writes_is_left_to_it),
    TEST(test_other_files_beside_it_are_none_of_its_segments),
    TESTS_END,
};
