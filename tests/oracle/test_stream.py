"""The model of a stream is held against the law that it stands for.

The law speaks of every instant; the model tries the arrivals only. Here small
timelines are tried at every instant at which anything could change, with the
query as a whole, and must give the same rows. Beside that, each rule has an
example of its own, and the random timelines must hold the cases for whose sake
they exist.
"""

import collections
import json
import unittest

import plain
import rule
import stream
import test_tenant
import ticks
import timeline
import wide
from stream import Event, Settings
from ticks import DAY, HOUR, MINUTE

NOW = plain.NOW
UPN = "svc.aad@nordwind.example"
ORACLES = {"kql": rule, "wide": wide}


def instants(events, at):
    """Give all instants from one arrival to the next at which time alone
    changes something, and those a tick before and after."""
    start = events[at].clock
    end = events[at + 1].clock if at + 1 < len(events) else start + 20 * DAY
    edges = {start, end - 1}
    for event in events[:at + 1]:
        row, span = (event.audit, DAY) if event.audit \
            else (event.identity, 14 * DAY)
        generated = row["TimeGenerated"]
        generated = event.clock if generated is None else generated
        edges |= {generated + span + step for step in (-1, 0, 1)}
    return sorted(edge for edge in edges
                  if edge == start or start < edge < end)


def by_the_law(made):
    """Give, for each row that ever shows, the arrival by which it does."""
    events, oracle, found = made.events(), ORACLES[made.semantics], {}
    arrived, identities = [], list(made.initial)
    for number, event in enumerate(events):
        if event.audit is None:
            identities.append(event.identity)
        else:
            arrived.append(event._replace(audit=dict(
                event.audit, TimeGenerated=rule.generated_at(
                    event.audit, event.clock))))
        for now in instants(events, number):
            for record in arrived:
                for row in oracle.evaluate([record.audit], identities, now):
                    found.setdefault(stream.alert_id(
                        row, record.tenant_id, record.content), number)
    return found


def by_the_model(made):
    """Give the same as the model has it."""
    model = stream.Stream(Settings(made.semantics), made.initial)
    return {alert["alert_id"]: number
            for number, event in enumerate(made.events())
            for alert in model.feed(event)}


class Law(unittest.TestCase):
    """Arrivals are all the instants that need trying."""

    def test_no_instant_between_arrivals_adds_a_row(self):
        late = 0
        for seed in range(8):
            made = timeline.random_timeline(
                seed, ("kql", "wide")[seed % 2],
                ("received", "stamped", "either")[seed % 3], size=0.2)
            with self.subTest(seed=seed):
                expected = by_the_law(made)
                self.assertEqual(expected, by_the_model(made))
                late += len(expected)
        self.assertGreater(late, 20)


def audit(after, *targets, arrived=None, **columns):
    """Let a record be generated so long after NOW, and arrive at once."""
    row = plain.row(*(targets or [plain.target(UPN)]),
                    TimeGenerated=NOW + after, **columns)
    return Event(NOW + (after if arrived is None else arrived), audit=row,
                 tenant_id="a tenant")


def role(after, *roles, arrived=None, upn=UPN, object_id="id"):
    """Let a row of the role list be generated and arrive."""
    row = dict(plain.identity(upn, object_id, roles),
               TimeGenerated=NOW + after)
    return Event(NOW + (after if arrived is None else arrived), identity=row)


def fired(*events, **settings):
    """Give (record id, late, minutes after NOW) of each alert."""
    return [(alert["record_id"], alert["late"],
             (ticks.parse(alert["detected_at"]) - NOW) / MINUTE)
            for alert in stream.alerts(events, Settings(**settings))]


class Examples(unittest.TestCase):
    """One rule of the law each."""

    def test_an_account_of_the_role_list_alerts_at_once(self):
        self.assertEqual([("Directory_1", False, 5)], fired(
            role(0, plain.ROLE), audit(5 * MINUTE)))

    def test_a_role_that_comes_later_alerts_late(self):
        self.assertEqual([("Directory_1", True, 60)], fired(
            audit(0), role(HOUR, plain.ROLE)))

    def test_without_late_join_it_does_not(self):
        self.assertEqual([], fired(audit(0), role(HOUR, plain.ROLE),
                                   latejoin=False))

    def test_a_record_waits_for_the_lookback_and_no_tick_longer(self):
        self.assertEqual([], fired(audit(0), role(DAY, plain.ROLE)))
        self.assertEqual([("Directory_1", True, 24 * 60 - 1 / 600_000_000)],
                         fired(audit(0), role(DAY - 1, plain.ROLE)))

    def test_a_role_row_that_arrives_late_counts_if_none_is_newer(self):
        have = role(-HOUR, plain.ROLE, arrived=HOUR)
        self.assertEqual(1, len(fired(audit(0), have)))
        self.assertEqual(0, len(fired(audit(0), role(0), have)))

    def test_a_role_lost_before_the_record_came_counts_for_nothing(self):
        self.assertEqual([], fired(role(-HOUR, plain.ROLE), role(-MINUTE),
                                   audit(0)))

    def test_a_role_row_of_fourteen_days_counts_for_nothing(self):
        self.assertEqual([], fired(
            role(-14 * DAY, plain.ROLE, arrived=0), audit(0)))
        self.assertEqual(1, len(fired(
            role(1 - 14 * DAY, plain.ROLE, arrived=0), audit(0))))

    def test_a_repeat_is_a_duplicate(self):
        model = stream.Stream()
        found = [model.feed(event) for event in (
            audit(0), audit(0, arrived=HOUR), role(2 * HOUR, plain.ROLE),
            audit(0, arrived=3 * HOUR))]
        self.assertEqual([0, 0, 1, 0], list(map(len, found)))
        self.assertEqual(1, model.duplicates)

    def test_each_target_of_a_record_has_a_time_of_its_own(self):
        both = audit(0, plain.target(UPN), plain.target())
        self.assertEqual(
            [("Directory_1", False, 0), ("Directory_1", True, 60)],
            fired(both, role(HOUR, plain.ROLE)))

    def test_an_account_may_have_a_new_object_id(self):
        renamed = audit(0, plain.target("other@x.example", "new"))
        self.assertEqual([("Directory_1", True, 60)], fired(
            role(-HOUR, plain.ROLE, object_id="old"), renamed,
            role(HOUR, plain.ROLE, object_id="new")))

    def test_a_record_without_a_time_is_of_its_arrival(self):
        timeless = audit(0)._replace(audit=plain.row(
            plain.target(UPN), TimeGenerated=None), clock=NOW + HOUR)
        self.assertEqual(1, len(fired(timeless, role(
            HOUR + DAY - 1, plain.ROLE))))
        self.assertEqual(0, len(fired(timeless, role(
            HOUR + DAY, plain.ROLE))))

    def test_an_alert_id_has_not_changed(self):
        one, = stream.alerts([audit(0, plain.target())])
        self.assertEqual("6facb2d1-4bef-5a11-9099-8eded519efa1",
                         one["alert_id"])


def incidents(*events, **settings):
    """Give (number of the incident, its count) of each alert."""
    known = {}
    made = [alert["incident"]
            for alert in stream.alerts(events, Settings(**settings))]
    return [(known.setdefault(one["id"], len(known)), one["alert_count"])
            for one in made]


def named(number, after=0, upn=plain.SYNC_UPN, tenant_id="a tenant"):
    """Give a record that alerts at once."""
    return audit(after, plain.target(upn), Id=f"record {number}")._replace(
        tenant_id=tenant_id)


class IncidentsOfAlerts(unittest.TestCase):
    """Alerts are grouped as Sentinel groups them."""

    def test_the_window_begins_with_the_first_alert(self):
        self.assertEqual([(0, 1), (0, 2), (1, 1), (1, 2)], incidents(
            named(1), named(2, DAY - 1), named(3, DAY), named(4, DAY + 1)))

    def test_any_alert_makes_one_incident_a_tenant(self):
        self.assertEqual([(0, 1), (0, 2), (1, 1)], incidents(
            named(1), named(2, upn="Sync_x"), named(3, tenant_id="other")))

    def test_selected_makes_one_for_each_target(self):
        self.assertEqual([(0, 1), (1, 1), (0, 2)], incidents(
            named(1, upn="Sync_x"), named(2), named(3, upn="SYNC_X"),
            incident_matching="Selected"))

    def test_all_entities_makes_one_for_each_set_of_them(self):
        other = audit(0, Id="other", InitiatedBy={"user": dict(
            plain.initiator()["user"], ipAddress="192.0.2.1")})
        self.assertEqual([(0, 1), (1, 1), (0, 2)], incidents(
            role(0, plain.ROLE), audit(0, Id="one"), other,
            audit(0, Id="another"), incident_matching="AllEntities"))

    def test_a_full_incident_takes_no_more(self):
        self.assertEqual([(0, 150), (1, 1)], incidents(
            *(named(number) for number in range(151)))[-2:])

    def test_without_a_window_there_are_none(self):
        one, = stream.alerts([named(1)], Settings(incident_window=0))
        self.assertIsNone(one["incident"])


class Timelines(unittest.TestCase):
    """The timelines are written as they are meant, and hold what they are
    for."""

    def test_what_is_written_reads_back_as_it_was(self):
        for seed in range(30):
            made = timeline.random_timeline(seed, ("kql", "wide")[seed % 2])
            with self.subTest(seed=seed):
                for delivery in made.deliveries:
                    for part in delivery.parts:
                        self._check(part)

    def _check(self, part):
        record = json.loads(json.dumps(part.record))
        if part.kind == "identity":
            read = test_tenant.read_identity(record)
            self.assertEqual(part.row, {name: read[name]
                                        for name in part.row})
            return
        read = test_tenant.read_audit(record)
        self.assertEqual({name: part.row[name] for name in read
                          if name != "Unread"}, {
                              name: read[name] for name in read
                              if name != "Unread"})
        self.assertIn(part.tenant_id, json.dumps(record))

    def test_the_clock_never_goes_back(self):
        for seed in range(30):
            clocks = [event.clock for event in
                      timeline.random_timeline(seed).events()]
            self.assertEqual(sorted(clocks), clocks)

    def test_they_hold_every_case(self):
        seen = collections.Counter()
        for seed in range(30):
            self._count(timeline.random_timeline(
                seed, ("kql", "wide")[seed % 2]), seen)
        self.assertEqual([], [case for case in CASES if seen[case] < 3],
                         seen)

    @staticmethod
    def _count(made, seen):
        """Count what happens in a timeline."""
        model = stream.Stream(Settings(made.semantics), made.initial)
        events = made.events()
        for event in events:
            _count_event(event, seen)
            for alert in model.feed(event):
                seen["late", alert["late"], alert["kql"]] += 1
                seen[alert["incident"]["new"], "incident"] += 1
                for reason in alert["matched_by"]:
                    seen[reason, alert["late"]] += 1
        seen["duplicates"] += model.duplicates
        seen[made.clock] += 1


CASES = ("duplicates", "old", "future", "timeless", "old role",
         "future role", "timeless role", *timeline.CLOCKS,
         ("late", False, False), ("late", True, False), ("late", False, True),
         ("late", True, True), (True, "incident"), (False, "incident"),
         ("identity_upn", True), ("identity_object_id", True),
         ("identity_upn", False), ("identity_object_id", False),
         ("upn_has", False), ("upn_startswith", False))


def _count_event(event, seen):
    """Count what is special about something that arrives."""
    row, span, word = (event.audit, DAY, "") if event.audit \
        else (event.identity, 14 * DAY, " role")
    generated = row["TimeGenerated"]
    if generated is None:
        seen["timeless" + word] += 1
    else:
        seen["old" + word] += generated <= event.clock - span
        seen["future" + word] += generated > event.clock


if __name__ == "__main__":
    unittest.main()
