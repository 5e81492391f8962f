"""What a stream owes: each row that some run of the query would have given.

The law, as the contract's section on time has it: a row alerts if at any
instant from its arrival until time_generated + lookback the query would have
returned it, once. Here that is computed from the query itself (rule.py,
wide.py) and from nothing else: whenever something arrives, the query is asked
again over what has arrived by then.

Between two arrivals nothing can begin to match while the clock goes forward:
records only leave the lookback, and when the newest row of an account leaves
its window, all its older ones have left before it. So the arrivals are all the
instants that need trying; test_stream.py tries the others too.
"""

import hashlib
import uuid
from collections import namedtuple

import rule
import ticks
import wide
from ticks import DAY

RULE_ID = "9b1a0008-1008-4108-9108-aadprov00008"
NAMESPACE = uuid.UUID("6f1d5c0e-934b-4d27-a852-3e77c019b684")

# Something that arrived at `clock`: an audit row or a role list's row, in the
# query's terms. content: the record's own JSON text, for one without an id.
Event = namedtuple("Event", "clock audit identity tenant_id content",
                   defaults=(None, None, "", ""))

Settings = namedtuple(
    "Settings", "semantics lookback identity_window latejoin incident_window"
                " incident_matching incident_maxalerts",
    defaults=("kql", DAY, 14 * DAY, True, DAY, "AnyAlert", 150))

# What an alert's columns are called in the query.
COLUMNS = {"time_generated": "TimeGenerated",
           "operation_name": "OperationName", "actor": "Actor",
           "source_ip": "SourceIP", "target_upn": "TargetUpn",
           "target_resources": "TargetResources", "result": "Result",
           "target_id": "TargetId", "record_id": "Id",
           "matched_by": "MatchedBy", "kql": "Kql"}


def name_based_id(*parts):
    """Make a UUID of version 5 over parts, each behind its length."""
    name = b"".join(b"%d:%b" % (len(part), part)
                    for part in (one.encode() for one in parts))
    digest = hashlib.sha1(NAMESPACE.bytes + name).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def alert_id(row, tenant_id, content):
    """Give the id that a row has on every collector and in every replay."""
    record_id = row["Id"] or hashlib.sha256(content.encode()).hexdigest()
    return name_based_id(RULE_ID, tenant_id, record_id, row["TargetId"],
                         row["TargetUpn"], str(row["TargetIndex"]))


class Semantics(namedtuple("Semantics", "accounts rows")):
    """How the query is asked for one record's rows."""


SEMANTICS = {"kql": Semantics(rule.sync_accounts, rule.audit_rows),
             "wide": Semantics(wide.both_accounts, wide.audit_rows)}


class Stream:
    """One collector, from its first message on."""

    def __init__(self, settings=Settings(), identities=()):
        self.settings = settings
        self.duplicates = 0
        self.incidents = Incidents(settings)
        self._identities = list(identities)
        self._arrived = []
        self._fired = {}
        self._split = []

    def feed(self, event):
        """Take what arrived next; give the alerts that it makes."""
        if event.identity is not None:
            self._identities.append(event.identity)
            tried = self._arrived if self.settings.latejoin else []
        else:
            event = _timed(event)
            self._arrived.append(event)
            tried = [event]
        return [self._alert(event, record, row)
                for record, row in self._rows(tried, event.clock)
                if self._is_first(event, record, row)]

    def _rows(self, records, now):
        """Ask the query at `now` for the rows of these records."""
        how, settings = SEMANTICS[self.settings.semantics], self.settings
        accounts = how.accounts(self._identities, now,
                                settings.identity_window)
        return [(record, row) for record in records
                for row in self._not_split(record, how.rows(
                    record.audit, accounts, now, settings.lookback))]

    def _not_split(self, record, rows):
        """Leave out what wide has to say of a target that the query has split.

        Of one object instead of an array it makes a row for each property. If
        one of them alerts, the target has been told of: it was not missed,
        even if the query would give no row of it any more.
        """
        if isinstance(record.audit["TargetResources"], dict) \
                and any(row["Kql"] for row in rows):
            self._split.append(record)
        if any(record is other for other in self._split):
            return [row for row in rows if row["Kql"]]
        return rows

    def _is_first(self, event, record, row):
        """Tell whether a row has not alerted; remember that it has.

        It is known until it leaves the lookback. A record without a time is
        generated anew with each delivery, and its row stays for longer.
        """
        known = alert_id(row, record.tenant_id, record.content)
        before = self._fired.get(known, 0)
        self._fired[known] = max(
            before, row["TimeGenerated"] + self.settings.lookback)
        self.duplicates += event is record and before > event.clock
        return before <= event.clock

    def _alert(self, event, record, row):
        """Make the alert of a row at the instant of an event."""
        alert = {name: row[column] for name, column in COLUMNS.items()}
        alert |= {
            "alert_id": alert_id(row, record.tenant_id, record.content),
            "time_generated": ticks.render(row["TimeGenerated"]),
            "late": event is not record,
            "confidence": "exact",
            "tenant_id": record.tenant_id,
            "detected_at": ticks.render(event.clock),
        }
        return dict(alert, incident=self.incidents.assign(alert, event.clock))


def _timed(event):
    """A record without a readable time counts as generated when received."""
    generated = rule.generated_at(event.audit, event.clock)
    return event._replace(audit=dict(event.audit, TimeGenerated=generated))


def alerts(events, settings=Settings(), identities=()):
    """Give the alerts of a whole stream in the order in which they fire."""
    made = Stream(settings, identities)
    return [alert for event in events for alert in made.feed(event)]


class Incidents:
    """Groups alerts as Sentinel does; the window starts at the first one."""

    def __init__(self, settings):
        self.settings = settings
        self._open = {}

    def assign(self, alert, now):
        """Put an alert into its incident, or into a new one."""
        if self.settings.incident_window == 0:
            return None
        key = self._key(alert)
        incident = self._open.get(key)
        is_new = incident is None or self._is_over(incident, now)
        if is_new:
            incident = self._open[key] = _Incident(alert["alert_id"], now)
        incident.count += 1
        return {"id": incident.id, "new": is_new,
                "alert_count": incident.count, "first_alert": incident.first}

    def _is_over(self, incident, now):
        """Tell whether an incident takes no more alerts."""
        return now >= incident.opened + self.settings.incident_window \
            or incident.count >= self.settings.incident_maxalerts

    def _key(self, alert):
        """Name what the alerts of one incident have in common.

        A target is known by its UPN, one without a UPN by its id; in any case.
        """
        tenant, target, actor, address = map(wide.fold, (
            alert["tenant_id"], alert["target_upn"] or alert["target_id"],
            alert["actor"], alert["source_ip"]))
        return {"AnyAlert": (tenant,),
                "Selected": (tenant, target),
                "AllEntities": (tenant, target, actor, address),
                }[self.settings.incident_matching]


class _Incident:
    """An incident as far as an alert tells of it."""

    def __init__(self, first, opened):
        self.id = name_based_id(RULE_ID, "incident", first)
        self.first = first
        self.opened = opened
        self.count = 0


class Clock:
    """The clock of a replay, which reads it from what it is given."""

    def __init__(self, start=None):
        self._latest = start

    def at(self, arrived, generated):
        """Give the instant of a record: its arrival, if that is known, else
        the latest time at which anything so far was generated."""
        if generated is not None and (self._latest is None
                                      or generated > self._latest):
            self._latest = generated
        return self._latest if arrived is None else arrived
