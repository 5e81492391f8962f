"""Random rules over random tenants give the rows that the oracle gives.

tests/oracle/random_rules.py draws a rule and says, by itself, what it means.
`query` must return the same rows in KQL's semantics, each as often, and a
rule's condition must not depend on the shape in which records come. The same
rules are read as texts, too, and run over records near them, in both
semantics. The watchlists that a rule asks are drawn with it.
SYNCTAP_RULES raises the number of rules; SYNCTAP_SEED starts at another one.
"""

import json
import os
import pathlib
import random
import tempfile
import unittest

import kql
import query_tree
import random_rules
import rendering
import rows
import rule_files
import rule_rounds
import tenant
import ticks
from command import synctap

RULES = int(os.environ.get("SYNCTAP_RULES", "40"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
SPAN = (ticks.parse("2024-02-29T00:00:00Z"),
        ticks.parse("2027-01-01T00:00:00Z"))
ENOUGH = 3


def is_decided(audit):
    """Tell whether the law says what each column of the record is."""
    return audit["TimeGenerated"] is not None \
        and isinstance(audit["OperationName"], str)


def names_in(audits, identities):
    """List the names and ids that watchlists may hold."""
    targets = [one for audit in audits
               for one in kql.mv_expand(audit["TargetResources"])]
    found = {kql.tostring(kql.path(one, key)) for one in targets
             for key in ("userPrincipalName", "id", "displayName")}
    found |= {row[key] for row in identities
              for key in ("AccountUPN", "AccountObjectId")}
    return sorted(one for one in found if isinstance(one, str))


class RandomRules(unittest.TestCase):
    """One rule and one tenant a seed."""

    def test_query_gives_the_rows_of_the_text_in_both_semantics(self):
        wrong, rows_in_all = [], 0
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            for seed in range(FIRST_SEED, FIRST_SEED + RULES):
                query = random_rules.Rule(seed).query
                path = folder / "rule.yaml"
                path.write_text(rule_files.text(query, period="30d"))
                text = rule_rounds.Text(f"rule {seed}", path, query,
                                        30 * ticks.DAY)
                count, differences = rule_rounds.check(folder, text, seed)
                rows_in_all += count
                wrong += [f"{one}\n{query}" for one in differences]
                if len(wrong) >= ENOUGH:
                    break
        self.assertFalse(wrong, "\n\n".join(wrong))
        self.assertGreater(rows_in_all, RULES)

    def test_operators_behind_a_union_are_those_of_each_branch(self):
        rows_in_all = 0
        for seed in range(FIRST_SEED, FIRST_SEED + RULES):
            inside, behind = self._unions(random_rules.Rule(seed).query)
            with self.subTest(seed=seed), \
                    tempfile.TemporaryDirectory() as name:
                path = pathlib.Path(name) / "rule.yaml"
                path.write_text(rule_files.text(inside, period="30d"))
                made = rule_rounds.Round(path.parent, rule_rounds.Text(
                    f"rule {seed}", path, inside, 30 * ticks.DAY), seed)
                expected = sorted(map(json.dumps, made.rows("wide")))
                path.write_text(rule_files.text(behind, period="30d"))
                got = sorted(map(json.dumps, made.rows("wide")))
                self.assertEqual(expected, got, behind)
                rows_in_all += len(got)
        self.assertGreater(rows_in_all, RULES)

    @staticmethod
    def _unions(query):
        """Write a rule's first branch with two gates, in two ways."""
        lets, first, *more = query.split("AuditLogs")
        lets = lets.removesuffix("union (")
        first = first.removesuffix("), (") if more else first
        _, since, _, *rest = first.split("\n")
        rest = "\n".join(["", since, *rest])
        heads = [f"AuditLogs\n| where {gate}"
                 for gate in random_rules.GATES[:2]]
        return [lets + "union " + ", ".join(f"({one}{tail})" for one in heads)
                + behind for tail, behind in ((rest, ""), ("", rest))]

    def test_query_gives_the_oracles_rows(self):
        wrong, rows_in_all, some = [], 0, 0
        for seed in range(FIRST_SEED, FIRST_SEED + RULES):
            with tempfile.TemporaryDirectory() as directory:
                count, difference = self._check(pathlib.Path(directory), seed)
            rows_in_all += count
            some += count > 0
            wrong += [difference] if difference else []
            if len(wrong) >= ENOUGH:
                break
        self.assertFalse(wrong, "\n\n".join(wrong))
        self.assertGreater(some, RULES // 3, "most rules find nothing")
        self.assertGreater(rows_in_all, RULES)

    def _check(self, directory, seed):
        now = random.Random(f"now {seed}").randrange(*SPAN)
        drawn = random_rules.Rule(seed)
        made = tenant.random_tenant(seed, now)
        audits = [audit for audit in made.audits if is_decided(audit)]
        rng = rendering.rendering_of(seed)
        path = directory / "rule.yaml"
        path.write_text(rule_files.text(drawn.query, period="30d"))
        files = rendering.write_files(
            directory, "audits", rendering.audit_records(audits, rng), rng)
        lists = rule_rounds.drawn_lists(
            directory, query_tree.read(drawn.query), seed,
            names_in(audits, made.identities))
        identities = rendering.write_files(
            directory, "ids", [rendering.identity_row(row, rng)
                               for row in made.identities], rng)
        roles = [word for one in identities for word in ("--identity", one)]
        done = synctap("query", "--rule", path, "--semantics", "kql", "--now",
                       ticks.render(now), "--format", "jsonl", *lists.options,
                       *roles, *files)
        if done.status == 2:
            return 0, f"seed {seed} is refused: {done.words}\n{drawn.query}"
        expected = drawn.rows(audits, made.identities, now, lists.rows)
        got = [{name: row[name] for name in ("RecordId", "Upn", "Oid", "Made")}
               for row in map(json.loads, done.output.splitlines())]
        difference = rows.difference(expected, got)
        return len(expected), difference and \
            f"seed {seed}: {done.words}\n{difference}\n{drawn.query}"


if __name__ == "__main__":
    unittest.main()
