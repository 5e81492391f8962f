# SPDX-License-Identifier: Apache-2.0
"""The clock of a replay, in archives whose records have more than one time.

Most records are passed over, and only their times are looked for; which of
them counts is what a reading would tell: the record's own, in its shape.
SYNCTAP_CLOCKS raises the number of archives.
"""

import json
import os
import random

import rendering
from replayed import ReplayTest, audit, time
from ticks import DAY, HOUR, MINUTE

ARCHIVES = int(os.environ.get("SYNCTAP_CLOCKS", "20"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
LINES = 400
CANDIDATE_IN = 25
FAR_FUTURE = 5000 * 365 * DAY
SHAPES = (*rendering.SHAPES, rendering.elastic_document)

# By a record's own time: the other, which counts only where that is missing.
LESSER = {"time": "activityDateTime", "TimeGenerated": "ActivityDateTime",
          "@timestamp": "activity_datetime",
          "activityDateTime": "createdDateTime"}


def own_name(record):
    """Give the name of a record's own time."""
    return next(name for name in LESSER if name in record)


def give_other(record, other):
    """Write another time into a record, where its shape has one."""
    name = LESSER[own_name(record)]
    for inside in (record, record.get("properties"),
                   record.get("azure", {}).get("auditlogs", {})
                   .get("properties")):
        if isinstance(inside, dict) and name in inside:
            inside[name] = other
            return
    record[name] = other


CARRIERS = (
    lambda record, other: record,
    lambda record, other: record,
    lambda record, other: {"time": other, "message": json.dumps(record)},
    lambda record, other: {"time": other, "records": [record]},
    lambda record, other: dict(record, details={"time": other}),
)


class Clock(ReplayTest):
    """What is passed over moves the clock as what is read does."""

    def test_of_many_times_the_records_own_moves_the_clock(self):
        for seed in range(FIRST_SEED, FIRST_SEED + ARCHIVES):
            rng = random.Random(f"clock {seed}")
            lines, expected = self._archive(rng)
            with self.subTest(seed=seed):
                self.assertEqual(expected, self.fired(*lines))

    def _archive(self, rng):
        """Make an archive, and what fires in it: with the clock's time."""
        lines, expected, clock = [], [], 0
        pace = rng.choice((0, 1, MINUTE // 100, MINUTE))
        for number in range(LINES):
            at = number * pace + rng.randrange(rng.choice((1, MINUTE, HOUR)))
            if number % CANDIDATE_IN == CANDIDATE_IN - 1:
                lines.append(audit(number, at=at))
                clock = max(clock, at)
                expected.append((number, False, clock / MINUTE))
                continue
            if rng.random() < 0.02:
                at = FAR_FUTURE
            lines.append(self._other(rng, number, at))
            if at < FAR_FUTURE:
                clock = max(clock, at)
        return lines, expected

    @staticmethod
    def _other(rng, number, at):
        """Make a record of no interest, with another time or two."""
        record = audit(number, at=at, shape=rng.choice(SHAPES),
                       OperationName="Update user",
                       ActivityName="Update user")
        near = (at if at < FAR_FUTURE else 0) + rng.randrange(HOUR)
        other = time(rng.choice((at, near, near, FAR_FUTURE)))
        if rng.random() < 0.7:
            give_other(record, other)
        return rng.choice(CARRIERS)(record, other)
