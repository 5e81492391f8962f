# SPDX-License-Identifier: Apache-2.0
"""Collectors of one consumer group share the partitions of a hub.

The input is that of in/event-hub.conf; only broker, topic and group are the
test's. Each record is judged once, by one of the collectors, with the id that
a replay gives it. What a killed collector had not told the broker comes again
to another one, under the same id. A role list on a topic of its own reaches
every collector, each with a group of its own.

The broker speaks Kafka's protocol (kafka_broker.py).
"""

import contextlib
import re
import unittest

import kafka_broker
import samples
from harness import as_text, check_config
from records import identity, target, text

RECORDS = 60
SYNC = target("Sync_a@nordwind.example")
# A group notices a dead member after this time; the default is 45 s.
FAST = ("session.timeout.ms=6000", "heartbeat.interval.ms=500",
        "auto.offset.reset=earliest")


def hub(broker, group="synctap", ruleset="entra-audit"):
    """Write the sample's input for the test's broker."""
    sample = re.search(r'(?s)input\(type="imkafka".*?\]\)',
                       samples.placed("in/event-hub.conf"))[0]
    settings = ", ".join(f'"{setting}"' for setting in FAST)
    for old, new in ((r'broker="[^"]*"', f'broker="{broker.address}"'),
                     (r'topic="[^"]*"', f'topic="{broker.topic}"'),
                     (r'consumergroup="[^"]*"', f'consumergroup="{group}"'),
                     (r'ruleset="[^"]*"', f'ruleset="{ruleset}"'),
                     (r"(?s)confParam=\[.*\]", f"confParam=[{settings}]")):
        sample = samples.replace(sample, old, new)
    return sample


def collectors(stack, count, *inputs):
    """Start collectors with these inputs; @HOST@ is each one's name."""
    started = []
    for number in range(count):
        words = "\n".join(inputs).replace("@HOST@", str(number))
        started.append(stack.enter_context(samples.collector(
            "in/event-hub.conf", (r'(?s)input\(.*?\]\)', words))))
    return started


def came(daemon):
    """Give the alerts that have come so far, without taking them."""
    return [message.json() for message in
            daemon.collector.messages["alerts"]]


def take_all(daemons):
    """Take what came, so that nothing is left over."""
    for daemon in daemons:
        daemon.alerts(len(came(daemon)))


class ConsumerGroup(unittest.TestCase):
    """One hub of four partitions."""

    def setUp(self):
        if kafka_broker.missing():
            self.skipTest(f"not here: {kafka_broker.missing()}")
        if check_config(before='module(load="imkafka")')[0] != 0:
            self.skipTest("rsyslogd has no imkafka: the Debian package is "
                          "rsyslog-kafka")
        self.stack = contextlib.ExitStack()
        self.addCleanup(self.stack.close)
        self.broker = self.stack.enter_context(
            kafka_broker.Broker("audit", partitions=4))

    def _wait_for(self, count, daemons):
        """Wait until the collectors have that many records' alerts."""
        daemons[-1].wait_until(
            lambda: len(self._record_ids(daemons)) >= count,
            lambda: f"{count} records, got {len(self._record_ids(daemons))}")

    @staticmethod
    def _record_ids(daemons):
        return {alert["record_id"] for daemon in daemons
                for alert in came(daemon)}

    def _each_record_once(self, count):
        records = [text(f"record {number}", SYNC)
                   for number in range(RECORDS)]
        with contextlib.ExitStack() as stack:
            daemons = collectors(stack, count, hub(self.broker))
            self.broker.send(records)
            self._wait_for(RECORDS, daemons)
            alerts = [alert for daemon in daemons for alert in came(daemon)]
            self.assertEqual(
                sorted(f"record {number}" for number in range(RECORDS)),
                sorted(alert["record_id"] for alert in alerts))
            path = daemons[0].write("records.jsonl", "\n".join(records))
            replayed = daemons[0].synctap(
                "replay", "--rulebase", samples.rulebase(), path)
            self.assertEqual(
                set(re.findall(r'"alert_id":"([^"]*)"', replayed)),
                {alert["alert_id"] for alert in alerts})
            take_all(daemons)

    def test_two_collectors_judge_each_record_once(self):
        self._each_record_once(2)

    def test_four_collectors_judge_each_record_once(self):
        self._each_record_once(4)

    def test_what_a_killed_collector_had_is_judged_by_another(self):
        first = [text(f"before {number}", SYNC) for number in range(20)]
        second = [text(f"after {number}", SYNC) for number in range(20)]
        with contextlib.ExitStack() as stack:
            killed, other = collectors(stack, 2, hub(self.broker))
            self.broker.send(first)
            self._wait_for(20, [killed, other])
            killed.kill()
            self.broker.send(second)
            self._wait_for(40, [killed, other])
            named = {}
            for alert in came(killed) + came(other):
                named.setdefault(alert["record_id"],
                                 set()).add(alert["alert_id"])
            self.assertEqual(40, len(named))
            self.assertEqual({1}, {len(ids_) for ids_ in named.values()},
                             "a repeated alert has another id")
            take_all([killed, other])

    def test_the_role_list_comes_to_every_collector(self):
        own = "77777777-2222-4333-8444-555555555555"
        with kafka_broker.Broker("roles") as roles, \
                contextlib.ExitStack() as stack:
            daemons = collectors(
                stack, 2, hub(self.broker),
                hub(roles, "synctap-identity-@HOST@", "entra-identity"))
            roles.send([as_text(identity("svc@nordwind.example", own))])
            for daemon in daemons:
                daemon.wait_statistics("synctap", sync_accounts=1)
            self.broker.send([text(f"named {number}", target(
                "svc@nordwind.example", own)) for number in range(8)])
            self._wait_for(8, daemons)
            self.assertEqual(8, sum(len(came(daemon)) for daemon in daemons))
            take_all(daemons)


if __name__ == "__main__":
    unittest.main()
