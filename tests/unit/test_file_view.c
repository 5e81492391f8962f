/* SPDX-License-Identifier: Apache-2.0 */
/* file_view: what is in the file is seen, and a file that becomes shorter kills nobody. */
#include "files/file_view.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "suites.h"
#include "test.h"

enum { LENGTH = FILE_VIEW_LARGEST + 100000 };

typedef struct viewed {
    int file;
    file_view *view;
} viewed;

static char byte_at(size_t offset)
{
    return (char)('a' + offset % 23);
}

static void give_back(void *arg)
{
    viewed *v = arg;

    file_view_free(v->view);
    close(v->file);
}

/* Of a file of that length, written here. */
static viewed *view_of(size_t length)
{
    viewed *v = arena_alloc(test_arena(), sizeof(*v));
    char *content = malloc(length);

    REQUIRE(v != NULL && content != NULL);
    for (size_t i = 0; i < length; i++)
        content[i] = byte_at(i);
    v->file = open(test_path("viewed"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    REQUIRE(v->file >= 0);
    REQUIRE(write(v->file, content, length) == (ssize_t)length);
    free(content);
    v->view = file_view_new(v->file);
    REQUIRE(v->view != NULL);
    test_at_end(give_back, v);
    return v;
}

/* How many of the bytes are the file's, from that offset on. */
static size_t bytes_of_file(text t, size_t offset)
{
    size_t count = 0;

    while (count < t.length && t.bytes[count] == byte_at(offset + count))
        count++;
    return count;
}

static void test_a_look_shows_the_bytes_from_any_offset(void)
{
    viewed *v = view_of(LENGTH);
    static const size_t begins[] = {0, 1, 4095, 4096, 5000, 123456};

    for (size_t i = 0; i < LENGTH_OF(begins); i++) {
        text t = file_view_begin(v->view, begins[i], begins[i] + 10000);

        EXPECT_INT(t.length, 10000);
        EXPECT_INT(bytes_of_file(t, begins[i]), 10000);
        EXPECT(file_view_end(v->view));
    }
}

static void test_a_look_goes_as_far_as_the_view(void)
{
    viewed *v = view_of(LENGTH);
    text t = file_view_begin(v->view, 0, LENGTH);

    EXPECT_INT(t.length, FILE_VIEW_LARGEST);
    EXPECT_INT(bytes_of_file(t, 0), FILE_VIEW_LARGEST);
    EXPECT(file_view_end(v->view));
}

static void test_a_view_moves_on_to_the_files_end(void)
{
    viewed *v = view_of(LENGTH);
    text t;

    file_view_begin(v->view, 0, LENGTH);
    EXPECT(file_view_end(v->view));
    t = file_view_begin(v->view, FILE_VIEW_LARGEST - 10, LENGTH);
    EXPECT_INT(t.length, 100010);
    EXPECT_INT(bytes_of_file(t, FILE_VIEW_LARGEST - 10), 100010);
    EXPECT(file_view_end(v->view));
}

static void test_there_is_nothing_to_see_at_the_end(void)
{
    viewed *v = view_of(100);

    EXPECT_INT(file_view_begin(v->view, 100, 100).length, 0);
}

static void test_what_a_shorter_file_does_not_have_is_zeros(void)
{
    viewed *v = view_of(100000);
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    text t = file_view_begin(v->view, 0, 100000);

    REQUIRE(ftruncate(v->file, (off_t)page) == 0);
    EXPECT_INT(t.bytes[99999], 0);
    EXPECT_INT(t.bytes[page], 0);
    EXPECT_INT(bytes_of_file(t, 0), page);
    EXPECT(!file_view_end(v->view));
}

static void test_a_look_at_a_file_that_is_empty_by_now_is_zeros(void)
{
    viewed *v = view_of(100000);
    text t;

    REQUIRE(ftruncate(v->file, 0) == 0);
    t = file_view_begin(v->view, 5000, 100000);
    EXPECT_INT(t.length, 95000);
    EXPECT_INT(t.bytes[0], 0);
    EXPECT(!file_view_end(v->view));
}

/* How a child process ends that does this. */
static int end_of(void (*deed)(void))
{
    int status = 0;
    pid_t child = fork();

    REQUIRE(child >= 0);
    if (child == 0) {
        deed();
        _exit(0);
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void raise_bus_error(void)
{
    raise(SIGBUS);
}

static void test_another_bus_error_ends_the_process_as_ever(void)
{
    view_of(100);
    EXPECT_INT(end_of(raise_bus_error), SIGBUS);
}

CU_TestInfo file_view_tests[] = {
    TEST(test_a_look_shows_the_bytes_from_any_offset),
    TEST(test_a_look_goes_as_far_as_the_view),
    TEST(test_a_view_moves_on_to_the_files_end),
    TEST(test_there_is_nothing_to_see_at_the_end),
    TEST(test_what_a_shorter_file_does_not_have_is_zeros),
    TEST(test_a_look_at_a_file_that_is_empty_by_now_is_zeros),
    TEST(test_another_bus_error_ends_the_process_as_ever),
    TESTS_END,
};
