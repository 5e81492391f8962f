/* SPDX-License-Identifier: Apache-2.0 */
/* Files beside the database: what is not ours is neither waited for nor read. */
#include "state/own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "suites.h"
#include "test.h"

/* Why it is not opened; "" when it is. */
static const char *refusal_of(const char *path, int flags)
{
    const char *reason = "";
    int file = own_file_open(path, flags, &reason);

    if (file >= 0)
        close(file);
    return file >= 0 ? "" : test_string("%s", reason);
}

static void test_a_file_of_ours_is_opened(void)
{
    const char *path = test_file("ours", "content"), *reason = NULL;
    char read_back[8] = "";
    int file = own_file_open(path, O_RDONLY, &reason);

    REQUIRE(file >= 0);
    EXPECT_INT(read(file, read_back, sizeof(read_back)), 7);
    EXPECT_INT(fcntl(file, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_STRING(read_back, "content");
    close(file);
}

static void test_what_is_absent_is_told_with_its_errno(void)
{
    const char *reason;

    EXPECT_INT(own_file_open(test_path("absent"), O_RDONLY, &reason), -1);
    EXPECT_INT(errno, ENOENT);
    EXPECT_STRING(reason, "No such file or directory");
}

static void test_a_link_is_not_followed(void)
{
    const char *reason;

    REQUIRE(symlink(test_file("secret", "x"), test_path("link")) == 0);
    EXPECT_STRING(refusal_of(test_path("link"), O_RDONLY), "it is a symbolic link");
    EXPECT_INT(own_file_open(test_path("link"), O_RDONLY, &reason), -1);
    EXPECT_INT(errno, ELOOP);
}

/* An open that waited for the other end would never come back. */
static void test_a_fifo_is_not_waited_for(void)
{
    REQUIRE(mkfifo(test_path("fifo"), 0600) == 0);
    EXPECT_STRING(refusal_of(test_path("fifo"), O_RDONLY), "it is no regular file");
    EXPECT_STRING(refusal_of(test_path("fifo"), O_RDWR), "it is no regular file");
}

static void test_a_directory_is_none(void)
{
    EXPECT_STRING(refusal_of(test_directory(), O_RDONLY), "it is a directory");
}

static void test_a_device_is_none(void)
{
    EXPECT_STRING(refusal_of("/dev/null", O_RDWR), "it is no regular file");
}

static void test_the_owner_counts(void)
{
    struct stat found = {.st_mode = S_IFREG | 0640, .st_uid = geteuid() + 1};

    EXPECT_STRING(own_file_refusal(&found), "it belongs to another user");
    found.st_uid = geteuid();
    EXPECT(own_file_refusal(&found) == NULL);
    found.st_uid = 0;
    EXPECT(own_file_refusal(&found) == NULL);
}

/* Only root sees another's file, and can give one away; anybody else's is his own. */
static void test_the_owner_of_the_directory_is_as_good_as_we_are(void)
{
    const uid_t owner = geteuid() == 0 ? 1 : geteuid();
    const char *directory = test_path("rsyslogds"), *path = test_path("rsyslogds/file");

    REQUIRE(mkdir(directory, 0700) == 0 && chown(directory, owner, (gid_t)-1) == 0);
    test_file("rsyslogds/file", "x");
    REQUIRE(chown(path, owner, (gid_t)-1) == 0);
    EXPECT_STRING(refusal_of(path, O_RDONLY), "");
    if (geteuid() == 0) {
        REQUIRE(chown(path, owner + 1, (gid_t)-1) == 0);
        EXPECT_STRING(refusal_of(path, O_RDONLY), "it belongs to another user");
    }
}

CU_TestInfo own_file_tests[] = {
    TEST(test_a_file_of_ours_is_opened),
    TEST(test_what_is_absent_is_told_with_its_errno),
    TEST(test_a_link_is_not_followed),
    TEST(test_a_fifo_is_not_waited_for),
    TEST(test_a_directory_is_none),
    TEST(test_a_device_is_none),
    TEST(test_the_owner_counts),
    TEST(test_the_owner_of_the_directory_is_as_good_as_we_are),
    TESTS_END,
};
