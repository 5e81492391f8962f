"""What shows an operation and cannot be decoded is never taken for no match.

A matching record of each shape, alone and in a container, is sent cut off
behind every one of its bytes. Before an operation's phrase is in the text
nothing happens; from the phrase on the message is tagged "undecodable" and
counted; from the byte on where a sync account is in the text too, by a name of
the rule or by UPN or id of the role list, an alert comes. Its confidence is
"degraded" until the record is whole, and then "exact".

Each message has a host name of its own, so that each alert tells which one it
came from.
"""

import collections
import json
import random
import unittest

import plain
import rendering
import ticks
from harness import Daemon, as_text
from plain import OBJECT_ID, OPERATION, PERSON_UPN, SYNC_UPN, target
from records import MODULE, audit, identity, mmsynctap, text

PERSON = target(PERSON_UPN)
SHAPES = {"A": rendering.diagnostic_record, "B": rendering.log_analytics_row,
          "C": rendering.directory_audit}

# (begin, end) of what is around the record
ALONE = ("", "")
RECORDS = ('{"records":[', "]}")
VALUE = ('{"value": [', "]}")
ARRAY = ("[", "]")


def header(host):
    """Write a syslog header."""
    return f"<134>Jun  1 12:00:00 {host} azurefunction: "


class Cuts:
    """The texts that one record leaves when it is cut off.

    shown: what tells the sync account. around: the container. order: chooses
    the order of the keys. In each text the record has an id of its own, so
    that none is the duplicate of another.
    """

    def __init__(self, name, one, shown, around=ALONE, order="plain"):
        self.name = name
        self._target, self._around, self._order = one, around, order
        whole = self.text(0)
        self.phrase = whole.index(OPERATION) + len(OPERATION)
        self.account = whole.index(shown) + len(shown)
        self.end = len(whole) - len(around[1])
        self.length = len(whole)

    def text(self, number):
        """Write the whole text with the record of that number."""
        row = plain.row(self._target, TimeGenerated=START,
                        Id=f"{self.name}_{number:06d}")
        record = SHAPES[self.name[0]](row, random.Random(self._order))
        return json.dumps(record).join(self._around)

    def messages(self):
        """Write a message for each length."""
        return [header(f"{self.name}-{length}") + self.text(length)[:length]
                for length in self.lengths()]

    def lengths(self):
        """Give all lengths but none."""
        return range(1, self.length + 1)

    def statuses(self):
        """Give the status with which each length is tagged."""
        return {length: None if length < self.phrase
                else "match" if length >= self.end else "undecodable"
                for length in self.lengths()}

    def confidences(self):
        """Give the confidence of the alert of each length that has one."""
        first = max(self.phrase, self.account)
        return {length: "exact" if length >= self.end else "degraded"
                for length in range(first, self.length + 1)}


START = ticks.now()
HYPHENS = "On-Premises Directory Synchronization"
BY_UPN, BY_ID = "SVC.aad@nordwind.example", OBJECT_ID

# A name begins with its shape's.
CUTS = [
    *(Cuts(name, target(), "Sync_") for name in SHAPES),
    Cuts("A-in-records", target(), "Sync_", RECORDS),
    Cuts("B-in-array", target(), "Sync_", ARRAY),
    Cuts("C-in-value", target(), "Sync_", VALUE),
    # The account comes before the operation.
    Cuts("A-turned", target(), "Sync_", order="order 23"),
    Cuts("B-turned", target(), "Sync_", order="order 11"),
    Cuts("C-turned", target(), "Sync_", order="order 38"),
    Cuts("A-dirsync", target("svcDirSync@nordwind.example"), "DirSync"),
    Cuts("A-phrase", target(HYPHENS + "@nordwind.example"), HYPHENS),
    Cuts("A-upn", target(BY_UPN), BY_UPN),
    Cuts("C-id", target(PERSON_UPN, BY_ID), BY_ID),
]


# To the query's semantics one record is enough: it is cut in the same way.
SENT = {"wide": CUTS, "kql": CUTS[:1]}


class CutOff(unittest.TestCase):
    """All texts go through one daemon for each semantics."""

    runs = {}

    def _run(self, semantics):
        """Send all texts, once, and keep what came."""
        if semantics not in self.runs:
            self.runs[semantics] = None  # in case that it fails
            self.runs[semantics] = self._send(semantics)
        self.assertTrue(self.runs[semantics], "the daemon failed before")
        return self.runs[semantics]

    @staticmethod
    def _send(semantics):
        daemon = Daemon(mmsynctap('ruleset="alerts"', semantics), MODULE)
        path = daemon.write("ids.jsonl", as_text(identity(
            "svc.aad@nordwind.example", BY_ID)))
        daemon.synctap("identity", "import", "--database",
                       daemon.work.path / "synctap.db", path)
        with daemon:
            for cuts in SENT[semantics]:
                daemon.send(cuts.messages())
            originals = daemon.originals(sum(
                cuts.length for cuts in SENT[semantics]))
            counters = daemon.counters("tap")
            return originals, daemon.stop().alerts, counters

    def _compare(self, expected, got):
        """Compare by length, telling the lengths that differ."""
        wrong = {length: (expected.get(length), got.get(length))
                 for length in sorted(expected | got)
                 if expected.get(length) != got.get(length)}
        self.assertEqual({}, wrong, "length: (expected, got)")

    @staticmethod
    def _of(cuts, messages):
        """Give the messages of a record, by their length."""
        found = [(message.hostname.rpartition("-"), message)
                 for message in messages]
        return {int(length): message for (name, _, length), message in found
                if name == cuts.name}

    def check_tags(self, cuts, semantics):
        originals, _, _ = self._run(semantics)
        self._compare(cuts.statuses(), {
            length: message.tree.get("synctap", {}).get("status")
            for length, message in self._of(cuts, originals).items()})

    def check_alerts(self, cuts, semantics):
        _, alerts, _ = self._run(semantics)
        self._compare(cuts.confidences(), {
            length: message.json()["confidence"]
            for length, message in self._of(cuts, alerts).items()})

    def test_each_text_makes_one_alert_at_most(self):
        for semantics in SENT:
            _, alerts, _ = self._run(semantics)
            twice = collections.Counter(alert.hostname for alert in alerts)
            self.assertEqual([], [host for host, count in twice.items()
                                  if count > 1])

    def test_all_is_counted(self):
        for semantics, sent in SENT.items():
            _, _, counters = self._run(semantics)
            statuses = [status for cuts in sent
                        for status in cuts.statuses().values()]
            confidences = [confidence for cuts in sent
                           for confidence in cuts.confidences().values()]
            expected = {
                "messages": len(statuses),
                "matched": statuses.count("match"),
                "undecodable": statuses.count("undecodable"),
                "alerts": len(confidences),
                "degraded_alerts": confidences.count("degraded")}
            self.assertEqual(expected, {name: counters[name]
                                        for name in expected}, semantics)


def _add_tests(cuts, semantics):
    name = f"{cuts.name.replace('-', '_')}_in_{semantics}"
    setattr(CutOff, f"test_tags_of_{name}",
            lambda self: self.check_tags(cuts, semantics))
    setattr(CutOff, f"test_alerts_of_{name}",
            lambda self: self.check_alerts(cuts, semantics))


for _semantics, _sent in SENT.items():
    for _cuts in _sent:
        _add_tests(_cuts, _semantics)


class Broken(unittest.TestCase):
    """Texts that cannot be read for other reasons."""

    def _send(self, *texts, count=0):
        """Send texts; give the originals' trees and that many alerts."""
        with Daemon(mmsynctap('ruleset="alerts"', "wide"), MODULE) as daemon:
            daemon.send([header("edge7") + one for one in texts])
            originals = daemon.originals(len(texts))
            alerts = daemon.alerts(count)
            self.counters = daemon.counters("tap")
        for original, one in zip(originals, texts):
            self.assertEqual(header("edge7") + one, original.raw.decode())
        return [original.tree for original in originals], alerts

    def _statuses(self, *texts):
        """Give the status of each text, of which none makes an alert."""
        trees, _ = self._send(*texts)
        return [tree.get("synctap", {}).get("status") for tree in trees]

    def test_an_operation_without_a_sync_account_makes_no_alert(self):
        whole = text("one", PERSON)
        self.assertEqual(["undecodable"] * 2,
                         self._statuses(whole[:-1], whole[:-200]))
        self.assertEqual(2, self.counters["undecodable"])
        self.assertEqual(0, self.counters["degraded_alerts"])

    def test_a_sync_account_without_an_operation_is_left_alone(self):
        whole = text("one", target(), operation="Update user")
        self.assertEqual([None] * 2, self._statuses(whole[:-1], whole[:-20]))
        self.assertEqual(0, self.counters["undecodable"])

    def test_a_text_without_a_bracket_before_the_phrase_is_left_alone(self):
        self.assertEqual([None] * 2, self._statuses(
            "su: Register security info for Sync_HOST1",
            'Register security info, Sync_HOST1: {"a": '))

    def test_whole_records_of_another_kind_are_left_alone(self):
        """Though they show both, in places that are none of the rule's."""
        sign_in = {"category": "SignInLogs",
                   "operationName": "Sign-in activity",
                   "properties": {"userPrincipalName": SYNC_UPN,
                                  "resource": "Register security info"}}
        activity = {"operationName": {"value": "Register security info"},
                    "caller": SYNC_UPN}
        self.assertEqual([None] * 3, self._statuses(*map(as_text, (
            sign_in, activity, {"records": [sign_in, activity]}))))

    def test_an_actor_who_is_a_sync_account_counts_until_it_is_whole(self):
        record = audit("one", PERSON)
        properties = record["properties"]
        properties["initiatedBy"]["user"]["userPrincipalName"] = SYNC_UPN
        whole = as_text(record)
        trees, alerts = self._send(whole[:whole.index("targetResources")],
                                   whole, count=1)
        self.assertEqual("degraded", alerts[0].json()["confidence"])
        self.assertEqual({}, trees[1])

    def test_a_degraded_alert_tells_what_can_be_read(self):
        trees, alerts = self._send(text("one", target())[:-1], count=1)
        alert = alerts[0].json()
        self.assertEqual(
            {"confidence": "degraded", "operation_name": OPERATION,
             "target_upn": SYNC_UPN, "rule_name":
                 "TAP Added to Entra Connector Account (Backdoor)"},
            {key: alert[key] for key in ("confidence", "operation_name",
                                         "target_upn", "rule_name")})
        self.assertEqual("undecodable", trees[0]["synctap"]["status"])
        self.assertEqual(alerts[0].tree["synctap"]["alert"], alert)

    def test_a_record_that_is_nested_too_deep(self):
        deep = [text(f"behind {depth}", target())[:-1]
                + ', "deep": ' + "[" * depth + "]" * depth + "}"
                for depth in (40, 10000)]
        deep += ['{"deep": ' + '{"a":' * depth + "1" + "}" * depth + ", "
                 + text(f"in front {depth}", target())[1:]
                 for depth in (40, 10000)]
        trees, alerts = self._send(*deep, count=4)
        self.assertEqual(["degraded"] * 4, [alert.json()["confidence"]
                                            for alert in alerts])
        self.assertEqual(["undecodable"] * 4, [
            tree["synctap"]["status"] for tree in trees])

    def test_a_record_that_is_not_too_deep(self):
        whole = text("one", target())
        _, alerts = self._send(
            whole[:-1] + ', "deep": ' + "[" * 20 + "]" * 20 + "}", count=1)
        self.assertEqual("exact", alerts[0].json()["confidence"])

    def test_a_record_in_more_strings_than_are_opened(self):
        texts = []
        for levels in (4, 5, 6):
            wrapped = text(f"in {levels}", target())
            for _ in range(levels):
                wrapped = as_text({"message": wrapped})
            texts.append(wrapped)
        trees, alerts = self._send(*texts, count=3)
        self.assertEqual(["degraded"] * 3, [alert.json()["confidence"]
                                            for alert in alerts])
        self.assertEqual(["undecodable"] * 3, [
            tree["synctap"]["status"] for tree in trees])

    def test_escapes_hide_nothing_in_a_broken_record(self):
        whole = text("one", target())
        hidden = whole.replace("security", "\\u0053ecurity")
        hidden = hidden.replace("Sync_", "\\u0053ync\\u005f")
        for level in range(3):
            _, alerts = self._send(hidden[:-10], count=1)
            self.assertEqual("degraded", alerts[0].json()["confidence"],
                             hidden)
            hidden = as_text({"message": hidden})

    def test_a_broken_record_beside_good_ones(self):
        good = [text(name, target()) for name in ("first", "last")]
        broken = text("broken", target("svc-dirsync@nordwind.example"))
        for one in (broken.replace('"properties": {', '"properties" {'),
                    broken.replace(', "loggedBy', ', , "loggedBy'),
                    broken.replace('"result": "success"', '"result": ')):
            self.assertNotEqual(one, broken)
            trees, alerts = self._send('{"records":[' + ", ".join(
                (good[0], one, good[1])) + "]}", count=3)
            found = [alert.json() for alert in alerts]
            self.assertEqual(["first", "last"], [
                alert["record_id"] for alert in found
                if alert["confidence"] == "exact"])
            self.assertEqual(["svc-dirsync@nordwind.example"], [
                alert["target_upn"] for alert in found
                if alert["confidence"] == "degraded"])
            self.assertEqual("match", trees[0]["synctap"]["status"])

    def test_a_broken_record_of_another_kind_beside_a_good_one(self):
        other = text("other", PERSON, operation="Update user")[:-5]
        _, alerts = self._send(
            text("one", target()) + other + text("two", target()), count=2)
        self.assertEqual([("one", "exact"), ("two", "exact")], [
            (alert.json()["record_id"], alert.json()["confidence"])
            for alert in alerts])
        self.assertEqual(0, self.counters["degraded_alerts"])
