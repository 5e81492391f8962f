/* SPDX-License-Identifier: Apache-2.0 */
/* archive: a ring of units of work, claimed and handed on in order. */
#include "files/archive.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

enum {
    UNITS_PER_THREAD = 4, /* claimed and not handed on; one slow piece does not stop the others */
    MOST_JUDGED = 16384,  /* messages that a part may tell of before it waits for its turn */
};

/* A file under way that is read in pieces. */
typedef struct source {
    input_file *file;
    size_t size;
    size_t next;     /* where the next piece begins */
    size_t position; /* what was handed on, in bytes and in lines */
    size_t lines;
    bool has_trouble; /* which was told of; what is behind it cannot be read */
} source;

/* A piece of a file, or a file as a whole. */
typedef struct unit {
    const char *path;
    size_t file;    /* its place among the paths */
    source *source; /* NULL: not in pieces, or not opened */
    size_t begin;
    size_t end;
    void *part;
    size_t judged;   /* since the part was taken */
    bool has_turn;   /* it is being read again, by the one who hands on */
    bool is_void;    /* no message began where it does */
    size_t position; /* where the reading ended */
    size_t lines;    /* and after how many */
    char *error;     /* why the file could not be opened */
    bool is_broken;  /* so it could not */
    const char *trouble;
    bool is_done;
} unit;

typedef struct archive {
    const archive_reader *reader;
    const archive_options *options;
    char *const *paths;
    size_t count;

    pthread_mutex_t lock;
    pthread_cond_t moved;
    size_t next_path;
    source *source;  /* the file that pieces are claimed of */
    bool is_opening; /* somebody finds out what the next file is */
    bool is_alone;   /* a file under way bears none beside it */
    bool is_handing; /* somebody hands on */
    bool is_ended;   /* before the end */
    size_t claimed;  /* units since the beginning */
    size_t handed_on;
    size_t bytes; /* of content handed on, of files that are done */
    unit *units;  /* a ring */
    size_t room;
} archive;

/* A thread, and what it is at. */
typedef struct hand {
    archive *archive;
    void *tools;
    unit *unit;
    input_file *file;
} hand;

static unit *head(archive *self)
{
    return &self->units[self->handed_on % self->room];
}

static bool is_head(archive *self, const unit *u)
{
    return self->handed_on < self->claimed && u == head(self);
}

static void end_early(archive *self)
{
    pthread_mutex_lock(&self->lock);
    self->is_ended = true;
    pthread_cond_broadcast(&self->moved);
    pthread_mutex_unlock(&self->lock);
}

/* --- claiming --- */

/* A unit that nobody else has now. Its part was emptied when it was handed on. */
static unit *claim_unit(archive *self, const char *path)
{
    unit *u = &self->units[self->claimed % self->room];

    *u = (unit){.path = path, .file = self->next_path - 1, .part = u->part};
    self->claimed++;
    return u;
}

/* The next piece, up to a line's end. */
static void cut_piece(const archive *self, source *s, unit *u)
{
    u->source = s;
    u->begin = s->next;
    u->end = s->size;
    if (s->size - s->next > self->options->piece)
        u->end = input_file_find_piece_end(s->file, s->next + self->options->piece - 1);
    s->next = u->end;
}

/* Pipes, terminals and standard input have one reader at a time, and perhaps no end. */
static bool must_be_alone(const char *path)
{
    struct stat found;

    return strcmp(path, "-") == 0 || (stat(path, &found) == 0 && !S_ISREG(found.st_mode));
}

/* The next file, if it can be begun now. */
static unit *claim_file(archive *self)
{
    const char *path = self->paths[self->next_path];
    bool alone = must_be_alone(path);

    if (alone && self->handed_on < self->claimed)
        return NULL;
    self->is_alone = alone;
    self->is_opening = true;
    self->next_path++;
    return claim_unit(self, path);
}

static bool has_more(const archive *self)
{
    return !self->is_ended &&
           (self->source != NULL || self->is_opening || self->next_path < self->count);
}

/* What can be claimed now, or NULL. */
static unit *claim_now(archive *self)
{
    source *s = self->source;
    unit *u;

    if (self->is_opening || self->is_alone || self->claimed - self->handed_on == self->room)
        return NULL;
    if (s == NULL)
        return self->next_path < self->count ? claim_file(self) : NULL;
    u = claim_unit(self, input_file_name(s->file));
    cut_piece(self, s, u);
    if (s->next == s->size)
        self->source = NULL;
    return u;
}

/* NULL when there is nothing more to do. */
static unit *claim(archive *self)
{
    unit *u = NULL;

    pthread_mutex_lock(&self->lock);
    while (has_more(self) && (u = claim_now(self)) == NULL)
        pthread_cond_wait(&self->moved, &self->lock);
    pthread_mutex_unlock(&self->lock);
    return u;
}

/* --- handing on, all of it under the lock --- */

static bool follows(const unit *u)
{
    return u->source == NULL || u->source->position == u->begin;
}

static void take_part(archive *self, unit *u)
{
    const archive_reader *reader = self->reader;

    reader->take(reader->arg, u->part, u->path, u->source ? u->source->lines : 0);
    u->judged = 0;
}

static bool is_turn_of(archive *self, const unit *u)
{
    return u->has_turn || (is_head(self, u) && !self->is_handing);
}

/* Hands on what there is so far, if it is this unit's turn; false when it is read in vain. */
static bool offer(archive *self, unit *u)
{
    pthread_mutex_lock(&self->lock);
    while (u->judged >= MOST_JUDGED && !is_turn_of(self, u) && !self->is_ended)
        pthread_cond_wait(&self->moved, &self->lock);
    if (is_turn_of(self, u)) {
        u->is_void = !follows(u);
        if (!u->is_void)
            take_part(self, u);
    }
    u->is_void |= self->is_ended;
    pthread_mutex_unlock(&self->lock);
    return !u->is_void;
}

static void close_source(archive *self, source *s)
{
    self->bytes += s->size;
    input_file_close(s->file);
    free(s);
}

/* --- progress --- */

static progress_state state_of(const archive *self, const hand *h)
{
    const source *s = h->unit->source;
    progress_state state = {.name = h->unit->path, .bytes = self->bytes};

    if (s != NULL) {
        state.done = s->position;
        state.size = s->size;
        state.bytes += s->position;
        return state;
    }
    state.bytes += input_file_position(h->file);
    if (!input_file_progress(h->file, &state.done, &state.size))
        state.done = input_file_position(h->file);
    return state;
}

/* Shown by whoever is at what is to be handed on next. */
static void show_progress(hand *h)
{
    archive *self = h->archive;

    pthread_mutex_lock(&self->lock);
    if (is_head(self, h->unit) && progress_is_due(self->options->progress)) {
        progress_state state = state_of(self, h);

        progress_show(self->options->progress, &state);
    }
    pthread_mutex_unlock(&self->lock);
}

/* --- reading --- */

static size_t find(void *arg, text t, line_run *lines)
{
    hand *h = arg;

    if (h->archive->options->progress != NULL && h->archive->options->progress->is_on)
        show_progress(h);
    return h->archive->reader->find(h->tools, h->unit->file, h->unit->part, t, lines);
}

/* Words about a file that is read as a whole come at once, if nothing before it is missing. */
static bool judge(hand *h, const input_message *message)
{
    archive *self = h->archive;
    unit *u = h->unit;

    if (!self->reader->judge(h->tools, u->file, u->part, message)) {
        end_early(self);
        return false;
    }
    u->judged++;
    return (u->source != NULL && u->judged < MOST_JUDGED) || offer(self, u);
}

static void read_messages(hand *h)
{
    unit *u = h->unit;
    input_message message;
    bool goes_on = true;
    size_t line;

    input_file_part_arrays(h->file);
    while (goes_on && input_file_next_found(h->file, find, h, &message))
        goes_on = judge(h, &message);
    u->position = input_file_position(h->file);
    u->lines = input_file_line(h->file) - 1;
    u->trouble = u->is_void ? NULL : input_file_trouble(h->file, &line);
    input_file_close(h->file);
}

/* Reads what of a piece lies behind `begin`. */
static void read_piece(hand *h, size_t begin)
{
    unit *u = h->unit;

    u->begin = begin;
    u->is_void = false;
    h->file = input_file_open_piece(u->source->file, begin, u->end);
    if (h->file == NULL) {
        end_early(h->archive);
        return;
    }
    read_messages(h);
}

/* A file that is read as a whole. */
static void read_file(hand *h)
{
    if (h->archive->count < h->archive->options->threads)
        input_file_read_ahead(h->file);
    read_messages(h);
}

/* --- opening --- */

static source *make_source(input_file *file, size_t size)
{
    source *s = calloc(1, sizeof(*s));

    if (s != NULL)
        *s = (source){.file = file, .size = size};
    return s;
}

/* What the next file is, is known: the others may go on. */
static void end_opening(archive *self, unit *u, source *s)
{
    pthread_mutex_lock(&self->lock);
    self->is_opening = false;
    if (s != NULL) {
        self->is_alone = false; /* standard input that is a file is as good as any */
        cut_piece(self, s, u);
        self->source = s->next < s->size ? s : NULL;
    }
    pthread_cond_broadcast(&self->moved);
    pthread_mutex_unlock(&self->lock);
}

static bool judge_row(void *arg, const input_message *message)
{
    return judge(arg, message);
}

static bool is_table(hand *h, input_file *file)
{
    const archive_reader *reader = h->archive->reader;

    return reader->is_table != NULL && reader->is_table(file);
}

/* No pieces are cut of it. */
static void read_table(hand *h, input_file *file)
{
    const archive_reader *reader = h->archive->reader;
    size_t line;

    end_opening(h->archive, h->unit, NULL);
    reader->read_table(reader->arg, file, judge_row, h);
    h->unit->trouble = input_file_trouble(file, &line);
    input_file_close(file);
}

/* The file that the unit stands for, or its first piece. */
static void open_and_read(hand *h)
{
    unit *u = h->unit;
    input_file *file = input_file_open(u->path, &u->error);
    source *s = NULL;
    size_t size;

    u->is_broken = file == NULL;
    if (file != NULL)
        u->path = input_file_name(file);
    if (file != NULL && is_table(h, file)) {
        read_table(h, file);
        return;
    }
    if (file != NULL && input_file_has_pieces(file, &size)) {
        s = make_source(file, size);
        u->is_broken = s == NULL;
    }
    end_opening(h->archive, u, s);
    if (s != NULL) {
        read_piece(h, u->begin);
    } else if (!u->is_broken) {
        h->file = file;
        read_file(h);
    } else {
        input_file_close(file);
    }
}

/* --- the units' end --- */

/* A message from before goes on into this piece: what was read of it is void. */
static void read_again(hand *h, unit *u)
{
    archive *self = h->archive;
    size_t begin = u->source->position;

    self->reader->drop(u->part);
    u->judged = 0;
    u->lines = 0;
    u->position = begin;
    if (begin >= u->end)
        return;
    u->has_turn = true;
    h->unit = u;
    pthread_mutex_unlock(&self->lock);
    read_piece(h, begin);
    pthread_mutex_lock(&self->lock);
}

static void tell_trouble(const archive *self, const unit *u, size_t lines)
{
    self->reader->tell(self->reader->arg, u->file, u->path, lines + 1, u->trouble);
}

static void hand_on_piece(hand *h, unit *u)
{
    source *s = u->source;

    if (!follows(u))
        read_again(h, u);
    take_part(h->archive, u);
    s->position = u->position;
    s->lines += u->lines;
    if (u->trouble != NULL && !s->has_trouble)
        tell_trouble(h->archive, u, s->lines);
    s->has_trouble |= u->trouble != NULL;
    if (u->end == s->size)
        close_source(h->archive, s);
}

static void hand_on_file(archive *self, unit *u)
{
    const archive_reader *reader = self->reader;

    take_part(self, u);
    if (u->is_broken)
        reader->tell(reader->arg, u->file, u->path, 0, u->error ? u->error : "out of memory");
    else if (u->trouble != NULL)
        tell_trouble(self, u, u->lines);
    free(u->error);
    self->bytes += u->position;
    self->is_alone = false;
}

/* Hands on all that is done up to the first unit that is not, unless somebody is at it. */
static void end_unit(hand *h)
{
    archive *self = h->archive;

    pthread_mutex_lock(&self->lock);
    h->unit->is_done = true;
    while (!self->is_handing && self->handed_on < self->claimed && head(self)->is_done) {
        unit *u = head(self);

        self->is_handing = true;
        if (u->source != NULL)
            hand_on_piece(h, u);
        else
            hand_on_file(self, u);
        self->is_handing = false;
        self->handed_on++;
    }
    pthread_cond_broadcast(&self->moved);
    pthread_mutex_unlock(&self->lock);
}

/* A thread without tools leaves the work to the others. */
static void *work(void *arg)
{
    archive *self = arg;
    hand h = {.archive = self, .tools = self->reader->begin(self->reader->arg)};

    if (h.tools == NULL)
        return NULL;
    while ((h.unit = claim(self)) != NULL) {
        if (h.unit->source != NULL)
            read_piece(&h, h.unit->begin);
        else
            open_and_read(&h);
        end_unit(&h);
    }
    self->reader->end(h.tools);
    return NULL;
}

static bool make_units(archive *self)
{
    bool made;

    self->room = UNITS_PER_THREAD * self->options->threads;
    self->units = calloc(self->room, sizeof(unit));
    made = self->units != NULL;
    for (size_t i = 0; made && i < self->room; i++) {
        self->units[i].part = calloc(1, self->reader->part_size);
        made = self->units[i].part != NULL;
    }
    return made;
}

static void free_units(archive *self)
{
    for (size_t i = 0; self->units != NULL && i < self->room; i++) {
        if (self->units[i].part != NULL)
            self->reader->drop(self->units[i].part);
        free(self->units[i].part);
    }
    free(self->units);
}

/* This thread is one of them; where there are no more to be had, there are fewer. */
static void work_in_threads(archive *self)
{
    size_t others = self->options->threads - 1, begun = 0;
    pthread_t *threads = calloc(others + 1, sizeof(*threads));

    while (threads != NULL && begun < others &&
           pthread_create(&threads[begun], NULL, work, self) == 0)
        begun++;
    work(self);
    for (size_t i = 0; i < begun; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

bool archive_read(const archive_reader *reader, char *const *paths, size_t count,
                  const archive_options *options)
{
    archive self = {.reader = reader, .options = options, .paths = paths, .count = count};
    bool all = false;

    pthread_mutex_init(&self.lock, NULL);
    pthread_cond_init(&self.moved, NULL);
    if (make_units(&self)) {
        work_in_threads(&self);
        all = !self.is_ended && self.source == NULL && self.next_path == count;
    }
    if (self.source != NULL)
        close_source(&self, self.source);
    free_units(&self);
    pthread_cond_destroy(&self.moved);
    pthread_mutex_destroy(&self.lock);
    return all;
}
