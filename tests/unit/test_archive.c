/* SPDX-License-Identifier: Apache-2.0 */
/* archive: whatever the threads and the pieces, what comes is what one reader would give. */
#include "files/archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "suites.h"
#include "test.h"

static const text WANTED = TEXT("hit");

/* A message that was found; in a part, lines count from its beginning. */
typedef struct finding {
    size_t line;
    bool is_whole;
    text message; /* a copy of its own */
} finding;

typedef struct findings {
    finding *list;
    size_t count;
    size_t room;
} findings;

/* What all of it comes to, in words. */
typedef struct report {
    buffer words;
    const char *emptied; /* a file; NULL: none is */
} report;

static size_t place_of_wanted(text t)
{
    const char *found = memmem(t.bytes, t.length, WANTED.bytes, WANTED.length);

    return found ? (size_t)(found - t.bytes) : t.length;
}

static size_t find(void *tools, size_t file, void *part, text t, line_run *lines)
{
    (void)tools;
    (void)file;
    (void)part;
    if (lines->length == 0)
        *lines = line_scan(t);
    return place_of_wanted((text){t.bytes, lines->length});
}

static bool is_wanted(const input_message *m)
{
    return !m->is_whole || place_of_wanted(m->text) < m->text.length;
}

static bool judge(void *tools, size_t file, void *part, const input_message *m)
{
    findings *f = part;
    char *copy = malloc(m->text.length + 1);

    (void)tools;
    (void)file;
    if (!is_wanted(m)) {
        free(copy);
        return true;
    }
    if (f->count == f->room) {
        f->room = 2 * f->room + 1;
        f->list = realloc(f->list, f->room * sizeof(finding));
    }
    if (f->list == NULL || copy == NULL)
        abort();
    memcpy(copy, m->text.bytes, m->text.length);
    f->list[f->count++] = (finding){m->line, m->is_whole, {copy, m->text.length}};
    return true;
}

static void drop(void *part)
{
    findings *f = part;

    for (size_t i = 0; i < f->count; i++)
        free((char *)f->list[i].message.bytes);
    free(f->list);
    *f = (findings){0};
}

static void write_words(report *r, const char *name, size_t line, text words)
{
    char number[32];

    snprintf(number, sizeof(number), ":%zu: ", line);
    buffer_append_string(&r->words, strrchr(name, '/') ? strrchr(name, '/') + 1 : name);
    buffer_append_string(&r->words, number);
    buffer_append(&r->words, words);
    buffer_append_char(&r->words, '\n');
}

static void take(void *arg, void *part, const char *name, size_t lines_before)
{
    findings *f = part;

    for (size_t i = 0; i < f->count; i++) {
        if (!f->list[i].is_whole)
            buffer_append_string(&((report *)arg)->words, "cut ");
        write_words(arg, name, lines_before + f->list[i].line, f->list[i].message);
    }
    drop(part);
}

static void tell(void *arg, size_t file, const char *name, size_t line, const char *what)
{
    (void)file;
    write_words(arg, name, line, text_of(what));
}

static void *begin(void *arg)
{
    return arg;
}

static void end(void *tools)
{
    (void)tools;
}

static archive_reader reader_of(report *r)
{
    return (archive_reader){
        .arg = r,
        .begin = begin,
        .end = end,
        .part_size = sizeof(findings),
        .find = find,
        .judge = judge,
        .take = take,
        .drop = drop,
        .tell = tell,
    };
}

static void give_back_report(void *r)
{
    buffer_free(&((report *)r)->words);
    free(r);
}

static report *new_report(void)
{
    report *r = calloc(1, sizeof(*r));

    REQUIRE(r != NULL);
    test_at_end(give_back_report, r);
    return r;
}

static text words_of(const report *r)
{
    return r->words.length > 0 ? buffer_text(&r->words) : (text)TEXT("");
}

/* What one reader gives, message by message. */
static text read_in_turn(char *const *paths, size_t count)
{
    report *r = new_report();
    input_message message;
    findings part = {0};

    for (size_t i = 0; i < count; i++) {
        char *error;
        input_file *file = input_file_open(paths[i], &error);
        const char *trouble;
        size_t line;

        if (file == NULL) {
            tell(r, i, paths[i], 0, error);
            free(error);
            continue;
        }
        while (input_file_next(file, &message))
            judge(NULL, 0, &part, &message);
        take(r, &part, paths[i], 0);
        trouble = input_file_trouble(file, &line);
        if (trouble != NULL)
            tell(r, i, paths[i], line, trouble);
        input_file_close(file);
    }
    return words_of(r);
}

static text read_in_threads(char *const *paths, size_t count, size_t threads, size_t piece)
{
    report *r = new_report();
    const archive_reader reader = reader_of(r);
    const archive_options options = {threads, piece, NULL};

    EXPECT(archive_read(&reader, paths, count, &options));
    return words_of(r);
}

static const size_t pieces[] = {1, 7, 40, 150, 1000, ARCHIVE_PIECE};

static void check_files_as(char *const *paths, size_t count, text expected, size_t threads,
                           size_t piece)
{
    test_case("%zu threads, pieces of %zu", threads, piece);
    EXPECT_TEXT(read_in_threads(paths, count, threads, piece), expected);
}

static void check_files(char *const *paths, size_t count)
{
    text expected = read_in_turn(paths, count);

    for (size_t i = 0; i < LENGTH_OF(pieces); i++)
        for (size_t threads = 1; threads <= 3; threads++)
            check_files_as(paths, count, expected, threads, pieces[i]);
}

static const char *file_of(const char *name, text content)
{
    const char *path = test_path(name);
    FILE *file = fopen(path, "w");

    REQUIRE(file != NULL);
    if (content.length > 0)
        REQUIRE(fwrite(content.bytes, 1, content.length, file) == content.length);
    REQUIRE(fclose(file) == 0);
    return path;
}

/* Written with ' for ". */
static void check_lines(const char *content, const char *expected)
{
    char *paths[] = {(char *)file_of("file", text_of(quoted(content)))};

    EXPECT_TEXT_IS(read_in_turn(paths, 1), quoted(expected));
    check_files(paths, 1);
}

static void test_lines_are_found_with_their_numbers(void)
{
    check_lines("{'a':1}\n{'hit':2}\nhit\n\n{}\n {'b':'hit'}\r\n",
                "file:2: {'hit':2}\nfile:3: hit\nfile:6: {'b':'hit'}\n");
}

static void test_a_document_over_pieces_is_one(void)
{
    check_lines("{'a':\n[\n1,\n{'hit'\n:\n2}\n]\n}\nhit\n",
                "file:1: {'a':\n[\n1,\n{'hit'\n:\n2}\n]\n}\nfile:9: hit\n");
}

static void test_a_document_that_begins_like_others_inside_is_one(void)
{
    check_lines("[\n{'hit':1},\n{\n'hit':2},\n{'hit':3}\n]\n{'hit':4}\n",
                "file:1: [\n{'hit':1},\n{\n'hit':2},\n{'hit':3}\n]\nfile:7: {'hit':4}\n");
}

static void test_a_message_behind_a_document_on_its_last_line(void)
{
    check_lines("{'a':\n1} {'hit':1}\n{'b':\n2}hit\n", "file:2: {'hit':1}\nfile:4: hit\n");
}

static void test_cut_documents_are_found_without_what_is_wanted(void)
{
    check_lines("{'a':\n{}\n{'b':{'c':1}\n\n[1,\n", "cut file:1: {'a':\ncut file:3: {'b':{'c':1}\n"
                                                    "cut file:5: [1,\n");
}

static void test_a_last_line_without_an_end(void)
{
    check_lines("{}\n{'hit':1}", "file:2: {'hit':1}\n");
    check_lines("{}\n{'hit':1", "cut file:2: {'hit':1\n");
}

static void test_files_without_anything(void)
{
    check_lines("", "");
    check_lines("\n", "");
    check_lines(" \n\xEF\xBB\xBF\n\n", "");
}

static void test_files_come_in_their_order(void)
{
    char *paths[] = {
        (char *)file_of("one", (text)TEXT("hit 1\n{}\nhit 2\n")),
        (char *)test_path("missing"),
        (char *)file_of("two", (text)TEXT("{}\nhit 3\n{\n")),
        (char *)file_of("empty", (text)TEXT("")),
        (char *)file_of("utf-16", (text)TEXT("\xFF\xFEh\0i\0t\0\n\0{\0\n\0")),
        (char *)file_of("cut.gz", (text)TEXT("\x1F\x8B\x08\0\0\0\0\0\0\x03")),
        (char *)file_of("three", (text)TEXT("\nhit 4\n")),
    };

    check_files(paths, LENGTH_OF(paths));
}

static void test_many_unreadable_lines_wait_for_their_turn(void)
{
    enum { LINES = 40000 };
    char *content = malloc(2 * LINES);
    char *paths[2];

    REQUIRE(content != NULL);
    test_at_end(free, content);
    for (size_t i = 0; i < LINES; i++)
        memcpy(content + 2 * i, i % 2 ? "{\n" : "[\n", 2); /* `{[` is broken, so each is cut */
    paths[0] = (char *)file_of("one", (text){content, 2 * LINES});
    paths[1] = (char *)file_of("two", (text){content, 2 * LINES});
    EXPECT_TEXT(read_in_threads(paths, 2, 3, ARCHIVE_PIECE), read_in_turn(paths, 2));
    EXPECT_TEXT(read_in_threads(paths, 2, 3, 50000), read_in_turn(paths, 2));
}

/* --- files that change --- */

/* Judges as above, and makes the file empty. */
static bool judge_and_empty(void *tools, size_t file, void *part, const input_message *m)
{
    const report *r = tools;

    REQUIRE(truncate(r->emptied, 0) == 0);
    return judge(NULL, file, part, m);
}

static void test_a_file_that_becomes_shorter_is_told_of(void)
{
    report *r = new_report();
    archive_reader reader = reader_of(r);
    const archive_options options = {.threads = 1, .piece = 4};
    char *paths[] = {(char *)file_of("file", (text)TEXT("{}\nhit 1\n{}\nhit 2\nhit 3\n")),
                     (char *)file_of("next", (text)TEXT("hit 4\n"))};

    r->emptied = paths[0];
    reader.judge = judge_and_empty;
    EXPECT(archive_read(&reader, paths, 1, &options));
    EXPECT_TEXT_IS(words_of(r),
                   "file:2: hit 1\nfile:3: the file became shorter while it was read\n");
    r->emptied = paths[1];
    EXPECT(archive_read(&reader, &paths[1], 1, &options));
    EXPECT_TEXT_IS(words_of(r), "file:2: hit 1\nfile:3: the file became shorter while it was read\n"
                                "next:1: hit 4\n");
}

static void test_a_file_that_becomes_shorter_ends_early(void)
{
    enum { LENGTH = 3 * 1024 * 1024 };
    char *content = malloc(LENGTH), *error;
    const char *path, *trouble;
    input_message message;
    input_file *file;
    size_t line;

    REQUIRE(content != NULL);
    test_at_end(free, content);
    for (size_t i = 0; i < LENGTH; i += 2)
        memcpy(content + i, "a\n", 2);
    path = file_of("file", (text){content, LENGTH});
    file = input_file_open(path, &error);
    REQUIRE(file != NULL);
    REQUIRE(truncate(path, 2) == 0);
    while (input_file_next(file, &message))
        EXPECT_TEXT_IS(message.text, "a");
    trouble = input_file_trouble(file, &line);
    EXPECT_STRING(trouble ? trouble : "", "the file became shorter while it was read");
    input_file_close(file);
}

/* --- random files --- */

static const char *const shapes[] = {
    "{\"a\":{\"b\":[1,2]}}\n",
    "{\"a\":\"}{\\\"\"}\r\n",
    "{\"hit\":1}\n",
    "  {\"a\":\"hit\"}\n",
    "<13>Jun  1 00:00:00 host app: {\"a\":\"hit\"}\n",
    "<13>Jun  1 00:00:00 host app: {\"a\":\"b\n",
    "\n",
    "\r\n",
    " \t\n",
    "\xEF\xBB\xBF",
    "{\n  \"a\": [\n    {\"hit\": 1},\n    {\n      \"b\": \"x\"\n    }\n  ]\n}\n",
    "{\n  \"a\": 1\n}\n",
    "[\n{\"a\":1},\n{\"b\":2}\n]\n",
    "{\"a\":\n",
    "{\"a\":{\"b\":1}\n",
    "{\"a\":\"cut off hit\n",
    "[{\"a\":\"cut off\\\n",
    "{\"a\":1}{\"hit\":2} ",
    "{\"a\":\n1} {\"hit\":2}\n",
    "}\n",
    "]]}}\n",
    "hit\n",
    "{",
    "[",
    "\"",
    "\\",
    "a,hit,\"b\"\n",
    "{\"a\":\"b\",\"c\":\"dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd\"}\n",
};

static void add_shape(random_source *random, buffer *out, size_t kinds)
{
    if (random_below(random, 20) == 0)
        buffer_append(out, (text){"\0", 1});
    buffer_append_string(out, shapes[random_below(random, kinds)]);
}

static void check_random_file(uint64_t seed, size_t most, size_t kinds)
{
    random_source random = random_new(seed);
    buffer content = {0};
    char *paths[1];

    for (size_t left = random_below(&random, most); left > 0; left--)
        add_shape(&random, &content, kinds);
    if (random_below(&random, 4) == 0 && content.length > 0)
        content.length -= random_below(&random, content.length < 9 ? content.length : 9);
    REQUIRE(!buffer_failed(&content));
    paths[0] = (char *)file_of("file", buffer_text(&content));
    buffer_free(&content);
    for (size_t threads = 1; threads <= 3; threads++)
        check_files_as(paths, 1, read_in_turn(paths, 1), threads,
                       pieces[random_below(&random, LENGTH_OF(pieces))]);
}

static void test_random_files(void)
{
    for (uint64_t seed = 0; seed < 150; seed++)
        check_random_file(seed, 40, LENGTH_OF(shapes));
}

/* Mostly good: without the shapes that leave anything open for long. */
static void test_random_files_of_good_messages(void)
{
    for (uint64_t seed = 0; seed < 100; seed++)
        check_random_file(seed, 60, 13);
}

CU_TestInfo archive_tests[] = {
    TEST(test_lines_are_found_with_their_numbers),
    TEST(test_a_document_over_pieces_is_one),
    TEST(test_a_document_that_begins_like_others_inside_is_one),
    TEST(test_a_message_behind_a_document_on_its_last_line),
    TEST(test_cut_documents_are_found_without_what_is_wanted),
    TEST(test_a_last_line_without_an_end),
    TEST(test_files_without_anything),
    TEST(test_files_come_in_their_order),
    TEST(test_many_unreadable_lines_wait_for_their_turn),
    TEST(test_a_file_that_becomes_shorter_is_told_of),
    TEST(test_a_file_that_becomes_shorter_ends_early),
    TEST(test_random_files),
    TEST(test_random_files_of_good_messages),
    TESTS_END,
};
