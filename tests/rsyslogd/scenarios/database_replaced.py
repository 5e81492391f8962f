"""The database's file goes, or another comes in its place, under the daemon.

The log beside the file, which SQLite keeps, belongs to the file that is gone:
it must not come into the other one. Somebody removes the file alone and loads
a role by the command line at once: that waits for the daemon, which has all of
it open, so that nothing is lost. Somebody removes the log alone: who has it
open writes what was in it into the file. Somebody moves another database to its name:
that one is taken, the line says so, and the command line sees the same.
"""

import json
import sqlite3
import unittest

from records import identity, target
from troubled import KNOWN, LATE, SYNC, Troubled

OTHER, ANOTHER = "other.aad@nordwind.example", "another.aad@nordwind.example"


def integrity_of(path):
    """Give SQLite's own word on the file."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()


class DatabaseReplaced(unittest.TestCase):
    """What is beside the file stays there."""

    def test_a_role_is_loaded_right_after_the_file_was_removed(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            daemon.pass_by("waits")
            daemon.wait_statistics("tap", pending=1)
            daemon.database.unlink()
            daemon.import_role(LATE)
            self.assertEqual({KNOWN, LATE}, daemon.role_list())
            daemon.late_alerts("waits")
            daemon.wait_statistics("tap", sync_accounts=2)
            daemon.detection_goes_on("after")
            daemon.wait_for_error()
            daemon.repeat("before", SYNC)
            self.assertEqual([("ok",)], integrity_of(daemon.database))

    def test_a_role_is_loaded_right_after_the_log_was_removed(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            daemon.pass_by("waits")
            daemon.wait_statistics("tap", pending=1)
            daemon.database.with_name("synctap.db-wal").unlink()
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            said, = daemon.said("mmsynctap", "-wal, was deleted")
            self.assertIn("is in the database now", said.text)
            self.assertEqual({KNOWN, LATE}, daemon.role_list())
            daemon.detection_goes_on("after")
            daemon.repeat("before", SYNC)
            self.assertEqual([("ok",)], integrity_of(daemon.database))

    def test_another_database_is_moved_there(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            roles = daemon.write("other.jsonl", "\n".join(
                json.dumps(identity(upn)) for upn in (OTHER, ANOTHER)))
            other = daemon.database.with_name("other.db")
            daemon.synctap("identity", "import", "--database", other, roles)
            other.chmod(0o666)
            other.rename(daemon.database)
            self.assertEqual({OTHER, ANOTHER}, daemon.role_list())
            daemon.wait_statistics("tap", sync_accounts=2)
            daemon.alert("by the other's role", target(OTHER))
            said, = daemon.said("mmsynctap", "another file is in the place")
            self.assertIn("rows of its role list: 2)", said.text)
            daemon.give_role(LATE)
            daemon.wait_statistics("tap", sync_accounts=3)
            self.assertEqual({OTHER, ANOTHER, LATE}, daemon.role_list())
            self.assertEqual([("ok",)], integrity_of(daemon.database))


if __name__ == "__main__":
    unittest.main()
