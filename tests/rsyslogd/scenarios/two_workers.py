"""Two workers share one action and lose, repeat and mix up nothing.

Four connections send 4,000 records through a queue with two workers, one in
ten for a sync account. Each of these comes out tagged and as one alert, with
its own record; the others come out as they were. An import that arrives in
between only adds to what matches. That both workers had a part is seen from
the connections by which rsyslogd sends on: it opens one for each.
"""

import json
import unittest

from harness import Daemon
from records import MODULE, identity, ids, mmsynctap, target, text

QUEUE = ('queue.type="LinkedList" queue.size="20000" queue.workerThreads="2" '
         'queue.workerThreadMinimumMessages="1" queue.dequeueBatchSize="16"')
LANES, EACH = 4, 1000
BY_NAME = target("Sync_HOST1_0123456789ab@nordwind.example")
BY_ROLE = target("svc.aad@nordwind.example")
PERSON = target("anna.berg@nordwind.example")


def lane_records(lane):
    """Make the records of a connection: each tenth matches."""
    for number in range(EACH):
        whom = (BY_NAME, BY_ROLE)[number // 10 % 2] if number % 10 == 0 \
            else PERSON
        yield text(f"{lane}-{number}", whom)


class TwoWorkers(unittest.TestCase):
    """The rules run in two threads at a time."""

    def test_each_match_makes_one_tag_and_one_alert(self):
        daemon = Daemon(mmsynctap('ruleset="alerts"'), MODULE, queue=QUEUE)
        path = daemon.write("ids.jsonl", json.dumps(
            identity(BY_ROLE["userPrincipalName"])))
        daemon.synctap("identity", "import", "--database",
                       daemon.work.path / "synctap.db", path)
        sent = {lane: list(lane_records(lane)) for lane in range(LANES)}
        with daemon:
            for lane, records in sent.items():
                daemon.send(records, lane=lane)
            originals = daemon.originals(LANES * EACH)
            alerts = daemon.alerts(LANES * EACH // 10)
            self.assertEqual(2, daemon.collector.connections["originals"])
        self._check(sent, originals, alerts)

    def _check(self, sent, originals, alerts):
        self.assertEqual(
            sorted(record.encode() for records in sent.values()
                   for record in records),
            sorted(original.raw for original in originals))
        matching = sorted(f"{lane}-{number}" for lane in range(LANES)
                          for number in range(0, EACH, 10))
        self.assertEqual(matching, sorted(ids(alerts)))
        self.assertEqual(matching, sorted(
            original.json()["properties"]["id"] for original in originals
            if original.tree))
        for original in originals:
            if original.tree:
                self.assertEqual(
                    original.tree["synctap"]["alert"]["record_id"],
                    original.json()["properties"]["id"])

    def test_an_import_meanwhile_only_adds(self):
        with Daemon(mmsynctap(), MODULE, queue=QUEUE) as daemon:
            daemon.send([text(f"first {number}", BY_NAME)
                         for number in range(EACH)])
            path = daemon.write("ids.jsonl", json.dumps(
                identity(BY_ROLE["userPrincipalName"])))
            daemon.synctap("identity", "import", "--database",
                           daemon.work.path / "synctap.db", path)
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.send([text(f"then {number}", BY_ROLE)
                         for number in range(EACH)], lane=1)
            originals = daemon.originals(2 * EACH)
        self.assertEqual([], [original for original in originals
                              if not original.tree])
