"""Role lists in the shapes in which they come, loaded and read back."""

import json
import os
import pathlib
import tempfile
import unittest

from command import objects, synctap

NOW = "2026-06-10T00:00:00Z"
SYNC_ROLE = "Directory Synchronization Accounts"
SYNC_TEMPLATE = "d29b2b05-8046-44ba-8758-1e26182fcf32"
COLUMNS = ("AccountUPN", "AccountObjectId", "AccountDisplayName",
           "AssignedRoles", "TimeGenerated")


def day(number):
    """Give midnight of a day of June, as `identity list` writes it."""
    return f"2026-06-{number:02}T00:00:00.0000000Z"


def log_analytics(upn="a@x", on=1, **columns):
    """Make an IdentityInfo row of Log Analytics."""
    return {"TimeGenerated": day(on), "AccountUPN": upn,
            "AccountObjectId": f"id of {upn}",
            "AccountDisplayName": f"name of {upn}", **columns}


def defender(upn="a@x", on=1, **columns):
    """Make an IdentityInfo row of Defender XDR."""
    return {"Timestamp": day(on), "AccountUpn": upn,
            "AccountObjectId": f"id of {upn}",
            "AccountDisplayName": f"name of {upn}", **columns}


def member(upn):
    """Make a member of a role of Graph."""
    return {"id": f"id of {upn}", "userPrincipalName": upn,
            "displayName": f"name of {upn}"}


def graph_role(*upns, name=SYNC_ROLE, template=SYNC_TEMPLATE):
    """Make a directory role of Graph with its members."""
    return {"id": "b9c1e8f2-0000-4000-8000-000000000000", "displayName": name,
            "roleTemplateId": template,
            "members": [member(upn) for upn in upns]}


def graph_answer(*roles):
    """Make what Graph answers to directoryRoles?$expand=members."""
    return {"@odata.context": "https://graph.microsoft.com/v1.0/"
                              "$metadata#directoryRoles(members())",
            "value": list(roles)}


def is_sanitized():
    """A sanitizer takes all the memory that it can see: no limit fits it."""
    return b"__asan" in pathlib.Path(os.environ["SYNCTAP"]).read_bytes()


class RoleListTest(unittest.TestCase):
    """A test with a directory of its own, and a database in it."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-identity-")
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.database = self.directory / "state.db"
        self.files = 0

    def file(self, *contents):
        """Write a file: bytes as they are, all else as JSON lines."""
        self.files += 1
        path = self.directory / f"file{self.files}"
        path.write_bytes(b"".join(
            one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n"
            for one in contents))
        return path

    def load(self, *contents, options=(), now=NOW):
        """Import a file with these contents; give status and words."""
        return self.load_file(self.file(*contents), options=options, now=now)

    def load_file(self, *paths, options=(), now=NOW):
        """Import files; give status and words."""
        return synctap("identity", "import", "--database", self.database,
                       "--now", now, *options, *paths)

    def load_well(self, *contents, **how):
        """Import a file in which nothing is wrong."""
        done = self.load(*contents, **how)
        self.assertEqual(0, done.status, done.words)

    def accounts(self):
        """Give all rows of the role list."""
        done = synctap("identity", "list", "--database", self.database,
                       "--now", NOW, "--format", "jsonl")
        rows = objects(done.output)
        self.assertEqual(
            (0, "" if rows else f"synctap: {self.database}: no row\n"),
            (done.status, done.words))
        return rows

    def account(self, upn="a@x"):
        """Give the row of one account."""
        one, = (row for row in self.accounts() if row["AccountUPN"] == upn)
        return one

    def roles(self):
        """Give the last known roles of each account."""
        return {row["AccountUPN"]: row["AssignedRoles"]
                for row in self.accounts()}

    def columns(self):
        """Give the rows of the role list as tuples, without the verdict."""
        return [tuple(row[name] for name in COLUMNS)
                for row in self.accounts()]
