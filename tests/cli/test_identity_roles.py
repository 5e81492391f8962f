"""Roles have a time of their own: rows that say nothing of them leave them."""

import itertools
import json

import plain
import rendering
from command import objects, synctap
from role_lists import (NOW, SYNC_ROLE, SYNC_TEMPLATE, RoleListTest, day,
                        defender, graph_answer, graph_role, log_analytics)

BOTH = [SYNC_ROLE, SYNC_TEMPLATE]


class AbsentRoles(RoleListTest):
    """AssignedRoles absent is not the same as empty."""

    def test_absent_leaves_the_roles_as_they_were(self):
        for newer in (log_analytics(on=2), defender(on=2)):
            with self.subTest(newer=newer):
                self.setUp()
                self.load_well(log_analytics(AssignedRoles=["r"]))
                self.load_well(newer)
                self.assertEqual(["r"], self.account()["AssignedRoles"])
                self.assertEqual(day(2), self.account()["TimeGenerated"])

    def test_empty_takes_the_roles_away(self):
        for nothing in (None, "", []):
            with self.subTest(roles=nothing):
                self.setUp()
                self.load_well(log_analytics(AssignedRoles=["r"]))
                self.load_well(log_analytics(on=2, AssignedRoles=nothing))
                self.assertIn(self.account()["AssignedRoles"], ("", []))

    def test_newest_row_with_roles_counts_whatever_the_order(self):
        rows = (log_analytics(on=1, AssignedRoles=["old"]),
                log_analytics(on=2, AssignedRoles=["newest"]),
                log_analytics(on=3), defender(on=4))
        for order in itertools.permutations(rows):
            with self.subTest(order=order):
                self.setUp()
                for row in order:
                    self.load_well(row)
                self.assertEqual(["newest"], self.account()["AssignedRoles"])
                self.assertEqual(day(4), self.account()["TimeGenerated"])

    def test_older_row_with_roles_gives_them_to_one_without(self):
        self.load_well(log_analytics(on=2, AccountDisplayName="new"))
        self.load_well(log_analytics(AssignedRoles=["r"]))
        self.assertEqual((["r"], "new"), (
            self.account()["AssignedRoles"],
            self.account()["AccountDisplayName"]))


class UnreadableRoles(RoleListTest):
    """What cannot be read takes no role away in silence."""

    WORDS = "a type's name in the place of its roles"

    def test_a_type_instead_of_a_list_leaves_the_row_out(self):
        for make in (log_analytics, defender):
            with self.subTest(make=make.__name__):
                self.setUp()
                self.load_well(log_analytics(AssignedRoles=["r"]))
                done = self.load(make(on=2, AssignedRoles="System.Object[]"))
                self.assertEqual(1, done.status)
                self.assertIn(self.WORDS, done.words)
                self.assertEqual((["r"], day(1)), (
                    self.account()["AssignedRoles"],
                    self.account()["TimeGenerated"]))

    def test_a_type_in_a_table_is_told_with_its_line(self):
        self.load_well(log_analytics(AssignedRoles=["r"]))
        table = ("TimeGenerated,AccountUPN,AccountObjectId,AssignedRoles\n"
                 f"{day(2)},b@x,2,r\n{day(2)},a@x,1,System.Object[]\n")
        done = self.load(table.encode())
        self.assertEqual(1, done.status)
        self.assertRegex(done.words, f":3: a row with {self.WORDS}")
        self.assertEqual({"a@x": ["r"], "b@x": "r"}, {
            one["AccountUPN"]: one["AssignedRoles"]
            for one in self.accounts()})

    def test_a_list_that_was_cut_is_told(self):
        done = self.load(log_analytics(AssignedRoles='["r","Directory Syn'))
        self.assertEqual(1, done.status)
        self.assertIn("AssignedRoles were cut", done.words)

    def test_a_snapshot_of_them_is_refused(self):
        self.load_well(log_analytics(AssignedRoles=[SYNC_ROLE]))
        done = self.load(log_analytics("b@x", AssignedRoles=[SYNC_ROLE]),
                         log_analytics(on=2, AssignedRoles="System.Object[]"),
                         options=["--snapshot"])
        self.assertEqual(1, done.status)
        self.assertEqual([SYNC_ROLE], self.account()["AssignedRoles"])


class WhatTheQuerySees(RoleListTest):
    """To KQL, a Log Analytics row without AssignedRoles has none."""

    def _matches(self, semantics, *rows):
        audits = self.file(rendering.diagnostic_record(plain.row(
            plain.target("a@x"), TimeGenerated=plain.NOW), plain.chance()))
        done = synctap("query", "--identity", self.file(*rows), "--format",
                       "jsonl", "--semantics", semantics, "--now",
                       "2026-06-01T12:00:00Z", audits)
        count = len(objects(done.output))
        self.assertEqual((0, "" if count else "synctap: no row matches\n"),
                         (done.status, done.words))
        return count

    def _check(self, kql, wide, newest):
        rows = (dict(log_analytics(AssignedRoles=[SYNC_ROLE]),
                     TimeGenerated="2026-05-30T00:00:00Z"), newest)
        self.assertEqual((kql, wide), (self._matches("kql", *rows),
                                       self._matches("wide", *rows)))

    def test_log_analytics_row_without_roles_has_none(self):
        self._check(0, 1, log_analytics())

    def test_defender_row_without_roles_has_those_last_known(self):
        self._check(1, 1, defender())

    def test_row_with_empty_roles_has_none(self):
        self._check(0, 0, log_analytics(AssignedRoles=[]))

    def test_members_of_graph_are_received_now(self):
        self.assertEqual(1, self._matches("kql", graph_role("a@x")))


class AddedRoles(RoleListTest):
    """A role of Graph says who has it, and not who has it no more."""

    def test_two_roles_in_one_answer_are_kept_both(self):
        self.load_well(graph_answer(
            graph_role("a@x"), graph_role("a@x", name="n", template="t")))
        self.assertEqual([*BOTH, "n", "t"], self.account()["AssignedRoles"])

    def test_two_roles_in_two_imports_are_kept_both(self):
        self.load_well(graph_role("a@x"))
        self.load_well(graph_role("a@x", name="n", template="t"))
        self.assertEqual([*BOTH, "n", "t"], self.account()["AssignedRoles"])

    def test_roles_are_added_whatever_the_time(self):
        self.load_well(graph_role("a@x"))
        self.load_well(graph_role("a@x", name="n", template="t"), now=day(2))
        self.assertEqual([*BOTH, "n", "t"], self.account()["AssignedRoles"])

    def test_what_is_no_name_among_the_roles_is_in_nobodys_way(self):
        self.load_well(log_analytics(AssignedRoles=[None, {"k": 1}]))
        self.load_well(graph_role("a@x"))
        self.assertEqual([None, '{"k":1}', *BOTH],
                         self.account()["AssignedRoles"])

    def test_the_same_answer_again_changes_nothing(self):
        answer = graph_answer(graph_role("a@x"), graph_role("b@x"))
        self.load_well(answer)
        self.assertIn("2 rows read, 0 accounts changed",
                      self.load(answer).words)

    def test_a_role_is_added_once(self):
        self.load_well(graph_role("a@x"))
        self.load_well(graph_role("a@x"), now="2026-06-11T00:00:00Z")
        self.assertEqual(BOTH, self.account()["AssignedRoles"])

    def test_roles_are_added_to_those_of_a_row(self):
        for known, all_roles in ((["r"], ["r", *BOTH]), ("r", ["r", *BOTH]),
                                 ("", BOTH), ("7", ["7", *BOTH]),
                                 ('{"k":1}', [json.dumps({"k": 1}).replace(
                                     " ", ""), *BOTH])):
            with self.subTest(known=known):
                self.setUp()
                self.load_well(log_analytics(AssignedRoles=known))
                self.load_well(graph_role("a@x"))
                self.assertEqual(all_roles, self.account()["AssignedRoles"])

    def test_newer_row_replaces_them(self):
        self.load_well(graph_role("a@x"), now=day(1))
        self.load_well(log_analytics(on=2, AssignedRoles=["r"]))
        self.assertEqual(["r"], self.account()["AssignedRoles"])

    def test_older_row_does_not(self):
        self.load_well(graph_role("a@x"), now=day(2))
        self.load_well(log_analytics(on=1, AssignedRoles=["r"]))
        self.assertEqual(BOTH, self.account()["AssignedRoles"])

    def test_member_without_a_name_leaves_the_known_one(self):
        self.load_well(log_analytics())
        role = graph_role("a@x")
        role["members"][0]["displayName"] = None
        self.load_well(role)
        self.assertEqual("name of a@x", self.account()["AccountDisplayName"])


class Snapshots(RoleListTest):
    """A snapshot is the whole role list."""

    def _snapshot(self, *contents, **how):
        self.load_well(*contents, options=["--snapshot"], **how)

    def test_who_is_in_no_role_any_more_has_lost_them(self):
        self._snapshot(graph_answer(graph_role("a@x", "b@x")), now=day(1))
        self._snapshot(graph_answer(graph_role("b@x")), now=day(2))
        self.assertEqual({"a@x": "", "b@x": BOTH}, self.roles())

    def test_first_role_replaces_and_the_others_are_added(self):
        self.load_well(log_analytics(AssignedRoles=["gone"]))
        self._snapshot(graph_answer(
            graph_role("a@x"), graph_role("a@x", name="n", template="t")))
        self.assertEqual([*BOTH, "n", "t"], self.account()["AssignedRoles"])

    def test_roles_on_two_pages_are_added(self):
        paths = [self.file(graph_role("a@x")),
                 self.file(graph_role("a@x", name="n", template="t"))]
        done = self.load_file(*paths, options=["--snapshot"])
        self.assertEqual(0, done.status, done.words)
        self.assertEqual([*BOTH, "n", "t"], self.account()["AssignedRoles"])

    def test_who_comes_back_with_an_old_row_has_its_roles_again(self):
        row = log_analytics(AssignedRoles=["r"])
        self.load_well(row)
        self._snapshot(log_analytics("b@x"), now=day(2))
        self.assertEqual("", self.account()["AssignedRoles"])
        self._snapshot(row, log_analytics("b@x"), now=day(3))
        self.assertEqual(["r"], self.account()["AssignedRoles"])

    def test_row_that_says_nothing_of_roles_keeps_them(self):
        self.load_well(log_analytics(AssignedRoles=["r"]))
        self._snapshot(defender(on=2))
        self.assertEqual(["r"], self.account()["AssignedRoles"])

    def test_snapshot_that_is_cut_off_takes_no_roles(self):
        self.load_well(log_analytics(AssignedRoles=["r"]))
        done = self.load(log_analytics("b@x"), b'{"AccountUPN":"c@x',
                         options=["--snapshot"])
        self.assertEqual(1, done.status)
        self.assertEqual(["r"], self.account()["AssignedRoles"])
