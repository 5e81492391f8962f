"""What cannot be read is named with its line; the rest is still done.

`synctap query` gives the rows of the query and nothing else: of a record that
is cut off or broken it makes no row, though it may show a phrase and a sync
account. The status is 1, and the words on standard error name the file and the
line. Records beside it give what they give alone.
"""

import json
import pathlib
import re
import tempfile
import unittest

import plain
import rendering
from command import objects, synctap

NOW = "2026-06-01T12:00:00Z"


def record(record_id, shape=rendering.diagnostic_record):
    """Write a record that matches by its target's name."""
    return json.dumps(shape(plain.row(Id=record_id), plain.chance()))


def nested(depth):
    """Write a matching record that holds something that deep."""
    text = record("deep")
    return text[:-1] + ', "deep": ' + "[" * depth + "]" * depth + "}"


class Broken(unittest.TestCase):
    """One file, some of it broken."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        (self.directory / "ids").write_text("")

    def _query(self, text, semantics="kql"):
        """Give the ids of the rows, the status, and the lines named."""
        path = self.directory / "audits.jsonl"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        done = synctap("query", "--now", NOW, "--semantics", semantics,
                       "--format", "jsonl",
                       "--identity", self.directory / "ids", path)
        named = re.findall(r"audits\.jsonl:(\d+)", done.words)
        return ([row["Id"] for row in objects(done.output)], done.status,
                sorted(set(map(int, named))))

    def test_a_record_cut_at_any_byte_makes_no_row(self):
        """From its phrase on it is named; before, it may be nobody's."""
        for shape in rendering.SHAPES:
            whole, other = record("whole", shape), record("other", shape)
            cut = [other[:length] for length in range(1, len(other))]
            text = "\n".join([whole, *cut, whole])
            phrase = other.index(plain.OPERATION) + len(plain.OPERATION)
            for semantics in ("kql", "wide"):
                with self.subTest(shape=shape.__name__, semantics=semantics):
                    found, status, named = self._query(text, semantics)
                    self.assertEqual((["whole"] * 2, 1), (found, status))
                    self.assertEqual(
                        list(range(phrase + 1, len(cut) + 2)),
                        [line for line in named if line > phrase])
                    self.assertNotIn(1, named)

    def test_a_container_cut_behind_a_record_gives_that_record(self):
        one, two = record("one"), record("two")
        for begin in ('{"records":[', '{"value": [', "["):
            for cut in (",", ", {", "," + two[:len(two) // 2], "," + two[:-1]):
                with self.subTest(begin=begin, cut=cut):
                    self.assertEqual((["one"], 1, [1]),
                                     self._query(begin + one + cut))

    def test_a_broken_line_beside_good_ones(self):
        for broken in ('{"operationName": "Register security info", ',
                       '{"operationName": Register security info}',
                       '["Register security info": {}]',
                       record("x")[:-1] + "]"):
            text = "\n".join((record("one"), broken, record("two")))
            with self.subTest(broken=broken):
                self.assertEqual((["one", "two"], 1, [2]), self._query(text))

    def test_a_file_that_begins_with_a_broken_line(self):
        text = record("x")[:-5] + "\n" + record("one") + "\n"
        self.assertEqual((["one"], 1, [1]), self._query(text))

    def test_a_record_broken_in_the_middle_of_a_document(self):
        broken = record("x").replace('"properties":', '"properties"')
        for begin, end in (('{"records":[', "]}"), ("[", "]")):
            text = begin + ",".join((record("one"), broken,
                                     record("two"))) + end
            with self.subTest(begin=begin):
                self.assertEqual((["one", "two"], 1, [1]), self._query(text))

    def test_a_record_that_is_nested_too_deep_is_named(self):
        for depth in (40, 1000, 10000, 100000):
            with self.subTest(depth=depth):
                text = "\n".join((record("one"), nested(depth),
                                  record("two")))
                self.assertEqual((["one", "two"], 1, [2]), self._query(text))

    def test_a_record_that_is_nested_less_deep_is_read(self):
        self.assertEqual((["deep"], 0, []), self._query(nested(20)))

    def test_text_that_is_no_record_is_no_error(self):
        text = "\n".join(("kernel: eth0: link up", record("one"),
                          "su: Register security info for Sync_HOST1"))
        self.assertEqual((["one"], 0, []), self._query(text))

    def test_a_bracket_in_a_readable_records_name_is_no_error(self):
        for begin in ("[", "{", "[{", "[1] "):
            for key in ("OperationName", "Identity", "ResultReason"):
                row = {"Type": "AuditLogs", "TimeGenerated": NOW, "Id": "x",
                       "OperationName": plain.OPERATION}
                row[key] = begin + plain.OPERATION
                with self.subTest(begin=begin, key=key):
                    self.assertEqual(([], 0, []),
                                     self._query(json.dumps(row)))

    def test_nul_bytes_and_invalid_utf8_in_a_record(self):
        """Where the rule does not look, they change nothing."""
        text = record("one").replace(
            "Authentication Methods", "@").encode().replace(
            b"@", b"Authentication\xff\xc3 Methods", 1)
        text += b"\n" + b"\0\n" + record("two").encode() + b"\0\n"
        found, _, _ = self._query(text)
        self.assertEqual(["one", "two"], found)
