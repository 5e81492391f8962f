"""The random tenants are held against themselves.

A reader of the rendered files, which knows nothing but the shapes, must find
in them the very rows that the oracle evaluates; and over many seeds the
tenants must hold the cases for whose sake they exist.
"""

import json
import pathlib
import tempfile
import unittest

import kql
import rendering
import rows
import rule
import tenant
import ticks
import wide
from kql import MISSING

NOW = ticks.parse("2026-06-01T12:00:00.1234567Z")
SEEDS = range(100)


def read_documents(data):
    """Read a file of either make into its JSON documents."""
    text = data.decode("utf-8-sig")
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.split("\n") if line.strip()]


def read_records(path):
    """Read the records of a file, whatever holds them."""
    records = []
    for found in read_documents(path.read_bytes()):
        if isinstance(found, dict):
            found = found.get("records", found.get("value", [found]))
        records += found
    return records


def read_time(value):
    """Read a time, giving None for what is none, and for .NET's "unset"."""
    try:
        return ticks.parse(value) if value != tenant.NEVER_SET else None
    except (TypeError, ValueError):
        return None


# For each shape a path that only it has, then where its columns stand.
COLUMNS = ("TimeGenerated", "OperationName", "ActivityName",
           "TargetResources", "InitiatedBy", "Result", "Id")
PATHS = (
    ("azure", "@timestamp", "azure.auditlogs.operation_name",
     *(f"azure.auditlogs.properties.{name}" for name in (
         "activity_display_name", "target_resources", "initiated_by")),
     "event.outcome", "azure.auditlogs.properties.id"),
    ("properties", "time", "operationName", "properties.activityDisplayName",
     *(f"properties.{name}" for name in (
         "targetResources", "initiatedBy", "result", "id"))),
    ("OperationName", "TimeGenerated", "OperationName", "ActivityDisplayName",
     "TargetResources", "InitiatedBy", "Result", "Id"),
    ("", "activityDateTime", "activityDisplayName", "-", "targetResources",
     "initiatedBy", "result", "id"),
)


def read_audit(record):
    """Read a record of any shape as a row of the query."""
    _, *paths = next(paths for paths in PATHS
                     if not paths[0] or paths[0] in record)
    row = {column: at(record, path) for column, path in zip(COLUMNS, paths)}
    return dict(row, TimeGenerated=read_time(row["TimeGenerated"]),
                Unread=row["TimeGenerated"])


def at(record, path):
    """Follow a path that a record may lack."""
    *outer, last = path.split(".")
    inner = kql.path(record, ".".join(outer)) if outer else record
    return inner.get(last, MISSING)


def read_identity(record):
    """Read an identity record as a row of the query."""
    return dict(record, TimeGenerated=read_time(record.get("TimeGenerated")))


class Rendering(unittest.TestCase):
    """What is written is what the oracle evaluates."""

    def test_rendered_rows_read_back_as_they_were(self):
        for seed in SEEDS:
            made = tenant.random_tenant(seed, NOW)
            rng = rendering.rendering_of(seed)
            records = rendering.audit_records(made.audits, rng)
            with self.subTest(seed=seed):
                self._check(rule, made.audits, made.identities, records, rng)

    def test_rendered_rows_read_back_in_every_shape(self):
        for seed in SEEDS:
            made = tenant.random_tenant(seed, NOW, wide=True)
            rng = rendering.rendering_of(seed)
            shape = (*rendering.SHAPES, rendering.elastic_document)[seed % 4]
            audits = rendering.fit_for(shape, made.audits)
            records = [shape(row, rng) for row in audits]
            with self.subTest(seed=seed):
                self._check(wide, audits, made.identities, records, rng)

    def _check(self, oracle, audits, identities, records, rng):
        """Hold what is read from the files against the rows themselves."""
        with tempfile.TemporaryDirectory() as directory:
            directory = pathlib.Path(directory)
            read_audits = self._written(directory, "audits", read_audit, rng,
                                        records)
            read_identities = self._written(
                directory, "ids", read_identity, rng,
                [rendering.identity_row(row, rng) for row in identities])
        self.assertEqual("", rows.difference(
            oracle.evaluate(audits, identities, NOW),
            oracle.evaluate(read_audits, read_identities, NOW)))

    @staticmethod
    def _written(directory, stem, reader, rng, records):
        paths = rendering.write_files(directory, stem, records, rng)
        return [reader(record) for path in paths
                for record in read_records(path)]

    def test_the_same_seed_makes_the_same_tenant(self):
        first, second = (tenant.random_tenant(7, NOW) for _ in range(2))
        self.assertEqual(first.audits, second.audits)
        self.assertEqual(first.identities, second.identities)


class Variety(unittest.TestCase):
    """The tenants hold what they are for."""

    def test_every_clause_matches_alone_somewhere(self):
        alone = set()
        for seed in SEEDS:
            made = tenant.random_tenant(seed, NOW)
            found = rule.evaluate(made.audits, made.identities, NOW)
            self.assertLess(len(found), 2 * len(made.audits))
            alone |= {tuple(row["MatchedBy"]) for row in found}
        self.assertLessEqual(
            {("identity_upn",), ("identity_object_id",), ("upn_startswith",),
             ("upn_contains",), ("upn_has",)}, alone)

    def test_rows_lie_on_both_sides_of_the_edge(self):
        edge = NOW - ticks.DAY
        times = {row["TimeGenerated"] for seed in SEEDS
                 for row in tenant.random_tenant(seed, NOW).audits}
        self.assertLessEqual({edge - 1, edge, edge + 1, None}, times)

    def test_live_tenants_keep_away_from_the_edges(self):
        for seed in SEEDS:
            made = tenant.random_tenant(seed, NOW, live=True)
            found = [rule.evaluate(made.audits, made.identities, now)
                     for now in (NOW, NOW + ticks.HOUR // 2)]
            self.assertEqual("", rows.difference(*found), seed)


def other_case(target):
    """Tell whether a target has keys in another case than the query's."""
    return isinstance(target, dict) \
        and any(name.lower() in ("userprincipalname", "id")
                and name not in ("userPrincipalName", "id") for name in target)


# What must be seen to add a row: a name, and how such a row is known.
MISSED = {
    "JSON in a string": lambda row, audit:
        isinstance(audit["TargetResources"], str),
    "one object": lambda row, audit:
        row["TargetResources"] == audit["TargetResources"],
    "an object for a list": lambda row, audit:
        isinstance(audit["TargetResources"], dict)
        and "0" in audit["TargetResources"],
    "keys in another case": lambda row, audit:
        other_case(row["TargetResources"]),
    "an id in another case": lambda row, audit:
        row["MatchedBy"] == ["identity_object_id"]
        and row["TargetId"].isupper(),
    "a letter next to an operation": lambda row, audit:
        row["OperationName"].startswith("\u0436"),
    "a letter next to a UPN's phrase": lambda row, audit:
        row["MatchedBy"] == ["upn_has"],
    "long s": lambda row, audit: "\u017f" in row["OperationName"],
    "Kelvin sign": lambda row, audit: "\u212a" in row["TargetUpn"],
    "deleted user": lambda row, audit: row["TargetUpn"].startswith("4"),
    "second name": lambda row, audit: not wide.has_any(
        row["OperationName"], rule.RULE.operations + ("all required",)),
    "all required": lambda row, audit: "required" in row["OperationName"],
}


class WideVariety(unittest.TestCase):
    """The tenants for wide semantics hold what only it finds."""

    def test_every_case_adds_rows_and_none_takes_one(self):
        seen = dict.fromkeys(MISSED, 0)
        for seed in SEEDS[:50]:
            made = tenant.random_tenant(seed, NOW, wide=True)
            found = wide.evaluate(made.audits, made.identities, NOW)
            exact = rule.evaluate(made.audits, made.identities, NOW)
            self.assertEqual("", rows.difference(
                [self._target(row) for row in exact if row["Kql"]],
                [self._target(row) for row in found if row["Kql"]]))
            for audit in made.audits:
                for row in wide.evaluate([audit], made.identities, NOW):
                    for name, is_case in MISSED.items():
                        seen[name] += not row["Kql"] and is_case(row, audit)
        self.assertEqual([], [name for name in seen if seen[name] < 2], seen)

    @staticmethod
    def _target(row):
        """Give a row without the columns that wide reads better."""
        return {name: value for name, value in row.items()
                if name not in ("Actor", "SourceIP")}

    def test_a_role_template_makes_a_sync_account(self):
        more = 0
        for seed in SEEDS:
            made = tenant.random_tenant(seed, NOW, wide=True)
            exact = rule.sync_accounts(made.identities, NOW)
            found = wide.sync_accounts(made.identities, NOW)
            self.assertLessEqual(set(map(wide.fold, exact.upns)), found.upns)
            more += len(found.upns) > len(set(map(wide.fold, exact.upns)))
        self.assertGreater(more, len(SEEDS) / 2)


class Times(unittest.TestCase):
    """The clock of the tests loses no tick."""

    def test_a_time_in_any_spelling_is_the_same_time(self):
        rng = rendering.rendering_of("times")
        for _ in range(2000):
            when = NOW + rng.randrange(10 ** rng.randint(1, 16))
            when -= when % 10 ** rng.randint(0, 7)
            self.assertEqual(
                when, ticks.parse(rendering.time_text(when, rng)))


if __name__ == "__main__":
    unittest.main()
