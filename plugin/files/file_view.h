/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file_view: a look at the bytes of a plain file where the system keeps them.
 *
 * To copy two gigabytes takes longer than to see that nothing in them counts.
 * But whoever writes to the file meanwhile changes what is looked at, under
 * the reader's eyes: so a view serves to find a place, with functions that
 * stay inside the text whatever comes there, and what was found is then read.
 *
 * Where the file became shorter than its view there are no bytes, and the
 * system sends SIGBUS. The view takes it: its rest becomes zeros, and
 * file_view_end tells it. A SIGBUS from elsewhere ends the process as it
 * always did. A view serves one thread at a time.
 */
#ifndef SYNCTAP_FILE_VIEW_H
#define SYNCTAP_FILE_VIEW_H

#include "base/text.h"

/* In bytes; as far as one view goes. */
enum { FILE_VIEW_LARGEST = 4 * 1024 * 1024 };

typedef struct file_view file_view;

/* Of a plain file, which stays the caller's, and open as long. NULL when memory is out. */
file_view *file_view_new(int file);
void file_view_free(file_view *self);

/*
 * Begins a look at the bytes from `begin` up to `end` (both in the file, as it was opened), or as
 * far as the view goes. "" when there are none, or the system cannot show them. The text is alive
 * until file_view_end; a thread has one look at a time.
 */
text file_view_begin(file_view *self, size_t begin, size_t end);

/* Ends it. False when the file became shorter: what was seen was not all there. */
bool file_view_end(file_view *self);

#endif
