"""A record that matched nothing alerts when the role list gains its account.

The record goes by without a tag. Then a role list's row, by omidentityinfo or
by `synctap identity import`, says that its target is a sync account; within
two seconds the alert comes to the ruleset, with `late: true` and under the
collector's own name. It comes once: not again with the role's next row, nor
with the record's next delivery. What waits is counted, outlives the end of the
daemon, however it ends, and meets a role list that changed meanwhile. Without
a ruleset there is nowhere to send a late alert to, and one line says so.
"""

import json
import time
import unittest

import ticks
from harness import Daemon, as_text
from records import (BOTH_MODULES, HEADER, ROLE_KEEPER, audit, identity, ids,
                     mmsynctap, numbered, target, text)

UPN = "svc.aad@nordwind.example"
OBJECT_ID = "0d0d0d0d-1111-4222-8333-444444444444"
SECONDS = 2.0  # from the change on; the watcher looks four times a second


def running(parameters='ruleset="alerts"', **more):
    """Make a daemon with both modules."""
    return Daemon(mmsynctap(parameters, **more), BOTH_MODULES,
                  roles=ROLE_KEEPER)


def give_role(daemon, upn=UPN, object_id=OBJECT_ID, age=0):
    """Let the account have the role, by omidentityinfo."""
    row = identity(upn, object_id)
    row["TimeGenerated"] = ticks.render(ticks.now() - age)
    daemon.send([as_text(row)], to="roles")


def import_role(daemon, upn=UPN):
    """Let the account have the role, by the command line."""
    path = daemon.write("ids.jsonl", json.dumps(identity(upn, OBJECT_ID)))
    daemon.synctap("identity", "import", "--database",
                   daemon.work.path / "synctap.db", path)


class LateTest(unittest.TestCase):
    """A test in which records wait."""

    def pass_by(self, daemon, *names, upn=UPN):
        """Send records that match nothing yet."""
        daemon.send([text(name, target(upn)) for name in names])
        self.assertEqual([{}] * len(names), [
            original.tree for original in daemon.originals(len(names))])

    def late_alert(self, daemon, name):
        """Wait for the late alert of that record."""
        message, = daemon.alerts(1)
        self.assertEqual((name, True), (message.json()["record_id"],
                                        message.json()["late"]))
        return message


class LateJoin(LateTest):
    """The role comes after the record."""

    def test_by_omidentityinfo_within_two_seconds(self):
        with running() as daemon:
            self.pass_by(daemon, "one")
            started = time.monotonic()
            give_role(daemon)
            self.late_alert(daemon, "one")
            self.assertLess(time.monotonic() - started, SECONDS)

    def test_by_import_within_two_seconds(self):
        with running() as daemon:
            self.pass_by(daemon, "one")
            import_role(daemon)
            started = time.monotonic()
            self.late_alert(daemon, "one")
            self.assertLess(time.monotonic() - started, SECONDS)

    def test_a_late_alert_is_what_the_contract_says(self):
        record = audit("one", target(UPN, OBJECT_ID))
        with running() as daemon:
            daemon.send([as_text(record)])
            daemon.originals(1)
            sent = ticks.render(ticks.now())
            give_role(daemon)
            message = self.late_alert(daemon, "one")
            own_name = daemon.said("start")[0].hostname
        alert = message.json()
        self.assertEqual({"synctap": {"status": "match", "count": 1,
                                      "alert": alert, "alerts": [alert]}},
                         message.tree)
        self.assertEqual((own_name, "authpriv", "alert", "synctap"),
                         (message.hostname, message.facility,
                          message.severity, message.program))
        self.assertEqual(
            (own_name, ["identity_upn", "identity_object_id"], True, "exact",
             record["time"], OBJECT_ID, "temporary_access_pass"),
            tuple(alert[name] for name in (
                "collector", "matched_by", "kql", "confidence",
                "time_generated", "target_id", "method")))
        self.assertEqual((True, 1, alert["alert_id"]), tuple(
            alert["incident"][name]
            for name in ("new", "alert_count", "first_alert")))
        self.assertLess(sent, alert["detected_at"])

    def test_a_record_in_a_tree_waits_too(self):
        modules = BOTH_MODULES + '\nmodule(load="mmjsonparse")'
        parse = 'action(type="mmjsonparse" cookie="" container="$.in")\n'
        judge = mmsynctap('ruleset="alerts" property="$.in"')
        with Daemon(parse + judge, modules, roles=ROLE_KEEPER) as daemon:
            daemon.send([HEADER + "a: " + text("one", target(UPN))])
            self.assertEqual({}, daemon.originals(1)[0].tree)
            give_role(daemon)
            self.late_alert(daemon, "one")

    def test_a_record_of_half_a_megabyte_waits_too(self):
        record = audit("one", dict(target(UPN), displayName="x" * 500_000))
        with running() as daemon:
            daemon.send([as_text(record)])
            self.assertEqual({}, daemon.originals(1)[0].tree)
            give_role(daemon)
            self.late_alert(daemon, "one")

    def test_only_the_records_of_that_account_alert(self):
        with running() as daemon:
            self.pass_by(daemon, "other", upn="other.aad@nordwind.example")
            self.pass_by(daemon, "one")
            daemon.wait_statistics("tap", pending=2)
            give_role(daemon)
            self.late_alert(daemon, "one")
            daemon.wait_statistics("tap", pending=1, late_alerts=1, alerts=1)

    def test_a_target_waits_while_another_of_its_record_has_alerted(self):
        with running() as daemon:
            daemon.send([text("one", target("Sync_x@nordwind.example"),
                              target(UPN))])
            daemon.originals(1)
            self.assertFalse(daemon.alerts(1)[0].json()["late"])
            give_role(daemon)
            alert = self.late_alert(daemon, "one").json()
            self.assertEqual((UPN, 2), (alert["target_upn"],
                                        alert["incident"]["alert_count"]))

    def test_a_record_that_goes_on_waiting_stands_in_nobodys_way(self):
        """It is read for one account, and waits for the other one still."""
        other = "other.aad@nordwind.example"
        with running() as daemon:
            daemon.send([text("one", target(UPN), target(other))])
            daemon.originals(1)
            give_role(daemon)
            self.assertEqual(UPN, self.late_alert(
                daemon, "one").json()["target_upn"])
            daemon.wait_statistics("tap", pending=1)
            give_role(daemon, other, "other id")
            self.assertEqual(other, self.late_alert(
                daemon, "one").json()["target_upn"])
            daemon.wait_statistics("tap", pending=0, state_errors=0)

    def test_a_record_that_comes_again_is_a_duplicate(self):
        record = text("one", target(UPN))
        with running() as daemon:
            daemon.send([record])
            daemon.originals(1)
            give_role(daemon)
            late = self.late_alert(daemon, "one").json()
            daemon.send([record])
            tag = daemon.originals(1)[0].tree["synctap"]
            self.assertEqual(("duplicate", 1, late["alert_id"]), (
                tag["status"], tag["count"], tag["alert"]["alert_id"]))
            daemon.wait_statistics("tap", duplicates=1, alerts=1,
                                   late_alerts=1, matched=0)

    def test_a_role_that_comes_again_alerts_no_second_time(self):
        with running() as daemon:
            self.pass_by(daemon, "one")
            give_role(daemon, age=ticks.MINUTE)
            self.late_alert(daemon, "one")
            give_role(daemon)
            self.pass_by(daemon, "two", upn="other.aad@nordwind.example")
            give_role(daemon, "other.aad@nordwind.example", "other id")
            self.late_alert(daemon, "two")

    def test_a_role_that_came_and_went_between_two_looks_counts(self):
        """There was an instant at which the query would have found it."""
        with running() as daemon:
            self.pass_by(daemon, "one")
            gone = identity(UPN, OBJECT_ID, roles=())
            given = dict(identity(UPN, OBJECT_ID),
                         TimeGenerated=ticks.render(
                             ticks.parse(gone["TimeGenerated"]) - 1))
            daemon.send([as_text(given), as_text(gone)], to="roles")
            self.late_alert(daemon, "one")
            self.pass_by(daemon, "two")
            daemon.wait_statistics("tap", sync_accounts=0, pending=1)

    def test_a_role_that_was_lost_before_counts_for_nothing(self):
        with running() as daemon:
            give_role(daemon, age=ticks.MINUTE)
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.send([as_text(identity(UPN, OBJECT_ID, roles=()))],
                        to="roles")
            daemon.wait_statistics("tap", sync_accounts=0)
            self.pass_by(daemon, "one")
            self.pass_by(daemon, "two", upn="other.aad@nordwind.example")
            give_role(daemon, "other.aad@nordwind.example", "other id")
            self.late_alert(daemon, "two")
            daemon.wait_statistics("tap", pending=1, alerts=1)

    def test_a_stale_record_does_not_wait(self):
        old = dict(audit("old", target(UPN)),
                   time=ticks.render(ticks.now() - 25 * ticks.HOUR))
        with running() as daemon:
            daemon.send([as_text(old)])
            daemon.originals(1)
            self.pass_by(daemon, "one")
            give_role(daemon)
            self.late_alert(daemon, "one")
            daemon.wait_statistics("tap", stale=1, pending=0, late_alerts=1)


class NotLate(LateTest):
    """Late join is off, or cannot be."""

    def _nothing_comes(self, daemon):
        """The role list is taken in, and nothing comes of what waited."""
        self.pass_by(daemon, "one")
        give_role(daemon)
        daemon.until_tagged(numbered(target(UPN)), 60)
        daemon.wait_statistics("tap", pending=0, late_alerts=0)

    def test_without_a_ruleset_one_line_says_that_it_is_off(self):
        with running("") as daemon:
            self._nothing_comes(daemon)
            self.assertEqual(1, len(daemon.said("latejoin")))
            self.assertIn("ruleset", daemon.said("latejoin")[0].text)

    def test_it_can_be_switched_off_without_a_word(self):
        for parameters in ('latejoin="off"',
                           'latejoin="off" ruleset="alerts"'):
            with self.subTest(parameters=parameters), \
                    running(parameters) as daemon:
                self._nothing_comes(daemon)
                self.assertEqual([], daemon.said("latejoin"))
                for alert in daemon.stop().alerts:
                    self.assertFalse(alert.json()["late"])


class Ends(LateTest):
    """What waits outlives the daemon."""

    def test_what_waits_outlives_an_orderly_end(self):
        with running() as daemon:
            self.pass_by(daemon, "one", "two")
            daemon.wait_statistics("tap", pending=2)
            daemon.end()
            daemon.start()
            daemon.wait_statistics("tap", pending=2)
            give_role(daemon)
            self.assertEqual(["one", "two"], ids(daemon.alerts(2)))

    def test_what_waits_outlives_a_kill(self):
        with running() as daemon:
            self.pass_by(daemon, "one", "two")
            daemon.restart()
            give_role(daemon)
            self.assertEqual(["one", "two"], ids(daemon.alerts(2)))

    def test_a_role_list_that_changed_meanwhile_counts_at_the_start(self):
        with running() as daemon:
            self.pass_by(daemon, "one")
            daemon.end()
            import_role(daemon)
            daemon.start()
            self.late_alert(daemon, "one")

    def test_what_has_alerted_late_does_not_after_a_restart(self):
        with running() as daemon:
            self.pass_by(daemon, "one")
            give_role(daemon)
            self.late_alert(daemon, "one")
            daemon.end()
            daemon.start()
            daemon.send([text("one", target(UPN))])
            original, = daemon.originals(1)
            self.assertEqual("duplicate", original.tree["synctap"]["status"])
