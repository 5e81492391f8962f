"""Another program locks the database; nothing waits and nothing is lost.

While the lock is held, messages flow, names and known roles match, a row that
alerted before is told as a duplicate, and records that match nothing yet go
by untouched. A role row that arrives is kept by omidentityinfo until the lock
is gone; then the records of that account alert late. The lock is counted in
state_errors and told in the log, once. HUP and a start meanwhile do not wait
for it either. A program that only reads for long disturbs nothing.

The lock lasts 4 seconds; SYNCTAP_LOCK_SECONDS=30 makes it longer.
"""

import os
import re
import time
import unittest

from harness import Daemon, as_text, listen
from records import identity, mmsynctap
from samples import placed
from troubled import (KNOWN, LATE, MODULES, SYNC, Troubled,
                      another_program)

SECONDS = float(os.environ.get("SYNCTAP_LOCK_SECONDS", "4"))


class DatabaseLocked(unittest.TestCase):
    """The other program is this test."""

    def test_a_lock_for_writing(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            daemon.pass_by("waits from before")
            daemon.wait_statistics("tap", pending=1)
            with another_program(daemon.database) as other:
                other.execute("BEGIN EXCLUSIVE")
                self._live_with_lock(daemon)
                other.execute("ROLLBACK")
            daemon.late_alerts("waits from before", "waits", "waits too")
            daemon.repeat("during 0, by name", SYNC)
            daemon.wait_statistics("tap", sync_accounts=2, late_alerts=3)
            daemon.wait_statistics("roles", rows=2)
            self.assertEqual(1, len(daemon.said("mmsynctap", "locked")))

    def _live_with_lock(self, daemon):
        until = time.monotonic() + SECONDS
        daemon.detection_goes_on("during 0")
        daemon.repeat("before", SYNC)
        daemon.pass_by("waits")
        daemon.give_role(LATE)
        daemon.pass_by("waits too")
        number = 0
        while time.monotonic() < until:
            number += 1
            daemon.detection_goes_on(f"during {number}")
            daemon.counters("tap")
            daemon.hup()
        daemon.wait_for_error()

    def test_a_start_meanwhile(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            daemon.end()
            with another_program(daemon.database) as other:
                other.execute("BEGIN EXCLUSIVE")
                daemon.start()
                daemon.alert("by name", SYNC)
                daemon.pass_by("waits")
                daemon.give_role(LATE)
                other.execute("ROLLBACK")
            daemon.late_alerts("waits")
            daemon.wait_statistics("tap", sync_accounts=2)
            daemon.repeat("before", SYNC)

    def test_a_stop_keeps_the_role_row_that_waits(self):
        """The ruleset of the sample has it again at the next start."""
        ruleset = re.search(r'(?ms)^ruleset\(name="entra-identity".*?^}',
                            placed("synctap.conf"))[0]
        with Daemon(mmsynctap('ruleset="alerts"'), "\n".join(
                (MODULES, ruleset, listen("entra-identity")))) as daemon:
            daemon.send([as_text(identity(KNOWN))], to="entra-identity")
            daemon.wait_statistics("tap", sync_accounts=1)
            with another_program(daemon.work.path / "synctap.db") as other:
                other.execute("BEGIN EXCLUSIVE")
                daemon.send([as_text(identity(LATE))], to="entra-identity")
                daemon.internal("suspended (module", "omidentityinfo")
                daemon.end()
                other.execute("ROLLBACK")
            daemon.start()
            daemon.wait_statistics("tap", sync_accounts=2)

    def test_a_long_reading(self):
        with Troubled() as daemon, another_program(daemon.database) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM identity").fetchone()
            daemon.pass_by("waits")
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            other.execute("COMMIT")
            self.assertEqual(0, daemon.counters("tap")["state_errors"])


if __name__ == "__main__":
    unittest.main()
