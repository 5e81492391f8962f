"""learn="roles": the stream tells who gets and loses a sync role.

A pass on an account that got the role a moment ago alerts, late if it came
first; over a restart, too. A snapshot of the role list knows better. Who lost
the role is still watched. Without the parameter none of it happens.
"""

import json
import unittest

import ticks
from harness import Daemon, as_text, check_config
from records import BOTH_MODULES, MODULE, ROLE_KEEPER, audit, mmsynctap, target

UPN = "svc.aad@nordwind.example"
OBJECT_ID = "0d0d0d0d-1111-4222-8333-444444444444"
TEMPLATE = "d29b2b05-8046-44ba-8758-1e26182fcf32"
LEARNING = mmsynctap('ruleset="alerts" learn="roles"', semantics="wide")


def role_record(record_id, operation, old, new):
    """Make the text of a record of Core Directory's."""
    record = audit(record_id, {
        "id": OBJECT_ID, "type": "User", "userPrincipalName": UPN,
        "modifiedProperties": [{"displayName": "Role.TemplateId",
                                "oldValue": old, "newValue": new}]},
        operation=operation)
    record["properties"]["loggedByService"] = "Core Directory"
    record["properties"]["result"] = "success"
    return as_text(record)


def gain(record_id="gain"):
    """Somebody gets the role."""
    return role_record(record_id, "Add member to role", None,
                       json.dumps(TEMPLATE))


def loss(record_id="loss"):
    """Somebody loses it."""
    return role_record(record_id, "Remove member from role",
                       json.dumps(TEMPLATE), None)


def register(record_id):
    """Somebody registers a pass on the account."""
    return as_text(audit(record_id, target(UPN, OBJECT_ID)))


def told(alert):
    """Give what an alert says of the role."""
    alert = alert.json()
    return (alert["record_id"], alert["matched_by"], alert["kql"],
            alert["late"])


def by(record_id, why, late):
    """Give what it should say; both names of the account are known."""
    return (record_id, ["identity_upn", "identity_object_id", why], False,
            late)


class LearnedRoles(unittest.TestCase):
    """One action."""

    def test_a_pass_before_and_after_the_role(self):
        with Daemon(LEARNING, MODULE) as daemon:
            daemon.send([register("before")])
            daemon.originals(1)
            daemon.send([gain()])
            self.assertEqual(daemon.originals(1)[0].tree, {})
            daemon.internal("who got or lost a sync role: 1 by now")
            self.assertEqual(told(daemon.alerts(1)[0]),
                             by("before", "role_learned", True))
            daemon.send([register("after")])
            daemon.originals(1)
            self.assertEqual(told(daemon.alerts(1)[0]),
                             by("after", "role_learned", False))

    def test_what_was_learned_outlives_a_kill(self):
        with Daemon(LEARNING, MODULE) as daemon:
            daemon.send([gain()])
            daemon.originals(1)
            daemon.kill()
            daemon.start()
            daemon.send([register("after")])
            daemon.originals(1)
            self.assertEqual(told(daemon.alerts(1)[0])[:2],
                             by("after", "role_learned", False)[:2])

    def test_who_lost_the_role_is_still_watched(self):
        with Daemon(LEARNING, MODULE) as daemon:
            daemon.send([gain(), loss(), register("after")])
            daemon.originals(3)
            record_id, why, kql, _ = told(daemon.alerts(1)[0])
        self.assertEqual((record_id, kql), ("after", False))
        self.assertEqual(why[:2], ["identity_upn", "identity_object_id"])

    def test_a_snapshot_knows_better(self):
        with Daemon(LEARNING, BOTH_MODULES, roles=ROLE_KEEPER) as daemon:
            daemon.send([register("first"), gain()])
            daemon.originals(2)
            daemon.alerts(1)
            path = daemon.write("ids.jsonl", json.dumps({
                "TimeGenerated": ticks.render(ticks.now()),
                "AccountUPN": "other@nordwind.example",
                "AccountObjectId": "o2", "AccountDisplayName": "Other",
                "AssignedRoles": ["Directory Synchronization Accounts"],
                "Type": "IdentityInfo"}))
            daemon.synctap("identity", "import", "--snapshot", "--database",
                           daemon.work.path / "synctap.db", path)
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.send([register("after")])
            self.assertEqual(daemon.originals(1)[0].tree, {})

    def test_without_it_nothing_is_learned(self):
        with Daemon(mmsynctap('ruleset="alerts"'), MODULE) as daemon:
            daemon.send([gain(), register("after")])
            trees = [one.tree for one in daemon.originals(2)]
            counters = daemon.counters("tap")
        self.assertEqual(trees, [{}, {}])
        self.assertEqual(counters["candidates"], 1)

    def test_with_kql_it_is_refused(self):
        status, words = check_config(
            mmsynctap('ruleset="alerts" learn="roles" semantics="kql"'),
            MODULE)
        self.assertNotEqual(status, 0)
        self.assertIn("wide semantics alone", words)


if __name__ == "__main__":
    unittest.main()
