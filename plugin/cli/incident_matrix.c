/* SPDX-License-Identifier: Apache-2.0 */
/* incident_matrix: its cells, rows and head. */
#include "cli/incident_matrix.h"

#include <stdint.h>

#include "cli/html.h"

enum {
    MOST_COLUMNS = 6,      /* actors; the others share one more */
    MOST_ROWS = 30,        /* targets; the same */
    MOST_COLUMN_NAME = 30, /* characters */
};

#define ALL SIZE_MAX /* in the place of an actor */

/* A row or a column of its own, or what the rest of the names share. */
static bool is_at(size_t place, size_t names, size_t own)
{
    return names == own ? place >= own : place == names;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t count_at(const incident_view *v, size_t target, size_t actor)
{
    size_t targets = least(v->targets.count, MOST_ROWS);
    size_t actors = least(v->actors.count, MOST_COLUMNS), count = 0;

    for (size_t i = 0; i < v->count; i++)
        count += is_at(v->alerts[i].target_at, target, targets) &&
                 (actor == ALL || is_at(v->alerts[i].actor_at, actor, actors));
    return count;
}

static void append_matrix_row(buffer *out, const incident_view *v, size_t target)
{
    size_t actors = least(v->actors.count, MOST_COLUMNS) + (v->actors.count > MOST_COLUMNS);

    buffer_append_string(out, "<tr>");
    if (target < MOST_ROWS)
        html_append_cell(out, " class=\"account\"", v->targets.names[target].name);
    else
        html_append_markup(out, "<td>%zu more accounts</td>", v->targets.count - MOST_ROWS);
    for (size_t actor = 0; actor < actors; actor++)
        html_append_count_cell(out, count_at(v, target, actor));
    html_append_count_cell(out, count_at(v, target, ALL));
    buffer_append_string(out, "</tr>\n");
}

void incident_matrix_append(buffer *out, const incident_view *v)
{
    size_t rows = least(v->targets.count, MOST_ROWS) + (v->targets.count > MOST_ROWS);

    html_append_heading(out, "Who against whom");
    buffer_append_string(out, "<table class=\"matrix\"><thead><tr><th>Account</th>");
    for (size_t c = 0; c < v->actors.count && c < MOST_COLUMNS; c++) {
        buffer_append_string(out, "<th class=\"number\">");
        html_append_short(out, v->actors.names[c].name, MOST_COLUMN_NAME);
        buffer_append_string(out, "</th>");
    }
    if (v->actors.count > MOST_COLUMNS)
        html_append_markup(out, "<th class=\"number\">%zu more actors</th>",
                           v->actors.count - MOST_COLUMNS);
    buffer_append_string(out, "<th class=\"number\">All</th></tr></thead><tbody>\n");
    for (size_t target = 0; target < rows; target++)
        append_matrix_row(out, v, target);
    buffer_append_string(out, "</tbody></table>\n");
}
