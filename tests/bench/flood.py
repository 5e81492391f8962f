"""A flood of candidates that match nothing, and then their accounts."""

import re
import subprocess
import time

from daemon import FROM_FILE, Rsyslogd, rss_kb, statistics
from workplace import credentials, stage

MOST_SECONDS = 1800
TARGET = re.compile(rb'"userPrincipalName":"(user\d+@[^"]+)"')


def waiting_of(path, accounts):
    """Count the records of a file whose target is one of these accounts."""
    with open(path, "rb") as file:
        return sum(1 for line in file
                   if (found := TARGET.search(line))
                   and found.group(1).decode() in accounts)


def role_rows(accounts):
    """Give a role list in which these are sync accounts."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    yield "TimeGenerated,AccountUPN,AccountObjectId,AccountDisplayName," \
          "AssignedRoles\n"
    for account in accounts:
        yield f'{now},{account},,,' \
              '"[""Directory Synchronization Accounts""]"\n'


class Lines:
    """The lines of a file that grows; what was counted is not read again.

    A hundred megabytes read twenty times a second would take from the
    processors what is measured.
    """

    def __init__(self, path):
        self._path, self._place, self._count = path, 0, 0

    def count(self):
        """Give how many lines the file has by now."""
        if self._path.exists():
            with open(self._path, "rb") as file:
                file.seek(self._place)
                while piece := file.read(1 << 20):
                    self._count += piece.count(b"\n")
                    self._place += len(piece)
        return self._count


class Flood:
    """One rsyslogd under a flood."""

    def __init__(self, pipeline, path, count):
        self._pipeline, self._path, self._count = pipeline, path, count
        self.most_rss_kb = self.most_journal = 0

    def measure(self, *arriving):
        """Give the seconds to the database, and those to late alerts.

        arriving: lists of accounts. Each is imported when the alerts of the
        one before are there, and gives (seconds, number of its alerts).
        """
        with Rsyslogd(self._pipeline, FROM_FILE) as daemon:
            daemon.begin(self._path)
            came = self._wait(daemon, "messages", self._count)
            kept = self._wait(daemon, "pending", self._count)
            alerts = Lines(daemon.work.path / "alerts")
            return kept - came, [self._arrive(daemon, accounts, alerts)
                                 for accounts in arriving]

    def _arrive(self, daemon, accounts, alerts):
        expected = alerts.count() + (
            waiting := waiting_of(self._path, set(accounts)))
        begin = time.monotonic()
        self._import(daemon, accounts)
        daemon.wait_until(lambda: alerts.count() >= expected,
                          f"late alert number {expected}", MOST_SECONDS)
        return time.monotonic() - begin, waiting

    def _wait(self, daemon, counter, value):
        daemon.wait_until(lambda: self._has(daemon, counter, value),
                          f"{value} {counter}", MOST_SECONDS, pause=0.1)
        return time.monotonic()

    def _has(self, daemon, counter, value):
        found = statistics(daemon.work).get("tap", {})
        journal = found.get("journal_bytes", 0)
        self.most_rss_kb = max(self.most_rss_kb, rss_kb(daemon.pid()))
        self.most_journal = max(self.most_journal, journal)
        return found.get(counter) == value \
            and (counter != "pending" or journal == 0)

    @staticmethod
    def _import(daemon, accounts):
        rows = daemon.work.write("roles.csv", "".join(role_rows(accounts)))
        subprocess.run(
            [stage() / "bin" / "synctap", "identity", "import", "--database",
             daemon.work.path / "synctap.db", rows], check=True,
            timeout=MOST_SECONDS, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **credentials())
