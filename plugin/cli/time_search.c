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

/* The times of a line. */
typedef struct line_times {
    size_t end; /* of the line */
    bool differ;
    text last; /* as it is written, in the text or in its room */
    char room_of_last[LONGEST_TIME];
    char room[LONGEST_TIME]; /* of one that cannot be shown in the text */
    arrival latest;
} line_times;

struct time_search {
    gate *gate;
    text names[AUDIT_MOST_TIME_NAMES];
    size_t name_count;
    bool is_name_byte[256];
    bool ends_value[256];
};

static void make_tables(time_search *self)
{
    self->name_count = audit_time_names(self->names);
    for (int c = 0; c < 256; c++)
        self->is_name_byte[c] = isalnum(c) || c == '_' || c == '@';
    for (const char *c = "\"}\n\\"; *c != '\0'; c++)
        self->ends_value[(unsigned char)*c] = true;
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
static text without_zone(text t)
{
    static const char zone[] = "+00:00";
    const size_t length = sizeof(zone) - 1;

    if (t.length > length && memcmp(t.bytes + t.length - length, zone, length) == 0)
        t.length -= length;
    else if (t.length > 0 && t.bytes[t.length - 1] == 'Z')
        t.length--;
    return t;
}

/* Most lines have one time twice. */
static bool is_repeat(const line_times *line, text t)
{
    return line->latest.is_known && text_equal(without_zone(line->last), without_zone(t));
}

static void take_time(line_times *line, text t)
{
    timestamp time;

    if (is_repeat(line, t) || !timestamp_parse(t, &time))
        return;
    line->differ |= line->latest.is_known && line->latest.time != time;
    arrival_raise(&line->latest, (arrival){.is_known = true, .time = time});
    line->last = t;
    if (t.bytes == line->room) {
        memcpy(line->room_of_last, t.bytes, t.length);
        line->last.bytes = line->room_of_last;
    }
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

/* Without the backslashes of the levels that it stands in. */
static text without_backslashes(text t, size_t at, char room[static LONGEST_TIME])
{
    size_t length = 0;

    for (; at < t.length && length < LONGEST_TIME; at++) {
        char c = t.bytes[at];

        if (c == '"' || c == '}' || c == '\n')
            break;
        if (c != '\\')
            room[length++] = c;
    }
    return (text){room, length};
}

/* A string up to its end, or to as many bytes as a time may have; a number as it is. */
static text read_value(const time_search *self, text t, size_t at, char room[static LONGEST_TIME])
{
    size_t left = t.length - at, most = left < LONGEST_TIME ? left : LONGEST_TIME, length = 0;

    while (length < most && !self->ends_value[(unsigned char)t.bytes[at + length]])
        length++;
    if (length == most || t.bytes[at + length] != '\\' ||
        is_at(t, past(t, at + length, '\\', '\\'), '"'))
        return (text){t.bytes + at, length};
    return without_backslashes(t, at, room);
}

/* The value of the member whose name ends at `at`; false when it is no member's name. */
static bool value_behind(const time_search *self, text t, size_t at, line_times *line, text *value)
{
    at = past(t, at, '\\', '\\');
    if (!is_at(t, at, '"'))
        return false;
    at = past(t, at + 1, ' ', '\t');
    if (!is_at(t, at, ':'))
        return false;
    at = past(t, past(t, at + 1, ' ', '\t'), '\\', '\\');
    *value = read_value(self, t, is_at(t, at, '"') ? at + 1 : at, line->room);
    return true;
}

/* Looks at the name that the byte is in; where to go on. */
static size_t look_at(const time_search *self, text t, size_t at, line_times *line)
{
    text name = name_around(self, t, at), value;
    size_t end = (size_t)(name.bytes + name.length - t.bytes);

    if (is_of_time(self, name) && value_behind(self, t, end, line, &value))
        take_time(line, value);
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
