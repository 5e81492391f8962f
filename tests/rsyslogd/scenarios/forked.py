"""A daemon that forks away works like one in the foreground, and stops.

A thread that a module starts too early dies in the fork, and the daemon then
hangs at its end. So here both modules are loaded, the daemon leaves its
parent, takes a role list, alerts, takes HUP, alerts again, and ends at
SIGTERM with status 0. The same happens with -n, for comparison.
"""

import unittest

from harness import Daemon, as_text
from records import identity, ids, mmsynctap, target, text

MODULES = 'module(load="mmsynctap")\nmodule(load="omidentityinfo")'
KEEPER = 'action(type="omidentityinfo" database="@WORK@/synctap.db")'
UPN = "svc.aad@nordwind.example"
SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")


class Forked(unittest.TestCase):
    """One life of a daemon, in both ways of running."""

    def test_a_whole_life(self):
        for forked in (True, False):
            with self.subTest(forked=forked):
                self._live(forked)

    def _live(self, forked):
        with Daemon(mmsynctap('ruleset="alerts"'), MODULES, roles=KEEPER,
                    forked=forked) as daemon:
            daemon.send([text("by name", SYNC)])
            daemon.originals(1)
            self.assertEqual(ids(daemon.alerts(1)), ["by name"])
            daemon.send([as_text(identity(UPN))], to="roles")
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.send([text("by role", target(UPN))])
            daemon.originals(1)
            self.assertEqual(ids(daemon.alerts(1)), ["by role"])
            daemon.hup()
            daemon.send([text("after HUP", target(UPN), SYNC)])
            daemon.originals(1)
            self.assertEqual(ids(daemon.alerts(2)), ["after HUP"] * 2)

    def test_a_life_without_a_message(self):
        for forked in (True, False):
            with self.subTest(forked=forked):
                with Daemon(mmsynctap('ruleset="alerts"'), MODULES,
                            roles=KEEPER, forked=forked):
                    pass
