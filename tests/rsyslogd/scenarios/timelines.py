"""Random timelines through rsyslogd alert as the law of the stream says.

Thirty hours that end now are sent in a few seconds: records by one input, the
role list's rows by another, one by one and in their order, in all shapes and
wrappings. After the rows of the role list the test waits until mmsynctap has
taken them in, which it sees by a late alert for a probe: a record of an
account that gets its role by the very next row. The set of alerts, and which
of them are late, must be the model's of tests/oracle; so must the counters.

SYNCTAP_LIVE_TIMELINES sets how many timelines are sent.
"""

import collections
import os
import unittest

import rendering
import stream
import ticks
import timeline
import wrappings
from harness import Daemon, as_text
from records import (BOTH_MODULES, HEADER, ROLE_KEEPER, audit, identity,
                     mmsynctap, target)

TIMELINES = int(os.environ.get("SYNCTAP_LIVE_TIMELINES", "6"))
PROBES = "aaaaaaaa-0000-4000-8000-000000000000"  # their tenant

Told = collections.namedtuple(
    "Told", "late kql confidence record_id target_upn target_id matched_by")


class RandomTimelines(unittest.TestCase):
    """A daemon for each timeline."""

    maxDiff = None

    def test_the_alerts_are_the_models(self):
        for seed in range(TIMELINES):
            with self.subTest(seed=seed):
                self._check(seed, ("kql", "wide")[seed % 2])

    def _check(self, seed, semantics):
        now = ticks.now()
        made = timeline.live_timeline(seed, semantics, now, size=0.6)
        model = stream.Stream(stream.Settings(semantics))
        events = [stream.Event(now, identity=row) for row in made.initial]
        events += made.events_at(now)
        expected = [alert for event in events for alert in model.feed(event)]
        with Daemon(mmsynctap('ruleset="alerts"', semantics), BOTH_MODULES,
                    roles=ROLE_KEEPER) as daemon:
            sender = _Sender(daemon, rendering.rendering_of(seed))
            sender.send_all(made)
            came = daemon.alerts(len(expected) + sender.probes)
            counters = daemon.counters("tap")
            left = daemon.stop()
        alerts = [message.json() for message in came + left.alerts]
        found = [one for one in alerts if one["tenant_id"] != PROBES]
        self._compare(expected, found)
        self._check_counters(counters, model, expected, [
            one for one in alerts if one["tenant_id"] == PROBES])

    def _compare(self, expected, found):
        for one in expected + found:
            one["matched_by"] = tuple(
                name for name in one["matched_by"]
                if name.startswith(("identity_", "upn_")))
        wanted, got = ({one["alert_id"]: Told(*map(one.get, Told._fields))
                        for one in alerts} for alerts in (expected, found))
        self.assertEqual({}, {one: wanted[one] for one in wanted
                              if got.get(one) != wanted[one]}, "missing")
        self.assertEqual({}, {one: got[one] for one in got
                              if wanted.get(one) != got[one]}, "too many")
        self.assertEqual(len(found), len(got), "some alert came twice")
        self.assertEqual(_counts(expected), _counts(found))

    def _check_counters(self, counters, model, expected, probes):
        """A probe is late unless its role overtook it on its own lane."""
        self.assertEqual(
            {"alerts": len(expected) + len(probes),
             "late_alerts": sum(one["late"] for one in expected + probes),
             "duplicates": model.duplicates, "state_errors": 0,
             "undecodable": 0},
            {name: counters[name] for name in (
                "alerts", "late_alerts", "duplicates", "state_errors",
                "undecodable")})


def _counts(alerts):
    """Give how alerts were counted in each tenant's incident."""
    counts = collections.defaultdict(list)
    for alert in alerts:
        counts[alert["tenant_id"]].append(alert["incident"]["alert_count"])
    return {tenant: sorted(numbers) for tenant, numbers in counts.items()}


class _Sender:
    """Sends a timeline, and makes sure that each part was taken in."""

    def __init__(self, daemon, rng):
        self.daemon = daemon
        self.rng = rng
        self.probes = 0
        self._sent = 0
        self._unseen = set()  # accounts whose rows may not be seen yet

    def send_all(self, made):
        """Send everything in its order, and wait for the end of it."""
        for row in made.initial:
            self._send_role(row)
        for delivery in made.deliveries:
            for part in delivery.parts:
                if part.kind == "identity":
                    self._send_role(part.row, part.record)
                else:
                    self._send_record(part.record)
        self._settle()
        self.daemon.originals(self._sent)

    def _send_record(self, record):
        """Send a record when the role list that it is to meet is known."""
        self._settle()
        names = [name for name in wrappings.NAMES
                 if set(rendering.SHAPES) <= set(wrappings.shapes_of(name))]
        messages = wrappings.messages(
            self.rng.choice(names), [record],
            rendering.Style(self.rng, line_breaks=False))
        self.daemon.send(messages)
        self._sent += len(messages)

    def _send_role(self, row, record=None):
        """Send a row; two of one account must not be taken in at once."""
        if row["AccountUPN"] in self._unseen:
            self._settle()
        self._unseen.add(row["AccountUPN"])
        record = record or rendering.identity_row(row, self.rng)
        style = rendering.Style(self.rng, line_breaks=False)
        kind = self.rng.choice(("records", "value", "array", "single"))
        text, = rendering.lines([record], kind, style) if kind == "single" \
            else [rendering.document([record], kind, style)]
        self.daemon.send([self.rng.choice(("", HEADER)) + text], to="roles")

    def _settle(self):
        """Wait until all rows of the role list so far are taken in.

        Records that were sent before are judged first: the probe is behind
        them in the same queue.
        """
        if not self._unseen:
            return
        self._unseen.clear()
        self.probes += 1
        upn = f"probe.{self.probes}@probe.example"
        probe = audit(f"probe {self.probes}", target(upn, upn))
        self.daemon.send([as_text(dict(probe, tenantId=PROBES))])
        self._sent += 1
        self.daemon.send([as_text(identity(upn, upn))], to="roles")
        self.daemon.wait_alert(f"probe {self.probes}")
