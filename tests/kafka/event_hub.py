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
from workplace import Workplace

# What happens to brokers, partitions and members is noticed by then.
IMPATIENT = ("reconnect.backoff.max.ms=500",
             "topic.metadata.refresh.interval.ms=500",
             "session.timeout.ms=6000", "heartbeat.interval.ms=500")
PARTITIONS = 4


class BehindABroker(unittest.TestCase):
    """One broker for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.work = Workplace()
        cls.addClassCleanup(cls.work.remove)
        certificates.make(cls.work)
        cls.work.path.chmod(0o755)
        cls.broker = Broker(cls.work.path)
        cls.broker.__enter__()
        cls.addClassCleanup(cls.broker.__exit__, None, None, None)

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


def came(daemons):
    """Give the alerts that have come so far, without taking them."""
    return [message.json() for daemon in daemons
            for message in daemon.collector.messages["alerts"]]


def take_all(*daemons):
    """Take what came, so that nothing is left over."""
    for daemon in daemons:
        daemon.alerts(len(came([daemon])))


def wait_for_records(daemons, names):
    """Wait until each record has alerted in a collector; the last one runs."""
    def lacking():
        return set(names) - {alert["record_id"] for alert in came(daemons)}

    daemons[-1].wait_until(lambda: not lacking(),
                           lambda: f"alerts of {sorted(lacking())}")
