"""A snapshot of the role list comes by syslog.

A marker begins it, another ends it and says how many rows there were. Only
then have those who are not named lost their roles, and the log says who.
One that is not closed, or has another count, takes nothing away; a restart
between its messages does it no harm. Files that role lists come in from
other tools give the account in each of them the role.
"""

import json
import pathlib
import unittest

import ticks
from harness import Daemon, as_text
from records import ROLE, identity, mmsynctap

MODULES = 'module(load="mmsynctap")\nmodule(load="omidentityinfo")'
KEEPER = 'action(type="omidentityinfo" name="roles"' \
         ' database="@WORK@/synctap.db")'
SHARED = pathlib.Path(__file__).resolve().parents[4] / "shared" / "data"
SHAPES = SHARED / "identity-shapes"
TRAPS = SHARED / "snapshot-traps"


def row(upn):
    """Make a sync account's row of a minute ago."""
    made = identity(upn, "id of " + upn, (ROLE,))
    made["TimeGenerated"] = ticks.render(ticks.now() - ticks.MINUTE)
    return as_text(made)


def marker(word, **more):
    """Make a marker of the snapshot "s"."""
    return json.dumps({"synctap_snapshot": word, "id": "s", **more})


class Snapshot(unittest.TestCase):
    """Both modules run in one daemon and share nothing but the database."""

    def test_only_a_whole_one_takes_roles_away(self):
        with Daemon(mmsynctap(), MODULES, roles=KEEPER) as daemon:
            daemon.send([row("a@x"), row("b@x"), row("c@x")], to="roles")
            daemon.wait_statistics("tap", sync_accounts=3)
            daemon.send([marker("begin"), row("a@x"), marker("end", rows=2),
                         marker("begin"), row("a@x")], to="roles")
            daemon.wait_statistics("roles", messages=8, rejected=1)
            self.assertTrue(daemon.internal("snapshot s", "not whole"))
            daemon.restart()
            daemon.send([row("b@x"), marker("end", rows=2)], to="roles")
            daemon.wait_statistics("tap", sync_accounts=2)
            self.assertTrue(daemon.internal(
                "1 account is no longer a sync account: c@x; 3 -> 2"))

    @unittest.skipUnless(SHAPES.is_dir(), "the shared data are not here")
    def test_shapes_of_other_tools(self):
        files = [path for path in sorted(SHAPES.iterdir())
                 if path.stem != "members"]
        with Daemon(mmsynctap(), MODULES, roles=KEEPER) as daemon:
            daemon.send([path.read_text().replace("\n", " ")
                         for path in files], to="roles")
            daemon.wait_statistics("roles", messages=len(files), rejected=1)
            listed = daemon.synctap(
                "identity", "list", "--database",
                daemon.work.path / "synctap.db", "--format", "jsonl")
            ids = {json.loads(line)["AccountObjectId"]
                   for line in listed.splitlines()}
            self.assertEqual({"11111111-0000-4000-8000-000000000001",
                              "11111111-0000-4000-8000-000000000009"}, ids)

    @unittest.skipUnless(TRAPS.is_dir(), "the shared data are not here")
    def test_what_is_not_whole_takes_no_role_away_between_markers(self):
        traps = [text for path in sorted(TRAPS.iterdir())
                 if (text := path.read_text().replace("\n", " ").strip())]
        messages = [line for trap in traps for rows in range(3)
                    for line in (marker("begin"), trap,
                                 marker("end", rows=rows))]
        with Daemon(mmsynctap(), MODULES, roles=KEEPER) as daemon:
            daemon.send([row("a@x"), row("b@x"), row("c@x")], to="roles")
            daemon.wait_statistics("tap", sync_accounts=3)
            daemon.send(messages, to="roles")
            daemon.wait_statistics("roles", messages=3 + len(messages))
            listed = daemon.synctap(
                "identity", "list", "--sync-accounts", "--database",
                daemon.work.path / "synctap.db", "--format", "jsonl")
            names = {json.loads(line)["AccountUPN"]
                     for line in listed.splitlines()}
            self.assertLessEqual({"a@x", "b@x", "c@x"}, names)


if __name__ == "__main__":
    unittest.main()
