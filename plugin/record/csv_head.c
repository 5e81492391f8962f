/* SPDX-License-Identifier: Apache-2.0 */
/* csv_head: the first line, taken apart with one delimiter after the other. */
#include "record/csv_head.h"

enum { LONGEST_HEADER = 64 * 1024 /* bytes */ };

static const char DELIMITERS[] = ",;\t";

/* A line under trial. */
typedef struct trial {
    csv_head_test *is_header;
    bool found;
} trial;

static text first_line(text t)
{
    const char *end = t.length > 0 ? memchr(t.bytes, '\n', t.length) : NULL;

    return end ? text_between(t.bytes, end) : t;
}

text csv_head_name(text cell)
{
    static const text zone = TEXT(" [UTC]");

    if (cell.length >= zone.length &&
        memcmp(cell.bytes + cell.length - zone.length, zone.bytes, zone.length) == 0)
        cell.length -= zone.length;
    return cell;
}

static void try_row(void *arg, const csv_row *row)
{
    trial *t = arg;

    t->found |= row->count <= CSV_HEAD_MOST_COLUMNS && t->is_header(row->cells, row->count);
}

static bool is_header(text line, char delimiter, csv_head_test *test, bool *out_of_memory)
{
    trial t = {.is_header = test};
    csv_rows *rows = csv_rows_new(delimiter, try_row, &t);

    *out_of_memory |= rows == NULL;
    if (rows == NULL)
        return false;
    csv_rows_feed(rows, line);
    csv_rows_end(rows);
    *out_of_memory |= csv_rows_failed(rows);
    csv_rows_free(rows);
    return t.found;
}

/* The delimiter with which the first line is a header, or NUL. */
static char delimiter_of(text beginning, csv_head_test *test, bool *out_of_memory)
{
    text line = first_line(beginning);

    if (line.length > LONGEST_HEADER || line.length == 0 || memchr(line.bytes, '{', line.length))
        return '\0';
    for (const char *d = DELIMITERS; *d != '\0'; d++)
        if (is_header(line, *d, test, out_of_memory))
            return *d;
    return '\0';
}

static text without_mark(text t)
{
    return text_begins_with(t, "\xEF\xBB\xBF") ? text_from(t, 3) : t;
}

/* Excel's line names the delimiter, PowerShell's a type; the header behind it may show another. */
static char named_delimiter(text line)
{
    text word = without_mark(line);

    if (text_begins_with(word, "\""))
        word = text_from(word, 1);
    if (text_begins_in_any_case(word, "sep=") && word.length > 4 &&
        strchr(DELIMITERS, word.bytes[4]) != NULL)
        return word.bytes[4];
    return text_begins_in_any_case(word, "#TYPE ") ? DELIMITERS[0] : '\0';
}

csv_head csv_head_find(text beginning, csv_head_test *test, bool *out_of_memory)
{
    text line = first_line(beginning);
    text rest = text_from(beginning, line.length + (line.length < beginning.length));
    char delimiter;

    *out_of_memory = false;
    delimiter = delimiter_of(beginning, test, out_of_memory);
    if (delimiter != '\0')
        return (csv_head){delimiter, false};
    delimiter = named_delimiter(line);
    if (delimiter != '\0' && rest.length > 0)
        delimiter = delimiter_of(rest, test, out_of_memory);
    return (csv_head){delimiter, delimiter != '\0'};
}
