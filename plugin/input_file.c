/* input_file: lines and documents in a byte_window. */
#include "input_file.h"

#include <stdint.h>
#include <stdlib.h>

#include "byte_window.h"
#include "json_extent.h"

enum { LONGEST_BEGINNING = 64 * 1024 }; /* bytes */

static const text BYTE_ORDER_MARK = TEXT("\xEF\xBB\xBF");

struct input_file {
    const char *name;
    byte_window *window;
    size_t line;
    bool inside_line; /* the last message was the first part of a line that is too long */
};

input_file *input_file_open(const char *path, char **error)
{
    input_file *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self == NULL)
        return NULL;
    self->name = strcmp(path, "-") == 0 ? "standard input" : path;
    self->line = 1;
    self->window = byte_window_open(path, error);
    if (self->window != NULL)
        return self;
    free(self);
    return NULL;
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

/* Moves on over `length` bytes, counting lines. */
static void pass(input_file *self, size_t length)
{
    const char *at = byte_window_text(self->window).bytes;
    const char *end = at + length;

    while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        self->line++;
        at++;
    }
    byte_window_pass(self->window, length);
}

static bool begins_with(text t, text beginning)
{
    return t.length >= beginning.length && memcmp(t.bytes, beginning.bytes, beginning.length) == 0;
}

/* How many blanks stand in front; a byte order mark is one, also where files were joined. */
static size_t count_blanks(text t)
{
    size_t length = 0;

    while (length < t.length) {
        if (memchr(" \t\r\n", t.bytes[length], 4) != NULL)
            length++;
        else if (begins_with(text_from(t, length), BYTE_ORDER_MARK))
            length += BYTE_ORDER_MARK.length;
        else
            break;
    }
    return length;
}

/* False at the end. A mark that lies across the window's end is whole before it is judged. */
static bool skip_blanks(input_file *self)
{
    size_t length;

    do {
        pass(self, count_blanks(byte_window_text(self->window)));
        length = byte_window_text(self->window).length;
    } while (length < BYTE_ORDER_MARK.length && byte_window_grow(self->window));
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

static text front(const input_file *self, size_t length)
{
    return (text){byte_window_text(self->window).bytes, length};
}

/* A document that its first line leaves open may go on, or was cut off there. */
static size_t document_or_line(input_file *self, size_t line, bool *is_whole)
{
    json_extent extent = json_extent_new();
    json_extent_state state = json_extent_scan(&extent, front(self, line));

    if (state != EXTENT_OPEN)
        return line;
    do
        state = json_extent_scan(&extent, byte_window_text(self->window));
    while (state == EXTENT_OPEN && byte_window_grow(self->window));
    *is_whole = state == EXTENT_CLOSED;
    return *is_whole ? extent.length : line;
}

static size_t message_length(input_file *self, bool *is_whole)
{
    size_t line = line_length(self, SIZE_MAX);
    char first = byte_window_text(self->window).bytes[0];

    self->inside_line =
        line == byte_window_text(self->window).length && byte_window_is_full(self->window);
    *is_whole = !self->inside_line;
    if (self->inside_line || (first != '{' && first != '['))
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

bool input_file_next(input_file *self, input_message *message)
{
    size_t length;

    skip_rest_of_line(self);
    if (!skip_blanks(self))
        return false;
    message->line = self->line;
    length = message_length(self, &message->is_whole);
    message->text = without_return(front(self, length));
    pass(self, length);
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

bool input_file_next_piece(input_file *self, text *piece, size_t *line)
{
    if (byte_window_text(self->window).length == 0 && !byte_window_grow(self->window))
        return false;
    *line = self->line;
    *piece = byte_window_text(self->window);
    pass(self, piece->length);
    return true;
}
