/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_hyperscan: many phrases at once, by Hyperscan or its sibling Vectorscan.
 *
 * The library looks for the longest piece of each phrase that no look-alike
 * can stand for, and for the escapes that could matter; phrase_set.c looks at the
 * places that it reports. The database is made once.
 */
#include "gate/engine.h"

#ifdef SYNCTAP_WITH_HYPERSCAN

#include <hs.h>
#include <stdlib.h>

#include "base/buffer.h"

/* A backslash, a u, and a value that is ASCII, U+017F or U+212A. */
#define ESCAPE "\\\\u(?:00[0-7][0-9A-Fa-f]|017[Ff]|212[Aa])"

/* What the library's scan takes at once. */
#define MOST_BYTES ((size_t)1 << 30)

enum { ESCAPE_ID = 0 }; /* of a phrase: its number and 1 */

typedef struct hyperscan {
    const phrase_set *phrases;
    hs_database_t *database;
    hs_scratch_t *scratch; /* to be cloned */
    phrase_anchor *anchors;
    size_t *lengths; /* of the pieces */
} hyperscan;

/* --- making the database --- */

/* How long is the piece at `index` that no look-alike can stand for? */
static size_t piece_at(const phrase_set *self, text phrase, size_t index)
{
    size_t end = index;

    while (end < phrase.length && phrase_set_is_anchor_character(self, phrase.bytes[end]))
        end++;
    return end - index;
}

static text longest_piece(const phrase_set *self, text phrase)
{
    text best = {phrase.bytes, 0};

    for (size_t i = 0; i < phrase.length; i++) {
        size_t length = piece_at(self, phrase, i);

        if (length > best.length)
            best = (text){phrase.bytes + i, length};
    }
    return best;
}

/* The piece as an expression: every character by its number, a blank also as NUL. */
static bool write_expression(text piece, buffer *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < piece.length; i++) {
        unsigned char c = (unsigned char)piece.bytes[i];
        const char one[] = {'\\', 'x', digits[c >> 4], digits[c & 15], '\0'};

        buffer_append_string(out, c == ' ' ? "[\\x20\\x00]" : one);
    }
    return buffer_string(out) != NULL;
}

/* The expressions, in the form that the library takes. */
typedef struct expressions {
    size_t count;
    char **strings;
    unsigned *ids, *flags;
} expressions;

static void free_expressions(expressions *self)
{
    for (size_t i = 0; self->strings != NULL && i < self->count; i++)
        free(self->strings[i]);
    free(self->strings);
    free(self->ids);
    free(self->flags);
}

static bool make_room(expressions *self, size_t most)
{
    self->strings = calloc(most, sizeof(*self->strings));
    self->ids = calloc(most, sizeof(*self->ids));
    self->flags = calloc(most, sizeof(*self->flags));
    return self->strings != NULL && self->ids != NULL && self->flags != NULL;
}

static bool add_expression(expressions *self, const char *string, size_t id, unsigned flags)
{
    char *copy = strdup(string);

    if (copy == NULL)
        return false;
    self->strings[self->count] = copy;
    self->ids[self->count] = (unsigned)id;
    self->flags[self->count++] = flags | HS_FLAG_DOTALL;
    return true;
}

static bool add_piece(expressions *self, text piece, size_t id)
{
    buffer expression = {0};
    bool added = write_expression(piece, &expression) &&
                 add_expression(self, buffer_string(&expression), id, HS_FLAG_CASELESS);

    buffer_free(&expression);
    return added;
}

/* False when a phrase has no piece that could be looked for, or memory is out. */
static bool add_all(hyperscan *self, expressions *all)
{
    const phrase_set *owner = self->phrases;

    if (!add_expression(all, ESCAPE, ESCAPE_ID, 0))
        return false;
    for (size_t i = 0; i < owner->count; i++) {
        text phrase = owner->list[i], piece = longest_piece(owner, phrase);

        self->anchors[i] = phrase_set_make_anchor(owner, i, (size_t)(piece.bytes - phrase.bytes));
        self->lengths[i] = piece.length;
        if (piece.length == 0 || !add_piece(all, piece, i + 1))
            return false;
    }
    return true;
}

static bool compile(hyperscan *self, const expressions *all)
{
    hs_compile_error_t *error = NULL;
    hs_error_t result =
        hs_compile_multi((const char *const *)all->strings, all->flags, all->ids,
                         (unsigned)all->count, HS_MODE_BLOCK, NULL, &self->database, &error);

    hs_free_compile_error(error);
    return result == HS_SUCCESS && hs_alloc_scratch(self->database, &self->scratch) == HS_SUCCESS;
}

static bool make_database(hyperscan *self)
{
    size_t most = self->phrases->count + 1;
    expressions all = {0};
    bool made;

    self->anchors = calloc(most, sizeof(*self->anchors));
    self->lengths = calloc(most, sizeof(*self->lengths));
    if (self->anchors == NULL || self->lengths == NULL)
        return false;
    made = make_room(&all, most) && add_all(self, &all) && compile(self, &all);
    free_expressions(&all);
    return made;
}

static void free_hyperscan(void *made)
{
    hyperscan *self = made;

    hs_free_scratch(self->scratch);
    hs_free_database(self->database);
    free(self->anchors);
    free(self->lengths);
    free(self);
}

static void *make(const phrase_set *p)
{
    hyperscan *self = calloc(1, sizeof(*self));

    if (self == NULL)
        return NULL;
    self->phrases = p;
    if (hs_valid_platform() == HS_SUCCESS && make_database(self))
        return self;
    free_hyperscan(self);
    return NULL;
}

static void *new_scratch(const void *made)
{
    const hyperscan *self = made;
    hs_scratch_t *scratch = NULL;

    return hs_clone_scratch(self->scratch, &scratch) == HS_SUCCESS ? scratch : NULL;
}

static void free_scratch(void *scratch)
{
    hs_free_scratch(scratch);
}

/* --- a scan --- */

typedef struct scan_run {
    const hyperscan *engine;
    text t;
    size_t hit;
} scan_run;

/* Where the u's backslash is: the escape's last 6 bytes are \uXXXX. */
static bool is_escape(scan_run *s, size_t end)
{
    return phrase_set_wants_escape(s->engine->phrases, s->t, end - 6, &s->hit);
}

static bool is_phrase(scan_run *s, size_t phrase, size_t end)
{
    const hyperscan *e = s->engine;

    return phrase_set_is_around(e->phrases, s->t, e->anchors[phrase], end - e->lengths[phrase],
                                &s->hit);
}

/* The library's match_event_handler; not 0 ends the scan. */
static int look_at(unsigned id, unsigned long long begin, unsigned long long end, unsigned flags,
                   void *arg)
{
    scan_run *s = arg;

    (void)begin;
    (void)flags;
    return id == ESCAPE_ID ? is_escape(s, (size_t)end) : is_phrase(s, id - 1, (size_t)end);
}

static size_t find(const void *made, void *scratch, text t)
{
    const hyperscan *self = made;
    scan_run s = {self, t, t.length};
    hs_error_t result;

    if (t.length > MOST_BYTES)
        return phrase_set_walk(self->phrases, t);
    result = hs_scan(self->database, t.length > 0 ? t.bytes : "", (unsigned)t.length, 0, scratch,
                     look_at, &s);
    if (result == HS_SUCCESS)
        return t.length;
    /* Whatever else it says: what cannot be scanned may hold anything. */
    return result == HS_SCAN_TERMINATED ? s.hit : 0;
}

const engine engine_hyperscan = {
    .make = make,
    .free = free_hyperscan,
    .scratch_new = new_scratch,
    .scratch_free = free_scratch,
    .find = find,
};

#else

static void *make(const phrase_set *p)
{
    (void)p;
    return NULL;
}

const engine engine_hyperscan = {.make = make};

#endif
