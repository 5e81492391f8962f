# SPDX-License-Identifier: Apache-2.0
"""Nobody writes himself out of an alert: each kind of trying, hundreds of times.

SYNCTAP_EVASIONS sets how many messages of each kind; SYNCTAP_EVASION_SEED the
seed.
"""

import collections
import os
import pathlib
import tempfile
import unittest

import evasion
from command import objects, synctap

EACH = int(os.environ.get("SYNCTAP_EVASIONS", "200"))
SEED = int(os.environ.get("SYNCTAP_EVASION_SEED", "11"))
TIME, NOW = "2026-06-01T12:00:00Z", "2026-06-01T13:00:00Z"
HEADER = "<134>Jun  1 12:59:00 edge7 "


def alerts_of(texts):
    """Replay messages, one a line; give the alerts' UPNs and confidences."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "messages"
        path.write_text("".join(HEADER + text + "\n" for text in texts))
        done = synctap("replay", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", path)
    return [(alert["target_upn"], alert["confidence"])
            for alert in objects(done.output)]


class Evasion(unittest.TestCase):
    """Each message has a good one behind it, which must alert too."""

    maxDiff = None

    def test_each_kind(self):
        for kind in evasion.KINDS:
            with self.subTest(kind=kind.__name__):
                self._check(list(evasion.cases(SEED, EACH, TIME, [kind])))

    def _check(self, cases):
        texts, expected = [], []
        for number, case in enumerate(cases, 1):
            texts += [case.text, evasion.neighbour(number, TIME)]
            expected += [(upn, case.confidence) for upn in case.upns]
            expected.append((evasion.neighbour_upn(number), "exact"))
        found = collections.Counter(alerts_of(texts))
        wanted = collections.Counter(expected)
        wrong = {upn.partition("@")[0] for upn, _ in (found - wanted)
                 + (wanted - found)}
        self.assertEqual([], [
            (sorted((found - wanted).items()), sorted((wanted - found).items()),
             case.text) for number, case in enumerate(cases, 1)
            if any(f"CASE{number}x" in upn or f"GOOD{number}" == upn[5:]
                   for upn in wrong)][:2])
        self.assertEqual(wanted, found)


if __name__ == "__main__":
    unittest.main()
