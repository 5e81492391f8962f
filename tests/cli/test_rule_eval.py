"""The expressions and pipelines of a rule's query, tried by rule eval.

kql_cases.json holds cases of our own; those that were recorded from
Microsoft's engine lie beside the checkout, where they are to be had.
"""

import itertools
import json
import pathlib
import unittest

from command import objects, synctap

OWN = json.loads((pathlib.Path(__file__).parent / "kql_cases.json").read_text())
RECORDED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" \
    / "kql-expressions.json"
OF_REFUSED = {"s": "string", "n": "long", "d": "dynamic", "t": "datetime"}


def evaluate(source, types, rows):
    """Run `rule eval` over rows."""
    given = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return synctap("rule", "eval", "--types", json.dumps(types), source, "-",
                   given=given)


def values(source, types, rows):
    """Give the values of an expression, or the rows that are left."""
    done = evaluate(source, types, rows)
    assert done.status == 0, (source, done)
    return [json.loads(line) for line in done.output.splitlines()]


def same(expected, got):
    """Tell if two values are one: Python takes True for 1."""
    return json.dumps(expected, sort_keys=True) \
        == json.dumps(got, sort_keys=True)


class OwnCases(unittest.TestCase):
    """What rules.md and kql.md say."""

    def test_an_expression_has_its_value(self):
        for source, types, row, expected in OWN["values"]:
            with self.subTest(source=source, row=row):
                got = values(source, types, [row])
                self.assertTrue(same([expected], got), f"{expected} {got}")

    def test_a_pipeline_leaves_its_rows_and_their_order(self):
        for source, types, rows, expected in OWN["rows"]:
            with self.subTest(source=source):
                done = evaluate(source, types, rows)
                self.assertEqual(done.status, 0, done.words)
                got = objects(done.output)
                self.assertEqual([list(row.items()) for row in expected],
                                 [list(row.items()) for row in got])

    def test_what_is_wrong_is_told_by_its_place_and_its_word(self):
        for source, line, column, word in OWN["refused"]:
            with self.subTest(source=source):
                done = evaluate(source, OF_REFUSED, [{}])
                self.assertEqual(done.status, 2, done)
                self.assertIn(f"{line}:{column}: \"{word}\": ", done.words)
                self.assertEqual(done.output, "")

    def test_an_expression_without_columns_needs_no_rows(self):
        self.assertEqual(synctap("rule", "eval", "strlen('ab')").output,
                         "2\n")

    def test_a_wrong_one_without_columns_needs_none_either(self):
        for source, column, word in (("strlen(5)", 8, "5"), ("now()", 1, "now"),
                                     ("'a\\q'", 1, "'a\\q"), ("1 + 1", 3, "+"),
                                     ("'a' ==", 7, "")):
            with self.subTest(source=source):
                done = synctap("rule", "eval", source)
                self.assertEqual(done.status, 2, done)
                self.assertIn(f"1:{column}: \"{word}\": ", done.words)

    def test_types_are_told_by_the_rows_where_nobody_says_them(self):
        rows = b'{"s":"a","n":null}\n{"s":"b","n":3}\n'
        done = synctap("rule", "eval", "where n > 2 | project s", given=rows)
        self.assertEqual(done.output, '{"s":"b"}\n')

    def test_a_row_that_is_no_object_is_named_with_its_line(self):
        done = synctap("rule", "eval", "s", "-", given=b'{"s":"a"}\n7\n')
        self.assertEqual(done.status, 1)
        self.assertIn("2: a row should be a JSON object", done.words)

    def test_a_hostile_expression_ends_at_a_bound(self):
        deep = "(" * 50000 + "s"
        self.assertIn("nested too deep", evaluate(deep, OF_REFUSED, []).words)

    def test_a_long_chain_is_not_deep(self):
        chain = " or ".join(["s == 'a'"] * 5000)
        self.assertEqual(values(chain, OF_REFUSED, [{"s": "a"}]), [True])


@unittest.skipUnless(RECORDED.is_file(), "the recorded cases are not here")
class RecordedCases(unittest.TestCase):
    """What Microsoft's engine gave; those of low confidence decide nothing."""

    def test_every_case(self):
        cases = [case for case in json.loads(RECORDED.read_text())
                 if case["confidence"] != "low"]

        def key(case):
            return (case.get("expr", ""), case.get("as", ""),
                    case.get("query", ""), json.dumps(case.get("types", {})),
                    json.dumps(case.get("rows", "")))
        for _, group in itertools.groupby(sorted(cases, key=key), key):
            self._check(list(group))

    def _check(self, group):
        first = group[0]
        types = first.get("types", {})
        if "query" in first:
            got = values(first["query"], types, first["rows"])
            expected = first["expect"]
            if not first.get("ordered"):
                got, expected = (sorted(map(json.dumps, rows))
                                 for rows in (got, expected))
        elif first.get("as") == "where":
            rows = [case["row"] | {"case": n} for n, case in enumerate(group)]
            left = values(f"where {first['expr']}", types | {"case": "long"},
                          rows)
            got = sorted(row["case"] for row in left)
            expected = [n for n, case in enumerate(group) if case["expect"]]
        else:
            got = values(first["expr"], types, [case["row"] for case in group])
            expected = [case["expect"] for case in group]
        with self.subTest(source=first.get("query") or first["expr"]):
            self.assertTrue(same(expected, got), f"{expected} {got}")


if __name__ == "__main__":
    unittest.main()
