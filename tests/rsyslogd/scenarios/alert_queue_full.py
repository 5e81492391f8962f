"""An alert queue that is full holds messages back; no alert is lost.

Once its reader is slow: the alert ruleset's queue takes twenty messages and
hands one on every ten milliseconds, while two hundred matching records come
at once. mmsynctap waits at the full queue, rsyslog slows its sender down, and
in the end every record has its alert. The counter held_back says that there
was a wait.

Once its reader stops altogether. The worker that has a matching message waits
with it; another worker lets other messages flow. A role that is loaded
meanwhile makes late alerts, which wait as well. HUP is obeyed. When the
reader is back, all alerts come, each once.

Once the queue goes to disk where its memory is full: the records go on, as
many as the disk takes.

Once the alerts go to the ruleset that the action stands in. Its worker does
not wait for itself: the records go on, and each alert comes or is logged.

And once the daemon is stopped while nobody reads: it ends, and the next one
has everything that was held back.
"""

import unittest

from harness import Daemon, inputs, settings
from records import MODULE, ids, mmsynctap, text
from sample import AUDIT, IDENTITY, Lines, SampleDaemon
from troubled import LATE, PERSON, SYNC, Troubled

RECORDS = 200
# So long that few alerts fill what lies between the daemon and its reader.
LONG = SYNC | {"displayName": "x" * 100_000}
SMALL = """
ruleset(name="small" queue.type="LinkedList" queue.size="20"
        queue.dequeueBatchSize="1" {more}) {{
    {action}
}}
"""
SLOW = SMALL.format(more='queue.dequeueSlowdown="10000"', action="call alerts")
SPILLED = SMALL.format(more='queue.size="100" queue.filename="spilled"',
                       action="@ALERTS@").replace('queue.size="20"', "")
STOPPING = SMALL.format(more="", action="@ALERTS@")
OWN = ('queue.type="LinkedList" queue.size="400" queue.dequeueBatchSize="1" '
       'queue.timeoutEnqueue="10"')
TWO_WORKERS = ('queue.type="LinkedList" queue.workerThreads="2" '
               'queue.workerThreadMinimumMessages="1" '
               'queue.dequeueBatchSize="1"')


class AlertQueueFull(unittest.TestCase):
    """The reader of the alerts is this test."""

    def test_a_slow_reader(self):
        names = [f"record {number}" for number in range(RECORDS)]
        rules = mmsynctap('ruleset="slow"')
        with Daemon(rules, MODULE + SLOW.replace("small", "slow")) as daemon:
            daemon.send([text(name, SYNC) for name in names])
            daemon.originals(RECORDS)
            alerts = daemon.alerts(RECORDS)
            counters = daemon.counters("tap")
        self.assertEqual([alert.json()["record_id"] for alert in alerts],
                         names)
        self.assertEqual(counters["alerts"], RECORDS)
        self.assertGreater(counters["held_back"], 0)

    def test_a_reader_that_stops_for_a_while(self):
        with Troubled(alerts="small", more=STOPPING,
                      queue=TWO_WORKERS) as daemon:
            daemon.pass_by("late 1", "late 2")
            daemon.collector.pause("alerts")
            names = self._send_until_held_back(daemon)
            daemon.give_role(LATE)
            daemon.wait_statistics("tap", sync_accounts=2)
            daemon.hup()
            daemon.pass_by("others flow after HUP",
                           upn=PERSON["userPrincipalName"])
            daemon.counters("tap")
            daemon.collector.resume("alerts")
            daemon.originals(1)
            alerts = daemon.alerts(len(names) + 2)
            daemon.wait_statistics("tap", alerts=len(names) + 2,
                                   late_alerts=2)
            self.assertGreater(daemon.statistics("tap")["held_back"], 0)
        self.assertEqual(sorted(ids(alerts)),
                         sorted([*names, "late 1", "late 2"]))
        self.assertEqual([name for name in ids(alerts) if name in names],
                         names)

    def test_a_queue_that_goes_to_disk(self):
        names = [f"record {number}" for number in range(RECORDS)]
        rules = mmsynctap('ruleset="spilled"')
        with Daemon(rules, MODULE + SPILLED.replace("small", "spilled")) \
                as daemon:
            daemon.collector.pause("alerts")
            daemon.send([text(name, LONG) for name in names])
            daemon.originals(RECORDS)
            daemon.collector.resume("alerts")
            alerts = daemon.alerts(RECORDS)
        self.assertEqual(sorted(ids(alerts)), sorted(names))

    def test_the_ruleset_of_the_action_itself(self):
        self._goes_on_in_its_own_ruleset("incoming")

    def test_the_ruleset_of_the_action_itself_with_a_long_name(self):
        """Linux keeps 15 bytes of a thread's name."""
        self._goes_on_in_its_own_ruleset("incoming-records-of-entra")

    def test_the_first_message_tells_of_that_mistake(self):
        """Not the first alert, for which one may wait a year."""
        incoming = inputs(mmsynctap('ruleset="incoming"'), queue=OWN)
        with Daemon(own=f"{settings()}\n{MODULE}\n{incoming}") as daemon:
            daemon.send(["no record at all"])
            daemon.internal("the ruleset that the action itself stands in")
            daemon.originals(1)

    def _goes_on_in_its_own_ruleset(self, name):
        """Nothing holds the sender back: his records soon fill the queue."""
        incoming = inputs(mmsynctap('ruleset="incoming"'), queue=OWN).replace(
            'type="imtcp"', 'type="imtcp" flowControl="off"').replace(
            '"incoming"', f'"{name}"')
        daemon = Daemon(own=f"{settings()}\n{MODULE}\n{incoming}")
        with daemon:
            daemon.send([text(f"record {number}", SYNC)
                         for number in range(RECORDS * 5)])
            daemon.internal("the ruleset that the action itself stands in")
            daemon.internal("did not take this alert")
            daemon.wait_statistics(name, size=0)
            daemon.end()
            came = [one.json() for one in daemon.originals(
                len(daemon.collector.messages["originals"]))]
            said = " ".join(one.text for one in
                            daemon.said("did not take this alert"))
        judged = {one["properties"]["id"] for one in came
                  if "properties" in one}
        alerted = {one["record_id"] for one in came if "record_id" in one}
        self.assertEqual(set(), {name for name in judged - alerted
                                 if f'"record_id":"{name}"' not in said})

    def _send_until_held_back(self, daemon):
        """Send matching records one by one until one does not come out.

        Whether it is only slow is seen from the next, which matches nothing:
        it goes through the other worker.
        """
        came = daemon.collector.messages["originals"]
        names = []
        while True:
            names.append(f"matching {len(names)}")
            before = len(came)
            daemon.send([text(names[-1], LONG)])
            if daemon.collector.wait(lambda: len(came) > before, 0.5):
                daemon.originals(1)
                continue
            daemon.send([text("others flow", PERSON)])
            name = daemon.originals(1)[0].json()["properties"]["id"]
            if name == "others flow":
                return names
            daemon.originals(1)

    def test_a_stop_while_nobody_reads(self):
        daemon = SampleDaemon(('queue.type="Disk"',
                               'queue.type="Disk" queue.size="20"'))
        lines, _ = Lines(daemon, AUDIT), Lines(daemon, IDENTITY)
        names = [f"record {number}" for number in range(RECORDS)]
        with daemon:
            daemon.collector.pause("alerts")
            lines.add(text(name, LONG) for name in names)
            # rsyslog holds senders back a little before the queue is full
            daemon.wait_statistics("synctap-alerts", size=19)
            daemon.end()
            daemon.collector.resume("alerts")
            # omfwd does not send again what the end cut off on its way
            names = [name for name in names
                     if f'"record_id": "{name}"'.encode()
                     not in b"".join(daemon.collector.pieces)]
            self.assertGreaterEqual(len(names), RECORDS - 1)
            daemon.start()
            daemon.collector.wait(lambda: set(names) <= set(
                ids(daemon.collector.messages["alerts"])))
            daemon.end()
            alerts = daemon.alerts(len(daemon.collector.messages["alerts"]))
        self.assertEqual(set(), set(names) - set(ids(alerts)))


if __name__ == "__main__":
    unittest.main()
