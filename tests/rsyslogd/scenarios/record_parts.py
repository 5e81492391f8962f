# SPDX-License-Identifier: Apache-2.0
"""Parts of records that are packed, cut or unread, through a live rsyslogd.

rsyslogd looks keys of JSON up in any case; what is packed into strings is
parsed inside it as by the command line.
"""

import json
import os
import pathlib
import unittest

from harness import Daemon, as_text
from plain import SYNC_UPN, target
from records import HEADER, MODULE, audit, mmsynctap

FIELD = pathlib.Path(os.environ.get("SYNCTAP_FIELD_INPUTS", pathlib.Path(
    __file__).resolve().parents[4] / "shared" / "data" / "field"))
FIELD_ALERTS = {
    "c-tap-endtime.json": "case-C", "d-powershell-pascalcase.json": "case-D",
    "f-powershell-value-count.json": "case-F",
    "g-properties-string.json": "case-G", "i-steampipe.json": "case-I5",
    "m-fido.json": "case-M", "n-app-ipaddress.json": "case-N"}


def packed(name, pack):
    """Make a record whose properties went through a function."""
    record = audit(name, target())
    record["properties"] = pack(record["properties"])
    return record


def with_targets(name, pack):
    return packed(name, lambda properties: dict(
        properties, targetResources=pack(properties["targetResources"])))


class Parts(unittest.TestCase):
    """Each record is one line."""

    def _alerts(self, texts):
        """Give the alerts that lines make, however old they are."""
        daemon = Daemon(mmsynctap('ruleset="alerts" lookback="0"', "wide"),
                        MODULE)
        with daemon:
            daemon.send([HEADER + "azure: " + text for text in texts])
            daemon.originals(len(texts))
            return [alert.json() for alert in daemon.stop().alerts]

    def test_packed_parts_are_read(self):
        records = [
            packed("properties", json.dumps),
            packed("thrice", lambda one: json.dumps(json.dumps(
                json.dumps(one)))),
            with_targets("elements", lambda all_: [
                json.dumps(one) for one in all_]),
            with_targets("count", lambda all_: {
                "value": all_, "Count": len(all_)})]
        self.assertEqual(
            [("properties", "exact", False), ("thrice", "exact", False),
             ("elements", "exact", False), ("count", "exact", False)],
            [(one["record_id"], one["confidence"], one["kql"])
             for one in self._alerts([as_text(one) for one in records])])

    def test_a_part_that_was_cut_is_degraded(self):
        record = with_targets("cut", lambda all_: json.dumps(all_)[:-9])
        alert, = self._alerts([as_text(record)])
        self.assertEqual(("degraded", SYNC_UPN), (
            alert["confidence"], alert["target_upn"]))

    def test_a_time_that_is_not_understood_is_said(self):
        alert, = self._alerts([as_text(dict(audit("when", target()),
                                            time="the 5th of May"))])
        self.assertFalse(alert["kql"])
        self.assertIn("time_unread", alert["matched_by"])

    @unittest.skipUnless(FIELD.is_dir(), f"no inputs at {FIELD}")
    def test_inputs_of_peoples_tools(self):
        texts = [as_text(json.loads((FIELD / name).read_text()))
                 for name in FIELD_ALERTS]
        self.assertEqual(
            [(one, "exact") for one in FIELD_ALERTS.values()],
            [(one["record_id"], one["confidence"])
             for one in self._alerts(texts)])


if __name__ == "__main__":
    unittest.main()
