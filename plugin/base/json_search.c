/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_search: the documents of a text, in their order.
 *
 * A document is built at once, until a text refuses one. From there on each
 * is looked at first: looking allocates nothing, and one look refuses all
 * that is open where it fails. So work stays linear on texts that were made
 * to be refused again and again.
 */
#include <limits.h>
#include <string.h>

#include "base/json_parser.h"
#include "base/json_scan.h"

/* What a look finds on its way from bracket to bracket. */
typedef struct look {
    json_scan scan;
    json_search *search;
    size_t first;  /* of those that are open and still known, counted from the outermost */
    size_t opened; /* how many are, counted so */
} look;

static bool is_refused(const json_search *s, size_t at)
{
    return s->refused.length > 0 && (s->refused.bytes[at / 8] >> at % 8 & 1) != 0;
}

/* Without memory it is looked at once more. */
static void refuse_bracket(json_search *s, size_t at)
{
    size_t bytes = s->text.length / 8 + 1;
    char *bits = s->refused.length == 0 ? buffer_room(&s->refused, bytes) : s->refused.bytes;

    if (bits == NULL)
        return;
    if (s->refused.length == 0)
        memset(bits, 0, bytes);
    s->refused.length = bytes;
    bits[at / 8] = (char)(bits[at / 8] | 1 << at % 8);
}

static size_t most_open(const look *l)
{
    return (size_t)l->scan.parser->most_depth - 1;
}

static json_open *innermost(look *l)
{
    return &l->scan.parser->open[(l->opened - 1) % most_open(l)];
}

/* The outermost stands around more than it may when there is no room for another. */
static void open_bracket(look *l)
{
    if (l->opened - l->first == most_open(l)) {
        refuse_bracket(l->search, l->scan.parser->open[l->first % most_open(l)].at);
        l->first++;
        json_scan_refuse(&l->scan, "nested too deep");
    }
    l->opened++;
    *innermost(l) = (json_open){
        .at = (size_t)(l->scan.at - l->search->text.bytes),
        .is_object = *l->scan.at == '{',
    };
    l->scan.at++;
}

static bool look_at_scalar(json_scan *r)
{
    json_inside inside;
    bool is_whole;

    if (r->at == r->end)
        return json_scan_refuse_here(r);
    switch (*r->at) {
    case '"':
        return json_scan_string(r, &inside);
    case 't':
        return json_scan_word(r, "true");
    case 'f':
        return json_scan_word(r, "false");
    case 'n':
        return json_scan_word(r, "null");
    default:
        return json_scan_number(r, &is_whole);
    }
}

/* What leads to the next value in the innermost bracket: in an object its key. */
static bool look_at_key(look *l)
{
    json_scan *r = &l->scan;
    json_inside inside;

    if (!innermost(l)->is_object)
        return true;
    if (innermost(l)->members++ == JSON_MOST_MEMBERS)
        return json_scan_refuse(r, "an object with too many members");
    return json_scan_string(r, &inside) && (json_scan_next_is(r, ':') || json_scan_refuse_here(r));
}

/* Behind a value: all brackets that close here, and the way to the next value. */
static bool look_behind(look *l)
{
    json_scan *r = &l->scan;

    while (l->opened > l->first) {
        if (json_scan_next_is(r, ','))
            return look_at_key(l);
        if (!json_scan_next_is(r, innermost(l)->is_object ? '}' : ']'))
            return json_scan_refuse_here(r);
        l->opened--;
    }
    return true;
}

/* A value, or as far as its first bracket leads. */
static bool look_at_value(look *l)
{
    json_scan *r = &l->scan;

    if (r->at == r->end || (*r->at != '{' && *r->at != '['))
        return look_at_scalar(r) && look_behind(l);
    open_bracket(l);
    json_scan_blanks(r);
    if (r->at < r->end && *r->at == (innermost(l)->is_object ? '}' : ']'))
        return look_behind(l);
    return look_at_key(l);
}

/*
 * Why no document begins at `at`; NULL: one does. All that is open where the
 * look ends in vain is refused for the same reason.
 */
static const char *look_at(json_parser *parser, json_search *s, size_t at)
{
    look l = {
        .scan = {.parser = parser, .at = s->text.bytes + at, .end = s->text.bytes + s->text.length},
        .search = s,
    };
    const char *too_deep = NULL;
    bool goes_on;

    do {
        goes_on = look_at_value(&l);
        if (too_deep == NULL)
            too_deep = l.first > 0 ? "nested too deep" : NULL;
    } while (goes_on && l.opened > l.first);
    for (size_t i = l.first; !goes_on && i < l.opened; i++)
        refuse_bracket(s, parser->open[i % most_open(&l)].at);
    return too_deep != NULL ? too_deep : goes_on ? NULL : l.scan.reason;
}

json_search json_search_begin(text t)
{
    return (json_search){.text = t};
}

void json_search_end(json_search *self)
{
    buffer_free(&self->refused);
}

const char *json_search_at(json_parser *parser, json_search *self, size_t at, json **root,
                           size_t *taken)
{
    const char *reason;
    size_t begin = at;

    *root = NULL;
    *taken = 0;
    parser->out_of_memory = false;
    if (self->text.length > INT_MAX)
        return "larger than 2 GB";
    at += json_blanks(text_from(self->text, at));
    if (at == self->text.length)
        return "cut off";
    if (self->text.bytes[at] != '{' && self->text.bytes[at] != '[')
        return "no JSON";
    if (self->reason != NULL && is_refused(self, at))
        return self->reason;
    reason = self->reason != NULL ? look_at(parser, self, at) : NULL;
    if (reason == NULL)
        reason = json_build(parser, text_from(self->text, at), root, taken);
    if (reason == NULL)
        *taken += at - begin;
    else if (self->reason == NULL && !parser->out_of_memory)
        reason = look_at(parser, self, at);
    if (reason != NULL && !parser->out_of_memory)
        self->reason = reason;
    return reason;
}

const char *json_parse(json_parser *self, text t, json **root, size_t *taken)
{
    json_search search = json_search_begin(t);
    const char *reason = json_search_at(self, &search, 0, root, taken);

    json_search_end(&search);
    return reason;
}
