"""What a daemon opens it closes: after many HUPs, after other databases.

As many file descriptors are open after 300 HUPs as before the first, and as
many after the database was replaced by another file again and again: 25 times,
as each takes the watcher a moment. SYNCTAP_HUPS=1000 and SYNCTAP_REPLACED=100
make more.

Another action starts a program for each message (omprog, whose program ends
at once). What is forked has the daemon's files for an instant, those of the
journal and their locks, too. All that waits comes into the database all the
same, and no file of the journal is left behind.
"""

import collections
import contextlib
import json
import os
import pathlib
import signal
import unittest

from records import identity, target, text
from troubled import KNOWN, LATE, SYNC, Troubled

HUPS = int(os.environ.get("SYNCTAP_HUPS", "300"))
REPLACED = int(os.environ.get("SYNCTAP_REPLACED", "25"))
FORKS = 400
OMPROG = 'module(load="omprog")\n'
PROGRAM = ('action(type="omprog" binary="/bin/true" '
           'action.resumeRetryCount="0")\n')


class Descriptors(unittest.TestCase):
    """Counted where the kernel lists them."""

    def opened(self, daemon):
        """Count the daemon's open files by name; sockets are one kind."""
        files = pathlib.Path(f"/proc/{daemon.pid}/fd")
        found = collections.Counter()
        for file in files.iterdir():
            with contextlib.suppress(FileNotFoundError):  # closed meanwhile
                found[os.readlink(file).partition(":[")[0]] += 1
        return found

    def settle(self, daemon, before):
        """Wait until as many are open as before; the statistics beat."""
        def words():
            now = self.opened(daemon)
            return (f"the open files of before, {sum(before.values())}; more now: "
                    f"{dict(now - before)}, fewer: {dict(before - now)}")

        daemon.wait_until(lambda: self.opened(daemon) == before, words)

    def hup(self, daemon):
        """Send HUP until it is taken; one that meets another is lost."""
        before = len(daemon.said("HUPed"))
        os.kill(daemon.pid, signal.SIGHUP)
        while not daemon.collector.wait(
                lambda: len(daemon.said("HUPed")) > before, 0.1):
            os.kill(daemon.pid, signal.SIGHUP)

    def test_after_hups(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            daemon.hup()
            daemon.counters("tap")
            before = self.opened(daemon)
            for _ in range(HUPS):
                self.hup(daemon)
            self.settle(daemon, before)
            daemon.detection_goes_on("after")

    def test_after_replaced_databases(self):
        with Troubled() as daemon:
            daemon.alert("before", SYNC)
            roles = daemon.write("known.jsonl", json.dumps(identity(KNOWN)))
            fresh = daemon.database.with_name("fresh.db")
            daemon.synctap("identity", "import", "--database", fresh, roles)
            before = None
            for number in range(1, REPLACED + 1):
                other = daemon.write("other.db", fresh.read_bytes())
                other.chmod(0o640)
                other.rename(daemon.database)
                daemon.wait_until(
                    lambda: len(daemon.said("another file is in the place"))
                    >= number, f"replacement {number} to be taken")
                if number == 2:
                    before = self.opened(daemon)
            self.settle(daemon, before)
            daemon.detection_goes_on("after")

    def test_what_is_forked_keeps_no_segment(self):
        with Troubled(more="\n" + OMPROG, before_rules=PROGRAM) as daemon:
            daemon.send([text(f"waits {number}", target(LATE))
                         for number in range(FORKS)])
            daemon.originals(FORKS)
            daemon.wait_statistics("tap", pending=FORKS)
            daemon.wait_until(
                lambda: not list(daemon.work.path.glob("*.stream.*")),
                "the journal's files to go")
            daemon.give_role(LATE)
            daemon.late_alerts(*(f"waits {number}"
                                 for number in range(FORKS)))


if __name__ == "__main__":
    unittest.main()
