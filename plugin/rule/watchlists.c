/* SPDX-License-Identifier: Apache-2.0 */
/* watchlists: a sorted list of values for each column of each set. */
#include "rule/watchlists.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/room.h"
#include "base/whole_file.h"
#include "record/csv_head.h"
#include "rule/plan_parts.h"

/* Sentinel takes files of 500 MB. */
enum { MOST_BYTES = 500 * 1024 * 1024 };

typedef struct entry {
    text value;
    bool in_kql; /* else in wide semantics only */
} entry;

/* A column of a set, its values in the order of kql_compare. */
typedef struct value_list {
    entry *all;
    size_t count, room;
} value_list;

struct watchlists {
    atomic_uint references;
    semantics semantics;
    arena *memory; /* the values' texts */
    size_t set_count;
    value_list *columns[KQL_MOST_SETS]; /* of each set, by its columns; NULL: no watchlist's */
    size_t column_counts[KQL_MOST_SETS];
};

/* --- the look-up --- */

/* The first entry that does not come before the value. */
static size_t find_first(const value_list *list, text value, semantics s)
{
    size_t low = 0, high = list->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (kql_compare(list->all[middle].value, value, s) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_answer(const entry *e, const watchlist_question *q)
{
    if (q->semantics == SEMANTICS_KQL && !e->in_kql)
        return false;
    return q->is_folded ? kql_equals(e->value, q->value, q->semantics)
                        : text_equal(e->value, q->value);
}

bool watchlists_have(const watchlists *self, const watchlist_question *q)
{
    const value_list *list = &self->columns[q->set][q->column];
    size_t i = find_first(list, q->value, self->semantics);

    for (; i < list->count && kql_compare(list->all[i].value, q->value, self->semantics) == 0; i++)
        if (is_answer(&list->all[i], q))
            return true;
    return false;
}

/* --- a row of the file, through a set --- */

/* A file under way to one set. */
typedef struct reading {
    watchlists *lists;
    const kql_set *set;
    unsigned number; /* of the set */
    const watchlist_source *source;
    arena *memory;  /* of the row */
    size_t *places; /* of the set's source columns among the cells */
    size_t cells;   /* of the header; 0: it is still to come */
    semantics semantics;
    char **error;
    bool failed; /* *error says why; NULL: memory is out */
} reading;

static void fail(reading *r, size_t line, const char *format, text word)
{
    char *what = NULL;

    if (r->failed)
        return;
    r->failed = true;
    *r->error = NULL;
    if (asprintf(&what, format, (int)word.length, word.bytes) < 0)
        return;
    if (asprintf(r->error, "%s:%zu: watchlist %.*s: %s", r->source->path, line,
                 (int)r->source->name.length, r->source->name.bytes, what) < 0)
        *r->error = NULL;
    free(what);
}

static void fail_of_memory(reading *r)
{
    if (!r->failed)
        *r->error = NULL;
    r->failed = true;
}

/* The same text in both semantics is one entry: KQL's comes first. */
static void add_value(reading *r, value_list *list, text value)
{
    entry e = {arena_copy(r->lists->memory, value), r->semantics == SEMANTICS_KQL};

    if (e.value.bytes != NULL && room_for_one_more(&list->all, sizeof(e), list->count, &list->room))
        list->all[list->count++] = e;
    else
        fail_of_memory(r);
}

static bool take_row(void *arg, kql_run *run)
{
    reading *r = arg;
    const kql_columns *columns = &r->set->rows.columns;

    for (size_t i = 0; i < columns->count; i++) {
        const kql_column *c = &columns->all[i];
        kql_value v = run->frame[c->slot];

        if (v.kind != KIND_NULL)
            add_value(r, &r->lists->columns[r->number][i], kql_text_of(run, v, c->type));
    }
    return !r->failed;
}

static void pass_row(reading *r, const csv_row *row, semantics s)
{
    kql_run run = {.memory = r->memory, .semantics = s};
    kql_passage p = {.run = &run, .pipeline = &r->set->rows, .sink = take_row, .arg = r};

    run.frame = arena_alloc(r->memory, (r->set->slots + 1) * sizeof(kql_value));
    if (run.frame == NULL) {
        fail_of_memory(r);
        return;
    }
    r->semantics = s;
    plan_clear_frame(run.frame, 0, r->set->slots);
    for (size_t i = 0; i < r->set->source.count; i++)
        run.frame[r->set->source.all[i].slot] = kql_string(row->cells[r->places[i]]);
    kql_pass(&p, 0, r->set->rows.count);
    if (run.out_of_memory)
        fail_of_memory(r);
}

/* --- the file --- */

/* The column's place among the header's cells, or their count. */
static size_t find_cell(const csv_row *header, text name)
{
    size_t i = 0;

    while (i < header->count && !text_equal(csv_head_name(header->cells[i]), name))
        i++;
    return i;
}

/* SearchKey is a name that Sentinel gives to one of the columns. */
static text column_of(const reading *r, const csv_row *header, text name)
{
    if (!text_equal(name, (text)TEXT("SearchKey")) || find_cell(header, name) < header->count)
        return name;
    return r->source->key != NULL ? text_of(r->source->key) : csv_head_name(header->cells[0]);
}

static void take_header(reading *r, const csv_row *header)
{
    r->cells = header->count;
    for (size_t i = 0; i < r->set->source.count && !r->failed; i++) {
        text name = column_of(r, header, r->set->source.all[i].name);

        r->places[i] = find_cell(header, name);
        if (r->places[i] == header->count)
            fail(r, header->line, "the header has no column \"%.*s\", which the rule asks for",
                 name);
    }
}

static void take_csv_row(void *arg, const csv_row *row)
{
    reading *r = arg;

    if (r->failed)
        return;
    if (r->cells == 0) {
        take_header(r, row);
    } else if (row->count != r->cells) {
        fail(r, row->line,
             "the row has another number of cells than the header; it begins \"%.*s\"",
             row->cells[0]);
    } else {
        pass_row(r, row, SEMANTICS_KQL);
        if (r->lists->semantics == SEMANTICS_WIDE)
            pass_row(r, row, SEMANTICS_WIDE);
        arena_reset(r->memory);
    }
}

static void read_rows(reading *r, text content)
{
    csv_rows *rows = csv_rows_new(',', take_csv_row, r);
    const char *wrong = rows != NULL ? csv_rows_feed(rows, content) : NULL;

    if (rows == NULL) {
        fail_of_memory(r);
        return;
    }
    if (wrong == NULL)
        wrong = csv_rows_end(rows);
    if (wrong != NULL)
        fail(r, csv_rows_line(rows), "%.*s", text_of(wrong));
    else if (r->cells == 0)
        fail(r, 1, "the file has no header%.*s", (text)TEXT(""));
    if (csv_rows_failed(rows))
        fail_of_memory(r);
    csv_rows_free(rows);
}

static int compare_entries(const void *a, const void *b, void *arg)
{
    const entry *x = a, *y = b;
    int by_fold = kql_compare(x->value, y->value, *(const semantics *)arg);

    return by_fold != 0 ? by_fold : text_compare(x->value, y->value);
}

/* Sorts, and makes one of what came twice. */
static void settle(value_list *list, semantics s)
{
    size_t kept = 0;

    if (list->count > 0)
        qsort_r(list->all, list->count, sizeof(entry), compare_entries, &s);
    for (size_t i = 0; i < list->count; i++) {
        if (kept > 0 && text_equal(list->all[kept - 1].value, list->all[i].value))
            list->all[kept - 1].in_kql |= list->all[i].in_kql;
        else
            list->all[kept++] = list->all[i];
    }
    list->count = kept;
}

static const watchlist_source *find_source(text name, const watchlist_source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text_equal(sources[i].name, name))
            return &sources[i];
    return NULL;
}

static bool has_room(watchlists *self, unsigned set, size_t columns)
{
    self->columns[set] = calloc(columns + 1, sizeof(value_list));
    self->column_counts[set] = columns;
    return self->columns[set] != NULL;
}

static bool read_file(reading *r)
{
    size_t length;
    char *bytes = whole_file_read(r->source->path, MOST_BYTES, &length, r->error);

    r->failed = bytes == NULL;
    if (bytes != NULL)
        read_rows(r, (text){bytes, length});
    free(bytes);
    return !r->failed;
}

static bool read_set(watchlists *self, const kql_set *set, unsigned number,
                     const watchlist_source *source, char **error)
{
    reading r = {.lists = self, .set = set, .number = number, .source = source, .error = error};
    bool done = has_room(self, number, set->rows.columns.count);

    r.memory = arena_new();
    r.places = calloc(set->source.count + 1, sizeof(size_t));
    done = done && r.memory != NULL && r.places != NULL && read_file(&r);
    for (size_t i = 0; done && i < self->column_counts[number]; i++)
        settle(&self->columns[number][i], self->semantics);
    arena_free(r.memory);
    free(r.places);
    return done;
}

static bool name_wrong(const char *format, text name, char **error)
{
    if (asprintf(error, format, (int)name.length, name.bytes) < 0)
        *error = NULL;
    return false;
}

static bool is_asked(const rule_plan *plan, text name)
{
    text asked = {NULL, 0};

    for (size_t i = 0; (asked = plan_watchlist(plan, i)).bytes != NULL; i++)
        if (text_equal(asked, name))
            return true;
    return false;
}

static bool check_sources(const rule_plan *plan, const watchlist_source *sources, size_t count,
                          char **error)
{
    for (size_t i = 0; i < count; i++)
        if (!is_asked(plan, sources[i].name))
            return name_wrong("the rule asks no watchlist %.*s", sources[i].name, error);
    return true;
}

static bool read_sets(watchlists *self, const kql_query *q, const watchlist_source *sources,
                      size_t count, char **error)
{
    bool done = true;

    for (unsigned i = 0; done && i < q->set_count; i++) {
        text name = q->sets[i].watchlist;
        const watchlist_source *source = find_source(name, sources, count);

        if (q->sets[i].is_watchlist && source != NULL && source->path != NULL)
            done = read_set(self, &q->sets[i], i, source, error);
        else if (q->sets[i].is_watchlist)
            done = name_wrong("the rule asks the watchlist %.*s, which has no file", name, error);
    }
    return done;
}

watchlists *watchlists_open(const rule_plan *plan, semantics s, const watchlist_source *sources,
                            size_t count, char **error)
{
    watchlists *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self == NULL || !check_sources(plan, sources, count, error)) {
        free(self);
        return NULL;
    }
    atomic_init(&self->references, 1);
    self->semantics = s;
    self->memory = arena_new();
    self->set_count = plan->query->set_count;
    if (self->memory != NULL && read_sets(self, plan->query, sources, count, error))
        return self;
    watchlists_unref(self);
    return NULL;
}

watchlists *watchlists_ref(watchlists *self)
{
    if (self != NULL)
        atomic_fetch_add(&self->references, 1);
    return self;
}

void watchlists_unref(watchlists *self)
{
    if (self == NULL || atomic_fetch_sub(&self->references, 1) != 1)
        return;
    for (size_t i = 0; i < self->set_count; i++) {
        for (size_t c = 0; self->columns[i] != NULL && c < self->column_counts[i]; c++)
            free(self->columns[i][c].all);
        free(self->columns[i]);
    }
    arena_free(self->memory);
    free(self);
}
