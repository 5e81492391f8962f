"""The dates of a CSV file have one order, or the file is refused."""

import itertools

from role_lists import SYNC_ROLE, RoleListTest

HEADER = "TimeGenerated,AccountUPN,AccountObjectId,AssignedRoles"
NOW = "2026-12-31T00:00:00Z"
ROLES = f'"[""{SYNC_ROLE}""]"'


def table(*times, header=HEADER, delimiter=","):
    """Make a table with an account for each time."""
    rows = [f'"{time}",u{n}@x,{n},{ROLES}'.replace(",", delimiter)
            if delimiter != "," else f'"{time}",u{n}@x,{n},{ROLES}'
            for n, time in enumerate(times)]
    return "\n".join([header.replace(",", delimiter), *rows, ""]).encode()


class Orders(RoleListTest):
    """What shows the order, and what does not."""

    def _times(self, content, options=(), status=0):
        self.database = self.directory / f"{self.files}.db"
        done = self.load(content, options=options, now=NOW)
        self.assertEqual(status, done.status, done.words)
        self.words = done.words
        return [row["TimeGenerated"][:16] for row in self.accounts()]

    def test_a_24_hour_clock_behind_a_comma_is_day_and_month(self):
        self.assertEqual(["2026-11-12T08:49"],
                         self._times(table("12/11/2026, 08:49:37.587")))

    def test_am_and_pm_are_month_and_day(self):
        for time in ("11/12/2026, 8:49:37 AM", "11/12/2026 8:49:37 AM"):
            self.assertEqual(["2026-11-12T08:49"],
                             self._times(table(time)))

    def test_a_number_above_12_shows_it_for_all(self):
        plain, shows = "11/12/2026 08:00:00", {
            "13/12/2026 08:00:00": "2026-12-11T08:00",
            "11/13/2026 08:00:00": "2026-11-12T08:00"}
        for one, expected in shows.items():
            for times in itertools.permutations([plain, one, plain]):
                found = self._times(table(*times))
                self.assertEqual([expected] * 2, [
                    found[n] for n in range(3) if times[n] == plain])

    def test_a_file_that_shows_neither_is_refused(self):
        content = table("11/12/2026 08:00:00", "10/12/2026 08:00:00")
        self.assertEqual([], self._times(content, status=1))
        self.assertIn("say which by --date-order dmy|mdy", self.words)
        self.assertEqual(["2026-12-11T08:00", "2026-12-10T08:00"],
                         self._times(content, ["--date-order", "dmy"]))
        self.assertEqual(["2026-11-12T08:00", "2026-10-12T08:00"],
                         self._times(content, ["--date-order", "mdy"]))

    def test_a_file_that_shows_both_is_refused_whole(self):
        for times in itertools.permutations(
                ["11/12/2026 08:00:00", "13/12/2026 08:00:00",
                 "11/13/2026 08:00:00"]):
            self.assertEqual([], self._times(table(*times), status=1))
            self.assertIn("both day/month and month/day", self.words)

    def test_other_dates_need_no_order(self):
        self.assertEqual(["2026-11-12T08:00"] * 2, self._times(table(
            "2026-11-12T08:00:00Z", "2026-11-12 08:00:00")))

    def test_lines_before_the_header(self):
        time = "2026-11-12T08:00:00Z"
        for first, delimiter in ((b"sep=;\r\n", ";"), (b"sep=,\n", ","),
                                 (b"\xef\xbb\xbfsep=;\n", ";"),
                                 (b'"sep=;"\n', ";"),
                                 (b"#TYPE System.Object\r\n", ","),
                                 (b"#TYPE System.Object\n", ";")):
            with self.subTest(first=first, delimiter=delimiter):
                self.assertEqual(["2026-11-12T08:00"], self._times(
                    first + table(time, delimiter=delimiter)))

    def test_a_table_of_something_else(self):
        self.assertEqual([], self._times(b"sep=;\na;b\n1;2\n", status=1))
        self.assertIn("no header of a role list", self.words)
