"""Files may be compressed; what they are is told by their content.

Random tenants in random wrappings are written plain and compressed, under
names that say nothing or something else; the rows are the same. A file that
is cut off in the middle is named, and what could be read of it and the other
files still counts.
"""

import json
import pathlib
import tempfile
import unittest

import plain
import rendering
import rows
import rule
import tenant
import wrappings
from command import allowed_statuses, objects, query, synctap, written


def lines(*ids):
    """Write one matching record for each id, as JSON lines."""
    return "".join(json.dumps(rendering.diagnostic_record(
        plain.row(Id=one), plain.chance())) + "\n" for one in ids).encode()


class Compressed(unittest.TestCase):
    """Every compression that can be made on this machine."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.roles = self._write("ids", b"")

    def _write(self, name, data):
        path = self.directory / name
        path.write_bytes(data)
        return path

    def _ids(self, *paths, statuses=(0,)):
        return sorted(row["Id"] for row in query(
            plain.NOW, [self.roles], paths, statuses=statuses))

    def test_random_tenants_in_random_wrappings(self):
        for number, kind in enumerate(wrappings.compressions() * 3):
            seed = f"compressed {number}"
            with self.subTest(seed=seed, kind=kind):
                self._check_tenant(seed, kind)

    def _check_tenant(self, seed, kind):
        made = tenant.random_tenant(seed, plain.NOW, wide=True)
        rng = rendering.rendering_of(seed)
        records = rendering.audit_records(made.audits, rng)
        texts = wrappings.messages(wrappings.ANYTHING, records,
                                   rendering.Style(rng, line_breaks=False))
        roles = "\n".join(json.dumps(rendering.identity_row(row, rng))
                          for row in made.identities)
        got = query(
            plain.NOW,
            [self._write("roles", wrappings.compress(roles.encode(), kind))],
            [self._write("audits", wrappings.compress(
                "\n".join(texts).encode(), kind))],
            statuses=allowed_statuses(made))
        expected = rule.evaluate(made.audits, made.identities, plain.NOW)
        self.assertEqual("", rows.difference(map(written, expected), got))

    def test_the_name_of_a_file_says_nothing(self):
        data = lines("one")
        for name in ("audits.json", "audits", "audits.gz", "audits.txt"):
            for kind in wrappings.compressions():
                with self.subTest(name=name, kind=kind):
                    path = self._write(name, wrappings.compress(data, kind))
                    self.assertEqual(["one"], self._ids(path))
            self.assertEqual(["one"], self._ids(self._write(name, data)))

    def test_several_members_in_a_file(self):
        for kind in wrappings.compressions():
            with self.subTest(kind=kind):
                data = b"".join(wrappings.compress(lines(one), kind)
                                for one in ("one", "two", "three"))
                self.assertEqual(["one", "three", "two"],
                                 self._ids(self._write("audits", data)))

    def test_standard_input(self):
        for kind in (*wrappings.compressions(), None):
            data = lines("one")
            if kind:
                data = wrappings.compress(data, kind)
            with self.subTest(kind=kind):
                done = synctap("query", "--now", "2026-06-01T12:00:00Z",
                               "--identity", self.roles, "--format", "jsonl",
                               given=data)
                self.assertEqual(0, done.status, done.words)
                self.assertEqual(["one"], [row["Id"] for row in
                                           objects(done.output)])

    def test_a_file_that_is_cut_off(self):
        whole = self._write("whole.json", lines("whole"))
        for kind in wrappings.compressions():
            data = wrappings.compress(
                lines(*(f"{number} {number * 7919}" for number in
                        range(2000))), kind)
            with self.subTest(kind=kind):
                path = self._write("cut.json", data[:len(data) // 2])
                done = synctap("query", "--now", "2026-06-01T12:00:00Z",
                               "--identity", self.roles, "--format", "jsonl",
                               path, whole)
                self.assertEqual(1, done.status)
                self.assertIn("cut.json", done.words)
                self.assertIn("whole", [row["Id"] for row in
                                        objects(done.output)])

    def test_utf_16_is_read_to_its_end(self):
        wide = json.dumps({"text": "\N{KEY}" * 40}, ensure_ascii=False) + "\n"
        text = wide * 4000 + lines("last").decode()
        for mark, coding in (("\ufeff", "utf-16-le"), ("\ufeff", "utf-16-be"),
                             ("", "utf-16-le"), ("", "utf-16-be")):
            path = self._write("audits", (mark + text).encode(coding))
            for threads in (1, 2):
                with self.subTest(mark=mark, coding=coding, threads=threads):
                    self.assertEqual(["last"], self._ids(
                        "--threads", threads, path))

    def test_an_empty_file(self):
        for kind in wrappings.compressions():
            path = self._write("empty", wrappings.compress(b"", kind))
            done = synctap("query", "--identity", "/dev/null", path)
            self.assertEqual(
                (1, "", f"synctap: {path}: no audit record in it\n"), done)
