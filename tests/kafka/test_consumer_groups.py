# SPDX-License-Identifier: Apache-2.0
"""Collectors of one consumer group share the partitions of a hub.

Each is in/event-hub.conf behind synctap.conf. Over all of them each record is
judged once, under the id that it has where one collector judges all. One may
join, leave or be killed: nothing is lost, and what comes twice has its id.
"""

import collections
import contextlib

import samples
from event_hub import (PARTITIONS, SYNC, BehindABroker, came,
                       wait_for_records)
from records import text
from sample import SampleDaemon, crash_safe

RECORDS = 60


class ConsumerGroups(BehindABroker):
    """Each test has a hub of its own."""

    def setUp(self):
        self.topic = self.id().rpartition(".")[2]
        self.broker.create(self.topic, PARTITIONS)
        self.sent = []
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)

    def _start(self, *daemons):
        """Start collectors, those of the group unless others are given."""
        return [self.stack.enter_context(daemon) for daemon in daemons]

    def _member(self, group="synctap"):
        return self.hub.collector(self._input(group))

    def _input(self, group="synctap"):
        return self.hub.input("event-hub", topic=self.topic,
                              consumergroup=group)

    def _send(self, count):
        """Send records to all partitions in turn; give their names."""
        names = [f"record {len(self.sent) + n}" for n in range(count)]
        self.hub.send_to_each_partition(
            self.topic, [text(name, SYNC) for name in names])
        self.sent += names
        return names

    def _settle(self, *daemons):
        """Send records until each of the collectors gets some of a round."""
        self.sent += self.hub.settle(self.topic, daemons,
                                     f"settled after {len(self.sent)}:")

    def _repeated(self, daemons):
        """Stop them; each record has alerted: give how often beyond once."""
        wait_for_records(daemons, self.sent)
        for daemon in daemons:
            daemon.stop()
        found = collections.defaultdict(list)
        for alert in came(daemons):
            found[alert["record_id"]].append(alert["alert_id"])
        self.assertEqual(set(self.sent), set(found))
        for name, alert_ids in found.items():
            self.assertEqual(1, len(set(alert_ids)), name)
        return sum(map(len, found.values())) - len(found)

    def _judged(self, daemons):
        """Give how many candidates the collectors have counted."""
        return sum(daemon.counters("synctap")["candidates"]
                   for daemon in daemons)

    def _each_record_is_judged_once(self, count):
        members = self._start(*(self._member() for _ in range(count)))
        self._settle(*members)
        self._send(RECORDS)
        wait_for_records(members, self.sent)
        self.assertEqual(len(self.sent), self._judged(members))
        self.assertEqual(0, self._repeated(members))
        alone, = self._start(self._member("alone"))
        self.assertEqual(0, self._repeated([alone]))
        self.assertEqual(
            {alert["alert_id"] for alert in came([alone])},
            {alert["alert_id"] for alert in came(members)})

    def test_two_collectors_judge_each_record_once(self):
        self._each_record_is_judged_once(2)

    def test_four_collectors_judge_each_record_once(self):
        self._each_record_is_judged_once(4)

    def test_one_joins_and_one_leaves(self):
        """The other takes its partitions.

        What it had read and not judged waits for its next start.
        """
        first, = self._start(self._member())
        self._settle(first)
        second, = self._start(self._member())
        self._send(RECORDS)
        self._settle(first, second)
        self._send(RECORDS)
        first.end()
        wait_for_records([first, second], self._send(RECORDS))
        first.start()
        self.assertEqual(0, self._repeated([first, second]))

    def test_a_collector_that_is_killed_loses_nothing(self):
        """With crash-safe.conf, in which the hub takes the files' place.

        The other takes its partitions; what it had found and not handed on
        comes when it starts again.
        """
        first, second = self._start(*(self._crash_safe() for _ in range(2)))
        self._settle(first, second)
        for _ in range(2):
            had = len(came([first]))
            self._send(2 * RECORDS)
            first.wait_until(lambda: len(came([first])) >= had + 10, "some")
            first.kill()
            self._send(RECORDS)
            wait_for_records([first, second], self.sent[-RECORDS:])
            first.start()
            self._settle(first, second)
        repeated = self._repeated([first, second])
        print(f"two kills: {repeated} of {len(self.sent)} repeated")

    def _crash_safe(self):
        """Make a collector of crash-safe.conf with the hub's input."""
        text_ = samples.without_module(crash_safe(), "imfile")
        return SampleDaemon(text=samples.replace(
            text_, r'input\(type="imfile"[^)]*\)', "") + self._input())
