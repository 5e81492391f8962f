"""`synctap identity import` takes every shape in which role lists come."""

import json

from command import synctap
from role_lists import (NOW, SYNC_ROLE, SYNC_TEMPLATE, RoleListTest, day,
                        defender, graph_answer, graph_role, log_analytics)

RECEIVED = "2026-06-10T00:00:00.0000000Z"  # NOW as `identity list` writes it


class Shapes(RoleListTest):
    """One shape, one row, read back column by column."""

    def _check(self, *contents, roles=(SYNC_ROLE,), time=day(1)):
        self.load_well(*contents)
        self.assertEqual(
            [("a@x", "id of a@x", "name of a@x",
              roles if isinstance(roles, str) else list(roles), time)],
            self.columns())

    def test_log_analytics_row_with_an_array(self):
        self._check(log_analytics(AssignedRoles=[SYNC_ROLE]))

    def test_log_analytics_row_with_the_array_in_a_string(self):
        self._check(log_analytics(AssignedRoles=json.dumps([SYNC_ROLE])))

    def test_log_analytics_row_with_a_plain_string(self):
        self._check(log_analytics(AssignedRoles=SYNC_ROLE), roles=SYNC_ROLE)

    def test_log_analytics_row_without_roles(self):
        for nothing in (None, "", []):
            with self.subTest(roles=nothing):
                self.setUp()
                self._check(log_analytics(AssignedRoles=nothing),
                            roles=[] if nothing == [] else "")

    def test_defender_row(self):
        self._check(defender(AssignedRoles=[SYNC_ROLE]))

    def test_defender_row_without_roles(self):
        self._check(defender(), roles="")

    def test_defender_row_that_log_analytics_has_given_a_time(self):
        row = defender()
        row["TimeGenerated"] = row.pop("Timestamp")
        self._check(row, roles="")

    def test_defender_row_inside_the_records_of_an_event_hub(self):
        self._check({"records": [{
            "time": day(2), "tenantId": "t", "operationName": "Publish",
            "category": "AdvancedHunting-IdentityInfo",
            "properties": defender(AssignedRoles=[SYNC_ROLE])}]})

    def test_table_of_the_query_api(self):
        row = log_analytics(AssignedRoles=json.dumps([SYNC_ROLE]))
        self._check({"tables": [{"name": "PrimaryResult", "columns": [
            {"name": name, "type": "dynamic" if name == "AssignedRoles"
             else "string"} for name in row], "rows": [list(row.values())]}]})

    def test_role_of_graph_names_itself_and_its_template(self):
        self._check(graph_answer(graph_role("a@x")), time=RECEIVED,
                    roles=(SYNC_ROLE, SYNC_TEMPLATE))

    def test_single_role_of_graph(self):
        self._check(graph_role("a@x"), time=RECEIVED,
                    roles=(SYNC_ROLE, SYNC_TEMPLATE))

    def test_role_as_graphs_powershell_writes_it(self):
        self._check({"DisplayName": SYNC_ROLE, "RoleTemplateId": SYNC_TEMPLATE,
                     "Members": [{"Id": "id of a@x", "DeletedDateTime": None,
                                  "AdditionalProperties": {
                                      "@odata.type": "#microsoft.graph.user",
                                      "userPrincipalName": "a@x",
                                      "displayName": "name of a@x"}}]},
                    time=RECEIVED, roles=(SYNC_ROLE, SYNC_TEMPLATE))

    def test_keys_in_another_case(self):
        for row in (log_analytics(AssignedRoles=[SYNC_ROLE]),
                    defender(AssignedRoles=[SYNC_ROLE])):
            for change in (str.lower, str.upper):
                with self.subTest(row=row, change=change):
                    self.setUp()
                    self._check({change(key): value
                                 for key, value in row.items()})


class WhoIsARow(RoleListTest):
    """What makes an object a row, and what does not."""

    def _check_is_none(self, content):
        done = self.load(content)
        self.assertEqual([], self.columns(), content)
        self.assertEqual(1, done.status)
        self.assertIn("file1:1: no identity record in it", done.words)

    def test_object_without_upn_and_object_id_is_none(self):
        self._check_is_none({"TimeGenerated": day(1), "AssignedRoles": ["x"],
                             "AccountDisplayName": "name"})

    def test_user_of_graph_is_none(self):
        self._check_is_none({"id": "1", "userPrincipalName": "a@x",
                             "displayName": "name"})

    def test_group_of_graph_is_none(self):
        self._check_is_none({"id": "1", "displayName": SYNC_ROLE,
                             "members": [{"id": "2"}]})

    def test_event_of_defender_is_none(self):
        self._check_is_none(dict(defender(), ActionType="LogonSuccess"))

    def test_row_with_an_object_id_alone_has_an_empty_upn(self):
        row = log_analytics()
        del row["AccountUPN"]
        self.load_well(row)
        self.assertEqual("", self.account("")["AccountUPN"])

    def test_member_without_upn_stands_under_its_id(self):
        role = graph_role()
        role["members"] = [{"id": "service", "displayName": "Sync service"}]
        self.load_well(role)
        self.assertEqual([("service", "service", "Sync service",
                           [SYNC_ROLE, SYNC_TEMPLATE], RECEIVED)],
                         self.columns())

    def test_member_without_any_name_is_none(self):
        role = graph_role("a@x")
        role["members"] += [{}, None, {"displayName": "nobody"}]
        self.load_well(role)
        self.assertEqual(["a@x"], [row[0] for row in self.columns()])

    def test_role_without_members_is_an_identity_record(self):
        self.load_well(graph_answer(graph_role()))
        self.assertEqual([], self.columns())

    def test_good_rows_beside_what_is_none(self):
        done = self.load({"foo": 1}, log_analytics(), {"bar": 2})
        self.assertEqual(1, done.status)
        self.assertEqual(["a@x"], [row[0] for row in self.columns()])
        self.assertIn("file1:1:", done.words)
        self.assertIn("file1:3:", done.words)
        self.assertNotIn("file1:2:", done.words)


class Times(RoleListTest):
    """A row without a readable time is left out, and told."""

    def test_row_without_a_readable_time_is_named(self):
        for time in (None, "", "yesterday", {}, 5):
            with self.subTest(time=time):
                self.setUp()
                done = self.load(log_analytics("b@x"),
                                 dict(log_analytics(), TimeGenerated=time))
                self.assertEqual(1, done.status)
                self.assertIn("file1:2: 1 row without a readable time",
                              done.words)
                self.assertEqual(["b@x"], [row[0] for row in self.columns()])

    def test_rows_without_a_time_in_a_document_are_counted(self):
        timeless = {"AccountUPN": "a@x"}
        done = self.load([timeless, log_analytics("b@x"), timeless])
        self.assertIn("file1:1: 2 rows without a readable time", done.words)

    def test_query_says_nothing_of_them(self):
        path = self.file({"AccountUPN": "a@x"})
        done = synctap("query", "--identity", path, "--now", NOW, "--format",
                       "jsonl")
        self.assertEqual(
            (1, "", "synctap: standard input: no audit record in it\n"), done)

    def test_broken_document_is_named_with_its_line(self):
        done = self.load(b'[\n{"AccountUPN": "a@x"\n',
                         log_analytics("b@x"))
        self.assertEqual(1, done.status)
        self.assertIn("file1:1: ", done.words)
        self.assertEqual(["b@x"], [row[0] for row in self.columns()])
