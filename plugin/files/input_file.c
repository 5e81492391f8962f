/* SPDX-License-Identifier: Apache-2.0 */
/* input_file: lines and documents in a byte_window. */
#include "files/input_file.h"

#include <stdint.h>
#include <stdlib.h>

#include "files/byte_window.h"
#include "files/json_extent.h"
#include "files/line_scan.h"

/* Bytes. A stretch is what is proven at once: it stays in a core's own cache until it is searched.
 */
enum { LONGEST_BEGINNING = 64 * 1024, STRETCH = 512 * 1024, LARGE_ARRAY = 1024 * 1024 };

static const size_t BYTE_ORDER_MARK_LENGTH = 3;

struct input_file {
    const char *name;
    byte_window *window;
    size_t position;
    size_t end; /* no message begins there or behind; SIZE_MAX: where the content ends */
    size_t line;
    line_run
        proven; /* the lines at the window's front that are known to be messages by themselves */
    bool inside_line; /* the last message was the first part of a line that is too long */
    bool parts_arrays;
    size_t array_line;   /* where the array begins whose elements are messages; 0: there is none */
    bool behind_element; /* of that array */
};

static input_file *make(const char *name, byte_window *window, size_t begin, size_t end)
{
    input_file *self = window ? calloc(1, sizeof(*self)) : NULL;

    if (self == NULL) {
        byte_window_close(window);
        return NULL;
    }
    *self = (input_file){.name = name, .window = window, .position = begin, .end = end, .line = 1};
    return self;
}

input_file *input_file_open(const char *path, char **error)
{
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;

    return make(name, byte_window_open(path, error), 0, SIZE_MAX);
}

input_file *input_file_open_piece(const input_file *whole, size_t begin, size_t end)
{
    return make(whole->name, byte_window_open_piece(whole->window, begin, end), begin, end);
}

bool input_file_has_pieces(const input_file *self, size_t *size)
{
    return byte_window_size(self->window, size);
}

size_t input_file_find_piece_end(const input_file *self, size_t from)
{
    return byte_window_find_line_end(self->window, from);
}

void input_file_part_arrays(input_file *self)
{
    self->parts_arrays = true;
}

size_t input_file_position(const input_file *self)
{
    return self->position;
}

size_t input_file_line(const input_file *self)
{
    return self->line;
}

void input_file_read_ahead(input_file *self)
{
    byte_window_read_ahead(self->window);
}

bool input_file_progress(const input_file *self, size_t *done, size_t *size)
{
    return byte_window_progress(self->window, done, size);
}

void input_file_close(input_file *self)
{
    if (self == NULL)
        return;
    byte_window_close(self->window);
    free(self);
}

const char *input_file_name(const input_file *self)
{
    return self->name;
}

static text front(const input_file *self, size_t length)
{
    return (text){byte_window_text(self->window).bytes, length};
}

/* Moves on over bytes with that many line ends. */
static void pass_lines(input_file *self, line_run passed)
{
    bool in_proven = passed.length < self->proven.length;

    self->proven.length = in_proven ? self->proven.length - passed.length : 0;
    self->proven.lines = in_proven ? self->proven.lines - passed.lines : 0;
    self->position += passed.length;
    self->line += passed.lines;
    byte_window_pass(self->window, passed.length);
}

static void pass(input_file *self, size_t length)
{
    pass_lines(self, (line_run){length, line_scan_ends(front(self, length))});
}

/* What is in memory of the part in which messages may begin. */
static text beginnings(const input_file *self)
{
    text t = byte_window_text(self->window);
    size_t left = self->position < self->end ? self->end - self->position : 0;

    return front(self, t.length < left ? t.length : left);
}

/* Brings more of the part in which messages may begin into memory. */
static bool grow_beginnings(input_file *self)
{
    size_t length = byte_window_text(self->window).length;

    return self->position + length < self->end && byte_window_grow(self->window);
}

/* False at the end. A mark that lies across the window's end is whole before it is judged. */
static bool skip_blanks(input_file *self)
{
    size_t length;

    do {
        pass(self, line_scan_blanks(beginnings(self)));
        length = beginnings(self).length;
    } while (length < BYTE_ORDER_MARK_LENGTH && grow_beginnings(self));
    return length > 0;
}

/* The length of the line that the text begins with, of at most about `most` bytes of it. */
static size_t line_length(input_file *self, size_t most)
{
    size_t searched = 0;

    do {
        text t = byte_window_text(self->window);
        const char *end = memchr(t.bytes + searched, '\n', t.length - searched);

        if (end != NULL)
            return (size_t)(end - t.bytes);
        searched = t.length;
    } while (searched < most && byte_window_grow(self->window));
    return searched;
}

static text without_return(text t)
{
    while (t.length > 0 && t.bytes[t.length - 1] == '\r')
        t.length--;
    return t;
}

/* Most do: line_scan is quicker than json_extent. */
static bool ends_by_itself(const input_file *self, size_t line)
{
    return line < byte_window_text(self->window).length &&
           line_scan(front(self, line + 1)).length > 0;
}

/* Goes on to where the front's document ends, or over so many bytes of it. */
static json_extent_state scan_front(input_file *self, json_extent *extent, size_t most)
{
    json_extent_state state;
    text t;

    do {
        t = byte_window_text(self->window);
        state = json_extent_scan(extent, front(self, t.length < most ? t.length : most));
    } while (state == EXTENT_OPEN && t.length < most && byte_window_grow(self->window));
    return state;
}

/* A document that its first line leaves open may go on, or was cut off there. */
static size_t document_or_line(input_file *self, size_t line, bool *is_whole)
{
    json_extent extent = json_extent_new();

    if (ends_by_itself(self, line) || json_extent_scan(&extent, front(self, line)) != EXTENT_OPEN)
        return line;
    *is_whole = scan_front(self, &extent, SIZE_MAX) == EXTENT_CLOSED;
    return *is_whole ? extent.length : line;
}

static size_t message_length(input_file *self, bool *is_whole)
{
    size_t line = line_length(self, SIZE_MAX);
    char first = byte_window_text(self->window).bytes[0];

    self->inside_line =
        line == byte_window_text(self->window).length && byte_window_is_full(self->window);
    *is_whole = !self->inside_line;
    if (self->inside_line || line < self->proven.length || (first != '{' && first != '['))
        return line;
    return document_or_line(self, line, is_whole);
}

static void skip_rest_of_line(input_file *self)
{
    while (self->inside_line) {
        text t = byte_window_text(self->window);
        const char *end = t.length > 0 ? memchr(t.bytes, '\n', t.length) : NULL;

        pass(self, end ? (size_t)(end - t.bytes) : t.length);
        self->inside_line = end == NULL && byte_window_grow(self->window);
    }
}

/* --- large arrays --- */

static bool begins_with_bracket(input_file *self)
{
    while (byte_window_text(self->window).length == 0 && byte_window_grow(self->window))
        ;
    return byte_window_text(self->window).length > 0 &&
           byte_window_text(self->window).bytes[0] == '[';
}

static bool begins_large_array(input_file *self)
{
    json_extent extent = json_extent_new();
    text t;

    if (!self->parts_arrays || !begins_with_bracket(self) ||
        scan_front(self, &extent, LARGE_ARRAY) != EXTENT_OPEN || extent.length < LARGE_ARRAY)
        return false;
    t = text_from(byte_window_text(self->window), 1);
    t = text_from(t, line_scan_blanks(t));
    return t.length > 0 && t.bytes[0] == '{';
}

/* What comes behind blanks, wherever that is; '\0' at the end. */
static char skip_to_char(input_file *self)
{
    do
        pass(self, line_scan_blanks(byte_window_text(self->window)));
    while (byte_window_text(self->window).length == 0 && byte_window_grow(self->window));
    return byte_window_text(self->window).length > 0 ? byte_window_text(self->window).bytes[0]
                                                     : '\0';
}

static void enter_array(input_file *self)
{
    self->array_line = self->line;
    self->behind_element = false;
    pass(self, 1);
}

/* What stands here now is taken line by line again. */
static bool leave_broken_array(input_file *self, input_message *message)
{
    *message = (input_message){
        .text = TEXT(" "),
        .line = self->array_line,
        .is_whole = true,
        .trouble = "cut off, or broken: the array that begins here does not end",
    };
    self->array_line = 0;
    return true;
}

/* To the next element or the array's end; '\0' where neither is due. */
static char skip_to_element(input_file *self)
{
    char c = skip_to_char(self);

    if (!self->behind_element)
        return c;
    if (c != ',')
        return c == ']' ? c : '\0';
    pass(self, 1);
    return skip_to_char(self);
}

/* False at the array's end. */
static bool next_element(input_file *self, input_message *message)
{
    char first = skip_to_element(self);
    json_extent extent = json_extent_new();

    if (first == ']') {
        pass(self, 1);
        self->array_line = 0;
        return false;
    }
    if (first != '{' || scan_front(self, &extent, SIZE_MAX) != EXTENT_CLOSED)
        return leave_broken_array(self, message);
    *message =
        (input_message){.text = front(self, extent.length), .line = self->line, .is_whole = true};
    pass(self, extent.length);
    self->behind_element = true;
    return true;
}

/* --- looks over many lines --- */

/* Lines that are worth to be proven at once, if the one at the front can be. */
static text stretch(text t)
{
    const char *end;

    if (t.length <= STRETCH)
        return t;
    end = memchr(t.bytes, '\n', t.length);
    if (end == NULL || end < t.bytes + STRETCH)
        return (text){t.bytes, STRETCH};
    return text_between(t.bytes, end + 1);
}

/* Where a look may go to: no message begins behind it. */
static size_t end_of_look(const input_file *self)
{
    size_t size;

    return byte_window_size(self->window, &size) && size < self->end ? size : self->end;
}

/* The next bytes; without a view at least a line of them, as far as there is room. */
static text look(input_file *self)
{
    if (self->position < self->end && !byte_window_has_view(self->window) &&
        !begins_large_array(self))
        line_length(self, SIZE_MAX);
    return byte_window_look(self->window, end_of_look(self));
}

/* Up to the line of a place that was found among proven ones, or all of these. */
static line_run run_before(text t, size_t found, line_run proven)
{
    size_t begin;

    if (found == proven.length)
        return proven;
    begin = line_scan_begin(t, found);
    return (line_run){begin, line_scan_ends((text){t.bytes, begin})};
}

/*
 * Proves lines, and passes over them up to one that is looked for. False when there is nothing
 * more to pass: that one is at the front, or one that cannot be proven, or what was seen is gone.
 */
static bool pass_proven(input_file *self, input_file_finder *find, void *arg)
{
    text t = look(self);
    bool is_known = self->proven.length <= t.length;
    line_run proven = is_known ? self->proven : (line_run){0}, passed;
    size_t found = t.length > 0 ? find(arg, stretch(t), &proven) : 0;

    passed = run_before(t, found, proven);
    self->proven = (line_run){0};
    if (!byte_window_end_look(self->window))
        return false;
    self->proven = proven;
    pass_lines(self, passed);
    return proven.length > 0 && found == proven.length;
}

/* `find` is asked of whole lines: in one of several it could take a part for the whole. */
static bool is_passed_over(const input_message *element, input_file_finder *find, void *arg)
{
    line_run whole = {.length = element->text.length};

    return line_scan_ends(element->text) == 0 && find(arg, element->text, &whole) == whole.length;
}

/* --- messages --- */

bool input_file_next_found(input_file *self, input_file_finder *find, void *arg,
                           input_message *message)
{
    skip_rest_of_line(self);
    do {
        while (self->array_line == 0 && pass_proven(self, find, arg))
            ;
        if (!input_file_next(self, message))
            return false;
    } while (self->array_line != 0 && is_passed_over(message, find, arg));
    return true;
}

static void read_line_or_document(input_file *self, input_message *message)
{
    size_t length;

    message->line = self->line;
    message->is_row = false;
    message->trouble = NULL;
    length = message_length(self, &message->is_whole);
    message->text = without_return(front(self, length));
    pass(self, length);
}

bool input_file_next(input_file *self, input_message *message)
{
    skip_rest_of_line(self);
    for (;;) {
        if (self->array_line != 0 && next_element(self, message))
            return true;
        if (!skip_blanks(self))
            return false;
        if (!begins_large_array(self))
            break;
        enter_array(self);
    }
    read_line_or_document(self, message);
    return true;
}

const char *input_file_trouble(const input_file *self, size_t *line)
{
    *line = self->line;
    return byte_window_trouble(self->window);
}

text input_file_beginning(input_file *self)
{
    if (!skip_blanks(self))
        return (text)TEXT("");
    return without_return(front(self, line_length(self, LONGEST_BEGINNING)));
}

/* Where the lines end, or t.length. */
static size_t end_of_lines(text t, size_t lines)
{
    const char *end = t.bytes;

    while (lines-- > 0) {
        end = memchr(end, '\n', (size_t)(t.bytes + t.length - end));
        if (end == NULL)
            return t.length;
        end++;
    }
    return (size_t)(end - t.bytes);
}

text input_file_peek(input_file *self, size_t lines)
{
    size_t length;
    text t;

    do {
        t = byte_window_text(self->window);
        t = text_from(t, line_scan_blanks(t));
        length = end_of_lines(t, lines);
    } while (length == t.length && length < LONGEST_BEGINNING && byte_window_grow(self->window));
    return (text){t.bytes, length < LONGEST_BEGINNING ? length : LONGEST_BEGINNING};
}

bool input_file_rest(input_file *self, text *rest)
{
    while (byte_window_grow(self->window))
        ;
    *rest = byte_window_text(self->window);
    return !byte_window_is_full(self->window) && byte_window_trouble(self->window) == NULL;
}

bool input_file_next_piece(input_file *self, text *piece, size_t *line)
{
    if (byte_window_text(self->window).length == 0 && !byte_window_grow(self->window))
        return false;
    *line = self->line;
    *piece = byte_window_text(self->window);
    pass(self, piece->length);
    return true;
}
