"""Three rules side by side in one ruleset, each with its own alerts.

The configuration is the one of doc/rules/rules.md: the built-in rule and two
rule files, with one ruleset for all alerts. Each record alerts under the rule
that it belongs to, a message that is none of them under none; a rule file's
record waits for the role list as the built-in rule's does, and its actions
count for themselves. A rule file that is refused stops the check, with file,
line, column and word.
"""

import re
import unittest

import ticks
from harness import Daemon, as_text, check_config
from records import (BOTH_MODULES, MODULE, ROLE_KEEPER, audit, identity,
                     mmsynctap, target)
from workplace import stage

RULES = stage() / "share" / "synctap" / "rules"
TAP = "9b1a0008-1008-4108-9108-aadprov00008"
PASSWORD = "5a0e3c1d-6f0b-4c57-9d0e-2f1c7a9b4e01"
CREDENTIAL = "5a0e3c1d-6f0b-4c57-9d0e-2f1c7a9b4e02"
UPN = "svc.aad@nordwind.example"
OBJECT_ID = "0d0d0d0d-1111-4222-8333-444444444444"


def action(name, rule=None):
    """Write one action of the three."""
    more = f' rule="{RULES / rule}"' if rule else ""
    return mmsynctap(f'ruleset="alerts" container="$!{name}"{more}').replace(
        'name="tap"', f'name="{name}"')


THREE = "\n".join((action("tap"),
                   action("password", "password-reset-on-sync-account.yaml"),
                   action("credential",
                          "credential-on-sync-identity.yaml")))


def key_on_application(record_id):
    """Make the record of a key on Connect's application."""
    return audit(record_id, {
        "id": "a1", "displayName": "ConnectSyncProvisioning_EDGE7_0a1b2c3d4e5f",
        "type": "Application", "modifiedProperties": [
            {"displayName": "KeyDescription", "oldValue": "[]",
             "newValue": "[\"[KeyIdentifier=1]\"]"}]},
        operation="Update application – Certificates and secrets management ")


class RuleFiles(unittest.TestCase):
    """One daemon, three actions."""

    def test_each_record_alerts_under_its_rule(self):
        with Daemon(THREE, BOTH_MODULES, roles=ROLE_KEEPER) as daemon:
            daemon.send([as_text(record) for record in (
                audit("tap", target("Sync_EDGE7_1@nordwind.example")),
                audit("password", target("Sync_EDGE7_1@nordwind.example"),
                      operation="Reset user password"),
                key_on_application("credential"),
                audit("none", target("Sync_EDGE7_1@nordwind.example"),
                      operation="Update user"))])
            originals = daemon.originals(4)
            alerts = [one.json() for one in daemon.alerts(3)]
            counters = {name: daemon.counters(name)
                        for name in ("tap", "password", "credential")}
        self.assertEqual({(one["record_id"], one["rule_id"])
                          for one in alerts},
                         {("tap", TAP), ("password", PASSWORD),
                          ("credential", CREDENTIAL)})
        self.assertEqual([sorted(one.tree) for one in originals],
                         [["tap"], ["password"], ["credential"], []])
        self.assertEqual([one["alerts"] for one in counters.values()],
                         [1, 1, 1])
        told, = (one for one in alerts if one["rule_id"] == CREDENTIAL)
        self.assertEqual(told["display_name"],
                         "Entra Connect's sync identity: key or secret on the "
                         "application (ConnectSyncProvisioning_EDGE7_"
                         "0a1b2c3d4e5f)")
        self.assertEqual(told["columns"]["Severity"], "High")

    def test_a_rule_file_joins_late(self):
        rule = action("password", "password-reset-on-sync-account.yaml")
        with Daemon(rule, BOTH_MODULES, roles=ROLE_KEEPER) as daemon:
            daemon.send([as_text(audit("late", target(UPN, OBJECT_ID),
                                       operation="Change user password."))])
            daemon.originals(1)
            row = identity("other@nordwind.example", OBJECT_ID)
            row["TimeGenerated"] = ticks.render(ticks.now())
            daemon.send([as_text(row)], to="roles")
            alert, = daemon.alerts(1)
        self.assertEqual((alert.json()["record_id"], alert.json()["late"],
                          alert.json()["matched_by"]),
                         ("late", True, ["identity_object_id"]))

    def test_a_refused_rule_stops_the_check(self):
        good = (RULES / "password-reset-on-sync-account.yaml").read_text()
        lines = good.split("\n")
        number = next(n for n, line in enumerate(lines)
                      if "| mv-expand" in line)
        lines[number] = "  | summarize count() by Result"
        with Daemon(mmsynctap(), MODULE) as daemon:
            path = daemon.write("refused.yaml", "\n".join(lines))
            status, words = check_config(
                mmsynctap(f'rule="{path}" ruleset="alerts"'), MODULE)
        self.assertNotEqual(status, 0)
        self.assertRegex(words, re.escape(
            f'refused.yaml:{number + 1}:5: "summarize"'.replace('"', "")
        ).replace("summarize", '.?summarize'))

    def test_lists_belong_to_the_built_in_rule(self):
        status, words = check_config(
            mmsynctap(f'rule="{RULES / "tap-on-sync-account.yaml"}" '
                      'roles=["x"]'), MODULE)
        self.assertNotEqual(status, 0)
        self.assertIn("edit the file", words)



if __name__ == "__main__":
    unittest.main()
