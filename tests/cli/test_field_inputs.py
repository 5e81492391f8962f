# SPDX-License-Identifier: Apache-2.0
"""Inputs as people's tools write them, where such a collection is at hand."""

import os
import pathlib
import tempfile
import unittest

from command import objects, synctap

FIELD = pathlib.Path(os.environ.get("SYNCTAP_FIELD_INPUTS", pathlib.Path(
    __file__).resolve().parents[3] / "shared" / "data" / "field"))
NOW = "2026-11-26T02:00:00Z"
UPN = "Sync_ADC01_1a2b3c4d5e6f@contoso.onmicrosoft.com"
OBJECT_ID = "11111111-2222-4333-8444-555555555555"
PASS = {"id": "3d38627e-f962-4166-8f96-ea05e09c6309",
        "start": "2026-11-26T00:57:42.4474495Z",
        "end": "2026-11-26T01:57:42.4474495Z", "usage": "Multiple"}

# The one alert of each file, as far as it is special.
ALERTS = {
    "a-imfile-lf-as-backslash-n.txt": {"record_id": "case-A", "kql": True},
    "c-tap-endtime.json": {"record_id": "case-C", "tap": PASS, "kql": True},
    "d-powershell-pascalcase.json": {
        "record_id": "case-D", "tap": PASS, "kql": False,
        "method": "temporary_access_pass", "actor": "eve@contoso.com"},
    "f-powershell-value-count.json": {
        "record_id": "case-F", "kql": False,
        "matched_by": ["upn_startswith", "target_object"]},
    "g-properties-string.json": {
        "record_id": "case-G", "kql": False, "actor": "eve@contoso.com",
        "matched_by": ["upn_startswith", "json_string"]},
    "i-adx-v1.json": {"record_id": "case-I"},
    "i-sentinel-portal-auditlogs.csv": {"record_id": "case-I", "kql": True},
    "i-steampipe.json": {"record_id": "case-I5"},
    "i-utf16-without-bom.json": {"record_id": "case-I7", "kql": True},
    "m-fido.json": {"record_id": "case-M", "method": "fido2"},
    "n-app-ipaddress.json": {
        "record_id": "case-N", "caller_ip": "198.51.100.9", "source_ip": "",
        "actor": "TAP-Automation",
        "actor_id": "77777777-0000-4000-8000-000000000001"},
}


# Role lists: what there is of them, by their time.
ROLE_LISTS = {
    "e-slash-date-identity.json": ["2026-11-26T00:57:47.1730000Z"],
    "h-portal-dmy.csv": ["2026-12-11T08:49:37.5870000Z"],
    "j-roles-pretty.json": ["2026-11-26T00:57:47.1737960Z"],
    "o-excel-sep.csv": ["2026-11-26T00:57:47.0000000Z"],
    "o-powershell-type.csv": ["2026-11-26T00:57:47.0000000Z"],
}

# Those that have a test of their own.
SPECIAL = ("README.md", "a-imfile-input.json", "b-degraded-cut.txt",
           "e-slash-date.json", "k-mgdirectoryrole-depth.json",
           "l-depth-truncated-target.json")


@unittest.skipUnless(FIELD.is_dir(), f"no inputs at {FIELD}")
class FieldInputs(unittest.TestCase):
    """Each audit record with its right result."""

    def _replay(self, name):
        done = synctap("replay", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null", FIELD / name)
        return done.status, objects(done.output)

    def test_each_makes_its_alert(self):
        for name, special in ALERTS.items():
            with self.subTest(name=name):
                status, (alert,) = self._replay(name)
                self.assertEqual(0, status)
                self.assertEqual((UPN, OBJECT_ID, "exact"), tuple(
                    alert[key] for key in ("target_upn", "target_id",
                                           "confidence")))
                self.assertEqual(special,
                                 {key: alert[key] for key in special})

    def test_every_file_is_known_here(self):
        self.assertEqual({path.name for path in FIELD.iterdir()},
                         {*ALERTS, *ROLE_LISTS, *SPECIAL})

    def test_what_was_cut_is_degraded(self):
        for name, record in (("l-depth-truncated-target.json", "case-L"),
                             ("b-degraded-cut.txt", "case-B")):
            with self.subTest(name=name):
                status, (alert,) = self._replay(name)
                self.assertEqual(
                    (1, "degraded", record, UPN, OBJECT_ID,
                     ["upn_startswith"]),
                    (status, *(alert[key] for key in (
                        "confidence", "record_id", "target_upn", "target_id",
                        "matched_by"))))

    def test_a_file_of_imfile_whose_last_record_is_cut(self):
        status, alerts = self._replay("a-imfile-input.json")
        self.assertEqual((1, [("case-A", "exact"), ("case-A3", "exact")]), (
            status, [(alert["record_id"], alert["confidence"])
                     for alert in alerts]))

    def test_role_lists(self):
        with tempfile.TemporaryDirectory() as directory:
            for name, times in ROLE_LISTS.items():
                with self.subTest(name=name):
                    database = pathlib.Path(directory) / f"{name}.db"
                    done = self._import(database, name)
                    self.assertEqual(0, done.status, done.words)
                    rows = objects(synctap(
                        "identity", "list", "--format", "jsonl", "--now",
                        "2026-12-12T00:00:00Z", "--identity-window", "100d",
                        "--database", database).output)
                    self.assertEqual(times, [row["TimeGenerated"]
                                             for row in rows])

    def test_members_that_cannot_be_read_are_refused(self):
        with tempfile.TemporaryDirectory() as directory:
            done = self._import(pathlib.Path(directory) / "s.db",
                                "k-mgdirectoryrole-depth.json")
        self.assertEqual(1, done.status)
        self.assertIn("a member of a role that cannot be read", done.words)

    @staticmethod
    def _import(database, name):
        return synctap("identity", "import", "--database", database, "--now",
                       "2026-12-12T00:00:00Z", FIELD / name)

    def test_a_time_of_dotnet_is_before_the_lookback(self):
        for command in ("query", "replay"):
            done = synctap(command, "--format", "jsonl", "--now", NOW,
                           "--identity", "/dev/null",
                           FIELD / "e-slash-date.json")
            self.assertEqual((0, ""), (done.status, done.output))
            self.assertIn("the lookback", done.words)

    def test_explain_tells_what_wide_needed(self):
        done = synctap("explain", "--format", "jsonl", "--now", NOW,
                       "--identity", "/dev/null",
                       FIELD / "g-properties-string.json")
        record, = objects(done.output)
        self.assertEqual(("match", False, True), (
            record["verdict"], record["kql"], record["wide"]))
        self.assertIn("a string inside the record holds JSON",
                      record["notes"])


if __name__ == "__main__":
    unittest.main()
