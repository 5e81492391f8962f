"""The sample configuration for crashes, as a scenario runs it.

It is contrib/rsyslog.d/crash-safe.conf itself; only its paths become the
daemon's directory, and its action for the alerts the one that forwards them
to the test. Before each start contrib/trim-queue looks after the queue, as
the sample says.
"""

import pathlib
import re

from harness import Daemon
from workplace import stage

CONTRIB = pathlib.Path(__file__).resolve().parents[2] / "contrib"
SAMPLE = CONTRIB / "rsyslog.d" / "crash-safe.conf"
TRIM = (CONTRIB / "trim-queue").read_text()

# imfile writes its position before the line that reaches its first 512 bytes
# is judged: the sample says so, and what to do.
FIRST_LINE = "This line holds no record. " * 20 + "\n"

AUDIT, IDENTITY = "audit.jsonl", "identity.jsonl"


class SampleDaemon(Daemon):
    """A daemon that runs the sample."""

    def __init__(self, *changes):
        text = crash_safe()
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
    text = SAMPLE.read_text()
    text = replace(text, r"/var/spool/rsyslog(?=\")", "@WORK@")
    text = replace(text, r"/var/log/entra/(?=[^*]*\*)", "@WORK@/")
    text = replace(text, r'action\(type="omfile"[^)]*\)', "@ALERTS@")
    rules = stage() / "share" / "synctap"
    text = replace(text, r'type="mmsynctap"',
                   f'type="mmsynctap" rulebase="{rules}/entra-audit.rulebase"')
    return replace(
        text, r'type="omidentityinfo"',
        f'type="omidentityinfo" rulebase="{rules}/identity-info.rulebase"')


def replace(text, pattern, by):
    """Replace what must be there, outside of comments."""
    lines, count = [], 0
    for part in re.split(r"(?m)(#.*$)", text):
        if not part.startswith("#"):
            part, found = re.subn(pattern, lambda match: by, part)
            count += found
        lines.append(part)
    if count == 0:
        raise AssertionError(f"{SAMPLE} has no {pattern}")
    return "".join(lines)


class Lines:
    """A file that imfile reads while it grows."""

    def __init__(self, daemon, name):
        self._path = daemon.write(name, FIRST_LINE)

    def add(self, records):
        """Append records, each as one line."""
        with open(self._path, "a", encoding="utf-8") as file:
            file.write("".join(record + "\n" for record in records))
