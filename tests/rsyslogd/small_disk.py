# SPDX-License-Identifier: Apache-2.0
"""A small file system of a test's own, which can be filled to the last byte.

It needs the right to mount; without it, the test is skipped.
"""

import os
import subprocess
import unittest

from workplace import Workplace

SIZE = "1m"


class SmallDisk:
    """A file system in memory, where a daemon may write."""

    def __init__(self, path):
        self.path = path
        self.path.mkdir()
        self._filler = self.path / "filler"

    def __enter__(self):
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", self.path],
            capture_output=True, check=False)
        if done.returncode != 0:
            raise unittest.SkipTest("no right to mount")
        Workplace._own(self.path)
        return self

    def __exit__(self, *error):
        subprocess.run(["umount", "-l", self.path], check=True)

    def fill(self):
        """Leave not one byte."""
        with open(self._filler, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(1024))
            except OSError:
                pass

    def make_room(self):
        """Take away what fills it."""
        os.unlink(self._filler)
