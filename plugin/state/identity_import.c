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
    identity_import_marker_taker *take_marker; /* NULL: they are passed over */
    void *marker_arg;
    date_order order;      /* of the dates of tables, if somebody said it */
    text role;             /* of members that stand alone; "": it is not known */
    identity_pages *pages; /* NULL: whether they are whole is of no matter */

    /* what is being fed */
    role_list *list;
    text message;
    timestamp received;
    identity_table *table;
    identity_imported done;
    identity_surroundings surroundings; /* of the object at work, as the page around it says */
    bool members_are_nameless;
    size_t lines_counted; /* up to counted_to */
    size_t counted_to;
    size_t looked_in_vain; /* for a stretch that stood in a string */
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
    identity_pages_free(self->pages);
    free(self);
}

void identity_import_set_teller(identity_import *self, identity_import_teller *teller, void *arg)
{
    self->teller = teller;
    self->teller_arg = arg;
}

void identity_import_set_marker_taker(identity_import *self, identity_import_marker_taker *take,
                                      void *arg)
{
    self->take_marker = take;
    self->marker_arg = arg;
}

void identity_import_set_role(identity_import *self, text role)
{
    self->role = role;
}

void identity_import_set_date_order(identity_import *self, date_order order)
{
    self->order = order;
}

bool identity_import_expect_pages(identity_import *self)
{
    self->pages = identity_pages_new();
    return self->pages != NULL;
}

void identity_import_set_place(identity_import *self, const char *file, size_t line)
{
    if (self->pages != NULL)
        identity_pages_begin_document(self->pages, file, line);
}

const identity_pages *identity_import_pages(const identity_import *self)
{
    return self->pages;
}

static void tell(const identity_import *self, identity_trouble trouble, size_t line,
                 const char *what)
{
    if (self->teller != NULL)
        self->teller(self->teller_arg, trouble, line, what);
}

static void note_broken(identity_import *self, size_t line, const char *reason)
{
    if (self->done.broken++ == 0)
        self->done.reason = reason;
    tell(self, TROUBLE_BROKEN, line, reason);
}

/* A row of the future would stay the newest for ever: it counts as of now. */
static bool put(identity_import *self, const identity_record *record)
{
    identity_record row = *record;

    if (row.time_generated > self->received + TICKS_PER_DAY)
        row.time_generated = self->received;
    return role_list_put(self->list, &row);
}

static void take_reading(identity_import *self, size_t line, identity_result reading,
                         const identity_record *record)
{
    switch (reading) {
    case IDENTITY_RECORD:
        self->done.failed |= !put(self, record);
        self->done.rows += !self->done.failed;
        self->done.removed += record->roles == ROLES_REMOVED;
        if (record->roles_were_cut)
            note_broken(self, line, "a row whose AssignedRoles were cut: there may have been more");
        break;
    case IDENTITY_WITHOUT_TIME:
        self->done.without_time++;
        break;
    case IDENTITY_UNREADABLE:
        note_broken(self, line, "a member of a role that cannot be read");
        break;
    case IDENTITY_HIDES_ROLES:
        note_broken(self, line,
                    "a row with a type's name in the place of its roles (PowerShell writes it "
                    "for a list): left out");
        break;
    case IDENTITY_OUT_OF_MEMORY:
        self->done.failed = true;
        break;
    case IDENTITY_OTHER_KIND:
        break;
    }
}

static void put_rows(identity_import *self, identity_rows *rows)
{
    for (size_t n = 0; n < rows->count && !self->done.failed; n++) {
        identity_record record;
        identity_result reading =
            identity_rows_read(rows, n, self->received, self->memory, &record);

        take_reading(self, 1, reading, &record);
        arena_reset(self->memory);
    }
}

static void note_gaps(const identity_import *self, const identity_rows *rows)
{
    if (rows->is_limited)
        tell(self, TROUBLE_GAP, 1,
             "a role of exactly 20 members: $expand gives no more, there may be others");
    if (rows->layout.shape == IDENTITY_GRAPH_DELTA)
        tell(self, TROUBLE_DELTA, 1, "a delta: it holds only what has changed");
}

static void leave_page(identity_import *self)
{
    self->surroundings = (identity_surroundings){.role = self->role};
    self->members_are_nameless = false;
}

/* A page says what the objects in it are. A part of a batch stands beside the page before it. */
static void enter_page(identity_import *self, json *object)
{
    text context;

    if (json_has_member(object, "body"))
        leave_page(self);

    if (self->pages != NULL)
        identity_pages_note(self->pages, object);
    if (!identity_page_context(object, &context))
        return;
    self->surroundings = identity_surroundings_of(context);
    if (self->role.length > 0)
        self->surroundings.role = self->role;
    self->members_are_nameless =
        identity_members_are_nameless(context) && self->surroundings.role.length == 0;
}

/* Objects that would be members if their role were known. */
static bool is_nameless_member(const identity_import *self, json *object)
{
    return self->members_are_nameless && json_has_member(object, "id");
}

static bool note_failure(identity_import *self, json *object)
{
    buffer words = {0};
    bool has_failed = identity_page_failed(object, self->memory, &words);

    arena_reset(self->memory);
    if (has_failed) {
        self->done.failed_parts++;
        tell(self, TROUBLE_FAILED, 1,
             buffer_failed(&words) ? "out of memory" : buffer_string(&words));
    }
    buffer_free(&words);
    return has_failed;
}

static int64_t number_of(json *value, arena *memory)
{
    text digits = json_tostring(value, memory);
    int64_t number = 0;

    if (digits.length == 0 || digits.length > 18)
        return -1;
    for (size_t i = 0; i < digits.length; i++) {
        if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
            return -1;
        number = 10 * number + digits.bytes[i] - '0';
    }
    return number;
}

/* A snapshot's beginning or end; false when it is neither. */
static bool take_marker(identity_import *self, json *object)
{
    text word = json_string(json_member(object, "synctap_snapshot"));
    snapshot_marker marker = {
        .is_end = text_equal(word, (text)TEXT("end")),
        .is_forced = json_is_true(json_member(object, "force")),
        .received = self->received,
    };

    if (word.bytes == NULL || (!marker.is_end && !text_equal(word, (text)TEXT("begin"))))
        return false;
    marker.id = json_tostring(json_member(object, "id"), self->memory);
    marker.rows = number_of(json_member(object, "rows"), self->memory);
    self->done.records++;
    self->done.failed |= marker.id.bytes == NULL;
    if (self->take_marker != NULL && !self->done.failed)
        self->done.failed |= !self->take_marker(self->marker_arg, &marker);
    arena_reset(self->memory);
    return true;
}

static unwrap_kind put_object(void *arg, json *object)
{
    identity_import *self = arg;
    identity_rows rows;

    if (take_marker(self, object))
        return UNWRAP_RECORD;
    enter_page(self, object);
    if (identity_rows_find(object, &self->surroundings, unwrap_parser(self->unwrap), &rows)) {
        self->done.records++;
        note_gaps(self, &rows);
        put_rows(self, &rows);
        identity_rows_end(&rows);
        return UNWRAP_RECORD;
    }
    if (is_nameless_member(self, object)) {
        note_broken(self, 1, "a member of a role that is not named: name it by --role");
        return UNWRAP_OTHER_KIND;
    }
    return note_failure(self, object) && json_has_member(object, "body") ? UNWRAP_OTHER_KIND
                                                                         : UNWRAP_UNKNOWN;
}

/*
 * The line in which a stretch of the message begins; of one that stood in a
 * string, that of the stretch before it. They come in their order, so each line is counted once.
 */
static size_t line_of(identity_import *self, text stretch)
{
    enum { ENOUGH = 64 /* bytes, to tell a stretch by */, MOST_IN_VAIN = 16 };
    text rest = text_from(self->message, self->counted_to);
    size_t wanted = stretch.length < ENOUGH ? stretch.length : ENOUGH;
    const char *begin = NULL;

    if (self->looked_in_vain < MOST_IN_VAIN)
        begin = memmem(rest.bytes, rest.length, stretch.bytes, wanted);
    self->looked_in_vain += begin == NULL;

    for (const char *at = rest.bytes; begin != NULL && at < begin; at++)
        self->lines_counted += *at == '\n';
    if (begin != NULL)
        self->counted_to = (size_t)(begin - self->message.bytes) + 1;
    return self->lines_counted;
}

static void take_broken(void *arg, text broken, const char *reason)
{
    identity_import *self = arg;

    if (self->teller != NULL)
        tell(self, TROUBLE_BROKEN, line_of(self, broken), reason);
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
    const unwrap_sink sink = {self, put_object, take_broken, NULL};
    unwrapped found;

    self->message = message;
    self->lines_counted = 1;
    self->counted_to = self->looked_in_vain = 0;
    leave_page(self);
    found = unwrap_text(self->unwrap, rulebase, message, &sink);
    self->done.broken += found.broken;
    if (self->done.reason == NULL)
        self->done.reason = found.reason;
    self->done.failed |= found.out_of_memory;
    tell_without_time(self);
}

static void take_row(void *arg, size_t line, identity_result reading, const identity_record *record)
{
    identity_import *self = arg;

    if (self->done.failed)
        return;
    take_reading(self, line, reading, record);
    if (reading == IDENTITY_WITHOUT_TIME)
        tell(self, TROUBLE_WITHOUT_TIME, line, "a row without a readable time: left out");
}

static void take_broken_row(void *arg, size_t line, const char *what)
{
    note_broken(arg, line, what);
}

bool identity_import_begin_table(identity_import *self, role_list *list, text beginning,
                                 timestamp received)
{
    bool out_of_memory;

    self->received = received;
    self->list = list;
    self->done = (identity_imported){.records = 1};
    self->table =
        identity_table_new(beginning, self->order, take_row, take_broken_row, self, &out_of_memory);
    self->done.failed = out_of_memory || (self->table != NULL && !role_list_mark(list));
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
        bool is_refused;

        identity_table_end(self->table, is_cut);
        is_refused = identity_table_is_refused(self->table);
        self->done.failed |=
            identity_table_failed(self->table) || !role_list_end_mark(self->list, !is_refused);
        if (is_refused)
            self->done.rows = 0;
    }
    identity_table_free(self->table);
    self->table = NULL;
    return self->done;
}

/* `#` and three octal digits of a character from backspace to carriage return; 0: none. */
static char escaped_at(text t, size_t at)
{
    bool is_escape = t.length - at >= 4 && memcmp(t.bytes + at, "#01", 3) == 0 &&
                     t.bytes[at + 3] >= '0' && t.bytes[at + 3] <= '7';

    return is_escape ? (char)(8 + t.bytes[at + 3] - '0') : '\0';
}

/* Quotes open at the beginning of a cell alone. */
static bool is_in_quotes(bool was, const char *written, const char *to)
{
    if (*to != '"')
        return was;
    return !was && (to == written || strchr(",;\t\n", to[-1]) != NULL);
}

/*
 * rsyslog writes the line breaks of a received message as `#` and three octal
 * digits (parser.escapeControlCharactersOnReceive); the text as it was, when
 * that is how its header ends. What stands in quotes stays: there it ends no
 * row. Its bytes are NULL when memory is out.
 */
static text unescape_lines(arena *memory, text message)
{
    static const char line_end[] = "#012";
    bool in_quotes = false;
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
        char escaped = in_quotes ? '\0' : escaped_at(message, at);

        *to = escaped ? escaped : message.bytes[at];
        at += escaped ? 4 : 1;
        in_quotes = is_in_quotes(in_quotes, copy.bytes, to);
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
    } else if (identity_import_begin_table(self, list, lines, self->received)) {
        if (self->table != NULL && lines.bytes != message.bytes)
            identity_table_distrust(self->table);
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
