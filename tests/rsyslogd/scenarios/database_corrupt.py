"""Garbage is written into the database while the daemon runs.

Once it is in the file's header, once in all pages behind the first, once over
everything. Messages flow, names and known roles match. The daemon moves the
file aside, as <database>.damaged-<time>, and goes on with a fresh one, into
which it has carried what it still knows: the role list, what can be read of
the records that wait and of the alerts that went out. It counts the fault,
tells it in one line, and needs no restart; one that follows finds it all.
"""

import os
import unittest

from troubled import KNOWN, LATE, SYNC, Troubled, another_program

GARBAGE = b"\xde\xad" * 2048
PAGE = len(GARBAGE)


class DatabaseCorrupt(unittest.TestCase):
    """What stands in the file is what counts: nothing is left beside it."""

    def test_the_header(self):
        with Troubled() as daemon:
            self._prepare(daemon)
            self._write_garbage(daemon, 0, 1)
            self._live_on(daemon)

    def test_all_behind_the_header(self):
        with Troubled() as daemon:
            self._prepare(daemon)
            self._write_garbage(daemon, 1, None)
            self._live_on(daemon)

    def test_everything_at_a_start(self):
        with Troubled() as daemon:
            self._prepare(daemon)
            daemon.end()
            self._write_garbage(daemon, 0, None)
            daemon.start()
            daemon.alert("by name", SYNC)
            daemon.wait_for_damaged_file()
            daemon.import_role(KNOWN)
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.detection_goes_on("then")

    def _prepare(self, daemon):
        """Bring the database to where everything lies in its file."""
        daemon.alert("before", SYNC)
        daemon.pass_by("waits")
        daemon.wait_statistics("tap", pending=1)
        with another_program(daemon.database) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _write_garbage(self, daemon, first, last):
        size = daemon.database.stat().st_size
        pages = range(first, size // PAGE if last is None else last)
        file = os.open(daemon.database, os.O_WRONLY)
        for page in pages:
            os.pwrite(file, GARBAGE, page * PAGE)
        os.close(file)

    def _live_on(self, daemon):
        daemon.detection_goes_on("during")
        daemon.pass_by("waits since")
        daemon.wait_for_damaged_file()
        daemon.detection_goes_on("after")
        daemon.wait_for_error()
        self.assertEqual(1, len(daemon.said("mmsynctap", "damaged-")))
        self.assertIn(KNOWN, daemon.role_list())

        daemon.import_role(LATE)
        daemon.late_alerts("waits", "waits since")
        daemon.repeat("before", SYNC)
        daemon.end()
        daemon.start()
        daemon.wait_statistics("tap", sync_accounts=2)
        daemon.repeat("before", SYNC)
        daemon.detection_goes_on("then")


if __name__ == "__main__":
    unittest.main()
