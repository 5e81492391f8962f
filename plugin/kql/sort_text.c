/* SPDX-License-Identifier: Apache-2.0 */
/* sort_text: numbers from their highest byte on, texts with an end; turned around for desc. */
#include "kql/sort_text.h"

#include <string.h>

typedef struct order_writer {
    buffer *out;
    bool is_turned;
} order_writer;

static void put(order_writer *w, unsigned byte)
{
    buffer_append_char(w->out, (char)(w->is_turned ? 0xFF - byte : byte));
}

static void put_number(order_writer *w, uint64_t n)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        put(w, (unsigned)(n >> shift) & 0xFF);
}

/* Negative numbers lie before the others. */
static void put_signed(order_writer *w, int64_t n)
{
    put_number(w, (uint64_t)n ^ (UINT64_C(1) << 63));
}

/* Of negative ones all bits count backwards. */
static void put_real(order_writer *w, double d)
{
    uint64_t bits;

    d = d == 0 ? 0 : d; /* -0 equals 0 */
    memcpy(&bits, &d, sizeof(bits));
    put_number(w, bits >> 63 != 0 ? ~bits : bits | (UINT64_C(1) << 63));
}

/* A NUL is 0 1 and the end 0 0: a text lies before those that go on. */
static void put_text(order_writer *w, text t)
{
    for (size_t i = 0; i < t.length; i++) {
        put(w, (unsigned char)t.bytes[i]);
        if (t.bytes[i] == '\0')
            put(w, 1);
    }
    put(w, 0);
    put(w, 0);
}

static void put_value(order_writer *w, kql_value v)
{
    switch (v.kind) {
    case KIND_BOOL:
        put(w, v.truth);
        break;
    case KIND_REAL:
        put_real(w, v.real);
        break;
    case KIND_LONG:
    case KIND_DATETIME:
    case KIND_TIMESPAN:
        put_signed(w, v.number);
        break;
    case KIND_STRING:
        put_text(w, v.string);
        break;
    default:
        break;
    }
}

void kql_write_sort_text(buffer *out, const kql_sort_key *key, kql_value v)
{
    order_writer w = {out, key->is_descending};

    if (v.kind == KIND_NULL) {
        buffer_append_char(out, key->nulls_first ? 0 : 2);
        return;
    }
    buffer_append_char(out, 1);
    put_value(&w, v);
}

const kql_op *kql_sorting_of(const kql_pipeline *pipeline)
{
    const kql_op *found = NULL;

    for (size_t i = 0; i < pipeline->count; i++)
        if (pipeline->ops[i].kind == OP_SORT)
            found = &pipeline->ops[i];
    return found;
}
