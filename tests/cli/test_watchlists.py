"""Watchlists of rule files: CSV files that the query asks.

The rule asks two of them: one with a condition and a key in another column,
one by `distinct`. The rows' values, the case that `in` and `in~` want, and
what a wrong file is told are stated here by hand.
"""

import json
import unittest

import rule_files
from command import objects, synctap

NOW = "2026-06-01T13:00:00Z"
QUERY = """let admins = (_GetWatchlist('Break-Glass')
  | where Tier == "0" and Disabled !~ "yes" | project SearchKey, Mail);
let ranges = _GetWatchlist("trusted") | distinct Address;
AuditLogs
| where OperationName == "Reset user password"
| extend Who = tostring(InitiatedBy.user.userPrincipalName)
| extend From = tostring(InitiatedBy.user.ipAddress)
| where Who in~ (admins) or Who in (admins | project Mail)
| where From !in (ranges)
| project Who, From"""
ADMINS = """\ufeffName,Account,Tier,Disabled,Mail
One,Eve@nordwind.example,0,no,x@nordwind.example
Two,mallory@nordwind.example,1,no,y@nordwind.example
Three,trent@nordwind.example,0,Yes,z@nordwind.example
"Four, ""the""
other",peggy@nordwind.example,0,,Victor@nordwind.example
"""
TRUSTED = "Address,Why\n198.51.100.1,office\n"


def record(number, who, address="203.0.113.7"):
    """Make a record of a reset password."""
    return json.dumps({
        "time": f"2026-06-01T12:{number:02}:00Z", "tenantId": "t1",
        "operationName": "Reset user password",
        "properties": {"id": f"r{number}", "result": "success",
                       "initiatedBy": {"user": {
                           "userPrincipalName": who, "ipAddress": address}},
                       "targetResources": [{"id": "a", "type": "User"}]}})


class Watchlists(unittest.TestCase):
    """A few rows each."""

    def setUp(self):
        """Have a folder with the rule and both files."""
        self.folder = rule_files.Folder(self)
        self.rule = self.folder.put(rule_files.text(QUERY))
        self.files = {
            "Break-Glass": self.folder.put(ADMINS, "admins.csv"),
            "trusted": self.folder.put(TRUSTED, "trusted.csv")}
        self.key = ["--watchlist-key", "Break-Glass=Account"]

    def run_on(self, records, command="query", files=None, key=None):
        """Run a command over records; give what it did."""
        path = self.folder.put("".join(one + "\n" for one in records),
                               "records.jsonl")
        options = list(self.key if key is None else key)
        for name, file in (self.files if files is None else files).items():
            options += ["--watchlist", f"{name}={file}"]
        return synctap(command, "--rule", self.rule, "--now", NOW, "--format",
                       "jsonl", *options, path)

    def who(self, records, **more):
        """Give who stands in the rows; an alert has them as its columns."""
        done = self.run_on(records, **more)
        self.assertEqual(done.status, 0, done.words)
        return sorted(one.get("columns", one)["Who"]
                      for one in objects(done.output))

    def test_rows_are_of_those_on_the_list(self):
        self.assertEqual(self.who([
            record(1, "eve@NORDWIND.example"),
            record(2, "mallory@nordwind.example"),
            record(3, "trent@nordwind.example"),
            record(4, "peggy@nordwind.example"),
            record(5, "Victor@nordwind.example"),
            record(6, "victor@nordwind.example"),
            record(7, "x@nordwind.example")]),
            ["Victor@nordwind.example", "eve@NORDWIND.example",
             "peggy@nordwind.example", "x@nordwind.example"])

    def test_an_address_on_a_list_is_no_row(self):
        self.assertEqual(self.who([
            record(1, "eve@nordwind.example", "198.51.100.1"),
            record(2, "peggy@nordwind.example", "198.51.100.10")]),
            ["peggy@nordwind.example"])

    def test_without_a_key_the_first_column_is_searched(self):
        self.assertEqual(self.who([record(1, "one"),
                                   record(2, "eve@nordwind.example")],
                                  key=[]), ["one"])

    def test_replay_and_explain_take_them_too(self):
        records = [record(1, "eve@nordwind.example"),
                   record(2, "trent@nordwind.example")]
        self.assertEqual(self.who(records, command="replay"),
                         ["eve@nordwind.example"])
        done = self.run_on(records, command="explain")
        self.assertEqual(done.status, 0, done.words)
        self.assertEqual([one["verdict"] for one in objects(done.output)],
                         ["match", "no match"])

    def test_a_mark_before_a_header_in_quotes_is_no_part_of_it(self):
        marked = self.folder.put('\ufeff"Address","Why"\r\n'
                                 '"198.51.100.1","x"\r\n', "marked.csv")
        self.assertEqual(self.who([
            record(1, "eve@nordwind.example", "198.51.100.1"),
            record(2, "peggy@nordwind.example", "198.51.100.10")],
            files={**self.files, "trusted": marked}),
            ["peggy@nordwind.example"])

    def refused(self, words, files=None, key=None):
        """Expect words on standard error, and no row."""
        done = self.run_on([record(1, "eve@nordwind.example")], files=files,
                           key=key)
        self.assertEqual((done.status, done.output), (1, ""))
        self.assertIn(words, done.words)

    def test_a_list_without_a_file_is_named(self):
        self.refused("the rule asks the watchlist trusted, which has no file",
                     {"Break-Glass": self.files["Break-Glass"]})

    def test_a_list_that_no_rule_asks_is_named(self):
        self.refused("the rule asks no watchlist other",
                     {**self.files, "other": self.files["trusted"]})

    def test_a_file_that_is_not_there_is_named(self):
        self.refused("nowhere.csv: No such file", {
            **self.files, "trusted": "/nowhere.csv"})

    def test_a_column_that_is_not_there_is_named(self):
        wrong = self.folder.put("Addr,Why\n1,2\n", "wrong.csv")
        self.refused(f"{wrong}:1: watchlist trusted: the header has no column "
                     '"Address"', {**self.files, "trusted": wrong})
        self.refused('the header has no column "Nobody"',
                     key=["--watchlist-key", "Break-Glass=Nobody"])

    def test_a_row_of_another_length_is_named(self):
        wrong = self.folder.put("Address,Why\n1.1.1.1,a\n2.2.2.2\n",
                                "wrong.csv")
        self.refused(f"{wrong}:3: watchlist trusted: the row has another "
                     "number of cells than the header; it begins \"2.2.2.2\"",
                     {**self.files, "trusted": wrong})

    def test_a_file_without_a_header_is_named(self):
        self.refused("watchlist trusted: the file has no header",
                     {**self.files, "trusted": self.folder.put("\n", "e.csv")})

    def test_a_list_with_a_header_alone_holds_nobody(self):
        empty = self.folder.put("Address,Why\n", "empty.csv")
        self.assertEqual(self.who([record(1, "eve@nordwind.example",
                                          "198.51.100.1")],
                                  files={**self.files, "trusted": empty}),
                         ["eve@nordwind.example"])

    def test_the_built_in_rule_asks_none(self):
        done = synctap("query", "--watchlist", f"x={self.files['trusted']}",
                       "-", given=b"")
        self.assertEqual(done.status, 1)
        self.assertIn("the rule asks no watchlist x", done.words)

    def test_an_option_without_a_name_is_wrong(self):
        for wrong in ("x", "=x", "x="):
            done = synctap("query", "--watchlist", wrong, "-", given=b"")
            self.assertEqual(done.status, 2)
            self.assertIn("NAME=FILE", done.words)


if __name__ == "__main__":
    unittest.main()
