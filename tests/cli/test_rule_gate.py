"""No rule's gate holds back a record that gives a row.

Random rules are made of a grammar, so that their texts for the gate follow
from all kinds of conditions, and run over random tenants' records in all
their shapes and escapes. `query` asks the gate first, `explain` never does:
both must say the same of each record. SYNCTAP_RULES raises the number of
rules; SYNCTAP_SEED starts at another one.
"""

import json
import os
import pathlib
import random
import tempfile
import unittest

import rendering
import rule_files
import tenant
import ticks
from command import synctap

RULES = int(os.environ.get("SYNCTAP_RULES", "25"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
NOW = ticks.parse("2026-06-01T12:00:00Z")

WORDS = ("registered security info", "temporary access pass", "Register",
         "security info", "Admin", "Sync_", "nordwind", "success", "HOST",
         "User", "Authentication Methods", "onmicrosoft", "é", "\\\"x",
         "access  pass", "Update user", "quote", "Policy über", "a/b")
TEXTS = ("OperationName", "Result", "ResultReason", "LoggedByService",
         "tostring(InitiatedBy.user.userPrincipalName)",
         "tostring(T.userPrincipalName)", "tostring(T.displayName)",
         "tostring(T)", "tostring(TargetResources[0].userPrincipalName)",
         "coalesce(tostring(InitiatedBy.app.displayName), Result)",
         "tolower(OperationName)", "strcat(Result, OperationName)",
         "tostring(parse_json(tostring(T.modifiedProperties))[0].newValue)",
         "ActivityDisplayName", "Name")
OPERATORS = ("has", "has_cs", "contains", "startswith", "endswith", "==",
             "=~", "!has", "!contains", "!=", "!~")


def literal(rng):
    """Make one text."""
    return f'"{rng.choice(WORDS)}"'


def term(rng):
    """Make one comparison."""
    left = rng.choice(TEXTS)
    if rng.random() < 0.35:
        words = ", ".join(literal(rng) for _ in range(rng.randint(1, 4)))
        word = rng.choice(("has_any", "has_all", "in", "in~", "!in", "!in~"))
        return f"{left} {word} ({words})"
    return f"{left} {rng.choice(OPERATORS)} {literal(rng)}"


def condition(rng, depth=0):
    """Make a condition."""
    roll = rng.random()
    if depth > 2 or roll < 0.4:
        return term(rng)
    if roll < 0.5:
        return f"not({condition(rng, depth + 1)})"
    word = rng.choice((" and ", " or "))
    return "(" + word.join(condition(rng, depth + 1)
                           for _ in range(rng.randint(2, 3))) + ")"


def query_of(rng):
    """Make a query; most of them have a text for the gate."""
    wheres = [condition(rng) for _ in range(rng.randint(0, 1))]
    first = f"{rng.choice(TEXTS[:10])} {rng.choice(OPERATORS[:7])} " \
        f"{literal(rng)}"
    if rng.random() < 0.7:  # one that is true of many records
        first = rng.choice((
            'OperationName has_any ("security info", "access pass")',
            'OperationName contains "register"',
            'tostring(T) has_all ("type", "user")',
            'tostring(T) contains "NORDWIND"',
            'tostring(InitiatedBy) has "userPrincipalName"',
            'Result in~ ("success", "failure")'))
    return ("AuditLogs | mv-expand T = TargetResources "
            "| extend Name = tostring(T.userPrincipalName) "
            f"| where {first}"
            + "".join(f" | where {one}" for one in wheres)
            + " | project Id, OperationName")


class Gate(unittest.TestCase):
    """One rule and one tenant a seed."""

    def test_query_and_explain_say_the_same(self):
        judged = 0
        for seed in range(FIRST_SEED, FIRST_SEED + RULES):
            with tempfile.TemporaryDirectory() as directory:
                judged += self._check(pathlib.Path(directory), seed)
        self.assertGreater(judged, RULES // 3)

    def _check(self, directory, seed):
        rng = random.Random(f"gate {seed}")
        rule = directory / "rule.yaml"
        for _ in range(20):
            rule.write_text(rule_files.text(query_of(rng), period="1000d"))
            if synctap("rule", "check", rule).status == 0:
                break
        else:
            return 0
        made = tenant.random_tenant(seed, NOW, wide=True)
        drawn = rendering.rendering_of(seed)
        files = rendering.write_files(
            directory, "audits", rendering.audit_records(made.audits, drawn),
            drawn)
        nobody = directory / "nobody"  # not this machine's role list
        nobody.write_text("")
        options = ["--rule", rule, "--now", ticks.render(NOW), "--identity",
                   nobody, "--semantics", "wide", "--format", "jsonl", *files]
        rows = [json.loads(line) for line in
                synctap("query", *options).output.splitlines()]
        told = [json.loads(line) for line in
                synctap("explain", *options).output.splitlines()]
        for name in ("kql", "wide"):
            expected = sorted(one["record_id"] for one in told
                              if one.get(name))
            got = sorted({id(row): row for row in rows if row["Kql"]
                          or name == "wide"}.values(),
                         key=lambda row: row["Id"])
            self.assertEqual(set(expected), {row["Id"] for row in got},
                             f"seed {seed}, {name}: {rule.read_text()}")
        return bool(rows)


if __name__ == "__main__":
    unittest.main()
