"""Keys in another case are missing to the query, also inside rsyslogd.

rsyslogd looks keys of JSON up in any case (a switch of the whole process);
the command line does not. The query's semantics is the same in both: a UPN,
an id, a list of targets or an initiator under a key in another case is not
there. Wide semantics finds them, as text and as a tree that was parsed before,
whichever way rsyslogd's switch stands.
"""

import unittest

from harness import Daemon, as_text
from plain import OBJECT_ID, PERSON_UPN, SYNC_UPN, target, without
from records import HEADER, MODULE, audit, identity, mmsynctap

PERSON = target(PERSON_UPN)
SWITCHES = ("", 'global(variables.caseSensitive="on")\n')


def other_case(name):
    """Make a record with one key in another case; it names a sync account."""
    if name == "upn":
        return audit(name, dict(without(target(), "userPrincipalName"),
                                UserPrincipalName=SYNC_UPN))
    if name == "id":
        return audit(name, dict(without(PERSON, "id"), ID=OBJECT_ID))
    record = audit(name, target())
    properties = record["properties"]
    properties["TargetResources"] = properties.pop("targetResources")
    return record


NAMES = ("upn", "id", "list")


class Keys(unittest.TestCase):
    """Each record matches but for the case of one key."""

    def _alerts(self, semantics, switch, tree, records):
        """Give the alerts that records make."""
        rules, parameters = "", 'ruleset="alerts"'
        if tree:
            rules = 'action(type="mmjsonparse" cookie="")\n'
            parameters += ' property="$!"'
        daemon = Daemon(rules + mmsynctap(parameters, semantics),
                        switch + MODULE + '\nmodule(load="mmjsonparse")')
        daemon.synctap("identity", "import", "--database",
                       daemon.work.path / "synctap.db", daemon.write(
                           "ids.jsonl", as_text(identity(
                               "svc.aad@nordwind.example", OBJECT_ID))))
        with daemon:
            daemon.send([HEADER + "azure: " + as_text(record)
                         for record in records])
            daemon.originals(len(records))
            return [alert.json() for alert in daemon.stop().alerts]

    def _each(self, semantics, records):
        """Give the alerts in each way of reading, one after the other."""
        for switch in SWITCHES:
            for tree in (False, True):
                with self.subTest(switch=switch, tree=tree):
                    yield self._alerts(semantics, switch, tree, records)

    def test_the_query_misses_them(self):
        for alerts in self._each("kql", list(map(other_case, NAMES))):
            self.assertEqual([], alerts)

    def test_wide_finds_them(self):
        for alerts in self._each("wide", list(map(other_case, NAMES))):
            self.assertEqual([(name, False) for name in NAMES], [
                (alert["record_id"], alert["kql"]) for alert in alerts])

    def test_the_initiator(self):
        record = audit("one", target())
        record["properties"]["initiatedBy"] = {"User": {
            "UserPrincipalName": "other@case.example"}}
        for semantics, actor in (("kql", ""),
                                 ("wide", "other@case.example")):
            for alerts in self._each(semantics, [record]):
                self.assertEqual([actor], [alert["actor"]
                                           for alert in alerts])
