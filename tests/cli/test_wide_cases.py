"""Each case in which wide semantics finds what the query misses, one by one.

In each, the query returns no row and wide returns one that says so (Kql
false), in every shape that can carry the case. What the query returns is
returned by wide as it is, and not once more.
"""

import json
import pathlib
import tempfile
import unittest

import plain
import rendering
from command import query
from plain import OBJECT_ID, OTHER_ID, PERSON_UPN, SYNC_UPN, target
from rendering import (diagnostic_record, directory_audit, elastic_document,
                       identity_row, legacy_record, log_analytics_row)

TWO_NAMES = (diagnostic_record, log_analytics_row)
PHRASE = "On-Premises Directory Synchronization"
SERVICE_ACCOUNT = PHRASE + " Service Account"
DIGITS = "4f1c2b3a4F1C2B3a4f1c2b3a4f1c2b3a"


class Case(unittest.TestCase):
    """Writes a record and a role list, and queries them both ways."""

    def setUp(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)

    def rows(self, record, semantics, *identities, statuses=(0,)):
        """Give the rows of one record."""
        audits, roles = (self.directory / name for name in ("audits", "ids"))
        audits.write_text(json.dumps(record))
        roles.write_text("\n".join(json.dumps(identity_row(
            identity, plain.chance())) for identity in identities) + "\n")
        return query(plain.NOW, [roles], [audits], semantics, statuses)

    def check(self, row, *identities, shapes=rendering.SHAPES, **columns):
        """Expect one row, and of wide alone, from a row in each shape."""
        for shape in shapes:
            with self.subTest(shape=shape.__name__):
                self.check_record(shape(row, plain.chance()), *identities,
                                  **columns)

    def check_record(self, record, *identities, **columns):
        """Expect one row, and of wide alone, with these columns."""
        self.assertEqual([], self.rows(record, "kql", *identities), "kql")
        found = self.rows(record, "wide", *identities)
        self.assertEqual([False], [row["Kql"] for row in found], "wide")
        self.assertEqual(columns, {name: found[0][name] for name in columns})
        self.assertTrue(found[0]["MatchedBy"])

    def check_nothing(self, row, *identities, shapes=rendering.SHAPES,
                      statuses=(0,)):
        """Expect no row at all from a row in each shape."""
        for shape in shapes:
            record = shape(row, plain.chance())
            for semantics in ("kql", "wide"):
                with self.subTest(shape=shape.__name__, semantics=semantics):
                    self.assertEqual([], self.rows(
                        record, semantics, *identities, statuses=statuses))


class Targets(Case):
    """The targets are there, but not as the query wants them."""

    def test_a_string_that_holds_the_list(self):
        targets = [target(PERSON_UPN), target()]
        self.check(plain.row(TargetResources=json.dumps(targets)),
                   TargetUpn=SYNC_UPN, TargetId=OTHER_ID, TargetIndex=1,
                   TargetResources=targets[1], Actor=plain.ACTOR)

    def test_a_string_that_holds_one_target(self):
        self.check(plain.row(TargetResources=json.dumps(target())),
                   TargetUpn=SYNC_UPN, TargetIndex=0,
                   TargetResources=target())

    def test_each_target_in_a_string_is_a_row(self):
        targets = [target(), target(PERSON_UPN), target("x.DirSync@y.example")]
        row = plain.row(TargetResources=json.dumps(targets))
        for shape in rendering.SHAPES:
            record = shape(row, plain.chance())
            self.assertEqual([], self.rows(record, "kql"))
            self.assertEqual(
                [(0, SYNC_UPN), (2, "x.DirSync@y.example")],
                [(found["TargetIndex"], found["TargetUpn"])
                 for found in self.rows(record, "wide")])

    def test_a_string_that_holds_no_sync_account(self):
        self.check_nothing(plain.row(TargetResources=json.dumps(
            [target(PERSON_UPN)])))

    def test_a_string_that_is_no_json(self):
        """No row of it, and wide says that it cannot read the record."""
        for shape in rendering.SHAPES:
            record = shape(plain.row(TargetResources=SYNC_UPN),
                           plain.chance())
            self.assertEqual([], self.rows(record, "kql"))
            self.assertEqual([], self.rows(record, "wide", statuses=(1,)))

    def test_one_object_instead_of_a_list(self):
        """The query takes its properties apart and finds the UPN in one."""
        for shape in rendering.SHAPES:
            record = shape(plain.row(TargetResources=target()),
                           plain.chance())
            for semantics in ("kql", "wide"):
                with self.subTest(shape=shape.__name__, semantics=semantics):
                    self.assertEqual(
                        [(True, {"userPrincipalName": SYNC_UPN})],
                        [(found["Kql"], found["TargetResources"])
                         for found in self.rows(record, semantics)])

    def test_one_object_that_the_query_does_not_find(self):
        one = target(PERSON_UPN, OBJECT_ID.upper())
        self.check(plain.row(TargetResources=one),
                   plain.identity("svc.aad@nordwind.example", OBJECT_ID),
                   TargetUpn=PERSON_UPN, TargetId=OBJECT_ID.upper(),
                   TargetIndex=0, TargetResources=one)

    def test_an_object_for_a_list(self):
        targets = {"0": target(PERSON_UPN), "1": target()}
        self.check(plain.row(TargetResources=targets),
                   TargetUpn=SYNC_UPN, TargetIndex=1,
                   TargetResources=targets["1"])

    def test_a_document_of_elastic(self):
        row, = rendering.fit_for(elastic_document, [
            plain.row(target(PERSON_UPN), target())])
        self.check(row, shapes=[elastic_document],
                   OperationName=plain.OPERATION, Actor=plain.ACTOR,
                   SourceIP=plain.SOURCE_IP, TargetUpn=SYNC_UPN,
                   TargetId=OTHER_ID, TargetIndex=1, Result="success",
                   Id="Directory_1",
                   TimeGenerated="2026-06-01T11:00:00.0000000Z",
                   TargetResources=row["TargetResources"]["1"])

    def test_an_empty_list_beside_a_target_of_2018(self):
        record = legacy_record(plain.row(
            UPN=SYNC_UPN, ObjectId=OTHER_ID, Initiator=plain.ACTOR),
            plain.chance())
        record["properties"]["targetResources"] = []
        self.check_record(record, TargetUpn=SYNC_UPN, TargetId=OTHER_ID)

    def test_an_empty_list_alone(self):
        self.check_nothing(plain.row(TargetResources=[]))


class Legacy(Case):
    """Records of 2018 name one target in a text of its own."""

    def _record(self, upn, object_id=OTHER_ID):
        return legacy_record(plain.row(
            UPN=upn, ObjectId=object_id, Initiator=plain.ACTOR),
            plain.chance())

    def test_a_sync_account_by_its_name(self):
        self.check_record(
            self._record(SYNC_UPN), TargetUpn=SYNC_UPN, TargetId=OTHER_ID,
            TargetIndex=0, Actor=plain.ACTOR,
            OperationName=plain.OPERATION,
            TimeGenerated="2026-06-01T11:00:00.0000000Z")

    def test_a_sync_account_by_its_id(self):
        self.check_record(
            self._record(PERSON_UPN, OBJECT_ID),
            plain.identity("svc.aad@nordwind.example", OBJECT_ID),
            TargetUpn=PERSON_UPN, TargetId=OBJECT_ID)

    def test_another_account(self):
        for semantics in ("kql", "wide"):
            self.assertEqual([], self.rows(self._record(PERSON_UPN),
                                           semantics))


class Keys(Case):
    """Keys in another case are missing to the query."""

    def test_of_a_targets_upn(self):
        one = plain.without(target(), "userPrincipalName") \
            | {"UserPrincipalName": SYNC_UPN}
        self.check(plain.row(one), TargetUpn=SYNC_UPN, TargetResources=one)

    def test_of_a_targets_id(self):
        one = plain.without(target(PERSON_UPN), "id") | {"ID": OBJECT_ID}
        self.check(plain.row(one),
                   plain.identity("svc.aad@nordwind.example", OBJECT_ID),
                   TargetId=OBJECT_ID, TargetUpn=PERSON_UPN)

    def test_of_the_list_of_targets(self):
        record = diagnostic_record(plain.row(), plain.chance())
        properties = record["properties"]
        properties["TargetResources"] = properties.pop("targetResources")
        self.check_record(record, TargetUpn=SYNC_UPN, TargetIndex=0)

    def test_of_the_initiator(self):
        """The query finds the row without it, and wide knows the actor."""
        user = {"UserPrincipalName": "other@case.example",
                "IPADDRESS": "192.0.2.77"}
        for shape in rendering.SHAPES:
            record = shape(plain.row(InitiatedBy={"User": user}),
                           plain.chance())
            for semantics, actor in (
                    ("kql", ("", "")),
                    ("wide", (user["UserPrincipalName"], user["IPADDRESS"]))):
                with self.subTest(shape=shape.__name__, semantics=semantics):
                    found, = self.rows(record, semantics)
                    self.assertTrue(found["Kql"])
                    self.assertEqual(actor, (found["Actor"],
                                             found["SourceIP"]))


class Initiator(Case):
    """The initiator may be a string that holds it."""

    def test_a_string_that_holds_it(self):
        row = plain.row(InitiatedBy=json.dumps(plain.initiator()))
        for shape in rendering.SHAPES:
            record = shape(row, plain.chance())
            for semantics, actor in (
                    ("kql", ("", "")),
                    ("wide", (plain.ACTOR, plain.SOURCE_IP))):
                with self.subTest(shape=shape.__name__, semantics=semantics):
                    found, = self.rows(record, semantics)
                    self.assertTrue(found["Kql"])
                    self.assertEqual(actor, (found["Actor"],
                                             found["SourceIP"]))

    def test_a_string_beside_targets_in_a_string(self):
        self.check(
            plain.row(InitiatedBy=json.dumps(plain.initiator()),
                      TargetResources=json.dumps([target()])),
            Actor=plain.ACTOR, SourceIP=plain.SOURCE_IP, TargetUpn=SYNC_UPN)


class Ids(Case):
    """Object ids are the same in any case."""

    def test_a_target_id_in_another_case_than_the_role_lists(self):
        for listed, seen in ((OBJECT_ID, OBJECT_ID.upper()),
                             (OBJECT_ID.upper(), OBJECT_ID)):
            self.check(
                plain.row(target(PERSON_UPN, seen)),
                plain.identity("svc.aad@nordwind.example", listed),
                TargetId=seen)

    def test_the_ids_of_the_roles_instead_of_their_names(self):
        upn = "svc.aad@nordwind.example"
        for template in ("d29b2b05-8046-44ba-8758-1e26182fcf32",
                         "a92aed5d-d78a-4d16-b381-09adb37eb3b0"):
            for roles in ([template], ["x", template.upper()]):
                self.check(plain.row(target(upn)),
                           plain.identity(upn, roles=roles), TargetUpn=upn)

    def test_a_role_that_the_account_may_activate(self):
        upn = "svc.aad@nordwind.example"
        for roles in ([plain.ROLE], ["d29b2b05-8046-44ba-8758-1e26182fcf32"]):
            self.check(
                plain.row(target(upn)),
                dict(plain.identity(upn, roles=()), EligibleRoles=roles),
                TargetUpn=upn,
                MatchedBy=["identity_upn", "identity_eligible"])
        self.check(
            plain.row(target(PERSON_UPN, OBJECT_ID)),
            dict(plain.identity(upn, OBJECT_ID, roles=()),
                 EligibleRoles=[plain.ROLE]),
            MatchedBy=["identity_object_id", "identity_eligible"])

    def test_the_id_of_another_role(self):
        upn = "svc.aad@nordwind.example"
        self.check_nothing(plain.row(target(upn)), plain.identity(
            upn, roles=["62e90394-69f5-4237-9190-012177145e10"]))


class Letters(Case):
    """Letters outside ASCII end a phrase, and two of them are ASCII's."""

    def test_a_letter_next_to_an_operation(self):
        for name in ("\u00e9Register security info",
                     "Create temporary access pass\u0436",
                     "Create temporary access pass\u017f"):
            self.check(plain.row(OperationName=name), OperationName=name)

    def test_a_letter_next_to_a_phrase_in_the_upn(self):
        for upn in ("\u0436" + PHRASE, PHRASE + "\u00e9@x.example"):
            self.check(plain.row(target(upn)), TargetUpn=upn)

    def test_a_letter_next_to_a_roles_name(self):
        upn = "svc.aad@nordwind.example"
        self.check(plain.row(target(upn)),
                   plain.identity(upn, roles=["\u00fc" + plain.ROLE]))

    def test_a_letter_next_to_a_display_name(self):
        upn = "svc.aad@nordwind.example"
        self.check(plain.row(target(upn)), plain.identity(
            upn, roles=(), display=SERVICE_ACCOUNT + "\u00df"))

    def test_an_ascii_letter_next_to_a_phrase(self):
        for row in (plain.row(OperationName="Register security infox"),
                    plain.row(target("x" + PHRASE)),
                    plain.row(target(PHRASE + "2"))):
            self.check_nothing(row)

    def test_long_s_and_the_kelvin_sign(self):
        self.check(plain.row(OperationName="Regi\u017fter security info"))
        self.check(plain.row(target("\u017fync_x@y.example")),
                   TargetUpn="\u017fync_x@y.example")
        self.check(plain.row(target("xDir\u017fYNC@y.example")))
        self.check(plain.row(target("\u212ai\u017f\u017fa@y.example")),
                   plain.identity("kissa@y.example"))

    def test_other_look_alikes(self):
        for upn in ("\uff33ync_x@y.example", "\u0405ync_x@y.example",
                    "D\u0130rSync@y.example", "D\u0131rSync@y.example"):
            self.check_nothing(plain.row(target(upn)))


class Deleted(Case):
    """A deleted user has 32 hexadecimal digits in front of the UPN."""

    def test_digits_before_the_name(self):
        for upn in (DIGITS + SYNC_UPN, DIGITS + "sYNC_x@y.example"):
            self.check(plain.row(target(upn)), TargetUpn=upn)

    def test_one_digit_less_or_more_or_another_letter(self):
        for digits in (DIGITS[1:], DIGITS + "0", DIGITS[:31] + "g",
                       DIGITS + "-"):
            self.check_nothing(plain.row(target(digits + SYNC_UPN)))


class Operations(Case):
    """A record names its operation twice, and one name is not in the rule."""

    def test_only_the_second_name_matches(self):
        self.check(plain.row(OperationName="Update user",
                             ActivityName="Register security info"),
                   shapes=TWO_NAMES, TargetUpn=SYNC_UPN,
                   OperationName="Update user")

    def test_only_the_second_name_of_what_was_hoisted_matches(self):
        record = diagnostic_record(
            plain.row(OperationName="Update user",
                      ActivityName="Register security info"), plain.chance())
        properties = record.pop("properties")
        self.check_record({**properties, **record}, TargetUpn=SYNC_UPN,
                          OperationName="Update user", Id=properties["id"])

    def test_only_the_second_name_of_elastic_matches(self):
        row, = rendering.fit_for(elastic_document, [plain.row(
            OperationName="Update user",
            ActivityName="Register security info")])
        self.check(row, shapes=[elastic_document],
                   OperationName="Update user")

    def test_neither_name_matches(self):
        self.check_nothing(plain.row(OperationName="Update user",
                                     ActivityName="Delete user"),
                           shapes=TWO_NAMES)

    def test_all_required_security_info(self):
        name = "User registered all required security info"
        self.check(plain.row(OperationName=name), OperationName=name)
        self.check(plain.row(OperationName="Update user", ActivityName=name),
                   shapes=TWO_NAMES)

    def test_an_operation_that_is_an_object_is_not_ours(self):
        name = {"value": plain.OPERATION, "localizedValue": plain.OPERATION}
        self.check_nothing(plain.row(OperationName=name),
                           shapes=[diagnostic_record, directory_audit],
                           statuses=(1,))


class Once(Case):
    """A target that the query returns is not returned a second time."""

    def test_a_target_with_reasons_of_both_kinds(self):
        row = plain.row(target(object_id=OBJECT_ID.upper()))
        for shape in rendering.SHAPES:
            found = self.rows(
                shape(row, plain.chance()), "wide",
                plain.identity("svc.aad@nordwind.example", OBJECT_ID))
            self.assertEqual([True], [one["Kql"] for one in found])

    def test_beside_a_target_that_only_wide_returns(self):
        row = plain.row(target(DIGITS + SYNC_UPN), target(),
                        target(PERSON_UPN))
        for shape in rendering.SHAPES:
            found = self.rows(shape(row, plain.chance()), "wide")
            self.assertEqual({(0, False), (1, True)}, {
                (one["TargetIndex"], one["Kql"]) for one in found})
            self.assertEqual(2, len(found))


del Case  # it has no test of its own
