/* SPDX-License-Identifier: Apache-2.0 */
/* rule_file: from YAML to what a rule means, or why it is refused. */
#include "rule/rule_file_parts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/whole_file.h"

enum { MOST_BYTES = 1 << 20 };

/* --- what goes wrong --- */

bool rule_file_fail(rule_file_reader *r, yaml_place at, text word, const char *message)
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

bool rule_file_out_of_memory(rule_file_reader *r)
{
    r->failed = true;
    return false;
}

void *rule_file_alloc(rule_file_reader *r, size_t size)
{
    void *block = arena_alloc(r->file->memory, size + 1);

    if (block == NULL)
        rule_file_out_of_memory(r);
    else
        memset(block, 0, size + 1);
    return block;
}

text rule_file_copy(rule_file_reader *r, text t)
{
    text copied = arena_copy(r->file->memory, t);

    if (copied.bytes == NULL) {
        rule_file_out_of_memory(r);
        return (text)TEXT("");
    }
    return copied;
}

void rule_file_warn(rule_file_reader *r, const char *format, ...)
{
    rule_file *f = r->file;
    char words[400];
    va_list args;

    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    if (f->warning_count < RULE_FILE_MOST_WARNINGS)
        f->warnings[f->warning_count++] = rule_file_copy(r, text_of(words));
}

/* --- members --- */

text rule_file_without_blanks(text t)
{
    while (t.length > 0 && isspace((unsigned char)t.bytes[0]))
        t = text_from(t, 1);
    while (t.length > 0 && isspace((unsigned char)t.bytes[t.length - 1]))
        t.length--;
    return t;
}

yaml_node *rule_file_member(rule_file_reader *r, const yaml_node *map, const char *key)
{
    bool twice = false;
    yaml_node *node = yaml_member(r->tree, map, key, &twice);

    if (twice)
        rule_file_fail(r, yaml_place_of(node), text_of(key), "it stands here twice");
    return node;
}

/* Nothing, or a node of that kind; else the reading fails. */
static bool expect_kind(rule_file_reader *r, const yaml_node *node, yaml_kind kind, const char *key)
{
    static const char *const wanted[] = {[YAML_TEXT] = "a text should stand here",
                                         [YAML_LIST] = "a list should stand here",
                                         [YAML_MAP] = "a mapping should stand here"};

    if (yaml_is_null(node))
        return false;
    return yaml_kind_of(node) == kind ||
           rule_file_fail(r, yaml_place_of(node), text_of(key), wanted[kind]);
}

yaml_node *rule_file_part(rule_file_reader *r, const yaml_node *map, const char *key,
                          yaml_kind kind)
{
    yaml_node *node = rule_file_member(r, map, key);

    return expect_kind(r, node, kind, key) ? node : NULL;
}

static text text_of_node(rule_file_reader *r, const yaml_node *node, const char *key)
{
    return expect_kind(r, node, YAML_TEXT, key)
               ? rule_file_copy(r, rule_file_without_blanks(yaml_text(node)))
               : (text)TEXT("");
}

text rule_file_text(rule_file_reader *r, const yaml_node *map, const char *key)
{
    return text_of_node(r, rule_file_member(r, map, key), key);
}

yaml_node *rule_file_item(rule_file_reader *r, const yaml_node *list, size_t n, yaml_kind kind,
                          const char *key)
{
    yaml_node *item = yaml_item(r->tree, list, n);

    return expect_kind(r, item, kind, key) ? item : NULL;
}

rule_texts rule_file_list(rule_file_reader *r, const yaml_node *map, const char *key)
{
    const yaml_node *list = rule_file_part(r, map, key, YAML_LIST);
    size_t count = list != NULL ? yaml_count(list) : 0;
    text *all = rule_file_alloc(r, count * sizeof(text));

    for (size_t i = 0; all != NULL && i < count; i++)
        all[i] = text_of_node(r, yaml_item(r->tree, list, i), key);
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
static void read_techniques(rule_file_reader *r, const yaml_node *root)
{
    enum { MOST = 64, LENGTH = 9 };
    rule_texts named = rule_file_list(r, root, "relevantTechniques");
    text *plain = rule_file_alloc(r, MOST * sizeof(text)),
         *sub = rule_file_alloc(r, MOST * sizeof(text));
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

static void warn_of_ignored(rule_file_reader *r, const yaml_node *root)
{
    for (size_t i = 0; i < yaml_count(root); i++) {
        text key;

        yaml_pair(r->tree, root, i, &key);
        if (!is_known(key))
            rule_file_warn(r, "\"%.*s\" is ignored", SHOWN(key));
    }
}

text rule_file_word(rule_file_reader *r, const yaml_node *map, const char *key,
                    const char *const known[], size_t count)
{
    text word = rule_file_text(r, map, key);
    char all[100] = "";

    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(all);

        if (kql_equals(word, text_of(known[i]), SEMANTICS_KQL))
            return text_of(known[i]);
        snprintf(all + length, sizeof(all) - length, "%s%s", i > 0 ? ", " : "", known[i]);
    }
    if (word.length > 0)
        rule_file_warn(r, "%s \"%.*s\" is none of %s", key, SHOWN(word), all);
    return word;
}

static text read_severity(rule_file_reader *r, const yaml_node *root)
{
    static const char *const known[] = {"Informational", "Low", "Medium", "High"};
    text severity = rule_file_word(r, root, "severity", known, sizeof(known) / sizeof(known[0]));

    return severity.length > 0 ? severity : (text)TEXT("Informational");
}

static bool read_rule(rule_file_reader *r, const yaml_node *root)
{
    rule_facts *f = &r->file->facts;

    if (yaml_kind_of(root) != YAML_MAP)
        return rule_file_fail(r, (yaml_place){1, 1}, (text)TEXT(""), "a rule is a YAML mapping");
    f->id = rule_file_text(r, root, "id");
    f->name = rule_file_text(r, root, "name");
    f->version = rule_file_text(r, root, "version");
    f->description = rule_file_text(r, root, "description");
    f->tactics = rule_file_list(r, root, "tactics");
    if (!r->failed && f->id.length == 0)
        return rule_file_fail(r, yaml_place_of(root), (text)TEXT("id"), "a rule needs one");
    read_techniques(r, root);
    f->severity = read_severity(r, root);
    warn_of_ignored(r, root);
    rule_file_read_period(r, root);
    if (!rule_file_read_query(r, root))
        return false;
    rule_file_read_mappings(r, root);
    rule_file_read_incidents(r, root);
    return !r->failed;
}

static bool read_tree(rule_file_reader *r)
{
    const char *wrong;
    yaml_place place;
    bool read;

    r->tree = yaml_tree_read(r->content, &wrong, &place);
    if (r->tree == NULL)
        return wrong != NULL ? rule_file_fail(r, place, yaml_word_at(r->content, place), wrong)
                             : rule_file_out_of_memory(r);
    read = read_rule(r, yaml_tree_root(r->tree));
    yaml_tree_free(r->tree);
    return read;
}

rule_file *rule_file_read(text content, const char *name, char **error)
{
    rule_file_reader r = {.file = calloc(1, sizeof(rule_file)), .content = content, .name = name};

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
