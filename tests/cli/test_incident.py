"""`synctap incident`: the list, one incident as text, and closing.

What it shows of a running collector's is a scenario of tests/rsyslogd; how
the page looks is tests/page.
"""

import json
import re

import plain
import ticks
from command import objects, on_terminal, synctap
from incidents import (DAY, HOUR, MINUTE, NOW, TARGET_ID, TENANT, Incidents,
                       alert, incident_id, role_row)
from role_lists import RoleListTest, log_analytics

ID = "00000000-0000-5000-8000-000000000000"


class NoIncidents(RoleListTest):
    """A database that has never seen an alert."""

    def setUp(self):
        super().setUp()
        self.load_well(log_analytics())

    def _incident(self, *arguments):
        return synctap("incident", *arguments, "--database", self.database)

    def test_the_list_is_empty(self):
        for options in ((), ("--all",), ("--format", "jsonl")):
            with self.subTest(options=options):
                self.assertEqual((0, "", ""), self._incident(
                    "list", *options))

    def test_an_unknown_id_cannot_be_shown_or_closed(self):
        for what in ("show", "close"):
            for one in (ID, "no id", ""):
                with self.subTest(what=what, one=one):
                    done = self._incident(what, one)
                    self.assertEqual((1, ""), (done.status, done.output))
                    self.assertIn(one, done.words)
                    self.assertNotEqual("", done.words)

    def test_reading_changes_nothing(self):
        before = self.database.read_bytes()
        self._incident("list", "--all")
        self._incident("show", ID)
        self.assertEqual(before, self.database.read_bytes())


class NoDatabase(RoleListTest):
    """A database that is none."""

    def test_one_that_is_not_there_is_an_error_and_not_made(self):
        for words in (("list",), ("show", ID), ("close", ID)):
            with self.subTest(words=words):
                done = synctap("incident", *words, "--database",
                               self.database)
                self.assertEqual((1, ""), (done.status, done.output))
                self.assertIn(str(self.database), done.words)
                self.assertFalse(self.database.exists())

    def test_another_file_is_an_error_and_stays_as_it_was(self):
        self.database.write_bytes(b"this is no database, it is a text\n" * 99)
        before = self.database.read_bytes()
        for words in (("list",), ("show", ID), ("close", ID)):
            with self.subTest(words=words):
                done = synctap("incident", *words, "--database",
                               self.database)
                self.assertEqual((1, ""), (done.status, done.output))
                self.assertIn(str(self.database), done.words)
                self.assertEqual(before, self.database.read_bytes())


class IncidentTest(RoleListTest):
    """A test with incidents in its database."""

    def setUp(self):
        super().setUp()
        self.incidents = Incidents(self.database)

    def done(self, *words, **how):
        """Run synctap incident; it must have nothing to complain of."""
        done = self.incidents.synctap(*words, **how)
        self.assertEqual((0, ""), (done.status, done.words))
        return done.output

    def rows(self, *words, **how):
        """Give the lines of a table below its head, split into cells."""
        lines = self.done(*words, "--format", "table", **how).splitlines()
        return [re.split(r"  +", line) for line in lines[1:]]


class List(IncidentTest):
    """What a person sees of many incidents."""

    def test_who_what_target_when_and_late(self):
        self.incidents.put(1, alert(1, actor="eve@x"))
        self.assertEqual(
            [["00000001", "2026-06-01 12:00", "eve@x",
              plain.OPERATION, plain.SYNC_UPN, "1", "no"]],
            self.rows("list"))

    def test_of_several_the_first_and_how_many_more(self):
        self.incidents.put(1, alert(1, actor="eve@x"),
                           alert(2, at=MINUTE, actor="bob@x", late=True),
                           alert(3, at=2 * MINUTE, actor="", actor_id="an id",
                                 target_upn="", target_id="another"))
        row, = self.rows("list")
        self.assertEqual("eve@x and 2 more", row[2])
        self.assertEqual(f"{plain.SYNC_UPN} and 1 …", row[4])
        self.assertEqual(["3", "1 of 3"], row[5:])

    def test_all_late_is_a_yes(self):
        self.incidents.put(1, alert(1, late=True))
        self.assertEqual("yes", self.rows("list")[0][6])

    def test_ids_are_as_short_as_they_may(self):
        self.incidents.put(0x10, alert(1))
        self.incidents.put(0x10, alert(2), middle="0001")
        self.incidents.put(0x20000000, alert(3))
        self.assertEqual(
            {"00000010-0000", "00000010-0001", "20000000"},
            {row[0] for row in self.rows("list")})

    def test_closed_ones_say_when(self):
        self.incidents.put(1, alert(1), closed=NOW + HOUR)
        self.assertEqual([], self.rows("list"))
        self.assertEqual("2026-06-01 13:00", self.rows("list", "--all")[0][8])

    def test_a_narrow_terminal_keeps_ids_and_times_whole(self):
        self.incidents.put(1, alert(1, actor="eve.of.the.long.name@x",
                                    late=True))
        lines = on_terminal(80, "incident", "list", "--database",
                            self.database, "--now", ticks.render(NOW + HOUR))
        self.assertLessEqual(max(map(len, lines)), 80)
        row = re.split(r"  +", lines[1])
        self.assertEqual(("00000001", "2026-06-01 12:00", ["1", "yes"]),
                         (row[0], row[1], row[5:]))
        for cell, whole in zip(row[2:5], (
                "eve.of.the.long.name@x", plain.OPERATION, plain.SYNC_UPN)):
            self.assertRegex(cell, r".{7,}…")
            self.assertTrue(whole.startswith(cell[:-1]))

    def test_a_script_gets_all_of_it(self):
        whole = self.incidents.put(
            1, alert(1, actor="eve@x", source_ip="192.0.2.1"),
            alert(2, at=1, actor="bob@x", source_ip="", late=True,
                  confidence="degraded"), repeats={2: 3})
        one, = objects(self.done("list", "--format", "jsonl"))
        self.assertEqual(
            {"incident_id": whole, "tenant_id": TENANT, "alert_count": 2,
             "actors": ["eve@x", "bob@x"], "operations": [plain.OPERATION],
             "targets": [plain.SYNC_UPN], "sources": ["192.0.2.1"],
             "late": 1, "degraded": 1, "repeats": 3, "closed_at": None,
             "closed_by": "", "closed_reason": "", "action": "synctap"},
            {name: one[name] for name in (
                "incident_id", "tenant_id", "alert_count", "actors",
                "operations", "targets", "sources", "late", "degraded",
                "repeats", "closed_at", "closed_by", "closed_reason",
                "action")})


class Ids(IncidentTest):
    """An id may be abbreviated where that is not ambiguous."""

    def test_the_beginning_is_enough_in_any_case(self):
        whole = self.incidents.put(0xABCDEF01, alert(1))
        for given in (whole, whole[:4], whole[:9].upper()):
            with self.subTest(given=given):
                one, = objects(self.done("show", given, "--format", "json"))
                self.assertEqual(whole, one["incident_id"])

    def test_a_beginning_of_several_names_them(self):
        both = [self.incidents.put(n, alert(n)) for n in (1, 2)]
        for verb in ("show", "close"):
            done = self.incidents.synctap(verb, "0000")
            self.assertEqual((1, ""), (done.status, done.output))
            for one in both:
                self.assertIn(one, done.words)

    def test_less_than_four_characters_are_too_few(self):
        self.incidents.put(1, alert(1))
        done = self.incidents.synctap("close", "000")
        self.assertEqual((1, ""), (done.status, done.output))
        self.assertIn("at least 4", done.words)

    def test_nothing_in_an_id_is_a_pattern(self):
        self.incidents.put(1, alert(1))
        for given in ("0000%", "____", "0000*", "[0]000"):
            with self.subTest(given=given):
                self.assertEqual(
                    1, self.incidents.synctap("show", given).status)

    def test_one_id_of_two_actions_is_one_incident(self):
        for action in ("one", "two"):
            whole = self.incidents.put(1, alert(1), action=action)
        self.assertEqual(["one", "two"], [one["action"] for one in objects(
            self.done("show", whole[:8], "--format", "json"))])
        self.assertIn("came 1 more time", self.done(
            "show", whole[:8], "--format", "table"))


class Close(IncidentTest):
    """Closing says when, why and by whom."""

    def test_what_was_said_is_shown(self):
        whole = self.incidents.put(1, alert(1))
        self.assertEqual(f"{whole} closed\n", self.done(
            "close", whole[:8], "--reason", "it was\x1b[2J us", "--by", "eve"))
        one, = objects(self.done("list", "--all", "--format", "jsonl"))
        self.assertEqual(
            ("closed", ticks.render(NOW + 10 * MINUTE), "eve",
             "it was\x1b[2J us"),
            (one["status"], one["closed_at"], one["closed_by"],
             one["closed_reason"]))
        self.assertIn("closed 2026-06-01 12:10:00 UTC by eve: it was\\u001b[2J"
                      " us\n", self.done("show", whole, "--format", "table"))

    def test_what_was_closed_stays_as_it_was(self):
        whole = self.incidents.put(1, alert(1), closed=NOW + 1)
        self.assertEqual(f"{whole} was closed already\n", self.done(
            "close", whole, "--by", "bob"))
        one, = objects(self.done("list", "--all", "--format", "jsonl"))
        self.assertEqual((ticks.render(NOW + 1), ""),
                         (one["closed_at"], one["closed_by"]))


class Show(IncidentTest):
    """One incident as text."""

    def test_the_head_says_who_did_what_and_until_when_it_is_valid(self):
        whole = self.incidents.put(1, alert(1, actor="eve@x"))
        self.assertEqual(
            [f"eve@x: {plain.OPERATION} on {plain.SYNC_UPN}",
             "Temporary Access Pass, valid until 2026-06-01 13:00:00 UTC, "
             "once",
             f"incident {whole}: open, opened 2026-06-01 12:00:02 UTC, "
             "1 alert"],
            self.done("show", whole, "--format", "table").splitlines()[:3])

    def test_alerts_stand_in_the_order_of_the_events(self):
        whole = self.incidents.put(
            1, alert(2, at=MINUTE),
            alert(1, at=0, after=2 * HOUR, late=True))
        lines = self.done("show", whole, "--format", "table").splitlines()
        self.assertEqual(
            [["2026-06-01 12:00:00", "2 h"], ["2026-06-01 12:01:00", "2 s"]],
            [re.split("  +", line)[:2] for line in lines[5:]])

    def test_an_alert_that_cannot_be_read_is_told(self):
        whole = self.incidents.put(1, alert(1), alert(2))
        self.incidents.run("UPDATE incident_alert SET alert = '{' "
                           "WHERE place = 2")
        self.assertIn("1 alert of it cannot be read any more", self.done(
            "show", whole, "--format", "table"))
        self.assertIn("1 alerts of it cannot be read", self.done(
            "show", whole, "--format", "html"))

    def test_an_incident_without_alerts_is_shown_in_each_format(self):
        whole = self.incidents.put(1)
        for form in ("table", "json", "jsonl", "html", "md"):
            with self.subTest(format=form):
                self.assertIn(whole, self.done("show", whole, "--format",
                                               form))

    def test_its_alerts_in_a_dialect_are_lines(self):
        whole = self.incidents.put(1, alert(2, at=1), alert(1))
        lines = self.done("show", whole, "--format", "cef").splitlines()
        self.assertEqual(
            [alert(n)["alert_id"] for n in (1, 2)],
            [re.search(r"externalId=(\S+)", line)[1] for line in lines])

    def test_an_alert_of_another_rule_is_shown_as_that(self):
        whole = self.incidents.put(1, alert(
            1, rule_id="another", rule_name="Password changed", method="",
            severity="Low", display_name="A password was changed",
            matched_by=['TargetUpn startswith "Sync_"'],
            tap=dict.fromkeys(("id", "start", "end", "usage"), "")))
        for form in ("table", "html", "md"):
            text = self.done("show", whole, "--format", form)
            self.assertIn("A password was changed", text)
            self.assertNotIn("Temporary Access Pass", text.partition("{")[0])
        self.assertIn("This term of the rule's query holds. "
                      '(`TargetUpn startswith "Sync_"`)', text)
        self.assertNotIn("Take back what was registered", text)
        one, = objects(self.done("list", "--format", "jsonl"))
        self.assertEqual("Password changed", one["title"])

    def test_an_older_alert_without_some_members_is_shown(self):
        whole = self.incidents.put(1, alert(1))
        self.incidents.run("UPDATE incident_alert SET alert = ?", json.dumps(
            {"alert_id": alert(1)["alert_id"], "operation_name": "An old one",
             "time_generated": ticks.render(NOW), "tap": None}))
        for form in ("table", "html", "md"):
            text = self.done("show", whole, "--format", form)
            self.assertIn("An old one", text)
            self.assertIn("unknown", text)


class Roles(IncidentTest):
    """What the role list says of the target, then and now."""

    def _roles(self, now=None):
        text = self.done("show", incident_id(1), "--format", "md", now=now)
        return re.search(r"at the event `(.*)`, now `(.*)`\n", text).groups()

    def _load(self, *roles, days_ago):
        self.incidents.load(role_row("svc@x", days_ago, *roles,
                                     object_id=TARGET_ID))

    def test_a_target_that_is_not_in_the_list(self):
        self.incidents.put(1, alert(1))
        self.assertEqual(("not in the role list", "not in the role list"),
                         self._roles())

    def test_roles_that_did_not_change(self):
        self._load(plain.ROLE, days_ago=2)
        self.incidents.put(1, alert(1))
        self.assertEqual((f"{plain.ROLE} (a sync account)",) * 2,
                         self._roles())

    def test_a_role_that_was_lost_since(self):
        self._load(plain.ROLE, days_ago=2)
        self._load(days_ago=1)
        self.incidents.run("UPDATE identity_superseded SET superseded = ?",
                           NOW + MINUTE)
        self.incidents.put(1, alert(1))
        self.assertEqual((f"{plain.ROLE} (a sync account)",
                          "no role (no sync account by that)"), self._roles())

    def test_a_role_that_was_lost_before(self):
        self._load(plain.ROLE, days_ago=2)
        self._load(days_ago=1)
        self.incidents.run("UPDATE identity_superseded SET superseded = ?",
                           NOW - MINUTE)
        self.incidents.put(1, alert(1))
        self.assertEqual(("no role (no sync account by that)",) * 2,
                         self._roles())

    def test_a_day_later_nobody_knows_for_sure(self):
        self._load(plain.ROLE, days_ago=2)
        self.incidents.put(1, alert(1))
        self.assertEqual(
            f"{plain.ROLE} (a sync account) (as far as is known: changes are "
            "kept for a day)", self._roles(ticks.render(NOW + DAY))[0])

    def test_names_are_found_in_any_case(self):
        self.incidents.load(role_row("SVC@X", 2, plain.ROLE))
        self.incidents.put(1, alert(1, target_upn="svc@x", target_id=""))
        self.assertEqual((f"{plain.ROLE} (a sync account)",) * 2,
                         self._roles())


class Usage(RoleListTest):
    """Wrong usage is told, with exit status 2."""

    def test_wrong_words(self):
        for words in ((), ("open",), ("show",), ("close",),
                      ("show", ID, ID), ("list", ID),
                      ("list", "--format", "xml"), ("list", "--unknown"),
                      ("list", "--now", "soon"), ("list", "--format", "html"),
                      ("list", "--format", "md"), ("list", "--format", "cef"), ("show", ID, "--by", "eve"),
                      ("list", "--reason", "none")):
            with self.subTest(words=words):
                done = synctap("incident", *words)
                self.assertEqual((2, ""), (done.status, done.output))
                self.assertNotEqual("", done.words)

    def test_help(self):
        for words in (("--help",), ("list", "--help")):
            with self.subTest(words=words):
                done = synctap("incident", *words)
                self.assertEqual((0, ""), (done.status, done.words))
                for word in ("list", "show", "close"):
                    self.assertIn(word, done.output)
