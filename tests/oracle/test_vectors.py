"""The oracle itself is held against recorded results of the real engine.

The recorded cases lie beside the checkout, not in it; where they are absent
there is nothing to compare with and the test says that it was skipped.
Cases of low confidence are nobody's law and are left out.
"""

import json
import pathlib
import unittest

import kql
import rule
import ticks

VECTORS = pathlib.Path(__file__).resolve().parents[2].parent \
    / "shared" / "data" / "kql-vectors.json"


def _final_where(target, columns):
    accounts = rule.SyncAccounts(set(columns["AccountUPN"]),
                                 set(columns["AccountObjectId"]))
    return bool(rule.matched_by(target["TargetUpn"], target["TargetId"],
                                accounts))


# Dynamic values stand in the cases as their JSON text.
OPERATORS = {
    "has": kql.has,
    "!has": lambda left, right: not kql.has(left, right),
    "has_any": kql.has_any,
    "has_any_dynamic": lambda left, right:
        kql.has_any_dynamic(json.loads(left), right),
    "startswith": kql.startswith,
    "contains": kql.contains,
    "=~": kql.equals_folded,
    "in~": kql.in_folded,
    "in~_table": kql.in_folded,
    "in": kql.in_exact,
    "in_table": kql.in_exact,
    "or": kql.logical_or,
    "and": kql.logical_and,
    "tostring_dynamic": lambda left, _: kql.tostring(json.loads(left)),
    "path_tostring": lambda left, right:
        kql.tostring(kql.path(json.loads(left), right)),
    "coalesce": lambda left, _: kql.coalesce(*left),
    "mv_expand": lambda left, _:
        [kql.json_text(row) for row in kql.mv_expand(json.loads(left))],
    "arg_max": lambda left, _: kql.arg_max(left, "t", by="k"),
    "datetime_gt": lambda left, right: ticks.parse(left) > ticks.parse(right),
    "final_where": _final_where,
}


class Vectors(unittest.TestCase):
    """Every recorded case of medium or high confidence."""

    def test_every_case_has_its_recorded_result(self):
        if not VECTORS.exists():
            self.skipTest(f"no recorded cases at {VECTORS}")
        cases = [case for case in json.loads(VECTORS.read_text("utf-8"))
                 if case.get("confidence") != "low"]
        self.assertGreater(len(cases), 300)
        for case in cases:
            with self.subTest(op=case["op"], left=case["left"],
                              right=case["right"]):
                got = OPERATORS[case["op"]](case["left"], case["right"])
                self.assertEqual(got, case["expect"], case["source"])


class Folding(unittest.TestCase):
    """What the recorded cases leave open and the law decides."""

    def test_nothing_outside_ascii_folds_into_it(self):
        for text in "\u017f\u212a\u0130":
            self.assertEqual(kql.fold(text), text)

    def test_every_code_point_folds_to_one(self):
        for code in range(0x20000):
            folded = kql.fold(chr(code))
            self.assertEqual(len(folded), 1)
            self.assertEqual(kql.fold(folded), folded)


if __name__ == "__main__":
    unittest.main()
