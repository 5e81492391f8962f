"""`synctap query` gives the rows of the rule, over many random tenants.

Every row, no other, newest first, each with the columns of the contract in
their order, in both semantics. SYNCTAP_TENANTS raises the number of tenants;
SYNCTAP_SEED starts at another one, so that a long run need not repeat the
short one.
"""

import os
import pathlib
import random
import shutil
import subprocess
import tempfile
import unittest

import rendering
import rows
import rule
import tenant
import ticks
import wide
from command import allowed_statuses, query, written

TENANTS = int(os.environ.get("SYNCTAP_TENANTS", "60"))
ENOUGH = 5  # differing tenants, after which no more are tried
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
SPAN = (ticks.parse("2024-02-29T00:00:00Z"),
        ticks.parse("2027-01-01T00:00:00Z"))


class RandomTenants(unittest.TestCase):
    """One tenant a seed; the files of those that differ are kept."""

    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(
            prefix="synctap-query-"))

    def test_kql_returns_the_rows_of_the_query(self):
        self._check_all(self._check_kql)

    def test_wide_adds_the_rows_that_the_query_misses(self):
        self._check_all(self._check_wide)

    def test_wide_returns_all_rows_of_the_query(self):
        """Also where it is silent on what more there is: empty keys."""
        self._check_all(self._check_wide_keeps_kql)

    def _check_all(self, check):
        """Try all tenants, and fail with what was wrong with some."""
        failures = []
        for seed in range(FIRST_SEED, FIRST_SEED + TENANTS):
            failures += self._check_one(seed, check)
            if len(failures) == ENOUGH:
                failures.append(f"not tried further than seed {seed}")
                break
        if failures:
            self.fail("\n\n".join(failures))
        self.directory.rmdir()

    def _check_one(self, seed, check):
        """Try one tenant; give what was wrong, as a list of one or none."""
        directory = self.directory / f"seed-{seed}"
        directory.mkdir()
        now = random.Random(f"now {seed}").randrange(*SPAN)
        try:
            check(_Files(directory, seed), now)
        except (AssertionError, ValueError, subprocess.TimeoutExpired) as why:
            return [f"seed {seed}, --now {ticks.render(now)}, files in "
                    f"{directory}:\n{why}"]
        shutil.rmtree(directory)
        return []

    def _check_kql(self, files, now):
        made = tenant.random_tenant(files.seed, now)
        self._compare(
            rows.difference, rule.evaluate(made.audits, made.identities, now),
            files.query(made, now, "kql"))

    def _check_wide(self, files, now):
        made = tenant.random_tenant(files.seed, now, wide=True)
        self._compare(
            rows.wide_difference,
            wide.evaluate(made.audits, made.identities, now),
            files.query(made, now, "wide"))

    def _check_wide_keeps_kql(self, files, now):
        made = tenant.random_tenant(files.seed, now)
        expected = [row for row in rule.evaluate(
            made.audits, made.identities, now) if row["Kql"]]
        got = [row for row in files.query(made, now, "wide") if row["Kql"]]
        self._compare(rows.difference, *map(_without_wides_own,
                                            (expected, got)))

    def _compare(self, difference, expected, got):
        wrong = difference(map(written, expected), got)
        if wrong:
            raise AssertionError(f"{len(expected)} rows expected, "
                                 f"{len(got)} got\n{wrong}")
        times = [row["TimeGenerated"] for row in got]
        self.assertEqual(times, sorted(times, reverse=True), "newest first")


def _without_wides_own(found):
    """Give rows without the columns that wide may read better."""
    return [{name: value for name, value in row.items()
             if name not in ("Actor", "SourceIP", "MatchedBy")}
            for row in found]


class _Files:
    """The files of one tenant."""

    def __init__(self, directory, seed):
        self.directory = directory
        self.seed = seed

    def query(self, made, now, semantics):
        """Write a tenant's rows and run the query over them."""
        rng = rendering.rendering_of(self.seed)
        audits = rendering.write_files(
            self.directory, "audits",
            rendering.audit_records(made.audits, rng), rng)
        identities = rendering.write_files(
            self.directory, "ids", [rendering.identity_row(row, rng)
                                    for row in made.identities], rng)
        found = query(now, identities, audits, semantics,
                      allowed_statuses(made))
        for row in found:
            if tuple(row) != rule.COLUMNS:
                raise AssertionError(f"columns of {row}, expected "
                                     f"{rule.COLUMNS}")
        return found


if __name__ == "__main__":
    unittest.main()
