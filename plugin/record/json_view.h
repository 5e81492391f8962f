/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_view: how one looks into a record's JSON, as KQL does or as wide
 * semantics does.
 *
 * To KQL a key has one spelling and a string is a string. WIDE finds a key in
 * any case, opens a string that holds JSON, and takes `{"value":[..],"Count":n}`
 * (Windows PowerShell's way to write an array) for the array, wherever in a
 * record that may be. What it needed for that is noted. The trees that it
 * parses out of strings belong to `opened_trees`, and live as long.
 */
#ifndef SYNCTAP_JSON_VIEW_H
#define SYNCTAP_JSON_VIEW_H

#include "base/arena.h"
#include "base/json.h"
#include "base/kql.h"
#include "base/text.h"

/* What wide semantics had to do to read the record so; a bit each. */
typedef enum audit_note {
    NOTE_KEY_CASE = 1,         /* a key stands in another case */
    NOTE_JSON_STRING = 2,      /* a string holds JSON */
    NOTE_TARGET_OBJECT = 4,    /* TargetResources is an object: a target, or targets by number */
    NOTE_TARGET_ELSEWHERE = 8, /* another field names the target */
} audit_note;

typedef struct opened_trees opened_trees;

/* None yet, in the arena; NULL when memory is out. */
opened_trees *opened_trees_new(arena *memory);

/* Gives the trees back; NULL is allowed. */
void opened_trees_release(opened_trees *self);

typedef struct json_view {
    semantics semantics;
    arena *memory;
    json_parser *parser;
    opened_trees *trees; /* NULL: strings stay strings */
    unsigned notes;      /* audit_note */
    json *unreadable;    /* the last value that should have held JSON and did not; else NULL */
    bool unpacked_count; /* it met an array that was written with its count */
    bool out_of_memory;
} json_view;

/* Values one after the other: an array's, or an object's that is keyed "0", "1", ... */
typedef struct json_list {
    json *array;   /* they stand in it, unless .. */
    json **opened; /* .. it is not NULL: they stand here, strings among them opened */
    size_t count;
} json_list;

json *json_list_item(const json_list *self, size_t index);

/* KQL's path, as this view follows it: NULL as soon as a step leads nowhere. */
json *json_view_at(json_view *self, json *from, const char *path);

/* KQL's tostring; "" when memory is out, which is noted. */
text json_view_text(json_view *self, json *value);

/*
 * The text of a value without the quotes and brackets that it was written into:
 * "\"x\"" and ["x"] mean x in any view. "" for null, and for what says null.
 */
text json_view_plain_text(json_view *self, json *value);

/* Does the string say that there is nothing? It is blank, or says null. */
bool json_view_says_nothing(text t);

/*
 * The value without what it was packed into: a string that holds JSON, or an
 * array written with its count. A value that is a string still is noted as
 * unreadable, unless it is blank or says null: then there is nothing.
 */
json *json_view_open(json_view *self, json *value);

/* Is it what Elastic makes of an array: an object keyed "0", "1", ...? An empty one is. */
bool json_view_is_keyed_by_number(json *object);

/*
 * The values of an array or of an object keyed by numbers, each of them opened;
 * none of what is neither. `value` has been opened already.
 */
json_list json_view_list(json_view *self, json *value);

#endif
