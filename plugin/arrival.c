/* arrival: the stamp of a line, and the clock. */
#include "arrival.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

arrival_clock arrival_clock_begin(timestamp reference)
{
    return (arrival_clock){.now = reference};
}

/* --- the stamp of a line ------------------------------------------------------------------------
 */

static arrival known(timestamp time)
{
    return (arrival){true, time};
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

/* The year that brings the stamp nearest to the clock. */
static timestamp nearest_year(struct tm *stamp, timestamp clock)
{
    time_t seconds = (time_t)(clock / TICKS_PER_SECOND);
    timestamp best = 0;
    struct tm utc;

    gmtime_r(&seconds, &utc);
    for (int year = utc.tm_year - 1; year <= utc.tm_year + 1; year++) {
        timestamp t;

        stamp->tm_year = year;
        t = (timestamp)timegm(stamp) * TICKS_PER_SECOND;
        if (year == utc.tm_year - 1 || llabs(t - clock) < llabs(best - clock))
            best = t;
    }
    return best;
}

/* `Jun  1 12:00:00 ` */
static arrival read_rfc3164(text line, timestamp clock)
{
    enum { LENGTH = 15 };
    char copy[LENGTH + 1];
    struct tm stamp = {0};
    const char *end;

    if (line.length <= LENGTH || line.bytes[3] != ' ' || line.bytes[LENGTH] != ' ')
        return (arrival){0};
    memcpy(copy, line.bytes, LENGTH);
    copy[LENGTH] = '\0';
    end = strptime(copy, "%b %d %H:%M:%S", &stamp);
    return end != NULL && *end == '\0' ? known(nearest_year(&stamp, clock)) : (arrival){0};
}

static arrival read_stamp(text line, timestamp clock)
{
    text rest = without_priority(line);
    text word = rest.length > 0 ? first_word(without_version(rest)) : rest;
    timestamp t;

    if (is_iso_time(word) && timestamp_parse(word, &t))
        return known(t);
    return read_rfc3164(rest, clock);
}

void arrival_clock_begin_line(arrival_clock *self, text line)
{
    self->stamp = read_stamp(line, self->now);
}

/* --- the clock ----------------------------------------------------------------------------------
 */

static arrival time_in(json *value)
{
    text written = json_string(value);
    timestamp t;

    return written.bytes != NULL && timestamp_parse(written, &t) ? known(t) : (arrival){0};
}

arrival arrival_of(const arrival_clock *self, json *object)
{
    bool other_case = false;
    arrival own = time_in(json_at_any_case(object, "_TimeReceived", &other_case));

    return own.is_known ? own : self->stamp;
}

timestamp arrival_clock_move(arrival_clock *self, arrival arrived, arrival generated)
{
    if (generated.is_known && (!self->latest.is_known || generated.time > self->latest.time))
        self->latest = generated;
    if (arrived.is_known)
        self->now = arrived.time;
    else if (self->latest.is_known)
        self->now = self->latest.time;
    return self->now;
}
