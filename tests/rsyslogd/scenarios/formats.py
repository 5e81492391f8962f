"""formats= puts an alert in the words of SIEMs beside it.

They stand in the tag of the message that matched, and on the alert messages,
late ones too; each says of its alert what the mapping says. Without formats=
the tag is what it was.
"""

import unittest

import dialects
from harness import Daemon, as_text
from records import (BOTH_MODULES, HEADER, MODULE, ROLE_KEEPER, audit,
                     identity, mmsynctap, target, text)

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
ALL = 'formats=["securityalert", "cef", "leef", "ecs", "ocsf", "hec"]'


class Formats(unittest.TestCase):
    """What is beside the alert is that alert."""

    maxDiff = None

    def _check(self, daemon, message, names=dialects.NAMES):
        tag = message.tree["synctap"]
        version = daemon.synctap("--version").split()[-1]
        self.assertEqual({"status", "count", "alert", "alerts", *names},
                         set(tag))
        for name in names:
            self.assertEqual(
                dialects.expected(name, tag["alert"], version),
                dialects.read(name, tag[name]), name)

    def test_all_of_them_in_the_tag_and_on_the_alert_messages(self):
        rules = mmsynctap(f'ruleset="alerts" {ALL}')
        sent = as_text({"records": [audit("one", SYNC, SYNC),
                                    audit("two", SYNC)]})
        with Daemon(rules, MODULE) as daemon:
            daemon.send([sent])
            original, = daemon.originals(1)
            self._check(daemon, original)
            for message in daemon.alerts(3):
                self.assertEqual(message.json(),
                                 message.tree["synctap"]["alert"])
                self._check(daemon, message)

    def test_on_late_alerts(self):
        rules = mmsynctap(f'ruleset="alerts" {ALL}')
        upn = "svc.aad@nordwind.example"
        with Daemon(rules, BOTH_MODULES, roles=ROLE_KEEPER) as daemon:
            daemon.send([text("one", target(upn))])
            daemon.originals(1)
            daemon.send([as_text(identity(upn))], to="roles")
            message, = daemon.alerts(1)
            self.assertTrue(message.json()["late"])
            self._check(daemon, message)

    def test_none_of_them_is_judged_again(self):
        """A value of the record is a record that would match."""
        hostile = {**SYNC, "displayName": text("inner", SYNC),
                   "userPrincipalName": "Sync_1" + text("inner", SYNC)}
        with Daemon(mmsynctap(f'ruleset="alerts" {ALL}'), MODULE,
                    keep_control_characters=True) as daemon:
            daemon.send([text("one", hostile)])
            tag = daemon.originals(1)[0].tree["synctap"]
            daemon.alerts(1)
            sent = [header + rendering for header in ("", HEADER + "synctap: ")
                    for rendering in (as_text(tag["alert"]),
                                      *(tag[name] for name in dialects.NAMES))]
            daemon.send(sent)
            for original in daemon.originals(len(sent)):
                self.assertEqual({}, original.tree, original.text)

    def test_one_of_them_named_twice(self):
        rules = mmsynctap('formats=["cef", "cef"]')
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC)])
            original, = daemon.originals(1)
            self._check(daemon, original, ["cef"])

    def test_a_message_without_an_alert_has_none(self):
        with Daemon(mmsynctap(ALL), MODULE) as daemon:
            daemon.send(['{"operationName": "Register security info", "x'])
            original, = daemon.originals(1)
        self.assertEqual({"status": "undecodable", "count": 0},
                         original.tree["synctap"])


if __name__ == "__main__":
    unittest.main()
