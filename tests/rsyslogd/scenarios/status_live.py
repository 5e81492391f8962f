"""`synctap status` beside a running daemon, and after its end.

Green while it runs; red when it was killed, stopped, or cannot write its
database; yellow when an action got another name. What it says of a database
alone is in tests/cli.
"""

import json
import os
import unittest

import ticks
from harness import Daemon, as_text
from records import (BOTH_MODULES, MODULE, ROLE, ROLE_KEEPER, identity,
                     mmsynctap, target, text)
from ticks import MINUTE

SYNC = target("Sync_HOST1_0123456789ab@contoso.onmicrosoft.com")
NAMES = ("ok", "warning", "broken")


class Status(unittest.TestCase):
    """One daemon, and synctap beside it."""

    def _running(self):
        daemon = Daemon(mmsynctap('ruleset="alerts"'), MODULE)
        self._load(daemon)
        return daemon

    def _load(self, daemon):
        path = daemon.write("roles.json", json.dumps({
            "TimeGenerated": ticks.render(ticks.now()), "AccountUPN": "svc@x",
            "AccountObjectId": "id", "AccountDisplayName": "Account",
            "AssignedRoles": [ROLE]}))
        daemon.synctap("identity", "import", "--database",
                       daemon.work.path / "synctap.db", path)

    def _checks(self, daemon, status, later=0):
        """Give the findings by name; a check of several actions is a list."""
        report = json.loads(daemon.synctap(
            "status", "--database", daemon.work.path / "synctap.db", "--limit",
            "free=0,0", "--now", ticks.render(ticks.now() + later), "--format",
            "json", statuses=(0, 1, 2)))
        self.assertEqual(NAMES[status], report["state"], report)
        return {one["check"]: one for one in report["checks"]
                if one["state"] != "ok"}, report

    def _is_heard(self, daemon, name="tap"):
        """Wait until the action has said that it lives."""
        def heard():
            _, report = self._any(daemon)
            return any(one["name"] == name and one["heard_at"]
                       and not one["stopped_at"]
                       for one in report["actions"])
        daemon.wait_until(heard, f"{name} to say that it lives")

    def _any(self, daemon):
        report = json.loads(daemon.synctap(
            "status", "--database", daemon.work.path / "synctap.db",
            "--format", "json", statuses=(0, 1, 2)))
        return None, report

    def test_green_while_it_runs(self):
        with self._running() as daemon:
            daemon.send([text("one", SYNC)])
            daemon.originals(1)
            daemon.alerts(1)
            self._is_heard(daemon)
            bad, report = self._checks(daemon, 0)
            self.assertEqual({}, bad)
            one, = report["actions"]
            self.assertEqual(daemon.pid, one["process"])

    def test_green_as_soon_as_another_database_is_in_its_place(self):
        with self._running() as daemon:
            self._is_heard(daemon)
            path = daemon.work.path / "synctap.db"
            roles = daemon.write("other.jsonl", as_text(identity("svc@x")))
            other = path.with_name("other.db")
            daemon.synctap("identity", "import", "--database", other, roles)
            other.chmod(0o666)
            other.rename(path)
            self._is_heard(daemon)

    def test_the_role_lists_messages_show(self):
        """Something else in its place is told; its own makes it well."""
        with Daemon(mmsynctap('ruleset="alerts"'), BOTH_MODULES,
                    roles=ROLE_KEEPER) as daemon:
            daemon.send(["no role list"], to="roles")
            daemon.wait_statistics("roles", messages=1, rejected=1)
            self._is_heard(daemon)
            bad, _ = self._checks(daemon, 2)
            self.assertIn("got 1 message without a role list",
                          bad["role feed"]["words"])
            daemon.send([as_text(identity("svc@x"))], to="roles")
            daemon.wait_statistics("roles", messages=2, rows=1)
            _, report = self._any(daemon)
            feed, = report["feeds"]
            self.assertEqual(("roles", 0), (feed["name"],
                                            feed["rejected_since"]))
            words, = [one["words"] for one in report["checks"]
                      if one["check"] == "role feed"]
            self.assertRegex(words, r'"roles" took the last message .* ago\Z')

    def test_red_after_a_kill(self):
        with self._running() as daemon:
            self._is_heard(daemon)
            daemon.kill()
            bad, _ = self._checks(daemon, 2, later=10 * MINUTE)
            self.assertIn("rsyslogd is down", bad["daemon"]["words"])

    def test_red_after_a_stop_with_what_it_did_last(self):
        daemon = self._running()
        with daemon:
            self._is_heard(daemon)
            daemon.send([text("one", SYNC)])
            daemon.originals(1)
            daemon.alerts(1)
            daemon.end()
            bad, report = self._checks(daemon, 2)
            self.assertIn("was stopped", bad["daemon"]["words"])
            one, = report["actions"]
            self.assertIsNotNone(one["last_candidate_at"])

    def test_yellow_when_an_action_has_another_name(self):
        with self._running() as daemon:
            self._is_heard(daemon)
            daemon.end()
            daemon._configuration = daemon._configuration.replace(
                'name="tap"', 'name="renamed"')
            daemon.start()
            self._is_heard(daemon, "renamed")
            bad, _ = self._checks(daemon, 1)
            self.assertEqual(["actions"], list(bad))
            self.assertIn('"tap" is in no configuration',
                          bad["actions"]["words"])

    @unittest.skipIf(os.geteuid() != 0, "no right to give a file away")
    def test_red_when_it_cannot_write_its_database(self):
        with self._running() as daemon:
            self._is_heard(daemon)
            path = daemon.work.path / "synctap.db"
            found = path.stat()
            os.chown(path, 0, 0)
            path.chmod(0o644)  # so that the test can read it
            try:
                bad, _ = self._checks(daemon, 2)
            finally:
                os.chown(path, found.st_uid, found.st_gid)
                path.chmod(0o640)
            self.assertIn("cannot write it: chown it to",
                          bad["rights"]["words"])


if __name__ == "__main__":
    unittest.main()
