/* SPDX-License-Identifier: Apache-2.0 */
/*
 * phrase_set: what the gate looks for, and whether a phrase stands at a place.
 *
 * A phrase's character may stand in the text as itself, as \uXXXX, or, in
 * JSON inside a string, with more backslashes before the u. An escape that
 * hides a part of another escape (\u005cu0053) is not followed: such a text
 * passes. No encoder writes it, so this costs nothing in practice. A NUL byte
 * is a blank here, as unwrap makes one of it to go on reading.
 *
 * Immutable once made: any number of threads may ask.
 */
#ifndef SYNCTAP_PHRASE_SET_H
#define SYNCTAP_PHRASE_SET_H

#include "base/kql.h"
#include "base/text.h"

typedef struct phrase_set {
    semantics semantics;
    bool pass_all;        /* one is in every text, or escapes could hide it */
    bool in_phrases[128]; /* characters, in lower case */
    size_t count;
    text list[]; /* copies in lower case */
} phrase_set;

/* Copies; NULL when memory is out. The caller frees them. */
phrase_set *phrase_set_new(const text *list, size_t count, semantics s);
void phrase_set_free(phrase_set *self);

/* A place in a phrase where an engine has found something. */
typedef struct phrase_anchor {
    size_t phrase;
    size_t index;   /* of the piece's first character */
    size_t surplus; /* so many bytes more may stand before it, in look-alikes */
} phrase_anchor;

phrase_anchor phrase_set_make_anchor(const phrase_set *self, size_t phrase, size_t index);

/* Can no look-alike stand for that character of a phrase? */
bool phrase_set_is_anchor_character(const phrase_set *self, char c);

/*
 * The anchor's piece stands at `at`. Is the phrase around it, with no escape
 * before the piece? Then *hit is its offset.
 */
bool phrase_set_is_around(const phrase_set *self, text t, phrase_anchor anchor, size_t at,
                          size_t *hit);

/*
 * A backslash and a u stand at `at`. Is that the first escape in a phrase, or
 * one that could hide another? Then *hit is an offset in it.
 */
bool phrase_set_wants_escape(const phrase_set *self, text t, size_t at, size_t *hit);

/* The first hit, or t.length: byte by byte, for what no engine can look for. */
size_t phrase_set_walk(const phrase_set *self, text t);

#endif
