/* SPDX-License-Identifier: Apache-2.0 */
/* audit_table: a header's columns sorted out, then each row written as JSON. */
#include "record/audit_table.h"

#include <stdlib.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/json.h"
#include "record/csv_head.h"

enum { PIECE = 1024 * 1024 }; /* bytes fed at once */

/* What a column is. Those of Entra's portal come first, grouped by where they go. */
typedef enum part {
    NOTHING,
    ACTIVITY,
    DATE,
    CORRELATION,
    SERVICE,
    CATEGORY,
    RESULT,
    REASON,
    ACTOR_NAME,
    ACTOR_ID,
    ACTOR_UPN,
    ADDRESS,
    APP_ID,
    APP_NAME,
    TARGET_TYPE,
    TARGET_NAME,
    TARGET_ID,
    TARGET_UPN,
    PROPERTY_NAME,
    PROPERTY_OLD,
    PROPERTY_NEW,
    DETAIL_KEY,
    DETAIL_VALUE,
    MEMBER, /* of a record: it keeps its name */
} part;

typedef struct column {
    part part;
    unsigned target; /* from 1; 0: of none */
    unsigned pair;   /* a modified property's, or a detail's */
    bool is_date;
    bool is_dynamic;
    char *name; /* a MEMBER's */
} column;

/* A column of Entra's portal; `%` stands for a number: the target's first, then the pair's. */
static const struct entra_column {
    const char *name;
    part part;
} entra_columns[] = {
    {"Date (UTC)", DATE},
    {"Date", DATE},
    {"CorrelationId", CORRELATION},
    {"Service", SERVICE},
    {"Category", CATEGORY},
    {"Activity", ACTIVITY},
    {"Result", RESULT},
    {"ResultReason", REASON},
    {"ActorDisplayName", ACTOR_NAME},
    {"ActorObjectId", ACTOR_ID},
    {"ActorUserPrincipalName", ACTOR_UPN},
    {"IPAddress", ADDRESS},
    {"ActorServicePrincipalId", APP_ID},
    {"ActorServicePrincipalName", APP_NAME},
    {"Target%Type", TARGET_TYPE},
    {"Target%DisplayName", TARGET_NAME},
    {"Target%ObjectId", TARGET_ID},
    {"Target%UserPrincipalName", TARGET_UPN},
    {"Target%ModifiedProperty%Name", PROPERTY_NAME},
    {"Target%ModifiedProperty%OldValue", PROPERTY_OLD},
    {"Target%ModifiedProperty%NewValue", PROPERTY_NEW},
    {"AdditionalDetail%Key", DETAIL_KEY},
    {"AdditionalDetail%Value", DETAIL_VALUE},
};

typedef struct table {
    column columns[CSV_HEAD_MOST_COLUMNS];
    size_t count; /* 0: the header has not come yet */
    bool is_entra;
    unsigned targets; /* the highest numbers of any column */
    unsigned pairs;
    bool has_preamble; /* the next row is none */
    date_order order;
    date_order shown; /* by all dates, while they are looked at */
    bool saw_slashes;
    size_t order_line; /* where the dates showed the other order, too */
    json_parser *parser;
    buffer record;
    audit_table_sink *sink;
    void *arg;
    bool is_ended;
    bool ran_out; /* of memory: rows would be less than they are */
} table;

/* --- the header --- */

static bool is_name(text cell, const char *name)
{
    cell = csv_head_name(cell);
    return cell.length == strlen(name) && strncasecmp(cell.bytes, name, cell.length) == 0;
}

static bool is_one_of(text cell, const char *const *names)
{
    for (; *names != NULL; names++)
        if (is_name(cell, *names))
            return true;
    return false;
}

static bool has_one_of(const text *cells, size_t count, const char *const *names)
{
    for (size_t i = 0; i < count; i++)
        if (is_one_of(cells[i], names))
            return true;
    return false;
}

static bool is_entras(const text *cells, size_t count)
{
    static const char *const activity[] = {"Activity", NULL};
    static const char *const target[] = {"Target1UserPrincipalName", "Target1ObjectId", NULL};

    return has_one_of(cells, count, activity) && has_one_of(cells, count, target);
}

static bool is_header(const text *cells, size_t count)
{
    static const char *const operation[] = {"OperationName", "activityDisplayName", NULL};
    static const char *const target[] = {"TargetResources", NULL};

    return is_entras(cells, count) ||
           (has_one_of(cells, count, operation) && has_one_of(cells, count, target));
}

/* Takes the digits of a number from 1 to 99 off the text; false when there are none. */
static bool take_number(text *t, unsigned *number)
{
    *number = 0;
    while (t->length > 0 && t->bytes[0] >= '0' && t->bytes[0] <= '9' && *number < 10) {
        *number = 10 * *number + (unsigned)(t->bytes[0] - '0');
        *t = text_from(*t, 1);
    }
    return *number > 0;
}

/* Does the name fit the pattern? Then its numbers are put into `numbers`. */
static bool fits(text name, const char *pattern, unsigned numbers[2])
{
    size_t count = 0;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern == '%') {
            if (!take_number(&name, &numbers[count++]))
                return false;
        } else if (name.length > 0 && strncasecmp(name.bytes, pattern, 1) == 0) {
            name = text_from(name, 1);
        } else {
            return false;
        }
    }
    return name.length == 0;
}

static column entra_column(text name)
{
    unsigned numbers[2];

    for (size_t i = 0; i < sizeof(entra_columns) / sizeof(entra_columns[0]); i++) {
        part p = entra_columns[i].part;

        numbers[0] = numbers[1] = 0;
        if (!fits(name, entra_columns[i].name, numbers))
            continue;
        if (p >= DETAIL_KEY)
            return (column){.part = p, .pair = numbers[0]};
        return (column){.part = p, .target = numbers[0], .pair = numbers[1], .is_date = p == DATE};
    }
    return (column){.part = NOTHING};
}

/* A name that came before is no second member. */
static column member_column(const table *self, text name)
{
    static const char *const dates[] = {"TimeGenerated", "ActivityDateTime", "createdDateTime",
                                        "time", NULL};
    static const char *const dynamics[] = {"InitiatedBy", "TargetResources", "AdditionalDetails",
                                           "properties", NULL};

    for (size_t i = 0; i < self->count; i++)
        if (self->columns[i].name != NULL && text_equal(name, text_of(self->columns[i].name)))
            return (column){.part = NOTHING};
    return (column){.part = MEMBER,
                    .is_date = is_one_of(name, dates),
                    .is_dynamic = is_one_of(name, dynamics),
                    .name = strndup(name.bytes, name.length)};
}

static void free_names(table *self)
{
    for (size_t i = 0; i < self->count; i++)
        free(self->columns[i].name);
    self->count = 0;
}

static void take_header(table *self, const csv_row *row)
{
    free_names(self);
    self->is_entra = is_entras(row->cells, row->count);
    self->targets = self->pairs = 0;
    for (size_t i = 0; i < row->count; i++) {
        text name = csv_head_name(row->cells[i]);
        column c = self->is_entra ? entra_column(name) : member_column(self, name);

        self->ran_out |= c.part == MEMBER && c.name == NULL;
        self->targets = c.target > self->targets ? c.target : self->targets;
        self->pairs = c.pair > self->pairs ? c.pair : self->pairs;
        self->columns[self->count++] = c;
    }
}

/* Files that were joined have a header in the middle. */
static bool take_if_header(table *self, const csv_row *row)
{
    bool is_one = row->count <= CSV_HEAD_MOST_COLUMNS && is_header(row->cells, row->count);

    if (is_one)
        take_header(self, row);
    return is_one;
}

/* --- the order of the dates --- */

static void look_at_date(table *self, const csv_row *row, text cell)
{
    date_order shown;

    if (!date_order_look(cell, &shown))
        return;
    self->saw_slashes = true;
    self->shown = (date_order)(self->shown | shown);
    if (self->shown == DATE_ORDER_BOTH && self->order_line == 0)
        self->order_line = row->line;
}

static void look_at_row(void *arg, const csv_row *row)
{
    table *self = arg;

    if (self->has_preamble) {
        self->has_preamble = false;
        return;
    }
    if (take_if_header(self, row) || row->count != self->count)
        return;
    for (size_t i = 0; i < row->count; i++)
        if (self->columns[i].is_date)
            look_at_date(self, row, row->cells[i]);
}

/* --- a row, written --- */

/* The cell of that part; NULL bytes: the table has no such column. */
static text cell_of(const table *self, const csv_row *row, part p, unsigned target, unsigned pair)
{
    for (size_t i = 0; i < self->count; i++) {
        const column *c = &self->columns[i];

        if (c->part == p && c->target == target && c->pair == pair)
            return row->cells[i];
    }
    return (text){NULL, 0};
}

static void write_text(table *self, const csv_row *row, const char *key, part p, unsigned target)
{
    text cell = cell_of(self, row, p, target, 0);

    if (cell.length > 0)
        json_write_member(&self->record, key, cell);
}

/* A date that cannot be read stays as it is: who reads the record says so. */
static void write_date(table *self, const char *key, text cell)
{
    char written[TIMESTAMP_TEXT_SIZE];
    timestamp time;

    if (date_order_parse(cell, self->order, &time)) {
        timestamp_format(time, written);
        cell = text_of(written);
    }
    json_write_member(&self->record, key, cell);
}

static void begin_object(table *self, const char *key)
{
    if (key != NULL)
        json_write_key(&self->record, key);
    else
        json_write_item(&self->record);
    buffer_append_char(&self->record, '{');
}

static void write_initiator(table *self, const csv_row *row)
{
    bool is_app = cell_of(self, row, ACTOR_UPN, 0, 0).length == 0 &&
                  cell_of(self, row, APP_NAME, 0, 0).length > 0;

    begin_object(self, "initiatedBy");
    begin_object(self, is_app ? "app" : "user");
    write_text(self, row, is_app ? "servicePrincipalId" : "id", is_app ? APP_ID : ACTOR_ID, 0);
    write_text(self, row, "userPrincipalName", ACTOR_UPN, 0);
    write_text(self, row, "displayName", is_app ? APP_NAME : ACTOR_NAME, 0);
    write_text(self, row, "ipAddress", ADDRESS, 0);
    buffer_append_string(&self->record, "}}");
}

static void write_property(table *self, const csv_row *row, unsigned target, unsigned pair)
{
    text name = cell_of(self, row, PROPERTY_NAME, target, pair);

    if (name.length == 0)
        return;
    begin_object(self, NULL);
    json_write_member(&self->record, "displayName", name);
    json_write_member(&self->record, "oldValue", cell_of(self, row, PROPERTY_OLD, target, pair));
    json_write_member(&self->record, "newValue", cell_of(self, row, PROPERTY_NEW, target, pair));
    buffer_append_char(&self->record, '}');
}

static bool has_target(const table *self, const csv_row *row, unsigned target)
{
    for (part p = TARGET_TYPE; p <= TARGET_UPN; p++)
        if (cell_of(self, row, p, target, 0).length > 0)
            return true;
    return false;
}

static void write_target(table *self, const csv_row *row, unsigned target)
{
    if (!has_target(self, row, target))
        return;
    begin_object(self, NULL);
    write_text(self, row, "id", TARGET_ID, target);
    write_text(self, row, "displayName", TARGET_NAME, target);
    write_text(self, row, "type", TARGET_TYPE, target);
    write_text(self, row, "userPrincipalName", TARGET_UPN, target);
    json_write_key(&self->record, "modifiedProperties");
    buffer_append_char(&self->record, '[');
    for (unsigned pair = 1; pair <= self->pairs; pair++)
        write_property(self, row, target, pair);
    buffer_append_string(&self->record, "]}");
}

static void write_details(table *self, const csv_row *row)
{
    json_write_key(&self->record, "additionalDetails");
    buffer_append_char(&self->record, '[');
    for (unsigned pair = 1; pair <= self->pairs; pair++) {
        text key = cell_of(self, row, DETAIL_KEY, 0, pair);

        if (key.length == 0)
            continue;
        begin_object(self, NULL);
        json_write_member(&self->record, "key", key);
        json_write_member(&self->record, "value", cell_of(self, row, DETAIL_VALUE, 0, pair));
        buffer_append_char(&self->record, '}');
    }
    buffer_append_char(&self->record, ']');
}

/* Entra's row, as the directoryAudit that it shows. It has no id. */
static void write_entra_row(table *self, const csv_row *row)
{
    text date = cell_of(self, row, DATE, 0, 0);

    write_text(self, row, "activityDisplayName", ACTIVITY, 0);
    if (date.length > 0)
        write_date(self, "activityDateTime", date);
    write_text(self, row, "correlationId", CORRELATION, 0);
    write_text(self, row, "loggedByService", SERVICE, 0);
    write_text(self, row, "category", CATEGORY, 0);
    write_text(self, row, "result", RESULT, 0);
    write_text(self, row, "resultReason", REASON, 0);
    write_initiator(self, row);
    json_write_key(&self->record, "targetResources");
    buffer_append_char(&self->record, '[');
    for (unsigned target = 1; target <= self->targets; target++)
        write_target(self, row, target);
    buffer_append_char(&self->record, ']');
    write_details(self, row);
}

static bool is_json(table *self, text cell)
{
    json *tree = NULL;
    size_t taken = 0;
    bool is_one;

    if (cell.length == 0 || (cell.bytes[0] != '{' && cell.bytes[0] != '['))
        return false;
    is_one = json_parse(self->parser, cell, &tree, &taken) == NULL && taken == cell.length;
    self->ran_out |= json_parser_ran_out(self->parser);
    json_free(tree);
    return is_one;
}

static void write_member(table *self, const column *c, text cell)
{
    if (c->is_date) {
        write_date(self, c->name, cell);
    } else if (c->is_dynamic && (cell.length == 0 || is_json(self, cell))) {
        json_write_key(&self->record, c->name);
        buffer_append(&self->record, cell.length > 0 ? cell : (text)TEXT("null"));
    } else {
        json_write_member(&self->record, c->name, cell);
    }
}

static void write_members(table *self, const csv_row *row)
{
    for (size_t i = 0; i < self->count; i++)
        if (self->columns[i].part == MEMBER)
            write_member(self, &self->columns[i], row->cells[i]);
}

static void hand_out(table *self, size_t line, text record, const char *trouble)
{
    if (!self->is_ended)
        self->is_ended = !self->sink(self->arg, line, record, trouble);
}

static void take_row(void *arg, const csv_row *row)
{
    table *self = arg;

    if (self->has_preamble) {
        self->has_preamble = false;
        return;
    }
    if (take_if_header(self, row) || self->ran_out)
        return;
    if (row->count != self->count) {
        hand_out(self, row->line, (text)TEXT(""), "not as many cells as the header has: left out");
        return;
    }
    buffer_clear(&self->record);
    buffer_append_char(&self->record, '{');
    if (self->is_entra)
        write_entra_row(self, row);
    else
        write_members(self, row);
    buffer_append_char(&self->record, '}');
    if (!buffer_failed(&self->record) && !self->ran_out)
        hand_out(self, row->line, buffer_text(&self->record), NULL);
}

/* --- the table --- */

bool audit_table_begins(text beginning, bool *out_of_memory)
{
    return csv_head_find(beginning, is_header, out_of_memory).delimiter != '\0';
}

/* Runs all rows past the sink; why they end before the end, or NULL. */
static const char *run(table *self, const csv_head *head, text whole, csv_rows_sink *sink,
                       size_t *line, bool *out_of_memory)
{
    csv_rows *rows = csv_rows_new(head->delimiter, sink, self);
    const char *trouble = NULL;

    *out_of_memory |= rows == NULL;
    if (rows == NULL)
        return NULL;
    free_names(self);
    self->has_preamble = head->has_preamble;
    while (whole.length > 0 && trouble == NULL && !self->is_ended) {
        text piece = {whole.bytes, whole.length < PIECE ? whole.length : PIECE};

        trouble = csv_rows_feed(rows, piece);
        whole = text_from(whole, piece.length);
    }
    if (trouble == NULL && !self->is_ended)
        trouble = csv_rows_end(rows);
    *line = csv_rows_line(rows);
    *out_of_memory |= csv_rows_failed(rows) || buffer_failed(&self->record) || self->ran_out;
    csv_rows_free(rows);
    return trouble;
}

/* False when the dates do not show one order: that is told. */
static bool settle_order(table *self, const csv_head *head, text whole, bool *out_of_memory)
{
    size_t line;

    run(self, head, whole, look_at_row, &line, out_of_memory);
    self->order = self->shown;
    if (!self->saw_slashes || self->shown == DATE_ORDER_DMY || self->shown == DATE_ORDER_MDY)
        return true;
    if (self->shown == DATE_ORDER_BOTH)
        hand_out(self, self->order_line, (text)TEXT(""),
                 "its dates are both day/month and month/day: say which by --date-order dmy|mdy");
    else
        hand_out(self, 1, (text)TEXT(""),
                 "its dates may be day/month or month/day: say which by --date-order dmy|mdy");
    return false;
}

static void read_rows(table *self, const csv_head *head, text whole, bool *out_of_memory)
{
    const char *trouble;
    size_t line;

    if (self->order == DATE_ORDER_UNKNOWN && !settle_order(self, head, whole, out_of_memory))
        return;
    trouble = run(self, head, whole, take_row, &line, out_of_memory);
    if (trouble != NULL)
        hand_out(self, line, (text)TEXT(""), trouble);
}

bool audit_table_read(text whole, date_order order, audit_table_sink *sink, void *arg,
                      bool *out_of_memory)
{
    csv_head head = csv_head_find(whole, is_header, out_of_memory);
    table *self = calloc(1, sizeof(*self));
    bool is_ended = false;

    if (self != NULL) {
        *self = (table){.order = order, .sink = sink, .arg = arg};
        self->parser = json_parser_new(JSON_MOST_DEPTH);
    }
    if (self == NULL || self->parser == NULL) {
        *out_of_memory = true;
    } else {
        read_rows(self, &head, whole, out_of_memory);
        is_ended = self->is_ended;
        free_names(self);
        buffer_free(&self->record);
        json_parser_free(self->parser);
    }
    free(self);
    return !is_ended && !*out_of_memory;
}
