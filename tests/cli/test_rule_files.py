"""Rule files run: their rows, alerts and explanations.

The records are made up, in the shapes in which collectors get them; the rules
are those that ship and some that are made here for one behaviour each.
"""

import json
import pathlib
import unittest

import rule_files
from command import objects, synctap

RULES = pathlib.Path(__file__).resolve().parents[2] / "rules"
NOW = "2026-06-01T13:00:00Z"
CONNECT = "ConnectSyncProvisioning_EDGE7_0a1b2c3d4e5f"


def properties(**values):
    """Make modified properties, whose values are JSON in strings."""
    return [{"displayName": name.replace("_", "."), "oldValue": None,
             "newValue": json.dumps(value)} for name, value in values.items()]


def record(operation, *targets, number=1, initiator=None, result="success",
           shape="diagnostic"):
    """Make a record in one of the shapes."""
    parts = {"id": f"r{number}", "result": result,
             "initiatedBy": initiator or {"user": {
                 "id": "u1", "userPrincipalName": "eve@nordwind.example",
                 "ipAddress": "203.0.113.7"}},
             "targetResources": list(targets),
             "activityDisplayName": operation}
    time = f"2026-06-01T12:{number:02}:00Z"
    if shape == "diagnostic":
        return {"time": time, "tenantId": "t1", "operationName": operation,
                "properties": parts}
    if shape == "graph":
        return {**parts, "activityDateTime": time}
    return {"TimeGenerated": time, "OperationName": operation,
            "AADTenantId": "t1", "Id": parts["id"], "Result": result,
            "ActivityDisplayName": operation,
            "InitiatedBy": parts["initiatedBy"] if shape == "rows"
            else json.dumps(parts["initiatedBy"]),
            "TargetResources": list(targets) if shape == "rows"
            else json.dumps(targets)}


SHAPES = ("diagnostic", "graph", "rows", "strings")
KEY = {"id": "a1", "displayName": CONNECT, "type": "Application",
       "modifiedProperties": properties(KeyDescription=["k"])}


class RuleFiles(unittest.TestCase):
    """A few records each."""

    def setUp(self):
        """Have a folder."""
        self.folder = rule_files.Folder(self)

    def run_on(self, records, rule, *options, command="query", status=0):
        """Run a command over records with a rule."""
        lines = "".join(json.dumps(one) + "\n" for one in records)
        path = self.folder.put(lines, "records.jsonl")
        nobody = self.folder.put("", "nobody.jsonl")  # not this machine's
        done = synctap(command, "--rule", rule, "--now", NOW, "--format",
                       "jsonl", "--identity", nobody, *options, path)
        self.assertEqual(done.status, status, done.words)
        return objects(done.output)

    def rows(self, records, query, *options, **more):
        """Run a query of the test's own."""
        rule = self.folder.put(rule_files.text(query, **more))
        return self.run_on(records, rule, *options)

    def changes(self, *records, semantics="kql"):
        """Give what the shipped rule says of records."""
        return [(row["Id"], row["Change"], row["Severity"])
                for row in self.run_on(
                    records, RULES / "credential-on-sync-identity.yaml",
                    "--semantics", semantics)]

    def test_a_key_on_connects_application_in_every_shape(self):
        operation = "Update application – Certificates and secrets " \
            "management "
        for shape in SHAPES:
            with self.subTest(shape=shape):
                self.assertEqual(
                    self.changes(record(operation, KEY, shape=shape),
                                 semantics="wide"),
                    [("r1", "key or secret on the application", "High")])

    def test_connects_own_renewal_is_low(self):
        own = {"app": {"displayName": CONNECT, "servicePrincipalId": "s"}}
        self.assertEqual(
            self.changes(record("Add service principal credentials", KEY,
                                initiator=own)),
            [("r1", "key on the service principal", "Low")])

    def test_the_other_ways_to_a_credential(self):
        federated = dict(KEY, modifiedProperties=properties(
            FederatedIdentityCredentials=["x"]))
        owner = {"id": "o", "userPrincipalName": "mallory@nordwind.example",
                 "modifiedProperties": properties(
                     Application_DisplayName=CONNECT)}
        right = {"id": "g", "displayName": "Microsoft.Azure.SyncFabric",
                 "modifiedProperties": properties(
                     AppRole_Value="ADSynchronization.ReadWrite.All")}
        self.assertEqual(
            self.changes(
                record("Update application", federated),
                record("Add owner to application", owner, number=2),
                record("Add app role assignment to service principal", right,
                       number=3),
                record("Update application", KEY, number=4),
                record("Add owner to application",
                       dict(owner, modifiedProperties=[]), number=5)),
            [("r3", "right to call the synchronization API", "High"),
             ("r2", "owner", "High"), ("r1", "federated credential", "High")])

    def test_a_password_in_every_shape(self):
        target = {"id": "x", "userPrincipalName": "Sync_E_1@nordwind.example"}
        for shape in SHAPES:
            for operation in ("Reset user password",
                              "Reset password (by admin)",
                              "Change user password.",
                              "Update PasswordProfile"):
                with self.subTest(shape=shape, operation=operation):
                    row, = self.run_on(
                        [record(operation, target, shape=shape)],
                        RULES / "password-reset-on-sync-account.yaml",
                        "--semantics", "wide")
                    self.assertEqual((row["TargetUpn"], row["MatchedBy"][0]),
                                     (target["userPrincipalName"],
                                      "upn_startswith"))

    def test_without_a_projection_a_row_has_what_the_query_made(self):
        row, = self.rows(
            [record("Update user", {"id": "x"})],
            "AuditLogs | where OperationName == 'Update user' "
            "| extend Who = tostring(InitiatedBy.user.id), Two = 1",
            more="customDetails:\n  Result: Result\n")
        self.assertEqual(list(row), ["Result", "Who", "Two", "Id", "TargetId",
                                     "TargetIndex", "MatchedBy", "Kql"])
        self.assertEqual((row["Who"], row["Two"]), ("u1", 1))

    def test_a_second_name_of_a_column_is_made_by_the_query(self):
        row, = self.rows(
            [record("Update user", {"id": "x"})],
            "AuditLogs | where OperationName == 'Update user' "
            "| extend timestamp = TimeGenerated, What = OperationName")
        self.assertEqual(list(row)[:2], ["timestamp", "What"])
        self.assertEqual((row["timestamp"], row["What"]),
                         ("2026-06-01T12:01:00.0000000Z", "Update user"))

    def test_a_union_makes_no_column_of_its_own(self):
        row, = self.rows(
            [record("First thing")],
            "union (AuditLogs | where OperationName == 'First thing' "
            "| extend A = 1), (AuditLogs | where OperationName == 'Other "
            "thing' | extend Result = 'x') | extend B = Id")
        self.assertEqual(list(row), ["Result", "A", "B", "Id", "TargetId",
                                     "TargetIndex", "MatchedBy", "Kql"])
        self.assertEqual((row["Result"], row["A"], row["B"]),
                         ("success", 1, "r1"))

    def test_wide_does_not_give_a_records_own_row_twice(self):
        query = "AuditLogs | where OperationName == 'Update user' " \
            "| project What = OperationName, Of = TargetResources[0].id, " \
            "Who = tostring(TargetResources[0].displayName)"
        for targets in ([{"id": "x", "displayName": "eve"}],
                        {"id": "x", "displayName": "eve"}, {}, None):
            with self.subTest(targets=targets):
                one = dict(record("Update user", shape="strings"),
                           TargetResources=json.dumps(targets))
                row, = self.rows([one], query, "--semantics", "wide")
                self.assertTrue(row["Kql"])
                self.assertEqual(
                    [row[name] for name in ("What", "Of", "Who")],
                    ["Update user", "x", "eve"] if targets
                    else ["Update user", None, ""])
                row, = self.rows([one], query, "--semantics", "kql")
                self.assertEqual([row["Of"], row["Who"]], [None, ""])

    def test_each_element_of_each_expansion_is_a_row_of_its_own(self):
        target = {"id": "x", "modifiedProperties": [
            {"displayName": "a"}, {"displayName": "b"}, {"displayName": "a"}]}
        rule = self.folder.put(rule_files.text(
            "AuditLogs | where OperationName == 'Update user' "
            "| mv-expand T = TargetResources "
            "| mv-apply P = T.modifiedProperties on "
            "(where P.displayName == 'a' | project N = tostring("
            "P.displayName)) | project N"))
        records = [record("Update user", target, target)]
        rows = self.run_on(records, rule)
        self.assertEqual([(row["N"], row["TargetIndex"]) for row in rows],
                         [("a", 0), ("a", 0), ("a", 1), ("a", 1)])
        alerts = self.run_on(records, rule, command="replay")
        self.assertEqual(len({alert["alert_id"] for alert in alerts}), 4)

    def test_each_of_very_many_targets_is_judged(self):
        """No bound on what stands in a record hides its last target."""
        targets = [{"id": str(n)} for n in range(150_000)]
        self.assertEqual(
            [row["Oid"] for row in self.rows(
                [record("Update user", *targets)],
                "AuditLogs | where OperationName == 'Update user' "
                "| mv-expand TargetResources "
                "| where TargetResources.id in ('0', '149999') "
                "| project Oid = tostring(TargetResources.id)")],
            ["0", "149999"])

    def test_a_union_has_the_rows_of_all_branches(self):
        rows = self.rows(
            [record("First thing"), record("Second thing", number=2)],
            "union isfuzzy=true (AuditLogs | where OperationName == "
            "'First thing' | project Id, A = 1), (AuditLogs | where "
            "OperationName == 'Second thing' | project Id, B = 'b') "
            "| extend C = strcat(Id, B)")
        self.assertEqual(
            [[row[name] for name in ("Id", "A", "B", "C")] for row in rows],
            [["r2", None, "b", "r2b"], ["r1", 1, "", "r1"]])

    def test_a_match_by_the_activity_shows_the_operation_s_own_name(self):
        one = record("Update user", {"id": "t"}, shape="rows")
        one["ActivityDisplayName"] = "Reset user password"
        branch = "AuditLogs | where OperationName has 'Reset user password'"
        other = "AuditLogs | where OperationName has 'Delete user'"
        for query in (f"{branch} | project Name = OperationName",
                      f"{branch} | extend Name = OperationName",
                      f"union ({branch}), ({other}) | extend Name = "
                      "OperationName | project Name",
                      f"union ({other} | project Name = Result), ({branch} | "
                      "extend Name = OperationName | project Name)",
                      f"union ({branch} | project Name = OperationName), "
                      f"({other} | project Name = OperationName)"):
            with self.subTest(query=query):
                (row,) = self.rows([one], query, "--semantics", "wide")
                self.assertEqual((row["Name"], row["MatchedBy"]),
                                 ("Update user", ["activity_display_name"]))

    def test_a_row_knows_its_target_behind_a_union_too(self):
        records = [record("First thing", {"id": "a"}, {"id": "b"}),
                   record("Second thing", {"id": "c"}, {"id": "d"}, number=2)]
        union = ("union (AuditLogs | where OperationName == 'First thing'), "
                 "(AuditLogs | where OperationName == 'Second thing' | extend "
                 "Other = 1) | ")
        of_all = [("r2", "c", 0), ("r2", "d", 1), ("r1", "a", 0),
                  ("r1", "b", 1)]
        for tail, expected in (
                ("mv-expand T = TargetResources", of_all),
                ("mv-expand TargetResources", of_all),
                ("mv-apply T = TargetResources on (where isnotempty(T.id))",
                 of_all),
                ("extend All = TargetResources | mv-expand All", of_all),
                ("extend Last = tostring(TargetResources[1].id)",
                 of_all[1::2])):
            for semantics in ("kql", "wide"):
                with self.subTest(tail=tail, semantics=semantics):
                    rows = self.rows(records, union + tail, "--semantics",
                                     semantics)
                    self.assertEqual(
                        [(row["Id"], row["TargetId"], row["TargetIndex"])
                         for row in rows], expected)

    def test_a_branchs_columns_are_its_own_in_wide_too(self):
        rows = self.rows(
            [record("First thing"), record("Second thing", number=2)],
            "union (AuditLogs | where OperationName == 'First thing' "
            "| project Id, A = 'a'), (AuditLogs | where OperationName "
            "has 'thing' | project Id, B = 'b')", "--semantics", "wide")
        self.assertEqual(
            sorted([row[name] for name in ("Id", "A", "B", "Kql")]
                   for row in rows),
            [["r1", "", "b", True], ["r1", "a", "", True],
             ["r2", "", "b", True]])

    def test_formats_entities_and_details_are_the_files(self):
        alert, = self.run_on(
            [record("Update user", {"id": "x"})],
            self.folder.put(rule_files.text(
                "AuditLogs | where OperationName == 'Update user' | extend "
                "Name = 'eve', Suffix = 'nordwind.example', Level = 'low' "
                "| project TimeGenerated, Name, Suffix, Level, InitiatedBy",
                more="""entityMappings:
  - entityType: Account
    fieldMappings:
      - identifier: Name
        columnName: Name
      - identifier: UPNSuffix
        columnName: Suffix
  - entityType: Host
    fieldMappings:
      - identifier: HostName
        columnName: Level
customDetails:
  Who: Name
alertDetailsOverride:
  alertDisplayNameFormat: "{{Name}} at {{ TimeGenerated }}, {{Gone}}"
  alertSeverityColumnName: Level
""")), command="replay")
        self.assertEqual(alert["display_name"],
                         "eve at 2026-06-01T12:01:00.0000000Z, {{Gone}}")
        self.assertEqual(alert["severity"], "Low")
        self.assertEqual(alert["techniques"], ["T1098"])
        self.assertEqual(alert["sub_techniques"], ["T1556.006", "T1098.003"])
        self.assertEqual(alert["entities"], [
            {"$id": "1", "Type": "account", "FullName":
             "eve@nordwind.example", "Name": "eve",
             "UPNSuffix": "nordwind.example", "AadUserId": "u1"},
            {"$id": "2", "Type": "host", "HostName": "low"}])
        self.assertEqual(alert["custom_details"], {"Who": "eve"})
        self.assertEqual(list(alert["columns"]),
                         ["TimeGenerated", "Name", "Suffix", "Level",
                          "InitiatedBy"])

    def test_an_alert_of_a_rule_file_is_not_judged_again(self):
        rule = self.folder.put(rule_files.text(
            "AuditLogs | where OperationName == 'Update user'"))
        alerts = self.run_on([record("Update user", {"id": "x"})], rule,
                             command="replay")
        self.assertEqual(len(alerts), 1)
        self.assertEqual(self.run_on(alerts, rule, command="replay",
                                     status=1), [])

    def test_a_role_that_is_taken_away_makes_a_row_of_not_in_late(self):
        rule = self.folder.put(rule_files.text(
            "let Known = IdentityInfo | summarize arg_max(TimeGenerated, *) "
            "by AccountUPN | where AssignedRoles has 'Trusted' "
            "| project AccountUPN;\nAuditLogs "
            "| where OperationName == 'Update user' "
            "| mv-expand TargetResources "
            "| extend Upn = tostring(TargetResources.userPrincipalName) "
            "| where Upn !in~ (Known) | project Upn"))
        upn = "a@nordwind.example"

        def role(minute, *roles):
            return {"TimeGenerated": f"2026-06-01T12:{minute:02}:00Z",
                    "AccountUPN": upn, "AccountObjectId": "1",
                    "AccountDisplayName": "", "AssignedRoles": list(roles)}
        events = [role(0, "Trusted"),
                  record("Update user", {"userPrincipalName": upn}, number=1)]
        self.assertEqual(self.run_on(events, rule, "--order", "time",
                                     command="replay"), [])
        alert, = self.run_on([*events, role(5)], rule, "--order", "time",
                             command="replay")
        self.assertEqual((alert["late"], alert["matched_by"]),
                         (True, ["not_identity_upn"]))

    def absence(self, *events, window="30m"):
        """Run a rule that asks who is not on the list; give its alerts."""
        rule = self.folder.put(rule_files.text(
            "let Known = IdentityInfo "
            f"| where TimeGenerated > ago({window}) "
            "| summarize arg_max(TimeGenerated, *) by AccountUPN "
            "| where AssignedRoles has 'Trusted' "
            "| project AccountUPN;\nAuditLogs "
            "| where OperationName == 'Update user' "
            "| mv-expand TargetResources "
            "| extend Upn = tostring(TargetResources.userPrincipalName) "
            "| where Upn !in~ (Known) | project Upn", period="2h"))
        lines = "".join(json.dumps(one) + "\n" for one in events)
        path = self.folder.put(lines, "records.jsonl")
        done = synctap("replay", "--rule", rule, "--order", "time",
                       "--format", "jsonl", path)
        self.assertEqual(done.status, 0, done.words)
        return [(alert["record_id"], alert["late"], alert["detected_at"])
                for alert in objects(done.output)]

    def test_a_role_that_gets_too_old_makes_a_row_of_not_in_late(self):
        known, other = "a@nordwind.example", "b@nordwind.example"

        def role(minute):
            return {"TimeGenerated": f"2026-06-01T12:{minute:02}:00Z",
                    "AccountUPN": known, "AccountObjectId": "1",
                    "AccountDisplayName": "", "AssignedRoles": ["Trusted"]}

        def update(minute, upn=known):
            return record("Update user", {"userPrincipalName": upn},
                          number=minute)
        late = [("r1", True, "2026-06-01T12:30:00.0000000Z")]
        first = [role(0), update(1)]
        at_once = ("r29", False, "2026-06-01T12:29:00.0000000Z")
        self.assertEqual(self.absence(*first, update(29, other)), [at_once])
        # at its last tick the row counts no more: `>` is strict
        self.assertEqual(self.absence(*first, update(30, other)),
                         late + [("r30", False, late[0][2])])
        self.assertEqual(self.absence(*first, update(45, other)),
                         late + [("r45", False,
                                  "2026-06-01T12:45:00.0000000Z")])
        # a newer row moves the end; each row alerts once
        self.assertEqual(
            self.absence(*first, role(20), update(49, other)),
            [("r49", False, "2026-06-01T12:49:00.0000000Z")])
        self.assertEqual(
            self.absence(*first, role(20), update(55, other), update(58)),
            [("r1", True, "2026-06-01T12:50:00.0000000Z"),
             ("r55", False, "2026-06-01T12:55:00.0000000Z"),
             ("r58", False, "2026-06-01T12:58:00.0000000Z")])

    def test_a_record_that_left_the_lookback_waits_no_more(self):
        upn = "a@nordwind.example"
        role = {"TimeGenerated": "2026-06-01T12:00:00Z", "AccountUPN": upn,
                "AccountObjectId": "1", "AccountDisplayName": "",
                "AssignedRoles": ["Trusted"]}
        done = record("Update user", {"userPrincipalName": upn}, number=1)
        later = dict(record("Update user",
                            {"userPrincipalName": "b@nordwind.example"},
                            number=2), time="2026-06-01T17:00:00Z")
        end = ("r2", False, "2026-06-01T17:00:00.0000000Z")
        # its 2 h end at 14:01: before the row's own, and behind it
        self.assertEqual(self.absence(role, done, later, window="3h"), [end])
        self.assertEqual(self.absence(role, done, later, window="119m"),
                         [("r1", True, "2026-06-01T13:59:00.0000000Z"), end])

    def test_query_sorts_as_the_rule_says(self):
        given = [("b", "x", 5), ("a", "x", None), ("c", "y", -2),
                 ("a\0", "x", 700), ("A", "y", 0), ("", "x", 5)]
        records = [record("Update user", {"id": id_, "n": n}, number=number)
                   for number, (id_, _, n) in enumerate(given)]
        for one, (_, result, _) in zip(records, given):
            one["properties"]["result"] = result

        def ids(order):
            return [row["Oid"] for row in self.rows(
                records, "AuditLogs | where OperationName == 'Update user' "
                "| extend Oid = tostring(TargetResources[0].id), "
                "N = toint(tostring(TargetResources[0].n)) "
                f"| order by {order} | project Oid")]
        self.assertEqual(ids("Oid asc"), ["", "A", "a", "a\0", "b", "c"])
        self.assertEqual(ids("Oid"), ["c", "b", "a\0", "a", "A", ""])
        self.assertEqual(ids("N asc"),
                         ["a", "c", "A", "b", "", "a\0"])
        self.assertEqual(ids("N desc"),
                         ["a\0", "b", "", "A", "c", "a"])
        self.assertEqual(ids("N desc nulls first"),
                         ["a", "a\0", "b", "", "A", "c"])
        self.assertEqual(ids("Result desc, TimeGenerated asc"),
                         ["c", "A", "b", "a", "a\0", ""])
        self.assertEqual(ids("strlen(Oid) asc, Result asc"),
                         ["", "b", "a", "c", "A", "a\0"])

    def test_explain_tells_each_term(self):
        told, = self.run_on(
            [record("Update user", {"id": "x",
                                    "userPrincipalName": "a@b.example"})],
            self.folder.put(rule_files.text(
                "AuditLogs | where OperationName == 'Update user' "
                "| mv-expand T = TargetResources "
                "| where tostring(T.id) == 'y' or Result =~ 'SUCCESS'")),
            command="explain")
        self.assertEqual((told["verdict"], told["kql"], told["wide"]),
                         ("match", True, True))
        row = told["rows"][0]
        self.assertEqual((row["reading"], row["upn"], row["matches"]),
                         ("kql", "a@b.example", True))
        self.assertEqual(
            [(term["where"], term["left"], term["operator"], term["right"],
              term["holds"]) for term in row["terms"]],
            [(1, "Update user", "==", "Update user", True),
             (2, "x", "==", "y", False),
             (2, "success", "=~", "SUCCESS", True)])

    def test_lists_belong_to_the_built_in_rule(self):
        done = synctap("query", "--rule", RULES / "tap-on-sync-account.yaml",
                       "--roles", "x", given=b"")
        self.assertEqual(done.status, 2)
        self.assertIn("--roles belongs to the built-in rule", done.words)

    def test_a_refused_rule_runs_nothing(self):
        path = self.folder.put(rule_files.text("AuditLogs | count"))
        done = synctap("query", "--rule", path, given=b"")
        self.assertEqual(done.status, 2)
        self.assertIn('rule.yaml:18:15: "count"', done.words)

    def test_a_column_of_the_role_list_that_is_not_looked_up(self):
        path = self.folder.put(rule_files.text(
            "let W = IdentityInfo | summarize arg_max(TimeGenerated, *) by "
            "AccountUPN | project AccountDisplayName;\nAuditLogs "
            "| where OperationName == 'Update user' and Result in (W)"))
        self.assertEqual(synctap("rule", "check", path).status, 0)
        done = synctap("query", "--rule", path, given=b"")
        self.assertEqual(done.status, 2)
        self.assertIn('"Result" is looked up in a column', done.words)


if __name__ == "__main__":
    unittest.main()
