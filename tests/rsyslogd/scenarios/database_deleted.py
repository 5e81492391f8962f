"""The database is deleted while the daemon runs, and comes back as it was.

Somebody removes the file and what SQLite has beside it. Messages flow, names
and known roles match all the same. The daemon writes the database anew from
what it has still open: the role list, the records that wait, the alerts that
went out. A role that is loaded into the new one makes the waiting records
alert; a row from before is a duplicate, also for a daemon that starts then.
The loss is counted and told in one line.
"""

import unittest

from troubled import KNOWN, LATE, SYNC, Troubled


class DatabaseDeleted(unittest.TestCase):
    """A database in use has three files, and SQLite holds them open."""

    def test_it_is_written_anew(self):
        with Troubled() as daemon:
            self._delete(daemon)
            daemon.detection_goes_on("during")
            daemon.wait_for_file()
            self.assertIn(KNOWN, daemon.role_list())
            daemon.wait_for_error()
            self.assertEqual(1, len(daemon.said("mmsynctap", "deleted")))

            daemon.pass_by("waits since")
            daemon.import_role(LATE)
            daemon.late_alerts("waits", "waits since")
            self._another_life(daemon)

    def test_a_role_row_arrives_first(self):
        with Troubled() as daemon:
            self._delete(daemon)
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            daemon.wait_statistics("tap", sync_accounts=2)
            self.assertEqual({KNOWN, LATE}, daemon.role_list())
            daemon.detection_goes_on("during")
            self._another_life(daemon)

    def test_its_directory_goes_with_it(self):
        """Each try fails, and is counted; the loss is told once."""
        daemon = Troubled(directory="@WORK@/state")
        state = daemon.work.path / "state"
        daemon.work.make(state)
        with daemon:
            daemon.alert("before", SYNC)
            daemon.pass_by("waits")
            daemon.wait_statistics("tap", pending=1)
            state.rename(state.with_name("away"))
            daemon.wait_until(
                lambda: daemon.statistics("tap")["state_errors"] > 3,
                "some tries")
            daemon.detection_goes_on("during")
            daemon.work.make(state)
            daemon.wait_for_file()
            self.assertIn(KNOWN, daemon.role_list())
            self.assertEqual(1, len(daemon.said("mmsynctap", "deleted")))
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            self.assertEqual([], daemon.said("is lost"))
            self._another_life(daemon)

    def _delete(self, daemon):
        daemon.alert("before", SYNC)
        daemon.pass_by("waits")
        daemon.wait_statistics("tap", pending=1)
        for suffix in ("", "-wal", "-shm"):
            daemon.database.with_name(
                daemon.database.name + suffix).unlink(missing_ok=True)

    def _another_life(self, daemon):
        daemon.end()
        daemon.start()
        daemon.wait_statistics("tap", sync_accounts=2)
        daemon.repeat("before", SYNC)
        daemon.repeat("during, by name", SYNC)
        daemon.detection_goes_on("then")


if __name__ == "__main__":
    unittest.main()
