/* SPDX-License-Identifier: Apache-2.0 */
/* audit_file: audit_table over an input_file. */
#include "cli/audit_file.h"

#include "record/audit_table.h"

typedef struct rows {
    input_message_sink *take;
    void *arg;
    size_t lines_before;
} rows;

static bool begins_table(text beginning)
{
    bool out_of_memory; /* then it is read as lines, and that fails, too */

    return audit_table_begins(beginning, &out_of_memory);
}

bool audit_file_is_table(input_file *file)
{
    return begins_table(input_file_peek(file, 1)) && begins_table(input_file_peek(file, 2));
}

/* A message without a text has a blank for one: it has no record, and no brackets. */
static bool hand_on(rows *r, size_t line, text record, const char *trouble)
{
    const input_message message = {
        .text = trouble != NULL ? (text)TEXT(" ") : record,
        .line = r->lines_before + line,
        .is_whole = true,
        .is_row = true,
        .trouble = trouble,
    };

    return r->take(r->arg, &message);
}

static bool take_row(void *arg, size_t line, text record, const char *trouble)
{
    return hand_on(arg, line, record, trouble);
}

static const char TOO_LARGE[] = "not all of it could be read: a table that is compressed or comes"
                                " from a pipe must be below 256 MB";

void audit_file_read_table(input_file *file, date_order order, input_message_sink *take, void *arg)
{
    bool is_too_large, out_of_memory = false;
    rows r = {take, arg, 0};
    size_t line;
    text whole;

    input_file_beginning(file); /* passes blanks and a byte order mark */
    r.lines_before = input_file_line(file) - 1;
    is_too_large = !input_file_rest(file, &whole) && input_file_trouble(file, &line) == NULL;
    if (audit_table_read(whole, order, take_row, &r, &out_of_memory) && is_too_large)
        hand_on(&r, 1, (text)TEXT(""), TOO_LARGE);
    if (out_of_memory)
        hand_on(&r, 1, (text)TEXT(""), "out of memory, rows are missing");
}
