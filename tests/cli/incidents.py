"""Databases with incidents in them, as a collector would have left them.

The alerts are one of synctap's own, with members changed: what is in the
database is what a daemon writes, but for the packing, without which alerts
were once kept, too.
"""

import functools
import json
import pathlib
import sqlite3
import tempfile
import uuid

import command
import plain
import rendering
import ticks

NOW = plain.NOW
MINUTE = ticks.MINUTE
HOUR = ticks.HOUR
DAY = ticks.DAY
TENANT = "aaaaaaaa-1111-4222-8333-000000000001"
TARGET_ID = "0d0d0d0d-abcd-4222-8333-444444444444"
PASS_ID = "f00dcafe-0000-4000-8000-00000000beef"


@functools.cache
def _template():
    """Give the alert of a plain record, as text."""
    with tempfile.TemporaryDirectory(prefix="synctap-incidents-") as made:
        path = pathlib.Path(made) / "record.json"
        path.write_text(json.dumps(rendering.log_analytics_row(
            plain.row(), plain.chance())), encoding="utf-8")
        one, = command.replay(path)
    return json.dumps(one)


def alert(number, *, at=0, after=2 * ticks.SECOND, **members):
    """Make the n-th alert: of an event at NOW + at, detected so long after.

    An event has a pass of an hour unless `tap` says something else.
    """
    made = json.loads(_template())
    made.update(alert_id=str(uuid.UUID(int=number, version=5)),
                record_id=f"record {number}",
                time_generated=ticks.render(NOW + at),
                detected_at=ticks.render(NOW + at + after),
                target_id=TARGET_ID, method="temporary_access_pass",
                tap={"id": PASS_ID, "start": ticks.render(NOW + at),
                     "end": ticks.render(NOW + at + HOUR),
                     "usage": "once"},
                tenant_id=TENANT)
    made.update(members)
    return made


def incident_id(number, middle="0000"):
    """Give the id of the n-th incident; the first characters tell it."""
    return f"{number:08x}-{middle}-5000-8000-000000000000"


class Incidents:
    """A database, and what is put into it."""

    def __init__(self, path):
        self.path = path
        done = command.synctap("identity", "import", "--database", path,
                               given=json.dumps(role_row("nobody@x", 1)).encode())
        if done.status != 0:
            raise AssertionError(done.words)

    def put(self, number, *alerts, action="synctap", repeats=None,
            window=DAY, closed=None, middle="0000"):
        """Put an incident with these alerts; give its id.

        `repeats` has how often an alert's row came again, by its place.
        """
        whole = incident_id(number, middle)
        first = alerts[0] if alerts else alert(number)
        opened = ticks.parse(first["detected_at"])
        last = max([ticks.parse(one["detected_at"]) for one in alerts],
                   default=opened)
        with self._connect() as connection:
            connection.execute("INSERT OR IGNORE INTO action (name, judged)"
                               " VALUES (?, 1)", (action,))
            row, = connection.execute("SELECT id FROM action WHERE name = ?",
                                      (action,)).fetchone()
            connection.execute(
                "INSERT INTO incident (action, incident_id, key, opened,"
                " window, last_alert, alert_count, first_alert, closed)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (row, whole, json.dumps([TENANT]), opened, window, last,
                 len(alerts), first["alert_id"], closed))
            for place, one in enumerate(alerts, 1):
                text = one if isinstance(one, str) else json.dumps(
                    one, ensure_ascii=False, separators=(",", ":"))
                connection.execute(
                    "INSERT INTO incident_alert (action, incident_id, place,"
                    " alert_id, alert, repeats) VALUES (?, ?, ?, ?, ?, ?)",
                    (row, whole, place, one["alert_id"], text,
                     (repeats or {}).get(place, 0)))
        return whole

    def run(self, sql, *values):
        """Run a statement, as another program would."""
        with self._connect() as connection:
            connection.execute(sql, values)

    def _connect(self):
        return _Closing(self.path)

    def load(self, *rows, now=None):
        """Import rows of the role list."""
        done = command.synctap(
            "identity", "import", "--database", self.path,
            *(() if now is None else ("--now", now)),
            given="".join(json.dumps(row) + "\n" for row in rows).encode())
        if done.status != 0:
            raise AssertionError(done.words)

    def synctap(self, *words, now=None):
        """Run synctap incident on it, ten minutes after NOW."""
        return command.synctap(
            "incident", *words, "--database", self.path, "--now",
            now or ticks.render(NOW + 10 * MINUTE))


class _Closing:
    """A transaction and its connection, both closed at the end."""

    def __init__(self, path):
        self.connection = sqlite3.connect(path, timeout=30)

    def __enter__(self):
        self.connection.__enter__()
        return self.connection

    def __exit__(self, *what):
        self.connection.__exit__(*what)
        self.connection.close()


def role_row(upn, days_ago, *roles, object_id="", display="Account"):
    """Make a row of the role list, so many days before NOW."""
    row = dict(plain.identity(upn, object_id, roles, display),
               TimeGenerated=NOW - days_ago * DAY)
    return rendering.identity_row(row, plain.chance())
