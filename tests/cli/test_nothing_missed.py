# SPDX-License-Identifier: Apache-2.0
"""Random messages, read three ways, with nothing missed.

`query` has the gate in front of it, `explain` has none: what they say of a
message is the same. What a slow reader of another kind finds in it is a row,
or the message is named as one that could not be read. SYNCTAP_MESSAGES raises
the number of messages, SYNCTAP_SEED starts at another one.
"""

import os
import pathlib
import tempfile
import unittest

import slow_reader
from command import objects, synctap
from random_messages import Message

MESSAGES = int(os.environ.get("SYNCTAP_MESSAGES", "150"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
OPTIONS = ("--format", "jsonl", "--now", "2026-06-01T12:00:00Z",
           "--identity", "/dev/null", "--semantics", "wide",
           "--lookback", "0")  # a time that was damaged makes no record old

class NothingMissed(unittest.TestCase):
    """All messages in files of their own."""

    def test_gate_and_decoder_miss_nothing(self):
        with tempfile.TemporaryDirectory(prefix="synctap-missed-") as made:
            paths = []
            for seed in range(FIRST_SEED, FIRST_SEED + MESSAGES):
                paths.append(pathlib.Path(made) / f"m{seed}")
                paths[-1].write_text(Message(seed).text)
            wrong = [path for path in self._compare(paths) if path]
        self.assertEqual([], wrong[:3])

    def _compare(self, paths):
        explained = {str(path): [] for path in paths}
        for one in objects(synctap("explain", *OPTIONS, *paths).output):
            explained[one["file"]].append(one["verdict"])
        found = 0
        for path in paths:
            done = synctap("query", *OPTIONS, path)
            has_row = bool(done.output)
            has_match = "match" in explained[str(path)]
            is_told = done.status == 1 and f"{path}:" in done.words
            expected = slow_reader.matches(path.read_text())
            found += expected
            if has_row != has_match:
                yield f"query {has_row}, explain {has_match}: " \
                    f"{path.name}: {path.read_text()}"
            if expected and not has_row and not is_told:
                yield f"missed: {path.name}: {path.read_text()}"
            if any("shows" in verdict for verdict in explained[
                    str(path)]) and not is_told:
                yield f"not told: {path.name}: {path.read_text()}"
        self.assertGreater(found, len(paths) // 10)


if __name__ == "__main__":
    unittest.main()
