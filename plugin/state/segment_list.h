/* SPDX-License-Identifier: Apache-2.0 */
/*
 * segment_list: the files of a journal, PATH.1, PATH.2, ..., by their numbers.
 *
 * One thread at a time.
 */
#ifndef SYNCTAP_SEGMENT_LIST_H
#define SYNCTAP_SEGMENT_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero to begin with; the numbers in rising order. */
typedef struct segment_list {
    uint64_t *numbers;
    size_t count;
    size_t room;
} segment_list;

void segment_list_free(segment_list *self);

/* The next number can be added without memory; false when it is out. */
bool segment_list_make_room(segment_list *self);

/* Adds a number, the greatest so far. */
bool segment_list_add(segment_list *self, uint64_t number);
void segment_list_remove(segment_list *self, uint64_t number);

/* Adds those that lie there; none where the directory cannot be read. False when memory is out. */
bool segment_list_find(segment_list *self, const char *path);

/* Writes the name of a segment's file. */
void segment_path(const char *path, uint64_t number, char *result, size_t room);

/*
 * Gives the segments of a journal to another one, behind those that it has, in
 * their order; but not those that a process is writing. How many.
 */
size_t segments_move(const char *from, const char *to);

#endif
