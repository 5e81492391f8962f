"""`synctap selftest` through a running daemon.

Its record comes by TCP and by a file, its alert is waited for in the file of
alerts and in the database. It opens no incident and is told apart; a real
record beside it alerts as ever.
"""

import json
import unittest

from harness import Daemon
from records import MODULE, mmsynctap, target, text
from workplace import stage, whole_lines

SYNC = target("Sync_HOST1_0123456789ab@contoso.onmicrosoft.com")
TO_FILE = """
template(name="alert" type="string" string="%msg%\\n")
ruleset(name="copies" queue.type="LinkedList") {
  action(type="omfile" file="@WORK@/alerts.jsonl" template="alert")
}
"""


def running():
    """Make a daemon that writes its alerts into a file."""
    return Daemon(mmsynctap('ruleset="copies"'), MODULE + TO_FILE)


class Selftest(unittest.TestCase):
    """One daemon, and synctap beside it."""

    def _selftest(self, daemon, where, *options, **how):
        port = (daemon.work.path / "incoming.port").read_text().strip()
        output = daemon.synctap(
            "selftest", "--send", f"127.0.0.1:{port}", "--wait",
            daemon.work.path / where, *options, **how)
        daemon.originals(1)
        return output

    def test_its_alert_comes_to_the_file_and_to_the_database(self):
        with running() as daemon:
            for where in ("alerts.jsonl", "synctap.db"):
                self.assertRegex(self._selftest(daemon, where), r"\A\d+ ms\n")
            alerts = [json.loads(line) for line in whole_lines(
                daemon.work.path / "alerts.jsonl")]
        self.assertEqual([(True, None)] * 2, [
            (one["selftest"], one["incident"]) for one in alerts])

    def test_it_opens_no_incident_and_hides_none(self):
        with running() as daemon:
            self._selftest(daemon, "synctap.db")
            daemon.send([text("one", SYNC)])
            daemon.originals(1)
            self._selftest(daemon, "synctap.db")
            found = [json.loads(line) for line in daemon.synctap(
                "incident", "list", "--database",
                daemon.work.path / "synctap.db", "--format",
                "jsonl").splitlines()]
        self.assertEqual([1], [one["alert_count"] for one in found])

    def test_an_action_with_a_rule_file_is_tried_by_its_rule(self):
        rule = (stage() / "share/synctap/rules/"
                "password-reset-on-sync-account.yaml")
        with Daemon(mmsynctap(f'ruleset="copies" rule="{rule}"'),
                    MODULE + TO_FILE) as daemon:
            self._selftest(daemon, "alerts.jsonl", "--rule", rule)
            self._selftest(daemon, "alerts.jsonl", "--timeout", "100ms",
                           statuses=(2,))
            one, = whole_lines(daemon.work.path / "alerts.jsonl")
        alert = json.loads(one)
        self.assertEqual((True, "Reset user password"),
                         (alert["selftest"], alert["operation_name"]))

    def test_it_is_told_when_the_alert_does_not_come(self):
        with Daemon(mmsynctap('ruleset="copies" operations="Ours"'),
                    MODULE + TO_FILE) as daemon:
            self._selftest(daemon, "alerts.jsonl", "--timeout", "1s",
                           statuses=(2,))
