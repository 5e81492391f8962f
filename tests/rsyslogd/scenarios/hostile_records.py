# SPDX-License-Identifier: Apache-2.0
"""Nobody writes himself out of an alert, through a live rsyslogd either.

Messages in which somebody tries to hide a record go in by TCP, each with a
good record behind it: every record makes its alert, every neighbour too, and
nothing else does. SYNCTAP_LIVE_EVASIONS sets how many of each kind.

A collection of such messages, if one is at hand, is sent in the same way.
"""

import collections
import os
import pathlib
import unittest

import evasion
import ticks
from harness import Daemon
from records import MODULE, mmsynctap
from troubled import LATE, Troubled

EACH = int(os.environ.get("SYNCTAP_LIVE_EVASIONS", "25"))
SEED = int(os.environ.get("SYNCTAP_EVASION_SEED", "12"))
HOSTILE = pathlib.Path(os.environ.get("SYNCTAP_HOSTILE_INPUTS", pathlib.Path(
    __file__).resolve().parents[4] / "shared" / "data" / "hostile"))
HEADER = "<134>Jun  1 12:59:00 edge7 "

ONE, TWO = "Sync_HUB_1@contoso.com", "Sync_HUB_2@contoso.com"
# The alerts of each file, and the status of its message.
EXACT, DEGRADED = ([(ONE, "exact")], "match"), ([(ONE, "degraded")],
                                                "undecodable")
RIGHT = {
    "e01-leef-control": EXACT, "e01-leef-key": EXACT,
    "e03-leef-array-comment": EXACT, "e06-wazuh-key": EXACT,
    "e20-control": EXACT, "e20-targetresources-string-cut": DEGRADED,
    "e22-targetresources-string-twice-encoded": EXACT,
    "e24-properties-string": EXACT, "e30-outer-record-hides-_raw": EXACT,
    "e31-outer-record-hides-records": EXACT,
    "e36-kusto-tables-in-capitals": EXACT, "e40-control": DEGRADED,
    "e40-cut-name-is-a-record": DEGRADED, "e41-control": DEGRADED,
    "e41-cut-time-in-user-agent": DEGRADED,
    "e42-two-broken-records-one-alert": (
        [(ONE, "degraded"), (TWO, "degraded")], "undecodable"),
    "e51-nul-in-time-key": EXACT,
    "e60-own-alert-with-a-record-in-a-display-name": ([], None),
}


def shown(alert):
    """Give what an alert message is compared by."""
    alert = alert.json()
    return alert["target_upn"], alert["confidence"]


def status(original):
    """Give a message's tag, None without one."""
    return original.tree.get("synctap", {}).get("status")


class HostileRecords(unittest.TestCase):
    """One daemon for each lot of messages."""

    maxDiff = None

    @staticmethod
    def _send(messages, parameters=""):
        """Send messages in one frame each; give originals and alerts."""
        daemon = Daemon(mmsynctap('ruleset="alerts" ' + parameters, "wide"),
                        MODULE)
        with daemon:
            daemon.send(messages, "octet")
            originals = daemon.originals(len(messages))
            return originals, daemon.stop().alerts

    def test_each_kind_of_hiding(self):
        time = ticks.render(ticks.now())
        cases = list(evasion.cases(SEED, EACH, time))
        messages, expected = [], collections.Counter()
        for number, case in enumerate(cases, 1):
            messages += [HEADER + case.text,
                         HEADER + evasion.neighbour(number, time)]
            expected.update((upn, case.confidence) for upn in case.upns)
            expected[evasion.neighbour_upn(number), "exact"] += 1
        originals, alerts = self._send(messages)
        self.assertEqual(expected, collections.Counter(map(shown, alerts)))
        self.assertEqual(
            ["match" if case.confidence == "exact" else "undecodable"
             for case in cases], list(map(status, originals[::2])))

    @unittest.skipUnless(HOSTILE.is_dir(), f"no inputs at {HOSTILE}")
    def test_a_collection(self):
        time = ticks.render(ticks.now())
        for number, (name, (rows, tag)) in enumerate(RIGHT.items(), 1):
            with self.subTest(name=name):
                text = (HOSTILE / f"{name}.txt").read_text().rstrip("\n")
                originals, alerts = self._send(
                    [text, HEADER + evasion.neighbour(number, time)],
                    'lookback="365d"')
                self.assertEqual(
                    rows + [(evasion.neighbour_upn(number), "exact")],
                    list(map(shown, alerts)))
                self.assertEqual([tag, "match"],
                                 list(map(status, originals)))


@unittest.skipUnless(HOSTILE.is_dir(), f"no inputs at {HOSTILE}")
class HostileFiles(unittest.TestCase):
    """What somebody left where the daemon finds it at its start."""

    def _see_all_go_on(self, daemon):
        """Names, known roles and late joins, and waiting that ends."""
        daemon.detection_goes_on("then")
        daemon.pass_by("waits")
        daemon.give_role(LATE)
        daemon.late_alerts("waits")
        daemon.wait_statistics("tap", pending=1)  # nobody's, of `then`

    def test_a_journal_with_an_empty_record(self):
        daemon = Troubled()
        daemon.write("synctap.db-tap.stream.1", (
            HOSTILE / "journal-empty-record.segment").read_bytes())
        with daemon:
            self._see_all_go_on(daemon)
            daemon.end()
            daemon.start()
            daemon.pass_by("waits again", upn="late.2@nordwind.example")
            daemon.give_role("late.2@nordwind.example")
            daemon.late_alerts("waits again")

    def test_a_damaged_database_with_a_table_of_309_columns(self):
        daemon = Daemon(mmsynctap('ruleset="alerts"', "wide"), MODULE)
        hostile = (HOSTILE / "rescue-309-columns.db").read_bytes()
        path = daemon.write("synctap.db", hostile)
        with daemon:
            time = ticks.render(ticks.now())
            for number in (1, 2):
                daemon.send([HEADER + evasion.neighbour(number, time)])
                self.assertEqual(["match"],
                                 list(map(status, daemon.originals(1))))
                self.assertEqual((evasion.neighbour_upn(number), "exact"),
                                 shown(daemon.alerts(1)[0]))
            daemon.wait_until(lambda: daemon.statistics("tap")
                              .get("state_errors", 0) > 0, "a state error")
            daemon.internal("what is in it are not the tables of synctap")
            self.assertEqual(hostile, path.read_bytes())


if __name__ == "__main__":
    unittest.main()
