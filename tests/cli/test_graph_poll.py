# SPDX-License-Identifier: Apache-2.0
"""contrib/rsyslog.d/in/graph-poll fetches audit records from a stub of Graph.

All records since the last run, and of an hour before it, go into the file of
the day; if anything fails, none does, and the next run asks for the same time.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import ticks
from graph_stub import Stub, error, page

TOP = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = TOP / "contrib" / "rsyslog.d" / "in" / "graph-poll"
NEEDED = ("bash", "curl", "jq", "openssl", "flock")
AUDITS = "/v1.0/auditLogs/directoryAudits?$filter=activityDateTime ge "
DAY, HOUR = 86400, 3600


@unittest.skipUnless(all(map(shutil.which, NEEDED)), f"needs {NEEDED}")
class GraphPoll(unittest.TestCase):
    """Runs of the script in a directory of their own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="synctap-poll-")
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name)
        (self.work / "secret").write_text("s")
        self.stub = Stub()
        self.stub.__enter__()
        self.addCleanup(self.stub.__exit__, None, None, None)

    def run_script(self, *statuses, **environment):
        """Run it, see its status, and give its words."""
        done = subprocess.run(
            ["bash", SCRIPT], capture_output=True, timeout=60,
            stdin=subprocess.DEVNULL, env={
                "PATH": os.environ["PATH"], **self.stub.environment(
                    SECRET_FILE=str(self.work / "secret"), RETRIES="0",
                    DIRECTORY=str(self.work)), **environment})
        self.assertIn(done.returncode, statuses or (0,), done.stderr)
        return done.stderr.decode()

    def written(self):
        """Give the records of all files."""
        return [json.loads(line) for path in
                sorted(self.work.glob("audit-*.jsonl"))
                for line in path.read_text().splitlines()]

    def asked_since(self):
        """Give the times from which the stub was asked, in seconds."""
        return [ticks.parse(re.search(r"ge (\S+?)&", path)[1]) // ticks.SECOND
                for method, path in self.stub.asked
                if path.startswith(AUDITS)]

    def test_all_pages_become_lines_of_the_day(self):
        second = self.stub.url + "/v1.0/second"
        self.stub.answers(AUDITS + "*", page([{"id": "a"}, {"id": "b"}],
                                             second))
        self.stub.answers("/v1.0/second", page([{"id": "c"}]))
        before = time.strftime("%Y%m%d", time.gmtime())
        self.assertEqual("", self.run_script())
        after = time.strftime("%Y%m%d", time.gmtime())
        self.assertEqual([{"id": "a"}, {"id": "b"}, {"id": "c"}],
                         self.written())
        path, = self.work.glob("audit-*.jsonl")
        self.assertIn(path.name, {f"audit-{day}.jsonl"
                                  for day in (before, after)})
        self.assertEqual(0o640, path.stat().st_mode & 0o777)

    def test_the_first_run_asks_for_a_day_and_the_next_for_an_hour(self):
        self.stub.answers(AUDITS + "*", page([]))
        before = int(time.time())
        self.run_script()
        last = int((self.work / "graph-poll.since").read_text())
        self.run_script()
        first, second = self.asked_since()
        self.assertTrue(before - DAY <= first <= last - DAY,
                        (before, first, last))
        self.assertEqual(last - HOUR, second)

    def test_what_fails_writes_nothing_and_is_asked_for_again(self):
        self.stub.answers(AUDITS + "*",
                          page([{"id": "a"}], self.stub.url + "/v1.0/gone"),
                          page([{"id": "a"}]))
        (self.work / "graph-poll.since").write_text("1000000000\n")
        words = self.run_script(1)
        self.assertEqual(1, words.count("\n"), words)
        self.assertIn("graph-poll: answer 404", words)
        self.assertEqual([], self.written())
        self.run_script()
        self.assertEqual([{"id": "a"}], self.written())
        self.assertEqual([1000000000 - HOUR] * 2, self.asked_since())

    def test_a_time_of_the_last_run_that_is_none_is_a_first_run(self):
        self.stub.answers(AUDITS + "*", page([]))
        for text in ("", "soon", "9" * 12, "-5", "1;2"):
            with self.subTest(text=text):
                (self.work / "graph-poll.since").write_text(text)
                before = int(time.time())
                self.run_script()
                self.assertGreaterEqual(self.asked_since()[-1], before - DAY)

    def test_old_files_are_removed_and_no_others(self):
        self.stub.answers(AUDITS + "*", page([]))
        for name in ("audit-20200101.jsonl", "other-20200101.jsonl"):
            (self.work / name).write_text("{}\n")
            os.utime(self.work / name, (0, 0))
        self.run_script()
        self.assertEqual(["other-20200101.jsonl"], [
            path.name for path in self.work.glob("*2020*")])

    def test_without_the_right_it_says_what_graph_says(self):
        self.stub.answers(AUDITS + "*", error(
            403, "Authentication_RequestFromNonPremiumTenant", "no P1"))
        self.assertEqual(
            "graph-poll: answer 403: Authentication_RequestFromNonPremium"
            "Tenant: no P1\n", self.run_script(1))


if __name__ == "__main__":
    unittest.main()
