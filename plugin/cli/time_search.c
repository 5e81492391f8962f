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

enum {
    LONGEST_TIME = 64,
    MOST_DOUBTS = 1024, /* lines that are kept in mind before the first of them is read */
};

/* The times of a line. */
typedef struct line_times {
    bool has_time;
    bool differ;
    text last; /* as it is written, in the text or in its room */
    char room_of_last[LONGEST_TIME];
    char room[LONGEST_TIME]; /* of one that cannot be shown in the text */
    timestamp time;          /* the last one's, when has_time */
    arrival latest;          /* of those that are credible */
} line_times;

/* A line of different times, and the latest that it can have. */
typedef struct doubt {
    timestamp most;
    text line;
} doubt;

struct time_search {
    gate *gate;
    timestamp latest_credible;
    text names[AUDIT_MOST_TIME_NAMES];
    size_t name_count;
    bool is_name_byte[256];
    bool ends_value[256];
    size_t doubt_count;
    doubt doubts[MOST_DOUBTS];
};

static void make_tables(time_search *self)
{
    self->name_count = audit_time_names(self->names);
    for (int c = 0; c < 256; c++)
        self->is_name_byte[c] = isalnum(c) || c == '_' || c == '@';
    for (const char *c = "\"}\n\\"; *c != '\0'; c++)
        self->ends_value[(unsigned char)*c] = true;
}

time_search *time_search_new(timestamp latest_credible)
{
    time_search *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->latest_credible = latest_credible;
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
    return line->has_time && text_equal(without_zone(line->last), without_zone(t));
}

static void take_time(const time_search *self, line_times *line, text t)
{
    timestamp time;

    if (is_repeat(line, t) || !timestamp_parse(t, &time))
        return;
    line->differ |= line->has_time && line->time != time;
    line->has_time = true;
    line->time = time;
    if (time <= self->latest_credible)
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
        take_time(self, line, value);
    return end > at ? end : at + 1;
}

/* --- doubts --- */

static bool can_move(const doubt *d, const arrival *latest)
{
    return !latest->is_known || d->most > latest->time;
}

/* The one that can have the latest time of them; NULL when there is none. */
static doubt *greatest_doubt(time_search *self)
{
    doubt *greatest = NULL;

    for (size_t i = 0; i < self->doubt_count; i++)
        if (greatest == NULL || self->doubts[i].most > greatest->most)
            greatest = &self->doubts[i];
    return greatest;
}

/* It seldom takes more than a reading or two: no order is needed. */
static void resolve_doubts(time_search *self, time_reader *read, void *arg, arrival *latest)
{
    doubt *d;

    while ((d = greatest_doubt(self)) != NULL && can_move(d, latest)) {
        arrival_raise(latest, read(arg, d->line));
        *d = self->doubts[--self->doubt_count];
    }
    self->doubt_count = 0;
}

static void take_doubt(time_search *self, timestamp most, text line, const arrival *latest)
{
    doubt d = {most, line};

    if (can_move(&d, latest))
        self->doubts[self->doubt_count++] = d;
}

/* --- lines --- */

static size_t line_end(text t, size_t at)
{
    const char *end = memchr(t.bytes + at, '\n', t.length - at);

    return end != NULL ? (size_t)(end - t.bytes) : t.length;
}

/* A line in which the first place was found at `at`. */
static void take_line(time_search *self, text t, size_t at, size_t end, arrival *latest)
{
    line_times line = {0};

    for (size_t place = at; place < end;
         place += gate_find(self->gate, (text){t.bytes + place, end - place}))
        place = look_at(self, t, place, &line);
    if (line.differ && line.latest.is_known)
        take_doubt(self, line.latest.time,
                   text_between(t.bytes + line_scan_begin(t, at), t.bytes + end), latest);
    else
        arrival_raise(latest, line.latest);
}

void time_search_pass(time_search *self, text t, time_reader *read, void *arg, arrival *latest)
{
    size_t at = gate_find(self->gate, t);

    while (at < t.length) {
        size_t end = line_end(t, at);

        take_line(self, t, at, end, latest);
        if (self->doubt_count == MOST_DOUBTS)
            resolve_doubts(self, read, arg, latest);
        at = end + gate_find(self->gate, text_from(t, end));
    }
    resolve_doubts(self, read, arg, latest);
}
