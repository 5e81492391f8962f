/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_scan: RFC 8259's tokens over bytes, for those who build of them or only look.
 *
 * Beyond the grammar, three things are taken that hide nothing: NUL bytes
 * and control characters as a transport wrote them are blanks between tokens,
 * control characters may stand in strings, and bytes need not be UTF-8. For
 * json's own files; json.h is what others include.
 */
#ifndef SYNCTAP_JSON_SCAN_H
#define SYNCTAP_JSON_SCAN_H

#include "base/json.h"
#include "base/text.h"

/* A text under reading. */
typedef struct json_scan {
    json_parser *parser; /* of who reads; a scan alone needs none */
    const char *at;
    const char *end;
    int depth;          /* objects and arrays that are open */
    const char *reason; /* why it was refused */
} json_scan;

/* What stands between a string's quotes. */
typedef struct json_inside {
    text text;
    bool is_plain; /* no escape and no NUL is in it */
} json_inside;

/* Notes why, in words that need not be freed; false. */
static inline bool json_scan_refuse(json_scan *r, const char *reason)
{
    r->reason = reason;
    return false;
}

/* The same where something else should stand. */
bool json_scan_refuse_here(json_scan *r);

/* Past blanks, in whatever form. */
void json_scan_many_blanks(json_scan *r);

/* The same; most tokens follow each other. */
static inline void json_scan_blanks(json_scan *r)
{
    if (r->at < r->end && (*r->at == '"' || ((unsigned char)*r->at > '#' && *r->at != '\\')))
        return;
    json_scan_many_blanks(r);
}

/* Takes the token and the blanks around it, if it is that one. */
static inline bool json_scan_next_is(json_scan *r, char token)
{
    json_scan_blanks(r);
    if (r->at == r->end || *r->at != token)
        return false;
    r->at++;
    json_scan_blanks(r);
    return true;
}

/* Past the bytes of a string that stand for themselves; NUL does not. */
const char *json_skip_plain(const char *at, const char *end);

/* Takes a string, from quote to quote. False: refused, as by the next ones. */
bool json_scan_string(json_scan *r, json_inside *inside);

/* Takes a number; is it one without a fraction and an exponent? */
bool json_scan_number(json_scan *r, bool *is_whole);

/* Takes that word. */
bool json_scan_word(json_scan *r, const char *word);

#endif
