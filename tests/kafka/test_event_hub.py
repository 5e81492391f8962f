# SPDX-License-Identifier: Apache-2.0
"""in/event-hub.conf against a broker of Apache Kafka.

TLS, SASL PLAIN with the user $ConnectionString, as the sample has them; only
the broker's address, the password, the authority and librdkafka's patience
are the test's.
"""

import re
import unittest

import certificates
import samples
from apache_kafka import Broker
from records import ids, target, text
from workplace import Workplace

SYNC = target("Sync_a@nordwind.example")
# A broker that comes back, and a partition that is new, are noticed by then.
IMPATIENT = '"reconnect.backoff.max.ms=500", ' \
    '"topic.metadata.refresh.interval.ms=500", '


def collector(broker, work):
    """Make the sample's collector for this broker."""
    sample = samples.placed("in/event-hub.conf")
    for old, new in (
            (r'broker="[^"]*"', f'broker="{broker.address}"'),
            (r"sasl\.password=[^\"]*", f"sasl.password={broker.password}"),
            (r"ssl\.ca\.location=[^\"]*", f"ssl.ca.location={work.path}/ca.pem"),
            (r"confParam=\[", f"confParam=[{IMPATIENT}")):
        sample = samples.replace(sample, old, new)
    return samples.Daemon(own=samples.HOST + samples.with_test_alerts(
        samples.placed("synctap.conf")) + sample)


class EventHub(unittest.TestCase):
    """One broker for all; each test with a collector of its own."""

    @classmethod
    def setUpClass(cls):
        cls.work = Workplace()
        cls.addClassCleanup(cls.work.remove)
        certificates.make(cls.work)
        cls.work.path.chmod(0o755)
        cls.broker = Broker(cls.work.path)
        cls.broker.__enter__()
        cls.addClassCleanup(cls.broker.__exit__, None, None, None)

    def test_the_sample_through_all_that_happens_to_a_broker(self):
        """Records come, the broker restarts, a partition is added."""
        with collector(self.broker, self.work) as daemon:
            self.broker.send([text("first", SYNC)])
            self.assertEqual(["first"], ids(daemon.alerts(1)))
            self.broker.stop()
            self.broker.start()
            self.broker.send([text("after a restart", SYNC)])
            self.assertEqual(["after a restart"], ids(daemon.alerts(1)))
            self.broker.topics("--alter", "--topic", self.broker.topic,
                               "--partitions", "2")
            self.broker.send([text("on a new partition", SYNC)], partition=1)
            self.assertEqual(["on a new partition"], ids(daemon.alerts(1)))

    def test_the_sample_has_what_an_event_hub_wants(self):
        """The address is the namespace's, port 9093; TLS and PLAIN."""
        sample = samples.placed("in/event-hub.conf")
        self.assertRegex(sample, r'broker="[a-z.]+\.servicebus\.windows\.net'
                                 r':9093"')
        for setting in ("security.protocol=SASL_SSL", "sasl.mechanism=PLAIN",
                        "sasl.username=$ConnectionString"):
            self.assertIn(f'"{setting}"', re.sub(r"(?m)^#.*$", "", sample))


if __name__ == "__main__":
    unittest.main()
