"""A rule file's watchlists while rsyslogd runs.

A record that a watchlist holds back waits; at HUP the files are read anew, and
it alerts late. So it does when the file was changed while nothing ran. A file
that is wrong at HUP leaves the lists as they were, with a line; one that is
wrong, missing or unasked for at the start refuses the action.
"""

import unittest

from harness import Daemon, as_text, check_config
from records import MODULE, audit, mmsynctap, target

RULE = """id: 00000000-0000-4000-8000-0000000000aa
name: Somebody watched
severity: High
kind: NRT
query: |
  let watched = (_GetWatchlist('High-Value') | project SearchKey);
  AuditLogs
  | where OperationName == "Reset user password"
  | mv-expand TargetResources
  | extend Upn = tostring(TargetResources.userPrincipalName)
  | where Upn in~ (watched)
"""
UPN = "vip@nordwind.example"


def lists(*names):
    """Write the file of the watchlist."""
    return "Upn,Why\n" + "".join(f"{name},x\n" for name in names)


def record(record_id, upn=UPN):
    """Make the text of a record that the rule may find."""
    return as_text(audit(record_id, target(upn),
                         operation="Reset user password"))


ACTION = mmsynctap('ruleset="alerts" rule="@WORK@/rule.yaml" '
                   'watchlist.high_value="@WORK@/list.csv" '
                   'watchlist.high_value.key="Upn"')


def new_daemon():
    """Make a daemon with the rule, and a watchlist of somebody else."""
    daemon = Daemon(ACTION, MODULE)
    daemon.write("rule.yaml", RULE)
    daemon.write("list.csv", lists("other@nordwind.example"))
    return daemon


class Watchlists(unittest.TestCase):
    """One action."""

    def test_who_is_on_the_list_alerts_at_once(self):
        with new_daemon() as daemon:
            daemon.send([record("other", "Other@nordwind.example"),
                         record("vip")])
            trees = [one.tree for one in daemon.originals(2)]
            alert, = daemon.alerts(1)
        self.assertEqual(["synctap" in tree for tree in trees], [True, False])
        self.assertEqual((alert.json()["record_id"], alert.json()["late"],
                          alert.json()["matched_by"]),
                         ("other", False, ["watchlist_high_value"]))

    def test_what_waits_alerts_when_the_file_is_read_anew(self):
        with new_daemon() as daemon:
            daemon.send([record("vip"), record("nobody", "n@nordwind.example")])
            daemon.originals(2)
            daemon.write("list.csv", lists(UPN))
            daemon.hup()
            late, = daemon.alerts(1)
            daemon.send([record("after")])
            daemon.originals(1)
            after, = daemon.alerts(1)
        self.assertEqual((late.json()["record_id"], late.json()["late"]),
                         ("vip", True))
        self.assertEqual((after.json()["record_id"], after.json()["late"]),
                         ("after", False))

    def test_what_waits_alerts_when_the_file_changed_between_two_lives(self):
        daemon = new_daemon()
        with daemon:
            daemon.send([record("vip")])
            daemon.originals(1)
            daemon.end()
            daemon.write("list.csv", lists(UPN))
            daemon.start()
            late, = daemon.alerts(1)
        self.assertEqual((late.json()["record_id"], late.json()["late"]),
                         ("vip", True))

    def test_a_wrong_file_at_hup_leaves_the_lists_as_they_were(self):
        with new_daemon() as daemon:
            daemon.write("list.csv", "Somebody\nelse\n")
            daemon.hup()
            daemon.internal("the watchlists read before stay in use",
                            'list.csv:1: watchlist High-Value: the header has '
                            'no column "Upn"')
            daemon.send([record("other", "other@nordwind.example")])
            self.assertIn("synctap", daemon.originals(1)[0].tree)
            daemon.alerts(1)

    def refused(self, action, words):
        """Expect the check to refuse an action, in these words."""
        with Daemon(mmsynctap(), MODULE) as daemon:
            daemon.write("rule.yaml", RULE)
            daemon.write("list.csv", lists(UPN))
            status, said = check_config(
                action.replace("@WORK@", str(daemon.work.path)), MODULE)
        self.assertNotEqual(status, 0)
        self.assertIn(words, said)

    def test_a_list_without_a_file_refuses_the_action(self):
        self.refused(mmsynctap('ruleset="alerts" rule="@WORK@/rule.yaml"'),
                     "the rule asks this watchlist: give the path of its CSV "
                     "file")

    def test_a_column_that_is_not_there_refuses_the_action(self):
        self.refused(ACTION.replace('key="Upn"', 'key="Mail"'),
                     'the header has no column "Mail"')

    def test_a_list_that_the_rule_does_not_ask_refuses_the_action(self):
        self.refused(ACTION.replace("high_value.key", "other"),
                     "the rule asks no watchlist of that name")


if __name__ == "__main__":
    unittest.main()
