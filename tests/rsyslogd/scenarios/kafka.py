"""Batches as Azure's Event Hub gives them come through imkafka.

12 batches of 1 MB, each with one match at nine tenths of its bytes. Where
maxMessageSize has room for a batch, each gives its alert. With rsyslog's
default of 8 KB imkafka cuts each to its begin, and what it cut shows no
phrase: then each is counted, and tagged as undecodable. `-N1` says so before.

The broker speaks Kafka's protocol (kafka_broker.py).
"""

import unittest

import kafka_broker
from harness import Daemon, as_text, check_config
from records import MODULE, audit, ids, mmsynctap, target

BATCHES = 12
BATCH = 1_000_000  # bytes, at least
IMKAFKA = 'module(load="imkafka")'
STATUS = """
template(name="status" type="string" string="%$!synctap!status%\\n")
"""
WRITE = """
action(type="omfile" file="@WORK@/statuses" template="status")
stop
"""


def batch(number):
    """Make a batch whose last tenth begins with the record that matches."""
    filler = as_text(audit(f"filler {number}", target("anna@nordwind.example"),
                           operation="Update user"))
    match = as_text(audit(f"batch {number}",
                          target("Sync_a@nordwind.example")))
    before = BATCH * 9 // 10 // (len(filler) + 1)
    after = BATCH // 10 // (len(filler) + 1) + 1
    return ('{"records":['
            + ",".join([filler] * before + [match] + [filler] * after) + "]}")


def consume(broker):
    """Write the input that takes all of the topic."""
    return f"""{IMKAFKA}
input(type="imkafka" topic="{broker.topic}" broker="{broker.address}"
  consumergroup="synctap" ruleset="incoming"
  confParam=["auto.offset.reset=earliest"])"""


class Kafka(unittest.TestCase):
    """12 batches of 1 MB."""

    def setUp(self):
        if kafka_broker.missing():
            self.skipTest(f"not here: {kafka_broker.missing()}")
        status, words = check_config(before=IMKAFKA)
        if status != 0:
            self.skipTest("rsyslogd has no imkafka: the Debian package is "
                          "rsyslog-kafka")

    def run_batches(self, rules, max_message_size):
        """Give the alerts, the counters and the statuses that were written."""
        with kafka_broker.Broker("audit", partitions=BATCHES) as broker:
            broker.send(map(batch, range(BATCHES)))
            with Daemon(rules + WRITE, MODULE + STATUS + consume(broker),
                        max_message_size=max_message_size) as daemon:
                daemon.wait_statistics("tap", messages=BATCHES)
                counters = daemon.counters("tap")
                daemon.end()
                alerts = daemon.alerts(counters["alerts"])
                statuses = (daemon.work.path / "statuses").read_text()
                return alerts, counters, statuses.split()

    def test_each_batch_gives_its_alert(self):
        alerts, counters, statuses = self.run_batches(
            mmsynctap('ruleset="alerts"'), "2m")
        self.assertEqual(sorted(f"batch {n}" for n in range(BATCHES)),
                         sorted(ids(alerts)))
        self.assertEqual((BATCHES, 0, 0), (
            counters["alerts"], counters["undecodable"], counters["cut"]))
        self.assertEqual(["match"] * BATCHES, statuses)

    def test_each_batch_that_imkafka_cut_is_counted_and_tagged(self):
        alerts, counters, statuses = self.run_batches(
            mmsynctap('ruleset="alerts"'), "8k")
        self.assertEqual([], ids(alerts))
        self.assertEqual((BATCHES, BATCHES), (
            counters["undecodable"], counters["cut"]))
        self.assertEqual(["undecodable"] * BATCHES, statuses)

    def test_the_check_warns_below_1_mb(self):
        for size, warns in (("8k", True), ("999999", True),
                            ("1000000", False), ("2m", False)):
            with self.subTest(maxMessageSize=size):
                status, words = check_config(mmsynctap(), MODULE,
                                             max_message_size=size)
                self.assertEqual(0, status, words)
                ours = [line for line in words.splitlines()
                        if "mmsynctap" in line and "warning" in line]
                self.assertEqual(warns, len(ours) == 1, words)
                for module in ("imtcp", "imkafka", "imfile", "imrelp"):
                    self.assertEqual(warns, module in "".join(ours), words)


if __name__ == "__main__":
    unittest.main()
