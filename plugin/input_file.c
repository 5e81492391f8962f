/* input_file: the whole content in memory, mapped where the file can be. */
#include "input_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "buffer.h"
#include "json.h"

struct input_file {
    const char *name;
    text content;
    size_t mapped; /* bytes, when the content is a mapping */
    buffer read;   /* the content, when it could not be mapped */
    json_parser *parser;
    size_t at;
    size_t line;
};

static bool map(input_file *self, int file)
{
    struct stat found;
    void *bytes;

    if (fstat(file, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size == 0)
        return false;
    bytes = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED)
        return false;
    self->mapped = (size_t)found.st_size;
    self->content = (text){bytes, self->mapped};
    return true;
}

static bool read_all(input_file *self, int file)
{
    char piece[64 * 1024];
    ssize_t got;

    while ((got = read(file, piece, sizeof(piece))) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        buffer_append(&self->read, (text){piece, (size_t)got});
    }
    errno = ENOMEM;
    self->content = buffer_text(&self->read);
    return !buffer_failed(&self->read);
}

static bool read_content(input_file *self, const char *path, char **error)
{
    bool standard = strcmp(path, "-") == 0;
    int file = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    bool got = file >= 0 && (map(self, file) || read_all(self, file));

    if (!got)
        *error = strdup(strerror(errno));
    if (!standard && file >= 0)
        close(file);
    return got;
}

static void skip_byte_order_mark(input_file *self)
{
    if (self->content.length >= 3 && memcmp(self->content.bytes, "\xEF\xBB\xBF", 3) == 0)
        self->at = 3;
}

input_file *input_file_open(const char *path, char **error)
{
    input_file *self = calloc(1, sizeof(*self));

    *error = NULL;
    if (self == NULL)
        return NULL;
    self->name = strcmp(path, "-") == 0 ? "standard input" : path;
    self->line = 1;
    self->parser = json_parser_new(JSON_MOST_DEPTH);
    if (self->parser != NULL && read_content(self, path, error)) {
        skip_byte_order_mark(self);
        return self;
    }
    input_file_close(self);
    return NULL;
}

void input_file_close(input_file *self)
{
    if (self == NULL)
        return;
    if (self->mapped > 0)
        munmap((void *)self->content.bytes, self->mapped);
    buffer_free(&self->read);
    json_parser_free(self->parser);
    free(self);
}

const char *input_file_name(const input_file *self)
{
    return self->name;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Moves on over `length` bytes, counting lines. */
static void pass(input_file *self, size_t length)
{
    const char *at = self->content.bytes + self->at;
    const char *end = at + length;

    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        self->line++;
        at++;
    }
    self->at += length;
}

static void skip_blanks(input_file *self)
{
    size_t length = 0;

    while (self->at + length < self->content.length &&
           is_blank(self->content.bytes[self->at + length]))
        length++;
    pass(self, length);
}

static text rest_of_line(text t)
{
    const char *end = memchr(t.bytes, '\n', t.length);

    if (end != NULL)
        t.length = (size_t)(end - t.bytes);
    while (t.length > 0 && t.bytes[t.length - 1] == '\r')
        t.length--;
    return t;
}

/* A document that its first line does not close may go on, or be broken: the parser tells. */
static text document_or_line(input_file *self, text rest, text line, bool *is_whole)
{
    json *root;
    size_t taken;

    *is_whole = true;
    if ((rest.bytes[0] != '{' && rest.bytes[0] != '[') || json_document_length(line) > 0)
        return line;
    if (json_parse(self->parser, rest, &root, &taken) == NULL) {
        json_free(root);
        return (text){rest.bytes, taken};
    }
    *is_whole = false;
    return line;
}

bool input_file_next(input_file *self, input_message *message)
{
    text rest;

    skip_blanks(self);
    if (self->at == self->content.length)
        return false;
    rest = text_from(self->content, self->at);
    message->line = self->line;
    message->text = document_or_line(self, rest, rest_of_line(rest), &message->is_whole);
    pass(self, message->text.length);
    return true;
}
