/* SPDX-License-Identifier: Apache-2.0 */
/* json_extent: what may come next, and a bit for each bracket that is open. */
#include "files/json_extent.h"

/* What the next byte that is no blank may be. */
enum expectation {
    A_VALUE,        /* also the end of an array: behind `[` and, leniently, behind `,` */
    A_KEY,          /* or the end of an object */
    A_COLON,        /* behind a key */
    A_COMMA,        /* or the end of what is open */
    REST_OF_KEY,    /* inside the quotes */
    REST_OF_STRING, /* the same of a value */
    ESCAPED_KEY,    /* behind a backslash */
    ESCAPED_STRING,
    REST_OF_LITERAL, /* a number, true, false, null */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_literal(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

json_extent json_extent_new(void)
{
    return (json_extent){.expects = A_VALUE};
}

static bool is_in_object(const json_extent *self)
{
    unsigned level = self->depth - 1;

    return self->depth > 0 && (self->objects[level / 64] >> (level % 64) & 1) != 0;
}

static json_extent_state open_bracket(json_extent *self, bool is_object)
{
    uint64_t bit = UINT64_C(1) << (self->depth % 64);
    uint64_t *levels = &self->objects[self->depth / 64];

    if (self->depth + 1 == JSON_EXTENT_MOST_DEPTH)
        return EXTENT_BROKEN;
    *levels = is_object ? *levels | bit : *levels & ~bit;
    self->depth++;
    self->expects = is_object ? A_KEY : A_VALUE;
    return EXTENT_OPEN;
}

static json_extent_state close_bracket(json_extent *self, char c)
{
    if (self->depth == 0 || is_in_object(self) != (c == '}'))
        return EXTENT_BROKEN;
    self->depth--;
    self->expects = A_COMMA;
    return self->depth == 0 ? EXTENT_CLOSED : EXTENT_OPEN;
}

static json_extent_state expect(json_extent *self, enum expectation next)
{
    self->expects = next;
    return EXTENT_OPEN;
}

static json_extent_state take_value(json_extent *self, char c)
{
    if (c == '{' || c == '[')
        return open_bracket(self, c == '{');
    if (c == ']')
        return close_bracket(self, c);
    if (self->depth == 0)
        return EXTENT_BROKEN;
    if (c == '"')
        return expect(self, REST_OF_STRING);
    return is_literal(c) ? expect(self, REST_OF_LITERAL) : EXTENT_BROKEN;
}

static json_extent_state take_comma(json_extent *self, char c)
{
    if (c == ',')
        return expect(self, is_in_object(self) ? A_KEY : A_VALUE);
    return c == '}' || c == ']' ? close_bracket(self, c) : EXTENT_BROKEN;
}

/* A byte between strings and literals, no blank. */
static json_extent_state take(json_extent *self, char c)
{
    switch (self->expects) {
    case A_KEY:
        if (c == '"')
            return expect(self, REST_OF_KEY);
        return c == '}' ? close_bracket(self, c) : EXTENT_BROKEN;
    case A_COLON:
        return c == ':' ? expect(self, A_VALUE) : EXTENT_BROKEN;
    case A_COMMA:
        return take_comma(self, c);
    default:
        return take_value(self, c);
    }
}

/* Goes on inside a string; its end is what comes behind the last byte that was gone over. */
static void scan_string(json_extent *self, text t)
{
    bool is_key = self->expects == REST_OF_KEY || self->expects == ESCAPED_KEY;
    size_t at = self->length;

    if (self->expects == ESCAPED_KEY || self->expects == ESCAPED_STRING)
        at++;
    while (at < t.length && t.bytes[at] != '"')
        at += t.bytes[at] == '\\' ? 2 : 1;
    if (at < t.length)
        self->expects = is_key ? A_COLON : A_COMMA;
    else if (at > t.length)
        self->expects = is_key ? ESCAPED_KEY : ESCAPED_STRING;
    else
        self->expects = is_key ? REST_OF_KEY : REST_OF_STRING;
    self->length = at < t.length ? at + 1 : t.length;
}

static void scan_literal(json_extent *self, text t)
{
    while (self->length < t.length && is_literal(t.bytes[self->length]))
        self->length++;
    if (self->length < t.length)
        self->expects = A_COMMA;
}

json_extent_state json_extent_scan(json_extent *self, text t)
{
    json_extent_state state = EXTENT_OPEN;

    while (state == EXTENT_OPEN && self->length < t.length) {
        if (self->expects == REST_OF_LITERAL)
            scan_literal(self, t);
        else if (self->expects >= REST_OF_KEY)
            scan_string(self, t);
        else if (is_blank(t.bytes[self->length]))
            self->length++;
        else
            state = take(self, t.bytes[self->length++]);
    }
    return state;
}
