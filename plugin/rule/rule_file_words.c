/* SPDX-License-Identifier: Apache-2.0 */
/* rule_file_words: what a rule file says of its alerts and incidents. */
#include <ctype.h>

#include "rule/rule_file_parts.h"

enum { MOST_PIECES = 200 };

/* --- what is said by columns --- */

static const kql_column *find_column(rule_file_reader *r, text name, const char *what)
{
    const kql_column *c = kql_find_column(&r->file->query.columns, name);

    if (c == NULL)
        rule_file_warn(r, "%s names the column \"%.*s\", which the query has not", what,
                       SHOWN(name));
    return c;
}

/* A field's column by its name or number, as {{columnName}}. */
static rule_field read_field(rule_file_reader *r, text name, text column, const char *what)
{
    return (rule_field){name, column, find_column(r, column, what)};
}

static void read_entity(rule_file_reader *r, const yaml_node *node, rule_entity *entity)
{
    const yaml_node *fields = rule_file_part(r, node, "fieldMappings", YAML_LIST);
    size_t count = fields != NULL ? yaml_count(fields) : 0;

    entity->type = rule_file_text(r, node, "entityType");
    entity->fields = rule_file_alloc(r, count * sizeof(rule_field));
    for (size_t i = 0; entity->fields != NULL && i < count; i++) {
        const yaml_node *field = rule_file_item(r, fields, i, YAML_MAP, "fieldMappings");

        entity->fields[entity->field_count++] =
            read_field(r, rule_file_text(r, field, "identifier"),
                       rule_file_text(r, field, "columnName"), "entityMappings");
    }
}

static void read_entities(rule_file_reader *r, const yaml_node *root)
{
    const yaml_node *list = rule_file_part(r, root, "entityMappings", YAML_LIST);
    size_t count = list != NULL ? yaml_count(list) : 0;
    rule_entity *all = rule_file_alloc(r, count * sizeof(rule_entity));

    for (size_t i = 0; all != NULL && i < count; i++)
        read_entity(r, rule_file_item(r, list, i, YAML_MAP, "entityMappings"), &all[i]);
    r->file->facts.entities = all;
    r->file->facts.entity_count = all != NULL ? count : 0;
}

static void read_details(rule_file_reader *r, const yaml_node *root)
{
    const yaml_node *map = rule_file_part(r, root, "customDetails", YAML_MAP);
    size_t count = map != NULL ? yaml_count(map) : 0;
    rule_field *all = rule_file_alloc(r, count * sizeof(rule_field));

    for (size_t i = 0; all != NULL && i < count; i++) {
        text name;

        yaml_pair(r->tree, map, i, &name);
        name = rule_file_copy(r, name);
        all[i] = read_field(r, name, rule_file_text(r, map, name.bytes), "customDetails");
    }
    r->file->facts.details = all;
    r->file->facts.detail_count = all != NULL ? count : 0;
}

/* Words, and columns in {{ }}; a column that there is not stays as words. */
static rule_format read_format(rule_file_reader *r, const yaml_node *map, const char *key)
{
    text t = rule_file_text(r, map, key), words;
    rule_format format = {rule_file_alloc(r, MOST_PIECES * sizeof(rule_piece)), 0};

    words = (text){t.bytes, 0};
    while (format.pieces != NULL && t.length > 0 && format.count < MOST_PIECES - 1) {
        const char *end = t.length > 4 && memcmp(t.bytes, "{{", 2) == 0
                              ? memmem(t.bytes, t.length, "}}", 2)
                              : NULL;
        text name = end ? rule_file_without_blanks(text_between(t.bytes + 2, end)) : (text)TEXT("");
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

static const kql_column *column_member(rule_file_reader *r, const yaml_node *map, const char *key)
{
    text name = rule_file_text(r, map, key);

    return name.length > 0 ? find_column(r, name, key) : NULL;
}

static void read_override(rule_file_reader *r, const yaml_node *root)
{
    const yaml_node *map = rule_file_part(r, root, "alertDetailsOverride", YAML_MAP);
    rule_facts *f = &r->file->facts;

    f->display_name = read_format(r, map, "alertDisplayNameFormat");
    f->description_format = read_format(r, map, "alertDescriptionFormat");
    f->severity_column = column_member(r, map, "alertSeverityColumnName");
    f->tactics_column = column_member(r, map, "alertTacticsColumnName");
}

void rule_file_read_mappings(rule_file_reader *r, const yaml_node *root)
{
    read_entities(r, root);
    read_details(r, root);
    read_override(r, root);
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

void rule_file_read_period(rule_file_reader *r, const yaml_node *root)
{
    text period = rule_file_text(r, root, "queryPeriod");

    if (period.length == 0)
        rule_file_warn(r, "there is no queryPeriod: the lookback is what the query says, else the "
                          "default, 1d");
    else if (!read_span(period, &r->file->facts.query_period))
        rule_file_warn(
            r,
            "queryPeriod \"%.*s\" is no timespan: the lookback is what the query says, else the "
            "default, 1d",
            SHOWN(period));
}

/* --- incidents --- */

static bool read_truth(rule_file_reader *r, const yaml_node *map, const char *key, bool otherwise)
{
    text t = rule_file_text(r, map, key);

    if (kql_equals(t, (text)TEXT("true"), SEMANTICS_KQL))
        return true;
    if (kql_equals(t, (text)TEXT("false"), SEMANTICS_KQL))
        return false;
    if (t.length > 0)
        rule_file_warn(r, "%s \"%.*s\" is neither true nor false: it is taken for %s", key,
                       SHOWN(t), otherwise ? "true" : "false");
    return otherwise;
}

void rule_file_read_incidents(rule_file_reader *r, const yaml_node *root)
{
    static const char *const matchings[] = {"AnyAlert", "AllEntities", "Selected"};
    const yaml_node *map = rule_file_part(r, root, "incidentConfiguration", YAML_MAP);
    const yaml_node *grouping = rule_file_part(r, map, "groupingConfiguration", YAML_MAP);
    rule_facts *f = &r->file->facts;
    text window = rule_file_text(r, grouping, "lookbackDuration");

    f->says_incidents = map != NULL;
    f->creates_incident = read_truth(r, map, "createIncident", true);
    f->groups_incidents = read_truth(r, grouping, "enabled", false);
    f->matching = rule_file_word(r, grouping, "matchingMethod", matchings,
                                 sizeof(matchings) / sizeof(matchings[0]));
    rule_file_list(r, grouping, "groupByEntities"); /* it is checked, and groups nothing here */
    if (window.length > 0 && !read_span(window, &f->grouping_window))
        rule_file_warn(r, "lookbackDuration \"%.*s\" is no timespan: incidents group over 24h",
                       SHOWN(window));
}
