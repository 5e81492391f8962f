/* SPDX-License-Identifier: Apache-2.0 */
/* example: places and texts from the query's comparisons, and all ways to choose among them. */
#include "cli/example.h"

#include <stdlib.h>
#include <string.h>

#include "kql/operators.h"
#include "record/audit_column.h"

enum {
    MOST_STEPS = 12,
    MOST_FIELDS = 48, /* of a branch */
    MOST_TEXTS = 64,  /* of a field */
    MOST_NESTED = 100,
    MOST_EXAMPLES = 20000, /* of a branch */
};

typedef struct place {
    kql_step steps[MOST_STEPS];
    size_t count;
} place;

/* A place that the query compares, and what it may hold; bytes NULL: nothing. */
typedef struct field {
    place place;
    text texts[MOST_TEXTS];
    size_t count;
} field;

typedef struct branch {
    field *fields;
    size_t count;
    size_t examples;
    bool has_all; /* the examples are all that there are; else some of them */
} branch;

struct example {
    arena *memory;
    branch *branches;
    size_t branch_count;
    text name;
    text upn;
};

/* A branch whose conditions are looked at. */
typedef struct gatherer {
    example *self;
    branch *branch;
    const kql_pipeline *pipeline;
    bool out_of_memory;
} gatherer;

/* --- places --- */

static bool add_step(place *p, const char *key, int64_t index)
{
    if (p->count == MOST_STEPS)
        return false;
    p->steps[p->count++] = (kql_step){key, key != NULL || index < 0 ? 0 : index};
    return true;
}

static bool same_place(const place *a, const place *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const char *x = a->steps[i].key, *y = b->steps[i].key;

        if ((x == NULL) != (y == NULL) || a->steps[i].index != b->steps[i].index ||
            (x != NULL && strcmp(x, y) != 0))
            return false;
    }
    return true;
}

static bool is_key(const place *p, size_t step, const char *key)
{
    return step < p->count && p->steps[step].key != NULL && strcmp(p->steps[step].key, key) == 0;
}

static bool place_of(gatherer *g, const kql_expr *e, unsigned depth, place *found);

/* The table's texts and bags; who reads a record decides over its time and its kind. */
static bool place_of_column(unsigned column, place *found)
{
    kql_type type = audit_catalog.records->columns[column].type;

    *found = (place){.count = 0};
    return (type == KQL_STRING || type == KQL_DYNAMIC) &&
           add_step(found, audit_catalog.records->columns[column].name.bytes, 0);
}

/* Expansions of one array are of an element each: what they ask for may differ. */
static bool place_of_element(gatherer *g, const kql_op *expansion, unsigned depth, place *found)
{
    int64_t before = 0;

    if (!place_of(g, expansion->value, depth, found))
        return false;
    for (const kql_op *op = g->pipeline->ops; op < expansion; op++) {
        place other;

        before += op->kind == OP_EXPAND && place_of(g, op->value, depth, &other) &&
                  same_place(&other, found);
    }
    return add_step(found, NULL, before);
}

static bool place_of_slot(gatherer *g, unsigned slot, unsigned depth, place *found)
{
    if (slot < AUDIT_COLUMN_COUNT)
        return place_of_column(slot, found);
    for (size_t i = 0; i < g->pipeline->count; i++) {
        const kql_op *op = &g->pipeline->ops[i];

        if (op->kind == OP_EXPAND && op->slot == slot)
            return place_of_element(g, op, depth, found);
        for (size_t a = 0; a < op->assignment_count; a++)
            if (op->assignments[a].slot == slot)
                return place_of(g, op->assignments[a].value, depth, found);
    }
    return false;
}

/* "$.net.mode": a JSON text is written as what it holds. */
static bool add_path(gatherer *g, text path, place *found)
{
    text copy = arena_copy(g->self->memory, path);
    char *rest = (char *)(uintptr_t)copy.bytes, *word;

    g->out_of_memory |= copy.bytes == NULL;
    while (copy.bytes != NULL && (word = strsep(&rest, ".")) != NULL)
        if (strcmp(word, "$") != 0 && (strchr(word, '[') != NULL || !add_step(found, word, 0)))
            return false;
    return copy.bytes != NULL;
}

/* That of the first argument that has one; what the function makes of it, the query tells. */
static bool place_of_call(gatherer *g, const kql_expr *e, unsigned depth, place *found)
{
    for (size_t i = 0; i < e->count; i++) {
        if (!place_of(g, e->args[i], depth, found))
            continue;
        if (e->call->name == NULL || strncmp(e->call->name, "extract", 7) != 0)
            return true;
        return e->args[0]->form == FORM_LITERAL && add_path(g, e->args[0]->value.string, found);
    }
    return false;
}

static bool place_of(gatherer *g, const kql_expr *e, unsigned depth, place *found)
{
    if (depth == MOST_NESTED)
        return false;
    switch (e->form) {
    case FORM_COLUMN:
        return place_of_slot(g, e->slot, depth + 1, found);
    case FORM_PATH:
        if (!place_of(g, e->args[0], depth + 1, found))
            return false;
        for (size_t i = 0; i < e->step_count; i++)
            if (!add_step(found, e->steps[i].key, e->steps[i].index))
                return false;
        return true;
    case FORM_CALL:
        return place_of_call(g, e, depth + 1, found);
    case FORM_LITERAL:
        break;
    }
    return false;
}

/* A text that may stand anywhere in a bag or an array stands in a name of its own. */
static bool make_leaf(place *p)
{
    const char *last = p->steps[p->count - 1].key;

    if (last == NULL)
        return add_step(p, "displayName", 0);
    if (strcmp(last, "TargetResources") == 0)
        return add_step(p, NULL, 0) && add_step(p, "displayName", 0);
    if (strcmp(last, "modifiedProperties") == 0 || strcmp(last, "AdditionalDetails") == 0)
        return add_step(p, NULL, 1) && add_step(p, last[0] == 'm' ? "displayName" : "key", 0);
    if (strcmp(last, "InitiatedBy") == 0)
        return add_step(p, "app", 0) && add_step(p, "displayName", 0);
    return true;
}

/* --- texts --- */

static field *field_at(gatherer *g, const place *p)
{
    branch *b = g->branch;

    for (size_t i = 0; i < b->count; i++)
        if (same_place(&b->fields[i].place, p))
            return &b->fields[i];
    if (b->count == MOST_FIELDS)
        return NULL;
    b->fields[b->count] = (field){.place = *p};
    return &b->fields[b->count++];
}

static void add_text(field *f, text t)
{
    for (size_t i = 0; i < f->count; i++)
        if (text_equal(f->texts[i], t))
            return;
    if (f->count < MOST_TEXTS - 2) /* the last two are for the name, and for none */
        f->texts[f->count++] = t;
}

static text joined(gatherer *g, text first, text second)
{
    char *bytes = arena_alloc(g->self->memory, first.length + second.length + 1);

    g->out_of_memory |= bytes == NULL;
    if (bytes == NULL)
        return first;
    memcpy(bytes, first.bytes, first.length);
    memcpy(bytes + first.length, second.bytes, second.length);
    return (text){bytes, first.length + second.length};
}

static bool is_upn(const field *f)
{
    return is_key(&f->place, 0, "TargetResources") && f->place.count == 3 &&
           is_key(&f->place, 2, "userPrincipalName");
}

static bool is_exact(const kql_operator *o)
{
    return o->is_equality || strcmp(o->word, "==") == 0 || strcmp(o->word, "in") == 0;
}

/* has, has_any, ..: the text must be a word. */
static bool is_word(const kql_operator *o)
{
    return strncmp(o->word, "has", strlen("has")) == 0;
}

/* What the place must hold for the operator to say yes. */
static void add_literal(gatherer *g, field *f, const kql_operator *o, text literal)
{
    static const text blank = TEXT(" "), nothing = TEXT("");
    bool ends = strncmp(o->word, "endswith", strlen("endswith")) == 0;

    if (ends)
        add_text(f, joined(g, g->self->name, literal));
    else if (is_exact(o))
        add_text(f, literal);
    else if (is_upn(f))
        add_text(f, joined(g, joined(g, literal, is_word(o) ? blank : nothing), g->self->upn));
    else
        add_text(f, strncmp(o->word, "startswith", strlen("startswith")) == 0
                        ? joined(g, literal, g->self->name)
                        : literal);
}

static void add_list(gatherer *g, field *f, const kql_expr *e)
{
    text all = TEXT("");

    for (size_t i = 0; i < e->list_count; i++) {
        if (e->list[i].kind != KIND_STRING)
            continue;
        if (e->operator->evidence != EVIDENCE_ALL)
            add_literal(g, f, e->operator, e->list[i].string);
        else
            all = joined(g, joined(g, all, (text)TEXT(" ")), e->list[i].string);
    }
    if (all.length > 0)
        add_literal(g, f, e->operator, text_from(all, 1));
}

static field *field_of(gatherer *g, const kql_expr *e)
{
    place p;

    return place_of(g, e, 0, &p) && make_leaf(&p) ? field_at(g, &p) : NULL;
}

static void look_at_comparison(gatherer *g, const kql_expr *e)
{
    const kql_expr *right = e->count > 1 ? e->args[1] : NULL;
    field *f = field_of(g, e->args[0]);

    if (right != NULL && right->form != FORM_LITERAL)
        field_of(g, right);
    if (f == NULL || e->operator->is_negated || e->in_set)
        return;
    if (e->operator->right == RIGHT_LIST || e->operator->right == RIGHT_TEXTS)
        add_list(g, f, e);
    else if (e->operator->right == RIGHT_EXPRESSION && right != NULL &&
             right->form == FORM_LITERAL && right->value.kind == KIND_STRING)
        add_literal(g, f, e->operator, right->value.string);
}

/* Functions that ask whether there is something at all. */
static bool asks_for_something(const kql_function *call)
{
    static const char *const names[] = {"isnotempty", "isnotnull", "array_length", "strlen"};

    for (size_t i = 0; call->name != NULL && i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(call->name, names[i]) == 0)
            return true;
    return false;
}

/* As deep as the parser allows. */
static void look_at(gatherer *g, const kql_expr *e)
{
    if (e->form == FORM_CALL && e->operator!= NULL)
        look_at_comparison(g, e);
    else if (e->form == FORM_CALL && asks_for_something(e->call))
        field_of(g, e->args[0]);
    for (size_t i = 0; i < e->count; i++)
        look_at(g, e->args[i]);
}

/* Texts of the query first; where it has none, first nothing, and then a name. */
static void end_field(gatherer *g, field *f)
{
    text nothing = {NULL, 0}, name = is_upn(f) ? g->self->upn : g->self->name;
    bool has_texts = f->count > 0;

    f->texts[f->count++] = has_texts ? name : nothing;
    f->texts[f->count++] = has_texts ? nothing : name;
}

static void count_examples(branch *b)
{
    b->examples = 1;
    b->has_all = true;
    for (size_t i = 0; i < b->count; i++) {
        b->examples *= b->fields[i].count;
        if (b->examples > MOST_EXAMPLES) {
            b->examples = MOST_EXAMPLES;
            b->has_all = false;
            return;
        }
    }
}

static bool gather(gatherer *g)
{
    g->branch->fields = arena_alloc(g->self->memory, MOST_FIELDS * sizeof(field));
    if (g->branch->fields == NULL)
        return false;
    for (size_t i = 0; i < g->pipeline->count; i++) {
        const kql_op *op = &g->pipeline->ops[i];

        if (op->kind == OP_WHERE)
            look_at(g, op->condition);
        for (size_t a = 0; a < op->assignment_count; a++)
            look_at(g, op->assignments[a].value);
    }
    for (size_t i = 0; i < g->branch->count; i++)
        end_field(g, &g->branch->fields[i]);
    count_examples(g->branch);
    return !g->out_of_memory;
}

static bool gather_all(example *self, const kql_query *query)
{
    self->branches = arena_alloc(self->memory, query->branch_count * sizeof(branch));
    if (self->branches == NULL)
        return false;
    for (size_t b = 0; b < query->branch_count; b++) {
        gatherer g = {.self = self, .branch = &self->branches[b], .pipeline = &query->branches[b]};

        self->branches[b] = (branch){NULL, 0, 0, false};
        if (!gather(&g))
            return false;
        self->branch_count++;
    }
    return true;
}

example *example_new(const rule_plan *plan, text name, text upn)
{
    example *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->name = name;
    self->upn = upn;
    self->memory = arena_new();
    if (self->memory != NULL && gather_all(self, rule_file_query(plan_file(plan))))
        return self;
    example_free(self);
    return NULL;
}

void example_free(example *self)
{
    if (self == NULL)
        return;
    arena_free(self->memory);
    free(self);
}

/* --- one example --- */

size_t example_count(const example *self)
{
    size_t count = 0;

    for (size_t b = 0; b < self->branch_count; b++)
        count += self->branches[b].examples;
    return count;
}

/* splitmix64: the same on every machine. */
static uint64_t mixed(uint64_t n)
{
    n = (n + 1) * 0x9E3779B97F4A7C15u;
    n = (n ^ (n >> 30)) * 0xBF58476D1CE4E5B9u;
    n = (n ^ (n >> 27)) * 0x94D049BB133111EBu;
    return n ^ (n >> 31);
}

/* Of so many the first more often: those are the query's. */
static size_t choice_by_chance(size_t count, uint64_t chance)
{
    size_t one = (size_t)(chance & 0xFFFFFFFF) % count, other = (size_t)(chance >> 32) % count;

    return one < other ? one : other;
}

/* Which text of a field the n-th example of the branch has; the first one has each first. */
static size_t choice(const branch *b, size_t n, size_t which)
{
    if (!b->has_all)
        return n == 0 ? 0
                      : choice_by_chance(b->fields[which].count, mixed(n * MOST_FIELDS + which));
    for (size_t i = 0; i < which; i++)
        n /= b->fields[i].count;
    return n % b->fields[which].count;
}

bool example_fill(const example *self, size_t n, arena *memory, example_node *row)
{
    const branch *b = self->branches;

    for (; n >= b->examples; b++)
        n -= b->examples;
    for (size_t i = 0; i < b->count; i++) {
        text t = b->fields[i].texts[choice(b, n, i)];
        example_node *leaf;

        if (t.bytes == NULL)
            continue;
        leaf = example_node_at(memory, row, b->fields[i].place.steps, b->fields[i].place.count);
        if (leaf == NULL)
            return false;
        leaf->value = t;
    }
    return true;
}
