/* SPDX-License-Identifier: Apache-2.0 */
/* plan: terms with names, and a record's way through the query. */
#include "rule/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "kql/operators.h"
#include "kql/sort_text.h"

typedef struct plan_term {
    const kql_expr *expr;
    size_t branch;
    char *name;
} plan_term;

struct rule_plan {
    const rule_file *file;
    const kql_query *query;
    arena *memory;
    kql_columns columns;
    plan_term terms[PLAN_MOST_TERMS];
    size_t term_count;
};

/* --- names of terms --- */

/* target_upn of TargetUpn; an upper case letter after a lower case one begins a word. */
static void write_snake(buffer *out, text name)
{
    for (size_t i = 0; i < name.length; i++) {
        char c = name.bytes[i];
        bool begins =
            isupper((unsigned char)c) && i > 0 && islower((unsigned char)name.bytes[i - 1]);

        if (begins)
            buffer_append_char(out, '_');
        buffer_append_char(out, isalnum((unsigned char)c) ? (char)tolower((unsigned char)c) : '_');
    }
}

/* The column that an expression is about. */
static text subject_of(const kql_expr *e)
{
    if (e->form == FORM_COLUMN)
        return e->name;
    if (e->form == FORM_PATH && e->step_count > 0 && e->steps[e->step_count - 1].key != NULL)
        return text_of(e->steps[e->step_count - 1].key);
    for (size_t i = 0; i < e->count; i++) {
        text found = subject_of(e->args[i]);

        if (found.length > 0)
            return found;
    }
    return (text)TEXT("");
}

static text without_prefix(text t, const char *prefix)
{
    size_t length = strlen(prefix);

    return t.length > length && memcmp(t.bytes, prefix, length) == 0 ? text_from(t, length) : t;
}

static const char *word_of(const kql_operator *o)
{
    static const struct {
        const char *sign;
        const char *word;
    } words[] = {{"==", "equals"},
                 {"=~", "equals"},
                 {"!=", "differs"},
                 {"<>", "differs"},
                 {"!~", "differs"},
                 {"<", "less"},
                 {"<=", "at_most"},
                 {">", "more"},
                 {">=", "at_least"},
                 {"in~", "in"},
                 {"!in~", "not_in"},
                 {"!in", "not_in"},
                 {"!has", "not_has"},
                 {"!has_cs", "not_has_cs"},
                 {"!contains", "not_contains"},
                 {"!startswith", "not_startswith"},
                 {"!endswith", "not_endswith"},
                 {"matches regex", "matches_regex"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(o->word, words[i].sign) == 0)
            return words[i].word;
    return o->word;
}

/* identity_upn for AccountUPN of the role list, else upn_startswith for TargetUpn startswith. */
static void write_name(const rule_plan *self, const kql_expr *e, buffer *out)
{
    const kql_set *set = e->in_set ? &self->query->sets[e->set] : NULL;

    if (set != NULL && e->operator->is_negated)
        buffer_append_string(out, "not_");
    if (set != NULL) {
        buffer_append_string(out, set->is_watchlist ? "watchlist_" : "identity_");
        write_snake(out,
                    set->is_watchlist
                        ? set->watchlist
                        : without_prefix(set->rows.columns.all[e->set_column].name, "Account"));
        return;
    }
    write_snake(
        out, without_prefix(e->operator!= NULL ? subject_of(e->args[0]) : subject_of(e), "Target"));
    buffer_append_char(out, '_');
    buffer_append_string(out, e->operator!= NULL ? word_of(e->operator) : e->call->name);
}

/* --- terms --- */

static bool add_term(rule_plan *self, const kql_expr *e, size_t branch)
{
    buffer name = {0};
    plan_term *t = &self->terms[self->term_count];
    text copied;

    if (self->term_count == PLAN_MOST_TERMS)
        return true; /* the rest is not told of */
    write_name(self, e, &name);
    copied = arena_copy(self->memory, buffer_text(&name));
    if (buffer_failed(&name) || copied.bytes == NULL) {
        buffer_free(&name);
        return false;
    }
    buffer_free(&name);
    *t = (plan_term){e, branch, (char *)(uintptr_t)copied.bytes};
    self->term_count++;
    return true;
}

/* The leaves of `and` and `or`. */
static bool add_terms(rule_plan *self, const kql_expr *e, size_t branch)
{
    if (e->form != FORM_CALL)
        return true;
    if (e->call != &kql_and && e->call != &kql_or)
        return add_term(self, e, branch);
    for (size_t i = 0; i < e->count; i++)
        if (!add_terms(self, e->args[i], branch))
            return false;
    return true;
}

static bool asks_set(const kql_expr *e)
{
    if (e->in_set)
        return true;
    for (size_t i = 0; i < e->count; i++)
        if (asks_set(e->args[i]))
            return true;
    return false;
}

/* Of all wheres from the first expansion or set on. */
static bool find_terms(rule_plan *self)
{
    for (size_t b = 0; b < self->query->branch_count; b++) {
        const kql_pipeline *branch = &self->query->branches[b];
        bool begun = false;

        for (size_t i = 0; i < branch->count; i++) {
            const kql_op *op = &branch->ops[i];

            begun |= op->kind == OP_EXPAND || (op->kind == OP_WHERE && asks_set(op->condition));
            if (begun && op->kind == OP_WHERE && !add_terms(self, op->condition, b))
                return false;
        }
    }
    return true;
}

size_t plan_term_count(const rule_plan *self)
{
    return self->term_count;
}

const char *plan_term_name(const rule_plan *self, size_t term)
{
    return self->terms[term].name;
}

/* --- columns --- */

static bool is_format_of(const rule_format *f, const kql_column *c)
{
    for (size_t i = 0; i < f->count; i++)
        if (f->pieces[i].column == c)
            return true;
    return false;
}

static bool is_named(const rule_facts *f, const kql_column *c)
{
    for (size_t e = 0; e < f->entity_count; e++)
        for (size_t i = 0; i < f->entities[e].field_count; i++)
            if (f->entities[e].fields[i].found == c)
                return true;
    for (size_t i = 0; i < f->detail_count; i++)
        if (f->details[i].found == c)
            return true;
    return is_format_of(&f->display_name, c) || is_format_of(&f->description_format, c) ||
           f->severity_column == c || f->tactics_column == c;
}

/* Made by the query: no column of the table, as it stands there. */
static bool is_made(const kql_column *c)
{
    return c->slot >= audit_catalog.records->count;
}

static bool choose_columns(rule_plan *self)
{
    const kql_columns *all = &self->query->columns;
    kql_column *chosen;
    size_t count = 0;

    self->columns = *all;
    if (self->query->has_projection)
        return true;
    chosen = arena_alloc(self->memory, all->count * sizeof(kql_column) + 1);
    for (size_t i = 0; chosen != NULL && i < all->count; i++)
        if (is_made(&all->all[i]) || is_named(rule_file_facts(self->file), &all->all[i]))
            chosen[count++] = all->all[i];
    self->columns = (kql_columns){chosen, count};
    return chosen != NULL;
}

const kql_columns *plan_columns(const rule_plan *self)
{
    return &self->columns;
}

static bool is_of_record(const kql_pipeline *branch, unsigned slot);

static bool reads_record(const kql_pipeline *branch, const kql_expr *e)
{
    if (e->form == FORM_COLUMN)
        return is_of_record(branch, e->slot);
    for (size_t i = 0; i < e->count; i++)
        if (!reads_record(branch, e->args[i]))
            return false;
    return true;
}

/* A slot is filled by what stood before it, so this ends. */
static bool is_of_record(const kql_pipeline *branch, unsigned slot)
{
    if (slot < audit_catalog.records->count)
        return slot != COLUMN_TARGET_RESOURCES;
    for (size_t i = 0; i < branch->count; i++)
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++)
            if (branch->ops[i].assignments[a].slot == slot)
                return reads_record(branch, branch->ops[i].assignments[a].value);
    return false; /* an element, or a part of a text */
}

bool plan_column_is_of_record(const rule_plan *self, size_t column)
{
    return is_of_record(&self->query->branches[0], self->columns.all[column].slot);
}

const rule_file *plan_file(const rule_plan *self)
{
    return self->file;
}

/* --- sets --- */

/* Which column of the role list a set's column is, by itself. */
static unsigned source_of(const kql_set *set, unsigned column)
{
    unsigned slot = set->rows.columns.all[column].slot;

    for (size_t i = 0; i < set->rows.count; i++)
        for (size_t a = 0; a < set->rows.ops[i].assignment_count; a++)
            if (set->rows.ops[i].assignments[a].slot == slot)
                return AUDIT_COLUMN_COUNT; /* it is computed */
    return slot;
}

typedef struct term_check {
    const kql_query *query;
    const kql_expr *wrong;
} term_check;

static void check_term(void *arg, const kql_expr *term)
{
    term_check *c = arg;
    const kql_set *set = &c->query->sets[term->set];
    unsigned source = set->is_watchlist ? AUDIT_COLUMN_COUNT : source_of(set, term->set_column);

    if (source != INFO_ACCOUNT_UPN && source != INFO_ACCOUNT_OBJECT_ID)
        c->wrong = term;
}

/* Values are looked up by UPN and object id, which the role list is kept by. */
static bool sets_can_be_asked(const rule_plan *self, char **error)
{
    term_check c = {self->query, NULL};

    kql_query_each_set_term(self->query, check_term, &c);
    if (c.wrong == NULL)
        return true;
    if (asprintf(error,
                 "\"%.*s\" is looked up in a column that is not kept here: AccountUPN and "
                 "AccountObjectId of IdentityInfo can be",
                 (int)c.wrong->args[0]->source.length, c.wrong->args[0]->source.bytes) < 0)
        *error = NULL;
    return false;
}

typedef struct info_row {
    const identity_record *row;
    semantics semantics;
    arena *memory;
} info_row;

static kql_value host_info(void *arg, unsigned column)
{
    info_row *self = arg;

    return identity_row_column(self->row, column, self->semantics, self->memory);
}

static bool note_row(void *arg, kql_run *r)
{
    (void)r;
    *(bool *)arg = true;
    return false;
}

/* The table's columns are read when they are asked for; all else is null before it is made. */
static void clear(kql_value *frame, size_t columns, size_t slots)
{
    for (size_t i = 0; i < slots; i++)
        frame[i].kind = i < columns ? KIND_UNREAD : KIND_NULL;
}

static bool is_in_set(const kql_set *set, const identity_record *row, semantics s, arena *memory,
                      bool *out_of_memory)
{
    static const kql_host host = {.column = host_info};
    info_row source = {row, s, memory};
    bool is_in = false;
    kql_run run = {.memory = memory, .semantics = s, .host = &host, .arg = &source};
    kql_passage p = {.run = &run, .pipeline = &set->rows, .sink = note_row, .arg = &is_in};

    run.frame = arena_alloc(memory, (set->slots + 1) * sizeof(kql_value));
    *out_of_memory |= run.frame == NULL;
    if (run.frame == NULL)
        return false;
    clear(run.frame, audit_catalog.accounts->count, set->slots);
    kql_pass(&p, 0, set->rows.count);
    *out_of_memory |= run.out_of_memory;
    return is_in;
}

bool plan_sets_of(const rule_plan *self, const identity_record *row, semantics s, plan_sets *sets)
{
    arena *memory = arena_new();
    bool out_of_memory = memory == NULL;

    *sets = (plan_sets){0};
    for (unsigned i = 0; !out_of_memory && i < self->query->set_count; i++) {
        const kql_set *set = &self->query->sets[i];
        bool kql = is_in_set(set, row, SEMANTICS_KQL, memory, &out_of_memory);
        bool wide = kql || (s == SEMANTICS_WIDE &&
                            is_in_set(set, row, SEMANTICS_WIDE, memory, &out_of_memory));

        sets->kql |= kql ? 1u << i : 0;
        sets->wide |= wide ? 1u << i : 0;
    }
    arena_free(memory);
    return !out_of_memory;
}

/* Can a set's loss not make it true? */
static bool asks_for_presence(const kql_expr *e)
{
    if (e == NULL || !asks_set(e))
        return true;
    if (e->in_set)
        return !e->operator->is_negated && !asks_set(e->args[0]);
    if (e->form != FORM_CALL || (e->call != &kql_and && e->call != &kql_or))
        return false;
    for (size_t i = 0; i < e->count; i++)
        if (!asks_for_presence(e->args[i]))
            return false;
    return true;
}

static bool op_asks_for_presence(const kql_op *op)
{
    for (size_t a = 0; a < op->assignment_count; a++)
        if (asks_set(op->assignments[a].value))
            return false;
    return asks_for_presence(op->condition) && (op->value == NULL || !asks_set(op->value));
}

static bool asks_for_absence(const kql_query *q)
{
    for (size_t b = 0; b < q->branch_count; b++)
        for (size_t i = 0; i < q->branches[b].count; i++)
            if (!op_asks_for_presence(&q->branches[b].ops[i]))
                return true;
    return false;
}

static timespan window_of(const kql_set *set, timespan lookback)
{
    return set->has_window ? set->window : lookback;
}

timespan plan_identity_window(const rule_plan *self, timespan lookback)
{
    timespan longest = 0;

    for (size_t i = 0; i < self->query->set_count; i++) {
        timespan window = window_of(&self->query->sets[i], lookback);

        if (window == 0)
            return 0;
        longest = window > longest ? window : longest;
    }
    return longest > 0 ? longest : 14 * TICKS_PER_DAY;
}

size_t plan_windows_of_absence(const rule_plan *self, timespan lookback,
                               timespan windows[KQL_MOST_SETS])
{
    const kql_query *q = self->query;
    size_t count = 0;

    for (size_t i = 0; asks_for_absence(q) && i < q->set_count; i++) {
        timespan window = window_of(&q->sets[i], lookback);
        size_t seen = 0;

        while (seen < count && windows[seen] != window)
            seen++;
        if (seen == count && window > 0 && !q->sets[i].is_watchlist)
            windows[count++] = window;
    }
    return count;
}

/* --- making it --- */

rule_plan *plan_new(const rule_file *file, char **error)
{
    rule_plan *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self == NULL)
        return NULL;
    self->file = file;
    self->query = rule_file_query(file);
    self->memory = arena_new();
    if (self->memory != NULL && sets_can_be_asked(self, error) && choose_columns(self) &&
        find_terms(self))
        return self;
    plan_free(self);
    return NULL;
}

void plan_free(rule_plan *self)
{
    if (self == NULL)
        return;
    arena_free(self->memory);
    free(self);
}

/* --- the host of a record --- */

static kql_value host_column(void *arg, unsigned column)
{
    return audit_row_column(&((plan_run *)arg)->row, column);
}

static kql_value host_member(void *arg, kql_value of, const char *key)
{
    return audit_row_member(&((plan_run *)arg)->row, of, key);
}

static kql_value host_open(void *arg, kql_value packed)
{
    return audit_row_open(&((plan_run *)arg)->row, packed);
}

/* What an element's reading needs is its own; what the record's needed is told of each. */
static void host_element(void *arg)
{
    plan_run *self = arg;

    self->row.view.notes = self->row.record->notes;
}

static kql_value host_in_set(void *arg, unsigned set, unsigned column, text value, bool folded)
{
    plan_run *self = arg;
    const kql_set *s = &self->plan->query->sets[set];
    bool is_id = source_of(s, column) == INFO_ACCOUNT_OBJECT_ID;
    timespan window = window_of(s, self->lookback);

    if (self->is_open) {
        if (self->looked_up != NULL)
            self->looked_up(self->arg, is_id ? PLAN_KEY_OBJECT_ID : PLAN_KEY_UPN, value);
        return kql_unknown();
    }
    return kql_bool(sync_accounts_in_set(
        self->accounts, &(account_question){
                            .value = value,
                            .is_id = is_id,
                            .is_folded = folded || (is_id && self->semantics == SEMANTICS_WIDE),
                            .set = 1u << set,
                            .semantics = self->semantics,
                            .since = window > 0 ? self->now - window : INT64_MIN,
                        }));
}

static const kql_host host_of_record = {
    .column = host_column,
    .member = host_member,
    .open = host_open,
    .element = host_element,
    .in_set = host_in_set,
};

/* --- rows --- */

/* A branch under way. */
typedef struct branch_run {
    plan_run *run;
    size_t branch;
    kql_passage passage;
    size_t most;
    plan_trace_sink *trace; /* or NULL */
    void *trace_arg;
} branch_run;

static text write_positions(const branch_run *b, size_t expansions)
{
    char written[KQL_MOST_EXPANSIONS * 21 + 1] = "0";
    int at = 0;

    for (size_t i = 0; i < expansions; i++)
        at += snprintf(written + at, sizeof(written) - (size_t)at, "%s%zu", i > 0 ? "," : "",
                       b->passage.positions[i]);
    return arena_copy(b->run->row.reader->memory, text_of(written));
}

/* The expansion that is one of TargetResources itself; how many there are in all. */
static const kql_op *expansion_of_targets(const kql_pipeline *branch, size_t *expansions)
{
    const kql_op *found = NULL;

    *expansions = 0;
    for (size_t i = 0; i < branch->count; i++) {
        const kql_op *op = &branch->ops[i];

        if (op->kind != OP_EXPAND)
            continue;
        ++*expansions;
        if (found == NULL && op->value->form == FORM_COLUMN &&
            op->value->slot == COLUMN_TARGET_RESOURCES)
            found = op;
    }
    return found;
}

/* TargetResources[n] somewhere in it; false when there is none. */
static bool find_index(const kql_expr *e, size_t *index)
{
    bool is_path = e->form == FORM_PATH && e->args[0]->form == FORM_COLUMN &&
                   e->args[0]->slot == COLUMN_TARGET_RESOURCES && e->steps[0].key == NULL &&
                   e->steps[0].index >= 0;

    if (is_path)
        *index = (size_t)e->steps[0].index;
    for (size_t i = 0; !is_path && i < e->count; i++)
        is_path = find_index(e->args[i], index);
    return is_path;
}

static size_t index_of_target(const kql_pipeline *branch)
{
    size_t index = 0;

    for (size_t i = 0; i < branch->count; i++)
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++)
            if (find_index(branch->ops[i].assignments[a].value, &index))
                return index;
    return index;
}

static uint64_t terms_that_hold(branch_run *b, kql_run *r, semantics s)
{
    const rule_plan *p = b->run->plan;
    semantics before = r->semantics, of_sets = b->run->semantics;
    uint64_t hold = 0;

    r->semantics = s;
    b->run->semantics = s;
    for (size_t i = 0; i < p->term_count; i++)
        if (p->terms[i].branch == b->branch &&
            kql_truths(kql_eval(r, p->terms[i].expr)) == TRUTH_TRUE)
            hold |= UINT64_C(1) << i;
    r->semantics = before;
    b->run->semantics = of_sets;
    return hold;
}

/* Does a condition before the terms need wide semantics' operators? */
static bool needs_letters(branch_run *b, kql_run *r)
{
    const kql_pipeline *branch = &b->run->plan->query->branches[b->branch];
    semantics before = r->semantics;
    bool needs = false;

    r->semantics = SEMANTICS_KQL;
    for (size_t i = 0; i < branch->count && !needs; i++) {
        const kql_op *op = &branch->ops[i];

        if (op->kind == OP_EXPAND || (op->kind == OP_WHERE && asks_set(op->condition)))
            break;
        needs = op->kind == OP_WHERE && kql_truths(kql_eval(r, op->condition)) != TRUTH_TRUE;
    }
    r->semantics = before;
    return needs;
}

static kql_value *capture(branch_run *b, kql_run *r)
{
    const kql_columns *columns = &b->run->plan->columns;
    kql_value *values = arena_alloc(r->memory, columns->count * sizeof(kql_value) + 1);
    kql_expr column = {.form = FORM_COLUMN};

    for (size_t i = 0; values != NULL && i < columns->count; i++) {
        column.slot = columns->all[i].slot;
        values[i] = kql_eval(r, &column);
    }
    return values;
}

bool plan_sorts(const rule_plan *self)
{
    for (size_t b = 0; b < self->query->branch_count; b++)
        if (kql_sorting_of(&self->query->branches[b]) != NULL)
            return true;
    return false;
}

/* The row's place among all. */
static text order_of(branch_run *b, kql_run *r)
{
    const kql_op *sorting = kql_sorting_of(&b->run->plan->query->branches[b->branch]);
    buffer written = {0};
    text order = {"", 0};

    for (size_t i = 0; sorting != NULL && i < sorting->key_count; i++)
        kql_write_sort_text(&written, &sorting->keys[i], kql_eval(r, sorting->keys[i].value));
    if (sorting != NULL)
        order = buffer_failed(&written) ? (text){NULL, 0}
                                        : arena_copy(r->memory, buffer_text(&written));
    b->run->out_of_memory |= order.bytes == NULL;
    buffer_free(&written);
    return order;
}

static void tell_row(branch_run *b, kql_run *r, plan_row *row)
{
    plan_run *run = b->run;
    const kql_pipeline *branch = &run->plan->query->branches[b->branch];
    size_t expansions;
    const kql_op *of_targets = expansion_of_targets(branch, &expansions);
    uint64_t in_kql;

    *row = (plan_row){.notes = run->row.view.notes};
    row->positions = write_positions(b, expansions);
    row->has_target = of_targets != NULL;
    row->target = of_targets ? b->passage.positions[of_targets->place] : index_of_target(branch);
    if (run->is_open)
        return;
    in_kql = terms_that_hold(b, r, SEMANTICS_KQL);
    row->terms = in_kql;
    if (run->semantics == SEMANTICS_WIDE) {
        row->terms = terms_that_hold(b, r, SEMANTICS_WIDE);
        row->wide_terms = row->terms & ~in_kql;
        row->needs_letters = needs_letters(b, r);
    }
    row->values = capture(b, r);
    row->order = order_of(b, r);
    run->out_of_memory |= row->values == NULL;
}

static bool take_row(void *arg, kql_run *r)
{
    branch_run *b = arg;
    plan_run *run = b->run;
    plan_row *row = arena_alloc(r->memory, sizeof(*row));

    if (row == NULL) {
        run->out_of_memory = true;
        return false;
    }
    tell_row(b, r, row);
    run->out_of_memory |= row->positions.bytes == NULL;
    *run->last = row;
    run->last = &row->next;
    run->count++;
    return !run->out_of_memory && (b->most == 0 || run->count < b->most);
}

static kql_run begin_run(plan_run *self, kql_value *frame)
{
    if (frame != NULL)
        clear(frame, audit_catalog.records->count, self->plan->query->slots);
    self->out_of_memory |= frame == NULL;
    return (kql_run){
        .memory = self->row.reader->memory,
        .semantics = self->semantics,
        .now = self->now,
        .frame = frame,
        .host = &host_of_record,
        .arg = self,
    };
}

static kql_value *new_frame(plan_run *self)
{
    return arena_alloc(self->row.reader->memory,
                       (self->plan->query->slots + 1) * sizeof(kql_value));
}

static void run_branch(plan_run *self, size_t branch, kql_value *frame, size_t most)
{
    const kql_query *q = self->plan->query;
    kql_run run = begin_run(self, frame);
    branch_run b = {.run = self, .branch = branch, .most = most};

    b.passage =
        (kql_passage){.run = &run, .pipeline = &q->branches[branch], .sink = take_row, .arg = &b};
    kql_pass(&b.passage, 0, q->branches[branch].count);
    self->out_of_memory |=
        run.out_of_memory || self->row.out_of_memory || self->row.view.out_of_memory;
    self->over_limit |= run.over_limit;
}

static void assign_of_record(const kql_pipeline *branch, kql_run *r)
{
    for (size_t i = 0; i < branch->count; i++) {
        for (size_t a = 0; a < branch->ops[i].assignment_count; a++) {
            const kql_assignment *to = &branch->ops[i].assignments[a];

            if (is_of_record(branch, to->slot))
                r->frame[to->slot] = kql_eval(r, to->value);
        }
    }
}

kql_value *plan_record_values(plan_run *self)
{
    const kql_columns *columns = &self->plan->columns;
    kql_value *values =
        arena_alloc(self->row.reader->memory, columns->count * sizeof(kql_value) + 1);
    kql_value *frame = values != NULL ? new_frame(self) : NULL;
    kql_run run = begin_run(self, frame);
    kql_expr column = {.form = FORM_COLUMN};

    if (frame == NULL)
        return NULL;
    assign_of_record(&self->plan->query->branches[0], &run);
    for (size_t i = 0; i < columns->count; i++) {
        column.slot = columns->all[i].slot;
        values[i] = plan_column_is_of_record(self->plan, i) ? kql_eval(&run, &column) : kql_null();
    }
    return values;
}

void plan_rows(plan_run *self, size_t most)
{
    const kql_query *q = self->plan->query;
    kql_value *frame = new_frame(self);

    self->first = NULL;
    self->last = &self->first;
    self->count = 0;
    self->row.view.notes = self->row.record->notes;
    self->out_of_memory |= frame == NULL;
    for (size_t b = 0; frame != NULL && b < q->branch_count; b++)
        if (most == 0 || self->count < most)
            run_branch(self, b, frame, most);
}

/* --- why --- */

enum { MOST_VERDICTS = 200 };

typedef struct verdict_list {
    plan_verdict *all;
    size_t count;
} verdict_list;

static void add_verdicts(kql_run *r, const kql_expr *e, size_t where, verdict_list *list)
{
    plan_verdict v = {.where = where, .expr = e};

    if (e->form == FORM_CALL && (e->call == &kql_and || e->call == &kql_or)) {
        for (size_t i = 0; i < e->count; i++)
            add_verdicts(r, e->args[i], where, list);
        return;
    }
    if (list->count == MOST_VERDICTS)
        return;
    v.subject = subject_of(e);
    v.word = e->operator!= NULL ? e->operator->word : e->form == FORM_CALL ? e->call->name : "";
    if (e->count > 0)
        v.left = kql_text_of(r, kql_eval(r, e->args[0]), e->args[0]->type);
    v.truths = kql_truths(kql_eval(r, e));
    list->all[list->count++] = v;
}

static bool trace_row(void *arg, kql_run *r)
{
    branch_run *b = arg;
    const kql_pipeline *branch = &b->run->plan->query->branches[b->branch];
    verdict_list list = {arena_alloc(r->memory, MOST_VERDICTS * sizeof(plan_verdict)), 0};
    plan_row row;
    bool matches = true;
    size_t where = 0;

    b->run->out_of_memory |= list.all == NULL;
    if (list.all == NULL)
        return false;
    for (size_t i = 0; i < branch->count; i++) {
        if (branch->ops[i].kind != OP_WHERE)
            continue;
        add_verdicts(r, branch->ops[i].condition, ++where, &list);
        matches &= kql_truths(kql_eval(r, branch->ops[i].condition)) == TRUTH_TRUE;
    }
    tell_row(b, r, &row);
    b->trace(b->trace_arg, &row, list.all, list.count, matches);
    return true;
}

void plan_trace(plan_run *self, plan_trace_sink *sink, void *arg)
{
    kql_value *frame = new_frame(self);

    for (size_t i = 0; frame != NULL && i < self->plan->query->branch_count; i++) {
        kql_run run = begin_run(self, frame);
        branch_run b = {.run = self, .branch = i, .trace = sink, .trace_arg = arg};

        b.passage = (kql_passage){.run = &run,
                                  .pipeline = &self->plan->query->branches[i],
                                  .sink = trace_row,
                                  .arg = &b,
                                  .keeps_all = true};
        kql_pass(&b.passage, 0, self->plan->query->branches[i].count);
        self->out_of_memory |= run.out_of_memory;
    }
}

void plan_write_right(const rule_plan *self, const kql_expr *term, buffer *out)
{
    buffer name = {0};

    if (term->in_set) {
        const kql_set *set = &self->query->sets[term->set];

        buffer_append(&name, set->name);
        buffer_append_char(&name, '.');
        buffer_append(&name, set->rows.columns.all[term->set_column].name);
        json_write_string(out, buffer_text(&name));
        out->failed |= buffer_failed(&name);
        buffer_free(&name);
    } else if (term->list != NULL) {
        buffer_append_char(out, '[');
        for (size_t i = 0; i < term->list_count; i++) {
            json_write_item(out);
            kql_write_json(out, term->list[i]);
        }
        buffer_append_char(out, ']');
    } else if (term->count > 1 && term->args[1]->form == FORM_LITERAL) {
        kql_write_json(out, term->args[1]->value);
    } else if (term->count > 1 && term->operator!= NULL) {
        json_write_string(out, term->args[1]->source);
    } else {
        buffer_append_string(out, "null");
    }
}
