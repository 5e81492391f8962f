"""A stop is obeyed within two seconds, wherever a thread is, and loses nothing.

All with rsyslog's own timeouts. The first record of what is under way alerts,
so that it is seen to be under way; then comes SIGTERM. The next daemon has
the rest: of a message with 130,000 records, of one whose brackets never close
with a good record behind them, of three thousand records that join late.

A database that another program keeps to itself (locking_mode=EXCLUSIVE) holds
no stop either: not while messages are judged, not at a start, not a start
that SIGTERM meets half way. What was sent meanwhile alerts when it is free.

The originals end in the rules: rsyslogd may cut off one that it is sending.

A limit of two seconds is for what waits; what works is measured in seconds of
the processor, which other programs on a busy machine do not make longer. A
message of 25 MB is then written down and taken apart by rsyslog, which is most
of what is measured, so a machine may be half as slow again.
"""

import contextlib
import json
import signal
import sqlite3
import unittest

import ticks
from harness import Daemon, as_text
from records import (BOTH_MODULES, ROLE_KEEPER, identity, ids,
                     mmsynctap, target, text)

SECONDS = 2.0
WORK = 3.0  # of the processor
SLACK = 3.0  # of the clock, for a machine that is busy
LATE = "late.aad@nordwind.example"
SYNC = "Sync_HOST1_0123456789ab@nordwind.example"
MANY, JOINING = 130_000, 3_000
MEGABYTES = 35


def small(name, upn=LATE):
    """Make a record as short as can be."""
    return {"time": ticks.render(ticks.now()), "category": "AuditLogs",
            "operationName": "Admin registered security info",
            "properties": {"id": name,
                           "targetResources": [{"userPrincipalName": upn}]}}


class StopTest(unittest.TestCase):
    """A test that stops its daemon soon."""

    def end_soon(self, daemon):
        """Stop the daemon: it must neither work on nor wait."""
        ending = daemon.end()
        self.assertLess(ending.work, WORK)
        self.assertLess(ending.seconds, SECONDS + SLACK)

    def interrupt(self, daemon, message):
        """Stop the daemon when the first record of the message has alerted."""
        daemon.send([message], framing="octet")
        daemon.wait_alert("first")
        self.end_soon(daemon)
        daemon.start()


def running(**more):
    """Make a daemon that takes long messages."""
    return Daemon(mmsynctap('ruleset="alerts"', "wide") + " stop",
                  BOTH_MODULES,
                  roles=ROLE_KEEPER, max_message_size="100m", **more)


class AtWork(StopTest):
    """A message, or a late join, that takes seconds."""

    def test_a_message_of_many_records(self):
        records = ([small("first", SYNC)]
                   + [small(f"record {number:06}") for number in range(MANY)]
                   + [small("last", SYNC)])
        with running() as daemon:
            self.interrupt(daemon, json.dumps({"records": records}))
            daemon.wait_alert("last")
            daemon.wait_statistics("tap", pending=MANY)
            self.end_soon(daemon)
            self._take(daemon, ["first", "last"])

    def test_a_message_that_is_hostile(self):
        first, last = as_text(small("first", SYNC)), as_text(small("last", SYNC))
        waste = '[{"a":' * (MEGABYTES * 1_000_000 // 6)
        with running(keep_control_characters=True) as daemon:
            self.interrupt(daemon, f"{first}\n{waste}\n{last}")
            daemon.wait_alert("last")
            self.end_soon(daemon)
            self._take(daemon, ["first", "last"])

    def test_a_message_of_one_record_with_many_targets(self):
        record = small("first", SYNC)
        targets = record["properties"]["targetResources"]
        targets += [{"userPrincipalName": f"u{number}@nordwind.example"}
                    for number in range(MANY * 3)]
        targets.append({"userPrincipalName": "Sync_last@nordwind.example"})
        with running() as daemon:
            self.interrupt(daemon, json.dumps(record))
            daemon.wait_until(
                lambda: any('"target_upn":"Sync_last@' in alert.text for alert
                            in daemon.collector.messages["alerts"]),
                "the last target's alert")
            self.end_soon(daemon)
            self._take(daemon, ["first", "first"])

    def _take(self, daemon, expected):
        """Take the alerts, which must be just these."""
        came = len(daemon.collector.messages["alerts"])
        self.assertEqual(expected, ids(daemon.alerts(came)))

    def test_a_late_join(self):
        names = [f"record {number}" for number in range(JOINING)]
        with running() as daemon:
            daemon.send([text(name, target(LATE)) for name in names])
            daemon.wait_statistics("tap", pending=JOINING)
            daemon.send([as_text(identity(LATE))], to="roles")
            first, = daemon.alerts(1)
            self.end_soon(daemon)
            daemon.start()
            for name in names:
                daemon.wait_alert(name)
            self.end_soon(daemon)
            came = ids([first]) + ids(daemon.alerts(
                len(daemon.collector.messages["alerts"]) - 1))
        self.assertEqual(sorted(names), sorted(came))


@contextlib.contextmanager
def kept_by_another(database):
    """Keep a database to oneself, as if no other program were there."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("BEGIN EXCLUSIVE")
    connection.execute("COMMIT")
    try:
        yield
    finally:
        connection.close()


class Waiting(StopTest):
    """A database that another program keeps."""

    def make_database(self, daemon):
        """Make it before it is kept; with a role, so that late joins come."""
        path = daemon.write("role.jsonl", json.dumps(identity(LATE)))
        database = daemon.work.path / "synctap.db"
        daemon.synctap("identity", "import", "--database", database, path)
        return database

    def meanwhile(self, daemon, name):
        """Send what alerts at once, and what will when the role is known."""
        daemon.send([text(f"{name}, by name", target(SYNC)),
                     text(f"{name}, by role", target(LATE))])
        daemon.wait_alert(f"{name}, by name")

    def test_at_a_start_and_while_messages_come(self):
        daemon = running()
        database = self.make_database(daemon)
        with contextlib.ExitStack() as stack:
            stack.enter_context(daemon)
            daemon.end()
            with kept_by_another(database):
                for life in ("one", "two"):
                    daemon.start()
                    self.meanwhile(daemon, life)
                    self.end_soon(daemon)
            daemon.start()
            for life in ("one", "two"):
                daemon.wait_alert(f"{life}, by role")
            self.end_soon(daemon)
            came = ids(daemon.alerts(4))
            self.assertEqual(4, len(set(came)), came)

    def test_a_start_that_waits(self):
        daemon = Daemon("\n".join(
            mmsynctap(f'ruleset="alerts" latejoin="{late}"').replace(
                '"tap"', f'"tap-{late}"') for late in ("on", "off")),
            BOTH_MODULES, roles=ROLE_KEEPER)
        database = self.make_database(daemon)
        with daemon:
            daemon.end()
            with kept_by_another(database):
                for moment in range(1, 11):
                    daemon.launch()
                    daemon.collector.wait(lambda: False, moment / 20)
                    ending = daemon.end(statuses=(0, -signal.SIGTERM))
                    self.assertLess(ending.seconds, SECONDS + SLACK)
            daemon.start()


if __name__ == "__main__":
    unittest.main()
