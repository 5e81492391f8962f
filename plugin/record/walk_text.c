/* SPDX-License-Identifier: Apache-2.0 */
/* walk_text: the documents of a text, and what between them cannot be read. */
#include "record/walk.h"

#include <stdlib.h>
#include <string.h>

#include "dialect/own_alert.h"
#include "record/chosen_text.h"
#include "record/coded_text.h"
#include "record/record_piece.h"

enum {
    MOST_LOOK_ALIKES = 16, /* each takes a look at the rest of its line */
    MANY_HEADER_LOOKS = 64,
};

/* A text under way: what of it can be read, and what could not. */
typedef struct passage {
    text text;
    json_search search;
    size_t broken_from; /* where an unreadable stretch begins; text.length: there is none */
    size_t broken_to;   /* where its brackets close; text.length: not as far as was looked */
    json_brackets brackets;
    bool is_headless; /* it begins inside a record: its brackets do not tell where that ends */
    const char *reason;
    size_t words_from;    /* behind all that was read or could not be */
    size_t document_from; /* the first document in front of the words that was no record */
    size_t escaped_to;    /* strings that begin before it were searched already */
    size_t coded_to;      /* so were texts with coded quotes */
    size_t bad_escape;    /* no string's inside that begins before it goes on to a quote */
    size_t look_alikes;   /* of synctap's own alerts, that were none */
    size_t header_looks;  /* for headers in front of such alerts */
    size_t next_own;      /* none begins before it, from where it was looked for last */
    buffer judged;        /* texts: strings of the stretch whose records were handed on */
} passage;

/*
 * A `[` in front of a document is most often a header's ("app[123]:", RFC
 * 5424's structured data): no document was broken there, unless it begins
 * the text or a `{` follows.
 */
static bool looks_like_a_document(text t, size_t at)
{
    if (at == 0 || t.bytes[at] == '{')
        return true;
    do
        at++;
    while (at < t.length && (t.bytes[at] == ' ' || t.bytes[at] == '\n' || t.bytes[at] == '\r'));
    return at < t.length && t.bytes[at] == '{';
}

/*
 * The `properties` of a diagnostic record have the shape of a directoryAudit.
 * Found in the pieces of a broken record they are a part of it, no record.
 * What begins on a line of its own is one.
 */
static bool is_a_broken_records_part(text t, size_t at)
{
    static const text key = TEXT("properties\"");

    while (at > 0 && t.bytes[at - 1] != '\0' && strchr(" \t:\\", t.bytes[at - 1]) != NULL)
        at--;
    return at >= key.length && text_equal((text){t.bytes + at - key.length, key.length}, key);
}

/* A string in front of a colon; behind a comma, which is in its place, any string. */
static bool begins_with_a_key(text t, bool behind_comma)
{
    size_t inside;

    t = text_from(t, json_blanks(t));
    if (t.length == 0 || t.bytes[0] != '"' || behind_comma)
        return t.length > 0 && t.bytes[0] == '"';
    inside = json_string_inside(text_from(t, 1));
    if (t.length - 1 - inside < 2)
        return false;
    t = text_from(t, inside + 2);
    t = text_from(t, json_blanks(t));
    return t.length > 0 && t.bytes[0] == ':';
}

/* Behind brackets that close, only a key says that they closed too early. */
static bool goes_on_with_a_key(text rest)
{
    while (rest.length > 0) {
        size_t blanks = json_blanks(rest);

        if (blanks == 0 && rest.bytes[0] != '}' && rest.bytes[0] != ']')
            break;
        rest = text_from(rest, blanks > 0 ? blanks : 1);
    }
    if (rest.length == 0)
        return false;
    return rest.bytes[0] == ',' ? begins_with_a_key(text_from(rest, 1), true)
                                : begins_with_a_key(rest, false);
}

/* Do the stretch's brackets close before `at`? Each byte of it is looked at once. */
static bool closes_before(passage *p, size_t at)
{
    text rest;

    if (p->broken_from == p->text.length || p->broken_to < p->text.length)
        return p->broken_to <= at && p->broken_to < p->text.length;
    rest = text_from(p->text, p->broken_from);
    while (json_brackets_close(&p->brackets, rest, at - p->broken_from)) {
        p->is_headless |= goes_on_with_a_key(text_from(rest, p->brackets.at));
        if (!p->is_headless) {
            p->broken_to = p->broken_from + p->brackets.at;
            return p->broken_to < p->text.length;
        }
    }
    return false;
}

static void begin_words(passage *p, size_t at)
{
    p->words_from = at;
    p->document_from = p->text.length;
    buffer_clear(&p->judged);
}

/* Blanks in the place of what was judged already: it is not to be judged again. */
static void leave_out_judged(passage *p, text broken, stretch *kept)
{
    const text *judged = (const text *)(const void *)p->judged.bytes;

    for (size_t i = 0; kept != NULL && i < p->judged.length / sizeof(text); i++)
        if (judged[i].bytes + judged[i].length <= broken.bytes + broken.length)
            memset(kept->bytes + (judged[i].bytes - broken.bytes), ' ', judged[i].length);
    buffer_clear(&p->judged);
}

/* An unreadable stretch ends where its brackets close, where a record could be read, or with the
 * text. */
static void end_broken(walk *w, passage *p, size_t end)
{
    text broken;

    if (p->broken_from == p->text.length)
        return;
    if (closes_before(p, end))
        end = p->broken_to;
    walk_count_broken(w, p->reason);
    broken = text_between(p->text.bytes + p->broken_from, p->text.bytes + end);
    leave_out_judged(p, broken, walk_keep_broken(w, broken, p->reason));
    p->broken_from = p->text.length;
    begin_words(p, end);
}

/* Unless one is under way already. */
static void begin_broken(passage *p, size_t at, bool is_headless, const char *reason)
{
    if (p->broken_from < p->text.length)
        return;
    p->broken_from = at;
    p->broken_to = p->text.length;
    buffer_clear(&p->judged);
    p->brackets = (json_brackets){0};
    p->is_headless = is_headless;
    p->reason = reason;
}

/* Its first lines, or its first part, came as another message. */
static void note_words(passage *p, size_t end)
{
    size_t piece = end;

    if (p->broken_from == p->text.length && p->words_from < end)
        piece = record_piece_find(p->text, p->words_from, end);
    if (piece < end)
        begin_broken(p, p->document_from < piece ? p->document_from : piece, true, UNWRAP_PART);
}

static void note_broken(walk *w, passage *p, size_t at, const char *reason)
{
    if (closes_before(p, at))
        end_broken(w, p, at);
    if (!looks_like_a_document(p->text, at))
        return;
    note_words(p, at);
    begin_broken(p, at, false, reason);
}

/*
 * Hands on what the value holds. What could not be read in it is part of the
 * stretch around it, if there is one. True when there were records.
 */
static bool walk_inside(walk *w, const passage *p, json *value)
{
    size_t records = w->found.records, broken = w->found.broken;
    stretch **mark = w->last_broken;
    bool before = w->is_in_stretch;

    if (!before && p->broken_from < p->text.length) {
        w->is_in_stretch = true;
        w->stretch_cells = w->cells;
    }
    walk_value(w, value);
    w->is_in_stretch = before;
    if (w->found.records > records)
        return true;
    if (p->broken_from < p->text.length)
        walk_forget_broken(w, mark, broken);
    return false;
}

/* What begins and ends there could be read, and holds no record. */
static void pass_document(passage *p, size_t at, size_t end)
{
    if (p->document_from > at && looks_like_a_document(p->text, at))
        p->document_from = at;
    p->words_from = end;
}

static void walk_found(walk *w, passage *p, size_t at, size_t end, json *document)
{
    if (closes_before(p, at))
        end_broken(w, p, at);
    note_words(p, at);
    if (is_a_broken_records_part(p->text, at)) {
        begin_broken(p, at, true, UNWRAP_PART);
        return;
    }
    w->lacks_targets = false;
    if (walk_inside(w, p, document)) {
        end_broken(w, p, at);
        begin_words(p, end);
        if (w->lacks_targets && goes_on_with_a_key(text_from(p->text, end)))
            begin_broken(p, at, true, "a bracket that closes too early");
    } else {
        pass_document(p, at, end);
    }
}

/* The key of the value that begins at `at`, or nothing. */
static text key_before(text t, size_t at)
{
    size_t end;

    while (at > 0 && (t.bytes[at - 1] == ' ' || t.bytes[at - 1] == ':'))
        at--;
    if (at == 0 || t.bytes[at - 1] != '"')
        return (text){NULL, 0};
    end = --at;
    while (at > 0 && t.bytes[at - 1] != '"' && end - at < 40)
        at--;
    return (text){t.bytes + at, end - at};
}

/*
 * Does `at` stand in a text that somebody chose: a name, a user agent? A
 * document in there is not the record's. Asked of a stretch under way.
 */
static bool is_in_chosen_text(passage *p, size_t at)
{
    if (p->broken_from == p->text.length || closes_before(p, at) || !p->brackets.in_string)
        return false;
    return chosen_text_is(key_before(p->text, p->broken_from + p->brackets.string_begin));
}

/* The inside of a string, up to the quote that ends it or to the end of its line; 0: it is none. */
static size_t inside_length(passage *p, size_t at)
{
    text rest = text_from(p->text, at);
    const char *line_end;
    size_t length;

    if (rest.length < 2 || rest.bytes[1] != '\\' || at < p->bad_escape || at < p->escaped_to)
        return 0;
    length = json_string_inside(rest);
    if (length < rest.length && rest.bytes[length] == '\\' && rest.length - length > 6) {
        p->bad_escape = at + length;
        return 0;
    }
    line_end = memchr(rest.bytes, '\n', length);
    return line_end ? (size_t)(line_end - rest.bytes) : length;
}

/*
 * No document begins in a string's inside in front of an escaped quote that
 * is not the string's own; but behind the last of them one may, and what
 * seemed to end the string is that document's first quote then.
 */
static size_t behind_last_quote(text inside)
{
    const char *quote = memrchr(inside.bytes, '"', inside.length);

    return quote != NULL ? (size_t)(quote - inside.bytes) + 1 : 1;
}

/* True when the inside of a string held records, which were handed on. */
static bool walk_string_inside(walk *w, const passage *p, text inside)
{
    json *string = json_unescape(w->unwrap->parser, inside);
    bool found;

    w->found.out_of_memory |= string == NULL && json_parser_ran_out(w->unwrap->parser);
    found = string != NULL && walk_inside(w, p, string);
    json_free(string);
    return found;
}

/*
 * A document in a quoted string around which there is no document, as in
 * record="{\"id\":...}", or in one that was cut. The length of what is done
 * with so, or 0 when it is no string. A stretch under way goes on behind it:
 * what is quoted in it is no end of it. Each string is searched once.
 */
static size_t walk_escaped(walk *w, passage *p, size_t at)
{
    size_t length = inside_length(p, at), broken = w->found.broken, done;
    text inside = {p->text.bytes + at, length};
    bool found;

    if (length == 0)
        return 0;
    p->escaped_to = at + length;
    done = behind_last_quote(inside);
    if (closes_before(p, at))
        end_broken(w, p, at);
    note_words(p, at);
    if (is_in_chosen_text(p, at))
        return done;
    found = walk_string_inside(w, p, inside);
    if (found)
        buffer_append(&p->judged, (text){(const char *)&inside, sizeof(inside)});
    if (p->broken_from == p->text.length && (found || w->found.broken > broken))
        begin_words(p, at + done);
    return done;
}

/*
 * True when it held records, or what is told. It begins as a document does: what holds neither
 * could be read, and is none of ours.
 */
static bool walk_undone(walk *w, const passage *p, text coded)
{
    size_t records = w->found.records, broken = w->found.broken;
    buffer undone = {0};
    json *string = NULL;

    coded_text_undo(coded, &undone);
    if (!buffer_failed(&undone))
        string = json_new_string(buffer_text(&undone));
    buffer_free(&undone);
    w->found.out_of_memory |= string == NULL;
    if (string != NULL)
        walk_inside(w, p, string);
    json_free(string);
    return w->found.records > records || w->found.broken > broken;
}

/*
 * A document whose quotes are coded, {\x22id\x22:...}: its length, or 0 when it is none. In a
 * stretch under way it is a part of that. Each is searched once.
 */
static size_t walk_coded(walk *w, passage *p, size_t at)
{
    text rest = text_from(p->text, at);
    size_t length;

    if (at < p->coded_to)
        return 0;
    if (closes_before(p, at))
        end_broken(w, p, at);
    length = p->broken_from == p->text.length ? coded_text_length(rest) : 0;
    if (length == 0)
        return 0;
    p->coded_to = at + length;
    note_words(p, at);
    if (p->broken_from < p->text.length)
        return 0;
    if (walk_undone(w, p, (text){rest.bytes, length}))
        begin_words(p, at + length);
    else
        pass_document(p, at, at + length);
    return length;
}

/* Blanks and commas, as they stand between messages that were put into one. */
static size_t separators(text t)
{
    size_t length = 0;

    while (length < t.length && t.bytes[length] != '\0' &&
           strchr(" \t\r\n,", t.bytes[length]) != NULL)
        length++;
    return length;
}

/* May an alert of synctap's own be looked for? What broke may hold what looks like one. */
static bool may_be_own(walk *w, passage *p, size_t at)
{
    if (closes_before(p, at))
        end_broken(w, p, at);
    return p->broken_from == p->text.length && p->look_alikes < MOST_LOOK_ALIKES;
}

/* The length of a line that is one, without a header, and which is done with so; or 0. */
static size_t pass_own_line(walk *w, passage *p, size_t at)
{
    size_t length = own_alert_line_length(w->unwrap->parser, text_from(p->text, at));

    if (length == 0) {
        p->look_alikes++;
        return 0;
    }
    note_words(p, at);
    end_broken(w, p, at);
    begin_words(p, at + length);
    return length;
}

/*
 * May a header of one begin here? Each look goes as far as a header may; where there were many,
 * each byte is looked at once, for what such an alert begins with.
 */
static bool may_begin_header(passage *p, size_t at)
{
    size_t end = at + OWN_ALERT_LONGEST_HEADER;

    if (at == p->text.length || p->text.bytes[at] == '{' || p->header_looks++ < MANY_HEADER_LOOKS)
        return true;
    if (end > p->text.length)
        end = p->text.length;
    if (p->next_own < at)
        p->next_own = at;
    if (p->next_own < end)
        p->next_own = own_alert_next_begin(p->text, p->next_own, end);
    return p->next_own < end;
}

/* Those that are no JSON are passed over where a line begins, and behind a document. */
static size_t behind_own_lines(walk *w, passage *p, size_t at)
{
    while (at < p->text.length && may_be_own(w, p, at)) {
        size_t begin = at += separators(text_from(p->text, at)), length;

        if (!may_begin_header(p, at))
            break;
        begin += own_alert_header_length(text_from(p->text, at));
        if (begin == p->text.length || p->text.bytes[begin] == '{')
            break;
        length = pass_own_line(w, p, begin);
        if (length == 0)
            break;
        at = begin + length;
    }
    return at;
}

/*
 * Those that are JSON and were cut, from the place of one that cannot be read;
 * and a list of them that was cut, which is no stretch: each is told by itself.
 * The length of what is passed over, or 0.
 */
static size_t pass_cut_alert(walk *w, passage *p, size_t at)
{
    bool is_list = p->text.bytes[at] == '[';
    text t = text_from(p->text, at + is_list);

    t = text_from(t, is_list ? json_blanks(t) : 0);
    if (t.length == 0 || t.bytes[0] != '{' || own_alert_header_length(t) > 0 ||
        !may_be_own(w, p, at))
        return 0;
    if (!is_list)
        return pass_own_line(w, p, at);
    if (own_alert_begins(w->unwrap->parser, t))
        return 1;
    p->look_alikes++;
    return 0;
}

/*
 * After a document that cannot be read, the search goes on right behind its
 * first byte: a good record may follow, or stand inside.
 */
static size_t walk_document_at(walk *w, passage *p, size_t at)
{
    json_parser *parser = w->unwrap->parser;
    json *document;
    size_t taken, length;
    const char *reason = json_search_at(parser, &p->search, at, &document, &taken);

    if (reason == NULL) {
        walk_found(w, p, at, at + taken, document);
        json_free(document);
        return behind_own_lines(w, p, at + taken);
    }
    w->found.out_of_memory |= json_parser_ran_out(parser);
    length = walk_escaped(w, p, at);
    if (length == 0)
        length = walk_coded(w, p, at);
    if (length > 0)
        return at + length;
    length = pass_cut_alert(w, p, at);
    if (length > 0)
        return behind_own_lines(w, p, at + length);
    note_broken(w, p, at, reason);
    return at + 1;
}

/* The next place where a document may begin, or the text's end. */
static size_t next_document(walk *w, passage *p, size_t at)
{
    text t = p->text;

    while (at < t.length && t.bytes[at] != '{' && t.bytes[at] != '[')
        if (t.bytes[at++] == '\n')
            at = behind_own_lines(w, p, at);
    return at;
}

static void walk_passage(walk *w, passage *p)
{
    size_t at = next_document(w, p, behind_own_lines(w, p, 0));

    while (at < p->text.length && !walk_must_stop(w))
        at = next_document(w, p, walk_document_at(w, p, at));
    if (closes_before(p, p->text.length))
        end_broken(w, p, p->text.length);
    note_words(p, p->text.length);
    end_broken(w, p, p->text.length);
}

void walk_text(walk *w, text t)
{
    passage p = {
        .text = t,
        .search = json_search_begin(t),
        .broken_from = t.length,
        .document_from = t.length,
    };

    walk_passage(w, &p);
    json_search_end(&p.search);
    buffer_free(&p.judged);
}
