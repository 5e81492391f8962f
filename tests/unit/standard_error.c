/* SPDX-License-Identifier: Apache-2.0 */
/* standard_error: another file stands at its number for a while. */
#include "standard_error.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "test.h"

static void lead_back(void *before)
{
    int *file = before;

    fflush(stderr);
    dup2(*file, STDERR_FILENO);
    close(*file);
    free(file);
}

void standard_error_to(const char *path)
{
    int *before = malloc(sizeof(*before));
    int file = open(path, O_CREAT | O_TRUNC | O_RDWR | O_APPEND, 0600);

    REQUIRE(before != NULL && file >= 0);
    fflush(stderr);
    *before = dup(STDERR_FILENO);
    REQUIRE(*before >= 0 && dup2(file, STDERR_FILENO) >= 0);
    close(file);
    test_at_end(lead_back, before);
}

const char *standard_error_in(const char *path)
{
    char content[4096] = "";
    FILE *file = fopen(path, "rb");

    fflush(stderr);
    REQUIRE(file != NULL);
    content[fread(content, 1, sizeof(content) - 1, file)] = '\0';
    fclose(file);
    return test_string("%s", content);
}
