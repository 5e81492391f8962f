/* SPDX-License-Identifier: Apache-2.0 */
/* unwrap: documents in texts, records in documents, texts in strings. */
#include "record/unwrap.h"

#include <errno.h>
#include <stdlib.h>

#include "dialect/dialect.h"
#include "record/chosen_text.h"
#include "record/record_piece.h"
#include "record/wide_text.h"

enum { MOST_STRING_LEVELS = 3 };

const char UNWRAP_PART[] = "part of a record";
static const char part_remedy[] =
    "send one record as one message: each in a line of its own (jq -c .), or in octet-counted "
    "frames over TCP; imfile with startmsg.regex and escapeLF=\"off\"";

const char *unwrap_remedy(const char *reason)
{
    if (reason == UNWRAP_PART)
        return part_remedy;
    return reason == WIDE_TEXT ? WIDE_TEXT_REMEDY : NULL;
}

struct unwrap {
    json_parser *parser;
};

/* A stretch that could not be read; a copy, as it may have stood in a tree that is gone. */
typedef struct stretch {
    struct stretch *next;
    const char *reason;
    size_t length;
    char bytes[];
} stretch;

typedef struct walk {
    unwrap *unwrap;
    const unwrap_sink *sink;
    int level;          /* of strings in strings */
    bool lacks_targets; /* a record that was found */
    bool is_in_stretch; /* that cannot be read: texts that somebody chose are only that */
    bool is_inside;     /* of an object that is known for what it is: its texts may be anything */
    unwrapped found;
    stretch *broken; /* in the order in which they stood */
    stretch **last_broken;
} walk;

unwrap *unwrap_new(void)
{
    unwrap *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->parser = json_parser_new(JSON_MOST_DEPTH);
    if (self->parser == NULL) {
        free(self);
        return NULL;
    }
    return self;
}

void unwrap_free(unwrap *self)
{
    if (self == NULL)
        return;
    json_parser_free(self->parser);
    free(self);
}

json_parser *unwrap_parser(unwrap *self)
{
    return self->parser;
}

static void begin_walk(walk *w, unwrap *self, const unwrap_sink *sink)
{
    *w = (walk){.unwrap = self, .sink = sink};
    w->last_broken = &w->broken;
}

/* Once it has stopped, it has for good. */
static bool must_stop(walk *w)
{
    const unwrap_sink *sink = w->sink;

    w->found.stopped = w->found.stopped || (sink->must_stop != NULL && sink->must_stop(sink->arg));
    return w->found.stopped;
}

static void count_broken(walk *w, const char *reason)
{
    if (w->is_inside)
        return;
    if (w->found.broken++ == 0)
        w->found.reason = reason;
}

/*
 * Without memory for a copy it is told of at once, and the result is NULL:
 * once too often is better than never.
 */
static stretch *keep_broken(walk *w, text t, const char *reason)
{
    stretch *kept;

    if (w->sink->take_broken == NULL)
        return NULL;
    kept = malloc(sizeof(*kept) + t.length);
    if (kept == NULL) {
        w->sink->take_broken(w->sink->arg, t, reason);
        return NULL;
    }
    *kept = (stretch){.reason = reason, .length = t.length};
    memcpy(kept->bytes, t.bytes, t.length);
    *w->last_broken = kept;
    w->last_broken = &kept->next;
    return kept;
}

static void end_walk(walk *w, bool tell_broken)
{
    while (w->broken != NULL) {
        stretch *first = w->broken;

        w->broken = first->next;
        if (tell_broken && !must_stop(w))
            w->sink->take_broken(w->sink->arg, (text){first->bytes, first->length}, first->reason);
        free(first);
    }
}

static void walk_value(walk *w, json *value);
static void walk_text(walk *w, text t);

/* --- tables --- */

/* Log Analytics' `columns` and `rows`, Kusto's `Columns` and `Rows`. */
static json *member_in_any_case(json *object, const char *key)
{
    bool other_case;

    return json_at_any_case(object, key, &other_case);
}

static bool is_table(json *object)
{
    return json_kind_of(member_in_any_case(object, "columns")) == JSON_ARRAY &&
           json_kind_of(member_in_any_case(object, "rows")) == JSON_ARRAY;
}

/* What the first of these keys holds, if that is a string. */
static text first_string(json *object, const char *const *keys, size_t count)
{
    text found = {NULL, 0};

    for (size_t i = 0; i < count && found.bytes == NULL; i++)
        found = json_string(member_in_any_case(object, keys[i]));
    return found;
}

static text column_name(json *column)
{
    static const char *const keys[] = {"name", "ColumnName"};
    text name = json_string(column);

    if (name.bytes == NULL)
        name = first_string(column, keys, sizeof(keys) / sizeof(keys[0]));
    return name.bytes != NULL && strlen(name.bytes) == name.length ? name : (text)TEXT("");
}

/* A dynamic column's value stands in a string; without a type its name tells. */
static bool is_dynamic(json *column)
{
    static const char *const keys[] = {"type", "ColumnType", "DataType"};
    static const text names[] = {TEXT("TargetResources"), TEXT("InitiatedBy"),
                                 TEXT("AdditionalDetails"), TEXT("AssignedRoles")};
    text type = first_string(column, keys, sizeof(keys) / sizeof(keys[0]));
    text name = column_name(column);

    if (text_equal(type, (text)TEXT("dynamic")) || text_equal(type, (text)TEXT("Object")))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (text_equal(name, names[i]))
            return type.length == 0;
    return false;
}

typedef struct column {
    const char *name;
    bool is_dynamic;
    bool is_repeated; /* a column before it has that name */
} column;

static bool is_among(const char *name, const column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return true;
    return false;
}

static column *read_columns(json *columns, size_t count)
{
    column *all = calloc(count + 1, sizeof(column));

    for (size_t i = 0; all != NULL && i < count; i++) {
        json *described = json_array_item(columns, i);
        const char *name = column_name(described).bytes;

        all[i] = (column){name, is_dynamic(described), is_among(name, all, i)};
    }
    return all;
}

static bool put_cell(walk *w, json *object, const column *c, json *cell)
{
    json_parser *parser = w->unwrap->parser;
    json *tree = c->is_dynamic ? json_parse_string(parser, cell) : NULL;

    if (c->is_dynamic && json_parser_ran_out(parser))
        return false;
    if (c->is_repeated)
        json_parser_note_repeated_key(parser);
    return json_put_member(object, c->name, tree ? tree : json_ref(cell));
}

static void walk_cells(walk *w, const column *columns, size_t count, json *row)
{
    json *object = json_new_object();
    bool is_whole = object != NULL;

    for (size_t i = 0; is_whole && i < count && i < json_array_length(row); i++)
        is_whole = put_cell(w, object, &columns[i], json_array_item(row, i));
    w->found.out_of_memory |= !is_whole;
    walk_value(w, object);
    json_free(object);
}

/* A row that is no array may be a record as it is. */
static void walk_row(walk *w, const column *columns, size_t count, json *row)
{
    if (json_kind_of(row) == JSON_ARRAY)
        walk_cells(w, columns, count, row);
    else
        walk_value(w, row);
}

/* An object has no more members either: what is read of it might not be the record. */
static void refuse_table(walk *w, json *table)
{
    static const char reason[] = "a table with too many columns";
    buffer written = {0};

    json_write_value(&written, table);
    w->found.out_of_memory |= buffer_failed(&written);
    count_broken(w, reason);
    keep_broken(w, buffer_text(&written), reason);
    buffer_free(&written);
}

/* `table` holds the rows; `described` are its columns. */
static void walk_rows(walk *w, json *table, json *described)
{
    json *rows = member_in_any_case(table, "rows");
    size_t count = json_array_length(described);
    column *columns;

    if (count > JSON_MOST_MEMBERS) {
        refuse_table(w, table);
        return;
    }
    columns = read_columns(described, count);
    w->found.out_of_memory |= columns == NULL;
    for (size_t i = 0; columns != NULL && i < json_array_length(rows) && !must_stop(w); i++)
        walk_row(w, columns, count, json_array_item(rows, i));
    free(columns);
}

static void walk_table(walk *w, json *table)
{
    walk_rows(w, table, member_in_any_case(table, "columns"));
}

static bool is_frame(json *object, const char *type)
{
    return text_equal(json_string(json_member(object, "FrameType")), text_of(type));
}

/* --- documents --- */

/*
 * In Kusto's progressive answer a table's columns stand in a frame of their
 * own, before those that hold its rows.
 */
static void walk_array(walk *w, json *array)
{
    size_t length = json_array_length(array);
    json *columns = NULL;

    for (size_t i = 0; i < length && !w->found.stopped; i++) {
        json *item = json_array_item(array, i);

        if (is_frame(item, "TableHeader"))
            columns = json_member(item, "Columns");
        if (columns != NULL && is_frame(item, "TableFragment"))
            walk_rows(w, item, columns);
        else
            walk_value(w, item);
    }
}

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (strcasecmp(key, *keys) == 0)
            return true;
    return false;
}

static void walk_members(walk *w, json *object, bool is_record);

/*
 * A record's own parts may have the shape of a record, but are none beside
 * it. What cannot be read in their place is told by who reads the record.
 */
static void walk_own_part(walk *w, json *part)
{
    json *opened = json_parse_string(w->unwrap->parser, part);

    w->found.out_of_memory |= opened == NULL && json_parser_ran_out(w->unwrap->parser);
    if (opened != NULL)
        part = opened;
    if (json_kind_of(part) == JSON_OBJECT)
        walk_members(w, part, true);
    else if (json_kind_of(part) == JSON_ARRAY)
        walk_value(w, part);
    json_free(opened);
}

static void walk_members(walk *w, json *object, bool is_record)
{
    static const char *const table_keys[] = {"columns", "rows", NULL};
    static const char *const own_parts[] = {"properties", "azure", "auditlogs", NULL};
    bool has_rows = is_table(object);
    json_members all = json_members_of(object);
    const char *key;
    json *value;

    if (has_rows)
        walk_table(w, object);
    while (!w->found.stopped && json_next_member(&all, &key, &value)) {
        if (w->is_in_stretch && json_kind_of(value) == JSON_STRING && chosen_text_is(text_of(key)))
            continue;
        if (is_record && is_one_of(key, own_parts))
            walk_own_part(w, value);
        else if (!has_rows || !is_one_of(key, table_keys))
            walk_value(w, value);
    }
}

/* What a record without targets, or of another kind, carries. */
static void walk_known(walk *w, json *object)
{
    bool before = w->is_inside;

    w->is_inside = true;
    walk_members(w, object, true);
    w->is_inside = before;
}

static void walk_object(walk *w, json *object)
{
    if (must_stop(w))
        return;
    switch (w->sink->take_object(w->sink->arg, object)) {
    case UNWRAP_RECORD:
        w->found.records++;
        break;
    case UNWRAP_RECORD_WITHOUT_TARGETS:
        w->found.records++;
        w->lacks_targets = true;
        walk_known(w, object);
        break;
    case UNWRAP_OTHER_KIND:
        w->found.other_kinds++;
        walk_known(w, object);
        break;
    case UNWRAP_OWN_ALERT:
        w->found.other_kinds++;
        break;
    case UNWRAP_UNKNOWN:
        walk_members(w, object, false);
        break;
    }
}

/* A string that is not opened any more: what it may hold is never taken for nothing. */
static void leave_string(walk *w, text t)
{
    static const char reason[] = "strings in strings, deeper than they are opened";
    const char *begin = memchr(t.bytes, '{', t.length);

    if (begin == NULL)
        return;
    count_broken(w, reason);
    keep_broken(w, text_between(begin, t.bytes + t.length), reason);
}

static void walk_string(walk *w, text t)
{
    if (t.length == 0)
        return;
    if (w->level == MOST_STRING_LEVELS) {
        leave_string(w, t);
        return;
    }
    w->level++;
    walk_text(w, t);
    w->level--;
}

/* The depth is bounded by that of the document, which the parser bounds, and by the levels. */
static void walk_value(walk *w, json *value)
{
    switch (json_kind_of(value)) {
    case JSON_OBJECT:
        walk_object(w, value);
        break;
    case JSON_ARRAY:
        walk_array(w, value);
        break;
    case JSON_STRING:
        walk_string(w, json_string(value));
        break;
    default:
        break;
    }
}

/* --- texts --- */

/* A text under way: what of it can be read, and what could not. */
typedef struct passage {
    text text;
    json_search search;
    size_t broken_from; /* where an unreadable stretch begins; text.length: there is none */
    size_t broken_to;   /* where its brackets close; text.length: not as far as was looked */
    json_brackets brackets;
    bool is_headless; /* it begins inside a record: its brackets do not tell where that ends */
    const char *reason;
    size_t words_from;    /* behind all that was read or could not be */
    size_t document_from; /* the first document in front of the words that was no record */
    size_t escaped_to;    /* strings that begin before it were searched already */
    size_t bad_escape;    /* no string's inside that begins before it goes on to a quote */
    buffer judged;        /* texts: strings of the stretch whose records were handed on */
} passage;

/* The next place where a document may begin, or t.length. */
static size_t next_document(text t, size_t at)
{
    while (at < t.length && t.bytes[at] != '{' && t.bytes[at] != '[')
        at++;
    return at;
}

/*
 * A `[` in front of a document is most often a header's ("app[123]:", RFC
 * 5424's structured data): no document was broken there, unless it begins
 * the text or a `{` follows.
 */
static bool looks_like_a_document(text t, size_t at)
{
    if (at == 0 || t.bytes[at] == '{')
        return true;
    do
        at++;
    while (at < t.length && (t.bytes[at] == ' ' || t.bytes[at] == '\n' || t.bytes[at] == '\r'));
    return at < t.length && t.bytes[at] == '{';
}

/*
 * The `properties` of a diagnostic record have the shape of a directoryAudit.
 * Found in the pieces of a broken record they are a part of it, no record.
 * What begins on a line of its own is one.
 */
static bool is_a_broken_records_part(text t, size_t at)
{
    static const text key = TEXT("properties\"");

    while (at > 0 && t.bytes[at - 1] != '\0' && strchr(" \t:\\", t.bytes[at - 1]) != NULL)
        at--;
    return at >= key.length && text_equal((text){t.bytes + at - key.length, key.length}, key);
}

/* Behind brackets that close, only a key says that they closed too early. */
static bool goes_on_with_a_key(text rest)
{
    while (rest.length > 0) {
        size_t blanks = json_blanks(rest);

        if (blanks == 0 && rest.bytes[0] != '}' && rest.bytes[0] != ']')
            break;
        rest = text_from(rest, blanks > 0 ? blanks : 1);
    }
    if (rest.length == 0 || rest.bytes[0] != ',')
        return false;
    rest = text_from(rest, 1);
    rest = text_from(rest, json_blanks(rest));
    return rest.length > 0 && rest.bytes[0] == '"';
}

/* Do the stretch's brackets close before `at`? Each byte of it is looked at once. */
static bool closes_before(passage *p, size_t at)
{
    text rest;

    if (p->broken_from == p->text.length || p->broken_to < p->text.length)
        return p->broken_to <= at && p->broken_to < p->text.length;
    rest = text_from(p->text, p->broken_from);
    while (json_brackets_close(&p->brackets, rest, at - p->broken_from)) {
        p->is_headless |= goes_on_with_a_key(text_from(rest, p->brackets.at));
        if (!p->is_headless) {
            p->broken_to = p->broken_from + p->brackets.at;
            return p->broken_to < p->text.length;
        }
    }
    return false;
}

static void begin_words(passage *p, size_t at)
{
    p->words_from = at;
    p->document_from = p->text.length;
    buffer_clear(&p->judged);
}

/* Blanks in the place of what was judged already: it is not to be judged again. */
static void leave_out_judged(passage *p, text broken, stretch *kept)
{
    const text *judged = (const text *)(const void *)p->judged.bytes;

    for (size_t i = 0; kept != NULL && i < p->judged.length / sizeof(text); i++)
        if (judged[i].bytes + judged[i].length <= broken.bytes + broken.length)
            memset(kept->bytes + (judged[i].bytes - broken.bytes), ' ', judged[i].length);
    buffer_clear(&p->judged);
}

/* An unreadable stretch ends where its brackets close, where a record could be read, or with the
 * text. */
static void end_broken(walk *w, passage *p, size_t end)
{
    text broken;

    if (p->broken_from == p->text.length)
        return;
    if (closes_before(p, end))
        end = p->broken_to;
    count_broken(w, p->reason);
    broken = text_between(p->text.bytes + p->broken_from, p->text.bytes + end);
    leave_out_judged(p, broken, keep_broken(w, broken, p->reason));
    p->broken_from = p->text.length;
    begin_words(p, end);
}

/* Unless one is under way already. */
static void begin_broken(passage *p, size_t at, bool is_headless, const char *reason)
{
    if (p->broken_from < p->text.length)
        return;
    p->broken_from = at;
    p->broken_to = p->text.length;
    buffer_clear(&p->judged);
    p->brackets = (json_brackets){0};
    p->is_headless = is_headless;
    p->reason = reason;
}

/* Its first lines, or its first part, came as another message. */
static void note_words(passage *p, size_t end)
{
    size_t piece = end;

    if (p->broken_from == p->text.length && p->words_from < end)
        piece = record_piece_find(p->text, p->words_from, end);
    if (piece < end)
        begin_broken(p, p->document_from < piece ? p->document_from : piece, true, UNWRAP_PART);
}

static void note_broken(walk *w, passage *p, size_t at, const char *reason)
{
    if (closes_before(p, at))
        end_broken(w, p, at);
    if (!looks_like_a_document(p->text, at))
        return;
    note_words(p, at);
    begin_broken(p, at, false, reason);
}

/* Forgets the stretches that came after `mark`. */
static void forget_broken(walk *w, stretch **mark, size_t broken)
{
    while (*mark != NULL) {
        stretch *first = *mark;

        *mark = first->next;
        free(first);
    }
    w->last_broken = mark;
    w->found.broken = broken;
}

/*
 * Hands on what the value holds. What could not be read in it is part of the
 * stretch around it, if there is one. True when there were records.
 */
static bool walk_inside(walk *w, const passage *p, json *value)
{
    size_t records = w->found.records, broken = w->found.broken;
    stretch **mark = w->last_broken;
    bool before = w->is_in_stretch;

    w->is_in_stretch |= p->broken_from < p->text.length;
    walk_value(w, value);
    w->is_in_stretch = before;
    if (w->found.records > records)
        return true;
    if (p->broken_from < p->text.length)
        forget_broken(w, mark, broken);
    return false;
}

static void walk_found(walk *w, passage *p, size_t at, size_t end, json *document)
{
    if (closes_before(p, at))
        end_broken(w, p, at);
    note_words(p, at);
    if (is_a_broken_records_part(p->text, at)) {
        begin_broken(p, at, true, UNWRAP_PART);
        return;
    }
    w->lacks_targets = false;
    if (walk_inside(w, p, document)) {
        end_broken(w, p, at);
        begin_words(p, end);
        if (w->lacks_targets && goes_on_with_a_key(text_from(p->text, end)))
            begin_broken(p, at, true, "a bracket that closes too early");
    } else {
        if (p->document_from > at && looks_like_a_document(p->text, at))
            p->document_from = at;
        p->words_from = end;
    }
}

/* The key of the value that begins at `at`, or nothing. */
static text key_before(text t, size_t at)
{
    size_t end;

    while (at > 0 && (t.bytes[at - 1] == ' ' || t.bytes[at - 1] == ':'))
        at--;
    if (at == 0 || t.bytes[at - 1] != '"')
        return (text){NULL, 0};
    end = --at;
    while (at > 0 && t.bytes[at - 1] != '"' && end - at < 40)
        at--;
    return (text){t.bytes + at, end - at};
}

/*
 * Does `at` stand in a text that somebody chose: a name, a user agent? A
 * document in there is not the record's. Asked of a stretch under way.
 */
static bool is_in_chosen_text(passage *p, size_t at)
{
    if (p->broken_from == p->text.length || closes_before(p, at) || !p->brackets.in_string)
        return false;
    return chosen_text_is(key_before(p->text, p->broken_from + p->brackets.string_begin));
}

/* The inside of a string, up to the quote that ends it or to the end of its line; 0: it is none. */
static size_t inside_length(passage *p, size_t at)
{
    text rest = text_from(p->text, at);
    const char *line_end;
    size_t length;

    if (rest.length < 2 || rest.bytes[1] != '\\' || at < p->bad_escape || at < p->escaped_to)
        return 0;
    length = json_string_inside(rest);
    if (length < rest.length && rest.bytes[length] == '\\' && rest.length - length > 6) {
        p->bad_escape = at + length;
        return 0;
    }
    line_end = memchr(rest.bytes, '\n', length);
    return line_end ? (size_t)(line_end - rest.bytes) : length;
}

/*
 * No document begins in a string's inside in front of an escaped quote that
 * is not the string's own; but behind the last of them one may.
 */
static size_t behind_last_quote(text inside)
{
    const char *quote = memrchr(inside.bytes, '"', inside.length);

    return quote != NULL ? (size_t)(quote - inside.bytes) + 1 : 1;
}

/* True when the inside of a string held records, which were handed on. */
static bool walk_string_inside(walk *w, const passage *p, text inside)
{
    json *string = json_unescape(w->unwrap->parser, inside);
    bool found;

    w->found.out_of_memory |= string == NULL && json_parser_ran_out(w->unwrap->parser);
    found = string != NULL && walk_inside(w, p, string);
    json_free(string);
    return found;
}

/*
 * A document in a quoted string around which there is no document, as in
 * record="{\"id\":...}", or in one that was cut. The length of what is done
 * with so, or 0 when it is no string. A stretch under way goes on behind it:
 * what is quoted in it is no end of it. Each string is searched once.
 */
static size_t walk_escaped(walk *w, passage *p, size_t at)
{
    size_t length = inside_length(p, at), broken = w->found.broken;
    text inside = {p->text.bytes + at, length};
    bool found;

    if (length == 0)
        return 0;
    p->escaped_to = at + length;
    if (closes_before(p, at))
        end_broken(w, p, at);
    note_words(p, at);
    if (is_in_chosen_text(p, at))
        return behind_last_quote(inside);
    found = walk_string_inside(w, p, inside);
    if (found)
        buffer_append(&p->judged, (text){(const char *)&inside, sizeof(inside)});
    if (p->broken_from == p->text.length && (found || w->found.broken > broken))
        begin_words(p, at + length);
    return found ? length : behind_last_quote(inside);
}

/*
 * After a document that cannot be read, the search goes on right behind its
 * first byte: a good record may follow, or stand inside.
 */
static size_t walk_document_at(walk *w, passage *p, size_t at)
{
    json_parser *parser = w->unwrap->parser;
    json *document;
    size_t taken, length;
    const char *reason = json_search_at(parser, &p->search, at, &document, &taken);

    if (reason == NULL) {
        walk_found(w, p, at, at + taken, document);
        json_free(document);
        return at + taken;
    }
    w->found.out_of_memory |= json_parser_ran_out(parser);
    length = walk_escaped(w, p, at);
    if (length > 0)
        return at + length;
    note_broken(w, p, at, reason);
    return at + 1;
}

static void walk_passage(walk *w, passage *p)
{
    size_t at = next_document(p->text, 0);

    while (at < p->text.length && !must_stop(w))
        at = next_document(p->text, walk_document_at(w, p, at));
    if (closes_before(p, p->text.length))
        end_broken(w, p, p->text.length);
    note_words(p, p->text.length);
    end_broken(w, p, p->text.length);
}

/* Alerts of synctap's own in a SIEM's words are passed over, a line each. */
static text behind_own_lines(text t)
{
    size_t length;

    while ((length = dialect_line_length(t)) > 0)
        t = text_from(t, length < t.length ? length + 1 : length);
    return t;
}

static void walk_text(walk *w, text all)
{
    text t = behind_own_lines(all);
    passage p = {
        .text = t,
        .search = json_search_begin(t),
        .broken_from = t.length,
        .document_from = t.length,
    };

    walk_passage(w, &p);
    json_search_end(&p.search);
    buffer_free(&p.judged);
}

/* --- carriers --- */

/*
 * Does a rule fit by what stands in front of the JSON alone? Words in the
 * JSON are the record's: a display name that looks like a carrier must not
 * lead the reading astray. Asked with the JSON replaced by an empty object.
 */
static bool carrier_is_in_front(const carrier *rulebase, text message, bool *out_of_memory)
{
    const char *json_begins = memchr(message.bytes, '{', message.length);
    buffer head = {0};
    json *fields = NULL;
    bool fits;

    if (json_begins == NULL)
        return true; /* a rule may make a record of other words */
    buffer_append(&head, text_between(message.bytes, json_begins));
    buffer_append_string(&head, "{}");
    if (!buffer_failed(&head))
        fields = carrier_take_apart(rulebase, buffer_text(&head));
    fits = fields != NULL;
    *out_of_memory = buffer_failed(&head) || (!fits && errno == ENOMEM);
    json_free(fields);
    buffer_free(&head);
    return fits;
}

static void walk_carrier(walk *w, const carrier *rulebase, text message)
{
    json *fields = carrier_take_apart(rulebase, message);

    w->found.out_of_memory |= fields == NULL && errno == ENOMEM;
    w->level = -1; /* a text that the rule took out is no string in a string yet */
    walk_value(w, carrier_record(fields));
    json_free(fields);
}

/* Before JSON that begins the text no carrier stands; a PRI, a BOM or blanks may. */
static bool begins_with_json(text t)
{
    size_t at = 0;

    if (t.length > 0 && t.bytes[0] == '<')
        for (at = 1; at < t.length && at < 5 && t.bytes[at - 1] != '>'; at++)
            ;
    while (at < t.length && t.bytes[at] != '\0' &&
           strchr(" \t\r\n\xEF\xBB\xBF", t.bytes[at]) != NULL)
        at++;
    return at < t.length && (t.bytes[at] == '{' || t.bytes[at] == '[');
}

/* False when no rule fits, or what it found holds no record of any kind. */
static bool read_by_rulebase(unwrap *self, const carrier *rulebase, text message,
                             const unwrap_sink *sink, unwrapped *found)
{
    bool is_read;
    walk w;

    begin_walk(&w, self, sink);
    walk_carrier(&w, rulebase, message);
    is_read = w.found.records + w.found.other_kinds > 0 || w.found.stopped;
    end_walk(&w, is_read);
    *found = w.found;
    found->by_rulebase = is_read;
    return is_read;
}

/* What it seemed to be, byte for byte, does not count. */
static void refuse_wide(walk *w, text message)
{
    buffer narrow = {0};

    wide_text_narrow(message, &narrow);
    forget_broken(w, &w->broken, 0);
    w->found.out_of_memory |= buffer_failed(&narrow);
    count_broken(w, WIDE_TEXT);
    keep_broken(w, buffer_text(&narrow), WIDE_TEXT);
    buffer_free(&narrow);
}

unwrapped unwrap_text(unwrap *self, const carrier *rulebase, text message, const unwrap_sink *sink)
{
    unwrapped found = {0};
    walk w;

    if (rulebase != NULL && !begins_with_json(message) && dialect_line_length(message) == 0 &&
        carrier_is_in_front(rulebase, message, &found.out_of_memory) &&
        read_by_rulebase(self, rulebase, message, sink, &found))
        return found;
    begin_walk(&w, self, sink);
    walk_text(&w, message);
    if (w.found.records == 0 && wide_text_is(message))
        refuse_wide(&w, message);
    end_walk(&w, true);
    w.found.out_of_memory |= found.out_of_memory;
    return w.found;
}

unwrapped unwrap_tree(unwrap *self, json *tree, const unwrap_sink *sink)
{
    walk w;

    begin_walk(&w, self, sink);
    walk_value(&w, tree);
    end_walk(&w, true);
    return w.found;
}
