"""A daemon whose database or clock gets into trouble, and what must go on.

Both modules run, with a queue for each ruleset. The role list has KNOWN from
the start; LATE gets its role only when a scenario says so, so that records
for it wait until then.
"""

import contextlib
import json
import sqlite3

from harness import Daemon, as_text
from records import identity, ids, mmsynctap, target, text

MODULES = 'module(load="mmsynctap")\nmodule(load="omidentityinfo")'
QUEUE = 'queue.type="LinkedList"'

SYNC = target("Sync_HOST1_0123456789ab@nordwind.example")
KNOWN, LATE = "known.aad@nordwind.example", "late.aad@nordwind.example"
PERSON = target("anna.berg@nordwind.example")


class Troubled(Daemon):
    """The daemon of a fault's scenario."""

    def __init__(self, directory="@WORK@", alerts="alerts", more="",
                 queue=QUEUE, before_rules="", **others):
        database = f"{directory}/synctap.db"
        keeper = ('action(type="omidentityinfo" name="roles" '
                  f'database="{database}" action.resumeInterval="1" '
                  'action.resumeRetryCount="-1")')
        super().__init__(before_rules + mmsynctap(f'ruleset="{alerts}"',
                                                  database=database),
                         MODULES + more, roles=keeper, queue=queue, **others)
        self.database = self.work.path / database.replace("@WORK@/", "")

    def __enter__(self):
        """Start with KNOWN in the role list."""
        super().__enter__()
        try:
            self.give_role(KNOWN)
            self.wait_statistics("tap", sync_accounts=1)
        except BaseException:
            self._give_up()
            raise
        return self

    def give_role(self, upn):
        """Let omidentityinfo know of a role."""
        self.send([as_text(identity(upn))], to="roles")

    def import_role(self, upn):
        """Load a role by the command line."""
        path = self.write("import.jsonl", json.dumps(identity(upn)))
        self.synctap("identity", "import", "--database", self.database, path)

    def role_list(self):
        """Give the UPNs that the command line reads from the database."""
        listed = self.synctap("identity", "list", "--database", self.database,
                              "--format", "jsonl")
        return {json.loads(line)["AccountUPN"]
                for line in listed.splitlines()}

    def pass_by(self, *names, upn=LATE):
        """Send records that match nothing yet, and see them go untouched."""
        self.send([text(name, target(upn)) for name in names])
        for original in self.originals(len(names)):
            if original.tree:
                raise AssertionError(f"tagged: {original}")

    def alert(self, name, whom):
        """Send a record that must alert at once, and take the alert."""
        self.send([text(name, whom)])
        original, = self.originals(1)
        alert, = self.alerts(1)
        if (original.tree["synctap"]["status"], ids([alert])) != (
                "match", [name]):
            raise AssertionError(f"{original}, {alert}")
        return alert.json()

    def repeat(self, name, whom):
        """Send a record that has alerted before, and see it told as such."""
        self.send([text(name, whom)])
        original, = self.originals(1)
        if original.tree["synctap"]["status"] != "duplicate":
            raise AssertionError(f"no duplicate: {original}")

    def detection_goes_on(self, name):
        """See that messages flow, and that names and known roles match."""
        self.pass_by(f"{name}, nobody", upn=PERSON["userPrincipalName"])
        self.alert(f"{name}, by name", SYNC)
        self.alert(f"{name}, by role", target(KNOWN))

    def late_alerts(self, *names):
        """Wait for the late alerts of just these records."""
        alerts = self.alerts(len(names))
        if sorted(ids(alerts)) != sorted(names):
            raise AssertionError(f"{ids(alerts)}, expected {names}")
        if not all(alert.json()["late"] for alert in alerts):
            raise AssertionError(f"not late: {alerts}")

    def wait_for_file(self):
        """Wait until there is a database where it should be."""
        self._wait_beside(self.database.name, "the database")

    def wait_for_damaged_file(self):
        """Wait until the database was moved aside and there is another."""
        self._wait_beside(self.database.name + ".damaged-*", "the damaged one")
        self.wait_for_file()

    def _wait_beside(self, pattern, what):
        """Wait for a file; the daemon's statistics are the beat."""
        self.wait_until(lambda: list(self.database.parent.glob(pattern)),
                         f"{what}, {pattern}")

    def wait_for_error(self):
        """Wait until a fault of the state has been counted."""
        self.wait_until(
            lambda: self.statistics("tap").get("state_errors", 0) > 0,
            lambda: f"state_errors, got {self.statistics('tap')}")


@contextlib.contextmanager
def another_program(database):
    """Open the database as another program would."""
    connection = sqlite3.connect(database, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()
