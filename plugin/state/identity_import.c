/* SPDX-License-Identifier: Apache-2.0 */
/* identity_import: unwrap or take the table apart, read, put. */
#include "state/identity_import.h"

#include <stdio.h>
#include <stdlib.h>

#include "record/identity_table.h"
#include "record/unwrap.h"

struct identity_import {
    unwrap *unwrap;
    arena *memory;
    identity_import_teller *teller;
    void *teller_arg;

    /* what is being fed */
    role_list *list;
    text message;
    timestamp received;
    identity_table *table;
    identity_imported done;
};

identity_import *identity_import_new(void)
{
    identity_import *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->unwrap = unwrap_new();
    self->memory = arena_new();
    if (self->unwrap != NULL && self->memory != NULL)
        return self;
    identity_import_free(self);
    return NULL;
}

void identity_import_free(identity_import *self)
{
    if (self == NULL)
        return;
    unwrap_free(self->unwrap);
    arena_free(self->memory);
    identity_table_free(self->table);
    free(self);
}

void identity_import_set_teller(identity_import *self, identity_import_teller *teller, void *arg)
{
    self->teller = teller;
    self->teller_arg = arg;
}

static void tell(const identity_import *self, identity_trouble trouble, size_t line,
                 const char *what)
{
    if (self->teller != NULL)
        self->teller(self->teller_arg, trouble, line, what);
}

static void take_reading(identity_import *self, identity_result reading,
                         const identity_record *record)
{
    switch (reading) {
    case IDENTITY_RECORD:
        if (role_list_put(self->list, record))
            self->done.rows++;
        else
            self->done.failed = true;
        break;
    case IDENTITY_WITHOUT_TIME:
        self->done.without_time++;
        break;
    case IDENTITY_OUT_OF_MEMORY:
        self->done.failed = true;
        break;
    case IDENTITY_OTHER_KIND:
        break;
    }
}

static unwrap_kind put_object(void *arg, json *object)
{
    identity_import *self = arg;
    identity_rows rows;

    if (!identity_rows_find(object, &rows))
        return UNWRAP_UNKNOWN;
    self->done.records++;
    for (size_t n = 0; n < rows.count && !self->done.failed; n++) {
        identity_record record;
        identity_result reading =
            identity_rows_read(&rows, n, self->received, self->memory, &record);

        take_reading(self, reading, &record);
        arena_reset(self->memory);
    }
    return UNWRAP_RECORD;
}

/* The line in which a stretch of the message begins; of one that stood in a string, the first. */
static size_t line_of(text message, text stretch)
{
    const char *begin = memmem(message.bytes, message.length, stretch.bytes, stretch.length);
    size_t line = 1;

    for (const char *at = message.bytes; begin != NULL && at < begin; at++)
        line += *at == '\n';
    return line;
}

static void take_broken(void *arg, text broken, const char *reason)
{
    identity_import *self = arg;

    tell(self, TROUBLE_BROKEN, line_of(self->message, broken), reason);
}

static void tell_without_time(const identity_import *self)
{
    char what[80];

    if (self->done.without_time == 0)
        return;
    snprintf(what, sizeof(what), "%zu row%s without a readable time: left out",
             self->done.without_time, self->done.without_time == 1 ? "" : "s");
    tell(self, TROUBLE_WITHOUT_TIME, 1, what);
}

static void feed_documents(identity_import *self, const carrier *rulebase, text message)
{
    const unwrap_sink sink = {self, put_object, take_broken};
    unwrapped found;

    self->message = message;
    found = unwrap_text(self->unwrap, rulebase, message, &sink);
    self->done.broken = found.broken;
    self->done.reason = found.reason;
    self->done.failed |= found.out_of_memory;
    tell_without_time(self);
}

static void take_row(void *arg, size_t line, identity_result reading, const identity_record *record)
{
    identity_import *self = arg;

    if (self->done.failed)
        return;
    take_reading(self, reading, record);
    if (reading == IDENTITY_WITHOUT_TIME)
        tell(self, TROUBLE_WITHOUT_TIME, line, "a row without a readable time: left out");
}

static void take_broken_row(void *arg, size_t line, const char *what)
{
    identity_import *self = arg;

    if (self->done.broken++ == 0)
        self->done.reason = what;
    tell(self, TROUBLE_BROKEN, line, what);
}

bool identity_import_begin_table(identity_import *self, role_list *list, text beginning)
{
    bool out_of_memory;

    self->list = list;
    self->done = (identity_imported){.records = 1};
    self->table = identity_table_new(beginning, take_row, take_broken_row, self, &out_of_memory);
    self->done.failed = out_of_memory;
    return self->table != NULL || out_of_memory;
}

bool identity_import_feed_table(identity_import *self, text piece)
{
    if (self->table != NULL) {
        identity_table_feed(self->table, piece);
        self->done.failed |= identity_table_failed(self->table);
    }
    return !self->done.failed;
}

identity_imported identity_import_end_table(identity_import *self, bool is_cut)
{
    if (self->table != NULL) {
        identity_table_end(self->table, is_cut);
        self->done.failed |= identity_table_failed(self->table);
    }
    identity_table_free(self->table);
    self->table = NULL;
    return self->done;
}

/*
 * rsyslog writes the line breaks of a received message as `#` and three octal
 * digits (parser.escapeControlCharactersOnReceive); the text as it was, when
 * that is how its lines end. Its bytes are NULL when memory is out.
 */
static text unescape_lines(arena *memory, text message)
{
    static const char line_end[] = "#012";
    text copy;
    char *to;

    if (memmem(message.bytes, message.length, line_end, strlen(line_end)) == NULL ||
        memchr(message.bytes, '\n', message.length) != NULL)
        return message;
    copy = arena_copy(memory, message);
    if (copy.bytes == NULL)
        return copy;
    to = (char *)copy.bytes;
    for (size_t at = 0; at < message.length; to++) {
        bool is_escape = message.length - at >= 4 && memcmp(message.bytes + at, "#01", 3) == 0 &&
                         message.bytes[at + 3] >= '0' && message.bytes[at + 3] <= '7';

        *to = is_escape ? (char)(8 + message.bytes[at + 3] - '0') : message.bytes[at];
        at += is_escape ? 4 : 1;
    }
    return text_between(copy.bytes, to);
}

/* False when it is none. */
static bool feed_table(identity_import *self, role_list *list, text message)
{
    text lines = unescape_lines(self->memory, message);
    bool is_table = true;

    if (lines.bytes == NULL && message.bytes != NULL) {
        self->done = (identity_imported){.failed = true};
    } else if (identity_import_begin_table(self, list, lines)) {
        identity_import_feed_table(self, lines);
        identity_import_end_table(self, false);
    } else {
        is_table = false;
    }
    arena_reset(self->memory);
    return is_table;
}

identity_imported identity_import_feed(identity_import *self, role_list *list,
                                       const carrier *rulebase, text message, timestamp received)
{
    self->received = received;
    if (feed_table(self, list, message))
        return self->done;
    self->done = (identity_imported){0};
    feed_documents(self, rulebase, message);
    return self->done;
}
