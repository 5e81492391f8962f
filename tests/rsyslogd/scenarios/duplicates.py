"""A row alerts once, however often its record comes.

The second delivery of a record is tagged as a duplicate, with the alert as it
was, and no alert message is made of it. So it is after a restart, after a
kill, and without a ruleset, where the tag itself is the alert. A message that
has one row that is new is a match, and only that row makes an alert message.
"""

import unittest

from harness import Daemon, as_text
from records import MODULE, audit, ids, mmsynctap, target, text

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
OTHER = target("Sync_HOST2_0123456789ab@nordwind.example")
REROUTE = 'ruleset="alerts"'


class Duplicates(unittest.TestCase):
    """The same record more than once."""

    def _tags(self, daemon, *records):
        """Send records and give their tags."""
        daemon.send(list(records))
        return [original.tree.get("synctap") for original in
                daemon.originals(len(records))]

    def _statuses(self, daemon, *records):
        return [tag["status"] for tag in self._tags(daemon, *records)]

    def test_the_second_delivery_is_a_duplicate(self):
        record = text("one", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            first, second, third = self._tags(daemon, record, record, record)
            alert = daemon.alerts(1)[0].json()
            daemon.wait_statistics("tap", messages=3, candidates=3, matched=1,
                                   alerts=1, duplicates=2)
        self.assertEqual(["match", "duplicate", "duplicate"],
                         [tag["status"] for tag in (first, second, third)])
        self.assertEqual([1, 1], [second["count"], third["count"]])
        self.assertEqual(alert, first["alert"])
        self._check_repeat(alert, second)

    def _check_repeat(self, alert, tag):
        """The alert of a duplicate is the one that was, counted no more."""
        repeat = tag["alert"]
        self.assertEqual([repeat], tag["alerts"])
        self.assertEqual(alert["alert_id"], repeat["alert_id"])
        self.assertEqual(dict(alert["incident"], new=False),
                         repeat["incident"])

    def test_without_a_ruleset_the_tag_is_the_alert(self):
        record = text("one", SYNC)
        with Daemon(mmsynctap(), MODULE) as daemon:
            self.assertEqual(["match", "duplicate"],
                             self._statuses(daemon, record, record))
            daemon.wait_statistics("tap", matched=1, alerts=1, duplicates=1)

    def test_a_record_that_changed_its_wrapping_is_a_duplicate(self):
        record = audit("one", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            self.assertEqual(
                ["match", "duplicate"], self._statuses(
                    daemon, as_text(record), as_text({"records": [record]})))
            daemon.alerts(1)

    def test_one_new_row_makes_a_match_of_the_message(self):
        old, new = audit("old", SYNC), audit("new", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            first, second = self._tags(daemon, as_text(old),
                                       as_text({"records": [old, new]}))
            self.assertEqual(["old", "new"], ids(daemon.alerts(2)))
            daemon.wait_statistics("tap", matched=2, alerts=2, duplicates=1)
        self.assertEqual(("match", 2), (second["status"], second["count"]))
        self.assertEqual(["old", "new"], [
            alert["record_id"] for alert in second["alerts"]])
        self.assertEqual("match", first["status"])

    def test_a_row_that_stands_twice_in_a_message_alerts_once(self):
        record = audit("one", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            tag, = self._tags(daemon, as_text({"records": [record, record]}))
            daemon.alerts(1)
            daemon.wait_statistics("tap", alerts=1, duplicates=1)
        self.assertEqual(("match", 2), (tag["status"], tag["count"]))

    def test_another_target_is_another_row(self):
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            self.assertEqual(["match", "match"], self._statuses(
                daemon, text("one", SYNC), text("one", OTHER)))
            daemon.alerts(2)

    def test_it_is_known_after_an_orderly_end(self):
        record = text("one", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            self.assertEqual(["match"], self._statuses(daemon, record))
            daemon.alerts(1)
            daemon.end()
            daemon.start()
            self.assertEqual(["duplicate"], self._statuses(daemon, record))

    def test_what_was_handed_on_is_known_after_a_kill(self):
        record = text("one", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            self._statuses(daemon, record)
            first, = daemon.alerts(1)
            # What came behind it shows that the first was marked as sent.
            self._statuses(daemon, text("two", SYNC))
            daemon.alerts(1)
            daemon.restart()
            tag, = self._tags(daemon, record)
        first = first.json()
        self.assertEqual(
            ("duplicate", first["alert_id"], first["incident"]["id"], False),
            (tag["status"], tag["alert"]["alert_id"],
             tag["alert"]["incident"]["id"], tag["alert"]["incident"]["new"]))

    def test_two_actions_on_one_database_each_alert(self):
        both = mmsynctap(REROUTE) + mmsynctap(REROUTE).replace(
            'name="tap"', 'name="other" container="$!other"')
        record = text("one", SYNC)
        with Daemon(both, MODULE) as daemon:
            daemon.send([record, record])
            first, second = daemon.originals(2)
            daemon.alerts(2)
        self.assertEqual(
            [("match", "match"), ("duplicate", "duplicate")],
            [(one.tree["synctap"]["status"], one.tree["other"]["status"])
             for one in (first, second)])
