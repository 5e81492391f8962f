/* SPDX-License-Identifier: Apache-2.0 */
/* segment_list: the names that are found in a directory, and how one becomes another. */
#include "state/segment_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/room.h"
#include "state/own_file.h"

enum { MOST_DIGITS = 18 /* of a segment's number */ };

void segment_list_free(segment_list *self)
{
    free(self->numbers);
    *self = (segment_list){0};
}

bool segment_list_make_room(segment_list *self)
{
    return room_for_one_more(&self->numbers, sizeof(*self->numbers), self->count, &self->room);
}

bool segment_list_add(segment_list *self, uint64_t number)
{
    if (!segment_list_make_room(self))
        return false;
    self->numbers[self->count++] = number;
    return true;
}

void segment_list_remove(segment_list *self, uint64_t number)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->count; i++)
        if (self->numbers[i] != number)
            self->numbers[kept++] = self->numbers[i];
    self->count = kept;
}

void segment_path(const char *path, uint64_t number, char *result, size_t room)
{
    snprintf(result, room, "%s.%llu", path, (unsigned long long)number);
}

/* --- those that are there --- */

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* The number in the name of one of the journal's segments, or 0. */
static uint64_t segment_number(const char *name, const char *base)
{
    size_t length = strlen(base), digits;

    if (strncmp(name, base, length) != 0 || name[length] != '.')
        return 0;
    name += length + 1;
    digits = strspn(name, "0123456789");
    return name[digits] == '\0' && digits <= MOST_DIGITS && *name != '0' ? strtoull(name, NULL, 10)
                                                                         : 0;
}

static bool take_names(segment_list *self, DIR *directory, const char *base)
{
    struct dirent *found;

    while ((found = readdir(directory)) != NULL) {
        uint64_t number = segment_number(found->d_name, base);

        if (number != 0 && !segment_list_add(self, number))
            return false;
    }
    return true;
}

bool segment_list_find(segment_list *self, const char *path)
{
    char directory[PATH_MAX], base[PATH_MAX];
    bool taken;
    DIR *d;

    snprintf(directory, sizeof(directory), "%s", path);
    snprintf(base, sizeof(base), "%s", path);
    d = opendir(dirname(directory));
    if (d == NULL)
        return true;
    taken = take_names(self, d, basename(base));
    closedir(d);
    if (self->count > 0)
        qsort(self->numbers, self->count, sizeof(uint64_t), compare_numbers);
    return taken;
}

/* --- from one journal to another --- */

static bool is_being_written(const char *path)
{
    const char *why;
    int file = own_file_open(path, O_RDONLY, &why);
    bool is_locked = file >= 0 && flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;

    if (file >= 0)
        close(file);
    return is_locked;
}

/* The first number from *number on that is free becomes the segment's. */
static bool move_segment(const char *path, const char *to, uint64_t *number)
{
    char name[PATH_MAX];
    int linked;

    do
        segment_path(to, (*number)++, name, sizeof(name));
    while ((linked = link(path, name)) != 0 && errno == EEXIST);
    return linked == 0 && unlink(path) == 0;
}

size_t segments_move(const char *from, const char *to)
{
    segment_list found = {0}, there = {0};
    char path[PATH_MAX];
    uint64_t number;
    size_t moved = 0;

    if (segment_list_find(&there, to) && segment_list_find(&found, from)) {
        number = there.count > 0 ? there.numbers[there.count - 1] + 1 : 1;
        for (size_t i = 0; i < found.count; i++) {
            segment_path(from, found.numbers[i], path, sizeof(path));
            moved += !is_being_written(path) && move_segment(path, to, &number);
        }
    }
    segment_list_free(&found);
    segment_list_free(&there);
    return moved;
}
