/* SPDX-License-Identifier: Apache-2.0 */
/* test: what an assertion prints, and the list of things that go at a test's end. */
#include "test.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"

typedef struct ending {
    void (*give_back)(void *);
    void *thing;
} ending;

static struct {
    ending *endings;
    size_t count;
    size_t room;
    char case_name[240];
    arena *arena;
    char *directory;
    json_parser *parser;
} current;

/* --- assertions --- */

static void note(bool holds, const char *message, const char *file, unsigned line, bool fatal)
{
    char with_case[4096];

    if (holds) {
        CU_assertImplementation(CU_TRUE, line, "", file, "", CU_FALSE);
        return;
    }
    snprintf(with_case, sizeof(with_case), "%s%s%s", current.case_name,
             current.case_name[0] ? ": " : "", message);
    CU_assertImplementation(CU_FALSE, line, with_case, file, "", fatal);
}

void test_expect_true(bool holds, const char *condition, const char *file, unsigned line,
                      bool fatal)
{
    char message[1024];

    snprintf(message, sizeof(message), "expected: %s", condition);
    note(holds, message, file, line, fatal);
}

static void show(buffer *out, text t)
{
    char escaped[8];

    if (t.bytes == NULL) {
        buffer_append_string(out, "(no bytes)");
        return;
    }
    buffer_append_char(out, '"');
    for (size_t i = 0; i < t.length; i++) {
        unsigned char c = (unsigned char)t.bytes[i];

        snprintf(escaped, sizeof(escaped), c < 0x20 || c >= 0x7F ? "\\x%02X" : "%c", c);
        buffer_append_string(out, escaped);
    }
    buffer_append_char(out, '"');
}

void test_expect_text(text got, text expected, const char *what, const char *file, unsigned line)
{
    buffer message = {0};
    bool holds = text_equal(got, expected) && (got.bytes != NULL || expected.bytes == NULL);

    if (!holds) {
        buffer_append_string(&message, what);
        buffer_append_string(&message, ": expected ");
        show(&message, expected);
        buffer_append_string(&message, ", got ");
        show(&message, got);
    }
    note(holds, holds ? "" : buffer_string(&message), file, line, false);
    buffer_free(&message);
}

void test_expect_int(int64_t got, int64_t expected, const char *what, const char *file,
                     unsigned line)
{
    char message[512];

    snprintf(message, sizeof(message), "%s: expected %lld, got %lld", what, (long long)expected,
             (long long)got);
    note(got == expected, message, file, line, false);
}

void test_expect_time(timestamp got, timestamp expected, const char *what, const char *file,
                      unsigned line)
{
    char message[512], got_text[TIMESTAMP_TEXT_SIZE], expected_text[TIMESTAMP_TEXT_SIZE];

    timestamp_format(got, got_text);
    timestamp_format(expected, expected_text);
    snprintf(message, sizeof(message), "%s: expected %lld ticks (%s), got %lld (%s)", what,
             (long long)expected, expected_text, (long long)got, got_text);
    note(got == expected, message, file, line, false);
}

void test_case(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(current.case_name, sizeof(current.case_name), format, arguments);
    va_end(arguments);
    for (char *at = current.case_name; *at != '\0'; at++)
        if ((unsigned char)*at < 0x20)
            *at = ' ';
}

/* --- what lives until the test ends --- */

static void *must(void *thing)
{
    if (thing == NULL) {
        perror("unit_tests");
        abort();
    }
    return thing;
}

void test_at_end(void (*give_back)(void *), void *thing)
{
    if (current.count == current.room) {
        current.room = current.room ? 2 * current.room : 64;
        current.endings = must(realloc(current.endings, current.room * sizeof(ending)));
    }
    current.endings[current.count++] = (ending){give_back, thing};
}

void test_clean_up(void)
{
    while (current.count > 0) {
        ending last = current.endings[--current.count];
        last.give_back(last.thing);
    }
    free(current.endings);
    memset(&current, 0, sizeof(current));
}

static void give_back_arena(void *a)
{
    arena_free(a);
}

arena *test_arena(void)
{
    if (current.arena == NULL) {
        current.arena = must(arena_new());
        test_at_end(give_back_arena, current.arena);
    }
    return current.arena;
}

static char *kept(char *string)
{
    test_at_end(free, must(string));
    return string;
}

const char *test_string(const char *format, ...)
{
    va_list arguments;
    char *string;

    va_start(arguments, format);
    if (vasprintf(&string, format, arguments) < 0)
        string = NULL;
    va_end(arguments);
    return kept(string);
}

const char *test_show(text t)
{
    buffer shown = {0};

    show(&shown, t);
    must((void *)(uintptr_t)buffer_string(&shown));
    return kept(shown.bytes);
}

const char *quoted(const char *string)
{
    char *copy = kept(strdup(string));

    for (char *at = copy; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    return copy;
}

static void give_back_parser(void *p)
{
    json_parser_free(p);
}

static void give_back_json(void *root)
{
    json_free(root);
}

const char *json_string_of(const char *t)
{
    buffer out = {0};
    const char *copy;

    json_write_string(&out, text_of(t));
    copy = test_string("%s", buffer_string(&out));
    buffer_free(&out);
    return copy;
}

json *json_of(const char *written)
{
    json *root;
    size_t taken;

    if (current.parser == NULL) {
        current.parser = must(json_parser_new(JSON_MOST_DEPTH));
        test_at_end(give_back_parser, current.parser);
    }
    REQUIRE(json_parse(current.parser, text_of(quoted(written)), &root, &taken) == NULL);
    test_at_end(give_back_json, root);
    return root;
}

text tight(text t)
{
    char *copy = kept(malloc(t.length ? t.length : 1));

    if (t.length > 0)
        memcpy(copy, t.bytes, t.length);
    return (text){copy, t.length};
}

text tight_of(const char *string)
{
    return tight(text_of(string));
}

typedef struct pages {
    char *begin;
    size_t size;
} pages;

static void give_back_pages(void *arg)
{
    pages *p = arg;

    munmap(p->begin, p->size);
    free(p);
}

text guarded_of(const char *string)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), length = strlen(string);
    pages *p = must(malloc(sizeof(*p)));

    REQUIRE(length <= page);
    p->size = 2 * page;
    p->begin = mmap(NULL, p->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(p->begin != MAP_FAILED && mprotect(p->begin + page, page, PROT_NONE) == 0);
    test_at_end(give_back_pages, p);
    memcpy(p->begin + page - length, string, length);
    return (text){p->begin + page - length, length};
}

bool test_survives(void (*step)(void *), void *arg)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        step(arg);
        _exit(0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static int remove_entry(const char *path, const struct stat *s, int kind, struct FTW *where)
{
    (void)s;
    (void)kind;
    (void)where;
    return remove(path);
}

static void remove_directory(void *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

const char *test_directory(void)
{
    if (current.directory == NULL) {
        const char *parent = getenv("TMPDIR");
        char *path;

        if (asprintf(&path, "%s/synctap-unit-XXXXXX", parent ? parent : "/tmp") < 0)
            path = NULL;
        current.directory = must(mkdtemp(must(path)));
        test_at_end(remove_directory, current.directory);
    }
    return current.directory;
}

const char *test_path(const char *name)
{
    return test_string("%s/%s", test_directory(), name);
}

const char *test_file(const char *name, const char *content)
{
    const char *path = test_path(name);
    FILE *file = must(fopen(path, "w"));

    fputs(content, file);
    if (fclose(file) != 0)
        must(NULL);
    return path;
}

/* --- random --- */

random_source random_new(uint64_t seed)
{
    return (random_source){seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
}

/* Marsaglia's xorshift; its high bits are the good ones. */
size_t random_below(random_source *self, size_t bound)
{
    self->state ^= self->state << 13;
    self->state ^= self->state >> 7;
    self->state ^= self->state << 17;
    return (size_t)((self->state >> 16) % bound);
}

/* --- time --- */

timestamp time_of(const char *written)
{
    timestamp t = 0;

    REQUIRE(timestamp_parse(text_of(written), &t));
    return t;
}
