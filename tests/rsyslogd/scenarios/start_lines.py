# SPDX-License-Identifier: Apache-2.0
"""What a start says, so that nobody thinks more is detected than is.

Each action says what it judges by and what it knows. An empty role list, an
old one, a lost sync account and what a renamed action left behind are said,
the last with the command that puts it right.
"""

import json
import unittest

import ticks
from harness import Daemon
from records import MODULE, identity, mmsynctap, target, text
from workplace import stage

UPN = "svc.aad@nordwind.example"
OTHER = "other.aad@nordwind.example"


class StartLines(unittest.TestCase):
    """One daemon, started with a role list or without."""

    def _import(self, daemon, *rows, options=()):
        path = daemon.write("ids.jsonl", "\n".join(map(json.dumps, rows)))
        daemon.synctap("identity", "import", *options, "--database",
                       daemon.work.path / "synctap.db", path)

    def test_an_empty_role_list_is_said(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            begun = daemon.internal("action 'tap' begins").text
            for word in ("semantics kql", "synctap.db", "sync accounts: 0",
                         "it is empty", "records that wait for it: 0"):
                self.assertIn(word, begun)
            daemon.internal("the role list in", "is empty",
                            "the naming rules alone judge",
                            "synctap identity import")
            self._import(daemon, identity(UPN))
            daemon.internal("up to date again: 1 sync account")

    def test_that_nothing_can_match_is_said(self):
        names = 'upn.startswith="off" upn.contains="off" upn.has="off"'
        with Daemon(mmsynctap(names), MODULE) as daemon:
            daemon.internal("is empty: the rule finds nobody in it: load it")
            daemon.end()
            daemon.reconfigure(names,
                               f'{names} roles="off" displayname.has="off"')
            daemon.start()
            daemon.internal("action 'tap' never alerts: all lists that tell "
                            "sync accounts are off: no account is one")

    def test_parameters_that_make_nobody_a_sync_account_are_said(self):
        """By the defaults one is."""
        with Daemon(mmsynctap('roles="Directory Sync"'), MODULE) as daemon:
            self._import(daemon, identity(UPN))
            daemon.wait_statistics("tap", identity_rows=1)
            daemon.end()
            said = daemon.synctap("status", "--database",
                                  daemon.work.path / "synctap.db",
                                  statuses=(2,))
            self.assertRegex(said, "ok +role list +1 of 1 accounts")
            self.assertRegex(said, 'broken +sync accounts +action "tap": 1 row')

    def test_an_old_role_list_is_said(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            old = dict(identity(UPN), TimeGenerated=ticks.render(
                ticks.now() - 3 * ticks.DAY))
            self._import(daemon, old)
            daemon.internal("the role list in", "is older than 2 days")
            daemon.restart()
            daemon.internal("begins", "sync accounts: 1, of 1 rows",
                            "its newest row is 3 d old")

    def test_who_lost_the_status_by_an_import_is_said(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            self._import(daemon, identity(UPN), identity(OTHER))
            daemon.wait_statistics("tap", sync_accounts=2)
            self._import(daemon, identity(OTHER), options=["--snapshot"])
            daemon.internal("1 account is no longer a sync account: "
                            f"{UPN}; 2 -> 1")

    def test_another_rsyslogd_with_the_same_database_is_said(self):
        """One who tries a configuration by hand would get late alerts."""
        with Daemon(mmsynctap(), MODULE) as first:
            first.wait_statistics("tap", sync_accounts=0)
            shared = str(first.work.path / "synctap.db")
            with Daemon(mmsynctap(database=shared), MODULE) as second:
                second.internal(
                    f"another rsyslogd, process {first.pid}, runs an action "
                    "of this name with the state database", shared)
            self.assertEqual([], first.said("another rsyslogd"))

    def test_what_a_renamed_action_left_is_adopted(self):
        with Daemon(mmsynctap('ruleset="alerts"'), MODULE) as daemon:
            daemon.send([text("waits", target(UPN))])
            daemon.originals(1)
            daemon.wait_statistics("tap", pending=1)
            self._refuse(daemon, "runs: stop rsyslogd first")
            daemon.end()
            daemon.reconfigure('name="tap"', 'name="new"')
            daemon.start()
            daemon.internal("what an action 'tap' remembered",
                            "records that wait: 1", "synctap action adopt",
                            "synctap action drop")
            daemon.end()
            self._action(daemon, "adopt", "tap", "new")
            daemon.start()
            daemon.wait_statistics("new", pending=1)
            self._import(daemon, identity(UPN))
            self.assertEqual("waits", daemon.alerts(1)[0].json()["record_id"])

    def test_what_an_action_left_is_dropped(self):
        with Daemon(mmsynctap('ruleset="alerts"'), MODULE) as daemon:
            daemon.send([text("waits", target(UPN))])
            daemon.originals(1)
            daemon.wait_statistics("tap", pending=1)
            daemon.end()
            daemon.reconfigure('name="tap"', 'name="new"')
            daemon.start()
            self._action(daemon, "drop", "tap")
            listed = self._action(daemon, "list", "--format", "jsonl")
            self.assertEqual(["new"], [json.loads(line)["action"]
                                       for line in listed.splitlines()])
            self._refuse(daemon, "remembers nothing of an action")

    @staticmethod
    def _action(daemon, verb, *arguments, **more):
        return daemon.synctap("action", verb, "--database",
                              daemon.work.path / "synctap.db", *arguments,
                              **more)

    def _refuse(self, daemon, why):
        status, _, words = daemon.work.run(
            stage() / "bin" / "synctap", "action", "drop", "--database",
            daemon.work.path / "synctap.db", "tap")
        self.assertEqual(1, status)
        self.assertIn(why, words)


if __name__ == "__main__":
    unittest.main()
