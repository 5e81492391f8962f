"""Kills at random moments lose no alert, and a repeat has its known id.

The daemon runs the sample configuration contrib/rsyslog.d/crash-safe.conf.
Records are written into a file while it reads it: some match by their names,
some by a role that is known, some by a role that comes only later, some are
there twice, most match nothing. Role rows come by a file of their own, or by
`synctap identity import`. Again and again the daemon is killed with SIGKILL:
at a moment drawn from the length of a life, while it starts, right after an
alert, while it stops, while nobody reads the alerts. Another one starts on
the same files.

In the end every record that must alert has an alert. A record that has more
than one has the same alert_id in each, and no other record has any. A last
daemon that starts after a clean end repeats nothing.

SYNCTAP_KILLS=100 makes a long run, SYNCTAP_SEED another one.
"""

import collections
import os
import random
import sys
import time
import unittest

from harness import as_text
from records import identity, target, text
from sample import AUDIT, IDENTITY, Lines, SampleDaemon

KILLS = int(os.environ.get("SYNCTAP_KILLS", "8"))
SEED = int(os.environ.get("SYNCTAP_SEED", "4"))
MOMENTS = ("any", "any", "any", "start", "alert", "end", "held_back")

BY_NAME = target("Sync_HOST1_0123456789ab@nordwind.example")
KNOWN = "svc.aad@nordwind.example"
PERSON = target("anna.berg@nordwind.example")


class Load:
    """What is written for the daemon, and what must come of it."""

    def __init__(self, daemon, rng):
        self.must_alert = set()
        self._daemon, self._rng = daemon, rng
        self._audit = Lines(daemon, AUDIT)
        self._roles = Lines(daemon, IDENTITY)
        self._written = []
        self._waiting = []  # accounts whose role is still to come
        self._number = 0

    def give_role(self, upn):
        """Give a role by one of the two ways."""
        row = as_text(identity(upn))
        if self._rng.random() < 0.5:
            self._roles.add([row])
        else:
            path = self._daemon.write("import.jsonl", row + "\n")
            self._daemon.synctap(
                "identity", "import", "--database",
                self._daemon.work.path / "synctap.db", path)

    def write(self):
        """Write the records of a life; roles of earlier ones may come now."""
        late = f"late{len(self.must_alert)}@nordwind.example"
        records = [self._record(late)
                   for _ in range(self._rng.randint(20, 120))]
        records += self._rng.sample(self._written,
                                    min(10, len(self._written)))
        self._written += records
        self._rng.shuffle(records)
        half = len(records) // 2
        self._audit.add(records[:half])
        if self._rng.random() < 0.6:
            self.give_waiting_roles(self._rng.randint(0, 2))
        self._audit.add(records[half:])
        self._waiting.append(late)

    def write_much(self):
        """Write more matching records than lie between the programs."""
        self._audit.add(self._named(BY_NAME, True) for _ in range(300))

    def _record(self, late):
        return self._named(*self._rng.choice((
            (BY_NAME, True), (target(KNOWN), True), (target(late), True),
            (PERSON, False), (PERSON, False), (PERSON, False))))

    def _named(self, whom, matches):
        self._number += 1
        name = f"record {self._number}"
        if matches:
            self.must_alert.add(name)
        return text(name, whom)

    def give_waiting_roles(self, keep):
        """Give their roles to all but the last accounts that wait."""
        while len(self._waiting) > keep:
            self.give_role(self._waiting.pop(0))


class Killer:
    """Kills the daemon at moments of several kinds."""

    def __init__(self, daemon, rng):
        self._daemon, self._rng = daemon, rng
        self._life = self._start = 0.1  # seconds, as last seen

    def live_and_kill(self, load):
        """Start the daemon under load, and kill it."""
        getattr(self, "_kill_at_" + self._rng.choice(MOMENTS))(load)

    def live(self, load):
        """Start the daemon under load, and see how long it takes."""
        began = time.monotonic()
        self._daemon.start()
        self._start = time.monotonic() - began
        load.write()
        self._wait_for_alert()
        self._life = time.monotonic() - began

    def _alerts(self):
        return self._daemon.collector.messages["alerts"]

    def _wait_for_alert(self):
        """Wait for the first alert from now, or for a while in vain."""
        before = len(self._alerts())
        self._daemon.collector.wait(lambda: len(self._alerts()) > before,
                                    2 * self._start)

    def _kill_within(self, seconds):
        time.sleep(self._rng.uniform(0, seconds))
        self._daemon.kill()

    def _kill_at_any(self, load):
        self._daemon.launch()
        load.write()
        self._kill_within(2 * self._life)

    def _kill_at_start(self, load):
        load.write()
        self._daemon.launch()
        self._kill_within(self._start)

    def _kill_at_alert(self, load):
        self._daemon.launch()
        load.write()
        self._wait_for_alert()
        self._daemon.kill()

    def _kill_at_held_back(self, load):
        self._daemon.collector.pause("alerts")
        self._daemon.launch()
        load.write_much()
        self._kill_within(4 * self._life)

    def _kill_at_end(self, load):
        self.live(load)
        self._daemon.terminate()
        self._kill_within(self._start)


class KillUnderLoad(unittest.TestCase):
    """One database, one set of files, many daemons."""

    def test_no_alert_is_lost(self):
        rng = random.Random(SEED)
        daemon = SampleDaemon()
        load = Load(daemon, rng)
        load.give_role(KNOWN)
        with daemon:
            daemon.end()
            killer = Killer(daemon, rng)
            killer.live(load)
            daemon.kill()
            for _ in range(KILLS - 1):
                killer.live_and_kill(load)
            self._finish(daemon, load)

    def _finish(self, daemon, load):
        daemon.start()
        load.give_waiting_roles(0)
        daemon.collector.wait(
            lambda: load.must_alert <= set(seen(daemon)))
        daemon.end()
        self._check(load.must_alert, seen(daemon))

        before = len(daemon.collector.messages["alerts"])
        daemon.start()
        counters = daemon.counters("synctap")
        self.assertEqual(0, counters["state_errors"])
        daemon.end()
        after = daemon.collector.messages["alerts"]
        self.assertEqual([], after[before:], "repeated after a clean end")
        daemon.alerts(len(after))

    def _check(self, must_alert, found):
        lost = must_alert - set(found)
        repeats = sum(len(alerts) - 1 for alerts in found.values())
        print(f"{KILLS} kills, {len(lost)} alerts lost, {repeats} repeats; "
              f"seed {SEED}, {len(must_alert)} records that must alert",
              file=sys.__stdout__, flush=True)
        self.assertEqual([], sorted(lost))
        self.assertEqual([], sorted(set(found) - must_alert))
        self.assertEqual({}, {record: alerts
                              for record, alerts in found.items()
                              if len(set(alerts)) > 1})


def seen(daemon):
    """Give the alert ids that came, by record."""
    found = collections.defaultdict(list)
    for message in daemon.collector.messages["alerts"]:
        alert = message.json()
        found[alert["record_id"]].append(alert["alert_id"])
    return found


if __name__ == "__main__":
    unittest.main()
