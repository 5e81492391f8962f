# SPDX-License-Identifier: Apache-2.0
"""synctap-send's kind kafka, to a broker with TLS and a password."""

import subprocess
import sys

import samples
from event_hub import BehindABroker

SENDER = samples.CONTRIB / "senders/synctap-send"
LINES = ["one\t{}", 'two\t{"a":"b\\tc"}', "three\tx=\t1"]


class AlertsOut(BehindABroker):
    """A line is key, tab, message; it is confirmed when the broker has it."""

    def _answers(self, topic, lines, **more):
        """Lead the sender as omprog does; give its answers to the lines."""
        path = self.work.path / "settings"
        path.write_text("".join(f"{name} = {value}\n" for name, value in {
            "kind": "kafka", "broker": self.broker.address, "topic": topic,
            "rejected": self.work.path / "rejected", "timeout": 5,
            "patience": 0, "ca": self.work.path / "ca.pem",
            "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN",
            "sasl.username": "$ConnectionString",
            "sasl.password": self.broker.password, **more}.items()))
        path.chmod(0o600)
        done = subprocess.run(
            [sys.executable, SENDER, path], capture_output=True, text=True,
            input="".join(line + "\n" for line in lines), timeout=60,
            check=False)
        return done.stdout.split("\n")[1:-1]

    def test_each_line_arrives(self):
        self.broker.create("out", 1)
        self.assertEqual(["OK"] * 3, self._answers("out", LINES))
        self.assertEqual(LINES, self.broker.read("out", "%k\t%s"))

    def test_a_batch_arrives_when_the_broker_is_there_again(self):
        self.broker.create("again", 1)
        lines = ["BEGIN TRANSACTION", *LINES, "COMMIT TRANSACTION"]
        self.broker.stop()
        try:
            *_, last = self._answers("again", lines)
            self.assertRegex(last, "^Error: 0 of 3 delivered: .*down")
        finally:
            self.broker.start()
        self.assertEqual(["OK", *["DEFER_COMMIT"] * 3, "OK"],
                         self._answers("again", lines))
        self.assertEqual(LINES, self.broker.read("again", "%k\t%s"))

    def test_what_the_broker_refuses_for_good_is_put_aside(self):
        self.broker.create("small", 1, max_message_bytes=1000)
        large = "large\t" + 1000 * "x"
        self.assertEqual(["OK"] * 2, self._answers("small", [large, LINES[0]]))
        self.assertEqual(large + "\n",
                         (self.work.path / "rejected").read_text())
        self.assertEqual(LINES[:1], self.broker.read("small", "%k\t%s"))

    def test_a_wrong_password_confirms_nothing(self):
        self.broker.create("wrong", 1)
        answer, = self._answers("wrong", LINES[:1], **{"sasl.password": "x"})
        self.assertRegex(answer, "^Error: 0 of 1 delivered: ")

    def test_a_broker_of_another_name_gets_nothing(self):
        """Its certificate names 127.0.0.1 and not localhost."""
        self.broker.create("name", 1)
        here = self.broker.address.replace("127.0.0.1", "localhost")
        answer, = self._answers("name", LINES[:1], broker=here)
        self.assertRegex(answer, "^Error: 0 of 1 delivered: ")
        self.assertEqual([], self.broker.read("name", "%k"))
        self.assertEqual(["OK"], self._answers(
            "name", LINES[:1], broker=here,
            **{"ssl.endpoint.identification.algorithm": "none"}))
