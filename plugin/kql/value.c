/* SPDX-License-Identifier: Apache-2.0 */
/* value: kinds, texts and orders of values. */
#include "kql/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const type_names[KQL_TYPES] = {
    [KQL_BOOL] = "bool",         [KQL_LONG] = "long",         [KQL_REAL] = "real",
    [KQL_DATETIME] = "datetime", [KQL_TIMESPAN] = "timespan", [KQL_STRING] = "string",
    [KQL_DYNAMIC] = "dynamic",
};

const char *kql_type_name(kql_type type)
{
    return type_names[type];
}

kql_type kql_type_of_name(text name)
{
    static const struct {
        text name;
        kql_type type;
    } others[] = {{TEXT("int"), KQL_LONG},
                  {TEXT("double"), KQL_REAL},
                  {TEXT("boolean"), KQL_BOOL},
                  {TEXT("date"), KQL_DATETIME},
                  {TEXT("time"), KQL_TIMESPAN}};
    kql_type type = 0;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (text_equal(name, others[i].name))
            return others[i].type;
    while (type < KQL_TYPES && !text_equal(name, text_of(type_names[type])))
        type++;
    return type;
}

kql_value kql_nothing(kql_type type)
{
    return type == KQL_STRING ? kql_string((text)TEXT("")) : kql_null();
}

unsigned kql_truths(kql_value v)
{
    if (v.kind == KIND_BOOL)
        return v.truth ? TRUTH_TRUE : TRUTH_FALSE;
    return v.kind == KIND_UNKNOWN ? v.may : TRUTH_NULL;
}

kql_value kql_of_truths(unsigned may)
{
    switch (may) {
    case TRUTH_FALSE:
    case TRUTH_TRUE:
        return kql_bool(may == TRUTH_TRUE);
    case TRUTH_NULL:
        return kql_null();
    default:
        return (kql_value){.kind = KIND_UNKNOWN, .may = may};
    }
}

/* --- a record's JSON --- */

static kql_value of_number(json *tree)
{
    if (fjson_object_get_type(tree) == fjson_type_double)
        return (kql_value){.kind = KIND_REAL, .real = fjson_object_get_double(tree)};
    return kql_number(KIND_LONG, fjson_object_get_int64(tree));
}

static kql_value of_tree(kql_kind kind, json *tree, size_t count)
{
    return (kql_value){.kind = kind, .tree = tree, .items = NULL, .count = count};
}

kql_value kql_of_json(json *tree)
{
    switch (json_kind_of(tree)) {
    case JSON_NULL:
        return kql_null();
    case JSON_BOOLEAN:
        return kql_bool(json_is_true(tree));
    case JSON_NUMBER:
        return of_number(tree);
    case JSON_STRING:
        return kql_string(json_string(tree));
    case JSON_ARRAY:
        return of_tree(KIND_ARRAY, tree, json_array_length(tree));
    case JSON_OBJECT:
        break;
    }
    return of_tree(KIND_BAG, tree, json_member_count(tree));
}

size_t kql_count(kql_value v)
{
    return v.kind == KIND_ARRAY || v.kind == KIND_BAG ? v.count : 0;
}

kql_value kql_nth(kql_value v, size_t n, text *key)
{
    const char *name = "";
    json *member = NULL;

    *key = (text)TEXT("");
    if (v.tree == NULL) {
        *key = v.items[n].key;
        return v.items[n].value;
    }
    if (v.kind == KIND_ARRAY)
        return kql_of_json(json_array_item(v.tree, n));
    json_nth_member(v.tree, n, &name, &member);
    *key = text_of(name);
    return kql_of_json(member);
}

/* Of a key that stands twice, the last counts. */
kql_value kql_member(kql_value v, const char *key)
{
    text wanted = text_of(key);

    if (v.kind != KIND_BAG)
        return kql_null();
    if (v.tree != NULL)
        return kql_of_json(json_member(v.tree, key));
    for (size_t i = v.count; i > 0; i--)
        if (text_equal(v.items[i - 1].key, wanted))
            return v.items[i - 1].value;
    return kql_null();
}

/* --- texts --- */

/* The shortest text that is read as the same number. */
static void write_real(double real, char *out, size_t room)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(out, room, "%.*g", digits, real);
        if (strtod(out, NULL) == real)
            return;
    }
}

/* 1.02:03:04.5000000: days and fraction only if there are any. */
static void write_timespan(timespan span, char *out, size_t room)
{
    uint64_t ticks = span < 0 ? 0 - (uint64_t)span : (uint64_t)span;
    uint64_t days = ticks / TICKS_PER_DAY, seconds = ticks % TICKS_PER_DAY / TICKS_PER_SECOND;
    uint64_t fraction = ticks % TICKS_PER_SECOND;
    char before[32] = "", behind[16] = "";

    if (days > 0)
        snprintf(before, sizeof(before), "%" PRIu64 ".", days);
    if (fraction > 0)
        snprintf(behind, sizeof(behind), ".%07" PRIu64, fraction);
    snprintf(out, room, "%s%s%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 "%s", span < 0 ? "-" : "",
             before, seconds / 3600, seconds / 60 % 60, seconds % 60, behind);
}

enum { SCALAR_ROOM = 96 };

/* The text of what is neither text nor list; "" for null. */
static void write_scalar(kql_value v, char *out, size_t room)
{
    out[0] = '\0';
    if (v.kind == KIND_BOOL)
        snprintf(out, room, "%s", v.truth ? "true" : "false");
    else if (v.kind == KIND_LONG)
        snprintf(out, room, "%" PRId64, v.number);
    else if (v.kind == KIND_REAL)
        write_real(v.real, out, room);
    else if (v.kind == KIND_DATETIME)
        timestamp_format(v.number, out);
    else if (v.kind == KIND_TIMESPAN)
        write_timespan(v.number, out, room);
}

static text json_text(kql_value v, arena *memory)
{
    buffer out = {0};
    text result = {NULL, 0};

    kql_write_json(&out, v);
    if (!buffer_failed(&out))
        result = arena_copy(memory, buffer_text(&out));
    buffer_free(&out);
    return result;
}

text kql_tostring(kql_value v, kql_type type, arena *memory)
{
    char written[SCALAR_ROOM];

    if (v.kind == KIND_STRING)
        return v.string;
    if (v.kind == KIND_ARRAY || v.kind == KIND_BAG)
        return json_text(v, memory);
    if (v.kind == KIND_BOOL && type == KQL_BOOL)
        return text_of(v.truth ? "True" : "False");
    write_scalar(v, written, sizeof(written) - sizeof(".0"));
    if (v.kind == KIND_REAL && strspn(written, "-0123456789") == strlen(written))
        strcat(written, ".0"); /* a whole real tells itself from a long */
    return written[0] == '\0' ? (text)TEXT("") : arena_copy(memory, text_of(written));
}

static void write_list(buffer *out, kql_value v)
{
    buffer_append_char(out, v.kind == KIND_BAG ? '{' : '[');
    for (size_t i = 0; i < v.count; i++) {
        json_write_item(out);
        if (v.kind == KIND_BAG) {
            json_write_string(out, v.items[i].key);
            buffer_append_char(out, ':');
        }
        kql_write_json(out, v.items[i].value);
    }
    buffer_append_char(out, v.kind == KIND_BAG ? '}' : ']');
}

/* What the reader made is 64 deep at most, and each function adds one level. */
void kql_write_json(buffer *out, kql_value v)
{
    char written[SCALAR_ROOM];

    if (v.kind == KIND_STRING) {
        json_write_string(out, v.string);
    } else if (kql_count(v) > 0 && v.tree != NULL) {
        json_write_value(out, v.tree);
    } else if (v.kind == KIND_ARRAY || v.kind == KIND_BAG) {
        write_list(out, v);
    } else if (v.kind <= KIND_UNKNOWN || (v.kind == KIND_REAL && !isfinite(v.real))) {
        buffer_append_string(out, "null");
    } else {
        write_scalar(v, written, sizeof(written));
        if (v.kind == KIND_DATETIME || v.kind == KIND_TIMESPAN)
            json_write_string(out, text_of(written));
        else
            buffer_append_string(out, written);
    }
}

/* --- orders --- */

static bool is_numeric(kql_value v)
{
    return v.kind == KIND_LONG || v.kind == KIND_REAL;
}

static double real_of(kql_value v)
{
    return v.kind == KIND_REAL ? v.real : (double)v.number;
}

static int order_of_reals(double a, double b)
{
    return (a > b) - (a < b);
}

static int order_of_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

int kql_order(kql_value a, kql_value b)
{
    if (is_numeric(a) && is_numeric(b) && a.kind != b.kind)
        return order_of_reals(real_of(a), real_of(b));
    if (a.kind != b.kind)
        return a.kind < b.kind ? -1 : 1;
    switch (a.kind) {
    case KIND_BOOL:
        return order_of_numbers(a.truth, b.truth);
    case KIND_REAL:
        return order_of_reals(a.real, b.real);
    case KIND_LONG:
    case KIND_DATETIME:
    case KIND_TIMESPAN:
        return order_of_numbers(a.number, b.number);
    case KIND_STRING:
        return text_compare(a.string, b.string);
    default:
        return 0;
    }
}

bool kql_same(kql_value a, kql_value b)
{
    bool comparable = a.kind == b.kind || (is_numeric(a) && is_numeric(b));

    return comparable && a.kind != KIND_ARRAY && a.kind != KIND_BAG && kql_order(a, b) == 0;
}
