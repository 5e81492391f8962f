"""The time of a record is read in every form that is met, to 100 ns.

What is no time at all counts as now. The forms are tried where each shape has
its time.
"""

import json
import pathlib
import tempfile
import unittest

import plain
import rendering
import ticks
from command import query, synctap

NOW = "2026-06-01T12:00:00.0000000Z"
EPOCH = plain.NOW // ticks.SECOND - 3600  # 11:00:00

# (as it is written, what it means)
FORMS = (
    ("2026-06-01T11:00:00Z", "11:00:00.0000000"),
    ("2026-06-01T11:00:00", "11:00:00.0000000"),
    ("2026-06-01T11:00:00+00:00", "11:00:00.0000000"),
    ("2026-06-01T13:30:00+02:30", "11:00:00.0000000"),
    ("2026-06-01T03:15:00.5-07:45", "11:00:00.5000000"),
    ("2026-06-01 11:00:00", "11:00:00.0000000"),
    ("2026-06-01 11:00:00.087554000", "11:00:00.0875540"),
    *((f"2026-06-01T11:00:00.{'123456700'[:digits]}{zone}",
       "11:00:00." + "1234567"[:digits].ljust(7, "0"))
      for digits in range(1, 10) for zone in ("Z", "", "+00:00")),
    ("6/1/2026 11:00:00 AM", "11:00:00.0000000"),
    ("06/01/2026 11:00:00 AM", "11:00:00.0000000"),
    ("6/1/2026, 9:05:07 AM", "09:05:07.0000000"),
    ("6/1/2026, 11:00:00.123 AM", "11:00:00.1230000"),
    ("6/1/2026 12:30:00 AM", "00:30:00.0000000"),
    ("6/1/2026 12:00:00 PM", "12:00:00.0000000"),
    ("6/1/2026 2:00:00 PM", "14:00:00.0000000"),
    ("2026/06/01 11:00:00", "11:00:00.0000000"),
    ("2026-06-01T11:00:00,1234567Z", "11:00:00.1234567"),
    ("Mon, 01 Jun 2026 11:00:00 GMT", "11:00:00.0000000"),
    ("Jun 1, 2026 11:00:00 AM", "11:00:00.0000000"),
    (f"/Date({EPOCH * 1000 + 123})/", "11:00:00.1230000"),
    (f"/Date({EPOCH * 1000}+0200)/", "11:00:00.0000000"),
    (EPOCH, "11:00:00.0000000"),
    (str(EPOCH), "11:00:00.0000000"),
    (EPOCH * 1000 + 123, "11:00:00.1230000"),
    (str(EPOCH * 1000 + 123), "11:00:00.1230000"),
)

# What .NET writes for a time that was never set is nothing, too.
NOTHING = ("", None, "0001-01-01T00:00:00", "/Date(-62135596800000)/")

NO_TIMES = ("null", "26.11.2026 01:02:03", "yesterday", {}, [], True, "2026-13-01T11:00:00Z",
            "2026-02-30T11:00:00Z", "2026-06-01T25:00:00Z", "13/13/2026",
            "2026-06-01T11:00:00.Z", "12345", -1)

PLACES = ((rendering.diagnostic_record, "time"),
          (rendering.log_analytics_row, "TimeGenerated"),
          (rendering.directory_audit, "activityDateTime"),
          (rendering.directory_audit, "createdDateTime"),
          (rendering.elastic_document, "@timestamp"))


def is_seen(shape):
    """Tell whether the query itself sees a shape's targets."""
    return shape is not rendering.elastic_document


class Times(unittest.TestCase):
    """One file holds a record for each form."""

    def _rows(self, values, shape, place, status=0):
        """Give the rows of records that have these values for a time."""
        row, = rendering.fit_for(shape, [plain.row()])
        whole = shape(row, plain.chance())
        lines = []
        for number, value in enumerate(values):
            record = json.loads(json.dumps(whole))
            for other in ("time", "TimeGenerated", "ActivityDateTime",
                          "activityDateTime", "@timestamp"):
                record.pop(other, None)
            for inner in (record.get("properties", {}), record.get(
                    "azure", {}).get("auditlogs", {}).get("properties", {})):
                inner.pop("activityDateTime", None)
                inner.pop("activity_datetime", None)
            record[place] = value
            lines.append(json.dumps(record).replace(
                "Directory_1", f"{number:04d}"))
        with tempfile.TemporaryDirectory() as directory:
            audits, roles = (pathlib.Path(directory) / name
                             for name in ("audits", "ids"))
            audits.write_text("\n".join(lines))
            roles.write_text("")
            rows = query(plain.NOW, [roles], [audits], "wide", (status,))
        return sorted(rows, key=lambda row: row["Id"])

    def test_every_form_in_every_shape(self):
        for shape, place in PLACES:
            with self.subTest(shape=shape.__name__, place=place):
                got = self._rows([value for value, _ in FORMS], shape, place)
                self.assertEqual(
                    [(value, f"2026-06-01T{time}Z") for value, time in FORMS],
                    [(value, row["TimeGenerated"])
                     for (value, _), row in zip(FORMS, got)])
                self.assertEqual({is_seen(shape)},
                                 {row["Kql"] for row in got})

    def test_nothing_in_a_times_place_counts_as_now(self):
        for shape, place in PLACES:
            with self.subTest(shape=shape.__name__, place=place):
                self.assertEqual([(NOW, is_seen(shape))] * len(NOTHING), [
                    (row["TimeGenerated"], row["Kql"])
                    for row in self._rows(NOTHING, shape, place)])

    def test_what_is_no_time_counts_as_now_and_says_so(self):
        for shape, place in PLACES:
            with self.subTest(shape=shape.__name__, place=place):
                got = self._rows(NO_TIMES, shape, place, status=1)
                self.assertEqual(
                    [(value, NOW, False, True) for value in NO_TIMES],
                    [(value, row["TimeGenerated"], row["Kql"],
                      "time_unread" in row["MatchedBy"])
                     for value, row in zip(NO_TIMES, got)])

    def test_each_command_names_the_time(self):
        row = plain.row()
        record = rendering.log_analytics_row(row, plain.chance())
        text = json.dumps(dict(record, TimeGenerated="the 5th of May"))
        for command in ("query", "replay", "explain"):
            done = synctap(command, "--now", NOW, "--identity", "/dev/null",
                           given=text.encode())
            self.assertEqual(1, done.status, command)
            self.assertIn('the time "the 5th of May" is not understood',
                          done.words, command)
