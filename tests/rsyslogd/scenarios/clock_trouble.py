"""Clocks that are wrong: those of the records, and the machine's own.

Records from the future alert like others, and once. Of records that arrive
late, those that are still inside the lookback alert; older ones are counted
as stale.

The machine's clock is set forward by two days while the daemon runs. Names
and known roles go on matching; what waited is too old now, and is forgotten.
Then the clock is set back by two days, once more by one: what came before
still waits and matches when its role comes, a row that alerted is known, and
messages flow. An hour's step back or forward, as a machine without a battery
makes it, changes nothing.

libfaketime (Debian package libfaketime) stands between the daemon and the
clock; without it the second half is skipped.
"""

import glob
import unittest

import ticks
from harness import as_text
from records import audit, ids, identity, target
from troubled import KNOWN, LATE, SYNC, Troubled

FAKETIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
LATE_TARGET = target(LATE)


def record(name, whom, age=0):
    """Make a record of that many ticks ago."""
    made = audit(name, whom)
    made["time"] = ticks.render(ticks.now() - age)
    return as_text(made)


class RecordsTime(unittest.TestCase):
    """The machine's clock is right."""

    def test_the_future(self):
        with Troubled() as daemon:
            ahead = record("ahead", SYNC, -2 * ticks.DAY)
            daemon.send([ahead])
            daemon.originals(1)
            self.assertEqual(["ahead"], ids(daemon.alerts(1)))
            daemon.send([ahead, record("waits", LATE_TARGET, -2 * ticks.DAY)])
            duplicate, waits = daemon.originals(2)
            self.assertEqual("duplicate", duplicate.tree["synctap"]["status"])
            self.assertEqual({}, waits.tree)
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            daemon.detection_goes_on("then")

    def test_a_day_late(self):
        with Troubled() as daemon:
            daemon.send([record("an hour less", SYNC, 23 * ticks.HOUR),
                         record("an hour more", SYNC, 25 * ticks.HOUR),
                         record("waits", LATE_TARGET, 23 * ticks.HOUR),
                         record("too late", LATE_TARGET, 25 * ticks.HOUR)])
            tagged = [original.tree for original in daemon.originals(4)]
            self.assertEqual([True, False, False, False],
                             list(map(bool, tagged)))
            self.assertEqual(["an hour less"], ids(daemon.alerts(1)))
            daemon.wait_statistics("tap", stale=2)
            self.assertIn("came after the lookback of 1 d,",
                          daemon.internal("mmsynctap", "lookback").text)
            daemon.give_role(LATE)
            daemon.late_alerts("waits")
            daemon.end()
            self.assertRegex(
                daemon.synctap("status", "--database", daemon.database,
                               statuses=(2,)),
                r'broken +too late +action "tap": 2 records of the rule')


@unittest.skipUnless(FAKETIME, "no libfaketime")
class MachinesTime(unittest.TestCase):
    """The records' times are right, the machine's clock is set."""

    def _daemon(self):
        daemon = Troubled(environment={
            "LD_PRELOAD": FAKETIME[0], "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": "@WORK@/clock",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        self._write_clock(daemon, "+0")
        return daemon

    @staticmethod
    def _write_clock(daemon, offset):
        """Whole or not at all: libfaketime reads it at any moment."""
        new = daemon.write("clock.new", offset)
        new.replace(new.with_name("clock"))

    def _set(self, daemon, by, unit, name):
        """Set the clock, and see in an alert that it is so."""
        self._write_clock(daemon, f"{by:+d}{unit}")
        there = by * {"d": ticks.DAY, "h": ticks.HOUR}[unit]
        daemon.send([record(name, SYNC, -there)])
        daemon.originals(1)
        alert, = daemon.alerts(1)
        self.assertEqual([name], ids([alert]))
        self.assertLess(abs(ticks.parse(alert.json()["detected_at"])
                            - ticks.now() - there), ticks.HOUR // 2)

    def _before(self, daemon):
        daemon.alert("before", SYNC)
        daemon.pass_by("waits")
        daemon.wait_statistics("tap", pending=1)

    def test_forward_by_two_days(self):
        with self._daemon() as daemon:
            self._before(daemon)
            self._set(daemon, 2, "d", "then")
            daemon.send([record("then", SYNC, -2 * ticks.DAY),
                         record("by role", target(KNOWN), -2 * ticks.DAY)])
            daemon.originals(2)
            self.assertEqual(["by role"], ids(daemon.alerts(1)))
            daemon.send([record("before", SYNC)])
            self.assertEqual({}, daemon.originals(1)[0].tree)
            daemon.wait_statistics("tap", stale=1, duplicates=1)
            row = identity(LATE)
            row["TimeGenerated"] = ticks.render(ticks.now() + 2 * ticks.DAY)
            daemon.send([as_text(row)], to="roles")
            daemon.wait_statistics("tap", sync_accounts=2, late_alerts=0)

    def test_back_by_two_days(self):
        with self._daemon() as daemon:
            self._before(daemon)
            self._set(daemon, -2, "d", "two days back")
            self._as_before(daemon)
            self._set(daemon, -3, "d", "three days back")
            daemon.repeat("before", SYNC)
            daemon.detection_goes_on("at last")

    def test_by_an_hour(self):
        for by in (1, -1):
            with self.subTest(by=by), self._daemon() as daemon:
                self._before(daemon)
                self._set(daemon, by, "h", "an hour off")
                self._as_before(daemon)
                daemon.end()
                daemon.start()
                daemon.repeat("before", SYNC)
                daemon.detection_goes_on("at last")

    def _as_before(self, daemon):
        daemon.detection_goes_on("since")
        daemon.repeat("before", SYNC)
        daemon.pass_by("waits since")
        daemon.give_role(LATE)
        daemon.late_alerts("waits", "waits since")


if __name__ == "__main__":
    unittest.main()
