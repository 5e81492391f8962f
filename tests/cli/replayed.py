"""Records and role list rows with an arrival, for the tests of replay.

Times are ticks after plain.NOW. What says when it arrived says it in Log
Analytics' column, unless a test puts it somewhere else.
"""

import json
import pathlib
import tempfile
import unittest

import command
import plain
import rendering
import ticks
from ticks import MINUTE

UPN = "svc.aad@nordwind.example"
OBJECT_ID = plain.OBJECT_ID
PERSON = plain.target(plain.PERSON_UPN)


def time(after):
    """Give a time so long after NOW as text."""
    return ticks.render(plain.NOW + after)


def audit(number, *targets, at=0, received=None,
          shape=rendering.log_analytics_row, **columns):
    """Make a record; of a sync account by its name if no target is given."""
    row = plain.row(*targets, Id=f"record {number}",
                    TimeGenerated=plain.NOW + at, **columns)
    return _received(shape(row, plain.chance()), received)


def waiting(number=1, **more):
    """Make a record of an account that only the role list can name."""
    return audit(number, plain.target(UPN), **more)


def role(*roles, at=0, received=None, upn=UPN, object_id=OBJECT_ID):
    """Make a row of the role list."""
    row = dict(plain.identity(upn, object_id, roles),
               TimeGenerated=plain.NOW + at)
    return _received(rendering.identity_row(row, plain.chance()), received)


def _received(record, received):
    """Say in a record when it arrived, if that is known."""
    if received is not None:
        record["_TimeReceived"] = time(received)
    return record


def given_role(**more):
    """Make the row that gives an account its role."""
    return role(plain.ROLE, **more)


def late_story():
    """Give a record, and half an hour after it the role that it waits for."""
    return (waiting(received=0),
            given_role(at=30 * MINUTE, received=30 * MINUTE))


class ReplayTest(unittest.TestCase):
    """A test with a directory of its own for the files."""

    def setUp(self):
        made = tempfile.TemporaryDirectory(prefix="synctap-replay-")
        self.addCleanup(made.cleanup)
        self.directory = pathlib.Path(made.name)
        self.files = 0

    def file(self, *contents):
        """Write a file of lines: texts as they are, all else as JSON."""
        return self.raw("".join(
            (one if isinstance(one, str) else json.dumps(one)) + "\n"
            for one in contents).encode())

    def raw(self, data):
        """Write a file of these bytes."""
        self.files += 1
        path = self.directory / f"file{self.files}"
        path.write_bytes(data)
        return path

    def alerts(self, *contents, options=(), **how):
        """Replay a file of lines."""
        return command.replay(*options, self.file(*contents), **how)

    def fired(self, *contents, **how):
        """Give (number of the record, late, minutes after NOW) of each
        alert."""
        return told(self.alerts(*contents, **how))


def told(alerts):
    """Give what a test wants to know of alerts."""
    return [(int(alert["record_id"].split()[-1]), alert["late"],
             (ticks.parse(alert["detected_at"]) - plain.NOW) / MINUTE)
            for alert in alerts]
