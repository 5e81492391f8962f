"""Alerts come in incidents, which the command line lists, shows and closes.

All of it while the daemon runs. A closed incident is not reopened: the next
alert opens another, at the latest one that comes a second after the closing.
Incidents outlive the daemon.
"""

import itertools
import json
import time
import unittest

import deadline
from harness import Daemon
from records import MODULE, TENANT_ID, mmsynctap, target, text

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
OTHER = target("Sync_HOST2_0123456789ab@nordwind.example")
SECOND = 1.0

KEYS = """incident_id action status tenant_id key opened_at last_alert_at
alert_count first_alert title closed_at closed_by closed_reason actors
operations targets sources late degraded repeats""".split()


def running(parameters=""):
    """Make a daemon whose alerts are rerouted."""
    return Daemon(mmsynctap('ruleset="alerts" ' + parameters), MODULE)


def alert(daemon, name, *targets):
    """Send a record that matches; give its alert."""
    daemon.send([text(name, *(targets or [SYNC]))])
    daemon.originals(1)
    return daemon.alerts(1)[0].json()


def incident(daemon, *words, statuses=(0,)):
    """Run synctap incident beside the daemon."""
    return daemon.synctap("incident", *words, "--database",
                          daemon.work.path / "synctap.db", statuses=statuses)


def listed(daemon, *options):
    """Give the incidents that are listed."""
    text_of_list = incident(daemon, "list", "--format", "jsonl", *options)
    return [json.loads(line) for line in text_of_list.splitlines()]


def when_listed(daemon, *options, count, alerts):
    """Give the list as soon as it has so many incidents and alerts.

    The daemon writes to the database a little after it has alerted. It is
    asked again with each second's statistics.
    """
    found = []

    def is_there():
        found[:] = listed(daemon, *options)
        return len(found) == count and alerts == sum(
            one["alert_count"] for one in found)

    if not daemon.collector.wait(is_there, deadline.SECONDS):
        raise AssertionError(f"not {count} with {alerts} alerts: {found}")
    return found


class Incidents(unittest.TestCase):
    """One daemon, and synctap beside it."""

    def test_alerts_of_a_day_are_one_incident(self):
        with running() as daemon:
            first, second = alert(daemon, "one"), alert(daemon, "two", OTHER)
            daemon.wait_statistics("tap", open_incidents=1)
        self.assertEqual((True, 1, first["alert_id"]), tuple(
            first["incident"][name]
            for name in ("new", "alert_count", "first_alert")))
        self.assertEqual(dict(first["incident"], new=False, alert_count=2),
                         second["incident"])

    def test_the_list_tells_of_it(self):
        with running() as daemon:
            first, second = alert(daemon, "one"), alert(daemon, "two")
            one, = when_listed(daemon, count=1, alerts=2)
        self.assertEqual(KEYS, list(one))
        self.assertEqual(
            {"incident_id": first["incident"]["id"], "action": "tap",
             "status": "open", "tenant_id": TENANT_ID, "alert_count": 2,
             "first_alert": first["alert_id"],
             "opened_at": first["detected_at"],
             "last_alert_at": second["detected_at"], "closed_at": None,
             "actors": [first["actor"]], "targets": [first["target_upn"]],
             "late": 0, "degraded": 0, "repeats": 0},
            {name: one[name] for name in (
                "incident_id", "action", "status", "tenant_id", "alert_count",
                "first_alert", "opened_at", "last_alert_at", "closed_at",
                "actors", "targets", "late", "degraded", "repeats")})

    def test_it_can_be_shown_with_its_alerts(self):
        with running() as daemon:
            first, second = alert(daemon, "one"), alert(daemon, "two")
            one, = when_listed(daemon, count=1, alerts=2)
            shown = json.loads(incident(daemon, "show", one["incident_id"],
                                        "--format", "jsonl"))
        self.assertEqual([first, second], shown.pop("alerts"))
        self.assertEqual(one, shown)

    def test_a_closed_one_is_not_reopened(self):
        with running() as daemon:
            first = alert(daemon, "one")["incident"]
            when_listed(daemon, count=1, alerts=1)
            self.assertIn(first["id"], incident(daemon, "close", first["id"]))
            self.assertEqual([], listed(daemon))
            self.assertEqual(["closed"], [one["status"] for one in
                                          listed(daemon, "--all")])
            alerts, second = self._until_another(daemon, first)
            self.assertEqual((True, 1), (second["new"],
                                         second["alert_count"]))
            when_listed(daemon, "--all", count=2, alerts=1 + alerts)
            self.assertEqual([second["id"]], [one["incident_id"]
                                              for one in listed(daemon)])
            daemon.wait_statistics("tap", open_incidents=1)

    def _until_another(self, daemon, closed):
        """Make alerts until one is in another incident; give their number.

        The daemon looks at the database four times a second.
        """
        started = time.monotonic()
        for number in itertools.count(1):
            sent = time.monotonic() - started
            found = alert(daemon, f"after {number}")["incident"]
            if found["id"] != closed["id"]:
                return number, found
            self.assertLess(sent, SECOND)

    def test_to_close_it_twice_does_no_harm(self):
        with running() as daemon:
            first = alert(daemon, "one")["incident"]
            when_listed(daemon, count=1, alerts=1)
            incident(daemon, "close", first["id"])
            incident(daemon, "close", first["id"], statuses=(0, 1))
            self.assertEqual(["closed"], [one["status"] for one in
                                          listed(daemon, "--all")])

    def test_an_unknown_one_cannot_be_closed(self):
        with running() as daemon:
            alert(daemon, "one")
            for what in ("show", "close"):
                self.assertEqual("", incident(daemon, what, "unknown",
                                              statuses=(1,)))

    def test_each_target_has_its_own_where_that_is_selected(self):
        with running('incident.matching="Selected"') as daemon:
            first, second, third = (alert(daemon, *one)["incident"] for one in
                                    (("a",), ("b", OTHER), ("c",)))
            daemon.wait_statistics("tap", open_incidents=2)
        self.assertEqual([True, True, False], [
            one["new"] for one in (first, second, third)])
        self.assertEqual(first["id"], third["id"])

    def test_a_full_one_is_followed_by_another(self):
        with running('incident.maxalerts="2"') as daemon:
            found = [alert(daemon, name)["incident"] for name in "abc"]
        self.assertEqual([(True, 1), (False, 2), (True, 1)], [
            (one["new"], one["alert_count"]) for one in found])

    def test_without_a_window_there_are_none(self):
        with running('incident.window="0"') as daemon:
            self.assertIsNone(alert(daemon, "one")["incident"])
            daemon.wait_statistics("tap", open_incidents=0, alerts=1)
            self.assertEqual([], listed(daemon, "--all"))

    def test_it_outlives_the_daemon(self):
        for end in ("end", "kill"):
            with self.subTest(end=end), running() as daemon:
                first = alert(daemon, "one")["incident"]
                when_listed(daemon, count=1, alerts=1)
                getattr(daemon, end)()
                daemon.start()
                second = alert(daemon, "two")["incident"]
                self.assertEqual(dict(first, new=False, alert_count=2),
                                 second)

    def test_one_that_was_closed_meanwhile_stays_closed(self):
        with running() as daemon:
            first = alert(daemon, "one")["incident"]
            daemon.end()
            incident(daemon, "close", first["id"])
            daemon.start()
            second = alert(daemon, "two")["incident"]
            self.assertEqual((True, 1), (second["new"],
                                         second["alert_count"]))
