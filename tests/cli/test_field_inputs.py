# SPDX-License-Identifier: Apache-2.0
"""Inputs as people's tools write them, where such a collection is at hand."""

import os
import pathlib
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
    "i-steampipe.json": {"record_id": "case-I5"},
    "m-fido.json": {"record_id": "case-M", "method": "fido2"},
    "n-app-ipaddress.json": {
        "record_id": "case-N", "caller_ip": "198.51.100.9", "source_ip": "",
        "actor": "TAP-Automation",
        "actor_id": "77777777-0000-4000-8000-000000000001"},
}


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

    def test_a_target_that_powershell_cut_is_degraded(self):
        status, (alert,) = self._replay("l-depth-truncated-target.json")
        self.assertEqual((1, "degraded", "case-L"), (
            status, alert["confidence"], alert["record_id"]))

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
