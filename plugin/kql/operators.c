/* SPDX-License-Identifier: Apache-2.0 */
/* operators: three-valued comparisons, and the table of them. */
#include "kql/operators.h"

/* --- types --- */

static bool is_number(kql_type t)
{
    return t == KQL_LONG || t == KQL_REAL;
}

static bool is_text(kql_type t)
{
    return t == KQL_STRING || t == KQL_DYNAMIC;
}

bool kql_can_equal(kql_type a, kql_type b)
{
    if (a == KQL_DYNAMIC || b == KQL_DYNAMIC)
        return a != b;
    return a == b || (is_number(a) && is_number(b));
}

bool kql_can_order(kql_type a, kql_type b)
{
    kql_type of = a == KQL_DYNAMIC ? b : a;

    return kql_can_equal(a, b) && of != KQL_STRING && of != KQL_BOOL;
}

/* --- one pair of values --- */

/* A dynamic that holds a time's text is compared with a datetime as that time; all else as it is.
 */
static kql_value as_type(kql_run *r, const kql_expr *e, kql_value v, kql_type other)
{
    kql_function todatetime;

    if (e->type != KQL_DYNAMIC || v.kind == KIND_NULL)
        return v;
    if (other == KQL_STRING)
        return kql_string(kql_text_of(r, v, KQL_DYNAMIC));
    if (other == KQL_DATETIME && v.kind == KIND_STRING) {
        todatetime = *kql_function_find((text)TEXT("todatetime"));
        return todatetime.strict(r, e, &v);
    }
    return v;
}

static bool is_null(kql_value v)
{
    return v.kind == KIND_NULL;
}

/* What == comes to when one side or both are null. */
static unsigned truth_of_nulls(kql_value a, kql_value b)
{
    return is_null(a) && is_null(b) ? TRUTH_NULL : TRUTH_FALSE;
}

static unsigned negate(unsigned may, bool is_negated)
{
    if (!is_negated)
        return may;
    return (may & TRUTH_FALSE ? TRUTH_TRUE : 0u) | (may & TRUTH_TRUE ? TRUTH_FALSE : 0u) |
           (may & TRUTH_NULL);
}

static unsigned truth_of(bool holds)
{
    return holds ? TRUTH_TRUE : TRUTH_FALSE;
}

/* --- == and != --- */

static kql_value equality(kql_run *r, const kql_expr *e, const kql_value *args)
{
    kql_value a = as_type(r, e->args[0], args[0], e->args[1]->type);
    kql_value b = as_type(r, e->args[1], args[1], e->args[0]->type);
    unsigned may = is_null(a) || is_null(b) ? truth_of_nulls(a, b) : truth_of(kql_same(a, b));

    return kql_of_truths(negate(may, e->operator->is_negated));
}

/* --- < <= > >= between --- */

/* False, and *order is not set, when one side is null, or a dynamic holds something else. */
static bool order(kql_run *r, const kql_expr *left, kql_value a, const kql_expr *right, kql_value b,
                  int *result)
{
    a = as_type(r, left, a, right->type);
    b = as_type(r, right, b, left->type);
    if (is_null(a) || is_null(b))
        return false;
    if (a.kind != b.kind && !((a.kind == KIND_LONG && b.kind == KIND_REAL) ||
                              (a.kind == KIND_REAL && b.kind == KIND_LONG)))
        return false;
    *result = kql_order(a, b);
    return true;
}

static kql_value compare(kql_run *r, const kql_expr *e, const kql_value *args, bool below,
                         bool same, bool above)
{
    int o;

    if (!order(r, e->args[0], args[0], e->args[1], args[1], &o))
        return kql_null();
    return kql_bool(o < 0 ? below : o == 0 ? same : above);
}

static kql_value less(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return compare(r, e, args, true, false, false);
}

static kql_value less_or_equal(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return compare(r, e, args, true, true, false);
}

static kql_value greater(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return compare(r, e, args, false, false, true);
}

static kql_value greater_or_equal(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return compare(r, e, args, false, true, true);
}

static kql_value between(kql_run *r, const kql_expr *e, const kql_value *args)
{
    kql_value last = args[2];
    int low, high;

    if (last.kind == KIND_TIMESPAN && args[1].kind == KIND_DATETIME) /* so long from there on */
        last = kql_number(KIND_DATETIME, args[1].number + last.number);
    if (!order(r, e->args[0], args[0], e->args[1], args[1], &low) ||
        !order(r, e->args[0], args[0], e->args[2], last, &high))
        return kql_null();
    return kql_bool(low >= 0 && high <= 0);
}

/* --- operators over texts --- */

static bool equals_exactly(text left, text right, semantics s)
{
    (void)s;
    return text_equal(left, right);
}

static kql_value text_test(kql_run *r, const kql_expr *e, const kql_value *args)
{
    const kql_operator *o = e->operator;
    text left, right;

    if (o->is_equality && (is_null(args[0]) || is_null(args[1])))
        return kql_of_truths(negate(truth_of_nulls(args[0], args[1]), o->is_negated));
    left = kql_text_of(r, args[0], e->args[0]->type);
    right = kql_text_of(r, args[1], e->args[1]->type);
    return kql_bool(o->test(left, right, r->semantics) != o->is_negated);
}

static bool any_of(const kql_value *texts, size_t count, const kql_expr *e, text left, semantics s)
{
    for (size_t i = 0; i < count; i++)
        if (e->operator->test(left, texts[i].string, s))
            return true;
    return false;
}

static kql_value any_text(kql_run *r, const kql_expr *e, const kql_value *args)
{
    text left = kql_text_of(r, args[0], e->args[0]->type);

    if (any_of(e->list, e->list_count, e, left, r->semantics))
        return kql_bool(true);
    if (r->semantics != SEMANTICS_WIDE ||
        !any_of(e->wide_list, e->wide_list_count, e, left, r->semantics))
        return kql_bool(false);
    r->by_wide_list = true;
    return kql_bool(true);
}

static kql_value all_texts(kql_run *r, const kql_expr *e, const kql_value *args)
{
    text left = kql_text_of(r, args[0], e->args[0]->type);

    for (size_t i = 0; i < e->list_count; i++)
        if (!kql_has(left, e->list[i].string, r->semantics))
            return kql_bool(false);
    return kql_bool(true);
}

/* Are they compared by their texts? One is a string, the other is that or a dynamic. */
static bool are_texts(kql_type left, kql_value right)
{
    return left == KQL_STRING || (left == KQL_DYNAMIC && right.kind == KIND_STRING);
}

/* Each item as == and =~ take it; a null equals nothing. */
static bool list_holds(kql_run *r, const kql_expr *e, kql_value left)
{
    kql_type type = e->args[0]->type;
    text t = is_text(type) ? kql_text_of(r, left, type) : (text)TEXT("");

    for (size_t i = 0; i < e->list_count; i++) {
        kql_value right = e->list[i];
        bool same = !is_null(right) &&
                    (are_texts(type, right)
                         ? e->operator->test(t, kql_text_of(r, right, KQL_DYNAMIC), r->semantics)
                         : kql_same(left, right));

        if (same)
            return true;
    }
    return false;
}

static kql_value in_set(kql_run *r, const kql_expr *e, kql_value left)
{
    text value = kql_text_of(r, left, e->args[0]->type);
    kql_value found =
        r->host->in_set(r->arg, e->set, e->set_column, value, e->operator->test == kql_equals);

    return kql_of_truths(negate(kql_truths(found), e->operator->is_negated));
}

/* A null is in no list. */
static kql_value in_list(kql_run *r, const kql_expr *e, const kql_value *args)
{
    kql_value left = args[0];

    if (is_null(left))
        return kql_bool(e->operator->is_negated);
    if (e->in_set)
        return in_set(r, e, left);
    return kql_bool(list_holds(r, e, left) != e->operator->is_negated);
}

static kql_value matches_regex(kql_run *r, const kql_expr *e, const kql_value *args)
{
    text left = kql_text_of(r, args[0], e->args[0]->type);
    size_t begin, end;
    regex_result found = kql_regex_find(e->regex, left, r->memory, &begin, &end);

    r->over_limit |= found == REGEX_OVER_LIMIT;
    r->out_of_memory |= found == REGEX_NO_MEMORY;
    return kql_bool(found == REGEX_MATCH);
}

/* --- and, or --- */

static unsigned and_of(unsigned a, unsigned b)
{
    unsigned may_pass = TRUTH_TRUE | TRUTH_NULL;

    return ((a | b) & TRUTH_FALSE) | (a & b & TRUTH_TRUE) |
           (((a & TRUTH_NULL) != 0 && (b & may_pass) != 0) ||
                    ((b & TRUTH_NULL) != 0 && (a & may_pass) != 0)
                ? TRUTH_NULL
                : 0u);
}

static kql_value eval_and(kql_run *r, const kql_expr *e)
{
    unsigned may = TRUTH_TRUE;

    for (size_t i = 0; i < e->count && may != TRUTH_FALSE; i++)
        may = and_of(may, kql_truths(kql_eval(r, e->args[i])));
    return kql_of_truths(may);
}

/* a or b is not(not a and not b), in three values too. */
static kql_value eval_or(kql_run *r, const kql_expr *e)
{
    unsigned may = TRUTH_TRUE;

    for (size_t i = 0; i < e->count && may != TRUTH_FALSE; i++)
        may = and_of(may, negate(kql_truths(kql_eval(r, e->args[i])), true));
    return kql_of_truths(negate(may, true));
}

enum { ANY_BOOL = 1 << KQL_BOOL };

const kql_function kql_and = {"and", 2, 0, {ANY_BOOL}, KQL_BOOL, .lazy = eval_and};
const kql_function kql_or = {"or", 2, 0, {ANY_BOOL}, KQL_BOOL, .lazy = eval_or};

/* --- the table --- */

#define CALL(function)                                                                             \
    {                                                                                              \
        .result = KQL_BOOL, .strict = (function)                                                   \
    }
#define EQUAL(word_, negated, evidence_)                                                           \
    {                                                                                              \
        .word = (word_), .is_negated = (negated), .evidence = (evidence_), .test = equals_exactly, \
        .call = CALL(equality)                                                                     \
    }
#define ORDERING(word_, function)                                                                  \
    {                                                                                              \
        .word = (word_), .is_ordering = true, .call = CALL(function)                               \
    }
#define IN(word_, negated, evidence_, test_)                                                       \
    {                                                                                              \
        .word = (word_), .right = RIGHT_LIST, .is_negated = (negated), .evidence = (evidence_),    \
        .test = (test_), .call = CALL(in_list)                                                     \
    }
/* An operator over texts, and its negation. */
#define TEXTUAL(word_, test_, equal)                                                               \
    {.word = (word_),                                                                              \
     .is_tight = true,                                                                             \
     .evidence = EVIDENCE_ANY,                                                                     \
     .test = (test_),                                                                              \
     .is_equality = (equal),                                                                       \
     .call = CALL(text_test)},                                                                     \
    {                                                                                              \
        .word = "!" word_, .is_tight = true, .is_negated = true, .test = (test_),                  \
        .is_equality = (equal), .call = CALL(text_test)                                            \
    }

const kql_function kql_any_text = CALL(any_text);

void kql_replace_texts(kql_expr *e, const kql_value *texts, size_t count)
{
    e->call = &kql_any_text;
    e->count = 1;
    e->list = texts;
    e->list_count = count;
}

static const kql_operator operators[] = {
    EQUAL("==", false, EVIDENCE_ANY),
    EQUAL("!=", true, EVIDENCE_NONE),
    EQUAL("<>", true, EVIDENCE_NONE),
    ORDERING("<", less),
    ORDERING("<=", less_or_equal),
    ORDERING(">", greater),
    ORDERING(">=", greater_or_equal),
    {.word = "between", .right = RIGHT_RANGE, .is_ordering = true, .call = CALL(between)},
    IN("in", false, EVIDENCE_ANY, equals_exactly),
    IN("!in", true, EVIDENCE_NONE, equals_exactly),
    IN("in~", false, EVIDENCE_ANY, kql_equals),
    IN("!in~", true, EVIDENCE_NONE, kql_equals),
    {.word = "has_any",
     .right = RIGHT_TEXTS,
     .evidence = EVIDENCE_ANY,
     .test = kql_has,
     .call = CALL(any_text)},
    {.word = "has_all",
     .right = RIGHT_TEXTS,
     .evidence = EVIDENCE_ALL,
     .test = kql_has,
     .call = CALL(all_texts)},
    TEXTUAL("has", kql_has, false),
    TEXTUAL("has_cs", kql_has_cs, false),
    TEXTUAL("contains", kql_contains, false),
    TEXTUAL("startswith", kql_startswith, false),
    TEXTUAL("endswith", kql_endswith, false),
    {.word = "=~",
     .is_tight = true,
     .evidence = EVIDENCE_ANY,
     .test = kql_equals,
     .is_equality = true,
     .call = CALL(text_test)},
    {.word = "!~",
     .is_tight = true,
     .is_negated = true,
     .test = kql_equals,
     .is_equality = true,
     .call = CALL(text_test)},
    {.word = "matches regex", .is_tight = true, .right = RIGHT_REGEX, .call = CALL(matches_regex)},
};

const kql_operator *kql_operator_find(text word)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
        if (text_equal(word, text_of(operators[i].word)))
            return &operators[i];
    return NULL;
}
