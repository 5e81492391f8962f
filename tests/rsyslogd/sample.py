"""The sample configuration for crashes, as a scenario runs it.

It is contrib/rsyslog.d/crash-safe.conf itself; only its paths become the
daemon's directory, and its action for the alerts the one that forwards them
to the test. What the sample expects of rsyslog.conf stands in front. Before each start contrib/trim-queue looks after the queue, as
the sample says.
"""

import re

from harness import Daemon
from samples import CONTRIB, placed, replace

GLOBAL = """global(workDirectory="@WORK@" maxMessageSize="2m"
  abortOnUncleanConfig="on" inputs.timeout.shutdown="10000")
"""
TRIM = (CONTRIB / "trim-queue").read_text()

# imfile writes its position before the line that reaches its first 512 bytes
# is judged: the sample says so, and what to do.
FIRST_LINE = "This line holds no record. " * 20 + "\n"

AUDIT, IDENTITY = "audit.jsonl", "identity.jsonl"


class SampleDaemon(Daemon):
    """A daemon that runs the sample, or a text that was made of it."""

    def __init__(self, *changes, text=None):
        text = crash_safe() if text is None else text
        for old, new in changes:
            text = replace(text, re.escape(old), new)
        super().__init__(own=text)

    def launch(self):
        """Trim the queue, as the service would before it starts."""
        status, _, words = self.work.run(
            "bash", "-c", TRIM, "trim-queue", self.work.path, "synctap-alerts")
        if status != 0:
            raise AssertionError(f"trim-queue: {words}")
        super().launch()


def crash_safe():
    """Give the sample with the paths of a test."""
    text = replace(placed("crash-safe.conf"),
                   r'action\(type="omfile"[^)]*\)', "@ALERTS@")
    return GLOBAL + text


class Lines:
    """A file that imfile reads while it grows."""

    def __init__(self, daemon, name):
        self._path = daemon.write(name, FIRST_LINE)

    def add(self, records):
        """Append records, each as one line."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write("".join(record + "\n" for record in records))
