"""The disk of the database is full; what waits then is not lost.

The database lies in a small file system of its own, which is filled to the
last byte while the daemon runs. Messages flow, names and known roles match.
Records that match nothing yet keep coming, until the daemon counts and tells
that it cannot write them down. Then there is room again: without a restart
they are all where they belong, since a role that is loaded now makes each of
them alert, late, and once. So does every row that came before.

It needs the right to mount; without it, it is skipped.
"""

import unittest

from records import ids, target
from small_disk import SmallDisk
from troubled import LATE, SYNC, Troubled

BATCH = 50


class DiskFull(unittest.TestCase):
    """Everything but the database lies elsewhere."""

    def test_nothing_that_waits_is_lost(self):
        daemon = Troubled(directory="@WORK@/disk")
        with SmallDisk(daemon.work.path / "disk") as disk, daemon:
            daemon.alert("before", SYNC)
            daemon.pass_by("waits")
            daemon.wait_statistics("tap", pending=1)
            disk.fill()
            names = ["waits", *self._fill_up(daemon)]
            daemon.detection_goes_on("during")
            daemon.repeat("before", SYNC)
            self.assertEqual(1, len(daemon.said("mmsynctap",
                                                "No space left")))
            disk.make_room()
            daemon.pass_by("waits since")
            daemon.import_role(LATE)
            daemon.late_alerts(*names, "waits since")
            daemon.repeat("during, by name", SYNC)

            daemon.end()
            daemon.start()
            daemon.repeat(names[-1], target(LATE))
            daemon.repeat("during, by name", SYNC)
            daemon.stop()

    def _fill_up(self, daemon):
        """Send records that wait until one cannot be written down."""
        names = []
        while not daemon.statistics("tap").get("state_errors"):
            batch = [f"waits {len(names) + number}" for number in range(BATCH)]
            daemon.pass_by(*batch)
            names += batch
            daemon.counters("tap")
        return names

    def test_what_an_end_loses_is_told(self):
        daemon = Troubled(directory="@WORK@/disk")
        with SmallDisk(daemon.work.path / "disk") as disk, daemon:
            disk.fill()
            self._fill_up(daemon)
            daemon.end()
            self.assertRegex(
                daemon.work.words(), "[1-9][0-9]* bytes of what is to be "
                "remembered are lost with this end")
            disk.make_room()

    def test_a_full_disk_at_the_start(self):
        daemon = Troubled(directory="@WORK@/disk")
        with SmallDisk(daemon.work.path / "disk") as disk:
            disk.fill()
            daemon.start()
            try:
                daemon.alert("by name", SYNC)
                daemon.pass_by("waits")
                daemon.wait_for_error()
                disk.make_room()
                daemon.give_role(LATE)
                self.assertEqual(["waits"], ids(daemon.alerts(1)))
                daemon.repeat("by name", SYNC)
            finally:
                daemon.__exit__(None, None, None)


if __name__ == "__main__":
    unittest.main()
