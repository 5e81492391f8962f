"""Rule files for the tests, each made of a query and what is said of it."""

import pathlib
import tempfile

HEAD = """id: 00000000-0000-4000-8000-{number:012}
name: {name}
version: 1.2.3
kind: Scheduled
description: |
  Finds something, see T1098.003.
severity: {severity}
queryFrequency: 1h
queryPeriod: {period}
triggerOperator: gt
triggerThreshold: 0
tactics:
  - Persistence
relevantTechniques:
  - T1098
  - T1556.006
"""


def text(query, number=1, name="A rule", severity="Medium", period="1d",
         more=""):
    """Make the text of a rule file; the query's lines are moved in by two."""
    lines = "".join(f"  {line}\n" if line else "\n"
                    for line in query.split("\n"))
    return HEAD.format(number=number, name=name, severity=severity,
                       period=period) + "query: |\n" + lines + more


class Folder:
    """A folder for rule files, that goes with the test."""

    def __init__(self, test):
        """Make it."""
        self._folder = tempfile.TemporaryDirectory()
        test.addCleanup(self._folder.cleanup)

    def put(self, content, name="rule.yaml"):
        """Write a file and give its path."""
        path = pathlib.Path(self._folder.name) / name
        path.write_bytes(content if isinstance(content, bytes)
                         else content.encode())
        return path
