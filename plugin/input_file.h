/*
 * input_file: a file of records, message by message.
 *
 * A message is a line (JSON lines, syslog lines) or a JSON document that goes
 * on over several lines; which of them is told by the content, so a file may
 * mix them. One thread.
 */
#ifndef SYNCTAP_INPUT_FILE_H
#define SYNCTAP_INPUT_FILE_H

#include "text.h"

typedef struct input_file input_file;

typedef struct input_message {
    text text;     /* alive until the file is closed */
    size_t line;   /* where it begins, from 1 */
    bool is_whole; /* false: it begins as a JSON document does, and never closes */
} input_message;

/*
 * Opens a file, "-" for standard input. NULL when it cannot be read; then
 * *error (NULL only when memory is out) is the caller's to free.
 */
input_file *input_file_open(const char *path, char **error);
void input_file_close(input_file *self);

/* The name to call it by in messages; the file's own. */
const char *input_file_name(const input_file *self);

/* The next message that is not blank; false at the end. */
bool input_file_next(input_file *self, input_message *message);

#endif
