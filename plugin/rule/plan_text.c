/* SPDX-License-Identifier: Apache-2.0 */
/* plan_text: formats, entities, details and columns of one row. */
#include "rule/plan_text.h"

#include <ctype.h>
#include <stdio.h>

#include "base/buffer.h"
#include "rule/alert_cut.h"

typedef struct writer {
    const rule_plan *plan;
    const rule_facts *facts;
    const plan_row *row;
    const plan_names *names;
    arena *memory;
    buffer out;
    plan_text *text;
    bool failed;
} writer;

/* What was written, in the arena; the buffer is empty again. */
static text take(writer *w)
{
    text t = buffer_failed(&w->out) ? (text){NULL, 0} : arena_copy(w->memory, buffer_text(&w->out));

    buffer_clear(&w->out);
    w->failed |= t.bytes == NULL;
    return t.bytes != NULL ? t : (text)TEXT("");
}

/* --- values --- */

static const kql_value *value_of(const writer *w, const kql_column *c)
{
    const kql_columns *columns = plan_columns(w->plan);

    for (size_t i = 0; c != NULL && i < columns->count; i++)
        if (columns->all[i].slot == c->slot && text_equal(columns->all[i].name, c->name))
            return &w->row->values[i];
    return NULL;
}

static text cut(writer *w, text t)
{
    return alert_cut(t, ALERT_MOST_TEXT, &w->text->cut);
}

/* A column's text; "" where there is no such column. */
static text shown(writer *w, const kql_column *c)
{
    const kql_value *v = value_of(w, c);
    text t = v != NULL ? kql_tostring(*v, c->type, w->memory) : (text)TEXT("");

    w->failed |= t.bytes == NULL;
    return t.bytes != NULL ? t : (text)TEXT("");
}

/* --- titles --- */

static text format(writer *w, const rule_format *f, text otherwise)
{
    for (size_t i = 0; i < f->count; i++) {
        buffer_append(&w->out, cut(w, f->pieces[i].words));
        if (f->pieces[i].column != NULL)
            buffer_append(&w->out, cut(w, shown(w, f->pieces[i].column)));
    }
    if (f->count == 0)
        buffer_append(&w->out, otherwise);
    return cut(w, take(w));
}

static text severity(writer *w)
{
    static const text known[] = {TEXT("Informational"), TEXT("Low"), TEXT("Medium"), TEXT("High")};
    text own = shown(w, w->facts->severity_column);

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (kql_equals(own, known[i], SEMANTICS_KQL))
            return known[i];
    return w->facts->severity;
}

static void write_texts(writer *w, rule_texts texts)
{
    for (size_t i = 0; i < texts.count; i++) {
        json_write_item(&w->out);
        json_write_string(&w->out, texts.all[i]);
    }
}

/* An array, or one text with commas in it. */
static void write_own_tactics(writer *w, kql_value v, text t)
{
    text key;

    for (size_t i = 0; v.kind == KIND_ARRAY && i < kql_count(v); i++) {
        json_write_item(&w->out);
        json_write_string(&w->out,
                          cut(w, kql_tostring(kql_nth(v, i, &key), KQL_DYNAMIC, w->memory)));
    }
    while (v.kind != KIND_ARRAY && t.length > 0) {
        const char *end = memchr(t.bytes, ',', t.length);
        text one = end != NULL ? text_between(t.bytes, end) : t;

        t = text_from(t, one.length + (end != NULL));
        while (one.length > 0 && one.bytes[0] == ' ')
            one = text_from(one, 1);
        json_write_item(&w->out);
        json_write_string(&w->out, cut(w, one));
    }
}

static text tactics(writer *w)
{
    const kql_value *own = value_of(w, w->facts->tactics_column);
    text t = shown(w, w->facts->tactics_column);

    buffer_append_char(&w->out, '[');
    if (own != NULL && t.length > 0)
        write_own_tactics(w, *own, t);
    else
        write_texts(w, w->facts->tactics);
    buffer_append_char(&w->out, ']');
    return take(w);
}

/* --- entities --- */

static bool is_named(text name, const char *wanted)
{
    return kql_equals(name, text_of(wanted), SEMANTICS_KQL);
}

static text identifier(writer *w, const rule_entity *e, const char *name)
{
    for (size_t i = 0; i < e->field_count; i++)
        if (is_named(e->fields[i].name, name))
            return shown(w, e->fields[i].found);
    return (text)TEXT("");
}

static void begin_entity(writer *w, unsigned *id, const char *type)
{
    char written[16];

    snprintf(written, sizeof(written), "%u", ++*id);
    json_write_item(&w->out);
    buffer_append_char(&w->out, '{');
    json_write_member(&w->out, "$id", text_of(written));
    json_write_member(&w->out, "Type", text_of(type));
}

/* The id of an account that the record names with one. */
static text id_of(const writer *w, text full_name)
{
    if (full_name.length == 0)
        return (text)TEXT("");
    if (text_equal(full_name, w->names->target_upn))
        return w->names->target_id;
    return text_equal(full_name, w->names->actor) ? w->names->actor_id : (text)TEXT("");
}

typedef struct account_names {
    text full, name, suffix, id;
} account_names;

static text joined_name(writer *w, text name, text suffix)
{
    buffer_append(&w->out, name);
    buffer_append_char(&w->out, '@');
    buffer_append(&w->out, suffix);
    return take(w);
}

/* FullName is split at its @; Name and UPNSuffix are joined to one. */
static account_names names_of(writer *w, const rule_entity *e)
{
    account_names n = {identifier(w, e, "FullName"), identifier(w, e, "Name"),
                       identifier(w, e, "UPNSuffix"), identifier(w, e, "AadUserId")};
    const char *at;

    if (n.full.length == 0 && n.name.length > 0)
        n.full = n.name;
    at = n.full.length > 0 ? memchr(n.full.bytes, '@', n.full.length) : NULL;
    if (n.name.length == 0) {
        n.name = at != NULL ? text_between(n.full.bytes, at) : n.full;
        if (n.suffix.length == 0 && at != NULL)
            n.suffix = text_from(n.full, (size_t)(at + 1 - n.full.bytes));
    }
    return n;
}

static void write_account(writer *w, const rule_entity *e, unsigned *id, buffer *entities)
{
    account_names n = names_of(w, e);

    if (n.suffix.length > 0 && memchr(n.full.bytes, '@', n.full.length) == NULL)
        n.full = joined_name(w, n.name, n.suffix);
    if (n.id.length == 0)
        n.id = id_of(w, n.full);
    if (n.full.length == 0 && n.id.length == 0)
        return;
    buffer_free(&w->out); /* what a joined name took */
    w->out = *entities;
    begin_entity(w, id, "account");
    json_write_member(&w->out, "FullName", cut(w, n.full));
    json_write_member(&w->out, "Name", cut(w, n.name));
    json_write_member(&w->out, "UPNSuffix", cut(w, n.suffix));
    json_write_member(&w->out, "AadUserId", cut(w, n.id));
    buffer_append_char(&w->out, '}');
    *entities = w->out;
    w->out = (buffer){0};
}

/* CloudApplication is cloud-application, as Sentinel writes it. */
static void write_type(text type, char *out, size_t room)
{
    size_t at = 0;

    for (size_t i = 0; i < type.length && at + 2 < room; i++) {
        char c = type.bytes[i];

        if (isupper((unsigned char)c) && i > 0 && islower((unsigned char)type.bytes[i - 1]))
            out[at++] = '-';
        out[at++] = (char)tolower((unsigned char)c);
    }
    out[at] = '\0';
}

static bool has_value(writer *w, const rule_entity *e)
{
    for (size_t i = 0; i < e->field_count; i++)
        if (shown(w, e->fields[i].found).length > 0)
            return true;
    return false;
}

static void write_other(writer *w, const rule_entity *e, unsigned *id, buffer *entities)
{
    char type[64];

    if (!has_value(w, e))
        return;
    write_type(e->type, type, sizeof(type));
    w->out = *entities;
    begin_entity(w, id, type);
    for (size_t i = 0; i < e->field_count; i++) {
        json_write_item(&w->out);
        json_write_string(&w->out, e->fields[i].name);
        buffer_append_char(&w->out, ':');
        json_write_string(&w->out, cut(w, shown(w, e->fields[i].found)));
    }
    buffer_append_char(&w->out, '}');
    *entities = w->out;
    w->out = (buffer){0};
}

static text entities(writer *w)
{
    buffer all = {0};
    unsigned id = 0;

    buffer_append_char(&all, '[');
    for (size_t i = 0; i < w->facts->entity_count; i++) {
        const rule_entity *e = &w->facts->entities[i];

        buffer_free(&w->out);
        w->out = (buffer){0};
        if (is_named(e->type, "Account"))
            write_account(w, e, &id, &all);
        else
            write_other(w, e, &id, &all);
    }
    buffer_append_char(&all, ']');
    buffer_free(&w->out);
    w->out = all;
    return take(w);
}

/* --- details and columns --- */

static text details(writer *w)
{
    buffer_append_char(&w->out, '{');
    for (size_t i = 0; i < w->facts->detail_count; i++) {
        json_write_item(&w->out);
        json_write_string(&w->out, w->facts->details[i].name);
        buffer_append_char(&w->out, ':');
        json_write_string(&w->out, cut(w, shown(w, w->facts->details[i].found)));
    }
    buffer_append_char(&w->out, '}');
    return take(w);
}

/* What is cut is no JSON any more: then it is a string, the beginning of its JSON. */
static void write_cut_value(writer *w, const kql_column *c, kql_value v)
{
    size_t most = c->slot == COLUMN_TARGET_RESOURCES || c->type == KQL_DYNAMIC
                      ? ALERT_MOST_TARGET_RESOURCES
                      : ALERT_MOST_TEXT;
    text whole;

    if (v.kind == KIND_STRING) {
        json_write_string(&w->out, alert_cut(v.string, ALERT_MOST_TEXT, &w->text->cut));
        return;
    }
    if (v.kind != KIND_ARRAY && v.kind != KIND_BAG) {
        kql_write_json(&w->out, v);
        return;
    }
    whole = kql_tostring(v, KQL_DYNAMIC, w->memory);
    w->failed |= whole.bytes == NULL;
    if (whole.length <= most)
        buffer_append(&w->out, whole);
    else
        json_write_string(&w->out, alert_cut(whole, most, &w->text->cut));
}

static text columns(writer *w, bool is_cut)
{
    const kql_columns *all = plan_columns(w->plan);

    for (size_t i = 0; i < all->count; i++) {
        if (i > 0)
            buffer_append_char(&w->out, ',');
        json_write_string(&w->out, all->all[i].name);
        buffer_append_char(&w->out, ':');
        if (is_cut)
            write_cut_value(w, &all->all[i], w->row->values[i]);
        else
            kql_write_json(&w->out, w->row->values[i]);
    }
    return take(w);
}

/* Two terms of one name are told of once. */
static bool was_told(const rule_plan *p, uint64_t terms, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((terms >> i) & 1) != 0 && strcmp(plan_term_name(p, i), plan_term_name(p, n)) == 0)
            return true;
    return false;
}

static text terms(writer *w)
{
    for (size_t i = 0; i < plan_term_count(w->plan); i++) {
        if (((w->row->terms >> i) & 1) == 0 || was_told(w->plan, w->row->terms, i))
            continue;
        if (w->out.length > 0)
            buffer_append_char(&w->out, ',');
        json_write_string(&w->out, text_of(plan_term_name(w->plan, i)));
    }
    return take(w);
}

const plan_text *plan_text_new(const rule_plan *p, const plan_row *row, const plan_names *names,
                               arena *memory)
{
    plan_text *t = arena_alloc(memory, sizeof(*t));
    writer w = {.plan = p,
                .facts = rule_file_facts(plan_file(p)),
                .row = row,
                .names = names,
                .memory = memory,
                .text = t};

    bool is_cut, has_cut_column;

    if (t == NULL || row->values == NULL)
        return NULL;
    *t = (plan_text){.positions = row->positions, .order = row->order};
    t->display_name = format(&w, &w.facts->display_name, w.facts->name);
    t->description = format(&w, &w.facts->description_format, w.facts->description);
    t->severity = severity(&w);
    t->tactics = tactics(&w);
    t->entities = entities(&w);
    t->details = details(&w);
    is_cut = t->cut;
    t->cut = false;
    t->columns = columns(&w, true);
    has_cut_column = t->cut;
    t->cut |= is_cut;
    t->row = has_cut_column ? columns(&w, false) : t->columns;
    t->terms = terms(&w);
    buffer_free(&w.out);
    return w.failed ? NULL : t;
}

const plan_text *plan_text_copy(const plan_text *of, arena *memory)
{
    plan_text *t = arena_alloc(memory, sizeof(*t));
    text *const texts[] = {&t->positions, &t->display_name, &t->description, &t->severity,
                           &t->tactics,   &t->entities,     &t->details,     &t->columns,
                           &t->row,       &t->terms,        &t->order};

    if (t == NULL)
        return NULL;
    *t = *of;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = arena_copy(memory, *texts[i]);
        if (texts[i]->bytes == NULL)
            return NULL;
    }
    return t;
}
