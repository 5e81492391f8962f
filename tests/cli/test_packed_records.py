# SPDX-License-Identifier: Apache-2.0
"""Whatever a record's parts are packed into, its rows are the same.

Random tenants' records, of which any subset of parts stands in strings, beside
a count, or under keys in another case. Wide gives the rows of the records as
they were; kql those that the query finds in what is left of them.
SYNCTAP_PACKED_TENANTS raises the number of tenants, SYNCTAP_SEED starts at
another one.
"""

import json
import os
import pathlib
import random
import shutil
import tempfile
import unittest

import kql
import packing
import plain
import rendering
import rows
import rule
import tenant
import ticks
import wide
from command import query, synctap, objects, written

TENANTS = int(os.environ.get("SYNCTAP_PACKED_TENANTS", "24"))
FIRST_SEED = int(os.environ.get("SYNCTAP_SEED", "0"))
NOW = ticks.parse("2026-06-01T12:00:00.1234567Z")


class PackedTenants(unittest.TestCase):
    """A seed decides on the tenant, the shape and the packing."""

    def test_kql_gives_what_the_query_finds(self):
        self._check_all("kql")

    def test_wide_gives_the_rows_of_the_records_as_they_were(self):
        self._check_all("wide")

    def _check_all(self, semantics):
        tried = sum(self._check(semantics, seed) for seed in range(
            FIRST_SEED, FIRST_SEED + TENANTS))
        self.assertGreater(tried, 0, "rows")

    def _check(self, semantics, seed):
        """Query one tenant's records; its files are kept if it goes wrong."""
        directory = pathlib.Path(tempfile.mkdtemp(prefix="synctap-packed-"))
        rng = random.Random(f"packed {seed}")
        shape = rng.choice(list(packing.PARTS))
        made = tenant.random_tenant(f"packed {seed}", NOW, wide=True)
        audits = [row for row in rendering.fit_for(shape, made.audits)
                  if packing.can_be_packed(row)]
        packer = packing.Packer(rng)
        packed = [packer.pack(shape(row, rng), shape) for row in audits]
        path = directory / "audits"
        path.write_text("\n".join(json.dumps(one.record) for one in packed))
        identities = rendering.write_files(
            directory, "ids", [rendering.identity_row(row, rng)
                               for row in made.identities], rng)
        got = query(NOW, identities, [path], semantics, (0, 1))
        expected = [row for audit, one in zip(audits, packed)
                    for row in ORACLES[semantics](
                        made.identities, audit, one, shape)]
        difference = rows.difference if semantics == "kql" \
            else rows.wide_difference
        wrong = difference(map(written, expected), got)
        if wrong:
            self.fail(f"{semantics}, {seed}, files in {directory}:\n{wrong}")
        shutil.rmtree(directory)
        return len(expected)


def _kql_rows(identities, audit, packed, shape):
    return rule.evaluate([packing.seen_by_kql(audit, packed.record, shape)],
                         identities, NOW)


def _wide_rows(identities, audit, packed, shape):
    """Give the rows of the record as it was, its targets as they are now.

    The query's own are those that it finds in the packed record.
    """
    seen = _kql_rows(identities, audit, packed, shape)
    whole = dict(audit, TargetResources=packed.targets)
    own = [] if audit["TimeGenerated"] <= NOW - ticks.DAY else \
        wide.missed_rows(whole, wide.both_accounts(identities, NOW).wide, NOW)
    better = dict(wide.initiator(audit), Result=kql.tostring(audit["Result"]))
    return [dict(_as_seen(row, better), Id=kql.tostring(audit["Id"]))
            for row in seen] + [
                row for row in own if row["TargetIndex"] not in
                {one["TargetIndex"] for one in seen}]


def _as_seen(row, better):
    """Wide fills what the query leaves empty."""
    return dict(row, **{name: row[name] or better[name] for name in better})


ORACLES = {"kql": _kql_rows, "wide": _wide_rows}


class Unreadable(unittest.TestCase):
    """What should hold JSON and does not is said, and alerts by its text."""

    def _replay(self, **changes):
        record = rendering.log_analytics_row(plain.row(), plain.chance())
        done = synctap("replay", "--format", "jsonl", "--now",
                       "2026-06-01T12:00:00Z", "--identity", "/dev/null",
                       given=json.dumps(dict(record, **changes)).encode())
        return done.status, done.words, objects(done.output)

    def _check_degraded(self, **changes):
        status, words, alerts = self._replay(**changes)
        self.assertEqual(1, status)
        self.assertIn("cannot be read", words)
        self.assertEqual(
            [("degraded", False, plain.OPERATION, "Directory_1")],
            [(one["confidence"], one["kql"], one["operation_name"],
              one["record_id"]) for one in alerts])
        return alerts[0]

    def test_targets_that_were_cut_anywhere_behind_the_name(self):
        text = json.dumps([plain.target()])
        begin = text.index(plain.SYNC_UPN) + len(plain.SYNC_UPN) + 1
        for end in range(begin, len(text)):
            alert = self._check_degraded(TargetResources=text[:end])
            self.assertEqual(plain.SYNC_UPN, alert["target_upn"])

    def test_targets_that_were_cut_before_the_name(self):
        text = json.dumps([plain.target()])
        for end in range(1, text.index(plain.SYNC_UPN), 7):
            status, words, alerts = self._replay(TargetResources=text[:end])
            self.assertEqual((1, []), (status, alerts), text[:end])
            self.assertIn("cannot be read", words)

    def test_what_powershell_makes_of_a_target(self):
        words = "; ".join(f"{name}={value}" for name, value in (
            ("id", plain.OTHER_ID), ("type", "User"),
            ("userPrincipalName", plain.SYNC_UPN),
            ("modifiedProperties", "System.Object[]")))
        self._check_degraded(TargetResources=["@{" + words + "}"])

    def test_a_type_name_alone_shows_no_account(self):
        status, _, alerts = self._replay(TargetResources=[
            "Microsoft.Graph.PowerShell.Models.MicrosoftGraphTargetResource"])
        self.assertEqual((1, []), (status, alerts))

    def test_a_good_target_beside_one_that_cannot_be_read(self):
        status, _, alerts = self._replay(TargetResources=[
            plain.target(), "[{\"userPrincipalName\":\"Sync_2@x.example\","])
        self.assertEqual(1, status)
        self.assertEqual(
            [(plain.SYNC_UPN, "exact"), ("Sync_2@x.example", "degraded")],
            [(one["target_upn"], one["confidence"]) for one in alerts])

    def test_an_initiator_that_was_cut_leaves_the_row_exact(self):
        status, words, alerts = self._replay(
            InitiatedBy="{\"user\":{\"userPrincipalName\":\"eve@x.ex")
        self.assertEqual(1, status)
        self.assertIn("cannot be read", words)
        self.assertEqual(["exact"], [one["confidence"] for one in alerts])

    def test_properties_that_were_cut(self):
        record = rendering.diagnostic_record(plain.row(), plain.chance())
        text = json.dumps(record["properties"])
        record["properties"] = text[:text.index(plain.SYNC_UPN) + 60]
        done = synctap("replay", "--format", "jsonl", "--now",
                       "2026-06-01T12:00:00Z", "--identity", "/dev/null",
                       given=json.dumps(record).encode())
        alert, = objects(done.output)
        self.assertEqual((1, "degraded", plain.SYNC_UPN), (
            done.status, alert["confidence"], alert["target_upn"]))


if __name__ == "__main__":
    unittest.main()
