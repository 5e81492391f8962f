"""What a person is shown: nothing that a terminal obeys, and all that fits.

Names in records are an attacker's to choose. Each control and format
character is put into each place that the commands show, on a terminal of
their own (a pseudo-terminal) and in the words on standard error.
"""

import fcntl
import json
import os
import pathlib
import pty
import struct
import subprocess
import tempfile
import termios
import unicodedata
import unittest

import plain
import rendering
from command import arguments_of, synctap

ACTING = "".join(map(chr, (*range(1, 0x20), 0x7F, *range(0x80, 0xA0), 0xAD,
                           0x61C, 0x200B, *range(0x200E, 0x2010),
                           *range(0x2028, 0x202F), *range(0x2066, 0x206A),
                           0xFEFF, 0xFFF9, 0xE0041)))
HOSTILE = f"eve{ACTING}@nordwind.example"
NOW = "2026-06-01T12:00:00Z"


def acts(char):
    """Tell if a terminal may obey a character, or hide it."""
    return unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") \
        and char != "\n"


def on_terminal(columns, *arguments):
    """Run synctap with a terminal so wide as its standard output."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ,
                struct.pack("HHHH", 25, columns, 0, 0))
    mode = termios.tcgetattr(theirs)
    mode[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    process = subprocess.Popen(
        arguments_of(arguments), stdin=subprocess.DEVNULL, stdout=theirs,
        stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = _all_of(ours)
    process.wait(timeout=60)
    return shown.decode()


def _all_of(file):
    """Read until the other end is closed, which a terminal says as EIO."""
    parts = []
    try:
        while part := os.read(file, 65536):
            parts.append(part)
    except OSError:
        pass
    os.close(file)
    return b"".join(parts)


def record(**columns):
    """Write a matching record that names things as the columns say."""
    made = plain.row(**columns)
    return json.dumps(rendering.diagnostic_record(made, plain.chance()))


class Shown(unittest.TestCase):
    """Hostile names, on a terminal."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.roles = self._write("roles", "")
        initiator = plain.initiator()
        initiator["user"]["userPrincipalName"] = HOSTILE
        initiator["user"]["ipAddress"] = HOSTILE
        target = plain.target(upn=f"Sync_{HOSTILE}", object_id=HOSTILE)
        self.audits = self._write("audits", record(
            InitiatedBy=initiator, TargetResources=[target], Id=HOSTILE,
            Reason=HOSTILE) + "\n")

    def _write(self, name, content):
        path = self.directory / name
        path.write_text(content, encoding="utf-8")
        return path

    def _shown(self, columns, command, *more):
        return on_terminal(columns, command, "--now", NOW, "--identity",
                           self.roles, *more, self.audits)

    def test_nothing_that_a_terminal_obeys(self):
        for command in ("query", "replay", "explain"):
            with self.subTest(command=command):
                shown = self._shown(4000, command)
                self.assertIn("eve", shown)
                self.assertIn("\\u0001", shown)
                self.assertEqual([], [*filter(acts, shown)])

    def test_a_table_is_as_wide_as_the_terminal(self):
        for columns in (30, 60, 80, 120, 200):
            for command in ("query", "replay"):
                with self.subTest(columns=columns, command=command):
                    lines = self._shown(columns, command).splitlines()
                    self.assertEqual(2, len(lines))
                    self.assertLessEqual(max(map(len, lines)), columns)

    def test_words_about_files_and_arguments(self):
        path = self.directory / "a\x1b[31m\u202eb"
        for words in (("query", path), ("replay", path), ("explain", path),
                      ("incident", "list", "--database", path),
                      ("query", "--now", "\x1b[31m\u202e"),
                      ("\x1b[31m\u202e",)):
            with self.subTest(words=words):
                done = synctap(*words)
                self.assertIn("\\u001b[31m\\u202e", done.words)
                self.assertEqual([], [*filter(acts, done.words)])


class NoRoom(unittest.TestCase):
    """Standard output that cannot be written."""

    def _on_full(self, *arguments):
        with open("/dev/full", "wb") as full:
            return subprocess.run(
                arguments_of(arguments), stdin=subprocess.DEVNULL,
                stdout=full, stderr=subprocess.PIPE, timeout=60)

    def _check(self, *arguments):
        with self.subTest(arguments=arguments):
            done = self._on_full(*arguments)
            self.assertEqual(1, done.returncode)
            self.assertIn(b"standard output cannot be written", done.stderr)

    def test_each_command_says_so(self):
        with tempfile.TemporaryDirectory() as made:
            directory = pathlib.Path(made)
            audits, roles, database = (directory / name for name in (
                "audits", "roles", "database"))
            audits.write_text(record() + "\n", encoding="utf-8")
            roles.write_text(json.dumps(rendering.identity_row(
                plain.identity(plain.SYNC_UPN), plain.chance())) + "\n",
                encoding="utf-8")
            self.assertEqual(0, synctap("identity", "import", "--database",
                                        database, roles).status)
            for format_ in ("jsonl", "table"):
                for command in ("query", "replay", "explain"):
                    self._check(command, "--format", format_, "--now", NOW,
                                "--identity", roles, audits)
                self._check("identity", "list", "--format", format_,
                            "--database", database)

    def test_help_too(self):
        for words in (("--help",), ("--version",), ("query", "--help"),
                      ("incident", "-h")):
            self._check(*words)

    def test_nothing_to_write_is_nothing_missing(self):
        with tempfile.TemporaryDirectory() as made:
            roles = pathlib.Path(made) / "roles"
            roles.write_text(json.dumps(rendering.identity_row(
                plain.identity(plain.SYNC_UPN), plain.chance())) + "\n",
                encoding="utf-8")
            done = self._on_full("identity", "import", "--database",
                                 roles.with_name("database"), roles)
            self.assertEqual(0, done.returncode)


class Commands(unittest.TestCase):
    """What there is, for who does not know."""

    NAMES = ("query", "replay", "explain", "identity", "incident")

    def test_help_names_each_command_in_a_line(self):
        for words in (("--help",), ("-h",), ("help",)):
            done = synctap(*words)
            self.assertEqual((0, ""), (done.status, done.words))
            self._check(done.output)

    def test_alone_it_is_wrong_usage(self):
        done = synctap()
        self.assertEqual((2, ""), (done.status, done.output))
        self._check(done.words)
        self.assertNotIn('""', done.words)

    def _check(self, text):
        lines = [line.split() for line in text.splitlines()]
        for name in self.NAMES:
            self.assertEqual(1, sum(line[:1] == [name] for line in lines))
