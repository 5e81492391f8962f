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


if __name__ == "__main__":
    unittest.main()
