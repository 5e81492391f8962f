"""Random rules over random tenants give the rows that the oracle gives.

tests/oracle/random_rules.py draws a rule and says, by itself, what it means.
`query` must return the same rows in KQL's semantics, each as often, and a
rule's condition must not depend on the shape in which records come.
SYNCTAP_RULES raises the number of rules; SYNCTAP_SEED starts at another one.
"""

import json
import os
import pathlib
import random
import tempfile
import unittest

import random_rules
import rendering
import rows
import rule_files
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


class RandomRules(unittest.TestCase):
    """One rule and one tenant a seed."""

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
        identities = rendering.write_files(
            directory, "ids", [rendering.identity_row(row, rng)
                               for row in made.identities], rng)
        roles = [word for one in identities for word in ("--identity", one)]
        done = synctap("query", "--rule", path, "--semantics", "kql", "--now",
                       ticks.render(now), "--format", "jsonl", *roles, *files)
        if done.status == 2:
            return 0, f"seed {seed} is refused: {done.words}\n{drawn.query}"
        expected = drawn.rows(audits, made.identities, now)
        got = [{name: row[name] for name in ("RecordId", "Upn", "Oid", "Made")}
               for row in map(json.loads, done.output.splitlines())]
        difference = rows.difference(expected, got)
        return len(expected), difference and \
            f"seed {seed}:\n{difference}\n{drawn.query}"


if __name__ == "__main__":
    unittest.main()
