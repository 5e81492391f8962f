# SPDX-License-Identifier: Apache-2.0
"""What the documents tell to type works as it stands there.

Commands run one after the other in a directory that a collector has left: its
database with a role list and an incident, its alerts, its statistics. Paths of
a real host become that directory. Those that need root, a network or a whole
build are read by bash -n. Configurations go through rsyslogd -N1.
"""

import json
import os
import re
import unittest

import certificates
import documents
import samples
from harness import as_text
from records import identity, target, text
from workplace import RSYSLOGD, Workplace, module_path, stage, stage

SYNC = "svc-connect@contoso.com"
SYNC_ID = "11111111-2222-4333-8444-555555555555"
SOME_INCIDENT = r"\b7f16b492(?:(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?\b"
WHERE = 'global(workDirectory="@WORK@")\n'
WRAPPER = """#!/bin/bash
case " $* " in
*" --database "*|*" --help "*|*" --version "*|*" rule "*|*" selftest "*) exec {synctap} "$@" ;;
esac
exec {synctap} "$@" --database {work}/synctap.db
"""
# Files by the names that the documents use, each what its name says.
ROWS = as_text(identity(SYNC, SYNC_ID)) + "\n"
RECORDS = text("recorded", target(SYNC, SYNC_ID)) + "\n"
FILES = {
    "audit.jsonl": RECORDS, "audit-2026-05.jsonl.gz": RECORDS,
    "record.json": RECORDS, "identity.json": ROWS, "identity.jsonl": ROWS,
    "identity-2026-05.jsonl": ROWS,
    "rows.jsonl": '{"upn":"Sync_a@contoso.com"}\n',
}


def _part(config):
    """Put what a part lacks in front of it, and no ruleset twice."""
    before = documents.PART
    if 'ruleset(name="alerts"' in config:
        before = "".join(line for line in before.splitlines(True)
                         if "ruleset" not in line)
    return before + config


def _action(path, module, example):
    """Make a block of an action that has this parameter."""
    name = "" if example.startswith("name=") else 'name="other" '
    if example.startswith("rulebase="):
        example = f'rulebase="{samples.rulebase(module)}"'
    elif example.startswith("name="):
        example = example[:-1] + '-too"'
    return documents.Block(
        path.name, 0, "rsyslog", f'action(type="{module}" {name}{example})\n')


RULE_OF_VIPS = """id: 00000000-0000-4000-8000-0000000000bb
name: A password of somebody important
severity: High
query: |
  let vips = (_GetWatchlist('vips') | project SearchKey);
  AuditLogs
  | where OperationName == "Reset user password"
  | where tostring(TargetResources[0].userPrincipalName) in~ (vips)
"""


class DocumentCommands(unittest.TestCase):
    """Every document, one after the other."""

    @classmethod
    def setUpClass(cls):
        cls.work = Workplace()
        for name, content in FILES.items():
            cls.work.write(name, content)
        cls.work.write("bin-synctap", WRAPPER.format(
            synctap=stage() / "bin" / "synctap", work=cls.work.path))
        (cls.work.path / "bin-synctap").chmod(0o755)
        (cls.work.path / "bin").mkdir()
        (cls.work.path / "bin" / "synctap").symlink_to("../bin-synctap")
        with samples.collector("in/tcp.conf") as daemon:
            cls._let_it_alert(daemon)

    @classmethod
    def _let_it_alert(cls, daemon):
        """Keep what a collector leaves: database, alerts, statistics."""
        daemon.send([as_text(identity(SYNC, SYNC_ID))], to="entra-identity")
        daemon.wait_statistics("synctap", sync_accounts=1)
        daemon.send([text("shown", target(SYNC, SYNC_ID))], to="entra-audit")
        alert, = daemon.alerts(1)
        daemon.counters("synctap")
        daemon.end()
        cls.work.write("synctap-alerts.jsonl", alert.text + "\n")
        cls.work.write("synctap-statistics.log", "".join(
            message.text.lstrip() + "\n" for message in
            daemon.collector.messages["statistics"]))
        for path in daemon.work.path.glob("synctap.db*"):
            if not path.is_symlink():
                cls.work.write(path.name, path.read_bytes())
        cls.incident = json.loads(daemon.synctap(
            "incident", "list", "--format", "jsonl", "--database",
            daemon.work.path / "synctap.db").splitlines()[0])["incident_id"]

    @classmethod
    def tearDownClass(cls):
        cls.work.remove()

    def test_every_block_is_fenced_and_says_what_it_is(self):
        for path in documents.markdown_files():
            with self.subTest(document=path.name):
                self.assertEqual([], documents.unfenced(path))
                for block in documents.blocks(path):
                    self.assertIn(block.kind, documents.KINDS,
                                  f"{path.name}:{block.line}")

    def test_commands_run(self):
        for block in self._blocks("sh"):
            with self.subTest(place=f"{block.file}:{block.line}"):
                status, output, words = self._bash("-c", self._here(
                    block.text))
                self.assertEqual(0, status, f"{block.text}\n{output}{words}")

    def test_commands_of_manual_pages_run(self):
        for path in documents.manual_pages():
            for block in documents.commands(path):
                how = ("-c",) if block.kind == "sh" else ("-n", "-c")
                with self.subTest(place=f"{block.file}:{block.line}"):
                    status, output, words = self._bash(
                        *how, self._here(block.text))
                    self.assertEqual(0, status,
                                     f"{block.text}\n{output}{words}")

    def test_what_needs_a_host_is_typed_by_a_newcomer(self):
        typed = (documents.TOP / "tests/newcomer/live.py").read_text()
        exempt = set()
        for path in documents.markdown_files():
            for block in documents.blocks(path):
                if block.kind not in ("sh root", "sh network"):
                    continue
                why = [begin for begin in documents.EXEMPT
                       if block.text.startswith(begin)]
                exempt.update(why)
                heading = documents.heading_of(path, block.line)
                with self.subTest(place=f"{block.file}:{block.line}"):
                    self.assertTrue(why or f'"{heading}"' in typed, heading)
        self.assertEqual(set(documents.EXEMPT), exempt)

    def test_commands_in_sentences_are_commands(self):
        """Each has a verb, options, parts and targets that there are."""
        count = 0
        for path in documents.markdown_files() + documents.sample_files():
            for one in documents.mentions(path):
                count += 1
                with self.subTest(place=f"{one.file}:{one.line}",
                                  command=one.text):
                    self._assert_known(one.text.split())
        self.assertGreater(count, 50)

    def _assert_known(self, words):
        program, options = words[0], [
            re.match(r"--[a-z-]+", word)[0] for word in words
            if re.match(r"--[a-z]", word)]
        if program == "sudo":
            self._assert_known(words[1:])
        elif program == "make":
            makefile = (documents.TOP / "Makefile.am").read_text()
            for target in words[1:]:
                if target not in ("install", "uninstall"):
                    self.assertRegex(makefile, rf"(?m)^{target}:")
        elif program == "synctap":
            self._assert_command(words[1:], options)
        elif program not in documents.PROGRAMS:
            self._assert_script(documents.OURS.get(program, program),
                                words[1:], options)

    def _assert_command(self, words, options):
        """A command of synctap's, perhaps with a verb of its own."""
        if words[0].startswith("--"):
            return
        status, usage, _ = self.work.run(stage() / "bin" / "synctap", words[0],
                                         "--help")
        self.assertEqual(0, status, words)
        verbs = re.findall(rf"synctap {words[0]} ([a-z]+)", usage)
        if verbs and len(words) > 1 and re.match("[a-z]", words[1]):
            self.assertIn(words[1], verbs)
        _, known, _ = self.work.run(stage() / "bin" / "synctap", words[0],
                                    "--list-options")
        for option in options:
            self.assertIn(option, known + usage)

    def _assert_script(self, script, words, options):
        path = documents.TOP / script
        if script == "./configure":
            return
        self.assertTrue(os.access(path, os.X_OK), script)
        text = path.read_text()
        for option in options:
            self.assertIn(option, text)
        if script == "tests/run":
            for word in words:
                if not word.startswith("--") and word.islower():
                    self.assertRegex(text, rf"(?m)^  {word.split(':')[0]} ")

    def test_other_commands_are_bash(self):
        for block in self._blocks("sh root", "sh network", "sh build"):
            with self.subTest(place=f"{block.file}:{block.line}"):
                status, _, words = self._bash("-n", "-c", block.text)
                self.assertEqual((0, ""), (status, words), block.text)

    def test_configurations_pass_the_check(self):
        for block in self._blocks("rsyslog", "rsyslog-part", "rsyslog-alone"):
            with self.subTest(place=f"{block.file}:{block.line}"):
                self._check(block)

    def test_examples_of_parameters_pass_the_check(self):
        for module in ("mmsynctap", "omidentityinfo"):
            path = documents.TOP / "doc" / f"{module}.md"
            examples = re.findall(r"Example:\s+`([^`]*)`", path.read_text())
            self.assertTrue(examples)
            for example in examples:
                with self.subTest(module=module, example=example):
                    self._check(_action(path, module, example))

    def test_json_is_json(self):
        for block in self._blocks("json"):
            with self.subTest(place=f"{block.file}:{block.line}"):
                json.loads(block.text)

    @staticmethod
    def _blocks(*kinds):
        return [block for path in documents.markdown_files()
                for block in documents.blocks(path) if block.kind in kinds]

    def _here(self, commands):
        """Put this directory into the place of a host's."""
        commands = re.sub(r"/var/(?:spool/rsyslog|log|backups)\b",
                          str(self.work.path), commands)
        return re.sub(SOME_INCIDENT, self.incident, commands)

    def _bash(self, *arguments):
        path = f"{self.work.path}/bin:{os.environ['PATH']}"
        return self.work.run("env", f"PATH={path}", "bash", "-euo",
                             "pipefail", *arguments)

    def _check(self, block):
        work = Workplace()
        try:
            certificates.make(work)
            config = samples.placed_text(block.text)
            if block.text.count("rulebase="):
                config = block.text
            if block.kind == "rsyslog":
                config = (samples.HOST + samples.placed("synctap.conf")
                          + config)
            elif block.kind == "rsyslog-part":
                config = WHERE + _part(config)
            elif "workDirectory" not in config:
                config = WHERE + config
            config = config.replace("@WORK@", str(work.path))
            config = config.replace("/etc/synctap/vips", str(
                work.write("vips.yaml", RULE_OF_VIPS).parent / "vips"))
            work.write("vips.csv", "UPN\nvip@contoso.com\n")
            config = config.replace("/usr/share/synctap/rules",
                                    str(stage() / "share/synctap/rules"))
            config += '\naction(type="omfile" file="/dev/null")\n'
            path = work.write("rsyslog.conf", config)
            status, output, words = work.run(RSYSLOGD, "-N1", "-f", path,
                                             "-M", module_path())
            self.assertEqual(0, status, f"{block.text}\n{output}{words}")
        finally:
            work.remove()


if __name__ == "__main__":
    unittest.main()
