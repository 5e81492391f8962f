"""Sync roles that the stream itself tells of: `replay --learn roles`.

A story is a few records, each with its hour of 2026-06-01; the rows that must
alert, and by what, follow from rules.md and the issue's own words: a gain
counts until a loss, a row stamped more than two hours after it or a snapshot;
a loss keeps the account watched for the lookback; what other services or
failed attempts tell is nothing.
"""

import json
import unittest

import rule_files
from command import objects, synctap

UPN = "svc.aad@nordwind.example"
OBJECT_ID = "0d0d0d0d-1111-4222-8333-444444444444"
TEMPLATE = "d29b2b05-8046-44ba-8758-1e26182fcf32"
OTHER_TEMPLATE = "62e90394-69f5-4237-9190-012177145e10"
SYNC = "Directory Synchronization Accounts"


def quoted(value):
    """Write a value as Entra writes those of modified properties."""
    return None if value is None else json.dumps(value)


def prop(name, old=None, new=None):
    """Make a modified property."""
    return {"displayName": name, "oldValue": quoted(old),
            "newValue": quoted(new)}


def record(time, operation, *targets, service="Core Directory",
           result="success"):
    """Make a diagnostic record of a clock time of 2026-06-01 or -02."""
    day, clock = time if isinstance(time, tuple) else (1, time)
    stamp = f"2026-06-{day:02}T{clock}:00Z"
    return {"time": stamp, "operationName": operation, "category": "AuditLogs",
            "tenantId": "t1", "properties": {
                "id": f"{operation[:4]} {day} {clock}", "result": result,
                "loggedByService": service, "activityDisplayName": operation,
                "initiatedBy": {"user": {"userPrincipalName": "eve@x"}},
                "targetResources": list(targets)}}


def principal(*properties, upn=UPN, object_id=OBJECT_ID):
    """Make a target."""
    return {"id": object_id, "type": "User", "userPrincipalName": upn,
            "modifiedProperties": list(properties)}


ROLE = {"id": "r", "type": "Role", "modifiedProperties": []}


def gain(time, template=TEMPLATE, operation="Add member to role", **more):
    """Somebody gets a role."""
    return record(time, operation, principal(
        prop("Role.ObjectID", new="x"), prop("Role.DisplayName", new="Rolle"),
        prop("Role.TemplateId", new=template)), ROLE, **more)


def loss(time, template=TEMPLATE, **more):
    """Somebody loses it."""
    return record(time, "Remove member from role", principal(
        prop("Role.DisplayName", old="Rolle"),
        prop("Role.TemplateId", old=template)), ROLE, **more)


def register(time, upn=UPN, object_id=OBJECT_ID):
    """Somebody registers a pass on the account."""
    return record(time, "Admin registered security info",
                  principal(upn=upn, object_id=object_id),
                  service="Authentication Methods")


def row(time, roles, upn=UPN):
    """Make a row of the role list."""
    return {"TimeGenerated": f"2026-06-01T{time}:00Z", "AccountUPN": upn,
            "AccountObjectId": OBJECT_ID, "AccountDisplayName": "Connect",
            "AssignedRoles": roles, "Type": "IdentityInfo"}


class LearnedRoles(unittest.TestCase):
    """A story each."""

    def alerts(self, *story, options=("--learn", "roles")):
        """Replay a story; give what alerted, when it was made, and why."""
        path = rule_files.Folder(self).put(
            "".join(json.dumps(one) + "\n" for one in story), "story.jsonl")
        done = synctap("replay", "--now", "2026-06-01T00:00:00Z", "--format",
                       "jsonl", *options, path)
        self.assertEqual(done.status, 0, done.words)
        return [(one["time_generated"][8:16], one["matched_by"], one["kql"],
                 one["late"]) for one in objects(done.output)]

    def learned(self, time, late=False, why="role_learned"):
        """Give what a match by a learned role is; by both of its names."""
        return (f"01T{time}" if len(time) == 5 else time,
                ["identity_upn", "identity_object_id", why], False, late)

    def test_without_learning_nothing_is_known(self):
        story = gain("10:00"), register("10:05")
        self.assertEqual(self.alerts(*story, options=()), [])
        self.assertEqual(self.alerts(*story, options=("--learn", "off")), [])

    def test_who_gets_the_role_is_a_sync_account(self):
        self.assertEqual(self.alerts(gain("10:00"), register("10:05")),
                         [self.learned("10:05")])

    def test_other_roles_make_none(self):
        self.assertEqual(self.alerts(gain("10:00", OTHER_TEMPLATE),
                                     register("10:05")), [])

    def test_the_name_of_an_operation_is_equal(self):
        for operation in ("Add eligible member to role",
                          "Add member to role completed (PIM activation)",
                          "add member to role"):
            self.assertEqual(self.alerts(gain("10:00", operation=operation),
                                         register("10:05")), [], operation)

    def test_what_another_service_tells_does_not_count(self):
        self.assertEqual(self.alerts(gain("10:00", service="PIM"),
                                     register("10:05")), [])

    def test_what_failed_does_not_count(self):
        self.assertEqual(self.alerts(gain("10:00", result="failure"),
                                     register("10:05")), [])
        self.assertEqual(
            self.alerts(gain("10:00"), loss("10:02", result="failure"),
                        register("10:05")), [self.learned("10:05")])

    def test_success_has_more_than_one_spelling(self):
        for result, counts in (("SUCCESS", True), (0, True), ("0", True),
                               (1, False), ("", False), (None, False),
                               ("unknownFutureValue", False)):
            with self.subTest(result=result):
                self.assertEqual(
                    self.alerts(gain("10:00", result=result),
                                register("10:05")),
                    [self.learned("10:05")] if counts else [])

    def test_the_template_s_spelling_does_not_matter(self):
        for value in (TEMPLATE, TEMPLATE.upper(), json.dumps(TEMPLATE),
                      [TEMPLATE]):
            with self.subTest(value=value):
                self.assertEqual(self.alerts(gain("10:00", value),
                                             register("10:05")),
                                 [self.learned("10:05")])

    def test_a_value_that_is_gone_is_a_loss_however_it_is_written(self):
        for value in (None, "", '""', "null", '"null"'):
            with self.subTest(value=value):
                gone = loss("11:00")
                gone["properties"]["targetResources"][0][
                    "modifiedProperties"][1]["newValue"] = value
                self.assertEqual(
                    self.alerts(gain("10:00"), gone, register("11:05")),
                    [self.learned("11:05", why="role_recent")])

    def test_a_role_that_another_takes_the_place_of_is_no_loss(self):
        swapped = loss("11:00")
        swapped["properties"]["targetResources"][0]["modifiedProperties"][1][
            "newValue"] = quoted(OTHER_TEMPLATE)
        self.assertEqual(
            self.alerts(gain("10:00"), swapped, register("11:05")),
            [self.learned("11:05")])

    def test_a_pass_before_the_role_alerts_late(self):
        self.assertEqual(self.alerts(register("10:00"), gain("10:05")),
                         [self.learned("10:00", late=True)])

    def test_who_lost_it_is_watched_for_the_lookback(self):
        story = (gain("10:00"), loss("11:00"), register("12:00"),
                 register((2, "10:59")), register((2, "11:01")))
        self.assertEqual(self.alerts(*story), [
            self.learned("12:00", why="role_recent"),
            self.learned("02T10:59", why="role_recent")])

    def test_a_long_lookback_remembers_long(self):
        late = [json.loads(json.dumps(one).replace("2026-06-", "2026-11-"))
                for one in (gain("10:00"), register("10:05"))]
        late[0]["properties"]["targetResources"][0].update(
            id="other", userPrincipalName="other@nordwind.example")
        for lookback, expected in (("180d", 1), ("120d", 0)):
            with self.subTest(lookback=lookback):
                self.assertEqual(len(self.alerts(
                    loss("11:00"), *late, options=(
                        "--learn", "roles", "--lookback", lookback))),
                    expected)

    def test_a_loss_alone_is_enough(self):
        self.assertEqual(self.alerts(loss("11:00"), register("11:05")),
                         [self.learned("11:05", why="role_recent")])

    def test_a_loss_and_the_list_without_the_role(self):
        story = (row("09:00", [SYNC]), loss("11:00"), row("11:30", []),
                 register("12:00"))
        self.assertEqual(self.alerts(*story),
                         [self.learned("12:00", why="role_recent")])

    def test_the_order_of_records_does_not_matter(self):
        story = (loss("11:00"), gain("10:00"), register("11:05"))
        self.assertEqual(self.alerts(*story),
                         [self.learned("11:05", why="role_recent")])
        self.assertEqual(self.alerts(gain("12:00"), loss("11:00"),
                                     register("12:05")),
                         [self.learned("12:05")])

    def test_a_row_of_within_two_hours_may_not_know_yet(self):
        self.assertEqual(
            self.alerts(gain("10:00"), row("12:00", []), register("12:05")),
            [self.learned("12:05")])

    def test_a_row_of_after_two_hours_knows_better(self):
        self.assertEqual(
            self.alerts(gain("10:00"), row("12:01", []), register("12:05")),
            [])

    def test_a_row_that_knows_the_role_is_the_query_s_own(self):
        (_, why, kql, _), = self.alerts(
            gain("10:00"), row("12:01", [SYNC]), register("12:05"))
        self.assertEqual((why, kql),
                         (["identity_upn", "identity_object_id"], True))

    def test_the_right_to_call_the_api_makes_a_sync_identity(self):
        grant = record("10:00", "Add app role assignment to service principal",
                       {"id": "api", "type": "ServicePrincipal",
                        "modifiedProperties": [
                            prop("AppRole.Value",
                                 new="ADSynchronization.ReadWrite.All"),
                            prop("ServicePrincipal.ObjectID", new=OBJECT_ID)]})
        self.assertEqual(
            self.alerts(grant, register("10:05", upn="")),
            [("01T10:05", ["identity_object_id", "role_learned"], False,
              False)])
        other = json.loads(json.dumps(grant).replace("ADSynchronization",
                                                     "Directory"))
        self.assertEqual(self.alerts(other, register("10:05", upn="")), [])

    def test_in_kql_nothing_is_learned(self):
        self.assertEqual(
            self.alerts(gain("10:00"), register("10:05"),
                        options=("--learn", "roles", "--semantics", "kql")),
            [])

    def test_rule_files_learn_too(self):
        rule = rule_files.Folder(self).put(rule_files.text(
            'let sync = IdentityInfo | summarize arg_max(TimeGenerated, *) by '
            'AccountUPN | where AssignedRoles has_any ("Directory '
            'Synchronization Accounts") | project AccountObjectId;\n'
            'AuditLogs\n| where OperationName == "Reset user password"\n'
            '| mv-expand TargetResources\n'
            '| where tostring(TargetResources.id) in (sync)'))
        story = (gain("10:00"), record("10:05", "Reset user password",
                                       principal()),
                 loss("11:00"), record("11:05", "Reset user password",
                                       principal()))
        self.assertEqual(
            self.alerts(*story, options=("--learn", "roles", "--rule", rule)),
            [("01T10:05", ["identity_object_id", "role_learned"], False,
              False),
             ("01T11:05", ["identity_object_id", "role_recent"], False,
              False)])


if __name__ == "__main__":
    unittest.main()
