"""`--format` of query and replay: each alert in each SIEM's own words.

Each rendering is read back by a reader written from its format's own text,
and must be what the mapping says of the alert, whatever a record carries.
SYNCTAP_DIALECT_TENANTS raises the number of random tenants.
"""

import json
import os
import pathlib
import random
import re
import tempfile
import unittest

import command
import dialects
import plain
import rendering
import tenant
import ticks
import wrappings
from command import allowed_statuses, synctap
from replayed import UPN, ReplayTest, audit, given_role, late_story
from test_query_random_tenants import SPAN

TENANTS = int(os.environ.get("SYNCTAP_DIALECT_TENANTS", "12"))
VERSION = synctap("--version").output.split()[-1]
NOW = ticks.render(plain.NOW)

# What a field may be made to hold; the same kinds as an attacker would try.
HOSTILE = {
    "a CEF header": "Eve\nCEF:0|evil|evil|1|1|evil|10|act=none",
    "a CEF header alone": "CEF:10|a|b|c|d|e|1|x=y CEF:0|CEF:x|CEF:",
    "a carriage return": "Eve\r\nX: y\r",
    "a tab": "Eve\tusrName=admin\t",
    "pipes": "Eve|10|act=none|",
    "equals": "Eve act=none =msg=none src=203.0.113.99",
    "a backslash": "Eve\\",
    "escapes of CEF": "Eve\\n\\=\\|\\\\act\\=none",
    "a LEEF header": "LEEF:1.0|a|b|c|d|x=y",
    "JSON": '","severity":"Low","x":"',
    "markup": "</script><script>alert(1)</script>&amp;",
    "a terminal's orders": "\x1b[2J\x1b]0;t\x07 a\x9b31m \x7f",
    "another direction": "\u202emoc.osotnoc@eve",
    "a NUL": "Eve\0admin",
    "separators of lines": "Eve\u2028x\u2029y\x85z\x0bv\x0cf",
    "templates": "{{TargetUpn}} %s %n ${x} $!x %$!synctap%",
    "blanks": "  Eve  ",
    "many": "A" * 5000,
    "many of two bytes": "A" + "\u00e9" * 3000,
    "many of four bytes": "B" + "\U0001f600" * 1500,
    "an address of mail": "e.v+e'@contoso.example",
    "an address that is none": "eve@contoso@example",
    "IPv6": "2001:db8::c0a8:1",
    "IPv6 with a zone": "fe80::1%eth0",
    "IPv4": "203.0.113.7",
    "IPv4 with a port": "203.0.113.7:443",
}


def hostile_values():
    """Give the corpus: our own, and the shared one if it is there."""
    shared = pathlib.Path(__file__).resolve().parents[3] / \
        "shared/data/hostile-names.json"
    return {**HOSTILE, **(json.loads(shared.read_text())
                          if shared.exists() else {})}


def hostile_record(number, value, upn=None, **more):
    """Make a record all of whose texts are that value, or end in it.

    upn: the target's, in the place of a sync account's that ends in it.
    """
    upn = plain.SYNC_UPN + value if upn is None else upn
    record = audit(
        number, {"id": value, "displayName": value, "type": "User",
                 "userPrincipalName": upn, "modifiedProperties": [
                     {"displayName": value, "oldValue": value,
                      "newValue": json.dumps(value)}]},
        InitiatedBy={"user": {"id": value, "displayName": value,
                              "userPrincipalName": value,
                              "ipAddress": value, "roles": []}},
        Result=value, Reason=value, **more)
    return {**record, "Id": f"record {number} {value}",
            "CorrelationId": value, "LoggedByService": value,
            "TenantId": value}


class DialectTest(ReplayTest):
    """A test that compares the renderings of alerts with the mapping."""

    maxDiff = None

    def check(self, *arguments, statuses=(0,)):
        """Replay in each dialect and compare; give the alerts."""
        alerts = command.replay(*arguments, statuses=statuses)
        for name in dialects.NAMES:
            done = synctap("replay", "--semantics", "kql", "--format", name,
                           *arguments)
            self.assertIn(done.status, statuses, done.words)
            self.compare(name, alerts, done.output.split("\n")[:-1])
        return alerts

    def compare(self, name, alerts, lines):
        """Compare renderings with what the mapping says."""
        self.assertEqual(len(alerts), len(lines), name)
        for alert, line in zip(alerts, lines):
            self.assertEqual(dialects.expected(name, alert, VERSION),
                             dialects.read(name, line),
                             f"{name} of {alert}")


class Alerts(DialectTest):
    """An alert is in each dialect what the mapping says."""

    def test_an_alert_with_all_it_may_have(self):
        ends = json.dumps({"endDateTime": "2026-06-02T12:00:00Z"})
        record = audit(1, {**plain.target(), "modifiedProperties": [
            {"displayName": "TemporaryAccessPass", "newValue": ends}]})
        alert, = self.check("--now", NOW, self.file(record))
        self.assertEqual("temporary_access_pass", alert["method"])

    def test_a_late_alert(self):
        alert, = self.check(self.file(*late_story()))
        self.assertTrue(alert["late"])

    def test_a_degraded_alert(self):
        whole = json.dumps(audit(1))
        broken = whole[:whole.index(plain.SYNC_UPN)
                       + len(plain.SYNC_UPN) + 1]
        alert, = self.check("--now", NOW, self.file(broken), statuses=(1,))
        self.assertEqual("degraded", alert["confidence"])

    def test_an_app_as_the_actor(self):
        alert, = self.check("--now", NOW, self.file(audit(1, InitiatedBy={
            "app": {"displayName": "Provisioning", "appId": "a",
                    "servicePrincipalId": "s"}})))
        self.assertEqual("Provisioning", alert["actor"])

    def test_addresses_of_all_kinds(self):
        for address in ("2001:db8::1", "::ffff:203.0.113.9", "", "10.0.0.1",
                        "unknown", "::1%lo", "1.2.3", "10.0.0.1:80"):
            with self.subTest(address=address):
                who = plain.initiator()
                who["user"]["ipAddress"] = address
                self.check("--now", NOW, self.file(audit(
                    1, InitiatedBy=who)))

    def test_an_alert_without_most_of_it(self):
        self.check("--now", NOW, self.file({
            "Type": "AuditLogs", "OperationName": plain.OPERATION,
            "TargetResources": [{"userPrincipalName": "Sync_1"}]}))

    def test_without_incidents(self):
        alert, = self.check("--now", NOW, "--incident-window", "0",
                            self.file(audit(1)))
        self.assertIsNone(alert["incident"])


class Hostile(DialectTest):
    """No value of a record adds a field, a line, a header or an element."""

    def test_every_value_in_every_field(self):
        values = hostile_values()
        records = [hostile_record(n, value)
                   for n, value in enumerate(values.values(), 1)]
        alerts = self.check("--now", NOW, self.file(*records))
        self.assertEqual(len(values), len(alerts))

    def test_every_value_in_a_late_alert(self):
        values = hostile_values()
        alerts = self.check(self.file(*(
            hostile_record(n, value, UPN, received=0)
            for n, value in enumerate(values.values(), 1)), given_role(
                at=30 * ticks.MINUTE, received=30 * ticks.MINUTE)))
        self.assertEqual([True] * len(values),
                         [alert["late"] for alert in alerts])

    def test_every_value_in_a_degraded_alert(self):
        """Of a record that was cut behind its target's name."""
        values = hostile_values()
        wholes = [json.dumps(hostile_record(n, value, plain.SYNC_UPN))
                  for n, value in enumerate(values.values(), 1)]
        alerts = self.check("--now", NOW, self.file(*(
            whole[:whole.index(plain.SYNC_UPN) + len(plain.SYNC_UPN) + 1]
            for whole in wholes)), statuses=(1,))
        self.assertEqual(["degraded"] * len(values),
                         [alert["confidence"] for alert in alerts])


class RandomTenants(DialectTest):
    """Whatever a tenant's records look like."""

    def test_all_alerts(self):
        judged = 0
        for seed in range(TENANTS):
            with tempfile.TemporaryDirectory() as directory:
                judged += len(self._check_tenant(pathlib.Path(directory),
                                                 seed))
        self.assertGreater(judged, TENANTS)

    def _check_tenant(self, directory, seed):
        now = random.Random(f"now {seed}").randrange(*SPAN)
        made = tenant.random_tenant(seed, now)
        rng = rendering.rendering_of(seed)
        audits = rendering.write_files(
            directory, "audits", rendering.audit_records(made.audits, rng),
            rng)
        roles = rendering.write_files(
            directory, "ids", [rendering.identity_row(row, rng)
                               for row in made.identities], rng)
        return self.check("--now", ticks.render(now), *(
            word for path in roles for word in ("--identity", path)),
            *audits, statuses=(0, *allowed_statuses(made)))


class Query(DialectTest):
    """A row of the query is told of as its alert."""

    def test_the_rows_newest_first(self):
        path = self.file(audit(1, at=-2 * ticks.HOUR), audit(2))
        for name in dialects.NAMES:
            done = synctap("query", "--semantics", "kql", "--now", NOW,
                           "--format", name, path)
            self.assertEqual(0, done.status, done.words)
            alerts = [{**alert, "incident": None, "detected_at": NOW}
                      for alert in command.replay("--now", NOW, path)]
            self.compare(name, alerts[::-1], done.output.split("\n")[:-1])


def hostile_alerts():
    """Make records whose names hold records and words of the rule."""
    record = json.dumps(audit(77))
    return [hostile_record(n, value) for n, value in enumerate((
        "Create temporary access pass", record, "x " + record + " y",
        json.dumps(record), "{" + plain.OPERATION + " " + plain.SYNC_UPN,
        record[:-9], "[" * 40, "\n" + record + "\n", "\t" + record), 1)]


class Own(DialectTest):
    """synctap never judges its own alerts, whatever words they are in."""

    def renderings(self, *records):
        """Give (dialect, line) of each alert in each dialect."""
        path = self.file(*records)
        return [(name, line) for name in (*dialects.NAMES, "jsonl")
                for line in synctap(
                    "replay", "--now", NOW, "--format", name,
                    path).output.split("\n")[:-1]]

    def check_silent(self, lines, words=r":\d+: "):
        """Nothing is found in them, and nothing of them is unreadable."""
        for command_name in ("replay", "query"):
            path = self.file(*lines)
            done = synctap(command_name, "--now", NOW, "--format", "jsonl",
                           path)
            self.assertEqual("", done.output, command_name)
            self.assertNotRegex(done.words, words, command_name)

    def check_carried(self, carry, lines):
        """The same, as a collector hands them on."""
        with self.subTest(carrier=carry("ALERT")):
            self.check_silent([carry(line) for line in lines])

    def test_in_any_rendering_from_any_collector(self):
        made = self.renderings(*hostile_alerts(), audit(1))
        header = "<84>1 2026-06-01T12:00:00Z edge7 synctap 12 - "
        for carry in (
                lambda line: line,
                lambda line: header + "- " + line,
                lambda line: header + '[timeQuality tzKnown="1"] ' + line,
                lambda line: header + "- \ufeff" + line,
                lambda line: "<84>Jun  1 12:00:00 edge7 synctap[12]: " + line,
                lambda line: json.dumps({"log": line, "tag": "alerts"}),
                lambda line: json.dumps({"message": header + "- " + line})):
            self.check_carried(carry, [line for _, line in made])

    def test_behind_many_documents(self):
        """So many that not each is followed by a look for a header."""
        made = self.renderings(*hostile_alerts(), audit(1))
        header = "<84>1 2026-06-01T12:00:00Z edge7 synctap 12 - - "
        for header in ("", header, "x" * 900 + header, " " * 9 + header):
            self.check_silent([" [] " * 100 + "[1]" + header + line
                               for _, line in made])

    def test_as_an_object_among_others(self):
        made = [line for name, line in self.renderings(
            *hostile_alerts(), audit(1)) if name not in ("cef", "leef")]
        for carry in (lambda line: f'{{"_index":"a","_source":{line}}}',
                      lambda line: f"[{line},{line}]",
                      lambda line: f'{{"records":[{line}]}}'):
            self.check_silent([carry(line) for line in made])

    def test_with_coded_quotes(self):
        made = self.renderings(*hostile_alerts(), audit(1))
        for code in wrappings.CODINGS:
            self.check_carried(
                lambda line, code=code: "edge7 synctap " + code(line),
                [line for name, line in made if name not in ("cef", "leef")])

    def test_what_splunk_hands_on(self):
        made = self.renderings(*hostile_alerts(), audit(1))
        self.check_silent([json.dumps({"result": json.loads(line)["event"]})
                           for name, line in made if name == "hec"])

    def test_tabs_as_rsyslog_receives_them(self):
        made = self.renderings(*hostile_alerts(), audit(1))
        self.check_silent([line.replace("\t", "#011")
                           for name, line in made if name == "leef"])

    def test_of_another_version(self):
        self.check_silent([line.replace(VERSION, "9.9.9") for _, line in
                           self.renderings(*hostile_alerts())])

    def test_cut_where_it_may_be(self):
        """Behind an alert's own id, and before its last brace."""
        for name, line in self.renderings(*hostile_alerts()[1:3])[:-2]:
            for end in (300, len(line) // 2, len(line) * 2 // 3,
                        len(line) - 3):
                with self.subTest(name=name, end=end):
                    self.check_silent([line[:end]], "out of memory")

    def test_a_record_that_quotes_one_is_judged(self):
        for name, line in self.renderings(audit(1)):
            with self.subTest(name=name):
                quoting = audit(5, {**plain.target(), "displayName": line})
                alert, = self.alerts(quoting, options=("--now", NOW))
                self.assertEqual("record 5", alert["record_id"])

    def test_a_record_beside_one_is_judged(self):
        for name, line in self.renderings(audit(1)):
            if name == "jsonl":
                continue
            record = json.dumps(audit(5))
            for text in (f"{line}\n{record}", f"x=1 {line} {record}",
                         json.dumps({"alert": line, "record": record})):
                with self.subTest(name=name, text=text):
                    found = synctap(
                        "query", "--now", NOW, "--format", "jsonl",
                        given=text.encode() + b"\n").output
                    self.assertIn('"record 5"', found)

    def check_only_the_record(self, own, texts, words=r":\d+: "):
        """Of each text the record is told of, and nothing else."""
        path = self.file(*({"message": text} for text in texts))
        raw = self.file(*texts)
        for command_name in ("query", "replay"):
            done = [synctap(command_name, "--now", NOW, "--format", "jsonl",
                            one) for one in (path, raw)]
            self.assertNotRegex(done[0].words, words, own)
            for one in done:
                rows = [json.loads(line) for line in one.output.splitlines()]
                self.assertEqual(
                    {"record 5"},
                    {row.get("Id", row.get("record_id")) for row in rows},
                    (own, one.output))

    def check_each_text(self, texts):
        """The same, of one text after the other."""
        record = json.dumps(audit(5))
        for text in texts:
            done = synctap("query", "--now", NOW, "--format", "jsonl",
                           given=json.dumps({"message": text}).encode())
            self.assertEqual(done.output.count('"record 5"'),
                             text.count(record), text)

    def test_a_record_in_any_place_beside_one(self):
        """With whatever separates messages that were put into one."""
        record = json.dumps(audit(5))
        header = "<84>1 2026-06-01T12:00:00Z edge7 synctap 12 - - "
        for name, own in self.renderings(*hostile_alerts(), audit(1)):
            cut = own[:max(len(own) * 2 // 3, 300)]
            cut = cut.rstrip("[")  # it would begin a list of what follows
            texts = [text
                     for one in (own, header + own, cut)
                     for end in ("\n", "#012", "\r\n", "#015#012")
                     for text in (f"{one}{end}{record}",
                                  f"{record}{end}{one}",
                                  f"{one}{end}{record}{end}{one}",
                                  f"{record}{end}{one}{end}{record}",
                                  f"words{end}{one}{end}{record}",
                                  f"{header}{record}{end}{one}")]
            texts += [f"{one}\n{header}{record}" for one in (own, cut)]
            texts += [f"{record}{between}{one}"
                      for one in (own, cut) for between in ("", " ", ",")]
            with self.subTest(name=name):
                self.check_only_the_record(own, texts)

    def test_a_record_is_found_in_every_place(self):
        """Each text by itself: another hides nothing."""
        record = json.dumps(audit(5))
        made = dict(self.renderings(audit(1)))
        self.check_each_text(
            text for own in made.values() for end in ("\n", "#012")
            for text in (f"{own}{end}{record}", f"{record}{end}{own}",
                         f"{own[:400]}{end}{record}{end}{own}"))

    def test_a_name_that_ends_like_a_message_hides_nothing(self):
        """Of a record that its sender broke, quotes in names and all."""
        whole = json.dumps(audit(5, {**plain.target(), "displayName": "NAME"}))
        for name, own in self.renderings(audit(1)):
            for before in ('x"\n', 'x",{}\n', "x\n", 'x"#012', '"},'):
                text = whole.replace("NAME", before + own[:400])
                with self.subTest(name=name, before=before):
                    found = synctap(
                        "replay", "--now", NOW, "--format", "jsonl",
                        given=json.dumps({"message": text}).encode()).output
                    self.assertIn(plain.SYNC_UPN, found)

    def test_a_list_that_was_cut(self):
        record = json.dumps(audit(5))
        for name, own in self.renderings(*hostile_alerts(), audit(1)):
            if name in ("cef", "leef"):
                continue
            cut = own[:max(len(own) * 2 // 3, 300)]
            self.check_silent([f"[{cut}", f"[{own},{cut}",
                               f"[{own}, {own}, {cut}"], "out of memory")
            self.check_only_the_record(
                own, [f"[{record},{own},{cut}", f"[{own},{record},{cut}"],
                "out of memory")

    def test_cut_behind_any_byte(self):
        """A record in a name of it is no record.

        Unless a line that is no JSON ends with it: then it may be that of
        somebody who has an alert's beginning for a name.
        """
        record = json.dumps(audit(77))
        for name, own in self.renderings(hostile_record(1, record)):
            begin = 300 if name in dialects.NAMES else len(own) // 8
            self.check_silent([
                own[:end] for end in range(begin, len(own) - 1, 7)
                if name not in ("cef", "leef")
                or not re.search(r"}[\s\"]*$", own[:end])],
                "out of memory")

    def test_what_has_a_member_more_or_less_is_none(self):
        for name, line in self.renderings(audit(1)):
            if name in ("cef", "leef", "jsonl"):
                continue
            tree = json.loads(line)
            tree["records"] = [audit(5)]
            first = next(iter(tree))
            less = {key: value for key, value in tree.items()
                    if key != first}
            for made in (tree, less):
                with self.subTest(name=name):
                    found = synctap("query", "--now", NOW, "--format",
                                    "jsonl", given=json.dumps(made).encode())
                    self.assertIn('"record 5"', found.output)


class Usage(unittest.TestCase):
    """What is no format is refused."""

    def test_an_unknown_format(self):
        for name in ("query", "replay"):
            done = synctap(name, "--format", "CEF", given=b"")
            self.assertEqual(2, done.status)
            self.assertIn('--format "CEF" is wrong: give table, jsonl, '
                          "securityalert, cef, leef, ecs, ocsf or hec",
                          done.words)

    def test_commands_that_make_no_alerts_take_no_dialect(self):
        done = synctap("identity", "list", "--format", "cef")
        self.assertEqual(2, done.status)
        self.assertIn("give table or jsonl", done.words)


if __name__ == "__main__":
    unittest.main()
