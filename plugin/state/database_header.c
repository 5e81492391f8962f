/* SPDX-License-Identifier: Apache-2.0 */
/* database_header: read through SQLite; sqlite.org/fileformat.html. */
#include "state/database_header.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum { HEADER_READ = 32 };

static int64_t big_endian(const unsigned char *bytes, size_t length)
{
    int64_t number = 0;

    for (size_t i = 0; i < length; i++)
        number = number << 8 | bytes[i];
    return number;
}

static int64_t size_in_header(const unsigned char *header)
{
    int64_t page = big_endian(header + 16, 2);

    return (page == 1 ? 65536 : page) * big_endian(header + 28, 4);
}

/*
 * It became shorter, and shorter than it says. A checkpoint writes the first page before all
 * others, and shortens the file at its end: so one that is under way, or was killed, is no damage.
 */
static bool is_cut(sqlite3_file *file, const unsigned char *header, int64_t *size)
{
    int64_t before = *size;
    sqlite3_int64 now;

    *size = file->pMethods->xFileSize(file, &now) == SQLITE_OK ? now : 0;
    return *size < before && *size < size_in_header(header);
}

/* NULL: nothing. What cannot be read is met by the next statement. */
static const char *damage_of(sqlite3_file *file, int64_t *size)
{
    static const char magic[16] = "SQLite format 3"; /* with its NUL */
    unsigned char header[HEADER_READ];
    int code = file->pMethods->xRead(file, header, sizeof(header), 0);

    if (code == SQLITE_IOERR_SHORT_READ)
        return "the file was cut";
    if (code != SQLITE_OK)
        return NULL;
    if (memcmp(header, magic, sizeof(magic)) != 0)
        return "the file's header is damaged";
    return is_cut(file, header, size) ? "the file was cut" : NULL;
}

/* The file is read through SQLite's own descriptor: closing another one would take its locks. */
const char *database_header_damage(sqlite3 *connection, int64_t *size)
{
    sqlite3_file *file = NULL;

    if (sqlite3_file_control(connection, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods == NULL)
        return NULL; /* it is in memory */
    return damage_of(file, size);
}
