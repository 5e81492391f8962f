"""What a file is, is told by its content: lines, documents, compressions.

Files are read through `synctap identity import`, since a role list shows
what was read of it: each account is a message, or a part of one.
"""

import bz2
import gzip
import json
import lzma
import os
import shutil
import subprocess
import unittest

from command import synctap
from role_lists import RoleListTest, log_analytics

COMPRESSIONS = {"gz": gzip.compress, "xz": lzma.compress}
if shutil.which("zstd"):
    COMPRESSIONS["zst"] = lambda data: subprocess.run(
        ["zstd", "-qc"], input=data, capture_output=True, check=True).stdout


def lines(*upns):
    """Write a row for each UPN, as JSON lines."""
    return b"".join(json.dumps(log_analytics(upn)).encode() + b"\n"
                    for upn in upns)


def document(*upns):
    """Write a document over several lines."""
    return json.dumps([log_analytics(upn) for upn in upns],
                      indent=2).encode()


def many(count=5000):
    """Name accounts that do not compress into nothing."""
    return [f"{number:05}-{number * 7919 % 100003:x}@x"
            for number in range(count)]


class FilesTest(RoleListTest):
    """Reads files and looks at who was in them."""

    def upns(self):
        """Give the accounts of the role list."""
        return [row[0] for row in self.columns()]

    def check(self, content, *upns):
        """Each of the accounts is read from the file, and nothing is told."""
        self.load_well(content)
        self.assertEqual(sorted(upns), self.upns())


    def check_nothing(self, content):
        """It holds no record, and that is said, once."""
        done = self.load(content)
        self.assertEqual(1, done.status)
        self.assertEqual(1, done.words.count("no identity record in it"))
        self.assertEqual([], self.upns())


class Messages(FilesTest):
    """Lines and documents, in any mixture."""

    def test_lines(self):
        self.check(lines("a", "b", "c"), "a", "b", "c")

    def test_lines_that_end_with_carriage_returns(self):
        self.check(lines("a", "b").replace(b"\n", b"\r\n"), "a", "b")

    def test_blank_lines(self):
        self.check(b"\n \n\r\n" + lines("a") + b"\n\n\t\n" + lines("b"),
                   "a", "b")

    def test_last_line_without_an_end(self):
        self.check(lines("a", "b").rstrip(), "a", "b")

    def test_document_over_several_lines(self):
        self.check(document("a", "b"), "a", "b")

    def test_documents_one_behind_the_other(self):
        for between in (b"", b"\n", b" ", b"\r\n\r\n"):
            with self.subTest(between=between):
                self.setUp()
                self.check(document("a", "b") + between + document("c"),
                           "a", "b", "c")

    def test_documents_and_lines(self):
        self.check(document("a") + b"\n" + lines("b") + document("c"),
                   "a", "b", "c")

    def test_brackets_and_line_breaks_inside_strings(self):
        row = log_analytics("a", AccountDisplayName='}]{["\\')
        self.check(json.dumps([row], indent=1).encode() + b"\n" + lines("b"),
                   "a", "b")

    def test_byte_order_mark_at_the_front_and_where_files_were_joined(self):
        mark = "\ufeff".encode()
        self.check(mark + lines("a") + mark + lines("b") + mark
                   + document("c"), "a", "b", "c")

    def test_utf_16(self):
        for order in ("le", "be"):
            with self.subTest(order=order):
                self.setUp()
                upn = "\u00e9\U0001f600@x"
                row = json.dumps(log_analytics(upn), ensure_ascii=False)
                self.check(f"\ufeff{row}\r\n".encode(f"utf-16-{order}"), upn)

    def test_half_a_surrogate_pair_in_utf_16_is_replaced(self):
        data = ("\ufeff" + lines("aXb").decode()).encode("utf-16-le")
        self.check(data.replace(b"X\0", b"\x00\xd8"), "a\ufffdb")

    def test_no_bytes_at_all(self):
        self.check_nothing(b"")

    def test_standard_input_that_is_a_pipe(self):
        done = synctap("identity", "import", "--database", self.database,
                       given=lines("a") + document("b") + lines("c"))
        self.assertEqual(0, done.status, done.words)
        self.assertEqual(["a", "b", "c"], self.upns())

    def test_standard_input_that_is_a_file_read_to_its_middle(self):
        path = self.file(lines("a", "b"))
        with open(path, "rb", buffering=0) as given:
            given.seek(len(lines("a")))
            subprocess.run(
                [os.environ["SYNCTAP"], "identity", "import", "--database",
                 self.database], stdin=given, check=True, capture_output=True)
        self.assertEqual(["b"], self.upns())


class BrokenMessages(FilesTest):
    """A broken message is named with its line and hides no other."""

    def _check(self, line, content, *upns):
        for name, compress in {"plain": bytes, **COMPRESSIONS}.items():
            with self.subTest(name):
                self.setUp()
                done = self.load(compress(content))
                self.assertEqual(1, done.status)
                self.assertIn(f"file1:{line}: ", done.words)
                self.assertEqual(sorted(upns), self.upns())

    def test_line_that_is_cut_off_anywhere(self):
        whole = lines("lost").rstrip()
        for at in range(1, len(whole) - 1, 7):
            with self.subTest(at=at):
                self.setUp()
                done = self.load(lines("a") + whole[:at] + b"\n"
                                 + lines("b"))
                self.assertEqual(1, done.status)
                self.assertIn("file1:2: ", done.words)
                self.assertEqual(["a", "b"], self.upns())

    def test_last_line_that_is_cut_off(self):
        self._check(3, lines("a", "b") + lines("lost")[:-5], "a", "b")

    def test_document_that_is_cut_off(self):
        self._check(2, lines("a") + document("b", "c")[:-2] + b"\n"
                    + lines("d"), "a", "b", "c", "d")

    def test_bracket_too_many(self):
        self._check(2, lines("a") + b"}\n" + lines("b"), "a", "b")

    def test_nesting_without_end(self):
        self._check(2, lines("a") + b"[" * 10000 + b"\n" + lines("b"),
                    "a", "b")

    def test_text(self):
        self._check(2, lines("a") + b"Jun  1 host app[1]: [x\n" + lines("b"),
                    "a", "b")


class Compressions(FilesTest):
    """gzip, xz and zstd."""

    def test_several_members(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                self.check(compress(lines("a")) + compress(b"")
                           + compress(lines("b")), "a", "b")

    def test_line_that_lies_in_two_members(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                data = lines("a")
                self.check(compress(data[:20]) + compress(data[20:]), "a")

    def test_members_in_different_compressions_are_a_trouble(self):
        done = self.load(gzip.compress(lines("a")) + lzma.compress(lines("b")))
        self.assertEqual(1, done.status)
        self.assertIn("file1:2: behind the compressed data stands something "
                      "else", done.words)
        self.assertEqual(["a"], self.upns())

    def test_zeros_behind_gzip_are_padding(self):
        self.check(gzip.compress(lines("a")) + bytes(1000), "a")

    def test_compressed_twice(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                self.check(gzip.compress(compress(lines("a"))), "a")

    def test_utf_16_inside(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                self.check(compress(("\ufeff" + lines("a").decode())
                                    .encode("utf-16-le")), "a")

    def test_nothing_inside(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                self.check_nothing(compress(b""))

    def test_many_lines(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                self.check(compress(lines(*many())), *many())

    def test_document_of_many_lines(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                self.check(compress(document(*many())), *many())

    def test_other_compressions_are_not_read(self):
        done = self.load(bz2.compress(lines("a")))
        self.assertEqual(1, done.status)
        self.assertEqual([], self.upns())


class CutAndCorrupt(FilesTest):
    """What could be read is used, and the trouble is named."""

    def _check(self, compressed, words):
        """The first accounts are there, up to the line that is named."""
        done = self.load(compressed)
        got = self.upns()
        self.assertEqual(1, done.status)
        self.assertEqual(many()[:len(got)], got)
        self.assertLess(len(got), 5000)
        self.assertIn(f"file1:{len(got) + 1}: {words}", done.words)
        return len(got)

    def test_cut_off(self):
        for name in ("gz", "xz"):
            with self.subTest(name):
                self.setUp()
                data = COMPRESSIONS[name](lines(*many()))
                self.assertGreater(self._check(
                    data[:len(data) // 2], "the compressed data is cut off"),
                    1000)

    @unittest.skipUnless("zst" in COMPRESSIONS, "no zstd here")
    def test_cut_off_zstd_keeps_its_whole_blocks(self):
        data = COMPRESSIONS["zst"](lines(*many()))
        self.assertGreater(self._check(
            data[:len(data) * 9 // 10], "the compressed data is cut off"),
            1000)

    def test_cut_off_in_the_header(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                done = self.load(compress(lines("a"))[:7])
                self.assertEqual(1, done.status)
                self.assertIn("file1", done.words)
                self.assertIn("the compressed data is cut off", done.words)

    def test_second_member_that_is_cut_off(self):
        for name, compress in COMPRESSIONS.items():
            with self.subTest(name):
                self.setUp()
                done = self.load(compress(lines("a"))
                                 + compress(lines("b"))[:-6])
                self.assertEqual(1, done.status)
                self.assertIn("the compressed data is cut off", done.words)
                self.assertIn("a", self.upns())

    def test_corrupt_in_the_middle(self):
        data = bytearray(gzip.compress(lines(*many())))
        data[len(data) // 2:len(data) // 2 + 40] = b"\xff" * 40
        done = self.load(bytes(data))
        self.assertEqual(1, done.status)
        self.assertIn("the compressed data is corrupt", done.words)
        self.assertEqual(many()[:1000], self.upns()[:1000])

    def test_wrong_checksum(self):
        for name in ("gz", "xz"):
            with self.subTest(name):
                self.setUp()
                data = bytearray(COMPRESSIONS[name](lines("a", "b")))
                data[-8 if name == "gz" else -20] ^= 1
                done = self.load(bytes(data))
                self.assertEqual(1, done.status)
                self.assertIn("file1:3: the compressed data is corrupt",
                              done.words)
                self.assertEqual(["a", "b"], self.upns())

    def test_table_that_is_cut_off_loses_its_last_row_only(self):
        rows = "".join(f"2026-06-01T00:00:00Z,{upn}\n" for upn in many())
        data = gzip.compress(f"TimeGenerated,AccountUPN\n{rows}".encode())
        done = self.load(data[:len(data) // 2])
        got = self.upns()
        self.assertEqual(1, done.status)
        self.assertGreater(len(got), 1000)
        self.assertEqual(many()[:len(got)], got)
        self.assertIn(f"file1:{len(got) + 2}: the compressed data is cut off",
                      done.words)

    def test_the_other_files_are_read(self):
        done = self.load_file(self.file(gzip.compress(lines("a"))[:-9]),
                              self.file(lines("b")))
        self.assertEqual(1, done.status)
        self.assertIn("b", self.upns())

    def test_files_that_cannot_be_opened(self):
        done = self.load_file(self.directory / "missing", self.directory,
                              self.file(lines("b")))
        self.assertEqual(1, done.status)
        self.assertIn("missing: No such file or directory", done.words)
        self.assertIn(f"{self.directory}: Is a directory", done.words)
        self.assertEqual(["b"], self.upns())
