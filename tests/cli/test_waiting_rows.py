# SPDX-License-Identifier: Apache-2.0
"""What waits for the role list is kept by the row, not by the record.

Records come again under the same id with other targets, or with fewer: each
row alerts once, as soon as its account has the role, and no record stands in
for another. SYNCTAP_WAITING raises the number of stories.
"""

import collections
import json
import os
import pathlib
import random
import tempfile
import unittest

import plain
import rendering
import ticks
from command import replay

STORIES = int(os.environ.get("SYNCTAP_WAITING", "40"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
ACCOUNTS = [f"account.{n}@nordwind.example" for n in range(5)]
IDS = ("one", "two")


class Story:
    """Records and roles in the order in which they come, and the alerts."""

    def __init__(self, seed):
        self._rng = random.Random(f"waiting {seed}")
        self._shape = self._rng.choice(rendering.SHAPES)  # has its tenant
        self.lines = []
        self.expected = collections.Counter()
        self._rows = set()  # that came: record, account, place of the target
        self._known = set()
        for _ in range(self._rng.randint(3, 12)):
            self._rng.choice((self._record, self._record, self._role))()

    def _record(self):
        targets = self._rng.choices(ACCOUNTS, k=self._rng.randint(1, 4))
        name = self._rng.choice(IDS)
        self.lines.append(json.dumps(self._shape(plain.row(
            *(plain.target(upn, f"id of {upn}") for upn in targets), Id=name),
            plain.chance())))
        for place, upn in enumerate(targets):
            self._add(name, upn, place)

    def _add(self, name, upn, place):
        if (name, upn, place) in self._rows:
            return
        self._rows.add((name, upn, place))
        self.expected[name, upn] += upn in self._known

    def _role(self):
        upn = self._rng.choice(ACCOUNTS)
        self.lines.append(json.dumps(dict(
            plain.identity(upn, f"id of {upn}"),
            TimeGenerated=ticks.render(plain.NOW - ticks.DAY))))
        if upn in self._known:
            return
        self._known.add(upn)
        for name, other, _ in self._rows:
            self.expected[name, upn] += other == upn


class WaitingRows(unittest.TestCase):
    """Each story is a file."""

    def test_each_row_alerts_once(self):
        late = 0
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "story"
            for seed in range(FIRST_SEED, FIRST_SEED + STORIES):
                story = Story(seed)
                path.write_text("\n".join(story.lines) + "\n")
                alerts = replay("--now", ticks.render(plain.NOW), path)
                with self.subTest(seed=seed):
                    self.assertEqual(
                        +story.expected, collections.Counter(
                            (one["record_id"], one["target_upn"])
                            for one in alerts), "\n".join(story.lines))
                    self.assertEqual(len(alerts), len({
                        one["alert_id"] for one in alerts}))
                late += sum(one["late"] for one in alerts)
        self.assertGreater(late, STORIES // 2)


if __name__ == "__main__":
    unittest.main()
