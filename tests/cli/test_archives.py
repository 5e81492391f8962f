"""Archives: however many threads read, the result is that of one.

Files are larger than what a thread takes at once. They are joined from
blocks of every shape: good lines, documents over several lines, syslog
lines, what is cut, broken or blank. A block leaves nothing open, so what is
to come of a file is what comes of its blocks alone, one behind the other.
"""

import errno
import json
import os
import re
import pty
import random
import select
import subprocess
import sys
import tempfile
import unittest
from collections import namedtuple
from pathlib import Path

import plain
import rendering
import wrappings
from command import objects, synctap
from role_lists import is_sanitized

MEGABYTE = 1 << 20
NOW = "2026-06-01T12:00:00Z"
THREADS = (1, 2, 5)

Block = namedtuple("Block", "text ids reasons")


def record(record_id, shape=rendering.diagnostic_record, **columns):
    """Write a record; by default one that matches by its target's name."""
    return json.dumps(shape(plain.row(Id=record_id, **columns),
                            plain.chance()))


def other(record_id, size=0):
    """Write a record of an operation that is not the rule's."""
    return record(record_id, OperationName="Update user",
                  Reason="x" * size)


def pretty(text):
    """Write a document over several lines."""
    return json.dumps(json.loads(text), indent=2)


def cut_lines():
    """Write lines that are cut at places where a document could go on."""
    whole = other("cut")
    return [whole[:whole.index('"properties"')],
            whole[:whole.index("Update user") + 4],
            whole[:-1], '{"a":{"b":1}', "[1,", '{"a":"}']


# A line over which no document goes on, be it in a string or not.
BREAK = '*"*\n'


def blocks():
    """Give each kind of block: its text, with @ for the ids of its rows."""
    yield other("other", 1500) + "\n"
    yield other("other", 10) + "\r\n"
    yield record("@") + "\n"
    yield record("@", rendering.directory_audit) + "\r\n\r\n"
    yield pretty(record("@")) + "\n"
    yield pretty(other("other")) + "\n"
    yield pretty("[" + ",".join([record("@"), other("other")] * 3) + "]") \
        + "\n"
    yield '{"records":[' + ",".join([record("@"), other("x")] * 20) + "]}\n"
    yield "<13>Jun  1 11:00:00 host app: " + record("@") + "\n"
    yield "<13>Jun  1 11:00:00 host app: {[\"" + "\n"
    yield "<13>Jun  1 11:00:00 host app: " + record("lost")[:-9] + "\n"
    yield record("@") + record("@") + " \n"
    yield pretty(other("x")) + record("@") + "\n"
    yield "\n\r\n \t\n" + "\ufeff" + record("@") + "\n"
    yield "\ufeff\n\n\n"
    yield record("@").replace("nordwind", "nord\0wind") + "\n"
    yield record("lost")[:-1] + "}}\n" + record("lost")[1:] + "\n"
    yield "]}\n" + '"\n' + "\\\n" + BREAK
    for line in cut_lines():
        yield line + "\n" + BREAK
    yield record("lost")[:-2] + "\n" + BREAK


class ArchiveTest(unittest.TestCase):
    """Makes files and queries them."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-archive-")
        self.addCleanup(made.cleanup)
        self.directory = Path(made.name)
        self.roles = self.file("roles", b"")

    def file(self, name, content):
        """Write a file and give its path."""
        path = self.directory / name
        path.write_bytes(content)
        return path

    def options(self, *arguments):
        """Give the arguments of a query that has nothing from the system."""
        return ["query", "--identity", self.roles, "--now", NOW, "--format",
                "jsonl", *arguments]

    def query(self, *arguments, given=None):
        """Query files; give status, output, and words without directories."""
        done = synctap(*self.options(*arguments), given=given)
        return done._replace(
            words=done.words.replace(f"{self.directory}/", ""))

    def check(self, expected, *arguments, given=None):
        """However many threads there are, that is the result."""
        for threads in THREADS:
            with self.subTest(threads=threads):
                self.assertEqual(expected, self.query(
                    "--threads", threads, *arguments, given=given))


class LargeArrays(ArchiveTest):
    """An array that is longer than a megabyte comes element by element."""

    COUNT = 900
    EACH = 90  # one of so many matches

    def setUp(self):
        super().setUp()
        self.elements = [record(f"{n:03}") if n % self.EACH == 0
                         else other("other", 1000)
                         for n in range(self.COUNT)]
        self.half = self.COUNT // 2
        self.rows = "".join(f'{json.loads(row)["Id"]}\n' for row in
                            self._alone("".join(f"{one}\n" for one
                                                in self.elements)))

    def _alone(self, text):
        done = self.query(self.file("lines", text.encode()))
        self.assertEqual((0, ""), (done.status, done.words))
        return done.output.splitlines()

    def _check(self, words, *texts):
        """Whatever the form, the rows are those of the lines."""
        for text in texts:
            for threads in THREADS:
                done = self.query("--threads", threads,
                                  self.file("array", text.encode()))
                with self.subTest(text=text[:20] + ".." + text[-20:],
                                  threads=threads):
                    self.assertEqual(words, done.words)
                    self.assertEqual(self.rows, "".join(
                        f'{row["Id"]}\n' for row in objects(done.output)))

    def _halves(self, between):
        return ",".join(self.elements[:self.half]) + between + ",".join(
            self.elements[self.half:])

    def test_an_array_in_any_form_is_what_its_elements_are(self):
        of_all = [json.loads(one) for one in self.elements]
        self._check(
            "", json.dumps(of_all), json.dumps(of_all, indent=1) + "\n",
            "[" + ",\n".join(self.elements) + "]\n",
            "[\r\n" + "\r\n,".join(self.elements) + "\r\n]\r\n",
            "[" + "},\n{".join(",".join(self.elements).split("},{")) + "]")

    def test_what_is_behind_an_array_is_read_too(self):
        lines = "\n".join(self.elements[self.half:]) + "\n"
        first = "[" + ",".join(self.elements[:self.half]) + "]"
        self.assertGreater(len(first), MEGABYTE // 2)
        padded = first[:-1] + "," + other("other", MEGABYTE) + "]"
        self._check("", padded + "\n" + lines, padded + lines,
                    padded + "\n[" + lines.strip().replace("\n", ",\n") + "]",
                    other("first") + "\n" + padded + "\n" + lines)

    def test_an_array_that_does_not_end_is_told_where_it_begins(self):
        words = "synctap: array:1: cut off, or broken: the array that begins" \
                " here does not end\n"
        self._check(words, "[" + ",".join(self.elements) + ",",
                    "[" + ",".join(self.elements),
                    "[" + self._halves(" ") + "]",
                    "[" + self._halves(",7,") + "]")

    def test_a_broken_element_is_told_beside_the_others(self):
        done = self.query(self.file("array", (
            "[" + self._halves(',\n{"a":,},') + "]").encode()))
        self.assertEqual(self.rows, "".join(
            f'{row["Id"]}\n' for row in objects(done.output)))
        self.assertEqual("synctap: array:1: cut off, or broken: the array that"
                         " begins here does not end\n"
                         "synctap: array:2: no JSON\n", done.words)

    def test_an_element_that_is_cut_off_is_told_too(self):
        done = self.query(self.file("array", (
            "[" + ",\n".join(self.elements)[:-9]).encode()))
        self.assertEqual("synctap: array:1: cut off, or broken: the array that"
                         " begins here does not end\n"
                         f"synctap: array:{self.COUNT}: cut off\n",
                         done.words)

    def test_a_replay_has_the_alerts_of_the_lines(self):
        alerts = [[alert["alert_id"] for alert in objects(synctap(
            "replay", "--identity", self.roles, "--now", NOW, "--format",
            "jsonl", path).output)] for path in (
                self.directory / "lines",
                self.file("array", b"[" + ",".join(self.elements).encode()
                          + b"]"))]
        self.assertEqual(self.COUNT // self.EACH, len(alerts[0]))
        self.assertEqual(*alerts)


class Mixtures(ArchiveTest):
    """Blocks in random order, in files of any form."""

    def _alone(self, text):
        """Learn what comes of a block alone."""
        done = self.query("--threads", 1, self.file("alone", text))
        told = re.findall(r"^synctap: alone:(\d+): (.*)$", done.words, re.M)
        return [Block(text, done.output.splitlines(),
                      [(int(line), f" {reason}") for line, reason in told])]

    def _kinds(self):
        kinds = [text.encode("utf-8", "surrogatepass")
                 for text in blocks()]
        return [block for text in kinds for block in self._alone(text)]

    def _joined(self, rng, size, ids):
        """Join random blocks; give the file's content, rows and words."""
        content, rows, words, line, length = [], [], [], 1, 0
        weights = [30] * 2 + [1] * (len(self.kinds) - 2)
        while length < size:
            block, = rng.choices(self.kinds, weights)
            one = f"{next(ids):07}"
            content.append(block.text.replace(b'"@"', f'"{one}"'.encode()))
            rows += [row.replace('"@"', f'"{one}"') for row in block.ids]
            words += [(line + at - 1, reason) for at, reason in block.reasons]
            line += content[-1].count(b"\n")
            length += len(content[-1])
        return b"".join(content), rows, words

    def setUp(self):
        super().setUp()
        self.kinds = self._kinds()

    def test_the_blocks_are_what_they_should_be(self):
        rows = sum(len(block.ids) for block in self.kinds)
        told = sum(len(block.reasons) for block in self.kinds)
        self.assertGreater(rows, 30)
        self.assertGreater(told, 8)

    def test_files_of_several_pieces(self):
        rng, ids = random.Random("archives"), iter(range(10 ** 6))
        rows, words, paths = [], [], []
        for name in ("one", "two"):
            content, own_rows, told = self._joined(rng, 10 * MEGABYTE, ids)
            paths.append(self.file(name, content))
            rows += own_rows
            words += [f"synctap: {name}:{line}:{reason}\n"
                      for line, reason in told]
        expected = (1, "".join(f"{row}\n" for row in rows), "".join(words))
        self.check(expected, *paths)
        self._check_packed(expected, paths)

    def _check_packed(self, expected, paths):
        """Compressed files give the same under the same names."""
        for kind in wrappings.compressions():
            if kind == "xz":
                continue  # slow to make, and read as the others are
            packed = self.directory / kind
            packed.mkdir()
            for path in paths:
                (packed / path.name).write_bytes(
                    wrappings.compress(path.read_bytes(), kind))
            status, output, words = expected
            with self.subTest(kind=kind):
                self.check((status, output, words.replace(
                    "synctap: ", f"synctap: {kind}/")),
                    *(packed / path.name for path in paths))

    def test_standard_input(self):
        content, rows, told = self._joined(random.Random("input"),
                                           5 * MEGABYTE, iter(range(10 ** 6)))
        words = "".join(f"synctap: standard input:{line}:{reason}\n"
                        for line, reason in told)
        self.check((1, "".join(f"{row}\n" for row in rows), words),
                   given=content)

    def test_a_document_larger_than_what_a_thread_takes(self):
        inside = [record("in a document"), other("other", 3000)] * 2000
        text = other("first") + "\n" + pretty(f"[{','.join(inside)}]") \
            + "\n" + "{\n" + BREAK + record("last") + "\n"
        done = self.query("--threads", 1, self.file("alone", text.encode()))
        self.assertEqual(["in a document"] * 2000 + ["last"],
                         [row["Id"] for row in objects(done.output)])
        line = text[:text.index("{\n" + BREAK)].count("\n") + 1
        self.assertEqual(f"synctap: alone:{line}: cut off\n", done.words)
        self.check(done, self.directory / "alone")


class Order(ArchiveTest):
    """Files are handed on in the order in which they are named."""

    def test_rows_of_one_time(self):
        names = [f"file{number}" for number in range(20)]
        paths = [self.file(name, (record(name) + "\n").encode())
                 for name in names]
        for threads in THREADS:
            done = self.query("--threads", threads, *paths)
            self.assertEqual(names, [row["Id"] for row in
                                     objects(done.output)])

    def test_words(self):
        path = self.file("cut", b"{}\n[1,\n")
        packed = self.file("packed", wrappings.compress(b"[1,\n{", "gz"))
        short = self.file("short", packed.read_bytes()[:-4])
        shorter = self.file("shorter", packed.read_bytes()[:9])
        self.check((1, "", "synctap: cut:2: cut off\n"
                    "synctap: missing: No such file or directory\n"
                    "synctap: packed:1: cut off\n"
                    "synctap: packed:2: cut off\n"
                    "synctap: short:1: cut off\n"
                    "synctap: short:2: cut off\n"
                    "synctap: short:2: the compressed data is cut off\n"
                    "synctap: shorter: the compressed data is cut off\n"
                    "synctap: cut:2: cut off\n"),
                   path, self.directory / "missing", packed, short,
                   shorter, path)

    def test_standard_input_between_files_and_twice(self):
        one, two = (self.file(name, (record(name) + "\n").encode())
                    for name in ("one", "two"))
        for threads in THREADS:
            done = self.query("--threads", threads, one, "-", two, "-",
                              given=(record("given") + "\n").encode())
            self.assertEqual(["one", "given", "two"], [
                row["Id"] for row in objects(done.output)])

    def test_words_of_a_pipe_come_before_its_end(self):
        with subprocess.Popen(
                [os.environ["SYNCTAP"], *map(str, self.options())],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE, bufsize=0) as running:
            running.stdin.write(b"[1,\n" + BREAK.encode())
            words = running.stderr.readline()
            running.stdin.close()
            self.assertEqual(b"synctap: standard input:1: cut off\n", words)


class Threads(ArchiveTest):
    """The option."""

    def test_a_number_that_is_none(self):
        for value in ("0", "65", "-1", "two", "2 ", "", "1e1", "00000000002"):
            done = self.query("--threads", value)
            self.assertEqual((2, ""), (done.status, done.output), value)
            self.assertIn(f'query: --threads "{value}" is wrong: '
                          "give a number of threads from 1 to 64", done.words)

    def test_the_most(self):
        path = self.file("one", (record("one") + "\n").encode())
        done = self.query("--threads", 64, path)
        self.assertEqual((0, ""), (done.status, done.words))
        self.assertEqual(["one"], [row["Id"] for row in objects(done.output)])


# Prints the most memory that a program had, in KB; its words go nowhere.
MEASURE = """import os, sys
nowhere = os.open(os.devnull, os.O_WRONLY)
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[
    (os.POSIX_SPAWN_DUP2, nowhere, 1), (os.POSIX_SPAWN_DUP2, nowhere, 2)])
_, status, used = os.wait4(child, 0)
print(used.ru_maxrss)
sys.exit(status != 0)
"""


@unittest.skipIf(is_sanitized(), "a sanitizer takes all memory it can see")
class Memory(ArchiveTest):
    """It does not grow with the file."""

    def _most_memory(self, *arguments):
        """Give the most that a query had in memory, in megabytes.

        A small process begins it: until it is another program, a child has
        its parent's memory, and that would count.
        """
        command = [os.environ["SYNCTAP"], *map(str, self.options(*arguments))]
        done = subprocess.run(
            [sys.executable, "-S", "-c", MEASURE, *command],
            check=True, capture_output=True, text=True)
        return int(done.stdout) // 1024

    def test_of_a_large_file(self):
        lines = (other("other", 1000) + "\n").encode() * 2000
        path = self.directory / "large"
        with open(path, "wb") as file:
            for _ in range(300 * MEGABYTE // len(lines)):
                file.write(lines)
        self.assertLess(self._most_memory("--threads", 1, path), 40)
        self.assertLess(self._most_memory("--threads", 4, path), 60)


class Progress(ArchiveTest):
    """A line on a terminal, and nothing anywhere else."""

    def _run(self, path):
        """Give a pipe's content until something is shown; all that is."""
        terminal, stderr = pty.openpty()
        shown = b""
        with subprocess.Popen(
                [os.environ["SYNCTAP"], *map(str, self.options(path))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=stderr) as running:
            os.close(stderr)
            while b"/s" not in shown:
                running.stdin.write((other("other") + "\n").encode() * 100)
                shown += self._read_now(terminal)
            output = running.communicate(
                (record("row") + "\n").encode())[0]
            while True:
                try:
                    shown += os.read(terminal, 65536)
                except OSError as error:  # the other end is closed
                    self.assertEqual(errno.EIO, error.errno)
                    break
        os.close(terminal)
        return output, shown.decode()

    @staticmethod
    def _read_now(terminal):
        """Read what is there without waiting."""
        ready = select.select([terminal], [], [], 0)[0]
        return os.read(terminal, 65536) if ready else b""

    def test_on_a_terminal(self):
        output, shown = self._run("-")
        self.assertIn('"Id":"row"', output.decode())
        lines = shown.split("\r")
        self.assertRegex(lines[1], r"^synctap: standard input: \d+ MB, "
                         r"[0-9.]+ [MG]B/s *$")
        self.assertRegex(shown, r"\r +\r$")

    def test_not_in_a_file(self):
        path = self.file("large", (other("other", 1000) + "\n").encode()
                         * 10000)
        self.assertEqual("synctap: no row matches\n",
                         self.query(path).words)


if __name__ == "__main__":
    unittest.main()
