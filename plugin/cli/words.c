/* SPDX-License-Identifier: Apache-2.0 */
/* words: printf into a buffer, and from there what may be shown. */
#include "cli/words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/shown.h"

void words_put(FILE *out, text t)
{
    buffer shown = {0};

    shown_append(&shown, t);
    if (buffer_failed(&shown))
        fputs("(out of memory)", out);
    else if (shown.length > 0)
        fwrite(shown.bytes, 1, shown.length, out);
    buffer_free(&shown);
}

bool words_may_colour(FILE *out)
{
    const char *refused = getenv("NO_COLOR"), *terminal = getenv("TERM");

    return (refused == NULL || refused[0] == '\0') && terminal != NULL &&
           strcmp(terminal, "dumb") != 0 && isatty(fileno(out));
}

/* A line begins with the name of what it is about; one that is empty is shown by its quotes. */
static void put_line(text line)
{
    if (line.length > 0 && line.bytes[0] == ':')
        fputs("\"\"", stderr);
    words_put(stderr, line);
}

void words_say(const char *format, ...)
{
    char *said = NULL;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&said, format, arguments);
    va_end(arguments);
    flockfile(stderr);
    fputs("synctap: ", stderr);
    put_line(length < 0 ? (text)TEXT("out of memory") : text_of(said));
    fputc('\n', stderr);
    funlockfile(stderr);
    if (length >= 0)
        free(said);
}

/* Who closed standard output before the start wants none, and none is missing if none was given. */
bool words_end_output(void)
{
    bool failed = ferror(stdout) != 0;

    errno = 0;
    failed |= fflush(stdout) != 0;
    if (fclose(stdout) != 0 && errno != EBADF)
        failed = true;
    if (failed)
        words_say("standard output cannot be written%s%s", errno ? ": " : "",
                  errno ? strerror(errno) : "");
    return !failed;
}
