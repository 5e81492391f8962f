/* SPDX-License-Identifier: Apache-2.0 */
/* rule_file: from YAML to what a rule means, or why it is refused. */
#include "rule/rule_file.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/whole_file.h"
#include "record/audit_column.h"
#include "rule/yaml_tree.h"

enum { MOST_BYTES = 1 << 20, MOST_WARNINGS = 200, MOST_PIECES = 200 };

struct rule_file {
    arena *memory;
    rule_facts facts;
    kql_query query;
    kql_literals literals;
    text warnings[MOST_WARNINGS];
    size_t warning_count;
};

typedef struct reader {
    rule_file *file;
    yaml_tree *tree;
    text content;
    const char *name; /* of the file, for errors */
    char *error;
    bool failed; /* with error NULL: memory is out */
} reader;

/* --- what goes wrong --- */

static bool fail(reader *r, yaml_place at, text word, const char *message)
{
    int length = (int)(word.length < 80 ? word.length : 80);

    if (r->failed)
        return false;
    r->failed = true;
    if (asprintf(&r->error, "%s:%zu:%zu: %s%.*s%s%s", r->name, at.line, at.column,
                 length > 0 ? "\"" : "", length, word.bytes, length > 0 ? "\": " : "", message) < 0)
        r->error = NULL;
    return false;
}

static bool out_of_memory(reader *r)
{
    r->failed = true;
    return false;
}

static void *alloc(reader *r, size_t size)
{
    void *block = arena_alloc(r->file->memory, size + 1);

    if (block == NULL)
        out_of_memory(r);
    else
        memset(block, 0, size + 1);
    return block;
}

static text copy(reader *r, text t)
{
    text copied = arena_copy(r->file->memory, t);

    if (copied.bytes == NULL) {
        out_of_memory(r);
        return (text)TEXT("");
    }
    return copied;
}

__attribute__((format(printf, 2, 3))) static void warn(reader *r, const char *format, ...)
{
    rule_file *f = r->file;
    char words[400];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    if (f->warning_count < MOST_WARNINGS)
        f->warnings[f->warning_count++] = copy(r, text_of(words));
}

#define SHOWN(t) (int)((t).length < 100 ? (t).length : 100), (t).bytes

/* --- members --- */

static text without_blanks(text t)
{
    while (t.length > 0 && isspace((unsigned char)t.bytes[0]))
        t = text_from(t, 1);
    while (t.length > 0 && isspace((unsigned char)t.bytes[t.length - 1]))
        t.length--;
    return t;
}

static yaml_node *member(reader *r, const yaml_node *map, const char *key)
{
    bool twice = false;
    yaml_node *node = yaml_member(r->tree, map, key, &twice);

    if (twice)
        fail(r, yaml_place_of(node), text_of(key), "it stands here twice");
    return node;
}

static text text_member(reader *r, const yaml_node *map, const char *key)
{
    const yaml_node *node = member(r, map, key);

    if (node != NULL && yaml_kind_of(node) != YAML_TEXT)
        fail(r, yaml_place_of(node), text_of(key), "a text should stand here");
    return copy(r, without_blanks(yaml_text(node)));
}

static rule_texts list_member(reader *r, const yaml_node *map, const char *key)
{
    const yaml_node *list = member(r, map, key);
    size_t count = yaml_kind_of(list) == YAML_LIST ? yaml_count(list) : 0;
    text *all = alloc(r, count * sizeof(text));

    for (size_t i = 0; all != NULL && i < count; i++)
        all[i] = copy(r, yaml_text(yaml_item(r->tree, list, i)));
    return (rule_texts){all, all != NULL ? count : 0};
}

/* --- techniques --- */

/* T1098.001 at the beginning of t. */
static bool is_sub_technique(text t)
{
    static const char shape[] = "T9999.999";

    if (t.length < sizeof(shape) - 1)
        return false;
    for (size_t i = 0; i < sizeof(shape) - 1; i++)
        if (shape[i] == '9' ? !isdigit((unsigned char)t.bytes[i]) : t.bytes[i] != shape[i])
            return false;
    return true;
}

static void add_unique(text *all, size_t *count, size_t most, text t)
{
    for (size_t i = 0; i < *count; i++)
        if (text_equal(all[i], t))
            return;
    if (*count < most)
        all[(*count)++] = t;
}

/* relevantTechniques may name sub-techniques; the description tells of others. */
static void read_techniques(reader *r, const yaml_node *root)
{
    enum { MOST = 64, LENGTH = 9 };
    rule_texts named = list_member(r, root, "relevantTechniques");
    text *plain = alloc(r, MOST * sizeof(text)), *sub = alloc(r, MOST * sizeof(text));
    text description = r->file->facts.description;
    size_t plain_count = 0, sub_count = 0;

    if (plain == NULL || sub == NULL)
        return;
    for (size_t i = 0; i < named.count; i++)
        if (is_sub_technique(named.all[i]))
            add_unique(sub, &sub_count, MOST, named.all[i]);
        else
            add_unique(plain, &plain_count, MOST, named.all[i]);
    for (; description.length > 0; description = text_from(description, 1))
        if (is_sub_technique(description))
            add_unique(sub, &sub_count, MOST, (text){description.bytes, LENGTH});
    r->file->facts.techniques = (rule_texts){plain, plain_count};
    r->file->facts.sub_techniques = (rule_texts){sub, sub_count};
}

/* --- the query --- */

/* The n-th occurrence of a word from a line on; the line's beginning when there is none. */
static yaml_place find_in_file(const reader *r, yaml_place from, text word, size_t n)
{
    const char *at = r->content.bytes, *end = at + r->content.length;
    size_t line, column;

    for (size_t l = 1; l < from.line && at != NULL; l++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    if (at == NULL || word.length == 0)
        return from;
    for (;; at++, n--) {
        at = memmem(at, (size_t)(end - at), word.bytes, word.length);
        if (at == NULL)
            return from;
        if (n == 0)
            break;
    }
    kql_lexer_place(r->content, at, &line, &column);
    return (yaml_place){line, column};
}

/* How often the word stands in the query before that place. */
static size_t count_before(text query, const kql_error *e)
{
    text word = text_of(e->word);
    size_t count = 0, line, column;
    const char *at = query.bytes, *end = at + query.length;

    for (; word.length > 0; at++, count++) {
        at = memmem(at, (size_t)(end - at), word.bytes, word.length);
        if (at == NULL)
            return 0;
        kql_lexer_place(query, at, &line, &column);
        if (line > e->line || (line == e->line && column >= e->column))
            return count;
    }
    return 0;
}

/* Of a block that is taken line by line, how far its lines are moved in. */
static size_t indent_of(const reader *r, size_t first_line)
{
    const char *at = r->content.bytes, *end = at + r->content.length;
    size_t indent = 0;

    for (size_t l = 1; l < first_line && at != NULL; l++) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at != NULL ? at + 1 : NULL;
    }
    for (; at != NULL && at < end && (*at == ' ' || *at == '\n' || *at == '\r'); at++)
        indent = *at == ' ' ? indent + 1 : 0;
    return indent;
}

/* Where a place in the query stands in the file. */
static yaml_place place_in_file(const reader *r, const yaml_node *node, const kql_error *e)
{
    yaml_place begin = yaml_place_of(node);

    if (yaml_is_literal(node))
        return (yaml_place){begin.line + e->line, e->column + indent_of(r, begin.line + 1)};
    return find_in_file(r, begin, text_of(e->word), count_before(yaml_text(node), e));
}

static bool refuse_without_literal(reader *r, const yaml_node *node)
{
    return fail(r, yaml_place_of(node), (text)TEXT("query"),
                "no condition holds every row to a text of at least 4 characters in its record: "
                "each message would have to be parsed");
}

static bool read_query(reader *r, const yaml_node *root)
{
    rule_file *f = r->file;
    const yaml_node *node = member(r, root, "query");
    bool ran_out;
    kql_error e;

    if (r->failed)
        return false;
    if (yaml_kind_of(node) != YAML_TEXT)
        return fail(r, yaml_place_of(root), (text)TEXT("query"), "a rule needs one, a text");
    if (!kql_query_parse(&f->query, yaml_text(node), &audit_catalog, f->memory, &e))
        return fail(r, place_in_file(r, node, &e), text_of(e.word), e.message);
    if (kql_query_literals(&f->query, f->memory, &f->literals, &ran_out))
        return true;
    return ran_out ? out_of_memory(r) : refuse_without_literal(r, node);
}

/* --- what is said by columns --- */

static const kql_column *find_column(reader *r, text name, const char *what)
{
    const kql_column *c = kql_find_column(&r->file->query.columns, name);

    if (c == NULL)
        warn(r, "%s names the column \"%.*s\", which the query has not", what, SHOWN(name));
    return c;
}

/* A field's column by its name or number, as {{columnName}}. */
static rule_field read_field(reader *r, text name, text column, const char *what)
{
    return (rule_field){name, column, find_column(r, column, what)};
}

static void read_entity(reader *r, const yaml_node *node, rule_entity *entity)
{
    const yaml_node *fields = member(r, node, "fieldMappings");
    size_t count = yaml_kind_of(fields) == YAML_LIST ? yaml_count(fields) : 0;

    entity->type = text_member(r, node, "entityType");
    entity->fields = alloc(r, count * sizeof(rule_field));
    for (size_t i = 0; entity->fields != NULL && i < count; i++) {
        const yaml_node *field = yaml_item(r->tree, fields, i);

        entity->fields[entity->field_count++] =
            read_field(r, text_member(r, field, "identifier"), text_member(r, field, "columnName"),
                       "entityMappings");
    }
}

static void read_entities(reader *r, const yaml_node *root)
{
    const yaml_node *list = member(r, root, "entityMappings");
    size_t count = yaml_kind_of(list) == YAML_LIST ? yaml_count(list) : 0;
    rule_entity *all = alloc(r, count * sizeof(rule_entity));

    for (size_t i = 0; all != NULL && i < count; i++)
        read_entity(r, yaml_item(r->tree, list, i), &all[i]);
    r->file->facts.entities = all;
    r->file->facts.entity_count = all != NULL ? count : 0;
}

static void read_details(reader *r, const yaml_node *root)
{
    const yaml_node *map = member(r, root, "customDetails");
    size_t count = yaml_kind_of(map) == YAML_MAP ? yaml_count(map) : 0;
    rule_field *all = alloc(r, count * sizeof(rule_field));

    for (size_t i = 0; all != NULL && i < count; i++) {
        text name;
        const yaml_node *column = yaml_pair(r->tree, map, i, &name);

        all[i] = read_field(r, copy(r, name), copy(r, yaml_text(column)), "customDetails");
    }
    r->file->facts.details = all;
    r->file->facts.detail_count = all != NULL ? count : 0;
}

/* Words, and columns in {{ }}; a column that there is not stays as words. */
static rule_format read_format(reader *r, const yaml_node *map, const char *key)
{
    text t = text_member(r, map, key), words;
    rule_format format = {alloc(r, MOST_PIECES * sizeof(rule_piece)), 0};

    words = (text){t.bytes, 0};
    while (format.pieces != NULL && t.length > 0 && format.count < MOST_PIECES - 1) {
        const char *end = t.length > 4 && memcmp(t.bytes, "{{", 2) == 0
                              ? memmem(t.bytes, t.length, "}}", 2)
                              : NULL;
        text name = end ? without_blanks(text_between(t.bytes + 2, end)) : (text)TEXT("");
        const kql_column *column = end != NULL ? find_column(r, name, key) : NULL;
        size_t taken = column != NULL ? (size_t)(end + 2 - t.bytes) : 1;

        if (column != NULL) {
            format.pieces[format.count++] = (rule_piece){words, column};
            words = (text){t.bytes + taken, 0};
        } else {
            words.length++;
        }
        t = text_from(t, taken);
    }
    words.length += t.length;
    if (format.pieces != NULL && words.length > 0)
        format.pieces[format.count++] = (rule_piece){words, NULL};
    return format;
}

static const kql_column *column_member(reader *r, const yaml_node *map, const char *key)
{
    text name = text_member(r, map, key);

    return name.length > 0 ? find_column(r, name, key) : NULL;
}

static void read_override(reader *r, const yaml_node *root)
{
    const yaml_node *map = member(r, root, "alertDetailsOverride");
    rule_facts *f = &r->file->facts;

    f->display_name = read_format(r, map, "alertDisplayNameFormat");
    f->description_format = read_format(r, map, "alertDescriptionFormat");
    f->severity_column = column_member(r, map, "alertSeverityColumnName");
    f->tactics_column = column_member(r, map, "alertTacticsColumnName");
}

/* --- spans --- */

/* PT24H, P1D, PT5M */
static bool read_iso_span(text t, timespan *span)
{
    static const struct {
        char unit;
        bool in_time;
        int64_t ticks;
    } units[] = {{'D', false, TICKS_PER_DAY},
                 {'H', true, 3600 * TICKS_PER_SECOND},
                 {'M', true, 60 * TICKS_PER_SECOND},
                 {'S', true, TICKS_PER_SECOND}};
    bool in_time = false;
    int64_t number = 0;

    *span = 0;
    if (t.length < 2 || t.bytes[0] != 'P')
        return false;
    for (size_t i = 1; i < t.length; i++) {
        size_t u = 0;

        if (t.bytes[i] == 'T') {
            in_time = true;
            continue;
        }
        if (isdigit((unsigned char)t.bytes[i])) {
            number = number * 10 + (t.bytes[i] - '0');
            if (number > 100000)
                return false;
            continue;
        }
        while (u < 4 && (units[u].unit != t.bytes[i] || units[u].in_time != in_time))
            u++;
        if (u == 4)
            return false;
        *span += number * units[u].ticks;
        number = 0;
    }
    return *span > 0;
}

/* 1d, 5h, 2H, PT5M */
static bool read_span(text t, timespan *span)
{
    char lower[32];

    if (read_iso_span(t, span))
        return true;
    if (t.length >= sizeof(lower))
        return false;
    for (size_t i = 0; i < t.length; i++)
        lower[i] = (char)tolower((unsigned char)t.bytes[i]);
    return timespan_parse((text){lower, t.length}, span) && *span > 0;
}

static void read_period(reader *r, const yaml_node *root)
{
    text period = text_member(r, root, "queryPeriod");

    if (period.length == 0)
        warn(r, "there is no queryPeriod: the lookback is what the query says, else the "
                "default, 1d");
    else if (!read_span(period, &r->file->facts.query_period))
        warn(r,
             "queryPeriod \"%.*s\" is no timespan: the lookback is what the query says, else the "
             "default, 1d",
             SHOWN(period));
}

/* --- incidents --- */

static bool is_true(text t, bool otherwise)
{
    if (t.length == 0)
        return otherwise;
    return kql_equals(t, (text)TEXT("true"), SEMANTICS_KQL);
}

static void read_incidents(reader *r, const yaml_node *root)
{
    const yaml_node *map = member(r, root, "incidentConfiguration");
    const yaml_node *grouping = member(r, map, "groupingConfiguration");
    rule_facts *f = &r->file->facts;
    text window = text_member(r, grouping, "lookbackDuration");

    f->says_incidents = map != NULL;
    f->creates_incident = is_true(text_member(r, map, "createIncident"), true);
    f->groups_incidents = is_true(text_member(r, grouping, "enabled"), false);
    f->matching = text_member(r, grouping, "matchingMethod");
    f->group_by = list_member(r, grouping, "groupByEntities");
    if (window.length > 0 && !read_span(window, &f->grouping_window))
        warn(r, "lookbackDuration \"%.*s\" is no timespan: incidents group over 24h",
             SHOWN(window));
}

/* --- the whole --- */

/* What is used, and what is read and not used. */
static bool is_known(text key)
{
    static const char *const known[] = {"id",
                                        "name",
                                        "version",
                                        "description",
                                        "severity",
                                        "tactics",
                                        "relevantTechniques",
                                        "query",
                                        "entityMappings",
                                        "customDetails",
                                        "alertDetailsOverride",
                                        "incidentConfiguration",
                                        "queryPeriod",
                                        "queryFrequency",
                                        "triggerOperator",
                                        "triggerThreshold",
                                        "suppressionDuration",
                                        "suppressionEnabled",
                                        "requiredDataConnectors",
                                        "kind"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (text_equal(key, text_of(known[i])))
            return true;
    return false;
}

static void warn_of_ignored(reader *r, const yaml_node *root)
{
    for (size_t i = 0; i < yaml_count(root); i++) {
        text key;

        yaml_pair(r->tree, root, i, &key);
        if (!is_known(key))
            warn(r, "\"%.*s\" is ignored", SHOWN(key));
    }
}

static void warn_of_severity(reader *r)
{
    static const char *const known[] = {"Informational", "Low", "Medium", "High"};
    rule_facts *f = &r->file->facts;

    if (f->severity.length == 0) {
        f->severity = (text)TEXT("Informational");
        return;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (text_equal(f->severity, text_of(known[i])))
            return;
    warn(r, "severity \"%.*s\" is none of Informational, Low, Medium, High", SHOWN(f->severity));
}

/* Columns of the role list that are never filled here. */
static void warn_of_columns(void *arg, const kql_expr *e)
{
    reader *r = arg;

    if (e->form == FORM_COLUMN && e->slot >= KEPT_COLUMN_COUNT &&
        e->slot < audit_catalog.accounts->count)
        warn(r, "IdentityInfo.%.*s is not kept here: it is \"\" or null", SHOWN(e->name));
    for (size_t i = 0; i < e->count; i++)
        warn_of_columns(arg, e->args[i]);
}

static void warn_of_sets(reader *r)
{
    const kql_query *q = &r->file->query;

    for (size_t s = 0; s < q->set_count; s++) {
        const kql_pipeline *rows = &q->sets[s].rows;

        for (size_t i = 0; !q->sets[s].is_watchlist && i < rows->count; i++) {
            if (rows->ops[i].kind == OP_WHERE)
                warn_of_columns(r, rows->ops[i].condition);
            for (size_t a = 0; a < rows->ops[i].assignment_count; a++)
                warn_of_columns(r, rows->ops[i].assignments[a].value);
        }
    }
}

static bool read_rule(reader *r, const yaml_node *root)
{
    rule_facts *f = &r->file->facts;

    if (yaml_kind_of(root) != YAML_MAP)
        return fail(r, (yaml_place){1, 1}, (text)TEXT(""), "a rule is a YAML mapping");
    f->id = text_member(r, root, "id");
    f->name = text_member(r, root, "name");
    f->version = text_member(r, root, "version");
    f->description = text_member(r, root, "description");
    f->severity = text_member(r, root, "severity");
    f->tactics = list_member(r, root, "tactics");
    if (!r->failed && f->id.length == 0)
        return fail(r, yaml_place_of(root), (text)TEXT("id"), "a rule needs one");
    read_techniques(r, root);
    warn_of_severity(r);
    warn_of_ignored(r, root);
    read_period(r, root);
    if (!read_query(r, root))
        return false;
    warn_of_sets(r);
    read_entities(r, root);
    read_details(r, root);
    read_override(r, root);
    read_incidents(r, root);
    return !r->failed;
}

static bool read_tree(reader *r)
{
    const char *wrong;
    yaml_place place;
    bool read;

    r->tree = yaml_tree_read(r->content, &wrong, &place);
    if (r->tree == NULL)
        return wrong != NULL ? fail(r, place, yaml_word_at(r->content, place), wrong)
                             : out_of_memory(r);
    read = read_rule(r, yaml_tree_root(r->tree));
    yaml_tree_free(r->tree);
    return read;
}

rule_file *rule_file_read(text content, const char *name, char **error)
{
    reader r = {.file = calloc(1, sizeof(rule_file)), .content = content, .name = name};

    *error = NULL;
    if (r.file == NULL)
        return NULL;
    r.file->memory = arena_new();
    if (r.file->memory != NULL && read_tree(&r))
        return r.file;
    *error = r.error;
    rule_file_free(r.file);
    return NULL;
}

rule_file *rule_file_open(const char *path, char **error)
{
    size_t length;
    char *bytes = whole_file_read(path, MOST_BYTES, &length, error);
    rule_file *file = bytes != NULL ? rule_file_read((text){bytes, length}, path, error) : NULL;

    free(bytes);
    return file;
}

void rule_file_free(rule_file *self)
{
    if (self == NULL)
        return;
    kql_query_free(&self->query);
    arena_free(self->memory);
    free(self);
}

const rule_facts *rule_file_facts(const rule_file *self)
{
    return &self->facts;
}

const kql_query *rule_file_query(const rule_file *self)
{
    return &self->query;
}

const kql_literals *rule_file_literals(const rule_file *self)
{
    return &self->literals;
}

timespan rule_file_lookback(const rule_file *self)
{
    timespan period = self->facts.query_period;
    const kql_query *q = &self->query;

    if (q->has_lookback && (period == 0 || q->lookback < period))
        return q->lookback;
    return period;
}

rule_texts rule_file_warnings(const rule_file *self)
{
    return (rule_texts){self->warnings, self->warning_count};
}
