"""However much comes out of a compressed file, memory has a bound."""

import gzip
import json
import os
import resource
import subprocess
import unittest
import zlib

import plain
import rendering
import ticks
from role_lists import RoleListTest, is_sanitized
from test_files_content import lines

MEGABYTE = 1 << 20


def gzip_of(pieces):
    """Compress what never lies in memory as a whole."""
    one = zlib.compressobj(1, zlib.DEFLATED, 31)
    return b"".join(map(one.compress, pieces)) + one.flush()


@unittest.skipIf(is_sanitized(), "memory cannot be limited under a sanitizer")
class Memory(RoleListTest):
    """A process with a limit, and files larger than that."""

    def _load(self, content, megabytes):
        """Import a file in a process that has no more memory than that."""
        limit = megabytes * MEGABYTE
        done = subprocess.run(
            [os.environ["SYNCTAP"], "identity", "import", "--database",
             self.database, self.file(content)], capture_output=True,
            timeout=120, check=False, preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_DATA, (limit, limit)))
        return done.returncode, done.stderr.decode()

    def _upns(self):
        return [row[0] for row in self.columns()]

    def test_lines_of_any_number(self):
        blanks = (b" " * 99 + b"\n") * 10000
        status, words = self._load(
            gzip_of([lines("a")] + [blanks] * 150 + [lines("b")]), 100)
        self.assertEqual(0, status, words)
        self.assertEqual(["a", "b"], self._upns())

    def test_table_of_any_length(self):
        rows = b"2026-06-01T00:00:00Z,b\n" * 40000
        status, words = self._load(
            gzip_of([b"TimeGenerated,AccountUPN\n", *[rows] * 100,
                     b"2026-06-01T00:00:00Z,a\n"]), 150)
        self.assertEqual(0, status, words)
        self.assertEqual(["a", "b"], self._upns())

    def test_line_of_64_megabytes_is_whole(self):
        name = [b"n" * MEGABYTE] * 64
        row = lines("a").rstrip()
        status, words = self._load(
            gzip_of([row[:-1], b',"Department":"', *name, b'"}\n',
                     lines("b")]), 700)
        self.assertEqual(0, status, words)
        self.assertEqual(["a", "b"], self._upns())

    def test_line_without_an_end_is_named_and_those_around_it_are_read(self):
        zeros = bytes(MEGABYTE)
        status, words = self._load(
            gzip_of([lines("a"), *[zeros] * 400, b"\n", lines("b")]), 700)
        self.assertEqual(1, status, words)
        self.assertIn("file1:2: ", words)
        self.assertEqual(["a", "b"], self._upns())

    def test_dictionary_that_is_too_large_is_refused(self):
        # LZMA2 with a dictionary of 1.5 GB, as its header alone can say
        made = subprocess.run(
            ["xz", "-c", "--lzma2=dict=1536MiB,mode=fast,mf=hc3,nice=10"],
            input=lines("a"), capture_output=True, check=False)
        if made.returncode != 0:
            self.skipTest("xz cannot make such a file here")
        status, words = self._load(made.stdout, 100)
        self.assertEqual(1, status, words)
        self.assertIn("takes more than 256 MB", words)

    def test_plain_file_needs_no_memory_of_its_size(self):
        status, words = self._load(b"\n" * (200 * MEGABYTE) + lines("a"), 100)
        self.assertEqual(0, status, words)
        self.assertEqual(["a"], self._upns())


class Layers(RoleListTest):
    """A compressed file in a compressed file."""

    def test_three_layers_are_read_and_no_more(self):
        data = lines("a")
        for depth in range(1, 6):
            data = gzip.compress(data)
            with self.subTest(depth=depth):
                self.setUp()
                self.assertEqual(0 if depth <= 3 else 1,
                                 self.load(data).status)


@unittest.skipIf(is_sanitized(), "memory cannot be limited under a sanitizer")
class LargeArray(RoleListTest):
    """An array in one line, larger than any line may be."""

    def test_its_last_record_is_found(self):
        other = json.dumps(rendering.diagnostic_record(plain.row(
            OperationName="Update user", Reason="x" * 3000), plain.chance()))
        last = json.dumps(rendering.diagnostic_record(
            plain.row(Id="last"), plain.chance()))
        many = (other + ",").encode() * 1000
        path = self.file(gzip_of([b"[", *[many] * 80, last.encode(), b"]"]))
        self.assertGreater(len(many) * 80, 256 * MEGABYTE)
        limit = 100 * MEGABYTE
        done = subprocess.run(
            [os.environ["SYNCTAP"], "query", "--identity", "/dev/null",
             "--now", ticks.render(plain.NOW), "--format", "jsonl", path],
            capture_output=True, timeout=120, check=False,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_DATA, (limit, limit)))
        self.assertEqual((0, ""), (done.returncode, done.stderr.decode()))
        self.assertEqual(["last"], [json.loads(line)["Id"] for line
                                    in done.stdout.splitlines()])
