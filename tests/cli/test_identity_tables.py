"""`synctap identity import` takes role lists as comma-separated values."""

import json

from command import synctap
from role_lists import SYNC_ROLE, RoleListTest, day

HEADER = b"TimeGenerated,AccountUPN,AccountObjectId,AccountDisplayName," \
         b"AssignedRoles"
ROW = b'2026-06-01T00:00:00Z,a@x,id of a@x,name of a@x,' \
      b'"[""Directory Synchronization Accounts""]"'
EXPECTED = ("a@x", "id of a@x", "name of a@x", [SYNC_ROLE], day(1))


class Tables(RoleListTest):
    """A header, and rows below it."""

    def _check(self, content, *expected):
        self.load_well(content)
        self.assertEqual([*(expected or (EXPECTED,))], self.columns())

    def test_line_ends(self):
        for end in (b"\n", b"\r\n", b"\r\n\r\n"):
            for last in (b"", end):
                with self.subTest(end=end, last=last):
                    self.setUp()
                    self._check(HEADER + end + ROW + last)

    def test_byte_order_mark(self):
        self._check(b"\xef\xbb\xbf" + HEADER + b"\r\n" + ROW)

    def test_utf_16_as_windows_writes_it(self):
        for order in ("utf-16-le", "utf-16-be"):
            with self.subTest(order=order):
                self.setUp()
                self._check(("\ufeff" + (HEADER + b"\r\n" + ROW).decode())
                            .encode(order))

    def test_quoted_header(self):
        self._check(b",".join(b'"%s"' % name for name in HEADER.split(b","))
                    + b"\n" + ROW)

    def test_columns_in_another_order_and_among_others(self):
        self._check(b"X,AssignedRoles,AccountDisplayName,AccountUPN,Y,"
                    b"AccountObjectId,TimeGenerated\n"
                    b'1,"[""Directory Synchronization Accounts""]",'
                    b"name of a@x,a@x,2,id of a@x,2026-06-01T00:00:00Z\n")

    def test_names_of_defender(self):
        self._check(HEADER.replace(b"TimeGenerated", b"Timestamp")
                    .replace(b"UPN", b"Upn") + b"\n" + ROW)

    def test_names_in_another_case(self):
        self._check(HEADER.lower() + b"\n" + ROW)

    def test_name_of_a_time_with_its_zone_and_a_date_of_the_portal(self):
        self._check(HEADER.replace(b"TimeGenerated", b'"TimeGenerated [UTC]"')
                    + b"\n" + ROW.replace(
                        b"2026-06-01T00:00:00Z",
                        b'"6/1/2026, 12:00:00.000 AM"'))

    def test_semicolons_and_tabs(self):
        for delimiter in (b";", b"\t"):
            with self.subTest(delimiter=delimiter):
                self.setUp()
                self._check((HEADER + b"\n" + ROW).replace(b",", delimiter))

    def test_line_breaks_commas_and_quotes_inside_quotes(self):
        self._check(HEADER + b"\r\n" + ROW.replace(
            b"name of a@x", b'"name, ""of""\r\na@x\n"') + b"\r\n",
            EXPECTED[:2] + ('name, "of"\r\na@x\n',) + EXPECTED[3:])

    def test_column_of_roles_that_is_empty_takes_them_away(self):
        self.load_well(HEADER + b"\n" + ROW)
        self._check(HEADER + b"\n2026-06-02T00:00:00Z,a@x,id of a@x,"
                    b"name of a@x,\n", EXPECTED[:3] + ("", day(2)))

    def test_absent_column_of_roles_leaves_them(self):
        self.load_well(HEADER + b"\n" + ROW)
        self._check(HEADER.replace(b",AssignedRoles", b"") +
                    b"\n2026-06-02T00:00:00Z,a@x,id of a@x,name of a@x\n",
                    EXPECTED[:4] + (day(2),))

    def test_tables_joined_in_one_file(self):
        other = b"AccountUPN,TimeGenerated\r\nb@x,2026-06-01T00:00:00Z\r\n"
        self._check(HEADER + b"\n" + ROW + b"\n\xef\xbb\xbf" + other,
                    EXPECTED, ("b@x", "", "", "", day(1)))

    def test_roles_of_graph_are_no_table(self):
        done = self.load(b"displayName,roleTemplateId,members\nr,t,m\n")
        self.assertEqual(1, done.status)
        self.assertEqual([], self.columns())


class Troubles(RoleListTest):
    """Each row that is left out is named; the others count."""

    def _check(self, words, *lines):
        done = self.load(b"\r\n".join((HEADER, *lines)))
        self.assertEqual(1, done.status)
        self.assertEqual([EXPECTED], self.columns())
        self.assertEqual(
            [f"synctap: {self.directory}/file1:{word}" for word in words]
            + ["synctap: 1 row read, 1 account changed"],
            done.words.splitlines())

    def test_row_without_a_readable_time(self):
        self._check(["3: a row without a readable time: left out"],
                    ROW, b"yesterday,b@x,,,", b"")

    def test_row_with_too_few_or_too_many_cells(self):
        self._check(["2: not as many cells as the header has: left out",
                     "4: not as many cells as the header has: left out"],
                    b"2026-06-01T00:00:00Z,b@x", ROW, ROW + b",more")

    def test_lines_are_counted_over_blank_ones_and_inside_quotes(self):
        self._check(["7: a row without a readable time: left out"],
                    b"", b"  ", ROW.replace(b"name of a@x",
                                            b'"name of a@x"'),
                    b"", b'', b',"b@x\r\n\r\n",,,')

    def test_file_that_is_cut_off_inside_quotes(self):
        self._check(["3: cut off inside quotes"],
                    ROW, b'2026-06-01T00:00:00Z,"b@x')

    def test_many_troubles_are_counted(self):
        done = self.load(HEADER + b"\n" + b"x,b@x,,,\n" * 150)
        lines = done.words.splitlines()
        self.assertEqual(102, len(lines))
        self.assertIn("file1: 50 more like these", lines[100])

    def test_table_without_a_time_leaves_all_rows_out(self):
        done = self.load(b"AccountUPN,AssignedRoles\na@x,r\n")
        self.assertEqual(1, done.status)
        self.assertIn("file1:2: a row without a readable time", done.words)
        self.assertEqual([], self.columns())


class Documents(RoleListTest):
    """A table is told from JSON by its first line."""

    def test_json_lines_that_name_columns_are_no_table(self):
        self.load_well({"AccountUPN": "a@x,b@x", "TimeGenerated": day(1)})
        self.assertEqual("a@x,b@x", self.account("a@x,b@x")["AccountUPN"])

    def test_table_on_standard_input(self):
        done = synctap("identity", "import", "--database", self.database,
                       given=HEADER + b"\n" + ROW)
        self.assertEqual(0, done.status, done.words)
        self.assertEqual([EXPECTED], self.columns())

    def test_a_million_bytes_in_a_cell(self):
        name = "n" * 1000000
        self.load_well(HEADER + b"\n" + ROW.replace(
            b"name of a@x", name.encode()))
        self.assertEqual(name, self.account()["AccountDisplayName"])

    def test_roles_that_are_no_json(self):
        self.load_well(HEADER + b"\n" + ROW.rsplit(b",", 1)[0] + b",plain")
        self.assertEqual("plain", self.account()["AssignedRoles"])
        self.assertTrue(json.dumps(self.account()))
