"""There is no memory when a worker begins: rsyslogd must live through it.

rsyslog (8.2302) goes on with a worker whose making failed. So mmsynctap counts
and tells the messages that pass unjudged, omidentityinfo has its batch tried
again, and both work as soon as there is memory, without a restart.
"""

import os
import pathlib
import subprocess
import unittest

from harness import Daemon, as_text
from records import BOTH_MODULES, audit, identity, ids, mmsynctap, target

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "no_memory.c"
SYNC = target("Sync_HOST1_0123456789ab@contoso.onmicrosoft.com")
ROLES = ('action(type="omidentityinfo" name="roles" '
         'database="@WORK@/synctap.db" action.resumeRetryCount="-1" '
         'action.resumeInterval="1")')


class NoMemory(unittest.TestCase):
    """A file says for how long there is none."""

    def setUp(self):
        self.daemon = Daemon(
            mmsynctap('ruleset="alerts"'), BOTH_MODULES, roles=ROLES,
            environment={"LD_PRELOAD": "@WORK@/no_memory.so",
                         "NO_MEMORY": "@WORK@/no-memory"})
        made = self.daemon.write("no_memory.so", b"")
        subprocess.run([*os.environ.get("CC", "cc").split(), "-shared",
                        "-fPIC", "-o", made, SOURCE], check=True)

    def test_a_worker_of_messages(self):
        with self.daemon as daemon:
            none = daemon.write("no-memory", b"")
            daemon.send([as_text(audit("unjudged", SYNC))])
            daemon.originals(1)
            daemon.wait_statistics("tap", undecodable=1)
            daemon.internal("mmsynctap", "passes unjudged: out of memory")
            none.unlink()
            daemon.send([as_text(audit("judged", SYNC))])
            daemon.originals(1)
            self.assertEqual(["judged"], ids(daemon.alerts(1)))

    def test_a_worker_of_role_lists(self):
        with self.daemon as daemon:
            none = daemon.write("no-memory", b"")
            daemon.send([as_text(identity("svc@x"))], to="roles")
            daemon.internal("action 'roles' suspended")
            none.unlink()
            daemon.wait_statistics("tap", sync_accounts=1)


if __name__ == "__main__":
    unittest.main()
