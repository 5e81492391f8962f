"""An alert queue that is full holds messages back; no alert is lost.

The alert ruleset's queue takes twenty messages and hands one on every ten
milliseconds, while two hundred matching records come at once. mmsynctap
waits at the full queue, rsyslog slows its sender down, and in the end every
record has its alert. The counter held_back says that there was a wait.
"""

import unittest

from harness import Daemon
from records import MODULE, mmsynctap, target, text

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
RECORDS = 200
SLOW = """
ruleset(name="slow" queue.type="LinkedList" queue.size="20"
        queue.dequeueBatchSize="1" queue.dequeueSlowdown="10000"
        queue.timeoutShutdown="60000") {
    call alerts
}
"""


class FullAlertQueue(unittest.TestCase):
    """A slow reader of alerts."""

    def test_every_record_has_its_alert(self):
        names = [f"record {number}" for number in range(RECORDS)]
        rules = mmsynctap('ruleset="slow"')
        with Daemon(rules, MODULE + SLOW) as daemon:
            daemon.send([text(name, SYNC) for name in names])
            daemon.originals(RECORDS)
            alerts = daemon.alerts(RECORDS)
            counters = daemon.counters("tap")
        self.assertEqual([alert.json()["record_id"] for alert in alerts],
                         names)
        self.assertEqual(counters["alerts"], RECORDS)
        self.assertGreater(counters["held_back"], 0)


if __name__ == "__main__":
    unittest.main()
