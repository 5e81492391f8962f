/* SPDX-License-Identifier: Apache-2.0 */
/* failing_disk: SQLite's own file system, with another write for the files of databases. */
#include "failing_disk.h"

#include <sqlite3.h>

#include "test.h"

static struct {
    unsigned made, n;
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    const sqlite3_io_methods *real_methods; /* all files of databases have the same */
    sqlite3_io_methods methods;
} disk;

static int write_or_fail(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
    if (++disk.made == disk.n)
        return SQLITE_FULL;
    return disk.real_methods->xWrite(file, bytes, length, offset);
}

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given)
{
    int code = disk.real->xOpen(disk.real, name, file, flags, given);

    (void)vfs;
    if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
        return code;
    disk.real_methods = file->pMethods;
    disk.methods = *file->pMethods;
    disk.methods.xWrite = write_or_fail;
    file->pMethods = &disk.methods;
    return SQLITE_OK;
}

void fail_disk_write(unsigned n)
{
    if (disk.real == NULL)
        disk.real = sqlite3_vfs_find(NULL);
    REQUIRE(disk.real != NULL);
    disk.vfs = *disk.real;
    disk.vfs.zName = "failing_disk";
    disk.vfs.xOpen = open_file;
    disk.made = 0;
    disk.n = n;
    sqlite3_vfs_register(&disk.vfs, 1);
}

bool fail_no_disk_write(void)
{
    bool has_failed = disk.made >= disk.n;

    sqlite3_vfs_unregister(&disk.vfs);
    sqlite3_vfs_register(disk.real, 1);
    disk.n = 0;
    return has_failed;
}
