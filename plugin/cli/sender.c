/* SPDX-License-Identifier: Apache-2.0 */
/* sender: three ways, each of which is opened and written to. */
#include "cli/sender.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"

enum { PATIENCE = 10 }; /* seconds that a far end may take */

static const char APP[] = "synctap-selftest";
static const char PRIORITY[] = "<13>"; /* user.notice */

static char *trouble(const char *target, const char *what)
{
    char *said = NULL;

    return asprintf(&said, "%s: %s", target, what) < 0 ? strdup("out of memory") : said;
}

/* A far end that has gone is an error, no signal. */
static ssize_t write_some(int file, text t)
{
    ssize_t written = send(file, t.bytes, t.length, MSG_NOSIGNAL);

    return written < 0 && errno == ENOTSOCK ? write(file, t.bytes, t.length) : written;
}

static bool write_all(int file, text t)
{
    while (t.length > 0) {
        ssize_t written = write_some(file, t);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        t = text_from(t, (size_t)written);
    }
    return true;
}

/* Writes it, and closes the file. */
static char *put(int file, const char *target, const buffer *line)
{
    bool written;
    int error;

    if (buffer_failed(line)) {
        close(file);
        return trouble(target, "out of memory");
    }
    written = write_all(file, buffer_text(line));
    error = errno;
    if (close(file) != 0 && written) {
        written = false;
        error = errno;
    }
    return written ? NULL : trouble(target, strerror(error));
}

/* --- headers --- */

static void append_rfc5424(buffer *line, const char *host, timestamp now)
{
    char time[TIMESTAMP_TEXT_SIZE];

    timestamp_format(now, time);
    buffer_append_string(line, PRIORITY);
    buffer_append_string(line, "1 ");
    buffer_append(line, (text){time, 26}); /* RFC 5424 has six digits of a second */
    buffer_append_string(line, "Z ");
    buffer_append_string(line, host[0] != '\0' ? host : "-");
    buffer_append_char(line, ' ');
    buffer_append_string(line, APP);
    buffer_append_string(line, " - - - ");
}

/* What a program writes to /dev/log: local time, and no host. */
static void append_local(buffer *line, timestamp now)
{
    time_t seconds = (time_t)(now / TICKS_PER_SECOND);
    struct tm parts;
    char time[32] = "";

    if (localtime_r(&seconds, &parts) != NULL)
        strftime(time, sizeof(time), "%b %e %H:%M:%S ", &parts);
    buffer_append_string(line, PRIORITY);
    buffer_append_string(line, time);
    buffer_append_string(line, APP);
    buffer_append_string(line, ": ");
}

/* --- TCP --- */

/* getaddrinfo takes larger numbers, too, and leaves out their upper bits. */
static bool is_port(const char *word)
{
    size_t digits = strspn(word, "0123456789");

    if (word[digits] != '\0')
        return getservbyname(word, "tcp") != NULL;
    return digits > 0 && strtoul(word, NULL, 10) - 1 < 65535;
}

/* Splits "[ADDRESS]:PORT" or "HOST:PORT", which `room` holds. */
static bool split(char *room, const char **host, const char **port)
{
    char *colon = strrchr(room, ':');

    if (colon == NULL || colon == room || colon[1] == '\0')
        return false;
    *colon = '\0';
    *port = colon + 1;
    *host = room;
    if (room[0] != '[')
        return strchr(room, ':') == NULL;
    if (colon[-1] != ']')
        return false;
    colon[-1] = '\0';
    *host = room + 1;
    return true;
}

static int connect_to(const struct addrinfo *address)
{
    const struct timeval patience = {.tv_sec = PATIENCE};
    int file = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0);

    if (file < 0)
        return -1;
    setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* connect's, too */
    if (connect(file, address->ai_addr, address->ai_addrlen) == 0)
        return file;
    close(file);
    return -1;
}

/* -1: errno says why the last address did not answer. */
static int connect_to_any(const struct addrinfo *addresses)
{
    int file = -1;

    for (; addresses != NULL && file < 0; addresses = addresses->ai_next)
        file = connect_to(addresses);
    return file;
}

static char *connect_by_name(const char *target, int *file)
{
    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    const char *host, *port;
    char *room = strdup(target), *said = NULL;
    int error;

    if (room == NULL)
        return trouble(target, "out of memory");
    if (!split(room, &host, &port)) {
        free(room);
        return trouble(target, "give HOST:PORT, [ADDRESS]:PORT, or a path with a / in it");
    }
    if (!is_port(port)) {
        free(room);
        return trouble(target, "the port is wrong: give a number from 1 to 65535");
    }
    error = getaddrinfo(host, port, &wanted, &addresses);
    if (error != 0)
        said = trouble(target, gai_strerror(error));
    else if ((*file = connect_to_any(addresses)) < 0)
        said = trouble(target, strerror(errno));
    if (error == 0)
        freeaddrinfo(addresses);
    free(room);
    return said;
}

static char *send_by_tcp(const char *target, text record, const char *host, timestamp now)
{
    buffer line = {0};
    int file = -1;
    char *said = connect_by_name(target, &file);

    if (said != NULL)
        return said;
    append_rfc5424(&line, host, now);
    buffer_append(&line, record);
    buffer_append_char(&line, '\n');
    said = put(file, target, &line);
    buffer_free(&line);
    return said;
}

/* --- a socket --- */

static int connect_to_path(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int file;

    if (strlen(path) >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    file = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof(address)) == 0)
        return file;
    type = errno;
    close(file);
    errno = type;
    return -1;
}

static char *send_by_socket(const char *path, text record, timestamp now)
{
    buffer line = {0};
    bool is_stream = false;
    int file = connect_to_path(path, SOCK_DGRAM);
    char *said;

    if (file < 0 && errno == EPROTOTYPE) {
        is_stream = true;
        file = connect_to_path(path, SOCK_STREAM);
    }
    if (file < 0)
        return trouble(path, strerror(errno));
    append_local(&line, now);
    buffer_append(&line, record);
    if (is_stream)
        buffer_append_char(&line, '\n');
    said = put(file, path, &line);
    buffer_free(&line);
    return said;
}

/* --- a file --- */

static char *append_to_file(const char *path, text record)
{
    buffer line = {0};
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
    char *said;

    if (file < 0)
        return trouble(path, strerror(errno));
    buffer_append(&line, record);
    buffer_append_char(&line, '\n');
    said = put(file, path, &line);
    buffer_free(&line);
    return said;
}

char *sender_send(const char *target, text record, const char *host, timestamp now)
{
    struct stat found;

    if (strchr(target, '/') == NULL)
        return send_by_tcp(target, record, host, now);
    if (stat(target, &found) == 0 && S_ISSOCK(found.st_mode))
        return send_by_socket(target, record, now);
    return append_to_file(target, record);
}
