"""A running daemon sees what `synctap identity import` loads, in one second.

Two programs and a file between them: the command line writes the role list
into the database while rsyslogd has it open. Records for the account are sent
without a pause; the first that is sent more than a second after the import
must be tagged. A snapshot that lacks the account takes the role away again.
"""

import json
import unittest

from harness import Daemon
from records import MODULE, identity, mmsynctap, numbered, target, text

UPN = "svc.aad@nordwind.example"
SECOND = 1.0


class Import(unittest.TestCase):
    """The daemon is not told of the import by anything but the database."""

    def _import(self, daemon, *rows, options=()):
        path = daemon.write("ids.jsonl", "\n".join(map(json.dumps, rows)))
        daemon.synctap("identity", "import", *options, "--database",
                       daemon.work.path / "synctap.db", path)

    def test_an_import_is_seen_within_a_second(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            daemon.send([text("before", target(UPN))])
            self.assertEqual(daemon.originals(1)[0].tree, {})
            self._import(daemon, identity(UPN))
            original = daemon.until_tagged(numbered(target(UPN)), SECOND)
            self.assertEqual(
                original.tree["synctap"]["alert"]["matched_by"],
                ["identity_upn"])
            daemon.wait_statistics("tap", sync_accounts=1, identity_rows=1)

    def test_a_snapshot_takes_the_role_from_those_it_lacks(self):
        with Daemon(mmsynctap(), MODULE) as daemon:
            self._import(daemon, identity(UPN),
                         identity("other.aad@nordwind.example"))
            daemon.wait_statistics("tap", sync_accounts=2)
            self._import(daemon, identity("other.aad@nordwind.example"),
                         options=["--snapshot"])
            daemon.wait_statistics("tap", sync_accounts=1)
            daemon.send([text("lost", target(UPN)), text(
                "kept", target("Other.AAD@nordwind.example"))])
            lost, kept = daemon.originals(2)
        self.assertEqual(lost.tree, {})
        self.assertIn("synctap", kept.tree)
