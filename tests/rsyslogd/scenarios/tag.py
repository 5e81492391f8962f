"""A matching message is tagged; any other is left alone.

Messages with and without a syslog header pass mmsynctap. Those whose record
matches get $!synctap with status, count, alert and alerts; their text stays
as it was. Records of the wrong operation, of ordinary accounts, look-alikes,
other text, and a record that somebody parsed into $! before, come out byte
for byte and without the container.
"""

import unittest

from harness import Daemon, as_text
from records import HEADER, MODULE, audit, mmsynctap, target, text

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
PERSON = target("anna.berg@nordwind.example")

UNMATCHED = (
    text("a person", PERSON),
    text("no target"),
    text("another operation", SYNC, operation="Update user"),
    text("longer word", SYNC,
         operation="Admin registered security information"),
    text("look-alike", target("\uff33ync_HOST1@nordwind.example")),
    text("in the middle", target("xSync_HOST1@nordwind.example")),
    HEADER + text("a person behind a header", PERSON),
    HEADER + "su: Register security info for Sync_HOST1 is no record",
    "no header, no record",
    '{"operationName": {"value": "Register security info"}}',
    '{"records": []}',
)


class Tag(unittest.TestCase):
    """Without a ruleset for alerts, tagging is all that happens."""

    def test_a_match_is_tagged_and_keeps_its_text(self):
        for header in ("", HEADER, HEADER + "azurefunction: "):
            sent = header + text("one", SYNC)
            with self.subTest(header=header), \
                    Daemon(mmsynctap(), MODULE) as daemon:
                daemon.send([sent])
                original, = daemon.originals(1)
                self.assertEqual(original.raw, sent.encode())
                self.assertEqual(list(original.tree), ["synctap"])
                self._check_tag(original.tree["synctap"], ["one"])

    def test_every_row_of_a_message_is_in_its_tag(self):
        sent = as_text({"records": [
            audit("first", PERSON, SYNC, target("aadDirSync@x.example")),
            audit("second", PERSON), audit("third", SYNC)]})
        with Daemon(mmsynctap(), MODULE) as daemon:
            daemon.send([sent])
            original, = daemon.originals(1)
        self._check_tag(original.tree["synctap"], ["first", "first", "third"])
        self.assertEqual(
            [alert["target_upn"]
             for alert in original.tree["synctap"]["alerts"]],
            [SYNC["userPrincipalName"], "aadDirSync@x.example",
             SYNC["userPrincipalName"]])

    def _check_tag(self, tag, record_ids):
        self.assertEqual(set(tag), {"status", "count", "alert", "alerts"})
        self.assertEqual(tag["status"], "match")
        self.assertEqual(tag["count"], len(record_ids))
        self.assertEqual([alert["record_id"] for alert in tag["alerts"]],
                         record_ids)
        self.assertEqual(tag["alert"], tag["alerts"][0])

    def test_what_does_not_match_is_left_alone(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            daemon.send(UNMATCHED)
            originals = daemon.originals(len(UNMATCHED))
            daemon.wait_statistics("tap", messages=len(UNMATCHED), matched=0)
        for sent, original in zip(UNMATCHED, originals):
            self.assertEqual(original.raw, sent.encode())
            self.assertEqual(original.tree, {})

    def test_the_rest_of_the_tree_stays(self):
        rules = 'set $!site = "north"; set $!deep!er = 7;\n' + mmsynctap()
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC), text("two", PERSON)])
            tagged, untagged = daemon.originals(2)
        kept = {"site": "north", "deep": {"er": 7}}
        self.assertEqual(untagged.tree, kept)
        self._check_tag(tagged.tree.pop("synctap"), ["one"])
        self.assertEqual(tagged.tree, kept)

    def test_a_planted_tag_is_taken_off(self):
        """Also from messages that nothing speaks for, and in any case."""
        planted = {"status": "match", "count": 1, "alert": {"x": 1}}
        sent = [as_text({"message": "hello", "synctap": planted}),
                as_text({"message": "hello", "SYNCTAP": planted}),
                as_text({"message": "hello", "synctap": "match"}),
                as_text(dict(audit("two", PERSON), synctap=planted)),
                as_text(dict(audit("one", SYNC), synctap=planted))]
        rules = 'action(type="mmjsonparse" cookie="")\n' + mmsynctap()
        with Daemon(rules, MODULE + '\nmodule(load="mmjsonparse")') as daemon:
            daemon.send([HEADER + "azure: " + one for one in sent])
            *others, tagged = daemon.originals(len(sent))
        for original in others:
            self.assertEqual([], [name for name in original.tree
                                  if name.lower() == "synctap"])
        self.assertEqual("hello", others[0].tree["message"])
        self._check_tag(tagged.tree["synctap"], ["one"])

    def test_the_container_can_have_another_name(self):
        rules = mmsynctap('container="$!found!tap"')
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC), text("two", PERSON)])
            tagged, untagged = daemon.originals(2)
        self.assertEqual(untagged.tree, {})
        self.assertEqual(list(tagged.tree), ["found"])
        self._check_tag(tagged.tree["found"]["tap"], ["one"])

    def test_a_rule_can_route_by_the_tag(self):
        rules = mmsynctap() + """
        if $!synctap!status == "match" then { call alerts stop }"""
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC), text("two", PERSON)])
            routed, = daemon.alerts(1)
            other, = daemon.originals(1)
        self._check_tag(routed.tree["synctap"], ["one"])
        self.assertEqual(other.tree, {})

    def test_a_rule_can_take_the_alert_off_and_keep_the_alerts(self):
        rules = mmsynctap() + "unset $!synctap!alert;"
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC)])
            original, = daemon.originals(1)
        self.assertEqual(set(original.tree["synctap"]),
                         {"status", "count", "alerts"})
        self.assertEqual([alert["record_id"] for alert
                          in original.tree["synctap"]["alerts"]], ["one"])

    def test_what_a_rule_sets_in_the_alert_is_in_the_alerts(self):
        rules = mmsynctap() + 'set $!synctap!alert!site = "north";'
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC)])
            original, = daemon.originals(1)
        self.assertEqual(original.tree["synctap"]["alert"]["site"], "north")
        self._check_tag(original.tree["synctap"], ["one"])

    def test_the_record_can_be_in_a_property(self):
        rules = 'set $!payload = $msg; set $!site = "north";\n' \
            + mmsynctap('property="$!payload"')
        sent = [HEADER + "azurefunction: " + text("one", SYNC),
                HEADER + "azurefunction: " + text("two", PERSON)]
        with Daemon(rules, MODULE) as daemon:
            daemon.send(sent)
            tagged, untagged = daemon.originals(2)
        self._check_tag(tagged.tree["synctap"], ["one"])
        self.assertEqual(set(untagged.tree), {"payload", "site"})
