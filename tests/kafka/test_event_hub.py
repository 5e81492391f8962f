# SPDX-License-Identifier: Apache-2.0
"""in/event-hub.conf against a broker of Apache Kafka."""

import re
import unittest

import samples
from event_hub import SYNC, BehindABroker
from records import ids, text

TOPIC = "insights-logs-auditlogs"


class EventHub(BehindABroker):
    """Each test with a collector of its own."""

    def test_the_sample_through_all_that_happens_to_a_broker(self):
        """Records come, the broker restarts, a partition is added."""
        self.broker.create(TOPIC)
        with self.hub.collector(
                self.hub.input("event-hub", topic=TOPIC)) as daemon:
            self.broker.send(TOPIC, [text("first", SYNC)])
            self.assertEqual(["first"], ids(daemon.alerts(1)))
            self.broker.stop()
            self.broker.start()
            self.broker.send(TOPIC, [text("after a restart", SYNC)])
            self.assertEqual(["after a restart"], ids(daemon.alerts(1)))
            self.broker.extend(TOPIC, 2)
            self.broker.send(TOPIC, [text("on a new partition", SYNC)],
                             "-p", "1")
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
