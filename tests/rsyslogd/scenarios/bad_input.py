"""Bad input and a bad database stop nothing, and are said once.

Between two good records come broken ones, bytes that are no text, values of
the wrong kind, and records of millions of bytes: all messages go on as they
came, the good ones are found, and what shows an operation but cannot be read
is counted. A database that is a directory, no database, or read-only leaves
the naming rules to work; that is counted too. However many messages are
concerned, the log gets one line.
"""

import unittest

from harness import Daemon, as_text
from plain import PERSON_UPN, target
from records import MODULE, audit, identity, ids, mmsynctap, text

REROUTE = mmsynctap('ruleset="alerts"', "wide")
SYNC, PERSON = target(), target(PERSON_UPN)
ROLE_UPN = "svc.aad@nordwind.example"

NOISE = (
    b"{", b"[", b"}", b"\"", b"{}", b"[]", b"null", b"{\"a\": ",
    b"[" * 5000, b"{\"a\":" * 5000, b"{" * 5000, b"\\" * 5000,
    b"\xff\xfe\xfd", b"\0\0\0", b"{\"operationName\": \"\xc3\x28\"}",
    b"{\"operationName\": \"\\ud800\", \"\\udfff\": \"\\u0000\"}",
    b"{'operationName': 'x', /* no */ }", b"{\"a\": NaN, \"b\": 1e999}",
    b"{\"a\": 1, \"a\": 2}", b"\xef\xbb\xbf", b"<134>", b"<134>{",
)

WRONG_KINDS = (5, -1.5e300, True, None, {}, [], {"a": []}, [[1]], "", "x")


def records_of_wrong_kinds():
    """Make records in which one value is not what it should be."""
    for wrong in WRONG_KINDS:
        for name in ("time", "operationName", "properties", "tenantId",
                     "resourceId", "callerIpAddress", "correlationId"):
            yield dict(audit(f"wrong {name}", PERSON), **{name: wrong})
        for name in ("id", "result", "resultReason", "initiatedBy",
                     "targetResources", "activityDisplayName"):
            record = audit(f"wrong {name}", PERSON)
            record["properties"][name] = wrong
            yield record
        for name in ("id", "userPrincipalName", "modifiedProperties"):
            yield audit("wrong target", dict(PERSON, **{name: wrong}))


def has_unreadable_targets(record):
    """Is there a target that is neither an object nor blank?"""
    properties = record["properties"]
    if not isinstance(properties, dict):
        return properties == "x"
    targets = properties.get("targetResources")
    return targets in (5, -1.5e300, True, [[1]], "x")


def beside_the_start(daemon):
    """Give what mmsynctap said beside what each start says (start_lines)."""
    return [line for line in daemon.said("mmsynctap")
            if "' begins: rule " not in line.text
            and "is empty: the naming rules alone judge" not in line.text]


class Records(unittest.TestCase):
    """Bad ones are sent between two good ones."""

    def _send(self, messages, **more):
        """Send messages between two good records; give the originals.

        The good ones, and they alone, make alerts.
        """
        good = [text(name, SYNC).encode() for name in ("first", "last")]
        with Daemon(REROUTE, MODULE, **more) as daemon:
            daemon.send([good[0], *messages, good[1]], framing="octet")
            originals = daemon.originals(len(messages) + 2)
            self.assertEqual(["first", "last"], ids(daemon.alerts(2)))
            self.counters = daemon.counters("tap")
            self.lines = beside_the_start(daemon)
        self.assertEqual(["match"] * 2, [
            originals[at].tree["synctap"]["status"] for at in (0, -1)])
        return originals[1:-1]

    def _check_passed(self, messages, **more):
        """Expect that messages go by untouched, without a word."""
        passed = self._send(messages, **more)
        self.assertEqual([{}] * len(messages),
                         [original.tree for original in passed])
        self.assertEqual((0, []), (self.counters["undecodable"], self.lines))
        return [original.raw for original in passed]

    def test_noise_goes_by_untouched(self):
        got = self._check_passed(NOISE)
        with Daemon() as alone:
            alone.send(NOISE, framing="octet")
            expected = [one.raw for one in alone.originals(len(NOISE))]
        self.assertEqual(expected, got)

    def test_wrong_kinds_of_values_are_no_match_and_no_error(self):
        sent = [as_text(record).encode()
                for record in records_of_wrong_kinds()
                if not has_unreadable_targets(record)]
        self.assertEqual(sent, self._check_passed(sent))

    def test_targets_that_are_none_are_undecodable(self):
        sent = [as_text(record).encode()
                for record in records_of_wrong_kinds()
                if has_unreadable_targets(record)]
        self.assertGreater(len(sent), 0)
        for original in self._send(sent):
            self.assertEqual("undecodable",
                             original.tree["synctap"]["status"])

    def test_a_large_record_that_matches(self):
        large = audit("large", PERSON, SYNC)
        large["properties"]["additionalDetails"] = [
            {"key": f"detail {number}", "value": "x" * 80}
            for number in range(20000)]
        sent = as_text(large)
        self.assertGreater(len(sent), 2_000_000)
        with Daemon(REROUTE, MODULE) as daemon:
            daemon.send([sent])
            original, = daemon.originals(1)
            alert, = daemon.alerts(1)
        self.assertEqual(sent.encode(), original.raw)
        self.assertEqual(("large", "exact"), (alert.json()["record_id"],
                                              alert.json()["confidence"]))

    def test_a_large_record_that_does_not_match(self):
        large = audit("large", PERSON)
        large["note"] = "\u00fc" * 1_000_000
        self.assertEqual([as_text(large).encode()],
                         self._check_passed([as_text(large).encode()]))

    def test_ten_thousand_records_in_a_message(self):
        short = {"activityDisplayName": "Update user", "targetResources": []}
        records = [short] * 9998 + [audit("near the end", SYNC), short]
        sent = as_text({"records": records})
        with Daemon(REROUTE, MODULE) as daemon:
            daemon.send([sent])
            daemon.originals(1)
            alert, = daemon.alerts(1)
        self.assertEqual(("near the end", "exact"), (
            alert.json()["record_id"], alert.json()["confidence"]))

    def test_nul_bytes_and_invalid_utf8_beside_what_the_rule_reads(self):
        one, two, three, four, five = (
            text(f"record {number}", SYNC).encode() for number in range(5))
        sent = [b"\0" + one, two + b"\0", three.replace(b"{", b"{\0", 1),
                four.replace(b"Authentication", b"\xff\xc3\x28"),
                b"\xef\xbb\xbf" + five]
        for keep in (False, True):
            with self.subTest(keep_control_characters=keep), \
                    Daemon(REROUTE, MODULE,
                           keep_control_characters=keep) as daemon:
                daemon.send(sent, framing="octet")
                daemon.originals(len(sent))
                self.assertEqual(["exact"] * len(sent), [
                    alert.json()["confidence"]
                    for alert in daemon.alerts(len(sent))])

    def test_a_line_break_in_a_document_however_rsyslog_writes_it(self):
        sent = text("one", SYNC).replace(", \"", ",\r\n\t\"")
        for keep in (False, True):
            with self.subTest(keep_control_characters=keep), \
                    Daemon(REROUTE, MODULE,
                           keep_control_characters=keep) as daemon:
                daemon.send([sent], framing="octet")
                daemon.originals(1)
                self.assertEqual(
                    "exact", daemon.alerts(1)[0].json()["confidence"])

    def test_many_broken_records_are_counted_and_said_once(self):
        sent = [text(f"broken {number}", PERSON)[:-1].encode()
                for number in range(500)]
        passed = self._send(sent)
        self.assertEqual(sent, [original.raw for original in passed])
        self.assertEqual({"undecodable"}, {
            original.tree["synctap"]["status"] for original in passed})
        self.assertEqual(500, self.counters["undecodable"])
        self.assertEqual(1, len(self.lines), self.lines)
        self.assertRegex(self.lines[0].text, "'?tap'?.*undecodable")


class Databases(unittest.TestCase):
    """The daemon starts with a database that it cannot use."""

    def _check(self, daemon, *expected):
        """Expect these statuses of a named, a listed and another account."""
        sent = [text("named", SYNC), text("listed", target(ROLE_UPN)),
                *(text(f"other {number}", PERSON) for number in range(300))]
        with daemon:
            daemon.send(sent)
            originals = daemon.originals(len(sent))
            daemon.alerts(len([status for status in expected if status]))
            counters = daemon.counters("tap")
            lines = beside_the_start(daemon)
        self.assertEqual([one.encode() for one in sent],
                         [original.raw for original in originals])
        self.assertEqual([*expected, *[None] * 300], [
            original.tree.get("synctap", {}).get("status")
            for original in originals])
        self.assertGreater(counters["state_errors"], 0)
        self.assertEqual(1, len(lines), lines)
        self.assertIn("synctap.db", lines[0].text)

    def test_a_directory(self):
        daemon = Daemon(REROUTE, MODULE)
        path = daemon.work.path / "synctap.db"
        path.mkdir()
        path.chmod(0o777)
        self._check(daemon, "match", None)

    def test_no_database(self):
        daemon = Daemon(REROUTE, MODULE)
        daemon.write("synctap.db", "Sync_ is all that stands here.\n" * 500)
        self._check(daemon, "match", None)

    def test_a_database_that_is_cut_off(self):
        daemon = Daemon(REROUTE, MODULE)
        path = self._import(daemon)
        daemon.write("synctap.db", path.read_bytes()[:5000])
        self._check(daemon, "match", None)

    def test_a_database_that_can_only_be_read(self):
        """It is read: what the role list says still counts."""
        daemon = Daemon(REROUTE, MODULE)
        self._import(daemon).chmod(0o444)
        self._check(daemon, "match", "match")

    @staticmethod
    def _import(daemon):
        """Import a role list; give the path of the database."""
        path = daemon.work.path / "synctap.db"
        daemon.synctap("identity", "import", "--database", path, daemon.write(
            "ids.jsonl", as_text(identity(ROLE_UPN))))
        return path
