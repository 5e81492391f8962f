# SPDX-License-Identifier: Apache-2.0
"""Long work shows how far it is: a line on a terminal, nothing anywhere else.

query's is in test_archives. Each program reads a pipe until it has shown
something; how long that takes is its own affair.
"""

import errno
import os
import pathlib
import pty
import select
import subprocess
import tempfile
import time
import unittest

import ticks
from command import synctap

ROW = ('{"TimeGenerated":"%s","AccountUPN":"%s@nordwind.example",'
       '"AccountDisplayName":"An account","AssignedRoles":[]}\n')
MOST_SECONDS = 60  # on a busy machine; then nothing will ever be shown
SHOWN = r"^synctap: standard input: \d+ MB, [0-9.]+ [MG]B/s *$"


class Progress(unittest.TestCase):
    """identity import and explain."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="synctap-progress-")
        self.addCleanup(directory.cleanup)
        self.database = pathlib.Path(directory.name) / "synctap.db"

    def _run(self, piece, *arguments):
        """Feed pieces until something is shown; give all that was."""
        terminal, stderr = pty.openpty()
        shown = b""
        with subprocess.Popen(
                [os.environ["SYNCTAP"], *map(str, arguments), "--database",
                 self.database, "-"], stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL, stderr=stderr) as running:
            os.close(stderr)
            end = time.monotonic() + MOST_SECONDS
            while b"/s" not in shown:
                if time.monotonic() > end:
                    running.kill()
                    self.fail(f"nothing is shown but {shown}")
                running.stdin.write(piece)
                if select.select([terminal], [], [], 0)[0]:
                    shown += os.read(terminal, 65536)
            running.stdin.close()
            while True:
                try:
                    shown += os.read(terminal, 65536)
                except OSError as error:  # the other end is closed
                    self.assertEqual(errno.EIO, error.errno)
                    break
        os.close(terminal)
        self.assertEqual(0, running.returncode, shown)
        return shown.decode()

    def test_identity_import(self):
        row = (ROW % (ticks.render(ticks.now()), "anna")).encode()
        lines = self._run(row * 1000, "identity", "import").split("\r")
        self.assertRegex(lines[1], SHOWN)
        self.assertRegex(lines[-2], r"^\nsynctap: |^synctap: \d+ rows read")

    def test_identity_import_of_a_table(self):
        table = b"TimeGenerated,AccountUPN,AssignedRoles\n" + b"".join(
            f"{ticks.render(ticks.now())},{name}@x.example,[]\n".encode()
            for name in range(1000))
        lines = self._run(table, "identity", "import").split("\r")
        self.assertRegex(lines[1], SHOWN)

    def test_explain(self):
        row = ROW % (ticks.render(ticks.now()), "anna")
        synctap("identity", "import", "--database", self.database,
                given=row.encode())
        lines = self._run(b'{"operationName":"Update user"}\n' * 1000,
                          "explain").split("\r")
        self.assertRegex("\n".join(lines), r"synctap: standard input: \d+ MB")

    def test_not_in_a_file(self):
        done = subprocess.run(
            [os.environ["SYNCTAP"], "identity", "import", "--database",
             str(self.database), "-"], capture_output=True, check=True,
            input=(ROW % (ticks.render(ticks.now()), "anna")).encode()
            * 100000, timeout=60)
        self.assertEqual(b"synctap: 100000 rows read, 1 account changed\n",
                         done.stderr)


if __name__ == "__main__":
    unittest.main()
