/* SPDX-License-Identifier: Apache-2.0 */
/* functions: the scalar functions, and the table of them. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <unicase.h>
#include <unistr.h>

#include "kql/datetime.h"
#include "kql/expression.h"

static kql_value out_of_memory(kql_run *r)
{
    r->out_of_memory = true;
    return kql_null();
}

static kql_value string_or_failure(kql_run *r, text t)
{
    return t.bytes != NULL ? kql_string(t) : out_of_memory(r);
}

static text text_of_argument(kql_run *r, const kql_expr *e, const kql_value *args, size_t n)
{
    return kql_text_of(r, args[n], e->args[n]->type);
}

/* A value of no type becomes null, a string's "". */
static kql_value typed(kql_value v, kql_type type)
{
    return v.kind == KIND_NULL ? kql_nothing(type) : v;
}

/* --- texts --- */

static kql_value f_tostring(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return string_or_failure(r, text_of_argument(r, e, args, 0));
}

/* Code point by code point; the engine keeps letters that are not ASCII out of ASCII. */
static kql_value map_case(kql_run *r, text t, ucs4_t (*map)(ucs4_t))
{
    enum { MOST_BYTES = 4 };
    char *room = arena_alloc(r->memory, t.length * MOST_BYTES + 1);
    size_t length = 0;

    if (room == NULL)
        return out_of_memory(r);
    for (size_t at = 0; at < t.length;) {
        ucs4_t c = (unsigned char)t.bytes[at], mapped;
        int taken = c < 0x80 ? 1 : u8_mbtouc(&c, (const uint8_t *)t.bytes + at, t.length - at);
        int put;

        mapped = map(c);
        mapped = c >= 0x80 && mapped < 0x80 ? c : mapped;
        put = u8_uctomb((uint8_t *)room + length, mapped, MOST_BYTES);
        length += put > 0 ? (size_t)put : 0;
        at += (size_t)taken;
    }
    return kql_string((text){room, length});
}

static kql_value f_tolower(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return map_case(r, text_of_argument(r, e, args, 0), uc_tolower);
}

static kql_value f_toupper(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return map_case(r, text_of_argument(r, e, args, 0), uc_toupper);
}

static kql_value f_strcat(kql_run *r, const kql_expr *e, const kql_value *args)
{
    buffer all = {0};
    text result = {NULL, 0};

    for (size_t i = 0; i < e->count; i++)
        buffer_append(&all, text_of_argument(r, e, args, i));
    if (!buffer_failed(&all))
        result = arena_copy(r->memory, buffer_text(&all));
    buffer_free(&all);
    return string_or_failure(r, result);
}

static kql_value f_strlen(kql_run *r, const kql_expr *e, const kql_value *args)
{
    text t = text_of_argument(r, e, args, 0);
    int64_t count = 0;

    for (size_t i = 0; i < t.length; i++)
        count += ((unsigned char)t.bytes[i] & 0xC0) != 0x80;
    return kql_number(KIND_LONG, count);
}

static kql_value f_trim(kql_run *r, const kql_expr *e, const kql_value *args)
{
    text t = text_of_argument(r, e, args, 1), left;

    switch (kql_regex_trim(e->regex, t, r->memory, &left)) {
    case REGEX_MATCH:
        return kql_string(left);
    case REGEX_NO_MEMORY:
        return out_of_memory(r);
    default:
        r->over_limit = true;
        return kql_string(t);
    }
}

/* Where the next one stands in t from `at` on, or t.length. */
static size_t find(text t, size_t at, text wanted)
{
    const char *found = wanted.length > 0 && at + wanted.length <= t.length
                            ? memmem(t.bytes + at, t.length - at, wanted.bytes, wanted.length)
                            : NULL;

    return found != NULL ? (size_t)(found - t.bytes) : t.length;
}

static kql_value replace(kql_run *r, text t, text wanted, text by)
{
    buffer out = {0};
    text result = {NULL, 0};
    size_t at = 0;

    if (wanted.length == 0)
        return kql_string(t);
    for (size_t next = find(t, 0, wanted); next < t.length; next = find(t, at, wanted)) {
        buffer_append(&out, text_between(t.bytes + at, t.bytes + next));
        buffer_append(&out, by);
        at = next + wanted.length;
    }
    buffer_append(&out, text_from(t, at));
    if (!buffer_failed(&out))
        result = arena_copy(r->memory, buffer_text(&out));
    buffer_free(&out);
    return string_or_failure(r, result);
}

static kql_value f_replace_string(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return replace(r, text_of_argument(r, e, args, 0), text_of_argument(r, e, args, 1),
                   text_of_argument(r, e, args, 2));
}

/* replace(pattern, by, text), where the pattern is plain: the parser sees to that. */
static kql_value f_replace(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return replace(r, text_of_argument(r, e, args, 2), text_of_argument(r, e, args, 0),
                   text_of_argument(r, e, args, 1));
}

/* --- arrays and bags --- */

static kql_value array_of(kql_item *items, size_t count)
{
    return (kql_value){.kind = KIND_ARRAY, .tree = NULL, .items = items, .count = count};
}

static size_t count_parts(text t, text delimiter)
{
    size_t count = 1;

    for (size_t at = find(t, 0, delimiter); at < t.length;
         at = find(t, at + delimiter.length, delimiter))
        count++;
    return count;
}

static kql_value split(kql_run *r, text t, text delimiter)
{
    size_t count = count_parts(t, delimiter), at = 0;
    kql_item *items = arena_alloc(r->memory, count * sizeof(kql_item));

    if (items == NULL)
        return out_of_memory(r);
    for (size_t i = 0; i < count; i++) {
        size_t next = find(t, at, delimiter);

        items[i] = (kql_item){TEXT(""), kql_string(text_between(t.bytes + at, t.bytes + next))};
        at = next + delimiter.length;
    }
    return array_of(items, count);
}

/* With an index: an array of that part alone, or null. */
static kql_value f_split(kql_run *r, const kql_expr *e, const kql_value *args)
{
    kql_value all = split(r, text_of_argument(r, e, args, 0), text_of_argument(r, e, args, 1));

    if (e->count < 3 || all.kind != KIND_ARRAY)
        return all;
    if (args[2].kind != KIND_LONG || args[2].number < 0 || (size_t)args[2].number >= all.count)
        return kql_null();
    return (kql_value){.kind = KIND_ARRAY, .items = all.items + args[2].number, .count = 1};
}

static kql_value f_array_length(kql_run *r, const kql_expr *e, const kql_value *args)
{
    (void)r;
    (void)e;
    return args[0].kind == KIND_ARRAY ? kql_number(KIND_LONG, (int64_t)kql_count(args[0]))
                                      : kql_null();
}

static kql_value f_bag_keys(kql_run *r, const kql_expr *e, const kql_value *args)
{
    size_t count = kql_count(args[0]);
    kql_item *items;

    (void)e;
    if (args[0].kind != KIND_BAG)
        return kql_null();
    items = arena_alloc(r->memory, count * sizeof(kql_item) + 1);
    if (items == NULL)
        return out_of_memory(r);
    for (size_t i = 0; i < count; i++) {
        text key;

        kql_nth(args[0], i, &key);
        items[i] = (kql_item){TEXT(""), kql_string(key)};
    }
    return array_of(items, count);
}

/* --- JSON --- */

static kql_value parse_json(kql_run *r, text t)
{
    kql_value v;

    if (t.length == 0)
        return kql_null();
    switch (kql_read_json(t, r->memory, &v)) {
    case KQL_READ:
        return v;
    case KQL_OUT_OF_MEMORY:
        return out_of_memory(r);
    case KQL_NO_JSON:
        break;
    }
    return kql_string(t);
}

/* A dynamic is returned as it is. */
static kql_value f_parse_json(kql_run *r, const kql_expr *e, const kql_value *args)
{
    return e->args[0]->type == KQL_STRING ? parse_json(r, args[0].string) : args[0];
}

/* extractjson(path, text): the member as text; of text that is no JSON, nothing. */
static kql_value f_extractjson(kql_run *r, const kql_expr *e, const kql_value *args)
{
    text t = text_of_argument(r, e, args, 1), found;
    kql_value v = kql_null();

    switch (kql_read_json(t, r->memory, &v)) {
    case KQL_READ:
        break;
    case KQL_OUT_OF_MEMORY:
        return out_of_memory(r);
    case KQL_NO_JSON: /* it may have begun as one */
        v = kql_null();
    }
    v = kql_walk(r, v, e->steps, e->step_count);
    found = kql_tostring(v, KQL_DYNAMIC, r->memory);
    return string_or_failure(r, found);
}

/* --- conversions --- */

static text without_blanks(text t)
{
    while (t.length > 0 && strchr(" \t\r\n\v\f", t.bytes[0]) != NULL && t.bytes[0] != '\0')
        t = text_from(t, 1);
    while (t.length > 0 && t.bytes[t.length - 1] != '\0' &&
           strchr(" \t\r\n\v\f", t.bytes[t.length - 1]) != NULL)
        t.length--;
    return t;
}

/* A long's lower 32 bits. */
static kql_value lower_bits(int64_t number)
{
    return kql_number(KIND_LONG, (int32_t)(uint32_t)(uint64_t)number);
}

/* The digits of a number of that base, no more than UINT32_MAX in all. */
static bool read_digits(text t, unsigned base, int64_t *number)
{
    *number = 0;
    for (size_t i = 0; i < t.length; i++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = memchr(digits, tolower((unsigned char)t.bytes[i]), base);

        if (digit == NULL)
            return false;
        *number = *number * base + (digit - digits);
        if (*number > UINT32_MAX)
            return false;
    }
    return t.length > 0;
}

/* A sign and decimal digits, or 0x and hex digits, which are all 32 bits; nothing else. */
static kql_value int_of_text(text t)
{
    bool is_negative;
    int64_t number;

    t = without_blanks(t);
    if (t.length > 2 && t.bytes[0] == '0' && (t.bytes[1] == 'x' || t.bytes[1] == 'X'))
        return read_digits(text_from(t, 2), 16, &number) ? lower_bits(number) : kql_null();
    is_negative = t.length > 0 && t.bytes[0] == '-';
    if (is_negative || (t.length > 0 && t.bytes[0] == '+'))
        t = text_from(t, 1);
    if (!read_digits(t, 10, &number) || number > (int64_t)INT32_MAX + is_negative)
        return kql_null();
    return kql_number(KIND_LONG, is_negative ? -number : number);
}

/* Without its fraction; what is too much or too little is the most or the least that there is. */
static kql_value int_of_real(double real)
{
    if (isnan(real))
        return kql_null();
    return kql_number(KIND_LONG, real >= INT32_MAX   ? INT32_MAX
                                 : real <= INT32_MIN ? INT32_MIN
                                                     : (int64_t)real);
}

static kql_value f_toint(kql_run *r, const kql_expr *e, const kql_value *args)
{
    kql_value v = args[0];

    (void)r;
    (void)e;
    switch (v.kind) {
    case KIND_STRING:
        return int_of_text(v.string);
    case KIND_LONG:
    case KIND_TIMESPAN:
        return lower_bits(v.number);
    case KIND_REAL:
        return int_of_real(v.real);
    case KIND_BOOL:
        return kql_number(KIND_LONG, v.truth);
    default:
        return kql_null();
    }
}

/* A number is one of ticks since 0001-01-01. */
static kql_value time_of_ticks(kql_value v)
{
    const int64_t end = INT64_C(3155378976000000000); /* 10000-01-01 */
    int64_t ticks = v.kind == KIND_LONG                                 ? v.number
                    : v.kind == KIND_REAL && fabs(v.real) < (double)end ? (int64_t)v.real
                                                                        : -1;

    return ticks >= 0 && ticks < end ? kql_number(KIND_DATETIME, TIMESTAMP_MIN + ticks)
                                     : kql_null();
}

static bool is_of_numbers(const kql_expr *e)
{
    return e->count > 0 && (e->args[0]->type == KQL_LONG || e->args[0]->type == KQL_REAL);
}

static kql_value f_todatetime(kql_run *r, const kql_expr *e, const kql_value *args)
{
    timestamp t;

    (void)r;
    (void)e;
    if (args[0].kind == KIND_DATETIME)
        return args[0];
    if (is_of_numbers(e))
        return time_of_ticks(args[0]);
    if (args[0].kind != KIND_STRING || !kql_read_datetime(args[0].string, &t))
        return kql_null();
    return kql_number(KIND_DATETIME, t);
}

static kql_value f_ago(kql_run *r, const kql_expr *e, const kql_value *args)
{
    (void)e;
    return args[0].kind == KIND_TIMESPAN ? kql_number(KIND_DATETIME, r->now - args[0].number)
                                         : kql_null();
}

/* --- nothing or something --- */

static bool is_empty(kql_value v)
{
    return v.kind == KIND_NULL || (v.kind == KIND_STRING && v.string.length == 0);
}

static kql_value f_isempty(kql_run *r, const kql_expr *e, const kql_value *args)
{
    (void)r;
    (void)e;
    return kql_bool(is_empty(args[0]));
}

static kql_value f_isnotempty(kql_run *r, const kql_expr *e, const kql_value *args)
{
    (void)r;
    (void)e;
    return kql_bool(!is_empty(args[0]));
}

static kql_value f_isnull(kql_run *r, const kql_expr *e, const kql_value *args)
{
    (void)r;
    (void)e;
    return kql_bool(args[0].kind == KIND_NULL);
}

static kql_value f_isnotnull(kql_run *r, const kql_expr *e, const kql_value *args)
{
    (void)r;
    (void)e;
    return kql_bool(args[0].kind != KIND_NULL);
}

/* --- choices --- */

/* Of which one cannot say which: an unknown. */
static kql_value f_iff(kql_run *r, const kql_expr *e)
{
    unsigned may = kql_truths(kql_eval(r, e->args[0]));

    if (may == TRUTH_TRUE)
        return typed(kql_eval(r, e->args[1]), e->type);
    if ((may & TRUTH_TRUE) == 0)
        return typed(kql_eval(r, e->args[2]), e->type);
    return kql_unknown();
}

static kql_value f_case(kql_run *r, const kql_expr *e)
{
    for (size_t i = 0; i + 1 < e->count; i += 2) {
        unsigned may = kql_truths(kql_eval(r, e->args[i]));

        if (may == TRUTH_TRUE)
            return typed(kql_eval(r, e->args[i + 1]), e->type);
        if ((may & TRUTH_TRUE) != 0)
            return kql_unknown();
    }
    return typed(kql_eval(r, e->args[e->count - 1]), e->type);
}

/* The first that is something; a string is nothing when it is empty, a dynamic when it is null. */
static kql_value f_coalesce(kql_run *r, const kql_expr *e)
{
    for (size_t i = 0; i < e->count; i++) {
        kql_value v = kql_eval(r, e->args[i]);
        bool is_nothing = e->args[i]->type == KQL_STRING ? is_empty(v) : v.kind == KIND_NULL;

        if (!is_nothing)
            return v;
    }
    return kql_nothing(e->type);
}

static kql_value f_not(kql_run *r, const kql_expr *e)
{
    unsigned may = kql_truths(kql_eval(r, e->args[0]));

    return kql_of_truths((may & TRUTH_FALSE ? TRUTH_TRUE : 0u) |
                         (may & TRUTH_TRUE ? TRUTH_FALSE : 0u) | (may & TRUTH_NULL));
}

/* --- the table --- */

enum {
    B = 1 << KQL_BOOL,
    L = 1 << KQL_LONG,
    R = 1 << KQL_REAL,
    T = 1 << KQL_DATETIME,
    N = 1 << KQL_TIMESPAN,
    S = 1 << KQL_STRING,
    D = 1 << KQL_DYNAMIC,
    ANY = (1 << KQL_TYPES) - 1,
    TEXTS = S | D
};

static const kql_function functions[] = {
    {"tostring", 1, 1, {ANY}, KQL_STRING, .strict = f_tostring, .is_verbatim = true},
    {"tolower", 1, 1, {TEXTS}, KQL_STRING, .strict = f_tolower},
    {"toupper", 1, 1, {TEXTS}, KQL_STRING, .strict = f_toupper},
    {"strcat", 1, KQL_MOST_ARGUMENTS, {ANY, ANY, ANY}, KQL_STRING, .strict = f_strcat},
    {"strlen", 1, 1, {TEXTS}, KQL_LONG, .strict = f_strlen},
    {"trim", 2, 2, {S, TEXTS}, KQL_STRING, .strict = f_trim, .constant_first = true},
    {"split", 2, 3, {TEXTS, S, L}, KQL_DYNAMIC, .strict = f_split},
    {"replace_string", 3, 3, {TEXTS, S, S}, KQL_STRING, .strict = f_replace_string},
    {"replace", 3, 3, {S, S, TEXTS}, KQL_STRING, .strict = f_replace, .constant_first = true},
    {"array_length", 1, 1, {D}, KQL_LONG, .strict = f_array_length},
    {"bag_keys", 1, 1, {D}, KQL_DYNAMIC, .strict = f_bag_keys},
    {"parse_json", 1, 1, {ANY}, KQL_DYNAMIC, .strict = f_parse_json, .is_verbatim = true},
    {"todynamic", 1, 1, {ANY}, KQL_DYNAMIC, .strict = f_parse_json, .is_verbatim = true},
    {"extractjson", 2, 2, {S, TEXTS}, KQL_STRING, .strict = f_extractjson, .constant_first = true},
    {"extract_json", 2, 2, {S, TEXTS}, KQL_STRING, .strict = f_extractjson, .constant_first = true},
    {"toint", 1, 1, {B | L | R | N | TEXTS}, KQL_LONG, .strict = f_toint},
    {"todatetime", 1, 1, {T | L | R | TEXTS}, KQL_DATETIME, .strict = f_todatetime},
    {"ago", 1, 1, {N}, KQL_DATETIME, .strict = f_ago},
    {"isempty", 1, 1, {ANY}, KQL_BOOL, .strict = f_isempty},
    {"isnotempty", 1, 1, {ANY}, KQL_BOOL, .strict = f_isnotempty},
    {"isnull", 1, 1, {ANY}, KQL_BOOL, .strict = f_isnull},
    {"isnotnull", 1, 1, {ANY}, KQL_BOOL, .strict = f_isnotnull},
    {"iff", 3, 3, {B, ANY, ANY}, KQL_TYPES, .lazy = f_iff},
    {"iif", 3, 3, {B, ANY, ANY}, KQL_TYPES, .lazy = f_iff},
    {"case", 3, KQL_MOST_ARGUMENTS, {ANY, ANY, ANY}, KQL_TYPES, .lazy = f_case},
    {"coalesce",
     2,
     KQL_MOST_ARGUMENTS,
     {ANY, ANY, ANY},
     KQL_TYPES,
     .lazy = f_coalesce,
     .is_verbatim = true},
    {"not", 1, 1, {B}, KQL_BOOL, .lazy = f_not},
};

const kql_function *kql_function_find(text name)
{
    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
        if (text_equal(name, text_of(functions[i].name)))
            return &functions[i];
    return NULL;
}
