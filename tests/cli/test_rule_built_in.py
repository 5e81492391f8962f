"""A rule file gives what the built-in rule gives, over random tenants.

rules/tap-on-sync-account.yaml is the built-in rule; the file that Sentinel
takes lies beside the checkout, where it is to be had. Rows, their order, ids,
alerts, their lateness and their incidents are the same, byte for byte, but for
what wide semantics adds to the built-in rule's own lists alone.
SYNCTAP_TENANTS and SYNCTAP_TIMELINES raise the numbers.
"""

import json
import os
import pathlib
import random
import re
import tempfile
import unittest

import rendering
import tenant
import test_replay_timelines
import ticks
from command import synctap

TOP = pathlib.Path(__file__).resolve().parents[2]
OURS = TOP / "rules" / "tap-on-sync-account.yaml"
SEED = TOP.parent / "shared" / "data" / "rules" / "aadprov00008.yaml"
RULES = [path for path in (OURS, SEED) if path.is_file()]

TENANTS = int(os.environ.get("SYNCTAP_TENANTS", "20"))
TIMELINES = int(os.environ.get("SYNCTAP_TIMELINES", "12"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
ENOUGH = 3

# The rule's own strings, said once more: then wide semantics adds none.
LISTS = [word for option, values in (
    ("--operations", ("Admin registered security info",
                      "Register security info",
                      "Create temporary access pass",
                      "Issue temporary access pass",
                      "Admin Issued Temporary Access Pass",
                      "User registered security info")),
    ("--roles", ("Directory Synchronization Accounts",
                 "On Premises Directory Sync Account")))
    for value in values for word in (option, value)]

# What else is tied to the built-in rule.
OF_THE_LISTS = {"identity_eligible", "deleted_user"}


def run(*arguments):
    """Run synctap and give its JSON lines as texts."""
    return synctap(*arguments).output.splitlines()


def without_lists_own(lines, name):
    """Drop what only the built-in rule's lists find in wide semantics."""
    return [line for line in lines
            if not OF_THE_LISTS & set(json.loads(line)[name])]


def tenant_files(directory, seed, semantics):
    """Write a random tenant; give how query is told of it, and its records."""
    now = random.Random(f"now {seed}").randrange(
        ticks.parse("2024-02-29T00:00:00Z"),
        ticks.parse("2027-01-01T00:00:00Z"))
    made = tenant.random_tenant(seed, now, wide=semantics == "wide")
    rng = rendering.rendering_of(seed)
    audits = rendering.write_files(
        directory, "audits", rendering.audit_records(made.audits, rng), rng)
    identities = rendering.write_files(
        directory, "ids", [rendering.identity_row(row, rng)
                           for row in made.identities], rng)
    roles = [word for path in identities for word in ("--identity", path)]
    return ["query", "--semantics", semantics, "--now", ticks.render(now),
            "--format", "jsonl", *roles], audits


class Tenants(unittest.TestCase):
    """One run of `query` a tenant, with and without the file."""

    def test_query_gives_the_same_rows_in_kql(self):
        self._check_all("kql")

    def test_query_gives_the_same_rows_in_wide(self):
        self._check_all("wide")

    def _check_all(self, semantics):
        wrong = []
        for seed in range(FIRST_SEED, FIRST_SEED + TENANTS):
            with tempfile.TemporaryDirectory() as directory:
                wrong += self._check(pathlib.Path(directory), seed, semantics)
            if len(wrong) >= ENOUGH:
                break
        self.assertFalse(wrong, "\n".join(wrong))

    def _check(self, directory, seed, semantics):
        command, audits = tenant_files(directory, seed, semantics)
        expected = without_lists_own(run(*command, *LISTS, *audits),
                                     "MatchedBy")
        return [f"seed {seed}, {rule.name}:\n" + _difference(expected, got)
                for rule in RULES
                if (got := without_lists_own(
                    run(*command, "--rule", rule, *audits), "MatchedBy"))
                != expected]


class Lists(unittest.TestCase):
    """Other lists for the built-in rule are another text of its query."""

    OPERATIONS = ("Register security info", "Create temporary access pass",
                  "security info", "access pass", "User registered")
    ROLES = ("Directory Synchronization Accounts", "Global Reader", "Sync")
    NAMES = ("Sync_", "DirSync", "B.O'Neill", "On-Premises", "a", "\"", "é",
             "nobody", "Service Account", "\\")

    def test_lists_do_what_the_same_query_does(self):
        for seed in range(FIRST_SEED, FIRST_SEED + TENANTS):
            semantics = ("kql", "wide")[seed % 2]
            with self.subTest(seed=seed), \
                    tempfile.TemporaryDirectory() as directory:
                self._check(pathlib.Path(directory), seed, semantics)

    def _check(self, directory, seed, semantics):
        rng = random.Random(f"lists {seed}")
        lists = {name: rng.sample(of, rng.randint(least, 2))
                 for name, of, least in (
                     ("operations", self.OPERATIONS, 1),
                     ("roles", self.ROLES, 0),
                     ("upn-startswith", self.NAMES, 0),
                     ("upn-contains", self.NAMES, 0),
                     ("upn-has", self.NAMES, 0),
                     ("displayname-has", self.NAMES, 0))}
        rule = directory / "rule.yaml"
        rule.write_text(_with_lists(OURS.read_text(), lists))
        options = [word for name, values in lists.items()
                   for value in values or ["off"]
                   for word in (f"--{name}", value)]
        command, audits = tenant_files(directory, seed, semantics)
        expected, got = (run(*command, *how, *audits)
                         for how in (("--rule", rule), options))
        own = {_place(line) for line in got
               if OF_THE_LISTS & set(json.loads(line)["MatchedBy"])}
        expected, got = ([line for line in lines if _place(line) not in own]
                         for lines in (expected, got))
        self.assertEqual(expected, got, f"{options}\n"
                         + _difference(expected, got))


def _place(line):
    """Name the row, whatever it matched by."""
    row = json.loads(line)
    return row["Id"], row["TimeGenerated"], row["TargetIndex"]


def _with_lists(rule, lists):
    """Write lists into the text of the rule that ships."""
    def literals(values):
        return ", ".join(map(json.dumps, values))

    def any_of(column, operator, values):
        return " or ".join(f"{column} {operator} {json.dumps(value)}"
                           for value in values) or "false"

    def put(pattern, by):
        changed, count = re.subn(pattern, lambda _: by, rule, flags=re.S)
        assert count == 1, pattern
        return changed

    rule = put(r'dynamic\(\[.*?\]\)',
               f"dynamic([{literals(lists['operations'])}])")
    rule = put(r'AssignedRoles has_any \(.*?\)',
               f"AssignedRoles has_any (dynamic([{literals(lists['roles'])}]))")
    for column, operator, name in (
            ("AccountUPN", "startswith", "upn-startswith"),
            ("TargetUpn", "startswith", "upn-startswith"),
            ("TargetUpn", "contains", "upn-contains"),
            ("TargetUpn", "has", "upn-has"),
            ("AccountDisplayName", "has", "displayname-has")):
        rule = put(f'{column} {operator} "[^"]*"',
                   any_of(column, operator, lists[name]))
    return rule


class Timelines(unittest.TestCase):
    """One run of `replay` a timeline, with and without the file."""

    def test_replay_fires_the_same_alerts_in_kql(self):
        self._check_all("kql")

    def test_replay_fires_the_same_alerts_in_wide(self):
        self._check_all("wide")

    def _check_all(self, semantics):
        wrong = []
        for seed in range(FIRST_SEED, FIRST_SEED + TIMELINES):
            with tempfile.TemporaryDirectory() as directory:
                wrong += self._check(pathlib.Path(directory), seed, semantics)
            if len(wrong) >= ENOUGH:
                break
        self.assertFalse(wrong, "\n".join(wrong))

    def _check(self, directory, seed, semantics):
        case = test_replay_timelines._Case(seed, semantics, directory)
        arguments = ["replay", "--semantics", semantics, "--format", "jsonl",
                     *case._options(), *case._initial(), *case._files()]
        expected = run(*arguments, *LISTS)
        if any(OF_THE_LISTS & set(json.loads(line)["matched_by"])
               for line in expected):
            return []  # an alert more makes other incidents of the rest
        return [f"seed {seed}, {rule.name}:\n" + _difference(expected, got)
                for rule in RULES
                if (got := run(*arguments, "--rule", rule)) != expected]


def _difference(expected, got):
    """Say which lines there are on one side alone, and in what they differ."""
    missing = [json.loads(line) for line in expected if line not in got]
    surplus = [json.loads(line) for line in got if line not in expected]
    if len(missing) != len(surplus) or not missing:
        return f"missing: {missing[:2]}\nnot expected: {surplus[:2]}" \
            if missing or surplus else "the order is another"
    return "\n".join(
        f"{name}: expected {one[name]!r}, got {other.get(name)!r}"
        for one, other in zip(missing[:2], surplus[:2]) for name in one
        if one[name] != other.get(name))


if __name__ == "__main__":
    unittest.main()
