"""Random timelines: what reaches a collector in thirty hours, in what order.

Records of one to three tenants and the role list's rows arrive late, doubled,
out of order, from the future, without a time, older than the lookback already;
accounts gain, lose and regain their role, change their object id, come into
being under a harmless name, and leave the role list's window while the records
that name them still wait. Some times lie a tick on either side of an edge.

A timeline is a list of deliveries. Each is one message or line, with one or a
few records, and may say when it arrived: in a syslog header, or in Log
Analytics' own column in each of its rows. Where nothing says so, the clock of
a replay is the latest time that was read so far, and so is the model's.
"""

import copy
import datetime
import json
import random
import uuid
from collections import namedtuple

import kql
import plain
import rendering
import stream
import tenant
import ticks
import wrappings
from kql import MISSING
from ticks import DAY, HOUR, MINUTE, SECOND

SPAN = 30 * HOUR
FIRST, LAST = (ticks.parse("2024-02-28T00:00:00Z"),
               ticks.parse("2027-01-01T00:00:00Z"))
MICROSECOND = 10

# How the records of a timeline tell when they arrived.
CLOCKS = ("received", "stamped", "either", "unknown")

# One record of a delivery: a row in the query's terms, the same as JSON, and
# when it arrived by its own account (None if it does not say).
Part = namedtuple("Part", "kind row record tenant_id arrived")

# stamp: the header's time, None if there is no header that tells one.
Delivery = namedtuple("Delivery", "parts stamp")


class Timeline:
    """What random_timeline made, and the clocks by which it is read."""

    def __init__(self, seed, semantics, clock, made):
        initial, deliveries = made
        self.seed = seed
        self.semantics = semantics
        self.clock = clock
        self.initial = initial
        self.deliveries = deliveries

    def events(self):
        """Give what arrived and when, as a replay's clock tells it."""
        clock = stream.Clock()
        return [_event(part, clock.at(_arrival(delivery, part),
                                      _own_time(part)))
                for delivery in self.deliveries for part in delivery.parts]


    def events_at(self, now):
        """Give what arrives, if all of it does at one instant."""
        return [_event(part, now) for delivery in self.deliveries
                for part in delivery.parts]


def _arrival(delivery, part):
    """Give when a record says that it came, else what the header says."""
    return delivery.stamp if part.arrived is None else part.arrived


def _own_time(part):
    """Give the time that may move the clock: not another service's."""
    is_foreign = part.kind == "audit" \
        and isinstance(part.row["OperationName"], dict)
    return None if is_foreign else part.row["TimeGenerated"]


def _event(part, clock):
    if part.kind == "identity":
        return stream.Event(clock, identity=part.row)
    return stream.Event(clock, audit=part.row, tenant_id=part.tenant_id,
                        content=kql.json_text(part.record))


def random_timeline(seed, semantics="kql", clock=None, size=1.0):
    """Make the timeline of that seed.

    clock: one of CLOCKS, or chance. size: how much there is of everything.
    """
    rng = random.Random(f"timeline {seed}")
    clock = clock or rng.choice(CLOCKS)
    maker = _Maker(rng, semantics == "wide", clock, size,
                   rng.randrange(FIRST, LAST))
    return Timeline(seed, semantics, clock, maker.make())


def live_timeline(seed, semantics, now, size):
    """Make a timeline that ends now, for a collector with its own clock.

    It sees everything at once, so times keep an hour's distance from what is
    an edge now.
    """
    maker = _Maker(random.Random(f"live timeline {seed}"),
                   semantics == "wide", "unknown", size, now - SPAN)
    maker.edges = now - DAY, now - 14 * DAY
    maker.earliest = 4 * HOUR
    return Timeline(seed, semantics, "unknown", maker.make())


class _Item:
    """A row on its way; `arrival` moves until its delivery is settled."""

    def __init__(self, kind, row, arrival, tenant_id=""):
        self.kind = kind
        self.row = row
        self.arrival = arrival
        self.tenant_id = tenant_id
        self.first = None  # the item of which this one is another delivery
        self.shape = None
        self.record = None


class _Maker:
    """Makes one timeline."""

    def __init__(self, rng, wide, clock, size, base):
        self.rng = rng
        self.wide = wide
        self.clock = clock
        self.size = size
        self.base = base
        self.edges = ()
        self.earliest = -20 * HOUR  # of the records, after the base

    def make(self):
        """Give the role list at the beginning, and the deliveries."""
        rng = self.rng
        items, initial = [], []
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            items += self._tenant()
        for item in items:
            self._keep_off_edges(item.row)
        items += [again for item in items for again in self._again(item)]
        if rng.random() < 0.5:
            initial, items = self._before(items)
        items.sort(key=lambda item: item.arrival)
        if self.clock == "unknown":
            _begin_with_a_time(items)
        groups = self._groups(items)
        self._settle(groups)
        self._move_to_edges(items)
        return ([item.row for item in initial],
                [self._delivery(group, stamp) for group, stamp in groups])

    def _chance(self, part):
        return self.rng.random() < part

    # What happens.

    def _tenant(self):
        """Make what arrives of one tenant."""
        rng = self.rng
        domain = rng.choice(tenant.DOMAINS)
        accounts = tenant.random_accounts(
            rng, domain, empties=not self.wide and self._chance(1 / 6))
        accounts = rng.sample(accounts, max(3, int(
            len(accounts) * min(self.size, 1))))
        items = [item for account in accounts
                 for item in self._life(account)]
        accounts += self._moved(accounts, items)
        maker = tenant.AuditRows(rng, domain, accounts, self.base,
                                 live=False, wide=self.wide)
        tenant_id = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        rows = [maker.row() if self._chance(0.7) else
                self._plain(maker.row(), rng.choice(accounts))
                for _ in range(int(rng.randint(20, 50) * self.size))]
        return items + [self._audit(row, tenant_id) for row in rows]

    def _plain(self, row, account):
        """Let a record be of interest as soon as its account is."""
        operation = self.rng.choice(tenant.MATCHING_OPERATIONS)
        upn, object_id = self.rng.choice((
            (account.upn, "of nobody"), ("nobody@x.example",
                                         account.object_id)))
        return dict(row, OperationName=operation, ActivityName=operation,
                    TargetResources=[plain.target(upn, object_id)])

    def _audit(self, row, tenant_id):
        """Send a record on its way."""
        rng, base = self.rng, self.base
        generated = base + rng.randint(self.earliest, SPAN)
        delay = rng.choice((
            rng.randint(0, 10 * SECOND), rng.randint(0, 10 * SECOND),
            rng.randint(0, 20 * MINUTE), rng.randint(0, 20 * MINUTE),
            rng.randint(0, 10 * HOUR),
            rng.choice((rng.randint(23 * HOUR, 26 * HOUR), DAY, DAY - 1,
                        30 * DAY, -5 * MINUTE,
                        -rng.randint(0, self._farthest())))))
        if self._chance(0.5):
            generated -= generated % SECOND
        arrival = min(max(base, generated + delay), base + SPAN)
        if self._chance(0.05):
            generated = None
        if self.wide and tenant.hides_targets(row["TargetResources"]):
            row = dict(row, TargetResources=kql.MISSING)
        return _Item("audit", dict(row, TimeGenerated=generated, Unread=""),
                     arrival,
                     tenant_id)

    def _keep_off_edges(self, row):
        """Move a time away from the instants that are edges."""
        for edge in self.edges:
            if row["TimeGenerated"] is not None \
                    and abs(row["TimeGenerated"] - edge) < HOUR:
                row["TimeGenerated"] += self.rng.choice((-2, 2)) * HOUR

    def _farthest(self):
        """Tell how far in the future a time may be.

        Where times make the clock, one from far off would end the story.
        """
        return 2 * HOUR if self.clock == "unknown" else 40 * DAY

    def _life(self, account):
        """Send the rows of one account on their way."""
        rng, base = self.rng, self.base
        have, lack = tenant.with_role(rng), tenant.without_role(rng)
        if self.wide and self._chance(0.3):
            have = tenant.with_template(rng)
        early = base - rng.randint(HOUR, 13 * DAY)
        first, second, third = sorted(base + rng.randint(0, SPAN)
                                      for _ in range(3))
        aging = base + rng.randint(-HOUR, SPAN) - 14 * DAY
        future = first + rng.randint(0, self._farthest())
        told = rng.choice((
            [(early, lack)], [(early, have)],
            [(first, have)], [(first, have)], [(early, lack), (first, have)],
            [(early, lack), (second, have)],
            [(early, have), (second, lack)],
            [(first, have), (second, lack), (third, have)],
            [(early, have), (first, lack), (second, have), (third, lack)],
            [(aging, have)], [(aging, have), (first, lack), (third, have)],
            [(aging, have), (aging - HOUR, lack)],
            [(future, have), (first, lack)], [(future, lack), (second, have)],
            [(None, have)], [(early, lack), (None, have)],
            rng.sample([(first, have), (first, lack)], 2),
            [(base - 15 * DAY, have)]))
        return [self._identity(account, *row) for row in told]

    def _identity(self, account, generated, roles):
        """Send a row of the role list on its way, sometimes slowly."""
        rng, base = self.rng, self.base
        delay = rng.choice((rng.randint(0, MINUTE), rng.randint(0, MINUTE),
                            rng.randint(0, HOUR), rng.randint(0, 12 * HOUR)))
        if generated is None or generated < base:
            arrival = base + rng.choice((0, 0, 0, rng.randint(0, SPAN)))
        else:
            arrival = min(generated, base + SPAN) + delay
        row = tenant.identity_of(account, generated, roles)
        if self._chance(0.08):
            row["AccountDisplayName"] = tenant.SERVICE_ACCOUNT
        return _Item("identity", row, arrival)

    def _moved(self, accounts, items):
        """Give some accounts a second object id in their later rows."""
        moved = []
        for account in self.rng.sample(accounts, len(accounts) // 4):
            after = copy.copy(account)
            after.object_id = str(uuid.UUID(int=self.rng.getrandbits(128),
                                            version=4))
            mine = [item for item in items
                    if item.row["AccountUPN"] == account.upn]
            for item in mine[self.rng.randint(0, 1):]:
                item.row["AccountObjectId"] = after.object_id
            moved.append(after)
        return moved

    def _again(self, item):
        """Deliver some things more than once.

        A record without a time is generated anew with each delivery, and one
        without an id is another record as soon as it says when it came: what
        is the same row then is nobody's law.
        """
        row, rng = item.row, self.rng
        if row["TimeGenerated"] is None and item.kind == "audit" \
                and self.clock == "unknown":
            return []
        if item.kind == "audit" and self.clock in ("received", "either") \
                and not kql.tostring(row["Id"]):
            return []
        times, longest = rng.choice((0, 0, 0, 1, 1, 2)), 20 * HOUR
        if row["TimeGenerated"] is None:
            times, longest = min(times, 1), 10 * HOUR
        return [self._copy(item, longest) for _ in range(times)]

    def _copy(self, item, longest):
        delay = self.rng.choice((0, self.rng.randint(0, MINUTE),
                                 self.rng.randint(0, longest)))
        again = _Item(item.kind, item.row, item.arrival + delay,
                      item.tenant_id)
        again.first = item
        return again

    def _before(self, items):
        """Part what was there before from what arrives."""
        early = [item for item in items if item.kind == "identity"
                 and item.arrival == self.base and item.first is None]
        return early, [item for item in items if item not in early]

    # When it arrives.

    def _groups(self, items):
        """Cut what arrives into deliveries, each with how it is stamped."""
        groups, at = [], 0
        while at < len(items):
            length = self.rng.choice((1, 1, 1, 2, 3, 5))
            groups.append((items[at:at + length], self._stamping()))
            at += length
        return groups

    def _stamping(self):
        return {"received": False, "stamped": True, "unknown": False,
                "either": self._chance(0.5)}[self.clock]

    def _settle(self, groups):
        """Let arrivals be what their place can say, and never go back."""
        now = 0
        for number, (group, is_stamped) in enumerate(groups):
            step = MICROSECOND if is_stamped else 1
            if is_stamped and self._chance(0.2):
                step = SECOND
            for item in group:
                now = max(now, item.arrival)
                now += -now % step
                item.arrival = now
            if is_stamped:
                for item in group:
                    item.arrival = now
            groups[number] = group, now if is_stamped else None

    def _move_to_edges(self, items):
        """Move some times to a tick on either side of an edge.

        Where times make the clock they are where the clock is, and stay.
        """
        if self.clock == "unknown":
            return
        audits = [item for item in items if item.kind == "audit"]
        roles = [item for item in items if item.kind == "identity"]
        for item in audits if roles else ():
            if self._chance(0.1) and item.row["TimeGenerated"] is not None:
                edge = self.rng.choice(roles).arrival - DAY
                self._move(items, item, edge + self.rng.choice((0, 0, 1, 2)))
        for item in roles if audits else ():
            if self._chance(0.1) and item.row["TimeGenerated"] is not None:
                edge = self.rng.choice(audits).arrival - 14 * DAY
                self._move(items, item, edge + self.rng.choice((0, 1)))

    @staticmethod
    def _move(items, moved, generated):
        """Give a row and its other deliveries another time."""
        before, after = moved.row, dict(moved.row, TimeGenerated=generated)
        for item in items:
            if item.row is before:
                item.row = after

    # How it is written.

    def _delivery(self, group, stamp):
        return Delivery([self._part(item, stamp) for item in group], stamp)

    def _part(self, item, stamp):
        """Write an item as JSON, with its arrival if it is to say it."""
        in_column = self.clock in ("received", "either") and (
            stamp is None or self._chance(0.1))
        if item.kind == "identity":
            record = rendering.identity_row(item.row, self.rng)
        else:
            record = self._audit_record(item, in_column)
        record.pop("_TimeReceived", None)  # of another delivery
        if in_column:
            record["_TimeReceived"] = ticks.render(item.arrival)
        tenant_id = "" if item.shape is rendering.directory_audit \
            else item.tenant_id
        return Part(item.kind, item.row, record, tenant_id,
                    item.arrival if in_column else None)

    def _audit_record(self, item, in_column):
        """Write a record; the column of its arrival stands in a row only."""
        first = item.first or item
        if in_column:
            item.shape = rendering.log_analytics_row
        elif first.shape and first.shape is not rendering.log_analytics_row:
            item.shape = first.shape
        else:
            item.shape = self._shape_of(item.row)
        if item.shape is first.shape and first.record:
            item.row = first.row
            return copy.deepcopy(first.record)
        item.row, = rendering.fit_for(item.shape, [item.row])
        record = item.shape(item.row, self.rng)
        item.record = json.loads(json.dumps(record).replace(
            rendering.TENANT_ID, item.tenant_id))
        return item.record

    def _shape_of(self, row):
        """Choose a shape that can carry a row."""
        shapes = [rendering.diagnostic_record, rendering.log_analytics_row]
        if row["ActivityName"] in (MISSING, row["OperationName"]):
            shapes.append(rendering.directory_audit)
        if rendering.fit_for(rendering.elastic_document, [row]):
            shapes.append(rendering.elastic_document)
        return self.rng.choice(shapes)


def _begin_with_a_time(items):
    """Leave out what comes before the first time that can be read."""
    while items[0].row["TimeGenerated"] is None \
            or isinstance(items[0].row.get("OperationName"), dict):
        del items[0]


# The files of a timeline.

CONTAINERS = ("records", "array", "single", "several", "addon", "hec",
              "logstash", "cribl_raw", "cribl_original")


def lines(made, rng):
    """Write each delivery as a line of its own."""
    return [line(delivery, rng) for delivery in made.deliveries]


def line(delivery, rng):
    """Write a delivery as one line."""
    style = rendering.Style(rng, line_breaks=False)
    records = [part.record for part in delivery.parts]
    text = "".join(wrappings.CONTAINERS[rng.choice(CONTAINERS)](records,
                                                                 style))
    if delivery.stamp is None:
        return text
    return header(delivery.stamp, rng) + text


def header(stamp, rng):
    """Write the header of a syslog message that came at that time."""
    if stamp % SECOND == 0 and rng.random() < 0.5:
        return legacy_header(stamp, rng)
    digits = rng.choice((0, 3, 6)) if stamp % SECOND == 0 else 6
    offset, zone = rng.choice(((0, "Z"), (0, "+00:00"), (120, "+02:00")))
    elements = rng.choice(("-", "[meta sequenceId=\"29\"]"))
    return (f"<134>1 {ticks.render(stamp, digits, offset, zone)} edge7 "
            f"azurefunction 4711 AUDIT {elements} ")


def legacy_header(stamp, rng):
    """Write the header of RFC 3164, which has whole seconds and no year."""
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(
        seconds=stamp // SECOND)
    text = f"{when:%b} {when.day:2} {when:%H:%M:%S}"
    return rng.choice(("<134>", "")) + text + rng.choice((
        " edge7 azurefunction: ", " edge7 azurefunction[4711]: "))
