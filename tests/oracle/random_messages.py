# SPDX-License-Identifier: Apache-2.0
"""Random messages with records in them, some of them damaged, by a seed."""

import json
import random

import plain
import rendering
import slow_reader
import ticks

OPERATIONS = [*slow_reader.PHRASES, "Update user", "Admin registered info",
              "Reset password", "security info"]
NAMES = (plain.SYNC_UPN, plain.PERSON_UPN, "sYNC_x@y", "Sync", "a.dirsync@b")
HEADERS = ("", "", "<134>Jun  1 12:00:00 edge7 app: ", "app[12]: text [x] ",
           "{not json} ", '"a": 1, ', "<13>1 - - - - - [a@1 b=\"c\"] ")


class Message:
    """A message that a seed makes."""

    def __init__(self, seed, time=plain.NOW - ticks.HOUR):
        self.rng = random.Random(f"missed {seed}")
        self.time = time
        records = [self._record() for _ in range(self.rng.choice((1, 1, 2)))]
        text = self.rng.choice((self._alone, self._batch, self._in_string))(
            records)
        self.text = self._damaged(self.rng.choice(HEADERS) + text)

    def _record(self):
        rng = self.rng
        shape = rng.choice(rendering.SHAPES)
        row = plain.row(*(plain.target(rng.choice(NAMES), rng.choice((
            plain.OTHER_ID, "2"))) for _ in range(rng.choice((1, 1, 3)))))
        row["TimeGenerated"] = self.time
        for name in ("OperationName", "ActivityName"):
            row[name] = self._recased(rng.choice(OPERATIONS))
        return self._escaped(json.dumps(
            shape(row, rng), indent=rng.choice((None, None, 1))).replace(
                "\n", " "))

    def _recased(self, text):
        change = self.rng.choice((str, str.upper, str.title, str.lower))
        return change(text)

    def _escaped(self, text):
        """Spell some letters of the text as escapes."""
        share = self.rng.choice((0, 0, 0.02, 0.3))
        return "".join(
            f"\\u{ord(char):04x}" if char.isalpha() and char not in "nulltrefas"
            and self.rng.random() < share else char for char in text) \
            if share else text

    def _alone(self, records):
        return self.rng.choice(("", " ", ", ")).join(records)

    def _batch(self, records):
        inner = ",".join(records)
        return self.rng.choice((f"[{inner}]", f'{{"records":[{inner}]}}',
                                f'{{"a":{{"value":[1,{inner}]}},"b":"x"}}'))

    def _in_string(self, records):
        text = self._batch(records)
        for _ in range(self.rng.randint(1, 3)):
            text = json.dumps({"message": text})
        return text

    def _damaged(self, text):
        kind, at = self.rng.random(), self.rng.randrange(len(text))
        if kind < 0.6:
            return text
        if kind < 0.75:
            return text[:at]
        if kind < 0.9:
            return text[:at] + self.rng.choice('{}[]",:\\ x0\u00e9') \
                + text[at + 1:]
        return text[:at] + text[at + self.rng.randint(1, 9):]
