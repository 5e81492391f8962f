/* SPDX-License-Identifier: Apache-2.0 */
/* time_search: a gate for the word that is in all the names, and a look at each place. */
#include "cli/time_search.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "files/line_scan.h"
#include "gate/gate.h"
#include "record/audit_record.h"

/* Each name of a record's time has it: time, TimeGenerated, activity_date_time, @timestamp. */
static const text COMMON = TEXT("time");

enum { LONGEST_TIME = 64 };

/* A time as it is written. */
typedef struct written_time {
    char bytes[LONGEST_TIME];
    size_t length;
} written_time;

/* The times of a line. */
typedef struct line_times {
    size_t end; /* of the line */
    bool differ;
    written_time last;
    arrival latest;
} line_times;

struct time_search {
    gate *gate;
    text names[AUDIT_MOST_TIME_NAMES];
    size_t name_count;
    bool is_name_byte[256];
};

static void make_tables(time_search *self)
{
    self->name_count = audit_time_names(self->names);
    for (int c = 0; c < 256; c++)
        self->is_name_byte[c] = isalnum(c) || c == '_' || c == '@';
}

time_search *time_search_new(void)
{
    time_search *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    make_tables(self);
    self->gate = gate_new(&COMMON, 1, SEMANTICS_KQL);
    if (self->gate != NULL)
        return self;
    time_search_free(self);
    return NULL;
}

void time_search_free(time_search *self)
{
    if (self == NULL)
        return;
    gate_free(self->gate);
    free(self);
}

/* --- times --- */

/* `2026-06-01T12:00:00.0000000`, whatever says behind it that this is UTC. */
static text without_zone(const written_time *t)
{
    static const char zone[] = "+00:00";
    const size_t length = sizeof(zone) - 1;

    if (t->length > length && memcmp(t->bytes + t->length - length, zone, length) == 0)
        return (text){t->bytes, t->length - length};
    return (text){t->bytes, t->length - (t->length > 0 && t->bytes[t->length - 1] == 'Z')};
}

/* Most lines have one time twice. */
static bool is_repeat(const line_times *line, const written_time *t)
{
    return line->latest.is_known && text_equal(without_zone(&line->last), without_zone(t));
}

static void take_time(line_times *line, const written_time *t)
{
    timestamp time;

    if (is_repeat(line, t) || !timestamp_parse((text){t->bytes, t->length}, &time))
        return;
    line->differ |= line->latest.is_known && line->latest.time != time;
    arrival_raise(&line->latest, (arrival){.is_known = true, .time = time});
    line->last = *t;
}

/* --- members --- */

static text name_around(const time_search *self, text t, size_t at)
{
    size_t begin = at, end = at;

    while (begin > 0 && self->is_name_byte[(unsigned char)t.bytes[begin - 1]])
        begin--;
    while (end < t.length && self->is_name_byte[(unsigned char)t.bytes[end]])
        end++;
    return (text){t.bytes + begin, end - begin};
}

static bool is_of_time(const time_search *self, text name)
{
    for (size_t i = 0; i < self->name_count; i++)
        if (self->names[i].length == name.length &&
            strncasecmp(self->names[i].bytes, name.bytes, name.length) == 0)
            return true;
    return false;
}

static size_t past(text t, size_t at, char one, char other)
{
    while (at < t.length && (t.bytes[at] == one || t.bytes[at] == other))
        at++;
    return at;
}

static bool is_at(text t, size_t at, char c)
{
    return at < t.length && t.bytes[at] == c;
}

/* A string without the backslashes of the levels that it stands in; a number as it is. */
static void read_value(text t, size_t at, written_time *value)
{
    value->length = 0;
    for (; at < t.length && value->length < LONGEST_TIME; at++) {
        char c = t.bytes[at];

        if (c == '"' || c == '}' || c == '\n')
            break;
        if (c != '\\')
            value->bytes[value->length++] = c;
    }
}

/* The value of the member whose name ends at `at`; false when it is no member's name. */
static bool value_behind(text t, size_t at, written_time *value)
{
    at = past(t, at, '\\', '\\');
    if (!is_at(t, at, '"'))
        return false;
    at = past(t, at + 1, ' ', '\t');
    if (!is_at(t, at, ':'))
        return false;
    at = past(t, past(t, at + 1, ' ', '\t'), '\\', '\\');
    read_value(t, is_at(t, at, '"') ? at + 1 : at, value);
    return true;
}

/* Looks at the name that the byte is in; where to go on. */
static size_t look_at(const time_search *self, text t, size_t at, line_times *line)
{
    text name = name_around(self, t, at);
    size_t end = (size_t)(name.bytes + name.length - t.bytes);
    written_time value;

    if (is_of_time(self, name) && value_behind(t, end, &value))
        take_time(line, &value);
    return end > at ? end : at + 1;
}

/* --- lines --- */

static size_t line_end(text t, size_t at)
{
    const char *end = memchr(t.bytes + at, '\n', t.length - at);

    return end != NULL ? (size_t)(end - t.bytes) : t.length;
}

size_t time_search_pass(time_search *self, text t, arrival *latest)
{
    size_t at = 0;

    while (at < t.length) {
        size_t found = at + gate_find(self->gate, text_from(t, at));
        line_times line = {.end = found < t.length ? line_end(t, found) : t.length};

        for (at = found; at < line.end;
             at += gate_find(self->gate, (text){t.bytes + at, line.end - at}))
            at = look_at(self, t, at, &line);
        if (line.differ && arrival_is_later(line.latest, *latest))
            return line_scan_begin(t, found);
        arrival_raise(latest, line.latest);
    }
    return t.length;
}
