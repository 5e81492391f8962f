/* SPDX-License-Identifier: Apache-2.0 */
/* status_report: an array of findings, as lines and as JSON. */
#include "cli/status_report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/room.h"
#include "base/shown.h"
#include "base/span.h"
#include "cli/table.h"
#include "cli/words.h"

enum {
    STATE_WIDTH = 9,
    CHECK_WIDTH = 16,
    INDENT = STATE_WIDTH + CHECK_WIDTH,
    LEAST_WIDTH = 20, /* characters of words in a line, however narrow the terminal is */
};

static const struct {
    const char *name, *summary, *colour;
} states[] = {
    [STATUS_OK] = {"ok", "OK", "\033[32m"},
    [STATUS_WARNING] = {"warning", "WARNING", "\033[33m"},
    [STATUS_BROKEN] = {"broken", "BROKEN", "\033[31;1m"},
};

void status_report_free(status_report *self)
{
    for (size_t i = 0; i < self->count; i++)
        buffer_free(&self->findings[i].words);
    free(self->findings);
    *self = (status_report){0};
}

static void append_formatted(buffer *out, const char *format, va_list arguments)
{
    char *said = NULL;

    if (vasprintf(&said, format, arguments) < 0) {
        out->failed = true;
        return;
    }
    buffer_append_string(out, said);
    free(said);
}

void status_report_add(status_report *self, const char *check, status_state state,
                       const char *format, ...)
{
    struct status_finding *made;
    va_list arguments;

    if (!room_for_one_more(&self->findings, sizeof(*made), self->count, &self->room)) {
        self->failed = true;
        return;
    }
    made = &self->findings[self->count++];
    *made = (struct status_finding){.check = check, .state = state};
    va_start(arguments, format);
    append_formatted(&made->words, format, arguments);
    va_end(arguments);
    self->failed |= buffer_failed(&made->words);
}

status_state status_against(const status_limits *limits, status_limit which, int64_t value)
{
    int64_t sign = status_limit_is_lower(which) ? -1 : 1;

    if (sign * value > sign * limits->broken[which])
        return STATUS_BROKEN;
    return sign * value > sign * limits->warning[which] ? STATUS_WARNING : STATUS_OK;
}

const char *status_span(buffer *room, int64_t seconds)
{
    char written[SPAN_TEXT_SIZE];

    buffer_clear(room);
    buffer_append_string(room, span_format(seconds * TICKS_PER_SECOND, written));
    return buffer_failed(room) ? "?" : buffer_string(room);
}

const char *status_ago(buffer *room, timestamp now, timestamp then)
{
    char written[SPAN_TEXT_SIZE];
    timespan age = (now - then) / TICKS_PER_SECOND * TICKS_PER_SECOND;

    buffer_clear(room);
    buffer_append_string(room, span_format(age < 0 ? -age : age, written));
    buffer_append_string(room, age < 0 ? " in the future" : " ago");
    return buffer_failed(room) ? "?" : buffer_string(room);
}

status_state status_report_worst(const status_report *self)
{
    status_state worst = self->failed ? STATUS_BROKEN : STATUS_OK;

    for (size_t i = 0; i < self->count; i++)
        if (self->findings[i].state > worst)
            worst = self->findings[i].state;
    return worst;
}

const char *status_state_name(status_state state)
{
    return states[state].name;
}

/* --- lines --- */

static void print_state(FILE *out, const char *word, status_state state, int width)
{
    bool colours = words_may_colour(out);

    fputs(colours ? states[state].colour : "", out);
    fprintf(out, "%s", word);
    fputs(colours ? "\033[0m" : "", out);
    fprintf(out, "%*s", width > (int)strlen(word) ? width - (int)strlen(word) : 0, "");
}

/* What is bad, the worst first; a monitor may show no more than this line. */
static void print_summary(const status_report *self, FILE *out)
{
    status_state worst = status_report_worst(self);
    bool any = false;

    print_state(out, states[worst].summary, worst, 0);
    fputs(" - ", out);
    for (int state = STATUS_BROKEN; state > STATUS_OK; state--)
        for (size_t i = 0; i < self->count; i++) {
            if (self->findings[i].state != (status_state)state)
                continue;
            fprintf(out, "%s%s: ", any ? "; " : "", self->findings[i].check);
            words_put(out, buffer_text(&self->findings[i].words));
            any = true;
        }
    if (!any)
        fprintf(out, self->failed ? "out of memory" : "%zu checks", self->count);
    fputc('\n', out);
}

/* How much of it goes into a line: up to the last blank that does. */
static size_t line_of(text words, size_t width)
{
    size_t end = width;

    if (words.length <= width)
        return words.length;
    while (end > 0 && words.bytes[end] != ' ')
        end--;
    return end > 0 ? end : width;
}

/* Bytes for columns: wider letters make shorter lines, no longer ones. */
static void print_words(FILE *out, text words, size_t width)
{
    while (words.length > 0) {
        size_t length = line_of(words, width);

        fwrite(words.bytes, 1, length, out);
        fputc('\n', out);
        words = text_from(words, length);
        if (words.length == 0)
            return;
        words = words.bytes[0] == ' ' ? text_from(words, 1) : words;
        fprintf(out, "%*s", INDENT, "");
    }
}

static void print_finding(const struct status_finding *f, size_t terminal, FILE *out)
{
    size_t width = terminal > INDENT + LEAST_WIDTH ? terminal - INDENT : LEAST_WIDTH;
    buffer shown = {0};

    shown_append(&shown, buffer_text(&f->words));
    print_state(out, states[f->state].name, f->state, STATE_WIDTH);
    fprintf(out, "%-*s", CHECK_WIDTH, f->check);
    print_words(out, buffer_text(&shown), terminal > 0 ? width : shown.length);
    buffer_free(&shown);
}

void status_report_print(const status_report *self, FILE *out)
{
    size_t terminal = table_terminal_width(out);

    print_summary(self, out);
    for (size_t i = 0; i < self->count; i++)
        print_finding(&self->findings[i], terminal, out);
}

/* --- JSON --- */

void status_write_number(buffer *out, const char *key, int64_t number)
{
    char written[24];

    snprintf(written, sizeof(written), "%" PRId64, number);
    json_write_key(out, key);
    buffer_append_string(out, written);
}

void status_write_time(buffer *out, const char *key, timestamp t)
{
    char written[TIMESTAMP_TEXT_SIZE];

    timestamp_format(t, written);
    if (t != 0) {
        json_write_member(out, key, text_of(written));
        return;
    }
    json_write_key(out, key);
    buffer_append_string(out, "null");
}

void status_report_write(const status_report *self, buffer *out)
{
    json_write_key(out, "checks");
    buffer_append_char(out, '[');
    for (size_t i = 0; i < self->count; i++) {
        const struct status_finding *f = &self->findings[i];

        json_write_item(out);
        buffer_append_char(out, '{');
        json_write_member(out, "check", text_of(f->check));
        json_write_member(out, "state", text_of(states[f->state].name));
        json_write_member(out, "words", buffer_text(&f->words));
        buffer_append_char(out, '}');
    }
    buffer_append_char(out, ']');
}
