"""Four workers, role-list changes and HUPs while records flow.

Four connections send records through a queue with four workers. Some match
by name, some by a role that is known; some belong to accounts whose roles
come one after the other meanwhile, by omidentityinfo and by the command line.
Some records are sent by two connections at once. In between come HUPs. Every
record comes out as it went in, each that must alert has one alert, and the
counters say the same.

tests/rsyslogd/tsan runs it in a rsyslogd that watches over its threads.
SYNCTAP_ROUNDS makes it longer.
"""

import collections
import os
import unittest

from records import ids, target, text
from troubled import KNOWN, PERSON, SYNC, Troubled

ROUNDS = int(os.environ.get("SYNCTAP_ROUNDS", "8"))
LANES, EACH = 4, 40
QUEUE = ('queue.type="LinkedList" queue.size="20000" queue.workerThreads="4" '
         'queue.workerThreadMinimumMessages="1" queue.dequeueBatchSize="8"')


class FourWorkers(unittest.TestCase):
    """All that may happen at once."""

    def test_each_alert_comes_once(self):
        self.sent = collections.Counter()
        self.must_alert, self.twice = set(), 0
        with Troubled(queue=QUEUE) as daemon:
            for number in range(ROUNDS):
                self._round(daemon, number)
            count = sum(self.sent.values())
            originals = daemon.originals(count)
            alerts = daemon.alerts(len(self.must_alert))
            daemon.wait_statistics(
                "tap", messages=count, duplicates=self.twice,
                alerts=len(self.must_alert), sync_accounts=ROUNDS + 1,
                state_errors=0)
        self.assertEqual(sorted(ids(alerts)), sorted(self.must_alert))
        self.assertEqual(self.sent, collections.Counter(
            original.text for original in originals))

    def _round(self, daemon, number):
        late = f"late{number}.aad@nordwind.example"
        self._send(daemon, f"{number} before", late)
        if number % 2:
            daemon.import_role(late)
        else:
            daemon.give_role(late)
        self._send(daemon, f"{number} after", late)
        daemon.hup()

    def _send(self, daemon, name, late):
        """Send a batch by each connection; one record comes by two."""
        targets = SYNC, target(KNOWN), target(late), PERSON
        shared = text(f"{name}, shared", SYNC)
        self.must_alert.add(f"{name}, shared")
        self.twice += LANES - 1
        for lane in range(LANES):
            records = [shared]
            for number in range(EACH):
                whom = targets[number % len(targets)]
                record = f"{name}, {lane}-{number}"
                records.append(text(record, whom))
                if whom is not PERSON:
                    self.must_alert.add(record)
            self.sent.update(records)
            daemon.send(records, lane=lane)


if __name__ == "__main__":
    unittest.main()
