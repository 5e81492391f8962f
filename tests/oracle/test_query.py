"""The oracle's reading of queries, held against recorded results.

tests/cli/kql_cases.json has cases of our own; those that were recorded from
Microsoft's engine lie beside the checkout, where they are to be had. The
oracle reads no spellings of dates and spans and no regular expressions but
Python's.
"""

import csv
import io
import json
import pathlib
import random
import unittest

import query_records
import query_rows
import query_tree
import query_values
import ticks
import watchlists
from query_rows import parsed
from query_tree import Piece
from query_values import Context, Value
from query_words import NotOfTheGrammar, words

TOP = pathlib.Path(__file__).resolve().parents[2]
OWN = json.loads((TOP / "tests" / "cli" / "kql_cases.json").read_text())
RECORDED = TOP.parent / "shared" / "data" / "kql-expressions.json"
LEFT_OUT = ("datetime", "regex", "timespan(")


def row_of(types, given):
    """Give a row of values."""
    return {name: Value(kind, given.get(name) or "" if kind == "string"
                        else given.get(name))
            for name, kind in types.items()}


def value_of(source, types, given):
    """Evaluate an expression."""
    return query_values.evaluate(query_tree.read_expression(source),
                                 Context(row_of(types, given), 0)).value


def rows_of(source, types, given):
    """Run operators."""
    rows = [{**row_of(types, one), query_rows.POSITIONS: Value("dynamic", [])}
            for one in given]
    left = query_rows.run(query_tree.read_pipeline(source), rows,
                          Context({}, 0))
    return [{name: value.value for name, value in row.items() if name}
            for row in left]


def same(expected, got):
    """Tell if two values are one: Python takes True for 1."""
    return json.dumps(expected, sort_keys=True) \
        == json.dumps(got, sort_keys=True)


def is_left_out(source, types):
    """Tell what is not the oracle's."""
    return {"datetime", "timespan"} & set(types.values()) \
        or any(word in source for word in LEFT_OUT)


class Recorded(unittest.TestCase):
    """Expressions and pipelines."""

    def test_our_own_cases(self):
        for source, types, given, expected in OWN["values"]:
            if is_left_out(source, types) or "ago(" in source:
                continue
            with self.subTest(source=source):
                got = value_of(source, types, given)
                self.assertTrue(same(expected, got), f"{expected} {got}")

    @unittest.skipUnless(RECORDED.is_file(), "the recorded cases are not here")
    def test_what_microsofts_engine_gave(self):
        judged = 0
        for case in json.loads(RECORDED.read_text()):
            source = case.get("expr") or case["query"]
            types = case.get("types", {})
            if case["confidence"] == "low" or is_left_out(source, types):
                continue
            judged += 1
            with self.subTest(source=source, row=case.get("row")):
                self.assertTrue(*self._judged(case, source, types))
        self.assertGreater(judged, 750)

    @staticmethod
    def _judged(case, source, types):
        expected = case["expect"]
        if "query" in case:
            got = sorted(map(_text, rows_of(source, types, case["rows"])))
            expected = sorted(map(_text, expected))
        else:
            got = value_of(source, types, case["row"])
        if case.get("as") == "where":
            got = bool(got)
        return same(expected, got), f"{expected} {got}"


def _text(row):
    return json.dumps(row, sort_keys=True)


class Reading(unittest.TestCase):
    """Words, trees, parts of texts."""

    def test_words(self):
        self.assertEqual(
            [word.value for word in words(
                "x // no\n ['a b'] h@\"q\"\"\" 'it\\'s' 1.5h 0x1F ```a\n```")],
            ["x", "[", "a b", "]", 'q"', "it's", 15 * ticks.HOUR // 10, 31,
             "a\n", None])

    def test_parts_of_a_text(self):
        pieces = [Piece("any", ""), Piece("literal", "a="), Piece("name", "x"),
                  Piece("literal", ","), Piece("name", "y")]
        self.assertEqual(parsed("..a=1,a=2,", pieces), {"x": "1", "y": "a=2,"})
        self.assertEqual(parsed("a=1", pieces), {"x": "", "y": ""})

    def test_what_is_no_query_of_the_grammar(self):
        for source in ("AuditLogs | summarize count()", "SigninLogs",
                       "AuditLogs | where a ==", "let x = now(); AuditLogs"):
            with self.subTest(source=source), \
                    self.assertRaises(NotOfTheGrammar):
                query_tree.read(source)

    def test_lookback_is_the_least_that_is_said(self):
        for source, period, expected in (
                ("AuditLogs | where TimeGenerated > ago(2h) and Id == 'x'",
                 ticks.DAY, 2 * ticks.HOUR),
                ("AuditLogs | where TimeGenerated > ago(3d)", ticks.DAY,
                 ticks.DAY),
                ("AuditLogs | where TimeGenerated > ago(3d)", None,
                 3 * ticks.DAY),
                ("AuditLogs", None, ticks.DAY)):
            with self.subTest(source=source, period=period):
                self.assertEqual(query_rows.Rows(source, period).lookback(),
                                 expected)

    def test_what_a_watchlist_says(self):
        text = ('\ufeff"a, b", Name ,c\r\n'
                ' x  y ,"""q"" ","two\nlines"\r\n,"",\r\n')
        rows = [{"a, b": "x  y", "Name": '"q" ', "c": "two\nlines"},
                {"a, b": "", "Name": "", "c": ""}]
        for key, column in ((None, "a, b"), ("Name", "Name")):
            with self.subTest(key=key):
                self.assertEqual(watchlists.read(text, key), [
                    {**row, "SearchKey": row[column]} for row in rows])

    def test_files_say_what_was_drawn(self):
        query = query_tree.read(
            "let a = _GetWatchlist('x') | where ['B c'] != '' | project "
            "N = strcat(SearchKey, D); let b = (_GetWatchlist('x') | distinct "
            "E); AuditLogs | where Id in (a) or Id in (b)")
        self.assertEqual(watchlists.columns(query.sets["a"].ops),
                         {"B c", "SearchKey", "D"})
        for seed in range(50):
            file = watchlists.drawn(query, random.Random(seed), ["q"])["x"]
            table = [[cell.strip(" \t") for cell in row] for row in csv.reader(
                io.StringIO(file.content.decode("utf-8-sig"), newline=""),
                skipinitialspace=True)]
            names, *rows = table
            self.assertEqual([dict(zip(names, row)) for row in rows], [
                {name: row[name].strip(" \t") for name in names}
                for row in file.rows])
            self.assertTrue({"B c", "D", "E"} <= set(names))

    def test_records_are_what_the_query_is_after(self):
        rows = query_rows.Rows(
            "AuditLogs | where OperationName =~ 'Set trust' | mv-apply T = "
            "TargetResources on (where T.type =~ 'Policy' | extend parts = "
            "T.modifiedProperties) | mv-apply P = parts on (where "
            "P.displayName =~ 'mode' | extend Mode = trim('\"', tostring("
            "P.newValue))) | where Mode has 'open' | project Mode")
        audits = query_records.near(rows.query, 1, ticks.parse(
            "2026-11-01T12:00:00Z"), ticks.DAY, 100)
        found = rows.of(audits, [], ticks.parse("2026-11-01T12:00:00Z"))
        self.assertTrue(30 < len(found) < 100, len(found))


if __name__ == "__main__":
    unittest.main()
