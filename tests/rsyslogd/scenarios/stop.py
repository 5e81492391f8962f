"""A stop is obeyed wherever a thread is, and what was held back is kept.

All with rsyslog's own timeouts, after which it cancels its workers.

Twenty matching records in one message meet an alert queue that is full, and
nobody reads. SIGTERM: the daemon ends, and the next one has all their alerts.

The rules have a queue of their own, which ends after the alerts' queue. What
it still judges at the stop is no alert in a queue that has ended: all of them
come, from this daemon or the next, each once.

What a stop meets at work, or waiting for a lock: stop_anywhere.py.
"""

import json
import time
import unittest

from harness import Daemon
from records import MODULE, audit, ids, mmsynctap, text
from troubled import SYNC

SOON = 20  # seconds, for a machine that is busy; 60 is the harness's patience
HELD_BACK, FILLERS, LOAD = 20, 40, 4000
FULL = """
ruleset(name="full" queue.type="Disk" queue.filename="full" queue.size="4"
        queue.dequeueBatchSize="1") { @ALERTS@ }
"""


def batch(records):
    """Write one message of many records."""
    return json.dumps({"records": list(records)})


class Stop(unittest.TestCase):
    """SIGTERM at bad moments."""

    def test_what_a_full_queue_holds_back_is_kept(self):
        for queue in ("", 'queue.type="LinkedList"'):
            with self.subTest(queue=queue):
                self._hold_back(queue)

    def _hold_back(self, queue):
        long = SYNC | {"displayName": "x" * 100_000}
        names = [f"record {number}" for number in range(HELD_BACK)]
        daemon = Daemon(mmsynctap('ruleset="full"'), MODULE + FULL,
                        max_message_size="100m", queue=queue)
        with daemon:
            daemon.collector.pause("alerts")
            daemon.send([batch(
                [audit(f"filler {number}", long) for number in range(FILLERS)]
                + [audit(name, SYNC) for name in names])])
            daemon.wait_until(
                lambda: daemon.statistics("full").get("size", 0) >= 3,
                "a full queue")
            self.end_soon(daemon)
            daemon.start()
            for name in names:
                daemon.wait_alert(name)
            self.end_soon(daemon)
            daemon.originals(len(daemon.collector.messages["originals"]))
            alerts = daemon.alerts(len(daemon.collector.messages["alerts"]))
            self.assertEqual(names, sorted(set(ids(alerts)) & set(names),
                                           key=names.index))

    def end_soon(self, daemon):
        """Stop the daemon; it must not take its time."""
        begin = time.monotonic()
        daemon.end()
        self.assertLess(time.monotonic() - begin, SOON)

    def test_nothing_is_put_into_a_queue_that_has_ended(self):
        daemon = Daemon(mmsynctap('ruleset="alerts"'), MODULE,
                        queue='queue.type="LinkedList" queue.size="50000" '
                              'queue.dequeueBatchSize="16"')
        names = [f"record {number}" for number in range(LOAD)]
        with daemon:
            daemon.send([text(name, SYNC) for name in names])
            daemon.alerts(1)
            self.end_soon(daemon)
            came = {message.json()["properties"]["id"] for message
                    in daemon.collector.messages["originals"]}
            daemon.start()
            for name in came:
                daemon.wait_alert(name)
            self.end_soon(daemon)
            alerts = ids(daemon.collector.messages["alerts"])
            daemon.alerts(len(alerts) - 1)
            daemon.originals(len(daemon.collector.messages["originals"]))
        self.assertEqual(len(alerts), len(set(alerts)))
        self.assertLessEqual(came, set(alerts))


if __name__ == "__main__":
    unittest.main()
