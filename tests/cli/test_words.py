"""What the commands say, and the exit status that goes with it."""

import gzip
import itertools
import json
import os
import pathlib
import tempfile
import unittest

import plain
import rendering
from command import objects, synctap

NOW = "2026-06-01T12:00:00Z"
OTHER = {"category": "SignInLogs", "operationName": "Sign-in activity",
         "time": "2026-06-01T11:00:00Z", "properties": {}}
COMMANDS = ("query", "replay", "explain")
LISTS = ("operations", "roles", "upn-startswith", "upn-contains", "upn-has",
         "displayname-has")


def record(**columns):
    """Write a record in a line."""
    return json.dumps(rendering.diagnostic_record(
        plain.row(**columns), plain.chance())) + "\n"


class Words(unittest.TestCase):
    """Files of a directory of the test's own."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.roles = self.write("roles", "")

    def write(self, name, text):
        return self.raw(name, text.encode())

    def raw(self, name, data):
        path = self.directory / name
        path.write_bytes(data)
        return path

    def run_on(self, command, *arguments, given=None):
        """Run a command; give its status and words without directories."""
        done = synctap(command, "--format", "jsonl", "--now", NOW,
                       "--identity", self.roles, *arguments, given=given)
        return done._replace(
            words=done.words.replace(f"{self.directory}/", ""))


class NoRecord(Words):
    """A file of another kind is not a file without a finding."""

    def test_a_file_of_another_kind(self):
        path = self.write("file", json.dumps(OTHER) + "\nwords\n")
        for command in COMMANDS:
            with self.subTest(command=command):
                done = self.run_on(command, path)
                self.assertEqual((1, "synctap: file: no audit record in it\n"),
                                 (done.status, done.words))

    def test_standard_input_of_another_kind(self):
        for command in COMMANDS:
            done = self.run_on(command, given=json.dumps(OTHER).encode())
            self.assertEqual(
                (1, "synctap: standard input: no audit record in it\n"),
                (done.status, done.words))

    def test_the_others_are_read(self):
        good = self.write("good", record(Id="good"))
        for command, text in itertools.product(COMMANDS, ("[]\n", "", "\n")):
            bad = self.write("bad", text)
            for paths in ((good, bad), (bad, good), (bad, good, bad)):
                done = self.run_on(command, *paths)
                self.assertEqual(1, done.status)
                self.assertEqual(
                    "synctap: bad: no audit record in it\n"
                    * paths.count(bad), done.words)
                self.assertIn("good", done.output)

    def test_a_file_of_nothing(self):
        head = "TimeGenerated,OperationName,Id,TargetResources,InitiatedBy\n"
        for text in ("", "\n\n", " ", "\ufeff", "{}", '{"records":[]}', head):
            for data in (text.encode(), gzip.compress(text.encode()),
                         text.encode("utf-16")):
                for command in COMMANDS:
                    with self.subTest(text=text, data=data, command=command):
                        done = self.run_on(command, self.raw("empty", data))
                        self.assertEqual(
                            (1, "synctap: empty: no audit record in it\n"),
                            (done.status, done.words))

    def test_standard_input_of_nothing(self):
        for given in (b"", b"\n", gzip.compress(b"")):
            for command in COMMANDS:
                self.assertEqual(
                    (1, "",
                     "synctap: standard input: no audit record in it\n"),
                    self.run_on(command, given=given))

    def test_a_file_that_is_not_there_is_told_of_once(self):
        for command in COMMANDS:
            done = self.run_on(command, self.directory / "none")
            self.assertEqual(
                (1, "synctap: none: No such file or directory\n"),
                (done.status, done.words))

    def test_a_name_that_is_empty_is_quoted(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                self.assertEqual(
                    (1, "", 'synctap: "": No such file or directory\n'),
                    self.run_on(command, ""))

    def test_a_role_list_of_nothing(self):
        path = self.write("good", record(OperationName="Update user"))
        for text in (json.dumps(OTHER), "[]"):
            for command in COMMANDS:
                with self.subTest(text=text, command=command):
                    done = self.run_on(command, "--identity",
                                       self.write("empty", text), path)
                    self.assertEqual(1, done.status)
                    self.assertIn(
                        "synctap: empty:1: no identity record in it\n",
                        done.words)

    def test_an_empty_role_list_names_nobody(self):
        path = self.write("good", record(OperationName="Update user"))
        for text in ("", "\n"):
            done = self.run_on("query", "--identity",
                               self.write("empty", text), path)
            self.assertEqual((0, "synctap: no row matches\n"),
                             (done.status, done.words))

    def test_lists_that_let_nothing_match_are_told_of(self):
        path = self.write("good", record(OperationName="Update user"))
        for command in COMMANDS:
            with self.subTest(command=command):
                done = self.run_on(command, "--operations", "off", path)
                self.assertEqual(0, done.status)
                self.assertIn("synctap: nothing can match: operations is off: "
                              "no operation counts\n", done.words)

    def test_rows_of_nothing(self):
        for text in ("", "\n", "[]"):
            done = synctap("rule", "eval", "s", self.write("empty", text))
            self.assertEqual((1, ""), (done.status, done.output))
            self.assertIn("empty: no row in it\n", done.words)
            done = synctap("rule", "eval", "--types", '{"s": "string"}', "s",
                           self.write("empty", text))
            self.assertEqual((0, "", ""), done)
            done = synctap("rule", "eval", "s", given=text.encode())
            self.assertEqual(
                (1, "", "synctap: standard input: no row in it\n"), done)

    def test_a_rule_of_nothing(self):
        for text in ("", "\n", "---\n"):
            path = self.write("empty", text)
            for arguments in (("rule", "check", path),
                              ("query", "--rule", path)):
                done = synctap(*arguments)
                self.assertNotEqual((0, ""), (done.status, done.words))
                self.assertNotEqual(0, done.status)
                self.assertIn("empty", done.words)

    def test_what_could_not_be_read_is_told_alone(self):
        path = self.write("cut", "{\"category\": [\n")
        for command in COMMANDS:
            done = self.run_on(command, path)
            self.assertEqual((1, "synctap: cut:1: cut off\n"),
                             (done.status, done.words))

    def test_one_record_far_behind_is_a_record(self):
        path = self.write("late", (json.dumps(OTHER) + "\n") * 5000
                          + record(OperationName="Update user"))
        done = self.run_on("query", path)
        self.assertEqual((0, "synctap: no row matches\n"),
                         (done.status, done.words))


class Found(Words):
    """Rows or none."""

    def setUp(self):
        super().setUp()
        self.match = self.write("match", record())
        self.other = self.write("other", record(OperationName="Update user"))

    def test_none_is_said(self):
        for command, words in (("query", "no row matches"),
                               ("replay", "no alert")):
            self.assertEqual((0, "", f"synctap: {words}\n"),
                             self.run_on(command, self.other))

    def test_fail_on_match(self):
        for command in COMMANDS:
            for path, status in ((self.match, 3), (self.other, 0)):
                self.assertEqual(status, self.run_on(
                    command, "--fail-on-match", path).status)
            self.assertEqual(0, self.run_on(command, self.match).status)
            self.assertEqual(1, self.run_on(
                command, "--fail-on-match", self.match,
                self.directory / "missing").status)

    def test_counts_are_good_english(self):
        old = record(TimeGenerated=0)
        for count, words in ((1, "1 record of the rule's operations lies"),
                             (2, "2 records of the rule's operations lie")):
            path = self.write("old", old * count)
            self.assertIn(f"synctap: {words} before the lookback\n",
                          self.run_on("query", path).words)

    def test_explain_says_because_of_what(self):
        person = plain.target(plain.PERSON_UPN)
        for columns, because in (
                ({}, f"the target {plain.SYNC_UPN} is a sync account by "
                     "upn_startswith"),
                ({"OperationName": "Update user",
                  "ActivityName": "Update user"},
                 "the operation \"Update user\" is none of the rule's"),
                ({"TimeGenerated": plain.NOW - 10 ** 15},
                 "it was generated before the lookback"),
                ({"TargetResources": [person]},
                 "no target is a sync account by its name or by the role "
                 "list"),
                ({"TargetResources": []}, "it names no target")):
            path = self.write("audit", record(**columns))
            for semantics in ("kql", "wide"):
                one, = objects(self.run_on("explain", "--semantics",
                                           semantics, path).output)
                self.assertEqual(because, one["because"])
            shown = synctap("explain", "--format", "table", "--now", NOW,
                            "--identity", self.roles, path).output
            self.assertIn(because.split('"')[0], shown.splitlines()[0])


class Lists(Words):
    """An empty text would match everything."""

    def _check_refused(self, values, why):
        """Each list of these values is refused, and said why."""
        for name in LISTS:
            arguments = [word for value in values
                         for word in (f"--{name}", value)]
            done = self.run_on("query", *arguments, "/dev/null")
            self.assertEqual((2, ""), (done.status, done.output))
            self.assertIn(f"--{name} is wrong: {why}", done.words)

    def test_an_empty_text_is_refused(self):
        for values in (("",), ("x", "")):
            self._check_refused(values, "an empty text matches everything")

    def test_off_beside_texts_is_refused(self):
        for values in (("off", "x"), ("x", "Off")):
            self._check_refused(
                values, "off switches the list off, and is no text")

    def test_off_switches_a_list_off(self):
        path = self.write("match", record())
        self.assertEqual(1, len(objects(self.run_on("query", path).output)))
        for off in ("off", "OFF"):
            self.assertEqual([], objects(self.run_on(
                "query", "--upn-startswith", off, path).output))


class WrongUsage(Words):
    """What is wrong is named, and what would be right."""

    def test_a_path_that_is_empty(self):
        for command in COMMANDS:
            for option in "database", "identity", "rulebase", "rule":
                with self.subTest(command=command, option=option):
                    done = synctap(command, f"--{option}", "", "/dev/null")
                    self.assertEqual((2, ""), (done.status, done.output))
                    self.assertIn(f'--{option} "" is wrong: give a file\'s '
                                  "path\n", done.words)

    def test_a_rulebase_without_rules(self):
        path = self.write("audit", record())
        for text in "", "words\n", "version=2\n# rule=\n":
            done = self.run_on("query", "--rulebase",
                               self.write("rulebase", text), path)
            self.assertEqual((1, ""), (done.status, done.output))
            self.assertIn("rulebase: there is no rule in it", done.words)

    def test_rule_says_what_it_takes(self):
        for arguments, words in (((), "say show, check or eval"),
                                 (("chekc",), "say show, check or eval"),
                                 (("show", "x"), "show takes no argument"),
                                 (("check",), "check takes a rule file"),
                                 (("eval",), "eval takes an expression"),
                                 (("eval", "1", "a", "b"), "eval takes")):
            with self.subTest(arguments=arguments):
                done = synctap("rule", *arguments)
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertIn(f"synctap rule: {words}", done.words)
                self.assertIn("try: synctap rule --help", done.words)

    def test_identity_refuses_what_would_do_nothing(self):
        for arguments, words in (
                (("import", "--force"), "--force goes with --snapshot"),
                (("import", "--sync-accounts"), "is for list and show"),
                (("list", "--snapshot"), "are for import"),
                (("list", "--force"), "are for import"),
                (("show", "a", "--role", "b"), "are for import")):
            with self.subTest(arguments=arguments):
                done = synctap("identity", *arguments, "--database",
                               self.directory / "db")
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertIn(words, done.words)

    def test_a_file_of_rows_that_is_not_there(self):
        done = synctap("rule", "eval", "a", self.directory / "absent")
        self.assertEqual((1, ""), (done.status, done.output))
        self.assertEqual(f"synctap: {self.directory}/absent: No such file or "
                         "directory\n", done.words)


@unittest.skipIf(os.geteuid() == 0, "root may read all")
class NotAllowed(Words):
    """A role list that may not be read is not one that is not there."""

    def test_a_database(self):
        path = self.write("audit", record())
        database = self.write("database", "")
        database.chmod(0)
        for command in COMMANDS:
            done = synctap(command, "--database", database, path)
            self.assertEqual(1, done.status)
            self.assertIn("Permission denied", done.words)
