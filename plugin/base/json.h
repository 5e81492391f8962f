/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: JSON trees (libfastjson's) read as KQL reads a dynamic, and JSON text written.
 *
 * Keys are compared by their exact bytes here, whatever libfastjson's
 * process-wide switch says (rsyslogd turns it to case-insensitive). A NULL
 * json is JSON's null. A tree belongs to one thread at a time: libfastjson
 * caches texts inside it.
 */
#ifndef SYNCTAP_JSON_H
#define SYNCTAP_JSON_H

#include <libfastjson/json_object.h>
#include <libfastjson/json_object_iterator.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/text.h"

typedef struct fjson_object json;
typedef struct json_parser json_parser;

typedef enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT
} json_kind;

/*
 * One parser per thread, used over and over, for documents less than most_depth deep. NULL when
 * memory is out; the caller frees it.
 */
json_parser *json_parser_new(int most_depth);
void json_parser_free(json_parser *self);

/*
 * Parses the document (an object or an array) that begins at t.bytes[0],
 * blanks in front of it apart. Documents are RFC 8259's: comments, single
 * quotes and the like are none. A key may stand twice in an object: both
 * members are in the tree, and the last counts. On success *root is the
 * caller's, to be freed by json_free, and *taken is where the document ends,
 * blanks behind it included. Otherwise *root is NULL, and the result says why
 * in words that need not be freed. NULL is success.
 */
const char *json_parse(json_parser *self, text t, json **root, size_t *taken);

/*
 * A search for the documents of a text, from its begin to its end. Work is
 * linear in the text's length: where a look fails, all brackets that are open
 * there are refused at once. So each byte is looked at twice at most, in a
 * string and outside of one, and once more where a document is read.
 */
typedef struct json_search {
    text text;
    buffer refused; /* a bit for each byte: no document begins there */
    const char *reason;
} json_search;

/* The text must outlive the search, which json_search_end ends. */
json_search json_search_begin(text t);
void json_search_end(json_search *self);

/* json_parse from `at` on; *taken is counted from there. Places are asked for in their order. */
const char *json_search_at(json_parser *parser, json_search *self, size_t at, json **root,
                           size_t *taken);

/* How many bytes of blanks t begins with; control characters as transports write them are some. */
size_t json_blanks(text t);

/* Where the brackets of a document close, piece by piece; all zero to begin with. */
typedef struct json_brackets {
    size_t at; /* what was looked at; where they close */
    size_t depth;
    bool in_string;
    size_t string_begin; /* the opening quote, while in_string */
} json_brackets;

/* Looks on up to `until`, until it says that they close; not to be called again then. */
bool json_brackets_close(json_brackets *self, text t, size_t until);

/* libfastjson's own bound on depth, which messages are held to, and ours on one object's members.
 */
enum { JSON_MOST_DEPTH = 32, JSON_MOST_MEMBERS = 1024 };

/* Gives back the caller's share of a tree; NULL is allowed. */
void json_free(json *root);

/* One more share of a value, to be given back by json_free. */
json *json_ref(json *value);

/* The value whose JSON text a string holds, the caller's; NULL when it holds none. */
json *json_parse_string(json_parser *self, json *string);

/* The string whose inside, with JSON's escapes, is t; the caller's, NULL when it is none. */
json *json_unescape(json_parser *self, text t);

/*
 * How much of t can be the inside of a JSON string: up to a quote, up to an
 * escape that is none, or all of it.
 */
size_t json_string_inside(text t);

/* How often the parser has met a key twice in one object, since it was made. */
size_t json_parser_repeated_keys(const json_parser *self);

/* For who makes such an object itself. */
void json_parser_note_repeated_key(json_parser *self);

/* Did the last of these that failed do so because memory was out? */
bool json_parser_ran_out(const json_parser *self);

/* Stands for a NUL in a key: libfastjson's keys end at one. */
#define JSON_NUL "\xC0\x80"

/* An empty object, the caller's; NULL when memory is out. */
json *json_new_object(void);

/* A string, the caller's; NULL when memory is out. */
json *json_new_string(text t);

/*
 * Puts a member of a key that the object has not yet and that outlives it; the caller's share of
 * the value goes over. False without memory: it is not put.
 */
bool json_put_member(json *object, const char *key, json *value);

json_kind json_kind_of(json *value);

/* The string's own bytes, alive as long as the tree; empty with NULL bytes for any other kind. */
text json_string(json *value);

/* JSON's true; false for all else. */
bool json_is_true(json *value);

/* The member of that key, or NULL (also when object is none). */
json *json_member(json *object, const char *key);

/* Is there a member of that key, even a null one? */
bool json_has_member(json *object, const char *key);

/* Does it, or an object in it, have a key twice? */
bool json_repeats_a_key(json *value);

/*
 * A member whose key may be in another case where none is exact; then
 * *other_case becomes true (else it stays as it was). NULL: there is none.
 */
json *json_member_any_case(json *object, const char *key, bool *other_case);

size_t json_array_length(json *array);
json *json_array_item(json *array, size_t index);

/* An object's members in their order: a cursor, which json_next_member moves on. */
typedef struct json_members {
    struct fjson_object_iterator at;
    size_t left;
} json_members;

json_members json_members_of(json *object);

/* The next member's key and value; false at the end. */
bool json_next_member(json_members *self, const char **key, json **value);

/* The n-th member's; false when there are not so many. */
bool json_nth_member(json *object, size_t n, const char **key, json **value);
size_t json_member_count(json *object);

/*
 * KQL's tostring(): a string's own bytes, a number's or boolean's text, an
 * object's or array's JSON text, "" for null. What is not the tree's lives in
 * the arena. Its bytes are NULL only when memory is out.
 */
text json_tostring(json *value, arena *memory);

/*
 * Writing: JSON text goes to the end of a buffer, without blanks, always
 * valid UTF-8 (a byte that is none becomes U+FFFD). json_write_key puts the
 * comma where one is due, json_write_item likewise before an array's element.
 */
void json_write_value(buffer *out, json *value);

/* The same, but of members of one key only the last, which counts. */
void json_write_last(buffer *out, json *value);
void json_write_string(buffer *out, text t);
void json_write_key(buffer *out, const char *key);
void json_write_item(buffer *out);

/* "key":"text" */
void json_write_member(buffer *out, const char *key, text value);

#endif
