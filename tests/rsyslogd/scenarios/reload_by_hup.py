"""HUP reopens the database and reads the rulebase again, or changes nothing.

The database file is replaced by another one, as a restore would do it: after
HUP the records are judged by the new role list. Then the rulebase is broken:
HUP says so in one line, and the old one goes on serving.
"""

import json
import unittest

import deadline
from harness import Daemon
from records import HEADER, MODULE, identity, mmsynctap, numbered, target, text
from workplace import stage

UPN = "svc.aad@nordwind.example"
SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")


class Reload(unittest.TestCase):
    """What HUP does beyond rsyslog's own part."""

    def test_another_database_is_opened(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            daemon.send([text("before", target(UPN))])
            self.assertEqual(daemon.originals(1)[0].tree, {})
            path = daemon.write("ids.jsonl", json.dumps(identity(UPN)))
            work = daemon.work.path
            daemon.synctap("identity", "import", "--database",
                           work / "other.db", path)
            for suffix in ("-wal", "-shm"):
                (work / f"synctap.db{suffix}").unlink(missing_ok=True)
            (work / "other.db").replace(work / "synctap.db")
            daemon.hup()
            daemon.until_tagged(numbered(target(UPN)), deadline.SECONDS)

    def test_a_broken_rulebase_leaves_the_old_one(self):
        good = (stage() / "share" / "synctap"
                / "entra-audit.rulebase").read_bytes()
        daemon = Daemon(mmsynctap('rulebase="@WORK@/my.rulebase"'), MODULE)
        daemon.write("my.rulebase", good)
        with daemon:
            daemon.send([HEADER + text("before", SYNC)])
            self.assertIn("synctap", daemon.originals(1)[0].tree)
            (daemon.work.path / "my.rulebase").unlink()
            daemon.hup()
            daemon.internal("my.rulebase")
            daemon.send([HEADER + text("after", SYNC)])
            self.assertIn("synctap", daemon.originals(1)[0].tree)
            self.assertEqual(1, len(daemon.said("my.rulebase")))
