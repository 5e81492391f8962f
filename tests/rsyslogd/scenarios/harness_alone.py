"""The tools of the scenarios work, on an rsyslogd without synctap.

A message goes in by either framing and comes out byte for byte, with its
tree; another ruleset has a copy that RainerScript made into an "alert". The
daemon counts, takes HUP, runs forked and in the foreground, and stops clean.
It can be killed, and another started in the same directory, which finds what
the first has left there. A daemon that dies, a message that never comes and
one that nobody expected are each told as what they are; a wrong configuration
is refused.
"""

import os
import signal
import unittest

import harness
from harness import Daemon

RULES = """
if $msg contains "hit" then {
  set $!synctap!status = "match";
  set $!synctap!count = 1;
  call alerts
}
"""


class HarnessAlone(unittest.TestCase):
    """No module of synctap is loaded here."""

    def test_messages_come_out_as_they_went_in(self):
        sent = [b'<134>Jun  1 12:00:00 azurefunction app: {"a": "hit"}',
                b'{"time":"x", "b": "\\u0000\\n \xff\xc3\xa9/\\"\\\\"}',
                b'{"c": "' + b"x" * 3_000_000 + b'"}']
        with Daemon(RULES) as daemon:
            daemon.send(sent)
            daemon.send(sent, framing="octet", lane=1)
            originals = daemon.originals(6)
            alerts = daemon.alerts(2)
        self.assertEqual(sorted(sent * 2),
                         sorted(message.raw for message in originals))
        self.assertEqual([alert.json() for alert in alerts],
                         [{"a": "hit"}] * 2)
        self.assertEqual(alerts[0].hostname, "azurefunction")
        self.assertEqual((alerts[0].facility, alerts[0].severity),
                         ("local0", "info"))
        self.assertEqual(alerts[0].tree,
                         {"synctap": {"status": "match", "count": 1}})
        self.assertEqual([{}] * 4, [message.tree for message in originals
                                    if message.raw != sent[0]])

    def test_line_breaks_stay_when_they_are_wanted(self):
        record = b'{\n\t"a": 1\n}'
        with Daemon(keep_control_characters=True) as daemon:
            daemon.send([record], framing="octet")
            self.assertEqual(record, daemon.originals(1)[0].raw)

    def test_hup_statistics_and_both_ways_of_running(self):
        for forked in (False, True):
            with self.subTest(forked=forked), \
                    Daemon(RULES, forked=forked) as daemon:
                daemon.send(["before"])
                daemon.originals(1)
                daemon.hup()
                daemon.send(["after"])
                daemon.originals(1)
                daemon.wait_statistics("imtcp(0)", submitted=2)

    def test_what_nobody_expected_is_told(self):
        with self.assertRaisesRegex(AssertionError, "not expected.*hit"):
            with Daemon(RULES) as daemon:
                daemon.send(['{"a":"hit"}'])
                daemon.originals(1)

    def test_the_end_of_the_daemon_is_told(self):
        daemon = Daemon(RULES)
        with self.assertRaisesRegex(AssertionError, "got 0.*has ended"):
            with daemon:
                os.kill(daemon._pid, signal.SIGKILL)
                daemon.originals(1)
        daemon.work.remove()

    def test_what_was_true_once_has_come(self):
        seen = iter([True, False])
        with Daemon(RULES) as daemon:
            self.assertTrue(daemon.collector.wait(lambda: next(seen)))

    def test_a_killed_daemon_is_followed_by_another(self):
        own = f"""{harness.settings()}
module(load="imfile")
{harness.listen("incoming")}
input(type="imfile" file="@WORK@/lines" tag="lines" ruleset="incoming")
ruleset(name="incoming") {{ @ORIGINALS@ }}"""
        daemon = Daemon(own=own)
        daemon.write("lines", "first\n")
        with daemon:
            self.assertEqual(daemon.originals(1)[0].text, "first")
            self.assertEqual(-signal.SIGKILL, daemon.kill())
            self.assertEqual({}, daemon.statistics("imtcp(0)"))
            daemon.start()
            daemon.send(["second"])
            self.assertEqual({"first", "second"}, {
                original.text for original in daemon.originals(2)})
            daemon.end()
            daemon.start()
            daemon.send(["third"])
            self.assertEqual(daemon.originals(1)[0].text, "third")
            daemon.restart()

    def test_a_wrong_configuration_is_refused(self):
        self.assertEqual(0, harness.check_config(RULES)[0])
        status, words = harness.check_config('action(type="omnothing")')
        self.assertNotEqual(0, status)
        self.assertIn("omnothing", words)
        for forked in (False, True):
            daemon = Daemon('action(type="omnothing")', forked=forked)
            with self.subTest(forked=forked), \
                    self.assertRaisesRegex(AssertionError, "omnothing"):
                with daemon:
                    self.fail("it started")
            daemon.work.remove()
