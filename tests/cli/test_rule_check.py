"""What `rule check` says of rule files, and why it refuses some."""

import pathlib
import unittest

import rule_files
from command import synctap

SEED = pathlib.Path(__file__).resolve().parents[3] / "shared" / "data" \
    / "rules" / "aadprov00008.yaml"

QUERY = """let words = dynamic(["Reset user password", "Reset password"]);
let Known =
IdentityInfo
| where TimeGenerated > ago(7d)
| summarize arg_max(TimeGenerated, *) by AccountUPN
| where AssignedRoles has "Directory Synchronization Accounts"
| project AccountUPN, AccountObjectId;
AuditLogs
| where TimeGenerated > ago(6h)
| where OperationName in~ (words) and Result =~ "success"
| mv-expand TargetResources
| extend Upn = tostring(TargetResources.userPrincipalName)
| where Upn in~ (Known) or Upn startswith "Sync_"
| project TimeGenerated, Upn, InitiatedBy.user.userPrincipalName"""

# The query, and line, column and word of the file where it is refused.
HEAD_LINES = 17
REFUSED = [
    ("SigninLogs\n| where ResultType == 0", 1, 1, "SigninLogs"),
    ("AuditLogs\n| summarize count() by Result", 2, 3, "summarize"),
    ("AuditLogs\n| where OperationName == 'a text'\n| join kind=inner (x) on y",
     3, 3, "join"),
    ("AuditLogs | where OperationNam has 'Update user'", 1, 19,
     "OperationNam"),
    ("AuditLogs | where DurationMs has 'Update user'", 1, 30, "has"),
    ("let f = (x:string) { x };\nAuditLogs", 1, 10, "x"),
    ("let s = materialize(AuditLogs);\nAuditLogs", 1, 9, "materialize"),
    ("let s = AuditLogs | where Id == 'x';\nAuditLogs", 1, 9, "AuditLogs"),
    ("let s = (SigninLogs | distinct Id);\nAuditLogs", 1, 10, "SigninLogs"),
    ("let s = IdentityInfo | mv-expand AssignedRoles;\nAuditLogs", 1, 24,
     "mv-expand"),
    ("AuditLogs | where Id !in ((externaldata(a:string)[@'x']))", 1, 28,
     "externaldata"),
    ("AuditLogs | project-away Initiated*, Id", 1, 26, "Initiated"),
    ("(union (AuditLogs | where Id == 'x')", 2, 1, ""),
    ("((AuditLogs | where Id == 'x') | where true | count)", 1, 47, "count"),
    ("AuditLogs | where OperationName has 'é 'Update'", 1, 41, "Update"),
    ("AuditLogs | mv-expand Result", 1, 23, "Result"),
    ("AuditLogs | where Id == 'x' |", 2, 1, ""),
    ("AuditLogs | where Id has\u00a0'abcd' and zork", 1, 37, "zork"),
    ("AuditLogs | evaluate bag_unpack(InitiatedBy)", 1, 13, "evaluate"),
    ("let T = IdentityInfo | project AccountUPN;\nAuditLogs", 1, 24,
     "project"),
    ("let T = 1d;\nAuditLogs | where OperationName in (T)", 2, 37, "T"),
]


class RuleCheck(unittest.TestCase):
    """One file at a time."""

    def setUp(self):
        """Have a folder."""
        self.folder = rule_files.Folder(self)

    def check(self, content):
        """Check one file."""
        return synctap("rule", "check", self.folder.put(content))

    def test_a_rule_that_loads_is_told_in_its_parts(self):
        done = self.check(rule_files.text(QUERY))
        self.assertEqual(done.status, 0, done.words)
        for line in (
                "  tables      AuditLogs, IdentityInfo",
                "  set         Known: IdentityInfo of 7d: "
                "AccountUPN, AccountObjectId",
                '  gate        2 texts: "reset user password", '
                '"reset password"',
                "  lookback    6h",
                "  lateness    Upn in~ Known.AccountUPN",
                "  columns     TimeGenerated, Upn, "
                "InitiatedBy_user_userPrincipalName"):
            self.assertIn(line + "\n", done.output)
        self.assertNotIn("warning", done.output)

    def test_what_is_refused_is_named_by_its_place_in_the_file(self):
        for query, line, column, word in REFUSED:
            with self.subTest(query=query):
                done = self.check(rule_files.text(query))
                self.assertEqual(done.status, 1, done)
                self.assertEqual(done.output, "")
                quoted = f'"{word}": ' if word else ""
                self.assertIn(f"rule.yaml:{HEAD_LINES + line}:{column + 2}: "
                              f"{quoted}", done.words)

    def test_a_comma_that_is_missing_is_asked_for(self):
        done = self.check(rule_files.text(
            "AuditLogs\n| where Category =~ 'x'\n| project Id Result"))
        self.assertIn(
            f'rule.yaml:{HEAD_LINES + 3}:16: "Result": the query should end '
            "here: is a comma or | missing before it?", done.words)

    def test_more_than_one_expansion_at_once_is_called_so(self):
        for operator, word in (
                ("mv-expand kind=array x = TargetResources", "kind"),
                ("mv-expand bagexpansion=array TargetResources",
                 "bagexpansion"),
                ("mv-expand with_itemindex=i TargetResources",
                 "with_itemindex"),
                ("mv-expand TargetResources, AdditionalDetails", ","),
                ("mv-expand TargetResources to typeof(string) limit 5",
                 "limit"),
                ("mv-apply with_itemindex=i x = TargetResources on (where "
                 "true)", "with_itemindex"),
                ("mv-apply x = TargetResources to typeof(string) on (where "
                 "true)", "to"),
                ("mv-apply x = TargetResources, y = AdditionalDetails on "
                 "(where true)", ",")):
            with self.subTest(operator=operator):
                query = f"AuditLogs | {operator}"
                place = f"{HEAD_LINES + 1}:{query.index(word, 19) + 3}"
                self.assertIn(
                    f'rule.yaml:{place}: "{word}": {operator.split()[0]} takes '
                    "one [NAME =] E here, and nothing beside it",
                    self.check(rule_files.text(query)).words)

    def test_a_column_may_be_called_kind(self):
        done = self.check(rule_files.text(
            "AuditLogs | where Result has 'Some text' | extend kind = "
            "TargetResources | mv-expand kind | mv-expand limit = kind"))
        self.assertEqual(done.status, 0, done.words)

    def test_a_place_is_found_in_a_quoted_query_too(self):
        content = rule_files.text("X").replace(
            "query: |\n  X\n",
            'query: "AuditLogs | where Result has Foo and Result has Bar"\n')
        self.assertIn('rule.yaml:17:38: "Foo": ', self.check(content).words)

    def test_a_place_is_found_in_blocks_of_every_kind(self):
        lines = "{0}AuditLogs\n{1}| where Result has 'Some text' and zork\n"
        for head, first, second, place in (
                ("|", "  ", "  ", "3:38"), ("|-", "  ", "      ", "3:42"),
                ("|2", "    ", "  ", "3:38"), ("|1+", " ", "   ", "3:39"),
                ("| # why", "  ", "  ", "3:38"), ("|", "\n\n  ", "  ", "5:38"),
                (">", "  ", "  ", "3:38"), (">2-", "     ", "  ", "3:38"),
                ("&a |", "  ", "  ", "3:38")):
            for end in ("\n", "\r\n"):
                with self.subTest(head=head, end=end):
                    query = f"query: {head}\n" + lines.format(first, second)
                    done = self.check(
                        (query + "id: x\n").replace("\n", end).encode())
                    self.assertIn(f'rule.yaml:{place}: "zork": ', done.words)

    def test_a_rule_without_a_text_for_the_gate_is_refused(self):
        for condition in ("OperationName != 'Update user'",
                          "OperationName matches regex 'Update user'",
                          "tolower(OperationName) == 'update user'",
                          "OperationName has 'abc'",
                          "OperationName has 'Update user' or Result == ''",
                          "coalesce(Result, 'unknown') == 'unknown'",
                          "true | mv-expand x = TargetResources to "
                          "typeof(datetime) | where tostring(x) startswith "
                          "'2026-06-01T12'"):
            with self.subTest(condition=condition):
                done = self.check(rule_files.text(
                    f"AuditLogs | where {condition}"))
                self.assertEqual(done.status, 1, done.output)
                self.assertIn('"query": no condition', done.words)

    def test_the_best_condition_makes_the_gate(self):
        done = self.check(rule_files.text(
            "AuditLogs | where Result == 'success' "
            "| where OperationName has_all ('Update', 'application') "
            "and Category in ('a', 'b')"))
        self.assertIn('1 text: "application"', done.output)

    def test_characters_that_json_escapes_end_a_text_of_the_gate(self):
        done = self.check(rule_files.text(
            'AuditLogs | where OperationName == "Update a \\"quoted\\" – '
            'Certificates and secrets "'))
        self.assertIn('1 text: " certificates and secrets "', done.output)

    def test_a_union_has_the_texts_of_all_its_branches(self):
        done = self.check(rule_files.text(
            "union isfuzzy=true (AuditLogs | where OperationName == 'first'), "
            "(AuditLogs | where OperationName == 'second' | extend n = 1)"
            "\n| where isempty(Result)"))
        self.assertEqual(done.status, 0, done.words)
        self.assertIn('2 texts: "first", "second"', done.output)

    def test_a_lookback_may_stand_behind_a_union(self):
        for tail, lookback in (
                ("where TimeGenerated > ago(2h)", "2h"),
                ("where isempty(Result) and TimeGenerated >= ago(30m)", "30m"),
                ("extend When = TimeGenerated | where When > ago(2h)", "2h"),
                ("where ActivityDateTime > ago(2h)", "1d")):
            with self.subTest(tail=tail):
                done = self.check(rule_files.text(
                    "union (AuditLogs | where OperationName == 'first'), "
                    "(AuditLogs | where OperationName == 'second')\n| "
                    + tail))
                self.assertIn(f"lookback    {lookback}\n", done.output)

    def test_parentheses_around_a_query_change_nothing(self):
        union = "union (AuditLogs | where OperationName == 'first'), " \
            "(AuditLogs | where OperationName == 'second')"
        for query in (f"({union})\n| extend n = 1",
                      f"((({union} | extend n = 1)) | where n == 1);",
                      f"({union} | extend m = 1)\n| extend n = m"):
            with self.subTest(query=query):
                done = self.check(rule_files.text(query))
                self.assertEqual(done.status, 0, done.words)
                self.assertIn('2 texts: "first", "second"', done.output)
                self.assertIn(", n\n", done.output)

    def test_a_list_in_more_parentheses_is_the_same(self):
        done = self.check(rule_files.text(
            "let words = dynamic(['Update user']);\n"
            "AuditLogs | where OperationName in (((words))) "
            "and Result !in (('x', 'y'))"))
        self.assertEqual(done.status, 0, done.words)

    def test_odd_things_are_warned_of(self):
        more = ("entityMappings:\n  - entityType: Account\n    fieldMappings:"
                "\n      - identifier: Name\n        columnName: Gone\n"
                "sampleData: 1\n")
        done = self.check(rule_files.text(
            "AuditLogs | where OperationName has 'Update user'",
            period="7d // Increased", more=more))
        self.assertEqual(done.status, 0, done.words)
        self.assertIn('"sampleData" is ignored', done.output)
        self.assertIn('the column "Gone"', done.output)
        self.assertIn('queryPeriod "7d // Increased" is no timespan',
                      done.output)

    def test_a_file_that_is_no_yaml_or_has_not_what_a_rule_needs(self):
        for content, place in (("a: [", "2:1"), ("- a\n", "1:1"),
                               ("id: 1\nid: 2\n", "2:5"), ("", "1:1"),
                               ("query: AuditLogs\n", "1:1"),
                               ("id: x\n---\nid: y\n", "2:1"),
                               ("a:\n  - é: 1\n   - b: 2\n", '3:4: "-"')):
            with self.subTest(content=content):
                done = self.check(content)
                self.assertEqual(done.status, 1)
                self.assertIn(f"rule.yaml:{place}: ", done.words)

    def test_a_part_of_another_kind_is_refused_where_it_stands(self):
        for part, column, word, wanted in (
                ("id: [a]", 5, "id", "text"),
                ("severity: {a: b}", 11, "severity", "text"),
                ("tactics: Persistence", 10, "tactics", "list"),
                ("tactics: [a, [b]]", 14, "tactics", "text"),
                ("tactics: &t [*t]", 10, "tactics", "text"),
                ("entityMappings: none", 17, "entityMappings", "list"),
                ("entityMappings: [a]", 18, "entityMappings", "mapping"),
                ("entityMappings: [{fieldMappings: a}]", 34, "fieldMappings",
                 "list"),
                ("entityMappings: [{fieldMappings: [a]}]", 35,
                 "fieldMappings", "mapping"),
                ("customDetails: [a]", 16, "customDetails", "mapping"),
                ("customDetails: {a: [b]}", 20, "a", "text"),
                ("alertDetailsOverride: a", 23, "alertDetailsOverride",
                 "mapping"),
                ("incidentConfiguration: a", 24, "incidentConfiguration",
                 "mapping"),
                ("incidentConfiguration: {groupingConfiguration: "
                 "{groupByEntities: a}}", 66, "groupByEntities", "list")):
            with self.subTest(part=part):
                more = "" if part.startswith("id") else "id: a\n"
                done = self.check(
                    f"{part}\n{more}query: AuditLogs | where Result has "
                    "'Some text'\n")
                self.assertEqual(done.status, 1, done.output)
                self.assertIn(f'rule.yaml:1:{column}: "{word}": a {wanted} '
                              "should stand here", done.words)

    def test_a_part_that_is_null_is_none(self):
        rule = "query: AuditLogs | where Result has 'Some text'\n"
        for null in ("", " ~", " null"):
            with self.subTest(null=null):
                done = self.check(f"id: a\n{rule}" + "".join(
                    f"{part}:{null}\n" for part in (
                        "name", "severity", "tactics", "entityMappings",
                        "customDetails", "alertDetailsOverride",
                        "incidentConfiguration")))
                self.assertEqual(done.status, 0, done.words)
                self.assertIn("severity    Informational\n", done.output)
                self.assertIn('1:1: "id": a rule needs one',
                              self.check(f"id:{null}\n{rule}").words)

    def test_words_that_are_none_of_those_are_warned_of(self):
        rule = rule_files.text(
            "AuditLogs | where Result has 'Some text'", severity="{}",
            more="incidentConfiguration:\n  createIncident: {}\n"
            "  groupingConfiguration:\n    enabled: {}\n"
            "    matchingMethod: {}\n")
        done = self.check(rule.format("Critical", "maybe", "on", "Any"))
        self.assertEqual(done.status, 0, done.words)
        for warning in (
                'severity "Critical" is none of Informational, Low, Medium, '
                "High", 'createIncident "maybe" is neither true nor false: it '
                "is taken for true", 'enabled "on" is neither true nor false: '
                "it is taken for false",
                'matchingMethod "Any" is none of AnyAlert, AllEntities, '
                "Selected"):
            self.assertIn(f"warning     {warning}\n", done.output)
        done = self.check(rule.format("high", "True", "FALSE", "anyAlert"))
        self.assertNotIn("warning", done.output)
        self.assertIn("severity    High\n", done.output)

    def test_bytes_that_are_no_text_are_told_by_their_place(self):
        rule = rule_files.text(
            "AuditLogs | where Result has 'Ünsere x'").encode()
        for bad in (b"\xe9", b"\0", b"\1", b"\xff\xfe", b"\xed\xa0\x80"):
            with self.subTest(bad=bad):
                done = self.check(rule.replace(b" x'", bad))
                self.assertEqual(done.status, 1, done.output)
                self.assertIn(f"rule.yaml:{HEAD_LINES + 1}:39: ", done.words)

    def test_what_is_nested_deep_ends_at_a_bound(self):
        rule = rule_files.text("AuditLogs | where Result has 'Some text'")
        for opened, closed in (("[", "]"), ("{a: ", "}"), ("- ", "")):
            with self.subTest(opened=opened):
                for depth, status in ((60, 0), (70, 1), (200_000, 1)):
                    done = self.check(
                        f"{rule}x:\n  {opened * depth}b{closed * depth}\n")
                    self.assertEqual(done.status, status, done.words[:200])
                self.assertIn("nested too deep", done.words)

    def test_blanks_that_come_from_a_page_are_blanks(self):
        done = self.check(rule_files.text(
            "AuditLogs\u00a0| where\u2003Result\u200b has\u3000'Some text'\n"
            "| extend n = strlen\u00a0(Result)\ufeff, m = tostring // why\n"
            "  (Result)"))
        self.assertEqual(done.status, 0, done.words)
        self.assertIn(", n, m\n", done.output)

    def test_each_file_is_told_of(self):
        good = self.folder.put(rule_files.text(QUERY), "good.yaml")
        bad = self.folder.put("id: 1\n", "bad.yaml")
        done = synctap("rule", "check", bad, good)
        self.assertEqual(done.status, 1)
        self.assertIn("good.yaml: loads", done.output)
        self.assertIn("bad.yaml:1:1: ", done.words)

    @unittest.skipUnless(SEED.is_file(), "the seed's file is not here")
    def test_the_seed_loads_without_a_warning(self):
        done = synctap("rule", "check", SEED)
        self.assertEqual(done.status, 0, done.words)
        self.assertNotIn("warning", done.output)


if __name__ == "__main__":
    unittest.main()
