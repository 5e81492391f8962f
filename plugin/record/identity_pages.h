/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity_pages: is what was read the whole answer? Graph gives long lists
 * page by page, each with a link to the next; a part of a batch may have
 * failed; a query's answer may hold an error beside its rows.
 *
 * A page does not say which link it answers. What can be seen is that a
 * collection (pages of one @odata.context) has fewer pages than its links and
 * requests ask for, or fewer items than its @odata.count promised. The parts
 * of one batch are answers to different requests, never to each other's
 * links. One thread.
 */
#ifndef SYNCTAP_IDENTITY_PAGES_H
#define SYNCTAP_IDENTITY_PAGES_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json.h"

/*
 * Is this object an error in the place of rows: a batch's part that failed,
 * an answer with an error in it? Then what is to be said of it goes to `words`.
 */
bool identity_page_failed(json *object, arena *memory, buffer *words);

/* Is this a page of a collection? Then what it is a page of: its @odata.context, or "". */
bool identity_page_context(json *object, text *context);

typedef struct identity_pages identity_pages;

/* NULL when memory is out. The caller frees it. */
identity_pages *identity_pages_new(void);
void identity_pages_free(identity_pages *self);

/* The objects that are noted from now on are of another document, which stands there. */
void identity_pages_begin_document(identity_pages *self, const char *file, size_t line);

/* Notes a page and each link in it; anything else is passed over. */
void identity_pages_note(identity_pages *self, json *object);

/* Hears of a collection that is not whole, in words that end with the link, and where it stood. */
typedef void identity_pages_teller(void *arg, const char *file, size_t line, const char *what);

/* Tells of each collection that is not whole; false when memory ran out: then nobody knows. */
bool identity_pages_tell_missing(const identity_pages *self, identity_pages_teller *tell,
                                 void *arg);

#endif
