/* SPDX-License-Identifier: Apache-2.0 */
/* arrival: the stamp of a line, and the clock. */
#include "cli/arrival.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LEAP_YEAR = 72 }; /* since 1900: there is a 29 February in it */

/* --- the stamp of a line --- */

static arrival known(timestamp time)
{
    return (arrival){.is_known = true, .time = time};
}

static text without_priority(text line)
{
    size_t at = 1;

    if (line.length < 3 || line.bytes[0] != '<')
        return line;
    while (at < line.length && at < 5 && isdigit((unsigned char)line.bytes[at]))
        at++;
    return at < line.length && line.bytes[at] == '>' ? text_from(line, at + 1) : line;
}

/* RFC 5424's version stands in front of its time. */
static text without_version(text line)
{
    return line.length > 2 && line.bytes[0] == '1' && line.bytes[1] == ' ' ? text_from(line, 2)
                                                                           : line;
}

static text first_word(text line)
{
    const char *end = memchr(line.bytes, ' ', line.length);

    return end != NULL ? text_between(line.bytes, end) : (text){"", 0};
}

static bool is_iso_time(text word)
{
    return word.length >= 19 && word.bytes[4] == '-' && word.bytes[7] == '-' &&
           word.bytes[10] == 'T';
}

/* `Jun  1 12:00:00 ` */
static arrival read_rfc3164(text line)
{
    enum { LENGTH = 15 };
    char copy[LENGTH + 1];
    struct tm stamp = {.tm_year = LEAP_YEAR};
    const char *end;

    if (line.length <= LENGTH || line.bytes[3] != ' ' || line.bytes[LENGTH] != ' ')
        return (arrival){0};
    memcpy(copy, line.bytes, LENGTH);
    copy[LENGTH] = '\0';
    end = strptime(copy, "%b %d %H:%M:%S", &stamp);
    if (end == NULL || *end != '\0')
        return (arrival){0};
    return (arrival){true, true, timestamp_of_utc(&stamp)};
}

arrival arrival_of_line(text line)
{
    text rest = without_priority(line);
    text word = rest.length > 0 ? first_word(without_version(rest)) : rest;
    timestamp t;

    if (is_iso_time(word) && timestamp_parse(word, &t))
        return known(t);
    return read_rfc3164(rest);
}

/* --- the clock --- */

static arrival time_in(json *value)
{
    text written = json_string(value);
    timestamp t;

    return written.bytes != NULL && timestamp_parse(written, &t) ? known(t) : (arrival){0};
}

arrival arrival_of_object(json *object, arrival of_line)
{
    bool other_case = false;
    arrival own = time_in(json_member_any_case(object, "_TimeReceived", &other_case));

    return own.is_known ? own : of_line;
}

arrival_clock arrival_clock_begin(timestamp reference, timestamp earliest)
{
    return (arrival_clock){.now = reference, .earliest = earliest};
}

/* The stamp in the year that brings it nearest to the clock. */
static timestamp in_nearest_year(timestamp stamp, timestamp clock)
{
    struct tm utc = timestamp_utc(stamp);
    int year = timestamp_utc(clock).tm_year;
    timestamp best = 0;

    for (int y = year - 1; y <= year + 1; y++) {
        struct tm tried = utc;
        timestamp t;

        tried.tm_year = y;
        t = timestamp_of_utc(&tried);
        if (y == year - 1 || llabs(t - clock) < llabs(best - clock))
            best = t;
    }
    return best;
}

void arrival_clock_note(arrival_clock *self, arrival generated)
{
    arrival_raise(&self->latest, generated);
}

timestamp arrival_clock_move(arrival_clock *self, arrival arrived, arrival generated)
{
    arrival_clock_note(self, generated);
    if (arrived.is_known)
        self->now = arrived.lacks_year ? in_nearest_year(arrived.time, self->now) : arrived.time;
    else if (self->latest.is_known)
        self->now = self->latest.time > self->earliest ? self->latest.time : self->earliest;
    return self->now;
}
