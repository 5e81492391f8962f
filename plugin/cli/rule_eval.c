/* SPDX-License-Identifier: Apache-2.0 */
/* rule_eval: rows in, values or rows out. */
#include "cli/rule_eval.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/words.h"
#include "files/input_file.h"
#include "kql/datetime.h"
#include "kql/pipeline.h"

typedef struct row_list {
    kql_value **frames; /* by slot */
    size_t count;
    size_t room;
} row_list;

typedef struct trial {
    arena *memory; /* of the query and of the rows as they came */
    kql_column *columns;
    size_t column_count;
    kql_value *rows; /* bags */
    size_t row_count;
    size_t row_room;
    kql_parser parser;
    kql_error error;
    kql_pipeline pipeline;
    bool is_pipeline;
    kql_expr *expression; /* of one that is none */
    kql_run run;
    row_list *collected;
} trial;

static int out_of_memory(void)
{
    words_say("out of memory");
    return EXIT_UNREADABLE;
}

/* --- rows --- */

static bool add_row(trial *t, kql_value row)
{
    if (t->row_count == t->row_room) {
        size_t room = t->row_room > 0 ? t->row_room * 2 : 64;
        kql_value *rows = realloc(t->rows, room * sizeof(kql_value));

        if (rows == NULL)
            return false;
        t->rows = rows;
        t->row_room = room;
    }
    t->rows[t->row_count++] = row;
    return true;
}

/* Read to its end; with no type said, a file without a row says nothing of its columns. */
static bool is_read(const trial *t, const input_file *file, bool may_be_empty)
{
    size_t line;
    const char *trouble = input_file_trouble(file, &line);

    if (trouble != NULL)
        words_say("%s:%zu: %s", input_file_name(file), line, trouble);
    else if (t->row_count == 0 && !may_be_empty)
        words_say("%s: no row in it", input_file_name(file));
    return trouble == NULL && (t->row_count > 0 || may_be_empty);
}

/* A row, or an array of rows; the texts in them are the arena's. */
static bool take_message(trial *t, const input_file *file, const input_message *m)
{
    kql_value v;
    text key;

    if (kql_read_json(m->text, t->memory, &v) != KQL_READ)
        v = kql_null();
    if (v.kind == KIND_BAG)
        return add_row(t, v);
    for (size_t i = 0; i < kql_count(v); i++)
        if (kql_nth(v, i, &key).kind != KIND_BAG || !add_row(t, kql_nth(v, i, &key)))
            v = kql_null();
    if (v.kind == KIND_ARRAY)
        return true;
    words_say("%s:%zu: a row should be a JSON object", input_file_name(file), m->line);
    return false;
}

static bool read_rows(trial *t, const char *path, bool may_be_empty)
{
    char *error = NULL;
    input_file *file = input_file_open(path, &error);
    input_message m;
    bool read = file != NULL;

    if (file == NULL)
        words_say("%s: %s", path != NULL ? path : "standard input",
                  error != NULL ? error : "out of memory");
    while (read && input_file_next(file, &m))
        read = take_message(t, file, &m);
    read = read && is_read(t, file, may_be_empty);
    input_file_close(file);
    free(error);
    return read;
}

/* --- columns and their types --- */

static kql_column *find_column(trial *t, text name)
{
    for (size_t i = 0; i < t->column_count; i++)
        if (text_equal(t->columns[i].name, name))
            return &t->columns[i];
    return NULL;
}

static bool add_column(trial *t, text name, kql_type type)
{
    kql_column *columns = realloc(t->columns, (t->column_count + 1) * sizeof(kql_column));

    if (columns == NULL)
        return false;
    t->columns = columns;
    columns[t->column_count] = (kql_column){
        .name = name, .type = type, .slot = (unsigned)t->column_count, .is_verbatim = true};
    t->column_count++;
    return true;
}

/* {"a":"string", ..} */
static bool read_types(trial *t, const char *types)
{
    kql_value all, type;
    text name;

    if (types == NULL)
        return true;
    if (kql_read_json(text_of(types), t->memory, &all) != KQL_READ || all.kind != KIND_BAG) {
        words_say("--types should be a JSON object: a type for each column");
        return false;
    }
    for (size_t i = 0; i < kql_count(all); i++) {
        type = kql_nth(all, i, &name);
        if (type.kind != KIND_STRING || kql_type_of_name(type.string) == KQL_TYPES) {
            words_say("--types: no type for \"%.*s\": string, dynamic, bool, long, real, "
                      "datetime and timespan are taken",
                      (int)name.length, name.bytes);
            return false;
        }
        if (!add_column(t, name, kql_type_of_name(type.string)))
            return false;
    }
    return true;
}

/* What a value of a row says of its column's type. */
static kql_type type_of(kql_value v)
{
    switch (v.kind) {
    case KIND_STRING:
        return KQL_STRING;
    case KIND_LONG:
        return KQL_LONG;
    case KIND_REAL:
        return KQL_REAL;
    case KIND_BOOL:
        return KQL_BOOL;
    default:
        return KQL_DYNAMIC;
    }
}

/* Columns that no --types names; of a null the next row may know more. */
static bool infer_columns(trial *t)
{
    size_t given = t->column_count;
    text name;

    for (size_t r = 0; r < t->row_count; r++) {
        for (size_t i = 0; i < kql_count(t->rows[r]); i++) {
            kql_value v = kql_nth(t->rows[r], i, &name);
            kql_column *c = find_column(t, name);

            if (c == NULL && !add_column(t, name, type_of(v)))
                return false;
            if (c != NULL && c >= t->columns + given && c->type == KQL_DYNAMIC)
                c->type = type_of(v);
        }
    }
    return true;
}

/* A row's JSON value as one of the column's type; null when it is none. */
static kql_value convert(trial *t, kql_value v, kql_type type)
{
    timespan span;
    kql_expr of = {.type = KQL_DYNAMIC};

    if (v.kind == KIND_NULL)
        return kql_nothing(type);
    switch (type) {
    case KQL_STRING:
        return kql_string(kql_text_of(&t->run, v, KQL_DYNAMIC));
    case KQL_DATETIME:
        return kql_function_find((text)TEXT("todatetime"))->strict(&t->run, &of, &v);
    case KQL_TIMESPAN:
        return v.kind == KIND_STRING && kql_read_timespan(v.string, &span)
                   ? kql_number(KIND_TIMESPAN, span)
                   : kql_null();
    case KQL_REAL:
        return v.kind == KIND_LONG ? (kql_value){.kind = KIND_REAL, .real = (double)v.number} : v;
    default:
        return type == KQL_DYNAMIC || type_of(v) == type ? v : kql_null();
    }
}

static kql_value *frame_of(trial *t, kql_value row)
{
    kql_value *frame = arena_alloc(t->memory, (t->parser.slots + 1) * sizeof(kql_value));

    for (unsigned i = 0; frame != NULL && i < t->parser.slots; i++)
        frame[i] = kql_null();
    for (size_t i = 0; frame != NULL && i < t->column_count; i++)
        frame[i] = convert(t, kql_member(row, t->columns[i].name.bytes), t->columns[i].type);
    return frame;
}

/* --- the source --- */

static bool looks_like_pipeline(const trial *t)
{
    kql_parser ahead = t->parser;
    bool begins = t->parser.token.kind == TOKEN_NAME && kql_is_op(t->parser.token.word);

    kql_advance(&ahead);
    return begins && ahead.token.kind != TOKEN_END &&
           (ahead.token.kind != TOKEN_SIGN || kql_is(&ahead, "(") || kql_is(&ahead, "[") ||
            kql_is(&ahead, "*") || kql_is(&ahead, "-"));
}

static bool compile(trial *t, const char *source, bool takes_any_column)
{
    t->parser = kql_parser_begin(text_of(source), t->memory, &t->error);
    t->parser.columns = (kql_columns){t->columns, t->column_count};
    t->parser.slots = (unsigned)t->column_count;
    t->parser.takes_any_column = takes_any_column;
    t->is_pipeline = looks_like_pipeline(t);
    t->expression = NULL;
    t->pipeline = (kql_pipeline){0};
    if (t->is_pipeline)
        kql_parse_ops(&t->parser, &t->pipeline);
    else
        t->expression = kql_parse_expression(&t->parser);
    if (!t->parser.failed && t->parser.token.kind != TOKEN_END)
        kql_fail(&t->parser, t->parser.token.word, "the expression should end here");
    return !t->parser.failed;
}

static int say_error(const kql_error *e)
{
    words_say("%zu:%zu: \"%s\": %s", e->line, e->column, e->word, e->message);
    return EXIT_USAGE;
}

/* --- what comes out --- */

static void print_row(const trial *t, const kql_value *frame, buffer *out)
{
    buffer_append_char(out, '{');
    for (size_t i = 0; i < t->pipeline.columns.count; i++) {
        json_write_item(out);
        json_write_string(out, t->pipeline.columns.all[i].name);
        buffer_append_char(out, ':');
        kql_write_json(out, frame[t->pipeline.columns.all[i].slot]);
    }
    buffer_append_char(out, '}');
}

static bool print_line(buffer *out)
{
    bool whole;

    buffer_append_char(out, '\n');
    whole = !buffer_failed(out);
    if (whole)
        fwrite(out->bytes, 1, out->length, stdout);
    buffer_clear(out);
    return whole;
}

static bool add_frame(row_list *list, kql_value *frame)
{
    if (list->count == list->room) {
        size_t room = list->room > 0 ? list->room * 2 : 64;
        kql_value **frames = realloc(list->frames, room * sizeof(*frames));

        if (frames == NULL)
            return false;
        list->frames = frames;
        list->room = room;
    }
    list->frames[list->count++] = frame;
    return true;
}

static bool collect(void *arg, kql_run *r)
{
    trial *t = arg;
    size_t size = (t->parser.slots + 1) * sizeof(kql_value);
    kql_value *copy = arena_alloc(t->memory, size);

    if (copy != NULL)
        memcpy(copy, r->frame, size);
    r->out_of_memory |= copy == NULL || !add_frame(t->collected, copy);
    return !r->out_of_memory;
}

/* --- sorting, which needs all rows --- */

static int compare_by_key(kql_run *r, const kql_sort_key *key, kql_value *a, kql_value *b)
{
    kql_value left, right;
    bool left_is_null, right_is_null;
    int order;

    r->frame = a;
    left = kql_eval(r, key->value);
    r->frame = b;
    right = kql_eval(r, key->value);
    left_is_null = left.kind == KIND_NULL;
    right_is_null = right.kind == KIND_NULL;
    if (left_is_null != right_is_null)
        return left_is_null == key->nulls_first ? -1 : 1;
    order = kql_order(left, right);
    return key->is_descending ? -order : order;
}

static bool stands_behind(kql_run *r, const kql_op *op, kql_value *a, kql_value *b)
{
    for (size_t i = 0; i < op->key_count; i++) {
        int order = compare_by_key(r, &op->keys[i], a, b);

        if (order != 0)
            return order > 0;
    }
    return false;
}

/* Merges two sorted halves; ties stay in their order. */
static void merge(trial *t, const kql_op *op, kql_value **rows, size_t middle, size_t count,
                  kql_value **room)
{
    size_t a = 0, b = middle;

    for (size_t i = 0; i < count; i++) {
        bool takes_second =
            a == middle || (b < count && stands_behind(&t->run, op, rows[a], rows[b]));

        room[i] = takes_second ? rows[b++] : rows[a++];
    }
    memcpy(rows, room, count * sizeof(*rows));
}

static bool sort_rows(trial *t, const kql_op *op, row_list *list)
{
    kql_value **room = malloc((list->count + 1) * sizeof(*room));

    if (room == NULL)
        return false;
    for (size_t run = 1; run < list->count; run *= 2) {
        for (size_t at = 0; at + run < list->count; at += 2 * run) {
            size_t left = list->count - at;

            merge(t, op, list->frames + at, run, left < 2 * run ? left : 2 * run, room);
        }
    }
    free(room);
    return true;
}

/* --- the run --- */

static bool needs_all_rows(const kql_op *op)
{
    return op->kind == OP_SORT || op->kind == OP_TAKE || op->kind == OP_DISTINCT;
}

static void pass_rows(trial *t, const row_list *from, row_list *to, size_t first, size_t end)
{
    kql_passage p = {.run = &t->run, .pipeline = &t->pipeline, .sink = collect, .arg = t};

    t->collected = to;
    for (size_t i = 0; i < from->count; i++) {
        p.elements = 0;
        p.ended = false;
        t->run.frame = from->frames[i];
        kql_pass(&p, first, end);
    }
}

static bool apply(trial *t, size_t at, row_list *list)
{
    const kql_op *op = &t->pipeline.ops[at];
    row_list kept = {0};

    if (op->kind == OP_SORT)
        return sort_rows(t, op, list);
    if (op->kind == OP_TAKE && op->most < (int64_t)list->count)
        list->count = (size_t)op->most;
    if (op->kind == OP_DISTINCT) {
        kql_passage p = {.run = &t->run, .pipeline = &t->pipeline, .sink = collect, .arg = t};

        t->collected = &kept;
        for (size_t i = 0; i < list->count; i++) {
            t->run.frame = list->frames[i];
            kql_pass(&p, at, at + 1);
        }
        free(list->frames);
        *list = kept;
    }
    return true;
}

static bool run_pipeline(trial *t, row_list *rows)
{
    bool done = true;

    for (size_t at = 0; done && at < t->pipeline.count;) {
        row_list next = {0};
        size_t end = at;

        while (end < t->pipeline.count && !needs_all_rows(&t->pipeline.ops[end]))
            end++;
        pass_rows(t, rows, &next, at, end);
        free(rows->frames);
        *rows = next;
        at = end;
        if (at < t->pipeline.count)
            done = apply(t, at++, rows);
    }
    return done;
}

static bool print_all(trial *t, const row_list *rows)
{
    buffer out = {0};
    bool printed = true;

    for (size_t i = 0; printed && i < rows->count; i++) {
        t->run.frame = rows->frames[i];
        if (!t->is_pipeline)
            kql_write_json(&out, kql_eval(&t->run, t->expression));
        else
            print_row(t, rows->frames[i], &out);
        printed = print_line(&out);
    }
    buffer_free(&out);
    return printed;
}

static int evaluate(trial *t)
{
    row_list rows = {0};
    bool done = true;

    for (size_t i = 0; done && i < t->row_count; i++) {
        kql_value *frame = frame_of(t, t->rows[i]);

        done = frame != NULL && add_frame(&rows, frame);
    }
    done = done && run_pipeline(t, &rows) && print_all(t, &rows) && !t->run.out_of_memory;
    free(rows.frames);
    if (!done)
        return out_of_memory();
    if (!t->run.over_limit)
        return EXIT_DONE;
    words_say("a regular expression met its match limit, or arrays have too many elements");
    return EXIT_UNREADABLE;
}

/* An expression that names no column needs no rows: it is tried on an empty one. */
static bool needs_rows(trial *t, const char *source)
{
    compile(t, source, true);
    kql_regexes_free(t->parser.regexes);
    t->parser.regexes = NULL;
    return t->is_pipeline || t->parser.any_columns.count > 0;
}

static int try_source(trial *t, const char *source, const char *types, const char *path)
{
    if (path == NULL && !needs_rows(t, source)) {
        if (t->parser.failed)
            return say_error(&t->error);
        if (!add_row(t, (kql_value){.kind = KIND_BAG}))
            return out_of_memory();
    } else if (!read_rows(t, path != NULL ? path : "-", types != NULL)) {
        return EXIT_UNREADABLE;
    }
    if (!read_types(t, types))
        return EXIT_USAGE;
    if (!infer_columns(t))
        return out_of_memory();
    return compile(t, source, false) ? evaluate(t) : say_error(&t->error);
}

int rule_eval(const char *source, const char *types, const char *path, timestamp now)
{
    trial t = {.memory = arena_new()};
    int status;

    if (t.memory == NULL)
        return out_of_memory();
    t.run = (kql_run){.memory = t.memory, .semantics = SEMANTICS_KQL, .now = now};
    status = try_source(&t, source, types, path);
    kql_regexes_free(t.parser.regexes);
    free(t.columns);
    free(t.rows);
    arena_free(t.memory);
    return status;
}
