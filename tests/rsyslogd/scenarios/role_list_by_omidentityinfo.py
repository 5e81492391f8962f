"""The role list comes by syslog too, and the detector sees it at once.

Records that target two accounts with harmless names pass unnoticed. Then
IdentityInfo rows arrive at a second input, whose ruleset has omidentityinfo;
they give one account the role. From then on records that name the account,
by its UPN in any case or by its object id, match; those for the other do not.
When a newer row takes the role away, nothing matches any more, and an older
row that arrives late changes nothing. What is no identity record is counted
and stops nothing.
"""

import json
import unittest

import deadline
import ticks
from harness import Daemon, as_text
from records import ROLE, identity, mmsynctap, numbered, target, text

MODULES = 'module(load="mmsynctap")\nmodule(load="omidentityinfo")'
KEEPER = 'action(type="omidentityinfo" name="roles"' \
         ' database="@WORK@/synctap.db")'

UPN = "svc.aad@nordwind.example"
OBJECT_ID = "0d0d0d0d-1111-4222-8333-444444444444"
PERSON = target("anna.berg@nordwind.example")


def row(age, *roles):
    """Make the account's row of `age` minutes ago."""
    made = identity(UPN, OBJECT_ID, roles)
    made["TimeGenerated"] = ticks.render(ticks.now() - age * ticks.MINUTE)
    return made


class RoleList(unittest.TestCase):
    """Both modules run in one daemon and share nothing but the database."""

    def test_the_role_comes_and_goes(self):
        with Daemon(mmsynctap(), MODULES, roles=KEEPER) as daemon:
            self._send(daemon, "before", tagged=[])
            daemon.send([as_text(row(30, ROLE)),
                         as_text({"value": [identity("x@y.example",
                                                     roles=())]})],
                        to="roles")
            daemon.wait_statistics("roles", messages=2, rows=2)
            daemon.until_tagged(numbered(target(UPN)), deadline.SECONDS)
            self._send(daemon, "with", tagged=[
                ["identity_upn"], ["identity_object_id"]])
            daemon.wait_statistics("tap", sync_accounts=1, identity_rows=2)

            daemon.send([as_text(row(10)), as_text(row(20, ROLE))],
                        to="roles")
            daemon.wait_statistics("roles", messages=4, rejected=0)
            daemon.wait_statistics("tap", sync_accounts=0)
            self._send(daemon, "after", tagged=[])

    def _send(self, daemon, name, tagged):
        """Send one record each by UPN, by id, and for somebody else."""
        daemon.send([
            text(name + " by UPN", target(UPN.upper(), "other id")),
            text(name + " by id", target("renamed@x.example", OBJECT_ID)),
            text(name + " other", PERSON)])
        found = [original.tree["synctap"]["alert"]["matched_by"]
                 for original in daemon.originals(3) if original.tree]
        self.assertEqual(found, tagged)

    def test_what_is_no_identity_record_is_counted(self):
        noise = ["no record", '{"operationName": "Update user"}',
                 '{"AccountUPN": ', "[1, 2", text("an audit record", PERSON)]
        with Daemon(mmsynctap(), MODULES, roles=KEEPER) as daemon:
            daemon.send(noise + [json.dumps(row(5, ROLE))], to="roles")
            daemon.wait_statistics("roles", messages=6, rows=1, rejected=5,
                                   state_errors=0)
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.send([text("one", target(UPN))])
            self.assertIn("synctap", daemon.originals(1)[0].tree)
