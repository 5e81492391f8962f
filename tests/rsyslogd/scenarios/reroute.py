"""Each matching row goes to the alert ruleset as a message of its own.

The alert message has the alert as its text, the host name and the reception
time of the message that it came from, the same tree with a count of 1, and
the tag, facility and severity of the contract, or those configured. The
original goes on its way with nothing but the tag. What does not match makes
no alert.
"""

import unittest
import uuid

from harness import Daemon, as_text
from records import (HEADER, MODULE, TENANT_ID, audit, ids, mmsynctap, target,
                     text)

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
PERSON = target("anna.berg@nordwind.example")
REROUTE = 'ruleset="alerts"'

KEYS = """alert_id rule_id rule_name rule_version severity tactics techniques
sub_techniques display_name description time_generated operation_name actor
source_ip target_upn target_resources result target_id actor_id result_reason
method tap caller_ip matched_by kql confidence late record_id correlation_id
tenant_id logged_by_service detected_at collector entities custom_details
incident columns selftest cut""".split()


class Reroute(unittest.TestCase):
    """Alerts go to a ruleset with a queue of its own."""

    def test_an_alert_message_is_what_the_contract_says(self):
        record = audit("one", SYNC)
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            daemon.send([HEADER + as_text(record), HEADER + "app: quiet",
                         text("two", PERSON)])
            original, _, _ = daemon.originals(3)
            alert, = daemon.alerts(1)
        self.assertEqual(alert.hostname, "edge7")
        self.assertEqual(alert.generated, original.generated)
        self.assertEqual((alert.facility, alert.severity),
                         ("authpriv", "alert"))
        self.assertEqual(alert.program, "synctap")
        self.assertIn(alert.tag, ("synctap", "synctap:"))
        self._check_trees(original, alert)
        self._check_alert(alert.json(), record)

    def _check_trees(self, original, alert):
        found = alert.json()
        tag = {"status": "match", "count": 1, "alert": found,
               "alerts": [found]}
        self.assertEqual(alert.tree, {"synctap": tag})
        self.assertEqual(original.tree, {"synctap": tag})

    def _check_alert(self, alert, record):
        """Check the alert of one row, key by key, save for what is chance."""
        self.assertEqual(list(alert), KEYS)
        properties = record["properties"]
        upn = SYNC["userPrincipalName"]
        expected = {
            "rule_id": "9b1a0008-1008-4108-9108-aadprov00008",
            "rule_name": "TAP Added to Entra Connector Account (Backdoor)",
            "rule_version": "1.0.0",
            "severity": "High",
            "tactics": ["Persistence", "PrivilegeEscalation"],
            "techniques": ["T1098", "T1556"],
            "sub_techniques": ["T1098.001", "T1078.004"],
            "display_name":
                f"TAP / security-info change on sync account {upn}",
            "description":
                "Admin registered security info performed by "
                "admin@nordwind.example against Entra Connector account "
                f"{upn}. TAP on sync accounts is the documented stealth "
                "backdoor.",
            "time_generated": record["time"],
            "operation_name": "Admin registered security info",
            "actor": "admin@nordwind.example",
            "source_ip": "203.0.113.9",
            "target_upn": upn,
            "target_resources": SYNC,
            "result": "success",
            "target_id": SYNC["id"],
            "actor_id": properties["initiatedBy"]["user"]["id"],
            "result_reason": properties["resultReason"],
            "method": "temporary_access_pass",
            "caller_ip": "198.51.100.7",
            "matched_by": ["upn_startswith"],
            "kql": True,
            "confidence": "exact",
            "late": False,
            "record_id": "one",
            "correlation_id": record["correlationId"],
            "tenant_id": TENANT_ID,
            "logged_by_service": "Authentication Methods",
            "custom_details": {
                "Operation": "Admin registered security info",
                "Actor": "admin@nordwind.example", "Target": upn},
            "columns": {
                "TimeGenerated": record["time"],
                "OperationName": "Admin registered security info",
                "Actor": "admin@nordwind.example",
                "SourceIP": "203.0.113.9", "TargetUpn": upn,
                "TargetResources": SYNC, "Result": "success"},
            "selftest": False,
            "cut": False,
        }
        self.assertEqual({key: alert[key] for key in expected}, expected)
        self.assertEqual(uuid.UUID(alert["alert_id"]).version, 5)
        self._check_entities(alert["entities"])

    def _check_entities(self, entities):
        """Check the three entities, whatever numbers they carry."""
        self.assertEqual(
            [(entity["Type"], entity.get("FullName"), entity.get("Address"))
             for entity in entities],
            [("account", SYNC["userPrincipalName"], None),
             ("account", "admin@nordwind.example", None),
             ("ip", None, "203.0.113.9")])
        self.assertEqual(entities[0]["Name"], "Sync_HOST1_0123456789ab")
        self.assertEqual(entities[0]["UPNSuffix"], "nordwind.example")
        self.assertEqual(entities[0]["AadUserId"], SYNC["id"])
        self.assertEqual(len({entity["$id"] for entity in entities}), 3)

    def test_each_row_makes_one_alert(self):
        sent = as_text({"value": [
            audit("first", SYNC, PERSON, SYNC), audit("second", PERSON),
            audit("third", target("svc-dirsync@x.example"))]})
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            daemon.send([sent])
            original, = daemon.originals(1)
            alerts = daemon.alerts(3)
        self.assertEqual(ids(alerts), ["first", "first", "third"])
        self.assertEqual(original.tree["synctap"]["alerts"],
                         [alert.json() for alert in alerts])
        self.assertEqual(len({alert.json()["alert_id"] for alert in alerts}),
                         3)
        for alert in alerts:
            self.assertEqual(alert.tree["synctap"]["count"], 1)
            self.assertEqual(alert.tree["synctap"]["alert"], alert.json())
            self.assertEqual(alert.tree["synctap"]["alerts"], [alert.json()])

    def test_tag_facility_and_severity_can_be_chosen(self):
        rules = mmsynctap(REROUTE + ' syslog.tag="tapwatch" '
                          'syslog.facility="local3" syslog.severity="crit"')
        with Daemon(rules, MODULE) as daemon:
            daemon.send([HEADER + text("one", SYNC)])
            daemon.originals(1)
            alert, = daemon.alerts(1)
        self.assertEqual(
            (alert.program, alert.facility, alert.severity, alert.hostname),
            ("tapwatch", "local3", "crit", "edge7"))

    def test_nothing_of_the_messages_own_tree_gets_into_the_alert(self):
        rules = 'set $!site = "north";\n' + mmsynctap(REROUTE)
        with Daemon(rules, MODULE) as daemon:
            daemon.send([text("one", SYNC)])
            original, = daemon.originals(1)
            alert, = daemon.alerts(1)
        self.assertEqual(set(original.tree), {"site", "synctap"})
        self.assertEqual(set(alert.tree), {"synctap"})

    def test_a_row_has_the_same_alert_id_in_every_collector(self):
        sent, found = HEADER + text("one", SYNC), set()
        for _ in range(2):
            with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
                daemon.send([sent])
                daemon.originals(1)
                found.add(daemon.alerts(1)[0].json()["alert_id"])
        self.assertEqual(len(found), 1)

    def test_the_counters_tell_what_happened(self):
        sent = [text("one", SYNC), text("two", PERSON), "noise"]
        with Daemon(mmsynctap(REROUTE), MODULE) as daemon:
            daemon.send(sent)
            daemon.originals(3)
            daemon.alerts(1)
            daemon.wait_statistics(
                "tap", messages=3, matched=1, alerts=1, undecodable=0,
                degraded_alerts=0, held_back=0, state_errors=0)
