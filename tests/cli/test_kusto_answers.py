# SPDX-License-Identifier: Apache-2.0
"""Answers of Azure Data Explorer's API: version 1, 2, and 2 by fragments."""

import json
import pathlib
import tempfile
import unittest

import plain
from command import objects, synctap

NOW = "2026-06-01T12:00:00Z"
TARGETS = [{"id": "1", "userPrincipalName": plain.SYNC_UPN}]
COLUMNS = (("TimeGenerated", "datetime", "DateTime"),
           ("OperationName", "string", "String"),
           ("TargetResources", "dynamic", "Object"),
           ("Id", "string", "String"))


def rows(count, as_text):
    """Make matching rows, dynamic values as text or as they are."""
    return [["2026-06-01T11:00:00Z", plain.OPERATION,
             json.dumps(TARGETS) if as_text else TARGETS, f"r{n}"]
            for n in range(count)]


def columns(*members):
    """Describe the columns, the type under these keys."""
    return [{"ColumnName": name, **{
        key: {"ColumnType": kind, "DataType": old}[key] for key in members}}
        for name, kind, old in COLUMNS]


def version_1(as_text, members=("DataType", "ColumnType")):
    """Make an answer of version 1."""
    return {"Tables": [{"TableName": "Table_0", "Columns": columns(*members),
                        "Rows": rows(2, as_text)}]}


def with_old_types(as_text):
    """Make one that names .NET's types alone."""
    return version_1(as_text, ("DataType",))


def version_2(as_text):
    """Make an answer of version 2."""
    return [{"FrameType": "DataSetHeader", "IsProgressive": False,
             "Version": "v2.0"},
            {"FrameType": "DataTable", "TableId": 1,
             "TableKind": "PrimaryResult", "TableName": "PrimaryResult",
             "Columns": columns("ColumnType"), "Rows": rows(2, as_text)},
            {"FrameType": "DataSetCompletion", "HasErrors": False}]


def by_fragments(as_text):
    """Make a progressive answer."""
    first, second = rows(2, as_text)
    return [{"FrameType": "DataSetHeader", "IsProgressive": True},
            {"FrameType": "TableHeader", "TableId": 0, "Columns": [
                {"ColumnName": "Value", "ColumnType": "string"}]},
            {"FrameType": "TableFragment", "TableId": 0, "Rows": [["{}"]]},
            {"FrameType": "TableHeader", "TableId": 1,
             "Columns": columns("ColumnType")},
            {"FrameType": "TableFragment", "TableId": 1, "Rows": [first],
             "TableFragmentType": "DataAppend"},
            {"FrameType": "TableProgress", "TableId": 1},
            {"FrameType": "TableFragment", "TableId": 1, "Rows": [second]},
            {"FrameType": "TableCompletion", "TableId": 1, "RowCount": 2}]


class Answers(unittest.TestCase):
    """Each row is the record that it was."""

    def test_the_rows_are_found(self):
        for make in (version_1, with_old_types, version_2, by_fragments):
            for as_text in (False, True):
                with self.subTest(make=make.__name__, as_text=as_text):
                    found = self._query(make(as_text))
                    self.assertEqual(
                        [("r0", True), ("r1", True)],
                        [(row["Id"], row["Kql"]) for row in found])

    def test_rows_that_were_cut_off_their_columns_are_degraded_alerts(self):
        for as_text in (False, True):
            whole = json.dumps(version_1(as_text))
            for row in ('[["', '["2026'):
                begin = whole.index(row)
                with self.subTest(as_text=as_text, text=whole[begin:]):
                    self.assertEqual(
                        [("degraded", plain.SYNC_UPN)] * 2,
                        self._replay(whole[begin:]))

    def _replay(self, text):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "answer.json"
            path.write_text(text)
            done = synctap("replay", "--format", "jsonl", "--now", NOW,
                           "--identity", "/dev/null", path)
            self.assertEqual(1, done.status)
            self.assertIn("part of a record", done.words)
            return [(alert["confidence"], alert["target_upn"])
                    for alert in objects(done.output)]

    def _query(self, answer):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "answer.json"
            path.write_text(json.dumps(answer))
            done = synctap("query", "--format", "jsonl", "--now", NOW,
                           "--identity", "/dev/null", path)
            self.assertEqual((0, ""), (done.status, done.words))
            return objects(done.output)


if __name__ == "__main__":
    unittest.main()
