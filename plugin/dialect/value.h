/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value: what a field of a dialect is made of; the dialects' tables hold them.
 *
 * A maker appends the value as text, or nothing where the alert has none: then
 * the field is left out. Any thread.
 */
#ifndef SYNCTAP_VALUE_H
#define SYNCTAP_VALUE_H

#include "dialect/alert_fields.h"

typedef struct value value;
typedef void value_maker(const value *self, const alert_fields *alert, buffer *out);

struct value {
    value_maker *make;
    alert_field field; /* that it is made of, if it is made of one */
    const char *word;  /* that it is, or that its maker asks for */
};

/* --- as they stand --- */

value_maker value_word;    /* the word itself */
value_maker value_version; /* synctap's own, another on another collector */
value_maker value_text;    /* a string */
value_maker value_list;    /* the strings of an array, with commas */

/* JSON: of objects only the members that hold something. */
value_maker value_json;

/* true, or nothing. */
value_maker value_if_true;

/* A string as an array of one, in JSON. */
value_maker value_array_of_one;

/* --- times: nothing where the text is none, as a record's may be --- */

value_maker value_epoch;   /* milliseconds since 1970 */
value_maker value_seconds; /* seconds and milliseconds since 1970: 1780315200.123 */

/* --- texts of a kind; nothing where it is another --- */

value_maker value_ipv4;
value_maker value_ipv6;
value_maker value_ip;
value_maker value_not_ip;
value_maker value_with_at; /* holds an @ */
value_maker value_email;   /* letters, digits and no more than addresses have: OCSF's email_t */

/* --- words of ours --- */

/* Why it matched, how certain that is, and whether it came late. */
value_maker value_match_reason;

/* The severity in the dialect that the word names: cef, ecs, ocsf. */
value_maker value_severity;

/* "exact" or "degraded" as a level: the word names the two, "High Low". */
value_maker value_confidence;

#endif
