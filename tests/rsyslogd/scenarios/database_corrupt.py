"""Garbage is written into the database while the daemon runs, or before.

Once it stands where records wait, once where the role list is, once in the
header, so that nothing can be read. Messages flow, names and known roles
match. Whoever meets the damage, mmsynctap or omidentityinfo, moves the file
aside, as <database>.damaged-<time>, and goes on with a fresh one into which
it has carried what can be read of the other. It counts the fault, tells it in
one line, and needs no restart; a daemon that starts then finds what was
carried over. What the running one knows, it knows all the same.

A file that is no database at all when the daemon starts is left alone: it may
be another program's. The daemon goes on without, until it is gone.
"""

import os
import unittest

from troubled import KNOWN, LATE, SYNC, Troubled, another_program

PAGE = 4096
GARBAGE = b"\xde\xad" * (PAGE // 2)
HEADER = [1]


class DatabaseCorrupt(unittest.TestCase):
    """What stands in the file is what counts: nothing is left beside it."""

    def _prepare(self, daemon):
        """Bring the database to where everything lies in its file."""
        daemon.alert("before", SYNC)
        daemon.pass_by("waits")
        daemon.wait_statistics("tap", pending=1)
        with another_program(daemon.database) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _pages(self, daemon, table):
        """Give the pages of a small table and its indexes."""
        with another_program(daemon.database) as other:
            return [page for page, in other.execute(
                "SELECT rootpage FROM sqlite_schema WHERE tbl_name = ?"
                " AND rootpage > 0", [table])]

    def _write_garbage(self, daemon, pages):
        file = os.open(daemon.database, os.O_WRONLY)
        for page in pages:
            os.pwrite(file, GARBAGE, (page - 1) * PAGE)
        os.close(file)

    def _damage(self, daemon, table):
        self._prepare(daemon)
        self._write_garbage(daemon, self._pages(daemon, table))

    def _see_rescue(self, daemon):
        daemon.wait_for_damaged_file()
        daemon.internal("damaged-")
        daemon.detection_goes_on("after")
        daemon.repeat("before", SYNC)
        self.assertEqual(1, len(daemon.said("damaged-")))

    def _another_life(self, daemon):
        daemon.end()
        daemon.start()
        daemon.wait_statistics("tap", sync_accounts=2)
        daemon.repeat("before", SYNC)
        daemon.detection_goes_on("then")

    def test_where_records_wait(self):
        with Troubled() as daemon:
            self._damage(daemon, "pending")
            daemon.pass_by("waits since")
            self._see_rescue(daemon)
            daemon.wait_for_error()
            self.assertEqual({KNOWN}, daemon.role_list())
            daemon.import_role(LATE)
            daemon.late_alerts("waits since")
            self._another_life(daemon)

    def test_the_role_list(self):
        with Troubled() as daemon:
            self._damage(daemon, "identity")
            daemon.give_role(LATE)
            daemon.wait_for_damaged_file()
            daemon.give_role(KNOWN)
            daemon.late_alerts("waits")
            daemon.wait_statistics("tap", sync_accounts=2)
            self._see_rescue(daemon)
            self._another_life(daemon)

    def test_the_header(self):
        with Troubled() as daemon:
            self._prepare(daemon)
            self._write_garbage(daemon, HEADER)
            daemon.detection_goes_on("during")
            daemon.pass_by("waits since")
            self._see_rescue(daemon)
            daemon.wait_for_error()
            daemon.import_role(LATE)
            daemon.late_alerts("waits since")

    def test_where_records_wait_before_the_start(self):
        with Troubled() as daemon:
            self._prepare(daemon)
            daemon.end()
            self._damage_at_rest(daemon, "pending")
            daemon.start()
            daemon.pass_by("waits since")
            self._see_rescue(daemon)
            daemon.import_role(LATE)
            daemon.late_alerts("waits since")
            self._another_life(daemon)

    def _damage_at_rest(self, daemon, table):
        self._write_garbage(daemon, self._pages(daemon, table))
        for suffix in ("-wal", "-shm"):
            daemon.database.with_name(
                daemon.database.name + suffix).unlink(missing_ok=True)

    def test_no_database_before_the_start(self):
        with Troubled() as daemon:
            daemon.end()
            self._write_garbage(daemon, HEADER)
            daemon.start()
            daemon.alert("by name", SYNC)
            daemon.pass_by("waits")
            daemon.wait_for_error()
            self.assertEqual(1, len(daemon.said("mmsynctap",
                                                "not a database")))
            daemon.database.unlink()
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            daemon.repeat("by name", SYNC)


if __name__ == "__main__":
    unittest.main()
