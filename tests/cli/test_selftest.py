"""`synctap selftest`: where its record goes, and what it waits for."""

import json
import pathlib
import re
import socket
import sqlite3
import subprocess
import tempfile
import unittest

import command
import rule_files
import rule_texts
from command import synctap

RULES = pathlib.Path(__file__).resolve().parents[2] / "rules"

HEADER = re.compile(rb"<13>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z \S+ "
                    rb"synctap-selftest - - - (\{.*\})\n")
LOCAL = re.compile(rb"<13>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d "
                   rb"synctap-selftest: (\{.*\})\n?")


class SelftestTest(unittest.TestCase):
    """A test with a directory of its own."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-selftest-")
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)

    def alert_of(self, record):
        """Give the alert that a record becomes."""
        path = self.directory / "record.json"
        path.write_bytes(record)
        one, = command.replay(path)
        return one

    def assert_is_record(self, record):
        """It must be a record whose alert is a self-test's."""
        alert = self.alert_of(record)
        self.assertTrue(alert["selftest"])
        self.assertIsNone(alert["incident"])
        return alert


class Send(SelftestTest):
    """The ways to a collector."""

    def _sent(self, target):
        done = synctap("selftest", "--send", target)
        self.assertEqual((0, "", ""), done)

    def test_without_a_target_the_record_is_printed(self):
        done = synctap("selftest")
        self.assertEqual((0, ""), (done.status, done.words))
        self.assertEqual(1, done.output.count("\n"))
        self.assert_is_record(done.output.encode())

    def test_each_record_is_another(self):
        ids = {json.loads(synctap("selftest").output)["properties"]["id"]
               for _ in range(3)}
        self.assertEqual(3, len(ids))

    def test_to_a_port_it_goes_as_one_line_of_rfc_5424(self):
        for family, address in ((socket.AF_INET, "127.0.0.1"),
                                (socket.AF_INET6, "::1")):
            with self.subTest(address=address), \
                    socket.create_server((address, 0), family=family) as far:
                port = far.getsockname()[1]
                shown = f"[{address}]" if ":" in address else address
                self._sent(f"{shown}:{port}")
                connection, _ = far.accept()
                with connection, connection.makefile("rb") as lines:
                    data = lines.read()
                self.assert_is_record(HEADER.fullmatch(data)[1])

    def test_to_a_socket_it_goes_as_to_dev_log(self):
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            path = self.directory / f"socket{kind}"
            with self.subTest(kind=kind), \
                    socket.socket(socket.AF_UNIX, kind) as far:
                far.bind(str(path))
                if kind == socket.SOCK_STREAM:
                    far.listen()
                self._sent(path)
                source = far if kind == socket.SOCK_DGRAM else far.accept()[0]
                data = source.recv(1 << 20)
                source.close()
                self.assert_is_record(LOCAL.fullmatch(data)[1])

    def test_to_a_file_it_goes_bare_behind_what_is_there(self):
        path = self.directory / "input.json"
        for before in (b"", b"what was there\n"):
            if before:
                path.write_bytes(before)
            self._sent(path)
            data = path.read_bytes()
            self.assertTrue(data.startswith(before) and data.endswith(b"}\n"))
            self.assert_is_record(data[len(before):])

    def test_what_cannot_be_reached_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as gone:
            port = gone.getsockname()[1]
        for target, words in ((f"127.0.0.1:{port}", "refused"),
                              ("no port", "HOST:PORT"), ("a:", "HOST:PORT"),
                              ("::1:514", "HOST:PORT"),
                              ("127.0.0.1:0", "1 to 65535"),
                              ("127.0.0.1:65536", "1 to 65535"),
                              (f"127.0.0.1:{65536 + port}", "1 to 65535"),
                              ("127.0.0.1:no-such-port", "1 to 65535"),
                              (f"{self.directory}/no/file", "No such file"),
                              (f"{self.directory}/", "directory")):
            with self.subTest(target=target):
                done = synctap("selftest", "--send", target, "--wait",
                               self.directory / "alerts")
                self.assertEqual((1, ""), (done.status, done.output))
                self.assertIn(words, done.words)
                self.assertIn(target, done.words)


class Lists(SelftestTest):
    """The record is made for the collector's lists."""

    def test_the_record_fits_the_lists_that_are_given(self):
        done = synctap("selftest", "--operations", "Ours", "--upn-startswith",
                       "svc-", "--upn-contains", "off")
        record = json.loads(done.output)
        self.assertEqual(("Ours", "svc-selftest@selftest.invalid"), (
            record["operationName"], record["properties"]["targetResources"]
            [0]["userPrincipalName"]))

    def test_without_any_name_it_is_refused(self):
        done = synctap("selftest", "--upn-startswith", "off",
                       "--upn-contains", "off", "--upn-has", "off")
        self.assertEqual((1, ""), (done.status, done.output))
        self.assertIn("--upn-startswith", done.words)


class RuleFiles(SelftestTest):
    """The record is made of the texts of the collector's rule file."""

    def _rule(self, query):
        path = self.directory / "rule.yaml"
        path.write_text(rule_files.text(query))
        return path

    def _assert_fires(self, rule, *more):
        done = synctap("selftest", "--rule", rule, *more)
        self.assertEqual((0, ""), (done.status, done.words))
        path = self.directory / "record.json"
        path.write_text(done.output)
        none = self.directory / "none"
        none.write_text("")
        replayed = synctap("replay", "--rule", rule, "--identity", none,
                           *more, path)
        self.assertEqual(0, replayed.status, replayed.words)
        alerts = command.objects(replayed.output)
        self.assertEqual([(True, None)] * len(alerts), [
            (one["selftest"], one["incident"]) for one in alerts])
        self.assertNotEqual([], alerts)

    def _assert_refused(self, rule, *words, more=()):
        done = synctap("selftest", "--rule", rule, *more)
        self.assertEqual((1, ""), (done.status, done.output))
        self.assertEqual(1, done.words.count("\n"))
        for word in words:
            self.assertIn(word, done.words)

    def test_the_rules_that_are_installed_fire(self):
        for rule in sorted(RULES.glob("*.yaml")):
            with self.subTest(rule=rule.name):
                self._assert_fires(rule)

    def test_what_published_rules_do_fires_or_is_refused(self):
        """What is parsed or counted is more than the query's own texts."""
        refused = {"parts of a text", "lists in JSON texts", "counted parts",
                   "accounts with a role, and without"}
        for kind, query in rule_texts.KINDS.items():
            with self.subTest(kind=kind):
                rule = self._rule(query)
                if "_GetWatchlist" in query:
                    self._assert_refused(rule, "--watchlist", "has no file")
                elif kind in refused:
                    self._assert_refused(rule, "A rule", "makes it fire")
                else:
                    self._assert_fires(rule)

    def test_words_of_each_kind(self):
        for condition in (
                'OperationName has_all ("bulk change", "done")',
                'OperationName endswith "done" and Result != "success"',
                'ResultReason startswith "Because" and isnotempty(Identity)',
                'tostring(InitiatedBy) has "somebody"',
                'tostring(AdditionalDetails) contains "some" and '
                'OperationName in ("one", "two")'):
            with self.subTest(condition=condition):
                self._assert_fires(self._rule(
                    f"AuditLogs | where {condition}"))

    def test_an_account_that_is_named_in_full_is_refused(self):
        self._assert_refused(self._rule(
            "AuditLogs | where OperationName == 'Update user' | mv-expand "
            "TargetResources | where TargetResources.userPrincipalName =~ "
            "'emergency@contoso.com'"), "names its account in full")

    def test_a_watchlist_may_have_the_self_tests_account(self):
        rule = self._rule(
            "let vips = (_GetWatchlist('vips') | project SearchKey);\n"
            "AuditLogs | where OperationName == 'Update user'\n"
            "| mv-expand TargetResources\n| where "
            "tostring(TargetResources.userPrincipalName) in~ (vips)")
        path = self.directory / "vips.csv"
        more = ("--watchlist", f"vips={path}")
        self._assert_refused(rule, "watchlist", "vips")
        path.write_text("upn\nvip@x\n")
        self._assert_refused(rule, "selftest@selftest.invalid", more=more)
        path.write_text("upn\nvip@x\nselftest@selftest.invalid\n")
        self._assert_fires(rule, *more)

    def test_lists_do_not_go_with_it(self):
        done = synctap("selftest", "--rule", next(RULES.glob("*.yaml")),
                       "--operations", "x")
        self.assertEqual((2, ""), (done.status, done.output))


class Wait(SelftestTest):
    """The alert is looked for where alerts come to lie."""

    def _run(self, alerts, answer, timeout="30s"):
        """Let `answer` do with the record what a collector would."""
        inbox = self.directory / "inbox"
        inbox.mkdir(exist_ok=True)
        path = inbox / "socket"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as far:
            far.bind(str(path))
            far.settimeout(30)
            process = subprocess.Popen(command.arguments_of((
                "selftest", "--send", path, "--wait", alerts, "--timeout",
                timeout)), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            answer(LOCAL.fullmatch(far.recv(1 << 20))[1])
            output, words = process.communicate(timeout=60)
        return process.returncode, output.decode(), words.decode()

    def _assert_came(self, done):
        self.assertEqual((0, ""), (done[0], done[2]))
        self.assertRegex(done[1], r"\A\d+ ms\n\Z")

    def test_in_a_file_that_grows(self):
        alerts = self.directory / "alerts.jsonl"
        for before in (None, "", "another alert\n"):
            if before is not None:
                alerts.write_text(before)
            with self.subTest(before=before):
                self._assert_came(self._run(
                    alerts, lambda record: self._append(alerts, record)))

    def _append(self, path, record, header=""):
        alert = json.dumps(self.alert_of(record))
        with open(path, "a", encoding="utf-8") as file:
            file.write(header)
            for begin in range(0, len(alert), 700):  # in pieces
                file.write(alert[begin:begin + 700])
                file.flush()
            file.write("\n")

    def test_in_a_file_that_takes_the_others_place(self):
        alerts = self.directory / "alerts.jsonl"
        alerts.write_text("x" * 100000)

        def rotate(record):
            alerts.rename(self.directory / "alerts.jsonl.1")
            self._append(alerts, record)

        self._assert_came(self._run(alerts, rotate))

    def test_behind_a_header_and_in_a_dialect(self):
        alerts = self.directory / "alerts.log"

        def as_cef(record):
            path = self.directory / "record.json"
            path.write_bytes(record)
            done = synctap("replay", "--format", "cef", path)
            alerts.write_text("Jun  1 12:00:00 host synctap: " + done.output)

        self._assert_came(self._run(alerts, as_cef))

    def test_in_the_database(self):
        database = self.directory / "state.db"
        synctap("identity", "import", "--database", database, given=b"{}")
        self.assertTrue(database.exists())

        def remember(record):
            alert = self.alert_of(record)
            with sqlite3.connect(database) as connection:
                connection.execute("INSERT INTO action VALUES (1, 'a', 0)")
                connection.execute("INSERT INTO seen VALUES (1, ?, 1 << 62)",
                                   (alert["alert_id"],))
            connection.close()

        self._assert_came(self._run(database, remember))

    def test_the_record_itself_is_no_alert(self):
        alerts = self.directory / "all.log"
        status, output, words = self._run(
            alerts, lambda record: alerts.write_bytes(record + b"\n"), "300ms")
        self.assertEqual((2, ""), (status, output))
        self.assertIn(str(alerts), words)
        self.assertIn("synctap status", words)

    def test_an_earlier_alert_is_not_the_one(self):
        alerts = self.directory / "alerts.jsonl"
        self._append(alerts, synctap("selftest").output.encode())
        status, _, _ = self._run(alerts, lambda record: None, "100ms")
        self.assertEqual(2, status)

    def test_what_cannot_be_waited_for_is_named(self):
        for path in (self.directory, "/dev/null"):
            with self.subTest(path=path):
                done = synctap("selftest", "--wait", path)
                self.assertEqual((1, ""), (done.status, done.output))
                self.assertIn(str(path), done.words)

    def test_a_sender_behind_a_pipe_sees_the_end_before_the_alert_came(self):
        alerts = self.directory / "alerts.jsonl"
        with subprocess.Popen(command.arguments_of((
                "selftest", "--wait", alerts)), stdout=subprocess.PIPE,
                stderr=subprocess.PIPE) as process:
            record = process.stdout.read()
            self.assertIsNone(process.poll())
            self._append(alerts, record)
            self.assertEqual(0, process.wait(timeout=60))

    def test_without_send_the_milliseconds_are_words(self):
        alerts = self.directory / "alerts.jsonl"
        process = subprocess.Popen(command.arguments_of((
            "selftest", "--wait", alerts)), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self._append(alerts, process.stdout.readline())
        output, words = process.communicate(timeout=60)
        self.assertEqual((0, b""), (process.returncode, output))
        self.assertRegex(words, rb"\A\d+ ms\n\Z")


class Usage(unittest.TestCase):
    """Wrong usage is told, with exit status 2."""

    def test_wrong_words(self):
        for words in (("now",), ("--send", ""), ("--wait", ""),
                      ("--timeout", "soon"), ("--timeout", "0"),
                      ("--format", "table"), ("--database", "x")):
            with self.subTest(words=words):
                done = synctap("selftest", *words)
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertNotEqual("", done.words)

    def test_help(self):
        done = synctap("selftest", "--help")
        self.assertEqual((0, ""), (done.status, done.words))
        for word in ("--send", "--wait", "--timeout"):
            self.assertIn(word, done.output)
