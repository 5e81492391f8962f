# SPDX-License-Identifier: Apache-2.0
"""Collectors behind the broker, as the samples in contrib/rsyslog.d have them.

TLS, SASL PLAIN with the user $ConnectionString; only the broker's address, the
password, the authority, librdkafka's patience and the names of topics and
groups are the test's.
"""

import unittest

import certificates
import samples
from apache_kafka import Broker
from records import target, text
from workplace import Workplace

# What happens to brokers, partitions and members is noticed by then.
IMPATIENT = ("reconnect.backoff.max.ms=500",
             "topic.metadata.refresh.interval.ms=500",
             "session.timeout.ms=6000", "heartbeat.interval.ms=500")
PARTITIONS = 4
SYNC = target("Sync_a@nordwind.example")


class Hub:
    """A broker, and what makes collectors for it."""

    def __init__(self):
        self.work = Workplace()
        certificates.make(self.work)
        self.work.path.chmod(0o755)
        self.broker = Broker(self.work.path)

    def __enter__(self):
        try:
            self.broker.__enter__()
        except BaseException:
            self.work.remove()
            raise
        return self

    def __exit__(self, *error):
        self.broker.__exit__(*error)
        self.work.remove()

    def input(self, name, **names):
        """Give a sample's input for the broker, with these parameters."""
        sample = samples.placed(f"in/{name}.conf")
        patience = "".join(f'"{one}", ' for one in IMPATIENT)
        for old, new in (
                (r'broker="[^"]*"', f'broker="{self.broker.address}"'),
                (r"sasl\.password=[^\"]*",
                 f"sasl.password={self.broker.password}"),
                (r"ssl\.ca\.location=[^\"]*",
                 f"ssl.ca.location={self.work.path}/ca.pem"),
                (r"confParam=\[", f"confParam=[{patience}"),
                *((rf'\b{parameter}="[^"]*"', f'{parameter}="{value}"')
                  for parameter, value in names.items())):
            sample = samples.replace(sample, old, new)
        return sample

    def collector(self, *inputs):
        """Make a collector of synctap.conf and of these inputs."""
        first, *more = inputs
        return samples.Daemon(own=samples.HOST + samples.with_test_alerts(
            samples.placed("synctap.conf")) + first + "".join(
                samples.without_module(one, "imkafka") for one in more))

    def send_to_each_partition(self, topic, texts):
        """Send texts in turn to each of the partitions."""
        for partition in range(PARTITIONS):
            mine = texts[partition::PARTITIONS]
            if mine:
                self.broker.send(topic, mine, "-p", str(partition))

    def settle(self, topic, daemons, name="settled"):
        """Send records until each collector gets some; give their names."""
        sent = []
        while True:
            before = [len(came([daemon])) for daemon in daemons]
            names = [f"{name} {len(sent) + n}" for n in range(PARTITIONS)]
            self.send_to_each_partition(
                topic, [text(one, SYNC) for one in names])
            sent += names
            wait_for_records(daemons, names)
            if all(len(came([daemon])) > count
                   for daemon, count in zip(daemons, before)):
                return sent


class BehindABroker(unittest.TestCase):
    """One broker for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.hub = Hub()
        cls.hub.__enter__()
        cls.addClassCleanup(cls.hub.__exit__, None, None, None)
        cls.broker, cls.work = cls.hub.broker, cls.hub.work


def came(daemons):
    """Give the alerts that have come so far, without taking them."""
    return [message.json() for daemon in daemons
            for message in daemon.collector.messages["alerts"]]


def wait_for_records(daemons, names):
    """Wait until each record has alerted in a collector; the last one runs."""
    def lacking():
        return set(names) - {alert["record_id"] for alert in came(daemons)}

    daemons[-1].wait_until(lambda: not lacking(),
                           lambda: f"alerts of {sorted(lacking())}")
