# SPDX-License-Identifier: Apache-2.0
"""Audit records as CSV: Sentinel's portal's, Entra's portal's."""

import csv
import gzip
import io
import json
import pathlib
import tempfile
import unittest

from command import objects, synctap

NOW = "2026-12-31T00:00:00Z"
UPN = "Sync_HOST1_0123456789ab@nordwind.example"
OBJECT_ID = "11111111-2222-4333-8444-555555555555"
OPERATION = "Admin registered security info"
TIME = "2026-12-30T08:49:37.587Z"

SENTINEL = ["TimeGenerated [UTC]", "OperationName", "Result", "InitiatedBy",
            "TargetResources", "Id"]
ENTRA = ["Date (UTC)", "CorrelationId", "Service", "Category", "Activity",
         "Result", "ResultReason", "User Agent", "ActorType",
         "ActorDisplayName", "ActorObjectId", "ActorUserPrincipalName",
         "IPAddress", "ActorServicePrincipalId", "ActorServicePrincipalName",
         *(f"Target{n}{part}" for n in (1, 2) for part in (
             "Type", "DisplayName", "ObjectId", "UserPrincipalName",
             "ModifiedProperty1Name", "ModifiedProperty1OldValue",
             "ModifiedProperty1NewValue")),
         "AdditionalDetail1Key", "AdditionalDetail1Value"]


def sentinel_row(time=TIME, record_id="r1", **changed):
    """Make a row of the AuditLogs table that is a match."""
    return {"TimeGenerated [UTC]": time, "OperationName": OPERATION,
            "Result": "success", "InitiatedBy": json.dumps({"user": {
                "userPrincipalName": "eve@x", "ipAddress": "203.0.113.7"}}),
            "TargetResources": json.dumps([{
                "id": OBJECT_ID, "userPrincipalName": UPN}], indent=1),
            "Id": record_id, **changed}


def entra_row(**changed):
    """Make a row of Entra's portal that is a match."""
    return {"Date (UTC)": TIME, "Activity": OPERATION, "Result": "success",
            "CorrelationId": "c1", "Service": "Authentication Methods",
            "ResultReason":
                "Admin registered temporary access pass method for user",
            "ActorUserPrincipalName": "eve@x", "ActorObjectId": "e1",
            "ActorDisplayName": "Eve", "IPAddress": "203.0.113.7",
            "Target1Type": "User", "Target1ObjectId": OBJECT_ID,
            "Target1UserPrincipalName": UPN,
            "Target1ModifiedProperty1Name": "TemporaryAccessPass.Id",
            "Target1ModifiedProperty1NewValue": '"p1"', **changed}


def table(header, rows, delimiter=",", end="\r\n"):
    """Write a table as spreadsheets do."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return out.getvalue()


class TableTest(unittest.TestCase):
    """Runs a command over one file."""

    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.path = pathlib.Path(self.directory.name) / "records.csv"

    def tearDown(self):
        self.directory.cleanup()

    def run_over(self, content, command="query", *options):
        if isinstance(content, str):
            content = content.encode()
        self.path.write_bytes(content)
        return synctap(command, "--format", "jsonl", "--now", NOW,
                       "--lookback", "100d", "--identity", "/dev/null",
                       *options, self.path)

    def rows(self, content, *options, status=0):
        done = self.run_over(content, "query", *options)
        self.assertEqual(status, done.status, done.words)
        self.words = done.words
        return objects(done.output)

    def times(self, *times, options=(), status=0):
        made = table(SENTINEL, [sentinel_row(time, f"r{n}")
                                for n, time in enumerate(times)])
        found = self.rows(made, *options, status=status)
        return [row["TimeGenerated"] for row in sorted(
            found, key=lambda row: row["Id"])]


class Sentinel(TableTest):
    """The AuditLogs table, as its portal exports it."""

    def test_a_row_is_the_record_that_it_was(self):
        row, = self.rows(table(SENTINEL, [sentinel_row()]))
        self.assertEqual(
            ("2026-12-30T08:49:37.5870000Z", OPERATION, "eve@x",
             "203.0.113.7", UPN, OBJECT_ID, "r1", True),
            tuple(row[key] for key in (
                "TimeGenerated", "OperationName", "Actor", "SourceIP",
                "TargetUpn", "TargetId", "Id", "Kql")))

    def test_every_command_reads_it(self):
        content = table(SENTINEL, [sentinel_row()])
        alert, = objects(self.run_over(content, "replay").output)
        self.assertEqual(("r1", "exact"),
                         (alert["record_id"], alert["confidence"]))
        told, = objects(self.run_over(content, "explain").output)
        self.assertEqual(("match", "CSV", 2), (
            told["verdict"], told["carrier"], told["line"]))

    def test_delimiters_line_ends_and_lines_before_the_header(self):
        for before, delimiter, end in (
                ("", ";", "\n"), ("", "\t", "\r\n"), ("sep=;\r\n", ";", "\r\n"),
                ("\ufeff", ",", "\r\n"), ("\n\n", ",", "\n"),
                ("#TYPE System.Object\r\n", ",", "\r\n")):
            with self.subTest(before=before, delimiter=delimiter):
                made = before + table(SENTINEL, [sentinel_row()],
                                      delimiter, end)
                self.assertEqual(1, len(self.rows(made)))

    def test_packed_and_in_utf_16(self):
        made = table(SENTINEL, [sentinel_row()])
        for content in (gzip.compress(made.encode()),
                        made.encode("utf-16"), made.encode("utf-16-le")):
            self.assertEqual(1, len(self.rows(content)))

    def test_packed_and_cut_off(self):
        made = gzip.compress(table(SENTINEL, [sentinel_row()]).encode())[:-4]
        for command in ("query", "replay"):
            with self.subTest(command), \
                    tempfile.NamedTemporaryFile() as file:
                file.write(made)
                file.flush()
                done = synctap(command, "--now", NOW, "--identity",
                               "/dev/null", file.name)
                self.assertEqual(1, done.status)
                self.assertEqual(
                    1, done.words.count("the compressed data is cut off"),
                    done.words)
                self.assertNotIn("256 MB", done.words)

    def test_from_a_pipe(self):
        done = synctap("query", "--now", NOW, "--format", "jsonl",
                       "--identity", "/dev/null",
                       given=table(SENTINEL, [sentinel_row()]).encode())
        self.assertEqual(1, len(objects(done.output)), done.words)

    def test_files_that_were_joined(self):
        made = table(SENTINEL, [sentinel_row()]) + table(
            SENTINEL[::-1], [sentinel_row(record_id="r2")])
        self.assertEqual(["r1", "r2"], [row["Id"] for row in self.rows(made)])

    def test_a_row_that_is_too_short_is_named_by_its_line(self):
        made = table(SENTINEL, [sentinel_row()]) + "a,b\r\n" + table(
            SENTINEL, [sentinel_row(record_id="r2")])
        self.assertEqual(2, len(self.rows(made, status=1)))
        first_row_lines = 1 + json.dumps([{"id": 1, "b": 2}],
                                         indent=1).count("\n")
        self.assertIn(f"records.csv:{2 + first_row_lines}: not as many cells",
                      self.words)

    def test_a_cut_off_cell_hides_no_target(self):
        cut = sentinel_row()["TargetResources"][:-4]
        done = self.run_over(table(SENTINEL, [
            sentinel_row(TargetResources=cut)]), "replay")
        alert, = objects(done.output)
        self.assertEqual((1, "degraded", UPN), (
            done.status, alert["confidence"], alert["target_upn"]))

    def test_a_table_that_ends_inside_quotes(self):
        made = table(SENTINEL, [sentinel_row(), sentinel_row()])
        self.assertEqual(1, len(self.rows(
            made[:made.rindex("userPrincipalName")], status=1)))
        self.assertIn("cut off inside quotes", self.words)

    def test_another_table_holds_no_record(self):
        for content in ("Name,Value\r\na,b\r\n",
                        "OperationName,Result\r\na,b\r\n"):
            self.assertEqual([], self.rows(content, status=1))
            self.assertIn("no audit record in it", self.words)


class Dates(TableTest):
    """One order for all dates of a file."""

    def test_the_clock_shows_the_order(self):
        self.assertEqual(["2026-12-11T08:49:37.5870000Z"],
                         self.times("11/12/2026, 08:49:37.587"))
        self.assertEqual(["2026-11-12T20:49:37.5870000Z"],
                         self.times("11/12/2026, 8:49:37.587 PM"))

    def test_one_date_shows_it_for_all(self):
        self.assertEqual(
            ["2026-12-11T08:00:00.0000000Z", "2026-12-13T08:00:00.0000000Z"],
            self.times("11/12/2026 08:00", "13/12/2026 08:00"))

    def test_neither_is_refused_unless_it_is_said(self):
        self.assertEqual([], self.times("11/12/2026 08:00", status=1))
        self.assertIn("say which by --date-order dmy|mdy", self.words)
        for order, month in (("dmy", "12-11"), ("mdy", "11-12")):
            self.assertEqual(
                [f"2026-{month}T08:00:00.0000000Z"],
                self.times("11/12/2026 08:00",
                           options=("--date-order", order)))

    def test_both_are_refused_whole_wherever_they_stand(self):
        dates = ["11/12/2026 08:00", "13/12/2026 08:00", "11/13/2026 08:00"]
        self.assertEqual([], self.times(*dates, status=1))
        self.assertIn("both day/month and month/day", self.words)

    def test_what_was_said_overrules_the_clock(self):
        """As Australia writes it."""
        self.assertEqual(
            ["2026-12-13T08:00:00.0000000Z"],
            self.times("13/12/2026, 8:00:00 am",
                       options=("--date-order", "dmy")))

    def test_a_date_that_is_none_is_said_and_judged_as_now(self):
        self.assertEqual(["2026-12-31T00:00:00.0000000Z"],
                         self.times("last week", status=1))
        self.assertIn('the time "last week" is not understood', self.words)


class Entra(TableTest):
    """The columns of Entra's own portal."""

    def _alert(self, **changed):
        done = self.run_over(table(ENTRA, [entra_row(**changed)]), "replay")
        self.assertEqual(0, done.status, done.words)
        alert, = objects(done.output)
        return alert

    def test_a_user_registered_for_an_account(self):
        alert = self._alert()
        self.assertEqual(
            (OPERATION, "eve@x", "e1", "203.0.113.7", UPN, OBJECT_ID,
             "success", "temporary_access_pass", "c1", True,
             "2026-12-30T08:49:37.5870000Z"),
            tuple(alert[key] for key in (
                "operation_name", "actor", "actor_id", "source_ip",
                "target_upn", "target_id", "result", "method",
                "correlation_id", "kql", "time_generated")))
        self.assertEqual("p1", alert["tap"]["id"])

    def test_an_app_registered(self):
        alert = self._alert(ActorUserPrincipalName="", ActorObjectId="",
                            ActorServicePrincipalName="Automation",
                            ActorServicePrincipalId="s1",
                            AdditionalDetail1Key="ipaddr",
                            AdditionalDetail1Value="198.51.100.9")
        self.assertEqual(
            ("Automation", "s1", "", "203.0.113.7"),
            tuple(alert[key] for key in (
                "actor", "actor_id", "source_ip", "caller_ip")))

    def test_the_second_target_matches(self):
        alert = self._alert(Target1UserPrincipalName="anna@x",
                            Target2UserPrincipalName=UPN, Target2ObjectId="2")
        self.assertEqual((UPN, "2"),
                         (alert["target_upn"], alert["target_id"]))

    def test_a_row_without_targets_is_a_record_that_matches_nothing(self):
        self.assertEqual([], self.rows(table(ENTRA, [entra_row(
            Target1UserPrincipalName="", Target1ObjectId="", Target1Type="",
            Target1ModifiedProperty1Name="")])))
        self.assertIn("no row matches", self.words)


if __name__ == "__main__":
    unittest.main()
