# SPDX-License-Identifier: Apache-2.0
"""What graph-poll writes is read by imfile, as in/graph-poll.conf has it.

Every file of a day, the lines that are added to it, a new day's file, and
nothing twice after a restart. Records that graph-poll fetched again are
duplicates.
"""

import unittest

import samples
import ticks
from harness import as_text
from records import ids, target


def graph(record_id, upn):
    """Make a record as Graph gives it."""
    return as_text({
        "id": record_id, "category": "UserManagement", "result": "success",
        "activityDisplayName": "Admin registered security info",
        "activityDateTime": ticks.render(ticks.now()),
        "loggedByService": "Authentication Methods",
        "initiatedBy": {"user": {
            "id": "99999999-8888-4777-8666-555555555555",
            "userPrincipalName": "admin@nordwind.example",
            "ipAddress": "203.0.113.9"}},
        "targetResources": [target(upn)]}) + "\n"


class GraphPollFiles(unittest.TestCase):
    """One collector, three files, two lives."""

    def test_files_of_days(self):
        sync, other = "Sync_a@nordwind.example", "anna@nordwind.example"
        daemon = samples.collector("in/graph-poll.conf")
        path = daemon.write("audit-20260601.jsonl",
                            graph("first", sync) + graph("no match", other))
        with daemon:
            self.assertEqual(["first"], ids(daemon.alerts(1)))
            with open(path, "a", encoding="utf-8") as file:
                file.write(graph("first", sync) + graph("added", sync))
            self.assertEqual(["added"], ids(daemon.alerts(1)))
            daemon.write("audit-20260602.jsonl", graph("next day", sync))
            self.assertEqual(["next day"], ids(daemon.alerts(1)))
            daemon.wait_statistics("synctap", messages=5, duplicates=1)
            daemon.end()
            daemon.start()
            with open(path, "a", encoding="utf-8") as file:
                file.write(graph("after a restart", sync))
            self.assertEqual(["after a restart"], ids(daemon.alerts(1)))
            daemon.wait_statistics("synctap", messages=1)


if __name__ == "__main__":
    unittest.main()
